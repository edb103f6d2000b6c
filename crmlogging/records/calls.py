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

__all__ = ["LAST_SECOND", "NO_ARGUMENTS", "Call", "Spoken", "call_of", "created_now"]
__all__ += ["delivery_to", "is_given", "is_of_call", "note_speaker", "spoken_now"]

NO_ARGUMENTS: Final = ()
"""Of a message: the one empty tuple there is."""
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
_ADAPTED: Final = _code_of(logging.LoggerAdapter.log, vars(logging))
_STEPS_OF_HANDLERS: Final = 4
_METHODS: Final = (
    *("debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log"),
)
_speaking: dict[int, CodeType] = {}  # by id, since to hash a code object walks all its bytecode


def note_speaker(speaker: object, module: Mapping[str, Any]) -> None:
    """Remember the methods of `speaker`, of that `module`, that hand on a call as it is given."""
    for name in _METHODS:
        code = _code_of(getattr(speaker, name, None), module)
        if code is not None:
            _speaking[id(code)] = code


for _speaker in (logging.Logger, logging.LoggerAdapter, logging):
    note_speaker(_speaker, vars(logging))


Spoken: TypeAlias = "tuple[str, int, str | None, int]"
"""Name of the logger; level and its name, None if it has none; id of the process."""
Call: TypeAlias = """tuple[
    CodeType, int, tuple[str, int, str | None, int, str],
    object, tuple[object, ...], float, float, int, str, str | None, FrameType | None,
]"""
"""A plain logging call: without an exception, a stack, or frames to skip.

What makes it, and the offset of the instruction; what is `Spoken`, and the name of the process,
which our lines do not hold; the message and its arguments, as given; seconds since the epoch, and
milliseconds since `logging` was imported; id and name of the calling thread; name of the running
task of asyncio, where this Python records it; the frame that speaks for it (see `is_given`).

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
    frame: FrameType,
    spoken: Spoken,
    message: object,
    args: tuple[object, ...],
    speaker: FrameType | None,
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
        speaker,
    )


def is_of_call(
    frame: FrameType, code: CodeType, offset: int | None, text: str | None = None
) -> bool:
    """Tell whether the record that a handler was given is of the call at `offset` of `code`.

    It is where nothing but the steps of `logging` and of `crmlogging.Logger` stands between that
    call and the handler: who hands on a record may hand on another call's.

    Args:
        frame: from which the handler was called.
        text: a message that the call must have given as it is (see `is_given`).
    """
    outer: FrameType | None = frame
    for step in _DELIVERING:
        if outer is None or outer.f_code is not step:
            return False
        outer = outer.f_back
    speaker = frame
    while outer is not None and outer.f_code is not code and id(outer.f_code) in _speaking:
        speaker, outer = outer, outer.f_back
    if outer is None or outer.f_code is not code or outer.f_lasti != offset:
        return False
    return text is None or is_given(speaker, text)


def delivery_to(handler: FrameType) -> FrameType | None:
    """Return the frame of the logger that gives a record to its handlers.

    Args:
        handler: frame of a handler's step, some of which may have called one another.
    """
    frame: FrameType | None = handler
    for _ in range(_STEPS_OF_HANDLERS):
        if frame is None or frame.f_code is _DELIVERING[0]:
            return frame
        frame = frame.f_back
    return None


def is_given(speaker: FrameType | None, text: object) -> bool:
    """Tell whether a call gave this very text: an adapter, a record factory or a filter on the way
    may put something before or after.

    Args:
        speaker: frame of the method that was called; None where that is the logger's own, which
            has just been given the text.
    """
    if speaker is None:
        return True
    # An adapter's `log` keeps what its `process` made of the text, and not what it was given.
    is_speaking = id(speaker.f_code) in _speaking and speaker.f_code is not _ADAPTED
    return is_speaking and speaker.f_locals.get("msg") is text


def created_now() -> float:
    """Return when a record made now is created."""
    return time.time_ns() / 1e9 if NANOSECONDS else time.time()


def _after_fork() -> None:
    global _pid  # read at every call
    _pid = os.getpid()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
