"""Exceptions without values: class, template and frames, down the chain.

No ``str`` or ``repr`` of an exception runs, no property of its class; no local variable and no
source line is shown. Whatever the chain's length or shape, a few hundred entries are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from types import TracebackType
from typing import Any, Final, cast

from crmlogging.diagnostics import tally
from crmlogging.redaction.class_names import class_name, own_name
from crmlogging.redaction.places import place_of
from crmlogging.redaction.raised import arguments_of, template_of, traceback_of
from crmlogging.scrubbing import scrub

__all__ = ["DYNAMIC_MESSAGE", "exception_fields", "safe_message"]

DYNAMIC_MESSAGE: Final = "[DYNAMIC MESSAGE]"
_CHAIN: Final = 16
_MEMBERS: Final = 8
_FIRST_FRAMES: Final = 8
_LAST_FRAMES: Final = 24
_FRAMES_WALKED: Final = 100_000
_TRUSTED_CHARACTERS: Final = 2_000

_CAUSE: Final = BaseException.__dict__["__cause__"]
_CONTEXT: Final = BaseException.__dict__["__context__"]
_SUPPRESSED: Final = BaseException.__dict__["__suppress_context__"]
_EXCEPTIONS: Final = BaseExceptionGroup.__dict__["exceptions"]


def exception_fields(exc_info: object, trusted: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the fields that say what may be shown of an exception; never raises.

    Args:
        exc_info: ``record.exc_info``, or an exception; anything else gives no fields.
        trusted: classes (``module.Class``) whose own text is kept, scrubbed.

    Returns:
        - ``error.type``: class name, as by `class_names.class_name`;
        - ``error.message``: its template, ``[DYNAMIC MESSAGE]`` where it has a text that cannot
          be traced to source; absent without a text;
        - ``error.stack``: ``file:line in function`` from the outermost frame to the innermost,
          then ``caused by ValueError: template`` (``while handling``, ``in group``) and its
          frames, and so on.
    """
    try:
        error, traceback = _taken_apart(exc_info)
        if error is None:
            return {}
        fields: dict[str, Any] = {"error.type": class_name(type(error))}
        message = safe_message(error, trusted)
        if message is not None:
            fields["error.message"] = message
        fields["error.stack"] = [*_frames(traceback), *_chain(error, trusted)]
    except Exception:  # noqa: BLE001  # fails closed
        tally.add("redaction.failed")
        return {"error.message": DYNAMIC_MESSAGE}
    return fields


def _taken_apart(exc_info: object) -> tuple[BaseException | None, TracebackType | None]:
    error, given = exc_info, None
    if type(exc_info) is tuple and len(exc_info) == 3:
        error, given = exc_info[1:]
    # Not isinstance(), which would ask a foreign object for its __class__.
    if not issubclass(type(error), BaseException):
        return None, None
    known = cast("BaseException", error)
    return known, traceback_of(known) or (given if type(given) is TracebackType else None)


def safe_message(error: BaseException, trusted: tuple[str, ...] = ()) -> str | None:
    """Return the scrubbed template of `error`; None when it has no text."""
    if trusted and _is_trusted(type(error), trusted):
        scalars = [each for each in arguments_of(error) if type(each) in (str, int, float)]
        return scrub(", ".join(map(str, scalars))[:_TRUSTED_CHARACTERS]) if scalars else None
    template = template_of(error)
    if template is not None:
        return scrub(template)
    return DYNAMIC_MESSAGE if arguments_of(error) else None


def _is_trusted(kind: type, trusted: tuple[str, ...]) -> bool:
    name = own_name(kind)  # a class made at run time shows its base's name, and is another
    return name is not None and (name in trusted or f"builtins.{name}" in trusted)


def _frames(traceback: TracebackType | None) -> Iterator[str]:
    """Yield the frames of a traceback; the middle of a deep one is left out, and counted."""
    entries: list[TracebackType] = []
    for _ in range(_FRAMES_WALKED):
        if traceback is None:
            break
        entries.append(traceback)
        traceback = traceback.tb_next
    left_out = len(entries) - _FIRST_FRAMES - _LAST_FRAMES
    for index, entry in enumerate(entries):
        if left_out > 0 and _FIRST_FRAMES <= index < _FIRST_FRAMES + left_out:
            if index == _FIRST_FRAMES:
                yield f"... {left_out} frames"
            continue
        code = entry.tb_frame.f_code
        file, function = place_of(code, entry.tb_frame.f_globals)
        yield f"{file}:{entry.tb_lineno or 0} in {function}"


def _chain(first: BaseException, trusted: tuple[str, ...]) -> Iterator[str]:
    """Yield a heading and the frames of each further exception, nearest first."""
    seen = {id(first)}
    waiting = list(_next(first))
    shown = 0
    while waiting:
        relation, error = waiting.pop(0)
        if id(error) in seen:
            continue
        seen.add(id(error))
        if shown == _CHAIN:
            yield "... more exceptions"
            return
        shown += 1
        message = safe_message(error, trusted)
        name = class_name(type(error))
        yield f"{relation} {name}" if message is None else f"{relation} {name}: {message}"
        yield from _frames(traceback_of(error))
        waiting = [*_next(error), *waiting]


def _next(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    """Yield the exceptions that `error` names, with their relation to it."""
    cause = _CAUSE.__get__(error)
    if cause is not None:
        yield "caused by", cause
    elif not _SUPPRESSED.__get__(error):
        context = _CONTEXT.__get__(error)
        if context is not None:
            yield "while handling", context
    if issubclass(type(error), BaseExceptionGroup):
        members = _EXCEPTIONS.__get__(error)
        for member in islice(members, _MEMBERS):
            yield "in group", member
