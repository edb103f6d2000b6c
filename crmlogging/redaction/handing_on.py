"""Handing on: whether a record is the one that a running call has just made, as it was made."""

from __future__ import annotations

import logging
import sys
from types import FrameType
from typing import Any, Final

from crmlogging.redaction.call_site import is_front

__all__ = ["is_made_here", "is_unchanged"]

_STACK_LEVELS: Final = 64
_ADAPTER: Final = logging.LoggerAdapter.log.__code__
_LOG: Final = logging.Logger._log.__code__


def is_made_here(facts: dict[str, Any], frame: FrameType) -> bool:
    """Tell whether the record names a line that is running: the call's, or with ``stacklevel``
    one that led to it. A handler may hand on the records of earlier calls (`MemoryHandler`)."""
    line, function = facts.get("lineno"), facts.get("funcName")
    if type(line) is not int or type(function) is not str:
        return False
    starts: tuple[FrameType | None, ...] = (frame, sys._getframe(1))
    for running in starts:  # the second for what stands between the call and here
        for _ in range(_STACK_LEVELS):
            if running is None:
                break
            if running.f_lineno == line and running.f_code.co_name == function:
                return True
            running = running.f_back
    return False


def is_unchanged(message: str, frame: FrameType) -> bool:
    """Tell whether the call was given this very text: a `LoggerAdapter`, a record factory or a
    filter on the way may have put something before or after."""
    given: object = None
    between: FrameType | None = sys._getframe(1)
    while between is not None and between is not frame:
        code = between.f_code
        if code is _ADAPTER or is_front(code):
            return False
        if code is _LOG:
            given = between.f_locals.get("msg")
        between = between.f_back
    return given is message
