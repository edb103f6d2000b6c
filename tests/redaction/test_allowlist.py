"""Promises about names: which literals of a source may stand in a line."""

from __future__ import annotations

import pytest

from crmlogging.exceptions import Problems
from crmlogging.redaction import allowlist
from crmlogging.redaction.allowlist import Allowlist, is_clean_name
from crmlogging.redaction.patterns import compile_patterns


def compiled(*fields: str) -> Allowlist:
    root = compile_patterns(list(fields), None, None, Problems("test"))
    return Allowlist(root, drop=False, hmac_key=None)


class TestAt:
    @pytest.mark.parametrize("part", ["two words", "ada@example", "49151234567", "", "x" * 65])
    @pytest.mark.parametrize("name", ["a.{}", "b.{}.id", "b.x.{}"])
    def test_a_wildcard_takes_names_and_not_data(self, name: str, part: str) -> None:
        """A part of a dotted name that no pattern spells out has to read as a name."""
        places = compiled("a.*", "b.*.id", "b.x.*")
        assert places.at(name.format("named")) is not None
        assert places.at(name.format(part)) is None

    def test_a_name_without_end_is_not_followed(self) -> None:
        """However far a pattern reaches, a name of more than a thousand characters is data."""
        places = compiled("a.**")
        assert places.at("a" + ".b" * 511) is not None
        assert places.at("a" + ".b" * 512) is None


class TestIsCleanName:
    @pytest.fixture(autouse=True)
    def nothing_remembered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each name is decided anew."""
        monkeypatch.setattr(allowlist, "_clean_names", set())

    @pytest.mark.parametrize("name", ["a", "email", "lead.phone", "Customer name", "x" * 128])
    def test_a_name(self, name: str) -> None:
        """Any printable literal, and the second time as well."""
        assert [is_clean_name(name), is_clean_name(name)] == [True, True]
        assert allowlist._clean_names == {name}

    @pytest.mark.parametrize(
        "name",
        [
            *("", "x" * 129, "[KEYS]", "a\nb", "ada@example.com", "sk_live_4eC39HqLyjWD"),
            *("4111 1111 1111 1111", "+49 151 23456789"),
        ],
    )
    def test_no_name(self, name: str) -> None:
        """What is no text, stands for something of ours, or is data itself."""
        assert [is_clean_name(name), is_clean_name(name)] == [False, False]

    def test_few_are_remembered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A program that makes names up fills no memory."""
        monkeypatch.setattr(allowlist, "_NAMES_KEPT", 3)
        for number in range(10):
            assert is_clean_name(f"key{number}")
        assert len(allowlist._clean_names) <= 3
