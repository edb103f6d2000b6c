"""Promises about targets: one that fails, hangs or logs harms neither the others nor the caller."""

from __future__ import annotations

import gc
import io
import logging
import logging.handlers
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from crmlogging.diagnostics import tally
from crmlogging.filters.allowlist import AllowlistFilter
from crmlogging.formatters.json_formatter import JsonFormatter
from crmlogging.handlers.async_handler import AsyncHandler
from crmlogging.handlers.targets import DescriptorTarget, target_for
from crmlogging.records import SafeRecord


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """Lend a logger cut off from root; its handlers are closed afterwards."""
    logger = logging.getLogger("crmlogging.tests.targets")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    yield logger
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


def behind(logger: logging.Logger, *targets: logging.Handler, **options: Any) -> AsyncHandler:
    """Put an AsyncHandler with `targets` on `logger`."""
    handler = AsyncHandler(handlers=targets, **options)
    logger.addHandler(handler)
    return handler


class Kept(logging.Handler):
    """Keeps the messages it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class Raising(Kept):
    """Raises on each record whose message starts with "bad"."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("bad"):
            raise self.error
        super().emit(record)


class Batches(Kept):
    """Takes many at a time, and writes what formatters write."""

    def handle_batch(self, records: Collection[logging.LogRecord]) -> None:
        for record in records:
            record.message = record.getMessage() + "!"
            self.emit(record)


class TestSafeRecords:
    """What an allowlist lets through waits in a short form, of which no target knows."""

    def test_every_kind_of_target_gets_the_same(
        self, logger: logging.Logger, tmp_path: Path
    ) -> None:
        """A file of JSON lines, one behind a filter, one of text, and a handler of any make."""
        paths = [tmp_path / name for name in ("plain", "filtered", "text")]
        files = [logging.FileHandler(path, encoding="utf-8") for path in paths]
        for file in files[:2]:
            file.setFormatter(JsonFormatter())
        files[1].addFilter(lambda record: vars(record)["resource.id"] != "7")
        files[2].setFormatter(logging.Formatter("%(message)s %(resource.id)s %(threadName)s"))
        kept, batches = Kept(), Batches()
        handler = behind(logger, *files, kept, batches)
        handler.addFilter(AllowlistFilter(["@crm"]))
        for number in range(50):
            logger.info("Synced %s", number, extra={"resource.id": str(number), "email": "a@b.c"})
        handler.close()
        for file in files:
            file.close()
        plain, filtered, text = (path.read_text().splitlines() for path in paths)
        every = [orjson.loads(line) for line in plain]
        assert [line["resource.id"] for line in every] == [str(n) for n in range(50)]
        assert {line["email"] for line in every} == {"[REDACTED]"}
        assert filtered == plain[:7] + plain[8:]
        assert text == [f"Synced %s {n} MainThread" for n in range(50)]
        assert kept.lines == batches.lines == ["Synced %s"] * 50

    def test_a_formatter_of_the_queue_is_obeyed(self, logger: logging.Logger) -> None:
        """One set on the AsyncHandler makes the message, as with QueueHandler."""
        kept = Kept()
        handler = behind(logger, kept)
        handler.addFilter(AllowlistFilter(["@crm"]))
        handler.setFormatter(logging.Formatter("<%(message)s>"))
        for _ in range(20):
            logger.info("Synced")
        handler.flush()
        assert kept.lines == ["<Synced>"] * 20

    def test_a_subclass_has_its_say(self, logger: logging.Logger) -> None:
        """An overridden `prepare` sees every record, as the standard library promises."""

        class Prefixing(AsyncHandler):
            def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
                return SafeRecord({**vars(record), "msg": f"our {record.getMessage()}"})

        kept = Kept()
        handler = Prefixing(handlers=[kept])
        logger.addHandler(handler)
        handler.addFilter(AllowlistFilter(["@crm"]))
        for _ in range(20):
            logger.info("Synced")
        handler.flush()
        assert kept.lines == ["our Synced"] * 20


