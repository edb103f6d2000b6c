"""Handing on: whether a record is the one that a running call has just made, as it was made."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any, Final

from crmlogging.records import is_given
from crmlogging.redaction.call_site import is_front

__all__ = ["is_made_here", "is_unchanged"]

_STACK_LEVELS: Final = 64


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
    """Tell whether the call that `frame` makes gave this very text (see `records.is_given`)."""
    speaker = between = sys._getframe(1)
    while between is not frame:
        if between.f_back is None or is_front(between.f_code):
            return False
        speaker, between = between, between.f_back
    return is_given(speaker, message)
