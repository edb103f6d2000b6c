"""S2d: the design's document whole: two archives, and a console behind a queue."""

from __future__ import annotations

import logging
import logging.config
import logging.handlers
import queue
import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks import registry
from benchmarks.calls import at_level, lends_logger
from benchmarks.checking import lines_of
from benchmarks.peers.behind_logging import TenLineFormatter
from benchmarks.peers.floors import NOOP, NoOpHandler
from benchmarks.peers.naive import mask
from benchmarks.peers.ours import OWN, STOCK, adopt, document
from benchmarks.scenarios.lines import CPU
from benchmarks.workloads import FRESH, HIDDEN, SECRETS, contacts

__all__: list[str] = []

_PROGRESS: Final = "progress"
_ERRORS: Final = "the same error"
_FIRST: Final = 5
CALLER: Final = registry.Measure("caller", "CPU µs of the caller", relation="ratio")


class Output(NamedTuple):
    """What a peer offers: the logger, and a way to wait until all is written."""

    logger: logging.Logger
    flush: Callable[[], object]


def _places(place: registry.Place) -> list[Path]:
    """Return the files: the archives, and last the console."""
    return [place.folder / name for name in ("first.jsonl", "second.jsonl", "console.jsonl")]


def written(peer: registry.Peer, place: registry.Place, rounds: int) -> Mapping[str, float]:
    """Make sure that each archive has each record, the console what it is to have, all masked."""
    if peer.name == NOOP:
        return {}
    produced = rounds * place.records
    for path in _places(place):
        seen = told = 0
        for line, text in lines_of(path):
            suppressed = line.get("error.suppressed")
            told += suppressed or 0
            seen += suppressed is None
            if suppressed is None and any(line.get(name) is None for name in SECRETS):
                raise registry.SkippedWorkError("a line lacks a masked field")
            if any(secret in text for secret in HIDDEN["S2a"]):
                raise registry.SkippedWorkError("a line shows a secret")
        held = place.variant == _ERRORS and path.stem == "console"
        if not _FIRST <= seen <= produced // 2 if held else seen != produced:
            raise registry.SkippedWorkError(f"{path.stem} has {seen} of {produced}")
        if held and peer.role == registry.OURS and seen + told != produced:
            raise registry.SkippedWorkError(f"{seen} passed and {told} told of {produced}")
    return {}


@registry.scenario(
    "S2d",
    title="twelve fields, four masked, to two archives and a console",
    measures=(CPU, CALLER),
    check=written,
    variants=(_PROGRESS, _ERRORS),
    unit=NOOP,
    note="CPU until all is written, and that of the calling thread alone. Fresh values. The "
    "console stands behind a queue, and holds back all but the first of identical errors.",
)
def to_three(make: Callable[[registry.Place], Output], place: registry.Place) -> registry.Round:
    """Archives are locked, one file for both of a class; a bucket's would be a spool."""
    output, numbers = make(place), count()
    level = logging.ERROR if place.variant == _ERRORS else logging.INFO
    call = at_level(output.logger, level)

    def work() -> Mapping[str, float]:
        begin = next(numbers) * place.records
        values = contacts(FRESH, begin, begin + place.records)
        cpu, caller = time.process_time(), time.thread_time()
        for each in values:
            call(each)
        caller = time.thread_time() - caller
        output.flush()
        cpu = time.process_time() - cpu
        return {
            name: took / place.records * 1e6 for name, took in (("cpu", cpu), ("caller", caller))
        }

    return work


@registry.peer(NOOP, "S2d", role=registry.FLOOR, note="the unit; it writes nothing")
def noop(place: registry.Place) -> Output:
    """One handler that does nothing."""
    logger = lends_logger()
    logger.addHandler(NoOpHandler())
    return Output(logger, lambda: None)


class _Grouping(logging.Filter):
    """Lets the first few errors of a message pass."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[object, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.ERROR:
            return True
        self._seen[record.msg] = number = self._seen.get(record.msg, 0) + 1
        return number <= _FIRST


class _Masking(logging.Filter):
    """Masks a record, once."""

    def filter(self, record: logging.LogRecord) -> bool:
        mask("S2a", record.__dict__)
        return True


class _Queued(logging.handlers.QueueHandler):
    """The standard queue before a file, and a wait until all is written."""

    def __init__(self, path: Path) -> None:
        super().__init__(queue.Queue())
        target = logging.FileHandler(path)
        target.setFormatter(TenLineFormatter())
        self._listener = logging.handlers.QueueListener(self.queue, target)
        self._listener.start()

    def flush_all(self) -> None:
        """End the thread, which writes what waits, and start another."""
        self._listener.stop()
        self._listener.start()


@registry.peer(
    "stdlib: FileHandler, QueueHandler, ten lines of orjson",
    "S2d",
    note="no lock between processes; does not say how many it held back",
)
def standard(place: registry.Place) -> Output:
    """What a team sets up with the standard library, and filters of its own."""
    logger, (*archives, console) = lends_logger(), _places(place)
    logger.addFilter(_Masking())
    for path in archives:
        archive = logging.FileHandler(path)
        archive.setFormatter(TenLineFormatter())
        logger.addHandler(archive)
    behind = _Queued(console)
    behind.addFilter(_Grouping())
    logger.addHandler(behind)
    return Output(logger, behind.flush_all)


def _ours(place: registry.Place, is_own: bool) -> Output:
    import crmlogging

    adopt(is_own)
    first, second, console = map(str, _places(place))
    whole: dict[str, Any] = {**document(place)}
    archive = whole["handlers"]["file"]
    whole["filters"]["allowlist"] = {"()": "crmlogging.AllowlistFilter", "fields": ["@crm"]}
    whole["filters"]["grouping"] = {"()": "crmlogging.GroupingFilter", "first": _FIRST}
    whole["handlers"] = {
        "first": {**archive, "filename": first},
        "second": {**archive, "filename": second},
        "stdout": {"class": "logging.FileHandler", "filename": console, "formatter": "json"},
        "console": {
            "()": "crmlogging.AsyncHandler",
            "handlers": ["stdout"],
            "filters": ["correlation", "errors", "allowlist", "grouping"],
        },
    }
    whole["loggers"] = {"crm.sync": {"handlers": ["first", "second", "console"]}}
    logging.config.dictConfig(whole)
    logger = lends_logger()

    def flush() -> None:
        for each in logger.handlers:
            each.flush()
        crmlogging.drain(60)

    return Output(logger, flush)


registry.peer(STOCK, "S2d", role=registry.OURS)(partial(_ours, is_own=False))
registry.peer(OWN, "S2d", role=registry.OURS)(partial(_ours, is_own=True))
