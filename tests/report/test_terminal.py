"""Promises of the report in a terminal: it says what to do, in any width, and obeys no line."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from crmlogging.report.queries import failures
from crmlogging.report.terminal import render


def shown(lines: list[dict[str, Any]], width: int = 100) -> str:
    stream = io.StringIO()
    render(failures(lines), Console(file=stream, width=width))
    return stream.getvalue()


def line(**fields: Any) -> dict[str, Any]:
    return {
        "timestamp": "2026-11-21T08:00:00.000Z",
        "level": "ERROR",
        "crm": "hubspot",
        "tenant.code": "acme",
        "error.category": "auth",
        "error.code": "CONTACT_CREATE_TOKEN_EXPIRED",
        "error.provider_code": "EXPIRED_AUTHENTICATION",
        "error.summary": "The access token has expired: reconnect the account.",
        "error.owner": "operator",
        "error.fix_url": "https://app.hubspot.com/l/settings/integrations",
        **fields,
    }


class TestRender:
    @pytest.mark.parametrize("width", [60, 80, 120, 200])
    def test_a_group_says_what_to_do(self, width: int) -> None:
        """Category, provider, codes, count, action, owner and link are there in any width."""
        text = " ".join(shown([line()] * 1_234, width).split())
        for part in (
            *("1,234", "auth", "hubspot", "CONTACT_CREATE_TOKEN_EXPIRED", "operator"),
            *("EXPIRED_AUTHENTICATION", "reconnect", "https://app.hubspot.com/l/settings"),
            *("1,234 failed calls in 1 group", "1,234 failed for good", "0 retried"),
        ):
            assert part in text

    def test_no_line_is_wider_than_the_terminal(self) -> None:
        """Long links are folded, not cut."""
        link = "https://app.hubspot.com/" + "a" * 200
        text = shown([line(**{"error.fix_url": link})], 80)
        assert max(len(row.rstrip()) for row in text.splitlines()) <= 80
        assert "a" * 200 in "".join(text.split())

    def test_solved_retries_are_told_apart(self) -> None:
        """What was retried reads otherwise than what failed for good."""
        retried = line(level="WARNING", **{"error.category": "transient"})
        text = shown([retried, retried, line(), line(level="WARNING")])
        assert "all retried" in text
        assert "1 retried" in text

    def test_fields_and_tenants(self) -> None:
        """Validation names the fields; several tenants are counted."""
        lines = [
            line(**{"error.fields": ["email", "phone"], "tenant.code": tenant})
            for tenant in ("acme", "globex")
        ]
        text = shown(lines)
        assert "fields: email (2), phone (2)" in text
        assert "2 tenants" in text

    def test_markup_of_lines_is_text(self) -> None:
        """Square brackets in a line are no instructions to the terminal library."""
        assert "[bold]x[/bold]" in shown([line(**{"error.summary": "[bold]x[/bold]"})])

    def test_nothing_failed(self) -> None:
        """No failure is a sentence, not an empty table."""
        assert shown([{"level": "INFO"}]) == "No failures in 1 line.\n"
