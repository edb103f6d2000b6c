"""Promises of `doctor`: finds what is wrong, calls nothing wrong that is not, changes nothing."""

from __future__ import annotations

import datetime
import gzip
import json
import os
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import freezegun
import pytest
from click.testing import CliRunner, Result

from crmlogging.cli.doctoring import doctor_command
from crmlogging.diagnostics import Tally
from crmlogging.doctor.examining import examine
from crmlogging.doctor.findings import Report
from crmlogging.doctor.record_ids import RecordIds
from crmlogging.storage import locking
from crmlogging.storage.framing import frame
from crmlogging.storage.segment_writer import SegmentWriter
from crmlogging.storage.spool import Spool

TODAY = datetime.date(2026, 11, 22)
PROCESS = "0123456789abcdef"


def lines(*numbers: int) -> bytes:
    records = ({"record.id": f"{PROCESS}-{number}"} for number in numbers)
    return b"".join(json.dumps(each).encode() + b"\n" for each in records)


def put(path: Path, data: bytes, *, mode: int = 0o600) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)
    return path


def kinds(report: Report, *, problems: bool = True) -> list[str]:
    return [each.kind for each in report.findings if each.problem is problems]


def look(folder: Path) -> Report:
    return examine([str(folder)], today=TODAY)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Lend a folder in which all is well: active files, a rotated one, two archives."""
    folder = tmp_path / "logs"
    put(folder / "crm.jsonl", lines(7, 8))
    put(folder / "crm.debug.jsonl", lines(6))
    put(folder / "crm.standard.2026-11-21.000002.jsonl", lines(4, 5))
    put(folder / "crm.standard.2026-11-21.000001.jsonl.gz", gzip.compress(lines(2, 3)))
    put(folder / "crm.debug.2026-11-15.000001.jsonl.gz", gzip.compress(lines(1)))
    return folder


class TestLogs:
    def test_nothing_is_wrong_where_nothing_is(self, logs: Path) -> None:
        """No finding at all, and every line was looked at."""
        report = look(logs)
        assert report.findings == []
        assert (report.counts["files"], report.counts["lines"], report.counts["archives"]) == (
            *(5, 8, 2),
        )

    def test_changes_nothing(self, logs: Path) -> None:
        """Neither contents nor names nor times, whatever is found."""
        put(logs / "crm.standard.2026-11-21.000003.jsonl.gz.tmp", b"")
        put(logs / "crm.jsonl", b'{"half', mode=0o666)

        def state() -> list[object]:
            found = [(path, path.lstat()) for path in sorted(logs.rglob("*"))]
            return [(p, s.st_size, s.st_mode, s.st_mtime_ns, s.st_ctime_ns) for p, s in found]

        before = state()
        assert kinds(look(logs))
        assert state() == before

    @pytest.mark.parametrize(
        ("data", "kind", "line"),
        [
            pytest.param(lines(1) + b'{"record.id": "0', "torn_line", 2, id="fragment"),
            pytest.param(b'{"a": {"b": 1}\n' + lines(1), "torn_line", 1, id="glued"),
            pytest.param(lines(1) + b"plain text\n", "not_json", 2, id="text"),
            pytest.param(lines(1) + b"[1]\n", "not_json", 2, id="no-object"),
            pytest.param(lines(1) + b"\xff\n", "not_json", 2, id="bytes"),
            pytest.param(b"{" + b" " * 3_000_000 + b"}\n", "long_line", 1, id="long"),
        ],
    )
    def test_lines(self, logs: Path, data: bytes, kind: str, line: int) -> None:
        """The number of the first bad line is told, nothing of its contents."""
        put(logs / "crm.jsonl", data)
        report = look(logs)
        assert kinds(report) == [kind]
        assert report.findings[0].text.startswith(f"line {line}: ")
        assert "plain" not in report.findings[0].text

    def test_lines_of_a_plain_formatter(self, tmp_path: Path) -> None:
        """A service may write text: then only a line without an end is torn."""
        put(tmp_path / "logs" / "crm.log", b"one\ntwo\n")
        put(tmp_path / "logs" / "crm.standard.2026-11-21.000001.log", b"one\ntw")
        assert kinds(look(tmp_path)) == ["torn_line"]

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(gzip.compress(lines(2))[:-4], id="cut"),
            pytest.param(gzip.compress(lines(2)) + b"more", id="garbage-behind"),
            pytest.param(b"\x1f\x8b" + b"\0" * 50, id="no-gzip"),
        ],
    )
    def test_broken_archives(self, logs: Path, data: bytes) -> None:
        """An archive that gzip would refuse."""
        put(logs / "crm.standard.2026-11-21.000001.jsonl.gz", data)
        assert "broken_archive" in kinds(look(logs))

    def test_the_end_of_a_cut_archive_is_told_once(self, logs: Path) -> None:
        """The line that was cut with it is no second problem; one before it is."""
        data = b'{"a": \n' + lines(1) + b'{"b": "%b"}\n' % os.urandom(100).hex().encode()
        put(logs / "crm.standard.2026-11-20.000001.jsonl.gz", gzip.compress(data)[:-60])
        put(logs / "crm.standard.2026-11-20.000002.jsonl.gz", gzip.compress(data[7:])[:-60])
        report = look(logs)
        assert sorted(kinds(report)) == ["broken_archive", "broken_archive", "torn_line"]
        assert report.counts["torn_line"] == 1
        assert [f.text[:7] for f in report.findings if f.kind == "torn_line"] == ["line 1:"]

    def test_says_what_becomes_of_a_torn_line(self, logs: Path) -> None:
        """At the end of an active file it goes by itself; elsewhere it does not."""
        put(logs / "crm.jsonl", lines(1) + b'{"half')
        put(logs / "crm.standard.2026-11-20.000001.jsonl", lines(1) + b'{"half')
        found = [each for each in look(logs).findings if each.kind == "torn_line"]
        active, rotated = sorted(found, key=lambda each: each.path)
        assert active.text.endswith("the next one cuts it off")
        assert rotated.text.endswith("this one was not")

    def test_concatenated_members_are_sound(self, logs: Path) -> None:
        """As `cat` makes them."""
        data = gzip.compress(lines(2)) + gzip.compress(lines(3))
        put(logs / "crm.standard.2026-11-21.000001.jsonl.gz", data)
        assert look(logs).findings == []

    def test_a_bomb_is_told_in_bounded_memory(self, logs: Path) -> None:
        """Less than 64 MB, whatever an archive expands to."""
        data = gzip.compress(b"\0" * 16_000_000) * 70
        put(logs / "crm.standard.2026-11-21.000001.jsonl.gz", data)
        tracemalloc.start()
        try:
            report = look(logs)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        (finding,) = (each for each in report.findings if each.kind == "broken_archive")
        assert finding.text.startswith("expands to more than")
        assert peak < 16_000_000  # to which comes the interpreter with its modules

    def test_leftovers_of_a_crash(self, logs: Path) -> None:
        """A half archive, and one beside its source; while a service is at it, only hints."""
        put(logs / "crm.standard.2026-11-21.000002.jsonl.gz.tmp", b"")
        put(logs / "crm.standard.2026-11-21.000001.jsonl", lines(2, 3))
        assert kinds(look(logs)) == ["orphan", "orphan"]
        fd = os.open(logs, os.O_RDONLY)
        assert locking.try_lock(fd)
        report = look(logs)
        os.close(fd)
        assert kinds(report) == []
        assert kinds(report, problems=False).count("orphan") == 2

    @pytest.mark.parametrize(
        ("name", "days", "overdue"),
        [
            ("crm.debug.2026-11-15.000001.jsonl.gz", None, False),
            ("crm.debug.2026-11-14.000001.jsonl.gz", None, True),
            ("crm.standard.2026-08-24.000001.jsonl.gz", None, False),
            ("crm.standard.2026-08-23.000001.jsonl.gz", None, True),
            ("crm.standard.2026-08-23.000001.jsonl.gz", {"standard": 91}, False),
            ("crm.standard.2020-01-01.000001.jsonl.gz", {"standard": None}, False),
        ],
    )
    def test_overdue(
        self, logs: Path, name: str, days: dict[str, int | None] | None, overdue: bool
    ) -> None:
        """Files older than their tier's days, to the day."""
        put(logs / name, gzip.compress(lines(9)))
        given = {} if days is None else {"days": days}
        report = examine([str(logs)], today=TODAY, **given)
        assert ("overdue" in kinds(report)) is overdue

    def test_look_alikes(self, logs: Path) -> None:
        """Names that are nearly ours are told, and no problem; others are nobody's business."""
        alike = ["crm.jsonl.1", "crm.standard.2026-11-21.17.jsonl", "crm.jsonl.gz"]
        for name in [*alike, "other.txt", "crmx.log"]:
            put(logs / name, b"whatever", mode=0o666)
        report = look(logs)
        assert kinds(report) == []
        found = [Path(each.path).name for each in report.findings if each.kind == "look_alike"]
        assert found == sorted(alike)


