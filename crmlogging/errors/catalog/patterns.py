"""What a condition looks for: alternatives, each compiled only when a text has what it needs.

To compile all patterns of the catalog takes a tenth of a second; most processes meet few of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property

from crmlogging.errors.catalog.literals import Needs, needs_of

__all__ = ["Alternative", "Data", "Pattern", "as_data", "source_of"]

Data = str | list[str | list[str]]
"""An alternative as data: plain text, or an expression and the texts that it needs."""


def as_data(source: str) -> Data:
    """Return an alternative as data.

    Example:
        >>> as_data("slow down"), as_data("rate[- ]?limit")
        ('slow down', ['rate[- ]?limit', ['limit'], ['rate']])
    """
    needs = needs_of(source)
    return source if needs == ((source,),) else [source, *map(list, needs)]


def source_of(data: Data) -> str:
    """Return the expression of an alternative as data."""
    return data if isinstance(data, str) else str(data[0])


class Alternative:
    """One expression, searched in text of the case that it is written in.

    Attributes:
        source: the expression.
        needs: texts that every match contains.
    """

    __slots__ = ("_search", "needs", "source")

    def __init__(self, data: Data) -> None:
        self.needs: Needs
        if isinstance(data, str):
            self.source, self.needs = data, ((data,),)
        else:
            source, *needs = data
            self.source, self.needs = str(source), tuple(map(tuple, needs))
        self._search: Callable[[str], object] | None = None

    def found_in(self, text: str) -> bool:
        """Whether it occurs in `text`."""
        for texts in self.needs:
            for each in texts:
                if each in text:
                    break
            else:
                return False
        search = self._search
        if search is None:
            search = self._search = self._made()
        return search(text) is not None

    def _made(self) -> Callable[[str], object]:
        if self.needs == ((self.source,),):
            return _found  # plain text, that is there
        return re.compile(self.source).search


def _found(text: str) -> object:
    return text


class Pattern:
    """Alternatives, any of which may be found.

    Args:
        data: of each alternative, see `as_data`.
    """

    def __init__(self, data: Sequence[Data]) -> None:
        self._data = data

    @cached_property
    def alternatives(self) -> tuple[Alternative, ...]:
        """The alternatives, in order."""
        return tuple(map(Alternative, self._data))

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """Their expressions."""
        return tuple(map(source_of, self._data))

    def found_in(self, text: str) -> bool:
        """Whether one of the alternatives occurs in `text`."""
        return any(each.found_in(text) for each in self.alternatives)
