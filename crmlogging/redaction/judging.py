"""Judging: the text of functions that show values of certain types, without a loop.

What is known of a value is looked up in straight-line code. What was found unknown, as ids and
durations are in every record, is judged together: those values are rendered at once, and a single
expression tells whether each has a form that its field shows as it is, or one that it never shows.

Positions are all that such a text holds; what stands there comes by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, Generic, NamedTuple, TypeVar

import orjson

from crmlogging.redaction.fitting import REDACTED, SMALL, Encode, Fit, Fitting, Kept, encode
from crmlogging.redaction.walk import SCALARS

__all__ = ["NONE_TOGETHER", "Forms", "Judge", "Together", "compiled", "is_like", "judge_of"]
__all__ += ["listed", "source", "unknown"]

_RUNS_TOGETHER: Final = 32
_LONG_RUN: Final = 8
_dumps: Final = orjson.dumps
_KEPT_TYPES: Final = (str, int, bool, type(None))
_REDACTED: Final = encode(REDACTED)
_SCALAR_IDS: Final = frozenset(map(id, SCALARS))
_Form = TypeVar("_Form")


class Forms(Generic[_Form]):
    """What is known of values of the same types, for as many kinds of them as are kept.

    Args:
        most: how many; beyond it all are forgotten.
        make: returns what is known at first, given the types.
    """

    __slots__ = ("_by_types", "_make", "_most")

    def __init__(self, most: int, make: Callable[[tuple[Any, ...]], _Form]) -> None:
        self._most = most
        self._make = make
        # By the types' ids: to compare types could run the code of a metaclass.
        self._by_types: dict[tuple[int, ...], _Form] = {}

    def __len__(self) -> int:
        return len(self._by_types)

    def of(self, values: Sequence[object]) -> _Form | None:
        """Return what is known of values like these; None if one is no scalar."""
        types = tuple(map(type, values))
        ids = tuple(map(id, types))
        form = self._by_types.get(ids)
        if form is None and _SCALAR_IDS.issuperset(ids):
            if len(self._by_types) >= self._most:
                self._by_types.clear()
            self._by_types[ids] = form = self._make(types)
        return form

    def clear(self) -> None:
        """Forget all of them."""
        self._by_types.clear()


class Judge(NamedTuple):
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

    @property
    def is_printable(self) -> bool:
        """Tell whether all that it shows is printable ASCII (see `Fitting`)."""
        return self.plain != ""


def judge_of(fitting: Fitting, kind: Any) -> Judge:
    """Return what judges values of type `kind`."""
    return Judge(
        fitting.kept.get(kind, {}),
        fitting.encoders.get(kind) or _by(fitting.fit),
        fitting.plain.get(kind, ""),
        fitting.refused.get(kind, ""),
    )


def _by(fit: Fit) -> Encode:
    return lambda value: encode(fit(value))


class Together(NamedTuple):
    """Positions of the values that are judged together, with the expressions that do it."""

    plain: dict[int, str]
    refused: dict[int, str]

    def match(self) -> Callable[[bytes], re.Match[bytes] | None]:
        """Return what tells by their JSON, plain ones first, whether the values are such.

        What is shown are its groups, or is its only one (see `apart`).
        """
        plain, refused = _runs(self.plain.values()), _runs(self.refused.values())
        if self.apart:
            plain = [f"({each})" for each in self.plain.values()]
        shown = ",".join(plain)
        pattern = rf"\[{shown if self.apart else f'({shown})'}"
        pattern += rf"{',' if plain and refused else ''}{','.join(refused)}\]"
        return re.compile(pattern.encode()).fullmatch

    @property
    def apart(self) -> bool:
        """Tell whether each of the plain ones is a group of its own."""
        return len(self.plain) < _LONG_RUN


NONE_TOGETHER: Final = Together({}, {})


def unknown(values: Sequence[object], judges: Sequence[Judge]) -> Together:
    """Return which of these values no judge knows, as far as they can be judged together."""
    plain: dict[int, str] = {}
    refused: dict[int, str] = {}
    for at, (value, judge) in enumerate(zip(values, judges, strict=True)):
        if value in judge.kept:
            continue
        if is_like(judge.plain, value):
            plain[at] = judge.plain
        elif is_like(judge.refused, value):
            refused[at] = judge.refused
    runs = len(_runs(plain.values())) + len(_runs(refused.values()))
    if len(plain) + len(refused) < 2 or runs > _RUNS_TOGETHER:
        return NONE_TOGETHER
    return Together(plain, refused)


def is_like(expression: str, value: object) -> bool:
    """Tell whether the JSON of `value` is of the form `expression`; "" is nothing's form."""
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


