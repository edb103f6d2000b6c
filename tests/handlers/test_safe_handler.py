"""Promises of `SafeHandler`: what all our handlers share."""

from __future__ import annotations

import logging
import math

import pytest

from crmlogging import AllowlistFilter, JsonFormatter
from crmlogging.handlers.safe_handler import SafeHandler
from crmlogging.records import SafeRecord

SECRET = "ada@example.com"


class Collecting(SafeHandler):
    """Keeps what it is given; fails on demand."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.broken = False

    def emit(self, record: logging.LogRecord) -> None:
        if self.broken:
            raise RuntimeError(SECRET)
        self.records.append(record)


class Summing(logging.Filter):
    """Holds everything back and offers one summary."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[float] = []
        self.summary = SafeRecord(vars(logging.makeLogRecord({"msg": "summary"})))
        self.broken = False

    def filter(self, record: logging.LogRecord) -> bool:
        return False

    def due(self, now: float) -> list[logging.LogRecord]:
        self.asked.append(now)
        if self.broken:
            raise RuntimeError(SECRET)
        return [self.summary]


@pytest.fixture
def handler() -> Collecting:
    return Collecting()


def record() -> logging.LogRecord:
    return logging.makeLogRecord({"msg": "Failed %s", "args": (SECRET,), "email": SECRET})


class TestSafeHandler:
    def test_a_broken_filter_withholds_the_contents_not_the_record(
        self, handler: Collecting, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """It fails closed: the record comes, masked whole, and nothing is raised or printed."""

        def broken(each: logging.LogRecord) -> bool:
            raise RuntimeError(SECRET)

        handler.addFilter(AllowlistFilter(["email"]))
        handler.addFilter(broken)
        handler.handle(record())
        (emitted,) = handler.records
        assert isinstance(emitted, SafeRecord)
        assert SECRET not in JsonFormatter().format(emitted) + capsys.readouterr().err

    def test_a_broken_emit_shows_no_contents(
        self, handler: Collecting, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The error path names kind and place; the stock one prints the arguments."""
        handler.broken = True
        handler.handle(record())
        told = capsys.readouterr().err
        assert "Collecting: RuntimeError at test_safe_handler.py" in told
        assert SECRET not in told

    def test_asks_filters_for_what_is_due(self, handler: Collecting) -> None:
        """At each record and at each tick; what they offer is emitted past the filters."""
        summing = Summing()
        handler.addFilter(summing)
        assert handler.handle(record()) is False
        handler.tick()
        handler.emit_due(math.inf)
        assert handler.records == [summing.summary] * 3
        assert summing.asked[-1] == math.inf

    def test_a_broken_due_raises_into_nobody(self, handler: Collecting) -> None:
        """A foreign filter's bug costs its summary, not the application."""
        summing = Summing()
        summing.broken = True
        handler.addFilter(summing)
        assert handler.handle(record()) is False
        assert handler.records == []

    def test_an_unsafe_record_is_masked_whole(
        self, handler: Collecting, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A durable store never holds what no allowlist let out, and says so once."""
        safe = handler.safe(record())
        assert isinstance(safe, SafeRecord)
        assert SECRET not in JsonFormatter().format(safe)
        assert handler.safe(safe) is safe
        assert "AllowlistFilter" in capsys.readouterr().err
