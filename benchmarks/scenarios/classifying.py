"""S10: `classify()`, beside reading the body of the same answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from benchmarks import classifying, registry

__all__: list[str] = []

_WAYS: Final = {
    "repeated": "the same answer again",
    "storm": "the same with other times and ids in its headers",
    "new": "an answer not seen before",
    "new words": "nor any message like it",
}


def believed(peer: registry.Peer, place: registry.Place, rounds: int) -> Mapping[str, float]:
    """Its verdicts were compared with the labels when it was set up."""
    return {}


@registry.scenario(
    "S10",
    title="classify() over labelled answers, median answer",
    measures=(
        registry.Measure("x", "x orjson.loads of the body", digits=1),
        registry.Measure("us", "µs", digits=1),
    ),
    check=believed,
    targets=(registry.Target("repeated", "x", classifying.LIMIT),),
    records=100,
    rounds=5,
)
def classify(make: Callable[[registry.Place], str], place: registry.Place) -> registry.Round:
    """Every answer in each round, both in turn."""
    way = make(place)
    cases = classifying.read_cases(classifying.CASES)
    catalog = classifying.checked(cases)

    def work() -> Mapping[str, float]:
        ratio, micros = classifying.cost(cases, catalog, way)
        return {"x": ratio, "us": micros}

    return work


def _way(place: registry.Place, way: str) -> str:
    return way


for _name, _note in _WAYS.items():
    registry.peer(_name, "S10", note=_note, role=registry.OURS)(partial(_way, way=_name))