def source(
    types: Sequence[Any],
    judges: Sequence[Judge],
    together: Together,
    ending: Callable[[list[str | bytes]], list[str]],
    *,
    differing: str,
    otherwise: str = "",
    constants: Mapping[int, object] | None = None,
) -> tuple[list[str], dict[str, Any]]:
    """Return the lines of a function's body, and what it needs by name.

    The values stand in ``value0``, ``value1`` ... at the beginning.

    Args:
        types: of the values.
        judges: of the values.
        together: which values are judged together.
        ending: returns lines that make the answer, given what is shown, or expressions of it.
        differing: what is done where a value is of another type, or none of the constants.
        otherwise: what is done where those judged together are not as they were, before they are
            judged one by one; "" for no more than what is done where they differ.
        constants: values that are expected to be these very objects; each is asked for by
            identity, and takes no part in what is shown.
    """
    constants = constants or {}
    names: dict[str, Any] = {"type": type, "dumps": _dumps, "small": SMALL}
    alone: list[str | bytes] = []
    differs = []
    for at, (kind, judge) in enumerate(zip(types, judges, strict=True)):
        if at in constants:
            names[f"constant{at}"] = constants[at]
            differs.append(f"value{at} is not constant{at}")
            alone.append("")
            continue
        differs.append(f"type(value{at}) is not kind{at}")
        names |= {f"kind{at}": kind, f"known{at}": judge.kept.get, f"encode{at}": judge.encode}
        alone.append(_alone(at, kind, judge))
    lines = [f" if {' or '.join(differs) or 0}:", f"  {differing}"]
    if any(together):
        names["match"] = together.match()
        parts: dict[int, str | bytes] = {at: f"shown{at}" for at in together.plain}
        parts |= dict.fromkeys(together.refused, _REDACTED)
        made = ending([parts.get(at, one) for at, one in enumerate(alone)])
        if together.plain:
            groups = "found.groups()" if together.apart else "found[1].split(b',')"
            made = [f" [{listed('shown', together.plain)}] = {groups}", *made]
        lines += [
            f" asked = ({listed('value', [*together.plain, *together.refused])})",
            " try:",
            "  found = match(dumps(asked))",
            " except TypeError:",  # half a surrogate pair, which may stand in what is refused
            "  found = None",
        ]
        if not otherwise:
            return [*lines, " if found is None:", f"  {differing}", *made], names
        lines += [" if found is not None:", *(f" {line}" for line in made), f" {otherwise}"]
    return [*lines, *ending(alone)], names


def _alone(at: int, kind: Any, judge: Judge) -> str:
    """Return the expression that judges the value at `at` by itself."""
    judged = f"encode{at}(value{at})"
    if judge.plain and kind is float:
        return f"dumps(value{at}) if -small < value{at} < small else {judged}"
    if judge.plain and kind is int:
        judged = f"(dumps(value{at}) if 0 <= value{at} < small else {judged})"
    # A type of which nothing is ever kept is not looked up.
    return f"known{at}(value{at}) or {judged}" if kind in _KEPT_TYPES else judged


def listed(name: str, positions: Iterable[int]) -> str:
    """Return names by position, each with a comma behind it."""
    return "".join(f"{name}{at}, " for at in positions)


def compiled(head: str, lines: Sequence[str], names: dict[str, Any]) -> Any:
    """Return the function of this text."""
    exec("\n".join((head, *lines)), names)  # our own text: no name and no value is in it
    return names["show"]
