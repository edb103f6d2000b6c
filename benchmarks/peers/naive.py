"""What teams write themselves for redaction: a handful of names, a regular expression or two.

In place, at the top level only, knowing nothing of types, messages or exceptions: the least that
makes the lines of these benchmarks equal.
"""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from typing import Any, Final

from benchmarks.registry import Place
from benchmarks.workloads import MASKED, SECRETS

__all__ = ["NaiveFilter", "correlation", "mask", "mask_url"]

correlation: Final[ContextVar[str | None]] = ContextVar("correlation", default=None)
_EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
_NUMBER: Final = re.compile(r"/\d+")


def mask(scenario: str, fields: dict[str, Any]) -> None:
    """Mask the secrets in `fields`; with S2b also stamp the id and scrub the text."""
    for name in SECRETS:
        if name in fields:
            fields[name] = MASKED if scenario != "S2b" or name != "api_key" else _last4(fields)
    if scenario == "S2b":
        fields["correlation_id"] = correlation.get()
        fields["campaign.name"] = _EMAIL.sub("[EMAIL]", fields["campaign.name"])


def _last4(fields: dict[str, Any]) -> str:
    return f"****{fields['api_key'][-4:]}"


def mask_url(url: str) -> str:
    """Return the path of a URL without its query and without numbers."""
    return _NUMBER.sub("/{id}", url.partition("?")[0])


class NaiveFilter(logging.Filter):
    """The same as a filter of the standard library."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._scenario = place.scenario

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record in place."""
        if self._scenario == "S2t":
            *before, url, version, status, length = record.args or ()
            record.args = (*before, mask_url(str(url)), version, status, length)
        elif self._scenario == "S2f":
            record.msg = _EMAIL.sub("[EMAIL]", record.msg)
        else:
            mask(self._scenario, record.__dict__)
        return True


def filters_of(place: Place) -> list[logging.Filter]:
    """Return the filters a peer's handler needs in this scenario."""
    return [NaiveFilter(place)] if place.scenario.startswith("S2") else []
