"""The call site: which frame made the logging call, and which literals its code holds.

The frame proves what a record cannot: a message that *is* a constant of the running code was
written by a programmer. Frames of `logging` and of crmlogging are told by the file their code
was compiled from, so that a user's own ``logging_setup`` or ``crmlogging_plugin`` is a caller.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from opcode import EXTENDED_ARG, opmap
from types import CodeType, FrameType
from typing import Any, Final, NamedTuple

from crmlogging.redaction.places import file_of, source_file

__all__ = [
    *(
        "Span",
        "calling_frame",
        "constants",
        "is_front",
        "is_handed_on",
        "is_source",
        "literals_in_call",
        "instructions_in",
    ),
    *("outer_frames", "own_frames", "span_at", "texts_of"),
]

_LOGGING: Final = os.path.dirname(logging.getLogger.__code__.co_filename) + os.sep
_OWN: Final = os.path.dirname(os.path.dirname((lambda: None).__code__.co_filename)) + os.sep
_PASSED: Final = (_LOGGING, _OWN)
# Packages whose loggers stand before those of `logging`, with the same calls.
_FRONTS: Final = ("structlog", "loguru")
# The command line holds the demo's service, which logs like any other caller.
_APPLICATION: Final = os.path.join(_OWN, "cli", "")
_CODES_KEPT: Final = 4_096
_FRAMES_PASSED: Final = 200
_FRAMES_BETWEEN: Final = 12
_HANDLE: Final = logging.Logger.handle.__code__
_LOG: Final = logging.Logger._log.__code__


class Span(NamedTuple):
    """Where an expression stands: lines from 1, columns in UTF-8 bytes from 0."""

    line: int
    column: int
    end_line: int
    end_column: int

    def holds(self, other: Span) -> bool:
        """Tell whether `other` lies within."""
        return (self.line, self.column) <= (other.line, other.column) and (
            (other.end_line, other.end_column) <= (self.end_line, self.end_column)
        )


# By id, since hashing a code object walks its whole bytecode; the object is kept, so that its
# id is not given to another.
_passed: dict[int, CodeType] = {}
_callers: dict[int, CodeType] = {}
_fronts: dict[int, CodeType] = {}
_constants: dict[int, tuple[CodeType, frozenset[str]]] = {}


def _is_passed(code: CodeType) -> bool:
    if id(code) in _passed:
        return True
    if id(code) in _callers:
        return False
    file = code.co_filename
    passed = file.startswith(_PASSED) and not file.startswith(_APPLICATION)
    if not passed and _belongs_to_front(file):
        passed = True
        _fronts[id(code)] = code
    memory = _passed if passed else _callers
    if len(memory) >= _CODES_KEPT:
        memory.clear()
    if code is not _HANDLE:  # which is looked for among those that are not remembered
        memory[id(code)] = code
    return passed


def _belongs_to_front(file: str) -> bool:
    for name in _FRONTS:
        folder, package = os.path.split(file_of(name) or "")
        # A program's own structlog.py would make its whole folder one.
        if package.startswith("__init__.") and file.startswith(folder + os.sep):
            return True
    return False


def is_front(code: CodeType) -> bool:
    """Tell whether `code`, which `calling_frame` passed over, stands before `logging`."""
    return _fronts.get(id(code)) is code


def is_handed_on(caller: FrameType | None) -> bool:
    """Tell whether such a package stands between `caller` and here: it may change what it got."""
    # Without one, as in most programs, there is nothing to look for.
    frame: FrameType | None = sys._getframe(1) if _fronts else None
    while frame is not None and frame is not caller:
        if is_front(frame.f_code):
            return True
        frame = frame.f_back
    return False


def calling_frame() -> FrameType | None:
    """Return the first frame outside `logging` and crmlogging, whatever ``stacklevel`` says.

    Frames of others that stand between a logger and its handler (a tracing library that patched
    ``callHandlers``, an overridden ``handle``) are no callers, and left out as well.

    Returns:
        None where there is none, as on a thread that no Python function started.
    """
    frame, dispatched = _first_outside(sys._getframe(1))
    if dispatched is None:
        dispatch = _nearest(frame, _HANDLE)
        if dispatch is None:
            return frame
        frame, dispatched = _first_outside(dispatch)
    if dispatched is not None and dispatched.f_back is frame:  # Logger.handle is overridden, or
        call = _nearest(frame, _LOG)  # somebody hands over a record of his own
        if call is not None:
            return _first_outside(call)[0]
    return frame


def _first_outside(frame: FrameType | None) -> tuple[FrameType | None, FrameType | None]:
    """Return the first frame that is no logging, and `Logger.handle`'s if it stood before."""
    dispatched = None
    passed = _passed
    while frame is not None:
        if id(frame.f_code) not in passed:
            code = frame.f_code
            if code is _HANDLE:
                dispatched = frame
            elif not _is_passed(code):
                break
        frame = frame.f_back
    return frame, dispatched


