"""Promises of `segments`: what was accepted is read back, whatever became of writer and disk."""

from __future__ import annotations

import errno
import os
import re
import signal
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlogging.storage.framing import MAGIC, frame
from crmlogging.storage.opening import UnsafeFileError
from crmlogging.storage.segment_writer import SegmentWriter
from crmlogging.storage.segments import Segment, SegmentName, claim

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")

HOUR_14 = 1_795_269_600.0  # 2026-11-21T14:00Z


class FakeClock:
    def __init__(self, now: float = HOUR_14) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def in_child(work: Callable[[], object]) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        signal.alarm(60)
        work()
        status = 0
    finally:
        os._exit(status)


def lines(directory: Path) -> list[bytes]:
    """Collect and delete all finished segments' lines."""
    found = []
    for segment in claim(str(directory)):
        for block in segment.blocks():
            found += block.splitlines()
        segment.finish()
    return found


def only(directory: Path) -> Segment:
    (segment,) = claim(str(directory))
    return segment


def files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.segment"))


class TestSegmentName:
    def test_reads_what_it_writes(self) -> None:
        """Label, hour, host, boot and number come back from the file name."""
        name = SegmentName.new("standard", HOUR_14)
        assert SegmentName.parse(str(name)) == name
        assert name.hour == "20261121T14"
        assert re.fullmatch(r"[0-9a-f]{16}", name.boot)

    def test_no_two_are_equal_also_after_a_fork(self, tmp_path: Path) -> None:
        """Containers share process ids and host names; the random part tells them apart."""
        mine = SegmentName.new("standard", HOUR_14)
        read, write = os.pipe()
        in_child(lambda: os.write(write, str(SegmentName.new("standard", HOUR_14)).encode()))
        theirs = SegmentName.parse(os.read(read, 1_000).decode())
        os.close(read)
        os.close(write)
        assert theirs is not None
        assert theirs.boot != mine.boot

    @pytest.mark.parametrize(
        "name",
        [
            "standard_20261121T14_host_0123456789abcdef_000001.segment.tmp",
            "standard_20261121T24_host_0123456789abcdef_000001.segment",
            "standard_20261321T14_host_0123456789abcdef_000001.segment",
            "standard_20261121T14_ho_st_0123456789abcdef_000001.segment",
            "standard_20261121T14_../x_0123456789abcdef_000001.segment",
            "standard_20261121T14_host_0123456789ABCDEF_000001.segment",
            "notes.txt",
        ],
    )
    def test_knows_no_look_alike(self, name: str) -> None:
        """Any other name is somebody else's file."""
        assert SegmentName.parse(name) is None

    @pytest.mark.parametrize(
        "host",
        [
            pytest.param("../../../etc", id="traversal"),
            pytest.param("a/b\\c", id="slashes"),
            pytest.param("a_b,c=d", id="our-own-separators"),
            pytest.param("caf\u00e9\n\0", id="not-printable"),
            pytest.param("x" * 300, id="too-long"),
            pytest.param("", id="empty"),
        ],
    )
    def test_any_host_name_becomes_one_that_is_safe_in_a_key(
        self, monkeypatch: pytest.MonkeyPatch, host: str
    ) -> None:
        """Letters, digits, dots and hyphens: nothing leaves the directory or the prefix."""
        fields = os.uname()
        told = os.uname_result((fields.sysname, host, *fields[2:]))
        monkeypatch.setattr(os, "uname", lambda: told)
        name = SegmentName.new("standard", HOUR_14)
        assert re.fullmatch(r"[A-Za-z0-9.-]{1,63}", name.host)
        assert SegmentName.parse(str(name)) == name
        assert "/" not in str(name)

    @pytest.mark.parametrize("when", [float("inf"), 1e18, -1e18, float("nan")])
    def test_survives_any_time(self, when: float) -> None:
        """A broken clock gives an odd hour, no error."""
        assert SegmentName.parse(str(SegmentName.new("standard", when))) is not None


