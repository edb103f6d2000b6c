"""Opening files that nobody may have prepared for us: no links, no pipes, nobody else's.

A log directory is often writable for more people than it should be. Somebody who plants a link
there makes a careless logger write into any file it can reach (CWE-59; CVE-2016-1247). Hence:
links are never followed, and the opened file itself is looked at, not its name (CWE-367).
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

__all__ = [
    "UnsafeFileError",
    "make_directory",
    "open_for_append",
    "open_for_read",
    "open_new",
    "sync",
]

_SAFELY: Final = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)  # Opening a pipe must not wait for its other end.
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)
_ATTEMPTS: Final = 8


class UnsafeFileError(OSError):
    """A file that is not what a log file must be; the text says why, in words for an operator."""

    def __init__(self, reason: str) -> None:
        super().__init__(errno.EPERM, reason)
        self.reason = reason


def open_for_append(path: str, *, mode: int, gid: int | None = None) -> int:
    """Open `path` for appending, and create it if need be; return the descriptor.

    Args:
        mode: permissions, exactly: of a new file whatever the umask, and an existing file that
            allows more is tightened.
        gid: group of a new file, or None.

    Raises:
        UnsafeFileError: it is a link, no regular file, has a second name, or another user's.
        OSError: it cannot be opened.
    """
    for _ in range(_ATTEMPTS):
        try:
            fd = _open(path, os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            try:
                return open_new(path, mode=mode, gid=gid, flags=os.O_APPEND)
            except FileExistsError:
                continue  # Another process was faster.
        try:
            status = check(fd)
            if status.st_mode & 0o777 & ~mode and hasattr(os, "fchmod"):
                os.fchmod(fd, mode)
        except BaseException:
            os.close(fd)
            raise
        return fd
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def open_new(path: str, *, mode: int, gid: int | None = None, flags: int = 0) -> int:
    """Create `path`, which must not exist, and return the descriptor."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _SAFELY | flags, 0o600)
    try:
        if gid is not None:
            os.fchown(fd, -1, gid)
        if stat.S_IMODE(os.fstat(fd).st_mode) != mode and hasattr(os, "fchmod"):
            os.fchmod(fd, mode)  # After the group: until then nobody else may look.
    except BaseException:
        os.close(fd)
        os.unlink(path)
        raise
    return fd


def open_for_read(path: str, *, write: bool = False) -> int:
    """Open an existing file of ours.

    Args:
        write: also for changing it in place.

    Raises:
        UnsafeFileError, OSError: as in `open_for_append`.
    """
    fd = _open(path, os.O_RDWR if write else os.O_RDONLY)
    try:
        check(fd)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _open(path: str, flags: int) -> int:
    try:
        return os.open(path, flags | _SAFELY)
    except OSError as error:
        # ELOOP is what O_NOFOLLOW answers on Linux and macOS, EMLINK on FreeBSD.
        if error.errno in {errno.ELOOP, errno.EMLINK}:
            raise UnsafeFileError("is a symbolic link") from None
        if error.errno == errno.ENXIO:
            raise UnsafeFileError("is no regular file") from None
        if error.errno == errno.EISDIR:
            raise UnsafeFileError("is a directory") from None
        raise


def check(fd: int) -> os.stat_result:
    """Return the status of an open file; raise UnsafeFileError if it is not ours alone."""
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeFileError("is no regular file")
    if status.st_nlink > 1:
        raise UnsafeFileError("has a second name (hard link)")
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        raise UnsafeFileError("belongs to another user")
    return status


def make_directory(path: str, *, uid: int | None = None) -> str | None:
    """Create directory `path` and its parents (0700) if missing.

    Args:
        uid: who we are; None asks the system.

    Returns:
        What is unsafe about it, in words, or None.

    Raises:
        UnsafeFileError: it, or one above it, is a link that neither we nor root made.
        OSError: it cannot be created.
    """
    _make_private(os.path.abspath(path))
    if not hasattr(os, "geteuid"):
        return None
    trusted = {0, os.geteuid() if uid is None else uid}
    step = os.path.abspath(path)
    while True:
        status = os.lstat(step)
        if stat.S_ISLNK(status.st_mode) and status.st_uid not in trusted:
            raise UnsafeFileError("lies behind a link of another user")
        if step == os.path.dirname(step):
            break
        step = os.path.dirname(step)
    status = os.stat(path)
    if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
        return "anybody may write there"
    if status.st_uid not in trusted:
        return "another user owns it"
    return None


def _make_private(path: str) -> None:
    """As `os.makedirs`, which would give its mode to the last directory only."""
    if os.path.isdir(path):
        return
    _make_private(os.path.dirname(path))
    try:
        os.mkdir(path, 0o700)
        if hasattr(os, "fchmod") and stat.S_IMODE(os.lstat(path).st_mode) & 0o700 != 0o700:
            os.chmod(path, 0o700)  # The umask keeps even us out.
    except FileExistsError:
        if not os.path.isdir(path):
            raise


def sync(directory: str) -> None:
    """Make renames in `directory` survive a power cut, where the system can."""
    try:
        fd = os.open(directory, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _SAFELY)
    except OSError:
        return
    try:
        os.fsync(fd)
    except OSError:
        pass
    finally:
        os.close(fd)
