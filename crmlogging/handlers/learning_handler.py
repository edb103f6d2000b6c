"""What a handler learns of the calls that come to it, so that it can write their lines straight.

A call is learned from the moment that it came to; see `crmlogging.handlers.straight_handler` for
what becomes of it then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import FrameType
from typing import Any

from crmlogging import records
from crmlogging.formatters.prepared_line import StraightEnding
from crmlogging.handlers.known_calls import Known, KnownCalls, Site
from crmlogging.handlers.safe_handler import SafeHandler

__all__ = ["LearningHandler"]


class LearningHandler(SafeHandler):
    """Base of handlers that remember calls, each by its place."""

    # Whose lines are written straight; subclasses keep it up to date.
    _line_formatter: logging.Formatter | None = None

    # What is written on a line of that level, in `DurableHandler`.
    _tier: Callable[[int], str]

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._calls = KnownCalls()
        self._records = KnownCalls()
        self._line_formatter = None

    def learn(
        self,
        call: records.Call,
        fields: dict[str, Any],
        order: records.Order,
        moment: tuple[Any, ...],
    ) -> None:
        """Remember a call of which a moment was just taken."""
        site = id(call[0]), call[1], len(fields)
        # Arguments that the plan has no place for take a record.
        if call[4] == () or moment[0].arguments is not None:
            self._keep_or_leave(self._calls, site, order, moment)

    def _learn_record(self, record: logging.LogRecord, frame: FrameType) -> None:
        """Remember the call of a record that was just handled.

        Args:
            frame: from which the handler was called.
        """
        given = record.__dict__
        order = records.order_of(self.filters)
        moment = order.moment_of(record)
        if moment is None:
            return
        outline: Any = moment.outline
        message, args = given["msg"], given["args"]
        is_literal = outline.message is message
        if is_literal and (args is None or args is records.NO_ARGUMENTS):
            fits = outline.arguments is None and not moment.more
        else:
            fits = outline.arguments is not None and (
                outline.arguments_of(message, args, frame) is not None
            )
        site = id(message if is_literal else given["pathname"]), given["lineno"], len(given)
        if fits and not self._records.is_left(site):  # since a moment
            self._keep_or_leave(self._records, site, order, moment)

    def _keep_or_leave(
        self, known: KnownCalls, site: Site, order: records.Order, moment: tuple[Any, ...]
    ) -> None:
        """Remember the call of `moment`, or that its place is none to know calls of."""
        try:
            self._keep(known, site, order, moment)
            if site not in known:
                known.leave(site)
        except Exception:  # noqa: BLE001  # the line is written; it need not be known
            pass

    def _keep(
        self, known: KnownCalls, site: Site, order: records.Order, moment: tuple[Any, ...]
    ) -> None:
        """Remember the call of `moment`, if its lines can be written straight and are not yet."""
        outline: Any = moment[0]
        # Those that decided on it, whatever the handler has meanwhile.
        filters, formatter = order.filters, self._line_formatter
        prepared = outline.renderings.get(formatter)
        passes = True if order.passes is None else order.passes(outline)
        if (
            prepared is None
            or outline.message is None
            or order.enrich is None
            or passes is None
            or not (passes or prepared.is_whole)  # those that count go by what the line says
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
        counts = None if passes else order.counts
        known.keep(site, Known(*made, order.is_overridden, order.stages, counts))
