"""Promises of `appending`: whole lines, from any thread and process, or none and counted."""

from __future__ import annotations

import errno
import itertools
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crmlogging.storage import locking, named_file
from crmlogging.storage.appending import LOOK_SECONDS, Appender, write_whole
from crmlogging.storage.opening import UnsafeFileError

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")


class FakeClock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Failures:
    """Notes what an Appender reports."""

    def __init__(self) -> None:
        self.errors: list[int | None] = []
        self.records = 0
        self.recovered = 0

    def failed(self, error: OSError, records: int) -> None:
        self.errors.append(error.errno)
        self.records += records

    def on_recovery(self) -> None:
        self.recovered += 1


def in_child(work: Callable[[], bool | None]) -> int:
    """Run `work` in a forked child and return its exit status; False or an exception is 1."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        signal.alarm(60)
        status = 1 if work() is False else 0
    finally:
        os._exit(status)


class TestAppend:
    def test_lines_follow_each_other(self, tmp_path: Path) -> None:
        """What was there stays, and every append comes at the end."""
        (tmp_path / "log").write_bytes(b"old\n")
        appender = Appender(str(tmp_path / "log"))
        appender.append(b"one\n")
        appender.append(b"two\nthree\n", records=2)
        assert (tmp_path / "log").read_bytes() == b"old\none\ntwo\nthree\n"
        assert appender.written == 3
        appender.close()

    @pytest.mark.parametrize("fragment", [b"half", b"x" * 200_000], ids=["short", "long"])
    def test_cuts_off_a_killed_writers_fragment(self, tmp_path: Path, fragment: bytes) -> None:
        """A line without its newline was never accepted; the next one must not be glued to it."""
        (tmp_path / "log").write_bytes(b"whole\n" + fragment)
        appender = Appender(str(tmp_path / "log"))
        appender.append(b"next\n")
        assert (tmp_path / "log").read_bytes() == b"whole\nnext\n"
        assert appender.mended == 1
        appender.close()

    def test_mends_what_another_writer_left_meanwhile(self, tmp_path: Path) -> None:
        """The tail is looked at again whenever the file does not end where we left it."""
        appender = Appender(str(tmp_path / "log"))
        appender.append(b"one\n")
        with (tmp_path / "log").open("ab") as other:
            other.write(b"two\nhal")
        appender.append(b"three\n")
        assert (tmp_path / "log").read_bytes() == b"one\ntwo\nthree\n"
        appender.close()

    def test_file_of_only_a_fragment_becomes_empty_first(self, tmp_path: Path) -> None:
        """Also the very first line may have been torn."""
        (tmp_path / "log").write_bytes(b'{"half')
        appender = Appender(str(tmp_path / "log"))
        appender.append(b"{}\n")
        assert (tmp_path / "log").read_bytes() == b"{}\n"
        appender.close()

    def test_never_empties_somebody_elses_large_file(self, tmp_path: Path) -> None:
        """Seventeen megabytes without a newline are no fragment of a line."""
        with (tmp_path / "log").open("wb") as file:
            file.truncate(17 * 1024 * 1024)
        appender = Appender(str(tmp_path / "log"))
        appender.append(b"line\n")
        assert (tmp_path / "log").stat().st_size == 17 * 1024 * 1024 + len(b"\nline\n")
        appender.close()

    def test_tail_is_repaired_only_under_the_lock(self, tmp_path: Path) -> None:
        """What looks like a fragment may be a neighbour's write in progress."""
        path = tmp_path / "log"
        neighbour = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
        assert locking.try_lock(neighbour)
        os.write(neighbour, b"in two ")
        appender = Appender(str(path))
        appender._patience = 60.0  # seconds; the neighbour may be slow
        writer = threading.Thread(target=appender.append, args=(b"mine\n",))
        writer.start()
        os.write(neighbour, b"parts\n")
        locking.unlock(neighbour)
        writer.join(60)
        assert path.read_bytes() == b"in two parts\nmine\n"
        os.close(neighbour)
        appender.close()

    def test_stopped_neighbour_does_not_stop_everybody(self, tmp_path: Path) -> None:
        """A lock that is never given back costs seconds, not the service."""
        path = tmp_path / "log"
        neighbour = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        assert locking.try_lock(neighbour)
        ticks = iter(range(0, 1_000_000, 10))
        appender = Appender(str(path), monotonic=lambda: float(next(ticks)))
        appender.append(b"line\n")
        assert path.read_bytes() == b"line\n"
        os.close(neighbour)
        appender.close()


