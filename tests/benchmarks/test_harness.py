"""Promises of `benchmarks`: anybody can take part, and who skips work is told so. No clocks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from benchmarks import registry, running
from benchmarks.__main__ import main
from benchmarks.checking import compare_lines, due
from benchmarks.registry import (
    OURS,
    SCENARIOS,
    Measure,
    Peer,
    Place,
    Scenario,
    SkippedWorkError,
    Target,
    peers_of,
)
from benchmarks.results import Figure, Outcome, Row, rows_of, verdicts
from benchmarks.running import ABSENT, FAILED, MEASURED, SKIPPED, Contender, Settings
from benchmarks.tables import BEGIN, END, write_into
from benchmarks.workloads import FRESH, MASKED

ROOT: Final = Path(__file__).parents[2]
PLUGIN: Final = """
import os, sys, time
from benchmarks.registry import Measure, SkippedWorkError, peer, scenario

def check(peer, place, rounds):
    lines = place.path.read_text().count("\\n")
    if lines != rounds * place.records:
        raise SkippedWorkError(f"{lines} lines", {"lines": lines})
    return {"lines": lines}

@scenario(
    "X1",
    title="lines of a plug-in",
    measures=(Measure("cost", "cost", relation="ratio"), Measure("lines", "lines", digits=0)),
    check=check,
    unit="unit",
    records=20,
)
def begin(make, place):
    write = make(place)
    def work():
        with place.path.open("a") as file:
            return {"cost": write(file)}
    return work

@peer("unit", "X1")
def unit(place):
    return lambda file: file.write("x\\n" * place.records) and 2.0

@peer("twice as dear", "X1", note="a note")
def dear(place):
    return lambda file: file.write("x\\n" * place.records) and 4.0

@peer("lazy", "X1")
def lazy(place):
    return lambda file: file.write("x\\n") and 0.1

@peer("absent", "X1", needs=("no_such_module_anywhere",))
def absent(place):
    raise AssertionError("never asked")

@peer("broken", "X1")
def broken(place):
    raise RuntimeError("out of order")

@peer("dying", "X1")
def dying(place):
    return lambda file: os._exit(3)
"""

HANGING: Final = """
import time
from benchmarks.registry import Measure, peer, scenario

@scenario("X2", title="", measures=(), check=lambda peer, place, rounds: {})
def begin(make, place):
    return make(place)

@peer("asleep", "X2")
def asleep(place):
    time.sleep(600)
"""


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    registry.load()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run of the plug-in writes."""
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "bench_plugin.py").write_text(PLUGIN)
    page = folder / "page.md"
    page.write_text(f"# Speed\n\n{BEGIN}\nold\n{END}\n\nThe end.\n")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks", "--plugin", "bench_plugin", "--only", "X1"),
            *("--rounds", "2", "--json", str(folder / "out.json"), "--markdown", str(page)),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    [scenario] = json.loads((folder / "out.json").read_text())["scenarios"]
    rows = {row["peer"]: row for row in scenario["variants"][""]}
    return {"scenario": scenario, "rows": rows, "page": page.read_text(), "out": done.stdout}


