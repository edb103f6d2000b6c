"""Patterns with a mark: a text that every match holds, so that hardly one is ever searched.

Each is compiled when a text first has its mark: compiling all of them takes longer than anything
else about a process's first error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

__all__ = ["Marked", "groups_in", "marked"]


class Marked:
    """A pattern without regard to case.

    Args:
        mark: what every match holds, in lower case.
        source: of the pattern; in each match one group takes part.
    """

    __slots__ = ("_pattern", "mark", "source")

    def __init__(self, mark: str, source: str) -> None:
        self.mark = mark
        self.source = source
        self._pattern: re.Pattern[str] | None = None

    def groups(self, text: str) -> Iterator[str]:
        """Yield the group of each match."""
        pattern = self._pattern
        if pattern is None:
            pattern = self._pattern = re.compile(self.source, re.IGNORECASE)
        for match in pattern.finditer(text):
            yield match[match.lastindex or 0]


def marked(*pairs: tuple[str, str]) -> tuple[Marked, ...]:
    """Return patterns of marks and sources."""
    return tuple(Marked(mark, source) for mark, source in pairs)


def groups_in(patterns: Iterable[Marked], text: str, lower: str) -> Iterator[str]:
    """Yield what those of `patterns` find whose marks `text` holds; `lower` is its lower case."""
    for pattern in patterns:
        if pattern.mark in lower:
            yield from pattern.groups(text)
