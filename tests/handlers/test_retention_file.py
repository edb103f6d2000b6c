"""Promises of `RetentionFileHandler`: nothing lost, nothing kept too long, mistakes told early."""

from __future__ import annotations

import gc
import gzip
import json
import logging
import logging.config
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crmlogging import AllowlistFilter, AsyncHandler, JsonFormatter, RetentionFileHandler
from crmlogging.exceptions import ConfigurationError
from crmlogging.records import MOMENTS, SafeRecord
from tests.open_files import open_below

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")

NOV_21 = 1_795_219_200.0
DAY = 86_400
FIELDS: dict[str, Any] = {"request.method": "POST"}


class FakeClock:
    def __init__(self, now: float = NOV_21) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def safe(message: str = "contact synced", level: int = logging.INFO, **fields: Any) -> SafeRecord:
    """Build a record as `AllowlistFilter` would leave it."""
    plain = logging.makeLogRecord(
        {"name": "crm.sync", "msg": message, "args": None, "levelno": level}
    )
    plain.levelname = logging.getLevelName(level)
    return SafeRecord({**vars(plain), **fields})


Make = Callable[..., RetentionFileHandler]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Build a handler for ``logs/crm.jsonl`` with bare messages as lines; closed afterwards."""
    made: list[RetentionFileHandler] = []

    def build(name: str = "logs/crm.jsonl", **options: Any) -> RetentionFileHandler:
        handler = RetentionFileHandler(str(tmp_path / name), levels=False, **options)
        handler.setFormatter(logging.Formatter("%(message)s"))
        made.append(handler)
        return handler

    yield build
    for handler in made:
        handler.close()


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def sweeps_end() -> None:
    """Wait until no thread is left that sweeps."""
    for thread in threading.enumerate():
        if thread.name == "crmlogging-sweep":
            thread.join(60)
            assert not thread.is_alive()


class TestConstructor:
    def test_what_it_loads_comes_before_the_standard_library_knows_of_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A module that cannot be read leaves no half-built handler for logging to close."""
        # A list of its own: other tests' handlers leave logging's whenever garbage is collected.
        known: list[object] = []
        monkeypatch.setattr(logging, "_handlerList", known)
        monkeypatch.setitem(sys.modules, "crmlogging.storage.retention", None)
        with pytest.raises(ImportError):
            RetentionFileHandler(tmp_path / "crm.jsonl")
        assert known == []


