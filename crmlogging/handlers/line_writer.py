"""Whole lines to a descriptor that others may share, in as few writes as that allows."""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

__all__ = ["LineWriter", "Written"]

# What a pipe takes in one piece (Linux; POSIX promises 512): several processes may share it.
_PIPE_BYTES: Final = 4_096
_FILE_BYTES: Final = 65_536


class Written(NamedTuple):
    """What became of some lines.

    Attributes:
        lines: number of those that are whole where they belong, from the first on.
        error: what kept out the others, or None.
    """

    lines: int
    error: OSError | None


class LineWriter:
    """Writes lines to one file after the other, and sees to it that each begins as a line.

    A disk that gets full takes a part of a line; the next one would be glued to it. So the rest
    goes out first once there is room, if nobody has written there since. And where a file ends
    within a line when this process comes to it (a killed one wrote there), that is ended.

    Attributes:
        rest: what is still to come of a line, or b"".
    """

    def __init__(self) -> None:
        self.rest = b""
        self._file: tuple[int, int] | None = None
        self._size = 0

    def write(self, descriptor: int, lines: Sequence[bytes] = ()) -> Written:
        """Write `lines`, after what is left of an earlier one."""
        done = 0
        try:
            regular = self._turn_to(descriptor, lines)
            for chunk in _chunks(lines, _FILE_BYTES if regular else _PIPE_BYTES):
                whole, error = self._write_chunk(descriptor, chunk, regular=regular)
                done += whole
                if error is not None:
                    return Written(done, error)
        except OSError as error:
            return Written(done, error)
        return Written(done, None)

    def _turn_to(self, descriptor: int, lines: Sequence[bytes]) -> bool:
        """Find out what has to go before a new line; returns whether it is a regular file."""
        status = os.fstat(descriptor)
        regular = stat.S_ISREG(status.st_mode)
        file = (status.st_dev, status.st_ino)
        if file != self._file:
            self._file, self.rest = file, b""
            if regular and lines and lines[0].endswith(b"\n") and _is_torn(descriptor, status):
                self.rest = b"\n"
        elif self.rest and status.st_size != self._size:
            self.rest = b""  # Somebody wrote behind it, or made it shorter.
        return regular

    def _write_chunk(self, descriptor: int, chunk: Sequence[bytes], *, regular: bool) -> Written:
        first, self.rest = self.rest, b""
        whole = memoryview(b"".join((first, *chunk)))
        out, error = _write(descriptor, whole)
        if error is None:
            return Written(len(chunk), None)
        ends = list(accumulate(map(len, chunk), initial=len(first)))
        begun = next(end for end in ends if end >= out)
        if regular:
            self.rest, self._size = bytes(whole[out:begun]), os.fstat(descriptor).st_size
        return Written(sum(end <= out for end in ends[1:]), error)


def _write(descriptor: int, data: memoryview) -> tuple[int, OSError | None]:
    """Return how many bytes went out, and what kept back the others."""
    out = 0
    while out < len(data):
        try:
            out += os.write(descriptor, data[out:])
        except BlockingIOError:  # a terminal or pipe that somebody made non-blocking
            _wait(descriptor)
        except OSError as error:
            return out, error
    return out, None


def _wait(descriptor: int) -> None:
    """Wait a second at most until there is room."""
    if not hasattr(select, "poll"):  # Windows, which makes no descriptor of a pipe non-blocking
        select.select([], [descriptor], [], 1.0)
        return
    waiting = select.poll()  # `select.select` takes no descriptor from 1024 on.
    waiting.register(descriptor, select.POLLOUT)
    waiting.poll(1_000)


def _chunks(lines: Sequence[bytes], longest: int) -> Iterator[Sequence[bytes]]:
    """Divide lines into writes of at most `longest` bytes; a longer line goes alone."""
    begin = size = 0
    for position, line in enumerate(lines):
        if position > begin and size + len(line) > longest:
            yield lines[begin:position]
            begin, size = position, 0
        size += len(line)
    yield lines[begin:]


def _is_torn(descriptor: int, status: os.stat_result) -> bool:
    """Tell whether the file has a last line without an end; not where that cannot be read."""
    if not status.st_size or os.name != "posix":
        return False
    try:
        reading = os.open(f"/dev/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return os.pread(reading, 1, status.st_size - 1) not in (b"\n", b"")
    finally:
        os.close(reading)
