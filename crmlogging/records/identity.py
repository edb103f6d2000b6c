"""Ids of records: 64 random bits of the process, renewed after a fork, and a counter."""

from __future__ import annotations

import itertools
import logging
import os
import sys
from collections.abc import Mapping
from typing import Any

from crmlogging.records.safe_record import SafeRecord

__all__ = ["new_id", "notice"]

_prefix = ""
_numbers = itertools.count(1)


def _renew() -> None:
    global _prefix, _numbers  # read at every record, where an attribute costs more
    _prefix = os.urandom(8).hex()
    _numbers = itertools.count(1)


_renew()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_renew)


def new_id() -> str:
    """Return an id that no record has: 16 hex digits, ``-``, a decimal counter from 1."""
    return f"{_prefix}-{next(_numbers)}"


def notice(
    logger: str, level: int, message: str, fields: Mapping[str, Any], file: str
) -> SafeRecord:
    """Return a record that crmlogging itself makes: a changed level, a gap, dropped records.

    Args:
        logger: name of the logger it speaks for.
        level: number of the level.
        message: a literal of the calling module.
        fields: dotted names of the table to values of their shape.
        file: ``__file__`` of the calling module.
    """
    caller = sys._getframe(1)
    place = f"crmlogging/{os.path.basename(file)}"
    record = logging.LogRecord(
        logger, level, place, caller.f_lineno, message, None, None, caller.f_code.co_name
    )
    record.threadName = record.processName = None
    return SafeRecord({**vars(record), "taskName": None, "record.id": new_id(), **fields})
