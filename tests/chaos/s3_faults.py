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
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.chaos.s3_counts import Result, counted, files
from tests.chaos.s3_proxy import FaultProxy
from tests.chaos.s3_servers import CREDENTIALS, SERVERS, new_bucket

__all__ = ["MOMENTS", "PARTS", "Plan", "run"]

_ROOT: Final = Path(__file__).parents[2]
BUCKET: Final = "logs"
MOMENTS: Final[Mapping[str, bytes]] = {
    "begun": rb"POST .*[?&]uploads\b",
    "some parts stored": rb"PUT .*[?&]partNumber=1\b",
    "completed": rb"POST .*[?&]uploadId=",
}
"""Of an upload in parts: the request that the server has just done."""
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
        moment: of an upload in parts (`MOMENTS`): there each writer is killed, one after the other,
            instead of all that comes before.
        noise: random bytes in each record, so that objects grow large.
        segment_bytes, segment_seconds: as of the handler.
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
    moment: str = ""
    noise: int = 0
    segment_bytes: int = 5_000
    segment_seconds: float = 0.2


class _Writers:
    """The processes that log, by name."""

    def __init__(self, plan: Plan, url: str, directory: Path) -> None:
        self._plan, self._url, self._directory = plan, url, directory
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._started = 0
        (directory / "acks").mkdir()

    def start(self, count: int | None = None, close_seconds: float = 2.0) -> str:
        name = f"writer-{self._started}"
        self._started += 1
        given = {
            "name": name,
            "kind": self._plan.kind,
            "bucket": BUCKET,
            "url": self._url,
            "spool": str(self._directory / "spool"),
            "acks": str(self._directory / "acks"),
            "threads": self._plan.threads,
            "pause": self._plan.pause,
            "count": self._plan.records if count is None else count,
            "close_seconds": close_seconds,
            "noise": self._plan.noise,
            "segment_bytes": self._plan.segment_bytes,
            "segment_seconds": self._plan.segment_seconds,
        }
        self.running[name] = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.chaos.s3_writer", json.dumps(given)],
            cwd=_ROOT,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **CREDENTIALS, "AWS_SDK_UA_APP_ID": name},
        )
        return name

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
        client = new_bucket(address, BUCKET)
        proxy = FaultProxy(address, seed=plan.seed)
        writers = _Writers(plan, proxy.url, directory)
        try:
            proxy.rate, proxy.pid_of = plan.rate, writers.pid_of
            (_kill_in_parts if plan.moment else _disturb)(plan, proxy, writers)
            _drain(plan, writers, directory / "spool")
        finally:
            writers.end()
            proxy.stop()
        requests, injected = proxy.requests, dict(proxy.injected)
        return counted(client, BUCKET, directory, plan.noise, requests, injected)


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


def _kill_in_parts(plan: Plan, proxy: FaultProxy, writers: _Writers) -> None:
    """Kill one writer after the other, each when its upload has come as far as `plan.moment`."""
    proxy.kill_at = MOMENTS[plan.moment]
    for _ in range(plan.writers):
        name = writers.start(close_seconds=60.0)
        proxy.kill.add(name)
        writers.running[name].wait(120)


def _wait_until(holds: Any, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.005)


def _drain(plan: Plan, writers: _Writers, spool: Path) -> None:
    """Let a new process deliver what waits."""
    end = time.monotonic() + _DRAIN_SECONDS
    while plan.kind == "spool":
        writers.start(count=1, close_seconds=60.0)
        writers.wait()
        if not files(spool) or time.monotonic() > end:
            break


PARTS: Final = Plan(
    writers=2,
    threads=1,
    records=180,
    pause=0.0,
    rate=0.0,
    noise=48_000,
    segment_bytes=10**9,
    segment_seconds=10**6,
)
"""One object of two parts a writer."""


def _row(server: str, plan: Plan, result: Result) -> str:
    lost = f"{result.lost:,} ({result.lost / max(1, result.accepted):.1%})"
    what = f"{plan.kind}, killed: {plan.moment}" if plan.moment else plan.kind
    who = (server, what, plan.seed, f"{result.accepted:,}", lost, result.repeated)
    left = (result.spooled, len(result.unfinished), result.parts)
    faults = (result.requests, sum(result.injected.values()))
    slow = (f"{result.slowest_ms:.1f} ms", f"{result.slowest_write_ms:.1f} ms")
    return f"| {' | '.join(map(str, (*who, result.torn, *left, *faults, *slow)))} |\n"


def main() -> int:
    """Run all and print a table; 1 if anything was lost, repeated or left by the handler."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.s3_faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2, help="runs on each server")
    parser.add_argument("--outage", type=float, default=60.0, help="seconds")
    parser.add_argument("--server", choices=SERVERS, action="append", help="only this one")
    given = parser.parse_args()
    say = sys.stdout.write
    say("| server | handler | seed | accepted | lost | repeated | torn | left in the spool |")
    say(" uploads left | with parts | uploads | faults | slowest call | slowest plain write |\n")
    say("|---" * 14 + "|\n")
    bad = False
    for server in given.server or SERVERS:
        for plan in _plans(given.seeds, given.outage):
            with tempfile.TemporaryDirectory(prefix="crmlogging-chaos-") as directory:
                result = run(server, plan, Path(directory))
            say(_row(server, plan, result))
            sys.stdout.flush()
            bad |= plan.kind == "spool" and not result.is_whole
    return int(bad)


def _plans(seeds: int, outage_seconds: float) -> Iterator[Plan]:
    for seed in range(seeds):
        yield Plan(seed=seed, outage_seconds=outage_seconds)
    for seed in range(seeds):
        for moment in MOMENTS:
            yield PARTS._replace(seed=seed, moment=moment, rate=0.3 * seed, writers=4)
    yield Plan(kind="memory", seed=0, outage_seconds=outage_seconds)


if __name__ == "__main__":
    sys.exit(main())
