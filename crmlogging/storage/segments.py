"""Segments: lines that wait on disk for somebody else, safe from the death of their writer.

A segment is one file with one writer, which holds its lock for as long as it writes. A segment
whose lock is free is finished, whether its writer sealed it or died; whoever gets the lock, of
any process, owns it and deals with it alone.

    #crmlogging segment 1\\n
    @ length CRC-32 lines \\n  payload      three 32-bit numbers, then whole lines
    @ ...

What an append has written before a death is complete or, at the very end, recognised as torn by
length and CRC: that call never returned. Any other damage costs the damaged append alone.
"""

from __future__ import annotations

import datetime
import itertools
import os
import re
import struct
import sys
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple
from zlib import crc32

from crmlogging.diagnostics import tally
from crmlogging.storage.appending import write_whole
from crmlogging.storage.locking import adopt, forget, try_lock
from crmlogging.storage.opening import UnsafeFileError, make_directory, open_for_read

__all__ = [
    *("MAGIC", "SUFFIX", "Segment", "SegmentName", "bytes_in", "claim", "frame", "own_boot"),
    "set_aside",
]

MAGIC: Final = b"#crmlogging segment 1\n"
SUFFIX: Final = ".segment"
_ASIDE: Final = "aside"
HEADER: Final = struct.Struct("<cIIIc")  # the CRC begins with the number of lines
_pack: Final = HEADER.pack
_HEADER_LOOK: Final = re.compile(rb"@.{12}\n", re.DOTALL)
_BLOCK: Final = 262_144
_NAME: Final = re.compile(
    r"([a-z]{1,16})_(\d{8}T\d\d)_([A-Za-z0-9.-]{1,63})_([0-9a-f]{16})_(\d{6,12})\.segment",
    re.ASCII,
)


def frame(payload: bytes, records: int) -> bytes:
    """Return `payload`, of `records` lines, with its header.

    Example:
        >>> frame(b"{}\\n", 1).hex(" ", 4)
        '40 03000000 31da63dc 01000000 0a7b7d0a'
    """
    return _pack(b"@", len(payload), crc32(payload, records), records, b"\n") + payload


class SegmentName(NamedTuple):
    """Who wrote a segment, for what, and when it began; no two segments ever share a name.

    Attributes:
        label: purpose, e.g. a tier.
        hour: UTC hour of the first record, as ``20261121T14``.
        host: host name, in the characters of a host name.
        boot: 64 random bits of the process in hex, others after a fork: process ids and host names
            repeat between containers.
        number: counts the segments of the process, from 1.
    """

    label: str
    hour: str
    host: str
    boot: str
    number: int

    def __str__(self) -> str:
        return f"{self.label}_{self.hour}_{self.host}_{self.boot}_{self.number:06d}{SUFFIX}"

    @classmethod
    def parse(cls, name: str) -> SegmentName | None:
        """Read a file name; None if it is not exactly of our form."""
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        try:
            datetime.datetime.fromisoformat(match[2])
        except ValueError:
            return None
        return cls(match[1], match[2], match[3], match[4], int(match[5]))

    @classmethod
    def new(cls, label: str, when: float) -> SegmentName:
        """Return a name nobody else has; `when` is in seconds since the epoch."""
        try:
            hour = datetime.datetime.fromtimestamp(when, datetime.UTC)
        except (OverflowError, ValueError, OSError):
            hour = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
        return cls(label, f"{hour:%Y%m%dT%H}", _host(), _process.boot, next(_process.numbers))


def _host() -> str:
    # Not socket.gethostname: importing socket costs more than all the rest here.
    name = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    return re.sub(r"[^A-Za-z0-9.-]", "-", name)[:63] or "host"


class _Process:
    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self.boot = os.urandom(8).hex()
        self.numbers = itertools.count(1)


_process: Final = _Process()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_process.renew)


def own_boot() -> str:
    """Return the random part of the names this process gives."""
    return _process.boot


