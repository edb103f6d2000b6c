"""What `import crmlogging` adds to the imports a user of its dependencies has anyway."""

from __future__ import annotations

import statistics
import subprocess
import sys

BASE = "import logging, pythonjsonlogger, orjson"
_CLASSES = (
    *("AllowlistFilter", "CorrelationFilter", "ErrorFilter", "GroupingFilter", "JsonFormatter"),
    "RetentionFileHandler",
)
OURS = {
    "import crmlogging": f"{BASE}, crmlogging",
    "and every filter, formatter, file handler": f"{BASE}; from crmlogging import "
    + ", ".join(_CLASSES),
}
ROUNDS = 15
LIMIT_MS = 25.0


def measure() -> dict[str, float]:
    """Return milliseconds added over the base: medians of differences within a round."""
    added: dict[str, list[float]] = {name: [] for name in OURS}
    statements = {"": BASE, **OURS}
    for statement in statements.values():
        _milliseconds(statement)  # Once unmeasured: the first has to fetch the files.
    for number in range(ROUNDS):
        # Every other round goes backwards, so that none gains by its place.
        order = list(statements)[:: 1 if number % 2 else -1]
        took = {name: _milliseconds(statements[name]) for name in order}
        for name in OURS:
            added[name].append(took[name] - took[""])
    return {name: statistics.median(values) for name, values in added.items()}


def _milliseconds(statement: str) -> float:
    program = (
        f"import time; began = time.perf_counter(); {statement};"
        " print((time.perf_counter() - began) * 1000)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return float(done.stdout)
