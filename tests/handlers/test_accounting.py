"""Promises of ``stats()``: produced = delivered + dropped + pending, whoever looks and whenever."""

from __future__ import annotations

import logging
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import crmlogging
from crmlogging.handlers.async_handler import AsyncHandler
from crmlogging.handlers.heartbeat import Heartbeat
from crmlogging.handlers.ledger import balanced
from crmlogging.records import SafeRecord

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")

LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)


class Counting(Protocol):
    """A handler of ours."""

    def stats(self) -> dict[str, int]:
        """Return the counts."""

    def handle(self, record: logging.LogRecord) -> object:
        """Take a record."""

    def flush(self) -> None:
        """Deliver."""

    def close(self) -> None:
        """Close."""

    def drain(self, timeout: float) -> bool:
        """Deliver everything."""


def record(level: int = logging.INFO, message: str = "m") -> logging.LogRecord:
    plain = logging.makeLogRecord({"name": "crm", "msg": message, "levelno": level, "args": None})
    plain.levelname = logging.getLevelName(level)
    return SafeRecord({**vars(plain), "record.id": "x-1"})


class Capricious(logging.Handler):
    """A target that fails now and then, or takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.random = random.Random(7)
        self.got = 0
        self.failed = 0

    def emit(self, record: logging.LogRecord) -> None:
        fate = self.random.random()
        if fate < 0.05:
            self.failed += 1
            raise OSError
        if fate < 0.08:
            threading.Event().wait(0.002)
        self.got += 1


class Bucket:
    """An S3 client that fails now and then."""

    def __init__(self) -> None:
        self.random = random.Random(7)

    def put_object(self, **_: Any) -> dict[str, Any]:
        if self.random.random() < 0.3:
            raise ConnectionError
        return {"ETag": "etag"}

    def close(self) -> None:
        pass


Build = Callable[[str], Any]


@pytest.fixture
def build(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Build]:
    """Build a handler by the name of its kind; what it complains about is not printed."""
    built: list[logging.Handler] = []

    def make(kind: str) -> logging.Handler:
        handler: logging.Handler
        if kind == "file":
            handler = crmlogging.RetentionFileHandler(tmp_path / "crm.jsonl", max_bytes=20_000)
        elif kind == "s3":
            handler = crmlogging.S3Handler(
                "bucket",
                spool_dir=tmp_path / "spool",
                spool_bytes=200_000,
                segment_bytes=5_000,
                close_seconds=0.2,
                client=Bucket,
            )
        else:
            handler = AsyncHandler(
                handlers=[Capricious(), Capricious()],
                capacity=50,
                overflow="block" if kind == "block" else "drop",
                block_seconds=0.05,
                flush_seconds=2,
                journal=tmp_path / "journal" if kind == "journal" else None,
            )
        handler.setFormatter(crmlogging.JsonFormatter())
        built.append(handler)
        return handler

    yield make
    for handler in built:
        handler.close()


def holds(stats: dict[str, int]) -> bool:
    total = stats["delivered"] + stats["dropped"] + stats["pending"]
    reasons = sum(number for name, number in stats.items() if name.startswith("dropped."))
    return (
        stats["produced"] == total
        and stats["dropped"] == reasons
        and all(number >= 0 for number in stats.values())
    )


class Watching:
    """A thread that looks at a handler's counts without a pause."""

    def __init__(self, handler: Counting) -> None:
        self.wrong: list[dict[str, int]] = []
        self.looks = 0
        self._handler = handler
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._stop.is_set():
            stats = self._handler.stats()
            self.looks += 1
            if not holds(stats):
                self.wrong.append(stats)
            self._stop.wait(0.0005)

    def __enter__(self) -> Watching:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)


