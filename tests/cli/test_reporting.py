"""Promises of `crmlogging report` over what `crmlogging cat` reads: also encrypted, in a bucket."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crmlogging.cli.reporting import report_command
from crmlogging.crypto.key_files import write_new
from crmlogging.crypto.keys import PrivateKey
from crmlogging.crypto.streams import EncryptingWriter
from tests.s3_server import Server

pytestmark = pytest.mark.filterwarnings("ignore:.*utcnow.*:DeprecationWarning")

KEY = PrivateKey.new()


def report(*arguments: str | Path) -> Result:
    return CliRunner().invoke(report_command, [*map(str, arguments)])


def failures(*numbers: int) -> bytes:
    """Return compressed lines about one failure each."""
    told = {"level": "ERROR", "crm": "zoho", "error.category": "auth", "error.code": "EXPIRED"}
    lines = (json.dumps({**told, "record.id": f"a-{number}"}) + "\n" for number in numbers)
    return gzip.compress("".join(lines).encode())


def encrypted(data: bytes) -> bytes:
    sink = io.BytesIO()
    with EncryptingWriter(sink, KEY.public) as writer:
        writer.write(data)
    return sink.getvalue()


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """Lend the file of the private key."""
    write_new(tmp_path / "private.pem", KEY.pem())
    return tmp_path / "private.pem"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Lend a folder with two failures in the clear, two encrypted, one of them in both."""
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "crm.standard.2026-11-20.000001.jsonl.gz").write_bytes(failures(1, 2))
    (folder / "crm.standard.2026-11-21.000001.jsonl.gz.enc").write_bytes(encrypted(failures(2, 3)))
    return folder


class TestEncrypted:
    def test_with_the_key_all_counts(self, logs: Path, private: Path) -> None:
        """And what is there twice, plain and encrypted, counts once."""
        shown = report("--key", private, logs)
        assert shown.exit_code == 0
        assert "3 failed calls in 1 group" in shown.output
        assert "Left out 1 line with a record counted already." in shown.output

    def test_a_folder_of_keys(self, logs: Path, private: Path) -> None:
        """The one that fits is found by its id."""
        write_new(private.with_name("other.pem"), PrivateKey.new().pem())
        assert "3 failed calls" in report("--key", private.parent, logs).output

    def test_without_it_the_rest_counts(self, logs: Path) -> None:
        """And the report names the key that is missing."""
        shown = report(logs)
        assert shown.exit_code == 0
        assert "2 failed calls" in shown.output
        assert KEY.public.id in shown.output

    def test_a_changed_archive_gives_what_came_before(self, logs: Path, private: Path) -> None:
        """Nothing of a changed chunk counts, and the report says so."""
        archive = logs / "crm.standard.2026-11-21.000001.jsonl.gz.enc"
        body = bytearray(archive.read_bytes())
        body[-1] ^= 1
        archive.write_bytes(body)
        shown = report("--key", private, logs)
        assert "2 failed calls" in shown.output
        assert "cut short or changed" in "".join(shown.output.split("\n"))

    def test_a_key_that_others_may_read_is_refused(self, logs: Path, private: Path) -> None:
        """As everywhere: exit code 2."""
        private.chmod(0o644)
        assert report("--key", private, logs).exit_code == 2


class TestBucket:
    def test_objects_below_a_prefix(self, server: Server, private: Path) -> None:
        """The archive that `S3Handler` makes is read where it is."""
        for key, body in {
            "crm/tier=standard/dt=2026-11-21/hour=14/a.jsonl.gz": failures(1),
            "crm/tier=standard/dt=2026-11-21/hour=15/b.jsonl.gz.enc": encrypted(failures(2)),
            "other/c.jsonl.gz": failures(3),
        }.items():
            server.client.put_object(Bucket=server.bucket, Key=key, Body=body)
        reach = ("--endpoint-url", server.url, "--key", private)
        assert "2 failed calls" in report(*reach, f"s3://{server.bucket}/crm").output
        shown = report(*reach, f"s3://{server.bucket}-x/crm")
        assert shown.exit_code == 1
        assert "NoSuchBucket" in shown.output
