"""Peers that are formatters or filters of the standard library's logging."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import orjson

from benchmarks.calls import Call, through
from benchmarks.checking import standard
from benchmarks.peers.floors import appending
from benchmarks.peers.naive import correlation, filters_of
from benchmarks.registry import FLOOR, Line, Place, peer
from benchmarks.workloads import CORRELATION_ID, MASKED

__all__ = ["TenLineFormatter", "flat"]

_RESERVED: Final = frozenset((*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"))
_LINES: Final = ("S1", "S2a", "S2b", "S2t", "S2f", "S9")


class TenLineFormatter(logging.Formatter):
    """What a team writes itself in ten lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Render the record as one JSON object."""
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        attributes = record.__dict__
        line.update((key, attributes[key]) for key in attributes if key not in _RESERVED)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def to_file(place: Place, formatter: logging.Formatter) -> Call:
    """Return the call through the standard file handler, naive filter on it."""
    return _behind(place, logging.FileHandler(place.path), formatter)


def _behind(place: Place, handler: logging.Handler, formatter: logging.Formatter) -> Call:
    handler.setFormatter(formatter)
    for each in filters_of(place):
        handler.addFilter(each)
    correlation.set(CORRELATION_ID)
    return through(place, handler)


@peer("stdlib + ten lines of orjson", *_LINES)
def ten_lines(place: Place) -> Call:
    """The formatter above."""
    return to_file(place, TenLineFormatter())


class _LockingHandler(logging.Handler):
    """Appends lines to a file that several processes share."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._append = appending(path)

    def emit(self, record: logging.LogRecord) -> None:
        self._append(f"{self.format(record)}\n".encode())


@peer("ten lines of orjson, locked append", "S1", "S2a", "S2b", "S2f", role=FLOOR)
def locked_ten_lines(place: Place) -> Call:
    """The least that a handler of the stock Logger does whose lines stay whole."""
    return _behind(place, _LockingHandler(place.path), TenLineFormatter())


@peer("python-json-logger + orjson", *_LINES, needs=("pythonjsonlogger.orjson",))
def python_json_logger(place: Place) -> Call:
    """Its fastest formatter."""
    orjson_formatter = import_module("pythonjsonlogger.orjson").OrjsonFormatter
    return to_file(
        place, orjson_formatter("%(levelname)s %(name)s %(message)s %(exc_info)s", timestamp=True)
    )


def flat(line: Line) -> Line:
    """Return ECS's nested objects as dotted names."""
    found: Line = {}
    waiting: list[tuple[str, Any]] = [("", line)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend((f"{name}.{key}" if name else key, value[key]) for key in value)
        else:
            found[name] = value
    return standard(found)


@peer("ecs-logging", *_LINES, needs=("ecs_logging",), read=flat)
def ecs_logging(place: Place) -> Call:
    """Its formatter, without the fields that its docs call expensive."""
    module = import_module("ecs_logging")
    return to_file(place, module.StdlibFormatter(exclude_fields=("process", "log.origin")))


def _numbers(line: Line) -> Line:
    for name in ("request.attempt", "request.duration_ms"):
        line[name] = float(line[name])
    return standard(line)


@peer(
    "logredactor + python-json-logger",
    "S2a",
    needs=("logredactor", "pythonjsonlogger.orjson"),
    note="masks by patterns of values; makes texts of numbers",
    read=_numbers,
)
def logredactor(place: Place) -> Call:
    """Its filter, with a pattern for each secret."""
    patterns = (
        re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+"),
        re.compile(r"\+1 555 0100 \d{4}"),
        re.compile(r"made-up-key-of-the-benchmark"),
        re.compile(r"Lovelace"),
    )
    redacting = import_module("logredactor").RedactingFilter(patterns, default_mask=MASKED)
    encoding = import_module("pythonjsonlogger.orjson").OrjsonFormatter
    handler = logging.FileHandler(place.path)
    handler.setFormatter(encoding("%(levelname)s %(name)s %(message)s", timestamp=True))
    handler.addFilter(redacting)
    return through(place, handler)
