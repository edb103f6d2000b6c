"""The one way bytes reach a file that several processes and threads share.

One append is: take the file's lock, look where the file ends, cut off what a killed writer
left there, write, unlock. What stands before a call returns is in the kernel, so it survives
the death of the process (not of the machine).

    lock -> moved? -> due? -> mend the tail -> write -> unlock
              |        |
            reopen   rotate (see `crmlogging.storage.rotation`)

Nearly always no lock is held by anybody, and to each question the answer is no. Such an append
goes through `Appender._quickly`, which waits for nothing and gives up at the first yes; then
`Appender._put` does the same with all that may be the case.

- A tail without a newline belongs to a writer that was killed inside its call: measured,
  ``kill -9`` tears even a 480-byte write, and the next line would be glued to the fragment. It is
  looked at only under the lock, and only when the file does not end where this process left it.
- Every 50 ms, under the lock, the name is compared with the open file, so a rotation by
  another process or program is noticed. Others rely on that bound before they remove a file. The
  clock, too, is read under the lock: who waits for it may wait for long.
- None of the four calls can be left out where a process has the file to itself, since nobody tells
  it when that ends (a lease would, and makes everybody wait who opens the file). Nor can the look
  follow the write: who is killed between the two leaves a line glued to a fragment. `lseek` takes
  no longer than a system call that does nothing; `fstat` takes more than twice that.
"""

from __future__ import annotations

import errno
import math
import os
import time
import weakref
from collections.abc import Callable
from typing import Final

from crmlogging.diagnostics import tally
from crmlogging.storage import locking
from crmlogging.storage.locking import GIVE_BACK, TAKE, ask_again, flock, unlock, wait_lock
from crmlogging.storage.named_file import LOOK_SECONDS, NamedFile
from crmlogging.storage.tails import cut_fragment, is_refusal, is_whole, write_rest, write_whole
from crmlogging.storage.turns import Turns, make_up, put_off

__all__ = ["LOOK_SECONDS", "Appender", "write_whole"]

_PATIENCE_SECONDS: Final = 5.0
_IMPATIENCE_SECONDS: Final = 0.01
_system_time: Final = time.time
_REOPENINGS: Final = 64  # Others may rotate again and again before it is our turn.


class _ForkedInside(Exception):  # noqa: N818  # control flow, seen by nobody
    """This process is a child, born inside a write of its parent's."""


