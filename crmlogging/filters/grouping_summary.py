"""One group of identical records within a window, and the record that sums it up."""

from __future__ import annotations

import datetime
import logging
import math
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from crmlogging.fields import MISFIT, SHAPES
from crmlogging.records import STANDARD_ATTRIBUTES, SafeRecord, record_id

if TYPE_CHECKING:
    from crmlogging.redaction.projection import Projection

__all__ = ["IDS_PER_SUMMARY", "ID_CHARACTERS", "Group", "summary_of"]

Show = Callable[[object], object]

ID_CHARACTERS: Final = 128
IDS_PER_SUMMARY: Final = 1_000

# What all records of a group have in common, or what leads to one example of them.
_SHARED: Final = (
    *("crm", "tenant.code", "resource.type", "correlation_id"),
    *("error.code", "error.category", "error.provider_code", "error.summary", "error.retryable"),
    *("error.actionable", "error.owner", "error.tier", "error.fix_url", "error.fingerprint"),
    *("error.type",),
)


class Group:
    """Identical records of one window: how many came, and what was held back since the last word.

    Attributes:
        started: time of the window's first record, in seconds since the epoch.
        produced: records of the window so far, passed and held back.
        suppressed: records held back that no summary has counted yet.
        first, last: times of those.
        ids: ``resource.id`` of those, in order, without repetition: as it may be shown, or as it
            came and what tells how that is shown, which only a summary needs.
        example: the first of those.
        calm: as long as fewer were produced, and until `ends`, one more is only to be counted.
        number: its name in the journal of `crmlogging.filters.grouping_state`.
    """

    __slots__ = (
        *("calm", "ends", "example", "first", "ids", "last", "number", "produced", "started"),
        "suppressed",
    )

    def __init__(self, started: float) -> None:
        self.started = self.ends = started
        self.number = 0
        self.produced = 0
        self.forget()

    def forget(self) -> None:
        """Begin to count anew, after a summary."""
        self.calm = 0
        self.suppressed = 0
        self.first = self.last = 0.0
        self.ids: dict[object, Show | None] = {}
        self.example: SafeRecord | None = None

    def hold(self, record: logging.LogRecord, now: float, *, ids_left: int) -> int:
        """Count `record` as held back; return how many ids were newly kept (0 or 1)."""
        if self.example is None:
            self.example = _safe(record)
            self.first = self.last = now
        self.suppressed += 1
        self.first, self.last = min(self.first, now), max(self.last, now)
        if ids_left <= 0 or len(self.ids) >= IDS_PER_SUMMARY:
            return 0
        return self.keep(record.__dict__.get("resource.id"))

    def keep(self, identity: object) -> int:
        """Keep the id of a resource, as it may be shown; return how many were new (0 or 1)."""
        if not _is_id(identity) or identity in self.ids:
            return 0
        self.ids[identity] = None
        return 1

    def shown_ids(self) -> list[object]:
        """Return the ids as they may be shown."""
        shown = [each if show is None else show(each) for each, show in self.ids.items()]
        return list(dict.fromkeys(filter(_is_id, shown)))


def _is_id(identity: object) -> bool:
    return identity is not None and SHAPES["id"](identity) is not MISFIT


def summary_of(group: Group, now: float) -> SafeRecord | None:
    """Return the summary of what `group` held back, and forget it; None where that is nothing."""
    example = group.example
    if example is None:
        return None
    told = vars(example)
    attributes: dict[str, Any] = {
        name: value for name, value in told.items() if name in STANDARD_ATTRIBUTES
    }
    attributes.update((name, told[name]) for name in _SHARED if name in told)
    created = now if math.isfinite(now) else time.time()
    attributes.update(
        {
            "msg": f"{example.msg} ({group.suppressed} more held back)",
            "created": created,
            "msecs": float(int(created % 1 * 1_000)),
            "relativeCreated": example.relativeCreated + (created - group.first) * 1_000,
            "error.suppressed": group.suppressed,
            "error.suppressed_first": _rfc3339(group.first),
            "error.suppressed_last": _rfc3339(group.last),
        }
    )
    if ids := group.shown_ids():
        attributes["error.suppressed_ids"] = ids
    attributes.pop("message", None)  # what an earlier formatter rendered from the example
    group.forget()
    summary = SafeRecord(attributes)
    attributes["record.id"] = record_id(summary)
    return summary


def _rfc3339(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _safe(record: logging.LogRecord) -> SafeRecord:
    """Return `record` if safe, else what the ``@crm`` fields let through of it."""
    return record if isinstance(record, SafeRecord) else _crm_only().project(record)


@cache
def _crm_only() -> Projection:
    from crmlogging.redaction.projection import Projection

    return Projection(("@crm",))
