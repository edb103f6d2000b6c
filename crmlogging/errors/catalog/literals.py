"""Which patterns can match a text at all: by the plain text that each of them needs.

Most patterns cannot match without certain plain text: ``too many (?:requests|calls)`` needs
"too many ", and one of "requests" and "calls". Asking a text once for its groups of three letters
is far cheaper than searching it with every pattern, or than compiling them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, TypedDict

from crmlogging.errors.text.late import late

__all__ = ["Index", "Needs", "Numbers", "needs_of", "numbers_of"]

Needs = tuple[tuple[str, ...], ...]
"""Of each group every match contains one; the foremost group tells most."""

_GRAM: Final = 3
# A run of plain characters, a class, an escape, a quantifier, the beginning or end of a group,
# anything else.
_ATOM: Final = late(
    r"(?P<quantifier>[?*+]|\{\d*,?\d*\})"
    r"|(?P<run>[A-Za-z0-9 '\"/,:;!#%&@<>=_~\u0080-\uffff-]+)"
    r"|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<escape>\\.)"
    r"|(?P<look>\(\?(?:[=!]|<[=!]))|(?P<group>\((?:\?:)?)|(?P<end>\))|(?P<bar>\|)|(?P<other>.)",
    re.DOTALL,
)
_OPTIONAL: Final = late(r"[?*]|\{0?,|\{0\}")
_REPEATED: Final = late(r"[?*+{]")
_UNUSUAL: Final = late(r"\(\?(?![:=!]|<[=!])|\\[xuUN0-9]")
"""Flags, names, conditions, codes of characters: letters that are no text to be found."""


def needs_of(source: str) -> Needs:
    r"""Return texts that every match of `source` contains; none where that cannot be told.

    Example:
        >>> needs_of(r"(?:daily|monthly) (?:\S+ )?cap")
        (('daily', 'monthly'), ('cap',))
        >>> needs_of(r"\bcolou?rs? of \d+")
        (('colo',), (' of ',))
        >>> needs_of(r"\w+ (?:not )?a")
        ()
    """
    if _UNUSUAL.search(source):
        return ()
    return tuple(sorted(_needs(source, 0)[0], key=_telling, reverse=True))


def _needs(source: str, at: int) -> tuple[Needs, int]:
    """Read up to the end of a group, or of all; return what it needs and where it ends."""
    branches: list[list[tuple[str, ...]]] = [[]]
    while at < len(source):
        atom = _ATOM.match(source, at)
        assert atom is not None  # its last alternative takes anything
        at, kind = atom.end(), atom.lastgroup
        if kind == "end":
            break
        if kind == "bar":
            branches.append([])
        elif kind == "run":
            # A quantifier is about the last character alone.
            run = atom[0][:-1] if _REPEATED.match(source, at) else atom[0]
            if len(run) > 1:
                branches[-1].append((run,))
        elif kind in ("group", "look"):
            inner, at = _needs(source, at)
            if kind == "group" and not _OPTIONAL.match(source, at):
                branches[-1].extend(inner)
    if len(branches) == 1:
        return tuple(branches[0]), at
    if not all(branches):
        return (), at
    texts = (text for branch in branches for text in max(branch, key=_telling))
    return (tuple(dict.fromkeys(texts)),), at


def _telling(texts: tuple[str, ...]) -> tuple[int, int]:
    """Order groups of texts by how much they tell: the longest, of these the fewest."""
    return min(map(len, texts)), -len(texts)


class Numbers(TypedDict):
    """An index as data.

    Attributes:
        count: how many patterns there are.
        always: numbers of those without needs.
        grams: three letters to the numbers of the patterns that need them.
    """

    count: int
    always: list[int]
    grams: dict[str, list[int]]


def numbers_of(patterns: Sequence[Needs]) -> Numbers:
    """Return the index of patterns that need such texts."""
    looked_for = [_indexed(needs) for needs in patterns]
    counts = Counter(gram for texts in looked_for for text in texts for gram in _grams(text))
    grams: dict[str, list[int]] = {}
    for number, texts in enumerate(looked_for):
        rarest = {min(_grams(text), key=lambda gram: (counts[gram], gram)) for text in texts}
        for gram in sorted(rarest):
            grams.setdefault(gram, []).append(number)
    always = [number for number, texts in enumerate(looked_for) if not texts]
    return {"count": len(patterns), "always": always, "grams": grams}


def _indexed(needs: Needs) -> tuple[str, ...]:
    """Return the texts to find a pattern by; none if one of them is too short to be looked for."""
    texts = needs[0] if needs else ()
    return texts if all(map(_grams, texts)) else ()


class Index:
    """Finds, of many patterns, the few that may match a text.

    Args:
        parts: indexes as data; the patterns of each are counted on from those before.
    """

    def __init__(self, *parts: Numbers) -> None:
        self._always: list[int] = []
        self._by_gram: dict[str, list[int]] = {}
        first = 0
        for part in parts:
            self._always += _counted_on(part["always"], first)
            if first == 0:
                self._by_gram = part["grams"]
            else:
                self._by_gram = {**self._by_gram}
                for gram, numbers in part["grams"].items():
                    known = self._by_gram.get(gram, [])
                    self._by_gram[gram] = [*known, *_counted_on(numbers, first)]
            first += part["count"]

    def possible(self, text: str) -> list[int]:
        """Return the numbers of the patterns that may match, in order."""
        by_gram = self._by_gram
        numbers = set(self._always)
        for gram in by_gram.keys() & _grams(text):
            numbers.update(by_gram[gram])
        return sorted(numbers)


def _counted_on(numbers: Iterable[int], first: int) -> list[int]:
    return [number + first for number in numbers]


def _grams(text: str) -> list[str]:
    grams = [text[at : at + _GRAM] for at in range(len(text) - _GRAM + 1)]
    if not text.isascii():
        pairs = [text[at : at + _GRAM - 1] for at in range(len(text) - _GRAM + 2)]
        grams += [pair for pair in pairs if not pair.isascii()]
    return grams
