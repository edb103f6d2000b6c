"""How the battery runs: one place, one set-up of logging, one file to search."""

from __future__ import annotations

import base64
import contextlib
import io
import logging
import secrets
import urllib.parse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from tests.leaks.hiding_places import Place

__all__ = ["ALLOWED", "SINKS", "fragments", "run"]

FIELDS: Final[list[Any]] = ["@crm", "campaign.id", "details.step", "duration", "flags[].name"]
ALLOWED: Final[dict[str, Any]] = {
    "tenant.code": "acme",
    "request.attempt": 3,
    "resource.id": "c-4711",
    "duration": 1.5,
    "crm": "hubspot",
}
Sink = Callable[[Path], logging.Handler]


def _crmlogging(path: Path) -> logging.Handler:
    from crmlogging import AllowlistFilter, JsonFormatter

    handler = logging.FileHandler(path, encoding="utf-8")
    handler.addFilter(AllowlistFilter(FIELDS))
    handler.setFormatter(JsonFormatter(service="crm-sync"))
    return handler


def _retention_file(path: Path) -> logging.Handler:
    from crmlogging import AllowlistFilter, JsonFormatter, RetentionFileHandler

    handler = RetentionFileHandler(path)
    handler.addFilter(AllowlistFilter(FIELDS))
    handler.setFormatter(JsonFormatter(service="crm-sync"))
    return handler


def _json_logger(path: Path) -> logging.Handler:
    from pythonjsonlogger.orjson import OrjsonFormatter

    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(OrjsonFormatter("%(message)s %(name)s %(threadName)s %(pathname)s"))
    return handler


def _standard(path: Path) -> logging.Handler:
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(name)s %(threadName)s %(pathname)s %(message)s"))
    return handler


def _structlog(path: Path) -> logging.Handler:
    import structlog

    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(default=repr),
            ],
        )
    )
    return handler


SINKS: Final[dict[str, Sink]] = {
    "crmlogging": _crmlogging,
    "logging": _standard,
    "python-json-logger": _json_logger,
    "structlog": _structlog,
}


def run(place: Place, path: Path, sink: Sink) -> list[str]:
    """Let `place` log to `path` and return the texts that must not be found there."""
    secret = f"canary{secrets.token_hex(8)}@leak.example"
    log = logging.Logger("crm.battery", logging.DEBUG)
    log.manager = logging.Manager(logging.RootLogger(logging.WARNING))
    handler = sink(path)
    log.addHandler(handler)
    try:
        more = place(log, secret, dict(ALLOWED))
    finally:
        log.removeHandler(handler)
        handler.close()
    return [secret, *(more or ())]


def fragments(forbidden: Iterable[str]) -> Sequence[bytes]:
    """Return the texts in the forms in which they may come out, in lower case."""
    forms = set()
    for text in forbidden:
        local = text.partition("@")[0]
        encoded = text.encode()
        forms |= {local, urllib.parse.quote(text), encoded.hex(), repr(encoded)[2:-1]}
        forms |= {local[::-1], base64.b64encode(encoded).decode().rstrip("=")[:-2]}
        forms |= {str(list(encoded)), str(list(encoded)).replace(" ", "")}
    return [form.lower().encode() for form in forms if len(form) >= 8]


def silently(action: Callable[[], object]) -> None:
    """Run `action`, which may print and may fail."""
    with contextlib.suppress(Exception), contextlib.redirect_stderr(io.StringIO()):
        action()