class TestPlugin:
    def test_honest_peer_is_measured(self, results: dict[str, Any]) -> None:
        """A peer from outside stands in the results, as a ratio to the unit."""
        row = results["rows"]["twice as dear"]
        assert row["status"] == MEASURED
        assert row["figures"]["cost"] == {"median": 4.0, "relation": 2.0, "quartiles": [2.0, 2.0]}
        assert row["figures"]["lines"]["median"] == 60

    def test_lazy_peer_is_caught(self, results: dict[str, Any]) -> None:
        """A peer that skips work is named, with what it left out, and shown struck out."""
        row = results["rows"]["lazy"]
        assert (row["status"], row["reason"]) == (SKIPPED, "3 lines")
        assert row["figures"]["lines"]["median"] == 3
        assert "| lazy | ~~0.05x (0.10)~~ | ~~3~~ | **skipped work**: 3 lines |" in results["page"]

    def test_absent_peer_is_reported(self, results: dict[str, Any]) -> None:
        """A peer that is not installed stands in the table as such."""
        row = results["rows"]["absent"]
        assert row["status"] == ABSENT
        assert "no_such_module_anywhere is not installed" in row["reason"]

    def test_broken_peer_does_not_stop_the_others(self, results: dict[str, Any]) -> None:
        """One that cannot be set up is reported with its error."""
        row = results["rows"]["broken"]
        assert (row["status"], row["reason"]) == (FAILED, "RuntimeError: out of order")
        assert row["figures"] == {}

    def test_dying_peer_is_reported(self, results: dict[str, Any]) -> None:
        """One that dies in a round is reported, not waited for."""
        assert results["rows"]["dying"]["status"] == FAILED

    def test_page_keeps_what_is_around_the_figures(self, results: dict[str, Any]) -> None:
        """The Markdown goes between the markers of a page that has them."""
        page = results["page"]
        assert page.startswith(f"# Speed\n\n{BEGIN}\n")
        assert page.endswith(f"{END}\n\nThe end.\n")
        assert "old" not in page
        assert results["out"] in page
        assert "### X1: lines of a plug-in" in page

    def test_machine_has_no_name(self, results: dict[str, Any]) -> None:
        """Only the class of the machine is told."""
        assert os.uname().nodename not in results["page"].split()

    def test_hanging_peer_is_ended(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """One that never answers is given up."""
        (tmp_path / "bench_hanging.py").write_text(HANGING)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        registry.load(("bench_hanging",))
        settings = Settings(rounds=1, plugins=("bench_hanging",), patience_seconds=0.5)
        [found] = running.run(SCENARIOS["X2"], "", settings)
        assert (found.status, found.reason) == (FAILED, "it does not answer")

    def test_interrupted_run_leaves_no_process(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Not even the one that is just being started."""
        (tmp_path / "bench_hanging.py").write_text(HANGING)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        registry.load(("bench_hanging",))
        begun: list[subprocess.Popen[str]] = []
        start, done = subprocess.Popen, threading.Event()

        def interrupted(*args: Any, **options: Any) -> subprocess.Popen[str]:
            begun.append(start(*args, **options))
            os.kill(os.getpid(), signal.SIGINT)
            done.wait(0.1)  # the other thread's turn, if that gets it
            return begun[0]

        monkeypatch.setattr(subprocess, "Popen", interrupted)
        # A shell lets what it starts in the background ignore this signal.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        other = threading.Thread(target=done.wait)  # which the signal may reach as well
        other.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                running.run(SCENARIOS["X2"], "", Settings(rounds=1, plugins=("bench_hanging",)))
            assert begun[0].poll() is not None
        finally:
            signal.signal(signal.SIGINT, before)
            done.set()
            other.join()
            begun[0].kill()
            begun[0].wait()
            for pipe in filter(None, (begun[0].stdin, begun[0].stdout)):
                pipe.close()

    def test_interrupted_run_shows_what_is_done(self, tmp_path: Path) -> None:
        """Scenarios that were measured are printed; the page waits for a whole run."""
        (tmp_path / "bench_plugin.py").write_text(PLUGIN)
        (tmp_path / "bench_hanging.py").write_text(HANGING)
        plugins = ("--plugin", "bench_plugin", "--plugin", "bench_hanging")
        page = tmp_path / "page.md"
        with subprocess.Popen(
            [
                *(sys.executable, "-m", "benchmarks", *plugins, "--only", "X1,X2"),
                *("--rounds", "1", "--markdown", str(page)),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as run:
            assert run.stderr is not None
            assert run.stderr.readline().startswith("X1 measured")
            run.terminate()
            out, _ = run.communicate(timeout=60)
        assert run.returncode == 0
        assert "### X1" in out
        assert "### X2" not in out
        assert not page.exists()


class TestWriteInto:
    def test_new_file_holds_the_tables(self, tmp_path: Path) -> None:
        """Without markers the file is the tables."""
        write_into(tmp_path / "new.md", "tables\n")
        assert (tmp_path / "new.md").read_text() == "tables\n"

    def test_half_a_pair_of_markers_is_refused(self, tmp_path: Path) -> None:
        """A page that lost a marker is not overwritten."""
        page = tmp_path / "page.md"
        page.write_text(f"text\n{BEGIN}\ntext\n")
        with pytest.raises(ValueError, match="only"):
            write_into(page, "tables\n")
        assert page.read_text() == f"text\n{BEGIN}\ntext\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place("S2a", FRESH, "peer", tmp_path, records=3)


PEER: Final = Peer("peer", lambda place: None)


def written(place: Place) -> list[dict[str, Any]]:
    """Return the lines that a round of S2a has to have written."""
    lines = due(place.scenario, place.variant, place.records)
    return [{**line[0], "timestamp": "2026-11-22T00:00:00Z"} for line in lines]


def write(place: Place, lines: list[dict[str, Any]], end: bytes = b"\n") -> None:
    place.path.write_bytes(b"\n".join(map(orjson.dumps, lines)) + end)


class TestCompareLines:
    def test_equal_content_passes(self, place: Place) -> None:
        """Lines with all fields and masks are what was asked for."""
        write(place, written(place))
        assert compare_lines(PEER, place, rounds=1) == {}

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            pytest.param({"resource.id": "1"}, "differs in resource.id", id="another-value"),
            pytest.param({"email": "ada1@example.com"}, "differs in email", id="not-masked"),
            pytest.param({"note": "by ada1@example.com"}, "shows @example.com", id="shown-twice"),
            pytest.param({"level": "INFO"}, "differs in level", id="another-level"),
            pytest.param({"message": "-"}, "differs in message", id="another-message"),
            pytest.param({"logger": None}, "differs in logger", id="no-logger"),
            pytest.param({"timestamp": ""}, "lacks its time", id="no-time"),
        ],
    )
    def test_unequal_line_is_told(self, place: Place, change: dict[str, Any], told: str) -> None:
        """One line of many that differs is enough."""
        lines = written(place)
        lines[1].update(change)
        write(place, lines)
        with pytest.raises(SkippedWorkError, match=told):
            compare_lines(PEER, place, rounds=1)

    @pytest.mark.parametrize("number", [0, 2, 4])
    def test_number_of_lines_counts(self, place: Place, number: int) -> None:
        """Neither may lines be missing nor may there be more."""
        lines = [*written(place), *written(place)][:number]
        write(place, lines, end=b"\n" if lines else b"")
        with pytest.raises(SkippedWorkError):
            compare_lines(PEER, place, rounds=1)

    def test_missing_field_is_told(self, place: Place) -> None:
        """A field left out is work skipped."""
        lines = written(place)
        del lines[2]["request.duration_ms"]
        write(place, lines)
        with pytest.raises(SkippedWorkError, match=r"request\.duration_ms"):
            compare_lines(PEER, place, rounds=1)

    def test_line_without_its_end_is_torn(self, place: Place) -> None:
        """The last line is whole only with its newline."""
        write(place, written(place), end=b"")
        with pytest.raises(SkippedWorkError, match="line 2"):
            compare_lines(PEER, place, rounds=1)

    def test_masks_are_due(self, place: Place) -> None:
        """What is compared with is masked itself."""
        assert written(place)[0]["lastname"] == MASKED


def scenario_of(*measures: Measure, targets: tuple[Target, ...] = ()) -> Scenario:
    return Scenario(
        key="X",
        title="x",
        measures=measures,
        begin=lambda make, place: dict,
        check=lambda peer, place, rounds: {},
        unit="unit",
        targets=targets,
    )


def contender(name: str, costs: list[float], place: Place) -> Contender:
    peer = Peer(name, lambda place: None)
    return Contender(peer, place, 1.0, rounds=[{"cost": cost} for cost in costs])


class TestRowsOf:
    def test_ratios_are_taken_within_a_round(self, place: Place) -> None:
        """A machine that slows down for a round changes no ratio."""
        contenders = [contender("unit", [1, 10, 2], place), contender("p", [3, 30, 6], place)]
        rows = rows_of(scenario_of(Measure("cost", "cost", relation="ratio")), contenders)
        assert rows[1].figures["cost"] == Figure(6, 3.0, 3.0, 3.0)

    def test_differences_too(self, place: Place) -> None:
        """A measure may be shown as what it adds."""
        contenders = [contender("unit", [1, 10, 2], place), contender("p", [3, 11, 6], place)]
        rows = rows_of(scenario_of(Measure("cost", "cost", relation="difference")), contenders)
        assert rows[1].figures["cost"].relation == 2

    def test_without_a_unit_nothing_is_related(self, place: Place) -> None:
        """A unit that failed leaves the others with plain figures."""
        contenders = [contender("unit", [], place), contender("p", [3.0], place)]
        rows = rows_of(scenario_of(Measure("cost", "cost", relation="ratio")), contenders)
        assert rows[1].figures["cost"] == Figure(3.0, None, 3.0, 3.0)


def row(name: str, cost: float, *, role: str = registry.PEER, status: str = MEASURED) -> Row:
    return Row(name, role, status, "", "", {"cost": Figure(cost, None, cost, cost)})


class TestVerdicts:
    @pytest.mark.parametrize(
        ("target", "met"),
        [
            pytest.param(Target("own", "cost", 2.0), True, id="at-most-met"),
            pytest.param(Target("own", "cost", 1.9), False, id="at-most-missed"),
            pytest.param(Target("own", "cost", 2.0, at_least=True), True, id="at-least-met"),
            pytest.param(Target("own", "cost", 2.1, at_least=True), False, id="at-least-missed"),
            pytest.param(Target("own", "cost"), True, id="below-every-honest-peer"),
        ],
    )
    def test_target_beside_figure(self, target: Target, met: bool) -> None:
        """A target is a bound, or the best of those who did the work."""
        rows = [
            row("own", 2.0, role=OURS),
            row("peer", 3.0),
            row("cheat", 1.0, status=SKIPPED),
            row("floor", 0.5, role=registry.FLOOR),
        ]
        scenario = scenario_of(Measure("cost", "cost"), targets=(target,))
        [verdict] = verdicts(Outcome(scenario, {"": rows}))
        assert verdict.is_met is met
        assert verdict.best is not None
        assert verdict.best.name == "peer"


class TestScenarios:
    def test_all_are_there(self) -> None:
        """One for each promise about speed."""
        expected = {
            *(f"S{number}" for number in range(1, 12)),
            "S2a",
            "S2b",
            "S2d",
            "S2f",
            "S2r",
            "S2t",
        } - {"S2"}
        assert set(SCENARIOS) >= expected

    def test_every_target_names_a_peer_and_a_measure(self) -> None:
        """A target that nobody is measured by would never be missed."""
        for key, scenario in SCENARIOS.items():
            measures = {measure.name for measure in scenario.measures}
            for target in scenario.targets:
                assert target.peer in peers_of(key)
                assert {target.measure, target.others or target.measure} <= measures
                assert target.variant in (None, *scenario.variants)

    @pytest.mark.parametrize("key", ["S1", "S2a", "S2b", "S2d", "S2t", "S2f", "S5", "S9", "S11"])
    def test_ours_do_their_work(self, key: str) -> None:
        """What is measured of ours is what was asked for."""
        scenario, variant = SCENARIOS[key], SCENARIOS[key].variants[-1]
        own = "crmlogging, crmlogging"
        found = running.run(scenario, variant, Settings(rounds=1, scale=0.0, peers=(own,)))
        told = {each.peer.name: (each.status, each.reason) for each in found}
        assert len(found) == 2
        assert set(told.values()) == {(MEASURED, "")}, told

    def test_naive_peers_do_theirs(self) -> None:
        """Peers that are always installed mask what they are compared by."""
        settings = Settings(rounds=1, scale=0.0, peers=("stdlib", "python-json", "floor"))
        found = running.run(SCENARIOS["S2b"], FRESH, settings)
        assert len(found) == 4
        assert {each.status for each in found} == {MEASURED}

    def test_unknown_name_is_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A scenario that is none is wrong usage; those that are get listed."""
        with pytest.raises(SystemExit) as ended:
            main(["--only", "S1,S99"])
        assert ended.value.code == 2
        assert "unknown: S99; known: S1" in capsys.readouterr().err

    def test_list_names_peers(self, capsys: pytest.CaptureFixture[str]) -> None:
        """What could be selected is shown without measuring anything."""
        assert main(["--only", "s1", "--list"]) == 0
        assert "crmlogging, stock Logger" in capsys.readouterr().out
