"""Promises of calls that need no record: nothing is told apart, and nobody is passed over."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import crmlogging.logger
from crmlogging import (
    AllowlistFilter,
    AsyncHandler,
    CorrelationFilter,
    ErrorFilter,
    GroupingFilter,
    JsonFormatter,
    RetentionFileHandler,
    correlation,
    records,
)
from crmlogging.diagnostics import tally
from crmlogging.logger import Logger
from crmlogging.records import calls

FIELDS = ["@crm", "count"]
Line = dict[str, Any]


SWITCHES = [
    *("_logRecordFactory", "_srcfile", "logThreads", "logProcesses", "logMultiprocessing"),
    *(["logAsyncioTasks"] if hasattr(logging, "logAsyncioTasks") else []),
]
"""Variables of `logging` that decide how records are made."""


class Recording(Logger):
    """The same logger, but with a step of its own, so that it always makes a record."""

    def handle(self, record: logging.LogRecord) -> None:
        super().handle(record)


class Counting:
    """Counts the records that `crmlogging.Logger` makes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made = 0
        make = records.make_record

        def counted(*args: Any) -> logging.LogRecord:
            self.made += 1
            return make(*args)

        monkeypatch.setattr(crmlogging.logger, "make_record", counted)


class Place:
    """A logger before a file."""

    def __init__(
        self, path: Path, kind: type[Logger] = Logger, fields: Sequence[str] = FIELDS
    ) -> None:
        self.path = path
        self.logger = kind("crm.sync", logging.DEBUG)
        self.handler = RetentionFileHandler(path)
        self.handler.setFormatter(JsonFormatter(service="crm-sync"))
        for each in (CorrelationFilter(), ErrorFilter(), AllowlistFilter(fields)):
            self.handler.addFilter(each)
        self.logger.addHandler(self.handler)

    def log(self, extra: Mapping[str, object] | None = None, times: int = 1) -> None:
        for _ in range(times):
            self.logger.info("Synced contacts", extra=extra)

    def lines(self) -> list[Line]:
        return [orjson.loads(line) for line in self.path.read_bytes().splitlines()]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "crm.jsonl")
    yield made
    made.handler.close()


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    return Counting(monkeypatch)


def differences(line: Line, other: Line) -> Line:
    """Return what two lines differ in, but for what no two lines share."""
    names = [*line, *(name for name in other if name not in line)]
    own = {"timestamp", "record.id"}
    return {
        name: (line.get(name), other.get(name))
        for name in names
        if name not in own and line.get(name) != other.get(name)
    }


def keep(seen: list[str], text: str) -> bool:
    seen.append(text)
    return True


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40), st.binary()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4
)
NAMES = st.sampled_from(
    [
        *("crm", "tenant.code", "request.id", "request.attempt", "count", "email", "audit"),
        *("name", "exc_info", "extra.name", "record.id", "correlation_id", "response", "error"),
        *("taskName", "args", "service", "", "\ud800"),
    ]
)


