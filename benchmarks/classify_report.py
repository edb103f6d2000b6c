"""How well `classify` does over labelled answers: accuracy, confusion, misses, leaks.

    python benchmarks/classify_report.py CASES.jsonl [CASES.jsonl ...] [--quiet]

One JSON object a line: ``status``, ``headers``, ``body``, ``provider``, ``transport`` (with
``exception`` and ``message``) and ``request`` (``method``, ``url``) are the input. ``expect`` holds
the labels, ``also_ok`` further right categories, ``secrets`` strings that must occur in no
attribute. A line that cannot be read is skipped and counted. Exit 0 if nothing is missed, 1 if
something is, 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from crmlogging.errors.classify import classify
from crmlogging.errors.model import CrmError

MEASURES: Final = (
    *("category", "retry", "actionable", "provider_code", "fields", "request_id", "delay"),
    *("scope", "items"),
)
_NONE: Final = "none"


@dataclass
class Score:
    """What was right and wrong."""

    right: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    total: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    misses: list[str] = field(default_factory=list)
    leaks: int = 0
    cases: int = 0
    skipped: int = 0

    def accuracy(self, measure: str, provider: str | None = None) -> float:
        """Return the share that was right, 0 to 1; of all providers, or of one."""
        names = list(self.total) if provider is None else [provider]
        total = sum(self.total[name][measure] for name in names)
        return sum(self.right[name][measure] for name in names) / total if total else 1.0


def read_cases(paths: Iterable[Path], score: Score) -> Iterator[Mapping[str, Any]]:
    """Yield the cases of all files; count the lines that are none."""
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                try:
                    case = json.loads(line)
                    case["expect"]["category"]
                except (ValueError, KeyError, TypeError):
                    score.skipped += bool(line.strip())
                else:
                    yield case


def outcome_of(case: Mapping[str, Any]) -> CrmError | None:
    """Classify the answer of `case`."""
    transport, request = case.get("transport") or {}, case.get("request") or {}
    exception = f"{transport['exception']}: {transport['message']}" if transport else None
    return classify(
        status=case.get("status"),
        headers=case.get("headers"),
        body=case.get("body"),
        provider=case.get("provider"),
        exception=exception,
        method=request.get("method"),
        url=request.get("url"),
    )


def judge(case: Mapping[str, Any], error: CrmError | None, score: Score) -> None:
    """Compare `error` with the labels of `case`, and note the result."""
    expect, provider = case["expect"], case.get("provider") or "(nobody)"
    accepted = [expect["category"], *(case.get("also_ok") or [])]
    category = error.category.value if error is not None else _NONE
    score.cases += 1
    score.confusion[expect["category"], category] += 1
    verdicts = {"category": category in accepted}
    if category == expect["category"]:
        verdicts["retry"] = expect["retry"] == (error is not None and error.retryable)
        verdicts["actionable"] = expect["actionable"] == (error is not None and error.actionable)
        verdicts["scope"] = expect["scope"] == ("run" if error and error.abort_run else "record")
    verdicts.update(_identified(expect, error))
    for measure, right in verdicts.items():
        score.total[provider][measure] += 1
        score.right[provider][measure] += right
    leaked = sum(secret in repr(error) for secret in case.get("secrets") or ())
    score.leaks += leaked
    wrong = [m for m, right in verdicts.items() if not right] + ["LEAK"] * bool(leaked)
    if wrong:
        rule = f"{error.evidence}, rule {error.rule}" if error is not None else "no error"
        got = ", ".join(f"{m}={_shown(m, error)!r} for {_due(m, expect)!r}" for m in wrong)
        score.misses.append(f"{case.get('id')}: {got} ({rule})")


def _identified(expect: Mapping[str, Any], error: CrmError | None) -> dict[str, bool]:
    """Judge code, fields, id, delay and items, where the case is labelled for them."""
    code = error.provider_code if error is not None else None
    codes = [expect.get("provider_code"), *(expect.get("provider_code_any") or ())]
    names = [f.field for f in error.fields] if error is not None else []
    delay = error.retry_after_seconds if error is not None else None
    due = expect.get("retry_after_s")
    verdicts = {
        "provider_code": code in codes,
        "fields": _last_steps(names) == _last_steps(expect.get("fields") or ()),
        "delay": delay is None
        if due is None
        else delay is not None and abs(delay - due) <= max(1.0, 0.1 * due),
    }
    if expect.get("request_id") is not None:
        verdicts["request_id"] = error is not None and error.request_id == expect["request_id"]
    if expect.get("items"):
        found = [item.category.value for item in error.items] if error is not None else []
        labels = [i if isinstance(i, str) else i.get("category") for i in expect["items"]]
        verdicts["items"] = found == labels
    return verdicts


def _last_steps(names: Iterable[str]) -> set[str]:
    """Reduce field names to their last step; number steps do not count."""
    steps = ([step for step in name.split(".") if not step.isdigit()] for name in names)
    return {path[-1] for path in steps if path}


def _shown(measure: str, error: CrmError | None) -> object:
    if error is None:
        return None
    names = {"retry": "retryable", "delay": "retry_after_seconds"}
    if measure == "fields":
        return [f.field for f in error.fields]
    if measure == "items":
        return [item.category.value for item in error.items]
    return str(getattr(error, names.get(measure, measure), "?"))


def _due(measure: str, expect: Mapping[str, Any]) -> object:
    return expect.get("retry_after_s" if measure == "delay" else measure)


def show(score: Score, *, quiet: bool) -> None:
    """Print the report."""
    print(f"{score.cases} cases, {score.skipped} lines skipped, {score.leaks} secrets leaked\n")
    print(f"{'':16}" + "".join(f"{measure:>14}" for measure in MEASURES))
    for provider in sorted(score.total):
        print(f"{provider:16}" + "".join(f"{_share(score, m, provider):>14}" for m in MEASURES))
    print(f"{'all':16}" + "".join(f"{score.accuracy(m):>14.1%}" for m in MEASURES))
    labels = sorted({label for pair in score.confusion for label in pair})
    print("\nexpected \\ found " + "".join(f"{label:>13}" for label in labels))
    for due in labels:
        counts = (score.confusion[due, found] for found in labels)
        print(f"{due:17}" + "".join(f"{count or '.':>13}" for count in counts))
    if not quiet:
        print("\n" + "\n".join(score.misses or ["no misses"]))


def _share(score: Score, measure: str, provider: str) -> str:
    if not score.total[provider][measure]:
        return "-"
    return f"{score.accuracy(measure, provider):.1%}"


def main(arguments: list[str] | None = None) -> int:
    """Run the report over the files named; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path, help="labelled cases, one JSON a line")
    parser.add_argument("--quiet", action="store_true", help="leave out the misses")
    options = parser.parse_args(arguments)
    score = Score()
    for case in read_cases(options.files, score):
        judge(case, outcome_of(case), score)
    show(score, quiet=options.quiet)
    return 1 if score.misses or score.leaks else 0


if __name__ == "__main__":
    sys.exit(main())
