"""Well-known loggers' calls: which argument is which field, and messages known by heart.

Their calls name the arguments after variables of theirs (``get_client_addr(scope)``), or not at
all. A row counts only for this logger with exactly this message, so that another version of the
library falls back to the rule for every call.

Some join a text of theirs and values to one message (asyncio, httpcore, Python's own warnings).
Of those the text is shown as it stands in this module, never a piece of the message.

Sources: uvicorn/protocols/http, gunicorn/glogging.py and gunicorn/config.py, urllib3
connectionpool.py, poolmanager.py and util/retry.py, httpx/_client.py, httpcore/_trace.py,
celery/app/trace.py and celery/worker/strategy.py, django/utils/log.py, django/core/handlers and
django/core/servers/basehttp.py, CPython's Lib/asyncio and Objects/genobject.c.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, cast

__all__ = ["KNOWN_MESSAGES", "UNCAUGHT", "converts", "fields_of_call", "is_known", "template_of"]
__all__ += ["has_templates", "value_of"]

UNCAUGHT: Final = "crmlogging.uncaught"
"""Logger of what nobody caught; see `crmlogging.uncaught`."""

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
        **dict.fromkeys(
            (
                ("urllib3.connectionpool", "Starting new HTTP connection (%d): %s:%s"),
                ("urllib3.connectionpool", "Starting new HTTPS connection (%d): %s:%s"),
            ),
            (None, None, None),
        ),
        ("urllib3.connectionpool", "Retry: %s"): ("request.path",),
        ("urllib3.connectionpool", "Redirecting %s -> %s"): ("request.path", None),
        ("urllib3.poolmanager", "Redirecting %s -> %s"): ("request.path", None),
        ("urllib3.util.retry", "Incremented Retry for (url='%s'): %r"): ("request.path", None),
        ("urllib3.connectionpool", "Retrying (%r) after connection broken by '%r': %s"): (
            *(None, None, "request.path"),
        ),
        ("httpx", 'HTTP Request: %s %s "%s %d %s"'): (*_REQUEST, None, "response.status", None),
        ("django.request", "%s: %s"): (None, "request.path"),
        ("django.security.csrf", "Forbidden (%s): %s"): (None, "request.path"),
        **dict.fromkeys(
            (
                ("django.request", "Not Found: %s"),
                ("django.request", "Gone: %s"),
                ("django.request", "Forbidden (Permission denied): %s"),
                ("django.request", "Bad request (Unable to parse request body): %s"),
            ),
            ("request.path",),
        ),
        ("django.request", "Method Not Allowed (%s): %s"): _REQUEST,
        ("django.server", '"%s" %s %s'): (None, "response.status", None),
        ("gunicorn.access", _ANY): _GUNICORN,
        ("celery.app.trace", _ANY): _TASK,
        ("celery.worker.strategy", _ANY): _TASK,
        ("celery.worker.request", _ANY): _TASK,
    }
)
_LOGGERS: Final = frozenset(logger for logger, _ in _ROWS)
_NUMBERS: Final = frozenset({"response.status", "request.duration_ms"})
_PATH: Final = "request.path"
_DIGITS_MAXIMUM: Final = 9

# What gunicorn and celery log by default: settings, so no constants of the code that logs them.
# And our own words about errors that no frame of the program is left to vouch for.
KNOWN_MESSAGES: Final = frozenset(
    {
        ("gunicorn.access", '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'),
        ("celery.worker.strategy", "Task %(name)s[%(id)s] received"),
        (UNCAUGHT, "Ended by an uncaught exception"),
        (UNCAUGHT, "Lost a thread to an uncaught exception"),
        (UNCAUGHT, "Ignored an exception that nobody can catch"),
    }
)
_WORDED: Final = frozenset(logger for logger, _ in KNOWN_MESSAGES)

_BEGINNINGS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "asyncio": (
            "Task exception was never retrieved",
            "Future exception was never retrieved",
            "_GatheringFuture exception was never retrieved",
            "Exception in callback",
            "Task was destroyed but it is pending!",
            "Unhandled exception in client_connected_cb",
            "Unhandled error in exception handler",
            "Unhandled exception in event loop",
            "unhandled exception during asyncio.run() shutdown",
            "an error occurred during closing of asynchronous generator",
            "An open stream was garbage collected prior to establishing network connection",
            "An open stream object is being garbage collected",
            "Error on transport creation for incoming connection",
            "Fatal error on transport",
            "Fatal error on SSL transport",
            "Fatal error on pipe transport",
            "Fatal read error on socket transport",
            "Fatal write error on socket transport",
            "Fatal error: protocol.data_received() call failed.",
            "Fatal error: protocol.buffer_updated() call failed.",
            "Fatal error: protocol.eof_received() call failed.",
            "SSL handshake failed",
            "SSL error in data received",
            "protocol.pause_writing() failed",
            "protocol.resume_writing() failed",
            "socket.accept() out of system resource",
        ),
        "py.warnings": (
            "coroutine ",
            "unclosed file ",
            "unclosed <socket.socket ",
            "unclosed transport ",
            "unclosed event loop ",
            "unclosed scandir iterator ",
            "Implicitly cleaning up ",
            "subprocess ",
        ),
    }
)
# Beginning of a warning of Python's to its template, and how it must end.
_WARNINGS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "coroutine ": ("coroutine '...' was never awaited", " was never awaited"),
        "unclosed <socket.socket ": ("unclosed <socket.socket ...>", ""),
        "Implicitly cleaning up ": ("Implicitly cleaning up a temporary directory", ""),
        "subprocess ": ("subprocess ... is still running", " is still running"),
    }
)
_HTTPCORE: Final = frozenset(
    f"{action}.{stage}"
    for action in (
        *("close", "connect_tcp", "connect_unix_socket", "receive_remote_settings"),
        *("receive_response_body", "receive_response_headers", "response_closed", "retry"),
        *("send_connection_init", "send_request_body", "send_request_headers"),
        *("setup_socks5_connection", "start_tls"),
    )
    for stage in ("started", "complete", "failed")
)


def template_of(logger: str, message: str) -> str | None:
    """Return the template of a well-known logger's message, or None for any other.

    It is always a text of this module.

    Example:
        >>> template_of("httpcore.http11", "send_request_headers.started request=<...>")
        'send_request_headers.started ...'
        >>> template_of("asyncio", "Exception in callback ada@example.com()\\nhandle: <Handle ...>")
        'Exception in callback ...'
    """
    if (logger, message) in KNOWN_MESSAGES:
        return message
    if logger.startswith("httpcore."):
        event, values, _ = message.partition(" ")
        if event in _HTTPCORE:
            return f"{event} ..." if values else event
        return None
    for beginning in _BEGINNINGS.get(logger, ()):
        if message.startswith(beginning):
            if beginning in _WARNINGS:
                template, ending = _WARNINGS[beginning]
                return template if message.endswith(ending) else None
            after = message[len(beginning) :]
            ends = not after or after.startswith("\n")
            return beginning if ends else f"{beginning.rstrip()} ..."
    return None


def has_templates(logger: str) -> bool:
    """Tell whether `template_of` may know a message of `logger`."""
    return logger.startswith("httpcore.") or logger in _BEGINNINGS or logger in _WORDED


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
            (name, value_of(name, value))
            for name, value in zip(names, arguments, strict=True)
            if name is not None
        )
    if isinstance(names, Mapping) and issubclass(type(arguments), dict):
        # dict.get: gunicorn's atoms look up other keys in request headers
        mapping = cast("dict[Any, object]", arguments)
        found = ((name, dict.get(mapping, key)) for key, name in names.items())
        return tuple((name, value_of(name, value)) for name, value in found if value is not None)
    return None


def is_known(logger: str) -> bool:
    """Tell whether the table has a row for `logger`."""
    return logger in _LOGGERS


def converts(name: str) -> bool:
    """Tell whether `value_of` may give another value than it was given, for a string."""
    return name in _NUMBERS or name == _PATH


def value_of(name: str, value: object) -> object:
    """Some servers give a number as text, some clients the whole URL for the path."""
    if name in _NUMBERS and type(value) is str and len(value) <= _DIGITS_MAXIMUM:
        return int(value) if value.isascii() and value.isdecimal() else value
    if name == _PATH:
        if type(value) is str and value.startswith(("http://", "https://")):
            return "/" + value.partition("://")[2].partition("?")[0].partition("/")[2]
        if type(value) is getattr(sys.modules.get("httpx"), "URL", ()):
            return cast("Any", value).path
    return value
