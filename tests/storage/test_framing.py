"""Promises of `framing`: damage costs the damaged append alone, however a segment is read."""

from __future__ import annotations

import gzip
import re
import resource
import signal
import struct
from collections.abc import Callable
from itertools import accumulate, chain, combinations
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlogging.diagnostics import Tally
from crmlogging.doctor.examining import examine
from crmlogging.storage.framing import FRAMING, MAGIC, REMARK, frame
from crmlogging.storage.journal import Journal
from crmlogging.storage.segment_writer import SegmentWriter
from crmlogging.storage.segments import Segment, SegmentName, claim
from crmlogging.storage.spool import Spool

NOW = 1_795_269_600.0
HEADER_BYTES = FRAMING.header_bytes
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
HEADER = re.compile(rb"[A-Za-z0-9+/]{16}\n")


class Append(NamedTuple):
    payload: bytes
    is_remark: bool = False


LINES = st.one_of(
    st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b"-") + b"\n"),
    st.just(b"\n"),
    st.just(b"A" * 16 + b"\n"),
    st.binary(max_size=9).map(lambda raw: frame(raw, 0, crc32(raw))[:HEADER_BYTES]),
)
PAYLOADS = st.lists(LINES, min_size=1, max_size=3).map(b"".join)
APPENDS = st.lists(
    st.builds(Append, PAYLOADS, st.sampled_from([False] * 5 + [True])), min_size=1, max_size=12
)
SINGLE = st.lists(LINES.map(Append), min_size=1, max_size=12)


def framed(appends: list[Append]) -> list[bytes]:
    """Return them as a writer puts them one after the other."""
    found, before = [], 0
    for payload, is_remark in appends:
        if is_remark:
            found.append(frame(payload, 0, crc32(payload), REMARK))
            continue
        after = crc32(payload, before)
        found.append(frame(payload, before, after))
        before = after
    return found


