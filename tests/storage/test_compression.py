"""Promises of `compression`: an archive replaces its source whole, or not at all."""

from __future__ import annotations

import gzip
import os
import stat
import threading
import time
import zlib
from pathlib import Path

import pytest

from crmlogging.storage import compression, locking
from crmlogging.storage.compression import compress_file, new_compressor
from crmlogging.storage.opening import UnsafeFileError

LINES = b"".join(b'{"number":%d}\n' % number for number in range(50_000))


class TestNewCompressor:
    def test_header_tells_nothing(self) -> None:
        """No name, no time (RFC 1952 section 2.3), so equal input gives equal bytes."""
        results = []
        for _ in range(2):
            compressor = new_compressor()
            results.append(compressor.compress(b"line\n") + compressor.flush())
        assert results[0] == results[1]
        assert gzip.decompress(results[0]) == b"line\n"
        assert results[0][3] == 0
        assert results[0][4:8] == bytes(4)


class TestCompressFile:
    def test_replaces_the_source(self, tmp_path: Path) -> None:
        """Afterwards there is the archive alone, as private as asked for."""
        path = tmp_path / "log"
        path.write_bytes(LINES)
        before = os.umask(0)
        try:
            assert compress_file(str(path), mode=0o640)
        finally:
            os.umask(before)
        assert [file.name for file in tmp_path.iterdir()] == ["log.gz"]
        assert gzip.decompress((tmp_path / "log.gz").read_bytes()) == LINES
        assert stat.S_IMODE((tmp_path / "log.gz").stat().st_mode) == 0o640

    def test_a_killed_writers_fragment_is_left_out(self, tmp_path: Path) -> None:
        """One that had the file open since before its rotation may die in it: no torn line."""
        source = tmp_path / "x"
        source.write_bytes(b"whole\nhalf")
        assert compress_file(str(source), mode=0o600)
        assert gzip.decompress((tmp_path / "x.gz").read_bytes()) == b"whole\n"

    def test_finishes_what_a_crash_left_before_the_unlink(self, tmp_path: Path) -> None:
        """With the archive whole under its name only the source is left to remove."""
        path = tmp_path / "log"
        path.write_bytes(LINES)
        archive = gzip.compress(LINES, mtime=0)
        (tmp_path / "log.gz").write_bytes(archive)
        assert compress_file(str(path), mode=0o600)
        assert [file.name for file in tmp_path.iterdir()] == ["log.gz"]
        assert (tmp_path / "log.gz").read_bytes() == archive

    @pytest.mark.parametrize(
        "archive", [gzip.compress(b"other\n", mtime=0), b"", b"no gzip at all"]
    )
    def test_never_replaces_another_archive(self, tmp_path: Path, archive: bytes) -> None:
        """An archive of that name with other contents stays, and so does the source."""
        (tmp_path / "log").write_bytes(LINES)
        (tmp_path / "log.gz").write_bytes(archive)
        assert not compress_file(str(tmp_path / "log"), mode=0o600)
        assert (tmp_path / "log").read_bytes() == LINES
        assert (tmp_path / "log.gz").read_bytes() == archive

    def test_line_that_comes_late_is_kept(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who was stopped inside a write since before the rotation loses nothing."""
        monkeypatch.setattr(compression, "_LOCK_SECONDS", 60.0)
        path = tmp_path / "log"
        path.write_bytes(LINES)
        writer = os.open(path, os.O_RDWR | os.O_APPEND)
        assert locking.try_lock(writer)
        done: list[bool] = []
        thread = threading.Thread(target=lambda: done.append(compress_file(str(path), mode=0o600)))
        thread.start()
        while not (tmp_path / "log.gz").exists():  # It has read everything by now.
            time.sleep(0.001)
        os.write(writer, b"late\n")
        locking.unlock(writer)
        os.close(writer)
        thread.join(60)
        assert done == [True]
        assert [file.name for file in tmp_path.iterdir()] == ["log.gz"]
        assert gzip.decompress((tmp_path / "log.gz").read_bytes()) == LINES + b"late\n"

    def test_source_that_is_locked_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A writer that was stopped in the middle of a write finds its file in place."""
        monkeypatch.setattr(compression, "_LOCK_SECONDS", 0.01)
        path = tmp_path / "log"
        path.write_bytes(LINES)
        writer = os.open(path, os.O_RDWR)
        assert locking.try_lock(writer)
        with pytest.raises(TimeoutError):
            compress_file(str(path), mode=0o600)
        assert path.read_bytes() == LINES
        os.close(writer)
        assert compress_file(str(path), mode=0o600)
        assert [file.name for file in tmp_path.iterdir()] == ["log.gz"]

    def test_stops_when_told_and_undoes(self, tmp_path: Path) -> None:
        """At exit there is no time: the source stays, nothing half is left."""
        (tmp_path / "log").write_bytes(LINES)
        assert not compress_file(str(tmp_path / "log"), mode=0o600, pause=lambda _: False)
        assert [file.name for file in tmp_path.iterdir()] == ["log"]

    @pytest.mark.parametrize("planted", ["log", "log.gz", "log.gz.tmp"])
    def test_follows_no_planted_link(self, tmp_path: Path, planted: str) -> None:
        """Neither source nor archive nor the file in between leads anywhere else."""
        victim = tmp_path / "victim"
        victim.write_bytes(b"untouched")
        (tmp_path / "log").write_bytes(LINES)
        (tmp_path / planted).unlink(missing_ok=True)
        (tmp_path / planted).symlink_to(victim)
        try:
            compress_file(str(tmp_path / "log"), mode=0o600)
        except UnsafeFileError:
            pass
        assert victim.read_bytes() == b"untouched"

    def test_pauses_after_each_block(self, tmp_path: Path) -> None:
        """Between blocks of a quarter megabyte others get the processor."""
        (tmp_path / "log").write_bytes(LINES * 2)
        pauses: list[float] = []

        def pause(worked: float) -> bool:
            pauses.append(worked)
            return True

        assert compress_file(str(tmp_path / "log"), mode=0o600, pause=pause)
        assert len(pauses) == -(-len(LINES * 2) // 262_144)
        assert all(worked > 0 for worked in pauses)

    def test_trailer_is_that_of_the_source(self, tmp_path: Path) -> None:
        """CRC-32 and size in the trailer are what resuming relies on (RFC 1952)."""
        (tmp_path / "log").write_bytes(LINES)
        compress_file(str(tmp_path / "log"), mode=0o600)
        trailer = (tmp_path / "log.gz").read_bytes()[-8:]
        expected = zlib.crc32(LINES).to_bytes(4, "little") + len(LINES).to_bytes(4, "little")
        assert trailer == expected
