"""Promises of a full queue: bounds hold, the least important goes first, every drop is told."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlogging.context import correlation
from crmlogging.exceptions import Problems
from crmlogging.fields import field_named
from crmlogging.filters.allowlist import AllowlistFilter
from crmlogging.filters.correlation import CorrelationFilter
from crmlogging.handlers.async_handler import AsyncHandler
from crmlogging.handlers.bounded_queue import BoundedQueue, Entry
from crmlogging.handlers.overflow import DropReport, Limits, WaitBudget
from crmlogging.handlers.queued_record import byte_size
from crmlogging.handlers.safe_handler import SafeHandler
from crmlogging.records import DeferredRecord, SafeRecord, Stage
from crmlogging.records.identity import new_id

LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)


def record(level: int = logging.INFO, message: str = "m", **extra: object) -> logging.LogRecord:
    fields = {"msg": message, "levelno": level, "levelname": logging.getLevelName(level), **extra}
    return logging.makeLogRecord(fields)


class Gated(logging.Handler):
    """A target that is busy with its first record until the gate opens."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.entered.set()
        assert self.gate.wait(60)
        self.lines.append(record.getMessage())

    def logged(self) -> list[str]:
        """Without the lines that the handler adds, once an interval, whenever that ends."""
        return [line for line in self.lines if not line.startswith("AsyncHandler dropped")]


@pytest.fixture
def target() -> Iterator[Gated]:
    """A target that ends with the test, whatever happens."""
    target = Gated()
    yield target
    target.gate.set()


@pytest.fixture
def blocked(target: Gated) -> Iterator[Callable[..., AsyncHandler]]:
    """Build a handler whose target is busy with a first record, message ``first``."""
    built: list[AsyncHandler] = []

    def build(**options: object) -> AsyncHandler:
        handler = AsyncHandler(handlers=[target], **options)  # type: ignore[arg-type]
        built.append(handler)
        handler.handle(record(message="first"))
        assert target.entered.wait(60)
        return handler

    yield build
    target.gate.set()
    for handler in built:
        handler.close()


def balance(handler: AsyncHandler) -> None:
    stats = handler.stats()
    assert stats["produced"] == stats["delivered"] + stats["dropped"] + stats["pending"]
    assert stats["dropped"] == sum(v for k, v in stats.items() if k.startswith("dropped."))


