"""What somebody wrote into an archive cannot take over the terminal that shows the report."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from crmlogging.report.queries import failures
from crmlogging.report.terminal import render

HOSTILE = {
    "clear": "\x1b[2J",
    "link": "\x1b]8;;http://evil.example\x1b\\here\x1b]8;;\x1b\\",
    "c1": "\x9b2J",
    "line-feed": "a\nforged row",
    "carriage-return": "a\rforged row",
    "next-line": "a\x85b",
    "line-separator": "a\u2028b",
    "override": "\u202egnp",
    "zero-width": "a\u200bb",
    "bell": "\x07",
    "nul": "\x00",
    "half-a-pair": "\ud800",
    "tags": "\U000e0041",
    "markup": "[bold red]a[/bold red]",
    "markup-link": "[link=http://evil.example]a[/link]",
    "markup-broken": "[/nothing]",
    "style": "http://x bold link http://evil.example",
    "no-url": "javascript:alert(1)",
}
FIELDS = (
    *("error.category", "error.code", "error.provider_code", "error.summary", "error.owner"),
    *("error.fix_url", "crm", "tenant.code", "timestamp", "level"),
)


def shown(line: dict[str, Any]) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=200, color_system=None, force_terminal=False)
    render(failures([line, {**line, "tenant.code": "other"}]), console)
    return stream.getvalue()


class TestTerminal:
    @pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
    @pytest.mark.parametrize("field", FIELDS)
    def test_no_line_commands_it(self, field: str, text: str) -> None:
        """Neither an escape sequence nor markup in any field of a line is obeyed."""
        line = {"level": "ERROR", "error.category": "auth", "error.summary": "s", field: text}
        output = shown(line)
        assert not [c for c in output if c not in "\n " and not c.isprintable()]
        assert "\nforged row" not in output

    @pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
    def test_nor_does_a_list_or_a_name(self, text: str) -> None:
        """The same in names of fields, of any type."""
        line: dict[str, Any] = {"level": "ERROR", "error.category": "validation", text: text}
        for value in ([text], [[text]], {text: text}, text):
            output = shown({**line, "error.fields": value, "error.summary": value})
            assert not [c for c in output if c not in "\n " and not c.isprintable()]

    @pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
    def test_nor_on_a_terminal_with_colours(self, text: str) -> None:
        """Where escape sequences are written, they are the report's own."""
        stream = io.StringIO()
        console = Console(file=stream, width=120, color_system="standard", force_terminal=True)
        line = {"level": "ERROR", "error.category": "auth", "error.summary": text}
        render(failures([{**line, "error.fix_url": text}]), console)
        assert "\x1b[2J" not in stream.getvalue()
        assert "\x1b]8;;http://evil" not in stream.getvalue()
        assert ";javascript:" not in stream.getvalue()
