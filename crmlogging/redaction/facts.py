"""Facts of a record that may leave the process: names as Python makes them, places as they are.

A record is only a bag of attributes; whoever makes one (``makeLogRecord``, a socket, a thread
named after a customer) can put any text there. So each fact is taken over only where something
of this process vouches for it, and decided once for each object.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import time
from functools import cache
from types import FrameType
from typing import Any, Final

from crmlogging.records import LAST_SECOND
from crmlogging.redaction.call_site import calling_frame, is_front
from crmlogging.redaction.places import (
    DYNAMIC_FILE,
    NAME,
    is_loaded,
    place_of,
    safe_path,
)

__all__ = [
    *("are_settled", "logger_name", "milliseconds", "safe_facts", "task_name", "thread_name"),
]

_KEPT: Final = 4_096
_PID_MAXIMUM: Final = 2**22
_LEVEL_MAXIMUM: Final = 1_000
_LINE_MAXIMUM: Final = 99_999
_FRAMES: Final = 64

_THREAD: Final = (
    r"(MainThread|QueueFeederThread|ExecutorManagerThread|AnyIO worker thread"
    r"|crmlogging-(?:async|s3|sweep|tick)"
    r"|(?:Thread|Dummy|ThreadPoolExecutor|asyncio|waitress|CP Server Thread)"
    r"[-_]\d{1,9}(?:_\d{1,9})?)"
    r"(?: \(.*\)|(?<=-async)-.*)?"
)
_TASK: Final = r"(Task-\d{1,12})"
_PROCESS: Final = (
    r"(MainProcess|(?:(?:Spawn|Fork|ForkServer)?(?:PoolWorker|Process)|SyncManager)"
    r"-\d{1,9}(?::\d{1,9}){0,8})"
)
_TAME: Final = r"[A-Za-z_-]{1,32}(?:\d{1,2}[A-Za-z_-]{0,32})?"
_LEVEL_NAME: Final = r"[A-Za-z][A-Za-z_ -]{0,31}"
_PART_CHARACTERS: Final = 64

_LEVELS: Final = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}

# The first names are known, so that many a program never compiles their patterns.
_threads: dict[str, str] = {"MainThread": "MainThread"}
_tasks: dict[str, str] = {}
_processes: dict[str, str] = {"MainProcess": "MainProcess"}
_loggers: dict[tuple[str, frozenset[str]], str] = {}
_places: dict[tuple[str, int, str], tuple[str, str]] = {}


def safe_facts(
    record: logging.LogRecord, *, loggers: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return the standard attributes of `record` that a `SafeRecord` takes over, made safe.

    All of them but ``msg``; what may hold live objects is None.

    Args:
        record: of any origin; none of its objects' code runs.
        loggers: further logger names whose parts are shown as they are.
    """
    facts = record.__dict__
    path, line, function = _place(facts)
    created = facts.get("created")
    if type(created) is not float or not 0.0 <= created <= LAST_SECOND:
        created = time.time()
    level = facts.get("levelno")
    if type(level) is not int or not 0 <= level <= _LEVEL_MAXIMUM:
        level = logging.ERROR
    filename = path.rpartition("/")[2]
    return {
        "name": logger_name(facts.get("name"), loggers),
        "levelno": level,
        "levelname": _level_name(facts.get("levelname"), level),
        "pathname": path,
        "filename": filename,
        "module": filename.partition(".")[0],
        "lineno": line,
        "funcName": function,
        "created": created,
        "msecs": created % 1 * 1_000,
        "relativeCreated": milliseconds(facts.get("relativeCreated")),
        "thread": thread_id(facts.get("thread")),
        "threadName": thread_name(facts.get("threadName")),
        "processName": _name(_PROCESS, _processes, facts.get("processName")),
        "process": _process_id(facts.get("process")),
        "taskName": task_name(facts.get("taskName")),
        "args": None,
        "exc_info": None,
        "exc_text": None,
        "stack_info": None,
    }


def are_settled(facts: dict[str, Any], loggers: frozenset[str]) -> bool:
    """Tell whether `safe_facts` decided on these facts once and for all."""
    place = path, line, function = facts.get("pathname"), facts.get("lineno"), facts.get("funcName")
    name = facts.get("name")
    if (type(path), type(line), type(function), type(name)) != (str, int, str, str):
        return False
    return place in _places and (name, loggers) in _loggers


def thread_name(name: object) -> str | None:
    """Return a thread's name as Python makes it, without the part in parentheses."""
    known = _threads.get(name) if type(name) is str else None
    return _name(_THREAD, _threads, name) if known is None else known


def task_name(name: object) -> str | None:
    """Return a task's name as asyncio makes it."""
    return _name(_TASK, _tasks, name)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII | re.DOTALL)


