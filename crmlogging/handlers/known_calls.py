"""What a handler knows of the calls whose lines it writes straight, by their place."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias

from crmlogging import records

__all__ = ["Known", "KnownCalls", "Site"]

_CALLS_KEPT: Final = 1_024
_KNOWN_A_SITE: Final = 8


class Known(NamedTuple):
    """A call whose lines are written straight.

    Attributes:
        message: which the call has each time.
        filters: the handler's when the call was learned, as is its `formatter`.
        enrich: what the filters before the last add to its fields.
        straight: makes the line.
        tier: of the line.
        is_overridden: tells whether the filters behind the leading `stages` take only records by
            now; None where there are none.
        counts: tells that those count a line as held back; None where they pass all.
    """

    outline: Any
    message: object
    spoken: records.Spoken
    filters: list[Any]
    formatter: logging.Formatter | None
    enrich: tuple[Callable[[dict[str, Any]], bool], ...]
    straight: Any
    tier: str
    is_overridden: Callable[[], bool] | None
    stages: tuple[records.Stage, ...]
    counts: Callable[[Any, bytes, float], bool] | None


Site: TypeAlias = "tuple[int, object, int]"
"""An id of what makes the call, where that stands, and how many fields there are."""


class KnownCalls(dict[Site, tuple[Known, ...]]):
    """Known calls, the last first; a site without any is one that is `left`."""

    def keep(self, site: Site, one: Known) -> None:
        """Remember a call, and of the others at its site those that still hold."""
        now = one.filters, one.formatter
        others = [each for each in self.get(site, ()) if (each.filters, each.formatter) == now]
        if sum(len(each) or 1 for each in [*self.values()]) >= _CALLS_KEPT:
            self.clear()
        self[site] = (one, *others[: _KNOWN_A_SITE - 1])

    def holds(self, site: Site, outline: object, filters: object, formatter: object) -> bool:
        """Tell whether a call of `outline` is known."""
        return any(
            each.outline is outline and (each.filters, each.formatter) == (filters, formatter)
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
