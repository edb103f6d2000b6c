"""S3: output that does not wait: what four threads feel of a slow sink, and what is lost."""

from __future__ import annotations

import atexit
import logging
import logging.handlers
import queue
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from typing import Any, Final, NamedTuple

import orjson

from benchmarks import registry
from benchmarks.calls import Call, fields_of, through
from benchmarks.checking import lines_of
from benchmarks.peers.behind_logging import TenLineFormatter
from benchmarks.peers.floors import NOOP, NoOpHandler
from benchmarks.peers.ours import OWN, STOCK, adopt
from benchmarks.workloads import FRESH, LOGGER, MESSAGE, Contact, contacts

__all__: list[str] = []

_SLOW: Final = "1 ms sink"
_FAST: Final = "fast sink"
_SINK_SECONDS: Final = 0.001
_THREADS: Final = 4
_LAST_WORDS: Final = 200
_ten_fields: Final = fields_of("S1")
Sink = Callable[[str], None]


class Output(NamedTuple):
    """What a peer offers: the call, and a way to wait until all is written."""

    call: Call
    flush: Callable[[], object]


def sink_of(place: registry.Place) -> Sink:
    """Return the sink: a file, by way of a slow network or not."""
    file = place.path.open("a", encoding="utf-8")
    seconds = _SINK_SECONDS if place.variant == _SLOW else 0.0

    def write(line: str) -> None:
        if seconds:
            time.sleep(seconds)
        file.write(line if line.endswith("\n") else f"{line}\n")
        file.flush()

    return write


class SinkHandler(logging.Handler):
    """The sink as a handler."""

    def __init__(self, place: registry.Place) -> None:
        super().__init__()
        self._write = sink_of(place)

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line."""
        self._write(self.format(record))


class _Round:
    """Four threads log as fast as they can; then all waits until it is written."""

    def __init__(self, output: Output, place: registry.Place) -> None:
        self._output, self._share, self._logged = output, place.records // _THREADS, 0

    def __call__(self) -> Mapping[str, float]:
        spans: list[list[float]] = [[] for _ in range(_THREADS)]
        barrier = threading.Barrier(_THREADS + 1)
        threads = [
            threading.Thread(target=self._log, args=(self._take(self._share), span, barrier))
            for span in spans
        ]
        for thread in threads:
            thread.start()
        cpu = time.process_time()
        barrier.wait()
        began = time.perf_counter()
        for thread in threads:
            thread.join()
        self._output.flush()
        took = time.perf_counter() - began
        cpu = time.process_time() - cpu
        records = self._share * _THREADS
        cuts = statistics.quantiles((each for span in spans for each in span), n=1000)
        named = {"p50": cuts[499], "p99": cuts[989], "p999": cuts[998]}
        micros = {name: seconds * 1e6 for name, seconds in named.items()}
        return {**micros, "rate": records / took, "cpu": cpu / records * 1e6}

    def _take(self, number: int) -> list[Contact]:
        self._logged += number
        return contacts(FRESH, self._logged - number, self._logged)

    def _log(self, values: list[Contact], span: list[float], barrier: threading.Barrier) -> None:
        call, clock = self._output.call, time.perf_counter
        barrier.wait()
        for each in values:
            began = clock()
            call(each)
            span.append(clock() - began)

    def close(self) -> None:
        """Log something more and end, without waiting for it."""
        for each in self._take(_LAST_WORDS):
            self._output.call(each)


def accounted(peer: registry.Peer, place: registry.Place, rounds: int) -> Mapping[str, float]:
    """Count what did not arrive: in the rounds, and at exit."""
    if peer.name == NOOP:
        return {}
    in_rounds = place.records // _THREADS * _THREADS * rounds
    read = peer.read or (lambda line: line)
    wanted = {f"{471_100 + number}" for number in range(in_rounds + _LAST_WORDS)}
    found = [read(line) for line, _ in lines_of(place.path)]
    missing = wanted.difference(str(line.get("resource.id")) for line in found)
    if any(line.get("ratelimit.remaining") != 87 for line in found):
        raise registry.SkippedWorkError("a line lacks fields")
    lost = sum(int(number) < 471_100 + in_rounds for number in missing)
    counts = {"lost": lost, "lost_at_exit": len(missing) - lost}
    if lost or len(found) > len(wanted):
        raise registry.SkippedWorkError(f"{lost} lost of {in_rounds}, {len(found)} lines", counts)
    return counts


@registry.scenario(
    "S3",
    title="asynchronous: four threads, a sink of 1 ms or a fast one",
    measures=(
        registry.Measure("p50", "p50 µs", relation="ratio", digits=0),
        registry.Measure("p99", "p99 µs", digits=0),
        registry.Measure("p999", "p99.9 µs", digits=0),
        registry.Measure("rate", "records/s until flushed", digits=0, rising=True),
        registry.Measure("cpu", "CPU µs", digits=1),
        registry.Measure("lost_at_exit", f"lost at exit, of {_LAST_WORDS}", digits=0),
    ),
    check=accounted,
    variants=(_SLOW, _FAST),
    unit=NOOP,
    targets=(
        *(registry.Target(name, "p999", others="p99", variant=_SLOW) for name in (STOCK, OWN)),
        *(registry.Target(name, "p50", 2.5) for name in (STOCK, OWN)),
    ),
    rounds=3,
    note="Calls as fast as four threads can make them; latencies are of the calls. The peers redact"
    " nothing, ours have the allowlist on.",
)
def asynchronous(make: Callable[[registry.Place], Output], place: registry.Place) -> _Round:
    """The threads are new in each round, the worker stays."""
    return _Round(make(place), place)


@registry.peer(NOOP, "S3", role=registry.FLOOR, note="the unit; no output")
def noop(place: registry.Place) -> Output:
    """Four threads that keep the interpreter busy wait for each other, with no queue at all."""
    return Output(through(place, NoOpHandler()), lambda: None)


@registry.peer("floor: queue and thread", "S3", role=registry.FLOOR, note="no logging; no bound")
def floor(place: registry.Place) -> Output:
    """A dictionary put into a queue; a thread that encodes and writes."""
    waiting: queue.SimpleQueue[registry.Line | threading.Event | None] = queue.SimpleQueue()
    write = sink_of(place)

    def deliver() -> None:
        while (line := waiting.get()) is not None:
            if isinstance(line, threading.Event):
                line.set()
            else:
                write(orjson.dumps(line).decode())

    def call(values: Contact) -> None:
        now = datetime.fromtimestamp(time.time(), UTC).isoformat()
        head = {"timestamp": now, "level": "ERROR", "logger": LOGGER, "message": MESSAGE}
        waiting.put({**head, **_ten_fields(values)})

    def flush() -> None:
        done = threading.Event()
        waiting.put(done)
        done.wait()

    def stop() -> None:
        waiting.put(None)
        worker.join()

    worker = threading.Thread(target=deliver, daemon=True)
    worker.start()
    atexit.register(stop)
    return Output(call, flush)


def _behind_queue(place: registry.Place, formatter: logging.Formatter) -> Output:
    handler = SinkHandler(place)
    handler.setFormatter(formatter)
    waiting: queue.Queue[Any] = queue.Queue()
    listener = logging.handlers.QueueListener(waiting, handler)
    listener.start()
    atexit.register(listener.stop)

    def flush() -> None:
        listener.stop()
        listener.start()

    return Output(through(place, logging.handlers.QueueHandler(waiting)), flush)


@registry.peer("QueueHandler + ten lines of orjson", "S3", note="no bound")
def ten_lines(place: registry.Place) -> Output:
    """The standard library's queue."""
    return _behind_queue(place, TenLineFormatter())


