"""Writing segments: one append a call, in the kernel before it returns, sealed when due."""

from __future__ import annotations

import errno
import math
import os
import time
import weakref
from collections.abc import Callable
from typing import Final

from crmlogging.storage.appending import LOOK_SECONDS, write_whole
from crmlogging.storage.locking import adopt, forget, try_lock
from crmlogging.storage.opening import make_directory, open_new, sync
from crmlogging.storage.segments import MAGIC, Segment, SegmentName, frame
from crmlogging.storage.turns import Turns

__all__ = ["SegmentWriter"]

_HOUR_SECONDS: Final = 3_600
_LATEST: Final = 253_402_300_799.0
"""The last second that a date can name."""
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
        keep: gets each finished segment, which stays locked; without it others may have it.
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
        keep: Callable[[Segment], None] | None = None,
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
        self._keep = keep
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
        self._name: SegmentName | None = None
        self._size = self._records = 0
        self._named = False
        self._hour_ends = self._began = 0.0
        self._look_at = -math.inf
        self._forked = True

    def __del__(self) -> None:
        if self._fd >= 0:
            forget(self._fd)

    def append(
        self,
        payload: bytes,
        records: int = 1,
        when: float | None = None,
        durably: bool = False,
        written: Callable[[int], None] | None = None,
    ) -> None:
        """Write whole lines; never raises OSError, see `failed`.

        Args:
            payload: ends with a newline.
            records: how many lines.
            when: seconds since the epoch of the first record, if somebody knows; the segment of a
                later hour is another one. Records that come late, or at no time that a date can
                name, go into the present one.
            durably: also wait until they are on the disk (`fsync`).
            written: called with the number of the segment when the lines are in it. Neither this
                nor `failed` and `keep` may wait for a lock that a thread holds while it logs.
        """
        self._turns.take(self._append, payload, records, when, durably, written)

    def annotate(self, number: int, payload: bytes) -> None:
        """Append lines that count as no records to segment `number`, unless it is finished."""
        self._turns.take(self._annotate, number, payload)

    def seal(self) -> None:
        """Finish the present segment: others may have it now."""
        self._turns.take(self._seal)

    def seal_if_due(self) -> None:
        """Finish the present segment if it is old enough or its hour is over."""
        if self._fd >= 0 and (
            self._monotonic() - self._began >= self._max_seconds or self._clock() >= self._hour_ends
        ):
            self.seal()

    def _append(
        self,
        payload: bytes,
        records: int,
        when: float | None,
        durably: bool,
        written: Callable[[int], None] | None,
    ) -> None:
        # In one piece: this is what a logging call waits for.
        try:
            framed = frame(payload, records)
            length, size = len(framed), self._size
            if when is None:
                when = self._clock()
            if (
                size + length > self._max_bytes
                or when >= self._hour_ends
                or self._records + records > self._max_records
                or self._monotonic() >= self._look_at
            ):
                self._look(length, records, when)
                size = self._size
            write_whole(self._fd, framed, size)
            if durably:
                self._to_disk()
            self._size = size + length
        except OSError as error:
            if self._forked:
                return  # In a child born in here: the parent writes it.
            self._failing = True
            if self._failed is not None:
                self._failed(error, records)
            return
        except BaseException:  # A signal ends the call: nobody knows where the file ends.
            self._seal()
            raise
        self._records = self.records_of[self._number] = self._records + records
        self.written += records
        self.written_bytes += length
        if written is not None:
            written(self._number)
        if self._failing:
            self._failing = False
            if self._recovered is not None:
                self._recovered()

    def _look(self, length: int, records: int, when: float) -> None:
        """Begin a segment where there is none, or the present one cannot take what comes.

        Now and then also where somebody deleted the file.
        """
        self._forked = False
        if self._fd >= 0:
            self._look_at = self._monotonic() + LOOK_SECONDS
            if (
                self._size + length > self._max_bytes
                or self._records + records > self._max_records
                or self._hour_ends <= when < _LATEST
                or os.fstat(self._fd).st_nlink == 0
            ):
                self._seal()
        if self._fd < 0:
            self._begin(when if 0.0 < when < _LATEST else self._clock())

    def _to_disk(self) -> None:
        """Wait for the disk; what it does not take is no part of the segment."""
        try:
            os.fsync(self._fd)
        except OSError:
            os.ftruncate(self._fd, self._size)
            raise
        if not self._named:
            sync(self._directory)
            self._named = True

    def _annotate(self, number: int, payload: bytes) -> None:
        if self._fd < 0 or self._number != number:
            return
        framed = frame(payload, 0)
        try:
            write_whole(self._fd, framed, self._size)
        except OSError:
            return  # Only a remark: the next append tells of a disk that fails.
        self._size += len(framed)
        self.written_bytes += len(framed)

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
                # Locked, or even deleted by now: somebody collected it as abandoned.
                if not try_lock(fd) or not os.fstat(fd).st_nlink:
                    raise BlockingIOError
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
        self._named = False
        self._name, self._number = name, name.number
        self._hour_ends = (when // _HOUR_SECONDS + 1) * _HOUR_SECONDS
        self._began = self._monotonic()
        self._look_at = self._began + LOOK_SECONDS

    def _seal(self) -> None:
        fd, self._fd = self._fd, -1
        self._look_at = -math.inf
        if fd < 0 or self._name is None:
            return
        if self._keep is None:
            forget(fd)
        else:
            self._keep(Segment(os.path.join(self._directory, str(self._name)), self._name, fd))


_writers: Final[weakref.WeakSet[SegmentWriter]] = weakref.WeakSet()


def _after_fork() -> None:
    for each in list(_writers):
        each._forget()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
