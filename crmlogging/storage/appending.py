"""The one way bytes reach a file that several processes and threads share.

One append is: take the file's lock, look where the file ends, cut off what a killed writer
left there, write, unlock. What stands before a call returns is in the kernel, so it survives
the death of the process (not of the machine).

    lock -> moved? -> due? -> mend the tail -> write -> unlock
              |        |
            reopen   rotate (see `crmlogging.storage.rotation`)

- A tail without a newline belongs to a writer that was killed inside its call: measured,
  ``kill -9`` tears even a 480-byte write, and the next line would be glued to the fragment. It is
  looked at only under the lock, and only when the file does not end where this process left it.
- Every 50 ms, under the lock, the name is compared with the open file, so a rotation by
  another process or program is noticed. Others rely on that bound before they remove a file.
"""

from __future__ import annotations

import errno
import os
import time
import weakref
from collections.abc import Callable
from typing import Final

from crmlogging.diagnostics import tally
from crmlogging.storage.locking import TAKE, flock, unlock, wait_lock
from crmlogging.storage.opening import make_directory, open_for_append
from crmlogging.storage.tails import cut_fragment, write_whole
from crmlogging.storage.turns import Turns

__all__ = ["LOOK_SECONDS", "Appender", "write_whole"]

LOOK_SECONDS: Final = 0.05
"""How long a writer may go on without noticing that its file was moved away."""
_PATIENCE_SECONDS: Final = 5.0
_IMPATIENCE_SECONDS: Final = 0.01
_REOPENINGS: Final = 64  # Others may rotate again and again before it is our turn.


class _ForkedInside(Exception):  # noqa: N818  # control flow, seen by nobody
    """This process is a child, born inside a write of its parent's."""


class Appender:
    """Appends whole lines to one file, together with any number of other processes.

    Args:
        path: the file; created when first needed, and again when somebody took it away.
        mode: its permissions.
        gid: its group, or None.
        failed: called with the error and the number of records that could not be written.
        recovered: called after the first write that succeeded again.
        monotonic: clock, in seconds.

    Attributes:
        written: records that are in the kernel.
        mended: fragments of killed writers that were cut off.
        rotations: how often this process put another file in place.
    """

    _fd = -1

    def __init__(
        self,
        path: str,
        *,
        mode: int = 0o600,
        gid: int | None = None,
        failed: Callable[[OSError, int], None] | None = None,
        recovered: Callable[[], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = os.path.abspath(path)
        self.written = 0
        self.mended = 0
        self.rotations = 0
        self._mode = mode
        self._gid = gid
        self._failed = failed
        self._recovered = recovered
        self._failing = False
        self._forked = False
        self._monotonic = monotonic
        self._turns = Turns()
        self._identity = (0, 0)
        self._size = -1
        self._look_at = 0.0
        self._patience = _PATIENCE_SECONDS
        _appenders.add(self)

    def __del__(self) -> None:
        self._close()

    def open(self) -> None:
        """Open the file now, so that a mistake in the configuration shows at once.

        Raises:
            OSError: it cannot be opened, is not what a log file must be, or cannot be locked.
        """
        with self._turns.lock:
            if self._fd < 0:
                self._open()
            if wait_lock(self._fd, self._patience, monotonic=self._monotonic):
                unlock(self._fd)

    def append(self, data: bytes, *, records: int = 1, durably: bool = False) -> None:
        """Write `data`, one or more whole lines; never raises OSError, see `failed`.

        Args:
            data: ends with a newline.
            records: how many it holds.
            durably: also wait until it is on the disk (`fsync`).
        """
        self._turns.take(self._append, data, records, durably)

    def close(self) -> None:
        """Close the file; a later append opens it again."""
        self._turns.take(self._close)

    def _append(self, data: bytes, records: int, durably: bool) -> None:
        self._forked = False
        try:
            self._put(data)
            if durably:
                os.fsync(self._fd)
        except OSError as error:
            self._failing = True
            if self._failed is not None:
                self._failed(error, records)
        except _ForkedInside:
            pass  # The parent writes it.
        else:
            self.written += records
            if self._failing:
                self._failing = False
                if self._recovered is not None:
                    self._recovered()

    def _put(self, data: bytes) -> None:
        for _ in range(_REOPENINGS):
            if self._forked:
                raise _ForkedInside
            if self._fd < 0:
                self._open()
            fd = self._fd
            try:
                try:
                    flock(fd, TAKE)
                except BlockingIOError:
                    self._wait_for_lock(fd)
                if self._monotonic() < self._look_at or not self._moved(fd):
                    size = os.lseek(fd, 0, os.SEEK_END)
                    due = self._due(fd, size, len(data))
                    # After the question, which reads the file's time; before the file goes away.
                    if size != self._size:
                        size = self._mend(fd, size)
                    if not due:
                        if self._forked:
                            raise _ForkedInside
                        self._size = -1
                        write_whole(fd, data, size)
                        self._size = size + len(data)
                        return
                    self._turn_over(fd)
            except OSError:
                if self._fd != fd or self._is_ours(fd):
                    raise
                self._fd = -1  # Closed behind our back, its number may be another file's now.
            finally:
                if self._fd == fd:  # Else its number may be another file's by now.
                    unlock(fd)
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def _wait_for_lock(self, fd: int) -> None:
        if wait_lock(fd, self._patience, monotonic=self._monotonic):
            self._patience = _PATIENCE_SECONDS
            return
        # Somebody was stopped while holding it. The kernel keeps single writes apart as well,
        # and a service that stands still is worse than what the lock prevents.
        self._patience = _IMPATIENCE_SECONDS
        tally.add("appending.unlocked")

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
            raise
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
        try:
            fd = open_for_append(self.path, mode=self._mode, gid=self._gid)
        except FileNotFoundError:  # The directory was removed.
            make_directory(os.path.dirname(self.path))
            fd = open_for_append(self.path, mode=self._mode, gid=self._gid)
        status = os.fstat(fd)
        self._fd, self._identity, self._size = fd, (status.st_dev, status.st_ino), -1
        self._look_at = 0.0  # Between opening and locking it may have been moved already.

    def _reopen(self) -> None:
        """Open what the name leads to now; if that fails, everything stays as it is."""
        old, was_ours = self._fd, self._is_ours(self._fd)
        self._open()
        if was_ours:
            unlock(old)
            os.close(old)

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0 and self._is_ours(fd):
            os.close(fd)

    def _due(self, fd: int, size: int, incoming: int) -> bool:
        """Tell whether the file has to be turned over before `incoming` bytes come."""
        return False

    def _turn_over(self, fd: int) -> None:
        """Put another file in place of `fd`, whose lock is held."""

    def _mend(self, fd: int, size: int) -> int:
        """Cut off a killed writer's fragment and return the size that is left."""
        end = cut_fragment(fd, size)
        self.mended += end < size
        return end


_appenders: Final[weakref.WeakSet[Appender]] = weakref.WeakSet()


def _after_fork() -> None:
    """Let go of the parent's descriptors: their locks belong to parent and child together."""
    for each in list(_appenders):
        each._forked = True
        each.written = each.mended = each.rotations = 0  # what the parent did, it reports
        fd, each._fd = each._fd, -1
        if fd >= 0 and each._is_ours(fd):
            os.close(fd)


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