@registry.peer(
    "QueueHandler + python-json-logger", "S3", needs=("pythonjsonlogger.orjson",), note="no bound"
)
def python_json_logger(place: registry.Place) -> Output:
    """The same with its fastest formatter."""
    formatter = import_module("pythonjsonlogger.orjson").OrjsonFormatter
    return _behind_queue(place, formatter("%(levelname)s %(name)s %(message)s", timestamp=True))


@registry.peer(
    "loguru, enqueue",
    "S3",
    needs=("loguru",),
    read=lambda line: dict(line["record"]["extra"]),
)
def loguru(place: registry.Place) -> Output:
    """Its queue, which reaches over processes."""
    logger = import_module("loguru").logger
    logger.remove()
    logger.add(sink_of(place), serialize=True, format="{message}", enqueue=True)
    bound = logger.bind(logger=LOGGER)

    def call(values: Contact) -> None:
        bound.error("Updated contact", **_ten_fields(values))

    return Output(call, logger.complete)


def _ours(place: registry.Place, is_own: bool) -> Output:
    import crmlogging

    adopt(is_own)
    target = SinkHandler(place)
    target.setFormatter(crmlogging.JsonFormatter(service="crm-sync"))
    handler = crmlogging.AsyncHandler(handlers=[target])
    handler.addFilter(crmlogging.AllowlistFilter(["@crm"]))

    def flush() -> None:
        crmlogging.drain(timeout=60)

    return Output(through(place, handler), flush)


registry.peer(STOCK, "S3", role=registry.OURS, note="bounded")(partial(_ours, is_own=False))
registry.peer(OWN, "S3", role=registry.OURS, note="bounded")(partial(_ours, is_own=True))
