"""Promises of `redaction.splitting`: a value comes back only where there is one way to cut."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlogging.redaction.splitting import cut_at, fits, split

PIECES = st.lists(st.text("ab-", max_size=3), min_size=1, max_size=4)


class TestSplit:
    @given(st.text("ab-", max_size=12), PIECES)
    def test_agrees_with_lazy_and_greedy_expressions(self, text: str, literals: list[str]) -> None:
        """Unambiguous is what both kinds of regular expression cut alike."""
        lazy, greedy = (
            re.fullmatch(gap.join(map(re.escape, literals)), text, re.DOTALL)
            for gap in ("(.*?)", "(.*)")
        )
        assert fits(text, literals) == (lazy is not None)
        expected = None
        if lazy is not None and greedy is not None and lazy.groups() == greedy.groups():
            expected = lazy.groups()
        assert split(text, literals) == expected

    @given(st.lists(st.text(), min_size=1, max_size=4), st.data())
    def test_never_returns_another_value(self, literals: list[str], data: st.DataObject) -> None:
        """What is returned are the very values that were put in."""
        values = [data.draw(st.text()) for _ in literals[1:]]
        text = literals[0] + "".join(v + x for v, x in zip(values, literals[1:], strict=True))
        assert split(text, literals) in (None, tuple(values))

    @pytest.mark.parametrize("literals", [("", "a", "a", "a", "b"), ("", *["aa"] * 60, "c")])
    def test_near_matches_cost_linear_time(self, literals: tuple[str, ...]) -> None:
        """A text of near matches is no trap, as it is for a regular expression."""
        start = time.perf_counter()
        split("a" * 1_000_000, literals)
        assert time.perf_counter() - start < 20


class TestCutAt:
    @given(st.text("ab-", max_size=12), PIECES.filter(lambda pieces: len(pieces) > 1))
    def test_agrees_with_split(self, text: str, literals: list[str]) -> None:
        """But where nothing stands between the literals."""
        expected = split(text, literals) if len(text) > len("".join(literals)) else None
        assert cut_at(literals, 100)(text) == expected

    def test_takes_nothing_out_of_a_longer_text(self) -> None:
        """The limit is in characters of the text."""
        cut = cut_at(("Took ", ""), 7)
        assert cut("Took ab") == ("ab",)
        assert cut("Took abc") is None

    def test_literals_are_no_code(self) -> None:
        """Whatever they hold."""
        literals = ('"); raise SystemExit(', "{0}\n'", "\\")
        assert cut_at(literals, 100)(literals[0] + "a" + literals[1] + "b\\") == ("a", "b")
