"""From rounds to figures: medians, ratios within a round, targets met or not."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, Final

from benchmarks.registry import OURS, PEER, Measure, Scenario, Target
from benchmarks.running import MEASURED, Contender, Settings

__all__ = [
    *("Figure", "Outcome", "Row", "Verdict", "as_json", "best_other", "failures", "machine"),
    *("rows_of", "verdicts", "versions"),
]

_PACKAGES: Final = (
    *("aws-lambda-powertools", "boto3", "concurrent-log-handler", "ecs-logging", "isal"),
    *("logredactor", "loguru", "orjson", "picologging", "python-json-logger", "structlog"),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure of a peer: its median, and how it relates to the unit's of the same round.

    `relation` is None where the measure has none, or the unit's is missing; `low` and `high` are
    the quartiles of what counts.
    """

    absolute: float
    relation: float | None
    low: float
    high: float

    @property
    def shown(self) -> float:
        """What is compared: the relation where there is one."""
        return self.absolute if self.relation is None else self.relation


@dataclass(frozen=True, slots=True)
class Row:
    """A peer in one variant."""

    name: str
    role: str
    status: str
    reason: str
    note: str
    figures: Mapping[str, Figure]

    @property
    def did_the_work(self) -> bool:
        """Whether its figures may be compared."""
        return self.status == MEASURED


@dataclass(frozen=True, slots=True)
class Outcome:
    """A scenario, measured: the rows of each variant."""

    scenario: Scenario
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)


def rows_of(scenario: Scenario, contenders: Sequence[Contender]) -> list[Row]:
    """Return the figures of all peers in one variant."""
    unit = next((c for c in contenders if c.peer.name == scenario.unit), None)
    return [
        Row(
            name=contender.peer.name,
            role=contender.peer.role,
            status=contender.status,
            reason=contender.reason,
            note=contender.peer.note,
            figures={
                measure.name: figure
                for measure in scenario.measures
                if (figure := _figure(measure, contender, unit)) is not None
            },
        )
        for contender in contenders
    ]


def _figure(measure: Measure, contender: Contender, unit: Contender | None) -> Figure | None:
    name = measure.name
    if name in contender.counts:
        count = contender.counts[name]
        return Figure(count, None, count, count)
    values = [each[name] for each in contender.rounds if name in each]
    if not values:
        return None
    absolute = statistics.median(values)
    if not measure.relation or unit is None or len(unit.rounds) != len(contender.rounds):
        return Figure(absolute, None, *_quartiles(values))
    pairs = zip(contender.rounds, unit.rounds, strict=True)
    related = [
        own[name] / base[name] if measure.relation == "ratio" else own[name] - base[name]
        for own, base in pairs
        if base.get(name)
    ]
    if not related:
        return Figure(absolute, None, *_quartiles(values))
    return Figure(absolute, statistics.median(related), *_quartiles(related))


def _quartiles(values: Sequence[float]) -> tuple[float, float]:
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def best_other(rows: Sequence[Row], measure: Measure) -> Row | None:
    """Return the best of the competition that did the work."""
    others = [
        row for row in rows if row.role == PEER and row.did_the_work and measure.name in row.figures
    ]
    sign = -1 if measure.rising else 1
    return min(others, key=lambda row: sign * row.figures[measure.name].shown, default=None)


def _limit_of(target: Target, rows: Sequence[Row]) -> float | None:
    """Return what the figure has to keep, or None if nobody is there to compare with."""
    if target.limit is not None:
        return target.limit
    other = best_other(rows, Measure(target.others or target.measure, ""))
    return other.figures[target.others or target.measure].shown if other else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target beside what was measured."""

    scenario: str
    variant: str
    target: Target
    limit: float
    figure: float
    best: Row | None

    @property
    def is_met(self) -> bool:
        """Whether the figure keeps the limit."""
        return self.figure >= self.limit if self.target.at_least else self.figure <= self.limit


def verdicts(outcome: Outcome) -> list[Verdict]:
    """Return each target beside its figure, variant by variant."""
    found = []
    measures = {measure.name: measure for measure in outcome.scenario.measures}
    for target in outcome.scenario.targets:
        for variant, rows in outcome.rows.items():
            row = next((r for r in rows if r.name == target.peer and r.did_the_work), None)
            limit = _limit_of(target, rows)
            if row is None or limit is None or target.variant not in (None, variant):
                continue
            if target.measure not in row.figures:
                continue
            figure = row.figures[target.measure].shown
            best = best_other(rows, measures[target.measure])
            found.append(
                Verdict(outcome.scenario.key, variant, target, limit, figure, best),
            )
    return found


def failures(outcomes: Sequence[Outcome]) -> list[str]:
    """Return what of ours did not do its work."""
    return [
        f"{outcome.scenario.key} {variant}: {row.name}: {row.reason}"
        for outcome in outcomes
        for variant, rows in outcome.rows.items()
        for row in rows
        if row.role == OURS and row.status != MEASURED
    ]


def machine() -> str:
    """Return the class of this machine; nothing that tells which one it is."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    architecture = platform.machine().replace("_", "-")
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{cores} cores {architecture}, {platform.system()}, {python}"


def versions() -> dict[str, str]:
    """Return the versions of the peers that are installed."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def as_json(outcomes: Sequence[Outcome], settings: Settings) -> dict[str, Any]:
    """Return everything measured, for `--json`."""
    return {
        "machine": machine(),
        "versions": versions(),
        "rounds": settings.rounds,
        "scale": settings.scale,
        "scenarios": [_scenario_json(outcome) for outcome in outcomes],
    }


def _scenario_json(outcome: Outcome) -> dict[str, Any]:
    scenario = outcome.scenario
    return {
        "key": scenario.key,
        "title": scenario.title,
        "unit": scenario.unit,
        "measures": {m.name: {"title": m.title, "relation": m.relation} for m in scenario.measures},
        "variants": {
            variant: [_row_json(row) for row in rows] for variant, rows in outcome.rows.items()
        },
        "targets": [
            {
                "peer": verdict.target.peer,
                "variant": verdict.variant,
                "measure": verdict.target.measure,
                "limit": verdict.limit,
                "at_least": verdict.target.at_least,
                "figure": verdict.figure,
                "met": verdict.is_met,
                "best_other": verdict.best.name if verdict.best else None,
            }
            for verdict in verdicts(outcome)
        ],
    }


def _row_json(row: Row) -> dict[str, Any]:
    return {
        "peer": row.name,
        "role": row.role,
        "status": row.status,
        "reason": row.reason,
        "note": row.note,
        "figures": {
            name: {
                "median": figure.absolute,
                "relation": figure.relation,
                "quartiles": [figure.low, figure.high],
            }
            for name, figure in row.figures.items()
        },
    }
