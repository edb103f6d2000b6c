"""Promises of `late`: the pattern itself, compiled when it is first asked."""

from __future__ import annotations

import re

import pytest

from crmlogging.errors.text.late import late


class TestLate:
    def test_answers_as_the_pattern_does(self) -> None:
        """All ways to ask a pattern are there, with its flags."""
        asked, pattern = late("B(.)", re.IGNORECASE), re.compile("B(.)", re.IGNORECASE)
        text = "abc bbd"
        assert asked.findall(text) == pattern.findall(text)
        assert asked.sub("x", text) == pattern.sub("x", text)
        assert asked.split(text) == pattern.split(text)
        assert [match.span() for match in asked.finditer(text)] == [(1, 3), (4, 6)]
        for name in ("search", "match", "fullmatch"):
            found, due = getattr(asked, name)("bc"), getattr(pattern, name)("bc")
            assert (found[0], found[1]) == (due[0], due[1])

    def test_is_compiled_when_it_is_asked(self) -> None:
        """One that is never asked costs nothing; one that is wrong is told then."""
        wrong = late("(")
        with pytest.raises(re.error):
            wrong.search("x")

    def test_has_nothing_else(self) -> None:
        """It can be looked at, copied or compared like any object without being compiled."""
        with pytest.raises(AttributeError, match="groups"):
            _ = late("(").groups
