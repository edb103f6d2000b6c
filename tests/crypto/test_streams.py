"""Promises of `crmlogging.crypto.streams`: what comes out is what went in, or an error."""

from __future__ import annotations

import gzip
import io
import os
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlogging.crypto import streams
from crmlogging.crypto.envelope import ARCHIVE, VAULT
from crmlogging.crypto.keys import PrivateKey, PrivateKeys
from crmlogging.crypto.streams import (
    CHUNK_BYTES,
    MAGIC,
    DecryptingReader,
    EncryptingWriter,
    encrypted_size,
)
from crmlogging.exceptions import DecryptionError, UnknownKeyError

KEY = PrivateKey.new()
RING = PrivateKeys()
RING.add(KEY)
START = len(MAGIC) + 42
SEALED = CHUNK_BYTES + 28


def encrypt(data: bytes, **options: object) -> bytes:
    sink = io.BytesIO()
    with EncryptingWriter(sink, KEY.public, **options) as writer:  # type: ignore[arg-type]  # of the tests below
        writer.write(data)
    return sink.getvalue()


def decrypt(stream: bytes, **options: object) -> bytes:
    reader = DecryptingReader(io.BytesIO(stream), RING, **options)  # type: ignore[arg-type]  # as above
    return io.BufferedReader(reader).read()


def chunks_of(stream: bytes) -> list[bytes]:
    body = stream[START:]
    return [body[at : at + SEALED] for at in range(0, len(body), SEALED)]


class Trickle(io.BytesIO):
    """A source that answers with one to three bytes, as a socket may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, 1 + self.tell() % 3))


class TestRoundTrip:
    @pytest.mark.parametrize(
        "size",
        [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 1_000_003],
    )
    def test_every_size(self, size: int) -> None:
        """Also at the edges of chunks, and as long as said."""
        data = os.urandom(size)
        stream = encrypt(data)
        assert decrypt(stream) == data
        assert len(stream) == encrypted_size(size)

    @settings(max_examples=30, deadline=None)
    @given(pieces=st.lists(st.integers(0, 200_000), max_size=8), read=st.integers(100, 100_000))
    def test_however_it_is_cut(self, pieces: list[int], read: int) -> None:
        """The sizes of writes and reads do not matter."""
        sink, data = io.BytesIO(), b""
        with EncryptingWriter(sink, KEY.public) as writer:
            for number, size in enumerate(pieces):
                piece = bytes((number,)) * size
                data += piece
                assert writer.write(memoryview(piece)) == size
                writer.flush()
        reader = DecryptingReader(io.BytesIO(sink.getvalue()), RING)
        assert b"".join(iter(lambda: reader.read(read) or b"", b"")) == data

    def test_a_source_that_trickles(self) -> None:
        """Short answers of the source are put together."""
        data = os.urandom(3_000)
        reader = DecryptingReader(Trickle(encrypt(data)), RING)
        assert io.BufferedReader(reader).read() == data

    def test_carries_gzip(self) -> None:
        """`gzip` writes through it and reads through it, line by line."""
        sink = io.BytesIO()
        lines = [b'{"n":%d}\n' % number for number in range(50_000)]
        with (
            EncryptingWriter(sink, KEY.public) as writer,
            gzip.GzipFile(fileobj=writer, mode="wb", mtime=0) as archive,
        ):
            archive.writelines(lines)
        reader = DecryptingReader(io.BytesIO(sink.getvalue()), RING)
        with gzip.open(io.BufferedReader(reader)) as archive:
            assert list(archive) == lines

    def test_memory_stays_bounded(self) -> None:
        """50 MB in and out take less than a megabyte."""

        class Nothing:
            def write(self, data: bytes, /) -> None:
                pass

        class Endless:
            """The stream of 50 MB of zeros, made as it is read."""

            def __init__(self) -> None:
                self.sink = io.BytesIO()
                self.writer = EncryptingWriter(self.sink, KEY.public)
                self.left = 800

            def read(self, size: int, /) -> bytes:
                while self.sink.tell() < 2 * SEALED and self.left:
                    self.left -= 1
                    self.writer.write(zeros)
                    if not self.left:
                        self.writer.close()
                content = self.sink.getvalue()
                self.sink.seek(0)
                self.sink.truncate()
                self.sink.write(content[size:])
                return content[:size]

        zeros = bytes(CHUNK_BYTES)
        tracemalloc.start()
        try:
            with EncryptingWriter(Nothing(), KEY.public) as writer:
                for _ in range(800):
                    writer.write(zeros)
            reader = DecryptingReader(Endless(), RING)
            total = sum(len(piece) for piece in iter(lambda: reader.read(CHUNK_BYTES) or b"", b""))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert total == 800 * CHUNK_BYTES
        assert peak < 2_000_000


class TestTampering:
    DATA = os.urandom(3 * CHUNK_BYTES + 100)

    @pytest.fixture
    def stream(self) -> bytes:
        """Lend a stream of four chunks."""
        return encrypt(self.DATA)

    def refused(self, stream: bytes) -> bytes:
        """Assert that `stream` ends in the one error, for good; return what came out before."""
        came = bytearray()
        try:
            reader = DecryptingReader(io.BytesIO(stream), RING)
        except DecryptionError:
            return b""

        def read_on() -> None:
            while piece := reader.read(10_000):
                came.extend(piece)

        with pytest.raises(DecryptionError):
            read_on()
        with pytest.raises(DecryptionError):
            reader.read(1)
        return bytes(came)

    @pytest.mark.parametrize(
        "order",
        [
            pytest.param((1, 0, 2, 3), id="first two exchanged"),
            pytest.param((0, 2, 1, 3), id="inner two exchanged"),
            pytest.param((3, 1, 2, 0), id="first and last exchanged"),
            pytest.param((0, 1, 3), id="one left out"),
            pytest.param((1, 2, 3), id="first left out"),
            pytest.param((0, 1, 1, 2, 3), id="one repeated"),
            pytest.param((0, 1, 2, 3, 3), id="last repeated"),
            pytest.param((0, 1, 2, 3, 0), id="first at the end"),
            pytest.param((0, 1, 2), id="last cut off"),
            pytest.param((0,), id="only the first"),
            pytest.param((3,), id="only the last"),
            pytest.param((), id="none"),
        ],
    )
    def test_chunks_moved(self, order: tuple[int, ...], stream: bytes) -> None:
        """Reordered, dropped, repeated, cut: what comes out before is a true beginning."""
        chunks = chunks_of(stream)
        came = self.refused(stream[:START] + b"".join(chunks[number] for number in order))
        assert self.DATA.startswith(came)
        assert len(came) < len(self.DATA)

    def test_any_byte_changed(self) -> None:
        """Each byte of magic, header, nonce, text and tag of a short stream."""
        stream = encrypt(b"plaintext")
        for position in range(len(stream)):
            changed = bytearray(stream)
            changed[position] ^= 0x80
            assert self.refused(bytes(changed)) == b""

    def test_cut_at_any_byte(self) -> None:
        """Every shorter stream is refused; nothing of its last chunk comes out."""
        stream = encrypt(b"plaintext")
        for length in range(len(stream)):
            assert self.refused(stream[:length]) == b""

    @pytest.mark.parametrize("more", [b"\0", b"\n", bytes(SEALED), bytes(10)])
    def test_anything_behind_the_end(self, more: bytes, stream: bytes) -> None:
        """What follows the last chunk makes it none."""
        self.refused(stream + more)

    def test_chunks_of_another_stream(self, stream: bytes) -> None:
        """A chunk at the same place of another stream to the same key does not fit."""
        ours, theirs = chunks_of(stream), chunks_of(encrypt(self.DATA))
        mixed = stream[:START] + ours[0] + theirs[1] + ours[2] + ours[3]
        assert self.refused(mixed) == self.DATA[:CHUNK_BYTES]

    def test_bound_to_its_context(self) -> None:
        """A blob stored under another's name is noticed."""
        stream = encrypt(b"plaintext", context=b"tenant-1/a.gz")
        assert decrypt(stream, context=b"tenant-1/a.gz") == b"plaintext"
        for context in (b"tenant-2/a.gz", b""):
            with pytest.raises(DecryptionError):
                decrypt(stream, context=context)

    def test_bound_to_its_purpose(self) -> None:
        """An archive is no vault entry."""
        stream = encrypt(b"plaintext", purpose=ARCHIVE)
        with pytest.raises(DecryptionError):
            decrypt(stream, purpose=VAULT)

    def test_another_key_is_named(self) -> None:
        """The key that is missing is said before anything is read."""
        with pytest.raises(UnknownKeyError, match=KEY.public.id):
            DecryptingReader(io.BytesIO(encrypt(b"plaintext")), PrivateKeys())

    @pytest.mark.parametrize(
        "garbage", [b"", b"\0", b"CRMLSEAL", b"{}\n" * 100, b"\1" * 10_000_000]
    )
    def test_garbage(self, garbage: bytes) -> None:
        """What is no stream is refused at once."""
        with pytest.raises(DecryptionError):
            DecryptingReader(io.BytesIO(garbage), RING)


