"""Promises for answers that no rule was made for: right nearly always, and never a leak.

``unseen*.jsonl`` hold answers of two hundred vendors, most of them not in the catalog, after their
documentation; the wordings are ours. They were labelled before they were classified.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from crmlogging.errors.classify import classify
from crmlogging.errors.model import CrmError

PAGES: Final = sorted(Path(__file__).parent.glob("unseen*.jsonl"))
CASES: Final = [
    json.loads(line) for page in PAGES for line in page.read_text(encoding="utf-8").splitlines()
]


def outcome_of(case: Mapping[str, Any]) -> CrmError | None:
    """Classify one labelled answer."""
    transport, request = case["transport"], case["request"]
    return classify(
        status=case["status"],
        headers=case["headers"],
        body=case["body"],
        provider=case["provider"],
        exception=f"{transport['exception']}: {transport['message']}" if transport else None,
        method=request["method"],
        url=request["url"],
    )


def verdicts(case: Mapping[str, Any], error: CrmError | None) -> dict[str, bool]:
    """Return what is right of what the case is labelled for."""
    expect = case["expect"]
    category = "none" if error is None else error.category.value
    codes = [expect["provider_code"], *expect.get("provider_code_any", ())]
    found = {
        "category": category in (expect["category"], *case.get("also_ok", ())),
        "provider_code": (error.provider_code if error else None) in codes,
        "fields": _last(f.field for f in error.fields) == _last(expect["fields"])
        if error
        else True,
    }
    if error is not None and category == expect["category"]:
        found["scope"] = error.scope == expect["scope"]
        found["retry"] = error.retryable is expect["retry"]
    if expect["request_id"] is not None:
        found["request_id"] = error is not None and error.request_id == expect["request_id"]
    due, told = expect["retry_after_s"], error.retry_after_seconds if error else None
    found["delay"] = told == due if None in (told, due) else abs(told - due) <= max(1, due / 10)
    return found


def _last(names: Any) -> set[str]:
    return {name.rpartition(".")[2] for name in names}


class TestUnseen:
    def test_nearly_all_are_right(self) -> None:
        """Of each hundred 97 categories, and 95 of everything else."""
        right: Counter[str] = Counter()
        total: Counter[str] = Counter()
        for case in CASES:
            for name, good in verdicts(case, outcome_of(case)).items():
                total[name] += 1
                right[name] += good
        shares = {name: right[name] / total[name] for name in total}
        assert shares.pop("category") >= 0.97
        assert {name: share for name, share in shares.items() if share < 0.95} == {}

    def test_no_secret_gets_out(self) -> None:
        """What a case marks as secret is in no attribute."""
        told = {}
        for case in CASES:
            shown = repr(outcome_of(case))
            told[case["id"]] = [secret for secret in case.get("secrets", ()) if secret in shown]
        assert {name: secrets for name, secrets in told.items() if secrets} == {}
