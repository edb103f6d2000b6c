"""Sharing: one line of a known call for all the handlers that know it."""

from __future__ import annotations

from typing import Any

from crmlogging.diagnostics import tally
from crmlogging.handlers.known_calls import Known, Site

__all__ = ["hand_on", "sharing"]


def sharing(handlers: list[Any], site: Site, known: Known) -> list[tuple[Any, Known]] | None:
    """Return what all `handlers` but the first know of a call; None if its line is another."""
    found = []
    for handler in handlers[1:]:
        # Of the class: an object that has an answer to everything has none to this.
        shares = getattr(type(handler), "shares", None)
        same = None if shares is None else shares(handler, site, known)
        if same is None:
            return None
        found.append((handler, same))
    return found


def hand_on(others: list[tuple[Any, Known]], line: bytes, level: int, created: float) -> None:
    """Have other handlers take the line of a call, which the first has taken."""
    for handler, known in others:
        try:
            take = handler._take_line if known.counts is None else handler._judge_line
            take(known, line, level, created, None)
        except RecursionError:  # so little stack is left that not even the error path runs
            try:
                tally.add("dropped.recursion")
            except RecursionError:
                pass
