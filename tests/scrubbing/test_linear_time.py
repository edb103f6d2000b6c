"""The scrubber takes linear time on any text: shown on the expressions, not with a clock.

A machine that is busy makes a clock lie, so `benchmarks/scrubbing.py` measures (limit: 1 s a
megabyte, at most 2.5 times for twice the length), and here each expression is read. One of this
form is linear: what repeats without bound comes last, with nothing behind it that could fail, so
it consumes what it read; or it stands right behind a look back at its own characters, so it
starts once a run. All else takes a bounded number of steps wherever it starts.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from re import _constants as sre  # type: ignore[attr-defined]  # CPython's own reader of patterns
from re import _parser  # type: ignore[attr-defined]  # the same
from typing import Any

import pytest

from crmlogging import scrubbing

MOST_STEPS = 6_000
_REPEATS = {sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT}
_LOOKS = {sre.ASSERT, sre.ASSERT_NOT}


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield every expression of the room with its name."""
    for module in pkgutil.iter_modules(scrubbing.__path__, "crmlogging.scrubbing."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, re.Pattern):
                yield f"{module.name.rpartition('.')[2]}.{name}", value


def children(kind: Any, value: Any) -> list[Any]:
    """Return the sequences inside one node of a parsed expression."""
    if kind in _REPEATS:
        return [value[2]]
    if kind is sre.SUBPATTERN:
        return [value[3]]
    if kind is sre.BRANCH:
        return list(value[1])
    if kind is sre.ATOMIC_GROUP:
        return [value]
    if kind in _LOOKS:
        return [value[1]]
    return []


def unbounded(sequence: Any, fallible: bool, guarded: bool) -> Iterator[str]:
    """Yield what repeats without bound although something behind it may fail.

    Args:
        sequence: a parsed sequence.
        fallible: something behind the sequence may fail.
        guarded: a look back stands directly before the sequence.
    """
    nodes = list(sequence)
    for at, (kind, value) in enumerate(nodes):
        rest = nodes[at + 1 :]
        may_fail = fallible or any(
            node[0] in _LOOKS or _parser.SubPattern(sequence.state, [node]).getwidth()[0] > 0
            for node in rest
        )
        if kind in _REPEATS and value[1] is sre.MAXREPEAT and may_fail and not guarded:
            yield repr(value[2])
        inside_repeat = kind in _REPEATS and value[1] is sre.MAXREPEAT
        for child in children(kind, value):
            yield from unbounded(child, may_fail and not inside_repeat, guarded)
        guarded = kind is sre.ASSERT_NOT and value[0] == -1 and value[1].getwidth() == (1, 1)


def steps(sequence: Any) -> int:
    """Return the most steps that the bounded part takes from one start."""
    total = 0
    for kind, value in sequence:
        inner = [steps(child) for child in children(kind, value)]
        if kind in _REPEATS:
            times = 1 if value[1] is sre.MAXREPEAT else value[1]
            total += times * max(1, *inner)
        elif kind is sre.BRANCH:
            total += sum(inner)
        else:
            total += max(1, *inner) if inner else 1
    return total


@pytest.mark.parametrize(
    "pattern", [pytest.param(pattern, id=name) for name, pattern in patterns()]
)
class TestEveryExpression:
    def test_repeats_without_bound_only_where_it_consumes(self, pattern: re.Pattern[str]) -> None:
        """Nothing is read to the end of the text again and again."""
        assert list(unbounded(_parser.parse(pattern.pattern, pattern.flags), False, False)) == []

    def test_takes_few_steps_from_each_start(self, pattern: re.Pattern[str]) -> None:
        """What repeats with a bound is not nested into a large number."""
        assert steps(_parser.parse(pattern.pattern, pattern.flags)) <= MOST_STEPS


class TestTheReader:
    @pytest.mark.parametrize(
        "quadratic", ["a+b", "[^@ ]+@", r"\w*\d", "(?:a|b)+c", "x(?:a+)(?=b)", "(?:ab)*!"]
    )
    def test_sees_what_is_not_linear(self, quadratic: str) -> None:
        """The classic mistakes are told."""
        assert list(unbounded(_parser.parse(quadratic), False, False))

    @pytest.mark.parametrize("linear", ["ba+", "a{1,9}b", r"(?<!\w)\w++:", "x[a-z]*y?", "(?:ab)*"])
    def test_lets_linear_forms_pass(self, linear: str) -> None:
        """And only those."""
        assert not list(unbounded(_parser.parse(linear), False, False))

    def test_multiplies_what_is_nested(self) -> None:
        """Bounds inside bounds count as their product."""
        assert steps(_parser.parse("(?:a{1,50}b){1,200}")) > MOST_STEPS

    def test_reads_this_python(self) -> None:
        """The reader is CPython's own, as its versions 3.11 to 3.13 have it."""
        assert sys.implementation.name == "cpython"
        assert sum(1 for _ in patterns()) > 20
