"""Showing: the values of a plan's fields as JSON.

In one of two ways, of which each gives the same:

- one by one: a value that is known is looked up, any other is judged as its field does it;
- together: they are rendered at once, and a single expression tells whether each has a form that
  its field shows as it is, or one that it never shows. It takes milliseconds to compile, so only
  a call that is made again and again gets one, for the fields whose values have such a form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import is_, itemgetter
from typing import Any, Final, NamedTuple

import orjson

from crmlogging.redaction.fitting import REDACTED, Encode, Fit, Fitting, Kept, encode
from crmlogging.redaction.walk import SCALARS

__all__ = ["Showing"]

_FORMS_KEPT: Final = 16
_RUNS_TOGETHER: Final = 32
_LONG_RUN: Final = 8
_RECORDS_BEFORE: Final = 256
_VALUES_BEFORE: Final = 2_048
_FAILURES: Final = 32
_SCALAR_IDS: Final = frozenset(map(id, SCALARS))
_dumps: Final = orjson.dumps
_get: Final = dict.get
_NO_TYPE: Final = object()
_REDACTED: Final = encode(REDACTED)

_Take = Callable[[Sequence[object]], Sequence[Any]]


class _Judges(NamedTuple):
    """For each of some values, those of its type that are known, and what judges any other."""

    kept: tuple[Kept, ...]
    encoders: tuple[Encode, ...]

    def one_by_one(self, values: Sequence[object]) -> list[bytes]:
        """Return these values as JSON.

        Raises:
            TypeError: one is none of JSON's.
        """
        shown: list[Any] = list(map(_get, self.kept, values))
        at = -1
        for _ in range(shown.count(None)):
            at = shown.index(None, at + 1)
            shown[at] = self.encoders[at](values[at])
        return shown

    def of(self, positions: list[int]) -> _Judges:
        """Return those of the values at these positions."""
        kept, encoders = self
        return _Judges(tuple(kept[at] for at in positions), tuple(encoders[at] for at in positions))


class _Together(NamedTuple):
    """What judges most values of a record together.

    Attributes:
        take: takes those that are shown as they are, and behind them those that are never shown.
        match: tells by their JSON whether that is so; its group is what is shown.
        arrange: puts what is shown, a placeholder and the rest in the order of the fields; None
            if all is shown.
        rest: takes the rest.
        judges: of the rest.
    """

    take: _Take
    match: Callable[[bytes], re.Match[bytes] | None]
    arrange: _Take | None
    rest: _Take
    judges: _Judges


class _Form:
    """How values of these types are shown.

    Attributes:
        types: of the values, in order.
        judges: of each.
        together: what judges most of them together, once that is worth it.
        left: records until that is tried; failures until it is given up.
    """

    __slots__ = ("judges", "left", "together", "types")

    def __init__(self, types: tuple[Any, ...], fittings: tuple[Fitting, ...]) -> None:
        pairs = list(zip(fittings, types, strict=True))
        self.types = types
        self.judges = _Judges(
            tuple(each.kept.get(kind, {}) for each, kind in pairs),
            tuple(each.encoders.get(kind) or _by(each.fit) for each, kind in pairs),
        )
        self.together: _Together | None = None
        self.left = min(_RECORDS_BEFORE, _VALUES_BEFORE // max(1, len(types)))


class Showing:
    """How the values of some fields are shown.

    Args:
        fittings: of the fields, in order.
    """

    __slots__ = ("_fittings", "_forms", "_last")

    def __init__(self, fittings: Iterable[Fitting]) -> None:
        self._fittings = tuple(fittings)
        self._forms: dict[tuple[int, ...], _Form] = {}
        # Replaced whole, so that threads cannot mix two. One type that no value has is enough.
        first = self._fittings[:1]
        self._last = _Form((_NO_TYPE,) * len(first), first)

    def show(self, values: Sequence[object]) -> list[bytes] | None:
        """Return `values` as their fields may carry them, as JSON.

        None if one is no scalar, or none of JSON's.

        Args:
            values: in the order of the fields; what stands behind those is not looked at.
        """
        form = self._last
        # By identity: to compare types could run the code of a metaclass.
        if not all(map(is_, map(type, values), form.types)):
            found = self._form(values)
            if found is None:
                return None
            self._last = form = found
        together = form.together
        try:
            if together is not None:
                take, match, arrange, rest, judges = together
                try:
                    vouched = match(_dumps(take(values)))
                except TypeError:  # half a surrogate pair, which may stand in what is refused
                    vouched = None
                if vouched is not None:
                    shown = vouched[1].split(b",")
                    if arrange is not None:
                        more = judges.one_by_one(rest(values))
                        shown[:] = arrange((*shown, _REDACTED, *more))
                    return shown
            self._count(form, values)
            return form.judges.one_by_one(values)
        except TypeError:  # half a surrogate pair, a number beyond 64 bits
            return None

    def _form(self, values: Sequence[object]) -> _Form | None:
        types = tuple(map(type, values[: len(self._fittings)]))
        ids = tuple(map(id, types))
        form = self._forms.get(ids)
        if form is None and _SCALAR_IDS.issuperset(ids):
            if len(self._forms) >= _FORMS_KEPT:
                self._forms.clear()
            self._forms[ids] = form = _Form(types, self._fittings)
        return form

    def _count(self, form: _Form, values: Sequence[object]) -> None:
        """Try the other way when its time has come."""
        form.left -= 1
        if form.left <= 0:
            form.together = None if form.together else self._tried(form, values)
            form.left = _FAILURES if form.together else _RECORDS_BEFORE

    def _tried(self, form: _Form, values: Sequence[object]) -> _Together | None:
        """Return what judges together the fields whose values let it now, if those are enough."""
        plain: dict[int, str] = {}
        refused: dict[int, str] = {}
        for at, (fitting, kind) in enumerate(zip(self._fittings, form.types, strict=True)):
            if _is_like(fitting.plain.get(kind), values[at]):
                plain[at] = fitting.plain[kind]
            elif _is_like(fitting.refused.get(kind), values[at]):
                refused[at] = fitting.refused[kind]
        count, together = len(self._fittings), len(plain) + len(refused)
        if together < 2 or 3 * together < count:
            return None
        runs = [_runs(plain.values()), _runs(refused.values())]
        if sum(map(len, runs)) > _RUNS_TOGETHER:
            return None
        pattern = rf"\[({','.join(runs[0])}){',' if all(runs) else ''}{','.join(runs[1])}\]"
        rest = [at for at in range(count) if at not in plain and at not in refused]
        placeholder = len(plain) or 1  # what is split has one part at least
        pieces = {at: number for number, at in enumerate(plain)}
        pieces.update(dict.fromkeys(refused, placeholder))
        pieces.update((at, number) for number, at in enumerate(rest, placeholder + 1))
        return _Together(
            _taker([*plain, *refused]),
            re.compile(pattern.encode()).fullmatch,
            itemgetter(*map(pieces.__getitem__, range(count))) if len(plain) < count else None,
            _taker(rest),
            form.judges.of(rest),
        )


def _runs(expressions: Iterable[str]) -> list[str]:
    """Return these expressions in order; a long run of the same becomes one."""
    found: list[str] = []
    for each, run in groupby(expressions):
        count = len(list(run))
        if count < _LONG_RUN:
            found.extend([f"(?:{each})"] * count)
        else:
            found.append(f"(?:{each})(?:,(?:{each})){{{count - 1}}}")
    return found


def _taker(positions: list[int]) -> _Take:
    """Return what takes the values at these positions, in this order."""
    begin = positions[0] if positions else 0
    end = begin + len(positions)
    if positions == list(range(begin, end)):  # a single one too, of which there is no tuple else
        return itemgetter(slice(begin, end))
    return itemgetter(*positions)


def _is_like(expression: str | None, value: object) -> bool:
    try:
        return (
            expression is not None and re.fullmatch(expression.encode(), _dumps(value)) is not None
        )
    except TypeError:
        return False


def _by(fit: Fit) -> Encode:
    return lambda value: encode(fit(value))
