"""Promises of `RetentionFileHandler(encrypt_to=...)`: archives only its key opens."""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from crmlogging import RetentionFileHandler
from crmlogging.crypto.keys import PrivateKey, PrivateKeys
from crmlogging.exceptions import ConfigurationError
from crmlogging.storage.compression import compress_file
from crmlogging.storage.lines import read_lines
from crmlogging.storage.retention import plan
from crmlogging.storage.rotation import Names
from tests.handlers.s3_spooling import safe

KEY = PrivateKey.new()
LINES = b"".join(b'{"number":%d}\n' % number for number in range(50_000))
DAY = datetime.date(2026, 11, 21)


def opened(path: Path) -> bytes:
    """Return the lines of an encrypted archive."""
    keys, complaints = PrivateKeys(), list[str]()
    keys.add(KEY)
    with path.open("rb") as file:
        lines = b"".join(line.raw for line in read_lines(file, complaints.append, keys=keys))
    assert complaints == []
    return lines


def wait_for(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


class TestArchives:
    def test_full_files_become_encrypted_archives(self, tmp_path: Path) -> None:
        """In the background, under a name of their own; the active file is plain."""
        handler = RetentionFileHandler(
            tmp_path / "crm.jsonl", max_bytes=5_000, encrypt_to=KEY.public.line, levels=False
        )
        for _ in range(40):
            handler.handle(safe("x" * 200))
        wait_for(lambda: len(list(tmp_path.glob("crm.standard.*.jsonl.gz.enc"))) >= 2)
        handler.close()
        handler = RetentionFileHandler(
            tmp_path / "crm.jsonl", max_bytes=5_000, encrypt_to=KEY.public.line, levels=False
        )
        wait_for(lambda: not [p for p in tmp_path.glob("crm.standard.*") if p.suffix != ".enc"])
        handler.close()
        archives = sorted(tmp_path.glob("crm.standard.*"))
        lines = b"".join(map(opened, archives)) + (tmp_path / "crm.jsonl").read_bytes()
        assert lines.count(b"\n") == 40
        for path in archives:
            assert path.stat().st_mode & 0o777 == 0o600
            assert b"timestamp" not in path.read_bytes()

    @pytest.mark.parametrize(
        ("options", "complaint"),
        [
            pytest.param({"encrypt_to": "x25519:x"}, "encrypt_to", id="key"),
            pytest.param(
                {"encrypt_to": KEY.public.line, "compress": None}, "needs compress", id="plain"
            ),
        ],
    )
    def test_mistakes_are_told(
        self, tmp_path: Path, options: dict[str, str], complaint: str
    ) -> None:
        """When configuring, never by a plain archive."""
        with pytest.raises(ConfigurationError, match=complaint):
            RetentionFileHandler(tmp_path / "crm.jsonl", **options)  # type: ignore[arg-type]  # some are wrong on purpose

    def test_the_last_file_of_a_day_does_not_stay_plain(self) -> None:
        """Where a plain one is kept readable for 30 days, one to be encrypted is due at once."""
        file = Names("crm.jsonl", "standard").parse("crm.standard.2026-11-21.000001.jsonl")
        assert file is not None
        tomorrow = DAY + datetime.timedelta(days=1)
        days = {"standard": 90}
        assert plan([(file, 1)], today=tomorrow, days=days).compress == []
        decided = plan([(file, 1)], today=tomorrow, days=days, compress_after_days=0)
        assert decided.compress == [file]


class TestNames:
    def test_knows_its_encrypted_archives(self) -> None:
        """They are counted, aged and deleted as all others; look-alikes are nobody's."""
        names = Names("crm.jsonl", "standard")
        parsed = names.parse("crm.standard.2026-11-21.000001.jsonl.gz.enc")
        assert parsed is not None
        assert (parsed.day, parsed.number, parsed.compressed) == (DAY, 1, True)
        for name in ("jsonl.enc", "jsonl.enc.gz", "jsonl.gz.enc.tmp", "jsonl.gz.ENC", "jsonl.gz."):
            assert names.parse(f"crm.standard.2026-11-21.000001.{name}") is None

    def test_a_number_is_not_given_twice(self, tmp_path: Path) -> None:
        """Also where only the encrypted archive is left of it."""
        names = Names(str(tmp_path / "crm.jsonl"), "standard")
        (tmp_path / "crm.standard.2026-11-21.000001.jsonl.gz.enc").touch()
        assert names.taken(DAY, 1)
        assert not names.taken(DAY, 2)

    def test_such_a_name_is_no_log_file(self, tmp_path: Path) -> None:
        """An active file must not look like an archive."""
        with pytest.raises(ConfigurationError, match="looks like a rotated"):
            RetentionFileHandler(tmp_path / "crm.jsonl.gz.enc")


class TestCompressFile:
    def test_finishes_what_a_crash_left(self, tmp_path: Path) -> None:
        """The archive was whole: only the source is left to remove."""
        source = tmp_path / "log"
        source.write_bytes(LINES)
        assert compress_file(str(source), mode=0o600, encrypt_to=KEY.public)
        archive = (tmp_path / "log.gz.enc").read_bytes()
        source.write_bytes(LINES)
        assert compress_file(str(source), mode=0o600, encrypt_to=KEY.public)
        assert {path.name for path in tmp_path.iterdir()} == {"log.gz.enc"}
        assert (tmp_path / "log.gz.enc").read_bytes() == archive
        assert opened(tmp_path / "log.gz.enc") == LINES

    def test_takes_the_archive_of_before_the_option(self, tmp_path: Path) -> None:
        """A crash, then a new configuration: there is one archive of it, not two."""
        source = tmp_path / "log"
        source.write_bytes(LINES)
        assert compress_file(str(source), mode=0o600)
        source.write_bytes(LINES)
        assert compress_file(str(source), mode=0o600, encrypt_to=KEY.public)
        assert {path.name for path in tmp_path.iterdir()} == {"log.gz"}

    @pytest.mark.parametrize("content", [b"", b"CRMLSEAL", os.urandom(5_000)])
    def test_never_replaces_another_archive(self, tmp_path: Path, content: bytes) -> None:
        """What does not fit the source stays, and so does the source."""
        (tmp_path / "log").write_bytes(LINES)
        (tmp_path / "log.gz.enc").write_bytes(content)
        assert not compress_file(str(tmp_path / "log"), mode=0o600, encrypt_to=KEY.public)
        assert (tmp_path / "log").read_bytes() == LINES
        assert (tmp_path / "log.gz.enc").read_bytes() == content

    def test_line_that_comes_late_is_kept(self, tmp_path: Path) -> None:
        """Somebody had the file open since before its rotation."""
        source = tmp_path / "log"
        source.write_bytes(LINES)
        late = iter([b"late\n"])

        def pause(_worked: float) -> bool:
            for line in late:
                with source.open("ab") as file:
                    file.write(line)
            return True

        assert compress_file(str(source), mode=0o600, encrypt_to=KEY.public, pause=pause)
        assert opened(tmp_path / "log.gz.enc") == LINES + b"late\n"
