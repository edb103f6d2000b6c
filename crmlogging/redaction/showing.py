"""Showing: the values of a plan's fields as JSON.

In one of two ways, of which each gives the same:

- one by one: a value that is known is looked up, any other is judged as its field does it;
- as written: a call that is made again and again gets a function of its own (see `judging`).

Both the function and the expression take a moment to compile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import is_
from typing import Any, Final

from crmlogging.redaction.fitting import REDACTED, Fitting, encode
from crmlogging.redaction.judging import (
    NONE_TOGETHER,
    Forms,
    Judge,
    Together,
    compiled,
    judge_of,
    listed,
    source,
    unknown,
)

__all__ = ["Showing"]

_FORMS_KEPT: Final = 16
_RECORDS_BEFORE: Final = 256
_VALUES_BEFORE: Final = 2_048
_TOLERANCE: Final = 8
_LONGEST_WAIT: Final = 1_048_576
_NO_TYPE: Final = object()

_Show = Callable[[Sequence[Any]], "list[bytes] | None"]


class _Form:
    """How values of these types are shown.

    Attributes:
        show: shows them, and answers None to values of other types. It raises TypeError where
            one is none of JSON's.
        left: records until it is written, anew if need be.
    """

    __slots__ = ("_failures", "_judges", "_together", "_types", "_wait", "_written", "left", "show")

    def __init__(self, types: tuple[Any, ...], fittings: tuple[Fitting, ...]) -> None:
        self._types = types
        self._judges = [judge_of(*each) for each in zip(fittings, types, strict=True)]
        self._together: Together | None = None
        self._failures = 0
        self._wait = _RECORDS_BEFORE
        self._written: _Show = self._one_by_one
        self.left = min(_RECORDS_BEFORE, _VALUES_BEFORE // max(1, len(types)))
        self.show: _Show = self._one_by_one

    def _one_by_one(self, values: Sequence[Any]) -> list[bytes] | None:
        if not self._fits(values):
            return None
        pairs = zip(self._judges, values, strict=True)
        return [judge.kept.get(value) or judge.encode(value) for judge, value in pairs]

    def _fits(self, values: Sequence[object]) -> bool:
        # By identity: to compare types could run the code of a metaclass.
        return all(map(is_, map(type, values), self._types))

    def write(self, values: Sequence[Any]) -> list[bytes] | None:
        """Show these values, and have others like them shown at the least cost from now on."""
        if not self._fits(values):
            return None
        together = NONE_TOGETHER if self._has_failed() else unknown(values, self._judges)
        if together != self._together:
            self._together = together
            self._written = _written(self._types, self._judges, together, self._fail)
            self._wait = min(2 * self._wait, _LONGEST_WAIT)  # values that change cost no more
        self._failures, self.left = 0, self._wait
        self.show = self._written
        return self.show(values)

    def _fail(self) -> None:
        """Count a record whose values are not as those were that it is written for."""
        self._failures += 1
        if self._has_failed():
            self.left = 0

    def _has_failed(self) -> bool:
        return _TOLERANCE * self._failures >= self._wait


class Showing:
    """How the values of some fields are shown.

    Args:
        fittings: of the fields, in order.
    """

    __slots__ = ("_fittings", "_forms", "_last")

    def __init__(self, fittings: Iterable[Fitting]) -> None:
        self._fittings = tuple(fittings)
        self._forms = Forms(_FORMS_KEPT, partial(_Form, fittings=self._fittings))
        # Replaced whole, so that threads cannot mix two. A type that no value has is none's form.
        self._last = _Form((_NO_TYPE,) * len(self._fittings), self._fittings)

    def show(self, values: Sequence[object]) -> list[bytes] | None:
        """Return `values` as their fields may carry them, as JSON.

        None if one is no scalar, or none of JSON's.

        Args:
            values: one a field, in their order.
        """
        form = self._last
        try:
            shown = form.show(values)
            if shown is None:
                found = self._forms.of(values)
                if found is None:
                    return None
                self._last = form = found
                shown = form.show(values)
        except TypeError:  # half a surrogate pair, a number beyond 64 bits
            return None
        form.left -= 1
        if form.left <= 0:
            form.show = form.write
        return shown


def _written(
    types: Sequence[Any], judges: list[Judge], together: Together, fail: Callable[[], None]
) -> _Show:
    """Return the function that shows values of these types."""
    lines, names = source(
        types, judges, together, _list, differing="return None", otherwise="fail()"
    )
    names |= {"fail": fail, "withheld": encode(REDACTED)}
    unpacked = f" [{listed('value', range(len(types)))}] = values"
    written: _Show = compiled("def show(values):", [unpacked, *lines], names)
    return written


def _list(parts: list[str | bytes]) -> list[str]:
    # Bytes are only what is withheld.
    texts = ("withheld" if isinstance(each, bytes) else each for each in parts)
    return [f" return [{', '.join(texts)}]"]
