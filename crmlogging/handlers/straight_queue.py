"""Calls that a handler with a queue knows from before: their lines wait, and no record is made.

Where all targets render with one and the same `JsonFormatter`, the line of a known call is written
in the caller's thread, in less time than it takes to set its values aside, and workers have it only
to write out. A target that looks at more than the line gets the record that it stands for.
"""

from __future__ import annotations

from typing import Any

from crmlogging.diagnostics import tally
from crmlogging.formatters.json_formatter import JsonFormatter
from crmlogging.formatters.overriding import bytes_renderer
from crmlogging.handlers.dispatch import Dispatch
from crmlogging.handlers.known_calls import Known
from crmlogging.handlers.straight_handler import StraightHandler
from crmlogging.handlers.written_lines import written
from crmlogging.records import MOMENTS, Moment, deferred

__all__ = ["StraightQueue"]


class StraightQueue(StraightHandler):
    """Base of handlers that put records before targets, by way of a `Dispatch`."""

    _straight: Dispatch | None = None

    tally = tally  # of the process: the handler itself counts by its ledger

    def _take_line(
        self, known: Known, line: bytes, level: int, created: float, given: dict[str, Any] | None
    ) -> None:
        try:
            waiting = written(known, line, level, created, given)
            if (straight := self._straight) is None:  # as of a moment ago
                self.emit(deferred(waiting))
            else:
                straight.accept(waiting)
        except Exception as error:  # noqa: BLE001  # counted; logging never raises
            self._not_taken(known, line, level, created, error)
        # As in `DurableHandler`: a step of both costs each record a call.
        if known.is_overridden is not None:
            try:
                self.emit_due()
            except RecursionError:  # the next record asks again
                pass

    def _gave_up(self, record: Any, error: Exception) -> None:
        self.handleError(record)

    def _emit_locked(self, record: Any) -> None:
        # Without the handler's lock: a caller that waits for room must not make others wait.
        straight = self._straight
        if type(record) in MOMENTS and straight is not None and self.formatter is None:
            try:
                straight.accept(record)
            except Exception:  # noqa: BLE001  # counted; logging never raises
                self.handleError(deferred(record))
        else:
            self.emit(record)

    def _tier(self, level: int) -> str:
        return ""

    def _write_straight(self, dispatch: Dispatch) -> None:
        """Put lines and moments before the targets of `dispatch`, as they are."""
        self._straight = dispatch
        self._look_at_targets()

    def _look_at_targets(self) -> None:
        formatter = self._common_formatter()
        if formatter is not self._line_formatter:
            self._line_formatter = formatter
            self._calls.clear()
            self._records.clear()
        if self.formatter is not None:  # set by another thread meanwhile
            self._line_formatter = None

    def _keep(self, known: Any, site: Any, order: Any, moment: tuple[Any, ...]) -> None:
        formatter: Any = self._line_formatter
        if formatter is None:
            return
        renderings = moment[0].renderings
        if formatter not in renderings:  # What a worker would find out at the first record.
            formatter.format_bytes(Moment(*moment))
        if (prepared := renderings.get(formatter)) is not None and prepared.is_whole:
            super()._keep(known, site, order, moment)

    def _common_formatter(self) -> Any:
        """Return the formatter of all targets, if it is one whose lines can be known."""
        if self._straight is None or self.formatter is not None:
            return None
        formatters = [lane.target.handler.formatter for lane in self._straight.lanes]
        first = formatters[0] if formatters else None
        render = bytes_renderer(first)
        plain = getattr(render, "__func__", None) is JsonFormatter.format_bytes
        return first if plain and all(each is first for each in formatters) else None

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "formatter":  # of our own: it makes messages for the targets
            self._line_formatter = None

    def tick(self) -> None:
        """Called once a second: the targets may have another formatter by now."""
        super().tick()
        self._look_at_targets()
