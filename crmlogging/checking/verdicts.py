"""What protects each handler, and what is wrong with where its filters stand."""

from __future__ import annotations

import logging
import logging.handlers
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from crmlogging.checking.findings import Finding
from crmlogging.checking.tree import Tree, class_name, is_guarded
from crmlogging.filters.allowlist import AllowlistFilter
from crmlogging.filters.correlation import CorrelationFilter
from crmlogging.filters.errors import ErrorFilter
from crmlogging.filters.grouping import GroupingFilter
from crmlogging.handlers.durable_handler import DurableHandler
from crmlogging.handlers.safe_handler import SafeHandler
from crmlogging.records import Stage

__all__ = ["PROTECTED", "findings_on", "formatter_of", "verdict_on"]

PROTECTED: Final = "protected"
UNPROTECTED: Final = "unprotected"
MASKED: Final = "masked whole"
SILENT: Final = "writes nothing"
_CONTEXT: Final = (CorrelationFilter, ErrorFilter)
_NEAR_QUEUE: Final = (AllowlistFilter, CorrelationFilter, ErrorFilter)
_PROBE: Final = "qzx made at run time"


def verdict_on(handler: logging.Handler, tree: Tree) -> str:
    """Return what happens to values on their way into `handler`."""
    if isinstance(handler, logging.NullHandler):
        return SILENT
    protector = tree.protector(handler)
    if protector is not None:
        return PROTECTED if is_guarded(handler) else f"{PROTECTED} by {protector}"
    if isinstance(handler, DurableHandler):
        return MASKED
    return SILENT if _only_forwards(handler, tree) else UNPROTECTED


def _only_forwards(handler: logging.Handler, tree: Tree) -> bool:
    """A queue or buffer keeps records in memory; what is behind it has verdicts of its own."""
    kinds = (logging.handlers.QueueHandler, logging.handlers.MemoryHandler)
    return isinstance(handler, kinds) and bool(tree.targets(handler))


def findings_on(handler: logging.Handler, tree: Tree) -> Iterator[Finding]:
    """Yield what is wrong with `handler` as it stands in `tree`."""
    name = tree.handlers[handler]
    if tree.is_last_resort(handler):
        if not is_guarded(handler):
            yield _last_resort(tree)
        return
    for row in (
        *_protection(handler, tree),
        *_order(handler.filters),
        *_behind_queue(handler, tree),
        *_grouping(handler, tree),
        *_in_place(handler, tree),
        *_options(handler),
    ):
        yield Finding(row.code, name, row.text, row.problem)


class _Row(NamedTuple):
    code: str
    text: str
    problem: bool = True


def _last_resort(tree: Tree) -> Finding:
    names = tree.without_handler()
    who = "root has no handler" if "root" in names else f"no handler gets what {names[0]} logs"
    return Finding(
        "last-resort",
        "logging.lastResort",
        f"{who}: warnings and errors go to stderr in clear; give it a protected handler",
    )


def _protection(handler: logging.Handler, tree: Tree) -> Iterator[_Row]:
    verdict = verdict_on(handler, tree)
    if verdict == UNPROTECTED:
        yield _Row(
            UNPROTECTED,
            "no AllowlistFilter stands on it or before it: it writes every value; add one to "
            "its filters, or put it behind an AsyncHandler that has one",
        )
    elif verdict == MASKED:
        yield _Row(
            "unfiltered",
            "it has no AllowlistFilter, so every value and message is masked; add one",
        )


def _order(filters: Iterable[Any]) -> Iterator[_Row]:
    kinds = [type(each) for each in filters]
    at = next((n for n, kind in enumerate(kinds) if issubclass(kind, AllowlistFilter)), None)
    if at is None:
        return
    for kind in kinds[at + 1 :]:
        if issubclass(kind, _CONTEXT):
            yield _Row(
                "filter-order",
                f"{kind.__name__} stands after AllowlistFilter and has no effect; put it before",
            )
        elif not issubclass(kind, Stage | GroupingFilter):
            yield _Row(
                "filter-after",
                f"the filter {kind.__module__}.{kind.__qualname__} stands after "
                "AllowlistFilter and may write what it likes on the record",
                problem=False,
            )
    for wanted in _CONTEXT:
        if not any(issubclass(kind, wanted) for kind in kinds):
            yield _Row("no-context", f"it has no {wanted.__name__}", problem=False)


def _behind_queue(handler: logging.Handler, tree: Tree) -> Iterator[_Row]:
    for queue in tree.before(handler):
        if tree.protector(queue) is not None:
            continue
        for each in handler.filters:
            if isinstance(each, _NEAR_QUEUE):
                yield _Row(
                    "filter-behind-queue",
                    f"{type(each).__name__} stands behind {tree.handlers[queue]}, where "
                    f"context and call site are gone; put it on {tree.handlers[queue]}",
                )


def _grouping(handler: logging.Handler, tree: Tree) -> Iterator[_Row]:
    if not any(isinstance(each, GroupingFilter) for each in handler.filters):
        return
    for each in (handler, *tree.behind(handler)):
        if isinstance(each, DurableHandler | logging.FileHandler):
            yield _Row(
                "grouped-archive",
                f"GroupingFilter stands before the archive {tree.handlers[each]}, which then "
                "misses lines; group only before people",
            )


def _in_place(handler: logging.Handler, tree: Tree) -> Iterator[_Row]:
    """Python 3.11 takes no other record from a filter, so ours changes the caller's."""
    stages = any(isinstance(each, Stage) for each in handler.filters)
    if sys.version_info >= (3, 12) or isinstance(handler, SafeHandler) or not stages:
        return
    later: dict[str, None] = {}
    for logger in tree.loggers:
        way = tree.way_of(logger)
        if handler in way:
            later.update((tree.handlers[e], None) for e in way[way.index(handler) + 1 :])
    if later:
        yield _Row(
            "in-place",
            "it is not one of crmlogging's: on Python 3.11 its filters change the record for "
            f"the handlers after it too ({', '.join(later)}); from 3.12 on they do not",
            problem=False,
        )


def _options(handler: logging.Handler) -> Iterator[_Row]:
    for each in handler.filters:
        if not isinstance(each, AllowlistFilter):
            continue
        shown = _shown_by(each, {"msg": _PROBE, "args": None})
        if shown.get("msg") == _PROBE:
            yield _Row(
                "any-message",
                'its AllowlistFilter has messages="any": texts built at run time come out with '
                "their values, scrubbed only",
            )
        facts = {"request.attempt": 1, "crm": "check"}
        shown = _shown_by(each, facts)
        if not any(shown.get(name) == value for name, value in facts.items()):
            yield _Row(
                "no-crm-fields",
                'its AllowlistFilter does not list "@crm": crm, error.code and the '
                "other safe fields are masked",
                problem=False,
            )


def _shown_by(allowlist: AllowlistFilter, attributes: Mapping[str, Any]) -> dict[str, Any]:
    outcome = allowlist.refine(logging.makeLogRecord({"name": "check", **attributes}))
    return vars(outcome) if isinstance(outcome, logging.LogRecord) else {}


def formatter_of(handler: logging.Handler) -> str:
    """Return the name of the class that makes the lines of `handler`."""
    if handler.formatter is None and isinstance(handler, DurableHandler):
        return "crmlogging.JsonFormatter"
    return "" if handler.formatter is None else class_name(handler.formatter)
