"""What the calls of failures build their messages of: such a message is told by its form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import CodeType, FrameType
from typing import Any, Final, NamedTuple

from crmlogging.records import DeferredRecord, SafeRecord

__all__ = ["Form", "Forms", "form_of", "is_at"]

_FORMS_KEPT: Final = 1_024


class Form(NamedTuple):
    """What the messages of a call are built of.

    Attributes:
        words: what they share; no message has them.
        code: what makes the call.
        offset: of the instruction.
        names: of the fields that a message may tell.
    """

    words: str
    code: CodeType
    offset: int | None
    names: frozenset[str]


class Forms(dict[tuple[object, object], Form]):
    """By path and line; where several calls in one line build messages, of the first."""

    def note(self, place: tuple[object, ...], form: Form) -> None:
        """Remember what the call at that path and line builds."""
        if len(self) >= _FORMS_KEPT:
            self.clear()
        path, line = place
        self.setdefault((path, line), form)

    def said(
        self,
        call: tuple[object, ...],
        frame: FrameType | None,
        is_of: Callable[[FrameType, CodeType, int | None], bool],
    ) -> tuple[object, ...]:
        """Return a call with the words of its form in place of a message that it builds.

        Args:
            call: level, message, path and line.
            frame: of the call, or whatever `is_of` takes.
            is_of: tells whether the frame is of a call, by its code and offset.
        """
        level, _, path, line = call
        if type(path) is not str or type(line) is not int or frame is None:
            return call
        form = self.get((path, line))
        if form is None or not is_of(frame, form.code, form.offset):
            return call
        return level, form.words, path, line


def form_of(safe: SafeRecord, attributes: Mapping[str, Any]) -> Form | None:
    """Return the form of a record's message, if its call builds it.

    Args:
        safe: what was made of the record.
        attributes: of the record.
    """
    moment = safe.moment() if isinstance(safe, DeferredRecord) else None
    if moment is None:
        return None
    outline: Any = moment.outline
    if not outline.is_built(attributes["msg"]):
        return None
    words, names = f"\0{outline.base['msg']}", (each.line for each in outline.arguments or ())
    return Form(words, outline.code, outline.offset, frozenset(names))


def is_at(frame: FrameType, code: CodeType, offset: int | None) -> bool:
    """Tell whether `frame` makes the call at `offset` of `code`."""
    return frame.f_code is code and frame.f_lasti == offset
