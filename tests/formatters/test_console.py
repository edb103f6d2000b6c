"""Promises of `ConsoleFormatter`: readable, and nothing in it commands the terminal."""

from __future__ import annotations

import logging
import re

import pytest

from crmlogging import ConfigurationError
from crmlogging.formatters.console import ConsoleFormatter


def rendered(attributes: dict[str, object], *, colour: bool = False) -> str:
    record = logging.makeLogRecord({"levelname": "ERROR", "levelno": 40, "msg": "Failed"})
    vars(record).update(attributes)
    return ConsoleFormatter(colour=colour).format(record)


class TestConsoleFormatter:
    def test_time_level_message_fields(self) -> None:
        """One line; ids that only a search needs stay out of sight."""
        line = rendered({"crm": "zoho", "error.fields": ["a", "b"], "record.id": "x-1"})
        assert re.fullmatch(
            r'\d\d:\d\d:\d\d\.\d{3} ERROR    Failed  crm=zoho error.fields=\["a","b"\]', line
        )

    def test_frames_stand_below(self) -> None:
        """An exception's frames are one to a line, indented."""
        line = rendered({"error.stack": ["a.py:1 in f", "b.py:2 in g"]})
        assert line.splitlines()[1:] == ["    a.py:1 in f", "    b.py:2 in g"]

    @pytest.mark.parametrize("where", ["msg", "crm", "error.summary"])
    @pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "a\u2028b", "\x9b1m", "\u202ex", "\x07"])
    def test_nothing_commands_the_terminal(self, where: str, text: str) -> None:
        """Escapes, line ends and turned text are shown as escapes."""
        line = rendered({where: text})
        assert len(line.splitlines()) == 1
        assert line.isprintable()

    def test_colours_by_option(self) -> None:
        """Levels are coloured only when asked for, and always reset."""
        line = rendered({"crm": "zoho"}, colour=True)
        assert line.count("\x1b[0m") == 2
        assert "\x1b" not in rendered({"crm": "zoho"})

    def test_unknown_options_are_named(self) -> None:
        """A typo is told."""
        with pytest.raises(ConfigurationError, match="did you mean 'colour'"):
            ConsoleFormatter(color=True)
