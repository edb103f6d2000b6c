"""Promises of the start line: it says which version logs, how much, where to, what it lets out."""

from __future__ import annotations

import logging
import logging.config
from collections.abc import Iterator
from typing import Any

import pytest

import crmlogging
from crmlogging.handlers import start_line
from crmlogging.records import SafeRecord


class Kept(logging.Handler):
    """Keeps the records it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def document(**allowlist: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"allowlist": {"()": "crmlogging.AllowlistFilter", **allowlist}},
        "handlers": {
            "kept": {"()": Kept, "filters": ["allowlist"]},
            "ada@example.com": {"class": "logging.NullHandler"},
        },
        "loggers": {"crm.sync": {"level": "DEBUG"}, "crm.49151234567": {"level": "DEBUG"}},
        "root": {"level": "INFO", "handlers": ["kept"]},
    }


@pytest.fixture
def announced() -> Iterator[SafeRecord]:
    """Return the line that a document's start is announced with."""
    given = document(fields=["@crm"])
    logging.config.dictConfig(given)
    kept = logging.root.handlers[-1]
    assert isinstance(kept, Kept)
    start_line.announce(given)
    (record,) = kept.records
    assert isinstance(record, SafeRecord)
    yield record
    logging.root.removeHandler(kept)


class TestAnnounce:
    def test_names_version_levels_and_handlers(self, announced: SafeRecord) -> None:
        """As fields, and nobody's address or number among them."""
        fields = vars(announced)
        assert fields["start.version"] == crmlogging.__version__
        assert fields["start.levels"][0] == "root:INFO"
        assert "crm.sync:DEBUG" in fields["start.levels"]
        assert "[REDACTED]" in fields["start.levels"]
        assert "49151234567" not in str(fields)
        assert fields["start.handlers"] == ["kept:Kept", "[REDACTED]"]
        assert announced.levelno == logging.INFO
        assert announced.name == "crmlogging"

    def test_names_what_is_let_out(self, announced: SafeRecord) -> None:
        """By a hash: equal rules, equal hash."""
        expected = start_line.allowlist_hash(document(fields=["@crm"]))
        assert vars(announced)["start.allowlist"] == expected


class TestAllowlistHash:
    @pytest.mark.parametrize(
        "other",
        [
            pytest.param({"fields": ["b", "a"]}, id="order"),
            pytest.param({"fields": ("a", "b")}, id="tuple"),
        ],
    )
    def test_is_the_same_for_the_same_rules(self, other: dict[str, Any]) -> None:
        """However they are written."""
        same = start_line.allowlist_hash(document(fields=["a", "b"]))
        assert start_line.allowlist_hash(document(**other)) == same

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param({"fields": ["a"]}, id="less"),
            pytest.param({"fields": ["a", "b", "c"]}, id="more"),
            pytest.param({"fields": ["a", {"b": "text"}]}, id="shape"),
            pytest.param({"fields": ["a", "b"], "mask": {"c": "last4"}}, id="mask"),
            pytest.param({"fields": ["a", "b"], "messages": "any"}, id="messages"),
        ],
    )
    def test_changes_with_the_rules(self, other: dict[str, Any]) -> None:
        """Whoever lets out more is found by it."""
        before = start_line.allowlist_hash(document(fields=["a", "b"]))
        assert start_line.allowlist_hash(document(**other)) != before

    def test_a_document_without_allowlists_has_one(self) -> None:
        """16 hex digits, always."""
        assert len(start_line.allowlist_hash({})) == 16
