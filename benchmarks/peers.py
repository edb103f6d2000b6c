"""What is compared: each peer sets itself up to write JSON lines to a file, then logs.

A peer is a function that takes the path of its file and returns the call to measure. Add one
with `@peer(name)`; it then takes part in every round and its output is checked as theirs is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

MESSAGE = "Updated contact"
ALLOWED: dict[str, Any] = {
    "crm": "hubspot",
    "tenant.code": "acme",
    "resource.type": "contact",
    "resource.id": "4711",
    "request.id": "0f1b6b31-94d5-4a3c-8d52",
    "request.method": "PATCH",
    "request.attempt": 1,
    "request.duration_ms": 131.7,
    "response.status": 200,
    "ratelimit.remaining": 87,
}
SECRET: dict[str, Any] = {
    "email": "ada@example.com",
    "phone": "+1 555 0100",
    "api_key": "made-up-key-of-the-benchmark",
    "lastname": "Lovelace",
}
SCENARIOS: dict[str, dict[str, Any]] = {
    "S1 ten fields": ALLOWED,
    "S2 twelve fields, four masked": {**dict(list(ALLOWED.items())[:8]), **SECRET},
}
MASKED = "[REDACTED]"

Call = Callable[[dict[str, Any]], None]
PEERS: dict[str, Callable[[Path], Call]] = {}


def peer(name: str) -> Callable[[Callable[[Path], Call]], Callable[[Path], Call]]:
    """Register a peer under `name`."""

    def register(make: Callable[[Path], Call]) -> Callable[[Path], Call]:
        PEERS[name] = make
        return make

    return register


def _logger() -> logging.Logger:
    logger = logging.getLogger("crm.sync")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger


def _logging_call(handler: logging.Handler) -> Call:
    logger = _logger()
    logger.addHandler(handler)

    # Written out as in a service: names of fields are constants of the calling code.
    def call(fields: dict[str, Any]) -> None:
        value = fields.get
        if "email" in fields:
            extra = {
                "crm": value("crm"),
                "tenant.code": value("tenant.code"),
                "resource.type": value("resource.type"),
                "resource.id": value("resource.id"),
                "request.id": value("request.id"),
                "request.method": value("request.method"),
                "request.attempt": value("request.attempt"),
                "request.duration_ms": value("request.duration_ms"),
                "email": value("email"),
                "phone": value("phone"),
                "api_key": value("api_key"),
                "lastname": value("lastname"),
            }
        else:
            extra = {**fields}
        logger.error("Updated contact", extra=extra)

    return call


class _NaiveFilter(logging.Filter):
    """What a team would write itself: mask a handful of names at the top level, in place."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name in SECRET:
            if name in record.__dict__:
                record.__dict__[name] = MASKED
        return True


@peer("noop: logging, no-op handler")
def noop(path: Path) -> Call:
    """The unit of all ratios; it writes nothing."""

    class NoOp(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            return True

    return _logging_call(NoOp())


@peer("python-json-logger + orjson")
def python_json_logger(path: Path) -> Call:
    """Its fastest formatter behind the standard file handler, naive filter on it."""
    from pythonjsonlogger.orjson import OrjsonFormatter

    handler = logging.FileHandler(path)
    handler.setFormatter(OrjsonFormatter("%(levelname)s %(name)s %(message)s", timestamp=True))
    handler.addFilter(_NaiveFilter())
    return _logging_call(handler)


@peer("structlog + orjson")
def structlog_orjson(path: Path) -> Call:
    """The set-up that its own performance page recommends, plus a naive processor."""
    import orjson
    import structlog

    def mask(logger: Any, method: str, event: Any) -> Any:
        for name in SECRET:
            if name in event:
                event[name] = MASKED
        return event

    structlog.configure(
        cache_logger_on_first_use=True,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            mask,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(file=path.open("ab")),
    )
    bound = structlog.get_logger(name="crm.sync")

    def call(fields: dict[str, Any]) -> None:
        bound.error("Updated contact", **fields)

    return call


def _crmlogging(path: Path, logger_class: bool) -> Call:
    from crmlogging import AllowlistFilter, JsonFormatter, Logger, RetentionFileHandler

    if logger_class:
        logging.setLoggerClass(Logger)
    handler = RetentionFileHandler(str(path))
    handler.setFormatter(JsonFormatter(service="crm-sync"))
    handler.addFilter(AllowlistFilter(["@crm"]))
    return _logging_call(handler)


@peer("crmlogging, stock Logger")
def crmlogging_stock(path: Path) -> Call:
    """Allowlist on, locked append, no change to the logger."""
    return _crmlogging(path, logger_class=False)


@peer("crmlogging, crmlogging.Logger")
def crmlogging_own(path: Path) -> Call:
    """The same through our own logger class."""
    return _crmlogging(path, logger_class=True)