def _name(pattern: str, kept: dict[str, str], name: object) -> str | None:
    if name is None:
        return None
    if type(name) is not str:
        return NAME
    known = kept.get(name)
    if known is None:
        match = _compiled(pattern).fullmatch(name) if len(name) <= 200 else None
        if len(kept) >= _KEPT:
            kept.clear()
        known = kept[name] = match[1] if match else NAME
    return known


def milliseconds(value: object) -> float:
    """Return a plausible number of milliseconds, or 0."""
    return value if type(value) is float and -1e12 < value < 1e12 else 0.0


def thread_id(value: object) -> int | None:
    """A thread's number is one only while there is such a thread."""
    if type(value) is int and (value == threading.get_ident() or value in sys._current_frames()):
        return value
    return None


def _process_id(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= _PID_MAXIMUM else None


def _level_name(name: object, level: int) -> str:
    if type(name) is str and _LEVELS.get(level) == name:
        return name
    # A name that addLevelName was told, for this number or another.
    if type(name) is str and name in logging.getLevelNamesMapping() and _is_level(name):
        return name
    registered = logging.getLevelName(level)
    return registered if _is_level(registered) else f"Level {level}"


def _is_level(name: str) -> bool:
    return re.fullmatch(_LEVEL_NAME, name) is not None


def logger_name(name: object, loggers: frozenset[str] = frozenset()) -> str:
    """Return a logger's name; ``[NAME]`` for each part of it that nothing vouches for."""
    if type(name) is not str:
        return NAME
    known = _loggers.get((name, loggers))
    if known is None:
        known = _decide_logger(name, loggers)
        if NAME not in known:  # that part may still be imported or configured
            if len(_loggers) >= _KEPT:
                _loggers.clear()
            _loggers[name, loggers] = known
    return known


def _decide_logger(name: str, loggers: frozenset[str]) -> str:
    if len(name) > 300:
        return NAME
    if name in loggers or name in sys.modules:
        return name
    parts, prefix = [], ""
    for part in name.split("."):
        prefix = f"{prefix}.{part}" if prefix else part
        shown = _is_of_letters(part) or prefix in sys.modules or prefix in loggers
        parts.append(part if shown or _configured(prefix, part) else NAME)
    return ".".join(parts)


def _is_of_letters(part: str) -> bool:
    letters = part.replace("_", "a")
    return len(part) <= _PART_CHARACTERS and letters.isascii() and letters.isalpha()


def _configured(name: str, part: str) -> bool:
    """Tell whether somebody gave this very logger a level or a handler, under a tame name."""
    logger = logging.root.manager.loggerDict.get(name)
    return isinstance(logger, logging.Logger) and bool(
        (logger.level or logger.handlers) and re.fullmatch(_TAME, part)
    )


def _place(facts: dict[str, Any]) -> tuple[str, int, str]:
    """Return file, line and function of the call; what no frame vouches for is withheld."""
    path, line, function = facts.get("pathname"), facts.get("lineno"), facts.get("funcName")
    if type(path) is not str or type(line) is not int:
        return DYNAMIC_FILE, 0, NAME
    if type(function) is not str:
        function = ""
    known = _places.get((path, line, function))
    if known is None:
        known = _vouched(path, line, function)
        if known is None:
            return _behind_front(path, line, function) or _unvouched(path, line)
        if len(_places) >= _KEPT:
            _places.clear()
        _places[path, line, function] = known
    return known[0], line, known[1]


def _vouched(path: str, line: int, function: str) -> tuple[str, str] | None:
    """Look for the frame that the record names, among those that are running now."""
    frame: FrameType | None = calling_frame()
    for _ in range(_FRAMES):
        if frame is None:
            return None
        code = frame.f_code
        here = frame.f_lineno, code.co_name
        if here == (line, function) and os.path.normcase(code.co_filename) == path:
            return place_of(code, frame.f_globals)
        frame = frame.f_back
    return None


def _behind_front(path: str, line: int, function: str) -> tuple[str, int, str] | None:
    """Return the place of the call, where the record names a package that stands before logging."""
    call = calling_frame()
    running: FrameType | None = sys._getframe(1)
    while call is not None and running is not None and running is not call:
        code = running.f_code
        here = running.f_lineno, code.co_name, os.path.normcase(code.co_filename)
        if here == (line, function, path) and is_front(code):
            file, name = place_of(call.f_code, call.f_globals)
            return file, call.f_lineno, name
        running = running.f_back
    return None


def _unvouched(path: str, line: int) -> tuple[str, int, str]:
    """A record of another thread or process: its file counts where it is loaded here as well."""
    if not is_loaded(path):
        return DYNAMIC_FILE, 0, NAME
    return safe_path(path), line if 0 < line <= _LINE_MAXIMUM else 0, NAME
