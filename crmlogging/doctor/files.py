"""Opening files only to look at them: nothing is followed, nothing waits, nothing changes."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from typing import Final

from crmlogging.doctor.findings import Report

__all__ = ["Bounded", "check_folder", "check_safety", "is_at_work", "is_locked", "opened"]

_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_LOCK_SECONDS: Final = 1.0

if sys.platform == "win32":

    def _share(fd: int) -> bool:
        return True

else:
    from fcntl import LOCK_NB, LOCK_SH, LOCK_UN, flock

    def _share(fd: int) -> bool:
        """Take a lock that only writers exclude, and give it back at once."""
        try:
            flock(fd, LOCK_SH | LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # A file system without locks.
            return True
        flock(fd, LOCK_UN)
        return True


@contextmanager
def opened(path: str) -> Iterator[BufferedReader]:
    """Open a regular file for reading.

    Raises:
        OSError: it cannot be read, or is a link.
    """
    with open(os.open(path, _FLAGS), "rb") as file:
        yield file


def is_locked(file: BufferedReader) -> bool:
    """Tell whether a living process holds the lock of `file`: it is at work on it.

    Asking takes the lock for an instant, in a way that does not exclude other readers; whoever
    writes at that moment tries again.
    """
    return not _share(file.fileno())


def is_at_work(folder: str) -> bool:
    """Tell whether a living process compresses or deletes in `folder` just now."""
    try:
        fd = os.open(folder, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError:  # Windows has no such thing.
        return False
    try:
        return not _share(fd)
    finally:
        os.close(fd)


class Bounded:
    """A file up to the size it had between two writes, as a source of lines."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        deadline = time.monotonic() + _LOCK_SECONDS
        while is_locked(file) and time.monotonic() < deadline:
            time.sleep(0.0005)
        # Of a line that is being written now, all is there or nothing.
        self._left = os.fstat(file.fileno()).st_size

    def read(self, size: int, /) -> bytes:
        """Read `size` bytes, fewer only at the end."""
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        return data

    read1 = read


def check_folder(path: str, report: Report) -> None:
    """Look at who may write to a folder (CWE-59; CVE-2016-1247)."""
    status = os.stat(path)
    if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
        report.problem(
            "unsafe_folder", path, "anybody may write here: files can be planted (chmod o-w)"
        )


def check_safety(path: str, folder_owner: int, report: Report) -> bool:
    """Look at kind, owner and mode of a file of ours; False if it is not to be opened."""
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode):
        what = "a symbolic link" if stat.S_ISLNK(status.st_mode) else "no regular file"
        report.problem("planted", path, f"is {what}; handlers refuse it: remove it")
        return False
    if status.st_nlink > 1:
        report.problem("planted", path, "has a second name (hard link); handlers refuse it")
    if status.st_uid not in (folder_owner, os.geteuid() if hasattr(os, "geteuid") else 0):
        report.problem(
            "owner",
            path,
            f"belongs to user {status.st_uid}, the folder to {folder_owner}: "
            "handlers of another user refuse it",
        )
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o137:
        report.problem(
            "mode", path, f"has the mode {mode:04o}, wider than 0640: others than meant may use it"
        )
    return True
