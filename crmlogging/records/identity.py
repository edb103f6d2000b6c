"""Ids of records: 64 random bits of the process, renewed after a fork, and a counter."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from itertools import chain, count, repeat
from operator import add
from typing import Any, Final

from crmlogging.records.safe_record import SafeRecord

__all__ = ["ids", "new_id", "notice"]

_DIGITS: Final = tuple(f"{number:03}" for number in range(1_000))


class _Ids:
    """The ids of this process; a fork renews them.

    Attributes:
        left: those that no record has yet. No step of it is Python code, which another thread or a
            signal could interrupt.
    """

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.renew(os.urandom(8).hex())

    def renew(self, prefix: str) -> None:
        """Begin anew: at 1, and behind another prefix."""
        self.left = _ids(prefix)


def _ids(prefix: str) -> Iterator[str]:
    """Return ids from 1 on; what a thousand have in common is written once."""
    form = f"{prefix}-{{}}".format
    heads = map(repeat, map(form, count(1)))
    thousands = map(map, repeat(add), heads, repeat(_DIGITS))
    return chain(map(form, range(1, 1_000)), chain.from_iterable(thousands))


ids: Final = _Ids()

if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=lambda: ids.renew(os.urandom(8).hex()))


def new_id() -> str:
    """Return an id that no record has: 16 hex digits, ``-``, a decimal counter from 1."""
    return next(ids.left)


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