class TestWriter:
    def test_an_error_within_leaves_it_unfinished(self) -> None:
        """What stops half way is never taken for whole."""
        sink = io.BytesIO()
        writer = EncryptingWriter(sink, KEY.public)
        writer.__exit__(OSError, OSError("disk"), None)
        writer.close()
        with pytest.raises(DecryptionError):
            decrypt(sink.getvalue())

    def test_one_thrown_away_leaves_it_unfinished(self) -> None:
        """Garbage collection does not make a stream whole."""
        sink = io.BytesIO()
        writer = EncryptingWriter(sink, KEY.public)
        writer.write(b"plaintext")
        del writer
        assert len(sink.getvalue()) == START

    def test_closing_twice_is_harmless(self) -> None:
        """The second time nothing is written, and nothing can be any more."""
        sink = io.BytesIO()
        writer = EncryptingWriter(sink, KEY.public)
        writer.close()
        size = len(sink.getvalue())
        writer.close()
        assert len(sink.getvalue()) == size
        with pytest.raises(ValueError, match="closed"):
            writer.write(b"more")

    def test_its_length_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A key serves no more chunks than it may, for the writer and for the reader."""
        stream = encrypt(bytes(3 * CHUNK_BYTES))
        monkeypatch.setattr(streams, "_CHUNKS_MAXIMUM", 2)
        with pytest.raises(ValueError, match="too long"):
            encrypt(bytes(3 * CHUNK_BYTES))
        with pytest.raises(DecryptionError):
            decrypt(stream)

    def test_a_forked_twin_repeats_no_nonce(self) -> None:
        """Two writers with one key and one number, as a fork leaves them, use other nonces."""
        sink = io.BytesIO()
        writer = EncryptingWriter(sink, KEY.public)
        for text in (b"parent", b"child"):
            writer._number, writer._closed = 0, False
            writer.write(text)
            writer.close()
        body = sink.getvalue()[START:]
        first = len(b"parent") + 28
        assert body[:12] != body[first : first + 12]
