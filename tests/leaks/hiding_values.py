"""Objects that hold a secret, each in a way of its own, and never let it out by themselves."""

from __future__ import annotations

import array
import base64
import collections
import dataclasses
import datetime
import enum
import functools
import io
import json
import pathlib
import re
import types
import urllib.parse
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple, NoReturn

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
    return "x" * 1_000_000 + secret


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
