"""Promises for what vendors say in their own words: sentences and codes no rule was made for.

``wordings.jsonl`` holds what could stand in an answer, one a line, with the categories that are
right and the fields that are named. Most of it was written down before a rule was asked.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from crmlogging.errors.classify import classify
from crmlogging.errors.model import CrmError

PAGE: Final = Path(__file__).parent / "wordings.jsonl"
ROWS: Final = [json.loads(line) for line in PAGE.read_text(encoding="utf-8").splitlines()]


def told(row: dict[str, Any]) -> CrmError:
    """Classify a row as the body of an answer."""
    code = row.get("code")
    body = {"code": code, "message": "Request failed"} if code else {"message": row["message"]}
    error = classify(status=row["status"], body=body)
    assert error is not None
    return error


class TestWordings:
    def test_nearly_all_say_what_they_mean(self) -> None:
        """Of each hundred sentences and codes 98 get the right category."""
        wrong = [row for row in ROWS if told(row).category.value not in row["categories"]]
        assert len(wrong) <= 0.02 * len(ROWS), wrong

    def test_nearly_all_fields_are_found(self) -> None:
        """Of the sentences that name a field, or seem to, nine of ten are read right."""
        rows = [row for row in ROWS if "fields" in row]
        wrong = [row for row in rows if {f.field for f in told(row).fields} != set(row["fields"])]
        assert len(wrong) <= 0.1 * len(rows), wrong
