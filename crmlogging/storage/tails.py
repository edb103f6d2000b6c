"""The end of a file that several processes append lines to: whole lines, or it is cut there."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Final, TypeGuard

from crmlogging.storage import locking

__all__ = ["cut_fragment", "is_refusal", "is_whole", "write_rest", "write_whole"]

_BLOCK: Final = 65_536
_LONGEST_FRAGMENT: Final = 16 * 1024 * 1024


def write_whole(fd: int, data: bytes, size: int, generation: int | None = None) -> None:
    """Write all of `data` at the end of `fd`, or nothing.

    Args:
        size: where the file ends now, in bytes; what was written in part is cut off there.
        generation: when the descriptor was known to be right (see `locking.generation`), None for
            now. In a child born since then nothing is touched.

    Raises:
        OSError: as `os.write` does; the file is as before, if the disk allows even that.
    """
    if generation is None:
        generation = locking.generation
    try:
        written = os.write(fd, data) if generation == locking.generation else len(data)
    except BaseException:
        _cut(fd, size, generation)
        raise
    if written != len(data):
        write_rest(fd, data, size, written, generation)


def write_rest(fd: int, data: bytes, size: int, written: int, generation: int) -> None:
    """Do so after the first `written` bytes, when a single `os.write` did not take all."""
    try:
        while written < len(data) and generation == locking.generation:
            step = os.write(fd, memoryview(data)[written:])
            if not step:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            written += step
    except BaseException:
        _cut(fd, size, generation)
        raise


def _cut(fd: int, size: int, generation: int) -> None:
    try:
        if generation == locking.generation:
            os.ftruncate(fd, size)
    except OSError:
        pass  # The next writer finds the fragment.


def is_refusal(error: BaseException) -> TypeGuard[OSError]:
    """Tell whether the system refused a call, which then did nothing.

    Else a signal handler has ended it, perhaps after it was done. The usual answer to
    `signal.alarm` is a TimeoutError, which is an OSError too, but without a number.
    """
    return isinstance(error, OSError) and error.errno is not None


def is_whole(fd: int, size: int) -> bool:
    """Tell whether a file of `size` bytes ends with a newline, or is empty."""
    return size == 0 or _read_at(fd, 1, size - 1) == b"\n"


def _seek_and_read(fd: int, length: int, start: int) -> bytes:
    os.lseek(fd, start, os.SEEK_SET)
    return os.read(fd, length)


_read_at: Final[Callable[[int, int, int], bytes]] = getattr(os, "pread", _seek_and_read)
"""Reads so many bytes from there; Windows has no `os.pread`."""


def cut_fragment(fd: int, size: int, generation: int | None = None) -> int:
    """Cut off the line without an end that a killed writer left; the file's lock is held.

    Args:
        size: of the file, in bytes.
        generation: as for `write_whole`.

    Returns:
        The size that is left.

    Raises:
        OSError: it cannot be read or cut.
    """
    if generation is None:
        generation = locking.generation
    end = size
    while end > 0:
        start = max(0, end - (1 if end == size else _BLOCK))
        newline = _read_at(fd, end - start, start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
        if size - end > _LONGEST_FRAGMENT:  # No fragment of ours: somebody else's file.
            if generation == locking.generation:
                os.lseek(fd, size, os.SEEK_SET)
            write_whole(fd, b"\n", size, generation)
            return size + 1
    if generation != locking.generation:
        return size
    if end < size:
        os.ftruncate(fd, end)
    return end
