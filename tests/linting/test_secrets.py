"""Promises of `linting.secrets`: what the source gives away is found, and not repeated."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crmlogging.linting.findings import Finding

Lint = Callable[..., list[Finding]]
TOKEN = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"


class TestSecrets:
    @pytest.mark.parametrize(
        "call",
        [
            f'logger.info("Uses {TOKEN} now")',
            f'logger.info("Uses %s", "{TOKEN}")',
            f'logger.info(f"Uses {TOKEN} for {{x}}")',
            f'logger.info("Uses {TOKEN} for " + x)',
            f'logger.info("a", extra={{"user.id": "{TOKEN}"}})',
            f'logger.info("a", extra={{"request": {{"id": ["{TOKEN}"]}}}})',
            f'logger.info("a %s", connect(key="{TOKEN}"))',
            f'headers = {{"user.id": "{TOKEN}"}}\nlogger.info("a", extra=headers)',
            'logger.info("Uses password=hunter2")',
            'logger.info("a", extra={"password": "hunter2"})',
            'logger.info("a", extra={"db": {"api_key": "letmein"}})',
            f'logger.info("a", extra={{"api_key": "{TOKEN}"}})',
            'logger.info("a", extra=dict(client_secret="letmein"))',
            'logger.info("a %s", {"Authorization": "Basic bGV0bWVpbjpsZXRtZWlu"})',
            'logger.info("Connects to postgres://bot:hunter2@db/crm")',
            'logger.info("Charges 4111 1111 1111 1111")',
        ],
    )
    def test_are_found_and_not_repeated(self, lint: Lint, call: str) -> None:
        """One finding, without the secret in it."""
        (finding,) = lint(f"def f(x):\n    {call.replace(chr(10), chr(10) + '    ')}", "CL101")
        for secret in (TOKEN, "hunter2", "letmein", "bGV0", "4111"):
            assert secret not in str(finding)

    def test_are_not_repeated_by_other_rules(self, lint: Lint) -> None:
        """A template and a suggestion quote the source, scrubbed."""
        found = lint(f'def f(x):\n    logger.info(f"Uses {TOKEN} {{x}}", extra={{"{TOKEN}": 1}})')
        assert {each.code for each in found} >= {"CL002", "CL101", "CL202"}
        assert not any(TOKEN in str(each) for each in found)

    @pytest.mark.parametrize(
        "call",
        [
            'logger.info("Invalid token: expired")',
            'logger.info("token=%s", x)',
            'logger.info(f"password={x}")',
            'logger.info("Uses {token}")',
            'logger.info("a", extra={"token": "missing"})',
            'logger.info("a", extra={"password": "***"})',
            'logger.info("a", extra={"password": ""})',
            'logger.info("a", extra={"password": x})',
            'logger.info("a", extra={"token_type": "opaque"})',
            'logger.info("a", extra={"password_policy": "strict"})',
            'logger.info("Created 2026-11-22 on 10.0.0.1 in 50,000 ms")',
            'logger.info("a %s", x["password"])',
            "logger.info(f\"a {x['api_key']}\")",
        ],
    )
    def test_sentences_about_them_are_none(self, lint: Lint, call: str) -> None:
        """Talk of tokens, places to fill in, and values that only the run knows."""
        assert lint(f"def f(x):\n    {call}", "CL101", "CL102") == []


class TestScrubbed:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("Mail ada@example.com", "Mail [EMAIL]"),
            ("Call +49 151 2345678 now", "Call [PHONE] now"),
            ("See https://a.example/b?page=2", "See https://a.example/b?[REDACTED]"),
        ],
    )
    def test_the_line_will_look_like_this(self, lint: Lint, text: str, shown: str) -> None:
        """A literal that is no secret, and still will not be shown as it stands."""
        (finding,) = lint(f'logger.info("{text}")', "CL101", "CL102")
        assert (finding.code, f'"{shown}"' in finding.message) == ("CL102", True)

    def test_the_place_is_seen_in_a_long_text(self, lint: Lint) -> None:
        """The excerpt is cut around what is found."""
        (finding,) = lint(f'logger.info("{"Created many contacts. " * 20} ada@example.com")')
        assert "[EMAIL]" in finding.message
