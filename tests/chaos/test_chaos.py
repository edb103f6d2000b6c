"""Promises of delivery under faults, in short; ``make chaos`` has the long form and the peers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.outcomes import Outcome, compare, json_line, lines_in, plain_line

ROOT = Path(__file__).parents[2]


def chaos(*names: str, seconds: float) -> list[dict[str, Any]]:
    """Run scenarios in a process without threads, as their forks need it."""
    done = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-m", "tests.chaos", "--json"),
            *("--seconds", str(seconds), "--seed", "4", "--only", *names),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        timeout=110,
        check=False,
    )
    outcomes: list[dict[str, Any]] = json.loads(done.stdout)
    assert done.returncode == (not all(each["as_promised"] for each in outcomes))
    return outcomes


class TestChaos:
    @pytest.mark.parametrize("name", ["kill", "journal", "removals", "clocks", "disks"])
    def test_promises_hold(self, name: str) -> None:
        """What a logging call took is there once and whole, whatever happens."""
        outcomes = chaos(name, seconds=1.0)
        assert [each for each in outcomes if not each["as_promised"]] == []
        assert outcomes

    def test_broken_handlers_are_found_out(self) -> None:
        """Handlers that lose, repeat or tear fail: the harness can."""
        outcomes = chaos("broken", seconds=4.0)
        found = {
            each["handler"]: [kind for kind in ("lost", "repeated", "torn") if each[kind]]
            for each in outcomes
        }
        assert found["broken: loses"] == ["lost"]
        assert found["broken: repeats"] == ["repeated"]
        assert "torn" in found["broken: tears"]


class TestCelery:
    def test_a_child_delivers_before_it_ends(self, tmp_path: Path) -> None:
        """It ends by `os._exit` right after this signal; what is logged after it is delivered."""
        script = f"""
import os, pathlib
from celery import signals
from tests.chaos.service import configure, work
place = pathlib.Path({str(tmp_path)!r})
configure(place)
work(place, 1, 50)
signals.worker_process_shutdown.send(sender=None, pid=os.getpid(), exitcode=0)
work(place, 1, 1, begin=51)
os._exit(0)
"""
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script], cwd=ROOT, timeout=60, check=True
        )
        queued = (tmp_path / "queued").rglob("*")
        lines, _ = lines_in(path for path in queued if path.name.endswith(".jsonl"))
        outcome = compare(
            Outcome("", ""), {(1, number) for number in range(1, 52)}, lines, parse=json_line
        )
        assert outcome.kept


class TestCompare:
    def test_counts_each_kind(self) -> None:
        """Lost, torn and repeated are told apart, and what was never accepted is neither."""
        lines = [b"<1 1  >", b"<1 2 lead >", b"<1 2 lead >", b"<1 4 le", b"<2 9  >"]
        outcome = compare(Outcome("", "ours"), {(1, 1), (1, 2), (1, 3)}, lines, parse=plain_line)
        numbers = outcome.accepted, outcome.lost, outcome.torn, outcome.repeated
        assert numbers == (3, 1, 1, 1)
        assert not outcome.as_promised

    def test_nothing_accepted_proves_nothing(self) -> None:
        """A handler that took no record has kept no promise."""
        assert not Outcome("", "ours").as_promised
        assert Outcome("", "broken: ours").as_promised
        assert Outcome("", "peer: ours").as_promised

    @pytest.mark.parametrize("line", [b"", b"{", b"[]", b'{"logger": 1}', b'{"logger": "x"}'])
    def test_what_is_no_record_is_torn(self, line: bytes) -> None:
        """Any line that cannot be read as a whole record counts."""
        assert json_line(line) is None
