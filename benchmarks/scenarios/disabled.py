"""S5: a call whose level is switched off, in a set-up that would write it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final

from benchmarks import calls, registry
from benchmarks.calls import Call
from benchmarks.peers.ours import OWN, STOCK, adopt
from benchmarks.scenarios.lines import CPU, WALL, timed
from benchmarks.workloads import LOGGER, Contact

__all__: list[str] = []

_UNIT: Final = "logging"


def is_silent(peer: registry.Peer, place: registry.Place, rounds: int) -> Mapping[str, float]:
    """Make sure that nothing was written."""
    if any(file.stat().st_size for file in place.folder.iterdir()):
        raise registry.SkippedWorkError("it is not silent")
    return {}


@registry.scenario(
    "S5",
    title="a debug call while the level is INFO",
    measures=(CPU, WALL),
    check=is_silent,
    unit=_UNIT,
    records=20_000,
)
def disabled(make: Callable[[registry.Place], Call], place: registry.Place) -> registry.Round:
    """One argument, no fields."""
    return timed(make, place)


@registry.peer(_UNIT, "S5", role=registry.FLOOR, note="the unit")
def standard(place: registry.Place) -> Call:
    """The standard logger and file handler."""
    return calls.through(place, logging.FileHandler(place.path))


def _ours(place: registry.Place) -> Call:
    import crmlogging

    handler = crmlogging.RetentionFileHandler(str(place.path))
    handler.setFormatter(crmlogging.JsonFormatter(service="crm-sync"))
    handler.addFilter(crmlogging.AllowlistFilter(["@crm"]))
    return calls.through(place, handler)


@registry.peer(STOCK, "S5", role=registry.OURS)
def stock(place: registry.Place) -> Call:
    """The standard logger before our handler."""
    return _ours(place)


@registry.peer(
    OWN, "S5", role=registry.OURS, note="also asks whether DEBUG is on for this customer or id"
)
def own(place: registry.Place) -> Call:
    """Our logger."""
    adopt(own=True)
    return _ours(place)


@registry.peer("structlog", "S5", needs=("structlog",))
def structlog(place: registry.Place) -> Call:
    """Its logger that filters by level."""
    module = import_module("structlog")
    module.configure(
        cache_logger_on_first_use=True,
        wrapper_class=module.make_filtering_bound_logger(logging.INFO),
        logger_factory=module.BytesLoggerFactory(file=place.path.open("ab")),
    )
    return calls.of(place, module.get_logger(name=LOGGER))


@registry.peer("loguru", "S5", needs=("loguru",))
def loguru(place: registry.Place) -> Call:
    """With a sink that takes INFO and above."""
    logger = import_module("loguru").logger
    logger.remove()
    logger.add(str(place.path), level="INFO")

    def call(values: Contact) -> None:
        logger.debug("Found contact {} in the cache", values[0])

    return call


@registry.peer("picologging", "S5", needs=("picologging",), note="C++")
def picologging(place: registry.Place) -> Call:
    """Its logger."""
    module = import_module("picologging")
    logger = module.getLogger(LOGGER)
    logger.setLevel(module.INFO)
    logger.addHandler(module.FileHandler(str(place.path)))
    return calls.of(place, logger)


@registry.peer("aws-lambda-powertools", "S5", needs=("aws_lambda_powertools",))
def powertools(place: registry.Place) -> Call:
    """Its logger."""
    handler = logging.FileHandler(place.path)
    logger = import_module("aws_lambda_powertools").Logger(
        service=LOGGER, level="INFO", logger_handler=handler
    )
    return calls.of(place, logger)
