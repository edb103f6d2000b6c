"""50,000 identical failures read as one: the first few pass, the rest is counted and summarised.

Stands where people look, never before an archive. A window of a group begins with its first
record; the first `first` of the window pass, the others are held back. A summary says how many,
when, which resources and where it is fixed: at the window's end, on the 10th, 100th, 1,000th ...
record, at flush, and at exit. Each summary counts what no earlier one counted:
passed + summarised = produced.

What is grouped: records that carry an error (classified, or an exception), and anything at ERROR
or above. Progress, warnings without an error, and audit records always pass.
"""

from __future__ import annotations

import atexit
import logging
import math
import os
import sys
import threading
import time
import weakref
from collections import OrderedDict, deque
from typing import Any, Final

from crmlogging.diagnostics import tally
from crmlogging.exceptions import Problems
from crmlogging.fields import MISFIT, SHAPES
from crmlogging.filters.carriers import carriers_of, tell
from crmlogging.filters.grouping_summary import Group, summary_of
from crmlogging.records import record_id

__all__ = ["GroupingFilter"]

GROUPS_KEPT: Final = 10_000
"""Most groups remembered; the oldest is summarised early to make room."""
IDS_KEPT: Final = 100_000
"""Most resource ids remembered, over all groups."""
SUMMARIES_KEPT: Final = 10_000
"""Most summaries that wait for a handler to ask."""
_SITE_CHARACTERS: Final = 200
_LAST_SECOND: Final = 253_402_300_799.0  # of the year 9999, the last that RFC 3339 can write

_filters: Final[weakref.WeakSet[GroupingFilter]] = weakref.WeakSet()


class GroupingFilter(logging.Filter):
    """Let the first `first` records of an identical error pass a window, summarise the rest.

    Identical means: equal ``error.fingerprint`` (without one: the same logging call and exception
    class), ``crm``, ``tenant.code`` and level. Attach it to handlers, after `ErrorFilter` and
    `AllowlistFilter`. One filter may stand on several handlers: each record is judged once, and
    every one of them gets the summaries.

    Our handlers ask `due`; on any other handler it speaks at the next record and at exit.

    Args:
        first: records of a group that pass in each window; at least 1.
        window_seconds: length of a window, from the group's first record.
        state: reserved for windows that outlive the process; not supported yet.

    Raises:
        ConfigurationError: an option is unknown or cannot work.
    """

    def __init__(
        self,
        *,
        first: int = 5,
        window_seconds: float = 60,
        state: object = None,
        **unknown: object,
    ) -> None:
        super().__init__()
        problems = Problems("GroupingFilter")
        problems.unknown(unknown, known=("first", "window_seconds"))
        if type(first) is not int or first < 1:
            problems.add("first", f"{first!r} is not a whole number of at least 1")
        if type(window_seconds) not in (int, float) or not 0 < window_seconds < math.inf:
            problems.add("window_seconds", f"{window_seconds!r} is not a number of seconds above 0")
        if state is not None:
            problems.add("state", "windows that outlive the process are not supported yet")
        problems.raise_if_any()
        self.first = first
        self.window_seconds = window_seconds
        self._reset()
        _filters.add(self)

    def _reset(self) -> None:
        # Re-entrant, since a signal handler or a destructor may log in the middle of `filter`.
        self._lock = threading.RLock()
        self._groups: OrderedDict[tuple[object, ...], Group] = OrderedDict()
        self._ready: deque[logging.LogRecord] = deque(maxlen=SUMMARIES_KEPT)
        self._ids_left = IDS_KEPT
        self._last = _LastVerdict()
        self._ended = False
        self._looked = -math.inf
        self._shared = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Pass `record`, or hold it back and count it."""
        now = _created(record)
        identity = _identity(record) if self._is_shared(now) else None
        if identity is not None and self._last.identity == identity:
            return self._last.passes  # another handler asks about the same record
        key = None if self._ended else _key(record)
        passes = True
        with self._lock:
            self._close_windows(now)
            if key is not None:
                passes = self._judge(key, record, now)
            speaks = bool(self._ready)
        self._last.identity, self._last.passes = identity, passes
        if speaks:
            self._speak_where_nobody_asks()
        return passes

    def due(self, now: float) -> list[logging.LogRecord]:
        """Return the summaries that are ready at `now`, in seconds since the epoch.

        Args:
            now: `math.inf` ends all windows and returns everything there is to say.
        """
        with self._lock:
            self._close_windows(now)
            summaries = self._take()
        if summaries and len(carriers := carriers_of(self)) > 1:
            # Whoever asks, the others must hear it too.
            tell(carriers, summaries)
            return []
        return summaries

    def _is_shared(self, now: float) -> bool:
        """Tell whether several handlers carry this filter; looked up once a second."""
        if abs(now - self._looked) >= 1.0:
            self._looked = now
            self._shared = len(carriers_of(self)) > 1
        return self._shared

    def _judge(self, key: tuple[object, ...], record: logging.LogRecord, now: float) -> bool:
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= GROUPS_KEPT:
                _, oldest = self._groups.popitem(last=False)
                self._summarise(oldest, now)
            group = self._groups[key] = Group(started=now)
        group.produced += 1
        if group.produced <= self.first:
            return True
        self._ids_left -= group.hold(record, now, ids_left=self._ids_left)
        if group.produced >= 10 and _is_power_of_ten(group.produced):
            self._summarise(group, now)
        return False

    def _close_windows(self, now: float) -> None:
        while self._groups:
            group = next(iter(self._groups.values()))
            if abs(now - group.started) < self.window_seconds:  # abs: the clock may be set back
                return
            _, group = self._groups.popitem(last=False)
            self._summarise(group, now)

    def _summarise(self, group: Group, now: float) -> None:
        self._ids_left += len(group.ids)
        summary = summary_of(group, now)
        if summary is not None:
            if len(self._ready) == SUMMARIES_KEPT:
                tally.add("grouping.summaries_lost")
            self._ready.append(summary)

    def _take(self) -> list[logging.LogRecord]:
        summaries = list(self._ready)
        self._ready.clear()
        return summaries

    def _speak_where_nobody_asks(self) -> None:
        carriers = carriers_of(self)
        if not all(hasattr(each, "emit_due") for each in carriers):  # else they ask in a moment
            self._speak(carriers)

    def _speak(self, carriers: list[logging.Handler | logging.Logger]) -> None:
        if carriers:
            with self._lock:
                summaries = self._take()
            tell(carriers, summaries)

    def _end(self) -> None:
        """Say the rest at exit; what is logged after that passes."""
        self._ended = True
        with self._lock:
            self._close_windows(math.inf)
            speaks = bool(self._ready)
        if speaks:
            self._speak(carriers_of(self))


class _LastVerdict(threading.local):
    identity: str | None = None
    passes = True


def _identity(record: logging.LogRecord) -> str:
    """Return the record's id: equal for the copies that several handlers filter."""
    known = record.__dict__.get("record.id")
    return known if type(known) is str else record_id(record)


