"""Objects that hold a secret, each in a way of its own, and never let it out by themselves."""

from __future__ import annotations

import array
import base64
import collections
import contextlib
import contextvars
import ctypes
import dataclasses
import datetime
import email.message
import enum
import fractions
import functools
import http.cookies
import io
import ipaddress
import json
import logging
import pathlib
import re
import sqlite3
import string
import subprocess
import sys
import threading
import types
import unittest.mock
import urllib.parse
import uuid
import weakref
import xml.etree.ElementTree
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final, NamedTuple, NoReturn

import attrs
import httpx
import numpy
import pydantic
import requests

__all__ = ["TOUCHED", "VALUES"]

TOUCHED: Final[list[str]] = []
"""Names of methods of hostile objects that somebody called."""

VALUES: Final[dict[str, Callable[[str], object]]] = {}


def value(make: Callable[[str], object]) -> Callable[[str], object]:
    """List a way to hold a secret under its function's name."""
    VALUES[make.__name__.strip("_").replace("_", "-")] = make
    return make


def _touch(name: str) -> Callable[..., NoReturn]:
    def method(*_: object, **__: object) -> NoReturn:
        TOUCHED.append(name)
        raise RuntimeError(name)

    return method


class _Text(str):
    __slots__ = ()


class _Number(int):
    secret = ""


class _Fraction(float):
    secret = ""


class _Mapping(Mapping[str, str]):
    def __init__(self, secret: str) -> None:
        self._secret = secret

    def __getitem__(self, key: str) -> str:
        return self._secret

    def __iter__(self) -> Iterator[str]:
        return iter(["note", self._secret])

    def __len__(self) -> int:
        return 2


class _Sequence(Sequence[str]):
    def __init__(self, secret: str) -> None:
        self._secret = secret

    def __getitem__(self, index: Any) -> Any:
        if index:
            raise IndexError
        return self._secret

    def __len__(self) -> int:
        return 1


class _Pair(NamedTuple):
    note: str
    other: int = 1


@dataclasses.dataclass
class _Contact:
    note: str


@dataclasses.dataclass(frozen=True, slots=True)
class _Frozen:
    note: str


class _Shown:
    """Every way to be shown gives the secret."""

    def __init__(self, secret: str) -> None:
        self.note = secret

    def __str__(self) -> str:
        return self.note

    def __format__(self, spec: str) -> str:
        return self.note

    def __json__(self) -> str:
        return self.note

    __repr__ = __html__ = to_json = isoformat = model_dump_json = __str__


class _Hostile:
    """Every way to ask is noted, and fails."""

    def __init__(self, secret: str) -> None:
        object.__setattr__(self, "note", secret)

    __str__ = __repr__ = __format__ = __iter__ = __len__ = __bool__ = _touch("show")
    __eq__ = __lt__ = __hash__ = __int__ = __float__ = __index__ = _touch("compare")
    __getitem__ = __contains__ = keys = items = __json__ = _touch("look")
    __reduce__ = __reduce_ex__ = __copy__ = __deepcopy__ = _touch("copy")

    def __getattribute__(self, name: str) -> NoReturn:
        TOUCHED.append(name)
        raise RuntimeError(name)


class _Property:
    def __init__(self, secret: str) -> None:
        self._secret = secret

    @property
    def note(self) -> str:
        return self._secret

    def __getattr__(self, name: str) -> str:
        return self._secret


class _Zone(datetime.tzinfo):
    def __init__(self, secret: str) -> None:
        self._secret = secret

    def utcoffset(self, _: object) -> datetime.timedelta:
        return datetime.timedelta(0)

    def dst(self, _: object) -> None:
        return None

    def tzname(self, _: object) -> str:
        return self._secret


@value
def text(secret: str) -> object:
    return secret


@value
def text_subclass(secret: str) -> object:
    return _Text(secret)


@value
def user_string(secret: str) -> object:
    return collections.UserString(secret)


@value
def bytes_(secret: str) -> object:
    return secret.encode()


@value
def bytearray_(secret: str) -> object:
    return bytearray(secret.encode())


@value
def memoryview_(secret: str) -> object:
    return memoryview(secret.encode())


@value
def array_(secret: str) -> object:
    return array.array("B", secret.encode())


@value
def list_(secret: str) -> object:
    return [1, secret]


@value
def tuple_(secret: str) -> object:
    return (secret,)


@value
def set_(secret: str) -> object:
    return {secret}


@value
def frozenset_(secret: str) -> object:
    return frozenset({secret})


