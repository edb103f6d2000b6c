"""Calls that reach their handlers without a record between, see `crmlogging.Logger`."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from crmlogging import records
from crmlogging.diagnostics import tally

__all__ = ["is_taken", "raised_in"]


def is_taken(
    handlers: list[Any],
    frame: FrameType,
    spoken: records.Spoken,
    message: object,
    args: tuple[object, ...],
    extra: dict[str, Any],
    speaker: FrameType | None,
    learns: bool,
) -> bool:
    """Have the handlers take what their filters make of a call; tell whether that could be done.

    Args:
        speaker: as in `records.is_given`.
        learns: they do not know the call yet, and may want to.
    """
    try:
        call = records.call_of(frame, spoken, message, args, speaker)
        found = _answers(handlers, call, extra)
    except Exception:  # noqa: BLE001  # whatever it is, the long way is made for it
        return False
    if not found:
        return False
    identity = records.new_id()
    given, parts = None, ()
    for handler, order, answer in found:
        if answer is not given:
            given, parts = answer, (*answer, identity)
        try:
            handler.take(parts, order)
        except RecursionError:  # so little stack is left that not even the error path runs
            try:
                tally.add("dropped.recursion")
            except RecursionError:
                pass
    if learns:
        for handler, order, answer in found:
            handler.learn(call, extra, order, (*answer, identity))
    return True


def _answers(
    handlers: list[Any], call: records.Call, extra: dict[str, Any]
) -> list[tuple[Any, records.Order, tuple[Any, ...]]] | None:
    """Return what the filters of `handlers` make of `call`; None if one of them needs a record."""
    found = []
    stages = answer = None
    for handler in handlers:
        if not records.takes_calls(handler):
            return None
        order = records.order_of(handler.filters)
        if order.stages is not stages:
            stages, answer = order.stages, order.answer(call, extra)
        if answer is None:
            return None
        found.append((handler, order, answer))
    return found


def raised_in(exc_info: Any) -> BaseException | None:
    """Return the exception of a call, as `logging` reads it."""
    if isinstance(exc_info, tuple):
        return exc_info[1] if len(exc_info) == 3 else None
    if isinstance(exc_info, BaseException):
        return exc_info or None
    return sys.exc_info()[1] if exc_info else None