class TestEquality:
    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        extra=st.dictionaries(NAMES, VALUES, max_size=6),
        args=st.lists(SCALARS, min_size=2, max_size=2),
        scope=st.none() | st.sampled_from(["sync-1", "request-7"]),
        level=st.sampled_from([20, 30, 50]),
    )
    @example(extra={"crm": "zoho", "email": "ada@example.com"}, args=[1, 2], scope="s-1", level=20)
    @example(extra={"audit": True}, args=[{}, 2], scope=None, level=20)
    def test_no_line_tells_which_way_it_came(
        self, tmp_path: Path, extra: dict[str, Any], args: list[Any], scope: Any, level: int
    ) -> None:
        """Whatever the fields, arguments, scope and level: byte for byte but time and id."""
        places = [Place(tmp_path / "a.jsonl"), Place(tmp_path / "b.jsonl", Recording)]
        try:
            for each in places:
                each.path.write_bytes(b"")
                # The third of a call is the first that a plan knows.
                for _ in range(4):
                    with correlation(scope, **{"sync.run_id": "r-1"}):
                        say = {20: each.logger.info, 50: each.logger.critical}
                        log = say.get(level, each.logger.warning)
                        log("Synced %s of %s", *args, extra=extra)
                        log("Synced contacts", extra=extra)
                    log("Done")
        finally:
            for each in places:
                each.handler.close()
        ours, theirs = (each.lines() for each in places)
        assert len(ours) == len(theirs) == 12
        drop = ("correlation_id",) if scope is None else ()
        for line, other in zip(ours, theirs, strict=True):
            told = differences(line, other)
            assert {name: told[name] for name in told if name not in drop} == {}
            assert list(line) == list(other)

    def test_time_is_that_of_a_record(
        self, place: Place, monkeypatch: pytest.MonkeyPatch, counting: Counting
    ) -> None:
        """In `created` and in `relativeCreated`, which a formatter of users' own may ask for."""
        place.log(times=3)
        seen: list[logging.LogRecord] = []

        def keep(record: logging.LogRecord) -> bool:
            seen.append(record)
            return True

        place.handler.addFilter(keep)
        now = 1_763_719_200.998_7
        monkeypatch.setattr(time, "time", lambda: now)
        monkeypatch.setattr(time, "time_ns", lambda: 1_763_719_200_998_700_000)
        before = counting.made
        place.log()
        assert counting.made == before
        place.logger.handle(place.logger.makeRecord("crm.sync", 20, __file__, 1, "x", (), None))
        straight, made = seen
        for name in ("created", "msecs", "relativeCreated", "thread", "threadName", "process"):
            assert getattr(straight, name) == pytest.approx(getattr(made, name), abs=0.01), name


