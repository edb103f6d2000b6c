"""What a `GroupingFilter` tells of records before they are made: by their call, moment or line.

Most records of a storm are only to be counted, and progress is not even that. Our handlers ask
here first, and make a record where the filter has more to do with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import orjson

from crmlogging.filters.grouping_key import Key, decides, grouped, grouped_line, has_no_key
from crmlogging.records import Moment, Outline, Stage

__all__ = ["Judging"]


class Judging(logging.Filter):
    """Base of `GroupingFilter`, which keeps the groups."""

    _usual: tuple[Callable[..., object], ...] = ()
    """The `filter` of the class that knows what is asked here."""

    def _hold(self, key: Key, now: object, resource: object, shown: Callable[..., object]) -> bool:
        """Count a record of a group as held back; False where `filter` has more to do with it.

        Args:
            now: seconds since the epoch.
            resource: its ``resource.id``, of which `shown` tells how that may be shown.
        """
        raise NotImplementedError

    def is_overridden(self) -> bool:
        """Tell whether somebody has a `filter` of their own: they see every record."""
        return type(self).filter is not self._usual[0] or "filter" in self.__dict__

    def judge_outline(self, outline: Outline) -> bool | None:
        """Tell what `filter` does with all records of `outline`.

        Returns:
            True where it lets them through, and counts none of them; False where each belongs to
            a group, as `judge_line` tells; None where it takes the record to tell.
        """
        if self.is_overridden():
            return None
        names = [each.line for each in outline.arguments or ()]
        if has_no_key(outline, names):
            return True
        return None if any(map(decides, names)) else False

    def judge_moment(self, moment: Moment) -> bool | None:
        """Do what `filter` does with the record of `moment`; None where that takes the record."""
        if has_no_key(moment.outline, more := moment.more):
            return None if self.is_overridden() else True
        if more:
            return None
        key, resource = grouped(moment)
        return False if self._hold(key, moment.created, resource, orjson.loads) else None

    def judge_line(self, outline: Outline, line: bytes, created: float) -> bool:
        """Count the record that a line tells as held back; False where that takes the record.

        Args:
            outline: of the record; `judge_outline` says False of it.
            created: seconds since the epoch.
        """
        key, resource = grouped_line(outline, line)
        return self._hold(key, created, resource, _as_it_is)

    def early(self, stages: tuple[Stage, ...]) -> object:
        """Return what tells, before `stages` run, of records that are only to be counted.

        That is a `crmlogging.filters.grouping_early.Early`, or None; our handlers ask it.
        """
        if type(self).filter is not self._usual[0]:
            return None
        from crmlogging.filters.grouping_early import Early  # Here: it brings the other filters.

        return Early(stages, self._hold) if Early.fits(stages) else None


def _as_it_is(value: Any) -> Any:
    return value