def _key(record: logging.LogRecord) -> tuple[object, ...] | None:
    """Return what makes `record` identical to others, or None where it is not to be grouped."""
    attributes = record.__dict__
    if attributes.get("audit"):
        return None
    fingerprint = _shaped(attributes, "error.fingerprint", "id")
    kind = _kind(attributes)
    level = attributes.get("levelno")
    if fingerprint is None and kind is None and type(level) is int and level < logging.ERROR:
        return None
    what: tuple[object, ...] = (fingerprint,)
    if fingerprint is None:
        # The template as well: a wrapper function makes one call site of many messages.
        template = attributes.get("msg")
        template = template[:_SITE_CHARACTERS] if type(template) is str else None
        what = (attributes.get("pathname"), attributes.get("lineno"), template, kind)
    return (
        *what,
        _shaped(attributes, "crm", "slug"),
        _shaped(attributes, "tenant.code", "id"),
        level if type(level) is int else logging.ERROR,
    )


def _kind(attributes: dict[str, Any]) -> str | None:
    """Return the class of the record's exception, or None where it has none."""
    kind, exc_info = attributes.get("error.type"), attributes.get("exc_info")
    if type(kind) is str:
        return kind
    raised = exc_info[0] if type(exc_info) is tuple and exc_info else None
    return raised.__qualname__ if isinstance(raised, type) else None


def _shaped(attributes: dict[str, Any], name: str, shape: str) -> object:
    value = attributes.get(name)
    return None if value is None or SHAPES[shape](value) is MISFIT else value


def _created(record: logging.LogRecord) -> float:
    created = record.__dict__.get("created")
    return created if type(created) is float and 0.0 <= created <= _LAST_SECOND else time.time()


def _is_power_of_ten(number: int) -> bool:
    return str(number).strip("0") == "1"


def _at_exit() -> None:
    for each in list(_filters):
        each._end()


def _after_fork() -> None:
    """Forget what the parent held back: the parent says it."""
    for each in list(_filters):
        each._reset()


def _at_exit_of_multiprocessing_child() -> None:
    """Do the same in a multiprocessing child, which runs no atexit functions before 3.14."""
    multiprocessing = sys.modules.get("multiprocessing.process")
    if multiprocessing is not None and multiprocessing.parent_process() is not None:
        _at_exit()


atexit.register(_at_exit)  # later than logging's, hence before handlers close
threading._register_atexit(_at_exit_of_multiprocessing_child)  # type: ignore[attr-defined]  # no public way
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