@value
def deque(secret: str) -> object:
    return collections.deque([secret])


@value
def dict_value(secret: str) -> object:
    return {"note": secret}


@value
def dict_key(secret: str) -> object:
    return {secret: 1}


@value
def dict_bytes_key(secret: str) -> object:
    return {secret.encode(): 1}


@value
def dict_tuple_key(secret: str) -> object:
    return {(secret, 1): 1}


@value
def dict_look_alike_key(secret: str) -> object:
    return {"ID": secret, "id ": secret, "ıd": secret, "i\u200bd": secret, "ｉｄ": secret}


@value
def nested(secret: str) -> object:
    return {"a": [{"b": ({"c": [secret]},)}]}


@value
def deep(secret: str) -> object:
    outer: object = secret
    for number in range(2_000):
        outer = {"a": outer} if number % 2 else [outer]
    return outer


@value
def wide(secret: str) -> object:
    return {**{f"key{n}": n for n in range(5_000)}, "note": secret, secret: secret}


@value
def cyclic(secret: str) -> object:
    cycle: dict[str, object] = {"note": secret}
    cycle["self"] = cycle
    return cycle


@value
def huge(secret: str) -> object:
    return "x" * 200_000 + secret


@value
def ordered_dict(secret: str) -> object:
    return collections.OrderedDict(note=secret)


@value
def default_dict(secret: str) -> object:
    return collections.defaultdict(lambda: secret, note=secret)


@value
def counter(secret: str) -> object:
    return collections.Counter([secret])


@value
def chain_map(secret: str) -> object:
    return collections.ChainMap({"note": secret})


@value
def user_dict(secret: str) -> object:
    return collections.UserDict(note=secret)


@value
def mapping_proxy(secret: str) -> object:
    return types.MappingProxyType({"note": secret})


@value
def mapping(secret: str) -> object:
    return _Mapping(secret)


@value
def sequence(secret: str) -> object:
    return _Sequence(secret)


@value
def named_tuple(secret: str) -> object:
    return _Pair(secret)


@value
def dataclass(secret: str) -> object:
    return _Contact(secret)


@value
def frozen_dataclass(secret: str) -> object:
    return _Frozen(secret)


@value
def namespace(secret: str) -> object:
    return types.SimpleNamespace(note=secret)


def _member(kind: Any) -> object:
    return next(iter(kind))


@value
def enum_value(secret: str) -> object:
    return _member(enum.Enum("Kind", {"member": secret}))


@value
def enum_name(secret: str) -> object:
    return _member(enum.Enum("Kind", {secret: 1}))


@value
def string_enum(secret: str) -> object:
    return _member(enum.StrEnum("Kind", {"member": secret}))


@value
def path(secret: str) -> object:
    return pathlib.PurePosixPath("/contacts") / secret


@value
def exception(secret: str) -> object:
    return ValueError(secret)


@value
def exception_class(secret: str) -> object:
    return type(secret, (Exception,), {})


@value
def class_(secret: str) -> object:
    return type(secret, (), {"note": secret})


@value
def module(secret: str) -> object:
    return types.ModuleType(secret, secret)


@value
def function(secret: str) -> object:
    def inner(note: str = secret) -> str:
        return note

    inner.__name__ = inner.__qualname__ = secret
    return inner


@value
def partial(secret: str) -> object:
    return functools.partial(print, secret)


@value
def generator(secret: str) -> object:
    return (each for each in [secret])


@value
def stream(secret: str) -> object:
    return io.StringIO(secret)


@value
def pattern(secret: str) -> object:
    return re.compile(re.escape(secret))


@value
def proxy(secret: str) -> object:
    holder = _Shown(secret)
    reference = weakref.proxy(holder)
    _alive.append(holder)
    return reference


_alive: list[object] = []


@value
def number_subclass(secret: str) -> object:
    number = _Number(7)
    number.secret = secret
    return number


@value
def float_subclass(secret: str) -> object:
    number = _Fraction(7.0)
    number.secret = secret
    return number


@value
def decimal_in_list(secret: str) -> object:
    return [Decimal("1.5"), secret]


@value
def time_zone(secret: str) -> object:
    return datetime.datetime(2026, 1, 1, tzinfo=_Zone(secret))


@value
def shown(secret: str) -> object:
    return _Shown(secret)


@value
def hostile(secret: str) -> object:
    return _Hostile(secret)


@value
def hostile_in_list(secret: str) -> object:
    return [{"a": _Hostile(secret)}]


