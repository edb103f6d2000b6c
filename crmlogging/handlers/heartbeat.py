"""A line now and then that says a handler is alive, and what became of its records so far."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from crmlogging.exceptions import Problems
from crmlogging.fields import MISFIT, conform, field_named
from crmlogging.records import SafeRecord, notice

__all__ = ["Heartbeat", "check_heartbeat", "spoken_name"]

_COUNTS: Final = ("produced", "delivered", "pending", "dropped")
_LONGEST_SECONDS: Final = 86_400


class Heartbeat:
    """Makes the line when it is due.

    Args:
        seconds: between two lines, counted in whole ticks; None for never.
        clock: in seconds.
    """

    def __init__(
        self, seconds: float | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._last = clock()

    def due(self, handler: object, stats: Callable[[], Mapping[str, int]]) -> SafeRecord | None:
        """Return a line with the counts of `handler`, or None when it is too early.

        Args:
            stats: as the handler's own: produced = delivered + dropped + pending.
        """
        now = self._clock()
        if self._seconds is None or now - self._last < self._seconds:
            return None
        self._last = now
        counts = stats()
        return notice(
            *("crmlogging", logging.INFO, "The handler is alive"),
            {
                "queue.handler": spoken_name(handler),
                **{f"queue.{name}": counts.get(name, 0) for name in _COUNTS},
            },
            __file__,
        )


def spoken_name(handler: object) -> str:
    """Return the handler's name, if it has one that may stand in a line, else its class."""
    name = getattr(handler, "name", None)
    field = field_named("queue.handler")
    if name is None or field is None or conform(field, name) is MISFIT:
        return type(handler).__name__
    return str(name)


def check_heartbeat(seconds: object, problems: Problems) -> None:
    """Note what is wrong with the option."""
    if seconds is None or (type(seconds) in (int, float) and 1 <= seconds <= _LONGEST_SECONDS):  # type: ignore[operator]  # its type is known by now
        return
    problems.add(
        "heartbeat_seconds",
        f"must be a number of seconds from 1 to {_LONGEST_SECONDS}, or None, not {seconds!r}",
    )
