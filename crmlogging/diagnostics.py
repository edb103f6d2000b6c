"""What crmlogging says about itself: counters, and an error path that shows no contents.

The standard ``Handler.handleError`` prints the record's message and arguments in clear. Ours
prints the kind of error and its place, at most once a minute for each, and counts the rest.
"""

from __future__ import annotations

import builtins
import errno
import logging
import os
import sys
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final

__all__ = ["Tally", "complain", "describe", "tally"]

INTERVAL_SECONDS: Final = 60.0
_KINDS_KEPT: Final = 256


_tallies: Final[weakref.WeakSet[Tally]] = weakref.WeakSet()


class Tally:
    """Named counters, safe from any thread and from signal handlers.

    Example:
        >>> tally = Tally()
        >>> tally.add("dropped.DEBUG"); tally.add("dropped.DEBUG", 2)
        >>> tally.snapshot()
        {'dropped.DEBUG': 3}
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._counts: Counter[str] = Counter()
        _tallies.add(self)

    def add(self, name: str, amount: int = 1) -> None:
        """Count `amount` more of `name`."""
        with self._lock:
            self._counts[name] += amount

    def __getitem__(self, name: str) -> int:
        return self._counts[name]

    def snapshot(self) -> dict[str, int]:
        """Return all counters that were ever raised."""
        with self._lock:
            return dict(self._counts)


def _after_fork() -> None:
    """Begin anew: another thread may have held a lock, and the counts are those of one process."""
    for each in list(_tallies):
        each._lock = threading.RLock()
        each._counts = Counter()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)

tally: Final = Tally()
"""Counters of this process: ``errors.PLACE.KIND``, ``redaction.failed``, ..."""


def describe(error: BaseException) -> str:
    """Return kind and place of `error`, never its text: ``OSError ENOSPC at appending.py:71``.

    Only a built-in class is named; another one's name could be made up at run time.
    """
    kind = next(c for c in type(error).__mro__ if vars(builtins).get(c.__name__) is c)
    number = error.errno if isinstance(error, OSError) and type(error.errno) is int else 0
    known = errno.errorcode.get(number)  # another number is no error's, but anybody's
    code = f" {known}" if known else ""
    return f"{kind.__name__}{code}{_place(error.__traceback__)}"


def _place(traceback: TracebackType | None) -> str:
    """Return the innermost frame of a module's file as `` at file.py:12``.

    Code made from a text may name any file.
    """
    place = ""
    for _ in range(1_000):
        if traceback is None:
            break
        file = traceback.tb_frame.f_code.co_filename
        if file.endswith(".py") and traceback.tb_frame.f_globals.get("__file__") == file:
            place = f" at {os.path.basename(file)}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place


class _Complaints:
    """Decides which complaint is printed: one of a kind per interval, with the number of others."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[str, tuple[float, int]] = {}

    def due(self, what: str) -> int | None:
        """Return how many went untold since the last one, or None when it is too early."""
        now = self._clock()
        last, untold = self._told.get(what, (-INTERVAL_SECONDS, 0))
        if now - last < INTERVAL_SECONDS:
            self._told[what] = (last, untold + 1)
            return None
        if len(self._told) >= _KINDS_KEPT:
            self._told.clear()
        self._told[what] = (now, 0)
        return untold


_complaints: Final = _Complaints()


def complain(place: str, error: BaseException | str, *, hint: str = "") -> None:
    """Count an error at `place` and tell stderr, at most once a minute for each kind.

    Args:
        place: which part speaks, e.g. ``RetentionFileHandler``; a literal or a class name.
        error: the exception, of which only kind and place are shown; or a sentence of ours.
        hint: a sentence of ours saying what to do.
    """
    with suppress(Exception):
        what = error if isinstance(error, str) else describe(error)
        kind = "" if isinstance(error, str) else what.split(" ", 1)[0]
        tally.add(f"errors.{place}.{kind}" if kind else f"errors.{place}")
        untold = _complaints.due(f"{place}: {what}")
        if untold is None or not logging.raiseExceptions or sys.stderr is None:
            return
        more = f" ({untold} more like it before)" if untold else ""
        sys.stderr.write(f"crmlogging: {place}: {what}{more}{'; ' + hint if hint else ''}\n")
