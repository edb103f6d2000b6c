"""Showing: the values of a plan's fields as JSON.

In one of two ways, of which each gives the same:

- one by one: a value that is known is looked up, any other is judged as its field does it;
- as written: a call that is made again and again gets a function of its own, which does that
  without a loop. What it found unknown, as ids and durations are in every record, it judges
  together: those values are rendered at once, and a single expression tells whether each has a
  form that its field shows as it is, or one that it never shows.

Both the function and the expression take a moment to compile.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import is_
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
_TOLERANCE: Final = 8
_LONGEST_WAIT: Final = 1_048_576
_SCALAR_IDS: Final = frozenset(map(id, SCALARS))
_dumps: Final = orjson.dumps
_NO_TYPE: Final = object()
_KEPT_TYPES: Final = (str, int, bool, type(None))
_REDACTED: Final = encode(REDACTED)

_Show = Callable[[Sequence[Any]], "list[bytes] | None"]


class _Judge(NamedTuple):
    """What judges the values of one field that have one type.

    Attributes:
        kept: values that are known.
        encode: judges any other.
        plain: expression of JSON that is shown as it is; "" where there is none.
        refused: expression of JSON that is withheld.
    """

    kept: Kept
    encode: Encode
    plain: str
    refused: str


class _Together(NamedTuple):
    """Positions of the values that are judged together, with the expressions that do it."""

    plain: dict[int, str]
    refused: dict[int, str]

    def match(self) -> Callable[[bytes], re.Match[bytes] | None]:
        """Return what tells by their JSON, plain ones first, whether the values are such.

        Its group is what is shown.
        """
        runs = [_runs(self.plain.values()), _runs(self.refused.values())]
        between = "," if all(runs) else ""
        pattern = rf"\[({','.join(runs[0])}){between}{','.join(runs[1])}\]"
        return re.compile(pattern.encode()).fullmatch


_NONE_TOGETHER: Final = _Together({}, {})


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
        self._judges = [_judge_of(*each) for each in zip(fittings, types, strict=True)]
        self._together: _Together | None = None
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
        together = _NONE_TOGETHER if self._has_failed() else _unknown(values, self._judges)
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
        self._forms: dict[tuple[int, ...], _Form] = {}
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
                found = self._form(values)
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

    def _form(self, values: Sequence[object]) -> _Form | None:
        types = tuple(map(type, values))
        ids = tuple(map(id, types))
        form = self._forms.get(ids)
        if form is None and _SCALAR_IDS.issuperset(ids):
            if len(self._forms) >= _FORMS_KEPT:
                self._forms.clear()
            self._forms[ids] = form = _Form(types, self._fittings)
        return form


def _judge_of(fitting: Fitting, kind: Any) -> _Judge:
    return _Judge(
        fitting.kept.get(kind, {}),
        fitting.encoders.get(kind) or _by(fitting.fit),
        fitting.plain.get(kind, ""),
        fitting.refused.get(kind, ""),
    )


def _by(fit: Fit) -> Encode:
    return lambda value: encode(fit(value))


def _unknown(values: Sequence[object], judges: list[_Judge]) -> _Together:
    """Return which of these values no judge knows, as far as they can be judged together."""
    plain: dict[int, str] = {}
    refused: dict[int, str] = {}
    for at, (value, judge) in enumerate(zip(values, judges, strict=True)):
        if value in judge.kept:
            continue
        if _is_like(judge.plain, value):
            plain[at] = judge.plain
        elif _is_like(judge.refused, value):
            refused[at] = judge.refused
    runs = len(_runs(plain.values())) + len(_runs(refused.values()))
    if len(plain) + len(refused) < 2 or runs > _RUNS_TOGETHER:
        return _NONE_TOGETHER
    return _Together(plain, refused)


def _is_like(expression: str, value: object) -> bool:
    try:
        return expression != "" and re.fullmatch(expression.encode(), _dumps(value)) is not None
    except TypeError:
        return False


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


def _written(
    types: Sequence[Any], judges: list[_Judge], together: _Together, fail: Callable[[], None]
) -> _Show:
    """Return the function that shows values of these types.

    Positions are all that its text holds; what stands there comes by name.
    """
    names: dict[str, Any] = {"type": type, "dumps": _dumps, "fail": fail, "withheld": _REDACTED}
    alone = []
    for at, (kind, judge) in enumerate(zip(types, judges, strict=True)):
        names |= {f"kind{at}": kind, f"known{at}": judge.kept.get, f"encode{at}": judge.encode}
        # A type of which nothing is ever kept is not looked up.
        known = f"known{at}(value{at}) or " if kind in _KEPT_TYPES else ""
        alone.append(f"{known}encode{at}(value{at})")
    lines = [
        "def show(values):",
        f" [{_listed('value', range(len(types)))}] = values",
        f" if {' or '.join(f'type(value{at}) is not kind{at}' for at in range(len(types))) or 0}:",
        "  return None",
    ]
    if any(together):
        names["match"] = together.match()
        plain = _listed("shown", together.plain)
        parts = {at: f"shown{at}" for at in together.plain} | dict.fromkeys(
            together.refused, "withheld"
        )
        lines += [
            f" asked = ({_listed('value', [*together.plain, *together.refused])})",
            " try:",
            "  found = match(dumps(asked))",
            " except TypeError:",  # half a surrogate pair, which may stand in what is refused
            "  found = None",
            " if found is not None:",
            f"  [{plain}] = found[1].split(b',')" if plain else "",
            f"  return [{', '.join(parts.get(at, each) for at, each in enumerate(alone))}]",
            " fail()",
        ]
    lines.append(f" return [{', '.join(alone)}]")
    exec("\n".join(lines), names)  # our own text: no name and no value is in it
    written: _Show = names["show"]
    return written


def _listed(name: str, positions: Iterable[int]) -> str:
    return "".join(f"{name}{at}, " for at in positions)