class TestSafety:
    @pytest.mark.parametrize("mode", [0o644, 0o660, 0o602, 0o700])
    def test_modes(self, logs: Path, mode: int) -> None:
        """Whatever lets others than a group of readers at a file."""
        (logs / "crm.jsonl").chmod(mode)
        assert kinds(look(logs)) == ["mode"]

    def test_a_group_may_read(self, logs: Path) -> None:
        """As the option `group` has it, for a shipper."""
        (logs / "crm.jsonl").chmod(0o640)
        assert look(logs).findings == []

    @pytest.mark.parametrize("kind", ["link", "hard", "pipe"])
    def test_planted(self, logs: Path, tmp_path: Path, kind: str) -> None:
        """What handlers refuse is told, and never opened."""
        secret = put(tmp_path / "secret", b"secret")
        place = logs / "crm.standard.2026-11-20.000001.jsonl"
        if kind == "link":
            place.symlink_to(secret)
        elif kind == "hard":
            os.link(logs / "crm.jsonl", place)
        else:
            os.mkfifo(place)
        assert "planted" in kinds(look(logs))

    def test_a_folder_anybody_may_write_to(self, logs: Path) -> None:
        """Unless it is sticky, as /tmp is."""
        logs.chmod(0o777)
        assert kinds(look(logs)) == ["unsafe_folder"]
        logs.chmod(0o1777)
        assert kinds(look(logs)) == []

    def test_a_linked_folder_is_not_entered(self, logs: Path, tmp_path: Path) -> None:
        """It is somebody else's."""
        elsewhere = tmp_path / "elsewhere"
        put(elsewhere / "x.jsonl", b"{torn", mode=0o666)
        (logs / "link").symlink_to(elsewhere)
        assert look(logs).findings == []


