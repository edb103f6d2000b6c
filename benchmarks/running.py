"""Peers in processes of their own, rounds interleaved.

    parent                                 child, one for each (scenario, variant, peer)
    start all, wait for each "ready"  ->   set up, one round unmeasured
    round 1: each in turn             ->   works, answers with its measures
    round 2: each in turn, backwards  ->   ...
    close their input                 ->   ends as a program does
    compare each one's output

Within a round all meet the same machine: what counts is the ratio there, and its median.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks import registry
from benchmarks.registry import SCENARIOS, Peer, Place, Scenario, SkippedWorkError, peers_of

__all__ = ["Contender", "Settings", "run", "work"]

MEASURED: Final = "ok"
ABSENT: Final = "not available"
FAILED: Final = "failed"
SKIPPED: Final = "skipped work"
_LAST_WORDS: Final = 200
_ENDING: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Settings:
    """How much is measured."""

    rounds: int = 11
    scale: float = 1.0
    peers: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    patience_seconds: float = 90.0

    def records_of(self, scenario: Scenario) -> int:
        """Return how many records a round holds."""
        return max(20, int(scenario.records * self.scale))

    def rounds_of(self, scenario: Scenario) -> int:
        """Return how many rounds are measured."""
        return min(self.rounds, scenario.rounds or self.rounds)

    def takes(self, scenario: Scenario, peer: str) -> bool:
        """Whether a peer is selected; the unit of the ratios always is."""
        wanted = [name.lower() for name in self.peers]
        return not wanted or peer == scenario.unit or any(w in peer.lower() for w in wanted)


@dataclass(slots=True)
class Contender:
    """A peer in one variant of a scenario: its process, and what came of it."""

    peer: Peer
    place: Place
    patience_seconds: float
    status: str = MEASURED
    reason: str = ""
    rounds: list[dict[str, float]] = field(default_factory=list)
    counts: dict[str, float] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    def fail(self, status: str, reason: str) -> None:
        """Take no further part; what was measured does not count. The first reason stays."""
        if self.status == MEASURED:
            self.status, self.reason = status, reason
        self.rounds.clear()

    def ask(self) -> dict[str, Any] | None:
        """Return the next answer of the process; None at its end, or if it takes too long."""
        assert self.process is not None
        assert self.process.stdout is not None
        # One answer at a time, one line each: nothing waits in the buffer of the text.
        if not select.select([self.process.stdout], [], [], self.patience_seconds)[0]:
            self.process.kill()
            self.fail(FAILED, "it does not answer")
            return None
        line = self.process.stdout.readline()
        return json.loads(line) if line.startswith("{") else None

    def go(self) -> None:
        """Work for a round."""
        assert self.process is not None
        assert self.process.stdin is not None
        try:
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
            answer = self.ask()
        except (OSError, ValueError):
            answer = None
        if answer is None:
            self.fail(FAILED, self.last_words())
        else:
            self.rounds.append(answer)

    def last_words(self) -> str:
        """Return the end of what the process wrote to its stderr, without places."""
        lines = self._complaints.read_text(errors="replace").strip().splitlines()
        return lines[-1][:_LAST_WORDS] if lines else "it ended without a word"

    @property
    def _complaints(self) -> Path:
        return self.place.folder.with_suffix(".stderr")

    def start(self, plugins: Iterable[str]) -> None:
        """Start the process; what it needs may not be installed."""
        self.place.folder.mkdir()
        named = [part for plugin in plugins for part in ("--plugin", plugin)]
        place = [self.place.scenario, self.place.variant, self.place.peer, str(self.place.folder)]
        with self._complaints.open("w") as complaints, _uninterrupted():
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "benchmarks", *named),
                    *("--records", str(self.place.records), "--work", *place),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                env={**os.environ, "PYTHONHASHSEED": "0"},
            )

    def await_ready(self) -> None:
        """Wait until it is set up."""
        answer = self.ask()
        if answer is None:
            self.fail(FAILED, self.last_words())
        elif "missing" in answer:
            self.fail(ABSENT, str(answer["missing"]))

    def kill(self) -> None:
        """End the process at once."""
        if self.process is not None:
            self.process.kill()

    def finish(self) -> None:
        """Let the process end as a program does."""
        process = self.process
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.close()
        except OSError:  # it is gone already
            pass
        process.stdout.close()
        try:
            code = process.wait(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        if code:
            self.fail(FAILED, f"exit code {code}: {self.last_words()}")

    def compare(self, scenario: Scenario, rounds: int) -> None:
        """Compare its output with what is due."""
        if self.status == MEASURED:
            try:
                self.counts.update(scenario.check(self.peer, self.place, rounds))
            except SkippedWorkError as skipped:
                # What it measured stays: a reader may want to see what the work costs others.
                self.status, self.reason = SKIPPED, str(skipped)
                self.counts.update(skipped.counts)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put off what ends the run: a process that was begun is known before it comes."""
    came: list[int] = []
    # Not by a mask, which is one thread's: the signal would go to another.
    before = {
        number: signal.signal(number, lambda *given: came.append(given[0])) for number in _ENDING
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for each in came:
            signal.raise_signal(each)


def run(scenario: Scenario, variant: str, settings: Settings) -> list[Contender]:
    """Measure all peers of a scenario in one variant."""
    records = settings.records_of(scenario)
    with tempfile.TemporaryDirectory(prefix="crmlogging-bench-") as folder:
        contenders = [
            Contender(
                peer,
                Place(scenario.key, variant, name, Path(folder, str(number)), records),
                settings.patience_seconds,
            )
            for number, (name, peer) in enumerate(peers_of(scenario.key).items())
            if settings.takes(scenario, name)
        ]
        try:
            rounds = _interleave(contenders, settings.plugins, settings.rounds_of(scenario))
        except BaseException:
            for contender in contenders:
                contender.kill()
            raise
        finally:
            for contender in contenders:
                contender.finish()
        for contender in contenders:
            contender.compare(scenario, rounds)
    return contenders


def _interleave(contenders: list[Contender], plugins: tuple[str, ...], rounds: int) -> int:
    """Run the rounds; returns how many the output holds, with the one that warms up."""
    for contender in contenders:
        contender.start(plugins)
        # One after the other: two cores set up two at most anyway.
        contender.await_ready()
    for number in range(rounds + 1):
        # Every other round goes backwards, so that none gains by its place.
        for contender in contenders[:: -1 if number % 2 else 1]:
            if contender.status == MEASURED:
                contender.go()
                if number == 0 and contender.rounds:
                    contender.rounds.clear()  # the first round warms up
    return rounds + 1


def work(place: Place, plugins: tuple[str, ...]) -> int:
    """Be one peer: a round for each line on stdin."""
    registry.load(plugins)
    scenario, peer = SCENARIOS[place.scenario], peers_of(place.scenario)[place.peer]
    missing = _missing(peer)
    if missing:
        _answer({"missing": missing})
        return 0
    work_round = scenario.begin(peer.make, place)
    _answer({"ready": 1})
    for _ in sys.stdin:
        _answer(work_round())
    close = getattr(work_round, "close", None)
    if close is not None:
        close()
    return 0


def _missing(peer: Peer) -> str:
    import importlib

    for name in peer.needs:
        try:
            importlib.import_module(name)
        except ImportError as error:
            return f"{error.name or name} is not installed for this Python"
    return ""


def _answer(answer: Mapping[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(answer)}\n")
    sys.stdout.flush()
