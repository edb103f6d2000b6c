"""Orders: a handler's filters, sorted once, so that each runs no more often than it must."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any, Final, cast

from crmlogging.records.calls import Call, created_now
from crmlogging.records.identity import new_id
from crmlogging.records.safe_record import Moment, Outline, SafeRecord, copy_of, deferred
from crmlogging.records.stages import Answer, Stage, run, seen

__all__ = ["Order", "handlers_of", "is_held", "order_of", "refine", "takes_calls"]

_Filtering = Callable[[logging.LogRecord], "logging.LogRecord | bool"]
_Judging = Callable[[Moment], "bool | None"]
_Passing = Callable[[Outline], "bool | None"]
_Counting = Callable[[Outline, bytes, float], bool]


class Order:
    """A handler's filters, sorted once.

    Attributes:
        answer: returns the parts, but the id, of the moment that a call with these fields comes to
            before `finish`; None if it needs a record. It never changes the fields.
        enrich: what the filters before the last write on a call's fields, each as `Stage.enrich`;
            None where the last does not answer for a call, or others have more to say of it than
            `passes` tells.
        filters: all of them, in their order.
        holds: counts a record as held back, if that is all that the filters would do with it, and
            tells whether it did; None where none of them can (it offers ``early``).
        holds_call: does the same for a call of which no record was made.
        left: what the filters behind the leading stages do.
        counts: tells, by its line, that they count a record as held back, and has it counted.
        is_overridden: tells whether they take records only, by now; None where there are none.
        passes: tells what those do with every record of an `Outline`: True where they let it
            through, so that nothing is left to do but to ask the `reporters`; False where they do
            as `counts` tells; None where that takes a record. None itself where there are none.
        passes_all: they let every record through.
        reporters: those that may have records of their own ready (they offer ``due``).
        stages: the leading stages, which `answer` speaks for; equal ones are one tuple, so that
            identity tells.
    """

    __slots__ = (
        *("_answer", "_before", "_brief", "_calls", "_early", "_enrich", "_enriches", "_judge"),
        *("answer", "counts", "enrich", "filters", "holds", "holds_call", "is_overridden", "left"),
        *("passes", "passes_all", "reporters", "stages", "_writes"),
    )

    def __init__(self, stages: tuple[Stage, ...], rest: tuple[Any, ...]) -> None:
        self.filters = [*stages, *rest]
        self.stages = stages
        self._calls = tuple(map(_call, stages))
        self._writes = any(each.writes for each in stages)
        self.left = tuple(map(_call, rest))
        # Of the class: an object that has an answer to everything has none to this.
        tells = len(rest) == 1 and hasattr(type(rest[0]), "judge_moment")
        self._judge: _Judging | None = rest[0].judge_moment if tells else None
        self._brief = stages[-1].brief if stages and (not rest or tells) else None
        self._before = self._calls[:-1]
        self._answer = stages[-1].answer if stages else None
        self._enrich = tuple(each.enrich for each in stages[:-1] if each.enrich is not None)
        self._enriches = len(self._enrich) == len(stages) - 1
        if not self._enriches:
            self._answer = None
        self.answer = self._enriched if self._answer is None or self._enrich else self._answer
        self.passes_all = all(vars(type(each)).get("passes_all") for each in (*stages, *rest))
        early = getattr(type(rest[0]), "early", None) if rest else None
        self._early = None if early is None else early(rest[0], stages)
        self.holds = None if self._early is None else self._early.holds
        self.holds_call = None if self._early is None else self._early.holds_call
        self.reporters = tuple(each for each in (*stages, *rest) if hasattr(each, "due"))
        knows = tells and hasattr(type(rest[0]), "judge_outline")
        self.passes: _Passing | None = rest[0].judge_outline if knows else None
        self.counts: _Counting | None = rest[0].judge_line if knows else None
        self.is_overridden: Callable[[], bool] | None = rest[0].is_overridden if knows else None
        speaks = self._answer is not None and self.reporters == rest and (knows or not rest)
        self.enrich = self._enrich if speaks else None

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
        return deferred(outcome) if isinstance(outcome, Moment) else outcome or False

    def brief(self, record: logging.LogRecord) -> logging.LogRecord | Moment | bool | None:
        """Do the same, but answer with the `Moment` of the record to emit where one is enough.

        None where the record was counted as held back, and nobody has anything to report.
        """
        if self._brief is None or issubclass(type(record), SafeRecord):
            return self._refined(record)
        entry = seen.of(record)
        if entry.stages is self.stages:
            outcome = entry.refined
        else:
            if (written := entry.written) is not None:
                _, known, table, site = written
                if known.stages is self.stages:
                    table.leave(site)  # The next ones have their moment before any line.
            outcome = record
            if self._before:
                working = entry.enriched(record, self._enrich) if self._enriches else None
                outcome = working or entry.run(record, self._before, writes=self._writes)
            if isinstance(outcome, logging.LogRecord):
                entry.id = identity = entry.id or new_id()
                outcome = self._brief(outcome, identity)
            entry.stages, entry.refined = self.stages, outcome
        if self._judge is None or isinstance(outcome, bool):
            return outcome
        if isinstance(outcome, Moment):
            passes = self._judge(outcome)
            if passes is not None:
                return outcome if passes else None
            outcome = deferred(outcome)
        return self._run_left(record, outcome)

    def moment_of(self, record: logging.LogRecord) -> Moment | None:
        """Return what these very filters made of the record that was just handled."""
        entry = seen.of(record)
        refined = entry.refined if entry.stages is self.stages else None
        return refined if isinstance(refined, Moment) else None

    def _enriched(self, call: Call, extra: dict[str, Any]) -> Answer | None:
        if self._answer is None:
            return None
        extra = extra.copy()
        for enrich in self._enrich:
            if not enrich(extra):
                return None
        return self._answer(call, extra)

    def finish(self, moment: Moment) -> logging.LogRecord | Moment | bool | None:
        """Run the filters that `answer` does not speak for, if any are `left`.

        The moment itself stays where they pass its record without a look at more; None as in
        `brief`.
        """
        passes = None if self._judge is None else self._judge(moment)
        if passes is not None:
            return moment if passes else None
        return run(deferred(moment), self.left)

    def _refined(self, record: logging.LogRecord) -> logging.LogRecord | bool:
        stages = self.stages
        outcome: logging.LogRecord | Moment | bool
        if issubclass(type(record), SafeRecord):
            outcome = run(record, self._calls)
        elif not stages:
            outcome = copy_of(record)
        else:
            entry = seen.of(record)
            if entry.stages is stages:
                known = entry.refined
                outcome = deferred(known) if isinstance(known, Moment) else known
            else:
                outcome = entry.run(record, self._calls, writes=self._writes)
            if not outcome or isinstance(outcome, SafeRecord):
                entry.stages, entry.refined = stages, outcome
        if not self.left or isinstance(outcome, bool):
            return outcome
        return self._run_left(record, outcome)

    def _run_left(
        self, record: logging.LogRecord, outcome: logging.LogRecord
    ) -> logging.LogRecord | bool:
        """Run the filters behind the stages, which made `outcome` of `record`."""
        # Foreign filters may change what they get.
        last = copy_of(outcome) if isinstance(outcome, SafeRecord) else outcome
        if self._early is not None and isinstance(last, SafeRecord):
            self._early.learn(record, last)
        return run(last, self.left)


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


def handlers_of(logger: logging.Logger, level: int) -> list[Any]:
    """Return the handlers that what is logged to `logger` goes to."""
    found: list[Any] = []
    each: logging.Logger | None = logger
    while each is not None:
        for handler in each.handlers:
            if level >= handler.level:
                found.append(handler)  # noqa: PERF401  # a comprehension is one more call on 3.11
        each = each.parent if each.propagate else None
    return found


def takes_calls(handler: Any) -> bool:
    """Tell whether `handler` is one of ours that can do without records."""
    # Of the class: an object that has an answer to everything has none to this.
    return hasattr(type(handler), "takes_calls") and bool(handler.takes_calls)


def is_held(
    logger: logging.Logger,
    frame: FrameType,
    level: int,
    message: object,
    extra: dict[str, Any],
    raised: BaseException,
) -> bool:
    """Have a failure counted that the only handler it goes to holds back; tell whether it was.

    Args:
        logger: to which it is logged, and which lets it through.
        frame: of the call.
        extra: fields of the call; never changed.
        raised: the exception that is logged.
    """
    handlers = handlers_of(logger, level)
    if len(handlers) != 1 or not takes_calls(only := handlers[0]):
        return False
    holds_call = order_of(only.filters).holds_call
    if holds_call is None:
        return False
    call = level, message, frame.f_code.co_filename, frame.f_lineno
    return bool(holds_call(call, frame, extra, raised, created_now()))


def _call(each: Any) -> _Filtering:
    """Return what a filter does; a subclass of ours that overrides `filter` does that."""
    if isinstance(each, Stage) and type(each).filter is Stage.filter:
        return each.refine
    # logging takes any callable as a filter, and asks for `filter` at each record.
    return _Late(each) if hasattr(each, "filter") else cast("_Filtering", each)


class _Late:
    """A foreign filter, whose `filter` may be replaced at any time."""

    __slots__ = ("_filter",)

    def __init__(self, each: Any) -> None:
        self._filter = each

    def __call__(self, record: logging.LogRecord) -> Any:
        return self._filter.filter(record)
