"""What happens when a queue is full: how long to wait, when not to, and telling about drops."""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from crmlogging.exceptions import Problems
from crmlogging.handlers.heartbeat import check_heartbeat, spoken_name
from crmlogging.records import SafeRecord, notice

__all__ = ["INSTEAD", "OPTIONS", "DropReport", "Limits", "WaitBudget", "runs_event_loop"]

_WINDOW_SECONDS: Final = 60.0
_LEAST_CAPACITY: Final = 256
_MOST_ARRIVED: Final = 2_000
_REPORT_SECONDS: Final = 60.0


class Limits(NamedTuple):
    """How much may wait, and for how long; see `AsyncHandler` for each."""

    capacity: int = 10_000
    capacity_bytes: int = 64_000_000
    overflow: str = "block"
    block_seconds: float = 1.0
    flush_seconds: float = 5.0
    journal: Any = None
    journal_bytes: int = 1_000_000_000
    heartbeat_seconds: float | None = None

    def arrivals(self) -> tuple[int, int]:
        """Return how many records may be left for the workers to count, and the bytes of each.

        Together no more than a quarter of either bound: a queue that is less than half full has
        room for them. Small queues, and those with a journal, are counted by the callers.
        """
        if self.journal is not None or self.capacity < _LEAST_CAPACITY:
            return 0, 0
        most = min(self.capacity // 4, _MOST_ARRIVED)
        return most, self.capacity_bytes // (4 * most)

    def check(self, problems: Problems) -> None:
        """Note every option that cannot work."""
        for name in ("capacity", "capacity_bytes", "journal_bytes"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                problems.add(name, f"must be a whole number from 1 up, not {value!r}")
        for name in ("block_seconds", "flush_seconds"):
            value = getattr(self, name)
            if type(value) not in (int, float) or not 0 <= value < 3_600:
                problems.add(name, f"must be a number of seconds from 0 to 3600, not {value!r}")
        check_heartbeat(self.heartbeat_seconds, problems)
        if self.overflow not in ("block", "drop"):
            problems.add("overflow", f"must be 'block' or 'drop', not {self.overflow!r}")


OPTIONS: Final = (*Limits._fields, "handlers", "levels", "queue", "respect_handler_level")
INSTEAD: Final[Mapping[str, str]] = {
    **dict.fromkeys(("journal_dir", "spool_dir", "directory"), "ours is journal"),
    "listener": "AsyncHandler delivers by itself: name its targets in 'handlers'",
    **dict.fromkeys(("maxsize", "max_size", "queue_size"), "use 'capacity' and 'capacity_bytes'"),
    **dict.fromkeys(("target", "targets", "handler"), "name the targets in 'handlers'"),
}


class WaitBudget:
    """Seconds that all callers together may wait in any one minute.

    Example:
        >>> now = [0.0]
        >>> budget = WaitBudget(1.0, clock=lambda: now[0])
        >>> budget.spend(1.0); budget.is_left()
        False
        >>> now[0] = 60.0; budget.is_left()
        True
    """

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._since = clock()
        self._spent = 0.0

    def is_left(self) -> bool:
        """Whether anybody may wait (any longer) in this minute."""
        now = self._clock()
        if now - self._since >= _WINDOW_SECONDS:
            self._since, self._spent = now, 0.0
        return self._spent < self._seconds

    def spend(self, seconds: float) -> None:
        """Note that a caller waited."""
        self._spent += seconds


def runs_event_loop() -> bool:
    """Whether this thread runs an asyncio event loop, which a wait would stop altogether."""
    events = sys.modules.get("asyncio.events")
    return events is not None and events._get_running_loop() is not None


class DropReport:
    """Tells in the log, once an interval, how many records were dropped and why."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: Counter[tuple[str, int]] = Counter()
        self._last = -_REPORT_SECONDS

    def due(
        self, handler: object, dropped: Mapping[tuple[str, int], int], *, now: bool = False
    ) -> SafeRecord | None:
        """Return a record about the drops that were not told yet, or None when it is too early.

        Args:
            handler: the one that dropped them.
            dropped: counts by reason and level, ever growing.
            now: tell without waiting for the interval to end.
        """
        time_now = self._clock()
        if not now and time_now - self._last < _REPORT_SECONDS:
            return None
        news = Counter(dropped)
        news.subtract(self._told)
        kinds = [(number, *kind) for kind, number in sorted(news.items()) if number]
        if not kinds:
            return None
        self._told, self._last = Counter(dropped), time_now
        total = sum(number for number, _, _ in kinds)
        parts = ", ".join(f"{n} {logging.getLevelName(level)} {why}" for n, why, level in kinds)
        reasons: Counter[str] = Counter()
        for number, why, _ in kinds:
            reasons[f"queue.dropped_{why}"] += number
        fields = {"queue.handler": spoken_name(handler), "queue.dropped": total, **reasons}
        message = f"AsyncHandler dropped {total} records: {parts}"
        return notice("crmlogging", logging.WARNING, message, fields, __file__)
