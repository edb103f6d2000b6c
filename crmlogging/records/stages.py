"""Stages: filters whose outcome depends on the record alone, run once a record."""

from __future__ import annotations

import logging
import sys
import weakref
from collections.abc import Callable
from threading import get_ident
from typing import Any, Final

from crmlogging.records.calls import Call
from crmlogging.records.identity import new_id
from crmlogging.records.safe_record import Moment, SafeRecord, copy_of

__all__ = ["Answer", "Stage", "filterable", "record_id", "run", "seen"]

Answer = tuple[Any, ...]

_CALLS_AROUND: Final = 4
_THREADS_KEPT: Final = 256
_CLASS: Final[Any] = object.__dict__["__class__"]
_new: Final = object.__new__


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
        enrich: writes on the ``extra`` of a call what `refine` would write on its record; it
            says False where that takes the record. None where it always does.
        answer: returns what `refine` would have made of the record of a call with these fields:
            the parts of its `Moment` but the id. It says None where that takes the record.
    """

    passes_all = False
    writes = True
    brief: Callable[[logging.LogRecord, str], logging.LogRecord | Moment] | None = None
    enrich: Callable[[dict[str, Any]], bool] | None = None
    answer: Callable[[Call, dict[str, Any]], Answer | None] | None = None

    def refine(self, record: logging.LogRecord) -> logging.LogRecord | bool:
        """Change `record`, which the caller owns, or return another; False drops it."""
        raise NotImplementedError

    # The stubs follow 3.11, where a filter could only say yes or no.
    def filter(  # type: ignore[override]
        self, record: logging.LogRecord
    ) -> logging.LogRecord | bool:
        """Do the same for a handler that is not ours."""
        refined = seen.of(record).run(record, (self.refine,), writes=self.writes)
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


def filterable(record: logging.LogRecord) -> logging.LogRecord:
    """Return a copy of `record` for a step that may call `Stage.filter` on it."""
    kind = type(record)
    if sys.version_info >= (3, 12) or kind is logging.LogRecord or issubclass(kind, SafeRecord):
        return copy_of(record)
    return logging.makeLogRecord(record.__dict__)  # Else it might keep its class, see `_become`.


_Call = Callable[[logging.LogRecord], "logging.LogRecord | bool"]


class _Entry:
    """What is known of one record while its logging call lasts.

    Weak, so that no record (with its exception and frames) lives longer than that.

    Attributes:
        stages: filters that were run, and what they made of it: `refined`.
        written: the line that a handler wrote without, and what it knew of the call for that: that
            itself, and where it has it from: a table with `leave`, and the place in it.
    """

    __slots__ = ("id", "record", "refined", "stages", "working", "written")

    def __init__(self, record: logging.LogRecord) -> None:
        self.record = weakref.ref(record)
        self.stages: tuple[Stage, ...] = ()
        self.refined: logging.LogRecord | Moment | bool = False
        self.working: logging.LogRecord | None = None
        self.written: tuple[Any, ...] | None = None
        self.id = ""

    def run(
        self, record: logging.LogRecord, calls: tuple[_Call, ...], *, writes: bool
    ) -> logging.LogRecord | bool:
        """Run `calls` on `record`, or on a copy of the same id if they change it."""
        if not writes:
            return run(record, calls)
        self.working = working = copy_of(record)
        self.id = working.__dict__["record.id"] = self.id or new_id()
        try:
            return run(working, calls)
        finally:
            self.working = None

    def enriched(
        self, record: logging.LogRecord, enrich: tuple[Callable[[dict[str, Any]], bool], ...]
    ) -> logging.LogRecord | None:
        """Return a copy of the same id on which `enrich` has written; None if it takes `run`.

        As it does with an exception, of which `enrich` knows nothing.
        """
        if type(record) is not logging.LogRecord:
            return None
        attributes = record.__dict__
        if type(attributes) is not dict or attributes.get("exc_info"):
            return None
        # In two steps: a table that has room for more is copied as it is.
        attributes = attributes.copy()
        attributes["record.id"] = self.id = self.id or new_id()
        for each in enrich:
            if not each(attributes):
                return None
        working = _new(logging.LogRecord)
        working.__dict__ = attributes
        return working


class _Calls:
    """The logging calls of one thread: the last, and those around it.

    A few rather than one, since a handler between ours may log itself.
    """

    __slots__ = ("last", "outer")

    def __init__(self) -> None:
        self.last = _Entry(logging.makeLogRecord({}))  # which is gone at once
        self.outer: list[_Entry] = []


class _Seen:
    """The records of the logging calls that are under way."""

    def __init__(self) -> None:
        # By thread id, which is several times faster than threading.local.
        self._by_thread: dict[int, _Calls] = {}
        self._most = _THREADS_KEPT

    def of(self, record: logging.LogRecord) -> _Entry:
        """Return what is known of `record`, or of the record that it is a working copy of."""
        calls = self._by_thread.get(get_ident()) or self._begin()
        last = calls.last
        known = last.record()
        if known is None and not calls.outer:  # the usual case: the call before is over
            # In this order: a signal handler that logs in between then takes another entry, and
            # leaves nothing of its own in this one.
            last.record = weakref.ref(record)
            last.stages, last.refined, last.written, last.id = (), False, None, ""
            return last
        if known is record or last.working is record:
            return last
        calls.outer = [entry for entry in calls.outer if entry.record() is not None]
        for entry in calls.outer:
            if entry.record() is record or entry.working is record:
                return entry
        if known is not None:
            calls.outer = [last, *calls.outer[: _CALLS_AROUND - 1]]
        calls.last = entry = _Entry(record)
        return entry

    def _begin(self) -> _Calls:
        """Note a thread that logs for the first time; forget those that ended."""
        by_thread = self._by_thread
        if len(by_thread) >= self._most:
            alive = sys._current_frames()
            for thread in by_thread.copy().keys() - alive.keys():
                by_thread.pop(thread, None)
            self._most = max(_THREADS_KEPT, 2 * len(by_thread))
        return by_thread.setdefault(get_ident(), _Calls())


seen: Final = _Seen()


def record_id(record: logging.LogRecord) -> str:
    """Return the id of `record`: the same for every handler that asks during one call.

    Shape: 16 hex digits of the process's start, ``-``, a decimal counter from 1.
    """
    if issubclass(type(record), SafeRecord):  # Not isinstance: its __class__ may lie.
        known = record.__dict__.get("record.id")
        if type(known) is str:
            return known
    entry = seen.of(record)
    entry.id = entry.id or new_id()
    return entry.id


def run(record: logging.LogRecord, calls: tuple[_Call, ...]) -> logging.LogRecord | bool:
    for call in calls:
        answer = call(record)
        if answer is record or answer is True:
            continue
        if not answer:
            return False
        if isinstance(answer, logging.LogRecord):
            record = answer
    return record
