"""`crmlogging`, with the standard logger and with its own."""

from __future__ import annotations

import logging
import logging.config
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from benchmarks.calls import Call, through
from benchmarks.registry import OURS, Place, peer
from benchmarks.workloads import ALLOWED, CORRELATION_ID

__all__ = ["OWN", "STOCK"]

STOCK: Final = "crmlogging, stock Logger"
OWN: Final = "crmlogging, crmlogging.Logger"
_LINES: Final = ("S1", "S2a", "S2b", "S2t", "S2f", "S9")


def adopt(own: bool) -> None:
    """Set the class of loggers to come."""
    if own:
        import crmlogging

        logging.setLoggerClass(crmlogging.Logger)


def document(place: Place) -> Mapping[str, Any]:
    """Return the design's document, with the handler that writes a file."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "correlation": {"()": "crmlogging.CorrelationFilter"},
            "errors": {"()": "crmlogging.ErrorFilter"},
            "allowlist": {
                "()": "crmlogging.AllowlistFilter",
                "fields": list(ALLOWED),
                "mask": {"api_key": "last4"},
            },
        },
        "formatters": {"json": {"()": "crmlogging.JsonFormatter", "service": "crm-sync"}},
        "handlers": {
            "file": {
                "class": "crmlogging.RetentionFileHandler",
                "filename": str(place.path),
                "formatter": "json",
                "filters": ["correlation", "errors", "allowlist"],
            }
        },
    }


def _with_document(place: Place, own: bool) -> Call:
    import crmlogging

    adopt(own)
    logging.config.dictConfig(dict(document(place)))
    handler = logging.getHandlerByName("file") if hasattr(logging, "getHandlerByName") else None
    handler = handler or logging._handlers["file"]  # type: ignore[attr-defined]  # before 3.12
    _scopes.append(crmlogging.correlation(CORRELATION_ID))
    _scopes[-1].__enter__()
    return through(place, handler)


_scopes: Final[list[Any]] = []  # open until the process ends


def _safely(place: Place, own: bool) -> Call:
    """Allowlist and locked append; in S2b and S9 all filters of the design's document."""
    if place.scenario in ("S2b", "S9"):
        return _with_document(place, own)
    import crmlogging

    adopt(own)
    # One tier: urllib3 logs at DEBUG, and all is to be in one file.
    handler = crmlogging.RetentionFileHandler(str(place.path), tiers={"standard": 90})
    handler.setFormatter(crmlogging.JsonFormatter(service="crm-sync"))
    handler.addFilter(crmlogging.AllowlistFilter(["@crm"]))
    return through(place, handler)


def _formatter_alone(place: Place, own: bool) -> Call:
    import crmlogging

    adopt(own)
    handler = logging.FileHandler(place.path)
    handler.setFormatter(crmlogging.JsonFormatter(service="crm-sync"))
    return through(place, handler)


peer(STOCK, *_LINES, role=OURS)(partial(_safely, own=False))
peer(OWN, *_LINES, role=OURS)(partial(_safely, own=True))
_ALONE: Final = "no redaction; standard FileHandler, whose lock is of this process"
peer("crmlogging.JsonFormatter, stock Logger", "S1", note=_ALONE, role=OURS)(
    partial(_formatter_alone, own=False)
)
peer("crmlogging.JsonFormatter, crmlogging.Logger", "S1", note=_ALONE, role=OURS)(
    partial(_formatter_alone, own=True)
)
