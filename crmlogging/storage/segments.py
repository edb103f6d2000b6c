"""Segments: lines that wait on disk for somebody else, safe from the death of their writer.

A segment is one file with one writer, which holds its lock for as long as it writes. A segment
whose lock is free is finished, whether its writer sealed it or died; whoever gets the lock, of
any process, owns it and deals with it alone.

What an append has written before a death is complete or, at the very end, recognised as torn by
length and CRC (`crmlogging.storage.framing`): that call never returned. Any other damage costs
the damaged append alone.
"""

from __future__ import annotations

import datetime
import itertools
import os
import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from zlib import crc32

from crmlogging.diagnostics import tally
from crmlogging.storage.appending import write_whole
from crmlogging.storage.framing import FRAMING, FRAMINGS, MAGIC, REMARK, frame
from crmlogging.storage.locking import adopt, forget, try_lock
from crmlogging.storage.opening import UnsafeFileError, make_directory, open_for_read

__all__ = ["SUFFIX", "Segment", "SegmentName", "bytes_in", "claim", "own_boot", "set_aside"]

SUFFIX: Final = ".segment"
_ASIDE: Final = "aside"
_BLOCK: Final = 262_144
_NAME: Final = re.compile(
    r"([a-z]{1,16})_(\d{8}T\d\d)_([A-Za-z0-9.-]{1,63})_([0-9a-f]{16})_(\d{6,12})\.segment",
    re.ASCII,
)


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
        self._framing = FRAMING

    def blocks(self, size: int = _BLOCK) -> Iterator[bytes]:
        """Yield the lines in order, in blocks of many appends.

        Args:
            size: of what is read at once, in bytes; more where one append takes more.

        Raises:
            UnsafeFileError: the file is none of ours, or of a later version.
            OSError: it cannot be read.
        """
        head = self._read(len(MAGIC), 0)
        framing = FRAMINGS.get(head)
        if framing is not None:
            self._framing = framing
            yield from self._blocks(len(head), max(size, framing.header_bytes))
        elif not MAGIC.startswith(head):  # Else its writer died in its first moment.
            raise UnsafeFileError("is no segment of this version")

    def _blocks(self, at: int, least: int) -> Iterator[bytes]:
        wanted = 0
        while at < (size := os.lseek(self._fd, 0, os.SEEK_END)):
            block = self._read(max(least, wanted), at)
            payload, end, wanted = self._framing.sound(block)
            if payload:
                yield payload
            at += end
            if not wanted or at + wanted > size > at:
                sound = self._next_sound(at + 1, size, least)
                # Only the end can be torn: a header or a payload that stops short.
                self.damaged += sound >= 0 or not wanted
                if sound < 0:
                    break
                at = sound
        self._end = at

    def _next_sound(self, at: int, size: int, least: int) -> int:
        """Return where the next undamaged append begins, from `at` on, or -1."""
        framing = self._framing
        while block := self._read(least, at):
            match = framing.look.search(block)
            while match is not None:
                header, start = framing.header(match[0]), at + match.end()
                if start + header.length <= size and header.fits(self._read(header.length, start)):
                    return at + match.start()
                match = framing.look.search(block, match.start() + 1)
            at += max(len(block) - framing.header_bytes, 0) + 1
        return -1

    def _read(self, size: int, at: int) -> bytes:
        """Return `size` bytes from `at` on, or what there is."""
        os.lseek(self._fd, at, os.SEEK_SET)
        found = os.read(self._fd, size)
        while len(found) < size and (more := os.read(self._fd, size - len(found))):
            found += more
        return found

    def annotate(self, payload: bytes) -> None:
        """Append lines that count as no records; what cannot be written is left out.

        A torn tail goes: between sound appends it would be damage. In a segment of an earlier
        version nothing is written any more.
        """
        if self._framing is not FRAMING:
            return
        framed = frame(payload, 0, crc32(payload), REMARK)
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
