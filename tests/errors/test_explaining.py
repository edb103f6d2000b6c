"""Promises of `explain`: the same verdict as `classify`, and the rule that gave it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from crmlogging.errors.catalog import builtin
from crmlogging.errors.catalog.listing import conditions, place_of, rows
from crmlogging.errors.classify import classify
from crmlogging.errors.explaining import explain

HERE: Final = Path(__file__).parent


def answers() -> list[dict[str, Any]]:
    """Return the labelled answers as arguments."""
    lines = (HERE / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    return [arguments(json.loads(line)) for line in lines]


def arguments(case: Mapping[str, Any]) -> dict[str, Any]:
    transport, request = case.get("transport") or {}, case.get("request") or {}
    return {
        "status": case["status"],
        "headers": case.get("headers"),
        "body": case.get("body"),
        "provider": case.get("provider"),
        "exception": f"{transport['exception']}: {transport['message']}" if transport else None,
        "method": request.get("method"),
        "url": request.get("url"),
    }


class TestExplain:
    def test_its_verdict_is_that_of_classify(self) -> None:
        """For every labelled answer, and the deciding rule is one that holds."""
        for answer in answers():
            why = explain(**answer)
            assert why.error == classify(**answer)
            error = why.error
            if error is not None and error.evidence in ("code", "wording") and why.body != "xml":
                places = [each.place for each in why.candidates]
                limit = error.reason in ("RATE_LIMITED", "API_QUOTA")
                assert not places or why.place in places or limit

    def test_it_names_file_and_row(self) -> None:
        """The place leads to the row in the catalog."""
        why = explain(status=401, provider="hubspot", body='{"category": "EXPIRED_AUTHENTICATION"}')
        assert why.place == "hubspot.toml #1"
        assert why.conditions == ("code EXPIRED_AUTHENTICATION",)
        assert why.source.startswith("https://")
        assert why.candidates[0].evidence == "code"

    @pytest.mark.parametrize(
        ("answer", "known_by"),
        [
            pytest.param({"provider": "zoho"}, "named", id="named"),
            pytest.param({"provider": "acme"}, "named", id="unknown"),
            pytest.param({"url": "https://api.hubapi.com/x"}, "host", id="host"),
            pytest.param({"headers": {"X-HubSpot-Correlation-Id": "1"}}, "header", id="header"),
            pytest.param({"body": '[{"errorCode": "X", "message": "y"}]'}, "body", id="body"),
            pytest.param({}, "", id="nobody"),
        ],
    )
    def test_it_says_how_the_provider_was_found(
        self, answer: dict[str, Any], known_by: str
    ) -> None:
        """By name, host, header or the shape of the body."""
        assert explain(status=500, **answer).known_by == known_by

    def test_no_error_has_no_rule(self) -> None:
        """A success is explained as one."""
        why = explain(status=200, body="{}")
        assert (why.error, why.place, why.conditions) == (None, "", ())

    def test_it_never_raises(self) -> None:
        """Whatever it is given."""
        for body in (b"\xff" * 99, object(), {"a": object()}, "<" * 999, "{" * 9_999):
            explain(status=500, body=body)

    def test_as_json(self) -> None:
        """It can be written out as it is."""
        why = explain(status=400, body='{"code": "DUPLICATE", "field": "email"}')
        assert json.loads(json.dumps(why.as_json()))["error"]["fields"][0]["field"] == "email"


class TestRows:
    def test_every_rule_is_listed_once(self) -> None:
        """No row is left out, none comes twice."""
        listed = [id(row.rule) for row in rows(builtin())]
        assert len(set(listed)) == len(listed)
        assert set(listed) == {id(rule) for rule in builtin().rules()}

    def test_every_rule_says_what_it_asks_for(self) -> None:
        """Each has conditions and a place of its own."""
        for rule in builtin().rules():
            assert list(conditions(rule)), rule.name
            assert ".toml #" in place_of(rule)

    def test_filters(self) -> None:
        """By vendor in any spelling, category, and a code in any spelling."""
        assert {row.provider for row in rows(builtin(), provider="HubSpot")} == {"hubspot"}
        assert {row.category for row in rows(builtin(), category="plan")} == {"plan"}
        (row,) = rows(builtin(), provider="salesforce", code="UnableToLockRow")
        assert row.category == "transient"
        found = list(rows(builtin(), provider="*", code="NEW_DAILY_CALL_LIMIT"))
        assert found[0].reason == "API_QUOTA"
