"""Calls: what a logging call says, before anybody has made a record of it.

Nearly every record is made, copied, read once and thrown away. Where each handler is ours and
each filter can answer from the call alone, `crmlogging.Logger` makes none.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from operator import itemgetter
from threading import current_thread, get_ident
from types import CodeType, FrameType
from typing import Final, NamedTuple

from crmlogging.records.making import NANOSECONDS, STARTED, TASKS, process_name, task_name

__all__ = ["Call", "call_of", "created_now"]

_STOCK: Final = {
    "_logRecordFactory": logging.LogRecord,
    "_srcfile": os.path.normcase(logging.addLevelName.__code__.co_filename),
    **dict.fromkeys(("logThreads", "logProcesses", "logMultiprocessing"), True),
    **({"logAsyncioTasks": True} if hasattr(logging, "logAsyncioTasks") else {}),
}
"""Variables of `logging` that decide how records are made, as they are at first."""
_switched: Final = itemgetter(*_STOCK)
_USUAL: Final = tuple(_STOCK.values())
_here: Final = vars(logging)
_level_names: Final = logging._levelToName
_modules: Final = sys.modules
_new: Final = tuple.__new__
_pid = os.getpid()


class Call(NamedTuple):
    """A plain logging call: without an exception, a stack, or frames to skip.

    Attributes:
        code: what makes it.
        site: id of `code`, and offset of the instruction.
        spoken: name of the logger; level and its name, None if it has none; name and id of the
            process.
        message: as given.
        args: of the message, as given.
        created: seconds since the epoch.
        relative: milliseconds since `logging` was imported.
        thread: id of the calling thread.
        thread_name: its name.
        task_name: of the running task of asyncio, where this Python records it.
    """

    code: CodeType
    site: tuple[int, int]
    spoken: tuple[str, int, str | None, str, int]
    message: object
    args: tuple[object, ...]
    created: float
    relative: float
    thread: int
    thread_name: str
    task_name: str | None


def call_of(
    frame: FrameType, logger: str, level: int, message: object, args: tuple[object, ...]
) -> Call | None:
    """Return the call that `frame` makes; None where records are made in a way of their own.

    Args:
        logger: its name.
        level: number of the level.
    """
    if _switched(_here) != _USUAL:
        return None
    if NANOSECONDS:
        now = time.time_ns()
        created, relative = now / 1e9, (now - STARTED) / 1e6
    else:
        created = time.time()
        relative = (created - STARTED) * 1_000
    code = frame.f_code
    process = process_name() if "multiprocessing" in _modules else "MainProcess"
    return _new(
        Call,
        (
            code,
            (id(code), frame.f_lasti),
            (logger, level, _level_names.get(level), process, _pid),
            message,
            args,
            created,
            relative,
            get_ident(),
            current_thread().name,
            task_name() if TASKS else None,
        ),
    )


def created_now() -> float | None:
    """Return when a record made now is created; None where they are made in a way of their own."""
    if _switched(_here) != _USUAL:
        return None
    return time.time_ns() / 1e9 if NANOSECONDS else time.time()


def _after_fork() -> None:
    global _pid  # read at every call
    _pid = os.getpid()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
