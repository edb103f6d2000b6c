"""How much may wait in a spool, and what a logging call does when that is reached."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from crmlogging.handlers.overflow import WaitBudget, runs_event_loop
from crmlogging.storage.spool import Spool

__all__ = ["SpoolBound"]

_RESERVE: Final = 0.9
"""Share of the spool that records below ERROR may fill."""
_LOOK_SECONDS: Final = 0.01


class SpoolBound:
    """Decides which lines a spool still takes.

    Args:
        spool: asked for what it holds; the uploader empties it, also another process's.
        max_bytes: size of all that waits.
        max_files: number of files that wait.
        overflow: ``"drop"``, or ``"block"``: a caller waits for room first.
        block_seconds: time that all callers together may wait in one minute.
        written: bytes that this process has put there since its start.
        monotonic: clock, in seconds.
        sleep: waits some seconds.
    """

    def __init__(
        self,
        spool: Spool,
        *,
        max_bytes: float,
        max_files: float,
        overflow: str,
        block_seconds: float,
        written: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._spool = spool
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._blocks = overflow == "block"
        self._budget = WaitBudget(block_seconds, clock=monotonic)
        self._written = written
        self._monotonic = monotonic
        self._sleep = sleep
        self._used = self._files = self._written_then = 0

    def look(self) -> None:
        """Find out what the disk holds; until the next time only own writes are added."""
        self._written_then = self._written()
        self._used = self._spool.used_bytes()
        self._files = self._spool.used_files()

    def fits(self, size: int, level: int) -> bool:
        """Tell whether lines of `size` bytes fit; the last tenth is for ERROR and above."""
        share = 1.0 if level >= logging.ERROR else _RESERVE
        # After a fork the child counts from zero.
        since = max(0, self._written() - self._written_then)
        return (
            self._used + since + size <= self._max_bytes * share
            and self._files <= self._max_files * share
        )

    def admits(self, size: int, level: int) -> bool:
        """Tell the same, after a wait if that is the policy; never in an event loop's thread."""
        while not self.fits(size, level):
            if not self._blocks or not self._budget.is_left() or runs_event_loop():
                return False
            began = self._monotonic()
            self._sleep(_LOOK_SECONDS)
            self.look()
            self._budget.spend(self._monotonic() - began)
        return True
