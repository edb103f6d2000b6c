"""S1, S2a, S2b, S2t, S2f, S9: one record, one line in a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from typing import Final

from benchmarks import registry
from benchmarks.calls import Call
from benchmarks.checking import compare_lines
from benchmarks.peers.floors import NOOP
from benchmarks.peers.ours import OWN, STOCK
from benchmarks.workloads import FRESH, REPEATED, contacts

__all__ = ["CPU", "WALL", "timed"]

CPU: Final = registry.Measure("cpu", "CPU µs", relation="ratio")
WALL: Final = registry.Measure("wall", "wall µs", relation="ratio")


def timed(
    make: Callable[[registry.Place], Call], place: registry.Place, *, raises: bool = False
) -> registry.Round:
    """Return rounds of one call a record; the values are made before the clock starts."""
    call, records, numbers = make(place), place.records, count()

    def work() -> Mapping[str, float]:
        begin = next(numbers) * records
        values = contacts(place.variant, begin, begin + records, raises=raises)
        cpu, wall = time.process_time(), time.perf_counter()
        for each in values:
            call(each)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        return {"cpu": cpu / records * 1e6, "wall": wall / records * 1e6}

    return work


def compared(peer: registry.Peer, place: registry.Place, rounds: int) -> Mapping[str, float]:
    """Compare the lines of all peers but the one that writes none."""
    return {} if peer.name == NOOP else compare_lines(peer, place, rounds)


def _limits(stock: float, own: float) -> tuple[registry.Target, ...]:
    return registry.Target(STOCK, "cpu", stock), registry.Target(OWN, "cpu", own)


_lines = partial(
    registry.scenario,
    measures=(CPU, WALL),
    check=compared,
    variants=(REPEATED, FRESH),
    unit=NOOP,
)


@_lines("S1", title="a JSON line of ten fields to a file", targets=_limits(1.75, 1.0))
def ten_fields(make: Callable[[registry.Place], Call], place: registry.Place) -> registry.Round:
    """Formatting and output; of ours with the allowlist on, since nothing goes without."""
    return timed(make, place)


@_lines(
    "S2a", title="twelve fields, four masked: allowlist with shapes", targets=_limits(2.3, 1.45)
)
def masked_fields(make: Callable[[registry.Place], Call], place: registry.Place) -> registry.Round:
    """Redaction alone; the peers with their naive filters."""
    return timed(make, place)


@_lines(
    "S2b",
    title="twelve fields, four masked: correlation, errors, allowlist, a scrubbed text",
    targets=_limits(2.8, 2.0),
)
def all_filters(make: Callable[[registry.Place], Call], place: registry.Place) -> registry.Round:
    """All filters of the design's document."""
    return timed(make, place)


@_lines("S2t", title="a third party's template message with eight arguments, its URL masked")
def third_party(make: Callable[[registry.Place], Call], place: registry.Place) -> registry.Round:
    """What urllib3 logs for each request; the peers mask the URL and show the host."""
    return timed(make, place)


@_lines("S2f", title="a message built by an f-string, an e-mail address in it masked")
def built(make: Callable[[registry.Place], Call], place: registry.Place) -> registry.Round:
    """What most programs write; the peers search the text for addresses."""
    return timed(make, place)


@_lines("S9", title="an exception with its traceback", records=400)
def exception(make: Callable[[registry.Place], Call], place: registry.Place) -> registry.Round:
    """Of ours with classification, and without data; the peers show the exception's text."""
    return timed(make, place, raises=True)
