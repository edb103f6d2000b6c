"""Calls that a handler knows from before: from their fields to the line, with no stop between.

A service logs the same calls again and again. Where a call's own text, the handler's filters and
its formatter are what they were, all that is left to do is to judge the values and to put them
into the line; `crmlogging.redaction.straight` does that in one function. Whatever departs from
what is known goes the way of any other record, which ends in the same line.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from threading import current_thread
from types import CodeType, FrameType
from typing import Any, Final

from crmlogging import records
from crmlogging.diagnostics import Tally, tally
from crmlogging.handlers.known_calls import Known, Site
from crmlogging.handlers.learning_handler import LearningHandler
from crmlogging.handlers.safe_handler import SafeHandler
from crmlogging.handlers.sharing import hand_on, sharing
from crmlogging.handlers.threads import quiet_threads
from crmlogging.handlers.written_lines import not_written, thread_shown, threads_shown, written
from crmlogging.records import NO_ARGUMENTS

__all__ = ["StraightHandler"]

_LogRecord: Final = logging.LogRecord


class StraightHandler(LearningHandler):
    """Base of handlers whose lines can be known from a call alone; they implement `_store`."""

    def _take_line(
        self, known: Known, line: bytes, level: int, created: float, given: dict[str, Any] | None
    ) -> None:
        """Do with the line of a known call what `emit` does with a record; never raises.

        Args:
            line: with a newline behind.
            created: seconds since the epoch.
            given: attributes of the record, if there is one.
        """
        raise NotImplementedError

    # The way to the targets, for lines and moments, of a handler that has one; None where each
    # takes a record.
    _straight: Any = None

    # What `DurableHandler` and `AsyncHandler` have.
    _gave_up: Callable[[Any, Exception], None]
    tally: Tally

    def take_known(
        self,
        spoken: records.Spoken,
        message: object,
        code: CodeType,
        offset: int,
        args: tuple[object, ...],
        fields: dict[str, Any],
        handlers: list[Any],
        speaker: FrameType | None,
    ) -> bool | None:
        """Write the line of a call that is known; tell whether that was done."""
        site = id(code), offset, len(fields)
        found = self._calls.get(site)
        if not found:
            return False if found is None else None
        if self._replaced or quiet_threads or not self._has_own_steps():
            return False
        try:
            created = time.time()
            name = current_thread().name
            thread = threads_shown.get(name) or thread_shown(name)
            for known in found:
                outline, said, by, filters, formatter, enrich, straight, _, replaced, _, judge = (
                    known
                )
                given: tuple[object, ...] | None = args
                if said is not message:
                    given = outline.taken_back(message, args, speaker)
                if (
                    given is None
                    or outline.code is not code
                    or by != spoken
                    or self.filters != filters
                    or self._line_formatter is not formatter
                    or (replaced is not None and replaced())
                ):
                    continue
                others = None
                if len(handlers) > 1:
                    others = sharing(handlers, site, known)
                    if others is None:
                        self._calls.leave(site)
                        return None
                taken = fields
                if enrich:
                    taken = fields.copy()
                    for each in enrich:
                        if not each(taken):
                            return False
                line = straight.quick(taken, given, created, thread, "")
                if line == b"":
                    line = straight.slowly(taken, given, created, thread, "")
                if line is not None:
                    break
            else:
                return False
            if known is not found[0]:
                self._calls.prefer(site, known)
        except Exception:  # noqa: BLE001  # whatever it is, the usual way is made for it
            return False
        if judge is None:
            self._take_line(known, line, spoken[1], created, None)
        else:
            self._judge_line(known, line, spoken[1], created, None)
        if others:
            hand_on(others, line, spoken[1], created)
        return True

    def shares(self, site: Site, one: Known) -> Known | None:
        """Return a call that another handler knows as it is known here, if it has the same line."""
        if self._replaced or quiet_threads or not self._has_own_steps():
            return None
        for known in self._calls.get(site, ()):
            _, _, _, filters, formatter, _, straight, _, replaced, stages, _ = known
            if (
                straight is one.straight
                and stages is one.stages
                and self.filters == filters
                and self._line_formatter is formatter
                and (replaced is None or not replaced())
            ):
                return known
        return None

    def handle(self, record: logging.LogRecord) -> bool:
        """Filter a copy of `record` and emit it; never raises."""
        found: tuple[Known, ...] | None = ()
        try:
            # A deferred one would be written out, and failures are no calls that could be known.
            if type(record) is _LogRecord and (given := record.__dict__).get("exc_info") is None:
                line = None
                try:
                    site = id(given["msg"]), given["lineno"], len(given)
                    found = self._records.get(site)
                    if found is None:  # of a message that is built
                        site = id(given["pathname"]), given["lineno"], len(given)
                        found = self._records.get(site)
                    if found:
                        line, known = self._line_of(record, given, site, found)
                except Exception:  # noqa: BLE001  # whatever it is, the usual way is made for it
                    line = None
                if line is not None:
                    if known.counts is None:
                        self._take_line(known, line, given["levelno"], given["created"], given)
                        return True
                    created = given["created"]
                    return self._judge_line(known, line, given["levelno"], created, given)
            queue = self._straight
            if queue is not None and queue.flooded and not self._replaced:  # noqa: SIM102  # one condition would take five lines
                if queue.turn_away_early(record, self.filters):
                    return True
            handled = SafeHandler.handle(self, record)  # `super` is an object of its own
        except RecursionError:  # not even that can be called
            try:
                tally.add("dropped.recursion")
            except RecursionError:
                pass
            return False
        if found is None or found:
            try:
                self._learn_record(record, sys._getframe(1))
            except Exception:  # noqa: BLE001  # it is emitted; it need not be known
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
        message, args = given["msg"], given["args"]
        has_none = args is NO_ARGUMENTS or args is None
        if self._replaced or quiet_threads or not self._has_own_steps():
            return None, None
        for known in found:
            outline, said, _, filters, formatter, enrich, straight, _, replaced, stages, _ = known
            if (
                self.filters != filters
                or self._line_formatter is not formatter
                or (replaced is not None and replaced())
            ):
                continue
            taken_back = args
            if said is not message or not has_none:
                # With the frame from which `handle` was called.
                taken_back = outline.arguments_of(message, args, sys._getframe(2))
                if taken_back is None:
                    continue
            entry = records.seen.of(record)
            if entry.stages is stages:  # There is a moment by now.
                self._records.leave(site)
                return None, None
            written = entry.written
            # Another handler's, which has the same filters.
            if (
                written is not None
                and written[1].straight is straight
                and written[1].stages is stages
            ):
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
            name, created = given["threadName"], given["created"]
            thread = threads_shown.get(name) or thread_shown(name)
            line = straight.quick(taken, taken_back, created, thread, identity)
            if line == b"":
                line = straight.slowly(taken, taken_back, created, thread, identity)
            if line is not None:
                if known is not found[0]:
                    self._records.prefer(site, known)
                entry.written = line, known, self._records, site
                return line, known
        return None, None

    def _judge_line(
        self, known: Known, line: bytes, level: int, created: float, given: dict[str, Any] | None
    ) -> bool:
        """Have the filters hold back the record that a line tells, or emit it; never raises.

        Returns:
            Whether there was more to do than to count it.
        """
        try:
            counts = known.counts
            if counts is not None and counts(known.outline, line, created):
                return False
            moment = written(known, line, level, created, given).moment()
            self.take(tuple(moment), records.order_of(known.filters))
        except Exception as error:  # noqa: BLE001  # counted; logging never raises
            self._not_taken(known, line, level, created, error)
        return True

    def _not_taken(
        self, known: Known, line: bytes, level: int, created: float, error: Exception
    ) -> None:
        """Count a record whose line could not be written."""
        if isinstance(error, RecursionError):  # so little stack is left that little can be called
            try:
                self.tally.add("dropped.recursion")
            except RecursionError:
                pass
            return
        self._gave_up(not_written(known, line, level, created), error)
