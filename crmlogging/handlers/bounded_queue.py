"""A queue with bounds: by number and by bytes, the least important record leaving first.

Pure mechanism without lock, thread or clock; `crmlogging.handlers.lanes` holds the lock.
"""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from crmlogging.records import MOMENTS, DeferredRecord, Moment, Written

if TYPE_CHECKING:
    from crmlogging.storage.journal import Slip

__all__ = ["BoundedQueue", "Entry", "Waiting", "is_audit", "level_of"]

_NEVER_DROPPED: Final = sys.maxsize
_DEFERRED: Final = MOMENTS | {DeferredRecord}
_HIGHEST_RANK: Final = logging.CRITICAL + 10
Waiting = logging.LogRecord | Moment | Written
"""What waits for a target: a record, or what stands for one."""


class Entry:
    """One record on its way to all targets.

    Attributes:
        record: what the targets get, or what that can be made of.
        level: its ``levelno``, within the range of levels.
        rank: what it is worth when room is short; audit records and our own notices are worth
            more than any level.
        bytes: memory it takes, about.
        depth: 0 for the application's records, 1 for what was logged while delivering those.
        number: order of acceptance, from 1.
        waiting: targets that have not had it yet.
        missed: it was dropped before one of its targets, or a target failed on it.
        notice: one of our own lines, outside the counts.
        slip: what the journal knows of it, if there is one.
    """

    __slots__ = (
        *("bytes", "depth", "level", "missed", "notice", "number", "rank", "record", "slip"),
        "waiting",
    )

    def __init__(self, record: Waiting, size: int, depth: int = 0, notice: bool = False) -> None:
        self.record = record
        self.bytes = size
        level = record.levelno
        # Most levels are in order, and asking here costs half a call.
        if type(level) is not int or not 0 <= level <= _HIGHEST_RANK:
            level = level_of(record)
        self.level = self.rank = level
        if notice or (type(record) not in _DEFERRED and is_audit(record)):
            self.rank = _NEVER_DROPPED
        self.depth = depth
        self.notice = notice
        self.number = self.waiting = 0
        self.missed = False
        self.slip: Slip | None = None


def level_of(record: Waiting) -> int:
    """Return the record's level; one made up at run time must not open a count of its own."""
    level = record.levelno
    if type(level) is not int:
        return logging.NOTSET
    return level if 0 <= level <= _HIGHEST_RANK else 0 if level < 0 else _HIGHEST_RANK


def is_audit(record: Waiting) -> bool:
    """Whether `record` must not be dropped for want of room."""
    # An audit record is never deferred; to look at one that is would write it out.
    return type(record) not in _DEFERRED and record.__dict__.get("audit") is True


class BoundedQueue:
    """What waits for one target, oldest first.

    ERROR and above may use a tenth more than the bounds: a reserve that no flood of lesser
    records can take.

    Attributes:
        count: records that were put and are not `done`, in hand or waiting.
        bytes: memory of those.
    """

    def __init__(self, capacity: int, capacity_bytes: int) -> None:
        self.capacity = capacity
        self.capacity_bytes = capacity_bytes
        self._reserve = max(1, capacity // 10)
        self._reserve_bytes = capacity_bytes // 10
        self._by_rank: dict[int, deque[Entry]] = {}
        self._deep = 0  # How many wait that are not of depth 0.
        self.count = self.bytes = 0

    def has_room(self, entry: Entry) -> bool:
        """Whether `entry` may be put without exceeding a bound."""
        if entry.rank < logging.ERROR:
            return self.count < self.capacity and self.bytes + entry.bytes <= self.capacity_bytes
        if entry.rank == _NEVER_DROPPED:
            return True
        return (
            self.count < self.capacity + self._reserve
            and self.bytes + entry.bytes <= self.capacity_bytes + self._reserve_bytes
        )

    def is_half_full(self) -> bool:
        """Whether one of the bounds is half used."""
        return self.count * 2 > self.capacity or self.bytes * 2 > self.capacity_bytes

    def refuses(self, rank: int) -> bool:
        """Whether it is full, and holds nothing worth less than `rank`."""
        if self.count < self.capacity or rank >= logging.ERROR:
            return False
        return all(known >= rank for known, queue in list(self._by_rank.items()) if queue)

    def offer(self, entry: Entry) -> bool:
        """Append `entry` if there is room."""
        # Most queues are not full: no need to ask what the entry is worth.
        if (
            self.count >= self.capacity or self.bytes + entry.bytes > self.capacity_bytes
        ) and not self.has_room(entry):
            return False
        self.put(entry)
        return True

    def put(self, entry: Entry) -> None:
        """Append `entry`, for which there is room."""
        try:
            waiting = self._by_rank[entry.rank]
        except KeyError:
            waiting = self._by_rank.setdefault(entry.rank, deque())
        self.count += 1
        self.bytes += entry.bytes
        if entry.depth:
            self._deep += 1
        waiting.append(entry)

    def holds(self, entry: Entry) -> bool:
        """Whether `entry` waits here."""
        return entry in self._by_rank.get(entry.rank, ())

    def evict_for(self, entry: Entry) -> list[Entry]:
        """Take out less important records, least important and oldest first, to make room.

        Nothing is taken for an entry that is larger than the whole queue.
        """
        evicted: list[Entry] = []
        while not self.has_room(entry) and entry.bytes <= self.capacity_bytes:
            lowest = min(
                (rank for rank, queue in list(self._by_rank.items()) if queue), default=None
            )
            if lowest is None or lowest >= entry.rank:
                break
            victim = self._by_rank[lowest].popleft()
            self._deep -= victim.depth > 0
            self.done([victim])
            evicted.append(victim)
        return evicted

    def take(self, limit: int) -> list[Entry]:
        """Take out up to `limit` records in order of acceptance; they count until `done`.

        All are of one depth, so that what is logged while they are delivered has one too.
        """
        taken: list[Entry] = []
        depth = None
        while (left := limit - len(taken)) > 0:
            queues = [queue for queue in list(self._by_rank.values()) if queue]
            if not queues:
                break
            queues.sort(key=_head)
            first = queues[0]
            if len(queues) == 1 and not self._deep and not depth:
                return [*taken, *[first.popleft() for _ in range(min(left, len(first)))]]
            # A run of one rank goes out without looking at the others again.
            end = _head(queues[1]) if len(queues) > 1 else sys.maxsize
            while left and first and (head := first[0]).number < end:
                if head.depth != depth:
                    if taken:
                        return taken
                    depth = head.depth
                taken.append(entry := first.popleft())
                left -= 1
                if entry.depth:
                    self._deep -= 1
        return taken

    def done(self, entries: Collection[Entry]) -> None:
        """Give back the room of entries that were taken."""
        self.bytes -= sum([entry.bytes for entry in entries])
        self.count -= len(entries)

    def oldest(self) -> int:
        """Return the number of the oldest waiting entry, or `sys.maxsize`."""
        queues = list(self._by_rank.values())
        return min((_head(queue) for queue in queues if queue), default=sys.maxsize)

    def waiting(self) -> int:
        """Return how many wait and are in nobody's hand."""
        return sum(map(len, self._by_rank.values()))


def _head(queue: deque[Entry]) -> int:
    return queue[0].number
