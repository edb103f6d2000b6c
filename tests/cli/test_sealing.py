"""Promises of `crmlogging keygen` and `crmlogging unseal`, as processes over real files."""

from __future__ import annotations

import gzip
import io
import json
import logging
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from crmlogging import AllowlistFilter, JsonFormatter
from crmlogging.crypto.key_files import write_new
from crmlogging.crypto.keys import PrivateKey, PrivateKeys, PublicKey

KEY = PrivateKey.new()
log = logging.getLogger("crm.unseal")


def run(*arguments: str | Path, stdin: bytes = b"", **environment: str) -> tuple[int, bytes, str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "crmlogging", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )
    return done.returncode, done.stdout, done.stderr.decode()


def lines_with(*values: object, key: PublicKey = KEY.public) -> bytes:
    """Return one line for each of `values`, sealed under ``email``."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(service="crm-sync"))
    handler.addFilter(
        AllowlistFilter(["@crm"], mask={"email": "seal"}, seal_to=key.line, service="crm-sync")
    )
    log.propagate, log.handlers[:] = False, [handler]
    for value in values:
        log.error("Failed", extra={"email": value})
    log.handlers.clear()
    return stream.getvalue().encode()


def emails(output: bytes) -> list[object]:
    return [json.loads(line)["email"] for line in output.splitlines()]


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """Lend the file of the private key."""
    write_new(tmp_path / "private.pem", KEY.pem())
    return tmp_path / "private.pem"


class TestKeygen:
    def test_makes_a_pair_for_its_owner_alone(self, tmp_path: Path) -> None:
        """The private key is 0600; what is printed goes into a configuration as it is."""
        path, public = tmp_path / "private.pem", tmp_path / "public.pem"
        code, output, errors = run("keygen", path, "--public", public)
        assert (code, errors) == (0, "")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        line = re.findall(r"x25519:\S+?(?=[\"\s])", output.decode())
        assert len(line) == 3
        key = PublicKey.read(line[0])
        assert PrivateKeys([path])[key.id].public == key == PublicKey.read(public)
        assert key.id in output.decode()
        assert b"PRIVATE" not in output
        AllowlistFilter(["@crm"], mask={"email": "seal"}, seal_to=line[1])

    def test_never_overwrites(self, tmp_path: Path) -> None:
        """What exists stays; nothing else is written then."""
        (tmp_path / "public.pem").write_text("kept")
        private, public = tmp_path / "private.pem", tmp_path / "public.pem"
        code, _, errors = run("keygen", private, "--public", public)
        assert (code, private.exists(), public.read_text()) == (2, False, "kept")
        assert "exists already" in errors
        private.symlink_to(tmp_path / "elsewhere")
        assert run("keygen", private)[0] == 2
        assert not (tmp_path / "elsewhere").exists()

    def test_says_where_it_cannot_write(self, tmp_path: Path) -> None:
        """A folder that is not there is one message, not a traceback."""
        code, _, errors = run("keygen", tmp_path / "no" / "private.pem")
        assert code == 2
        assert "No such file" in errors
        assert "Traceback" not in errors

    def test_with_a_passphrase(self, tmp_path: Path) -> None:
        """The file is encrypted, and unseal opens it with the same passphrase only."""
        path = tmp_path / "private.pem"
        code, output, _ = run("keygen", path, "--passphrase", CRMLOGGING_KEY_PASSPHRASE="päss")
        assert code == 0
        assert b"ENCRYPTED" in path.read_bytes()
        match = re.search(r"x25519:\S+", output.decode())
        assert match is not None
        sealed = lines_with("ada", key=PublicKey.read(match[0]))
        arguments = ("unseal", "--key", path, "-")
        assert emails(run(*arguments, stdin=sealed, CRMLOGGING_KEY_PASSPHRASE="päss")[1]) == ["ada"]
        code, output, errors = run(*arguments, stdin=sealed, CRMLOGGING_KEY_PASSPHRASE="wrong")
        assert (code, output) == (2, b"")
        assert "does not open with this passphrase" in errors


class TestUnseal:
    def test_plain_gzip_and_standard_input(self, private: Path, tmp_path: Path) -> None:
        """All three, one after the other; members of an archive are one file."""
        (tmp_path / "a.jsonl").write_bytes(lines_with("one", 2))
        members = gzip.compress(lines_with("three")) + gzip.compress(lines_with(None))
        (tmp_path / "b.jsonl.gz").write_bytes(members)
        code, output, errors = run(
            *("unseal", "--key", private, tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz", "-"),
            stdin=gzip.compress(lines_with("five")),
        )
        assert (code, errors) == (0, "")
        assert emails(output) == ["one", 2, "three", None, "five"]

    def test_everything_else_passes_unchanged(self, private: Path) -> None:
        """Text, broken JSON, other JSON and bytes come out as they went in."""
        content = (
            b'plain text\n\n{broken seal:\n[1, 2]\r\n"seal:"\n\xff\xfe\0seal:\n'
            b'{"a": 1.0,  "b": 123456789012345678901234567890}\n{"a":"seal:short"}\nno newline'
        )
        assert run("unseal", "--key", private, "-", stdin=content) == (0, content, "")

    def test_neighbours_of_a_value_stay(self, private: Path) -> None:
        """Of a line with a token only that changes, down to the end of the line."""
        line = lines_with("ada@example.com").rstrip(b"\n")
        big = line[:-1] + b',"big":123456789012345678901234567890,"half":"\\ud800"}\r\n'
        _, output, _ = run("unseal", "--key", private, "-", stdin=big)
        assert output.endswith(b"}\r\n")
        assert json.loads(output) == {**json.loads(big), "email": "ada@example.com"}

    def test_a_value_cannot_take_over_the_terminal(self, private: Path) -> None:
        """What was sealed is somebody's input: one line, no commands, no turned text."""
        hostile = "a\nb\x1b]8;;http://x\x07\u2028\u0085\u202e\x7f"
        line = lines_with(hostile).rstrip(b"}\n")
        both = line + b"}\n" + line + b',"big":123456789012345678901234567890}\n'
        _, output, _ = run("unseal", "--key", private, "-", stdin=both)
        assert len(output.decode().splitlines()) == 2
        assert not re.search(rb"[^ -~\n]", output)
        assert emails(output) == [hostile, hostile]

    def test_what_does_not_open_stays_and_is_counted(self, private: Path) -> None:
        """A moved token, and one for another key, whose id is named; exit code 1."""
        other = PrivateKey.new().public
        one, two = (json.loads(line) for line in lines_with("a", "b").splitlines())
        moved = json.dumps({**one, "email": two["email"]}).encode() + b"\n"
        content = moved + lines_with("ok") + lines_with("c", "d", key=other)
        code, output, errors = run("unseal", "--key", private, "-", stdin=content)
        assert code == 1
        assert emails(output)[1] == "ok"
        assert output.splitlines()[0] + b"\n" == moved
        assert output.splitlines()[2:] == content.splitlines()[2:]
        assert "1 sealed value left as they are: another key, or changed, cut, or moved" in errors
        assert f"2 sealed values left as they are: needs the private key {other.id}" in errors

    def test_several_keys(self, private: Path, tmp_path: Path) -> None:
        """`--key` again and again, files and folders."""
        others = [PrivateKey.new(), PrivateKey.new()]
        (tmp_path / "ring").mkdir()
        for number, key in enumerate(others):
            write_new(tmp_path / "ring" / f"{number}.pem", key.pem())
        content = b"".join(lines_with("x", key=key.public) for key in (KEY, *others))
        arguments = ("unseal", "--key", private, "--key", tmp_path / "ring", "-")
        code, output, _ = run(*arguments, stdin=content)
        assert (code, emails(output)) == (0, ["x", "x", "x"])

    def test_a_truncated_archive_is_read_as_far_as_it_goes(
        self, private: Path, tmp_path: Path
    ) -> None:
        """With a remark and exit code 1; the next file is read as well."""
        whole = gzip.compress(lines_with(*range(200)), mtime=0)
        (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) * 3 // 4])
        (tmp_path / "next.jsonl").write_bytes(lines_with("next"))
        code, output, errors = run(
            "unseal", "--key", private, tmp_path / "cut.jsonl.gz", tmp_path / "next.jsonl"
        )
        assert code == 1
        assert output.count(b'"email":"seal:') <= 1
        assert output.count(b'"email":') > 50
        assert b'"email":"next"' in output
        assert "cut.jsonl.gz ends in the middle of its compressed data" in errors

    @pytest.mark.parametrize(
        ("prepare", "part"),
        [
            pytest.param(lambda path: path.chmod(0o644), "chmod 600", id="readable by others"),
            pytest.param(lambda path: path.write_text("x"), "no private key", id="no key"),
            pytest.param(lambda path: path.unlink(), "does not exist", id="no file"),
        ],
    )
    def test_a_bad_key_is_a_usage_error(self, prepare: object, part: str, private: Path) -> None:
        """One message, exit code 2, nothing printed."""
        assert callable(prepare)
        prepare(private)
        code, output, errors = run("unseal", "--key", private, "-", stdin=lines_with("a"))
        assert (code, output) == (2, b"")
        assert part in errors
        assert "Traceback" not in errors

    def test_a_missing_file_is_told_and_the_rest_read(self, private: Path, tmp_path: Path) -> None:
        """The others come out; exit code 1."""
        code, output, errors = run(
            "unseal", "--key", private, tmp_path / "absent", "-", stdin=lines_with("a")
        )
        assert (code, emails(output)) == (1, ["a"])
        assert "absent does not exist" in errors

    def test_an_endless_line_is_copied(self, private: Path) -> None:
        """A line longer than any record passes in parts, with a remark."""
        content = b'{"a":"seal:' + b"x" * 16_100_000 + b'"}\n' + lines_with("a")
        code, output, errors = run("unseal", "--key", private, "-", stdin=content)
        assert code == 1
        assert output.startswith(content[:16_100_000])
        assert output.endswith(b'"schema.version":1}\n')
        assert "1 line too long" in errors