@value
def property_(secret: str) -> object:
    return _Property(secret)


@value
def json_text(secret: str) -> object:
    return json.dumps({"note": secret})


@value
def base64_text(secret: str) -> object:
    return base64.b64encode(f"user:{secret}".encode()).decode()


@value
def bearer(secret: str) -> object:
    return f"Bearer {secret}"


@value
def url_user(secret: str) -> object:
    return f"https://{urllib.parse.quote(secret)}:pw@api.example/contacts"


@value
def url_query(secret: str) -> object:
    return f"https://api.example/contacts?email={secret}"


@value
def log_injection(secret: str) -> object:
    return f'x"}}\n{{"level": "{secret}"}}\u2028{secret}\x1b[0m'


@value
def surrogate(secret: str) -> object:
    return f"\ud800{secret}"


# --- views, pieces and carriers of the standard library ---


@value
def dict_views(secret: str) -> object:
    return {"note": secret}.items()


@value
def dict_values(secret: str) -> object:
    return {"note": secret}.values()


@value
def dict_keys(secret: str) -> object:
    return {secret: 1}.keys()


@value
def iterators(secret: str) -> object:
    return [iter([secret]), zip([secret], [secret], strict=True), map(str, [secret])]


@value
def enumeration(secret: str) -> object:
    return enumerate([secret])


@value
def slice_(secret: str) -> object:
    return slice(secret, secret)


@value
def numbers_of_a_text(secret: str) -> object:
    return list(secret.encode())


@value
def large_number_of_a_text(secret: str) -> object:
    return int.from_bytes(secret.encode())


@value
def characters(secret: str) -> object:
    return list(secret)


@value
def typed_memory(secret: str) -> object:
    return memoryview(array.array("B", secret.encode())).cast("c")


@value
def wide_array(secret: str) -> object:
    return array.array("w" if sys.version_info >= (3, 13) else "u", secret)


@value
def buffer(secret: str) -> object:
    return ctypes.create_string_buffer(secret.encode())


@value
def byte_stream(secret: str) -> object:
    return io.BytesIO(secret.encode())


@value
def template(secret: str) -> object:
    return string.Template(secret)


@value
def match(secret: str) -> object:
    return re.match(".*", secret)


@value
def parsed_address(secret: str) -> object:
    return urllib.parse.urlsplit(f"https://{urllib.parse.quote(secret)}:pw@x.example/?q={secret}")


@value
def cookies(secret: str) -> object:
    return http.cookies.SimpleCookie({"session": secret})


@value
def message_of_mail(secret: str) -> object:
    mail = email.message.Message()
    mail["To"] = secret
    return mail


@value
def element(secret: str) -> object:
    found = xml.etree.ElementTree.Element("contact", note=secret)
    found.text = secret
    return found


@value
def row(secret: str) -> object:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute("SELECT ? AS id, ? AS step", (secret, secret)).fetchone()


@value
def network(secret: str) -> object:
    address = ipaddress.ip_address("127.0.0.1")
    return [address, {secret: address}]


@value
def fraction(secret: str) -> object:
    class Named(fractions.Fraction):
        def __str__(self) -> str:
            return secret

        __repr__ = __str__

    return Named(1, 3)


@value
def complex_(secret: str) -> object:
    class Named(complex):
        def __str__(self) -> str:
            return secret

        __repr__ = __str__

    return Named(1, 2)


@value
def decimal_subclass(secret: str) -> object:
    class Named(Decimal):
        def __str__(self, eng: bool = False, context: object = None) -> str:
            return secret

        __repr__ = __str__

        def __format__(self, spec: str, context: object = None) -> str:
            return secret

    return Named("1.5")


@value
def datetime_subclass(secret: str) -> object:
    class Named(datetime.datetime):
        def isoformat(self, *_: object, **__: object) -> str:
            return secret

        __str__ = __repr__ = strftime = __format__ = isoformat

    return Named(2026, 1, 1)


@value
def date_subclass(secret: str) -> object:
    class Named(datetime.date):
        def isoformat(self) -> str:
            return secret

        __str__ = __repr__ = isoformat

    return Named(2026, 1, 1)


@value
def uuid_subclass(secret: str) -> object:
    class Named(uuid.UUID):
        @property
        def hex(self) -> str:
            return secret

        def __str__(self) -> str:
            return secret

        __repr__ = __str__

    return Named(int=7)


@value
def path_subclass(secret: str) -> object:
    class Named(pathlib.PurePosixPath):
        def __str__(self) -> str:
            return secret

        __fspath__ = __repr__ = as_posix = __str__

    return Named("/contacts")


