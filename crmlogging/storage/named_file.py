"""An open file that follows its name: others may move, replace or remove what is open."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

from crmlogging.storage import locking
from crmlogging.storage.locking import unlock
from crmlogging.storage.opening import make_directory, open_for_append

__all__ = ["LOOK_SECONDS", "NamedFile"]

LOOK_SECONDS: Final = 0.05
"""How long a writer may go on without noticing that its file was moved away."""


class NamedFile:
    """A file open for appending, and whether its name still leads to it.

    Args:
        path: the file; created when first needed, and again when somebody took it away.
        mode: its permissions.
        gid: its group, or None.
        monotonic: clock, in seconds.
    """

    _fd = -1

    def __init__(
        self, path: str, *, mode: int, gid: int | None, monotonic: Callable[[], float]
    ) -> None:
        self.path = os.path.abspath(path)
        self._mode = mode
        self._gid = gid
        self._monotonic = monotonic
        self._identity = (0, 0)
        self._size = -1  # Where this process left its end, if it knows.
        self._look_at = 0.0

    def __del__(self) -> None:
        self._close()

    def _moved(self, fd: int) -> bool:
        """Tell whether the name leads to another file by now, and then open that one."""
        now = self._monotonic()
        if self._is_current(fd):
            self._look_at = now + LOOK_SECONDS
            return False
        try:
            self._reopen()
        except OSError:
            # Better in a file that was moved than nowhere; but not in one that was removed.
            if self._is_ours(fd) and os.fstat(fd).st_nlink:
                return False
            self._close()  # Its number may be all that was missing.
            self._open()
        return True

    def _is_current(self, fd: int) -> bool:
        try:
            status = os.stat(self.path, follow_symlinks=False)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity and self._is_ours(fd)

    def _is_ours(self, fd: int) -> bool:
        """Tell whether `fd` still is our file: programs that become daemons close all."""
        try:
            status = os.fstat(fd)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def _open(self) -> None:
        while True:
            generation = locking.generation
            try:
                fd = open_for_append(self.path, mode=self._mode, gid=self._gid)
            except FileNotFoundError:  # The directory was removed.
                make_directory(os.path.dirname(self.path))
                fd = open_for_append(self.path, mode=self._mode, gid=self._gid)
            status = os.fstat(fd)
            if generation == locking.generation:
                break
            os.close(fd)  # A child, forked meanwhile: the lock would be its parent's as well.
        self._fd, self._identity, self._size = fd, (status.st_dev, status.st_ino), -1
        self._look_at = 0.0  # Between opening and locking it may have been moved already.

    def _reopen(self) -> None:
        """Open what the name leads to now; if that fails, everything stays as it is."""
        old, was_ours = self._fd, self._is_ours(self._fd)
        self._open()
        if was_ours and self._fd != old:  # A child, forked meanwhile, has closed it already.
            unlock(old)
            try:
                os.close(old)
            except OSError:
                pass

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0 and self._is_ours(fd):
            os.close(fd)
