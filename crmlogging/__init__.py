"""crmlogging: safe, structured, lossless logging for services that sync data with CRMs.

The record's way::

    logger.error(...)                  any standard-library logger
       |   handler.handle(record)      works on a copy: no other handler sees our changes
       v
    CorrelationFilter                  stamps correlation id and bound context
    ErrorFilter                        exception or response -> error.* fields
    AllowlistFilter                    allowed fields only; message -> template
       |   from here on a SafeRecord: plain JSON values
       v
    RetentionFileHandler | S3Handler   durable: in the kernel before the call returns
    AsyncHandler -> console, HTTP ...  non-blocking: bounded queue, one worker, batches
       |   (GroupingFilter before people: the archive keeps every line)
       v
    JsonFormatter                      renders the line

Start with `configure`, or name the classes in a ``dictConfig`` document. All names below are
loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from crmlogging.version import __version__

if TYPE_CHECKING:
    from crmlogging.config import configure
    from crmlogging.context import bind, correlation, unbind
    from crmlogging.errors.classify import classify
    from crmlogging.errors.model import Category, CrmError, FieldError
    from crmlogging.exceptions import ConfigurationError, MissingDependencyError
    from crmlogging.filters.allowlist import AllowlistFilter
    from crmlogging.filters.correlation import CorrelationFilter
    from crmlogging.filters.errors import ErrorFilter
    from crmlogging.filters.grouping import GroupingFilter
    from crmlogging.formatters.console import ConsoleFormatter
    from crmlogging.formatters.json_formatter import JsonFormatter
    from crmlogging.handlers.async_handler import AsyncHandler
    from crmlogging.handlers.delivery import drain
    from crmlogging.handlers.retention_file import RetentionFileHandler
    from crmlogging.handlers.s3 import S3Handler
    from crmlogging.levels import set_level
    from crmlogging.logger import Logger
    from crmlogging.records import SafeRecord
    from crmlogging.runs import sync_run

_ROOMS = {
    "AllowlistFilter": "filters.allowlist",
    "AsyncHandler": "handlers.async_handler",
    "Category": "errors.model",
    "ConfigurationError": "exceptions",
    "ConsoleFormatter": "formatters.console",
    "CorrelationFilter": "filters.correlation",
    "CrmError": "errors.model",
    "ErrorFilter": "filters.errors",
    "FieldError": "errors.model",
    "GroupingFilter": "filters.grouping",
    "JsonFormatter": "formatters.json_formatter",
    "Logger": "logger",
    "MissingDependencyError": "exceptions",
    "RetentionFileHandler": "handlers.retention_file",
    "S3Handler": "handlers.s3",
    "SafeRecord": "records",
    "bind": "context",
    "classify": "errors.classify",
    "configure": "config",
    "correlation": "context",
    "drain": "handlers.delivery",
    "set_level": "levels",
    "sync_run": "runs",
    "unbind": "context",
}

__all__ = [
    "AllowlistFilter",
    "AsyncHandler",
    "Category",
    "ConfigurationError",
    "ConsoleFormatter",
    "CorrelationFilter",
    "CrmError",
    "ErrorFilter",
    "FieldError",
    "GroupingFilter",
    "JsonFormatter",
    "Logger",
    "MissingDependencyError",
    "RetentionFileHandler",
    "S3Handler",
    "SafeRecord",
    "__version__",
    "bind",
    "classify",
    "configure",
    "correlation",
    "drain",
    "set_level",
    "sync_run",
    "unbind",
]


def __getattr__(name: str) -> Any:
    room = _ROOMS.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{room}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
