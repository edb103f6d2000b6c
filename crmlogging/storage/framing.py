"""Framing: what stands before each append of a segment, so that damage to it shows.

    #crmlogging segment 2\\n
    HEADER\\n payload           base64 of three 32-bit numbers, then whole lines
    HEADER\\n payload

The numbers are the payload's length (its top bit marks a remark, whose lines are no records) and
the CRC-32 before and after it. The CRC runs on from append to append, though it may begin anew at
0 at any of them. So each append can be judged alone, by its own header, and a row of appends of
one line each all at once, by one CRC of their lines: that is how a block is read, and only one
that does not pass is looked at append by append.

Version 1 (``@ length CRC-32 lines \\n``, the CRC begun with the number of lines) is still read.
"""

from __future__ import annotations

import io
import re
import struct
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from typing import Final, NamedTuple
from zlib import crc32

from crmlogging.storage.acceleration import calm, fast_crc32

__all__ = [
    *("FRAMING", "FRAMINGS", "MAGIC", "REMARK", "Framing", "Header", "Sound", "frame", "pack"),
]

MAGIC: Final = b"#crmlogging segment 2\n"
REMARK: Final = 1 << 31
_NUMBERS: Final = struct.Struct("<III")
_LOOK: Final = re.compile(rb"[A-Za-z0-9+/]{16}\n")
pack: Final = _NUMBERS.pack
_FIRST_NUMBERS: Final = struct.Struct("<cIIIc")


def frame(payload: bytes, before: int, after: int, mark: int = 0) -> bytes:
    """Return `payload` with its header.

    Args:
        payload: whole lines.
        before: CRC-32 of what came before it, or 0.
        after: the same with `payload`, that is ``crc32(payload, before)``.
        mark: `REMARK`, or 0.

    Example:
        >>> frame(b"{}\\n", 0, 0xDDA1B006)
        b'AwAAAAAAAAAGsKHd\\n{}\\n'
    """
    return b2a_base64(pack(len(payload) | mark, before, after)) + payload


class Header(NamedTuple):
    """What a header says of the payload behind it.

    Attributes:
        length: in bytes.
        before: what the CRC-32 begins with.
        after: what it is in the end.
        is_remark: its lines are no records.
    """

    length: int
    before: int
    after: int
    is_remark: bool

    def fits(self, payload: bytes, crc32: Callable[[bytes, int], int] = crc32) -> bool:
        """Tell whether these are the whole lines that were written."""
        return payload.endswith(b"\n") and crc32(payload, self.before) == self.after


class Sound(NamedTuple):
    """Undamaged appends.

    Attributes:
        payload: all their lines.
        end: where they end.
        wanted: bytes that the next append takes, as far as anybody knows; 0 if it is damaged.
    """

    payload: bytes
    end: int
    wanted: int


class Framing(NamedTuple):
    """How one version does it.

    Attributes:
        header_bytes: size of a header.
        look: matches what may be a header.
        header: reads what `look` has matched.
        row: reads a block all at once, or gives up.
    """

    header_bytes: int
    look: re.Pattern[bytes]
    header: Callable[[bytes], Header]
    row: Callable[[bytes], Sound | None]

    def sound(self, data: bytes) -> Sound:
        """Read the undamaged appends at the beginning of `data`."""
        found = self.row(data) or self._each(data)
        calm()
        return found

    def _each(self, data: bytes) -> Sound:
        payloads: list[bytes] = []
        at, wanted, crc = 0, self.header_bytes, fast_crc32()
        while len(data) - at >= self.header_bytes:
            match = self.look.match(data, at)
            if match is None:
                wanted = 0
                break
            header = self.header(match[0])
            stop = match.end() + header.length
            if stop > len(data):
                wanted = stop - at
                break
            payload = data[match.end() : stop]
            if not header.fits(payload, crc):
                wanted = 0
                break
            payloads.append(payload)
            at = stop
        return Sound(b"".join(payloads), at, wanted)


def _header(data: bytes) -> Header:
    length, before, after = _NUMBERS.unpack(a2b_base64(data))
    return Header(length & ~REMARK, before, after, length >= REMARK)


def _row(data: bytes) -> Sound | None:
    """Read all whole appends of `data` if each is one line and none is damaged.

    Of the headers between the first and the last only the size is looked at: what is wrong with
    one of them has cost nothing as long as all the lines together are right.
    """
    file = io.BytesIO(data)  # It looks for newlines at ten times the speed of `split`.
    first, line = file.readline(), file.readline()
    if _LOOK.fullmatch(first) is None or _header(first).length != len(line):
        return None
    rest = file.readlines()
    if rest and not rest[-1].endswith(b"\n"):
        rest.pop()
    if len(rest) % 2:
        rest.pop()
    lines, headers = [line, *rest[1::2]], [first, *rest[::2]]
    size = len(b"".join(headers))
    if size != len(lines) * _HEADER_BYTES or _LOOK.fullmatch(headers[-1]) is None:
        return None
    payload = b"".join(lines)
    if fast_crc32()(payload, _header(first).before) != _header(headers[-1]).after:
        return None
    return Sound(payload, size + len(payload), _HEADER_BYTES)


def _first_header(data: bytes) -> Header:
    _, length, after, lines, _ = _FIRST_NUMBERS.unpack(data)
    return Header(length, lines, after, not lines)


def _no_row(_data: bytes) -> None:
    """Leave it to the other way."""


_HEADER_BYTES: Final = len(frame(b"", 0, 0))
FRAMING: Final = Framing(_HEADER_BYTES, _LOOK, _header, _row)
_FIRST: Final = Framing(
    _FIRST_NUMBERS.size, re.compile(rb"@.{12}\n", re.DOTALL), _first_header, _no_row
)
FRAMINGS: Final = {MAGIC: FRAMING, b"#crmlogging segment 1\n": _FIRST}
"""By what a segment begins with."""
