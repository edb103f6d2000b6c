"""Straight: from the fields of a call to its finished line, without a stop between.

The first records of a call are shown value by value. Then the call gets a function of its own,
which takes the values out of the fields, judges them (see `judging`) and puts them in their
places. What was the same object in all of those records is asked for by identity, and stands in
the line beforehand. A record that departs from the others in anything is shown value by value
again, which gives the same; where that happens time and again the function is written anew.
"""

from __future__ import annotations

import sys
import weakref
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, Protocol

import orjson

from crmlogging.records import LAST_SECOND
from crmlogging.redaction.fitting import Fitting
from crmlogging.redaction.judging import (
    NONE_TOGETHER,
    Forms,
    Together,
    compiled,
    is_like,
    judge_of,
    source,
    unknown,
)

__all__ = ["Ending", "Straight", "Taking"]

_FORMS_KEPT: Final = 8
_VALUES_KEPT: Final = 65_536
_RECORDS_BEFORE: Final = 256
_VALUES_BEFORE: Final = 2_048
_TOLERANCE: Final = 8
_LONGEST_CONSTANT: Final = 128
_dumps: Final = orjson.dumps
_runs_one_thread: Final[Callable[[], bool]] = getattr(sys, "_is_gil_enabled", lambda: True)
"""Whether threads take turns; they do but in a free-threaded CPython 3.13 (PEP 703)."""


class Taking(Protocol):
    """What takes the values out of a mapping, and of the arguments of a message."""

    def values(self, mapping: dict[str, Any], args: Any) -> Sequence[object] | None:
        """Return the values; None where these are none of the plan's."""

    def source(self) -> tuple[list[str], dict[str, Any]]:
        """Return the text of the same, and what it needs.

        The values stand in ``value0``, ``value1`` ... at the end. Of a mapping that is none of
        the plan's they may be marks, of a type that no value has.
        """


class Ending(Protocol):
    """What becomes of the values that are shown, seconds since the epoch, thread and id."""

    def finish(self, shown: Sequence[bytes], created: float, thread: bytes, identity: str) -> bytes:
        """Return the line of these values."""

    def written(
        self, parts: Sequence[str | bytes], names: dict[str, Any], *, printable: bool
    ) -> list[str]:
        """Return the text that does the same.

        Args:
            parts: for each value its JSON, if that is always the same, or an expression.
            names: to which is added what the text needs, beside what `finish` is given.
            printable: whatever the expressions say is printable ASCII.
        """