def segment_of(path: Path, data: bytes) -> Segment:
    path.write_bytes(data)
    (segment,) = claim(str(path.parent))
    return segment


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where a segment may be put."""
    return tmp_path_factory.mktemp("framing") / str(SegmentName.new("standard", NOW))


def read(path: Path, data: bytes, size: int) -> tuple[bytes, int]:
    """Return the payload of a segment of these bytes, and the damage in it."""
    segment = segment_of(path, data)
    found = b"".join(segment.blocks(size))
    damaged = segment.damaged
    segment.release()
    return found, damaged


def outcomes(touched: list[Append]) -> set[bytes]:
    """Return what may come out of appends of which some are damaged: any of them, whole."""
    kept = chain.from_iterable(combinations(touched, count) for count in range(len(touched) + 1))
    return {b"".join(each.payload for each in some) for some in kept}


class TestSound:
    @settings(max_examples=150, deadline=None)
    @given(appends=APPENDS, size=st.integers(1, 200))
    def test_all_comes_back(self, path: Path, appends: list[Append], size: int) -> None:
        """Lines, batches, remarks, empty lines, look-alikes of headers, read in any blocks."""
        data = MAGIC + b"".join(framed(appends))
        assert read(path, data, size) == (b"".join(each.payload for each in appends), 0)

    @settings(max_examples=400, deadline=None)
    @given(
        appends=st.one_of(APPENDS, SINGLE),
        at=st.floats(0, 1),
        length=st.integers(0, 40),
        instead=st.one_of(st.binary(max_size=40), st.text(BASE64, max_size=40).map(str.encode)),
        size=st.integers(1, 400),
    )
    def test_damage_costs_what_it_touched(
        self, path: Path, appends: list[Append], at: float, length: int, instead: bytes, size: int
    ) -> None:
        """Bytes changed, lost or put in between: all other appends come out, and nothing else."""
        frames = framed(appends)
        data = b"".join(frames)
        start = int(at * len(data))
        stop = min(start + length, len(data))
        before, after, touched, position = [], [], [], 0
        for each, raw in zip(appends, frames, strict=True):
            position += len(raw)
            if position <= start:
                before.append(each)
            elif position - len(raw) >= stop:
                after.append(each)
            else:
                touched.append(each)
        found, damaged = read(path, MAGIC + data[:start] + instead + data[stop:], size)
        begin = b"".join(each.payload for each in before)
        end = b"".join(each.payload for each in after)
        assert found in {begin + middle + end for middle in outcomes(touched)}
        assert damaged <= 1 + len(touched) + len(instead)

    @settings(max_examples=150, deadline=None)
    @given(appends=st.one_of(APPENDS, SINGLE), at=st.floats(0, 1), size=st.integers(1, 400))
    def test_a_torn_tail_is_no_damage(
        self, path: Path, appends: list[Append], at: float, size: int
    ) -> None:
        """Wherever it ends, the whole appends come out, and nothing is called damaged."""
        frames = framed(appends)
        end = int(at * len(b"".join(frames)))
        whole, position = [], 0
        for each, raw in zip(appends, frames, strict=True):
            position += len(raw)
            if position <= end:
                whole.append(each.payload)
        data = MAGIC + b"".join(frames)[:end]
        assert read(path, data, size) == (b"".join(whole), 0)

    @settings(max_examples=400, deadline=None)
    @given(
        appends=SINGLE,
        at=st.floats(0, 1),
        longer=st.integers(-9, 9),
        instead=st.one_of(st.binary(max_size=9), st.text(BASE64, max_size=9).map(str.encode)),
    )
    def test_a_row_is_read_as_one_by_one(
        self, appends: list[Append], at: float, longer: int, instead: bytes
    ) -> None:
        """The quick way gives up, or it finds what the careful one does.

        Lines that are right it takes as well where their header is damaged: then it finds all.
        """
        frames = framed(appends)
        data = b"".join(frames)
        start = int(at * len(data))
        data = data[:start] + instead + data[start + max(0, len(instead) + longer) :]
        row = FRAMING.row(data)
        assert (
            row is None
            or row[:2] == FRAMING._each(data)[:2]
            or (
                len(data) == sum(map(len, frames))
                and row.payload == b"".join(each.payload for each in appends)
            )
        )

    @settings(max_examples=100, deadline=None)
    @given(appends=SINGLE, at=st.floats(0, 1))
    def test_a_row_may_stop_anywhere(self, appends: list[Append], at: float) -> None:
        """A block that ends inside an append is read all at once up to there."""
        frames = framed(appends)
        end = len(frames[0]) + int(at * len(b"".join(frames[1:])))
        row = FRAMING.row(b"".join(frames)[:end])
        assert row is not None
        assert row.end in (0, *accumulate(map(len, frames)))
        assert row.end <= end < row.end + max(map(len, frames))

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=120), st.integers(1, 60))
    def test_any_bytes_are_read(self, path: Path, data: bytes, size: int) -> None:
        """What never was an append gives neither lines nor errors."""
        found, damaged = read(path, MAGIC + data, size)
        assert (found, damaged) == (b"", len(data) >= HEADER_BYTES) or HEADER.search(data)


class TestWriter:
    def test_appends_of_one_line_form_a_row(self, tmp_path: Path) -> None:
        """What is logged one by one is checked all at once, also around what could not be written.

        A failed append counts for nothing in the CRC that runs on.
        """
        clock = [0.0]
        writer = SegmentWriter(
            str(tmp_path), "standard", max_seconds=60, monotonic=lambda: clock[0], clock=lambda: NOW
        )
        for number in range(50):
            writer.append(b'{"number":%d}\n' % number, durably=number % 7 == 0)
            clock[0] += 0.02  # So now and then the quick way looks about.
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        (file,) = tmp_path.glob("*.segment")
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 10, limits[1]))
        try:
            writer.append(b"does not fit\n")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, ignored)
        writer.append(b"last\n")
        data = file.read_bytes()[len(MAGIC) :]
        row = FRAMING.row(data)
        assert row is not None
        lines = row.payload.splitlines()
        assert (len(lines), lines[-1], row.end) == (51, b"last", len(data))
        assert writer.written == 51

    def test_remarks_and_batches_stand_between(self, tmp_path: Path) -> None:
        """Each is judged by its own header; the CRC of the lines runs on."""
        writer = SegmentWriter(str(tmp_path), "standard", clock=lambda: NOW)
        numbers: list[int] = []
        writer.append(b"one\n", written=numbers.append)
        writer.annotate(numbers[0], b"remark\n")
        writer.append(b"two\nthree\n", 2)
        writer.append(b"four\n")
        writer.seal()
        (segment,) = claim(str(tmp_path))
        assert b"".join(segment.blocks()) == b"one\nremark\ntwo\nthree\nfour\n"
        assert segment.damaged == 0
        segment.release()


def first_version(*payloads: bytes) -> bytes:
    """Return a segment as the first version wrote it."""
    found = b"#crmlogging segment 1\n"
    for each in payloads:
        lines = each.count(b"\n")
        found += struct.pack("<cIIIc", b"@", len(each), crc32(each, lines), lines, b"\n") + each
    return found


class TestFirstVersion:
    """Segments that an older release left are delivered like one's own."""

    @pytest.mark.parametrize(
        ("change", "lines", "damaged"),
        [
            pytest.param(lambda data: data, b"one\ntwo\nthree\nfour\n", 0, id="whole"),
            pytest.param(lambda data: data[:-3], b"one\ntwo\nthree\n", 0, id="torn"),
            pytest.param(
                lambda data: data.replace(b"three", b"threE"), b"one\nfour\n", 1, id="damaged"
            ),
            pytest.param(
                lambda data: data[:23] + b"\xff\xff" + data[25:], b"two\nthree\nfour\n", 1,
                id="damaged-length",
            ),
        ],
    )  # fmt: skip
    def test_is_read(
        self, path: Path, change: Callable[[bytes], bytes], lines: bytes, damaged: int
    ) -> None:
        """All of it, but for what is torn or damaged."""
        data = change(first_version(b"one\n", b"two\nthree\n", b"four\n"))
        for size in (1, 20, 1_000):
            assert read(path, data, size) == (lines, damaged)

    def test_becomes_an_object(self, tmp_path: Path) -> None:
        """A spool with segments of both is packed, and nothing is set aside."""
        spool = Spool(str(tmp_path), tally=Tally())
        spool.make()
        (tmp_path / str(SegmentName.new("standard", NOW))).write_bytes(first_version(b"old\n"))
        writer = SegmentWriter(str(tmp_path), "standard", clock=lambda: NOW)
        writer.append(b"new\n")
        writer.seal()
        assert spool.pack() == 0
        items = list(spool.ready())
        assert sorted(gzip.decompress(item.read()) for item in items) == [b"new\n", b"old\n"]
        for item in items:
            spool.delivered(item)
        assert spool.used_files() == 0

    def test_waits_in_a_journal(self, tmp_path: Path) -> None:
        """Its lines are taken over, without a remark in a form that nobody writes any more."""
        path = tmp_path / str(SegmentName.new("journal", NOW))
        path.write_bytes(first_version(b"one\n", b"done 1\n", b"two\n", b"three\n"))
        before = path.read_bytes()
        journal = Journal(str(tmp_path), max_bytes=10**6, tally=Tally())
        found = list(journal.leftovers())
        assert [line for line, _ in found] == [b"two", b"three"]
        found[0][1].settled = True
        journal.advance()
        assert path.read_bytes() == before
        found[1][1].settled = True
        journal.advance()
        assert not path.exists()

    def test_doctor_counts_it(self, tmp_path: Path) -> None:
        """Waiting records, and damage, as in a segment of one's own."""
        path = tmp_path / "spool" / str(SegmentName.new("standard", NOW))
        path.parent.mkdir(mode=0o700)
        path.write_bytes(first_version(b"one\n", b"two\nthree\n"))
        path.chmod(0o600)
        report = examine([str(tmp_path)])
        assert (report.findings, report.counts["waiting_records"]) == ([], 3)
        path.write_bytes(path.read_bytes().replace(b"three", b"threE"))
        report = examine([str(tmp_path)])
        assert [each.kind for each in report.findings] == ["damaged_segment"]
        assert report.counts["waiting_records"] == 1
