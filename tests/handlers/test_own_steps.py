"""Promises to whoever puts a step of their own in place of one of ours: it is taken."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from crmlogging import AllowlistFilter, AsyncHandler, JsonFormatter, Logger, RetentionFileHandler
from crmlogging.redaction import straight

KINDS = pytest.mark.parametrize("kind", [Logger, logging.Logger], ids=["own", "stock"])
Open = Callable[..., Any]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions are written from the third record of a plan on."""
    monkeypatch.setattr(straight, "_RECORDS_BEFORE", 2)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Open handlers on one file."""
    made: list[logging.Handler] = []

    def handler(
        kind: type[RetentionFileHandler] = RetentionFileHandler,
        formatter: logging.Formatter | None = None,
    ) -> RetentionFileHandler:
        one = kind(tmp_path / "crm.jsonl")
        one.addFilter(AllowlistFilter(["@crm"]))
        one.setFormatter(formatter or JsonFormatter())
        made.append(one)
        return one

    yield handler
    for each in made:
        each.close()


def logger_of(kind: type[logging.Logger], handler: logging.Handler) -> logging.Logger:
    made = kind("crm.sync", logging.DEBUG)
    made.manager = logging.Manager(logging.root)
    made.handlers[:] = [handler]
    return made


def log(logger: logging.Logger, times: int = 6) -> None:
    for number in range(times):
        logger.info("Synced contacts", extra={"crm": "zoho", "request.attempt": number})


def lines(handler: RetentionFileHandler) -> list[bytes]:
    return Path(handler.baseFilename).read_bytes().splitlines()


class Renamed(JsonFormatter):
    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        super().add_fields(log_data, record, message_dict)
        log_data["team"] = "growth"


class Processed(JsonFormatter):
    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {**super().process_log_record(log_data), "team": "growth"}


class Serialized(JsonFormatter):
    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        return super().jsonify_log_record({**log_data, "team": "growth"})


class Formatted(JsonFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return super().format(record)[:-1] + ',"team":"growth"}'


class FormattedFromBytes(JsonFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return self.format_bytes(record).decode()[:-1] + ',"team":"growth"}'


@KINDS
class TestFormatters:
    @pytest.mark.parametrize(
        "formatter", [Renamed, Processed, Serialized, Formatted, FormattedFromBytes]
    )
    def test_a_step_that_a_subclass_overrides(
        self, opened: Open, kind: type[logging.Logger], formatter: type[JsonFormatter]
    ) -> None:
        handler = opened(formatter=formatter())
        log(logger_of(kind, handler))
        found = [orjson.loads(line) for line in lines(handler)]
        assert [(line["team"], line["crm"]) for line in found] == [("growth", "zoho")] * 6

    @pytest.mark.parametrize(
        "formatter", [Renamed, Processed, Serialized, Formatted, FormattedFromBytes]
    )
    def test_behind_a_queue(
        self, tmp_path: Path, kind: type[logging.Logger], formatter: type[JsonFormatter]
    ) -> None:
        target = logging.FileHandler(tmp_path / "queued.jsonl")
        target.setFormatter(formatter())
        handler = AsyncHandler(handlers=[target])
        handler.addFilter(AllowlistFilter(["@crm"]))
        log(logger_of(kind, handler))
        handler.close()
        target.close()
        found = (tmp_path / "queued.jsonl").read_bytes().splitlines()
        assert [orjson.loads(line)["team"] for line in found] == ["growth"] * 6

    def test_a_step_on_the_object(self, opened: Open, kind: type[logging.Logger]) -> None:
        formatter = JsonFormatter()
        other = logging.Formatter("said %(message)s")
        formatter.format = other.format  # type: ignore[method-assign]  # as some do
        handler = opened(formatter=formatter)
        log(logger_of(kind, handler), 4)
        assert lines(handler) == [b"said Synced contacts"] * 4

    def test_a_formatter_that_is_assigned(self, opened: Open, kind: type[logging.Logger]) -> None:
        handler = opened()
        logger = logger_of(kind, handler)
        log(logger)
        handler.formatter = logging.Formatter("%(levelname)s %(message)s")
        log(logger, 2)
        handler.formatter = JsonFormatter(service="sync")
        log(logger, 4)
        found = lines(handler)
        assert found[6:8] == [b"INFO Synced contacts"] * 2
        assert [orjson.loads(line)["service"] for line in found[8:]] == ["sync"] * 4

    def test_no_formatter_any_more(self, opened: Open, kind: type[logging.Logger]) -> None:
        handler = opened()
        logger = logger_of(kind, handler)
        log(logger)
        handler.formatter = None
        log(logger)
        assert [orjson.loads(line)["message"] for line in lines(handler)] == [
            "Synced contacts"
        ] * 12


class Picky(RetentionFileHandler):
    def filter(self, record: logging.LogRecord) -> Any:
        return record.__dict__["request.attempt"] % 2 and super().filter(record)


class Loud(RetentionFileHandler):
    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).upper()


@KINDS
class TestHandlers:
    def test_a_filter_that_a_subclass_overrides(
        self, opened: Open, kind: type[logging.Logger]
    ) -> None:
        handler = opened(Picky)
        log(logger_of(kind, handler))
        found = [orjson.loads(line) for line in lines(handler)]
        assert [(line["request.attempt"], line["crm"]) for line in found] == [
            (number, "zoho") for number in (1, 3, 5)
        ]

    def test_a_filter_on_the_object(self, opened: Open, kind: type[logging.Logger]) -> None:
        handler = opened()
        logger = logger_of(kind, handler)
        log(logger)
        handler.filter = lambda record: False
        log(logger)
        del handler.filter
        log(logger, 2)
        assert len(lines(handler)) == 8

    def test_a_filter_that_fails_withholds_the_contents(
        self, opened: Open, kind: type[logging.Logger], capsys: pytest.CaptureFixture[str]
    ) -> None:
        class Broken(RetentionFileHandler):
            def filter(self, record: logging.LogRecord) -> Any:
                raise ValueError("secret-1")

        handler = opened(Broken)
        log(logger_of(kind, handler), 3)
        assert [orjson.loads(line).get("crm") for line in lines(handler)] == ["[REDACTED]"] * 3
        assert "secret-1" not in capsys.readouterr().err

    def test_batches(self, opened: Open, kind: type[logging.Logger]) -> None:
        handler = opened(Picky)
        queue = AsyncHandler(handlers=[handler])
        log(logger_of(kind, queue))
        queue.close()
        assert [orjson.loads(line)["request.attempt"] for line in lines(handler)] == [1, 3, 5]

    def test_a_format_that_a_subclass_overrides(
        self, opened: Open, kind: type[logging.Logger]
    ) -> None:
        handler = opened(Loud)
        log(logger_of(kind, handler))
        assert [line.count(b'"CRM":"ZOHO"') for line in lines(handler)] == [1] * 6

    def test_a_format_on_the_object(self, opened: Open, kind: type[logging.Logger]) -> None:
        handler = opened()
        logger = logger_of(kind, handler)
        log(logger)
        handler.format = lambda record: "said"
        log(logger, 2)
        del handler.format
        log(logger, 2)
        found = lines(handler)
        assert found[6:8] == [b"said"] * 2
        assert [orjson.loads(line)["crm"] for line in found[8:]] == ["zoho"] * 2


@KINDS
class TestQueues:
    @pytest.mark.parametrize("first", [0, 3])
    @pytest.mark.parametrize("step", ["prepare", "enqueue", "emit", "handle"])
    def test_a_step_on_the_object(
        self, tmp_path: Path, kind: type[logging.Logger], step: str, first: int
    ) -> None:
        target = logging.FileHandler(tmp_path / "queued.jsonl")
        handler = AsyncHandler(handlers=[target])
        handler.addFilter(AllowlistFilter(["@crm"]))
        logger = logger_of(kind, handler)
        log(logger, first)
        usual, seen = getattr(handler, step), []

        def own(record: logging.LogRecord) -> Any:
            seen.append(record.getMessage())
            return usual(record)

        setattr(handler, step, own)
        log(logger, 4)
        handler.close()
        target.close()
        assert seen == ["Synced contacts"] * 4
        found = (tmp_path / "queued.jsonl").read_bytes().splitlines()
        assert found == [b"Synced contacts"] * (first + 4)


@pytest.mark.parametrize("step", ["callHandlers", "handle", "_log", "makeRecord"])
def test_a_step_that_was_replaced_before_the_import(tmp_path: Path, step: str) -> None:
    """Tracing libraries patch `logging.Logger`, some before anybody imports us."""
    script = f"""
import logging
seen = []
usual = logging.Logger.{step}
def patched(self, *args, **options):
    seen.append(1)
    return usual(self, *args, **options)
logging.Logger.{step} = patched
import crmlogging
from crmlogging.redaction import straight
straight._RECORDS_BEFORE = 2
crmlogging.configure("sync", "production", output={str(tmp_path / "crm.jsonl")!r})
logging.root.setLevel(10)
for kind in ("crm.sync", "crm.leads"):
    logger = logging.getLogger(kind)
    assert isinstance(logger, crmlogging.Logger)
    del seen[:]
    for number in range(6):
        logger.warning("Synced contacts", extra={{"crm": "zoho"}})
    assert len(seen) == 6, seen
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
