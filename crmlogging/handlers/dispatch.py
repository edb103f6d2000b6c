"""One entrance before all lanes: numbering, accounting, overflow, and waiting for delivery."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable
from threading import get_ident
from typing import Any, Final, cast

from crmlogging.context import current
from crmlogging.handlers.bounded_queue import BoundedQueue, Entry, Waiting, is_audit, level_of
from crmlogging.handlers.heartbeat import Heartbeat
from crmlogging.handlers.journaling import Journaling
from crmlogging.handlers.lanes import Lane
from crmlogging.handlers.ledger import Ledger
from crmlogging.handlers.overflow import DropReport, Limits, WaitBudget, runs_event_loop
from crmlogging.handlers.queued_record import byte_size, moment_size
from crmlogging.handlers.targets import Target
from crmlogging.handlers.threads import delivering, depth, pause
from crmlogging.records import MOMENTS, order_of
from crmlogging.storage.journal import Slip

__all__ = ["Dispatch"]

# What is logged in a delivery is delivered, what is logged in that is not: it would never end.
_DEEPEST: Final = 1
_SHARE: Final = 64  # What a caller does of the workers' work, rather than all.
_POLL_SECONDS: Final = 0.002
_END_SECONDS: Final = 0.2


class Dispatch:
    """Takes records for a set of targets.

    Args:
        targets: each gets a lane of its own.
        limits: bounds of each lane, and the time to wait at them.
        owner: kept alive by the workers while records wait.
        ledger: counts what becomes of them.
        journal: where they are on disk as long as they wait, or None.

    Attributes:
        flooded: records were dropped for want of room, and there may be none yet.
        roomy: every queue is less than half full: there is room for all that may arrive.
    """

    def __init__(
        self,
        targets: Iterable[Target],
        limits: Limits,
        owner: object,
        ledger: Ledger,
        journal: Journaling | None,
    ) -> None:
        self.ledger = ledger
        self._journal, self._limits, self._owner = journal, limits, owner
        self._budget, self._report = WaitBudget(limits.block_seconds), DropReport()
        self._heartbeat = Heartbeat(limits.heartbeat_seconds)
        self._number = 0
        self.flooded = self.roomy = False
        self._most_arrived, self._largest = limits.arrivals()
        self.lanes = tuple(
            Lane(
                target,
                BoundedQueue(limits.capacity, limits.capacity_bytes),
                self.ledger,
                owner,
                self.gather,
                (lambda: None) if journal is None else journal.advance,
            )
            for target in targets
        )

    def accept(
        self,
        record: Waiting,
        *,
        notice: bool = False,
        slip: Slip | None = None,
    ) -> None:
        """Put `record` before every target; wait, evict or drop where there is no room.

        Args:
            record: safe and no moment, if there is a journal.
            notice: it is a line of our own, outside the counts and the journal.
            slip: of a record that comes from the journal.
        """
        if self.flooded and slip is None and not notice and self.turn_away(record):
            return
        if type(record) in MOMENTS:
            item: Any = record
            size = moment_size(item)
        else:
            item = Entry(record, size := byte_size(record), depth(), notice)
        if self.roomy and not notice and get_ident() not in delivering and size <= self._largest:
            arrived = self.ledger.arrived
            if (waiting := len(arrived)) >= self._most_arrived:
                with self.ledger.lock:
                    self.gather(_SHARE)
            if self.roomy:
                try:
                    arrived.append(item)
                finally:  # a signal handler may raise as soon as it is there
                    for lane in self.lanes:
                        if waiting >= lane.wakes_at:
                            lane.wake()
                return
        self._accept_locked(Entry(item, size, depth()) if item is record else item, slip)

    def _accept_locked(self, entry: Entry, slip: Slip | None) -> None:
        notice, journal, lanes, ledger = entry.notice, self._journal, self.lanes, self.ledger
        if slip is None and journal is not None and not notice:
            slip = Slip()
        entry.slip, entry.waiting = slip, len(lanes)
        full: list[Lane] = []
        with ledger.lock:
            self.gather()
            self._number = entry.number = self._number + 1
            if not notice:
                ledger.pending += 1
            for lane in lanes:
                if entry.depth > _DEEPEST:
                    ledger.settle(entry, "reentrant")
                elif not lane.queue.offer(entry):
                    full.append(lane)
        if full:
            self._squeeze_in(entry, full)
        try:
            if journal is not None and slip is not None and not slip.settled:
                journal.keep(cast("logging.LogRecord", entry.record), slip)
        finally:
            for lane in lanes:
                lane.wake()

    def gather(self, most: int = sys.maxsize) -> None:
        """Put `most` of what arrived into the queues, in order. Hold the lock."""
        ledger, lanes, arrived = self.ledger, self.lanes, self.ledger.arrived
        while arrived and (most := most - 1) >= 0:
            item = arrived[0]
            entry = item if isinstance(item, Entry) else Entry(item, moment_size(item))
            if not arrived or arrived[0] is not item:  # a signal handler has logged meanwhile
                continue
            # No call from here to `put`: no signal handler sees the record twice, or not at all.
            del arrived[0]
            ledger.pending += 1
            self._number = number = self._number + 1
            entry.number, entry.waiting = number, len(lanes)
            try:
                for lane in lanes:
                    lane.queue.put(entry)
            except BaseException:  # a signal handler raised it; the record is another call's
                for lane in (each for each in lanes if not each.queue.holds(entry)):
                    lane.queue.put(entry)
                raise
        self.roomy = self._most_arrived > 0 and self.has_room()

    def turn_away_early(self, record: logging.LogRecord, filters: Iterable[Any]) -> bool:
        """Do the same before `filters`, which cost more, if those let every record through."""
        passes = order_of(filters).passes_all and "audit" not in current().fields
        return passes and self.turn_away(record)

    def turn_away(self, record: Waiting) -> bool:
        """Drop `record` if that is all that can become of it; returns whether it did.

        In a flood that must cost little. Ask only while `flooded`.
        """
        lanes, ledger = self.lanes, self.ledger
        try:
            level, audit = level_of(record), is_audit(record)
        except Exception:  # noqa: BLE001  # a record of a strange make: the usual way knows what to do
            return False
        with ledger.lock:
            self.flooded = all(lane.queue.refuses(level) for lane in lanes)
            if not self.flooded or audit or depth():
                return False
            ledger.dropped["overflow", level] += 1
        for lane in lanes:
            lane.wake()
        return True

    def _squeeze_in(self, entry: Entry, full: list[Lane]) -> None:
        for lane in full:
            lane.wake()
        too_large = entry.bytes > self._limits.capacity_bytes
        if self._limits.overflow == "block" and not too_large:
            full = self._wait_for_room(entry, full)
        for lane in full:
            with self.ledger.lock:
                for victim in lane.queue.evict_for(entry):
                    self.ledger.settle(victim, "overflow")
                if not lane.queue.offer(entry):
                    self.ledger.settle(entry, "too_large" if too_large else "overflow")
                    self.flooded = self._limits.overflow == "drop"

    def _wait_for_room(self, entry: Entry, full: list[Lane]) -> list[Lane]:
        """Put `entry` as room appears; returns the lanes where none did in time."""
        if depth() or runs_event_loop():
            return full
        while full and self._budget.is_left():
            before = time.monotonic()
            pause(_POLL_SECONDS)
            self._budget.spend(time.monotonic() - before)
            with self.ledger.lock:
                full = [lane for lane in full if not lane.queue.offer(entry)]
            for lane in full:
                lane.wake()
        return full

    def has_room(self) -> bool:
        """Whether no lane is more than half full: records that can wait may come now."""
        return all(not lane.queue.is_half_full() for lane in self.lanes)

    def tell(self) -> None:
        """Put lines of our own before the targets, each once an interval: drops, the heartbeat."""
        self.tell_drops()
        if (heartbeat := self._heartbeat.due(self._owner, self.ledger.stats)) is not None:
            self.accept(heartbeat, notice=True)

    def tell_drops(self, *, now: bool = False) -> None:
        """Put a record about drops before the targets, once an interval."""
        if self.ledger.dropped:
            with self.ledger.lock:
                record = self._report.due(self._owner, self.ledger.dropped, now=now)
            if record is not None:
                self.accept(record, notice=True)

    def wait(self, timeout: float) -> bool:
        """Wait until all that was accepted before the call is delivered or dropped.

        Returns at once in a thread that is itself delivering.
        """
        end = time.monotonic() + timeout
        with self.ledger.lock:
            self.gather()
            mark = self._number
        waiting = [lane for lane in self.lanes if lane.oldest() <= mark]
        for lane in waiting:
            lane.hasten()
        while not depth():
            waiting = [lane for lane in waiting if lane.oldest() <= mark]
            if not waiting or time.monotonic() >= end:
                break
            for lane in waiting:
                lane.revive()
            pause(_POLL_SECONDS)
        return not waiting

    def drain(self, timeout: float) -> bool:
        """Wait until nothing waits, not even what was accepted meanwhile."""
        end = time.monotonic() + timeout
        while self.flush(max(0.0, end - time.monotonic())):
            if all(lane.oldest() == sys.maxsize for lane in self.lanes):
                return True
        return False

    def flush(self, timeout: float) -> bool:
        """Deliver what waits, then flush the targets that are not busy."""
        end = time.monotonic() + timeout
        done = self.wait(timeout)
        for lane in self.lanes:
            if not lane.busy:
                lane.target.flush()
        return done and time.monotonic() <= end

    def close(self, timeout: float) -> None:
        """Deliver what waits and end the workers; later records start them again."""
        end = time.monotonic() + timeout
        self.flush(timeout)
        for lane in self.lanes:
            lane.target.keep_open()
            lane.stop(max(0.0, end - time.monotonic()))
        self._abandon_hung()

    def _abandon_hung(self) -> None:
        for lane in (each for each in self.lanes if each.busy):
            lane.target.abandon()

    def revive(self) -> None:
        """Start workers that died."""
        for lane in self.lanes:
            lane.revive()

    def for_child(self, owner: object, ledger: Ledger) -> Dispatch:
        """Return the same with empty lanes, in a forked child."""
        for lane in (each for each in self.lanes if each.busy):
            lane.target.renew()
        lanes = self.lanes
        return Dispatch([each.target for each in lanes], self._limits, owner, ledger, self._journal)

    def finish(self, timeout: float) -> int:
        """Deliver, callers from now on; return how many were given up after `timeout` seconds."""
        end = time.monotonic() + timeout
        if not self.flush(timeout):
            self._abandon_hung()
        given_up = sum(lane.finish(max(0.0, end - time.monotonic())) for lane in self.lanes)
        for lane in self.lanes:
            lane.stop(_END_SECONDS)
        return given_up
