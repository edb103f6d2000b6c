"""What is wrong between loggers: levels, duplicates, filters out of place, one file twice."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from typing import Any

from crmlogging.checking.findings import Finding
from crmlogging.checking.tree import Tree
from crmlogging.filters.grouping import GroupingFilter
from crmlogging.handlers.durable_handler import DurableHandler
from crmlogging.records import Stage

__all__ = ["findings_between", "findings_on_document", "findings_on_places"]


def findings_between(tree: Tree) -> Iterator[Finding]:
    """Yield what is wrong with the loggers of `tree`."""
    yield from _filters(tree)
    yield from _duplicates(tree)
    yield from _levels(tree)
    below = logging.root.manager.disable
    if below:
        yield Finding(
            "disabled-level",
            "logging.disable",
            f"logging.disable({logging.getLevelName(below)}) drops records of every logger",
        )
    disabled = [logger.name for logger in tree.loggers if logger.disabled]
    if disabled:
        yield Finding(
            "disabled-loggers",
            ", ".join(disabled[:5]) + (", ..." if len(disabled) > 5 else ""),
            "disabled: what they log is lost; set disable_existing_loggers to false",
        )


def _filters(tree: Tree) -> Iterator[Finding]:
    for logger in tree.loggers:
        for each in logger.filters:
            if isinstance(each, Stage | GroupingFilter):
                yield Finding(
                    "filter-on-logger",
                    logger.name,
                    f"{type(each).__name__} stands on the logger, where it misses the records of "
                    "child loggers; put it on the handlers",
                )


def _duplicates(tree: Tree) -> Iterator[Finding]:
    told: set[logging.Handler] = set()
    for logger in tree.loggers:
        seen: set[logging.Handler] = set()
        for direct in tree.way_of(logger):
            for handler in (direct, *tree.behind(direct)):
                if handler in seen and handler not in told:
                    told.add(handler)
                    yield Finding(
                        "duplicate",
                        tree.handlers[handler],
                        f"it gets each record of {logger.name} more than once; take it off one "
                        "of the loggers or handlers, or set propagate to false",
                    )
                seen.add(handler)


def _levels(tree: Tree) -> Iterator[Finding]:
    for handler, name in tree.handlers.items():
        for source, lowest in _lowest_levels(handler, tree):
            if handler.level and handler.level < lowest:
                yield Finding(
                    "level",
                    name,
                    f"it asks for {logging.getLevelName(handler.level)}, but {source} lets "
                    f"nothing below {logging.getLevelName(lowest)} through",
                    problem=False,
                )


def _lowest_levels(handler: logging.Handler, tree: Tree) -> Iterator[tuple[str, int]]:
    if tree.is_last_resort(handler):
        return
    if tree.holders(handler):
        levels = [
            logger.getEffectiveLevel()
            for logger in tree.loggers
            if handler in tree.way_of(logger) and not logger.disabled
        ]
        if levels:
            yield "every logger before it", min(levels)
    for queue in tree.before(handler):
        yield tree.handlers[queue], queue.level


def findings_on_document(
    document: Mapping[str, Any] | None, tree: Tree, *, silenced: bool
) -> Iterator[Finding]:
    """Yield what only loading, or the document, shows.

    Args:
        document: the one that was applied, if known.
        silenced: a logger made before loading is disabled since.
    """
    if silenced:
        yield Finding(
            "disable-existing-loggers",
            "disable_existing_loggers",
            "it is true (the default): loggers that modules made before stay silent; set it to "
            "false",
        )
    if document is None:
        return
    root = document.get("root", document.get("loggers", {}).get(""))
    if isinstance(root, Mapping) and root.get("handlers") and root.get("level") is None:
        yield Finding(
            "no-level", "root", "it has no level: below WARNING all is dropped", problem=False
        )
    used = {handler.name for handler in tree.handlers}
    for name in document.get("handlers", {}):
        if name not in used:
            yield Finding("unused", name, "no logger and no handler uses it", problem=False)


def findings_on_places(tree: Tree, meant: Mapping[logging.Handler, str]) -> Iterator[Finding]:
    """Yield what is wrong with the files and buckets that handlers were configured with."""
    names: dict[str, list[str]] = {}
    for handler, place in meant.items():
        if handler not in tree.handlers:
            continue
        name = tree.handlers[handler]
        where = place if place.startswith("s3://") else os.path.realpath(place)
        names.setdefault(where, []).append(name)
        if not place.startswith("s3://"):
            yield from _of_directory(handler, name, place)
    for where, several in names.items():
        if len(several) > 1:
            yield Finding(
                "same-place",
                ", ".join(several),
                f"they all write to {where}: lines come twice, and rotation of one loses the "
                "other's",
            )


def _of_directory(handler: logging.Handler, name: str, place: str) -> Iterator[Finding]:
    directory = os.path.dirname(place)
    existing = directory
    while not os.path.lexists(existing) and os.path.dirname(existing) != existing:
        existing = os.path.dirname(existing)
    if existing != directory and not isinstance(handler, DurableHandler):
        yield Finding(
            "no-directory",
            name,
            f"here {directory} does not exist, and {type(handler).__name__} does not make it",
            problem=False,
        )
    elif not os.path.isdir(existing) or not os.access(existing, os.W_OK | os.X_OK):
        yield Finding(
            "unwritable", name, f"here this user cannot write in {existing}", problem=False
        )
    elif existing != directory:
        yield Finding("new-directory", name, f"it makes {directory}", problem=False)
