"""What was answered in one situation: to the same bodies, and to all of a known form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from crmlogging.errors.memory.forms import Form
from crmlogging.errors.memory.headings import first_id
from crmlogging.errors.model import CrmError

__all__ = ["Known", "Situation"]

_ANSWERS_KEPT: Final = 256
_FORMS_KEPT: Final = 8
_FORMS_TRIED: Final = 32
"""Forms that are learnt in a situation while none of them is met again."""
_EMPTY: Final = hash(("", bytes))


@dataclass(frozen=True, slots=True)
class Known:
    """What was answered.

    Attributes:
        error: the answer.
        names: headers that may hold the id of the request; the first that does counts.
    """

    error: CrmError | None
    names: tuple[str, ...]

    def for_request(self, identity: str, headers: dict[str, Any]) -> CrmError | None:
        """Return the answer for a request; `identity` is what the body tells, or ""."""
        error, names = self.error, self.names
        if error is None:
            return None
        found: str | None = identity
        if not identity:
            if not names:
                return error
            found = first_id(headers, names)
        return error if found == error.request_id else error.with_request_id(found)


class Situation:
    """Answers that differ in the body alone.

    Attributes:
        answers: by the hash of a body.
        forms: bodies with blanks; the one met last comes first.
        limited: answers depend on the headers of the limit as well: see the situations of these.
        limiting: it is one of those.
    """

    __slots__ = ("_missed", "_tried", "answers", "forms", "limited", "limiting")

    def __init__(self) -> None:
        self.answers: dict[int, Known] = {}
        self.forms: list[tuple[Form, Known]] = []
        self.limited = self.limiting = False
        self._missed = False
        self._tried = 0

    @property
    def wants_a_form(self) -> bool:
        """Whether bodies here differ, and forms help."""
        return self._missed and self._tried < _FORMS_TRIED

    def learn(self, form: Form | None, known: Known) -> None:
        """Remember the answer to a form, or that a body had none."""
        self._tried += 1
        if form is not None:
            self.forms = [(form, known), *self.forms[: _FORMS_KEPT - 1]]

    def met_with(self, body: bytes) -> CrmError | None:
        """Return what was answered to such a body, save its id; None if that is unknown."""
        if not body:
            known = self.answers.get(_EMPTY)
            return None if known is None else known.error
        text = body.decode()
        known = self.answers.get(hash((text, bytes)))
        if known is not None:
            return known.error
        for number, (form, known) in enumerate(self.forms):
            if form.id_in(text) is not None:
                self.met(number)
                return known.error
        return None

    def met(self, number: int) -> None:
        """Note that a body had that form."""
        self._tried = 0
        if number:
            forms = self.forms
            self.forms = [forms[number], *forms[:number], *forms[number + 1 :]]

    def keep(self, same: int, known: Known) -> None:
        """Remember the answer to a body."""
        self._missed = True
        if len(self.answers) >= _ANSWERS_KEPT:
            self.answers.clear()
        self.answers[same] = known

    def split(self) -> None:
        """Leave the answers to situations with the headers of the limit."""
        self.limited = True
        self.answers, self.forms = {}, []
