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
from typing import Final, TypeAlias

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
_pid = os.getpid()


Spoken: TypeAlias = "tuple[str, int, str | None, str, int]"
"""Name of the logger; level and its name, None if it has none; name and id of the process."""
Call: TypeAlias = (
    "tuple[CodeType, int, Spoken, object, tuple[object, ...], float, float, int, str, str | None]"
)
"""A plain logging call: without an exception, a stack, or frames to skip.

What makes it, and the offset of the instruction; what is `Spoken`; the message and its arguments,
as given; seconds since the epoch, and milliseconds since `logging` was imported; id and name of
the calling thread; name of the running task of asyncio, where this Python records it.

A plain tuple, which is taken apart in a third of the time that one with names needs.
"""


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
    process = process_name() if "multiprocessing" in _modules else "MainProcess"
    return (
        frame.f_code,
        frame.f_lasti,
        (logger, level, _level_names.get(level), process, _pid),
        message,
        args,
        created,
        relative,
        get_ident(),
        current_thread().name,
        task_name() if TASKS else None,
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
