"""The demo's log lines in a terminal: each record one row, cut to the width."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["RowFormatter"]

_COLOURS: Final = {20: "36", 30: "33", 40: "31", 50: "1;31"}  # ECMA-48 SGR
_TOTALS: Final = {
    "sync.succeeded": "succeeded",
    "sync.failed": "failed",
    "queue.depth": "waiting",
}


class RowFormatter(logging.Formatter):
    """Renders a safe record in one row: time, level, CRM, and what matters most.

    Args:
        width: columns of the terminal.
        colour: write ANSI colours.
    """

    def __init__(self, *, width: int, colour: bool) -> None:
        super().__init__()
        self._width = width
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """Return the row; what could steer the terminal is replaced."""
        fields: dict[str, Any] = record.__dict__
        time_of_day = time.strftime("%H:%M:%S", time.localtime(record.created))
        level, crm = f"{record.levelname:<8}", f"{fields.get('crm', ''):<11}"
        row = "  ".join(_cells(record))
        row = _cut(row, self._width - len(time_of_day) - len(level) - len(crm) - 1)
        colour = _COLOURS.get(record.levelno, "0")
        return f"{self._painted(time_of_day, '2')} {self._painted(level, colour)}{crm}{row}"

    def _painted(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colour else text


def _cells(record: logging.LogRecord) -> Iterator[str]:
    """Yield what the row says, the most important first."""
    fields: dict[str, Any] = record.__dict__
    held_back = fields.get("error.suppressed")
    if "error.category" in fields:
        repeated = "" if held_back is None else f"{held_back:,} more of "
        yield f"{fields['error.category']:<11} {repeated}{fields.get('error.code', '')}"
        if held_back is not None:
            return
    yield record.getMessage()
    yield from (f"{fields[name]:,} {word}" for name, word in _TOTALS.items() if name in fields)


def _cut(text: str, width: int) -> str:
    text = "".join(each if each.isprintable() else "�" for each in text)
    if len(text) <= width:
        return text
    return text[: width - 1] + "…" if width > 1 else ""
