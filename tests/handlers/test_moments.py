"""Promises of the durable handlers' quick way, on which a `Moment` stands for a record."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from crmlogging import AllowlistFilter, JsonFormatter, RetentionFileHandler
from crmlogging.handlers import durable_handler
from crmlogging.records import Moment


class Failing(RetentionFileHandler):
    """Cannot store anything, and keeps what its error path is given."""

    def _store(self, tier: str, lines: bytes, count: int, level: int, when: float) -> None:
        raise RuntimeError("no room")

    def handleError(self, record: logging.LogRecord) -> None:
        self.failed = [*getattr(self, "failed", []), record]


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[Failing]:
    """Lend such a handler, with the filter and the formatter that make moments."""
    handler = Failing(tmp_path / "crm.jsonl", levels=False)
    handler.addFilter(AllowlistFilter(["@crm"]))
    handler.setFormatter(JsonFormatter())
    yield handler
    handler.close()


class TestErrorPath:
    @pytest.mark.parametrize("uploading", [False, True], ids=["alone", "beside-an-upload"])
    def test_it_is_given_records(
        self, failing: Failing, uploading: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever overrides `handleError` gets what logging promises, from either way to emit."""
        monkeypatch.setattr(durable_handler, "quiet_threads", {-1} if uploading else set())
        logger = logging.Logger("crm.sync")
        logger.addHandler(failing)
        for _ in range(4):
            logger.error("Failed to sync", extra={"crm": "zoho"})
        assert len(failing.failed) == 4
        assert all(isinstance(each, logging.LogRecord) for each in failing.failed)
        assert not any(isinstance(each, Moment) for each in failing.failed)
        assert failing.stats()["dropped.error"] == 4
