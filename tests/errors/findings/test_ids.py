"""Promises of the request's id: found wherever an answer tells it, never a number of a person."""

from __future__ import annotations

import pytest

from crmlogging.errors.classify import classify
from crmlogging.errors.findings.ids import worded_id


class TestWordedId:
    @pytest.mark.parametrize(
        ("message", "told"),
        [
            ("Failed. Request ID: 8f2a91c0-aa11. Please ask.", "8f2a91c0-aa11"),
            ("Internal error (correlation id 8f2a91c0aa11bb22)", "8f2a91c0aa11bb22"),
            ("An error occurred. ErrorId: 1234567-890123 (-5)", "1234567-890123"),
            ("The trace id is invalidated", None),
            ("Request id: 491715550199", None),
            ("Contact id 8f2a91c0aa11", None),
            ("request_id=sk_live_8f2a91c0aa11", None),
        ],
    )
    def test_sentence(self, message: str, told: str | None) -> None:
        """A sentence's id counts if it is named as a request's, and is no secret or number."""
        assert worded_id([message]) == told

    def test_body_before_header(self) -> None:
        """What the body says goes before the header, the first time and ever after."""
        answers = [
            classify(
                status=500,
                headers={"X-Request-Id": f"head-{count}"},
                body='{"message": "Failed. Request ID: body-77-x"}',
            )
            for count in range(3)
        ]
        assert [error and error.request_id for error in answers] == ["body-77-x"] * 3
