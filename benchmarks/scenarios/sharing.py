"""S4: four processes log to one file, which is rotated meanwhile, now and then or all the time."""

from __future__ import annotations

import fcntl
import logging
import logging.handlers
import multiprocessing
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from benchmarks import registry
from benchmarks.calls import Call, fields_of, through
from benchmarks.peers.behind_logging import TenLineFormatter
from benchmarks.peers.ours import OWN, STOCK, adopt
from benchmarks.workloads import FRESH, LOGGER, MESSAGE, Contact, contacts

__all__: list[str] = []

_PROCESSES: Final = 4
_LARGE: Final = "200 kB"
_SMALL: Final = "5 KiB, three threads each"
_MAX_BYTES: Final = {_LARGE: 200_000, _SMALL: 5_120}
_THREADS: Final = {_LARGE: 1, _SMALL: 3}
_BACKUPS: Final = 10_000  # so many that none is deleted
_PATIENCE_SECONDS: Final = 60
_WARM_UP: Final = 50
_UNIT: Final = "concurrent-log-handler"
_ten_fields: Final = fields_of("S1")


def _nothing() -> None:
    pass


class Shared(NamedTuple):
    """What a peer offers: opened in each child, begun and finished in the parent."""

    open: Callable[[], Call]
    begin: Callable[[], object] = _nothing
    finish: Callable[[], object] = _nothing


def counted(peer: registry.Peer, place: registry.Place, rounds: int) -> Mapping[str, float]:
    """Count the lines of all files: lost, torn and double ones."""
    share = place.records // _PROCESSES
    wanted = {f"{471_100 + number}" for number in range(share * _PROCESSES)}
    counts: Counter[str] = Counter()
    for number in range(rounds):
        files = sorted(file for file in (place.folder / str(number)).iterdir() if file.is_file())
        found: Counter[str] = Counter()
        for file in files:
            for text in file.read_bytes().splitlines():
                found[_number_in(text)] += 1
        counts["torn"] += found.pop("", 0)
        counts["lost"] += len(wanted - found.keys())
        counts["double"] += sum(found.values()) - len(found)
        counts["files"] = len(files)
    counts.update(torn=0, lost=0, double=0)
    if counts["torn"] or counts["lost"] or counts["double"]:
        told = ", ".join(f"{counts[name]} {name}" for name in ("lost", "torn", "double"))
        raise registry.SkippedWorkError(f"{told}, of {rounds * len(wanted)}", counts)
    if counts["files"] < 3:
        raise registry.SkippedWorkError("it did not rotate", counts)
    return counts


def _number_in(text: bytes) -> str:
    try:
        line = orjson.loads(text)
        line = line.get("record", {}).get("extra", line)
        return str(line["resource.id"]) if line["ratelimit.remaining"] == 87 else ""
    except (ValueError, KeyError, AttributeError):
        return ""


def _log(
    shared: Shared, values: list[Contact], warm_up: int, number: int, barrier: Any, answer: Any
) -> None:
    """Log in a process that is new, from so many threads; the clock starts when all are warm."""
    call = shared.open()

    def work(values: list[Contact]) -> None:
        for each in values:
            call(each)

    work(values[:warm_up])
    rest = values[warm_up:]
    threads = [threading.Thread(target=work, args=(rest[n::number],)) for n in range(1, number)]
    barrier.wait(_PATIENCE_SECONDS)
    cpu = time.process_time()
    for thread in threads:
        thread.start()
    work(rest[::number])
    for thread in threads:
        thread.join()
    answer.send(time.process_time() - cpu)
    logging.shutdown()


