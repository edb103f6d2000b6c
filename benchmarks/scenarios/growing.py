"""S7: what a record costs by the number of its fields, and by their depth."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from typing import Any, Final

import orjson

from benchmarks import registry
from benchmarks.calls import lends_logger
from benchmarks.checking import lines_of
from benchmarks.peers.behind_logging import TenLineFormatter, flat
from benchmarks.peers.ours import OWN, STOCK, adopt
from benchmarks.workloads import LOGGER, MASKED, MESSAGE

__all__: list[str] = []

SIZES: Final = (5, 10, 20, 40, 80, 160, 320)
DEPTHS: Final = (1, 2, 3, 4, 5, 6)
_OFTEN: Final = 5
_HIDDEN: Final = "not for everybody"
_FLOOR: Final = "floor with redaction"
_NAMES: Final = [f"field{number}" for number in range(max(SIZES))]
_MASKED_NAMES: Final = frozenset((*_NAMES[1::2], "note"))
Fields = dict[str, Any]
Call = Callable[[Fields], None]


def by_size(size: int) -> Fields:
    """Return that many fields at top level; every other one has to be masked."""
    return {name: _HIDDEN if name in _MASKED_NAMES else f"value-{name}" for name in _NAMES[:size]}


def by_depth(depth: int) -> Fields:
    """Return mappings in mappings, four values in each, one of which has to be masked."""
    inner: Fields = {}
    for level in range(depth):
        values = {"first": f"value-{level}", "second": 2, "third": True, "note": _HIDDEN}
        inner = {**values, "inner": inner} if inner else values
    return {"details": inner}


def hide(fields: Fields) -> Fields:
    """Return the fields with the masked ones hidden, at every depth: the naive way."""
    return {
        name: MASKED if name in _MASKED_NAMES else hide(value) if isinstance(value, dict) else value
        for name, value in fields.items()
    }


def compared(peer: registry.Peer, place: registry.Place, rounds: int) -> Mapping[str, float]:
    """Compare every line; how many fields it has says which record it is."""
    as_is = peer.note == _PLAIN
    wanted = [(flat(fields if as_is else hide(fields)), times) for fields, times in _work(place)]
    order = (fields for _ in range(rounds) for fields, times in wanted for _ in range(times))
    found = 0
    for line, _ in lines_of(place.path):
        found += 1
        if not next(order, {"": ""}).items() <= flat(line).items():
            raise registry.SkippedWorkError(f"line {found} differs in its fields")
    due = rounds * sum(times for _, times in wanted)
    if found != due:
        raise registry.SkippedWorkError(f"wrote {found} of {due} lines")
    return {}


def _work(place: registry.Place) -> list[tuple[Fields, int]]:
    """Return each record of a round with how often it is logged: small ones more often."""
    often = _OFTEN * place.records
    return [
        *((by_size(size), often if size <= 40 else place.records) for size in SIZES),
        *((by_depth(depth), often) for depth in DEPTHS),
    ]


def _slope(costs: Mapping[int, float]) -> float:
    """Return the least-squares slope."""
    middle = sum(costs) / len(costs)
    mean = sum(costs.values()) / len(costs)
    spread = sum((size - middle) ** 2 for size in costs)
    return sum((size - middle) * (cost - mean) for size, cost in costs.items()) / spread


def _limits(name: str) -> tuple[registry.Target, ...]:
    return (
        *(registry.Target(name, "per_field", 1.5), registry.Target(name, "per_level", 1.5)),
        registry.Target(name, "bend", 1.5),
    )


@registry.scenario(
    "S7",
    title="cost by fields (5 to 320, half of them masked) and by depth (1 to 6)",
    measures=(
        registry.Measure("per_field", "µs a field", relation="ratio"),
        registry.Measure("per_level", "µs a level", relation="ratio"),
        registry.Measure("bend", "bend"),
        registry.Measure("5", "µs, 5 fields", digits=1),
        registry.Measure("320", "µs, 320 fields", digits=1),
    ),
    check=compared,
    unit=_FLOOR,
    targets=(*_limits(STOCK), *_limits(OWN)),
    records=60,
    rounds=7,
    note="Slopes are least squares over all sizes. *Bend* is the cost of a field between 160 and"
    " 320 fields over that between 5 and 160: 1 is a straight line.",
)
def growing(make: Callable[[registry.Place], Call], place: registry.Place) -> registry.Round:
    """All sizes in each round."""
    call, records = make(place), _work(place)

    def cost(fields: Fields, times: int) -> float:
        began = time.process_time()
        for _ in range(times):
            call(fields)
        return (time.process_time() - began) / times * 1e6

    def work() -> Mapping[str, float]:
        costs_of_all = [cost(fields, times) for fields, times in records]
        sizes = dict(zip(SIZES, costs_of_all, strict=False))
        depths = dict(zip(DEPTHS, costs_of_all[len(SIZES) :], strict=True))
        late = (sizes[320] - sizes[160]) / 160
        early = (sizes[160] - sizes[5]) / 155
        costs = {str(size): micros for size, micros in sizes.items()}
        slopes = {"per_field": _slope(sizes), "per_level": _slope(depths)}
        return {**slopes, "bend": late / early, **costs}

    return work


_PLAIN: Final = "masks nothing"


def _floor(place: registry.Place, prepare: Callable[[Fields], Fields]) -> Call:
    descriptor = os.open(place.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def call(fields: Fields) -> None:
        line = {
            "timestamp": datetime.fromtimestamp(time.time(), UTC).isoformat(),
            "level": "ERROR",
            "logger": LOGGER,
            "message": MESSAGE,
            **prepare(fields),
        }
        os.write(descriptor, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    return call


registry.peer(_FLOOR, "S7", role=registry.FLOOR, note="the unit; no logging; masks by hand")(
    partial(_floor, prepare=hide)
)
registry.peer("floor: dict, orjson, os.write", "S7", role=registry.FLOOR, note=_PLAIN)(
    partial(_floor, prepare=lambda fields: fields)
)


def _through(handler: logging.Handler) -> Call:
    logger = lends_logger()
    logger.addHandler(handler)

    def call(fields: Fields) -> None:
        logger.error("Updated contact", extra=fields)

    return call


class _NaiveFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        attributes = record.__dict__
        for name in list(attributes):
            if name in _MASKED_NAMES:
                attributes[name] = MASKED
            elif isinstance(attributes[name], dict):
                attributes[name] = hide(attributes[name])
        return True


def _naive(place: registry.Place, formatter: logging.Formatter) -> Call:
    handler = logging.FileHandler(place.path)
    handler.setFormatter(formatter)
    handler.addFilter(_NaiveFilter())
    return _through(handler)


@registry.peer("stdlib + ten lines of orjson", "S7")
def ten_lines(place: registry.Place) -> Call:
    """Ten lines, and a naive filter that goes into mappings."""
    return _naive(place, TenLineFormatter())


@registry.peer("python-json-logger + orjson", "S7", needs=("pythonjsonlogger.orjson",))
def python_json_logger(place: registry.Place) -> Call:
    """Its fastest formatter, and the same filter."""
    formatter = import_module("pythonjsonlogger.orjson").OrjsonFormatter
    return _naive(place, formatter("%(levelname)s %(name)s %(message)s", timestamp=True))


@registry.peer("structlog + orjson", "S7", needs=("structlog",))
def structlog_orjson(place: registry.Place) -> Call:
    """The set-up of its page on performance, the same mask as a processor."""
    structlog = import_module("structlog")
    structlog.configure(
        cache_logger_on_first_use=True,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            lambda logger, method, event: hide(event),
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(file=place.path.open("ab")),
    )
    bound = structlog.get_logger(name=LOGGER)

    def call(fields: Fields) -> None:
        bound.error("Updated contact", **fields)

    return call


def _ours(place: registry.Place, is_own: bool) -> Call:
    import crmlogging

    adopt(is_own)
    handler = crmlogging.RetentionFileHandler(str(place.path))
    handler.setFormatter(crmlogging.JsonFormatter(service="crm-sync"))
    # What is hidden does not fit the shape: it is masked, whatever its name.
    handler.addFilter(crmlogging.AllowlistFilter([*_NAMES, "details.**"]))
    return _through(handler)


registry.peer(STOCK, "S7", role=registry.OURS)(partial(_ours, is_own=False))
registry.peer(OWN, "S7", role=registry.OURS)(partial(_ours, is_own=True))
