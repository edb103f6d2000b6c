"""Writing segments: one append a call, in the kernel before it returns, sealed when due."""

from __future__ import annotations

import math
import os
import time
import weakref
from binascii import b2a_base64
from collections.abc import Callable
from typing import Final
from zlib import crc32

from crmlogging.storage import locking
from crmlogging.storage.appending import LOOK_SECONDS, write_whole
from crmlogging.storage.framing import FRAMING, MAGIC, REMARK, frame, pack
from crmlogging.storage.locking import forget
from crmlogging.storage.opening import sync
from crmlogging.storage.segment_beginning import begin_segment
from crmlogging.storage.segments import Segment, SegmentName
from crmlogging.storage.tails import is_refusal, write_rest
from crmlogging.storage.turns import Turns, make_up, put_off

__all__ = ["SegmentWriter"]

_HOUR_SECONDS: Final = 3_600
_LATEST: Final = 253_402_300_799.0  # the last second that a date can name
_Written = Callable[[int], None] | None


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
        self._turns = Turns(quick=True)
        self._failing = False
        self._forget()
        _writers.add(self)

    def _forget(self) -> None:
        self.written = self.written_bytes = 0
        self.records_of: dict[int, int] = {}
        self._fd = self._number = -1
        self._named = False  # whether its name is on the disk as well
        self._name: SegmentName | None = None
        self._size = self._records = self._crc = 0
        self._hour_ends = self._began = 0.0
        self._look_at = -math.inf

    def __del__(self) -> None:
        if self._fd >= 0:
            forget(self._fd)

    def append(
        self,
        payload: bytes,
        records: int = 1,
        when: float | None = None,
        durably: bool = False,
        written: _Written = None,
    ) -> None:
        """Write whole lines; raises no OSError of its own, see `failed`.

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
        turns, generation = self._turns, locking.generation
        lock = turns.lock
        try:  # As in `Appender.append`.
            free = lock.acquire(False)
        except BaseException:
            if turns.is_mine():
                lock.release()
            raise
        if free and not turns.busy and not durably:
            turns.busy = True
            try:
                if self._quickly(payload, records, when, written, generation):
                    return
            finally:
                turns.busy = False
                lock.release()
                if put_off:
                    make_up()
        elif free:
            lock.release()
        turns.take(self._append, payload, records, when, durably, written, generation)

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

    def _quickly(
        self, payload: bytes, records: int, when: float | None, written: _Written, generation: int
    ) -> bool:
        """Write `payload` if nothing whatever is in the way; tell whether all is done."""
        size, count, before = self._size, self._records + records, self._crc
        after = crc32(payload, before)
        framed = b2a_base64(pack(len(payload), before, after)) + payload  # As `frame` does.
        length = len(framed)
        if (
            size + length > self._max_bytes
            or count > self._max_records
            or (self._clock() if when is None else when) >= self._hour_ends
            or self._monotonic() >= self._look_at
        ):
            return False
        try:
            # In a child born since the call began there is no descriptor: the parent writes it.
            taken = os.write(self._fd, framed)
            if taken != length:
                write_rest(self._fd, framed, size, taken, generation)
            if generation == locking.generation:
                self._size, self._crc = size + length, after
                self._records = self.records_of[self._number] = count
                self.written += records
                self.written_bytes += length
        except BaseException as error:
            if is_refusal(error):
                return False
            self._seal()  # Nobody knows where the file ends.
            raise
        if written is not None and generation == locking.generation:
            written(self._number)
        return True

    def _append(
        self,
        payload: bytes,
        records: int,
        when: float | None,
        durably: bool,
        written: _Written,
        generation: int,
    ) -> None:
        try:
            if when is None:
                when = self._clock()
            length = FRAMING.header_bytes + len(payload)
            if generation == locking.generation:
                self._look(length, records, when)
            after = crc32(payload, self._crc)
            framed = frame(payload, self._crc, after)
            write_whole(self._fd, framed, self._size, generation)
            if durably:
                self._to_disk()
            if generation != locking.generation:
                return  # In a child born in here: the parent writes it.
            self._size, self._crc = self._size + length, after
        except BaseException as error:
            if not is_refusal(error):
                self._seal()
                raise
            if generation == locking.generation:
                self._failing = True
                self._look_at = -math.inf  # No way is quick until one went well.
                if self._failed is not None:
                    self._failed(error, records)
            return
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
        framed = frame(payload, 0, crc32(payload), REMARK)
        try:
            write_whole(self._fd, framed, self._size)
        except OSError:
            return  # Only a remark: the next append tells of a disk that fails.
        self._size += len(framed)
        self.written_bytes += len(framed)

    def _begin(self, when: float) -> None:
        generation = locking.generation
        name, fd = begin_segment(self._directory, self._label, when)
        size, now = len(MAGIC), self._monotonic()
        if generation != locking.generation:
            return  # In a child born in here: the segment is the parent's.
        self._fd, self._size, self._records, self._crc = fd, size, 0, 0
        self._name, self._number, self._named = name, name.number, False
        self._hour_ends = (when // _HOUR_SECONDS + 1) * _HOUR_SECONDS
        self._began, self._look_at = now, now + LOOK_SECONDS

    def _seal(self) -> None:
        fd, self._fd, self._look_at = self._fd, -1, -math.inf
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
