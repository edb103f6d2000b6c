"""What the durable handlers share: a record becomes a line of its tier, and gaps are told.

A durable handler has put a record into the kernel before the logging call returns. It needs no
handler lock around `emit`: storage keeps threads and processes apart, and a signal
handler that logs must not wait for a thread that waits for it.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from threading import get_ident
from typing import Any, Final, NamedTuple

from crmlogging import records
from crmlogging.diagnostics import Tally, complain
from crmlogging.formatters.json_formatter import JsonFormatter
from crmlogging.formatters.overriding import bytes_renderer
from crmlogging.handlers.heartbeat import spoken_name
from crmlogging.handlers.known_calls import Known
from crmlogging.handlers.safe_handler import is_foreign
from crmlogging.handlers.straight_handler import StraightHandler
from crmlogging.handlers.threads import quiet_threads

__all__ = ["AUDIT", "DEBUG_TIER", "STANDARD_TIER", "DurableHandler"]

DEBUG_TIER: Final = "debug"
STANDARD_TIER: Final = "standard"
AUDIT: Final = sys.maxsize
"""Stands for the level of an audit record where its worth is meant: above all others."""
_DEEPEST: Final = 6
_LONGEST_BATCH: Final = 1024 * 1024
_DEFERRED: Final = records.MOMENTS | {records.DeferredRecord}
_SAFE: Final = _DEFERRED | {records.SafeRecord}


_depths: Final[dict[int, int]] = {}
"""How deep each thread is inside `emit`, by its id."""


class _Written:
    """The line that was made last, which other handlers of the same call write as well.

    Attributes:
        last: what it tells, by which formatter, and the line; replaced whole, so that threads
            cannot mix two.
    """

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last: tuple[object, object, Any] = (None, None, None)


_written: Final = _Written()


class _Gap(NamedTuple):
    began: float
    records: int
    reason: str


class DurableHandler(StraightHandler):
    """Base of handlers that write lines to disk; subclasses implement `_store`."""

    _format_bytes: Callable[[Any], bytes] | None = None

    def __init__(
        self,
        *,
        tiers: Sequence[str],
        clock: Callable[[], float] | None,
        level: int | str = 0,
        tally: Tally | None = None,
    ) -> None:
        super().__init__(level)
        self.tally = tally or Tally()
        self._clock = clock or (lambda: time.time())  # Looked up late: tests freeze it.
        split = DEBUG_TIER in tiers and STANDARD_TIER in tiers
        self._only_tier = "" if split else tiers[0]
        self._gap: _Gap | None = None

    def _take_line(
        self, known: Known, line: bytes, level: int, created: float, given: dict[str, Any] | None
    ) -> None:
        try:
            self._store(known.tier, line, 1, level, created)
        except Exception as error:  # noqa: BLE001  # counted; logging never raises
            self._not_taken(known, line, level, created, error)
        if known.is_overridden is not None:
            try:
                self.emit_due()
            except RecursionError:  # the next record asks again
                pass

    def _store(self, tier: str, lines: bytes, count: int, level: int, when: float) -> None:
        """Put `lines`, `count` whole lines, into the kernel.

        Args:
            level: highest level among them; `AUDIT` where an audit record is.
            when: seconds since the epoch of the first.
        """
        raise NotImplementedError

    def emit(self, record: Any) -> None:
        """Write `record`, a `LogRecord` or the `Moment` that stands for one; never raises."""
        me = get_ident()
        if quiet_threads and (me in quiet_threads or record.thread in quiet_threads):
            self.tally.add("ignored")
            return
        depth = _depths.get(me, 0)
        if depth >= _DEEPEST:  # A formatter that logs whenever it is called.
            self.tally.add("dropped.recursion")
            return
        _depths[me] = depth + 1
        try:
            kind = type(record)
            safe = record if kind in _SAFE else self.safe(record)
            level = safe.levelno
            tier = self._tier(level)
            # An audit record is never deferred; to look at one that is would write it out.
            if kind not in _DEFERRED and safe.__dict__.get("audit") is True:
                level = AUDIT
            if self._format_bytes is None:
                line = self._line(safe)
            else:
                line = b"%b\n" % self._format_bytes(safe)
            self._store(tier, line, 1, level, safe.created)
        except Exception as error:  # noqa: BLE001  # counted; logging never raises
            self._gave_up(record, error)
        finally:
            if depth:
                _depths[me] = depth
            else:
                del _depths[me]

    @property
    def batches_moments(self) -> bool:
        """Whether `handle_batch` takes a `Moment` as well as the record that it stands for."""
        return self.takes_calls and not self.filters

    def handle_batch(self, batch: Sequence[Any]) -> None:
        """Filter and write many records with few writes; never raises."""
        lines: dict[str, list[bytes]] = {}
        size, highest, when = 0, 0, 0.0
        filters, decides_itself = self.filters, is_foreign(self.filter)
        safe: Any
        for record in batch:
            if quiet_threads and record.thread in quiet_threads:
                self.tally.add("ignored")
                continue
            if decides_itself:
                self._handle_one(record)
                continue
            try:
                if type(record) in records.MOMENTS:
                    safe, line = record, b"%b\n" % self._format_bytes(record)  # type: ignore[misc]  # ours, see there
                else:
                    outcome = records.refine(record, filters) if filters else record
                    if not isinstance(outcome, logging.LogRecord):
                        continue
                    safe = self.safe(outcome)
                    line = self._line(safe)
            except Exception:  # noqa: BLE001  # one bad record; as `handle` treats it
                self._handle_one(record)
                continue
            when = when or safe.created
            level = safe.levelno
            lines.setdefault(self._tier(level), []).append(line)
            if type(safe) not in _DEFERRED and safe.__dict__.get("audit") is True:
                level = AUDIT
            size, highest = size + len(line), max(highest, level)
            if size >= _LONGEST_BATCH:
                self._store_all(lines, highest, when)
                lines, size, highest, when = {}, 0, 0, 0.0
        self._store_all(lines, highest, when)
        self.emit_due()

    def _handle_one(self, record: Any) -> None:
        self.handle(records.deferred(record) if type(record) in records.MOMENTS else record)

    def _store_all(self, lines: Mapping[str, list[bytes]], highest: int, when: float) -> None:
        for tier, some in lines.items():
            try:
                self._store(tier, b"".join(some), len(some), highest, when)
            except Exception as error:  # noqa: BLE001  # counted; logging never raises
                self.tally.add("dropped.error", len(some))
                complain(type(self).__name__, error)

    def take(self, parts: tuple[Any, ...], order: records.Order) -> None:
        """Write what a call came to, of which no record was made."""
        if order.left or order.reporters or quiet_threads:
            super().take(parts, order)
        else:
            self._write(parts)

    def _emit_locked(self, record: logging.LogRecord | records.Moment) -> None:
        if type(record) is not records.Moment or quiet_threads:
            self.emit(record)
        else:
            self._write(record)

    def _write(self, parts: tuple[Any, ...]) -> None:
        """Write the line of a `Moment`, given as such or as its parts."""
        try:
            # No foreign code runs in what follows, so nothing has to be guarded against it.
            outline, level, created = parts[:3]
            told, formatter, line = _written.last
            if told is not parts or formatter is not self.formatter:
                prepared = outline.renderings.get(self.formatter)
                line = None if prepared is None else prepared.line(parts)
                if line is None:
                    line = self._format_bytes(records.Moment(*parts))  # type: ignore[misc]  # ours: see setFormatter
                line += b"\n"
                _written.last = parts, self.formatter, line
            tier = self._only_tier or self._tier(level)
            self._store(tier, line, 1, level, created)
        except Exception as error:  # noqa: BLE001  # counted; logging never raises
            self._gave_up(records.Moment(*parts), error)

    def _gave_up(self, record: logging.LogRecord | records.Moment, error: Exception) -> None:
        """Count a record that could not be written."""
        if isinstance(error, RecursionError):
            self.tally.add("dropped.recursion")
            return
        self.tally.add("dropped.error")
        self.handleError(records.deferred(record) if isinstance(record, records.Moment) else record)

    def _tier(self, level: int) -> str:
        return self._only_tier or (STANDARD_TIER if level >= 20 else DEBUG_TIER)  # INFO

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        # Also where it is assigned, past `setFormatter`.
        if name in ("formatter", "format"):
            self._look_at_formatter()

    def _look_at_formatter(self) -> None:
        """Find how lines are made; without a formatter they are those of `JsonFormatter`."""
        render = None if is_foreign(self.format) else bytes_renderer(self.formatter)
        self._format_bytes = render
        self._line_formatter = self.formatter
        self._takes_moments = (
            getattr(render, "__func__", None) is JsonFormatter.format_bytes
            and type(self).emit is DurableHandler.emit
        )

    def _line(self, record: logging.LogRecord) -> bytes:
        """Return the finished line with its newline."""
        if self._format_bytes is not None:
            return b"%b\n" % self._format_bytes(record)
        if self.formatter is None:
            self.setFormatter(JsonFormatter())
            if self._format_bytes is not None:
                return self._line(record)
        return self.format(record).encode("utf-8", "backslashreplace") + b"\n"

    def _failed(self, error: OSError, count: int) -> None:
        """Count records that could not be written; storage calls this instead of raising."""
        self._lost(errno.errorcode.get(error.errno or 0, "OSError"), count)
        complain(type(self).__name__, error, hint="records are counted until writing works again")

    def _lost(self, reason: str, count: int) -> None:
        """Count records as dropped, and remember that the log is to tell of them."""
        self.tally.add(f"dropped.{reason}", count)
        gap = self._gap or _Gap(self._clock(), 0, reason)
        self._gap = gap._replace(records=gap.records + count)

    def _recovered(self) -> None:
        """Tell the gap in the log itself, once, as soon as writing works again."""
        gap, self._gap = self._gap, None
        if gap is None:
            return
        seconds = max(0.0, self._clock() - gap.began)
        message = f"{gap.records} records were lost in {seconds:.0f} s: {gap.reason}"
        fields = {"queue.handler": spoken_name(self), "queue.dropped": gap.records}
        self.emit(records.notice("crmlogging", logging.WARNING, message, fields, __file__))


def _after_fork() -> None:
    """Forget the threads that the child does not have."""
    for thread in set(_depths) - {get_ident()}:
        del _depths[thread]
    quiet_threads.clear()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