class TestSegmentWriter:
    def test_lines_come_back(self, tmp_path: Path) -> None:
        """Single lines and batches, in order, once the segment is sealed."""
        writer = SegmentWriter(str(tmp_path), "standard")
        writer.append(b"one\n")
        writer.append(b"two\nthree\n", records=2)
        assert lines(tmp_path) == []
        writer.seal()
        assert lines(tmp_path) == [b"one", b"two", b"three"]
        assert writer.written == 3
        assert files(tmp_path) == []

    def test_is_in_the_kernel_when_the_call_returns(self, tmp_path: Path) -> None:
        """A process killed right after the call leaves the line, which others collect."""
        acknowledged = tmp_path / "ack"

        def work() -> None:
            writer = SegmentWriter(str(tmp_path), "standard")
            for number in range(100):
                writer.append(b"%d\n" % number)
            acknowledged.touch()
            os.kill(os.getpid(), signal.SIGKILL)

        assert in_child(work) == -signal.SIGKILL
        assert acknowledged.exists()
        assert lines(tmp_path) == [b"%d" % number for number in range(100)]

    def test_files_are_private(self, tmp_path: Path) -> None:
        """0600 in a directory of 0700, whatever the umask."""
        before = os.umask(0)
        try:
            SegmentWriter(str(tmp_path / "new"), "standard").append(b"one\n")
        finally:
            os.umask(before)
        (file,) = files(tmp_path / "new")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700

    def test_seals_by_size_and_by_count(self, tmp_path: Path) -> None:
        """No segment grows beyond its bounds."""
        by_size = SegmentWriter(str(tmp_path / "size"), "standard", max_bytes=200)
        by_count = SegmentWriter(str(tmp_path / "count"), "standard", max_records=3)
        for number in range(10):
            by_size.append(b"%039d\n" % number)
            by_count.append(b"%d\n" % number)
        assert all(file.stat().st_size <= 200 for file in files(tmp_path / "size"))
        assert len(files(tmp_path / "count")) == 4

    def test_seals_by_age_and_at_the_hour(self, tmp_path: Path) -> None:
        """A quiet service's lines leave as well; `seal_if_due` is for a clock's tick."""
        clock, ages = FakeClock(), FakeClock(0.0)
        writer = SegmentWriter(
            str(tmp_path), "standard", max_seconds=60, clock=clock, monotonic=ages
        )
        writer.append(b"young\n")
        writer.seal_if_due()
        assert lines(tmp_path) == []
        ages.now += 60
        writer.seal_if_due()
        assert lines(tmp_path) == [b"young"]
        writer.append(b"at the hour\n")
        clock.now += 3_600
        writer.seal_if_due()
        assert lines(tmp_path) == [b"at the hour"]

    def test_each_hour_has_its_segment(self, tmp_path: Path) -> None:
        """The first record's hour names it; what comes late goes into the present one."""
        writer = SegmentWriter(str(tmp_path), "standard", clock=FakeClock())
        for when in (HOUR_14 + 3_599, HOUR_14 + 3_600, HOUR_14 + 3_599, HOUR_14 + 3_601):
            writer.append(b"%.0f\n" % when, when=when)
        names = [SegmentName.parse(file.name) for file in files(tmp_path)]
        assert [name.hour for name in names if name] == ["20261121T14", "20261121T15"]

    def test_child_begins_its_own(self, tmp_path: Path) -> None:
        """After a fork parent and child write different segments, each line once."""
        writer = SegmentWriter(str(tmp_path), "standard")
        writer.append(b"parent\n")
        assert in_child(lambda: writer.append(b"child\n")) == 0
        assert lines(tmp_path) == [b"child"]
        writer.append(b"parent\n")
        writer.seal()
        assert lines(tmp_path) == [b"parent", b"parent"]

    def test_goes_on_when_its_file_is_deleted(self, tmp_path: Path) -> None:
        """Somebody cleaned the directory up: a new segment is begun."""
        ages = FakeClock(0.0)
        writer = SegmentWriter(str(tmp_path / "spool"), "standard", monotonic=ages)
        writer.append(b"gone\n")
        files(tmp_path / "spool")[0].unlink()
        (tmp_path / "spool").rmdir()
        ages.now += 1
        writer.append(b"kept\n")
        writer.seal()
        assert lines(tmp_path / "spool") == [b"kept"]

    @pytest.mark.parametrize("when", [0.0, -5.0, 1e18, float("inf"), float("nan")])
    def test_a_time_that_no_date_can_name_is_that_of_the_clock(
        self, tmp_path: Path, when: float
    ) -> None:
        """Neither an odd partition nor a segment for each record."""
        writer = SegmentWriter(str(tmp_path), "standard", clock=lambda: HOUR_14)
        for _ in range(3):
            writer.append(b"line\n", 1, when)
        (path,) = files(tmp_path)
        assert path.name.startswith("standard_20261121T14_")

    def test_a_call_that_a_signal_ended_leaves_no_doubt_where_the_file_ends(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The write was done, the call never returned: a later failure cuts off nothing else."""
        writer = SegmentWriter(str(tmp_path), "standard")
        writer.append(b"one\n")

        def interrupted(descriptor: int, data: bytes) -> int:
            write(descriptor, data)
            raise KeyboardInterrupt

        def full(descriptor: int, data: bytes) -> int:
            if len(data) == 1:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write(descriptor, data[:1])

        write = os.write
        monkeypatch.setattr(os, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            writer.append(b"two\n")
        monkeypatch.setattr(os, "write", write)
        writer.append(b"three\n")
        monkeypatch.setattr(os, "write", full)
        writer.append(b"four\n")
        monkeypatch.setattr(os, "write", write)
        writer.seal()
        assert lines(tmp_path) == [b"one", b"two", b"three"]


class TestClaim:
    def test_live_segment_is_left_alone(self, tmp_path: Path) -> None:
        """What a living process writes is nobody else's."""
        writer = SegmentWriter(str(tmp_path), "standard")
        writer.append(b"one\n")
        assert lines(tmp_path) == []
        del writer  # Nobody can write any more, so it is finished.
        assert lines(tmp_path) == [b"one"]

    def test_each_segment_goes_to_one_process(self, tmp_path: Path) -> None:
        """Whoever collects at the same time gets others."""
        writer = SegmentWriter(str(tmp_path), "standard", max_records=1)
        for number in range(4):
            writer.append(b"%d\n" % number)
        writer.seal()
        first = next(iter(claim(str(tmp_path))))
        others = list(claim(str(tmp_path)))
        assert len(others) == 3
        assert first.path not in {other.path for other in others}
        for segment in (first, *others):
            segment.release()
        assert len(lines(tmp_path)) == 4

    @pytest.mark.parametrize("plant", ["link", "pipe", "hard link", "directory"])
    def test_what_is_no_segment_is_set_aside(self, tmp_path: Path, plant: str) -> None:
        """It blocks nobody, and what it points to is not touched."""
        victim = tmp_path / "victim"
        victim.write_bytes(b"untouched")
        spool = tmp_path / "spool"
        writer = SegmentWriter(str(spool), "standard")
        writer.append(b"sound\n")
        writer.seal()
        planted = spool / "standard_20200101T00_host_0123456789abcdef_000001.segment"
        if plant == "link":
            planted.symlink_to(victim)
        elif plant == "pipe":
            os.mkfifo(planted)
        elif plant == "directory":
            planted.mkdir()
        else:
            planted.hardlink_to(victim)
        assert lines(spool) == [b"sound"]
        assert os.path.lexists(spool / "aside" / planted.name)
        assert victim.read_bytes() == b"untouched"

    def test_foreign_files_stay(self, tmp_path: Path) -> None:
        """A file of another name is neither read nor moved."""
        (tmp_path / "README").write_bytes(b"keep")
        assert lines(tmp_path) == []
        assert (tmp_path / "README").read_bytes() == b"keep"

    def test_missing_directory_raises(self, tmp_path: Path) -> None:
        """The caller decides what that means."""
        with pytest.raises(FileNotFoundError):
            list(claim(str(tmp_path / "gone")))


def read(segment: Segment) -> list[bytes]:
    """Return a segment's lines."""
    return [line for block in segment.blocks() for line in block.splitlines()]


def framed(*payloads: bytes) -> list[bytes]:
    """Return these appends as a writer puts them one after the other."""
    found, before = [], 0
    for payload in payloads:
        after = crc32(payload, before)
        found.append(frame(payload, before, after))
        before = after
    return found


def damaged_copy(directory: Path, damage: Callable[[bytes], bytes]) -> Segment:
    """Write three lines, change the file's bytes, and claim it."""
    writer = SegmentWriter(str(directory), "standard")
    for line in (b"one\n", b"two\n", b"three\n"):
        writer.append(line)
    writer.seal()
    (file,) = files(directory)
    file.write_bytes(damage(file.read_bytes()))
    return only(directory)


class TestDamage:
    @pytest.mark.parametrize("cut", range(1, 35))
    def test_torn_tail_costs_only_itself(self, tmp_path: Path, cut: int) -> None:
        """A writer killed in the middle of its last append never returned from it."""
        segment = damaged_copy(tmp_path, lambda data: data[:-cut])
        found = read(segment)
        assert found == [b"one", b"two", b"three"][: len(found)]
        assert len(found) == (2 if cut <= len(frame(b"three\n", 0, 0)) else 1)
        assert segment.damaged == 0
        segment.release()

    @pytest.mark.parametrize("line", [b"one", b"two", b"three"])
    def test_changed_byte_costs_one_append(self, tmp_path: Path, line: bytes) -> None:
        """The rest is read, and the damage counted."""
        segment = damaged_copy(tmp_path, lambda data: data.replace(line, line[:-1] + b"?"))
        assert read(segment) == [each for each in (b"one", b"two", b"three") if each != line]
        assert segment.damaged == 1
        segment.release()

    def test_changed_length_costs_one_append(self, tmp_path: Path) -> None:
        """A length that leads nowhere is got over by looking for the next sound append."""
        (one,) = framed(b"one\n")
        segment = damaged_copy(tmp_path, lambda data: data.replace(one, b"/" + one[1:]))
        assert read(segment) == [b"two", b"three"]
        assert segment.damaged == 1
        segment.release()

    def test_header_between_others_costs_nothing(self, tmp_path: Path) -> None:
        """Lines that are right together, from the first header to the last, are all there."""
        _, two, _ = framed(b"one\n", b"two\n", b"three\n")
        segment = damaged_copy(tmp_path, lambda data: data.replace(two, b"/" + two[1:]))
        assert read(segment) == [b"one", b"two", b"three"]
        assert segment.damaged == 0
        segment.release()

    @settings(max_examples=200, deadline=None)
    @given(st.integers(len(MAGIC), 10_000), st.integers(1, 255))
    def test_any_flipped_byte_leaves_the_others(
        self, tmp_path_factory: pytest.TempPathFactory, at: int, flip: int
    ) -> None:
        """Wherever a byte changes, no line comes out changed and at most one is missing."""
        written = [b'{"number":%d}\n' % number for number in range(20)]
        data = bytearray(MAGIC + b"".join(framed(*written)))
        at = len(MAGIC) + at % (len(data) - len(MAGIC))
        data[at] ^= flip
        path = tmp_path_factory.mktemp("segment") / str(SegmentName.new("standard", HOUR_14))
        path.write_bytes(data)
        segment = only(path.parent)
        kept = [line + b"\n" for line in read(segment)]
        segment.release()
        assert set(kept) <= set(written)
        assert len(kept) >= 19
        assert kept == sorted(kept, key=written.index)

    @pytest.mark.parametrize("head", [b"#crmlogging segment 3\n", b"PK\x03\x04" + bytes(60)])
    def test_other_formats_are_refused(self, tmp_path: Path, head: bytes) -> None:
        """A later version's segment, or another file of that name, is not guessed at."""
        segment = damaged_copy(tmp_path, lambda data: head + data[len(MAGIC) :])
        with pytest.raises(UnsafeFileError):
            read(segment)
        segment.set_aside()
        assert len(list((tmp_path / "aside").iterdir())) == 1

    def test_lines_larger_than_a_block(self, tmp_path: Path) -> None:
        """Three megabytes in one line, between small ones, and a torn one of that size."""
        writer = SegmentWriter(str(tmp_path), "standard")
        for line in (b"one\n", b"x" * 3_000_000 + b"\n", b"two\n", b"y" * 3_000_000 + b"\n"):
            writer.append(line)
        writer.seal()
        (file,) = files(tmp_path)
        os.truncate(file, file.stat().st_size - 1_000)
        segment = only(tmp_path)
        assert read(segment) == [b"one", b"x" * 3_000_000, b"two"]
        assert segment.damaged == 0
        segment.release()

    @pytest.mark.parametrize("length", [0, 5, len(MAGIC)])
    def test_writer_that_died_at_birth_left_nothing(self, tmp_path: Path, length: int) -> None:
        """An empty or unfinished head holds no lines and no damage."""
        segment = damaged_copy(tmp_path, lambda data: data[:length])
        assert read(segment) == []
        assert segment.damaged == 0
        segment.release()

    def test_set_aside_replaces_nothing(self, tmp_path: Path) -> None:
        """What was set aside before under the same name stays."""
        for _ in range(3):
            path = tmp_path / "standard_20200101T00_host_0123456789abcdef_000001.segment"
            path.write_bytes(b"")
            only(tmp_path).set_aside()
        assert len(list((tmp_path / "aside").iterdir())) == 3


class TestCollecting:
    def test_a_file_taken_at_its_birth_gets_no_line(self, tmp_path: Path) -> None:
        """Who collects may find a file that its writer has not locked yet: no line goes there."""
        stop, found = threading.Event(), []

        def collect() -> None:
            while not stop.is_set():
                found.extend(lines(tmp_path))

        collector = threading.Thread(target=collect)
        collector.start()
        interval = sys.getswitchinterval()
        sys.setswitchinterval(0.000_001)
        try:
            writer = SegmentWriter(str(tmp_path), "standard", max_records=1)
            for number in range(2_000):
                writer.append(b"%d\n" % number)
        finally:
            sys.setswitchinterval(interval)
            stop.set()
            collector.join(60)
        writer.seal()
        found += lines(tmp_path)
        assert sorted(map(int, found)) == list(range(2_000))
