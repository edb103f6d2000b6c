"""What became of every record: the counts behind ``handler.stats()``."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Iterable, Mapping

from crmlogging.handlers.bounded_queue import Entry, level_of
from crmlogging.records import Moment, Written

__all__ = ["Ledger", "balanced"]


class Ledger:
    """What became of the records: produced = delivered + dropped + pending, at any moment.

    A record is delivered when every target has had it, and dropped when one did not get it.

    Attributes:
        lock: guards the ledger and the queues of all lanes. Reentrant: a signal handler or a
            ``__del__`` may log while its own thread holds it.
        arrived: entries, and moments that will be such, accepted and in no queue yet. Callers
            append without the lock, so that none waits for a thread that was interrupted while
            holding it; only who holds it takes out. A moment is one object to Python's garbage
            collector, an entry several: the fewer wait, the rarer its pauses.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.arrived: deque[Entry | Moment | Written] = deque()
        self.delivered = self.pending = 0
        self.dropped: Counter[tuple[str, int]] = Counter()

    def settle(self, entry: Entry, missed: str | None = None) -> None:
        """One target is through with `entry`, or misses it for a reason. Hold the lock."""
        entry.waiting -= 1
        if entry.waiting == 0 and entry.slip is not None:
            entry.slip.settled = True
        if entry.missed or entry.notice:
            return
        if missed is not None:
            entry.missed = True
            self.pending -= 1
            self.dropped[missed, entry.level] += 1
        elif entry.waiting == 0:
            self.pending -= 1
            self.delivered += 1

    def settle_batch(self, entries: Iterable[Entry]) -> None:
        """One target has had all of `entries`. Hold the lock."""
        done = 0
        for entry in entries:
            entry.waiting = left = entry.waiting - 1
            if not left:
                if entry.slip is not None:
                    entry.slip.settled = True
                if not entry.missed and not entry.notice:
                    done += 1
        self.pending -= done
        self.delivered += done

    def drop(self, record: logging.LogRecord, reason: str) -> None:
        """Count a record that never came as far as a target."""
        with self.lock:
            self.dropped[reason, level_of(record)] += 1

    def deliver(self, record: logging.LogRecord) -> None:
        """Count a record that went straight to where it belongs."""
        with self.lock:
            self.delivered += 1

    def stats(self) -> dict[str, int]:
        """Return the counts: totals, and ``dropped.REASON.LEVEL`` for each kind of drop."""
        with self.lock:
            dropped = {
                f"dropped.{reason}.{logging.getLevelName(level)}": number
                for (reason, level), number in sorted(self.dropped.items())
            }
            return balanced(self.delivered, self.pending + len(self.arrived), dropped)


def balanced(delivered: int, pending: int, counts: Mapping[str, int]) -> dict[str, int]:
    """Return `counts` with the totals: produced = delivered + pending + dropped.

    Args:
        counts: the drops by reason, as ``dropped.REASON``, among others.
    """
    dropped = sum(number for name, number in counts.items() if name.startswith("dropped."))
    return {
        "produced": delivered + pending + dropped,
        "delivered": delivered,
        "pending": pending,
        "dropped": dropped,
        **counts,
    }
