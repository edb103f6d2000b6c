"""Writing segments: one append a call, in the kernel before it returns, sealed when due."""

from __future__ import annotations

import errno
import os
import time
import weakref
from collections.abc import Callable
from typing import Final

from crmlogging.storage.appending import LOOK_SECONDS, write_whole
from crmlogging.storage.locking import adopt, forget, try_lock
from crmlogging.storage.opening import make_directory, open_new
from crmlogging.storage.segments import MAGIC, SegmentName, frame
from crmlogging.storage.turns import Turns

__all__ = ["SegmentWriter"]

_HOUR_SECONDS: Final = 3_600
_ATTEMPTS: Final = 8


class SegmentWriter:
    """Appends lines to segments of one label, for all threads of one process.

    Args:
        directory: where segments lie; created (0700) if missing.
        label: lower-case letters; becomes part of the names.
        max_bytes: size at which a segment is sealed.
        max_records: number of records at which it is.
        max_seconds: age at which `seal_if_due` seals it.
        failed: called with the error and the number of records that could not be written.
        recovered: called after the first write that succeeded again.
        clock: seconds since the epoch.
        monotonic: clock for ages, in seconds.

    Attributes:
        written: records in the kernel.
        written_bytes: bytes so far, in all segments.
        records_of: records in each segment of this process, by its number.
    """

    _fd = -1

    def __init__(
        self,
        directory: str,
        label: str,
        *,
        max_bytes: int = 16_000_000,
        max_records: int = 100_000,
        max_seconds: float = 60.0,
        failed: Callable[[OSError, int], None] | None = None,
        recovered: Callable[[], None] | None = None,
        clock: Callable[[], float] = lambda: time.time(),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._label = label
        self._max_bytes = max_bytes
        self._max_records = max_records
        self._max_seconds = max_seconds
        self._failed = failed
        self._recovered = recovered
        self._clock = clock
        self._monotonic = monotonic
        self._turns = Turns()
        self._failing = False
        self._forget()
        _writers.add(self)

    def _forget(self) -> None:
        self.written = self.written_bytes = 0
        self.records_of: dict[int, int] = {}
        self._fd = self._number = -1
        self._size = self._records = 0
        self._hour = 0
        self._began = self._look_at = 0.0
        self._forked = True

    def __del__(self) -> None:
        self._seal()

    def append(self, payload: bytes, *, records: int = 1, when: float | None = None) -> None:
        """Write whole lines; never raises OSError, see `failed`.

        Args:
            payload: ends with a newline.
            records: how many lines.
            when: seconds since the epoch of the first record; the segment of a later hour is
                another one. Records that come late go into the present one.
        """
        self._turns.take(self._append, payload, records, when)

    def seal(self) -> None:
        """Finish the present segment: others may have it now."""
        self._turns.take(self._seal)

    def seal_if_due(self) -> None:
        """Finish the present segment if it is old enough or its hour is over."""
        if self._fd >= 0 and (
            self._monotonic() - self._began >= self._max_seconds
            or self._clock() // _HOUR_SECONDS > self._hour
        ):
            self.seal()

    def _append(self, payload: bytes, records: int, when: float | None) -> None:
        self._forked = False
        try:
            self._put(payload, records, self._clock() if when is None else when)
        except OSError as error:
            self._failing = True
            if self._failed is not None:
                self._failed(error, records)
            return
        if self._failing:
            self._failing = False
            if self._recovered is not None:
                self._recovered()

    def _put(self, payload: bytes, records: int, when: float) -> None:
        framed = frame(payload, records)
        if self._fd >= 0 and (
            self._size + len(framed) > self._max_bytes
            or self._records + records > self._max_records
            or when // _HOUR_SECONDS > self._hour
            or self._removed()
        ):
            self._seal()
        if self._fd < 0:
            self._begin(when)
        if self._forked:
            return  # In a child born in here: the parent writes it.
        write_whole(self._fd, framed, self._size)
        self._size += len(framed)
        self._records += records
        self.records_of[self._number] = self._records
        self.written += records
        self.written_bytes += len(framed)

    def _removed(self) -> bool:
        """Tell whether somebody deleted the segment; looked at now and then."""
        now = self._monotonic()
        if now < self._look_at:
            return False
        self._look_at = now + LOOK_SECONDS
        return os.fstat(self._fd).st_nlink == 0

    def _begin(self, when: float) -> None:
        for _ in range(_ATTEMPTS):
            name = SegmentName.new(self._label, when)
            path = os.path.join(self._directory, str(name))
            try:
                fd = open_new(path, mode=0o600, flags=os.O_APPEND)
            except FileNotFoundError:  # The directory was removed.
                make_directory(self._directory)
                continue
            adopt(fd)
            try:
                if not try_lock(fd):
                    raise BlockingIOError  # somebody collected it as abandoned
                write_whole(fd, MAGIC, 0)
            except BlockingIOError:
                forget(fd)
                continue
            except BaseException:
                os.unlink(path)
                forget(fd)
                raise
            break
        else:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        self._fd, self._size, self._records = fd, len(MAGIC), 0
        self._number = name.number
        self._hour = int(when // _HOUR_SECONDS)
        self._began = self._monotonic()
        self._look_at = self._began + LOOK_SECONDS

    def _seal(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            forget(fd)


_writers: Final[weakref.WeakSet[SegmentWriter]] = weakref.WeakSet()


def _after_fork() -> None:
    for each in list(_writers):
        each._forget()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
