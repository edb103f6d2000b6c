"""What a slow target costs the caller, and what ten thousand rotations leave behind."""

from __future__ import annotations

import json
import logging
import os
import resource
import threading
import time
from pathlib import Path
from typing import Final

from crmlogging.handlers.async_handler import AsyncHandler
from crmlogging.handlers.retention_file import RetentionFileHandler
from tests.chaos.contenders import protected, service_logger, structured
from tests.chaos.outcomes import Outcome, count, json_line
from tests.chaos.torture import ended, process

__all__ = ["rotations", "waits"]

_SECONDS: Final = 120
_CALLS: Final = 10_000
_CAPACITY: Final = 1_000
_PAUSE_SECONDS: Final = 0.0002


class _Sleeping(logging.Handler):
    """A target that takes its time for each record."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def emit(self, record: logging.LogRecord) -> None:
        if self._seconds:
            time.sleep(self._seconds)


def waits(directory: Path) -> list[Outcome]:
    """Measure what the caller waits at each call, with an idle target and with a slow one."""
    outcomes = []
    for overflow in ("drop", "block"):
        idle, slow = (
            _percentile(directory / f"{overflow}{seconds}", seconds, overflow)
            for seconds in (0.0, 1.0)
        )
        note = (
            f"p99.9 {slow * 1e6:,.0f} us, with an idle target {idle * 1e6:,.0f} us: "
            f"{slow / idle:.1f} times"
        )
        outcomes.append(
            Outcome(
                f"target takes 1 s a record, {overflow}",
                "AsyncHandler",
                accepted=_CALLS,
                note=note,
                failed=slow > 5 * idle,
            )
        )
    return outcomes


def _percentile(report: Path, seconds: float, overflow: str) -> float:
    """Return the 99.9th percentile of a call's duration, in seconds."""

    def work() -> None:
        handler = AsyncHandler(
            handlers=[_Sleeping(seconds)],
            capacity=_CAPACITY,
            overflow=overflow,
            flush_seconds=0.1,
            levels=False,
        )
        write = structured(service_logger(protected(handler)))
        took = []
        for number in range(_CALLS):
            began = time.perf_counter()
            write(1, number)
            took.append(time.perf_counter() - began)
            time.sleep(_PAUSE_SECONDS)  # A burst would measure the processor, not the handler.
        report.write_text(json.dumps(sorted(took)[int(_CALLS * 0.999)]))

    assert ended(process(work, seconds=_SECONDS), seconds=_SECONDS) == 0
    found: float = json.loads(report.read_text())
    return found


def rotations(directory: Path, *, number: int) -> Outcome:
    """Rotate `number` times; a tenth of that has to be enough to reach the final size."""
    logs = directory / "logs"
    logs.mkdir(parents=True)
    report = directory / "report"

    def sizes() -> tuple[int, int, int]:
        descriptors = len(os.listdir("/dev/fd"))
        return descriptors, threading.active_count(), _resident_kilobytes()

    def work() -> None:
        handler = RetentionFileHandler(
            logs / "crm.jsonl", max_bytes=200, total_bytes=20_000, levels=False
        )
        write = structured(service_logger(protected(handler)))
        early = None
        while handler.stats()["rotated"] < number:
            write(1, 1)
            if early is None and handler.stats()["rotated"] > number // 10:
                early = sizes()
        late = sizes()
        logging.shutdown()
        report.write_text(json.dumps([early, late, len(os.listdir(logs))]))

    status = ended(process(work, seconds=_SECONDS, errors=directory / "errors"), seconds=_SECONDS)
    outcome = Outcome(f"{number:,} rotations", "RetentionFileHandler", number, failed=True)
    if status != 0:
        return outcome
    early, late, files = json.loads(report.read_text())
    grown = [after - before for before, after in zip(early, late, strict=True)]
    # The sweeping thread comes and goes, with three descriptors.
    failed = grown[0] > 3 or grown[1] > 1 or grown[2] > 8_192 or files > 400
    note = f"grew by {grown[0]} descriptors, {grown[1]} threads, {grown[2]:,} kB; {files} files"
    torn = count(outcome, [], logs, parse=json_line)
    return Outcome(
        outcome.scenario,
        outcome.handler,
        accepted=number,
        torn=torn.torn,
        archives=torn.archives,
        note=note,
        failed=failed,
    )


def _resident_kilobytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # Elsewhere only the peak is known, which may not grow either.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * resource.getpagesize() // 1024