@registry.scenario(
    "S4",
    title="four processes, one file, rotated at 200 kB or at 5 KiB",
    measures=(
        registry.Measure("rate", "records/s", relation="ratio", rising=True),
        registry.Measure("cpu", "CPU µs of the callers", digits=1),
        *(registry.Measure(name, name, digits=0) for name in ("lost", "torn", "double", "files")),
    ),
    check=counted,
    variants=(_LARGE, _SMALL),
    unit=_UNIT,
    targets=tuple(registry.Target(name, "rate", 5.0, at_least=True) for name in (STOCK, OWN)),
    records=8_000,
    rounds=3,
    note="From when all are warm until the last call returns, for those with a queue until all is"
    " written. Files count those of the last round.",
)
def sharing(make: Callable[[registry.Place], Shared], place: registry.Place) -> registry.Round:
    """New processes and a new directory in each round."""
    numbers, share = count(), place.records // _PROCESSES
    warm_up = min(_WARM_UP, share // 2)
    forking = multiprocessing.get_context("fork")

    def work() -> Mapping[str, float]:
        folder = place.folder / str(next(numbers))
        folder.mkdir()
        shared = make(replace(place, folder=folder))
        barrier, (answers, answer) = forking.Barrier(_PROCESSES + 1), forking.Pipe(duplex=False)
        children = [
            forking.Process(
                target=_log,
                args=(
                    shared,
                    contacts(FRESH, n * share, (n + 1) * share),
                    warm_up,
                    _THREADS[place.variant],
                    barrier,
                    answer,
                ),
            )
            for n in range(_PROCESSES)
        ]
        for child in children:
            child.start()
        barrier.wait(_PATIENCE_SECONDS)
        began = time.perf_counter()
        shared.begin()
        cpu = 0.0
        for _ in children:
            if not answers.poll(_PATIENCE_SECONDS):
                raise TimeoutError("a child does not answer")
            cpu += answers.recv()
        took = time.perf_counter() - began
        for child in children:
            child.join(_PATIENCE_SECONDS)
        if shared.finish is not _nothing:  # it is not done when its children are
            shared.finish()
            took = time.perf_counter() - began
        records = (share - warm_up) * _PROCESSES
        return {"rate": records / took, "cpu": cpu / records * 1e6}

    return work


def _json_handler(place: registry.Place, handler: logging.Handler) -> Call:
    handler.setFormatter(TenLineFormatter())
    return through(place, handler)


@registry.peer(_UNIT, "S4", needs=("concurrent_log_handler",), note="the unit")
def concurrent_log_handler(place: registry.Place) -> Shared:
    """Its rotating handler, with ten lines of orjson."""
    module = import_module("concurrent_log_handler")

    def open_it() -> Call:
        handler = module.ConcurrentRotatingFileHandler(
            str(place.path), maxBytes=_MAX_BYTES[place.variant], backupCount=_BACKUPS
        )
        return _json_handler(place, handler)

    return Shared(open_it)


@registry.peer("RotatingFileHandler", "S4", note="not made for several processes")
def rotating(place: registry.Place) -> Shared:
    """What many services run."""

    def open_it() -> Call:
        handler = logging.handlers.RotatingFileHandler(
            place.path, maxBytes=_MAX_BYTES[place.variant], backupCount=_BACKUPS
        )
        return _json_handler(place, handler)

    return Shared(open_it)


@registry.peer("QueueHandler to one process", "S4", note="the standard library's recipe")
def queue_to_one(place: registry.Place) -> Shared:
    """A multiprocessing queue, one process that writes."""
    waiting: multiprocessing.Queue[Any] = multiprocessing.Queue()
    handler = logging.handlers.RotatingFileHandler(
        place.path, maxBytes=_MAX_BYTES[place.variant], backupCount=_BACKUPS
    )
    handler.setFormatter(TenLineFormatter())
    listener = logging.handlers.QueueListener(waiting, handler)

    def open_it() -> Call:
        return through(place, logging.handlers.QueueHandler(waiting))

    return Shared(open_it, listener.start, listener.stop)


@registry.peer("loguru, enqueue", "S4", needs=("loguru",))
def loguru(place: registry.Place) -> Shared:
    """Its queue, made before the fork as its docs say."""
    logger = import_module("loguru").logger
    logger.remove()
    logger.add(
        str(place.path),
        serialize=True,
        format="{message}",
        enqueue=True,
        rotation=_MAX_BYTES[place.variant],
    )
    bound = logger.bind(logger=LOGGER)

    def open_it() -> Call:
        def call(values: Contact) -> None:
            bound.error("Updated contact", **_ten_fields(values))

        return call

    return Shared(open_it, finish=logger.complete)


@registry.peer("floor: flock, os.write, rename", "S4", role=registry.FLOOR, note="no logging")
def bare(place: registry.Place) -> Shared:
    """The least that keeps every line: a lock, a look at the size, a write."""

    def open_it() -> Call:
        lock = os.open(place.folder / ".lock", os.O_RDWR | os.O_CREAT)
        state = {"fd": _open(place.path), "max_bytes": _MAX_BYTES[place.variant]}
        turns = threading.Lock()

        def call(values: Contact) -> None:
            line = {"timestamp": time.time(), "level": "ERROR", "logger": LOGGER}
            line.update(_ten_fields(values), message=MESSAGE)
            text = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
            with turns:
                fcntl.flock(lock, fcntl.LOCK_EX)
                try:
                    _write(place.path, state, text)
                finally:
                    fcntl.flock(lock, fcntl.LOCK_UN)

        return call

    return Shared(open_it)


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def _write(path: Path, state: dict[str, int], text: bytes) -> None:
    try:
        there = os.stat(path).st_ino
    except FileNotFoundError:
        there = 0
    own = os.fstat(state["fd"])
    if own.st_ino != there:
        os.close(state["fd"])
        state["fd"] = _open(path)
    elif own.st_size + len(text) > state["max_bytes"]:
        os.close(state["fd"])
        os.rename(path, f"{path}.{time.time_ns()}")
        state["fd"] = _open(path)
    os.write(state["fd"], text)


def _ours(place: registry.Place, is_own: bool) -> Shared:
    import crmlogging

    def open_it() -> Call:
        adopt(is_own)
        handler = crmlogging.RetentionFileHandler(
            str(place.path), max_bytes=_MAX_BYTES[place.variant], compress=None
        )
        handler.setFormatter(crmlogging.JsonFormatter(service="crm-sync"))
        handler.addFilter(crmlogging.AllowlistFilter(["@crm"]))
        return through(place, handler)

    return Shared(open_it)


_NOTE: Final = "with the allowlist on; compression off, as with all"
registry.peer(STOCK, "S4", role=registry.OURS, note=_NOTE)(partial(_ours, is_own=False))
registry.peer(OWN, "S4", role=registry.OURS, note=_NOTE)(partial(_ours, is_own=True))
