"""Who takes part in what: scenarios and peers, each added by a decorated function.

    @scenario("S1", title="...", measures=(CPU,), check=...)
    def begin(make, place): ...          # in the process of one peer: returns one round

    @peer("name", "S1", "S2a", needs=("package",))
    def name(place): ...                 # whatever the scenario asks of its peers

A module outside of this package does the same, and is named with ``--plugin MODULE``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

__all__ = [
    *(
        "FLOOR",
        "OURS",
        "PEER",
        "PEERS",
        "SCENARIOS",
        "Measure",
        "Peer",
        "Place",
        "Round",
        "Scenario",
        "SkippedWorkError",
    ),
    *("Target", "load", "peer", "peers_of", "scenario"),
]

Round = Callable[[], Mapping[str, float]]
"""One round of work; returns its measures by name. Its ``close``, if it has one, comes last."""
Line = dict[str, Any]

PEER: Final = "peer"
FLOOR: Final = "floor"
OURS: Final = "ours"
_OWN: Final = ("benchmarks.peers", "benchmarks.scenarios")


class SkippedWorkError(Exception):
    """A peer's output is not what it was asked for; the text says what is missing.

    `counts` are figures of the scenario that tell how much of it.
    """

    def __init__(self, text: str, counts: Mapping[str, float] | None = None) -> None:
        super().__init__(text)
        self.counts = counts or {}


@dataclass(frozen=True, slots=True)
class Place:
    """Where one peer works: its folder, what it is asked for, and how much a round holds."""

    scenario: str
    variant: str
    peer: str
    folder: Path
    records: int

    @property
    def path(self) -> Path:
        """The file for lines."""
        return self.folder / "crm.jsonl"


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of a round.

    Args:
        name: its key in what a round returns.
        title: its column, with the unit.
        relation: how it is shown beside the unit peer's figure of the same round: ``"ratio"``,
            ``"difference"`` or, where it stands for itself, ``""``.
        digits: decimal places.
        rising: whether more is better.
    """

    name: str
    title: str
    relation: str = ""
    digits: int = 2
    rising: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure of a peer has to be.

    Args:
        peer: whose figure.
        measure: which; as it is shown, thus mostly a ratio.
        limit: at most this; None: below the figures of all other peers.
        at_least: `limit` is the least instead.
        others: measure of the other peers that it is compared with, if not the same.
        variant: the only one it holds for; None: each.
    """

    peer: str
    measure: str
    limit: float | None = None
    at_least: bool = False
    others: str = ""
    variant: str | None = None


@dataclass(frozen=True, slots=True)
class Peer:
    """A contender in one scenario."""

    name: str
    make: Callable[[Place], Any]
    needs: tuple[str, ...] = ()
    note: str = ""
    read: Callable[[Line], Line] | None = None
    role: str = PEER


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Something to measure; see `scenario` for what the fields mean."""

    key: str
    title: str
    measures: tuple[Measure, ...]
    begin: Callable[[Callable[[Place], Any], Place], Round]
    check: Callable[[Peer, Place, int], Mapping[str, float]]
    variants: tuple[str, ...] = ("",)
    unit: str | None = None
    targets: tuple[Target, ...] = ()
    records: int = 2_000
    rounds: int | None = None
    note: str = ""


SCENARIOS: Final[dict[str, Scenario]] = {}
PEERS: Final[dict[str, dict[str, Peer]]] = {}


def scenario(
    key: str,
    *,
    title: str,
    measures: tuple[Measure, ...],
    check: Callable[[Peer, Place, int], Mapping[str, float]],
    **options: Any,
) -> Callable[[Callable[[Any, Place], Round]], Callable[[Any, Place], Round]]:
    """Register a scenario; the decorated function begins it in the process of one peer.

    Args:
        key: what ``--only`` selects, e.g. ``S1``.
        title: what is measured, in a line.
        measures: the figures of a round.
        check: gets the peer, its place and the number of rounds after the process has ended;
            raises `SkippedWorkError` for output that is not equal, returns figures of its own.
        options: ``variants``, names of the ways to do it, shown side by side; ``unit``, the peer
            whose figure in the same round is 1 (or 0, of differences); ``targets``; ``records``
            of a round; ``rounds`` where the default is too many; ``note``, for the reader.
    """

    def register(begin: Callable[[Any, Place], Round]) -> Callable[[Any, Place], Round]:
        SCENARIOS[key] = Scenario(
            key=key, title=title, measures=measures, check=check, begin=begin, **options
        )
        return begin

    return register


def peer(
    name: str,
    *scenarios: str,
    needs: tuple[str, ...] = (),
    note: str = "",
    read: Callable[[Line], Line] | None = None,
    role: str = PEER,
) -> Callable[[Callable[[Place], Any]], Callable[[Place], Any]]:
    """Register a peer; the decorated function sets it up in its own process.

    Args:
        name: its row in the tables.
        scenarios: keys of those it takes part in.
        needs: modules without which it is reported as not available.
        note: what the reader should know, e.g. work it does not do.
        read: turns a line of its own form into message, level, logger, timestamp and fields.
        role: `PEER`, or `FLOOR` and `OURS`, who do not count as competition.
    """

    def register(make: Callable[[Place], Any]) -> Callable[[Place], Any]:
        for key in scenarios:
            PEERS.setdefault(key, {})[name] = Peer(name, make, needs, note, read, role)
        return make

    return register


def peers_of(key: str) -> dict[str, Peer]:
    """Return the peers of a scenario, its unit first."""
    peers, unit = PEERS.get(key, {}), SCENARIOS[key].unit
    return dict(sorted(peers.items(), key=lambda item: item[0] != unit))


@dataclass(slots=True)
class _Loaded:
    modules: list[str] = field(default_factory=list)


_loaded: Final = _Loaded()


def load(plugins: tuple[str, ...] = ()) -> None:
    """Import all that registers something: our own modules, then `plugins`."""
    for module in (*_OWN, *plugins):
        if module not in _loaded.modules:
            importlib.import_module(module)
            _loaded.modules.append(module)
