"""Lines of a log, plain, gzip or encrypted, as they come: from a file, a pipe, cut or damaged.

Memory stays bounded whatever the input expands to (CWE-409). Several gzip members one after the
other are read as one (RFC 1952 section 2.2), as rotation and ``cat`` make them.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, Protocol

from crmlogging.crypto.keys import PrivateKeys
from crmlogging.crypto.streams import MAGIC as ENCRYPTED
from crmlogging.crypto.streams import DecryptingReader
from crmlogging.exceptions import DecryptionError, UnknownKeyError

__all__ = ["INFLATED_BYTES", "LINE_BYTES", "Line", "Source", "read_lines"]

LINE_BYTES: Final = 16_000_000
"""Longest line that is read whole."""

INFLATED_BYTES: Final = 8_000_000_000
"""Most that is read out of one compressed source; what expands beyond that is no log."""

_BLOCK: Final = 65_536
_INFLATED: Final = 1_048_576
_MAGIC: Final = b"\x1f\x8b"
_GZIP: Final = 31  # zlib's number for "largest window, in a gzip wrapper"


class Source(Protocol):
    """A buffered binary file or pipe."""

    def read(self, size: int, /) -> bytes: ...
    def read1(self, size: int, /) -> bytes: ...


class Line(NamedTuple):
    """A line with its newline, if it has one; or a part of one that is too long."""

    raw: bytes
    whole: bool


def read_lines(
    source: Source,
    complain: Callable[[str], None],
    *,
    keys: PrivateKeys | None = None,
    line_bytes: int = LINE_BYTES,
    inflated_bytes: int = INFLATED_BYTES,
) -> Iterator[Line]:
    """Yield the lines of `source`; all their bytes together are its content.

    Args:
        source: read to its end, decrypted and decompressed where its first bytes say so.
        complain: gets a sentence's end about what cannot be read: "ends in the middle ...".
        keys: open what is encrypted (`crmlogging.crypto.streams`).
        line_bytes: a longer line comes in parts.
        inflated_bytes: most that is read once decompressed.

    Raises:
        MissingDependencyError: it is encrypted, and ``cryptography`` is not installed.
    """
    kept: list[bytes] = []
    size, too_long = 0, False
    for piece in _pieces(source, complain, keys or PrivateKeys(), inflated_bytes):
        start = 0
        while (newline := piece.find(b"\n", start)) >= 0:
            kept.append(piece[start : newline + 1])
            yield Line(b"".join(kept), not too_long)
            kept, size, too_long, start = [], 0, False, newline + 1
        if start < len(piece):
            kept.append(piece[start:])
            size += len(kept[-1])
        if size > line_bytes:
            yield Line(b"".join(kept), whole=False)
            kept, size, too_long = [], 0, True
    if kept:
        yield Line(b"".join(kept), not too_long)


class _Joined:
    """A source whose beginning was read already."""

    def __init__(self, head: bytes, rest: Source) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int, /) -> bytes:
        head, self._head = self._head[:size], self._head[size:]
        return head or self._rest.read(size)


def _pieces(
    source: Source, complain: Callable[[str], None], keys: PrivateKeys, inflated_bytes: int
) -> Iterator[bytes]:
    try:
        head = source.read(len(_MAGIC))
        if head and ENCRYPTED.startswith(head):
            head += source.read(len(ENCRYPTED) - len(head))
            if head == ENCRYPTED:
                source = io.BufferedReader(DecryptingReader(_Joined(head, source), keys), _BLOCK)
                head = source.read(len(_MAGIC))
        if head == _MAGIC:
            yield from _inflated(source, head, complain, inflated_bytes)
            return
        while head:
            yield head
            head = source.read1(_BLOCK)
    except OSError as error:
        complain(f"cannot be read further ({error.strerror or type(error).__name__})")
    except UnknownKeyError as error:
        complain(f"is encrypted: it {error}")
    except DecryptionError:
        complain("is encrypted, and was cut short or changed; what came before was read")


def _inflated(
    source: Source, block: bytes, complain: Callable[[str], None], most: int
) -> Iterator[bytes]:
    inflate = zlib.decompressobj(_GZIP)
    begun, left = False, most
    while block:
        while block:
            begun = True
            try:
                piece = inflate.decompress(block, _INFLATED)
            except zlib.error:
                complain("holds damaged data, or data that is not gzip; the rest was left out")
                return
            left -= len(piece)
            if left < 0:
                complain(f"expands to more than {most:,} bytes; the rest was left out")
                return
            if piece:
                yield piece
            block = inflate.unconsumed_tail
            if inflate.eof:
                # Zeros behind a member are padding, as tapes and gzip know it.
                block = inflate.unused_data.lstrip(b"\0")
                inflate, begun = zlib.decompressobj(_GZIP), False
        block = source.read1(_BLOCK)
        if not begun:
            block = block.lstrip(b"\0")
    if begun:
        complain("ends in the middle of its compressed data; what came before was read")
