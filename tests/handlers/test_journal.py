"""Promises of ``AsyncHandler(journal=DIR)``: what was accepted arrives, whoever dies on the way."""

from __future__ import annotations

import json
import logging
import logging.config
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import crmlogging
from crmlogging import diagnostics
from crmlogging.diagnostics import tally
from crmlogging.exceptions import ConfigurationError
from crmlogging.handlers.async_handler import AsyncHandler
from crmlogging.handlers.journaling import Journaling
from crmlogging.records import SafeRecord
from crmlogging.storage.journal import Slip

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")

ROOT = Path(crmlogging.__file__).parents[1]
SETUP = """
import logging, os, signal, sys, threading, time
import crmlogging
from crmlogging.handlers.async_handler import AsyncHandler

class Target(logging.FileHandler):
    room = threading.Semaphore(10**9)
    def emit(self, record):
        self.room.acquire()
        super().emit(record)

directory, out = sys.argv[1:3]
target = Target(out)
target.setFormatter(logging.Formatter("%(record.id)s %(message)s %(resource.id)s %(process)d"))
handler = AsyncHandler(handlers=[target], journal=directory)
handler.addFilter(crmlogging.AllowlistFilter(["@crm"]))
logging.root.addHandler(handler)
logging.root.setLevel(logging.INFO)
def log(n): logging.info("Synced", extra={"resource.id": n})
def die(): os.kill(os.getpid(), signal.SIGKILL)
"""


def start(body: str, directory: Path, out: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SETUP + textwrap.dedent(body), directory, out],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(body: str, directory: Path, out: Path) -> tuple[int, str, str]:
    """Run `SETUP` and `body` to their end; returns status, stdout, stderr."""
    process = start(body, directory, out)
    printed, complained = process.communicate(timeout=60)
    return process.returncode, printed, complained


def delivered(out: Path) -> list[tuple[str, int]]:
    """Return record id and number of each line, in order."""
    if not out.exists():
        return []
    lines = [line.split() for line in out.read_text().splitlines()]
    return [(identity, int(number)) for identity, _, number, _ in lines]


def files(directory: Path) -> list[Path]:
    return sorted(each for each in directory.rglob("*") if each.is_file())


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def left_by_another(place: Path) -> Path:
    """Return a directory with what `place` holds, as a process that died would have left it."""
    other = place.parent / "other"
    other.mkdir()
    for file in files(place):
        label, hour, host, _, number = file.name.split("_")
        copy = other / "_".join([label, hour, host, "0" * 16, number])
        copy.write_bytes(file.read_bytes())
        copy.chmod(0o600)
    return other


class Kept(logging.Handler):
    """Keeps the records it gets; waits at a gate if it has one."""

    def __init__(self, gate: threading.Event | None = None) -> None:
        super().__init__()
        self.gate = gate
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if self.gate is not None:
            assert self.gate.wait(60)
        self.records.append(record)


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """Lend a logger cut off from root; its handlers are closed afterwards."""
    diagnostics._complaints._told.clear()  # each is told once a minute, in whichever test
    logger = logging.getLogger("crmlogging.tests.journal")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    yield logger
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


def behind(logger: logging.Logger, target: logging.Handler, place: Path, **more: Any) -> Any:
    handler = AsyncHandler(handlers=[target], journal=place, **more)
    handler.addFilter(crmlogging.AllowlistFilter(["@crm"]))
    logger.addHandler(handler)
    return handler