class TestEquation:
    @pytest.mark.parametrize("kind", ["drop", "block", "journal", "file", "s3"])
    def test_holds_at_any_moment(self, build: Build, kind: str) -> None:
        """While threads log, targets fail, queues overflow, and somebody flushes and closes."""
        handler = build(kind)

        def work(seed: int) -> None:
            chance = random.Random(seed)
            for _ in range(600):
                handler.handle(record(chance.choice(LEVELS)))

        with Watching(handler) as watching:
            threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads) or watching.looks <= 10:
                handler.flush()
                handler.close()
            for thread in threads:
                thread.join(60)
        assert watching.wrong == []
        assert watching.looks > 10
        # A durable handler counts the line in which it tells a gap.
        assert handler.stats()["produced"] in (1_800, 1_801)

    @pytest.mark.parametrize("kind", ["drop", "journal"])
    def test_is_true(self, build: Build, kind: str) -> None:
        """What is called delivered reached every target, what failed did not."""
        handler = build(kind)
        with Watching(handler) as watching:
            for _ in range(500):
                handler.handle(record())
            assert handler.drain(60)
        assert watching.wrong == []
        stats = handler.stats()
        targets = [lane.target.handler for lane in handler._dispatch.lanes]
        notices = 1 if stats["dropped"] else 0
        assert all(stats["delivered"] <= target.got <= 500 + notices for target in targets)
        assert stats["produced"] == 500
        assert stats["pending"] == 0

    @pytest.mark.parametrize("kind", ["drop", "journal", "file", "s3"])
    def test_holds_in_forked_children(self, build: Build, kind: str) -> None:
        """From the first moment of a child on, and in its parent."""
        handler = build(kind)
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                handler.handle(record())
                stop.wait(0.0001)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            for _ in range(10):
                child = os.fork()
                if not child:
                    signal.alarm(60)
                    right = holds(handler.stats())
                    before = handler.stats()["produced"]
                    for _ in range(20):
                        handler.handle(record())
                        right = right and holds(handler.stats())
                    # With a journal it may have taken over what its dead brothers left.
                    right = right and handler.stats()["produced"] >= before + 20
                    os._exit(not right)
                assert os.waitpid(child, 0)[1] == 0
                assert holds(handler.stats())
        finally:
            stop.set()
            thread.join(60)

    def test_drops_before_the_targets_are_kept(self, build: Build) -> None:
        """What was counted while dictConfig was still at work is counted for ever."""
        handler = build("drop")
        handler._ledger.drop(record(), "no_target")
        handler.handle(record())
        handler.close()
        assert handler.stats()["dropped.no_target.INFO"] == 1
        assert handler.stats()["produced"] == 2

    def test_levels_made_up_at_run_time_open_few_counts(self, build: Build) -> None:
        """A level that is a counter must not grow the counts for ever."""
        handler = build("drop")
        for number in range(-500, 3_000):
            handler._ledger.drop(record(number), "overflow")
        assert len(handler.stats()) < 100
        assert holds(handler.stats())

    @settings(max_examples=50, deadline=None)
    @given(
        delivered=st.integers(0, 10**9),
        pending=st.integers(0, 10**9),
        drops=st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(1, 10**6)),
    )
    def test_totals_follow_from_the_counts(
        self, delivered: int, pending: int, drops: dict[str, int]
    ) -> None:
        """Whatever was counted, the totals fit."""
        counts = {f"dropped.{reason}": number for reason, number in drops.items()}
        assert holds(balanced(delivered, pending, {**counts}))


class TestHeartbeat:
    def test_tells_the_counts(self) -> None:
        """Once an interval a line has the four counts as fields, and they fit."""
        now = [0.0]
        heartbeat = Heartbeat(60, clock=lambda: now[0])
        stats = {"produced": 7, "delivered": 4, "pending": 2, "dropped": 1, "dropped.x.INFO": 1}
        handler = logging.NullHandler()
        handler.name = "console"
        assert heartbeat.due(handler, lambda: stats) is None
        now[0] = 60.0
        line = heartbeat.due(handler, lambda: stats)
        assert isinstance(line, SafeRecord)
        fields = {name: value for name, value in vars(line).items() if name.startswith("queue.")}
        assert fields == {
            "queue.handler": "console",
            "queue.produced": 7,
            "queue.delivered": 4,
            "queue.pending": 2,
            "queue.dropped": 1,
        }
        assert line.levelno == logging.INFO
        assert heartbeat.due(handler, lambda: stats) is None

    def test_is_off_by_default(self) -> None:
        """Nobody gets lines that nobody asked for."""
        now = [0.0]
        heartbeat = Heartbeat(None, clock=lambda: now[0])
        now[0] = 10.0**9
        assert heartbeat.due(logging.NullHandler(), dict) is None

    def test_a_name_that_may_not_stand_in_a_line_does_not(self) -> None:
        """A handler called by somebody's address speaks as its class."""
        now = [0.0]
        heartbeat = Heartbeat(1, clock=lambda: now[0])
        handler = logging.NullHandler()
        handler.name = "ada@example.com"
        now[0] = 1.0
        line = heartbeat.due(handler, dict)
        assert line is not None
        assert vars(line)["queue.handler"] == "NullHandler"

    def test_goes_to_the_targets_outside_the_counts(self) -> None:
        """A tick puts the line before every target; it is no record of the application's."""
        lines: list[logging.LogRecord] = []

        class Kept(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                lines.append(record)

        handler = AsyncHandler(handlers=[Kept()], heartbeat_seconds=1)
        handler.handle(record())
        assert handler._dispatch is not None
        handler._dispatch._heartbeat._last -= 1.0
        handler.tick()
        assert handler.drain(60)
        assert [vars(line).get("queue.produced") for line in lines] == [None, 1]
        assert handler.stats()["produced"] == 1
        handler.close()

    @pytest.mark.parametrize("seconds", [0, 0.5, -1, True, "60", 10**6])
    def test_nonsense_is_refused(self, seconds: object) -> None:
        """The error names the option."""
        with pytest.raises(crmlogging.ConfigurationError, match="heartbeat_seconds"):
            AsyncHandler(handlers=[logging.NullHandler()], heartbeat_seconds=seconds)
