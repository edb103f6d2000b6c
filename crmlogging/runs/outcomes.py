"""The numbers of a run: how many, why, how fast, when last. Its caller holds the lock."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Hashable
from contextvars import ContextVar, Token
from typing import Any, Final

from crmlogging.errors.model import CrmError
from crmlogging.runs.counting import Causes, Latencies, Pending

__all__ = ["Outcomes"]

# Run id and time of the last outcome in this thread or task.
_mark: Final[ContextVar[tuple[str, float]]] = ContextVar("crmlogging_sync_mark", default=("", 0.0))


class Outcomes:
    """Counts what became of the records of one run.

    Attributes:
        succeeded, failed: records so far.
        retried: of those that succeeded, how many were retried before.
        causes: failures for good; `solved`: retries that led to a success; by fingerprint.
        pending: records that were retried and whose outcome is open.
    """

    def __init__(
        self, run_id: str, clock: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        self.succeeded = self.failed = self.retried = 0
        self.causes, self.solved = Causes(), Causes()
        self.pending = Pending()
        self._run_id = run_id
        self._clock = clock
        self._monotonic = monotonic
        self._latencies = Latencies()
        self._last_success: float | None = None

    def begin(self) -> Token[tuple[str, float]]:
        """Start the clock of the first record; return what `end` takes."""
        return _mark.set((self._run_id, self._monotonic()))

    def end(self, token: Token[tuple[str, float]]) -> None:
        """Give the clock back to the run around this one."""
        try:
            _mark.reset(token)
        except ValueError:
            pass  # entered in another context: there is nothing to give back

    def add_success(self, key: Hashable, latency_ms: float | None) -> None:
        """Count a record that went through."""
        self.succeeded += 1
        self._last_success = self._clock()
        self._time(latency_ms)
        retried = self.pending.take(key)
        if retried is not None:
            self.retried += 1
            self.solved.add(retried)

    def add_failure(self, key: Hashable, latency_ms: float | None, error: CrmError | None) -> None:
        """Count a record that failed for good."""
        self.failed += 1
        self._time(latency_ms)
        self.pending.take(key)
        if error is not None:
            self.causes.add(error)

    def _time(self, latency_ms: float | None) -> None:
        now = self._monotonic()
        run_id, since = _mark.get()
        if latency_ms is None and run_id == self._run_id:
            latency_ms = (now - since) * 1_000
        if latency_ms is not None and latency_ms >= 0:
            self._latencies.add(float(latency_ms))
        _mark.set((self._run_id, now))

    @property
    def last_success(self) -> str | None:
        """When a record last went through, RFC 3339, or None."""
        if self._last_success is None:
            return None
        moment = datetime.datetime.fromtimestamp(self._last_success, datetime.UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def fields(self) -> dict[str, Any]:
        """Return the numbers as fields of the summary."""
        total = self.succeeded + self.failed
        fields: dict[str, Any] = {"sync.succeeded": self.succeeded, "sync.failed": self.failed}
        if total:
            fields["sync.success_rate"] = round(self.succeeded / total, 4)
        if self.retried:
            fields["sync.retried"] = self.retried
        latency = self._latencies.median
        if latency is not None:
            fields["sync.latency_ms"] = round(latency, 3)
        groups = [*self.causes.named(), *self.solved.named(".retried")]
        if groups:
            fields["sync.groups"] = groups
        return fields