class TestDeath:
    def test_the_next_start_delivers_what_was_accepted(self, place: Path, out: Path) -> None:
        """Killed with 500 records in the queue, of which 100 were delivered: none is lost."""
        killed = """
        target.room = threading.Semaphore(100)
        for n in range(500): log(n)
        while len(open(out).readlines()) < 100: time.sleep(0.001)
        die()
        """
        assert run(killed, place, out)[0] == -signal.SIGKILL
        before = delivered(out)
        assert len(before) == 100
        status, _, complaints = run("log(500)", place, out)
        assert (status, complaints) == (0, "")
        after = delivered(out)
        assert {number for _, number in after} == set(range(501))
        # At most the batch that was in hand comes twice, under the same ids.
        assert len(after) <= 501 + 64
        assert len(set(after)) == 501
        assert files(place) == []

    def test_a_living_process_takes_over_within_a_minute(self, place: Path, out: Path) -> None:
        """What processes leave is delivered by another of the service."""
        now_and_then = "sys.stdin.readline(); handler._journal._look_at = 0; sys.stdin.readline()"
        living = start(now_and_then, place, out)
        others = [
            start("target.room = threading.Semaphore(0)\nfor n in range(50): log(n)\ndie()", *at)
            for at in [(place, out)] * 3
        ]
        assert [each.wait(60) for each in others] == [-signal.SIGKILL] * 3
        assert living.stdin is not None
        living.stdin.write("look\n")  # as it does every quarter of a minute
        living.stdin.flush()
        end = time.monotonic() + 60
        while len(set(delivered(out))) < 150 and time.monotonic() < end:
            time.sleep(0.1)
        living.communicate("\n", timeout=60)
        for each in others:
            each.communicate()
        # One of them may have taken over from another before it died, and repeated a batch.
        found = set(delivered(out))
        assert len(found) == len({identity for identity, _ in found}) == 150
        assert Counter(number for _, number in found) == dict.fromkeys(range(50), 3)
        assert files(place) == []

    def test_several_starts_at_once_share_the_work(self, place: Path, out: Path) -> None:
        """Each record that a dead process left is delivered by exactly one of four."""
        run("target.room = threading.Semaphore(0)\nfor n in range(300): log(n)\ndie()", place, out)
        body = "sys.stdin.readline()"
        starts = [start(body, place, out) for _ in range(4)]
        for each in starts:
            each.communicate("\n", timeout=60)
        assert sorted(number for _, number in delivered(out)) == list(range(300))
        assert files(place) == []

    def test_random_kills_lose_nothing(self, place: Path, out: Path) -> None:
        """Killed at any moment under load, three times: each accepted record arrives."""
        body = """
        def work(k):
            n = k
            while True:
                log(n)
                os.write(1, b"%d\\n" % n)
                n += 3
        first = int(sys.stdin.readline())
        for k in range(3): threading.Thread(target=work, args=(first + k,), daemon=True).start()
        time.sleep(30)
        """
        accepted: set[int] = set()
        for turn in range(3):
            process = start(body, place, out)
            assert process.stdin is not None
            process.stdin.write(f"{turn * 1_000_000}\n")
            process.stdin.flush()
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(200 + 313 * turn)]
            process.kill()
            rest, _ = process.communicate(timeout=60)
            accepted.update(int(line) for line in ("".join(lines) + rest).splitlines())
        # A process that ends while it still reads leaves the rest to the next one.
        starts = 0
        while files(place) and starts < 10:
            assert run("", place, out)[0] == 0
            starts += 1
        found = delivered(out)
        assert accepted <= {number for _, number in found}
        numbers_of: dict[str, set[int]] = {}
        for identity, number in found:
            numbers_of.setdefault(identity, set()).add(number)
        assert all(len(numbers) == 1 for numbers in numbers_of.values())
        assert files(place) == []

    @pytest.mark.parametrize("end", ["die()", "os._exit(0)"])
    def test_a_forked_child_has_a_journal_of_its_own(
        self, place: Path, out: Path, end: str
    ) -> None:
        """What children accept survives them; what waits in the parent stays the parent's."""
        body = f"""
        for n in range(40): log(n)
        for child in range(4):
            pid = os.fork()
            if not pid:
                target.room = threading.Semaphore(0)
                for n in range(10): log(100 + 10 * child + n)
                {end}
            os.waitpid(pid, 0)
            log(50 + child)
        """
        status, _, complaints = run(body, place, out)
        assert (status, complaints) == (0, "")
        assert run("", place, out)[0] == 0
        # A child may have taken over what its dead brother left, and died over that as well.
        numbers = {number for _, number in set(delivered(out))}
        assert numbers == {*range(40), *range(50, 54), *range(100, 140)}
        assert len(set(delivered(out))) == 84
        assert files(place) == []

    def test_terminated_processes_lose_nothing(self, place: Path, out: Path) -> None:
        """SIGTERM's default action runs no exit function: the next start delivers."""
        body = """
        target.room = threading.Semaphore(5)
        for n in range(50): log(n)
        print("accepted", flush=True)
        time.sleep(30)
        """
        process = start(body, place, out)
        assert process.stdout is not None
        assert process.stdout.readline() == "accepted\n"
        process.terminate()
        process.communicate(timeout=60)
        run("", place, out)
        assert {number for _, number in delivered(out)} == set(range(50))


