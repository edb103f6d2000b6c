"""Promises of `crmlogging cat`: all lines that can be read, in order, wherever they are kept."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crmlogging.crypto.key_files import write_new
from crmlogging.crypto.keys import PrivateKey
from crmlogging.crypto.streams import EncryptingWriter
from tests.s3_server import Server

pytestmark = pytest.mark.filterwarnings("ignore:.*utcnow.*:DeprecationWarning")

KEY = PrivateKey.new()


def cat(*arguments: str | Path, stdin: bytes = b"") -> tuple[int, bytes, str]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "crmlogging", "cat", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        timeout=300,  # Half a second of work, which a busy machine stretches to one minute.
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.decode()


def encrypted(data: bytes, key: PrivateKey = KEY) -> bytes:
    sink = io.BytesIO()
    with EncryptingWriter(sink, key.public) as writer:
        writer.write(data)
    return sink.getvalue()


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """Lend the file of the private key."""
    write_new(tmp_path / "private.pem", KEY.pem())
    return tmp_path / "private.pem"


class TestCat:
    def test_a_folder_of_all_kinds_in_order(self, tmp_path: Path, private: Path) -> None:
        """Plain, gzip and encrypted; rotated files by day and number, the active one last."""
        logs = tmp_path / "logs"
        logs.mkdir()
        (logs / "crm.jsonl").write_bytes(b"5\n")
        (logs / "crm.debug.jsonl").write_bytes(b"1\n")
        (logs / "crm.debug.2026-11-20.000001.jsonl.gz").write_bytes(gzip.compress(b"0\n"))
        (logs / "crm.standard.2026-11-21.000001.jsonl").write_bytes(b"3\n4\n")
        (logs / "crm.standard.2026-11-20.000002.jsonl.gz.enc").write_bytes(
            encrypted(gzip.compress(b"2\n"))
        )
        (logs / "notes.txt").write_bytes(b"no line\n")
        (logs / "link.jsonl").symlink_to(logs / "notes.txt")
        assert cat("--key", private, logs) == (0, b"0\n1\n2\n3\n4\n5\n", "")

    def test_several_sources_and_standard_input(self, tmp_path: Path) -> None:
        """In the order given; a last line without an end does not run into the next file."""
        (tmp_path / "a").write_bytes(b"a1\na2")
        (tmp_path / "b").write_bytes(gzip.compress(b"b\n"))
        assert cat(tmp_path / "a", "-", tmp_path / "b", stdin=gzip.compress(b"in\n")) == (
            *(0, b"a1\na2\nin\nb\n"),
            "",
        )

    @pytest.mark.parametrize("cut", ["gzip", "encrypted"])
    def test_a_truncated_tail_costs_the_tail(self, tmp_path: Path, private: Path, cut: str) -> None:
        """The whole lines before it, a remark, exit code 1; the next source is read."""
        lines = b"".join(
            b"%d %s\n" % (number, os.urandom(200).hex().encode()) for number in range(2_000)
        )
        body = gzip.compress(lines)
        whole = encrypted(body) if cut == "encrypted" else body
        (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
        (tmp_path / "next").write_bytes(b"next\n")
        code, output, told = cat("--key", private, tmp_path / "cut", tmp_path / "next")
        assert code == 1
        assert output.endswith(b"\nnext\n")
        got = output.removesuffix(b"next\n")
        assert 50_000 < len(got) < len(lines)
        assert lines.startswith(got)
        assert "cut" in told
        assert told.count("\n") == 1

    def test_an_altered_chunk_is_noticed(self, tmp_path: Path, private: Path) -> None:
        """Chunks left out, exchanged or changed: what comes before counts, nothing else comes."""
        body = encrypted(b"".join(b"%06d\n" % number for number in range(40_000)))
        chunk = 65_536 + 28
        start = 50 + chunk
        (tmp_path / "x").write_bytes(body[:start] + body[start + chunk :])
        code, output, told = cat("--key", private, tmp_path / "x")
        assert code == 1
        assert output.splitlines()[-1] == b"%06d" % (65_536 // 7 - 1)
        assert "cut short or changed" in told

    def test_without_the_key_it_names_the_one_needed(self, tmp_path: Path) -> None:
        """By its id."""
        (tmp_path / "x").write_bytes(encrypted(b"x\n"))
        code, output, told = cat(tmp_path / "x")
        assert (code, output) == (1, b"")
        assert KEY.public.id in told

    @pytest.mark.parametrize("mode", [0o640, 0o604])
    def test_a_key_that_others_may_read_is_refused(
        self, tmp_path: Path, private: Path, mode: int
    ) -> None:
        """As a usage error, before anything is read."""
        private.chmod(mode)
        (tmp_path / "x").write_bytes(b"x\n")
        code, output, told = cat("--key", private, tmp_path / "x")
        assert (code, output) == (2, b"")
        assert "may be used by others" in told

    @pytest.mark.parametrize("place", ["missing", "s3://"])
    def test_what_is_not_there_is_told(self, tmp_path: Path, place: str) -> None:
        """The others are printed."""
        (tmp_path / "x").write_bytes(b"x\n")
        named = place if place.startswith("s3:") else tmp_path / place
        code, output, told = cat(named, tmp_path / "x")
        assert (code, output) == (1, b"x\n")
        assert "cannot be" in told

    def test_who_reads_may_stop(self, tmp_path: Path) -> None:
        """As in `crmlogging cat ... | head`: no traceback."""
        (tmp_path / "x").write_bytes(b"line\n" * 500_000)
        command = [sys.executable, "-W", "ignore", "-m", "crmlogging", "cat", str(tmp_path / "x")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.read(10)
            process.stdout.close()
            assert process.stderr.read() == b""
            process.wait(60)


class TestBucket:
    def test_objects_below_a_prefix(self, server: Server, private: Path) -> None:
        """All kinds, by key; what is no line file and what has only a like name is left out."""
        for key, body in {
            "crm/tier=debug/dt=2026-11-21/hour=14/a.jsonl.gz": gzip.compress(b"1\n"),
            "crm/tier=standard/dt=2026-11-21/hour=14/a.jsonl.gz.enc": encrypted(
                gzip.compress(b"2\n")
            ),
            "crm/tier=standard/dt=2026-11-22/hour=00/a.jsonl": b"3\n",
            "crm/notes.txt": b"no\n",
            "crm2/a.jsonl": b"no\n",
        }.items():
            server.client.put_object(Bucket=server.bucket, Key=key, Body=body)
        reach = ("--endpoint-url", server.url, "--key", private)
        assert cat(*reach, f"s3://{server.bucket}/crm") == (0, b"1\n2\n3\n", "")
        assert cat(*reach, f"s3://{server.bucket}/crm/tier=standard/dt=2026-11-2*")[1] == b"2\n3\n"
        one = f"s3://{server.bucket}/crm/tier=debug/dt=2026-11-21/hour=14/a.jsonl.gz"
        assert cat(*reach, one)[1] == b"1\n"
        code, output, told = cat(
            *reach, f"s3://{server.bucket}/nothing", f"s3://{server.bucket}-x/crm"
        )
        assert (code, output) == (1, b"")
        assert "holds no lines" in told
        assert "NoSuchBucket" in told