class _Form:
    """What is known of records whose values have these types.

    Attributes:
        quick: the function written for them, if there is one yet.
    """

    __slots__ = (
        *("_alone", "_constants", "_fittings", "_judges", "_left", "_misses", "_together"),
        *("_tolerance", "_types", "quick"),
    )

    def __init__(self, types: tuple[Any, ...], fittings: tuple[Fitting, ...]) -> None:
        self.quick: Callable[..., bytes | None] | None = None
        self._types = types
        self._fittings = fittings
        self._judges = [judge_of(*each) for each in zip(fittings, types, strict=True)]
        self._left = min(_RECORDS_BEFORE, _VALUES_BEFORE // max(1, len(types)))
        self._constants: dict[int, object] | None = None
        self._together = NONE_TOGETHER
        self._alone: frozenset[int] = frozenset()
        self._misses: Counter[int] = Counter()
        self._tolerance = _TOLERANCE

    def shown(self, values: Sequence[Any]) -> list[bytes]:
        """Return the values as JSON, one by one.

        Raises:
            TypeError: one is none of JSON's.
        """
        pairs = zip(self._judges, values, strict=True)
        return [judge.kept.get(value) or judge.encode(value) for judge, value in pairs]

    def is_habit(self, values: Sequence[Any], shown: Sequence[bytes]) -> bool:
        """Note one more record; tell whether there were enough to write a function."""
        if self._constants is None:
            # Only what is shown as it is: nothing that is withheld is kept, here or anywhere.
            self._constants = {
                at: value
                for at, (value, one) in enumerate(zip(values, shown, strict=True))
                if self._fittings[at].kept and _is_plain(value, one)
            }
        else:
            kept = self._constants.items()
            self._constants = {at: value for at, value in kept if values[at] is value}
        self._left -= 1
        return self._left <= 0

    def has_changed(self, values: Sequence[Any]) -> bool:
        """Note a record that the function has no answer to; tell whether to write it anew."""
        constants = self._constants or {}
        misses = [at for at, value in constants.items() if values[at] is not value]
        for expressions in self._together:
            misses += [at for at, one in expressions.items() if not is_like(one, values[at])]
        self._misses.update(misses)
        if max(self._misses.values(), default=0) < self._tolerance:
            return False
        often = {at for at, count in self._misses.items() if 2 * count >= self._tolerance}
        self._alone |= often - constants.keys()
        self._constants = {at: value for at, value in constants.items() if at not in often}
        self._misses = Counter()
        self._tolerance *= 2  # so that writing never costs more than what is written for
        return True

    def write(self, taking: Taking, ending: Ending, values: Sequence[Any]) -> None:
        """Write the function, for records like this one."""
        constants = self._constants or {}
        settled = self._alone | constants.keys()
        self._together = together = _without(settled, unknown(values, self._judges))
        known = {at: _dumps(value) for at, value in constants.items()}
        more: dict[str, Any] = {}
        judges = enumerate(self._judges)
        printable = all(at in constants or judge.is_printable for at, judge in judges)

        def end(parts: list[str | bytes]) -> list[str]:
            shown = [known.get(at, part) for at, part in enumerate(parts)]
            return ending.written(shown, more, printable=printable)

        judged, names = source(
            *(self._types, self._judges, together, end),
            differing="return b''",
            constants=constants,
        )
        taken, needed = taking.source()
        head = "def show(mapping, args, created, thread, identity):"
        self.quick = compiled(head, [*taken, *judged], {**names, **needed, **more})


class Straight:
    """The lines of one plan.

    Args:
        taking: takes the values out.
        fittings: of the values, in order.
        ending: puts them into a line.

    Attributes:
        quick: does what `slowly` does; empty where that is to say. It raises what a hostile value
            may, TypeError and KeyError among them; RuntimeError where the mapping grows meanwhile.
        held: of how many values something is known, those of each form counted.
    """

    __slots__ = (
        *("__weakref__", "_ending", "_fittings", "_forms", "_last", "_taking", "held", "quick"),
    )

    def __init__(self, taking: Taking, fittings: tuple[Fitting, ...], ending: Ending) -> None:
        self.quick: Callable[..., bytes | None] = _unknown
        self._taking = taking
        self._fittings = fittings
        self._ending = ending
        self._forms = Forms(_FORMS_KEPT, partial(_Form, fittings=self._fittings))
        self._last: _Form | None = None
        self.held = 0

    def forget(self) -> None:
        """Begin anew: others need the memory."""
        self.quick = _unknown
        self._last = None
        self._forms.clear()
        self.held = 0

    def slowly(
        self, mapping: dict[str, Any], args: Any, created: float, thread: bytes, identity: str
    ) -> bytes | None:
        """Return the line, value by value; None if the record goes the long way.

        Args:
            mapping: a call's fields, or a record's attributes.
            args: of the message.
            created: seconds since the epoch.
            thread: its name as it is shown, as JSON, in printable ASCII.
            identity: the record's; "" for a new one.
        """
        if not 0.0 <= created <= LAST_SECOND:
            return None
        values = self._taking.values(mapping, args)
        form = None if values is None else self._forms.of(values)
        if values is None or form is None:
            return None
        held = len(self._forms) * (1 + len(values))
        if held != self.held:
            more, self.held = held - self.held, held
            _bound.add(self, more)
        try:
            shown = form.shown(values)
        except TypeError:  # half a surrogate pair, a number beyond 64 bits
            return None
        if form.quick is None:
            ready = form.is_habit(values, shown)
        else:
            ready = form is self._last and form.has_changed(values)
        # Elsewhere another name could come into the mapping while values are taken by position.
        if ready and _runs_one_thread():
            form.write(self._taking, self._ending, values)
        if form.quick is not None:
            self._last, self.quick = form, form.quick
        return self._ending.finish(shown, created, thread, identity)


class _Bound:
    """All that is known in this process, whatever the call and the handler, within bounds.

    By values, not by functions: with the text around it each takes up to a kilobyte.
    """

    def __init__(self) -> None:
        self._holders: dict[int, weakref.ref[Straight]] = {}
        self._values = 0

    def add(self, holder: Straight, values: int) -> None:
        """Count more values; where they are too many, every other call begins anew.

        Not all of them: where more calls take turns than there is room for, some stay known.
        """
        self._holders[id(holder)] = weakref.ref(holder)
        self._values += values
        if self._values <= _VALUES_KEPT:
            return
        found = (each() for each in [*self._holders.values()])
        holders = [each for each in found if each is not None]
        if sum(each.held for each in holders) > _VALUES_KEPT:
            for each in holders[::2]:
                each.forget()
            holders = holders[1::2]
        self._holders = {id(each): weakref.ref(each) for each in holders}
        self._values = sum(each.held for each in holders)


_bound: Final = _Bound()


def _unknown(*given: Any) -> bytes | None:
    return b""


def _is_plain(value: Any, shown: bytes) -> bool:
    """Tell whether `value` is shown as it is, and short."""
    if type(value) is str and len(value) > _LONGEST_CONSTANT:
        return False
    try:
        return shown == _dumps(value)
    except TypeError:  # it is withheld
        return False


def _without(positions: frozenset[int], together: Together) -> Together:
    """Return what is left to be judged together without those at `positions`."""
    left = Together(
        *({at: one for at, one in each.items() if at not in positions} for each in together)
    )
    return left if len(left.plain) + len(left.refused) > 1 else NONE_TOGETHER
