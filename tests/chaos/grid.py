"""Many processes, tiny files, and nobody killed: every (process, number) exactly once.

In the manner of concurrent-log-handler's stress test: 12 processes, files of 5 KiB, plain, gzip,
and by day; here also with a clock that jumps while they write.
"""

from __future__ import annotations

import datetime
import logging
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from tests.chaos.contenders import BROKEN, OURS, PEERS, Contender, Write, retention_file
from tests.chaos.ledger import Ledger
from tests.chaos.outcomes import Outcome, count
from tests.chaos.torture import process

__all__ = ["clocks", "grid"]

PROCESSES: Final = 12
SIZE: Final = 5 * 1024
_SECONDS: Final = 60
_LARGE: Final = 50_000_000

_CLOCKS: Final = {
    "an hour back over midnight": ["2026-11-21T23:59:59", "2026-11-22T00:30", "2026-11-21T23:30"],
    "a year forward and back": ["2026-11-21T12:00", "2027-11-21T12:00", "2026-11-21T12:00"],
    "leap day": ["2028-02-28T23:59:59", "2028-02-29T00:00", "2028-03-01T00:00"],
    "year's end, 2038": ["2037-12-31T23:59:59", "2038-01-01T00:00", "2038-01-19T03:14:08"],
    "summer time": ["2026-10-25T00:59", "2026-10-25T01:01", "2026-10-25T23:59", "2026-10-26T00:00"],
}


def grid(directory: Path, *, records: int) -> list[Outcome]:
    """Run the grid, with a peer and a broken handler in it."""
    runs = [
        ("plain", replace(OURS, open=partial(retention_file, compress=None))),
        ("gzip", OURS),
        ("gzip", PEERS[1]),
        ("gzip", BROKEN[0]),
    ]
    outcomes = [
        _write(contender, directory / f"grid{number}", f"{PROCESSES} processes, 5 KiB, {how}",
               records=records, size=SIZE)
        for number, (how, contender) in enumerate(runs)
    ]  # fmt: skip
    days = [datetime.datetime(2026, 11, day, tzinfo=datetime.UTC) for day in range(1, 29)]
    ledger = Ledger(directory / "days")
    outcomes.append(
        _write(_with_clock(ledger), directory / "daily", f"{PROCESSES} processes, 5 KiB, daily",
               records=records, size=SIZE, meanwhile=partial(_jump, ledger, days))
    )  # fmt: skip
    return outcomes


def clocks(directory: Path, *, records: int) -> list[Outcome]:
    """Let the clock jump while 4 processes write; every jump may cost a rotation, not more."""
    outcomes = []
    for number, (what, times) in enumerate(_CLOCKS.items()):
        place = directory / f"clock{number}"
        ledger = Ledger(directory / f"clock{number}.time")
        moments = [datetime.datetime.fromisoformat(f"{time}+00:00") for time in times]
        outcome = _write(
            _with_clock(ledger),
            place,
            f"clock: {what}",
            records=records,
            size=_LARGE,
            processes=4,
            meanwhile=partial(_jump, ledger, moments),
        )
        files = len(list((place / "logs").iterdir()))
        # Each process may begin a new file with a line of before the jump, by which the others
        # take it for an old one: here the files' own times do not jump.
        storm = files > 1 + 8 * (len(times) - 1)
        outcomes.append(replace(outcome, note=f"{files} files", failed=outcome.failed or storm))
    return outcomes


def _with_clock(ledger: Ledger) -> Contender:
    """Return ours by the clock of the ledger, which its records bear as well."""

    def clock() -> float:
        return float(ledger.word)

    def at(*arguments: Any, **options: Any) -> logging.LogRecord:
        record = logging.LogRecord(*arguments, **options)
        record.created = clock()
        return record

    def opened(directory: Path, size: int) -> Write:
        logging.setLogRecordFactory(at)
        kept = {"standard": None, "debug": None}
        return retention_file(directory, size, clock=clock, tiers=kept)

    return replace(OURS, open=opened)


def _jump(ledger: Ledger, moments: Sequence[datetime.datetime], done: float) -> None:
    """Set the clock to the moment for this share of the work."""
    index = min(int(done * len(moments)), len(moments) - 1)
    ledger.word = int(moments[index].timestamp())


def _write(
    contender: Contender,
    directory: Path,
    scenario: str,
    *,
    records: int,
    size: int,
    processes: int = PROCESSES,
    meanwhile: Callable[[float], None] = lambda _done: None,
) -> Outcome:
    """Have each process write `records`, call `meanwhile` with the share that is done, count."""
    logs = directory / "logs"
    logs.mkdir(parents=True)
    ledger = Ledger(directory / "ledger")
    meanwhile(0.0)

    def work(slot: int) -> None:
        write = contender.open(logs, size)
        for number in range(1, records + 1):
            write(slot, number)
            ledger.accept(slot, number)
            if random.random() < 0.05:
                time.sleep(0.0005)
        logging.shutdown()

    pids = [
        process(lambda slot=slot: work(slot), seconds=_SECONDS, errors=directory / "errors")  # type: ignore[misc]  # a lambda's default has no type
        for slot in range(1, processes + 1)
    ]
    failed = False
    while pids:
        done, status = os.waitpid(pids[0], os.WNOHANG)
        meanwhile(len(ledger.accepted()) / (records * processes))
        if done:
            pids.pop(0)
            failed |= status != 0
        else:
            time.sleep(0.01)
    outcome = Outcome(scenario, contender.name, failed=failed)
    return count(outcome, ledger.accepted(), logs, parse=contender.parse, modes=contender.modes)
