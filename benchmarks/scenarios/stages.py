"""S2p: where the time of S2a goes: the same call with ever more of the stages behind it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from benchmarks import registry
from benchmarks.calls import Call, through
from benchmarks.peers.floors import NOOP, NoOpHandler
from benchmarks.peers.ours import adopt
from benchmarks.scenarios.lines import CPU, compared, timed
from benchmarks.workloads import FRESH, REPEATED

__all__: list[str] = []

# What is left out, by the method of the handler that begins it; nothing else can end a stage.
_STAGES: Final = {
    "and the allowlist": "_emit_locked",
    "and the line": "_store",
    "and the locked append": "",
}


def _nothing(*arguments: object) -> None:
    """Do nothing, instead of the stages that are left out."""


def whole_is_compared(
    peer: registry.Peer, place: registry.Place, rounds: int
) -> Mapping[str, float]:
    """Compare the lines where there are any."""
    whole = peer.name.endswith("append")
    return compared(peer, replace(place, scenario="S2a"), rounds) if whole else {}


@registry.scenario(
    "S2p",
    title="where the time of S2a goes",
    measures=(CPU,),
    check=whole_is_compared,
    variants=(REPEATED, FRESH),
    unit=NOOP,
    note="Each stage stands behind those before it: the call, the allowlist, the line, the append.",
)
def stages(make: Callable[[registry.Place], Call], place: registry.Place) -> registry.Round:
    """The records of S2a."""
    return timed(make, place)


def _noop(place: registry.Place, is_own: bool) -> Call:
    adopt(is_own)
    return through(replace(place, scenario="S2a"), NoOpHandler())


def _ours(place: registry.Place, is_own: bool, left_out: str) -> Call:
    import crmlogging

    adopt(is_own)
    handler: Any = crmlogging.RetentionFileHandler(str(place.path), tiers={"standard": 90})
    handler.setFormatter(crmlogging.JsonFormatter(service="crm-sync"))
    handler.addFilter(crmlogging.AllowlistFilter(["@crm"]))
    if left_out:
        setattr(handler, left_out, _nothing)
    assert isinstance(handler, logging.Handler)
    return through(replace(place, scenario="S2a"), handler)


registry.peer(NOOP, "S2p", role=registry.FLOOR, note="the unit: the call and its record")(
    partial(_noop, is_own=False)
)
registry.peer("crmlogging.Logger, no-op handler", "S2p", role=registry.FLOOR)(
    partial(_noop, is_own=True)
)
for _name, _left_out in _STAGES.items():
    registry.peer(f"stock Logger, {_name}", "S2p", role=registry.OURS)(
        partial(_ours, is_own=False, left_out=_left_out)
    )
    registry.peer(f"crmlogging.Logger, {_name}", "S2p", role=registry.OURS)(
        partial(_ours, is_own=True, left_out=_left_out)
    )
