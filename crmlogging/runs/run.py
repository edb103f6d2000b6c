"""`SyncRun`: one run of a sync, from its first record to the line that sums it up."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from crmlogging import context
from crmlogging.errors.model import CrmError
from crmlogging.errors.record_fields import error_of
from crmlogging.runs import telling
from crmlogging.runs.blocking import Blocking
from crmlogging.runs.counting import Cause
from crmlogging.runs.memory import ESCALATE_AFTER, Memory, Remembered
from crmlogging.runs.outcomes import Outcomes

__all__ = ["SyncRun"]

_runs: Final[weakref.WeakSet[SyncRun]] = weakref.WeakSet()


class SyncRun:
    """Counts what becomes of a run's records; see `crmlogging.sync_run`, which makes it.

    Every method may be called from any thread, and none raises for what it is told.

    Attributes:
        run_id: 16 hex digits, ``sync.run_id`` of all its lines.
        provider, resource: what is synced.
    """

    def __init__(
        self,
        provider: str,
        resource: str,
        *,
        state: Path | None,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self.run_id = os.urandom(8).hex()
        self.provider = provider
        self.resource = resource
        self._memory = None if state is None else Memory(state)
        # Re-entrant, since a signal handler or a destructor may report in the middle of a call.
        self._lock = threading.RLock()
        self._outcomes = Outcomes(self.run_id, clock, monotonic)
        self._blocking = Blocking()
        self._last_failure: tuple[int, str] | None = None
        self._ended_by: CrmError | None = None
        self._scope: context.Scope | None = None
        self._about: dict[str, Any] = {}
        _runs.add(self)

    # ------------------------------------------------------------ outcomes

    def succeeded(
        self, resource_id: Hashable | None = None, *, latency_ms: float | None = None
    ) -> None:
        """Count a record that went through; INFO.

        Args:
            resource_id: its id.
            latency_ms: time it took; without it, since the last outcome in this thread or task.
        """
        with self._lock:
            self._outcomes.add_success(_key(resource_id), latency_ms)
            self._blocking.succeeded()
        telling.tell_success(self._fields(resource_id, "succeeded"))

    def failed(
        self,
        error: object = None,
        resource_id: Hashable | None = None,
        *,
        latency_ms: float | None = None,
    ) -> CrmError | None:
        """Count a record that failed for good, and say why; ERROR.

        Args:
            error: `CrmError`, exception or its text, or response of an HTTP client.
            resource_id: its id.
            latency_ms: as for `succeeded`.

        Returns:
            What the error means, or None where nothing is known of it.
        """
        return self._failed(error, resource_id, latency_ms, "failed")

    def dead_lettered(
        self, error: object = None, resource_id: Hashable | None = None
    ) -> CrmError | None:
        """Count a record that failed and was put aside for later; ERROR."""
        return self._failed(error, resource_id, None, "dead_lettered")

    def _failed(
        self,
        error: object,
        resource_id: Hashable | None,
        latency_ms: float | None,
        outcome: str,
    ) -> CrmError | None:
        meaning = error_of(error, provider=self.provider)
        with self._lock:
            self._outcomes.add_failure(_key(resource_id), latency_ms, meaning)
            if meaning is not None:
                self._blocking.failed(meaning, resource_id)
                self._last_failure = (id(error), meaning.fingerprint)
        telling.tell_failure(self._fields(resource_id, outcome), meaning, error)
        return meaning

    def retried(self, error: object, resource_id: Hashable | None = None) -> CrmError | None:
        """Note that a record is tried again after `error`; no line of its own.

        If it succeeds then, the summary says so and how often. Without `resource_id` it is the
        record whose outcome this thread reports next.
        """
        meaning = error_of(error, provider=self.provider)
        if meaning is not None:
            with self._lock:
                self._outcomes.pending.add(_key(resource_id), meaning)
        return meaning

    def _fields(self, resource_id: Hashable | None, outcome: str) -> dict[str, Any]:
        fields = {**self._about, "sync.outcome": outcome}
        if resource_id is not None:
            fields["resource.id"] = resource_id
        return fields

    # ------------------------------------------------------------ going on

    @property
    def should_abort(self) -> bool:
        """Whether the next record would fail like the last: stop, and have somebody act.

        A destination that cannot be reached counts too, until a record goes through again.
        """
        return self._blocking.everything is not None

    @property
    def reason_to_abort(self) -> CrmError | None:
        """The failure that stops every record, or None."""
        return self._blocking.everything

    def may_continue(
        self,
        resource_id: Hashable | None = None,
        *,
        action: str | None = None,
        fields: Iterable[str] = (),
    ) -> bool:
        """Whether a record may be sent, after what failed so far.

        No, if every record is stopped, if this one failed with what no retry solves, if its kind
        of write is stopped (a plan's limit, a missing scope), or if it carries a field that the
        connected user may not write.

        Args:
            resource_id: of the record.
            action: ``create``, ``update``, ``delete`` ...; without it, any of them.
            fields: names of the fields that would be written.
        """
        with self._lock:
            return self._blocking.allows(resource_id, action, fields)

    @property
    def causes(self) -> tuple[Cause, ...]:
        """The failures by fingerprint, most frequent first."""
        with self._lock:
            return tuple(self._outcomes.causes)

    @property
    def counts(self) -> tuple[int, int]:
        """Records that succeeded and records that failed, so far."""
        return self._outcomes.succeeded, self._outcomes.failed

    # ------------------------------------------------------------ beginning and end

    def __enter__(self) -> Self:
        if self._scope is not None:
            raise RuntimeError("a sync_run is entered once; make another")
        outer = context.current()
        self._about = {
            "crm": self.provider,
            "resource.type": self.resource,
            "sync.run_id": self.run_id,
        }
        self._scope = context.correlation(outer.id, **self._about)
        # For threads, which start outside any scope.
        self._about["correlation_id"] = self._scope.__enter__()
        self._token = self._outcomes.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._scope is None:
            return
        with self._lock:
            if isinstance(error, Exception):
                self._broke_off(error)
            remembered = self._remember()
            summary = {**self._about, **self._outcomes.fields()}
            if remembered.last_success is not None:
                summary["sync.last_success"] = remembered.last_success
            persisting = [
                cause.error
                for cause in self._outcomes.causes
                if remembered.runs.get(cause.error.fingerprint, 0) >= ESCALATE_AFTER
            ]
        telling.tell_persisting(self._about, persisting)
        stopper = self._ended_by or self._blocking.everything
        telling.tell_summary(summary, self._ending(error), stopper)
        self._outcomes.end(self._token)
        self._scope.__exit__(kind, error, traceback)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)

    def _broke_off(self, error: Exception) -> None:
        """Count the exception that ends the run, unless `failed` was told of it already."""
        self._ended_by = error_of(error, provider=self.provider)
        fingerprint = "" if self._ended_by is None else self._ended_by.fingerprint
        if self._last_failure != (id(error), fingerprint):
            self._outcomes.add_failure(_key(None), None, self._ended_by)
            if self._ended_by is not None:
                self._blocking.failed(self._ended_by, None)

    def _ending(self, error: BaseException | None) -> telling.Ending:
        if error is not None:
            broken = isinstance(error, Exception)
            return telling.Ending.BROKEN if broken else telling.Ending.INTERRUPTED
        if self.should_abort:
            return telling.Ending.ABORTED
        if self._outcomes.failed:
            return telling.Ending.WITH_FAILURES
        if not self._outcomes.retried:
            return telling.Ending.GOOD
        solved = self._outcomes.solved
        limits = all(cause.error.reason in telling.RATE_REASONS for cause in solved)
        return telling.Ending.RATE_LIMITED if limits else telling.Ending.RETRIED

    def _remember(self) -> Remembered:
        outcomes = self._outcomes
        last = outcomes.last_success
        if self._memory is None:
            return Remembered(last, {})
        lasting = frozenset(c.error.fingerprint for c in outcomes.causes if c.error.retryable)
        empty = not (outcomes.succeeded or outcomes.failed)
        tenant = context.current().fields.get("tenant.code", "")
        sync = f"{self.provider[:64]}/{str(tenant)[:128]}/{self.resource[:64]}"
        return self._memory.update(sync, last_success=last, causes=None if empty else lasting)


def _key(resource_id: Hashable | None) -> Hashable:
    return ("thread", threading.get_ident()) if resource_id is None else resource_id


def _after_fork() -> None:
    """Renew the locks that another thread may have held at the fork."""
    for each in list(_runs):
        each._lock = threading.RLock()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
