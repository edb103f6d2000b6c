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

import logging
import math
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

from crmlogging.diagnostics import tally
from crmlogging.exceptions import Problems
from crmlogging.filters import grouping_ends
from crmlogging.filters.carriers import carriers_of, tell
from crmlogging.filters.grouping_judging import Judging
from crmlogging.filters.grouping_key import (
    Key,
    LastVerdict,
    created_of,
    identity_of,
    is_power_of_ten,
    key_of,
)
from crmlogging.filters.grouping_state import Journal
from crmlogging.filters.grouping_summary import ID_CHARACTERS, IDS_PER_SUMMARY, Group, summary_of
from crmlogging.records import SafeRecord

__all__ = ["GroupingFilter"]

GROUPS_KEPT: Final = 10_000
"""Most groups remembered; the oldest is summarised early to make room."""
IDS_KEPT: Final = 100_000
"""Most resource ids remembered, over all groups."""
SUMMARIES_KEPT: Final = 10_000
"""Most summaries that wait for a handler to ask."""


class GroupingFilter(Judging):
    """Let the first `first` records of an identical error pass a window, summarise the rest.

    Identical means: equal ``error.fingerprint`` (without one: the same logging call and exception
    class), ``crm``, ``tenant.code`` and level. Attach it to handlers, after `ErrorFilter` and
    `AllowlistFilter`. One filter may stand on several handlers: each record is judged once, and
    every one of them gets the summaries.

    Our handlers ask `due`; on any other handler it speaks at the next record and at exit.

    Args:
        first: records of a group that pass in each window; at least 1.
        window_seconds: length of a window, from the group's first record.
        state: file by which windows outlive the process (`crmlogging.filters.grouping_state`).
            After ``kill -9`` the next process counts on: not one record is uncounted.

    Raises:
        ConfigurationError: an option is unknown or cannot work.
    """

    def __init__(
        self,
        *,
        first: int = 5,
        window_seconds: float = 60,
        state: str | os.PathLike[str] | None = None,
        **unknown: object,
    ) -> None:
        super().__init__()
        problems = Problems("GroupingFilter")
        problems.unknown(unknown, known=("first", "window_seconds", "state"))
        if type(first) is not int or first < 1:
            problems.add("first", f"{first!r} is not a whole number of at least 1")
        if type(window_seconds) not in (int, float) or not 0 < window_seconds < math.inf:
            problems.add("window_seconds", f"{window_seconds!r} is not a number of seconds above 0")
        problems.paths(state=state)
        problems.raise_if_any()
        self.first = first
        self.window_seconds = window_seconds
        self._state = None if state is None else os.path.abspath(state)
        self._reset()
        grouping_ends.register(self, end=GroupingFilter._end, renew=GroupingFilter._reset)

    def _reset(self) -> None:
        # Re-entrant, since a signal handler or a destructor may log in the middle of `filter`.
        self._lock = threading.RLock()
        self._groups: OrderedDict[Key, Group] = OrderedDict()
        self._ready: deque[SafeRecord] = deque(maxlen=SUMMARIES_KEPT)
        self._ids_left = IDS_KEPT
        self._last = LastVerdict()
        self._ended = False
        self._looked = -math.inf
        self._shared = False
        self._alone_until = -math.inf
        self._journal = Journal(self._state)

    def filter(self, record: logging.LogRecord) -> bool:
        """Pass `record`, or hold it back and count it."""
        now = created_of(record)
        identity = identity_of(record) if self._is_shared(now) else None
        if identity is not None and self._last.identity == identity:
            return self._last.passes  # another handler asks about the same record
        key = None if self._ended else key_of(record)
        passes = True
        with self._lock:
            self._catch_up(now)
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
        if not self._groups and not self._ready and self._state is None:
            return []
        with self._lock:
            if self._state is not None:
                self._catch_up(now)
                self._arrived()  # who asks again has the last ones
            self._close_windows(now)
            if not self._ready:
                return []
            summaries = self._take()
        if len(carriers := carriers_of(self)) > 1:
            # Whoever asks, the others must hear it too.
            tell(carriers, summaries)
            with self._lock:
                self._arrived()
            return []
        return summaries

    def _is_shared(self, now: float) -> bool:
        """Tell whether several handlers carry this filter; looked up once a second."""
        if abs(now - self._looked) >= 1.0:
            self._looked = now
            self._shared = len(carriers_of(self)) > 1
            self._alone_until = -math.inf if self._shared else now + 1.0
        return self._shared

    def _judge(self, key: Key, record: logging.LogRecord, now: float) -> bool:
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= GROUPS_KEPT:
                _, oldest = self._groups.popitem(last=False)
                self._summarise(oldest, now, ended=True)
            group = self._groups[key] = Group(started=now)
            self._journal.began(group, key)
        group.produced += 1
        if group.produced <= self.first:
            self._journal.passed(group)
            return True
        kept = group.hold(record, now, ids_left=self._ids_left)
        self._ids_left -= kept
        self._journal.held(group, now, record.__dict__["resource.id"] if kept else None)
        if group.produced >= 10 and is_power_of_ten(group.produced):
            self._summarise(group, now)
        elif not self._ended:
            group.calm = 10 ** len(str(group.produced)) - 1
            group.ends = group.started + self.window_seconds
        return False

    def _hold(self, key: Key, now: object, resource: object, shown: Callable[..., object]) -> bool:
        # In place, what `is_overridden` says: a storm asks nothing as often.
        if type(self).filter is not _FILTER or "filter" in self.__dict__:
            return False
        if type(now) is not float or (now >= self._alone_until and self._is_shared(now)):
            return False
        with self._lock:
            group = self._groups.get(key)
            if group is None or group.produced >= group.calm or self._ready:
                return False
            if not group.last <= now < group.ends:
                return False
            kept, ids = None, group.ids
            if resource is not None and self._ids_left > 0 and len(ids) < IDS_PER_SUMMARY:
                if not self._state and type(resource) is str and len(resource) <= ID_CHARACTERS:
                    if resource not in ids:
                        ids[resource] = shown
                        self._ids_left -= 1
                elif group.keep(identity := shown(resource)):
                    self._ids_left -= 1
                    kept = identity
            group.produced += 1
            group.suppressed += 1
            group.last = now
            if self._state is not None:
                self._journal.held(group, now, kept)
        return True

    def _close_windows(self, now: float) -> None:
        if now == math.inf and self._state is not None:  # the next process goes on with them
            for group in self._groups.values():
                self._summarise(group, now)
            return
        while self._groups:
            group = next(iter(self._groups.values()))
            if abs(now - group.started) < self.window_seconds:  # abs: the clock may be set back
                return
            _, group = self._groups.popitem(last=False)
            self._summarise(group, now, ended=True)

    def _catch_up(self, now: float) -> None:
        """Take over what an earlier process left."""
        if self._journal.pending:
            left = self._journal.open(now)
            self._groups.update(left.groups)
            self._ids_left -= sum(len(group.ids) for group in left.groups.values())
            self._ready.extend(left.summaries)

    def _arrived(self) -> None:
        self._journal.arrived(self._groups, self._ready)

    def _summarise(self, group: Group, now: float, *, ended: bool = False) -> None:
        self._ids_left += len(group.ids)
        summary = summary_of(group, now)
        self._journal.summarised(group, summary, ended=ended)
        if summary is not None:
            if len(self._ready) == SUMMARIES_KEPT:
                tally.add("grouping.summaries_lost")
            self._ready.append(summary)

    def _take(self) -> list[logging.LogRecord]:
        summaries: list[logging.LogRecord] = list(self._ready)
        self._ready.clear()
        self._journal.taken(len(summaries))
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
            with self._lock:
                self._arrived()

    def _end(self) -> None:
        """Say the rest at exit; what is logged after that passes."""
        self._ended = True
        with self._lock:
            self._close_windows(math.inf)
            speaks = bool(self._ready)
        if speaks:
            self._speak(carriers_of(self))
        with self._lock:
            self._arrived()
            self._journal.close()


_FILTER: Final = GroupingFilter.filter
GroupingFilter._usual = (_FILTER,)
