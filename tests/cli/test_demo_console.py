"""Promises of the demo's rows: one row a record, never wider than the terminal."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from crmlogging.cli.demo_console import RowFormatter


def record(**fields: Any) -> logging.LogRecord:
    told = {"levelno": 40, "levelname": "ERROR", "msg": "Contact sync failed", "crm": "hubspot"}
    return logging.makeLogRecord({**told, "error.category": "auth", "error.code": "X", **fields})


class TestRowFormatter:
    def test_what_a_row_shows(self) -> None:
        """Level, CRM, category, code and message."""
        row = RowFormatter(width=80, colour=False).format(record())
        assert row[9:] == "ERROR   hubspot    auth        X  Contact sync failed"

    def test_a_summary_says_how_many(self) -> None:
        """The number stands before anything that could be cut."""
        row = RowFormatter(width=80, colour=False).format(record(**{"error.suppressed": 1_990}))
        assert row[9:] == "ERROR   hubspot    auth        1,990 more of X"

    def test_progress_shows_its_totals(self) -> None:
        """Numbers with their words."""
        totals = {"levelname": "INFO", "msg": "Calls sent", "sync.succeeded": 1_200}
        progress = logging.makeLogRecord({**totals, "crm": "zoho", "queue.depth": 3})
        row = RowFormatter(width=80, colour=False).format(progress)
        assert row[9:] == "INFO    zoho       Calls sent  1,200 succeeded  3 waiting"

    @pytest.mark.parametrize("width", [30, 40, 80, 120])
    def test_a_row_fits(self, width: int) -> None:
        """Long messages and codes are cut."""
        long = record(msg="m" * 300, **{"error.code": "C" * 300})
        assert len(RowFormatter(width=width, colour=False).format(long)) <= width
        assert len(RowFormatter(width=width, colour=False).format(record())) <= width

    def test_a_row_steers_nothing(self) -> None:
        """Escapes and newlines of a message are replaced."""
        row = RowFormatter(width=80, colour=True).format(record(msg="a\x1b[2J\nb"))
        assert "a�[2J�b" in row
