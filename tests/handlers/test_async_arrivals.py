"""What callers leave before a queue without taking its lock: counted, bounded, in order."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crmlogging import AllowlistFilter, AsyncHandler, Logger
from crmlogging.handlers.bounded_queue import Entry

_PATIENCE_SECONDS = 20.0


class Gate(logging.Handler):
    """A target that waits until it is opened, and keeps what it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.entered = threading.Event()
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.entered.set()
        assert self.open.wait(_PATIENCE_SECONDS)
        self.seen.append(str(record.__dict__.get("request.id", record.getMessage())))


Make = Callable[..., tuple[AsyncHandler, Gate, logging.Logger]]


@pytest.fixture(params=[logging.Logger, Logger], ids=["stock", "own"])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Make a handler before a shut gate, and a logger of either kind, warm."""
    made: list[tuple[AsyncHandler, Gate]] = []

    def build(**options: Any) -> tuple[AsyncHandler, Gate, logging.Logger]:
        gate = Gate()
        handler = AsyncHandler(handlers=[gate], levels=False, **options)
        handler.addFilter(AllowlistFilter(["@crm"]))
        logger: logging.Logger = request.param("crmlogging.tests.arrivals")
        logger.addHandler(handler)
        made.append((handler, gate))
        log(logger, 0, 4)
        assert gate.entered.wait(_PATIENCE_SECONDS)
        return handler, gate, logger

    yield build
    for handler, gate in made:
        gate.open.set()
        handler.close()


def log(logger: logging.Logger, begin: int, end: int, level: int = logging.INFO) -> None:
    """Log records with numbers of their own, at one place."""
    for number in range(begin, end):
        logger.log(level, "Updated contact", extra={"request.id": f"r-{number}"})


def within(work: Callable[[], object]) -> bool:
    """Whether a thread of its own gets through with `work` in time."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(_PATIENCE_SECONDS)
    return not thread.is_alive()


class TestArrivals:
    def test_callers_do_not_wait_for_the_lock(self, make: Make) -> None:
        """A thread that was interrupted while it held the counts' lock stops nobody."""
        handler, gate, logger = make()
        with handler._ledger.lock:
            assert within(lambda: log(logger, 4, 500))
            assert handler.stats()["pending"] == 500
        gate.open.set()
        assert handler.drain(_PATIENCE_SECONDS)
        assert gate.seen == [f"r-{number}" for number in range(500)]

    def test_they_count_at_once(self, make: Make) -> None:
        """Before any worker has looked at them."""
        handler, _, logger = make()
        for number in range(4, 20):
            log(logger, number, number + 1)
            counts = handler.stats()
            assert (counts["produced"], counts["pending"]) == (number + 1, number + 1)

    def test_order_is_that_of_the_calls(self, make: Make) -> None:
        """Also where records that callers count themselves come in between."""
        handler, gate, logger = make()
        log(logger, 4, 10)
        logger.info("x" * 200_000)
        log(logger, 10, 20)
        gate.open.set()
        assert handler.drain(_PATIENCE_SECONDS)
        numbers = [f"r-{number}" for number in range(20)]
        assert [each for each in gate.seen if each.startswith("r-")] == numbers
        assert len(gate.seen) == 21
        assert gate.seen[10] not in numbers

    @pytest.mark.parametrize("capacity", [1, 100, 255, 256, 1_000])
    def test_the_bound_holds(self, make: Make, capacity: int) -> None:
        """However many threads log at once; what exceeds it is dropped and counted."""
        handler, gate, logger = make(capacity=capacity, overflow="drop")
        callers = [
            threading.Thread(target=log, args=(logger, 1_000 * k, 1_000 * k + 400))
            for k in range(4)
        ]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        counts = handler.stats()
        assert counts["produced"] == 1_604
        assert counts["pending"] == capacity
        gate.open.set()
        assert handler.drain(_PATIENCE_SECONDS)
        counts = handler.stats()
        assert counts["delivered"] == capacity
        assert len([each for each in gate.seen if each.startswith("r-")]) == capacity

    def test_the_bound_of_bytes_holds(self, make: Make) -> None:
        """Where the memory is short, not the number."""
        handler, _, logger = make(capacity_bytes=100_000, overflow="drop")
        log(logger, 4, 1_000)
        (lane,) = handler._dispatch.lanes if handler._dispatch else ()
        assert lane.queue.bytes <= 100_000
        assert 20 < handler.stats()["pending"] < 100

    def test_a_flood_leaves_the_reserve(self, make: Make) -> None:
        """ERROR finds room behind a flood that came without the lock."""
        handler, gate, logger = make(capacity=1_000, overflow="drop")
        log(logger, 4, 2_000)
        log(logger, 5_000, 5_100, logging.ERROR)
        gate.open.set()
        assert handler.drain(_PATIENCE_SECONDS)
        assert {f"r-{number}" for number in range(5_000, 5_100)} <= set(gate.seen)

    def test_the_end_gives_up_what_arrived(self, make: Make) -> None:
        """Before a target that hangs, what nobody looked at is counted as well."""
        handler, _, logger = make(flush_seconds=0.05)
        log(logger, 4, 50)
        handler.end()
        counts = handler.stats()
        assert counts["pending"] == 0
        assert counts["dropped.exit.INFO"] == counts["produced"] == 50


