"""The lines of a run: one a record, one for each failure that persists, one at its end.

Their place is that of the caller: where it reports an outcome, or where its ``with`` stands.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final

from crmlogging.errors.model import CrmError
from crmlogging.errors.record_fields import error_fields, request_fields

__all__ = [
    *("RATE_REASONS", "Ending", "tell_failure", "tell_persisting", "tell_success"),
    "tell_summary",
]

RATE_REASONS: Final = frozenset(("RATE_LIMITED", "CONCURRENCY_LIMIT"))
"""Reasons of which people say "rate limited"."""

_PERSISTING_TOLD: Final = 10
_ROOM: Final = os.path.dirname((lambda: None).__code__.co_filename) + os.sep

_logger: Final = logging.getLogger("crmlogging.sync")


class Ending(Enum):
    """How a run came to its end."""

    GOOD = 0
    RATE_LIMITED = 1
    RETRIED = 2
    WITH_FAILURES = 3
    ABORTED = 4
    BROKEN = 5
    INTERRUPTED = 6


def tell_success(fields: Mapping[str, Any]) -> None:
    """Log a record that went through."""
    if _logger.isEnabledFor(logging.INFO):
        _logger.info("Synced a record", extra=fields, stacklevel=_stack_level())


def tell_failure(fields: Mapping[str, Any], meaning: CrmError | None, error: object) -> None:
    """Log a record that failed for good; `error` is what was thrown or answered."""
    if _logger.isEnabledFor(logging.ERROR):
        exception = error if isinstance(error, BaseException) else None
        extra, level = _with(meaning, fields), _stack_level()
        _logger.error("Failed to sync a record", exc_info=exception, extra=extra, stacklevel=level)


def tell_persisting(about: Mapping[str, Any], errors: Iterable[CrmError]) -> None:
    """Log failures that pass by themselves as a rule, and did not in several runs."""
    level = _stack_level()
    for error in list(errors)[:_PERSISTING_TOLD]:
        extra = _with(error, about, own=False)
        _logger.error(
            "A transient failure persists over several runs", extra=extra, stacklevel=level
        )


def tell_summary(
    fields: Mapping[str, Any],
    ending: Ending,
    stopper: CrmError | None,
) -> None:
    """Log the line that sums up; with it what stops the run, if something does."""
    extra, level = _with(stopper, fields, own=False), _stack_level()
    if ending is Ending.GOOD:
        _logger.info("Sync run finished", extra=extra, stacklevel=level)
    elif ending is Ending.RATE_LIMITED:
        _logger.info(
            "Sync run finished: rate limited, retried successfully", extra=extra, stacklevel=level
        )
    elif ending is Ending.RETRIED:
        _logger.info("Sync run finished: retried successfully", extra=extra, stacklevel=level)
    elif ending is Ending.WITH_FAILURES:
        _logger.warning("Sync run finished with failures", extra=extra, stacklevel=level)
    elif ending is Ending.ABORTED:
        _logger.error("Sync run aborted", extra=extra, stacklevel=level)
    elif ending is Ending.BROKEN:
        _logger.error("Sync run ended by an exception", extra=extra, stacklevel=level)
    else:
        _logger.warning("Sync run interrupted", extra=extra, stacklevel=level)


def _stack_level() -> int:
    """Return the `stacklevel` that leads from the calling function to who uses the run."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_ROOM):
        level, frame = level + 1, frame.f_back
    return level


def _with(error: CrmError | None, fields: Mapping[str, Any], *, own: bool = True) -> dict[str, Any]:
    """Return `fields` and what tells of `error`; `own`: also what tells of its one request."""
    if error is None:
        return dict(fields)
    written = error_fields(error)
    if own:
        return {**request_fields(error), **written, **fields}
    # By its fingerprint a line about the run would be held back as one more of the failure's.
    del written["error.fingerprint"]
    return {**written, **fields}
