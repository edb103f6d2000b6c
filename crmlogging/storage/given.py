"""Files that a person named on a command line: opened without a wait for who may never come."""

from __future__ import annotations

import errno
import os
import stat
from typing import BinaryIO, Final

__all__ = ["open_given", "read_given"]

_AT_ONCE: Final = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)  # Opening a pipe must not wait for its other end.
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)
_SHELLS: Final = ("/dev/", "/proc/")
"""Where the pipes of a shell's ``<(command)`` and of ``/dev/stdin`` are; those have a writer."""


def open_given(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file to read; a named pipe is an error, as nobody may ever write to it.

    Raises:
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, _AT_ONCE)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISFIFO(mode) and not os.path.abspath(path).startswith(_SHELLS):
            raise OSError(errno.EINVAL, "a named pipe")
        if hasattr(os, "O_NONBLOCK"):
            os.set_blocking(descriptor, True)
        return open(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_given(path: str | os.PathLike[str], most: int) -> bytes:
    """Return what is in a file of at most `most` bytes; also of a device that has no end.

    Raises:
        OSError: it cannot be read, or is larger.
    """
    with open_given(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"larger than {most:,} bytes")
    return content
