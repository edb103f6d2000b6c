"""Stages: filters whose outcome depends on the record alone, run once a record."""

from __future__ import annotations

import logging
import sys
import threading
import weakref
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

from crmlogging.records.identity import new_id
from crmlogging.records.safe_record import Moment, SafeRecord, copy_of, deferred

__all__ = ["Order", "Stage", "order_of", "record_id", "refine"]

_CALLS_AROUND: Final = 4
_CLASS: Final[Any] = object.__dict__["__class__"]


class Stage(logging.Filter):
    """A filter whose outcome depends on the record alone, so that handlers may share it.

    Subclasses implement `refine`. A handler of ours calls that with a copy that belongs to it;
    any other handler calls `filter`, which on Python 3.11 must change the record in place
    (later Pythons take a new record as the answer).

    Attributes:
        passes_all: `refine` lets every record through; a subclass has to say so itself.
        writes: `refine` changes the record that it gets.
        brief: does what `refine` does, told the record's id, but may answer with the `Moment` of
            the record that `refine` would have made; None where it cannot.
    """

    passes_all = False
    writes = True
    brief: Callable[[logging.LogRecord, str], logging.LogRecord | Moment] | None = None

    def refine(self, record: logging.LogRecord) -> logging.LogRecord | bool:
        """Change `record`, which the caller owns, or return another; False drops it."""
        raise NotImplementedError

    # The stubs follow 3.11, where a filter could only say yes or no.
    def filter(  # type: ignore[override]
        self, record: logging.LogRecord
    ) -> logging.LogRecord | bool:
        """Do the same for a handler that is not ours."""
        refined = _seen.of(record).run(record, (self.refine,), writes=self.writes)
        if isinstance(refined, bool):
            return refined
        if sys.version_info >= (3, 12):
            return refined
        return _become(record, refined)


def _become(record: logging.LogRecord, other: logging.LogRecord) -> bool:
    """Turn `record` into `other` in place, its class included."""
    record.__dict__ = other.__dict__
    try:
        _CLASS.__set__(record, type(other))  # past a property that says it has another
    except TypeError:  # A record class with slots keeps its class; its contents are safe.
        pass
    return True


_Call = Callable[[logging.LogRecord], "logging.LogRecord | bool"]


class _Entry:
    """What is known of one record while its logging call lasts.

    Weak, so that no record (with its exception and frames) lives longer than that.
    """

    __slots__ = ("id", "record", "refined", "stages", "working")

    def __init__(self, record: logging.LogRecord) -> None:
        self.record = weakref.ref(record)
        self.stages: tuple[Stage, ...] = ()
        self.refined: logging.LogRecord | Moment | bool = False
        self.working: logging.LogRecord | None = None
        self.id = ""

    def run(
        self, record: logging.LogRecord, calls: tuple[_Call, ...], *, writes: bool
    ) -> logging.LogRecord | bool:
        """Run `calls` on `record`, or on a copy of the same id if they change it."""
        if not writes:
            return _run(record, calls)
        self.working = working = copy_of(record)
        self.id = working.__dict__["record.id"] = self.id or new_id()
        try:
            return _run(working, calls)
        finally:
            self.working = None


class _Seen(threading.local):
    """The records of this thread's logging calls: the one under way and those around it.

    A few rather than one, since a handler between ours may log itself.
    """

    def __init__(self) -> None:
        self.last = _Entry(logging.makeLogRecord({}))  # which is gone at once
        self.outer: list[_Entry] = []

    def of(self, record: logging.LogRecord) -> _Entry:
        """Return what is known of `record`, or of the record that it is a working copy of."""
        last = self.last
        known = last.record()
        if known is None and not self.outer:  # the usual case: the call before is over
            # In this order: a signal handler that logs in between then takes another entry, and
            # leaves nothing of its own in this one.
            last.record = weakref.ref(record)
            last.stages, last.id = (), ""
            return last
        if known is record or last.working is record:
            return last
        self.outer = [entry for entry in self.outer if entry.record() is not None]
        for entry in self.outer:
            if entry.record() is record or entry.working is record:
                return entry
        if known is not None:
            self.outer = [last, *self.outer[: _CALLS_AROUND - 1]]
        self.last = entry = _Entry(record)
        return entry


_seen: Final = _Seen()


def record_id(record: logging.LogRecord) -> str:
    """Return the id of `record`: the same for every handler that asks during one call.

    Shape: 16 hex digits of the process's start, ``-``, a decimal counter from 1.
    """
    if issubclass(type(record), SafeRecord):  # Not isinstance: its __class__ may lie.
        known = record.__dict__.get("record.id")
        if type(known) is str:
            return known
    entry = _seen.of(record)
    entry.id = entry.id or new_id()
    return entry.id