class TestExit:
    def test_a_clean_exit_leaves_nothing(self, place: Path, out: Path) -> None:
        """Everything is delivered once, and the directory is empty, also of late records."""
        body = "for n in range(2_000): log(n)"
        late = SETUP.replace(
            "import logging,", "import atexit\natexit.register(lambda: log(2_000))\nimport logging,"
        )
        process = subprocess.run(
            [sys.executable, "-W", "error", "-c", late + body, place, out],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (process.returncode, process.stderr) == (0, "")
        assert [number for _, number in delivered(out)] == list(range(2_001))
        assert files(place) == []

    def test_a_hanging_target_leaves_them_for_the_next_start(self, place: Path, out: Path) -> None:
        """What could not be delivered in time is told as waiting, not dropped, and comes later."""
        body = """
        target.room = threading.Semaphore(3)
        handler._limits = handler._limits._replace(flush_seconds=0.2)
        for n in range(10): log(n)
        """
        status, _, complaints = run(body, place, out)
        assert status == 0
        assert "the journal has them for the next start" in complaints
        status, _, complaints = run("", place, out)
        assert complaints == ""
        assert {number for _, number in delivered(out)} == set(range(10))
        assert files(place) == []

    def test_close_keeps_what_waits_and_goes_on(self, logger: logging.Logger, place: Path) -> None:
        """A closed handler keeps its undelivered records, in order, and takes new ones."""
        gate = threading.Event()
        target = Kept(gate)
        handler = behind(logger, target, place, flush_seconds=0.1)
        logger.info("one")
        handler.close()
        assert len(files(place)) == 1
        logger.info("two")
        gate.set()
        assert handler.drain(60)
        handler.close()
        assert [record.msg for record in target.records] == ["one", "two"]
        assert files(place) == []


class TestContents:
    def test_only_safe_records_are_written(self, logger: logging.Logger, place: Path) -> None:
        """Without an allowlist a record is masked whole, in journal and target, and counted."""
        gate = threading.Event()
        target = Kept(gate)
        handler = AsyncHandler(handlers=[target], journal=place)
        logger.addHandler(handler)
        before = tally["unsafe_records"]
        logger.info("mail %s", "jane@example.com", extra={"email": "jane@example.com"})
        logger.info("mail " + "jane@example.com")
        written = b"".join(each.read_bytes() for each in files(place))
        assert b"jane" not in written
        assert b'"record.id"' in written
        assert tally["unsafe_records"] == before + 2
        gate.set()
        assert handler.drain(60)
        assert all(isinstance(record, SafeRecord) for record in target.records)

    def test_a_record_comes_back_as_it_was(self, logger: logging.Logger, place: Path) -> None:
        """Id, time, level, thread, fields, audit mark: another process delivers the same record."""
        fields = {"crm": "hubspot", "request.attempt": 3, "request.duration_ms": 1.5}
        gate = threading.Event()
        target = Kept(gate)
        handler = behind(logger, target, place)
        logger.warning("Failed", extra={**fields, "audit": True})
        other = left_by_another(place)
        again = Kept()
        heir = AsyncHandler(handlers=[again], journal=other)
        heir.tick()
        assert heir.drain(60)
        gate.set()
        assert handler.drain(60)
        (first,), (second,) = target.records, again.records
        assert vars(first) == vars(second)
        assert isinstance(second, SafeRecord)
        assert heir.stats() == {
            "produced": 1,
            "delivered": 1,
            "pending": 0,
            "dropped": 0,
            "journal.recovered": 1,
        }
        heir.close()
        assert files(other) == []

    @pytest.mark.parametrize(
        "value",
        [
            pytest.param("\ud800", id="lone-surrogate"),
            pytest.param(2**70, id="large-number"),
            pytest.param("a\nb\u2028c\r", id="line-ends"),
            pytest.param(["x", {"y": None}], id="nested"),
        ],
    )
    def test_any_plain_value_comes_back(self, place: Path, value: object) -> None:
        """What JSON writers disagree on is kept as well."""
        record = SafeRecord({**vars(logging.makeLogRecord({"msg": "m"})), "v": value})
        first = Journaling(str(place), 10**9)
        first.make()
        first.keep(record, Slip())
        (file,) = files(place)
        (line,) = [each for each in file.read_bytes().split(b"\n") if each.startswith(b"{")]
        taken = Taking()
        Journaling(str(left_by_another(place)), 10**9).feed(taken)
        assert [vars(each)["v"] for each in taken.records] == [value]
        assert json.loads(line)["msg"] == "m"

    def test_lines_that_are_no_records_are_counted(self, place: Path) -> None:
        """Sound appends with anything else in them neither stop the rest nor arrive."""
        first = Journaling(str(place), 10**9)
        first.make()
        for line in (b"{}", b"[]", b"no json", b'{"levelno": "x"}', b"done x"):
            first._journal.append(line + b"\n", Slip())
        first.keep(SafeRecord(vars(logging.makeLogRecord({"msg": "m"}))), Slip())
        taken = Taking()
        second = Journaling(str(left_by_another(place)), 10**9)
        second.feed(taken)
        assert [record.msg for record in taken.records] == ["m"]
        assert second.tally.snapshot() == {"journal.damaged": 5, "journal.recovered": 1}


class Taking:
    """Takes what a journal feeds it, as long as there is room."""

    def __init__(self, room: int = 1_000_000) -> None:
        self.records: list[logging.LogRecord] = []
        self.slips: list[Slip] = []
        self.room = room

    def has_room(self) -> bool:
        return len(self.records) < self.room

    def accept(self, record: logging.LogRecord, *, slip: Slip) -> None:
        self.records.append(record)
        self.slips.append(slip)


class TestBounds:
    def test_leftovers_leave_room_for_the_living(
        self, logger: logging.Logger, place: Path, out: Path
    ) -> None:
        """They come in portions, as the target takes them, and fill half of the queue at most."""
        run("target.room = threading.Semaphore(0)\nfor n in range(100): log(n)\ndie()", place, out)
        gate = threading.Event()
        target = Kept(gate)
        handler = behind(logger, target, place, capacity=20, overflow="drop")
        while handler.stats()["produced"] < 10:  # somebody else may tick as well
            handler.tick()
        assert handler.stats()["produced"] <= 11
        logger.info("new")
        gate.set()
        for _ in range(20):
            assert handler.drain(60)
            handler.tick()
        assert len(target.records) == 101
        assert handler.stats()["dropped"] == 0
        assert len({vars(record)["record.id"] for record in target.records}) == 101
        handler.close()
        assert files(place) == []

    def test_is_looked_at_now_and_then(self, place: Path, out: Path) -> None:
        """Once at the start, then four times a minute."""
        now = [0.0]
        journal = Journaling(str(place), 10**9, monotonic=lambda: now[0])
        journal.make()
        taken = Taking()
        journal.feed(taken)
        run("target.room = threading.Semaphore(0)\nlog(1)\ndie()", place, out)
        journal.feed(taken)
        assert taken.records == []
        now[0] = 15.0
        journal.feed(taken)
        assert len(taken.records) == 1

    def test_dropped_records_are_not_repeated(self, logger: logging.Logger, place: Path) -> None:
        """The queue's bounds hold for the journal; what they drop is dropped there as well."""
        gate = threading.Event()
        target = Kept(gate)
        handler = behind(logger, target, place, capacity=10, overflow="drop")
        for _ in range(100):
            logger.info("x")
        for _ in range(5):
            logger.warning("x")
        written = b"".join(each.read_bytes() for each in files(place))
        assert written.count(b'"record.id"') < 20
        gate.set()
        handler.close()
        assert files(place) == []
        stats = handler.stats()
        assert stats["produced"] == stats["delivered"] + stats["dropped"] == 105

    def test_a_full_journal_costs_no_record(
        self, logger: logging.Logger, place: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Beyond `journal_bytes` records wait in memory only, counted and told once."""
        gate = threading.Event()
        target = Kept(gate)
        handler = behind(logger, target, place, journal_bytes=3_000)
        for number in range(50):
            logger.info("x %d", number)
        stats = handler.stats()
        assert 40 < stats["journal.unwritten"] < 50
        assert capsys.readouterr().err.count("the journal is full") == 1
        gate.set()
        assert handler.drain(60)
        assert len(target.records) == 50

    def test_a_broken_disk_costs_no_record(
        self, logger: logging.Logger, place: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """When nothing can be written the application goes on as without a journal."""
        target = Kept()
        handler = behind(logger, target, place)
        place.rmdir()
        place.write_text("in the way")
        for number in range(50):
            logger.info("x %d", number)
        assert handler.drain(60)
        assert len(target.records) == 50
        assert handler.stats()["journal.unwritten"] == 50
        printed = capsys.readouterr().err
        # The look after what others left there, once a minute, may fail meanwhile as well.
        assert printed.count("memory only") == 1
        assert printed.count("\n") <= 2

    def test_a_limit_on_file_size_kills_nobody(self, place: Path, out: Path) -> None:
        """RLIMIT_FSIZE: a disk that takes half a line takes none, and records go on."""
        body = """
        import resource
        for n in range(3): log(n)
        handler.flush()
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        target.emit = lambda record: os.write(1, b"%d\\n" % getattr(record, "resource.id"))
        for n in range(3, 20): log(n)
        """
        status, printed, complaints = run(body, place, out)
        assert status == 0
        assert printed.split() == [str(n) for n in range(3, 20)]
        assert "memory only" in complaints
        assert files(place) == []


class TestReentrance:
    def test_signal_handlers_may_log(self, logger: logging.Logger, place: Path) -> None:
        """A handler that logs every millisecond while threads log: no deadlock, no loss."""
        target = Kept()
        handler = behind(logger, target, place, capacity=1_000_000, capacity_bytes=10**10)
        signals = 0

        def on_alarm(*_: object) -> None:
            nonlocal signals
            signals += 1
            logger.warning("signal")

        def work() -> None:
            for number in range(1_000):
                logger.info("x", extra={"request.attempt": number})

        before = signal.signal(signal.SIGALRM, on_alarm)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        try:
            threads = [threading.Thread(target=work) for _ in range(3)]
            for thread in threads:
                thread.start()
            work()
            for thread in threads:
                thread.join(60)
                assert not thread.is_alive()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert handler.drain(60)
        assert signals > 10
        stats = handler.stats()
        assert stats["produced"] == stats["delivered"] == 4_000 + signals
        handler.close()
        assert files(place) == []


class TestOptions:
    @pytest.mark.parametrize(
        "given",
        [
            pytest.param("", id="empty"),
            pytest.param(3, id="number"),
            pytest.param(True, id="yes"),
            pytest.param(b"journal", id="bytes"),
            pytest.param("a\0b", id="nul"),
            pytest.param("/dev/null", id="device"),
            pytest.param("/dev/null/journal", id="below-a-file"),
        ],
    )
    def test_what_is_no_directory_is_refused(self, given: object) -> None:
        """The error names the option, and nothing else is complained about."""
        with pytest.raises(ConfigurationError, match="AsyncHandler: journal: ") as caught:
            AsyncHandler(handlers=[Kept()], journal=given)
        assert len(caught.value.problems) == 1

    def test_a_queue_has_no_journal(self, place: Path) -> None:
        """Without targets there is nothing to deliver to."""
        import queue

        with pytest.raises(ConfigurationError, match="journal: needs targets"):
            AsyncHandler(queue.Queue(), journal=place)
        assert not place.exists()

    @pytest.mark.parametrize("bound", [0, -1, "1 GB", 1.5])
    def test_a_bound_that_is_none_is_refused(self, place: Path, bound: object) -> None:
        """A number of bytes, from 1 up."""
        with pytest.raises(ConfigurationError, match="journal_bytes"):
            AsyncHandler(handlers=[Kept()], journal=place, journal_bytes=bound)

    def test_a_link_that_somebody_planted_is_none(self, place: Path) -> None:
        """A dangling link is no directory."""
        place.symlink_to("/nonexistent/place")
        with pytest.raises(ConfigurationError, match="journal"):
            AsyncHandler(handlers=[Kept()], journal=place)

    @pytest.mark.parametrize("key", ["()", "class"])
    def test_documents_may_name_it(self, place: Path, key: str) -> None:
        """As any option, on every Python, under both keys."""
        document = {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {
                "target": {"class": "logging.NullHandler"},
                "out": {
                    key: "crmlogging.AsyncHandler",
                    "handlers": ["target"],
                    "journal": str(place),
                },
            },
            "loggers": {"crmlogging.tests.journal": {"handlers": ["out"], "level": "INFO"}},
        }
        if key == "class":
            document["handlers"]["out"]["class"] = "crmlogging.handlers.async_handler.AsyncHandler"  # type: ignore[index]  # a document is what it is
        for _ in range(2):
            logging.config.dictConfig(document)
            logger = logging.getLogger("crmlogging.tests.journal")
            logger.propagate = False
            logger.info("x")
            (handler,) = logger.handlers
            assert isinstance(handler, AsyncHandler)
            assert len(files(place)) <= 1
            assert handler._journal is not None
        logger.removeHandler(handler)
        handler.close()
        assert files(place) == []

    def test_two_handlers_with_one_journal_are_told(
        self, place: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """After a crash either might deliver what the other left."""
        first = AsyncHandler(handlers=[Kept()], journal=place)
        second = AsyncHandler(handlers=[Kept()], journal=place)
        assert capsys.readouterr().err.count("two handlers have one journal") == 1
        first.close()
        second.close()
