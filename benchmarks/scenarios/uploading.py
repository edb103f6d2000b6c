"""S8: sealing, compressing and uploading, beside isal and boto3 by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from benchmarks import registry

__all__: list[str] = []

_OURS: Final = "crmlogging.S3Handler"
_MEGABYTES: Final = 50
"""Also in a quick look: the target is for these, and of less the waits for the disk are most."""
Deliver = Callable[[float], Mapping[str, float]]


def believed(peer: registry.Peer, place: registry.Place, rounds: int) -> Mapping[str, float]:
    """What arrived was read back before a figure counted."""
    return {}


@registry.scenario(
    "S8",
    title="seal, compress and upload, beside isal and boto3 by hand",
    measures=(
        registry.Measure("speed", "x speed by hand, logged in batches", rising=True),
        registry.Measure("singly", "logged one by one", rising=True),
        registry.Measure("size", "x size of one gzip stream", digits=3),
    ),
    check=believed,
    targets=(
        registry.Target(_OURS, "speed", 0.8, at_least=True),
        registry.Target(_OURS, "singly", 0.8, at_least=True),
    ),
    records=_MEGABYTES,
    rounds=5,
    note="50 MB of lines to a server on loopback, both in turn in one process;"
    " `python -m benchmarks.storage` has more about spool and S3.",
)
def uploading(make: Callable[[registry.Place], Deliver], place: registry.Place) -> registry.Round:
    """Each round delivers twice: the first time warms up."""
    deliver = make(place)

    def work() -> Mapping[str, float]:
        return deliver(float(_MEGABYTES))

    return work


@registry.peer(_OURS, "S8", role=registry.OURS, needs=("boto3", "isal"))
def s3_handler(place: registry.Place) -> Deliver:
    """The handler with its spool."""
    from benchmarks.storage import deliveries

    def deliver(megabytes: float) -> Mapping[str, float]:
        found = deliveries(rounds=1, megabytes=megabytes)
        return {"speed": found["batches"], "singly": found["emit"], "size": found["size"]}

    return deliver
