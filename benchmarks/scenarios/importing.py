"""S6: what an import adds to those a user of the same dependencies has anyway."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from benchmarks import registry

__all__: list[str] = []

_BASE: Final = "import logging, pythonjsonlogger, orjson"
_CLASSES: Final = (
    *("AllowlistFilter", "CorrelationFilter", "ErrorFilter", "GroupingFilter", "JsonFormatter"),
    "RetentionFileHandler",
)
_ALL: Final = "crmlogging, with every filter, formatter and the file handler"
_OPTIONAL: Final = (
    *("boto3", "botocore", "cryptography", "requests", "httpx", "rich", "click", "tenacity"),
    *("duckdb", "isal"),
)
_PROGRAM: Final = """
import sys, time
wall, cpu = time.perf_counter(), time.process_time()
{statement}
took = [(time.process_time() - cpu) * 1e3, (time.perf_counter() - wall) * 1e3]
import json, os
try:
    with open("/proc/self/statm") as status:
        size = int(status.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
except OSError:
    size = None
loaded = [name for name in {optional} if name in sys.modules]
print(json.dumps([*took, size, loaded]))
"""


def lean(peer: registry.Peer, place: registry.Place, rounds: int) -> Mapping[str, float]:
    """Make sure that ours load no optional package."""
    loaded = json.loads(place.path.read_text())
    if peer.role == registry.OURS and loaded:
        raise registry.SkippedWorkError(f"it loads {', '.join(loaded)}")
    return {}


@registry.scenario(
    "S6",
    title=f"import time and memory beside `{_BASE}`",
    measures=(
        registry.Measure("cpu", "CPU ms", relation="difference", digits=1),
        registry.Measure("wall", "wall ms", relation="difference", digits=1),
        registry.Measure("mb", "resident MB", relation="difference", digits=1),
    ),
    check=lean,
    unit=_BASE,
    targets=(registry.Target("crmlogging", "cpu", 25.0), registry.Target(_ALL, "cpu", 25.0)),
)
def importing(make: Callable[[registry.Place], str], place: registry.Place) -> registry.Round:
    """A new interpreter each round, with the compiled files there."""
    program = _PROGRAM.format(statement=make(place), optional=_OPTIONAL)
    # Compiled files of its own: this process may be told to write none, and others change them.
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(place.folder)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def work() -> Mapping[str, float]:
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            env=environment,
        )
        cpu, wall, megabytes, loaded = json.loads(done.stdout)
        place.path.write_text(json.dumps(loaded))
        return {"cpu": cpu, "wall": wall, **({"mb": megabytes} if megabytes else {})}

    return work


def _statement(place: registry.Place, statement: str) -> str:
    return statement


def _imports(
    name: str, statement: str, needs: tuple[str, ...] = (), role: str = registry.PEER
) -> None:
    registry.peer(name, "S6", needs=needs, role=role)(partial(_statement, statement=statement))


_imports(_BASE, _BASE, role=registry.FLOOR)
_imports("crmlogging", f"{_BASE}, crmlogging", role=registry.OURS)
_imports(_ALL, f"{_BASE}; from crmlogging import {', '.join(_CLASSES)}", role=registry.OURS)
_imports("structlog", f"{_BASE}, structlog", ("structlog",))
_imports("loguru", f"{_BASE}; from loguru import logger", ("loguru",))
_imports(
    *("aws-lambda-powertools", f"{_BASE}; from aws_lambda_powertools import Logger"),
    ("aws_lambda_powertools",),
)
_imports("picologging", f"{_BASE}, picologging", ("picologging",))
_imports("ecs-logging", f"{_BASE}, ecs_logging", ("ecs_logging",))
_imports(
    *("concurrent-log-handler", f"{_BASE}, concurrent_log_handler"), ("concurrent_log_handler",)
)
