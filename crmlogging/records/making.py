"""Records as the standard library makes them, at less of its cost.

What the records of one call share is copied from one that the standard library made, so that
it is right on every Python; what tells them apart is asked again each time.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Mapping
from threading import current_thread, get_ident
from typing import Any, Final

__all__ = [
    *("NANOSECONDS", "STARTED", "TASKS", "make_record", "process_name", "since_start"),
    "task_name",
]

_SITES_KEPT: Final = 4_096
NANOSECONDS: Final = sys.version_info >= (3, 13)
TASKS: Final = sys.version_info >= (3, 12)
_LogRecord: Final = logging.LogRecord
STARTED: Final[float] = logging._startTime  # type: ignore[attr-defined]  # no public name
_new: Final = object.__new__
_modules: Final = sys.modules

_made: dict[tuple[Any, ...], dict[str, Any]] = {}
"""Attributes of a record of each site: logger, level, file, line and function."""


def make_record(
    name: str,
    level: int,
    path: str,
    line: int,
    message: object,
    args: Any,
    exc_info: Any,
    function: str | None,
    stack: str | None,
) -> logging.LogRecord:
    """Return what ``logging.LogRecord`` makes of the same arguments, here and now."""
    base = _made.get((name, level, path, line, function))
    if (
        base is None
        or not logging.logThreads
        or not logging.logProcesses
        or not logging.logMultiprocessing
        or (TASKS and not logging.logAsyncioTasks)  # type: ignore[attr-defined]  # from 3.12 on
    ):
        return _first(name, level, path, line, message, args, exc_info, function, stack)
    attributes = base.copy()
    attributes["msg"] = message
    attributes["args"] = _alone(args) if args and len(args) == 1 else args
    attributes["levelname"] = logging.getLevelName(level)
    if exc_info is not None:
        attributes["exc_info"] = exc_info
    if stack is not None:
        attributes["stack_info"] = stack
    if NANOSECONDS:
        now = time.time_ns()
        attributes["created"] = created = now / 1e9
        attributes["msecs"] = milliseconds = now % 1_000_000_000 // 1_000_000 + 0.0
        if milliseconds == 999.0 and int(created) != now // 1_000_000_000:
            attributes["msecs"] = 0.0  # the division has rounded up to the next second
        attributes["relativeCreated"] = (now - STARTED) / 1e6
    else:
        attributes["created"] = created = time.time()
        attributes["msecs"] = created % 1.0 * 1_000.0 // 1.0
        attributes["relativeCreated"] = (created - STARTED) * 1_000
    attributes["thread"] = get_ident()
    attributes["threadName"] = current_thread().name
    attributes["processName"] = process_name()
    if TASKS:
        attributes["taskName"] = task_name()
    record = _new(_LogRecord)
    record.__dict__ = attributes
    return record


def _first(*given: Any) -> logging.LogRecord:
    """Let the standard library make the record, and remember what it shares with others."""
    name, level, path, line, message, args, *more = given
    record = _LogRecord(name, level, path, line, message, (), *more)
    record.args = _alone(args) if args and len(args) == 1 else args
    told = logging.logThreads and logging.logProcesses and logging.logMultiprocessing
    if told and getattr(logging, "logAsyncioTasks", True):
        if len(_made) >= _SITES_KEPT:
            _made.clear()
        # No object of the caller's lives longer for having been logged.
        shared = dict.fromkeys(("msg", "args", "exc_info", "stack_info"))
        _made[name, level, path, line, more[1]] = {**vars(record), **shared}
    return record


def _alone(args: tuple[Any]) -> Any:
    """Return a mapping that stands alone instead of the tuple of it, as `logging` does."""
    try:
        return args[0] if isinstance(args[0], Mapping) and args[0] else args
    except Exception:  # noqa: BLE001  # a proxy that stands for nothing now has no class either
        return args


def process_name() -> str:
    """Return the name of this process, as a record holds it."""
    if "multiprocessing" not in _modules:
        return "MainProcess"
    try:
        name: str = _modules["multiprocessing"].current_process().name
    except Exception:  # noqa: BLE001  # not imported to its end yet
        return "MainProcess"
    return name


def since_start(created: float) -> float:
    """Return milliseconds from the import of `logging` to seconds since the epoch."""
    return created * 1e3 - STARTED / 1e6 if NANOSECONDS else (created - STARTED) * 1_000


def task_name() -> str | None:
    """Return the name of the running task, as a record holds it."""
    if "asyncio" not in _modules:
        return None
    asyncio = _modules["asyncio"]
    try:
        # Asked first, since without a loop the other question raises, which costs more.
        if asyncio._get_running_loop() is None:
            return None
        name: str = asyncio.current_task().get_name()
    except Exception:  # noqa: BLE001  # no task, or not imported to its end yet
        return None
    return name


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_made.clear)  # of another process id
