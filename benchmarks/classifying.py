"""What `classify` costs beside reading the body: times ``orjson.loads`` of the same body.

    python -m benchmarks.classifying [CASES.jsonl ...]

Four ways: *repeated* (the same answer again), *storm* (the same with other times and ids in its
headers), *new* (an answer that was not seen before), *new words* (nor any message like it). The
verdicts are checked against the labels first. Cases without a body that is JSON are left out. The
median case counts.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count, islice, repeat
from pathlib import Path
from typing import Any, Final

import orjson

from crmlogging.errors.catalog import Catalog, builtin
from crmlogging.errors.classify import classify_with
from crmlogging.errors.memory.answers import memory_of
from crmlogging.errors.model import CrmError

CASES: Final = Path(__file__).parent.parent / "tests" / "errors" / "unseen.jsonl"
ROUNDS: Final = 7
LOADS: Final = 50
LIMIT: Final = 8.0
"""Times `orjson.loads`, for a repeated answer."""


def _forget_nothing(catalog: Catalog) -> None:
    pass


def _forget_answers(catalog: Catalog) -> None:
    memory_of(catalog).forget()


def _forget_words(catalog: Catalog) -> None:
    memory_of(catalog).forget()
    catalog.forget_words()


WAYS: Final[Mapping[str, Callable[[Catalog], None]]] = {
    "repeated": _forget_nothing,
    "storm": _forget_nothing,
    "new": _forget_answers,
    "new words": _forget_words,
}


def read_cases(*files: Path) -> list[dict[str, Any]]:
    """Return the labelled answers that have a body in JSON."""
    lines = (line for file in files for line in file.read_text(encoding="utf-8").splitlines())
    return [case for case in map(json.loads, lines) if _is_json(case)]


def _is_json(case: Mapping[str, Any]) -> bool:
    if case.get("transport") or not case.get("body"):
        return False
    try:
        return isinstance(orjson.loads(case["body"]), (dict, list))
    except ValueError:
        return False


def classified(catalog: Catalog, case: Mapping[str, Any]) -> CrmError | None:
    """Classify one case."""
    request = case.get("request") or {}
    return classify_with(
        catalog,
        status=case.get("status"),
        headers=case.get("headers"),
        body=case["body"],
        provider=case.get("provider"),
        method=request.get("method"),
        url=request.get("url"),
    )


def is_right(case: Mapping[str, Any], error: CrmError | None) -> bool:
    """Whether the category is one of those labelled."""
    category = "none" if error is None else error.category.value
    return category in (case["expect"]["category"], *case.get("also_ok", ()))


def checked(cases: list[dict[str, Any]]) -> Catalog:
    """Return the catalog, after a look at its verdicts: what is fast must be right.

    Raises:
        ValueError: more than 3 in 100 verdicts are wrong.
    """
    catalog = builtin()
    wrong = sum(not is_right(case, classified(catalog, case)) for case in cases)
    if wrong * 100 > 3 * len(cases):
        raise ValueError(f"{wrong} of {len(cases)} verdicts are wrong")
    return catalog


def cost(cases: list[dict[str, Any]], catalog: Catalog, way: str) -> tuple[float, float]:
    """Return the median ratio to ``orjson.loads``, and microseconds."""
    forget, rows = WAYS[way], []
    for case in cases:
        asked = _storm(case) if way == "storm" else repeat(case)
        seconds = _fastest(lambda each: classified(catalog, each), asked, catalog, forget)
        rows.append((seconds / _fastest_loads(case["body"]), seconds * 1e6))
    ratios, micros = zip(*rows, strict=True)
    return statistics.median(ratios), statistics.median(micros)


def measure(cases: list[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    """Return the costs of all ways."""
    catalog = checked(cases)
    return {way: cost(cases, catalog, way) for way in WAYS}


def _storm(case: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the answer again and again, as another response has it."""
    for number in count():
        own = {"Date": f"Fri, 20 Nov 2026 10:00:00.{number} GMT", "X-Request-Id": f"req-{number}"}
        yield {**case, "headers": {**(case.get("headers") or {}), **own}}


def _fastest(
    work: Callable[[Mapping[str, Any]], object],
    cases: Iterator[Mapping[str, Any]],
    catalog: Catalog,
    forget: Callable[[Catalog], None],
) -> float:
    work(next(cases))
    times = []
    for case in islice(cases, ROUNDS):
        forget(catalog)
        started = time.perf_counter()
        work(case)
        times.append(time.perf_counter() - started)
    return min(times)


def _fastest_loads(body: str) -> float:
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(LOADS):
            orjson.loads(body)
        times.append((time.perf_counter() - started) / LOADS)
    return min(times)


def main(arguments: list[str]) -> int:
    """Print the table; exit 1 if a repeated answer costs more than `LIMIT`."""
    cases = read_cases(*(map(Path, arguments) if arguments else (CASES,)))
    results = measure(cases)
    print(f"classify() over {len(cases)} answers, median case (limit for repeated: {LIMIT:.0f}x)\n")
    print("| answer | x orjson.loads of its body | microseconds |\n|---|---|---|")
    for name, (ratio, micros) in results.items():
        print(f"| {name} | {ratio:.1f} | {micros:.1f} |")
    return 0 if results["repeated"][0] <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
