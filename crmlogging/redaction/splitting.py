"""Taking values back out of a rendered text, only where no other split fits.

A text ``a=1 b=2`` of the template ``a={} b={}`` has one split; ``x-y-z`` of ``{}-{}`` has two.
The leftmost and the rightmost way to place the literals (what a lazy and a greedy regular
expression find) agree exactly when there is one way only. Both are found in linear time.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["fits", "split"]


def fits(text: str, literals: Sequence[str]) -> bool:
    """Tell whether `text` consists of `literals` in order, with anything between them."""
    return _leftmost(text, literals) is not None


def split(text: str, literals: Sequence[str]) -> tuple[str, ...] | None:
    """Return what stands between the `literals`, or None when that is not unambiguous.

    Args:
        text: the rendered message.
        literals: one more than there are values; the first and the last may be empty.

    Example:
        >>> split("Created 7 of 9", ("Created ", " of ", ""))
        ('7', '9')
        >>> split("x-y-z", ("", "-", "")) is None
        True
    """
    first = _leftmost(text, literals)
    if first is None or first != _rightmost(text, literals):
        return None
    return tuple(text[start:end] for start, end in first)


def _leftmost(text: str, literals: Sequence[str]) -> list[tuple[int, int]] | None:
    if len(literals) == 1:
        return [] if text == literals[0] else None
    start, limit = len(literals[0]), len(text) - len(literals[-1])
    if start > limit or not text.startswith(literals[0]) or not text.endswith(literals[-1]):
        return None
    gaps = []
    for literal in literals[1:-1]:
        found = text.find(literal, start, limit)
        if found < 0:
            return None
        gaps.append((start, found))
        start = found + len(literal)
    return [*gaps, (start, limit)]


def _rightmost(text: str, literals: Sequence[str]) -> list[tuple[int, int]] | None:
    if len(literals) == 1:
        return [] if text == literals[0] else None
    start, limit = len(literals[0]), len(text) - len(literals[-1])
    gaps = []
    for literal in reversed(literals[1:-1]):
        found = text.rfind(literal, start, limit)
        if found < 0:
            return None
        gaps.append((found + len(literal), limit))
        limit = found
    return [(start, limit), *reversed(gaps)]
