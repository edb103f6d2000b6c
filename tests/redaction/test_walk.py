"""Promises of `redaction.walk`: its limits hold, and its own marks cannot be forged."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from crmlogging.redaction.projection import Projection
from crmlogging.redaction.walk import CHARACTERS_MAXIMUM, DEPTH_MAXIMUM, VALUES_MAXIMUM


def shown(fields: list[Any], **extra: object) -> dict[str, Any]:
    """Return the attributes of a record with `extra` as an allowlist of `fields` shows it."""
    return dict(vars(Projection(fields).project(logging.makeLogRecord(extra))))


class TestLimits:
    def test_attributes(self) -> None:
        """Of ten thousand attributes the first and the last are looked at."""
        names = [f"custom.a{number}" for number in range(10_000)]
        found = shown(["custom.*"], **dict.fromkeys(names, 1))
        assert 1_000 <= sum(name.startswith("custom.") for name in found) <= 1_100

    def test_values(self) -> None:
        """Lists of lists stop at a number of values, however they are nested."""
        rows = [list(range(900)) for _ in range(20)]
        found = shown(["rows", "rows[]"], rows=rows)
        assert sum(type(each) is int for row in found["rows"] for each in row) <= VALUES_MAXIMUM

    def test_characters(self) -> None:
        """Texts stop at a number of characters."""
        found = shown(["texts", "texts[]"], texts=["ab-" * 40] * 1_500)
        assert len("".join(found["texts"])) <= CHARACTERS_MAXIMUM + 1_000 * len("[TRUNCATED]")
        assert found["texts"].count("[TRUNCATED]") > 100

    def test_depth(self) -> None:
        """What is nested deeper is cut."""
        nested: Any = "canary"
        for _ in range(DEPTH_MAXIMUM + 10):
            nested = {"a": nested}
        assert "canary" not in json.dumps(shown(["details.**"], details=nested))
        for _ in range(DEPTH_MAXIMUM + 10):
            nested = [{"a": nested}]
        assert "canary" not in json.dumps(shown(["details.**"], details=nested))


class TestMarks:
    @pytest.mark.parametrize("mark", ["[KEYS]", "[TRUNCATED]"])
    def test_a_caller_s_key_is_none(self, mark: str) -> None:
        """A key that looks like a count of ours is a key like any other, and unknown."""
        found = shown(["details.step"], details={"step": 1, mark: "canary"})
        assert "canary" not in json.dumps(found)
        assert found["details.step"] == 1

    def test_another_allowlist_narrows_what_is_nested(self) -> None:
        """Names that one let out are no names to the next."""
        first = Projection(["rows[].step", "rows[].note"])
        record = first.project(logging.makeLogRecord({"rows": [{"step": 1, "note": "canary"}]}))
        assert "canary" in json.dumps(vars(record))
        assert "canary" not in json.dumps(vars(Projection(["rows[].step"]).project(record)))
