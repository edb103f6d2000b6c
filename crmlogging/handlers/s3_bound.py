"""How much may wait in a spool, and what a logging call does when that is reached.

    0 ............ 80 % ...... 90 % ...... 100 % ......
      all levels      no DEBUG    ERROR up    audit records alone

So no flood of lesser records takes the last of the spool from those that matter.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import Final

from crmlogging.handlers.durable_handler import AUDIT
from crmlogging.handlers.overflow import WaitBudget, runs_event_loop
from crmlogging.storage.spool import Spool

__all__ = ["SpoolBound"]

_DEBUG_SHARE: Final = 0.8
_INFO_SHARE: Final = 0.9
"""Shares of the spool that records below INFO, and below ERROR, may fill."""
_LOOK_SECONDS: Final = 0.01


class SpoolBound:
    """Decides which lines a spool still takes.

    Args:
        spool: asked for what it holds; the uploader empties it, also another process's.
        max_bytes: size of all that waits.
        max_files: number of files that wait.
        overflow: ``"drop"``, or ``"block"``: a caller waits for room first.
        block_seconds: time that all callers together may wait in one minute.
        monotonic: clock, in seconds.
        sleep: waits some seconds.

    Attributes:
        left: bytes that still fit.
        reserve: as long as there are more, lines of any level are admitted; who sees to that
            itself, at each record, counts them in.
    """

    def __init__(
        self,
        spool: Spool,
        *,
        max_bytes: float,
        max_files: float,
        overflow: str,
        block_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._spool = spool
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._blocks = overflow == "block"
        self._budget = WaitBudget(block_seconds, clock=monotonic)
        self._monotonic = monotonic
        self._sleep = sleep
        self.look()

    def look(self) -> None:
        """Find out what the disk holds; until the next time only own lines are added."""
        files = self._spool.used_files()
        self.left = self._max_bytes - self._spool.used_bytes()

        def kept_from(share: float) -> float:
            """Return how many bytes are not for those who may fill only that share."""
            if files > self._max_files * share:
                return math.inf
            return self._max_bytes * (1 - share)

        self._reserves = tuple(map(kept_from, (_DEBUG_SHARE, _INFO_SHARE, 1.0)))
        self.reserve = self._reserves[0]

    def fits(self, size: int, level: int) -> bool:
        """Tell whether lines of `size` bytes fit, the most important of them of `level`."""
        rank = (level >= logging.INFO) + (level >= logging.ERROR)
        return self.left - size >= self._reserves[rank] or level >= AUDIT

    def admits(self, size: int, level: int) -> bool:
        """Tell the same, and count them in.

        First there is a wait if that is the policy, but never in an event loop's thread.
        """
        while not self.fits(size, level):
            if not self._blocks or not self._budget.is_left() or runs_event_loop():
                return False
            began = self._monotonic()
            self._sleep(_LOOK_SECONDS)
            self.look()
            self._budget.spend(self._monotonic() - began)
        self.left -= size
        return True
