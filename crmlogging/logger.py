"""`crmlogging.Logger`: a standard logger that takes any name in ``extra``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from crmlogging.records import STANDARD_ATTRIBUTES

__all__ = ["Logger", "adopt_loggers"]


class Logger(logging.Logger):
    """A `logging.Logger` whose ``extra`` may use reserved names.

    The standard logger raises KeyError for ``extra={"name": ...}``. Here the value is kept as
    the field ``extra.name``, which an allowlist may name.

    Set it with ``logging.setLoggerClass(crmlogging.Logger)``, or let `crmlogging.configure`.
    """

    def makeRecord(  # noqa: N802  # the standard library's name
        self,
        name: str,
        level: int,
        fn: str,
        lno: int,
        msg: object,
        args: Any,
        exc_info: Any,
        func: str | None = None,
        extra: Mapping[str, object] | None = None,
        sinfo: str | None = None,
    ) -> logging.LogRecord:
        """Make the record; reserved names of `extra` land under ``extra.<name>``."""
        record = logging.getLogRecordFactory()(
            name, level, fn, lno, msg, args, exc_info, func, sinfo
        )
        if extra is not None:
            attributes = record.__dict__
            for key in extra:
                reserved = key in STANDARD_ATTRIBUTES or key in attributes
                attributes[f"extra.{key}" if reserved else key] = extra[key]
        return record


class RootLogger(Logger, logging.RootLogger):
    """The root logger, when it is ours."""


def adopt_loggers() -> None:
    """Make this the class of loggers to come, and of the plain ones that exist already.

    Modules make their loggers when they are imported, mostly before anything is configured.
    Loggers of another class keep it.
    """
    logging.setLoggerClass(Logger)
    if type(logging.root) is logging.RootLogger:
        logging.root.__class__ = RootLogger
    for logger in list(logging.root.manager.loggerDict.values()):
        if type(logger) is logging.Logger:
            logger.__class__ = Logger
