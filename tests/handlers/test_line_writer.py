"""Promises of `LineWriter`: every line begins as one, whatever happened to the one before it."""

from __future__ import annotations

import fcntl
import logging
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crmlogging.diagnostics import tally
from crmlogging.handlers.line_writer import LineWriter
from crmlogging.handlers.stream import StreamHandler


@contextmanager
def full_at(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size` bytes, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a file."""
    return tmp_path / "out.log"


@pytest.fixture
def descriptor(path: Path) -> Iterator[int]:
    """Lend the file, opened as `logging.FileHandler` does."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    yield descriptor
    os.close(descriptor)


class TestFullDisk:
    def test_the_rest_of_a_line_goes_first(self, path: Path, descriptor: int) -> None:
        """Wherever the disk ends, lines before are there, and the one cut short is finished."""
        lines = [b"first line\n", b"second line\n", b"third line\n"]
        for size in range(len(b"".join(lines))):
            os.truncate(path, 0)
            writer = LineWriter()
            with full_at(size):
                whole, error = writer.write(descriptor, lines)
                assert error is not None
                assert path.read_bytes() == b"".join(lines)[:size]
                assert writer.write(descriptor, [b"refused\n"])[0] == 0
            assert path.read_bytes().startswith(b"".join(lines[:whole]))
            begun = len(b"".join(lines[:whole])) < size
            assert writer.write(descriptor, [b"last\n"]) == (1, None)
            assert path.read_bytes().splitlines() == [
                each.rstrip() for each in [*lines[: whole + begun], b"last\n"]
            ]

    def test_it_is_finished_in_steps(self, path: Path, descriptor: int) -> None:
        """A disk that gets room byte by byte takes the line byte by byte, without a new one."""
        writer = LineWriter()
        for size in range(5):
            with full_at(size):
                writer.write(descriptor, [b"line\n"] if size == 1 else ())
        assert path.read_bytes() == b"line"
        assert writer.write(descriptor) == (0, None)
        assert path.read_bytes() == b"line\n"

    @pytest.mark.parametrize("others", [b"neighbour\n", None], ids=["written-to", "emptied"])
    def test_not_behind_what_others_did(
        self, path: Path, descriptor: int, others: bytes | None
    ) -> None:
        """Where a neighbour wrote, or logrotate emptied the file, the rest would be in the way."""
        writer = LineWriter()
        with full_at(2):
            writer.write(descriptor, [b"line\n"])
        if others is None:
            os.truncate(path, 0)
        else:
            os.write(descriptor, others)
        assert writer.write(descriptor, [b"last\n"]) == (1, None)
        assert path.read_bytes() == (b"last\n" if others is None else b"lineighbour\nlast\n")

    def test_waits_for_room_at_any_descriptor(self) -> None:
        """A service with a thousand connections has its log at a high number."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2_048)), hard))
        reading, low = os.pipe()
        high = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, 1_024)
        os.set_blocking(high, False)
        lines = [b"x" * 999 + b"\n"] * 200  # more than a pipe holds
        got: list[bytes] = []

        def read() -> None:
            with open(reading, "rb") as pipe:
                got.extend(pipe)

        reader = threading.Thread(target=read)
        try:
            reader.start()
            assert LineWriter().write(high, lines) == (200, None)
        finally:
            os.close(high)
            os.close(low)
            reader.join()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert got == lines

    def test_not_in_another_file(self, path: Path, descriptor: int, tmp_path: Path) -> None:
        """A rest belongs to its file."""
        writer = LineWriter()
        with full_at(2):
            writer.write(descriptor, [b"line\n"])
        (tmp_path / "other").write_bytes(b"xy\n")
        other = os.open(tmp_path / "other", os.O_WRONLY | os.O_APPEND)
        assert writer.write(other, [b"last\n"]) == (1, None)
        os.close(other)
        assert (tmp_path / "other").read_bytes() == b"xy\nlast\n"


class TestFirstLine:
    @pytest.mark.parametrize(
        ("there", "line", "expected"),
        [
            pytest.param(b"", b"line\n", b"line\n", id="empty"),
            pytest.param(b"whole\n", b"line\n", b"whole\nline\n", id="whole"),
            pytest.param(b"fragm", b"line\n", b"fragm\nline\n", id="torn"),
            pytest.param(b"fragm", b"line|", b"fragmline|", id="no-lines"),
        ],
    )
    def test_begins_as_a_line(
        self, path: Path, descriptor: int, there: bytes, line: bytes, expected: bytes
    ) -> None:
        """A killed process left half a line: it is ended, once."""
        path.write_bytes(there)
        writer = LineWriter()
        assert writer.write(descriptor, [line]) == (1, None)
        assert writer.write(descriptor, [line]) == (1, None)
        assert path.read_bytes() == expected + line

    def test_begins_as_a_line_on_a_full_disk(self, path: Path, descriptor: int) -> None:
        """What could not even be ended is ended when there is room."""
        path.write_bytes(b"fragm")
        writer = LineWriter()
        with full_at(5):
            assert writer.write(descriptor, [b"refused\n"])[0] == 0
        assert writer.write(descriptor, [b"line\n"]) == (1, None)
        assert path.read_bytes() == b"fragm\nline\n"


class TestStreamHandler:
    def test_a_full_disk_is_counted_and_tears_no_line(
        self, path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The handler of a standard output that leads to a file."""
        with path.open("w") as stream:
            handler = StreamHandler(stream)
            before = tally["errors.StreamHandler.OSError"]
            with full_at(8):
                for text in ("first", "second", "third"):
                    handler.handle(logging.makeLogRecord({"msg": text}))
            handler.handle(logging.makeLogRecord({"msg": "last"}))
            handler.close()
        assert path.read_text() == "first\nsecond\nlast\n"
        assert tally["errors.StreamHandler.OSError"] == before + 2
        assert "EFBIG" in capsys.readouterr().err
