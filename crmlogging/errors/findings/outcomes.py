"""What keys tell of success and failure: ``status``, ``success``, ``failedCount`` and the like.

Each function takes what those of `crmlogging.errors.findings.values` take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmlogging.errors.findings.finding import Finding
from crmlogging.errors.findings.roles import Below, Key, Role

if TYPE_CHECKING:
    from crmlogging.errors.findings.reading import Reading

__all__ = ["take_failures", "take_state", "take_success"]


def take_state(
    reading: Reading, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
) -> None:
    """``status`` is a number, "success" or "error", a code, or an object of its own."""
    kind = type(value)
    if kind is int:
        into.note_status(value)
    elif kind is bool:
        into.failed = not value
    elif kind is dict:
        below.append((Role.ERRORS, key.plain, value))
    elif kind is str:
        before = into.failed
        if into.note_outcome(value):
            if reading.good and into.failed and into.is_a_record(node):
                into.failed = before  # a failed payment that was found
        elif key.plain != "state" and (not reading.good or into.failed):
            into.note_code(value, key.rank, reading.ranks.get(spelled), reading.status)


def take_success(
    reading: Reading, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
) -> None:
    """``success`` is true, false, a number or a word."""
    if isinstance(value, str):
        into.note_outcome(value)
    elif isinstance(value, (bool, int)):
        into.failed = not value


def take_failures(
    reading: Reading, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
) -> None:
    """``failed`` is a number, true, or the list of what failed."""
    if isinstance(value, list):
        if value:
            into.failed = True
            below.append((Role.ERRORS, key.plain, value))
    elif value in (True, "true") or (isinstance(value, int) and value > 0):
        into.failed = True
    elif into.failed is None:
        into.failed = False