class TestSharing:
    def test_four_processes_with_threads_lose_and_tear_nothing(self, tmp_path: Path) -> None:
        """Lines up to 64 KiB from 4 processes of 3 threads: each whole, each exactly once."""
        path = tmp_path / "log"

        def work(process: int) -> bool:
            appender = Appender(str(path))

            def write(thread: int) -> None:
                for number in range(100):
                    size = (number % 7 == 0) * 65_536 + number
                    appender.append(b"%d-%d-%d %b\n" % (process, thread, number, b"x" * size))

            threads = [threading.Thread(target=write, args=(each,)) for each in range(3)]
            for each in threads:
                each.start()
            for each in threads:
                each.join()
            return appender.written == 300

        children = []
        for process in range(4):
            child = os.fork()
            if not child:
                os._exit(0 if work(process) else 1)
            children.append(child)
        for child in children:
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        lines = path.read_bytes().splitlines()
        assert sorted(line.split()[0] for line in lines) == sorted(
            b"%d-%d-%d" % (p, t, n) for p in range(4) for t in range(3) for n in range(100)
        )
        for line in lines:
            name, _, rest = line.partition(b" ")
            number = int(name.rpartition(b"-")[2])
            assert rest == b"x" * ((number % 7 == 0) * 65_536 + number)

    def test_child_opens_the_file_itself(self, tmp_path: Path) -> None:
        """A lock belongs to an open file that parent and child share: the child needs its own."""
        appender = Appender(str(tmp_path / "log"))
        appender.append(b"parent\n")
        assert in_child(lambda: appender.append(b"child\n")) == 0
        appender.append(b"parent\n")
        assert (tmp_path / "log").read_bytes() == b"parent\nchild\nparent\n"
        appender.close()

    def test_a_child_counts_its_own_lines(self, tmp_path: Path) -> None:
        """What the parent wrote, mended and rotated, the parent reports."""
        appender = Appender(str(tmp_path / "log"))
        appender.append(b"parent\n")

        def work() -> bool:
            appender.append(b"child\n")
            return (appender.written, appender.mended, appender.rotations) == (1, 0, 0)

        assert in_child(work) == 0
        assert appender.written == 1

    def test_child_forked_during_a_write_can_write(self, tmp_path: Path) -> None:
        """Another thread's lock, held at the fork, does not hang the child."""
        path = tmp_path / "log"
        appender = Appender(str(path))
        stop = threading.Event()

        def write() -> None:
            while not stop.is_set():
                appender.append(b"thread\n")

        threads = [threading.Thread(target=write) for _ in range(3)]
        for each in threads:
            each.start()
        try:
            for _ in range(30):
                assert in_child(lambda: appender.append(b"child\n")) == 0
        finally:
            stop.set()
            for each in threads:
                each.join()
        lines = path.read_bytes().splitlines()
        assert lines.count(b"child") == 30
        assert set(lines) == {b"child", b"thread"}
        appender.close()

    @pytest.mark.parametrize("step", ["_open", "_moved", "_due"])
    def test_fork_in_a_signal_handler_writes_no_line_twice(self, tmp_path: Path, step: str) -> None:
        """A child born inside its parent's write leaves that write to the parent."""
        children: list[int] = []

        class Interrupted(Appender):
            """As if a signal handler that forks ran at the given step."""

        def interrupted(self: Appender, *arguments: Any) -> Any:
            if not children:
                children.append(os.fork())
            return getattr(super(Interrupted, self), step)(*arguments)

        setattr(Interrupted, step, interrupted)
        appender = Interrupted(str(tmp_path / "log"))
        appender.append(b"once\n")
        if not children[0]:
            appender.append(b"child\n")
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 0
        assert sorted((tmp_path / "log").read_bytes().split()) == [b"child", b"once"]
        appender.close()

    def test_killed_writers_cost_no_accepted_line(self, tmp_path: Path) -> None:
        """After ``kill -9`` at random moments: acknowledged lines once, nothing torn."""
        path, acknowledged = tmp_path / "log", tmp_path / "ack"
        acknowledged.touch()
        for round_ in range(6):
            child = os.fork()
            if not child:
                appender = Appender(str(path))
                ack = os.open(acknowledged, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
                for number in range(10**9):
                    appender.append(b"%d-%d %b\n" % (round_, number, b"x" * 3_000))
                    os.write(ack, b"%d-%d\n" % (round_, number))
            while b"%d-0\n" % round_ not in acknowledged.read_bytes():
                time.sleep(0.001)
            time.sleep(round_ * 0.007)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        appender = Appender(str(path))
        appender.append(b"end %b\n" % (b"x" * 3_000))
        lines = path.read_bytes().splitlines()
        assert all(line.endswith(b" " + b"x" * 3_000) for line in lines)
        names = [line.split()[0] for line in lines]
        assert len(set(names)) == len(names)
        assert set(acknowledged.read_bytes().split()) <= set(names)
        appender.close()

    @pytest.mark.parametrize("step", ["open_for_append", "fstat"])
    def test_a_child_born_while_the_file_is_opened_has_a_lock_of_its_own(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        """What the parent has just opened is no descriptor of the child's to write by."""
        place: Any = named_file if step == "open_for_append" else os
        usual = getattr(place, step)
        children: list[int] = []
        # Only the first step forks: the child, once born, makes one for each appender there is.
        steps, caller = itertools.count(), threading.get_ident()

        def forking(*given: Any, **options: Any) -> Any:
            found = usual(*given, **options)
            if threading.get_ident() == caller and next(steps) == 0:
                children.append(os.fork())
            return found

        neighbour = Appender(str(tmp_path / "other"))
        neighbour.append(b"open\n")
        appender = Appender(str(tmp_path / "log"))
        held, told = os.pipe()
        with monkeypatch.context() as patch:
            patch.setattr(place, step, forking)
            appender._open()
        if children[0] == 0:
            try:
                os.read(held, 1)  # the parent has the lock by now
                os._exit(int(locking.try_lock(appender._fd)))
            finally:
                os._exit(2)
        assert locking.try_lock(appender._fd)
        os.write(told, b"x")
        assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 0
        locking.unlock(appender._fd)
        appender.close()
        neighbour.close()
        for end in (held, told):
            os.close(end)


class TestReentry:
    def test_signal_handler_that_logs_loses_nothing(self, tmp_path: Path) -> None:
        """Signals every millisecond while threads write: no deadlock, every line whole."""
        script = f"""
import signal, threading
from crmlogging.storage.appending import Appender
first, second = Appender({str(tmp_path / "log")!r}), Appender({str(tmp_path / "log")!r})
signals = 0
def log(*_):
    global signals
    signals += 1
    first.append(b"signal\\n")
    second.append(b"signal\\n")
signal.signal(signal.SIGALRM, log)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
def write(appender):
    for number in range(1_500):
        appender.append(b"thread %d\\n" % number)
threads = [threading.Thread(target=write, args=(each,)) for each in (first, second, first)]
for each in threads: each.start()
write(second)
for each in threads: each.join()
signal.setitimer(signal.ITIMER_REAL, 0)
print(signals)
"""
        done = subprocess.run(
            [sys.executable, "-c", script], check=True, timeout=60, capture_output=True, text=True
        )
        lines = (tmp_path / "log").read_bytes().splitlines()
        assert lines.count(b"signal") == 2 * int(done.stdout) > 0
        assert len(lines) == 2 * int(done.stdout) + 4 * 1_500


class TestNoticing:
    @pytest.mark.parametrize("how", ["renamed", "replaced", "deleted", "directory deleted"])
    def test_follows_the_name(self, tmp_path: Path, how: str) -> None:
        """What others do to the file is noticed within 50 ms, and a new one is begun."""
        clock = FakeClock()
        directory = tmp_path / "logs"
        directory.mkdir()
        path = directory / "log"
        appender = Appender(str(path), monotonic=clock)
        appender.append(b"one\n")
        if how == "renamed":
            path.rename(directory / "log.1")
        elif how == "replaced":
            path.rename(directory / "log.1")
            path.write_bytes(b"theirs\n")
        else:
            path.unlink()
            if how == "directory deleted":
                directory.rmdir()
        clock.now += LOOK_SECONDS
        appender.append(b"two\n")
        expected = b"theirs\ntwo\n" if how == "replaced" else b"two\n"
        assert path.read_bytes() == expected
        appender.close()

    def test_a_rotation_is_noticed_that_came_while_it_waited_for_the_lock(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Others may remove the old file as soon as they can lock it: the wait counts as well."""
        clock, path = FakeClock(), tmp_path / "log"
        appender = Appender(str(path), monotonic=clock)
        appender.append(b"one\n")
        neighbour = os.open(path, os.O_RDWR)
        assert locking.try_lock(neighbour)

        def give_way() -> None:
            clock.now += LOOK_SECONDS
            path.rename(tmp_path / "log.1")
            os.close(neighbour)

        monkeypatch.setattr(locking, "_give_way", give_way)
        appender.append(b"two\n")
        assert path.read_bytes() == b"two\n"
        assert (tmp_path / "log.1").read_bytes() == b"one\n"
        appender.close()

    def test_survives_truncation(self, tmp_path: Path) -> None:
        """logrotate's copytruncate leaves no hole and no lost line."""
        appender = Appender(str(tmp_path / "log"))
        appender.append(b"one\n")
        os.truncate(tmp_path / "log", 0)
        appender.append(b"two\n")
        assert (tmp_path / "log").read_bytes() == b"two\n"
        appender.close()

    @pytest.mark.parametrize("seconds", [0.0, LOOK_SECONDS], ids=["at once", "later"])
    @pytest.mark.parametrize("content", [b"", b"line\n", b"no line"])
    def test_never_touches_a_file_that_took_over_the_number(
        self, tmp_path: Path, content: bytes, seconds: float
    ) -> None:
        """A program that becomes a daemon closes all descriptors; ours may be another file's."""
        clock = FakeClock()
        path = tmp_path / "log"
        appender = Appender(str(path), monotonic=clock)
        appender.append(b"one\n")
        os.close(appender._fd)
        other = os.open(tmp_path / "database", os.O_CREAT | os.O_RDWR)
        assert other == appender._fd
        os.write(other, content)
        clock.now += seconds
        appender.append(b"two\n")
        assert path.read_bytes() == b"one\ntwo\n"
        assert (tmp_path / "database").read_bytes() == content
        os.fstat(other)  # and it was not closed either
        os.close(other)
        appender.close()

    def test_closed_descriptor_is_replaced(self, tmp_path: Path) -> None:
        """Where the number is free, the next append simply opens the file again."""
        appender = Appender(str(tmp_path / "log"))
        appender.append(b"one\n")
        os.close(appender._fd)
        appender.append(b"two\n")
        assert (tmp_path / "log").read_bytes() == b"one\ntwo\n"
        appender.close()

    def test_without_descriptors_a_removed_file_gives_its_own_to_the_next(
        self, tmp_path: Path
    ) -> None:
        """A neighbour may rotate and compress the file of a process that can open nothing more."""
        path = tmp_path / "log"

        def work() -> bool:
            clock = FakeClock()
            appender = Appender(str(path), monotonic=clock)
            appender.append(b"one\n")
            limits = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (appender._fd + 1, limits[1]))
            try:
                while True:
                    os.dup(appender._fd)
            except OSError:
                path.unlink()
            clock.now += LOOK_SECONDS
            appender.append(b"two\n")
            return appender.written == 2 and path.stat().st_size == len(b"two\n")

        assert in_child(work) == 0

    def test_appends_after_close(self, tmp_path: Path) -> None:
        """Somebody else's clean-up does not silence the log."""
        appender = Appender(str(tmp_path / "log"))
        appender.append(b"one\n")
        appender.close()
        appender.append(b"two\n")
        assert (tmp_path / "log").read_bytes() == b"one\ntwo\n"
        appender.close()

    def test_planted_link_gets_nothing(self, tmp_path: Path) -> None:
        """A link put in place of the file while the program runs is not followed either."""
        clock, failures = FakeClock(), Failures()
        victim = tmp_path / "victim"
        victim.write_bytes(b"untouched")
        path = tmp_path / "log"
        appender = Appender(str(path), monotonic=clock, failed=failures.failed)
        appender.append(b"one\n")
        path.unlink()
        path.symlink_to(victim)
        clock.now += LOOK_SECONDS
        appender.append(b"two\n")
        assert victim.read_bytes() == b"untouched"
        assert failures.records == 1
        appender.close()


class TestFailing:
    def test_full_disk_is_counted_and_recovered_from(self, tmp_path: Path) -> None:
        """No half line stays, what could not be written is counted, and writing resumes."""
        path = tmp_path / "log"

        def work() -> bool:
            failures = Failures()
            appender = Appender(str(path), failed=failures.failed, recovered=failures.on_recovery)
            appender.append(b"x" * 99 + b"\n")
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (150, hard))
            appender.append(b"y" * 99 + b"\n")
            appender.append(b"z" * 99 + b"\n", records=5)
            if path.read_bytes() != b"x" * 99 + b"\n":
                return False
            appender.append(b"small\n")
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            appender.append(b"large" * 30 + b"\n")
            expected = b"x" * 99 + b"\nsmall\n" + b"large" * 30 + b"\n"
            return (
                path.read_bytes() == expected
                and failures.errors == [errno.EFBIG] * 2
                and failures.records == 6
                and failures.recovered == 1
            )

        assert in_child(work) == 0

    def test_constructor_check_raises(self, tmp_path: Path) -> None:
        """`open` tells a mistake in the configuration instead of counting it."""
        (tmp_path / "log").symlink_to(tmp_path / "other")
        with pytest.raises(UnsafeFileError):
            Appender(str(tmp_path / "log")).open()


class TestWriteWhole:
    def test_goes_on_after_a_short_write(self) -> None:
        """A write that took a part is continued until all is written."""
        read, write = os.pipe()
        os.set_blocking(write, True)
        data = os.urandom(300_000)
        received = bytearray()

        def collect() -> None:
            while len(received) < len(data):
                received.extend(os.read(read, 50_000))

        reader = threading.Thread(target=collect)
        reader.start()
        write_whole(write, data, 0)
        reader.join(60)
        os.close(read)
        os.close(write)
        assert bytes(received) == data

    def test_undoes_a_part(self, tmp_path: Path) -> None:
        """When the rest cannot follow, the part that was written is taken back."""

        def work() -> bool:
            fd = os.open(tmp_path / "file", os.O_CREAT | os.O_RDWR | os.O_APPEND)
            os.write(fd, b"old\n")
            resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
            try:
                write_whole(fd, b"0123456789", 4)
            except OSError as error:
                return error.errno == errno.EFBIG and os.fstat(fd).st_size == 4
            return False

        assert in_child(work) == 0
