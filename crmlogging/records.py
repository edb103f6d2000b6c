"""Records: the safe kind, and how a handler refines one without touching the caller's.

A `SafeRecord` holds plain JSON values that may leave the process. Being safe is a *type*: an
attribute could be forged through ``extra``.

A `Stage` is a filter whose outcome depends on the record alone (correlation, errors,
allowlist). `refine` runs a handler's filters on a copy, and runs equal leading stages only once
a record, however many handlers ask.
"""

from __future__ import annotations

import copy
import itertools
import logging
import os
import sys
import threading
import weakref
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

__all__ = [
    *("STANDARD_ATTRIBUTES", "SafeRecord", "Stage", "copy_of", "notice", "record_id", "refine"),
]

# Asked of a live record, not spelled out: the set differs between Pythons (3.12 added taskName).
# The last two come into being while formatting.
STANDARD_ATTRIBUTES: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    *("message", "asctime", "taskName"),
}
"""Names that the standard library gives a record on any supported Python."""


class SafeRecord(logging.LogRecord):
    """A record of which every attribute may leave the process.

    ``msg`` is the static template, ``args``, ``exc_info``, ``exc_text`` and ``stack_info`` are
    None; every other attribute is a standard fact or an allowed field under its dotted name
    (``vars(record)["request.method"]``). It holds no reference to a live object.

    Any third-party handler can take it for an ordinary record.
    """

    def __init__(self, attributes: dict[str, Any]) -> None:
        # Not LogRecord.__init__: that one asks clock and thread again.
        self.__dict__ = attributes

    def __copy__(self) -> SafeRecord:
        return type(self)(dict(self.__dict__))

    def __reduce__(self) -> tuple[type[SafeRecord], tuple[dict[str, Any]]]:
        return type(self), (self.__dict__,)


def notice(
    logger: str, level: int, message: str, fields: Mapping[str, Any], file: str
) -> SafeRecord:
    """Return a record that crmlogging itself makes: a changed level, a gap, dropped records.

    Args:
        logger: name of the logger it speaks for.
        level: number of the level.
        message: a literal of the calling module.
        fields: dotted names of the table to values of their shape.
        file: ``__file__`` of the calling module.
    """
    caller = sys._getframe(1)
    place = f"crmlogging/{os.path.basename(file)}"
    record = logging.LogRecord(
        logger, level, place, caller.f_lineno, message, None, None, caller.f_code.co_name
    )
    record.threadName = record.processName = None
    identity = f"{_ids.prefix}-{next(_ids.numbers)}"
    return SafeRecord({**vars(record), "taskName": None, "record.id": identity, **fields})


class Stage(logging.Filter):
    """A filter whose outcome depends on the record alone, so that handlers may share it.

    Subclasses implement `refine`. A handler of ours calls that with a copy that belongs to it;
    any other handler calls `filter`, which on Python 3.11 must change the record in place
    (later Pythons take a new record as the answer).
    """

    def refine(self, record: logging.LogRecord) -> logging.LogRecord | bool:
        """Change `record`, which the caller owns, or return another; False drops it."""
        raise NotImplementedError

    # The stubs follow 3.11, where a filter could only say yes or no.
    def filter(  # type: ignore[override]
        self, record: logging.LogRecord
    ) -> logging.LogRecord | bool:
        """Do the same for a handler that is not ours."""
        refined = _seen.of(record).run(record, (self,))
        if isinstance(refined, bool):
            return refined
        if sys.version_info >= (3, 12):
            return refined
        return _become(record, refined)


def _become(record: logging.LogRecord, other: logging.LogRecord) -> bool:
    """Turn `record` into `other` in place, its class included."""
    record.__dict__ = other.__dict__
    try:
        record.__class__ = type(other)
    except TypeError:  # A record class with slots keeps its class; its contents are safe.
        pass
    return True


