"""Rate-limit headers as numbers, in the spellings vendors use.

``X-RateLimit-*`` (most vendors), ``RateLimit-*`` and ``RateLimit`` (IETF draft), HubSpot's windows,
Salesforce's ``Sforce-Limit-Info``, Dynamics' ``x-ms-ratelimit-*``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from crmlogging.errors.answers.delays import header_delay
from crmlogging.errors.text.late import late

__all__ = ["Limits", "limits_of"]

_LIMITS: Final = (
    *("x-ratelimit-limit", "ratelimit-limit", "x-rate-limit-limit", "x-hubspot-ratelimit-max"),
    *("x-hubspot-ratelimit-secondly", "x-hubspot-ratelimit-daily", "x-ratelimit-limit-requests"),
)
_REMAINING: Final = (
    *("x-ratelimit-remaining", "ratelimit-remaining", "x-rate-limit-remaining"),
    *("x-hubspot-ratelimit-remaining", "x-hubspot-ratelimit-secondly-remaining"),
    *("x-hubspot-ratelimit-daily-remaining", "x-ms-ratelimit-burst-remaining-xrm-requests"),
    "x-ratelimit-remaining-requests",
)
_NAMES: Final = frozenset((*_LIMITS, *_REMAINING, "sforce-limit-info", "ratelimit"))
_NUMBER: Final = late(r"\s*(\d{1,12})\b")
_DRAFT: Final = late(r"\b(limit|remaining|r)=(\d{1,12})")
_USAGE: Final = late(r"api-usage=(\d{1,12})/(\d{1,12})")


class Limits(NamedTuple):
    """What headers tell of a rate limit; None where they tell nothing."""

    limit: int | None
    remaining: int | None
    reset_seconds: float | None


_NONE: Final = Limits(None, None, None)


def limits_of(headers: Mapping[str, str]) -> Limits:
    """Return what `headers` (lower-case names) tell of a rate limit.

    Example:
        >>> limits_of({"x-ratelimit-limit": "83", "x-ratelimit-remaining": "0"})
        Limits(limit=83, remaining=0, reset_seconds=None)
    """
    if _NAMES.isdisjoint(headers):
        return _NONE
    limit, remaining = _first(headers, _LIMITS), _first(headers, _REMAINING)
    usage = _USAGE.search(headers.get("sforce-limit-info", ""))
    if usage is not None:
        limit = int(usage[2])
        remaining = max(0, limit - int(usage[1]))
    for name, number in _DRAFT.findall(headers.get("ratelimit", "")):
        if name == "limit":
            limit = limit if limit is not None else int(number)
        else:
            remaining = remaining if remaining is not None else int(number)
    if limit is None and remaining is None:
        return _NONE
    reset_only = {k: v for k, v in headers.items() if "retry" not in k and k != _REMAINING[0]}
    return Limits(limit, remaining, header_delay(reset_only, limited=True))


def _first(headers: Mapping[str, str], names: tuple[str, ...]) -> int | None:
    for name in names:
        match = _NUMBER.match(headers.get(name, ""))
        if match is not None:
            return int(match[1])
    return None
