"""Promises of `crmlogging classify` and `crmlogging catalog`: a verdict, why, and what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from crmlogging.cli.main import application

EXPIRED = '{"category": "EXPIRED_AUTHENTICATION", "correlationId": "9f8e-11-aa77"}'


def invoke(*arguments: str, body: str | bytes = "") -> Result:
    return CliRunner().invoke(application, arguments, input=body)


class TestClassify:
    def test_it_explains(self) -> None:
        """Meaning, what to do, rule, source and what the answer tells."""
        options = ("--status", "401", "--url", "https://api.hubapi.com/crm/v3/objects/contacts")
        shown = invoke("classify", *options, "--method", "POST", body=EXPIRED)
        assert shown.exit_code == 0
        for text in (
            *("auth: CONTACT_CREATE_TOKEN_EXPIRED", "no, the same request fails again"),
            *("stop: it would hit every record", "operator", "https://app.hubspot.com"),
            *("hubspot, by the host", "hubspot.toml #1, by its code", "9f8e-11-aa77"),
        ):
            assert text in shown.output

    def test_from_a_file(self, tmp_path: Path) -> None:
        """FILE is a body; - is standard input."""
        file = tmp_path / "body.json"
        file.write_text(EXPIRED)
        of_file = invoke("classify", str(file), "--status", "401", "--provider", "hubspot")
        of_input = invoke("classify", "-", "--status", "401", "--provider", "hubspot", body=EXPIRED)
        assert of_file.output == of_input.output
        assert of_file.output.startswith("auth: ")

    def test_headers_and_delay(self) -> None:
        """A delay that a header tells is shown."""
        shown = invoke("classify", "--status", "429", "--header", "Retry-After: 30")
        assert "yes, with backoff and jitter, not before 30 s" in shown.output
        assert "go on with the other records" in shown.output

    def test_an_exception_of_a_log(self) -> None:
        """Its text is enough."""
        shown = invoke("classify", "--exception", "requests.exceptions.ReadTimeout: timed out")
        assert shown.output.startswith("transient: ")
        assert "network.toml" in shown.output

    def test_json(self) -> None:
        """The same, for programs."""
        shown = invoke("classify", "--json", "--provider", "hubspot", body=EXPIRED)
        told: dict[str, Any] = json.loads(shown.output)
        assert told["error"]["category"] == "auth"
        assert told["place"] == "hubspot.toml #1"
        assert told["candidates"][0]["evidence"] == "code"

    def test_a_bulk_answer_shows_its_records(self) -> None:
        """Records that failed are listed with their position."""
        rows = ['{"success": false, "errors": [{"statusCode": "REQUIRED_FIELD_MISSING"}]}'] * 12
        body = f'[{{"success": true}}, {", ".join(rows)}]'
        shown = invoke("classify", "--status", "200", "--provider", "salesforce", body=body)
        assert "12 records of a bulk answer failed" in shown.output
        assert "[1] validation: " in shown.output
        assert "and 2 more" in shown.output

    def test_a_success_is_one(self) -> None:
        """What is no error is said to be none."""
        shown = invoke("classify", "--status", "200", body='{"id": "1"}')
        assert (shown.exit_code, shown.output) == (
            0,
            "No error: a success without failed parts.\n",
        )

    def test_no_value_of_the_body_is_shown(self) -> None:
        """It can be pasted into a ticket."""
        body = '{"message": "ada@example.com is invalid", "email": "ada@example.com"}'
        for more in ((), ("--json",)):
            assert "ada@" not in invoke("classify", "--status", "400", *more, body=body).output

    @pytest.mark.parametrize(
        "arguments",
        [
            pytest.param((), id="nothing"),
            pytest.param(("--header", "Retry-After"), id="header-without-colon"),
            pytest.param(("--status", "9"), id="status"),
            pytest.param(("absent.json",), id="file"),
        ],
    )
    def test_wrong_usage(self, arguments: tuple[str, ...]) -> None:
        """Exit code 2 and a sentence."""
        shown = invoke("classify", *arguments)
        assert shown.exit_code == 2
        assert "Error: " in shown.output

    def test_rules_of_your_own(self, tmp_path: Path) -> None:
        """They are asked first; bad rows are named, with exit code 2."""
        good = tmp_path / "own.toml"
        source = 'source = "https://crm.example/errors"\nchecked = "2026-11-20"\n'
        good.write_text(f'{source}[[rules]]\nreason = "LOCKED"\ncodes = ["E42"]\n')
        shown = invoke(
            "classify", "--catalog", str(good), "--status", "400", body='{"code": "E42"}'
        )
        assert "own.toml #1" in shown.output
        bad = tmp_path / "bad.toml"
        bad.write_text('[[rules]]\nreason = "NOPE"\n')
        for command in ("classify", "catalog"):
            shown = invoke(command, "--catalog", str(bad), body="x")
            assert shown.exit_code == 2
            assert "'NOPE'" in shown.output


class TestCatalog:
    def test_it_lists_the_rules(self) -> None:
        """What matches, what it means, and where it is written."""
        shown = invoke("catalog", "--provider", "salesforce", "--code", "UNABLE_TO_LOCK_ROW")
        assert shown.exit_code == 0
        assert "salesforce: transient LOCKED (retry, record, none)" in shown.output
        assert "code UNABLE_TO_LOCK_ROW" in shown.output
        assert shown.output.endswith("1 rule\n")

    def test_json(self) -> None:
        """Filters work together, and rows are plain values."""
        shown = invoke("catalog", "--provider", "hubspot", "--category", "plan", "--json")
        told = json.loads(shown.output)
        assert told
        assert {(row["provider"], row["category"]) for row in told} == {("hubspot", "plan")}

    def test_everybody_s(self) -> None:
        """An asterisk asks for the rules that hold for any vendor."""
        assert all(row["provider"] == "*" for row in json.loads(
            invoke("catalog", "--provider", "*", "--json").output))  # fmt: skip

    def test_nothing_fits(self) -> None:
        """No row is exit code 1; an unknown vendor is wrong usage that names those there are."""
        assert invoke("catalog", "--code", "xyzzy").exit_code == 1
        shown = invoke("catalog", "--provider", "acme")
        assert shown.exit_code == 2
        assert "hubspot" in shown.output
