"""The hot path: CPU per record, every peer in a process of its own, rounds interleaved."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.peers import MASKED, MESSAGE, PEERS, SCENARIOS, SECRET

RECORDS = 4_000
ROUNDS = 15
UNIT = next(iter(PEERS))


def work(name: str, scenario: str, path: Path) -> None:
    """Be one peer: for each line on stdin log a round and print its CPU seconds."""
    call, fields = PEERS[name](path), SCENARIOS[scenario]
    for _ in range(200):
        call(fields)
    print("ready", flush=True)
    for _ in sys.stdin:
        began = time.process_time()
        for _ in range(RECORDS):
            call(fields)
        print(time.process_time() - began, flush=True)


def measure(scenario: str) -> dict[str, float]:
    """Return each peer's CPU per record as a multiple of the no-op handler's: median of rounds."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{n}.jsonl" for n, name in enumerate(PEERS)}
        running = {name: _start(name, scenario, path) for name, path in paths.items()}
        rounds = [
            {name: _round(process) for name, process in running.items()} for _ in range(ROUNDS)
        ]
        for process in running.values():
            _finish(process)
        for name, path in paths.items():
            if name != UNIT:
                check(name, scenario, path)
    return {name: statistics.median(each[name] / each[UNIT] for each in rounds) for name in PEERS}


def _start(name: str, scenario: str, path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks", "--work", name, scenario, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    if process.stdout.readline() != "ready\n":
        raise SystemExit(f"{name} did not start")
    return process


def _round(process: subprocess.Popen[str]) -> float:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def _finish(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.close()
    process.wait(timeout=60)


def check(name: str, scenario: str, path: Path) -> None:
    """Refuse a peer that skipped work: every record there, every field, secrets masked."""
    lines = path.read_text().splitlines()
    expected = RECORDS * ROUNDS + 200
    if len(lines) != expected:
        raise SystemExit(f"{name}: wrote {len(lines)} of {expected} lines")
    wanted: dict[str, Any] = {
        field: MASKED if field in SECRET else value for field, value in SCENARIOS[scenario].items()
    }
    for text in (lines[0], lines[len(lines) // 2], lines[-1]):
        line = json.loads(text)
        head = (line["message"], str(line.get("level", line.get("levelname"))).upper())
        logger = line.get("logger", line.get("name", "crm.sync"))
        if (*head, logger) != (MESSAGE, "ERROR", "crm.sync") or "timestamp" not in line:
            raise SystemExit(f"{name}: a line lacks message, level, logger or time")
        found = {field: line.get(field) for field in wanted}
        if found != wanted:
            raise SystemExit(f"{name}: unequal content: {found} instead of {wanted}")