class Appender(NamedFile):
    """Appends whole lines to one file, together with any number of other processes.

    Args:
        path: the file; created when first needed, and again when somebody took it away.
        mode: its permissions.
        gid: its group, or None.
        failed: called with the error and the number of records that could not be written.
        recovered: called after the first write that succeeded again.
        clock: seconds since the epoch; the system's is asked at each look only.
        monotonic: clock, in seconds.

    Attributes:
        written: records that are in the kernel.
        mended: fragments of killed writers that were cut off.
        rotations: how often this process put another file in place.
    """

    _full_at: float = math.inf  # In bytes: up to that size nothing can be due.

    def __init__(
        self,
        path: str,
        *,
        mode: int = 0o600,
        gid: int | None = None,
        failed: Callable[[OSError, int], None] | None = None,
        recovered: Callable[[], None] | None = None,
        clock: Callable[[], float] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(path, mode=mode, gid=gid, monotonic=monotonic)
        self.written = 0
        self.mended = 0
        self.rotations = 0
        self._failed = failed
        self._recovered = recovered
        self._failing = False
        self._clock = clock
        self._steady = _system_time if clock is None else None
        self._turns = Turns(quick=True)
        self._patience = _PATIENCE_SECONDS
        _appenders.add(self)

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

    def append(self, data: bytes, records: int = 1, durably: bool = False) -> None:
        """Write `data`, one or more whole lines; raises no OSError of its own, see `failed`.

        Args:
            data: ends with a newline.
            records: how many it holds.
            durably: also wait until it is on the disk (`fsync`).
        """
        turns, generation = self._turns, locking.generation
        lock = turns.lock
        try:
            free = lock.acquire(False)
        except BaseException:  # A signal handler raised it, when the lock was ours already.
            if turns.is_mine():
                lock.release()
            raise
        if free and not turns.busy and not durably:
            turns.busy = True
            try:
                if self._quickly(data, records, generation):
                    return
            finally:
                turns.busy = False
                lock.release()
                if put_off:
                    make_up()
        elif free:
            lock.release()
        self._append_patiently(data, records, durably, generation)

    def close(self) -> None:
        """Close the file; a later append opens it again."""
        self._turns.take(self._close)

    def _quickly(self, data: bytes, records: int, generation: int) -> bool:
        """Write `data` if nothing whatever is in the way; tell whether all is done."""
        fd, length, monotonic = self._fd, len(data), self._monotonic
        if fd < 0:
            return False
        try:
            try:
                flock(fd, TAKE)
            except BlockingIOError:
                if not ask_again(fd):
                    return False
            # A clock that somebody put in place may jump at any time.
            if monotonic() >= self._look_at or time.time is not self._steady:
                return False
            size = os.lseek(fd, 0, os.SEEK_END)
            end = size + length
            if end > self._full_at:
                return False
            if size != self._size and not (self._is_ours(fd) and is_whole(fd, size)):
                return False
            if generation != locking.generation:
                return True  # The parent writes it.
            # In between no signal handler runs, which might fork.
            written = os.write(fd, data)
            if written != length:
                write_rest(fd, data, size, written, generation)
            if generation == locking.generation:
                self._size = end
                self.written += records
        except OSError as error:
            if not is_refusal(error):
                raise
            return False  # Somebody else has the lock, or the disk is full, ...
        finally:
            if self._fd == fd:  # Else its number may be another file's by now.
                try:
                    flock(fd, GIVE_BACK)
                except OSError:  # It was closed behind our back.
                    pass
        return True

    def _append_patiently(self, data: bytes, records: int, durably: bool, generation: int) -> None:
        """Write `data` whatever is in the way."""
        self._turns.take(self._append, data, records, durably, generation)

    def _append(self, data: bytes, records: int, durably: bool, generation: int) -> None:
        try:
            self._put(data, generation)
            if durably:
                os.fsync(self._fd)
        except OSError as error:
            if generation != locking.generation:  # The descriptor was closed at the fork.
                return
            if not is_refusal(error):
                raise
            self._failing = True
            self._look_at = -math.inf  # No way is quick until one went well.
            if self._failed is not None:
                self._failed(error, records)
        except _ForkedInside:
            pass  # The parent writes it.
        else:
            if generation == locking.generation:
                self.written += records
            if self._failing:
                self._failing = False
                if self._recovered is not None:
                    self._recovered()

    def _put(self, data: bytes, generation: int) -> None:
        for _ in range(_REOPENINGS):
            if generation != locking.generation:
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
                    if size != self._size and not self._is_ours(fd):
                        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
                    due = self._due(fd, size, len(data))
                    # After the question, which reads the file's time; before the file goes away.
                    if size != self._size:
                        size = self._mend(fd, size, generation)
                    if not due:
                        self._size = -1
                        if generation != locking.generation:
                            raise _ForkedInside
                        # As in `_quickly`.
                        written = os.write(fd, data)
                        if written != len(data):
                            write_rest(fd, data, size, written, generation)
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

    def _due(self, fd: int, size: int, incoming: int) -> bool:
        """Tell whether the file has to be turned over before `incoming` bytes come."""
        return False

    def _turn_over(self, fd: int) -> None:
        """Put another file in place of `fd`, whose lock is held."""

    def _mend(self, fd: int, size: int, generation: int) -> int:
        """Cut off a killed writer's fragment and return the size that is left."""
        end = cut_fragment(fd, size, generation)
        self.mended += end < size
        return end


_appenders: Final[weakref.WeakSet[Appender]] = weakref.WeakSet()


def _after_fork() -> None:
    """Let go of the parent's descriptors: their locks belong to parent and child together."""
    for each in list(_appenders):
        each.written = each.mended = each.rotations = 0  # what the parent did, it reports
        fd, each._fd = each._fd, -1
        if fd >= 0 and each._is_ours(fd):
            os.close(fd)


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
