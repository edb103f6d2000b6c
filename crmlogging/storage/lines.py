"""Lines of a log, plain or gzip, as they come: from a file, a pipe, cut short or damaged.

Memory stays bounded whatever the input expands to (CWE-409). Several gzip members one after the
other are read as one (RFC 1952 section 2.2), as rotation and ``cat`` make them.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, Protocol

__all__ = ["LINE_BYTES", "Line", "read_lines"]

LINE_BYTES: Final = 16_000_000
"""Longest line that is read whole."""

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
    source: Source, complain: Callable[[str], None], *, line_bytes: int = LINE_BYTES
) -> Iterator[Line]:
    """Yield the lines of `source`; all their bytes together are its content.

    Args:
        source: read to its end, decompressed where its first bytes say gzip.
        complain: gets a sentence's end about what cannot be read: "ends in the middle ...".
        line_bytes: a longer line comes in parts.
    """
    kept: list[bytes] = []
    size, too_long = 0, False
    for piece in _pieces(source, complain):
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


def _pieces(source: Source, complain: Callable[[str], None]) -> Iterator[bytes]:
    try:
        head = source.read(len(_MAGIC))
        if head == _MAGIC:
            yield from _inflated(source, head, complain)
            return
        while head:
            yield head
            head = source.read1(_BLOCK)
    except OSError as error:
        complain(f"cannot be read further ({error.strerror or type(error).__name__})")


def _inflated(source: Source, block: bytes, complain: Callable[[str], None]) -> Iterator[bytes]:
    inflate = zlib.decompressobj(_GZIP)
    begun = False
    while block:
        while block:
            begun = True
            try:
                piece = inflate.decompress(block, _INFLATED)
            except zlib.error:
                complain("holds damaged data, or data that is not gzip; the rest was left out")
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