class TestRecordIds:
    def test_missing_numbers_are_a_hint(self, logs: Path) -> None:
        """They may have gone to another handler; the sentence says so."""
        put(logs / "crm.jsonl", lines(7, 20))
        report = look(logs)
        assert kinds(report) == []
        (hint,) = report.findings
        assert (hint.kind, "12 record numbers of 1 processes" in hint.text) == ("gap", True)
        assert f"{PROCESS} (1 to 20)" in hint.text

    def test_deleted_beginnings_are_no_gap(self, logs: Path) -> None:
        """Retention deletes the oldest; order does not matter."""
        ids = RecordIds()
        for number in (1_000, 998, 999):
            ids.add(f"{PROCESS}-{number}")
        assert ids.gaps() is None

    def test_repeats(self, logs: Path) -> None:
        """A record that is there twice is counted."""
        put(logs / "crm.jsonl", lines(7, 7, 8))
        assert kinds(look(logs), problems=False) == ["repeated"]

    def test_memory_is_bounded(self) -> None:
        """Any number of processes, and any number, and what is no id at all."""
        ids = RecordIds(memory_bytes=10_000)
        for number in range(1_000):
            ids.add(f"{number:016x}-1")
        ids.add(f"{PROCESS}-999999999")
        for other in (None, 17, "x", "x-1", f"{PROCESS}-0", f"{PROCESS}-9999999999"):
            ids.add(other)
        assert ids.full
        assert len(ids._seen) < 60


def spool_with(folder: Path, *, seal: bool) -> SegmentWriter:
    spool = Spool(str(folder), tally=Tally())
    spool.make()
    writer = SegmentWriter(str(folder), "standard")
    writer.append(lines(1, 2), records=2)
    if seal:
        writer.seal()
    return writer


def age(path: Path) -> None:
    before = time.time() - 7_300
    os.utime(path, (before, before))


