"""Promises of problem documents: valid, complete both ways, and no way in for a forger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crmlogging.errors.classify import classify
from crmlogging.errors.model import CrmError
from crmlogging.errors.problem import PROBLEM_TYPE, from_problem, to_problem


def sample() -> CrmError:
    """Return an error with everything an error can have."""
    body = [
        {"success": False, "errors": [{"statusCode": "STRING_TOO_LONG", "fields": ["LastName"]}]},
        {"success": False, "errors": [{"statusCode": "UNABLE_TO_LOCK_ROW"}]},
    ]
    error = classify(
        status=200,
        body=body,
        headers={"Retry-After": "30", "X-Request-Id": "req-77"},
        url="https://acme.my.salesforce.com/services/data/v60.0/composite/sobjects/Contact",
        method="POST",
    )
    assert error is not None
    return error


class TestToProblem:
    def test_members_of_the_standard(self) -> None:
        """`type`, `title`, `status`, `detail` and `instance` are as RFC 9457 says."""
        problem = sample().to_problem()
        assert problem["type"] == "urn:crmlogging:problem:too-long"
        assert problem["title"] == "Too long"
        assert problem["status"] == 200
        assert problem["detail"] == sample().summary
        assert problem["instance"] == "urn:crmlogging:request:req-77"
        json.dumps(problem, allow_nan=False)

    def test_unknown_members_are_left_out(self) -> None:
        """What is not known is absent, not null."""
        error = classify(status=404)
        assert error is not None
        assert None not in to_problem(error).values()
        assert "fields" not in to_problem(error)


class TestFromProblem:
    def test_round_trip(self) -> None:
        """A document of ours becomes the error it was made from, as text or parsed."""
        error = sample()
        assert from_problem(error.to_problem()) == error
        assert from_problem(json.dumps(error.to_problem())) == error
        assert from_problem(json.dumps(error.to_problem()).encode()) == error

    def test_round_trip_of_all_answers(self) -> None:
        """So does every answer of the test data."""
        text = (Path(__file__).parent / "answers.jsonl").read_text(encoding="utf-8")
        for case in map(json.loads, text.splitlines()):
            error = classify(
                status=case["status"],
                headers=case.get("headers"),
                body=case.get("body"),
                provider=case.get("provider"),
                url=(case.get("request") or {}).get("url"),
            )
            if error is not None:
                assert from_problem(error.to_problem()) == error

    def test_foreign_problem_is_classified(self) -> None:
        """Any other problem document is an answer like any other."""
        error = from_problem(
            {"type": "https://p.example/probs/token-expired", "title": "x", "status": 401}
        )
        assert (error.category, error.provider_code) == ("auth", "token-expired")

    def test_forged_document_says_nothing_of_its_own(self) -> None:
        """Texts, links, ids and names that do not have their shape do not get in."""
        canary = "ada@example.com"
        forged = {
            "type": PROBLEM_TYPE + "token-expired",
            "title": canary,
            "detail": canary,
            "instance": canary,
            "provider": "hubspot",
            **dict.fromkeys(("code", "provider_code", "request_id", "rule", "evidence"), canary),
            "fix_url": f"https://evil.example/?{canary}",
            "fields": [{"field": canary, "code": canary, "expected": canary}, canary],
            "retry_after_seconds": -1,
            "index": -1,
            "fingerprint": canary,
        }
        error = from_problem(forged)
        assert canary not in repr(error)
        assert error.fix_url is None
        assert error.category == "auth"

    @pytest.mark.parametrize(
        ("document", "complaint"),
        [
            pytest.param("{", "no JSON", id="text"),
            pytest.param("[]", "no JSON object", id="list"),
            pytest.param({"status": "401"}, "status", id="status-text"),
            pytest.param({"status": True}, "status", id="status-bool"),
            pytest.param({"type": 1, "title": 2}, "type, title", id="two"),
            pytest.param({"status": 200}, "no error", id="success"),
        ],
    )
    def test_no_problem_document_is_refused(self, document: Any, complaint: str) -> None:
        """What is no problem document is refused, naming members and no values."""
        with pytest.raises(ValueError, match="not a problem document") as caught:
            from_problem(document)
        assert complaint in str(caught.value)
