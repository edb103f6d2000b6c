"""What a handler knows of the calls whose lines it writes straight, by their place."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from crmlogging import records

__all__ = ["Known", "KnownCalls", "Site"]

_CALLS_KEPT: Final = 1_024
_KNOWN_A_SITE: Final = 8

Known: TypeAlias = """tuple[
    Any, object, records.Spoken, list[Any], logging.Formatter | None,
    tuple[Callable[[dict[str, Any]], bool], ...], Any, str, Callable[[Any], bool] | None,
    tuple[records.Stage, ...],
]"""
"""A call whose lines are written straight.

Its outline, message, and what is spoken; the handler's filters and formatter when it was learned;
what the filters before the last add to its fields; what makes the line, and the line's tier; what
tells that the filters behind those that lead have nothing to say, and those that lead themselves.
"""
Site: TypeAlias = "tuple[int, object, int]"
"""An id of what makes the call, where that stands, and how many fields there are."""


class KnownCalls(dict[Site, tuple[Known, ...]]):
    """Known calls, the last first; a site without any is one that is `left`."""

    def keep(self, site: Site, one: Known) -> None:
        """Remember a call, and of the others at its site those that still hold."""
        others = [each for each in self.get(site, ()) if (each[3], each[4]) == (one[3], one[4])]
        if sum(len(each) or 1 for each in [*self.values()]) >= _CALLS_KEPT:
            self.clear()
        self[site] = (one, *others[: _KNOWN_A_SITE - 1])

    def holds(self, site: Site, outline: object, filters: object, formatter: object) -> bool:
        """Tell whether a call of `outline` is known."""
        return any(
            each[0] is outline and (each[3], each[4]) == (filters, formatter)
            for each in self.get(site, ())
        )

    def prefer(self, site: Site, one: Known) -> None:
        """Have `one` asked sooner the next time; two that take turns stay where they are."""
        found = self.get(site, ())
        if all(one is not each for each in found[:2]):
            self[site] = (one, *(each for each in found if each is not one))

    def leave(self, site: Site) -> None:
        """Write no more lines of a site straight.

        For where another handler takes moments of the same records: once there is a moment, a
        line costs less than any that is written straight.
        """
        self[site] = ()

    def is_left(self, site: Site) -> bool:
        """Tell whether lines of a site are not to be written straight."""
        return self.get(site) == ()
