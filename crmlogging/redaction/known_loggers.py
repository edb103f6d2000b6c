"""Well-known libraries' log calls: which argument is which field.

Their calls name the arguments after variables of theirs (``get_client_addr(scope)``), or not at
all. A row counts only for this logger with exactly this message, so that another version of the
library falls back to the rule for every call.

Sources: uvicorn/protocols/http, gunicorn/glogging.py and gunicorn/config.py, urllib3
connectionpool.py, celery/app/trace.py and celery/worker/strategy.py, django/utils/log.py and
django/core/servers/basehttp.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, cast

__all__ = ["KNOWN_MESSAGES", "fields_of_call"]

_REQUEST: Final = ("request.method", "request.path")
_TASK: Final = {"id": "task.id", "name": "task.name", "runtime": "task.runtime_seconds"}
_GUNICORN: Final = {
    "h": "client.ip",
    "m": "request.method",
    "U": "request.path",
    "s": "response.status",
    "M": "request.duration_ms",
}
_ANY: Final = ""

Names = tuple[str | None, ...] | Mapping[str, str]

_ROWS: Final[Mapping[tuple[str, str], Names]] = MappingProxyType(
    {
        ("uvicorn.access", '%s - "%s %s HTTP/%s" %d'): (
            *("client.ip", *_REQUEST, None, "response.status"),
        ),
        ("urllib3.connectionpool", '%s://%s:%s "%s %s %s" %s %s'): (
            *(None, None, None, *_REQUEST, None, "response.status", None),
        ),
        ("urllib3.connectionpool", '%s://%s:%s "%s %s HTTP/%s" %s %s'): (
            *(None, None, None, *_REQUEST, None, "response.status", None),
        ),
        ("django.request", "%s: %s"): (None, "request.path"),
        ("django.request", "Not Found: %s"): ("request.path",),
        ("django.request", "Method Not Allowed (%s): %s"): _REQUEST,
        ("django.server", '"%s" %s %s'): (None, "response.status", None),
        ("gunicorn.access", _ANY): _GUNICORN,
        ("celery.app.trace", _ANY): _TASK,
        ("celery.worker.strategy", _ANY): _TASK,
        ("celery.worker.request", _ANY): _TASK,
    }
)
_NUMBERS: Final = frozenset({"response.status", "request.duration_ms"})
_DIGITS_MAXIMUM: Final = 9

# What gunicorn logs by default; a setting of its own, so no constant of the code that logs it.
KNOWN_MESSAGES: Final = frozenset(
    {("gunicorn.access", '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"')}
)


def fields_of_call(
    logger: str, message: str, arguments: object
) -> tuple[tuple[str, object], ...] | None:
    """Return fields and values of a well-known call's arguments, or None for any other call.

    Args:
        logger: name of the logger.
        message: its template.
        arguments: ``record.args``.
    """
    names = _ROWS.get((logger, message))
    if names is None:
        names = _ROWS.get((logger, _ANY))
    if isinstance(names, tuple) and type(arguments) is tuple and len(arguments) == len(names):
        return tuple(
            (name, _value(name, value))
            for name, value in zip(names, arguments, strict=True)
            if name is not None
        )
    if isinstance(names, Mapping) and issubclass(type(arguments), dict):
        # dict.get: gunicorn's atoms look up other keys in request headers
        mapping = cast("dict[Any, object]", arguments)
        found = ((name, dict.get(mapping, key)) for key, name in names.items())
        return tuple((name, _value(name, value)) for name, value in found if value is not None)
    return None


def _value(name: str, value: object) -> object:
    """Some servers give a number as text."""
    if name in _NUMBERS and type(value) is str and len(value) <= _DIGITS_MAXIMUM:
        return int(value) if value.isascii() and value.isdecimal() else value
    return value
