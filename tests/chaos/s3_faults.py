"""``python -m tests.chaos.s3_faults``: S3 at its worst, and what of it arrives.

Processes log through a proxy that spoils 30 % of all uploads, takes an outage, refuses
credentials for a while, and kills the loggers, also between an upload and its confirmation.
Afterwards every record whose logging call had returned has to be in the bucket exactly once.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.chaos.s3_proxy import FaultProxy
from tests.chaos.s3_servers import CREDENTIALS, SERVERS, contents, new_bucket

__all__ = ["Plan", "Result", "run"]

_ROOT: Final = Path(__file__).parents[2]
_BUCKET: Final = "logs"
_DRAIN_SECONDS: Final = 240.0


class Plan(NamedTuple):
    """How bad a run is to be.

    Attributes:
        kind: of handler, ``"spool"`` or ``"memory"``.
        seed: of all choices.
        writers: processes at a time.
        threads: of each.
        records: of each thread.
        pause: seconds between two records.
        rate: share of uploads that are spoilt.
        kills: writers killed at random; a third of them once an upload of theirs was stored.
        outage_seconds: how long the server is away.
        refused_seconds: how long it refuses the credentials.
    """

    kind: str = "spool"
    seed: int = 1
    writers: int = 3
    threads: int = 3
    records: int = 2_000
    pause: float = 0.04
    rate: float = 0.3
    kills: int = 6
    outage_seconds: float = 60.0
    refused_seconds: float = 5.0


class Result(NamedTuple):
    """What became of the records.

    Attributes:
        accepted: logging calls that returned.
        lost: of these, not in the bucket.
        repeated: lines that are in the bucket once more.
        torn: lines that nobody wrote like that.
        objects: in the bucket.
        spooled: files that are left in the spool.
        exposed: files of the spool that others could read.
        calls_above_50_ms: logging calls that took longer.
        slowest_ms: of the logging calls.
        slowest_write_ms: of plain writes of the same threads, for comparison.
        requests: uploads the proxy saw.
        injected: faults, by name.
    """

    accepted: int
    lost: int
    repeated: int
    torn: int
    objects: int
    spooled: int
    exposed: int
    calls_above_50_ms: int
    slowest_ms: float
    slowest_write_ms: float
    requests: int
    injected: dict[str, int]


class _Writers:
    """The processes that log, by name."""

    def __init__(self, plan: Plan, url: str, directory: Path) -> None:
        self._plan, self._url, self._directory = plan, url, directory
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._started = 0
        (directory / "acks").mkdir()

    def start(self, count: int | None = None, close_seconds: float = 2.0) -> None:
        name = f"writer-{self._started}"
        self._started += 1
        given = {
            "name": name,
            "kind": self._plan.kind,
            "bucket": _BUCKET,
            "url": self._url,
            "spool": str(self._directory / "spool"),
            "acks": str(self._directory / "acks"),
            "threads": self._plan.threads,
            "pause": self._plan.pause,
            "count": self._plan.records if count is None else count,
            "close_seconds": close_seconds,
        }
        self.running[name] = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.chaos.s3_writer", json.dumps(given)],
            cwd=_ROOT,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **CREDENTIALS, "AWS_SDK_UA_APP_ID": name},
        )

    def pid_of(self, name: str) -> int | None:
        process = self.running.get(name)
        return process.pid if process is not None and process.poll() is None else None

    def has_logged(self, name: str) -> bool:
        return any((self._directory / "acks").glob(f"{name}-*"))

    def wait(self) -> None:
        for process in self.running.values():
            process.wait(300)

    def end(self) -> None:
        for process in self.running.values():
            if process.poll() is None:
                process.kill()
            process.wait(10)


def run(server: str, plan: Plan, directory: Path) -> Result:
    """Do as `plan` says, with a server of `SERVERS`, in an empty directory."""
    with SERVERS[server](directory) as address:
        client = new_bucket(address, _BUCKET)
        proxy = FaultProxy(address, seed=plan.seed)
        writers = _Writers(plan, proxy.url, directory)
        try:
            proxy.rate, proxy.pid_of = plan.rate, writers.pid_of
            _disturb(plan, proxy, writers)
            spooled = _drained(plan, writers, directory / "spool")
        finally:
            writers.end()
            proxy.stop()
        return _compared(client, directory, proxy, spooled)


def _disturb(plan: Plan, proxy: FaultProxy, writers: _Writers) -> None:
    """Kill and refuse while the writers write."""
    chance = random.Random(plan.seed)
    for _ in range(plan.writers):
        writers.start()
    for kill in range(plan.kills):
        name = chance.choice([name for name in writers.running if writers.pid_of(name)])
        _wait_until(lambda name=name: writers.has_logged(name))
        time.sleep(chance.uniform(0.0, 0.5))
        if kill % 3 == 1:
            proxy.kill.add(name)
            _wait_until(lambda name=name: not writers.pid_of(name), seconds=5)
        pid = writers.pid_of(name)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        writers.running[name].wait(10)
        writers.start()
    for fault, seconds in (("outage", plan.outage_seconds), ("expired", plan.refused_seconds)):
        proxy.always = fault
        time.sleep(seconds)
        proxy.always = None
    writers.wait()


def _wait_until(holds: Any, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.005)


def _drained(plan: Plan, writers: _Writers, spool: Path) -> int:
    """Let a new process deliver what waits; return how many files are left."""
    end = time.monotonic() + _DRAIN_SECONDS
    while plan.kind == "spool":
        writers.start(count=1, close_seconds=60.0)
        writers.wait()
        if not _files(spool) or time.monotonic() > end:
            break
    return len(_files(spool))


def _files(spool: Path) -> list[Path]:
    return [path for path in spool.rglob("*") if path.is_file()]


def _compared(client: Any, directory: Path, proxy: FaultProxy, spooled: int) -> Result:
    accepted: set[tuple[str, str, str]] = set()
    took: list[int] = []
    wrote: list[int] = []
    for path in (directory / "acks").iterdir():
        name = path.name.rpartition("-")[0]
        for thread, number, *times in map(str.split, path.read_text().splitlines()):
            accepted.add((name, thread, number))
            took.append(int(times[0]))
            wrote.append(int(times[1]))
    found: Counter[tuple[str, str, str]] = Counter()
    torn = objects = 0
    for _, lines in contents(client, _BUCKET):
        objects += 1
        for line in lines:
            name, thread, number, padding = (line.decode().split(" ", 3) + [""] * 3)[:4]
            torn += not number.isdigit() or padding != "x" * (int(number) % 400)
            found[name, thread, number] += 1
    return Result(
        accepted=len(accepted),
        lost=len(accepted - set(found)),
        repeated=sum(found.values()) - len(found),
        torn=torn,
        objects=objects,
        spooled=spooled,
        exposed=sum(path.stat().st_mode & 0o077 != 0 for path in _files(directory / "spool")),
        calls_above_50_ms=sum(each > 50_000 for each in took),
        slowest_ms=max(took) / 1_000,
        slowest_write_ms=max(wrote) / 1_000,
        requests=proxy.requests,
        injected=dict(proxy.injected),
    )


def _row(server: str, plan: Plan, result: Result) -> str:
    lost = f"{result.lost:,} ({result.lost / max(1, result.accepted):.1%})"
    what = (server, plan.kind, plan.seed, f"{result.accepted:,}", lost, result.repeated)
    faults = sum(result.injected.values())
    slow = (f"{result.slowest_ms:.1f} ms", f"{result.slowest_write_ms:.1f} ms")
    how = (result.torn, result.spooled, result.requests, faults, *slow)
    return f"| {' | '.join(map(str, (*what, *how)))} |\n"


def main() -> int:
    """Run all and print a table; 1 if anything was lost or repeated by the handler."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.s3_faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2, help="runs on each server")
    parser.add_argument("--outage", type=float, default=60.0, help="seconds")
    parser.add_argument("--server", choices=SERVERS, action="append", help="only this one")
    given = parser.parse_args()
    say = sys.stdout.write
    say("| server | handler | seed | accepted | lost | repeated | torn | left in the spool |")
    say(" uploads | faults | slowest call | slowest plain write |\n" + "|---" * 12 + "|\n")
    bad = False
    for server in given.server or SERVERS:
        plans = [Plan(seed=seed, outage_seconds=given.outage) for seed in range(given.seeds)]
        for plan in [*plans, Plan(kind="memory", seed=0, outage_seconds=given.outage)]:
            with tempfile.TemporaryDirectory(prefix="crmlogging-chaos-") as directory:
                result = run(server, plan, Path(directory))
            say(_row(server, plan, result))
            sys.stdout.flush()
            if plan.kind == "spool":
                bad |= bool(result.lost or result.repeated or result.torn or result.spooled)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