class Segment:
    """A finished segment in this process's hands; end with `finish`, `set_aside` or `release`.

    Attributes:
        path: the file.
        name: its name, read.
        damaged: appends that `blocks` had to leave out. A torn tail is none.
    """

    def __init__(self, path: str, name: SegmentName, fd: int) -> None:
        self.path = path
        self.name = name
        self.damaged = 0
        self._fd = fd
        self._end = -1

    def blocks(self) -> Iterator[tuple[bytes, int]]:
        """Yield the lines in order, in blocks of many appends, with the number of lines in each.

        Raises:
            UnsafeFileError: the file is none of ours, or of a later version.
            OSError: it cannot be read.
        """
        os.lseek(self._fd, 0, os.SEEK_SET)
        with open(self._fd, "rb", closefd=False) as file:
            head = file.read(len(MAGIC))
            if head == MAGIC:
                yield from self._blocks(file)
            elif not MAGIC.startswith(head):  # Else its writer died in its first moment.
                raise UnsafeFileError("is no segment of this version")

    def _blocks(self, file: BinaryIO) -> Iterator[tuple[bytes, int]]:
        data = b""
        while True:
            more = file.read(max(_BLOCK, len(data)))
            data += more
            payloads, records, at, short = _sound(data)
            if payloads:
                yield b"".join(payloads), records
            data = data[at:]
            if short and more:
                continue
            if not data:
                self._end = file.tell()
                return
            data += file.read()
            sound = _next_sound(data)
            # Only the end can be torn: a header or a payload that stops short.
            self.damaged += sound >= 0 or not short
            if sound < 0:
                self._end = file.tell() - len(data)
                return
            data = data[sound:]

    def annotate(self, payload: bytes) -> None:
        """Append lines that count as no records; what cannot be written is left out.

        A torn tail goes: between sound appends it would be damage.
        """
        framed = frame(payload, 0)
        try:
            if self._end < 0:
                self._end = os.lseek(self._fd, 0, os.SEEK_END)
            os.ftruncate(self._fd, self._end)
            os.lseek(self._fd, self._end, os.SEEK_SET)
            write_whole(self._fd, framed, self._end)
        except OSError:
            return
        self._end += len(framed)

    def finish(self) -> None:
        """Delete the segment: everything in it is safe elsewhere."""
        os.unlink(self.path)
        self.release()

    def set_aside(self) -> None:
        """Keep it in the directory ``aside``, for a person to look at."""
        set_aside(self.path)
        self.release()

    def release(self) -> None:
        """Let others have it."""
        forget(self._fd)


def _sound(data: bytes) -> tuple[list[bytes], int, int, bool]:
    """Read the undamaged appends at the beginning of `data`.

    Returns:
        Their payloads, the number of lines, where they end, and whether `data` stops short there
        (the alternative being that it is damaged).
    """
    payloads: list[bytes] = []
    # Ten times as fast where something compresses. To import it here, in some thread, might meet a
    # fork, whose child would wait for the import's lock for ever.
    check = getattr(sys.modules.get("isal.isal_zlib"), "crc32", crc32)
    keep, unpack = payloads.append, HEADER.unpack_from  # One round an append.
    records, at, end, header = 0, 0, len(data), HEADER.size
    while end - at >= header:
        mark, length, crc, lines, newline = unpack(data, at)
        start = at + header
        stop = start + length
        if mark != b"@" or newline != b"\n":
            return payloads, records, at, False
        if stop > end:
            return payloads, records, at, True
        payload = data[start:stop]
        if check(payload, lines) != crc:
            return payloads, records, at, False
        keep(payload)
        records += lines
        at = stop
    return payloads, records, at, True


def _next_sound(data: bytes) -> int:
    """Return where the next undamaged append begins after the first byte of `data`, or -1."""
    for match in _HEADER_LOOK.finditer(data, 1):
        _, length, crc, lines, _ = HEADER.unpack_from(data, match.start())
        payload = data[match.end() : match.end() + length]
        if len(payload) == length and crc32(payload, lines) == crc:
            return match.start()
    return -1


def claim(directory: str) -> Iterator[Segment]:
    """Yield the finished segments of `directory`, each to one process only, oldest first.

    What bears a segment's name and is none (a link, a pipe, another user's file) is set aside.
    Files of other names are left alone.
    """
    found = [(name.hour, name) for name in map(SegmentName.parse, os.listdir(directory)) if name]
    for _, name in sorted(found):
        path = os.path.join(directory, str(name))
        try:
            fd = adopt(open_for_read(path, write=True))
        except UnsafeFileError:
            set_aside(path)
            continue
        except OSError:
            continue  # Gone, or nobody may read it; the others must not wait for it.
        try:
            mine = try_lock(fd) and os.fstat(fd).st_nlink == 1
        except OSError:
            mine = False
        if mine:
            yield Segment(path, name, fd)
        else:
            forget(fd)


def set_aside(path: str) -> None:
    """Move a file that cannot be used into ``aside`` beside it, and count it."""
    tally.add("segments.set_aside")
    directory, name = os.path.split(path)
    aside = os.path.join(directory, _ASIDE)
    make_directory(aside)
    target = os.path.join(aside, name)
    numbers = itertools.count(1)
    while os.path.lexists(target):
        target = os.path.join(aside, f"{name}.{next(numbers)}")
    os.rename(path, target)


def bytes_in(directory: str) -> int:
    """Return the size of the files in `directory`; 0 where there is none."""
    try:
        with os.scandir(directory) as entries:
            files = (each for each in entries if each.is_file(follow_symlinks=False))
            return sum(each.stat(follow_symlinks=False).st_size for each in files)
    except OSError:
        return 0
