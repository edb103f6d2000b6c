"""What happened in a run, counted in bounded memory: outcomes, causes, times."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Final

from crmlogging.errors.model import CrmError

__all__ = ["Cause", "Causes", "Latencies", "Pending"]

_CAUSES_KEPT: Final = 1_000
_CAUSES_NAMED: Final = 50
_SAMPLES: Final = 2_048
_PENDING_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Cause:
    """Failures of one run with one fingerprint.

    Attributes:
        error: one of them.
        count: how many records.
    """

    error: CrmError
    count: int


class Causes:
    """Failures by fingerprint; beyond 1,000 fingerprints only their number is kept."""

    def __init__(self) -> None:
        self._examples: dict[str, CrmError] = {}
        self._counts: dict[str, int] = {}
        self.others = 0

    def add(self, error: CrmError) -> None:
        """Count one failure."""
        fingerprint = error.fingerprint
        if fingerprint in self._counts:
            self._counts[fingerprint] += 1
        elif len(self._counts) < _CAUSES_KEPT:
            self._examples[fingerprint] = error
            self._counts[fingerprint] = 1
        else:
            self.others += 1

    def __iter__(self) -> Iterator[Cause]:
        """Yield the causes, most frequent first."""
        ranked = sorted(self._counts.items(), key=lambda entry: -entry[1])
        return (Cause(self._examples[fingerprint], count) for fingerprint, count in ranked)

    def named(self, suffix: str = "") -> list[str]:
        """Return ``CODE:N`` of the most frequent, those of one code together."""
        totals: dict[str, int] = {}
        for cause in self:
            code = cause.error.code
            totals[code] = totals.get(code, 0) + cause.count
        names = [f"{code}{suffix}:{count}" for code, count in list(totals.items())[:_CAUSES_NAMED]]
        rest = self.others + sum(list(totals.values())[_CAUSES_NAMED:])
        return [*names, f"OTHER{suffix}:{rest}"] if rest else names


class Latencies:
    """The median of many times: exact for the first 2,047, then of an even sample of all."""

    def __init__(self) -> None:
        self._samples: list[float] = []
        self._step = 1
        self._seen = 0

    def add(self, milliseconds: float) -> None:
        """Take one time."""
        if self._seen % self._step == 0:
            self._samples.append(milliseconds)
            if len(self._samples) == _SAMPLES:
                self._samples = self._samples[::2]
                self._step *= 2
        self._seen += 1

    @property
    def median(self) -> float | None:
        """In milliseconds; None where nothing was timed."""
        ordered = sorted(self._samples)
        if not ordered:
            return None
        middle = len(ordered) // 2
        if len(ordered) % 2:
            return ordered[middle]
        return (ordered[middle - 1] + ordered[middle]) / 2


class Pending:
    """Records that were retried and whose outcome is open; of more than 10,000 the latest."""

    def __init__(self) -> None:
        self._errors: OrderedDict[Hashable, CrmError] = OrderedDict()

    def add(self, key: Hashable, error: CrmError) -> None:
        """Note that a record is tried again after `error`."""
        self._errors[key] = error
        self._errors.move_to_end(key)
        if len(self._errors) > _PENDING_KEPT:
            self._errors.popitem(last=False)

    def take(self, key: Hashable) -> CrmError | None:
        """Return the last error of a record whose outcome is known now, or None."""
        return self._errors.pop(key, None)
