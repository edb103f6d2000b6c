"""Calls: what a logging call says, before anybody has made a record of it.

Nearly every record is made, copied, read once and thrown away. Where each handler is ours and
each filter can answer from the call alone, `crmlogging.Logger` makes none.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from threading import current_thread, get_ident
from types import CodeType, FrameType, FunctionType
from typing import Any, Final, TypeAlias

from crmlogging.records.making import NANOSECONDS, STARTED, TASKS, process_name, task_name

__all__ = ["LAST_SECOND", "Call", "Spoken", "call_of", "created_now", "is_of_call", "note_speaker"]
__all__ += ["spoken_now"]

LAST_SECOND: Final = 253_402_300_799.0
"""Since the epoch, of the year 9999: later is no time RFC 3339 can write."""
_LogRecord: Final = logging.LogRecord
_SOURCE_FILE: Final = os.path.normcase(logging.addLevelName.__code__.co_filename)
_level_names: Final = logging._levelToName
_pid = os.getpid()


def _code_of(step: object, module: Mapping[str, Any]) -> CodeType | None:
    """Return the code of a step of `module`; None if somebody put another in its place."""
    if not isinstance(step, FunctionType) or step.__globals__ is not module:
        return None
    return step.__code__


_DELIVERING: Final = tuple(
    _code_of(getattr(logging.Logger, name), vars(logging))
    for name in ("callHandlers", "handle", "_log")
)
_speaking: dict[int, CodeType] = {}  # by id, since to hash a code object walks all its bytecode


def note_speaker(speaker: object, module: Mapping[str, Any]) -> None:
    """Remember the methods of `speaker`, of that `module`, that hand on a call as it is given."""
    for name in ("debug", "info", "warning", "error", "critical", "log"):
        code = _code_of(getattr(speaker, name), module)
        if code is not None:
            _speaking[id(code)] = code


note_speaker(logging.LoggerAdapter, vars(logging))
_adapting: Final = _speaking.copy()
note_speaker(logging.Logger, vars(logging))
note_speaker(logging, vars(logging))


Spoken: TypeAlias = "tuple[str, int, str | None, int]"
"""Name of the logger; level and its name, None if it has none; id of the process."""
Call: TypeAlias = """tuple[
    CodeType, int, tuple[str, int, str | None, int, str],
    object, tuple[object, ...], float, float, int, str, str | None, bool,
]"""
"""A plain logging call: without an exception, a stack, or frames to skip.

What makes it, and the offset of the instruction; what is `Spoken`, and the name of the process,
which our lines do not hold; the message and its arguments, as given; seconds since the epoch, and
milliseconds since `logging` was imported; id and name of the calling thread; name of the running
task of asyncio, where this Python records it; whether it gave the message to the logger itself,
and no adapter did.

A plain tuple, which is taken apart in a third of the time that one with names needs.
"""


def spoken_now(logger: str, level: int) -> Spoken | None:
    """Return what is said by a call here and now; None where records are made in another way.

    That is where the variables of `logging` that decide on them are not as they are at first.

    Args:
        logger: its name.
        level: number of the level.
    """
    if (
        logging._logRecordFactory is _LogRecord  # type: ignore[attr-defined]  # no public name
        and logging._srcfile == _SOURCE_FILE
        and logging.logThreads
        and logging.logProcesses
        and logging.logMultiprocessing
        and (not TASKS or logging.logAsyncioTasks)  # type: ignore[attr-defined]  # from 3.12 on
    ):
        return logger, level, _level_names.get(level), _pid
    return None


def call_of(
    frame: FrameType, spoken: Spoken, message: object, args: tuple[object, ...], is_direct: bool
) -> Call:
    """Return the call that `frame` makes."""
    if NANOSECONDS:
        now = time.time_ns()
        created, relative = now / 1e9, (now - STARTED) / 1e6
    else:
        created = time.time()
        relative = (created - STARTED) * 1_000
    return (
        frame.f_code,
        frame.f_lasti,
        (*spoken, process_name()),
        message,
        args,
        created,
        relative,
        get_ident(),
        current_thread().name,
        task_name() if TASKS else None,
        is_direct,
    )


def is_of_call(
    frame: FrameType, code: CodeType, offset: int | None, text: str | None = None
) -> bool:
    """Tell whether the record that a handler was given is of the call at `offset` of `code`.

    It is where nothing but the steps of `logging` and of `crmlogging.Logger` stands between that
    call and the handler: who hands on a record may hand on another call's.

    Args:
        frame: from which the handler was called.
        text: a message that the call itself must have given to the logger: an adapter, a record
            factory or a filter may have put something before or after.
    """
    outer: FrameType | None = frame
    for step in _DELIVERING:
        if outer is None or outer.f_code is not step:
            return False
        last, outer = outer, outer.f_back
    if text is not None and last.f_locals.get("msg") is not text:
        return False
    while outer is not None and outer.f_code is not code and id(outer.f_code) in _speaking:
        if text is not None and id(outer.f_code) in _adapting:
            return False
        outer = outer.f_back
    return outer is not None and outer.f_code is code and outer.f_lasti == offset


def created_now() -> float:
    """Return when a record made now is created."""
    return time.time_ns() / 1e9 if NANOSECONDS else time.time()


def _after_fork() -> None:
    global _pid  # read at every call
    _pid = os.getpid()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
