"""Pieces: a function or class of a source file, cut out of its text.

A program of ten thousand lines takes a second to parse, a function of it no time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

__all__ = ["beginning_of", "pieces_from"]

_ENDS_TRIED: Final = 4
_NEXT: Final = re.compile(r"^[^\s#)\]}]", re.MULTILINE)
_WITHIN: Final = re.compile(r"[\s)\]}]")


def beginning_of(lines: Sequence[str], name: str, line: int) -> int | None:
    """Return how many lines stand before the definition of `name`, decorators included.

    Args:
        lines: of the whole source, without their ends.
        name: of a function or class at the left edge; the last one that begins before the line.
        line: in it, from 1.
    """
    definition = re.compile(rf"(?:async[ \t]+def|def|class)[ \t]+{re.escape(name)}\b")
    before = reversed(range(min(line, len(lines))))  # Another version of the file may be shorter.
    found = next((at for at in before if definition.match(lines[at])), None)
    above = found or 0
    while above and (lines[above - 1].startswith("@") or _WITHIN.match(lines[above - 1])):
        above -= 1
        if lines[above].startswith("@"):
            found = above
    return found


def pieces_from(lines: Sequence[str], start: int, line: int) -> Iterator[str]:
    """Yield what may be the definition, behind as many empty lines as stand before it.

    A line at the left edge may begin a statement or stand in a text of several lines: whoever
    takes a piece has to compile it, and to compare that with what runs.

    Args:
        lines: of the whole source, without their ends.
        start: `beginning_of` the definition.
        line: in it, from 1.
    """
    head = "\n" * start + "\n".join(lines[start:line]) + "\n"
    rest = "\n".join(lines[line:])
    for tried, following in enumerate(_NEXT.finditer(rest)):
        if tried == _ENDS_TRIED:
            return
        yield head + rest[: following.start()]
    yield head + rest
