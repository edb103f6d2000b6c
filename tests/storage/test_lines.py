"""Promises of `crmlogging.storage.lines`: all that can be read comes out, in bounded memory."""

from __future__ import annotations

import gzip
import io
import os
import threading
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlogging.crypto.keys import PrivateKey, PrivateKeys
from crmlogging.crypto.streams import EncryptingWriter
from crmlogging.storage import lines as reading
from crmlogging.storage.lines import read_lines

TEXT = b"".join(b'{"n":%d}\n' % number for number in range(2_000))


def read(content: bytes, **options: Any) -> tuple[list[bytes], list[str]]:
    complaints: list[str] = []
    source = io.BufferedReader(io.BytesIO(content))
    return [line.raw for line in read_lines(source, complaints.append, **options)], complaints


class TestPlain:
    @given(content=st.binary(max_size=500))
    def test_all_bytes_come_out(self, content: bytes) -> None:
        """What is neither gzip nor encrypted comes out byte for byte, cut at newlines."""
        found, complaints = read(content)
        if not content.startswith((b"\x1f\x8b", b"CRMLSEAL")):
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
                worker.join(timeout=60)
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


class TestLimit:
    def test_a_bomb_is_cut_off(self) -> None:
        """What expands without end costs bounded memory and bounded output (CWE-409)."""
        bomb = gzip.compress(b"{}\n" * 3_000_000)
        found, complaints = read(bomb, inflated_bytes=2_000_000)
        assert 900_000 < sum(map(len, found)) <= 2_000_000
        assert complaints == ["expands to more than 2,000,000 bytes; the rest was left out"]

    def test_plain_lines_have_no_such_limit(self) -> None:
        """A large log is no bomb."""
        found, complaints = read(TEXT, inflated_bytes=100)
        assert (b"".join(found), complaints) == (TEXT, [])


class TestEncrypted:
    KEY = PrivateKey.new()

    def encrypted(self, data: bytes) -> bytes:
        sink = io.BytesIO()
        with EncryptingWriter(sink, self.KEY.public) as writer:
            writer.write(data)
        return sink.getvalue()

    def opened(self, content: bytes) -> tuple[bytes, list[str]]:
        keys, complaints = PrivateKeys(), list[str]()
        keys.add(self.KEY)
        source = io.BufferedReader(io.BytesIO(content))
        found = [line.raw for line in read_lines(source, complaints.append, keys=keys)]
        return b"".join(found), complaints

    @pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
    def test_is_opened(self, pack: Callable[[bytes], bytes]) -> None:
        """With the key, whatever is inside."""
        assert self.opened(self.encrypted(pack(TEXT))) == (TEXT, [])

    @pytest.mark.parametrize("start", [b"C", b"CRML", b"CRMLSEA", b"CRITICAL failed\n"])
    def test_only_looks_like_it(self, start: bytes) -> None:
        """A line that begins alike is a line."""
        assert self.opened(start) == (start, [])

    def test_every_cut_is_noticed(self) -> None:
        """Whole lines before it come out; there is always a remark."""
        whole = self.encrypted(os.urandom(200_000).hex().encode())
        for end in (8, 20, 50, 51, 65_000, 65_664, 131_278, len(whole) - 1):
            found, complaints = self.opened(whole[:end])
            assert len(found) < 400_000
            assert len(complaints) == 1, end