def _nearest(frame: FrameType | None, sought: CodeType) -> FrameType | None:
    """Return the frame of `sought`, if it is a few callers up."""
    for _ in range(_FRAMES_BETWEEN):
        if frame is None or frame.f_code is sought:
            return frame
        frame = frame.f_back
    return None


def own_frames(caller: FrameType) -> Iterator[FrameType]:
    """Yield the frames of crmlogging up to the calling frame: its own calls hold messages too."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame is not caller:
        if frame.f_code.co_filename.startswith(_OWN):
            yield frame
        frame = frame.f_back


def outer_frames(frame: FrameType, limit: int) -> Iterator[FrameType]:
    """Yield up to `limit` callers of `frame`, frames of logging and crmlogging left out."""
    outer = frame.f_back
    for _ in range(_FRAMES_PASSED):
        if outer is None or not limit:
            return
        if not _is_passed(outer.f_code):
            yield outer
            limit -= 1
        outer = outer.f_back


def constants(code: CodeType, namespace: dict[str, Any]) -> frozenset[str]:
    """Return the string constants of `code`, those in constant tuples included.

    The keys of a dict display and the names of keyword arguments are such tuples. Code made
    from a text at run time (``exec``) has none: its constants may be anybody's data.

    Args:
        code: running code.
        namespace: its globals.
    """
    known = _constants.get(id(code))
    if known is not None and known[0] is code:
        return known[1]
    found = frozenset(_spelled_out(code, namespace))
    if len(_constants) >= _CODES_KEPT:
        _constants.clear()
    _constants[id(code)] = (code, found)
    return found


def _spelled_out(code: CodeType, namespace: dict[str, Any]) -> tuple[str, ...]:
    from crmlogging.redaction import sources

    if not is_source(code, namespace):
        return ()
    return sources.spelled_out(code, namespace, _strings(code.co_consts, 4))


def is_source(code: CodeType, namespace: dict[str, Any]) -> bool:
    """Tell whether `code` came from a file, or from a text that is known (``-c``, a notebook)."""
    from crmlogging.redaction import sources

    return source_file(code, namespace) is not None or sources.is_source_of(code, namespace)


def _strings(values: tuple[object, ...] | frozenset[object], depth: int) -> Iterator[str]:
    for value in values:
        if type(value) is str:
            yield value
        elif depth and isinstance(value, tuple | frozenset):
            yield from _strings(value, depth - 1)


def texts_of(code: CodeType) -> tuple[str, ...]:
    """Return the string constants of `code` with more than one word; compare by identity."""
    return tuple(value for value in code.co_consts if type(value) is str and " " in value)


def span_at(code: CodeType, offset: int) -> Span | None:
    """Return the place of the instruction at byte `offset`, as of ``f_lasti``; None if unknown."""
    for index, place in enumerate(code.co_positions()):
        if index == offset // 2:
            return _span(place)
    return None


def _span(place: tuple[int | None, int | None, int | None, int | None]) -> Span | None:
    line, end_line, column, end_column = place
    if line is None or end_line is None or column is None or end_column is None:
        return None
    return Span(line, column, end_line, end_column)


def instructions_in(code: CodeType, span: Span) -> Iterator[tuple[int, int, Span]]:
    """Yield operation code, argument and place of each instruction within `span`."""
    extended = 0
    operations = code.co_code
    for index, place in enumerate(code.co_positions()):
        operation, argument = operations[2 * index], operations[2 * index + 1] | extended
        extended = argument << 8 if operation == EXTENDED_ARG else 0
        where = _span(place)
        if where is not None and operation != EXTENDED_ARG and span.holds(where):
            yield operation, argument, where


def literals_in_call(code: CodeType, offset: int) -> tuple[str, ...]:
    """Return the string constants that the call at `offset` loads between its parentheses.

    They are the very objects of ``co_consts``: compare by identity. Needs no source.
    """
    span = span_at(code, offset)
    if span is None:
        return ()
    found = []
    for operation, argument, _ in instructions_in(code, span):
        if operation == opmap["LOAD_CONST"]:
            value = code.co_consts[argument]
            if type(value) is str:
                found.append(value)
    return tuple(found)
