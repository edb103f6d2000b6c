"""Other libraries, set up as their own documentation shows for a service that logs JSON.

Sources: python-json-logger's quick start; structlog, "Standard library logging", for records of
other loggers; loguru, "Entirely compatible with standard logging" (``InterceptHandler``, with
``diagnose`` as it is by default); ecs-logging, "Standard library logging module";
Powertools for AWS Lambda, "Logger"; logredactor's readme, with patterns for e-mail addresses,
telephone and card numbers.
"""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

__all__ = ["PEERS"]


def _file(path: Path, formatter: logging.Formatter) -> logging.Handler:
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(formatter)
    return handler


def _standard(path: Path) -> logging.Handler:
    return _file(path, logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))


def _json_logger(path: Path) -> logging.Handler:
    from pythonjsonlogger.json import JsonFormatter

    return _file(path, JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))


def _structlog(path: Path) -> logging.Handler:
    import structlog

    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(),
        ],
    )
    return _file(path, formatter)


class _Intercept(logging.Handler):
    """Hands records of standard loggers to loguru."""

    def __init__(self, path: Path) -> None:
        from loguru import logger

        super().__init__()
        logger.remove()
        self._sink = logger.add(path, serialize=True, catch=True)
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        level: str | int = record.levelname
        try:
            level = self._logger.level(record.levelname).name
        except ValueError:
            level = record.levelno
        frame, depth = inspect.currentframe(), 0
        while frame and (depth == 0 or frame.f_code.co_filename == logging.__file__):
            frame = frame.f_back
            depth += 1
        self._logger.opt(depth=depth, exception=record.exc_info).log(level, record.getMessage())

    def close(self) -> None:
        self._logger.remove()
        super().close()


def _ecs(path: Path) -> logging.Handler:
    import ecs_logging

    return _file(path, ecs_logging.StdlibFormatter())


def _powertools(path: Path) -> logging.Handler:
    from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

    return _file(path, LambdaPowertoolsFormatter())


def _logredactor(path: Path) -> logging.Handler:
    import logredactor  # type: ignore[import-untyped]  # has no types

    patterns = [
        re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{1,63}"),
        re.compile(r"\+?\d[\d ().-]{7,20}\d"),
        re.compile(r"\b(?:\d[ -]?){13,16}\b"),
    ]
    handler = _json_logger(path)
    handler.addFilter(logredactor.RedactingFilter(patterns, default_mask="****"))
    return handler


PEERS: Final[dict[str, Callable[[Path], logging.Handler]]] = {
    "logging": _standard,
    "python-json-logger": _json_logger,
    "structlog": _structlog,
    "loguru": _Intercept,
    "ecs-logging": _ecs,
    "aws-lambda-powertools": _powertools,
    "logredactor": _logredactor,
}
