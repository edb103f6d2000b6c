"""The end of a file that several processes append lines to: whole lines, or it is cut there."""

from __future__ import annotations

import errno
import os
from typing import Final

__all__ = ["cut_fragment", "write_whole"]

_BLOCK: Final = 65_536
_LONGEST_FRAGMENT: Final = 16 * 1024 * 1024


def write_whole(fd: int, data: bytes, size: int) -> None:
    """Write all of `data` at the end of `fd`, or nothing.

    Args:
        size: where the file ends now, in bytes; what was written in part is cut off there.

    Raises:
        OSError: as `os.write` does; the file is as before, if the disk allows even that.
    """
    try:
        written = os.write(fd, data)
        while written < len(data):
            step = os.write(fd, memoryview(data)[written:])
            if not step:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            written += step
    except BaseException:
        try:
            os.ftruncate(fd, size)
        except OSError:
            pass  # The next writer finds the fragment.
        raise


def cut_fragment(fd: int, size: int) -> int:
    """Cut off the line without an end that a killed writer left; the file's lock is held.

    Args:
        size: of the file, in bytes.

    Returns:
        The size that is left.

    Raises:
        OSError: it cannot be read or cut.
    """
    end = size
    while end > 0:
        start = max(0, end - (1 if end == size else _BLOCK))
        os.lseek(fd, start, os.SEEK_SET)
        newline = os.read(fd, end - start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
        if size - end > _LONGEST_FRAGMENT:  # No fragment of ours: somebody else's file.
            os.lseek(fd, size, os.SEEK_SET)
            write_whole(fd, b"\n", size)
            return size + 1
    if end < size:
        os.ftruncate(fd, end)
    return end
