"""Redaction alone: what the allowlist costs beside a peer's encoding of the same records.

Each round makes real logging calls through every contender in turn; the cost of the call itself
(a handler that does nothing) is taken off. Ratios are medians over rounds.
"""

from __future__ import annotations

import itertools
import logging
import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks.peers import MASKED

CALLS = 300
ROUNDS = 40
SIZES = (5, 10, 20, 40, 80, 160, 320)
_numbers = itertools.count()


def repeated(log: logging.Logger) -> None:
    """Twelve fields, four of them masked; the same values each time."""
    log.error(
        "Updated contact",
        extra={
            "crm": "hubspot",
            "tenant.code": "acme",
            "resource.type": "contact",
            "resource.id": "4711",
            "request.id": "0f1b6b31-94d5-4a3c-8d52",
            "request.method": "PATCH",
            "request.attempt": 1,
            "request.duration_ms": 131.7,
            "email": "ada@example.com",
            "phone": "+1 555 0100",
            "api_key": "made-up-key-of-the-benchmark",
            "lastname": "Lovelace",
        },
    )


def fresh(log: logging.Logger) -> None:
    """The same with values never seen before where a service has them."""
    number = next(_numbers)
    log.error(
        "Updated contact",
        extra={
            "crm": "hubspot",
            "tenant.code": "acme",
            "resource.type": "contact",
            "resource.id": f"{number}",
            "request.id": f"0f1b6b31-94d5-4a3c-8d52-{number:012x}",
            "request.method": "PATCH",
            "request.attempt": 1,
            "request.duration_ms": number / 7,
            "email": f"ada{number}@example.com",
            "phone": f"+1 555 {number}",
            "api_key": "made-up-key-of-the-benchmark",
            "lastname": "Lovelace",
        },
    )


class _Working(logging.Handler):
    """Does one piece of work with each record and drops it."""

    def __init__(self, work: Callable[[logging.LogRecord], object]) -> None:
        super().__init__()
        self._work = work

    def handle(self, record: logging.LogRecord) -> bool:
        self._work(record)
        return True


def _contenders() -> dict[str, Callable[[logging.LogRecord], object]]:
    from pythonjsonlogger.orjson import OrjsonFormatter

    from crmlogging import AllowlistFilter

    encode = OrjsonFormatter("%(levelname)s %(name)s %(message)s", timestamp=True).format
    redact = AllowlistFilter(["@crm"]).refine
    return {"": lambda record: None, "encode": encode, "redact": redact}


def _seconds(log: logging.Logger, work: Any, call: Callable[[logging.Logger], None]) -> float:
    log.handlers[:] = [_Working(work)]
    for _ in range(20):
        call(log)
    began = time.process_time()
    for _ in range(CALLS):
        call(log)
    return time.process_time() - began


def beside_encoding(call: Callable[[logging.Logger], None]) -> float:
    """Return the cost of redaction as a multiple of python-json-logger's encoding with orjson."""
    log, contenders = logging.Logger("crm.sync"), _contenders()
    _check(contenders["redact"], call)
    ratios = []
    for _ in range(ROUNDS):
        took = {name: _seconds(log, work, call) for name, work in contenders.items()}
        ratios.append((took["redact"] - took[""]) / (took["encode"] - took[""]))
    return statistics.median(ratios)


def _check(redact: Callable[[logging.LogRecord], object], call: Any) -> None:
    """Refuse to measure what does not redact."""
    shown: list[dict[str, Any]] = []
    log = logging.Logger("crm.sync")
    log.addHandler(_Working(lambda record: shown.append(vars(redact(record)))))
    call(log)
    call(log)
    for each in shown:
        masked = [each[name] for name in ("email", "phone", "api_key", "lastname")]
        if masked != [MASKED] * 4 or each["crm"] != "hubspot" or "resource.id" not in each:
            raise SystemExit(f"redaction did not redact: {each}")


def by_size() -> dict[int, float]:
    """Return microseconds for each value, by the number of values of a record."""
    from crmlogging import AllowlistFilter

    log, costs = logging.Logger("crm.sync"), {}
    redact = AllowlistFilter([f"field{number}" for number in range(0, max(SIZES), 2)]).refine
    for size in SIZES:
        extra = {f"field{number}": f"value-{number}" for number in range(size)}

        def call(log: logging.Logger, extra: dict[str, str] = extra) -> None:
            log.error("Updated contact", extra=extra)

        rounds = []
        for _ in range(ROUNDS // 4):
            spent = _seconds(log, redact, call) - _seconds(log, lambda record: None, call)
            rounds.append(spent / CALLS / size * 1e6)
        costs[size] = statistics.median(rounds)
    return costs


def report() -> None:
    """Print the table."""
    print("\nRedaction of 12 fields, 4 masked, x python-json-logger's encoding with orjson\n")
    print("| values | x encoding (target < 1) |\n|---|---|")
    for call in (repeated, fresh):
        print(f"| {call.__name__} | {beside_encoding(call):.2f} |")
    print("\nMicroseconds for each value of a record (linear: they do not grow)\n")
    costs = by_size()
    print("| values | " + " | ".join(map(str, costs)) + " |\n|" + "---|" * (len(costs) + 1))
    print("| µs | " + " | ".join(f"{cost:.2f}" for cost in costs.values()) + " |")
