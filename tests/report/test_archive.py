"""Promises of `Archive`: what can be read is read, once, and the rest is said."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from crmlogging.report.archive import Archive


def lines(*numbers: int, process: str = "00ff") -> bytes:
    """Return log lines with the records `numbers` of a process."""
    return b"".join(
        json.dumps({"level": "INFO", "record.id": f"{process}-{number}"}).encode() + b"\n"
        for number in numbers
    )


def numbers_in(archive: Archive) -> list[int]:
    return [int(line["record.id"].rpartition("-")[2]) for line in archive]


class TestReading:
    def test_files_and_folders_plain_and_compressed(self, tmp_path: Path) -> None:
        """A folder's logs are read in the order of their names, whatever else lies there."""
        (tmp_path / "s3" / "dt=2026-11-21").mkdir(parents=True)
        (tmp_path / "s3" / "dt=2026-11-21" / "a.jsonl.gz").write_bytes(gzip.compress(lines(1, 2)))
        (tmp_path / "z.jsonl").write_bytes(lines(3))
        (tmp_path / "notes.txt").write_bytes(lines(4))
        (tmp_path / "crm.jsonl.lock").write_bytes(b"")
        archive = Archive([tmp_path])
        assert sorted(numbers_in(archive)) == [1, 2, 3]
        assert (archive.files, archive.lines, archive.remarks()) == (2, 3, [])

    def test_a_file_named_itself_is_read_whatever_its_name(self, tmp_path: Path) -> None:
        """Compression is seen from the contents."""
        for name, contents in (("a.log", lines(1)), ("b.txt", gzip.compress(lines(2)))):
            (tmp_path / name).write_bytes(contents)
        assert numbers_in(Archive([tmp_path / "a.log", tmp_path / "b.txt"])) == [1, 2]

    def test_a_record_counts_once(self, tmp_path: Path) -> None:
        """The file and its copy in S3 tell the same story, not twice as much of it."""
        (tmp_path / "a.jsonl").write_bytes(lines(1, 2, 3))
        (tmp_path / "b.jsonl").write_bytes(lines(3, 4) + lines(3, process="ab"))
        archive = Archive([tmp_path])
        assert numbers_in(archive) == [1, 2, 3, 4, 3]
        assert archive.repeated == 1

    @pytest.mark.parametrize(
        "identity",
        ["", "-", "x-0", "x-99999999999999999999", "x--1", "a" * 5_000, "x-²", "x-1.5"],
    )
    def test_ids_of_another_form(self, tmp_path: Path, identity: str) -> None:
        """An id no process of ours makes still tells repetitions."""
        line = json.dumps({"record.id": identity}).encode() + b"\n"
        (tmp_path / "a.jsonl").write_bytes(line * 2)
        archive = Archive([tmp_path])
        assert [each["record.id"] for each in archive] == [identity]
        assert archive.repeated == 1

    def test_forged_ids_take_no_memory(self, tmp_path: Path) -> None:
        """Huge counters, long prefixes and long ids cost no more than they are long, cut short."""
        forged = ["x-999999999", "y" * 5_000 + "-5", "z" * 5_000]
        text = "".join(json.dumps({"record.id": each}) + "\n" for each in forged)
        (tmp_path / "a.jsonl").write_text(text)
        archive = Archive([tmp_path])
        assert len(list(archive)) == 3
        assert archive._seen._bits == {}
        assert max(map(len, archive._seen._others)) <= 128

    def test_folders_are_read_in_order(self, tmp_path: Path) -> None:
        """Equal archives give equal reports."""
        for number in (3, 1, 2):
            (tmp_path / f"dt={number}").mkdir()
            (tmp_path / f"dt={number}" / "a.jsonl").write_bytes(lines(number))
        assert numbers_in(Archive([tmp_path])) == [1, 2, 3]

    def test_lines_without_an_id_all_count(self, tmp_path: Path) -> None:
        """Without an id nothing can be called a repetition."""
        (tmp_path / "a.jsonl").write_bytes(b'{"a": 1}\n' * 3)
        assert len(list(Archive([tmp_path]))) == 3