class TestModuleLock:
    def test_closing_lets_go_of_it(self, make: Make) -> None:
        """Whoever holds ours may need it, where the collector frees a handler just then."""
        handler, gate, _ = make()
        gate.open.set()
        holds, got = threading.Event(), threading.Event()
        module_lock: threading.RLock = logging._lock  # type: ignore[attr-defined]  # private, no other way

        def collect() -> None:
            with handler._ledger.lock:
                holds.set()
                with module_lock:
                    got.set()

        def close() -> None:
            with module_lock, module_lock:
                collector = threading.Thread(target=collect, daemon=True)
                collector.start()
                assert holds.wait(_PATIENCE_SECONDS)
                handler.close()
                assert got.is_set()
                assert module_lock._is_owned()  # type: ignore[attr-defined]  # as before

        assert within(close)
        assert got.is_set()


class TestSignals:
    def test_an_exception_between_two_lanes_loses_and_repeats_nothing(self) -> None:
        """A signal handler raises it in a caller that does the workers' part."""
        gates = [Gate(), Gate()]
        handler = AsyncHandler(handlers=gates, levels=False)
        handler.addFilter(AllowlistFilter(["@crm"]))
        logger = Logger("crmlogging.tests.arrivals.signals")
        logger.addHandler(handler)
        log(logger, 0, 4)
        for gate in gates:
            assert gate.entered.wait(_PATIENCE_SECONDS)
        log(logger, 4, 8)
        dispatch = handler._dispatch
        assert dispatch is not None
        second = dispatch.lanes[1].queue
        put = second.put

        def interrupted(entry: Entry) -> None:
            second.put = put  # type: ignore[method-assign]  # once
            raise TimeoutError

        second.put = interrupted  # type: ignore[method-assign]  # as a signal handler would
        with handler._ledger.lock, pytest.raises(TimeoutError):
            dispatch.gather()
        for gate in gates:
            gate.open.set()
        assert handler.drain(_PATIENCE_SECONDS)
        assert [gate.seen for gate in gates] == [[f"r-{number}" for number in range(8)]] * 2
        assert handler.stats()["delivered"] == 8
        handler.close()


class TestTwoLanes:
    def test_none_falls_asleep_before_a_record_that_is_on_its_way(self) -> None:
        """Another worker has taken it from the arrivals, and not put it into the queues yet."""
        handler = AsyncHandler(handlers=[Gate(), Gate()], levels=False)
        dispatch = handler._connect()
        assert dispatch is not None
        lane = dispatch.lanes[1]
        slept, awake = threading.Event(), threading.Event()

        def heard(seconds: float) -> bool:
            slept.set()
            return False

        lane._heard = heard  # type: ignore[method-assign]  # it would wait for half a minute
        worker = threading.Thread(target=lambda: awake.set() if lane._sleep() else None)
        entry = Entry(logging.makeLogRecord({"levelno": 20}), 100)
        with handler._ledger.lock:
            worker.start()
            slept.wait(0.05)  # time enough for one that does not ask under the lock
            for each in dispatch.lanes:
                each.queue.put(entry)
        assert awake.wait(_PATIENCE_SECONDS)
        worker.join()
        assert not slept.is_set()
