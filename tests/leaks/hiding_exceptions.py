"""Places in an exception: its text, its class, its chain, the code that raised it."""

from __future__ import annotations

import ast
import asyncio
import base64
import contextlib
import dataclasses
import datetime
import decimal
import enum
import importlib
import ipaddress
import json
import logging
import os
import re
import socket
import struct
import subprocess
import sys
import traceback
import uuid
from collections.abc import Callable
from typing import Any, Final

import pydantic

from tests.leaks.places import Extra, add, place

_NOBODY: Final[dict[str, str]] = {}


def _log_raised(log: logging.Logger, error: BaseException, extra: Extra) -> None:
    try:
        raise error
    except BaseException:
        log.exception("Contact failed", extra=extra)


@place
def exception_text(log: logging.Logger, secret: str, extra: Extra) -> None:
    _log_raised(log, ValueError(f"bad contact {secret}"), extra)


@place
def exception_arguments(log: logging.Logger, secret: str, extra: Extra) -> None:
    _log_raised(log, ValueError(404, {"note": secret}, [secret]), extra)


@place
def exception_as_message(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error(ValueError(secret), extra=extra)


@place
def exception_as_argument(log: logging.Logger, secret: str, extra: Extra) -> None:
    error = ValueError(secret)
    log.error("Contact failed: %s", error, extra=extra)
    log.error(f"Contact failed: {error}", extra=extra)


@place
def exception_notes(log: logging.Logger, secret: str, extra: Extra) -> None:
    error = ValueError("bad")
    error.add_note(secret)
    _log_raised(log, error, extra)


@place
def exception_attributes(log: logging.Logger, secret: str, extra: Extra) -> None:
    error = ValueError("bad")
    error.response = secret  # type: ignore[attr-defined]
    _log_raised(log, error, extra)


@place
def exception_cause(log: logging.Logger, secret: str, extra: Extra) -> None:
    error = ValueError("bad")
    error.__cause__ = KeyError(secret)
    _log_raised(log, error, extra)


@place
def exception_context(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        _NOBODY[secret]
    except KeyError:
        _log_raised(log, ValueError("bad"), extra)


@place
def suppressed_context(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        try:
            _NOBODY[secret]
        except KeyError:
            raise ValueError("bad") from None
    except ValueError:
        log.exception("Contact failed", extra=extra)


@place
def exception_group(log: logging.Logger, secret: str, extra: Extra) -> None:
    inner = ExceptionGroup(secret, [ValueError(secret)])
    _log_raised(log, ExceptionGroup("several", [inner, KeyError(secret)]), extra)


@place
def file_name(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        open(f"/nowhere/{secret}").close()
    except OSError:
        log.exception("Contact failed", extra=extra)


@place
def syntax_error(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        compile(f"x = {secret} +", f"{secret}.py", "exec")
    except SyntaxError:
        log.exception("Contact failed", extra=extra)


@place
def decode_error(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        (secret.encode() + b"\xff").decode()
    except UnicodeDecodeError:
        log.exception("Contact failed", extra=extra)


@place
def conversion_error(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        int(secret)
    except ValueError:
        log.exception("Contact failed", extra=extra)


@place
def attribute_error(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        getattr(None, secret)
    except AttributeError:
        log.exception("Contact failed", extra=extra)


@place
def import_error(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        __import__(secret)
    except ImportError:
        log.exception("Contact failed", extra=extra)


@place
def assertion(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        raise AssertionError(f"{secret} is no contact")
    except AssertionError:
        log.exception("Contact failed", extra=extra)


@place
def exit_with_text(log: logging.Logger, secret: str, extra: Extra) -> None:
    _log_raised(log, SystemExit(secret), extra)


@place
def validation_error(log: logging.Logger, secret: str, extra: Extra) -> None:
    import pydantic

    try:
        pydantic.TypeAdapter(dict[str, int]).validate_python({secret: secret})
    except pydantic.ValidationError:
        log.exception("Contact failed", extra=extra)


@place
def pydantic_model(log: logging.Logger, secret: str, extra: Extra) -> None:
    import pydantic

    model = pydantic.create_model("Model", note=(str, ...))(note=secret)
    log.error("Contact failed", extra={**extra, "note": model, "details": model})


@place
def exception_class_name(log: logging.Logger, secret: str, extra: Extra) -> None:
    made = type(secret, (ValueError,), {"__module__": secret, "__qualname__": secret})
    _log_raised(log, made("bad"), extra)


@place
def function_that_raised(log: logging.Logger, secret: str, extra: Extra) -> None:
    def fails() -> None:
        raise ValueError("bad")

    fails.__code__ = fails.__code__.replace(co_name=secret, co_filename=secret)
    try:
        fails()
    except ValueError:
        log.exception("Contact failed", extra=extra)


@place
def generated_code_that_raised(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        exec(f"raise ValueError('Contact {secret} is bad')")
    except ValueError:
        log.exception("Contact failed", extra=extra)


@place
def local_variables(log: logging.Logger, secret: str, extra: Extra) -> None:
    hidden = [secret]
    try:
        hidden[1]
    except IndexError:
        log.exception("Contact failed", extra=extra, stack_info=True)


@place
def long_chain(log: logging.Logger, secret: str, extra: Extra) -> None:
    error: BaseException = ValueError(secret)
    for _ in range(500):
        following = ValueError(secret)
        following.__cause__ = error
        error = following
    _log_raised(log, error, extra)


# --- what well-known calls put into their errors ---


def _failing(name: str, call: Callable[[str], object]) -> None:
    """A call whose error repeats what it was given."""

    def fails(log: logging.Logger, secret: str, extra: Extra) -> None:
        try:
            call(secret)
        except Exception as error:
            log.exception("Contact failed", extra=extra)
            log.error("Contact failed: %s", error, extra=extra)
            log.error(f"Contact failed: {error!r}", extra=extra)
            log.error(error, exc_info=error, extra=extra)
            log.error(str(error), extra={**extra, "failure": error})
        else:
            raise AssertionError(name)

    add(f"error-of: {name}", fails)


def _raising(error: Callable[[str], BaseException]) -> Callable[[str], object]:
    def raises(secret: str) -> object:
        raise error(secret)

    return raises


def _xml(secret: str) -> object:
    import xml.etree.ElementTree

    return xml.etree.ElementTree.fromstring(f"<a>{secret}</b>")


def _toml(secret: str) -> object:
    import tomllib

    return tomllib.loads(f"{secret} = ")


def _zone(secret: str) -> object:
    import zoneinfo

    return zoneinfo.ZoneInfo(secret)


def _sql(secret: str) -> object:
    import sqlite3

    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        return connection.execute(f'SELECT "{secret}".x FROM contacts')


def _settings(secret: str) -> object:
    import configparser

    configparser.ConfigParser().read_string(secret, source=secret)
    return None


def _requests(secret: str) -> object:
    import requests

    return requests.get(f"nowhere://{secret}")


def _httpx(secret: str) -> object:
    import httpx

    return httpx.get(f"nowhere://{secret}")


def _botocore(secret: str) -> BaseException:
    import botocore.exceptions

    answer: Any = {
        "Error": {"Code": "AccessDenied", "Message": secret},
        "ResponseMetadata": {"HTTPStatusCode": 403, "HostId": secret},
    }
    return botocore.exceptions.ClientError(answer, "PutObject")


def _click(secret: str) -> BaseException:
    import click

    return click.BadParameter(f"{secret} is no contact", param_hint=secret)


def _in_another_process(secret: str) -> object:
    """As `concurrent.futures` hands on an error, with the text of its traceback."""
    error = ValueError(secret)
    error.__cause__ = type("_RemoteTraceback", (Exception,), {"tb": secret})(secret)
    raise error


class _Picky(pydantic.BaseModel):
    number: int


def _pydantic_json(secret: str) -> object:
    return _Picky.model_validate_json(json.dumps({"number": secret, secret: 1}))


class _Choice(enum.Enum):
    ONE = 1


for _name, _call in {
    "int": int,
    "float": float,
    "dict": lambda s: {}[s],
    "attribute": lambda s: getattr(object(), s),
    "attribute of a module": lambda s: getattr(json, s),
    "name": lambda s: eval("canary_" + "".join(c for c in s if c.isalnum()), {}),
    "attribute in a text": lambda s: eval("''." + "".join(c for c in s if c.isalnum()), {}),
    "local in a text": lambda s: exec(
        f"def f():\n print({_bare(s)})\n {_bare(s)} = 1\nf()",
        {},
    ),
    "keyword": lambda s: (lambda: None)(**{s: 1}),
    "format key": lambda s: "{x[" + s + "]}".format_map({}) and "{y}".format(**{s: 1}),
    "open": lambda s: open(f"/nowhere/{s}"),  # noqa: SIM115  # it fails
    "listdir": lambda s: os.listdir(f"/nowhere/{s}"),
    "rename": lambda s: os.rename(f"/nowhere/{s}", f"/nowhere/to/{s}"),
    "chdir": lambda s: os.chdir(f"/nowhere/{s}"),
    "process": lambda s: subprocess.run([f"/nowhere/{s}", s], check=True),
    "failed process": lambda s: subprocess.run(
        [sys.executable, "-c", "raise SystemExit(3)", s], check=True, capture_output=True
    ),
    "json": lambda s: json.loads(f'{{"note": "{s}",}}'),
    "decode": lambda s: (s.encode() + b"\xff").decode("utf-8"),
    "encode": lambda s: (s + "\u20ac").encode("ascii"),
    "date": lambda s: datetime.datetime.strptime(s, "%Y"),  # noqa: DTZ007  # it fails
    "iso date": datetime.datetime.fromisoformat,
    "decimal": decimal.Decimal,
    "uuid": uuid.UUID,
    "enum": _Choice,
    "ip address": ipaddress.ip_address,
    "expression": lambda s: re.compile(f"({s}"),
    "struct": lambda s: struct.pack(s, 1),
    "base64": lambda s: base64.b64decode(f"{s}=x", validate=True),
    "code": lambda s: compile(f"{s} +", f"{s}.py", "exec"),
    "literal": lambda s: ast.literal_eval(f"{s}("),
    "import": importlib.import_module,
    "codec": lambda s: s.encode(s),
    "iterator": lambda s: next(iter(()), *[]) if not s else {}.__getitem__(s),
    "xml": _xml,
    "toml": _toml,
    "time zone": _zone,
    "sql": _sql,
    "settings": _settings,
    "requests": _requests,
    "httpx": _httpx,
    "pydantic json": _pydantic_json,
    "another process": _in_another_process,
    "botocore": _raising(_botocore),
    "click": _raising(_click),
    "host": _raising(lambda s: socket.gaierror(-2, f"{s} not known")),
    "system error": _raising(lambda s: OSError(s)),
    "numbered system error": _raising(lambda s: OSError(2, s, s, None, s)),
    "unknown system error": _raising(lambda s: OSError(987_654, s, s)),
    "stop": _raising(lambda s: StopIteration(s)),
    "lookup": _raising(lambda s: KeyError(s, (s,), {s: s})),
    "process failed": _raising(lambda s: subprocess.CalledProcessError(1, [s], s, s)),
    "process late": _raising(lambda s: subprocess.TimeoutExpired([s], 1.0, s.encode())),
    "json error": _raising(lambda s: json.JSONDecodeError(s, s, 1)),
    "unicode error": _raising(lambda s: UnicodeDecodeError("utf-8", s.encode(), 0, 1, s)),
    "syntax error": _raising(lambda s: SyntaxError(s, (s, 1, 1, s))),
    "import error": _raising(lambda s: ImportError(s, name=s, path=s)),
    "attribute error": _raising(lambda s: AttributeError(s, name=s, obj=s)),
    "warning": _raising(lambda s: UserWarning(s)),
}.items():
    _failing(_name, _call)  # type: ignore[arg-type]  # classes are calls too


def _bare(secret: str) -> str:
    return "canary_" + "".join(c for c in secret if c.isalnum())


# --- exceptions of one's own ---


@place
def cancelled_with_text(log: logging.Logger, secret: str, extra: Extra) -> None:
    _log_raised(log, asyncio.CancelledError(secret), extra)
    _log_raised(log, KeyboardInterrupt(secret), extra)
    _log_raised(log, GeneratorExit(secret), extra)


class _FailureError(Exception):
    """Every way to be shown gives what it was given."""

    def __init__(self, secret: str) -> None:
        super().__init__(f"Contact {secret} failed")
        self.note = secret

    def __str__(self) -> str:
        return f"failed for {self.note}"

    __repr__ = __str__


class _PropertyError(Exception):
    """Attributes that are asked for instead of the real ones."""

    hidden = ""

    @property
    def args(self) -> Any:  # type: ignore[override]  # as a hostile class may
        return (self.hidden,)

    @property
    def __cause__(self) -> Any:  # type: ignore[override]  # as a hostile class may
        return ValueError(self.hidden)

    @property
    def __notes__(self) -> Any:  # type: ignore[override]  # as a hostile class may
        return [self.hidden]


@dataclasses.dataclass
class _DeclaredError(Exception):
    contact: str
    code: int = 7


class _KeywordError(Exception):
    def __init__(self, *, contact: str) -> None:
        self.contact = contact


@place
def exception_that_shows_itself(log: logging.Logger, secret: str, extra: Extra) -> None:
    for error in (_FailureError(secret), _DeclaredError(secret), _KeywordError(contact=secret)):
        _log_raised(log, error, extra)
        log.error("Contact failed", exc_info=error, extra=extra)
        log.error(error, extra=extra)
        log.error("Contact failed: %s", error, extra={**extra, "error": error})


@place
def exception_with_properties(log: logging.Logger, secret: str, extra: Extra) -> None:
    error = _PropertyError()
    error.hidden = secret
    _log_raised(log, error, extra)
    log.error(error, exc_info=error, extra={**extra, "error": error})


@place
def arguments_set_later(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        raise ValueError("Contact not found")
    except ValueError as error:
        error.args = (secret, "Contact not found")
        log.exception("Contact failed", extra=extra)
        error.args = (f"Contact not found {secret}",)
        log.exception("Contact failed", extra=extra)
        error.args = ("Contact not found", secret)
        log.exception("Contact failed", extra=extra)


@place
def texts_built_by_the_raising_line(log: logging.Logger, secret: str, extra: Extra) -> None:
    message = f"no contact {secret}"
    for make in (
        lambda: ValueError(message),
        lambda: ValueError("no contact " + secret),
        lambda: ValueError("no contact {}".format(secret)),  # noqa: UP032  # the place itself
        lambda: ValueError(f"{secret} {secret}"),
        lambda: ValueError(*(secret, f"no {secret}")),
        lambda: ValueError("no contact", secret),
        lambda: ValueError({"contact": secret}),
        lambda: ValueError(secret.encode()),
        lambda: ValueError(ValueError(secret)),
        lambda: KeyError(f"no {secret}"),
    ):
        _log_raised(log, make(), extra)


@place
def raised_with_a_cause(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        try:
            raise KeyError(f"contact {secret}")
        except KeyError as error:
            raise type(error)(secret) from error
    except KeyError as error:
        again = ValueError(str(error)).with_traceback(error.__traceback__)
        again.__context__ = error
        log.error("Contact failed", exc_info=again, extra=extra)
        log.error("Contact failed", exc_info=(ValueError, again, error.__traceback__), extra=extra)
        log.exception("Contact failed", extra=extra)


@place
def assertion_with_values(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        assert secret == "", f"contact is {secret}"
    except AssertionError:
        log.exception("Contact failed", extra=extra)


@place
def groups_in_groups(log: logging.Logger, secret: str, extra: Extra) -> None:
    group: BaseExceptionGroup[Any] = BaseExceptionGroup(secret, [KeyError(secret)])
    for number in range(30):
        error = ValueError(secret)
        error.__cause__ = group
        error.add_note(secret)
        group = BaseExceptionGroup(f"{number} {secret}", [error, OSError(2, secret), group])
    _log_raised(log, group, extra)


@place
def task_group(log: logging.Logger, secret: str, extra: Extra) -> None:
    async def fails() -> None:
        raise ValueError(f"contact {secret}")

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fails(), name=secret)

    try:
        asyncio.run(main())
    except BaseExceptionGroup:
        log.exception("Contact failed", extra=extra)


@place
def exception_of_another_kind(log: logging.Logger, secret: str, extra: Extra) -> None:
    kinds: list[Any] = [True, (None, None, None), secret, [secret], {"x": secret}, ValueError]
    for exc_info in kinds:
        with contextlib.suppress(TypeError, AttributeError):
            log.error("Contact failed", exc_info=exc_info, extra=extra)


@place
def notes_of_any_kind(log: logging.Logger, secret: str, extra: Extra) -> None:
    for notes in (secret, [secret, 7], (secret,), {secret: secret}):
        error: Any = ValueError("bad contact")
        error.__notes__ = notes
        _log_raised(log, error, extra)


@place
def names_of_running_code(log: logging.Logger, secret: str, extra: Extra) -> None:
    bare = _bare(secret)
    for file in (__file__, f"{bare}.py", f"/srv/{secret}/app.py", "<string>"):
        names: dict[str, Any] = {"log": log, "extra": extra, "__name__": bare}
        text = (
            f"def {bare}({bare}=1):\n"
            f"    class {bare}(Exception): pass\n"
            f"    try: raise {bare}('{secret}')\n"
            f"    except {bare}: log.exception('Contact failed', extra=extra, stack_info=True)\n"
            f"{bare}()\n"
        )
        exec(compile(text, file, "exec"), names)


@place
def class_with_names_of_its_own(log: logging.Logger, secret: str, extra: Extra) -> None:
    made = type("Contact", (ValueError,), {"__module__": __name__, "__qualname__": _bare(secret)})
    _log_raised(log, made(secret), extra)
    meta = type("Meta", (type,), {"__name__": secret, "__repr__": lambda _: secret})
    _log_raised(log, meta(_bare(secret), (ValueError,), {})(secret), extra)
    made.__doc__ = made.__name__ = secret
    _log_raised(log, made(secret), extra)


@place
def class_of_a_text(log: logging.Logger, secret: str, extra: Extra) -> None:
    text = f"""class MadeError(Exception):
        def __init__(self): super().__init__("Contact {secret} failed")"""
    names: dict[str, Any] = {}
    exec(compile(text, __file__, "exec"), names)
    _log_raised(log, names["MadeError"](), extra)


@place
def traceback_of_another_exception(log: logging.Logger, secret: str, extra: Extra) -> None:
    def inner() -> None:
        hidden = {secret: secret}
        raise LookupError(hidden)

    try:
        inner()
    except LookupError as error:
        other = ValueError(secret).with_traceback(error.__traceback__)
        log.error("Contact failed", exc_info=other, extra=extra)
        log.error("Contact failed", extra={**extra, "trace": error.__traceback__})
        log.error("Contact failed: %s", traceback.format_exc(), extra=extra)
        log.error(traceback.format_exc(), extra=extra)
        log.error("Contact failed", extra={**extra, "frame": sys._getframe()})
