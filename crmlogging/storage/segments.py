"""Segments: lines that wait on disk for somebody else, safe from the death of their writer.

A segment is one file with one writer, which holds its lock for as long as it writes. A segment
whose lock is free is finished, whether its writer sealed it or died; whoever gets the lock, of
any process, owns it and deals with it alone.

    #crmlogging segment 1\\n
    @LLLLLLLLCCCCCCCCNNNNNN\\n  payload      length, CRC-32, lines: hexadecimal
    @...

What an append has written before a death is complete or, at the very end, recognised as torn by
length and CRC: that call never returned. Any other damage costs the damaged append alone.
"""

from __future__ import annotations

import datetime
import itertools
import os
import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from crmlogging.diagnostics import tally
from crmlogging.storage.locking import adopt, forget, try_lock
from crmlogging.storage.opening import UnsafeFileError, make_directory, open_for_read

__all__ = ["MAGIC", "SUFFIX", "Segment", "SegmentName", "claim", "frame", "own_boot", "set_aside"]

MAGIC: Final = b"#crmlogging segment 1\n"
SUFFIX: Final = ".segment"
_ASIDE: Final = "aside"
_HEADER_BYTES: Final = 24
_HEADER: Final = re.compile(rb"@([0-9a-f]{8})([0-9a-f]{8})([0-9a-f]{6})\n")
_NAME: Final = re.compile(
    r"([a-z]{1,16})_(\d{8}T\d\d)_([A-Za-z0-9.-]{1,63})_([0-9a-f]{16})_(\d{6,12})\.segment",
    re.ASCII,
)


def frame(payload: bytes, records: int) -> bytes:
    """Return `payload` with its header.

    Example:
        >>> frame(b"{}\\n", 1)
        b'@0000000358f7d9bf000001\\n{}\\n'
    """
    return b"@%08x%08x%06x\n%b" % (len(payload), zlib.crc32(payload), records, payload)


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
        damaged: appends that `payloads` had to leave out. A torn tail is none.
    """

    def __init__(self, path: str, name: SegmentName, fd: int) -> None:
        self.path = path
        self.name = name
        self.damaged = 0
        self._fd = fd

    def payloads(self) -> Iterator[tuple[bytes, int]]:
        """Yield each append's payload and number of lines, in order.

        Raises:
            UnsafeFileError: the file is none of ours, or of a later version.
            OSError: it cannot be read.
        """
        os.lseek(self._fd, 0, os.SEEK_SET)
        with open(self._fd, "rb", closefd=False) as file:
            head = file.read(len(MAGIC))
            if head != MAGIC:
                if MAGIC.startswith(head):
                    return  # Its writer died in its first moment.
                raise UnsafeFileError("is no segment of this version")
            yield from self._payloads(file)

    def _payloads(self, file: BinaryIO) -> Iterator[tuple[bytes, int]]:
        while header := file.read(_HEADER_BYTES):
            match = _HEADER.fullmatch(header)
            length = int(match[1], 16) if match else 0
            payload = file.read(length)
            if match and len(payload) == length and zlib.crc32(payload) == int(match[2], 16):
                yield payload, int(match[3], 16)
                continue
            rest = header + payload + file.read()
            sound = _next_sound(rest)
            # Only the end can be torn: a header or a payload that stops short.
            torn = len(header) < _HEADER_BYTES or len(payload) < length
            self.damaged += sound >= 0 or not torn
            if sound < 0:
                return
            file.seek(sound - len(rest), os.SEEK_CUR)

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


def _next_sound(rest: bytes) -> int:
    """Return where the next undamaged append begins after the first byte of `rest`, or -1."""
    for match in _HEADER.finditer(rest, 1):
        payload = rest[match.end() : match.end() + int(match[1], 16)]
        if zlib.crc32(payload) == int(match[2], 16) and len(payload) == int(match[1], 16):
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
    for number in itertools.count(1):
        if not os.path.lexists(target):
            break
        target = os.path.join(aside, f"{name}.{number}")
    os.rename(path, target)
