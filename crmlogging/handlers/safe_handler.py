"""What our handlers share: filters on a copy, a safe error path, and due summaries."""

from __future__ import annotations

import logging
import sys
import time
from functools import cache
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Final, cast

from crmlogging import levels, records, ticking
from crmlogging.diagnostics import complain, tally

if TYPE_CHECKING:
    from crmlogging.redaction.projection import Projection

__all__ = ["SafeHandler", "is_foreign"]


@cache
def _nothing_allowed() -> Projection:
    from crmlogging.redaction.projection import Projection

    return Projection(())


_moment: Final = tuple.__new__  # past the arguments by name
_STEPS: Final = (
    *("handle", "take", "filter", "emit", "_emit_locked", "format"),
    *("prepare", "enqueue"),  # of handlers with a queue
)


def is_foreign(step: Any) -> bool:
    """Tell whether a step is neither ours nor the standard library's."""
    # Not by `__module__`, which a decorator copies from what it wraps.
    module = getattr(step, "__globals__", {}).get("__name__", "")
    return str(module).partition(".")[0] not in ("crmlogging", "logging")


class SafeHandler(logging.Handler):
    """Base of our handlers; mix it in before the standard class.

    - Filters see a copy of the record, so no other handler notices what they change.
    - A filter that fails withholds the contents, not the record.
    - `handleError` never shows a record's contents.
    - Filters that offer ``due(now) -> list[LogRecord]`` (grouping) are asked at each record, at
      flush and close, and once a second.
    """

    # `emit` takes a `Moment` as well as the record that it stands for.
    _takes_moments = False

    # Somebody put a step of their own in place of one of ours: they get records.
    _replaced = False
    _own_steps: tuple[Any, ...] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._own_steps = cls.handle, cls.filter, cls.emit
        if any(is_foreign(getattr(cls, step)) for step in _STEPS if hasattr(cls, step)):
            cls._replaced = True

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name in _STEPS:
            self._replaced = True

    @property
    def takes_calls(self) -> bool:
        """Whether `take` may be called in place of `handle`."""
        return self._takes_moments and not self._replaced and self._has_own_steps()

    def _has_own_steps(self) -> bool:
        """Tell whether the class has the steps with which it was made.

        Asked at each record, and by identity: what wraps a step may say that it is equal.
        """
        kind, (handle, passes, emit) = type(self), self._own_steps
        return kind.handle is handle and kind.filter is passes and kind.emit is emit

    def start(self, *, watch_levels: bool = True) -> None:
        """Begin to tick, and to follow ``CRMLOGGING_LEVEL``; for the end of a constructor."""
        # Imported now: a fork while a thread's first bad record imports it would leave a child in
        # which the module stays locked.
        _nothing_allowed()
        # Asked at each record: an attribute of the object is read at a fraction of a class's cost.
        self._replaced, self._own_steps = self._replaced, self._own_steps
        ticking.watch(self)
        if watch_levels:
            levels.start()

    def handle(self, record: logging.LogRecord) -> bool:
        """Filter a copy of `record` and emit it; never raises."""
        outcome: Any
        try:
            order = None
            try:
                takes_moments, order = self.takes_calls, records.order_of(self.filters)
                if not takes_moments and is_foreign(self.filter):
                    outcome = records.run(records.filterable(record), (self.filter,))
                elif (holds := order.holds) is not None and holds(record):
                    return False
                else:
                    outcome = order.brief(record) if takes_moments else order.refine(record)
            except Exception as error:  # noqa: BLE001  # a broken filter: fail closed, lose nothing
                complain(f"{type(self).__name__}: filter", error)
                outcome = _nothing_allowed().project(record)
            if outcome is None:
                return False
            if outcome is not True and outcome is not False:
                self._emit_locked(outcome)
            if order is None or order.reporters:
                self.emit_due()
            return outcome is not False
        except RecursionError:  # so little stack is left that not even the error path runs
            try:
                tally.add("dropped.recursion")
            except RecursionError:
                pass
            return False

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
        """Emit what a call says, if it is known; tell whether that was done.

        Args:
            spoken: of the call.
            message: of the call.
            code: what makes the call.
            offset: of the instruction.
            args: of the message.
            fields: of the call; never changed.
            handlers: all that it goes to; this is the first. Either all of them emit it, or none.
            speaker: of the call, as in `records.is_given`.

        Returns:
            None where that is nothing to `learn`.
        """
        return None

    def learn(
        self,
        call: records.Call,
        fields: dict[str, Any],
        order: records.Order,
        moment: tuple[Any, ...],
    ) -> None:
        """Remember a call of which a moment was just taken, for `take_known`.

        Args:
            call: which that did not deal with.
            fields: of the call.
            order: of this handler's filters, which gave the moment.
            moment: the parts of that.
        """

    def take(self, parts: tuple[Any, ...], order: records.Order) -> None:
        """Emit what a call came to, of which no record was made.

        Args:
            parts: of its `Moment`.
            order: of this handler's filters, which gave them.

        Raises:
            RecursionError: so little stack is left that not even the error path runs.
        """
        moment = _moment(records.Moment, parts)
        try:
            outcome: Any = order.finish(moment) if order.left else moment
        except Exception as error:  # noqa: BLE001  # as in `handle`
            complain(f"{type(self).__name__}: filter", error)
            outcome = _nothing_allowed().project(records.deferred(moment))
        if outcome is None:
            return
        if outcome is not True and outcome is not False:
            self._emit_locked(outcome)
        if order.reporters:
            self.emit_due()

    def _emit_locked(self, record: Any) -> None:
        self.acquire()
        try:
            self.emit(record)
        except Exception:  # noqa: BLE001  # an emit that forgot: logging never raises
            self.handleError(record)
        finally:
            self.release()

    def emit_due(self, now: float | None = None) -> None:
        """Emit what the filters have ready: summaries of records they held back.

        Args:
            now: seconds since the epoch; `math.inf` (at flush and close) fetches all there is.
        """
        for each in records.order_of(self.filters).reporters:
            try:
                summaries = each.due(time.time() if now is None else now)
            except Exception as error:  # noqa: BLE001  # a filter's bug; logging never raises
                complain(f"{type(self).__name__}: filter", error)
                continue
            for summary in summaries:
                self._emit_locked(summary)

    def tick(self) -> None:
        """Called once a second by `crmlogging.ticking`."""
        self.emit_due()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        """Count the exception being handled; tell stderr its kind and place, nothing else."""
        error = sys.exc_info()[1]
        complain(type(self).__name__, error or "a record could not be written")

    def safe(self, record: logging.LogRecord) -> records.SafeRecord:
        """Return `record` if it is safe, else a projection in which nothing is allowed.

        For durable stores, which must never hold an unsafe record whatever the configuration.
        """
        # Not isinstance: a record's __class__ may lie.
        if issubclass(type(record), records.SafeRecord):
            return cast("records.SafeRecord", record)
        tally.add("unsafe_records")
        complain(
            type(self).__name__,
            "a record came without AllowlistFilter and was masked whole",
            hint=f"add an AllowlistFilter to the filters of this {type(self).__name__}",
        )
        return _nothing_allowed().project(record)
