"""Calls that a handler knows from before: from their fields to the line, with no stop between.

A service logs the same calls again and again. Where a call's own text, the handler's filters and
its formatter are what they were, all that is left to do is to judge the values and to put them
into the line; `crmlogging.redaction.straight` does that in one function. Whatever departs from
what is known goes the way of any other record, which ends in the same line.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import current_thread
from types import CodeType
from typing import Any, Final

import orjson

from crmlogging import records
from crmlogging.diagnostics import Tally, tally
from crmlogging.formatters.prepared_line import StraightEnding, thread_json
from crmlogging.handlers.known_calls import Known, KnownCalls, Site
from crmlogging.handlers.safe_handler import SafeHandler

__all__ = ["StraightHandler", "quiet_threads"]

_NO_ARGUMENTS: Final = ()  # the one empty tuple there is
_LogRecord: Final = logging.LogRecord
_threads: Final[dict[str | None, bytes]] = {}
_THREADS_KEPT: Final = 1_024

quiet_threads: Final[set[int]] = set()
"""Ids of threads that upload. What they log, boto3's own records, is nothing the application
said, and in a spool each upload would cause the next one, also by way of a queue."""


class StraightHandler(SafeHandler):
    """Base of handlers whose lines can be known from a call alone; they implement `_store`."""

    def __init__(self, level: int | str = 0) -> None:
        super().__init__(level)
        self._calls = KnownCalls()
        self._records = KnownCalls()

    # What a subclass does with a finished line, in `DurableHandler`.
    _store: Callable[[str, bytes, int, int, float], None]
    _gave_up: Callable[[Any, Exception], None]
    tally: Tally
    _tier: Callable[[int], str]

    def take_known(
        self,
        spoken: records.Spoken,
        message: object,
        code: CodeType,
        offset: int,
        args: tuple[object, ...],
        fields: dict[str, Any],
    ) -> bool:
        """Write the line of a call that is known; tell whether that was done."""
        site = id(code), offset, len(fields)
        found = self._calls.get(site)
        if found is None or self._replaced or quiet_threads or not self._has_own_steps():
            return False
        try:
            created = time.time()
            name = current_thread().name
            thread = _threads.get(name) or _thread(name)
            for known in found:
                outline, said, by, filters, formatter, enrich, straight, tier, _ = known
                if (
                    said is not message
                    or outline.code is not code
                    or by != spoken
                    or self.filters != filters
                    or self.formatter is not formatter
                ):
                    continue
                taken = fields
                if enrich:
                    taken = fields.copy()
                    for each in enrich:
                        if not each(taken):
                            return False
                quick = straight.quick
                line = quick(taken, args, created, thread, "")
                if line == b"":
                    line = straight.slowly(taken, args, created, thread, "")
                if line is not None:
                    break
            else:
                return False
            if known is not found[0]:
                self._calls.prefer(site, known)
        except Exception:  # noqa: BLE001  # whatever it is, the usual way is made for it
            return False
        try:
            self._store(tier, line, 1, spoken[1], created)
        except Exception as error:  # noqa: BLE001  # counted; logging never raises
            self._not_stored(known, line, created, error)
        return True

    def handle(self, record: logging.LogRecord) -> bool:
        """Filter a copy of `record` and emit it; never raises."""
        line: bytes | None = None
        known: Any = None
        if type(record) is _LogRecord:  # A deferred one would be written out.
            given = record.__dict__
            try:
                site = id(given["msg"]), given["lineno"], len(given)
                found = self._records.get(site)
                if found:
                    line, known = self._line_of(record, given, site, found)
            except Exception:  # noqa: BLE001  # whatever it is, the usual way is made for it
                line = None
        if line is not None:
            created = given["created"]
            try:
                self._store(known[7], line, 1, given["levelno"], created)
            except Exception as error:  # noqa: BLE001  # counted; logging never raises
                self._not_stored(known, line, created, error)
            return True
        try:
            handled = super().handle(record)
        except RecursionError:  # not even that can be called
            try:
                tally.add("dropped.recursion")
            except RecursionError:
                pass
            return False
        try:
            self._learn_record(record)
        except Exception:  # noqa: BLE001  # as in `learn`
            pass
        return handled

    def _line_of(
        self,
        record: logging.LogRecord,
        given: dict[str, Any],
        site: Site,
        found: tuple[Known, ...],
    ) -> tuple[bytes | None, Any]:
        """Return the line of a record and what is known of its call; None if that is not enough."""
        args = given["args"]
        if (
            not (args is _NO_ARGUMENTS or args is None)
            or given["exc_info"] is not None
            or self._replaced
            or quiet_threads
            or not self._has_own_steps()
        ):
            return None, None
        name, created = given["threadName"], given["created"]
        thread = _threads.get(name) or _thread(name)
        for known in found:
            _, message, _, filters, formatter, enrich, straight, _, stages = known
            if (
                given["msg"] is not message
                or self.filters != filters
                or self.formatter is not formatter
            ):
                continue
            entry = records.seen.of(record)
            if entry.stages is stages:  # There is a moment by now.
                self._records.leave(site)
                return None, None
            written = entry.written
            # Another handler's, which has the same filters.
            if written is not None and written[1][6] is straight and written[1][5] is enrich:
                return written[0], known
            entry.id = identity = entry.id or records.new_id()
            taken = given
            if enrich:
                if type(given) is not dict:
                    return None, None
                # In two steps: a table that has room for more is copied as it is.
                taken = given.copy()
                taken["record.id"] = identity
                for each in enrich:
                    if not each(taken):
                        return None, None
            line = straight.quick(taken, args, created, thread, identity)
            if line == b"":
                line = straight.slowly(taken, args, created, thread, identity)
            if line is not None:
                if known is not found[0]:
                    self._records.prefer(site, known)
                entry.written = line, known, self._records, site
                return line, known
        return None, None

    def _not_stored(self, known: Any, line: bytes, created: float, error: Exception) -> None:
        """Count a record whose line could not be written."""
        if isinstance(error, RecursionError):  # so little stack is left that little can be called
            try:
                self.tally.add("dropped.recursion")
            except RecursionError:
                pass
            return
        told = records.SafeRecord(known[0].base)
        try:
            told = _told(known[0], line, created)
        except Exception:  # noqa: BLE001  # memory may be short once more
            pass
        self._gave_up(told, error)

    def learn(
        self, call: records.Call, fields: dict[str, Any], order: records.Order, outline: Any
    ) -> None:
        """Remember a call of which a moment was just taken."""
        # Arguments that the plan has no place for take a record.
        if call[4] == () or outline.arguments is not None:
            try:
                site = id(call[0]), call[1], len(fields)
                self._keep(self._calls, site, order, outline)
            except Exception:  # noqa: BLE001  # the line is written; it need not be known
                pass

    def _learn_record(self, record: logging.LogRecord) -> None:
        """Remember the call of a record that was just handled."""
        if type(record) is not _LogRecord:
            return
        given = record.__dict__
        site = id(given["msg"]), given["lineno"], len(given)
        if self._records.is_left(site):
            return
        order = records.order_of(self.filters)
        moment = order.moment_of(record)
        if moment is None or moment.more:
            return
        outline: Any = moment.outline
        if outline.message is given["msg"] and outline.arguments is None:
            self._keep(self._records, site, order, outline)

    def _keep(self, known: KnownCalls, site: Site, order: records.Order, outline: Any) -> None:
        """Remember the call of `outline`, if its lines can be written straight and are not yet."""
        # Those that decided on it, whatever the handler has meanwhile.
        filters, formatter = order.filters, self.formatter
        prepared = outline.renderings.get(formatter)
        if (
            prepared is None
            or outline.message is None
            or order.enrich is None
            or self.filters != filters
            or not self._takes_moments
            or known.holds(site, outline, filters, formatter)
        ):
            return
        arguments = outline.arguments or ()
        if not prepared.names.isdisjoint(each.line for each in arguments):
            return
        # One for all handlers with this formatter, which know it as soon as one does.
        kind = outline.of_call if known is self._calls else outline.of_record
        straight = prepared.straights.get(kind.__name__)
        if straight is None:
            more = [(each.line, each.constant) for each in arguments]
            straight = kind(StraightEnding(prepared, len(outline.lines), more))
            prepared.straights[kind.__name__] = straight
        spoken, tier = outline.spoken[:-1], self._tier(outline.level)
        made = outline, outline.message, spoken, filters, formatter, order.enrich, straight, tier
        known.keep(site, (*made, order.stages))


def _told(outline: Any, line: bytes, created: float) -> records.SafeRecord:
    """Return the record whose line could not be written, for whoever asks for those."""
    told = orjson.loads(line)
    shown = {*outline.lines, *(each.line for each in outline.arguments or ()), "record.id"}
    fields = {name: told[name] for name in shown if name in told}
    moment = {"created": created, "msecs": created % 1 * 1_000, "threadName": told.get("thread")}
    return records.SafeRecord({**outline.base, **moment, **fields})


def _thread(name: str | None) -> bytes:
    """Return a thread's name as it is shown, as JSON."""
    from crmlogging.redaction.facts import thread_name  # whoever asks has it loaded

    if len(_threads) >= _THREADS_KEPT:
        _threads.clear()
    _threads[name] = shown = thread_json(thread_name(name))
    return shown