class TestWaiting:
    def test_a_living_process_is_told_from_a_dead_one(self, tmp_path: Path) -> None:
        """A segment in use is fine however old; one that nobody took for hours is not."""
        writer = spool_with(tmp_path / "spool", seal=False)
        (segment,) = tmp_path.rglob("*.segment")
        age(segment)
        report = look(tmp_path)
        assert (kinds(report), report.counts["segments_alive"]) == ([], 1)
        assert report.counts["waiting_records"] == 2
        writer.seal()
        assert kinds(look(tmp_path)) == ["abandoned"]

    def test_a_segment_that_was_just_left_is_fine(self, tmp_path: Path) -> None:
        """The next start, or a neighbour, takes it within a minute."""
        spool_with(tmp_path / "spool", seal=True)
        assert look(tmp_path).findings == []

    @pytest.mark.parametrize(
        ("change", "damaged"),
        [
            pytest.param(lambda data: data + frame(b"{}\n", 0, 0)[:-1], False, id="torn-tail"),
            pytest.param(lambda data: data[:-3] + b"x" + data[-2:], True, id="bit-flip"),
            pytest.param(lambda data: b"y" + data[1:], True, id="other-file"),
            pytest.param(lambda data: data + b"garbage-garbage-garbage", True, id="garbage"),
            pytest.param(lambda data: b"", False, id="empty"),
        ],
    )
    def test_damage(self, tmp_path: Path, change: Callable[[bytes], bytes], damaged: bool) -> None:
        """A torn tail was never accepted; anything else is damage."""
        spool_with(tmp_path / "spool", seal=True)
        (segment,) = tmp_path.rglob("*.segment")
        segment.write_bytes(change(segment.read_bytes()))
        assert kinds(look(tmp_path)) == (["damaged_segment"] if damaged else [])

    def test_objects(self, tmp_path: Path) -> None:
        """One that waits for hours, and one that is not what its name says."""
        spool_with(tmp_path / "spool", seal=True)
        Spool(str(tmp_path / "spool"), tally=Tally()).pack()
        (packed,) = (tmp_path / "spool" / "ready").iterdir()
        report = look(tmp_path)
        assert (kinds(report), report.counts["waiting_records"]) == ([], 2)
        age(packed)
        assert kinds(look(tmp_path)) == ["undelivered"]
        packed.write_bytes(b"x" + packed.read_bytes()[1:])
        assert kinds(look(tmp_path)) == ["broken_archive"]

    def test_what_was_set_aside(self, tmp_path: Path) -> None:
        """A person has to look at it."""
        writer = spool_with(tmp_path / "spool", seal=True)
        del writer
        (segment,) = tmp_path.rglob("*.segment")
        put(tmp_path / "spool" / "aside" / segment.name, b"")
        assert kinds(look(tmp_path)) == ["aside"]


def invoke(*arguments: object) -> Result:
    with freezegun.freeze_time(TODAY):
        return CliRunner().invoke(doctor_command, [str(each) for each in arguments])


class TestCommand:
    def test_exit_codes(self, logs: Path, tmp_path: Path) -> None:
        """0 nothing wrong, hints or not; 1 something; 2 cannot be read or asked."""
        put(logs / "crm.jsonl.1", b"")
        assert invoke(logs).exit_code == 0
        (logs / "crm.jsonl").chmod(0o666)
        assert invoke(logs).exit_code == 1
        assert invoke(tmp_path / "missing").exit_code == 2
        assert invoke(logs, "--keep", "debug=x").exit_code == 2
        assert invoke().exit_code == 2

    def test_text_and_json(self, logs: Path) -> None:
        """One line a finding, problems first; a name with a line break stays on its line."""
        put(logs / "crm.jsonl\n.old", b"")
        (logs / "crm.jsonl").chmod(0o666)
        told = invoke(logs).output.splitlines()
        assert [line.split(":")[0] for line in told[:2]] == ["problem", "hint"]
        assert told[2].startswith("1 problems. Looked at 5 log files with 8 lines")
        document = json.loads(invoke(logs, "--json").output)
        assert document["counts"]["problems"] == 1
        assert {each["kind"] for each in document["findings"]} == {"mode", "look_alike"}

    def test_keep(self, tmp_path: Path) -> None:
        """Days as the handler has them."""
        put(tmp_path / "logs" / "crm.standard.2020-01-01.000001.jsonl.gz", gzip.compress(b""))
        assert "overdue" in invoke(tmp_path).output
        assert "overdue" not in invoke(tmp_path, "--keep", "standard=forever").output
