"""A line for a person's eyes: time, level, message, then the fields as ``name=value``."""

from __future__ import annotations

import logging
import re
import time
from typing import Any, Final

from crmlogging.exceptions import Problems
from crmlogging.formatters.encoding import encode
from crmlogging.records import STANDARD_ATTRIBUTES

__all__ = ["ConsoleFormatter"]

_COLOURS: Final = {10: "2", 20: "36", 30: "33", 40: "31", 50: "1;31"}  # ECMA-48 SGR
# One word, of ASCII, without quotes and equal signs.
_PLAIN: Final = re.compile(r"[!#-<>-~]+")
_QUIET: Final = ("record.id", "correlation_id", "error.stack", "error.fingerprint")


class ConsoleFormatter(logging.Formatter):
    r"""Renders a record for a terminal; everything it did not write itself is escaped.

    Args:
        colour: write ANSI colours.

    Example:
        >>> record = logging.makeLogRecord({"levelname": "INFO", "msg": "Synced\x1b[2J", "n": 3})
        >>> ConsoleFormatter().format(record)[13:]
        'INFO     Synced\\u001b[2J  n=3'
    """

    def __init__(self, *, colour: bool = False, **unknown: object) -> None:
        problems = Problems("ConsoleFormatter")
        problems.unknown(unknown, known=("colour",))
        problems.flags(colour=colour)
        problems.raise_if_any()
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, and one more for each frame of an exception."""
        attributes = record.__dict__
        fields = {
            name: value
            for name, value in attributes.items()
            if name not in STANDARD_ATTRIBUTES and name not in _QUIET
        }
        now = time.strftime("%H:%M:%S", time.localtime(record.created))
        line = f"{now}.{int(record.created % 1 * 1000):03d} "
        level = _escaped(f"{record.levelname:<8}")
        line += self._painted(level, _COLOURS.get(record.levelno, "0"))
        line += f" {_escaped(record.getMessage())}"
        if fields:
            shown = " ".join(f"{_name(name)}={_value(value)}" for name, value in fields.items())
            line += "  " + self._painted(shown, "2")
        stack = attributes.get("error.stack")
        if isinstance(stack, list):
            line += "".join(f"\n    {_escaped(str(frame))}" for frame in stack)
        return line

    def _painted(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colour else text


def _escaped(text: str) -> str:
    """Return `text` without its control characters, as JSON would write them."""
    if text.isascii() and text.isprintable():
        return text
    return encode({"": text}).decode()[5:-2].replace('\\"', '"').replace("\\\\", "\\")


def _name(name: str) -> str:
    """Return a field's name; one that could be read as several fields stands in quotes."""
    return name if _PLAIN.fullmatch(name) else f'"{_escaped(name)}"'


def _value(value: Any) -> str:
    """Return a field's value; a text that could be read as another field stands in quotes."""
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return value
    return encode({"": value}).decode()[4:-1]
