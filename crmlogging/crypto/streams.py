"""Streams: a file of any length, encrypted to a public key in chunks, in bounded memory.

::

    CRMLSEAL 8 | header 42 | chunk | chunk | ... | last chunk
    chunk = nonce 12 | encrypted 65,536 bytes (the last one: 0 to 65,536) | tag 16

With each chunk its number, whether it is the last, and the context are authenticated, so that
chunks left out, repeated, exchanged or cut off are noticed. Every stream has an ephemeral key of
its own: chunks of another stream do not fit. Nonces are random: a writer that a fork doubles
repeats none.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final, Protocol

from crmlogging.crypto.envelope import (
    ARCHIVE,
    HEADER_BYTES,
    NONCE_BYTES,
    STREAM,
    TAG_BYTES,
    Header,
    agreed_by_recipient,
    agreed_by_sender,
    decrypted,
    encrypted,
)
from crmlogging.crypto.keys import PrivateKeys, PublicKey
from crmlogging.exceptions import DecryptionError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = [
    *("CHUNK_BYTES", "MAGIC", "START_BYTES", "DecryptingReader", "EncryptingWriter"),
    *("encrypted_size", "key_id_of"),
]

MAGIC: Final = b"CRMLSEAL"
START_BYTES: Final = len(MAGIC) + HEADER_BYTES
"""What stands in clear at the beginning."""
CHUNK_BYTES: Final = 65_536
_CHUNKS_MAXIMUM: Final = 2**32
_NUMBER_BYTES: Final = 8
_SEALED_BYTES: Final = NONCE_BYTES + CHUNK_BYTES + TAG_BYTES


class Sink(Protocol):
    """Where encrypted bytes go; it takes all that it is given."""

    def write(self, data: bytes, /) -> Any: ...


class Source(Protocol):
    """Where encrypted bytes come from; an empty answer is the end."""

    def read(self, size: int, /) -> bytes: ...


def encrypted_size(size: int) -> int:
    """Return how long `size` bytes are once encrypted.

    Example:
        >>> encrypted_size(0), encrypted_size(65_536), encrypted_size(65_537)
        (78, 65614, 65643)
    """
    chunks = max(1, -(-size // CHUNK_BYTES))
    return START_BYTES + size + chunks * (NONCE_BYTES + TAG_BYTES)


def key_id_of(start: bytes) -> str:
    """Return which key opens the stream that begins with `start`, of `START_BYTES` or more.

    Raises:
        DecryptionError: no stream begins so.
    """
    if not start.startswith(MAGIC):
        raise DecryptionError
    return Header.read(start[len(MAGIC) :], STREAM).key_id


def _bound(context: bytes, number: int, last: bool) -> bytes:
    return number.to_bytes(_NUMBER_BYTES, "big") + bytes((last,)) + context


class EncryptingWriter:
    """A writable file whose bytes arrive in `sink` encrypted.

    Only `close` makes the stream whole. A ``with`` block that ends with an exception does not
    close it, nor does garbage collection, so that a stream cut short is never taken for a whole
    one. The sink stays open. For one thread.

    Args:
        sink: gets the encrypted bytes.
        recipient: whose private key opens them.
        purpose: of `crmlogging.crypto.envelope`.
        context: what the stream is bound to, such as its name; the reader has to give the same.
    """

    def __init__(
        self, sink: Sink, recipient: PublicKey, *, purpose: str = ARCHIVE, context: bytes = b""
    ) -> None:
        header, self._cipher = agreed_by_sender(recipient, STREAM, purpose)
        self._sink, self._context = sink, context
        self._kept = bytearray()
        self._number = 0
        self._closed = False
        sink.write(MAGIC + header.raw)

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Take `data`; up to one chunk of it waits for more."""
        if self._closed:
            raise ValueError("write to a closed stream")
        view = memoryview(data).cast("B")
        for start in range(0, len(view), CHUNK_BYTES):
            self._kept += view[start : start + CHUNK_BYTES]
            # A full chunk waits as well: it may turn out to be the last.
            if len(self._kept) > CHUNK_BYTES:
                self._put(bytes(self._kept[:CHUNK_BYTES]), last=False)
                del self._kept[:CHUNK_BYTES]
        return len(view)

    def flush(self) -> None:
        """Do nothing: only whole chunks are written."""

    def close(self) -> None:
        """Write the last chunk; from now on the stream is whole."""
        if not self._closed:
            self._closed = True
            self._put(bytes(self._kept), last=True)
            self._kept.clear()

    def _put(self, chunk: bytes, *, last: bool) -> None:
        if self._number >= _CHUNKS_MAXIMUM:
            raise ValueError("too long for one stream")
        bound = _bound(self._context, self._number, last)
        self._number += 1
        self._sink.write(encrypted(self._cipher, chunk, bound))

    def __enter__(self) -> EncryptingWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._closed = True


class DecryptingReader(io.RawIOBase):
    """A readable file with what `source` holds encrypted; wrap it in `io.BufferedReader`.

    A chunk comes out once it is authenticated. Whether the stream is whole shows only at its
    end: who reads until the end gets all of it or DecryptionError, for good. The source stays
    open.

    Args:
        source: where the encrypted bytes start.
        keys: one of which has to be the stream's.
        purpose: as for the writer.
        context: as for the writer.

    Raises:
        UnknownKeyError: the stream is for another key.
        DecryptionError: it is no stream, here or in any later call.
    """

    def __init__(
        self, source: Source, keys: PrivateKeys, *, purpose: str = ARCHIVE, context: bytes = b""
    ) -> None:
        super().__init__()
        self._source, self._context = source, context
        start = self._read(START_BYTES)
        if not start.startswith(MAGIC):
            raise DecryptionError
        header = Header.read(start[len(MAGIC) :], STREAM)
        self._cipher = agreed_by_recipient(header, keys, purpose)
        self._ahead = self._read(_SEALED_BYTES)
        self._plain = memoryview(b"")
        self._number = 0
        self._ended = self._failed = False

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` with authenticated bytes; 0 at the end."""
        if self._failed:
            raise DecryptionError
        target = memoryview(buffer).cast("B")
        while not self._plain and not self._ended:
            self._next_chunk()
        taken = min(len(target), len(self._plain))
        target[:taken] = self._plain[:taken]
        self._plain = self._plain[taken:]
        return taken

    def _next_chunk(self) -> None:
        sealed, self._ahead = self._ahead, self._read(_SEALED_BYTES)
        last = not self._ahead
        try:
            if self._number >= _CHUNKS_MAXIMUM:
                raise DecryptionError
            bound = _bound(self._context, self._number, last)
            self._plain = memoryview(decrypted(self._cipher, sealed, bound))
        except DecryptionError:
            self._failed = True
            raise
        self._number += 1
        self._ended = last

    def _read(self, size: int) -> bytes:
        """Return `size` bytes, fewer only at the end."""
        parts = []
        while size and (part := self._source.read(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)
