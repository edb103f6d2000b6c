"""Promises of `crmlogging.storage.lines`: all that can be read comes out, in bounded memory."""

from __future__ import annotations

import gzip
import io
import os
import threading
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlogging.storage import lines as reading
from crmlogging.storage.lines import read_lines

TEXT = b"".join(b'{"n":%d}\n' % number for number in range(2_000))


def read(content: bytes, **options: int) -> tuple[list[bytes], list[str]]:
    complaints: list[str] = []
    source = io.BufferedReader(io.BytesIO(content))
    return [line.raw for line in read_lines(source, complaints.append, **options)], complaints


class TestPlain:
    @given(content=st.binary(max_size=500))
    def test_all_bytes_come_out(self, content: bytes) -> None:
        """Whatever is no gzip comes out byte for byte, cut at newlines."""
        found, complaints = read(content)
        if not content.startswith(b"\x1f\x8b"):
            assert (b"".join(found), complaints) == (content, [])
            assert all(line.endswith(b"\n") for line in found[:-1])
            assert all(line.count(b"\n") <= 1 for line in found)

    @pytest.mark.parametrize("length", [99, 100, 101, 250_000])
    def test_too_long_a_line_comes_in_parts(self, length: int) -> None:
        """Its neighbours stay whole, and it is marked."""
        content = b"a\n" + b"x" * length + b"\nb\n"
        source = io.BufferedReader(io.BytesIO(content))
        found = list(read_lines(source, self.fail, line_bytes=60_000))
        assert b"".join(line.raw for line in found) == content
        assert found[0] == (b"a\n", True)
        assert found[-1] == (b"b\n", True)
        assert all(line.whole == (length < 60_000) for line in found[1:-1])

    def fail(self, complaint: str) -> None:
        raise AssertionError(complaint)

    def test_a_pipe_is_read_as_it_grows(self) -> None:
        """A line comes out when it was written, not when the pipe ends."""
        end, start = os.pipe()
        with open(end, "rb") as source, open(start, "wb", buffering=0) as sink:
            lines = read_lines(source, self.fail)
            for number in range(3):
                sink.write(b"line %d\n" % number)
                answer: list[bytes] = []
                worker = threading.Thread(target=lambda a=answer: a.append(next(lines).raw))
                worker.start()
                worker.join(timeout=20)
                assert answer == [b"line %d\n" % number]


class TestGzip:
    def test_members_are_one_file(self) -> None:
        """Several members, empty ones and padding between them included."""
        content = gzip.compress(TEXT) + gzip.compress(b"") + bytes(700) + gzip.compress(b"last\n")
        found, complaints = read(content + bytes(100_000))
        assert (b"".join(found), complaints) == (TEXT + b"last\n", [])

    def test_cut_anywhere_the_beginning_comes_out(self) -> None:
        """Of each shorter archive a true beginning is read, with one remark."""
        content = gzip.compress(TEXT)
        longest = 0
        for length in range(3, len(content), 61):
            found, complaints = read(content[:length])
            text = b"".join(found)
            assert TEXT.startswith(text)
            assert complaints == [
                "ends in the middle of its compressed data; what came before was read"
            ]
            longest = max(longest, len(text))
        assert longest > len(TEXT) * 0.9

    @pytest.mark.parametrize("garbage", [b"garbage", b"{}\n", b"\x1f\x8bxx"])
    def test_garbage_behind_is_told(self, garbage: bytes) -> None:
        """What was good is read, the rest is named."""
        found, complaints = read(gzip.compress(TEXT) + garbage)
        assert b"".join(found) == TEXT
        assert complaints == ["holds damaged data, or data that is not gzip; the rest was left out"]

    def test_damage_is_told(self) -> None:
        """A wrong checksum is noticed."""
        content = bytearray(gzip.compress(TEXT))
        content[-6] ^= 1
        assert read(bytes(content))[1] != []

    def test_a_bomb_takes_no_memory(self) -> None:
        """60 MB of one line, in 60 kB, are read in little memory."""
        bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
        content = b"".join(bomb.compress(bytes(1_000_000)) for _ in range(60)) + bomb.flush()
        tracemalloc.start()
        try:
            source = io.BufferedReader(io.BytesIO(content))
            total = sum(len(line.raw) for line in read_lines(source, print, line_bytes=1_000_000))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert total == 60_000_000
        assert peak < 10_000_000
        assert reading.LINE_BYTES < 64_000_000

    def test_a_read_error_is_told(self) -> None:
        """A disk that fails half way ends the reading with a remark."""

        class Failing(io.BytesIO):
            def read1(self, size: int | None = -1, /) -> bytes:
                raise OSError(5, "Input/output error")

        complaints: list[str] = []
        found = [line.raw for line in read_lines(Failing(b"abc\nd"), complaints.append)]
        assert (b"".join(found), complaints) == (
            b"ab",
            ["cannot be read further (Input/output error)"],
        )
