"""Which rules can match a text at all: an index by three letters of what each of them needs.

Most patterns cannot match without certain plain text: ``too many (?:requests|calls)`` needs
"too many ". Asking a text once for its groups of three letters is far cheaper than searching it
with every pattern.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

__all__ = ["Index", "needed"]

_GRAM: Final = 3
# A run of plain characters, a class, an escape, a quantifier, the beginning or end of a group,
# anything else.
_ATOM: Final = re.compile(
    r"(?P<quantifier>[?*+]|\{\d*,?\d*\})|(?P<run>[a-z0-9 '\"/,:;!#%&@<>=_~\u0080-\uffff-]+)"
    r"|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<escape>\\.)"
    r"|(?P<look>\(\?(?:[=!]|<[=!]))|(?P<group>\((?:\?:)?)|(?P<end>\))|(?P<bar>\|)|(?P<other>.)",
    re.DOTALL,
)
_OPTIONAL: Final = re.compile(r"[?*]|\{0?,|\{0\}")
_REPEATED: Final = re.compile(r"[?*+{]")

Texts = frozenset[str]


def needed(source: str) -> Texts | None:
    r"""Return texts of which every match of `source` contains one; None where there are none.

    Example:
        >>> sorted(needed(r"(?:daily|monthly) (?:\S+ )?cap"))
        ['daily', 'monthly']
        >>> needed(r"\bcolou?rs? of \d+")
        frozenset({'colo'})
        >>> needed(r"\w+ (?:not )?a") is None
        True
    """
    return _alternatives(source, 0)[0]


def _alternatives(source: str, at: int) -> tuple[Texts | None, int]:
    """Read up to the end of a group, or of all; return what it needs and where it ends."""
    parts: list[Texts | None] = []
    found: list[Texts] = []
    while at < len(source):
        atom = _ATOM.match(source, at)
        assert atom is not None  # its last alternative takes anything
        at, kind = atom.end(), atom.lastgroup
        if kind == "end":
            break
        if kind == "bar":
            parts.append(_best(found))
            found = []
        elif kind == "run":
            # A quantifier is about the last character alone.
            run = atom[0][:-1] if _REPEATED.match(source, at) else atom[0]
            found.append(frozenset((run,)))
        elif kind in ("group", "look"):
            inner, at = _alternatives(source, at)
            if inner is not None and kind == "group" and not _OPTIONAL.match(source, at):
                found.append(inner)
    parts.append(_best(found))
    texts = frozenset(text for part in parts if part is not None for text in part)
    return (None if None in parts else texts), at


def _best(found: list[Texts]) -> Texts | None:
    """Return the texts that tell most: the longest, of these the fewest."""
    usable = [texts for texts in found if all(map(_tells, texts))]
    return max(usable, key=lambda texts: (min(map(len, texts)), -len(texts)), default=None)


def _tells(text: str) -> bool:
    """Whether `text` is rare enough to look for: two signs say as much where signs are words."""
    return len(text) >= _GRAM or (len(text) == _GRAM - 1 and not text.isascii())


class Index:
    """Finds, of many patterns, those that can match a text.

    Args:
        patterns: of each entry, its alternatives in lower case; an entry without any always can.
    """

    def __init__(self, patterns: Sequence[Sequence[str]]) -> None:
        texts = [_needed_by(sources) for sources in patterns]
        grams = Counter(gram for each in texts for text in each or () for gram in _grams(text))
        self._always = [number for number, each in enumerate(texts) if each is None]
        self._by_gram: dict[str, list[tuple[str, int]]] = {}
        for number, each in enumerate(texts):
            for text in each or ():
                rarest = min(_grams(text), key=lambda gram: (grams[gram], gram))
                self._by_gram.setdefault(rarest, []).append((text, number))

    def possible(self, text: str) -> list[int]:
        """Return the numbers of the entries that can match, in order."""
        by_gram = self._by_gram
        numbers = set(self._always)
        for gram in by_gram.keys() & _grams(text):
            numbers.update([number for needed, number in by_gram[gram] if needed in text])
        return sorted(numbers)


def _needed_by(sources: Sequence[str]) -> Texts | None:
    parts = [needed(source) for source in sources]
    if not parts or None in parts:
        return None
    return frozenset(text for part in parts for text in part or ())


def _grams(text: str) -> list[str]:
    grams = [text[at : at + _GRAM] for at in range(len(text) - _GRAM + 1)]
    if not text.isascii():
        pairs = [text[at : at + _GRAM - 1] for at in range(len(text) - _GRAM + 2)]
        grams += [pair for pair in pairs if not pair.isascii()]
    return grams