def copy_of(record: logging.LogRecord) -> logging.LogRecord:
    """Return a shallow copy; the class stays, since some override ``getMessage``."""
    kind = type(record)
    duplicate: logging.LogRecord
    if kind is logging.LogRecord:  # By hand: a sixth of the cost of copy.copy.
        duplicate = kind.__new__(kind)
        duplicate.__dict__.update(record.__dict__)
        return duplicate
    try:
        duplicate = copy.copy(record)
    except Exception:  # noqa: BLE001  # a record class whose copying fails is copied plain
        duplicate = logging.makeLogRecord(record.__dict__)
    return duplicate


class _RecordIds:
    """Ids of this process: 64 random bits, renewed after a fork, and a counter."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self.prefix = os.urandom(8).hex()
        self.numbers = itertools.count(1)


_CALLS_AROUND: Final = 4
_ids: Final = _RecordIds()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_ids.renew)


class _Entry:
    """What is known of one record while its logging call lasts.

    Weak, so that no record (with its exception and frames) lives longer than that.
    """

    __slots__ = ("id", "record", "refined", "stages", "working")

    def __init__(self, record: logging.LogRecord) -> None:
        self.record = weakref.ref(record)
        self.id = f"{_ids.prefix}-{next(_ids.numbers)}"
        self.stages: tuple[Stage, ...] = ()
        self.refined: logging.LogRecord | bool = False
        self.working: logging.LogRecord | None = None

    def run(self, record: logging.LogRecord, stages: tuple[Stage, ...]) -> logging.LogRecord | bool:
        """Run `stages` on a copy of `record`, which has the same id."""
        self.working = working = copy_of(record)
        working.__dict__["record.id"] = self.id
        try:
            return _run(working, stages)
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
    return _seen.of(record).id


class _Plan(NamedTuple):
    """A handler's filters, sorted once: the leading stages, and the foreign rest."""

    stages: tuple[Stage, ...]
    rest: tuple[Any, ...]


_plans: Final[dict[tuple[Any, ...], _Plan]] = {}
_leads: Final[dict[tuple[Stage, ...], tuple[Stage, ...]]] = {}
_PLANS_KEPT: Final = 256


def _plan(filters: tuple[Any, ...]) -> _Plan:
    lead = 0
    while lead < len(filters) and isinstance(filters[lead], Stage):
        lead += 1
    stages = filters[:lead]
    if len(_plans) >= _PLANS_KEPT:
        _plans.clear()
        _leads.clear()
    # Equal stages are one tuple, so that `refine` can compare by identity.
    plan = _Plan(_leads.setdefault(stages, stages), filters[lead:])
    _plans[filters] = plan
    return plan


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
        stages, rest = _plans.get(key) or _plan(key)
    except TypeError:  # A filter without a hash: nothing to remember it by.
        stages, rest = (), key
    if isinstance(record, SafeRecord):
        outcome = _run(record, stages)
    else:
        entry = _seen.of(record)
        if stages and entry.stages is stages:
            outcome = entry.refined
        else:
            outcome = entry.run(record, stages)
            if stages and (not outcome or isinstance(outcome, SafeRecord)):
                entry.stages, entry.refined = stages, outcome
    if not rest or isinstance(outcome, bool):
        return outcome
    # Foreign filters may change what they get.
    return _run(copy_of(outcome) if isinstance(outcome, SafeRecord) else outcome, rest)


def _run(record: logging.LogRecord, filters: tuple[Any, ...]) -> logging.LogRecord | bool:
    for each in filters:
        if isinstance(each, Stage) and type(each).filter is _STAGE_FILTER:
            answer = each.refine(record)
        elif hasattr(each, "filter"):
            answer = each.filter(record)
        else:  # logging takes any callable as a filter
            answer = each(record)
        if not answer:
            return False
        if answer is not True and isinstance(answer, logging.LogRecord):
            record = answer
    return record


# A subclass that overrides `filter` has its override called.
_STAGE_FILTER: Final = Stage.filter
