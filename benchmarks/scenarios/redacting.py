"""S2r: redaction alone, beside python-json-logger's encoding of the same record with orjson."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Final

from benchmarks import calls, registry
from benchmarks.workloads import FRESH, MASKED, REPEATED, SECRETS, contacts

__all__: list[str] = []

_FILTER: Final = "crmlogging.AllowlistFilter"
_X: Final = registry.Measure("x", "x encoding")

Work = Callable[[logging.LogRecord], object]


class _Working(logging.Handler):
    """Does one piece of work with each record and drops it."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self.work = work

    def handle(self, record: logging.LogRecord) -> bool:
        self.work(record)
        return True


@registry.peer(_FILTER, "S2r", role=registry.OURS)
def allowlist(place: registry.Place) -> Work:
    """The allowlist filter by itself."""
    import crmlogging

    redact = crmlogging.AllowlistFilter(["@crm"]).refine

    def checked(record: logging.LogRecord) -> object:
        safe = redact(record)
        shown: dict[str, Any] = vars(safe)
        if any(shown[name] != MASKED for name in SECRETS) or shown["crm"] != "hubspot":
            raise registry.SkippedWorkError("it does not redact")
        return safe

    handler = _Working(checked)
    call = calls.through(
        registry.Place("S2a", *(place.variant, place.peer), place.folder, 1), handler
    )
    call(contacts(place.variant, 0, 1)[0])
    calls.lends_logger().removeHandler(handler)
    return redact


def believed(peer: registry.Peer, place: registry.Place, rounds: int) -> Mapping[str, float]:
    """It was checked when it was set up."""
    return {}


@registry.scenario(
    "S2r",
    title="redaction of twelve fields alone, beside python-json-logger's encoding",
    measures=(_X, registry.Measure("us", "µs")),
    check=believed,
    variants=(REPEATED, FRESH),
    targets=(registry.Target(_FILTER, "x", 1.0),),
    records=1_000,
    note="What the same call costs with a handler that does nothing is taken off both.",
)
def redaction(make: Callable[[registry.Place], Work], place: registry.Place) -> registry.Round:
    """In one process, all three in turn."""
    from pythonjsonlogger.orjson import OrjsonFormatter

    redact = make(place)
    encode = OrjsonFormatter("%(levelname)s %(name)s %(message)s", timestamp=True).format
    handler, numbers = _Working(redact), count()
    as_masked = registry.Place("S2a", place.variant, place.peer, place.folder, place.records)
    call = calls.through(as_masked, handler)

    def seconds(work: Work) -> float:
        handler.work = work
        begin = next(numbers) * place.records
        values = contacts(place.variant, begin, begin + place.records)
        began = time.process_time()
        for each in values:
            call(each)
        return time.process_time() - began

    def work_round() -> Mapping[str, float]:
        nothing = seconds(lambda record: None)
        redacting, encoding = seconds(redact) - nothing, seconds(encode) - nothing
        return {"x": redacting / encoding, "us": redacting / place.records * 1e6}

    return work_round