class TestDamage:
    @pytest.mark.parametrize(
        "broken",
        [
            pytest.param(b'{"level": "INF', id="torn"),
            pytest.param(b"[1, 2]", id="no-object"),
            pytest.param(b"\x00\xff\xfe", id="binary"),
            pytest.param(b"[" * 5_000, id="deep"),
        ],
    )
    def test_a_broken_line_is_skipped_and_counted(self, tmp_path: Path, broken: bytes) -> None:
        """The lines around it are read."""
        (tmp_path / "a.jsonl").write_bytes(lines(1) + broken + b"\n" + lines(2))
        archive = Archive([tmp_path])
        assert numbers_in(archive) == [1, 2]
        assert archive.remarks() == ["Skipped 1 line without a JSON object."]

    def test_an_unfinished_last_line(self, tmp_path: Path) -> None:
        """A line without its newline counts if it is whole."""
        (tmp_path / "a.jsonl").write_bytes(lines(1) + lines(2).rstrip())
        assert numbers_in(Archive([tmp_path])) == [1, 2]

    @pytest.mark.parametrize(
        ("damage", "remark"),
        [
            pytest.param(lambda raw: raw[:-20], "ends in the middle", id="truncated"),
            pytest.param(lambda raw: raw + b"garbage", "not gzip", id="trailing-garbage"),
            pytest.param(
                lambda raw: raw + raw[:12] + b"\xff" * 99, "not gzip", id="broken-second-member"
            ),
        ],
    )
    def test_a_damaged_archive_gives_what_it_can(
        self, tmp_path: Path, damage: object, remark: str
    ) -> None:
        """The good part of a gzip file is read, and the damage named with the file."""
        assert callable(damage)
        intact = gzip.compress(b"".join(lines(n) for n in range(1, 2_000)))
        (tmp_path / "a.jsonl.gz").write_bytes(damage(intact))
        (tmp_path / "b.jsonl").write_bytes(lines(9_999))
        archive = Archive([tmp_path])
        read = numbers_in(archive)
        assert read[:3] == [1, 2, 3]
        assert read[-1] == 9_999
        assert any("a.jsonl.gz" in said and remark in said for said in archive.remarks())

    def test_concatenated_members_are_one_file(self, tmp_path: Path) -> None:
        """gzip files may be joined (RFC 1952 section 2.2)."""
        (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines(1)) + gzip.compress(lines(2)))
        assert numbers_in(Archive([tmp_path])) == [1, 2]

    def test_an_endless_line_takes_no_memory(self, tmp_path: Path) -> None:
        """A line over the limit is read past in pieces; the next one is read."""
        (tmp_path / "a.jsonl").write_bytes(b"x" * 10_000 + b"\n" + lines(1) + b"y" * 5_000)
        archive = Archive([tmp_path], line_bytes=1_000)
        assert numbers_in(archive) == [1]
        assert archive.skipped == 2

    def test_a_bomb_is_left(self, tmp_path: Path) -> None:
        """What expands beyond the limit is left there, and said."""
        bomb = gzip.compress(lines(1) + b'{"a": 1}\n' * 1_000_000)
        (tmp_path / "a.jsonl.gz").write_bytes(bomb)
        archive = Archive([tmp_path], inflated_bytes=2_000_000)
        assert 1 < len(list(archive)) < 230_000
        assert "expands to more than 2,000,000 bytes" in archive.remarks()[0]

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs os.mkfifo")
    def test_only_regular_files_of_a_folder(self, tmp_path: Path) -> None:
        """A pipe, a link or a folder with a log's name does not stop or mislead the reader."""
        os.mkfifo(tmp_path / "a.jsonl")
        (tmp_path / "b.jsonl").symlink_to("/dev/zero")
        (tmp_path / "c.jsonl").mkdir()
        (tmp_path / "d.jsonl").write_bytes(lines(1))
        assert numbers_in(Archive([tmp_path])) == [1]

    def test_remarks_are_bounded(self, tmp_path: Path) -> None:
        """Thousands of damaged files do not bury the report."""
        archive = Archive([tmp_path / f"{number}" for number in range(500)])
        assert list(archive) == []
        assert len(archive.remarks()) == 100

    def test_a_file_that_vanished_is_named(self, tmp_path: Path) -> None:
        """A missing file is a remark, not a crash."""
        archive = Archive([tmp_path / "gone.jsonl"])
        assert list(archive) == []
        assert "gone.jsonl cannot be read (No such file or directory)." in archive.remarks()[0]
