"""Promises of `linting.fields`: names of extra that raise, that are masked, that are misspelt."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

import crmlogging
from crmlogging.linting.allowlists import Allowed
from crmlogging.linting.findings import Finding

Lint = Callable[..., list[Finding]]


def codes(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings]


class TestReserved:
    @pytest.mark.parametrize(
        "extra",
        [
            '{"name": 1}',
            "dict(name=1)",
            '{"email_sent": 1, **{"name": 1}}',
            '{**base, "name": 1}',
            'base | {"name": 1}',
            '{"name": 1} if base else {}',
            "shared",
            "added",
        ],
    )
    def test_however_the_mapping_is_made(self, lint: Lint, extra: str) -> None:
        """A reserved name is found in displays, in dict(), and in a variable that holds one."""
        source = f"""
            shared = {{"name": 1}}
            def f(base):
                added = {{}}
                added["name"] = base
                logger.info("a", extra={extra})
            """
        assert codes(lint(source, "CL201")) == ["CL201"]

    def test_of_an_adapter(self, lint: Lint) -> None:
        """The mapping of a LoggerAdapter is an extra like any other."""
        source = 'a = logging.LoggerAdapter(logger, {"module": 1})'
        assert codes(lint(source, "CL201")) == ["CL201"]

    @pytest.mark.parametrize("name", ["name", "args", "msg", "message", "asctime", "module"])
    def test_the_standard_logger_agrees(self, lint: Lint, name: str) -> None:
        """What is found here raises there."""
        assert codes(lint(f'logger.info("a", extra={{"{name}": 1}})', "CL201")) == ["CL201"]
        with pytest.raises(KeyError):
            logging.Logger("a").error("a", extra={name: 1})

    @pytest.mark.parametrize("extra", ["extra", "make()", "{key: 1}", "vars(x)", "{**lead}"])
    def test_what_cannot_be_known_is_not_judged(self, lint: Lint, extra: str) -> None:
        """Keys that the file does not spell out."""
        source = f"def f(extra, lead, key, x):\n    logger.info('a', extra={extra})"
        assert lint(source) == []


class TestMasked:
    @pytest.mark.parametrize(
        ("extra", "expected"),
        [
            ('{"email": x}', ["CL202"]),
            ('{"client.ip": x}', ["CL202"]),  # of the table, and not safe by default
            ('{"timestamp": x}', ["CL202"]),  # the formatter's own
            ('{"request": {"email": x}}', ["CL202"]),
            ('{"request": {"request.method": x}}', ["CL202"]),  # dotted only at the top
            ('{"request.atempt": x}', ["CL203"]),
            ('{"request": {"atempt": x}}', ["CL203"]),
            ('{"user_id": x}', ["CL203"]),
            ('{"lead": {"enrichment.status": x}}', ["CL203"]),
            ('{"crm": "HubSpot"}', ["CL202"]),  # a slug is lower case
            ('{"request.method": "get"}', ["CL202"]),
            ('{"response.status": "200"}', ["CL202"]),
            ('{"request": "GET"}', ["CL202"]),  # it stands for a mapping
        ],
    )
    def test_by_the_preset(self, lint: Lint, extra: str, expected: list[str]) -> None:
        """Without a configuration the safe fields of the table are what is allowed."""
        assert codes(lint(f'logger.info("a", extra={extra})')) == expected

    @pytest.mark.parametrize(
        "extra",
        [
            '{"request.method": x, "crm": "hubspot", "user.id": None}',
            '{"crm": None}',
            '{"request": {"method": "GET"}}',
            '{"request": x}',
            '{"response": response, "error": error}',
            '{"audit": True}',
            '{"resource.id": f"c-{x}"}',
        ],
    )
    def test_what_is_shown_or_read_is_fine(self, lint: Lint, extra: str) -> None:
        """Allowed fields, mappings that may hold some, and what ErrorFilter reads."""
        assert lint(f'logger.info("a", extra={extra})') == []

    def test_the_suggestion_names_the_field(self, lint: Lint) -> None:
        """A field of the table, or one that is configured."""
        allowed = Allowed([{"fields": ["@crm", "campaign.id"]}])
        (finding,) = lint('logger.info("a", extra={"campain.id": 1})', allowed=allowed)
        assert finding.suggestion == "did you mean campaign.id?"

    @pytest.mark.parametrize(
        ("document", "name", "masked"),
        [
            ({"fields": ["email"]}, "email", False),
            ({"fields": ["request.*"]}, "request.anything", False),
            ({"fields": ["details.**"]}, "details.a.b", False),
            ({"fields": ["@crm"], "mask": {"api_key": "last4"}}, "api_key", False),
            ({"fields": ["@crm"], "mask": {"api_key": "hmac"}}, "api_key", False),
            ({"fields": ["extra.name"]}, "extra.name", False),
            ({"fields": ["user.id"]}, "crm", True),
            ({"fields": ["request.*"]}, "request.a.b", True),
        ],
    )
    def test_by_a_configuration(
        self, lint: Lint, document: dict[str, object], name: str, masked: bool
    ) -> None:
        """Patterns mean what they mean to AllowlistFilter, and masks need no key here."""
        source = f'logger.info("a", extra={{"{name}": x}})'
        assert bool(lint(source, "CL202", "CL203", allowed=Allowed([document]))) is masked

    def test_a_mask_takes_any_literal(self, lint: Lint) -> None:
        """What is masked by name need not have the field's shape."""
        allowed = Allowed([{"fields": ["@crm"], "mask": {"crm": "last4"}}])
        assert lint('logger.info("a", extra={"crm": "HubSpot"})', allowed=allowed) == []

    def test_one_allowlist_that_shows_is_enough(self, lint: Lint) -> None:
        """With several allowlists a field is masked if all of them mask it."""
        both = Allowed([{"fields": ["@crm"]}, {"fields": ["email"]}])
        assert lint('logger.info("a", extra={"email": x})', allowed=both) == []

    @pytest.mark.parametrize(
        "extra",
        [{"crm": "HubSpot"}, {"client.ip": "10.0.0.1"}, {"request": {"x": 1}}, {"user_id": 4711}],
    )
    def test_the_filter_agrees(self, lint: Lint, extra: dict[str, object]) -> None:
        """What is found here is no plain value there."""
        assert lint(f'logger.info("a", extra={extra!r})') != []
        record = logging.makeLogRecord({"msg": "a", **extra})
        shown = crmlogging.AllowlistFilter(["@crm"]).refine(record)
        assert isinstance(shown, logging.LogRecord)
        (given,) = extra.values()
        hidden = given["x"] if isinstance(given, dict) else given
        assert hidden not in [v for k, v in vars(shown).items() if k in {*extra, "request.x"}]