class TestStraight:
    def test_a_known_call_makes_no_record(self, place: Place, counting: Counting) -> None:
        """From the third on: two have to say that a plan is worth while."""
        place.log({"crm": "zoho", "request.id": "ada lovelace"}, times=10)
        assert counting.made == 2
        lines = place.lines()
        assert len({line["record.id"] for line in lines}) == 10
        assert {(line["crm"], line["request.id"]) for line in lines} == {("zoho", "[REDACTED]")}

    def test_ids_have_no_gaps(self, place: Place) -> None:
        """A call that turns out to need a record takes one id, not two."""
        place.logger.addHandler(logging.NullHandler())  # foreign, so that each makes one
        place.log(times=5)
        numbers = [int(line["record.id"].rpartition("-")[2]) for line in place.lines()]
        assert [number - numbers[0] for number in numbers] == [0, 1, 2, 3, 4]

    def test_handlers_share_the_id(self, place: Place, tmp_path: Path, counting: Counting) -> None:
        """Also those of parents, and with filters of their own."""
        other = Place(tmp_path / "other.jsonl", fields=["tenant.code"])
        place.logger.parent = other.logger
        place.handler.filters[2] = AllowlistFilter(["crm"])
        place.log({"crm": "zoho", "tenant.code": "acme"}, times=4)
        other.handler.close()
        assert counting.made == 2
        ids = [[line["record.id"] for line in each.lines()] for each in (place, other)]
        assert ids[0] == ids[1]
        shown = [
            (each.lines()[-1]["crm"], each.lines()[-1]["tenant.code"]) for each in (place, other)
        ]
        assert shown == [("zoho", "[REDACTED]"), ("[REDACTED]", "acme")]

    def test_a_filter_behind_decides_for_its_handler_alone(
        self, place: Place, tmp_path: Path, counting: Counting
    ) -> None:
        """Grouping, or one of users' own: it is shown a safe record."""
        other = Place(tmp_path / "other.jsonl")
        shown: list[logging.LogRecord] = []

        def refuse(record: logging.LogRecord) -> bool:
            shown.append(record)
            return False

        other.handler.addFilter(GroupingFilter())
        other.handler.addFilter(refuse)
        place.logger.addHandler(other.handler)
        place.log({"crm": "zoho", "request.id": "ada lovelace"}, times=4)
        other.handler.close()
        assert (counting.made, len(place.lines()), len(other.lines())) == (2, 4, 0)
        assert [vars(each)["request.id"] for each in shown] == ["[REDACTED]"] * 4
        assert [vars(each)["record.id"] for each in shown] == [
            line["record.id"] for line in place.lines()
        ]

    def test_a_filter_that_fails_withholds_the_fields(self, place: Place) -> None:
        """The line is there, and counted as what it is."""

        def fail(_: logging.LogRecord) -> bool:
            raise ValueError

        place.log({"crm": "zoho"}, times=3)
        place.handler.addFilter(fail)
        place.log({"crm": "zoho"})
        assert len(place.lines()) == 4
        assert place.lines()[-1]["crm"] != "zoho"

    def test_adapters_make_none_either(self, place: Place, counting: Counting) -> None:
        """The fields that an adapter carries, and the line of who calls it."""
        adapter = logging.LoggerAdapter(place.logger, {"crm": "zoho"})
        line = sys._getframe().f_lineno + 2
        for _ in range(5):
            adapter.warning("Synced contacts")
        assert counting.made == 2
        told = {(each["crm"], each["source"].rpartition(":")[2]) for each in place.lines()}
        assert told == {("zoho", str(line))}

    def test_a_queue_takes_calls(self, tmp_path: Path, counting: Counting) -> None:
        """Delivered is produced, and no record is made in the caller."""
        place = Place(tmp_path / "crm.jsonl")
        queue = AsyncHandler(handlers=[place.handler])
        queue.filters[:], place.handler.filters[:] = place.handler.filters[:], []
        place.logger.handlers[:] = [queue]
        place.log({"crm": "zoho", "request.id": "ada lovelace"}, times=20)
        assert queue.drain(60)
        stats = queue.stats()
        queue.close()
        place.handler.close()
        assert (counting.made, stats["produced"], stats["delivered"]) == (2, 20, 20)
        assert [line["request.id"] for line in place.lines()] == ["[REDACTED]"] * 20

    def test_an_audit_record_is_none_of_them(self, place: Place, counting: Counting) -> None:
        """It passes where the level is off, as before."""
        place.logger.setLevel(logging.CRITICAL)
        place.log({"audit": True}, times=3)
        assert (counting.made, len(place.lines())) == (3, 3)

    def test_at_the_end_of_the_stack(self, place: Place) -> None:
        """Each call is written or counted; where the logger could be called, nothing raises."""
        place.log({"crm": "zoho"}, times=3)
        called = 0
        before = tally.snapshot().get("dropped.recursion", 0)

        def deeper() -> None:
            nonlocal called
            logger = place.logger
            try:
                deeper()
            except RecursionError:
                pass
            try:
                logger.info("Synced contacts", extra={"crm": "zoho"})
            except RecursionError:
                return
            called += 1

        deeper()
        written = len(place.lines()) - 3
        dropped = tally.snapshot().get("dropped.recursion", 0) - before
        own = place.handler.stats()["dropped"]
        assert written > 100
        assert written + dropped + own >= called

    def test_threads(self, place: Place) -> None:
        """Each line names its own thread, and none is lost."""

        def work() -> None:
            place.log({"crm": "zoho"}, times=200)

        threads = [threading.Thread(target=work, name=f"Thread-{n}") for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        names = [line["thread"] for line in place.lines()]
        assert {name: names.count(name) for name in names} == {f"Thread-{n}": 200 for n in range(4)}

    def test_a_child_names_itself(self, place: Place) -> None:
        """After a fork its lines have its own process id and new ids."""
        place.log(times=3)
        child = os.fork()
        if not child:
            place.log(times=3)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        place.log()
        lines = place.lines()
        assert [line["process.id"] for line in lines] == [os.getpid()] * 3 + [child] * 3 + [
            os.getpid()
        ]
        assert len({line["record.id"] for line in lines}) == 7

    def test_a_level_renamed_is_named_anew(self, place: Place) -> None:
        """`logging.addLevelName` counts from the next record on."""
        seen: list[str] = []
        place.handler.addFilter(lambda record: keep(seen, record.levelname))
        place.log(times=3)
        logging.addLevelName(logging.INFO, "NOTE")
        try:
            place.log(times=3)
        finally:
            logging.addLevelName(logging.INFO, "INFO")
        assert seen == ["INFO"] * 3 + ["NOTE"] * 3

    def test_another_logger_at_the_same_call(self, place: Place) -> None:
        """One line of the program may log for several loggers, at several levels."""
        other = Logger("crm.other", logging.DEBUG)
        other.addHandler(place.handler)
        for log in (place.logger.info, place.logger.error, other.info) * 4:
            log("Synced contacts")
        told = [(line["logger"], line["level"]) for line in place.lines()]
        assert told == [("crm.sync", "INFO"), ("crm.sync", "ERROR"), ("crm.other", "INFO")] * 4

    def test_the_same_call_through_a_wrapper(self, place: Place) -> None:
        """A wrapper's own line is the source, as in a record."""

        def wrapper(message: str) -> None:
            place.logger.info(message)

        for log in (place.logger.info, wrapper) * 4:
            log("Synced contacts")
        sources = [line["source"] for line in place.lines()]
        assert sources[::2] == [sources[0]] * 4
        assert sources[1::2] == [sources[1]] * 4
        assert sources[0] != sources[1]


Patch = Callable[[Place, pytest.MonkeyPatch, list[str]], object]


def _instance(place: Place, monkeypatch: pytest.MonkeyPatch, seen: list[str]) -> None:
    monkeypatch.setattr(place.logger, "handle", lambda record: seen.append(record.msg))


def _own_class(place: Place, monkeypatch: pytest.MonkeyPatch, seen: list[str]) -> None:
    monkeypatch.setattr(Logger, "callHandlers", lambda _, record: seen.append(record.msg))


def _base_class(place: Place, monkeypatch: pytest.MonkeyPatch, seen: list[str]) -> None:
    monkeypatch.setattr(logging.Logger, "callHandlers", lambda _, record: seen.append(record.msg))


def _make_record(place: Place, monkeypatch: pytest.MonkeyPatch, seen: list[str]) -> None:
    make = logging.Logger.makeRecord

    def made(*args: Any, **options: Any) -> logging.LogRecord:
        record = make(*args, **options)
        seen.append(record.msg)
        return record

    monkeypatch.setattr(logging.Logger, "makeRecord", made)


def _find_caller(place: Place, monkeypatch: pytest.MonkeyPatch, seen: list[str]) -> None:
    find = Logger.findCaller

    def found(*args: Any, **options: Any) -> Any:
        seen.append("Synced contacts")
        return find(*args, **options)

    monkeypatch.setattr(Logger, "findCaller", found)


def _private_log(place: Place, monkeypatch: pytest.MonkeyPatch, seen: list[str]) -> None:
    monkeypatch.setattr(Logger, "_log", lambda _, level, msg, *rest, **options: seen.append(msg))


def _factory(place: Place, monkeypatch: pytest.MonkeyPatch, seen: list[str]) -> None:
    def made(*args: Any, **options: Any) -> logging.LogRecord:
        seen.append(args[4])
        return logging.LogRecord(*args, **options)

    monkeypatch.setattr(logging, "_logRecordFactory", made)


def _logger_filter(place: Place, monkeypatch: pytest.MonkeyPatch, seen: list[str]) -> None:
    place.logger.addFilter(lambda record: keep(seen, record.msg))


def _handler_emit(place: Place, monkeypatch: pytest.MonkeyPatch, seen: list[str]) -> None:
    monkeypatch.setattr(place.handler, "emit", lambda record: seen.append(record.msg))


def _handler_handle(place: Place, monkeypatch: pytest.MonkeyPatch, seen: list[str]) -> None:
    monkeypatch.setattr(place.handler, "handle", lambda record: seen.append(record.msg))


def _foreign_handler(place: Place, monkeypatch: pytest.MonkeyPatch, seen: list[str]) -> None:
    handler = logging.NullHandler()
    monkeypatch.setattr(handler, "handle", lambda record: seen.append(record.msg))
    place.logger.addHandler(handler)


def _foreign_filter_first(place: Place, monkeypatch: pytest.MonkeyPatch, seen: list[str]) -> None:
    place.handler.filters.insert(0, lambda record: keep(seen, record.msg))


def _own_correlation(place: Place, monkeypatch: pytest.MonkeyPatch, seen: list[str]) -> None:
    class Own(CorrelationFilter):
        def refine(self, record: logging.LogRecord) -> logging.LogRecord | bool:
            seen.append(record.msg)
            return super().refine(record)

    place.handler.filters[0] = Own()


def _own_allowlist(place: Place, monkeypatch: pytest.MonkeyPatch, seen: list[str]) -> None:
    class Own(AllowlistFilter):
        def filter(self, record: logging.LogRecord) -> Any:
            seen.append(record.msg)
            return super().filter(record)

    place.handler.filters[2] = Own(FIELDS)


PATCHES: list[Patch] = [
    *(_instance, _own_class, _base_class, _make_record, _find_caller, _private_log, _factory),
    *(_logger_filter, _handler_emit, _handler_handle, _foreign_handler, _foreign_filter_first),
    *(_own_correlation, _own_allowlist),
]


class TestWhoIsAsked:
    @pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: str(patch.__name__))
    def test_nobody_is_passed_over(
        self, place: Place, monkeypatch: pytest.MonkeyPatch, patch: Patch
    ) -> None:
        """Who stands between call and handlers sees the record of every call from now on."""
        seen: list[str] = []
        place.log({"crm": "zoho"}, times=3)
        patch(place, monkeypatch, seen)
        place.log({"crm": "zoho"}, times=3)
        assert seen == ["Synced contacts"] * 3

    @pytest.mark.parametrize("switch", SWITCHES)
    def test_what_decides_on_records_is_asked(
        self, place: Place, monkeypatch: pytest.MonkeyPatch, counting: Counting, switch: str
    ) -> None:
        """The variables of `logging` that its documentation names, and the factory."""
        place.log(times=3)
        made = counting.made
        other = logging.makeLogRecord if switch == "_logRecordFactory" else None
        monkeypatch.setattr(logging, switch, other and type("Own", (logging.LogRecord,), {}))
        assert calls.spoken_now("crm.sync", 20) is None
        place.log()
        assert len(place.lines()) == 4
        assert counting.made == made + (other is None)

    @pytest.mark.parametrize(
        "options",
        [
            pytest.param({"exc_info": ValueError("x")}, id="exception"),
            pytest.param({"stack_info": True}, id="stack"),
            pytest.param({"stacklevel": 2}, id="stacklevel"),
            pytest.param({"extra": {"response": object()}}, id="response"),
            pytest.param({"extra": MappingProxyType({"crm": "zoho"})}, id="mapping"),
        ],
    )
    def test_what_takes_a_record_has_one(
        self, place: Place, counting: Counting, options: dict[str, Any]
    ) -> None:
        """Exceptions, stacks, frames to skip, answers of a CRM."""
        for _ in range(4):
            place.logger.info("Synced contacts", **options)
        assert (counting.made, len(place.lines())) == (4, 4)

    def test_a_mapping_alone_is_no_argument(self, place: Place, counting: Counting) -> None:
        """``%(name)s`` messages take one, as in the standard library."""
        for argument in (1, 2, {"count": 3}, 4):
            place.logger.info("Synced %s", argument)
        assert counting.made == 3
        assert len(place.lines()) == 4

    @pytest.mark.parametrize("module", ["service.logs", "logging_setup", "crmlogging_extras"])
    def test_a_queue_with_an_emit_of_its_own_gets_records(
        self, tmp_path: Path, module: str
    ) -> None:
        """A subclass elsewhere knows nothing of calls, whatever the name of its module."""
        seen: list[str] = []

        class Own(AsyncHandler):
            def emit(self, record: Any) -> None:
                seen.append(record.levelname)
                super().emit(record)

            emit.__module__ = module

        place = Place(tmp_path / "crm.jsonl")
        queue = Own(handlers=[place.handler])
        queue.filters[:], place.handler.filters[:] = place.handler.filters[:], []
        place.logger.handlers[:] = [queue]
        place.log(times=4)
        assert queue.drain(60)
        queue.close()
        place.handler.close()
        assert seen == ["INFO"] * 4
        assert len(place.lines()) == 4


def _frame() -> Any:
    return sys._getframe()
