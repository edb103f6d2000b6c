"""Taking values back out of a rendered text, only where no other split fits.

A text ``a=1 b=2`` of the template ``a={} b={}`` has one split; ``x-y-z`` of ``{}-{}`` has two.
The leftmost and the rightmost way to place the literals (what a lazy and a greedy regular
expression find) agree exactly when there is one way only. Both are found in linear time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from crmlogging.redaction.judging import compiled

__all__ = ["Cut", "cut_at", "fits", "split"]

Cut = Callable[[str], "tuple[str, ...] | None"]
"""Takes values back out of a text; None where `split` has none, or where all are empty."""


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


def cut_at(literals: Sequence[str], longest: int) -> Cut:
    """Return what does as `split` does with these literals, at a fraction of the cost.

    Args:
        literals: of which one at least is not empty.
        longest: characters of a text; none is taken out of a longer one.
    """
    names: dict[str, Any] = {f"literal{at}": each for at, each in enumerate(literals)}
    last, between = len(literals) - 1, range(1, len(literals) - 1)
    size = sum(map(len, literals))
    lines = [
        f" if not {size} < len(text) <= {longest}:",
        "  return None",
        f" if not (text.startswith(literal0) and text.endswith(literal{last})):",
        "  return None",
        f" begin0, limit = {len(literals[0])}, len(text) - {len(literals[last])}",
    ]
    for at in between:
        lines += [
            f" end{at - 1} = text.find(literal{at}, begin{at - 1}, limit)",
            f" if end{at - 1} < 0:",
            "  return None",
            f" begin{at} = end{at - 1} + {len(literals[at])}",
        ]
    lines.append(" end = limit")
    for at in reversed(between):
        lines += [
            f" end = text.rfind(literal{at}, begin0, end)",
            f" if end != end{at - 1}:",
            "  return None",
        ]
    lines.append(f" end{last - 1} = limit")
    values = "".join(f"text[begin{at}:end{at}], " for at in range(last))
    cut: Cut = compiled("def show(text):", [*lines, f" return ({values})"], names)
    return cut


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