@value
def text_with_json(secret: str) -> object:
    class Named(str):
        __slots__ = ()

        def __json__(self) -> str:
            return secret

        def __str__(self) -> str:
            return secret

        __repr__ = __html__ = __str__

    return Named("x y")


@value
def number_with_repr(secret: str) -> object:
    class Named(int):
        def __repr__(self) -> str:
            return secret

        __str__ = __repr__

        def __int__(self) -> int:
            return int.from_bytes(secret.encode())

        __index__ = __trunc__ = __int__

    return Named(7)


@value
def fraction_with_repr(secret: str) -> object:
    class Named(float):
        def __repr__(self) -> str:
            return secret

        __str__ = hex = __repr__

        def __float__(self) -> float:
            return float(int.from_bytes(secret.encode()[:20]))

    return Named(1.5)


@value
def list_that_iterates_otherwise(secret: str) -> object:
    class Named(list[str]):
        def __iter__(self) -> Iterator[str]:
            return iter([secret])

        def __getitem__(self, index: Any) -> Any:
            return secret

        def __repr__(self) -> str:
            return secret

    return Named(["x y"])


@value
def dict_that_answers_otherwise(secret: str) -> object:
    class Named(dict[str, str]):
        def __missing__(self, key: str) -> str:
            return secret

        def items(self) -> Any:
            return [("id", secret), ("step", secret)]

        def __iter__(self) -> Iterator[str]:
            return iter(["id", "step"])

        __getitem__ = get = __missing__  # type: ignore[assignment]  # a hostile dict

        def keys(self) -> Any:
            return ["id", "step", secret]

    return Named(x=secret)


@value
def flag(secret: str) -> object:
    return _member(enum.Flag("Kind", {secret: 1}))


@value
def number_enum_name(secret: str) -> object:
    return _member(enum.IntEnum("Kind", {secret: 1}))


@value
def enum_with_methods(secret: str) -> object:
    class Kind(enum.Enum):
        ONE = 1

        def __str__(self) -> str:
            return secret

        __repr__ = __str__

        def __format__(self, spec: str) -> str:
            return secret

        @property
        def note(self) -> str:
            return secret

    return Kind.ONE


@value
def dataclass_with_repr(secret: str) -> object:
    @dataclasses.dataclass
    class Contact:
        step: int
        note: str = dataclasses.field(repr=False, default=secret)
        where: dataclasses.InitVar[str] = secret
        shared: ClassVar[str] = secret

        @property
        def id(self) -> str:
            return self.note

        def __str__(self) -> str:
            return secret

    return Contact(1)


@value
def slotted(secret: str) -> object:
    class Contact:
        __slots__ = ("id", "step")

    contact: Any = Contact()
    contact.id = contact.step = secret
    return contact


@value
def class_with_attributes(secret: str) -> object:
    return type("Contact", (), {"id": secret, "step": secret, "__doc__": secret})()


@value
def says_it_is_a_text(secret: str) -> object:
    class Contact:
        @property  # type: ignore[misc]  # a lie
        def __class__(self) -> Any:
            return str

        def __str__(self) -> str:
            return secret

        __repr__ = __str__

    return Contact()


@value
def with_metaclass(secret: str) -> object:
    class Meta(type):
        def __repr__(cls) -> str:
            return secret

        __str__ = __repr__

        def __instancecheck__(cls, instance: object) -> bool:
            return True

        def __subclasscheck__(cls, subclass: type) -> bool:
            return True

        def __getattribute__(cls, name: str) -> Any:
            return (
                secret
                if name in ("__name__", "__qualname__", "__module__")
                else (super().__getattribute__(name))
            )

    return Meta("Contact", (), {"note": secret})()


@value
def mock(secret: str) -> object:
    found: Any = unittest.mock.MagicMock(name=secret, note=secret)
    found.__str__.return_value = secret
    found.__iter__.return_value = iter([secret])
    found.__int__.return_value = 7
    found.items.return_value = [("id", secret)]
    return found


@value
def coroutine(secret: str) -> object:
    async def work(note: str) -> str:
        return note

    made: Any = work(secret)
    made.close()
    made.__name__ = made.__qualname__ = secret
    return made


@value
def frame(secret: str) -> object:
    return sys._getframe()


@value
def traceback_(secret: str) -> object:
    try:
        raise ValueError(secret)
    except ValueError as error:
        return error.__traceback__


