"""Promises for every single step: a death or a failing disk there loses, tears and repeats nothing.

Python announces what it is about to do with the file system by audit events (PEP 578). A child
process dies at the first of them, the next child at the second, and so on to the end.
"""

from __future__ import annotations

import errno
import gzip
import io
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crmlogging.crypto.keys import PrivateKey, PrivateKeys
from crmlogging.diagnostics import Tally
from crmlogging.storage.lines import read_lines
from crmlogging.storage.retention import Sweep
from crmlogging.storage.rotation import Names, RotatingAppender
from crmlogging.storage.segment_writer import SegmentWriter
from crmlogging.storage.spool import ReadyObject, Spool

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")

EVENTS = frozenset(
    (
        *("open", "os.rename", "os.remove", "os.truncate", "os.mkdir", "os.link", "os.listdir"),
        *("os.scandir", "fcntl.flock"),
    )
)
FAILURES = [errno.ENOSPC, errno.EMFILE]


@pytest.fixture(autouse=True)
def _power_stays_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no disk: the kernel outlives the dead (`test_power_cuts` is where it does not)."""
    monkeypatch.setattr(os, "fsync", os.fstat)  # which refuses the same descriptors


def run(work: Callable[[], None], under: Path, step: int, effect: Callable[[], None]) -> int:
    """Return the exit status of a child in which `effect` happens before step `step`."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        signal.alarm(30)
        left = step

        def look(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal left
            if event not in EVENTS:
                return
            if event == "fcntl.flock" or str(arguments[0]).startswith(str(under)):
                left -= 1
                if left == 0:
                    effect()

        sys.addaudithook(look)
        work()
        status = 0
    finally:
        os._exit(status)


def deaths(work: Callable[[], None], under: Path) -> Iterator[int]:
    """Yield after each child that was killed at a step; the last one came to its end."""
    for step in range(1, 1_000):
        status = run(work, under, step, lambda: os.kill(os.getpid(), signal.SIGKILL))
        if status == 0:
            assert step > 5
            return
        assert status == -signal.SIGKILL
        yield step


def failures(work: Callable[[], None], under: Path, number: int) -> Iterator[int]:
    """Yield after each child in which a step raised; none may let that through."""
    for step in range(1, 1_000):
        read, report = os.pipe()

        def fail(report: int = report) -> None:
            os.write(report, b"x")
            raise OSError(number, os.strerror(number))

        status = run(work, under, step, fail)
        os.close(report)
        happened = os.read(read, 1)
        os.close(read)
        assert status == 0
        if not happened:
            assert step > 5
            return
        yield step


def empty(directory: Path) -> Path:
    """Return `directory`, made anew."""
    if directory.exists():
        for path in sorted(directory.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        directory.rmdir()
    directory.mkdir()
    return directory


def content(directory: Path) -> Counter[int]:
    """Count the numbers in all log files; every line must be whole."""
    found: Counter[int] = Counter()
    for path in directory.iterdir():
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix == ".gz" else data
        assert not data or data.endswith(b"\n")
        for line in data.splitlines():
            assert line.endswith(b" end")
            found[int(line.split()[0])] += 1
    return found


class Log:
    """Nine lines into files of two lines, then a sweep; notes which lines were accepted."""

    def __init__(self, tmp_path: Path) -> None:
        self.directory = tmp_path / "logs"
        self.accepted = tmp_path / "accepted"
        self.names = Names(str(self.directory / "crm.jsonl"), "standard")
        self.refused = False

    def write(self) -> None:
        def failed(_error: OSError, _records: int) -> None:
            self.refused = True

        appender = RotatingAppender(
            str(self.directory / "crm.jsonl"),
            names=self.names,
            max_bytes=12,
            clock=time.time,
            failed=failed,
        )
        note = os.open(self.accepted, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        for number in range(9):
            self.refused = False
            appender.append(b"%d end\n" % number)
            if not self.refused:
                os.write(note, b"%d\n" % number)
        self.sweep()

    def sweep(self) -> bool:
        return Sweep(
            [self.names],
            active=["crm.jsonl"],
            days={"standard": 90},
            total_bytes=None,
            compress=True,
            mode=0o600,
            gid=None,
            clock=time.time,
            tally=Tally(),
            settle=lambda: None,
        ).run()

    def check(self) -> None:
        """After a restart: all that was accepted once, only names of our form, all compressed."""
        assert self.sweep()
        accepted = [int(line) for line in self.accepted.read_bytes().split()]
        found = content(self.directory)
        assert set(accepted) <= set(found)
        assert set(found.values()) <= {1}
        for path in self.directory.iterdir():
            file = self.names.parse(path.name)
            assert path.name == "crm.jsonl" or (file is not None and file.compressed)


class TestRotateAndCompress:
    def test_death_at_any_step(self, tmp_path: Path) -> None:
        """Rotation, compression, deletion: killed before each system call."""
        log = Log(tmp_path)
        empty(log.directory)
        for _ in deaths(log.write, log.directory):
            log.check()
            empty(log.directory)

    @pytest.mark.parametrize("number", FAILURES, ids=errno.errorcode.get)
    def test_failure_at_any_step(self, tmp_path: Path, number: int) -> None:
        """A call that fails costs at most the line in hand, and that one is counted."""
        log = Log(tmp_path)
        empty(log.directory)
        for _ in failures(log.write, log.directory, number):
            log.check()
            empty(log.directory)


class Waiting:
    """Six lines into a spool, sealed twice, packed; what arrives is what `ready` offers."""

    def __init__(self, tmp_path: Path, key: PrivateKey | None = None) -> None:
        self.directory = tmp_path / "spool"
        self.accepted = tmp_path / "accepted"
        self.key = key
        recipient = None if key is None else key.public
        self.spool = Spool(str(self.directory), tally=Tally(), encrypt_to=recipient)
        self.refused = False

    def write(self) -> None:
        def failed(_error: OSError, _records: int) -> None:
            self.refused = True

        note = os.open(self.accepted, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        writer = SegmentWriter(str(self.directory), "standard", failed=failed, max_bytes=100)
        for number in range(6):
            self.refused = False
            writer.append(b"%d end\n" % number)
            if not self.refused:
                os.write(note, b"%d\n" % number)
        writer.seal()
        try:
            self.spool.pack()
        except OSError:
            pass  # The uploader's thread tries again.

    def check(self) -> None:
        """The next process gets every accepted line once, and nothing is left behind."""
        self.spool.make()
        assert self.spool.pack() == 0
        found: Counter[int] = Counter()
        for item in self.spool.ready():
            for line in self.lines(item):
                found[int(line.split()[0])] += 1
            self.spool.delivered(item)
        accepted = {int(line) for line in self.accepted.read_bytes().split()}
        assert accepted <= set(found)
        assert set(found.values()) <= {1}
        left = [path for path in self.directory.rglob("*") if path.is_file()]
        assert left == []

    def lines(self, item: ReadyObject) -> list[bytes]:
        keys = PrivateKeys()
        if self.key is not None:
            assert item.key_id == self.key.public.id
            keys.add(self.key)
        source = io.BufferedReader(io.BytesIO(item.read()))
        return [line.raw for line in read_lines(source, self.fail, keys=keys)]

    def fail(self, complaint: str) -> None:
        raise AssertionError(complaint)


class TestSpool:
    def test_death_at_any_step(self, tmp_path: Path) -> None:
        """Writing, sealing, packing: killed before each system call."""
        waiting = Waiting(tmp_path)
        empty(waiting.directory)
        waiting.spool.make()
        for _ in deaths(waiting.write, waiting.directory):
            waiting.check()

    def test_death_at_any_step_of_encryption(self, tmp_path: Path) -> None:
        """No two encryptions are alike, and still no segment becomes two objects."""
        waiting = Waiting(tmp_path, PrivateKey.new())
        empty(waiting.directory)
        waiting.spool.make()
        for _ in deaths(waiting.write, waiting.directory):
            waiting.check()

    @pytest.mark.parametrize("number", FAILURES, ids=errno.errorcode.get)
    def test_failure_at_any_step(self, tmp_path: Path, number: int) -> None:
        """A call that fails costs at most the line in hand, and that one is counted."""
        waiting = Waiting(tmp_path)
        empty(waiting.directory)
        waiting.spool.make()
        for _ in failures(waiting.write, waiting.directory, number):
            waiting.check()