def waits_of(handler: AsyncHandler, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the seconds of each wait for room from now on, in order."""
    assert handler._dispatch is not None
    waits, budget = list[float](), handler._dispatch._budget
    spend = budget.spend

    def note(seconds: float) -> None:
        waits.append(seconds)
        spend(seconds)

    monkeypatch.setattr(budget, "spend", note)
    return waits


class TestDrop:
    def test_counts_exactly(self, blocked: Callable[..., AsyncHandler], target: Gated) -> None:
        """With room for ten, the eleventh record and all after it are dropped and counted."""
        handler = blocked(capacity=10, overflow="drop")
        for number in range(29):
            handler.handle(record(message=str(number)))
        balance(handler)
        assert handler.stats() == {
            "produced": 30,
            "delivered": 0,
            "pending": 10,
            "dropped": 20,
            "dropped.overflow.INFO": 20,
        }
        target.gate.set()
        assert handler.drain(60)
        assert target.logged() == ["first", *map(str, range(9))]
        assert handler.stats()["delivered"] == 10
        balance(handler)

    @pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO, logging.ERROR])
    def test_costs_no_memory(
        self, blocked: Callable[..., AsyncHandler], target: Gated, level: int
    ) -> None:
        """Before a full queue a flood leaves nothing behind but numbers."""
        handler = blocked(capacity=100, overflow="drop")
        dropped = SafeRecord(vars(record(level)))
        for _ in range(300):
            handler.handle(dropped)
        gc.collect()
        peaks: list[int] = []
        for _ in range(10):  # A thread that another test left may take memory now and then.
            tracemalloc.start()
            try:
                for _ in range(200):
                    handler.handle(dropped)
                peaks.append(tracemalloc.get_traced_memory()[1])
            finally:
                tracemalloc.stop()
        assert min(peaks) < 5_000
        room = 100 if level < logging.ERROR else 110
        assert handler.stats()["dropped"] == 2_300 + 1 - room

    def test_filters_that_only_say_yes_are_not_asked(
        self, blocked: Callable[..., AsyncHandler], target: Gated
    ) -> None:
        """What will be dropped is not redacted first, which costs most; the counts are the same."""
        handler = blocked(capacity=10, overflow="drop")
        handler.addFilter(AllowlistFilter(["@crm"]))
        for _ in range(20):
            handler.handle(record())
        before = new_id()
        for _ in range(100):
            handler.handle(record())
        first, last = (int(each.rpartition("-")[2]) for each in (before, new_id()))
        assert last == first + 1
        assert handler.stats()["dropped.overflow.INFO"] == 111

    @pytest.mark.parametrize("kind", ["foreign", "stage", "subclass"])
    def test_filters_that_may_say_no_are_asked(
        self, blocked: Callable[..., AsyncHandler], target: Gated, kind: str
    ) -> None:
        """What a filter holds back was never accepted, in a flood either, and counts as nothing."""

        class Silent(Stage):
            def refine(self, record: logging.LogRecord) -> bool:
                return False

        class Quiet(AllowlistFilter):
            def refine(self, record: logging.LogRecord) -> bool:
                return False

        handler = blocked(capacity=1, overflow="drop")
        handler.handle(record())
        silent: dict[str, Any] = {
            "foreign": lambda _: False,
            "stage": Silent(),
            "subclass": Quiet(["@crm"]),
        }
        handler.addFilter(silent[kind])
        for _ in range(10):
            assert not handler.handle(record())
        assert handler.stats()["produced"] == 2

    def test_audit_records_of_a_scope_get_through(
        self, blocked: Callable[..., AsyncHandler], target: Gated
    ) -> None:
        """One is told by what is bound as well as by what the call passed."""
        handler = blocked(capacity=1, overflow="drop")
        handler.addFilter(CorrelationFilter())
        for _ in range(5):
            handler.handle(record())
        with correlation(audit=True):
            handler.handle(record(message="bound"))
        handler.handle(record(message="passed", audit=True))
        target.gate.set()
        handler.flush()
        assert target.logged() == ["first", "bound", "passed"]

    def test_no_lesser_record_is_dropped_for(
        self, blocked: Callable[..., AsyncHandler], target: Gated
    ) -> None:
        """In the middle of a flood a more important record still takes a lesser one's place."""
        handler = blocked(capacity=2, overflow="drop")
        for level in (logging.DEBUG, logging.DEBUG, logging.DEBUG, logging.INFO, logging.DEBUG):
            handler.handle(record(level, logging.getLevelName(level)))
        handler.handle(record(logging.INFO, "audited", audit=True))
        target.gate.set()
        handler.flush()
        assert target.logged() == ["first", "INFO", "audited"]
        assert handler.stats()["dropped.overflow.DEBUG"] == 4

    def test_lowest_level_goes_first(
        self, blocked: Callable[..., AsyncHandler], target: Gated
    ) -> None:
        """A more important record takes the place of the oldest least important one."""
        handler = blocked(capacity=5, overflow="drop")
        for name in "abcd":
            handler.handle(record(logging.DEBUG, name))
        handler.handle(record(logging.INFO, "info"))
        handler.handle(record(logging.WARNING, "warning"))
        handler.handle(record(logging.DEBUG, "too late"))
        target.gate.set()
        assert handler.drain(60)
        assert target.logged() == ["first", "c", "d", "info", "warning"]
        assert handler.stats()["dropped.overflow.DEBUG"] == 3

    def test_errors_have_a_reserve(
        self, blocked: Callable[..., AsyncHandler], target: Gated
    ) -> None:
        """No flood of lesser records, nor of ones in hand, keeps an ERROR out."""
        handler = blocked(capacity=1, overflow="drop")
        handler.handle(record(logging.DEBUG, "flood"))
        handler.handle(record(logging.ERROR, "error"))
        target.gate.set()
        assert handler.drain(60)
        assert target.logged() == ["first", "error"]

    def test_errors_are_last_to_go(
        self, blocked: Callable[..., AsyncHandler], target: Gated
    ) -> None:
        """Only when nothing but errors waits is an error dropped."""
        handler = blocked(capacity=10, overflow="drop")
        for _ in range(50):
            handler.handle(record(logging.INFO, "flood"))
        for number in range(20):
            handler.handle(record(logging.ERROR, str(number)))
        stats = handler.stats()
        assert stats["dropped.overflow.INFO"] == 50
        assert stats["dropped.overflow.ERROR"] == 10
        assert stats["pending"] == 11

    def test_audit_records_are_never_dropped(
        self, blocked: Callable[..., AsyncHandler], target: Gated
    ) -> None:
        """They may exceed the bounds; an attribute of another value is no such claim."""
        handler = blocked(capacity=2, overflow="drop", block_seconds=0)
        for number in range(100):
            handler.handle(record(logging.DEBUG, str(number), audit=True))
            handler.handle(record(logging.DEBUG, "x", audit="yes"))
        target.gate.set()
        assert handler.drain(60)
        assert [line for line in target.logged() if line not in "first x"] == [
            str(n) for n in range(100)
        ]

    def test_bytes_are_bounded(self, blocked: Callable[..., AsyncHandler], target: Gated) -> None:
        """Large records fill the queue long before its number of records is reached."""
        handler = blocked(capacity=10_000, capacity_bytes=10_000_000, overflow="drop")
        for _ in range(100):
            handler.handle(record(message="x" * 1_000_000))
        assert handler.stats()["pending"] == 1 + 9

    def test_record_larger_than_the_queue_evicts_nobody(
        self, blocked: Callable[..., AsyncHandler], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is dropped for what it is, at once, without taking others along."""
        handler = blocked(capacity_bytes=1_000_000, block_seconds=30)
        waits = waits_of(handler, monkeypatch)
        handler.handle(record(logging.DEBUG, "small"))
        handler.handle(record(logging.ERROR, "x" * 2_000_000))
        assert waits == []
        stats = handler.stats()
        assert stats["dropped.too_large.ERROR"] == stats["dropped"] == 1

    def test_a_full_lane_takes_nothing_from_another(
        self, blocked: Callable[..., AsyncHandler], target: Gated
    ) -> None:
        """While one target hangs, another gets every record."""
        other = Gated()
        other.gate.set()
        handler = AsyncHandler(handlers=[target, other], capacity=5, overflow="drop")
        for number in range(40):
            handler.handle(record(message=str(number)))
            while str(number) not in other.lines:
                time.sleep(0.001)
        assert [line for line in other.lines if "dropped" not in line] == [
            str(n) for n in range(40)
        ]
        stats = handler.stats()
        assert (stats["pending"], stats["dropped"]) == (5, 35)
        balance(handler)
        target.gate.set()
        handler.close()


class TestBlock:
    def test_waits_for_room(self, blocked: Callable[..., AsyncHandler], target: Gated) -> None:
        """A caller goes on as soon as the target has taken a record, and nothing is dropped."""
        handler = blocked(capacity=1, block_seconds=30)
        caller = threading.Thread(target=handler.handle, args=(record(message="second"),))
        caller.start()
        assert caller.is_alive()
        assert handler.stats()["produced"] in (1, 2)
        target.gate.set()
        caller.join(60)
        assert handler.drain(60)
        assert target.logged() == ["first", "second"]

    def test_waits_no_longer_than_its_budget(
        self, blocked: Callable[..., AsyncHandler], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """All callers together wait for the budget, then drop at once."""
        handler = blocked(capacity=1, block_seconds=0.05)
        waits = waits_of(handler, monkeypatch)
        for _ in range(200):
            handler.handle(record())
        assert sum(waits[:-1]) < 0.05 <= sum(waits)
        assert handler.stats()["dropped.overflow.INFO"] == 200

    def test_never_waits_on_an_event_loop(
        self, blocked: Callable[..., AsyncHandler], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A coroutine that logs is not held up; the budget stays untouched."""
        handler = blocked(capacity=1, block_seconds=30)
        waits = waits_of(handler, monkeypatch)

        async def log() -> None:
            handler.handle(record())

        asyncio.run(log())
        assert waits == []
        assert handler.stats()["dropped.overflow.INFO"] == 1

    def test_a_waiting_caller_holds_up_nobody(
        self, blocked: Callable[..., AsyncHandler], target: Gated
    ) -> None:
        """An ERROR goes into its reserve while another thread waits for room."""
        handler = blocked(capacity=1, block_seconds=60)
        caller = threading.Thread(target=handler.handle, args=(record(message="second"),))
        caller.start()
        handler.handle(record(logging.ERROR, "error"))
        assert caller.is_alive()
        target.gate.set()
        caller.join(60)
        assert handler.drain(60)
        assert sorted(target.logged()) == ["error", "first", "second"]


class TestReport:
    def test_drops_are_told_in_the_log(
        self, blocked: Callable[..., AsyncHandler], target: Gated
    ) -> None:
        """One line says how many of which level and why, and is not counted itself."""
        handler = blocked(capacity=1, overflow="drop")
        for level in (logging.DEBUG, logging.INFO, logging.INFO):
            handler.handle(record(level))
        target.gate.set()
        handler.flush()
        handler.flush()
        assert target.lines == [
            "first",
            "AsyncHandler dropped 3 records: 1 DEBUG overflow, 2 INFO overflow",
        ]
        assert handler.stats()["produced"] == 4

    def test_numbers_are_fields(self) -> None:
        """In all and for each reason, under names of the field table."""
        dropped = {
            ("overflow", logging.INFO): 2,
            ("overflow", logging.DEBUG): 3,
            ("failed", logging.ERROR): 1,
        }
        handler = logging.NullHandler()
        handler.name = "console"
        told = DropReport().due(handler, dropped)
        assert told is not None
        fields = {name: value for name, value in vars(told).items() if name.startswith("queue.")}
        assert fields == {
            "queue.handler": "console",
            "queue.dropped": 6,
            "queue.dropped_overflow": 5,
            "queue.dropped_failed": 1,
        }
        assert all(field_named(name) is not None for name in fields)

    @pytest.mark.parametrize(
        "reason", ["overflow", "too_large", "failed", "reentrant", "exit", "no_target"]
    )
    def test_every_reason_has_a_field(self, reason: str) -> None:
        """No reason for a drop is told in words only."""
        assert field_named(f"queue.dropped_{reason}") is not None

    def test_close_tells_the_rest(
        self, blocked: Callable[..., AsyncHandler], target: Gated
    ) -> None:
        """Drops within the interval after a line are told when the handler is closed."""
        handler = blocked(capacity=1, overflow="drop", flush_seconds=0.05)
        handler.handle(record())
        handler.flush()
        handler.handle(record())
        handler.handle(record())
        handler.flush()
        target.gate.set()
        handler.close()
        assert handler.drain(60)
        assert [line for line in target.lines if "dropped" in line] == [
            "AsyncHandler dropped 1 records: 1 INFO overflow",
            "AsyncHandler dropped 2 records: 2 INFO overflow",
        ]

    def test_once_an_interval(self) -> None:
        """Within a minute nothing more is told; then only what is new; at the end the rest."""
        now = [0.0]
        report, handler = DropReport(clock=lambda: now[0]), logging.NullHandler()
        dropped = {("overflow", logging.INFO): 2}
        first = report.due(handler, dropped)
        assert isinstance(first, SafeRecord)
        assert "dropped 2 records" in first.getMessage()
        dropped["overflow", logging.INFO] = 5
        now[0] = 59.0
        assert report.due(handler, dropped) is None
        now[0] = 60.0
        second = report.due(handler, dropped)
        assert second is not None
        assert "dropped 3 records" in second.getMessage()
        dropped["failed", logging.ERROR] = 1
        third = report.due(handler, dropped, now=True)
        assert third is not None
        assert "dropped 1 records: 1 ERROR failed" in third.getMessage()
        assert report.due(handler, dropped, now=True) is None


class TestWaitBudget:
    def test_is_renewed_every_minute(self) -> None:
        """What one minute spent, the next one has again."""
        now = [100.0]
        budget = WaitBudget(1.0, clock=lambda: now[0])
        budget.spend(0.6)
        assert budget.is_left()
        budget.spend(0.6)
        assert not budget.is_left()
        now[0] = 159.9
        assert not budget.is_left()
        now[0] = 160.0
        assert budget.is_left()

    def test_of_nothing_never_waits(self) -> None:
        """A budget of 0 seconds makes ``"block"`` drop at once."""
        assert not WaitBudget(0.0).is_left()


class TestLimits:
    def test_defaults_are_valid(self) -> None:
        """What nobody set is no problem."""
        problems = Problems("AsyncHandler")
        Limits().check(problems)
        assert problems.found == []


class TestBoundedQueue:
    @settings(max_examples=100, deadline=None)
    @given(
        capacity=st.integers(1, 12),
        steps=st.lists(
            st.one_of(
                st.sampled_from(LEVELS), st.integers(-5, 70), st.just("take"), st.just("audit")
            ),
            max_size=80,
        ),
    )
    def test_never_exceeds_its_bounds_and_keeps_order(
        self, capacity: int, steps: list[int | str]
    ) -> None:
        """Whatever comes: bounds hold, order holds, evicted ranks are lower, nothing vanishes."""
        queue = BoundedQueue(capacity, 1_000_000)
        put, taken, evicted, audits = 0, [], [], 0
        for number, step in enumerate(steps, 1):
            if step == "take":
                taken += queue.take(3)
                continue
            audit = step == "audit"
            level = step if isinstance(step, int) else logging.INFO
            entry = Entry(record(level, audit=audit), 100)
            entry.number = number
            victims = queue.evict_for(entry)
            assert all(victim.rank < entry.rank for victim in victims)
            evicted += victims
            if queue.offer(entry):
                put += 1
                audits += audit
            assert queue.count <= capacity + max(1, capacity // 10) + audits
        taken += queue.take(1_000)
        numbers = [entry.number for entry in taken]
        assert numbers == sorted(numbers)
        assert len(taken) + len(evicted) == put
        for entry in taken:
            queue.done([entry])
        assert (queue.count, queue.bytes, queue.waiting()) == (0, 0, 0)

    def test_levels_made_up_at_run_time_open_few_queues(self) -> None:
        """A level that is a counter must not grow the queue for ever."""
        queue = BoundedQueue(10_000, 10**9)
        for number in range(5_000):
            assert queue.offer(Entry(record(number - 2_500), 1))
        assert len(queue._by_rank) < 100

    @pytest.mark.parametrize("level", [None, "INFO", 2.5])
    def test_level_that_is_no_number_counts_as_lowest(self, level: object) -> None:
        """A record made by hand with a broken level is still a record."""
        broken = record()
        broken.levelno = level  # type: ignore[assignment]
        assert Entry(broken, 1).rank == logging.NOTSET


class TestByteSize:
    @pytest.mark.parametrize("safe", [True, False])
    @pytest.mark.parametrize(
        "value",
        [
            pytest.param("x" * 100_000, id="text"),
            pytest.param(["x" * 1_000] * 100, id="list"),
            pytest.param({str(n): "x" * 1_000 for n in range(100)}, id="mapping"),
            pytest.param([[["x" * 100_000]]], id="nested"),
        ],
    )
    def test_sees_large_values_anywhere(self, value: object, safe: bool) -> None:
        """The estimate is at least the contents, and not many times that."""
        plain = record(big=value)
        size = byte_size(SafeRecord(vars(plain)) if safe else plain)
        assert 100_000 <= size < 200_000

    def test_braces_of_a_template_are_no_container(self) -> None:
        """What a text looks like does not change what it takes, nor what it costs to ask."""
        plain = {**vars(record()), "args": None}
        sizes = {
            byte_size(SafeRecord({**plain, "text": text}))
            for text in ("contact <id>, page <1>", "contact {id}, page [1]")
        }
        assert len(sizes) == 1

    def test_a_deferred_record_stays_deferred(self) -> None:
        """To estimate it and to queue it costs no caller its writing out."""
        kept: list[logging.LogRecord] = []

        class Keeping(SafeHandler):
            def emit(self, record: logging.LogRecord) -> None:
                kept.append(record)

        handler = Keeping()
        handler.addFilter(AllowlistFilter(["@crm"]))
        logger = logging.getLogger("crmlogging.tests.deferred")
        logger.propagate = False
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        for number in range(20):
            logger.info("Synced", extra={"crm": "hubspot", "resource.id": "x" * 5 * number})
        handler.close()
        record = kept[-1]
        assert type(record) is DeferredRecord
        size = byte_size(record)
        assert Entry(record, size).rank == logging.INFO
        assert type(record) is DeferredRecord
        assert 95 <= size < 2_500

    def test_what_is_no_json_is_estimated(self) -> None:
        """A safe record of a careless subclass does not break the estimate."""
        assert byte_size(SafeRecord(vars(record(big=2**80, text="x" * 10_000)))) > 10_000
