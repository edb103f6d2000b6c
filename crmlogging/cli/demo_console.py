"""The demo's log lines in a terminal: each record one row, cut to the width."""

from __future__ import annotations

import logging
import time
from typing import Any, Final

__all__ = ["RowFormatter"]

_COLOURS: Final = {20: "36", 30: "33", 40: "31", 50: "1;31"}  # ECMA-48 SGR
_SHOWN: Final = {
    "error.category": "",
    "error.code": "",
    "sync.succeeded": "succeeded ",
    "sync.failed": "failed ",
    "queue.depth": "waiting ",
}


class RowFormatter(logging.Formatter):
    """Renders a safe record in one row: time, level, CRM, message, and what matters most.

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
        level = f"{record.levelname:<8}"
        time_of_day = time.strftime("%H:%M:%S", time.localtime(record.created))
        shown = "  ".join(
            f"{label}{fields[name]}" for name, label in _SHOWN.items() if name in fields
        )
        crm = fields.get("crm", "")
        rest = f"{crm:<11}{record.getMessage()}"
        room = self._width - len(time_of_day) - len(level) - 2
        rest, shown = _cut(rest, room), _cut(shown, room - len(rest) - 2)
        return " ".join(
            (
                self._painted(time_of_day, "2"),
                self._painted(level, _COLOURS.get(record.levelno, "0")) + rest,
                self._painted(f" {shown}", "2") if shown else "",
            )
        ).rstrip()

    def _painted(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colour else text


def _cut(text: str, width: int) -> str:
    text = "".join(each if each.isprintable() else "�" for each in text)
    if len(text) <= width:
        return text
    return text[: width - 1] + "…" if width > 1 else ""