class Order:
    """A handler's filters, sorted once.

    Attributes:
        passes_all: they let every record through.
        reports: one of them may have records of its own ready (it offers ``due``).
    """

    __slots__ = (
        *("_before", "_brief", "_calls", "_rest", "_stages", "_writes", "passes_all", "reports"),
    )

    def __init__(self, stages: tuple[Stage, ...], rest: tuple[Any, ...]) -> None:
        # The leading stages; equal ones are one tuple, so that identity tells.
        self._stages = stages
        self._calls = tuple(map(_call, stages))
        self._writes = any(each.writes for each in stages)
        self._rest = tuple(map(_call, rest))
        self._brief = stages[-1].brief if stages and not rest else None
        self._before = self._calls[:-1]
        self.passes_all = all(vars(type(each)).get("passes_all") for each in (*stages, *rest))
        self.reports = any(hasattr(each, "due") for each in (*stages, *rest))

    def refine(self, record: logging.LogRecord) -> logging.LogRecord | bool:
        """Run the filters over a copy of `record` and return the outcome.

        Args:
            record: as the logger made it; never changed. Leading `Stage`s that ran for it
                already are not run again.

        Returns:
            The record to emit, or False. The caller must not change a `SafeRecord`, which other
            handlers may share.
        """
        outcome = self.brief(record)
        return deferred(outcome) if isinstance(outcome, Moment) else outcome

    def brief(self, record: logging.LogRecord) -> logging.LogRecord | Moment | bool:
        """Do the same, but answer with the `Moment` of the record to emit where one is enough."""
        if self._brief is None or issubclass(type(record), SafeRecord):
            return self._refined(record)
        entry = _seen.of(record)
        if entry.stages is self._stages:
            return entry.refined
        outcome: logging.LogRecord | Moment | bool = record
        if self._before:
            outcome = entry.run(record, self._before, writes=self._writes)
        if isinstance(outcome, logging.LogRecord):
            entry.id = identity = entry.id or new_id()
            outcome = self._brief(outcome, identity)
        entry.stages, entry.refined = self._stages, outcome
        return outcome

    def _refined(self, record: logging.LogRecord) -> logging.LogRecord | bool:
        stages = self._stages
        outcome: logging.LogRecord | Moment | bool
        if issubclass(type(record), SafeRecord):
            outcome = _run(record, self._calls)
        elif not stages:
            outcome = copy_of(record)
        else:
            entry = _seen.of(record)
            if entry.stages is stages:
                known = entry.refined
                outcome = deferred(known) if isinstance(known, Moment) else known
            else:
                outcome = entry.run(record, self._calls, writes=self._writes)
            if not outcome or isinstance(outcome, SafeRecord):
                entry.stages, entry.refined = stages, outcome
        if not self._rest or isinstance(outcome, bool):
            return outcome
        # Foreign filters may change what they get.
        return _run(copy_of(outcome) if isinstance(outcome, SafeRecord) else outcome, self._rest)


_orders: Final[dict[tuple[Any, ...], Order]] = {}
_leads: Final[dict[tuple[Stage, ...], tuple[Stage, ...]]] = {}
_ORDERS_KEPT: Final = 256


def order_of(filters: Iterable[Any]) -> Order:
    """Return how a handler's `filters` are run."""
    key = tuple(filters)
    try:
        return _orders.get(key) or _sorted(key)
    except TypeError:  # A filter without a hash: nothing to remember it by.
        return Order((), key)


def _sorted(filters: tuple[Any, ...]) -> Order:
    lead = 0
    while lead < len(filters) and isinstance(filters[lead], Stage):
        lead += 1
    stages = filters[:lead]
    if len(_orders) >= _ORDERS_KEPT:
        _orders.clear()
        _leads.clear()
    _orders[filters] = order = Order(_leads.setdefault(stages, stages), filters[lead:])
    return order


def refine(record: logging.LogRecord, filters: Iterable[Any]) -> logging.LogRecord | bool:
    """Run a handler's `filters` over a copy of `record`; see `Order.refine`."""
    return order_of(filters).refine(record)


def _call(each: Any) -> _Call:
    """Return what a filter does; a subclass of ours that overrides `filter` does that."""
    if isinstance(each, Stage) and type(each).filter is Stage.filter:
        return each.refine
    # logging takes any callable as a filter, and asks for `filter` at each record.
    return _Late(each) if hasattr(each, "filter") else cast("_Call", each)


class _Late:
    """A foreign filter, whose `filter` may be replaced at any time."""

    __slots__ = ("_filter",)

    def __init__(self, each: Any) -> None:
        self._filter = each

    def __call__(self, record: logging.LogRecord) -> Any:
        return self._filter.filter(record)


def _run(record: logging.LogRecord, calls: tuple[_Call, ...]) -> logging.LogRecord | bool:
    for call in calls:
        answer = call(record)
        if answer is record or answer is True:
            continue
        if not answer:
            return False
        if isinstance(answer, logging.LogRecord):
            record = answer
    return record