@value
def record(secret: str) -> object:
    return logging.makeLogRecord({"msg": secret, "id": secret, "step": secret})


@value
def safe_record(secret: str) -> object:
    from crmlogging.records import SafeRecord

    return SafeRecord({"msg": secret, "id": secret, "step": secret})


@value
def logger(secret: str) -> object:
    return logging.Logger(secret)


@value
def context_variable(secret: str) -> object:
    return contextvars.ContextVar("note", default=secret)


@value
def thread(secret: str) -> object:
    return threading.Thread(name=secret, args=(secret,))


@value
def failed_process(secret: str) -> object:
    return subprocess.CompletedProcess([secret], 1, secret, secret)


@value
def exception_group_(secret: str) -> object:
    return ExceptionGroup(secret, [ValueError(secret)])


# --- objects of well-known libraries ---


@value
def pydantic_model(secret: str) -> object:
    return _Model.model_validate({"id": secret, "step": 1, "inner": {"id": secret}})


@value
def pydantic_secret(secret: str) -> object:
    return {"id": pydantic.SecretStr(secret), "step": pydantic.SecretBytes(secret.encode())}


class _Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    id: str
    step: int

    @pydantic.computed_field  # type: ignore[prop-decorator]  # as pydantic documents it
    @property
    def note(self) -> str:
        return self.id


@attrs.define
class _Attrs:
    id: str
    step: int = 1


@attrs.frozen
class _FrozenAttrs:
    note: str = attrs.field(repr=lambda text: text)


@value
def attrs_object(secret: str) -> object:
    return _Attrs(secret)


@value
def frozen_attrs_object(secret: str) -> object:
    return _FrozenAttrs(secret)


@value
def numpy_text(secret: str) -> object:
    return numpy.str_(secret)


@value
def numpy_bytes(secret: str) -> object:
    return numpy.bytes_(secret.encode())


@value
def numpy_array(secret: str) -> object:
    return numpy.array([secret, secret])


@value
def numpy_row(secret: str) -> object:
    return numpy.array([(secret, 1)], dtype=[("id", "U60"), ("step", "i4")])[0]


@value
def numpy_object(secret: str) -> object:
    return numpy.array([{"id": secret}], dtype=object)


@value
def request_prepared(secret: str) -> object:
    return requests.Request("POST", f"https://x.example/{secret}", json={"id": secret}).prepare()


@value
def header_map(secret: str) -> object:
    return requests.structures.CaseInsensitiveDict({"id": secret, "step": secret, secret: secret})


@value
def httpx_headers(secret: str) -> object:
    return httpx.Headers({"id": urllib.parse.quote(secret), "step": urllib.parse.quote(secret)})


@value
def httpx_address(secret: str) -> object:
    return httpx.URL(f"https://{urllib.parse.quote(secret)}@x.example/?q={secret}")


# --- secrets in a disguise ---


@value
def twice_in_json(secret: str) -> object:
    return json.dumps(json.dumps({"note": secret}))


@value
def escaped_json(secret: str) -> object:
    return json.dumps({"note": secret}).replace("@", "\\u0040")


@value
def percent_encoded(secret: str) -> object:
    return urllib.parse.quote(secret, safe="")


@value
def html_encoded(secret: str) -> object:
    return secret.replace("@", "&#64;")


@value
def full_width_at(secret: str) -> object:
    return secret.replace("@", "\uff20")


@value
def hexadecimal(secret: str) -> object:
    return secret.encode().hex()


@value
def mail_with_name(secret: str) -> object:
    return f'"Ada, L." <{secret}>'


@value
def mail_link(secret: str) -> object:
    return f"mailto:{secret}?subject=x"


@value
def capitals(secret: str) -> object:
    return secret.upper()


@value
def with_blanks(secret: str) -> object:
    return f"\t {secret} \n"


@value
def hidden_characters(secret: str) -> object:
    return secret.replace("@", "\u200b@\u200b")


@value
def cut_off(secret: str) -> object:
    return "x " * 985 + secret


@value
def at_the_cut(secret: str) -> object:
    return "x" * 1_979 + " " + secret


@value
def cookie_header(secret: str) -> object:
    return f"Cookie: session={secret}; user={secret}"


@value
def named_password(secret: str) -> object:
    return f"password={secret} token: {secret}"


@value
def shell_command(secret: str) -> object:
    return f"curl -u {secret}:pw -H 'Authorization: Bearer {secret}' https://x.example"


@value
def connection_string(secret: str) -> object:
    return f"postgresql://{secret}:{secret}@db.example/crm?password={secret}"