class TestLines:
    def test_json_by_default(self, tmp_path: Path, make: Make) -> None:
        """Without a formatter every record is one JSON object on one line."""
        handler = make()
        handler.setFormatter(None)
        handler.handle(safe("two\nlines", **FIELDS))
        (line,) = (tmp_path / "logs/crm.jsonl").read_bytes().splitlines()
        assert json.loads(line)["request.method"] == "POST"

    def test_plain_formatter_keeps_its_text(self, tmp_path: Path, make: Make) -> None:
        """Any formatter works; what cannot be encoded is escaped, not lost."""
        make().handle(safe("first\nsecond \ud800"))
        assert (tmp_path / "logs/crm.jsonl").read_bytes() == b"first\nsecond \\ud800\n"

    def test_tiers_by_level(self, tmp_path: Path, make: Make) -> None:
        """Below INFO goes to the debug tier's file, INFO and above to the active one."""
        handler = make()
        for level in (5, 10, 19, 20, 30, 50):
            handler.handle(safe(str(level), level))
        assert (tmp_path / "logs/crm.debug.jsonl").read_bytes() == b"5\n10\n19\n"
        assert (tmp_path / "logs/crm.jsonl").read_bytes() == b"20\n30\n50\n"

    def test_without_a_debug_tier_all_go_together(self, tmp_path: Path, make: Make) -> None:
        """A service may keep everything equally long."""
        handler = make(tiers={"standard": 30})
        handler.handle(safe("debug", logging.DEBUG))
        assert names(tmp_path / "logs") == ["crm.jsonl"]

    def test_batch_is_written_like_single_records(self, tmp_path: Path, make: Make) -> None:
        """Filters apply, tiers are kept apart, order stays."""
        handler = make()
        handler.addFilter(lambda record: record.getMessage() != "not this")
        messages = ["a", "not this", "b", "c"]
        handler.handle_batch([safe("debug", logging.DEBUG), *map(safe, messages)])
        assert (tmp_path / "logs/crm.jsonl").read_bytes() == b"a\nb\nc\n"
        assert (tmp_path / "logs/crm.debug.jsonl").read_bytes() == b"debug\n"
        assert handler.stats()["delivered"] == 4

    def test_a_call_of_a_batch_that_fails_is_tried_by_itself(
        self, tmp_path: Path, make: Make
    ) -> None:
        """Behind a queue the lines of calls are made without records; none is lost with another."""
        handler = make()
        handler.setFormatter(JsonFormatter())
        render = JsonFormatter().format_bytes
        failed: list[Any] = []

        def fail_at_times(record: Any) -> bytes:
            if type(record) in MOMENTS and len(failed) < 3:
                failed.append(record)
                raise ValueError
            return render(record)

        handler._format_bytes = fail_at_times
        queue = AsyncHandler(handlers=[handler])
        queue.addFilter(AllowlistFilter(["@crm"]))
        logger = logging.getLogger("crmlogging.tests.batches")
        logger.propagate = False
        logger.setLevel(logging.INFO)
        logger.addHandler(queue)
        for number in range(300):
            logger.info("Synced", extra={"crm": "hubspot", "resource.id": str(number)})
        queue.close()
        logger.removeHandler(queue)
        lines = (tmp_path / "logs/crm.jsonl").read_bytes().splitlines()
        found = sorted(int(json.loads(line)["resource.id"]) for line in lines)
        assert found == list(range(300))
        assert len(failed) == 3

    def test_unsafe_record_is_masked_whole(
        self, tmp_path: Path, make: Make, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Whatever the configuration, what no AllowlistFilter has seen is not written out."""
        handler = make()
        handler.setFormatter(None)
        handler.handle(logging.makeLogRecord({"msg": "ada@example.com", "email": "ada@x.example"}))
        assert b"example" not in (tmp_path / "logs/crm.jsonl").read_bytes()
        assert "ada" not in capsys.readouterr().err

    def test_record_after_close_is_written(self, tmp_path: Path, make: Make) -> None:
        """A foreign dictConfig that closes the handler does not silence it."""
        handler = make()
        handler.close()
        handler.handle(safe("late"))
        assert (tmp_path / "logs/crm.jsonl").read_bytes() == b"late\n"

    @pytest.mark.parametrize("key", ["class", "()"])
    def test_dictconfig_builds_it(self, tmp_path: Path, key: str) -> None:
        """Both ways of writing it in a document take the options."""
        path = tmp_path / "crm.jsonl"
        handler = {
            key: "crmlogging.RetentionFileHandler",
            "filename": str(path),
            "max_bytes": 100,
            "levels": False,
        }
        document = {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"file": handler},
            "loggers": {"crm.document": {"handlers": ["file"], "level": "INFO"}},
        }
        logging.config.dictConfig(document)
        logging.getLogger("crm.document").handlers[0].handle(safe("hello"))
        assert json.loads(path.read_bytes())["message"] == "hello"


class TestRotationAndRetention:
    def test_life_of_a_file(self, tmp_path: Path, make: Make) -> None:
        """Rotated at midnight, compressed after 30 days, deleted after 90: exact directories."""
        clock = FakeClock(NOV_21)
        handler = make(clock=clock)
        handler.handle(safe("first day"))
        seen: dict[int, list[str]] = {}
        for day in (1, 29, 30, 90, 91):
            clock.now = NOV_21 + day * DAY
            handler.tick()
            if day == 1:
                handler.handle(safe("second day"))
            wait_for(lambda: handler._sweeper._thread is None)
            seen[day] = names(tmp_path / "logs")
        first = "crm.standard.2026-11-21.000001.jsonl"
        assert seen == {
            1: ["crm.jsonl", first],
            29: ["crm.jsonl", first],
            30: ["crm.jsonl", f"{first}.gz"],
            90: ["crm.jsonl", f"{first}.gz"],
            91: ["crm.jsonl"],
        }
        assert handler.stats()["deleted"] == handler.stats()["compressed"] == 1

    def test_full_files_are_compressed_in_the_background(self, tmp_path: Path, make: Make) -> None:
        """Every line is there once, in archives that any gzip reads."""
        handler = make(max_bytes=1_000)
        for number in range(200):
            handler.handle(safe(f"{number:019d}"))
        handler.close()
        logs = tmp_path / "logs"
        found: list[int] = []
        for name in names(logs):
            data = (logs / name).read_bytes()
            data = gzip.decompress(data) if name.endswith(".gz") else data
            found += map(int, data.split())
        assert sorted(found) == list(range(200))
        assert handler.stats()["rotated"] == 3
        assert sum(name.endswith(".gz") for name in names(logs)) == 3

    def test_start_finishes_what_was_left(self, tmp_path: Path, make: Make) -> None:
        """A process that was killed left work; the next one does it, without a record logged."""
        logs = tmp_path / "logs"
        logs.mkdir()
        (logs / "crm.debug.2020-01-01.000001.jsonl.gz").write_bytes(b"old")
        today = time.strftime("%Y-%m-%d", time.gmtime())
        (logs / f"crm.standard.{today}.000001.jsonl").write_bytes(b"line\n")
        make()
        wait_for(lambda: names(logs) == ["crm.jsonl", f"crm.standard.{today}.000001.jsonl.gz"])

    def test_compress_none_leaves_files_plain(self, tmp_path: Path, make: Make) -> None:
        """For those who compress elsewhere."""
        handler = make(max_bytes=10, compress=None)
        for _ in range(3):
            handler.handle(safe("12345678"))
        handler.close()
        assert not [name for name in names(tmp_path / "logs") if name.endswith(".gz")]

    def test_rotating_costs_nothing_more_where_files_only_age(
        self, make: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without compression and a bound, a full file is no reason to look at all of them."""
        handler = make(compress=None, max_bytes=20)
        asked: list[int] = []
        monkeypatch.setattr(handler._sweeper, "soon", lambda: asked.append(1))
        for _ in range(5):
            handler.handle(safe())
        assert handler.stats()["rotated"] >= 3
        assert asked == []

    def test_total_bytes_is_a_last_resort(self, tmp_path: Path, make: Make) -> None:
        """The oldest go before their time, counted; the active file never."""
        handler = make(max_bytes=100, total_bytes=350, compress=None)
        for number in range(50):
            handler.handle(safe(f"{number:019d}"))
        handler.close()
        logs = tmp_path / "logs"
        handler._sweeper.soon()
        wait_for(lambda: sum(path.stat().st_size for path in logs.iterdir()) <= 350)
        assert b"0049" in (logs / "crm.jsonl").read_bytes()
        assert handler.stats()["deleted.total_bytes"] > 0

    @pytest.mark.parametrize(
        ("fsync", "level", "expected"),
        [
            ("never", logging.CRITICAL, 0),
            ("error", logging.WARNING, 0),
            ("error", logging.ERROR, 1),
            ("batch", logging.INFO, 1),
        ],
    )
    def test_fsync_before_the_call_returns(
        self,
        make: Make,
        fsync_here: Callable[[Callable[[int], object]], None],
        fsync: str,
        level: int,
        expected: int,
    ) -> None:
        """As the option says, and only then."""
        calls: list[int] = []
        handler = make(fsync=fsync)
        fsync_here(calls.append)
        handler.handle(safe("x", level))
        assert len(calls) == expected


class TestProcesses:
    def test_killed_and_forked_writers_lose_nothing(self, tmp_path: Path) -> None:
        """3 processes of 3 threads, 16 KiB files, gzip, kills and forks: each line exactly once."""
        script = r"""
import logging, os, random, signal, sys, threading
from crmlogging import RetentionFileHandler
from crmlogging.records import SafeRecord
directory, name = sys.argv[1:]
handler = RetentionFileHandler(directory + "/logs/crm.jsonl", max_bytes=16_384, levels=False)
handler.setFormatter(logging.Formatter("%(message)s"))
plain = vars(logging.makeLogRecord({"levelno": 20, "levelname": "INFO", "args": None}))
def work(thread, name=name, count=800 if name[0] == "q" else 10**9):  # "p" is killed
    ack = os.open(f"{directory}/ack-{name}-{thread}", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for number in range(count):
        text = f"{name}-{thread} {number} " + "x" * random.randint(10, 300)
        handler.handle(SafeRecord({**plain, "msg": text}))
        os.write(ack, b"%d\n" % number)
threads = [threading.Thread(target=work, args=(each,)) for each in range(3)]
for each in threads: each.start()
child = os.fork()
if not child:
    signal.alarm(60)
    work("fork", name + "f", 200)
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
for each in threads: each.join()
"""

        def start(name: str) -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", script, str(tmp_path), name]
            )

        running = [start(f"p{number}") for number in range(3)]
        for number in range(3):
            wait_for((tmp_path / f"ack-p{number}-0").exists)
            running[number].send_signal(signal.SIGKILL)
            running.append(start(f"q{number}"))
        for number, process in enumerate(running):
            assert process.wait(60) == (-signal.SIGKILL if number < 3 else 0)
        wait_for(lambda: self.quiet(tmp_path))
        found: dict[tuple[bytes, int], int] = {}
        for path in (tmp_path / "logs").iterdir():
            if path.suffix == ".tmp":  # Of an archive, by a process that ended meanwhile.
                continue
            data = path.read_bytes()
            for line in (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines():
                name, number_text, rest = line.split(b" ")
                assert set(rest) == {ord("x")}
                key = (name, int(number_text))
                found[key] = found.get(key, 0) + 1
        assert set(found.values()) == {1}
        for ack in tmp_path.glob("ack-*"):
            who = ack.name.removeprefix("ack-").encode()
            assert all((who, int(each)) in found for each in ack.read_bytes().split())

    @staticmethod
    def quiet(tmp_path: Path) -> bool:
        """Tell whether the killed parents' forked children have come to their end."""
        acks = tmp_path.glob("ack-p*f-fork")
        return all(ack.read_bytes().count(b"\n") == 200 for ack in acks)

    def test_formatter_that_logs_is_cut_off(self, tmp_path: Path, make: Make) -> None:
        """A formatter that logs to its own handler is cut off, counted, and nothing else lost."""
        handler = make()

        class Chatty(logging.Formatter):
            def format(self, record: logging.LogRecord) -> str:
                handler.handle(safe("inner"))
                return super().format(record)

        handler.setFormatter(Chatty("%(message)s"))
        handler.handle(safe("outer"))
        written = (tmp_path / "logs/crm.jsonl").read_bytes().split()
        assert written.count(b"outer") == 1
        assert handler.stats()["dropped.recursion"] == 1
        assert handler.stats()["produced"] == len(written) + 1

    def test_signal_handler_may_log(self, tmp_path: Path) -> None:
        """Signals every millisecond, from the main thread and while others log: none is lost."""
        script = r"""
import logging, signal, sys, threading
from crmlogging import RetentionFileHandler
from crmlogging.records import SafeRecord
handler = RetentionFileHandler(sys.argv[1], levels=False, max_bytes=20_000)
handler.setFormatter(logging.Formatter("%(message)s"))
plain = vars(logging.makeLogRecord({"levelno": 20, "levelname": "INFO", "args": None}))
signals = 0
def log(text): handler.handle(SafeRecord({**plain, "msg": text}))
def on_signal(*_):
    global signals
    signals += 1
    log("signal")
signal.signal(signal.SIGALRM, on_signal)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
def work():
    for _ in range(2_000): log("thread")
threads = [threading.Thread(target=work) for _ in range(3)]
for each in threads: each.start()
work()
for each in threads: each.join()
signal.setitimer(signal.ITIMER_REAL, 0)
stats = handler.stats()
assert stats["produced"] == stats["delivered"] == 8_000 + signals, (stats, signals)
"""
        path = str(tmp_path / "crm.jsonl")
        subprocess.run([sys.executable, "-c", script, path], check=True, timeout=60)

    def test_other_descriptors_and_threads_do_not_grow(self, tmp_path: Path, make: Make) -> None:
        """A hundred handlers, made, used and dropped, leave no descriptor and no thread."""
        make().handle(safe())
        gc.collect()
        sweeps_end()  # the first handler's has the directory open
        before = open_below(tmp_path)
        for number in range(100):
            handler = RetentionFileHandler(str(tmp_path / f"x{number % 3}.jsonl"), levels=False)
            handler.handle(safe())
            handler.close()
            del handler
        gc.collect()
        sweeps_end()
        assert open_below(tmp_path) == before


class TestFailing:
    def test_full_disk_is_told_when_it_is_over(self, tmp_path: Path) -> None:
        """Records are counted by reason, writing resumes by itself, one line tells how many."""
        path = tmp_path / "crm.jsonl"
        child = os.fork()
        if not child:
            status = 1
            try:
                logging.raiseExceptions = False
                handler = RetentionFileHandler(str(path), levels=False)
                layout = "%(levelname)s %(message)s %(queue.dropped)s"
                handler.setFormatter(logging.Formatter(layout, defaults={"queue.dropped": "-"}))
                handler.handle(safe("before"))
                hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
                resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))
                for _ in range(3):
                    handler.handle(safe("lost" * 10))
                resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
                handler.handle(safe("after"))
                stats = handler.stats()
                wanted = {"produced": 6, "delivered": 3, "dropped.EFBIG": 3}
                status = 0 if {**stats, **wanted} == stats else 2
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert path.read_text().splitlines() == [
            "INFO before -",
            "INFO after -",
            "WARNING 3 records were lost in 0 s: EFBIG 3",
        ]

    def test_broken_formatter_is_counted_and_shows_nothing(
        self, make: Make, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Nothing is raised into the application and nothing printed of the record."""
        handler = make()

        class Broken(logging.Formatter):
            def format(self, record: logging.LogRecord) -> str:
                raise ValueError(record.msg)

        handler.setFormatter(Broken())
        handler.handle(safe("secret"))
        handler.handle_batch([safe("secret")])
        assert handler.stats()["dropped.error"] == 2
        assert "secret" not in capsys.readouterr().err


BAD = [
    pytest.param({"maxBytes": 1}, "maxBytes.*max_bytes", id="maxBytes"),
    pytest.param({"backupCount": 1}, "backupCount.*tiers", id="backupCount"),
    pytest.param({"when": "midnight"}, "when.*midnight UTC", id="when"),
    pytest.param({"encoding": "latin-1"}, "encoding.*UTF-8", id="encoding"),
    pytest.param({"delay": True}, "delay", id="delay"),
    pytest.param({"max_byte": 1}, "did you mean 'max_bytes'", id="typo"),
    pytest.param({"max_bytes": 0}, "max_bytes", id="no-size"),
    pytest.param({"max_bytes": "50 MB"}, "max_bytes", id="size-as-text"),
    pytest.param({"tiers": {"standard": 0}}, "tiers", id="zero-days"),
    pytest.param({"tiers": {"gold": 1}}, "tiers.*'gold'", id="unknown-tier"),
    pytest.param({"tiers": {}}, "tiers", id="no-tiers"),
    pytest.param({"tiers": 90}, "tiers", id="tiers-as-number"),
    pytest.param({"compress": "zip"}, "compress", id="codec"),
    pytest.param({"fsync": "always"}, "fsync", id="fsync"),
    pytest.param({"mode": "a"}, "mode", id="mode-of-open"),
    pytest.param({"mode": 0o400}, "mode", id="unwritable-mode"),
    pytest.param({"group": "no such group"}, "group", id="group"),
    pytest.param({"total_bytes": -1}, "total_bytes", id="negative-total"),
]


class TestConfiguration:
    @pytest.mark.parametrize(("options", "complaint"), BAD)
    def test_names_the_option(
        self, tmp_path: Path, options: dict[str, Any], complaint: str
    ) -> None:
        """A mistake is told at construction, with ours for what other handlers call it."""
        with pytest.raises(ConfigurationError, match=complaint):
            RetentionFileHandler(str(tmp_path / "crm.jsonl"), **options)
        assert not list(tmp_path.iterdir())

    def test_tells_everything_at_once(self, tmp_path: Path) -> None:
        """One error lists all that is wrong."""
        with pytest.raises(ConfigurationError) as caught:
            RetentionFileHandler(str(tmp_path / "a*b"), maxBytes=1, fsync="x", compress="y")
        assert len(caught.value.problems) == 4

    @pytest.mark.parametrize(
        "filename",
        [
            "../crm.jsonl",
            "logs/../../crm.jsonl",
            "crm\x00.jsonl",
            "crm\n.jsonl",
            "x" * 300 + ".jsonl",
            "x" * 240 + ".jsonl",
            "crm*.jsonl",
            "crm?.jsonl",
            "crm[1].jsonl",
            "app.log.1",
            "crm.jsonl.gz",
            "crm.standard.2026-11-21.000001.jsonl",
            "logs/",
            "",
            None,
            7,
            b"crm.jsonl",
        ],
    )
    def test_refuses_names_that_come_from_data(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filename: Any
    ) -> None:
        """A file name is a setting, not something a request may shape."""
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ConfigurationError, match="filename"):
            RetentionFileHandler(filename)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("plant", ["link", "hard link", "pipe", "directory"])
    @pytest.mark.parametrize("name", ["crm.jsonl", "crm.debug.jsonl"])
    def test_refuses_what_was_planted(self, tmp_path: Path, plant: str, name: str) -> None:
        """In place of either tier's file; what is behind it keeps its bytes."""
        victim = tmp_path / "victim"
        victim.write_bytes(b"untouched")
        planted = tmp_path / name
        if plant == "link":
            planted.symlink_to(victim)
        elif plant == "hard link":
            planted.hardlink_to(victim)
        elif plant == "pipe":
            os.mkfifo(planted)
        else:
            planted.mkdir()
        with pytest.raises(ConfigurationError, match="filename"):
            RetentionFileHandler(str(tmp_path / "crm.jsonl"))
        assert victim.read_bytes() == b"untouched"

    def test_refuses_a_place_it_cannot_write(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A parent that is a file, for one; or a working directory that was removed."""
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(ConfigurationError, match="filename: cannot write"):
            RetentionFileHandler(str(tmp_path / "file" / "crm.jsonl"))
        (tmp_path / "gone").mkdir()
        monkeypatch.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()
        with pytest.raises(ConfigurationError, match="working directory was removed"):
            RetentionFileHandler("crm.jsonl")

    def test_modes_and_group(self, tmp_path: Path, make: Make) -> None:
        """All files 0600 in a directory of 0700; with a group it may read."""
        before = os.umask(0)
        try:
            handler = make(max_bytes=10)
            shared = make("shared/crm.jsonl", max_bytes=10, group=os.getgid())
            for each in (handler, shared):
                for level in (10, 20, 20, 20):
                    each.handle(safe("12345678", level))
                each.close()
        finally:
            os.umask(before)
        for directory, mode in (("logs", 0o600), ("shared", 0o640)):
            assert stat.S_IMODE((tmp_path / directory).stat().st_mode) == 0o700
            paths = list((tmp_path / directory).iterdir())
            assert len(paths) == 4
            assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {mode}
