"""Runs of a sync: what became of its records, whether it may go on, and one line at its end.

with sync_run("hubspot", "contact") as run:
    for contact in contacts:
        if run.should_abort:
            break
        try:
            send(contact)
        except ApiError as error:
            run.failed(error, contact.id)
        else:
            run.succeeded(contact.id)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from crmlogging.exceptions import Problems
from crmlogging.runs.run import SyncRun

__all__ = ["SyncRun", "sync_run"]


def sync_run(
    provider: str,
    resource: str,
    *,
    state: str | Path | None = None,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    **unknown: object,
) -> SyncRun:
    """Open a run: a context manager, for ``with`` and ``async with``, that yields a `SyncRun`.

    Inside it every record carries ``crm``, ``resource.type``, ``sync.run_id`` and a correlation
    id (that of the scope around it, if there is one). At its end one line sums up. An exception
    that leaves the block is counted and goes on its way. Runs nest.

    Args:
        provider: vendor slug, e.g. ``hubspot``.
        resource: what is synced, e.g. ``contact``.
        state: file by which runs know of each other (`crmlogging.runs.memory`): the last success,
            and transient failures that come back run after run and are raised to ERROR then.
        clock: seconds since the epoch.
        monotonic: seconds, for latencies.

    Raises:
        ConfigurationError: an option is unknown or cannot work.

    Example:
        >>> with sync_run("hubspot", "contact") as run:
        ...     run.succeeded("501")
        ...     run.failed("ReadTimeout: timed out", "502").category.value
        ...     run.should_abort, run.may_continue("503")
        'transient'
        (False, True)
    """
    problems = Problems("sync_run")
    problems.unknown(unknown, known=("state",))
    for name, value in (("provider", provider), ("resource", resource)):
        if not isinstance(value, str) or not value:
            problems.add(name, f"a name is due, not {type(value).__name__}")
    problems.paths(state=state)
    for name, clock_given in (("clock", clock), ("monotonic", monotonic)):
        if not callable(clock_given):
            problems.add(name, f"{clock_given!r} cannot be called")
    problems.raise_if_any()
    path = None if state is None else Path(state).absolute()
    return SyncRun(provider, resource, state=path, clock=clock, monotonic=monotonic)
