"""Patterns with a mark, a text that every match holds, and the pieces that they are made of.

Hardly one is ever searched: each is compiled when a text first has its mark, for compiling all of
them takes longer than anything else about a process's first error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

__all__ = [
    *("AND", "CLOSE", "NAME", "NOUN", "OPEN", "PATH", "WORD"),
    *("Marked", "any_of", "groups_in", "marked"),
]

WORD: Final = r"([A-Za-z_][A-Za-z0-9_]{0,63})"
NAME: Final = r"([A-Za-z_][A-Za-z0-9_.\[\]-]{0,63})"
PATH: Final = r"([A-Za-z_][A-Za-z0-9_]{0,40}(?:(?:\.|\[)[A-Za-z0-9_\]]{1,40}){0,6})"
OPEN: Final = r"(?:[\"'`„\u2018\u201c]|«[ \u00a0]?)"
CLOSE: Final = r"(?:[\"'`\u2019\u201c\u201d]|[ \u00a0]?»)"
AND: Final = r"(?:, | or | and |, or |, and )"
NOUN: Final = (
    r"(?:(?:field|attribute|column|param(?:eter)?|element|argument|property)"
    r"(?:\(s\)|s|(?!\(s\)))|properties)"
)
"""What says of the word beside it that it is a field."""


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


def any_of(*sources: str) -> Marked:
    """Return alternatives, in each of which one group takes part."""
    return Marked("", "|".join(sources))


def groups_in(patterns: Iterable[Marked], text: str, lower: str) -> Iterator[str]:
    """Yield what those of `patterns` find whose marks `text` holds; `lower` is its lower case."""
    for pattern in patterns:
        if pattern.mark in lower:
            yield from pattern.groups(text)
