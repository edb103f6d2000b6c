"""Stages: filters whose outcome depends on the record alone, run once a record."""

from __future__ import annotations

import logging
import sys
import threading
import weakref
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, cast

from crmlogging.records.identity import new_id
from crmlogging.records.safe_record import SafeRecord, copy_of

__all__ = ["Stage", "record_id", "refine"]

_CALLS_AROUND: Final = 4
_CLASS: Final[Any] = object.__dict__["__class__"]


class Stage(logging.Filter):
    """A filter whose outcome depends on the record alone, so that handlers may share it.

    Subclasses implement `refine`. A handler of ours calls that with a copy that belongs to it;
    any other handler calls `filter`, which on Python 3.11 must change the record in place
    (later Pythons take a new record as the answer).

    Attributes:
        writes: `refine` changes the record that it gets.
    """

    writes = True

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
        self.refined: logging.LogRecord | bool = False
        self.working: logging.LogRecord | None = None
        self.id: str | None = None

    def run(
        self, record: logging.LogRecord, calls: tuple[_Call, ...], *, writes: bool
    ) -> logging.LogRecord | bool:
        """Run `calls` on `record`, or on a copy of the same id if they change it."""
        if not writes:
            return _run(record, calls)
        self.working = working = copy_of(record)
        if self.id is None:
            self.id = new_id()
        working.__dict__["record.id"] = self.id
        try:
            return _run(working, calls)
        finally:
            self.working = None


class _Seen(threading.local):
    """The records of this thread's logging calls: the one under way and those around it.

    A few rather than one, since a handler between ours may log itself.
    """

    def __init__(self) -> None:
        self.last: _Entry | None = None
        self.outer: list[_Entry] = []

    def of(self, record: logging.LogRecord) -> _Entry:
        """Return what is known of `record`, or of the record that it is a working copy of."""
        last = self.last
        if last is not None and (last.record() is record or last.working is record):
            return last
        if self.outer:
            self.outer = [entry for entry in self.outer if entry.record() is not None]
            for entry in self.outer:
                if entry.record() is record or entry.working is record:
                    return entry
        if last is not None and last.record() is not None:
            self.outer = [last, *self.outer[: _CALLS_AROUND - 1]]
        self.last = entry = _Entry(record)
        return entry


_seen: Final = _Seen()


def record_id(record: logging.LogRecord) -> str:
    """Return the id of `record`: the same for every handler that asks during one call.

    Shape: 16 hex digits of the process's start, ``-``, a decimal counter from 1.
    """
    if isinstance(record, SafeRecord):
        known = record.__dict__.get("record.id")
        if type(known) is str:
            return known
    entry = _seen.of(record)
    if entry.id is None:
        entry.id = new_id()
    return entry.id


class _Order(NamedTuple):
    """A handler's filters, sorted once.

    Attributes:
        stages: the leading ones; equal ones are one tuple, so that identity tells.
        calls: what those do.
        writes: one of those changes the record.
        rest: what the foreign filters after them do.
    """

    stages: tuple[Stage, ...]
    calls: tuple[_Call, ...]
    writes: bool
    rest: tuple[_Call, ...]


_orders: Final[dict[tuple[Any, ...], _Order]] = {}
_leads: Final[dict[tuple[Stage, ...], tuple[Stage, ...]]] = {}
_ORDERS_KEPT: Final = 256


def _order(filters: tuple[Any, ...]) -> _Order:
    lead = 0
    while lead < len(filters) and isinstance(filters[lead], Stage):
        lead += 1
    stages = filters[:lead]
    calls, rest = tuple(map(_call, stages)), tuple(map(_call, filters[lead:]))
    writes = any(each.writes for each in stages)
    if len(_orders) >= _ORDERS_KEPT:
        _orders.clear()
        _leads.clear()
    order = _Order(_leads.setdefault(stages, stages), calls, writes, rest)
    _orders[filters] = order
    return order


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


def refine(record: logging.LogRecord, filters: Iterable[Any]) -> logging.LogRecord | bool:
    """Run a handler's `filters` over a copy of `record` and return the outcome.

    Args:
        record: as the logger made it; never changed.
        filters: of the handler, in order. Leading `Stage`s that ran for this record already
            are not run again.

    Returns:
        The record to emit, or False. The caller must not change a `SafeRecord`, which other
        handlers may share.
    """
    key = tuple(filters)
    try:
        stages, calls, writes, rest = _orders.get(key) or _order(key)
    except TypeError:  # A filter without a hash: nothing to remember it by.
        stages, calls, writes, rest = (), (), False, tuple(map(_call, key))
    outcome: logging.LogRecord | bool
    if isinstance(record, SafeRecord):
        outcome = _run(record, calls)
    elif not stages:
        outcome = copy_of(record)
    else:
        entry = _seen.of(record)
        if entry.stages is stages:
            outcome = entry.refined
        else:
            outcome = entry.run(record, calls, writes=writes)
            if not outcome or isinstance(outcome, SafeRecord):
                entry.stages, entry.refined = stages, outcome
    if not rest or isinstance(outcome, bool):
        return outcome
    # Foreign filters may change what they get.
    return _run(copy_of(outcome) if isinstance(outcome, SafeRecord) else outcome, rest)


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
