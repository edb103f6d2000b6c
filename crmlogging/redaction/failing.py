"""Failing closed: what is left of a record when the redactor itself fails."""

from __future__ import annotations

import logging
from typing import Final

from crmlogging.diagnostics import complain, tally
from crmlogging.records import SafeRecord, record_id
from crmlogging.redaction import facts

__all__ = ["BLANK", "FAILED_MESSAGE", "failed"]

FAILED_MESSAGE: Final = "redaction failed"


def failed(record: logging.LogRecord, error: Exception, identity: str) -> SafeRecord:
    """Return what is left of `record` when the redactor itself failed: nothing of its contents."""
    tally.add("redaction.failed")
    complain("redaction", error)
    kind = next(each for each in type(error).__mro__ if each.__module__ == "builtins")
    try:
        attributes = facts.safe_facts(record)
    except Exception:  # noqa: BLE001  # fails closed once more
        attributes = facts.safe_facts(logging.makeLogRecord({"levelno": logging.ERROR}))
    attributes["msg"] = f"{FAILED_MESSAGE}: {kind.__name__}"
    attributes["record.id"] = identity or record_id(record)
    return SafeRecord(attributes)


BLANK: Final = SafeRecord(
    {
        **facts.safe_facts(logging.makeLogRecord({"levelno": logging.ERROR})),
        "msg": FAILED_MESSAGE,
    }
)
"""Made beforehand, since at the recursion limit nothing can be called any more."""