class TestFailingTarget:
    @pytest.mark.parametrize(
        "error",
        [ValueError("secret"), SystemExit(1), KeyboardInterrupt()],
        ids=lambda e: type(e).__name__,
    )
    def test_loses_only_its_own_record(
        self,
        logger: logging.Logger,
        error: BaseException,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """What raises is counted, shown without contents, and everything else is delivered."""
        raising, other = Raising(error), Kept()
        handler = behind(logger, raising, other)
        for message in ("one", "bad jane@example.com", "two"):
            logger.info(message)
        assert handler.drain(60)
        # A tick may have told the drop already.
        seen = [[line for line in each.lines if "dropped" not in line] for each in (raising, other)]
        assert seen == [["one", "two"], ["one", "bad jane@example.com", "two"]]
        stats = handler.stats()
        assert (stats["delivered"], stats["dropped.failed.INFO"]) == (2, 1)
        printed = capsys.readouterr().err
        assert "jane" not in printed
        assert "secret" not in printed

    def test_failure_hidden_by_handleerror_is_counted(
        self, logger: logging.Logger, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Standard handlers swallow their errors and print the arguments; here they do neither."""
        closed = io.StringIO()
        closed.close()
        handler = behind(logger, logging.StreamHandler(closed))
        logger.info("mail %s", "jane@example.com")
        assert handler.drain(60)
        assert handler.stats()["dropped.failed.INFO"] == 1
        assert "jane" not in capsys.readouterr().err

    def test_own_error_handling_of_a_target_stays(self, logger: logging.Logger) -> None:
        """A handler that treats its errors itself goes on doing so."""
        treated: list[str] = []

        class Treating(logging.StreamHandler[Any]):
            def handleError(self, record: logging.LogRecord) -> None:
                treated.append(record.getMessage())

        closed = io.StringIO()
        closed.close()
        handler = behind(logger, Treating(closed))
        logger.info("one")
        assert handler.drain(60)
        assert treated == ["one"]

    def test_killed_worker_is_replaced(
        self, logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A thread that an exception ended is started again by the next tick; nothing else ends."""
        target, other = Kept(), Kept()
        handler = behind(logger, target, other)
        logger.info("one")
        assert handler.drain(60)
        assert handler._dispatch is not None
        lane = handler._dispatch.lanes[0]
        deliver, died = lane.target.deliver, threading.Event()

        def die(records: object) -> Collection[int]:
            monkeypatch.setattr(lane.target, "deliver", deliver)
            died.set()
            raise SystemExit

        monkeypatch.setattr(lane.target, "deliver", die)
        for message in ("two", "three", "four"):
            logger.info(message)
        assert died.wait(60)
        end = time.monotonic() + 60
        while "four" not in target.lines and time.monotonic() < end:
            handler.tick()
            time.sleep(0.01)
        assert "four" in target.lines
        assert handler.drain(60)
        assert other.lines[:4] == ["one", "two", "three", "four"]
        stats = handler.stats()
        assert stats["produced"] == 4 == stats["delivered"] + stats["dropped.failed.INFO"]


class TestHangingTarget:
    def test_does_not_starve_others(self, logger: logging.Logger) -> None:
        """While one target hangs, the other gets all records and the caller does not wait."""
        gate = threading.Event()

        class Hanging(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                gate.wait(60)

        class Other(Kept):
            def emit(self, record: logging.LogRecord) -> None:
                super().emit(record)
                if len(self.lines) == 1_000:
                    had_all.set()

        had_all, other = threading.Event(), Other()
        handler = behind(logger, Hanging(), other)
        for number in range(1_000):
            logger.info("%d", number)
        assert had_all.wait(50)  # The other one still hangs.
        assert other.lines == [str(n) for n in range(1_000)]
        assert handler.stats()["pending"] == 1_000
        gate.set()
        assert handler.drain(60)
        assert handler.stats()["delivered"] == 1_000

    def test_one_that_comes_back_did_not_fail(self, logger: logging.Logger) -> None:
        """A handler given up at a close that then does its work has done it, in peace."""
        gate = threading.Event()

        class Hanging(Kept):
            def emit(self, record: logging.LogRecord) -> None:
                gate.wait(60)
                super().emit(record)

        target = Hanging()
        handler = behind(logger, target, flush_seconds=0.1)
        logger.info("one")
        handler.close()
        logger.info("two")
        gate.set()
        assert handler.drain(60)
        assert target.lines == ["one", "two"]
        assert handler.stats() == {"produced": 2, "delivered": 2, "pending": 0, "dropped": 0}

    def test_slow_target_leaves_the_caller_alone(
        self, logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With ``drop`` two thousand calls come back while the target has its first record."""
        gate, waits = threading.Event(), list[float]()
        taken: list[int] = []

        class Slow(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                gate.wait(60)
                taken.append(threading.get_ident())

        handler = behind(logger, Slow(), capacity=100, overflow="drop", flush_seconds=0)
        logger.info("x")
        assert handler._dispatch is not None
        budget = handler._dispatch._budget
        spend = budget.spend

        def note(seconds: float) -> None:
            waits.append(seconds)
            spend(seconds)

        monkeypatch.setattr(budget, "spend", note)
        for _ in range(1_999):
            logger.info("x")
        assert (taken, waits) == ([], [])
        stats = handler.stats()
        assert (stats["pending"], stats["dropped"]) == (100, 1_900)
        gate.set()
        assert handler.drain(60)
        assert threading.get_ident() not in taken


class TestReentrance:
    def test_a_target_that_logs_comes_to_an_end(self, logger: logging.Logger) -> None:
        """What a target logs is delivered; what it logs while delivering that is cut, counted."""

        class Chatty(Kept):
            def emit(self, record: logging.LogRecord) -> None:
                super().emit(record)
                if "dropped" not in record.getMessage():  # the handler's own line about it
                    logger.warning("wrote %s", record.getMessage())

        target = Chatty()
        handler = behind(logger, target)
        for number in range(20):
            logger.info("%d", number)
        assert handler.drain(60)
        assert len([line for line in target.lines if line.startswith("wrote")]) == 20
        stats = handler.stats()
        assert (stats["delivered"], stats["dropped.reentrant.WARNING"]) == (40, 20)

    def test_a_worker_never_waits_for_room_in_its_own_queue(self, logger: logging.Logger) -> None:
        """Nobody else could make room."""
        gate = threading.Event()

        class Chatty(Kept):
            def emit(self, record: logging.LogRecord) -> None:
                super().emit(record)
                gate.wait(60)
                logger.info("no room")

        handler = behind(logger, Chatty(), capacity=2, block_seconds=60)
        logger.info("one")
        logger.info("two")
        gate.set()
        assert handler.drain(60)
        assert handler.stats()["dropped"] > 0

    def test_two_handlers_that_log_into_each_other_come_to_an_end(
        self, logger: logging.Logger
    ) -> None:
        """The depth is known across handlers and their threads."""

        class Chatty(Kept):
            def emit(self, record: logging.LogRecord) -> None:
                super().emit(record)
                logger.warning("again")

        handlers = [behind(logger, Chatty()), behind(logger, Chatty())]
        logger.info("first")
        for _ in range(3):
            assert all(handler.drain(60) for handler in handlers)
        produced = [handler.stats()["produced"] for handler in handlers]
        assert max(produced) <= 10

    def test_flush_from_within_a_target_returns(self, logger: logging.Logger) -> None:
        """A worker that waited for itself would wait for ever."""
        done = threading.Event()

        class Flushing(Kept):
            def emit(self, record: logging.LogRecord) -> None:
                handler.flush()
                handler.close()
                super().emit(record)
                done.set()

        target = Flushing()
        handler = behind(logger, target, flush_seconds=30)
        logger.info("one")
        assert done.wait(60)
        assert handler.drain(60)

    def test_signal_handlers_may_log(self, logger: logging.Logger) -> None:
        """A handler that logs every millisecond while threads log: no deadlock, no loss."""
        target = Kept()
        handler = behind(logger, target, capacity=1_000_000, capacity_bytes=10**10)
        signals = 0

        def on_alarm(*_: object) -> None:
            nonlocal signals
            signals += 1
            logger.warning("signal")

        def work() -> None:
            for number in range(3_000):
                logger.info("%d", number)

        before = signal.signal(signal.SIGALRM, on_alarm)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        try:
            threads = [threading.Thread(target=work) for _ in range(3)]
            for thread in threads:
                thread.start()
            work()
            for thread in threads:
                thread.join(60)
            handler.flush()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert handler.drain(60)
        assert signals > 10
        stats = handler.stats()
        assert stats["produced"] == stats["delivered"] == 12_000 + signals
        assert target.lines.count("signal") == signals

    def test_destructors_may_log(self, logger: logging.Logger) -> None:
        """`__del__` in the caller or in the worker, in the middle of anything: all arrives."""

        class Dying:
            def __init__(self) -> None:
                self.itself = self

            def __del__(self) -> None:
                logger.info("died")

        class Littering(Kept):
            def emit(self, record: logging.LogRecord) -> None:
                super().emit(record)
                if record.getMessage() == "lives":
                    Dying()
                    gc.collect()

        target = Littering()
        handler = behind(logger, target)
        gc.freeze()  # so that a collection looks at what is made here
        try:
            for _ in range(10):
                logger.info("lives")
                Dying()
            gc.collect()
            assert handler.drain(60)
            gc.collect()
            assert handler.drain(60)
        finally:
            gc.unfreeze()
        assert target.lines.count("lives") == 10
        stats = handler.stats()
        assert target.lines.count("died") + stats["dropped"] == 20


class TestDescriptors:
    """Stream handlers are written to by descriptor, so that no lock of a stream is held."""

    @pytest.fixture
    def pipe(self) -> Iterator[tuple[int, io.TextIOWrapper]]:
        """Yield the reading descriptor and a stream that writes."""
        reading, writing = os.pipe()
        stream = os.fdopen(writing, "w", encoding="utf-8")
        yield reading, stream
        stream.close()
        os.close(reading)

    def test_writes_what_the_handler_would_write(
        self, logger: logging.Logger, pipe: tuple[int, io.TextIOWrapper]
    ) -> None:
        """Formatter, terminator and encoding are the handler's; pending prints go first."""
        reading, stream = pipe
        target = logging.StreamHandler(stream)
        target.terminator = "|\n"
        target.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        stream.write("printed\n")
        handler = behind(logger, target)
        logger.info("caf\u00e9")
        assert handler.drain(60)
        assert os.read(reading, 1_000).decode() == "printed\nINFO caf\u00e9|\n"

    def test_a_shared_pipe_gets_whole_lines(
        self,
        logger: logging.Logger,
        pipe: tuple[int, io.TextIOWrapper],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """No write is longer than what the kernel takes in one piece, unless one line is."""
        reading, stream = pipe
        writes: list[bytes] = []
        write = os.write

        def see(descriptor: int, chunk: bytes) -> int:
            if descriptor == stream.fileno():
                writes.append(bytes(chunk))
            return write(descriptor, chunk)

        monkeypatch.setattr(os, "write", see)
        handler = behind(logger, logging.StreamHandler(stream))
        for number in range(200):
            logger.info("%d %s", number, "x" * 300)
        logger.info("y" * 10_000)
        drinking = threading.Thread(target=lambda: handler.drain(60))
        drinking.start()
        read = b""
        while not read.endswith(b"yyy\n"):
            read += os.read(reading, 65_536)
        drinking.join(60)
        assert all(chunk.endswith(b"\n") for chunk in writes)
        assert [chunk for chunk in writes if len(chunk) > 4_096] == [b"y" * 10_000 + b"\n"]
        assert len(writes) < 60
        assert len(read.splitlines()) == 201

    def test_a_pipe_that_would_block_is_waited_for(
        self, logger: logging.Logger, pipe: tuple[int, io.TextIOWrapper]
    ) -> None:
        """A descriptor that somebody made non-blocking loses nothing."""
        reading, stream = pipe
        os.set_blocking(stream.fileno(), False)
        handler = behind(logger, logging.StreamHandler(stream))
        logger.info("x" * 500_000)
        read = b""
        while not read.endswith(b"\n"):
            read += os.read(reading, 65_536)
        assert handler.drain(60)
        assert len(read) == 500_001
        assert handler.stats()["delivered"] == 1

    def test_a_reader_that_went_is_a_counted_failure(self, logger: logging.Logger) -> None:
        """EPIPE drops the record, counts it and ends nothing."""
        reading, writing = os.pipe()
        os.close(reading)
        stream = os.fdopen(writing, "w")
        handler = behind(logger, logging.StreamHandler(stream))
        logger.info("one")
        assert handler.drain(60)
        assert handler.stats()["dropped.failed.INFO"] == 1
        stream.close()

    @pytest.mark.parametrize("delay", [True, False])
    def test_files_are_opened_and_kept(
        self, logger: logging.Logger, tmp_path: Path, delay: bool
    ) -> None:
        """A FileHandler with `delay` opens its file at its first record."""
        target = logging.FileHandler(tmp_path / "out.log", delay=delay)
        handler = behind(logger, target)
        logger.info("one")
        assert handler.drain(60)
        assert (tmp_path / "out.log").read_text() == "one\n"
        target.close()

    def test_a_full_disk_costs_no_line_but_those_it_refused(
        self, logger: logging.Logger, tmp_path: Path
    ) -> None:
        """Lines before the end of the room are delivered, and the one that was cut is finished."""
        path, hard = tmp_path / "out.log", resource.getrlimit(resource.RLIMIT_FSIZE)
        target = logging.FileHandler(path)
        handler = behind(logger, target)
        with target.lock or threading.RLock():  # All in one write.
            for number in range(10):
                logger.info("record %d", number)
        resource.setrlimit(resource.RLIMIT_FSIZE, (42, hard[1]))
        try:
            assert handler.drain(60)
            for _ in range(3):
                logger.info("refused")
            assert handler.drain(60)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, hard)
        stats = handler.stats()
        assert (stats["delivered"], stats["dropped.failed.INFO"]) == (4, 9)
        handler.flush()
        whole = [f"record {number}" for number in range(5)]
        assert path.read_text().splitlines()[:5] == whole
        logger.info("last")
        handler.close()
        target.close()
        later = [line for line in path.read_text().splitlines()[5:] if "dropped" not in line]
        assert later == ["last"]

    def test_a_flush_finishes_a_line(self, tmp_path: Path) -> None:
        """Nobody may log again before the end of the process."""
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        file = logging.FileHandler(tmp_path / "out.log")
        target = target_for(file, respect_level=True)
        record = logging.makeLogRecord({"msg": "record", "levelno": logging.INFO})
        resource.setrlimit(resource.RLIMIT_FSIZE, (3, hard[1]))
        try:
            assert list(target.deliver([record])) == [0]
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, hard)
        target.flush()
        assert (tmp_path / "out.log").read_text() == "record\n"
        file.close()

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    def test_the_mark_of_an_encoding_stands_once(
        self, logger: logging.Logger, tmp_path: Path, encoding: str
    ) -> None:
        """A byte order mark is the beginning of a file, not of a line."""
        target = logging.FileHandler(tmp_path / "out.log", encoding=encoding)
        handler = behind(logger, target)
        for number in range(3):
            logger.info("record %d", number)
        assert handler.drain(60)
        target.close()
        assert (tmp_path / "out.log").read_text(encoding) == "record 0\nrecord 1\nrecord 2\n"

    @pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
    def test_what_an_encoding_has_not_is_escaped(
        self, logger: logging.Logger, tmp_path: Path, encoding: str
    ) -> None:
        """A terminal of another age loses no line, and the line stays JSON."""
        target = logging.FileHandler(tmp_path / "old", encoding=encoding)
        target.setFormatter(JsonFormatter())
        handler = AsyncHandler(handlers=[target], levels=False)
        handler.addFilter(AllowlistFilter([{"campaign.name": "text"}]))
        logger.addHandler(handler)
        names = ["Grüße", "Ωμέγα €", "\U0001f600"]
        for name in names:
            logger.info("Synced", extra={"campaign.name": name})
        handler.close()
        target.close()
        lines = (tmp_path / "old").read_text(encoding).splitlines()
        assert [orjson.loads(line)["campaign.name"] for line in lines] == names

    def test_a_file_closed_meanwhile_is_opened_again(
        self, logger: logging.Logger, tmp_path: Path
    ) -> None:
        """As by a dictConfig: its number may be another file's by then, which gets no line."""
        others: list[int] = []

        class Closing(logging.Formatter):
            def format(self, record: logging.LogRecord) -> str:
                assert target.stream is not None
                number = target.stream.fileno()
                target.close()
                others.append(os.open(tmp_path / "other", os.O_CREAT | os.O_WRONLY))
                assert others == [number]
                return super().format(record)

        target = logging.FileHandler(tmp_path / "out.log")
        target.setFormatter(Closing())
        handler = behind(logger, target)
        logger.info("one")
        assert handler.drain(60)
        assert (tmp_path / "out.log").read_text() == "one\n"
        assert (tmp_path / "other").read_text() == ""
        target.close()
        os.close(others[0])

    def test_rotating_handlers_rotate(self, logger: logging.Logger, tmp_path: Path) -> None:
        """A handler with an `emit` of its own is called as usual."""
        target = logging.handlers.RotatingFileHandler(
            tmp_path / "out.log", maxBytes=100, backupCount=50
        )
        handler = behind(logger, target)
        for number in range(100):
            logger.info("record %d", number)
        assert handler.drain(60)
        target.close()
        lines = [line for file in tmp_path.iterdir() for line in file.read_text().splitlines()]
        assert sorted(lines) == sorted(f"record {n}" for n in range(100))

    @pytest.mark.parametrize(
        "make",
        [
            pytest.param(lambda: logging.StreamHandler(io.StringIO()), id="in-memory"),
            pytest.param(
                lambda: logging.StreamHandler(io.TextIOWrapper(io.BytesIO())), id="wrapped-memory"
            ),
        ],
    )
    def test_streams_without_descriptor_are_written_as_usual(
        self, logger: logging.Logger, make: Callable[[], logging.StreamHandler[Any]]
    ) -> None:
        """What is not simply a file is left to the handler."""
        target = make()
        handler = behind(logger, target)
        logger.info("one")
        assert handler.drain(60)
        target.stream.seek(0)
        assert target.stream.read() == "one\n"

    def test_a_replaced_stream_is_followed(
        self, logger: logging.Logger, pipe: tuple[int, io.TextIOWrapper]
    ) -> None:
        """After `setStream` records go to the new stream."""
        reading, stream = pipe
        first = io.StringIO()
        target: logging.StreamHandler[Any] = logging.StreamHandler(first)
        handler = behind(logger, target)
        logger.info("one")
        assert handler.drain(60)
        target.setStream(stream)
        logger.info("two")
        assert handler.drain(60)
        assert (first.getvalue(), os.read(reading, 100)) == ("one\n", b"two\n")

    def test_only_standard_handlers_are_bypassed(self) -> None:
        """A subclass that changes how records are handled is called."""

        class Counting(logging.StreamHandler[Any]):
            def emit(self, record: logging.LogRecord) -> None:
                super().emit(record)

        plain = target_for(logging.StreamHandler(sys.stdout), respect_level=True)
        assert isinstance(plain, DescriptorTarget)
        changed = target_for(Counting(sys.stdout), respect_level=True)
        assert not isinstance(changed, DescriptorTarget)


def test_complaints_are_counted(logger: logging.Logger) -> None:
    """Each failure of a target raises a counter of the process."""
    name = "errors.AsyncHandler: Raising.ValueError"
    before = tally[name]
    handler = behind(logger, Raising(ValueError("x")))
    logger.info("bad")
    assert handler.drain(60)
    assert tally[name] == before + 1
