"""Promises of calls that a handler with a queue knows: targets get what they always got."""

from __future__ import annotations

import asyncio
import inspect
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmlogging import (
    AllowlistFilter,
    AsyncHandler,
    CorrelationFilter,
    ErrorFilter,
    GroupingFilter,
    JsonFormatter,
    Logger,
    RetentionFileHandler,
    correlation,
)
from crmlogging.handlers.dispatch import Dispatch
from crmlogging.records import STANDARD_ATTRIBUTES, Written
from crmlogging.redaction import straight

Line = dict[str, Any]
KINDS: list[type[logging.Logger]] = [logging.Logger, Logger]
_OWN = {"record.id", "created", "msecs", "relativeCreated", "timestamp"}


class Usual(AsyncHandler):
    """Knows no calls: a subclass that does something of its own with each record."""

    def handle(self, record: logging.LogRecord) -> bool:
        return super().handle(record)


class Keeping(logging.Handler):
    """Somebody's own target: keeps the records, and what its formatter says of them."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))
        self.records.append(record)

    def said(self) -> list[Line]:
        return [orjson.loads(text) for text in self.texts]


class Failure(NamedTuple):
    type: str


class Place:
    """A logger before a queue and its targets."""

    def __init__(
        self,
        *targets: logging.Handler,
        kind: type[logging.Logger] = Logger,
        handler: type[AsyncHandler] = AsyncHandler,
        filters: tuple[logging.Filter, ...] = (),
        **options: Any,
    ) -> None:
        self.logger = kind("crm.sync", logging.DEBUG)
        self.logger.manager = logging.Manager(logging.root)
        formatter = JsonFormatter(service="crm-sync")
        for each in targets:
            each.setFormatter(formatter)
        self.handler = handler(handlers=targets, **options)
        fields: list[str | Mapping[str, str]] = ["@crm", "count", "service", {"note": "text"}]
        allowlist = AllowlistFilter(fields, mask={"api_key": "last4"})
        for stage in filters or (CorrelationFilter(), ErrorFilter(), allowlist):
            self.handler.addFilter(stage)
        self.logger.addHandler(self.handler)

    def log(self, extra: Mapping[str, object] | None = None, times: int = 1) -> None:
        for _ in range(times):
            self.logger.info("Synced contacts", extra=extra)

    def known(self) -> int:
        """Return how many calls are known."""
        tables = (self.handler._calls, self.handler._records)
        return sum(len(found) for table in tables for found in table.values())

    def delivered(self) -> None:
        assert self.handler.drain(60)


Make = Callable[..., Place]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions are written from the third record of a plan on."""
    monkeypatch.setattr(straight, "_RECORDS_BEFORE", 2)


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Place] = []

    def one(*targets: logging.Handler, **options: Any) -> Place:
        made.append(Place(*targets, **options))
        return made[-1]

    yield one
    for each in made:
        each.handler.close()


def queued(monkeypatch: pytest.MonkeyPatch) -> list[type]:
    """Return a list to which the kind of each thing is added that is queued from now on."""
    kinds: list[type] = []
    accept = Dispatch.accept

    def noted(self: Dispatch, record: Any, **options: Any) -> None:
        kinds.append(type(record))
        accept(self, record, **options)

    monkeypatch.setattr(Dispatch, "accept", noted)
    return kinds


def shared(line: Mapping[str, Any]) -> Line:
    """Return what two records of one call have in common."""
    return {name: value for name, value in line.items() if name not in _OWN}


VALUES = st.sampled_from(
    [
        *("zoho", "c-17", "ada@example.com", "not shown", "4111111111111111", "", "\ud800", "é\n"),
        *(None, True, 0, 1, 200, 131.75, float("inf"), 10**20, b"x", [1], {"a": 1}, object()),
        *("a word", "call +1 555 0100", "sk_live_" + "made-up-0123456789", "\u2028", "x\x7f"),
    ]
)
NAMES = st.sampled_from(
    [
        *("crm", "tenant.code", "request.id", "request.attempt", "count", "note", "api_key"),
        *("service", "email", "correlation_id", "record.id", "error.type", "request.path"),
    ]
)


@pytest.mark.parametrize("kind", KINDS, ids=["stock", "own"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_what_comes_of_any_fields(kind: type[logging.Logger], data: st.DataObject) -> None:
    """Lines, and the records that targets see, are those of the usual way."""
    names = data.draw(st.lists(NAMES, unique=True, max_size=4))
    records = data.draw(st.lists(st.tuples(*[VALUES for _ in names]), min_size=4, max_size=9))
    places = [
        (target := Keeping(), Place(target, kind=kind, handler=handler, levels=False))
        for handler in (AsyncHandler, Usual)
    ]
    for values in records:
        for _, place in places:
            place.log(dict(zip(names, values, strict=True)))
    for _, place in places:
        place.delivered()
        place.handler.close()
    (quick, _), (usual, _) = places
    assert [shared(line) for line in quick.said()] == [shared(line) for line in usual.said()]
    for target in (quick, usual):
        assert [line["record.id"] for line in target.said()] == [
            vars(record)["record.id"] for record in target.records
        ]
    told = [[shared(vars(record)) for record in each.records] for each in (quick, usual)]
    assert repr(told[0]) == repr(told[1])  # order and kinds included


@pytest.mark.parametrize("kind", KINDS, ids=["stock", "own"])
class TestTargets:
    def test_of_any_make(
        self,
        make: Make,
        kind: type[logging.Logger],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A stream, a durable handler and somebody's own write the same line, made once."""
        kept = Keeping()
        stream = logging.FileHandler(tmp_path / "stream.jsonl")
        durable = RetentionFileHandler(tmp_path / "durable.jsonl", levels=False)
        place = make(stream, durable, kept, kind=kind)
        kinds = queued(monkeypatch)
        for number in range(20):
            place.log({"crm": "zoho", "request.id": f"r-{number}"})
        place.delivered()
        assert kinds[-10:] == [Written] * 10
        said = kept.said()
        assert [line["request.id"] for line in said] == [f"r-{number}" for number in range(20)]
        for path in (tmp_path / "stream.jsonl", tmp_path / "durable.jsonl"):
            assert [orjson.loads(line) for line in path.read_bytes().splitlines()] == said
        stream.close()
        durable.close()

    def test_records_are_whole(self, make: Make, kind: type[logging.Logger]) -> None:
        """Whoever looks at a record finds what any other has."""
        target = Keeping()
        place = make(target, kind=kind)
        with correlation("nightly-77", **{"tenant.code": "acme"}):
            for number in range(6):
                place.log({"crm": "zoho", "count": number, "note": "é\u2028", "email": "a@b.de"})
        place.delivered()
        assert place.known() == 1
        first, *_, last = target.records
        differing = {*_OWN, "count"}
        assert list(vars(first)) == list(vars(last))
        assert STANDARD_ATTRIBUTES - {"message", "asctime"} <= {*vars(last), "taskName"}
        for name, value in vars(first).items():
            if name not in differing:
                assert (name, vars(last)[name]) == (name, value)
        assert (vars(last)["count"], vars(last)["note"]) == (5, "é\u2028")
        assert last.thread == threading.get_ident()
        assert last.relativeCreated == pytest.approx(
            first.relativeCreated + (last.created - first.created) * 1e3, abs=1.0
        )

    def test_arguments(self, make: Make, kind: type[logging.Logger]) -> None:
        """Each under the name that it has in the call."""
        target = Keeping()
        place = make(target, kind=kind)
        for number in range(6):
            count = number
            place.logger.info("Synced %s", count, extra={"crm": "zoho"})
        place.delivered()
        assert [line["count"] for line in target.said()] == [*range(6)]
        assert [vars(record)["count"] for record in target.records] == [*range(6)]
        assert {record.getMessage() for record in target.records} == {"Synced %s"}

    def test_another_formatter(self, make: Make, kind: type[logging.Logger]) -> None:
        """From the moment on at which a target has it, also for what waits."""
        target = Keeping()
        place = make(target, kind=kind)
        place.log({"crm": "zoho"}, times=6)
        place.delivered()
        target.setFormatter(JsonFormatter(service="another"))
        place.log({"crm": "zoho"}, times=2)
        place.delivered()
        place.handler.tick()
        place.log({"crm": "zoho"}, times=6)
        place.delivered()
        assert [line["service"] for line in target.said()] == ["crm-sync"] * 6 + ["another"] * 8
        assert {line["crm"] for line in target.said()} == {"zoho"}
        target.setFormatter(logging.Formatter("%(crm)s said %(message)s"))
        place.log({"crm": "zoho"})
        place.delivered()
        assert target.texts[-1] == "zoho said Synced contacts"

    def test_a_formatter_that_can_be_known(self, make: Make, kind: type[logging.Logger]) -> None:
        """A target that gets one has its calls known, as of the next second."""
        target = Keeping()
        place = make(target, kind=kind)
        formatter = target.formatter
        target.setFormatter(logging.Formatter("%(crm)s"))
        place.log({"crm": "zoho"}, times=6)
        place.delivered()
        assert place.known() == 0
        target.setFormatter(formatter)
        place.handler.tick()
        place.log({"crm": "zoho"}, times=2)
        place.delivered()
        assert place.known() == 1
        assert target.texts[:6] == ["zoho"] * 6
        assert {orjson.loads(text)["crm"] for text in target.texts[6:]} == {"zoho"}

    def test_a_formatter_of_its_own(self, make: Make, kind: type[logging.Logger]) -> None:
        """It makes the message that the targets see."""
        target = Keeping()
        place = make(target, kind=kind)
        place.log({"crm": "zoho"}, times=6)
        place.handler.setFormatter(logging.Formatter("<%(message)s>"))
        place.log({"crm": "zoho"})
        place.delivered()
        assert [record.getMessage() for record in target.records[-2:]] == [
            "Synced contacts",
            "<Synced contacts>",
        ]

    def test_levels_and_filters_of_a_target(self, make: Make, kind: type[logging.Logger]) -> None:
        """They see records, as ever."""
        target, strict = Keeping(), Keeping()
        strict.setLevel(logging.WARNING)
        target.addFilter(lambda record: vars(record)["count"] % 2)
        place = make(target, strict, kind=kind)
        for number in range(8):
            place.log({"crm": "zoho", "count": number})
        place.delivered()
        assert place.known() == 1
        assert [line["count"] for line in target.said()] == [1, 3, 5, 7]
        assert strict.texts == []

    def test_what_no_line_holds(
        self, make: Make, kind: type[logging.Logger], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Then there is a record, which has it all the same."""
        target = Keeping()
        place = make(target, kind=kind)
        fields_of = JsonFormatter._fields

        def fewer(self: JsonFormatter, record: Any) -> Line:
            return {n: value for n, value in fields_of(self, record).items() if n != "crm"}

        monkeypatch.setattr(JsonFormatter, "_fields", fewer)
        place.log({"crm": "zoho", "count": 7}, times=6)
        place.delivered()
        assert place.known() == 0
        assert [vars(record)["crm"] for record in target.records] == ["zoho"] * 6
        assert {"crm", "count"}.intersection(target.said()[-1]) == {"count"}

    def test_grouping(self, make: Make, kind: type[logging.Logger]) -> None:
        """Progress passes straight; errors are counted; summaries come with the next record."""
        target = Keeping()
        grouping = GroupingFilter(first=1)
        place = make(target, kind=kind, filters=(AllowlistFilter(["@crm"]), grouping))
        place.log({"crm": "zoho"}, times=6)
        for _ in range(3):
            place.logger.error("Failed to sync", extra={"crm": "zoho"})
        assert place.known() == 2
        with grouping._lock:
            grouping._close_windows(float("inf"))
        place.log({"crm": "zoho"})
        place.delivered()
        *usual, error, progress, summary = target.said()
        assert len(usual) == 6
        assert (error["level"], progress["level"]) == ("ERROR", "INFO")
        assert summary["error.suppressed"] == 2

    def test_what_a_filter_of_the_logger_does(self, make: Make, kind: type[logging.Logger]) -> None:
        """What it writes on a record reaches no target but as a fact of its own kind."""
        told = []
        for handler in (AsyncHandler, Usual):
            target = Keeping()
            place = make(target, kind=kind, handler=handler)
            place.log({"crm": "zoho"}, times=6)
            for name in ("thread", "relativeCreated", "threadName", "taskName"):
                for value in ("ada@example.com 4111111111111111", ["live"], None, 17, True):

                    def odd(record: Any, name: str = name, value: object = value) -> bool:
                        setattr(record, name, value)
                        return True

                    place.logger.addFilter(odd)
                    place.log({"crm": "zoho"})
                    place.logger.removeFilter(odd)
            place.delivered()
            names = ("thread", "relativeCreated", "threadName", "taskName")
            odd_ones = [vars(record) for record in target.records[6:]]
            given = [[one.get(name) for name in names] for one in odd_ones]
            # What nobody gave is the time of each.
            told.append([[v for v in values if type(v) is not float or not v] for values in given])
        assert told[0] == told[1]
        assert "ada" not in str(told[0])

    def test_records_of_another_thread(self, make: Make, kind: type[logging.Logger]) -> None:
        """Their thread is one that lives, or none."""
        told = []
        for handler in (AsyncHandler, Usual):
            target = Keeping()
            place = make(target, kind=kind, handler=handler)
            place.log({"crm": "zoho"}, times=6)
            made: list[logging.LogRecord] = []

            def held(record: logging.LogRecord, made: list[Any] = made) -> bool:
                made.append(record)
                return False

            place.logger.addFilter(held)
            thread = threading.Thread(target=place.log, args=({"crm": "zoho"},))
            thread.start()
            thread.join()
            place.handler.handle(made[0])
            place.delivered()
            told.append(target.records[-1].thread)
        assert told[0] == told[1]

    def test_a_formatter_set_while_the_targets_are_looked_at(
        self, make: Make, kind: type[logging.Logger], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is the one that counts."""
        target = Keeping()
        place = make(target, kind=kind)
        place.log({"crm": "zoho"}, times=6)
        look = AsyncHandler._common_formatter

        def and_then(self: AsyncHandler) -> Any:
            found = look(self)
            self.setFormatter(logging.Formatter("<%(message)s>"))
            return found

        with monkeypatch.context() as patch:
            patch.setattr(AsyncHandler, "_common_formatter", and_then)
            place.handler.tick()
        place.log({"crm": "zoho"}, times=4)
        place.delivered()
        messages = [record.getMessage() for record in target.records]
        assert messages == ["Synced contacts"] * 6 + ["<Synced contacts>"] * 4

    @pytest.mark.parametrize("behind", ["queue", "file"])
    def test_little_stack(
        self, make: Make, kind: type[logging.Logger], tmp_path: Path, behind: str
    ) -> None:
        """A record is emitted, or counted; nothing rises but from where it always did."""
        target = Keeping()
        filters = (AllowlistFilter(["@crm"]), GroupingFilter())
        place = make(target, kind=kind, filters=filters)
        if behind == "file":
            file = RetentionFileHandler(tmp_path / "crm.jsonl", levels=False)
            file.setFormatter(target.formatter)
            for each in filters:
                file.addFilter(each)
            place.logger.handlers[:] = [file]
        place.logger.error("Failed to sync", extra={"crm": "zoho"})  # a group that is asked about

        def down(frames: int) -> None:
            if frames:
                down(frames - 1)
            else:
                place.log({"crm": "zoho"})

        for _ in range(6):
            down(0)
        limit, depth = sys.getrecursionlimit(), len(inspect.stack(0))
        risen = set()
        sys.setrecursionlimit(depth + 160)
        try:
            for frames in range(60, 160):
                try:
                    down(frames)
                except RecursionError as error:
                    frames_of = traceback.extract_tb(error.__traceback__)
                    risen.add(any("crmlogging/handlers" in each.filename for each in frames_of))
        finally:
            sys.setrecursionlimit(limit)
        assert risen == {False}
        if behind == "file":
            file.close()

    def test_an_argument_that_names_an_error(self, make: Make, kind: type[logging.Logger]) -> None:
        """What carries an error is counted, below ERROR too."""
        places = []
        for handler in (AsyncHandler, Usual):
            filters = AllowlistFilter(["@crm"]), GroupingFilter(first=2)
            target = Keeping()
            place = make(target, kind=kind, handler=handler, filters=filters)
            error = Failure("E-17")
            for _ in range(6):
                place.logger.info("Tried again after %s", error.type)
            place.delivered()
            places.append([line["message"] for line in target.said()])
        assert places[0] == places[1]
        assert len(places[0]) == 3  # two, and how many more there were

    def test_a_grouping_of_somebodys_own(self, make: Make, kind: type[logging.Logger]) -> None:
        """Also one that was put in place later."""
        target = Keeping()
        grouping = GroupingFilter(first=1)
        place = make(target, kind=kind, filters=(AllowlistFilter(["@crm"]), grouping))
        place.log({"crm": "zoho"}, times=6)
        grouping.filter = lambda record: False  # type: ignore[method-assign]  # what is tested
        place.log({"crm": "zoho"}, times=2)
        place.delivered()
        assert len(target.texts) == 6

    @pytest.mark.skipif(sys.version_info < (3, 12), reason="records have no tasks before 3.12")
    def test_tasks(self, make: Make, kind: type[logging.Logger]) -> None:
        """A record knows the task that it was made in, by its name."""
        target = Keeping()
        place = make(target, kind=kind)

        async def work() -> None:
            for name in ("Task-7", "ada@example.com"):
                asyncio.current_task().set_name(name)  # type: ignore[union-attr]  # there is one
                place.log({"crm": "zoho"}, times=6)

        asyncio.run(work())
        place.delivered()
        names = [vars(record)["taskName"] for record in target.records]
        assert names[:6] == ["Task-7"] * 6
        assert len({*names[6:]}) == 1
        assert "ada" not in str(names[6])

    def test_one_that_fails(
        self,
        make: Make,
        kind: type[logging.Logger],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """What cannot be queued goes to `handleError`, as a record, and is not raised."""

        def fail(*_: object, **__: object) -> None:
            raise ZeroDivisionError

        target = Keeping()
        failed: list[logging.LogRecord] = []
        place = make(target, kind=kind)
        monkeypatch.setattr(place.handler, "handleError", failed.append)
        place.log({"crm": "zoho"}, times=6)
        with monkeypatch.context() as patch:
            patch.setattr(Dispatch, "accept", fail)
            place.log({"crm": "zoho"})
        place.log({"crm": "zoho"})
        place.delivered()
        assert len(target.texts) == 7
        (record,) = failed
        assert isinstance(record, logging.LogRecord)
        assert vars(record)["crm"] == "zoho"

    def test_what_is_dropped_is_counted(self, make: Make, kind: type[logging.Logger]) -> None:
        """As of any other record: produced is what became of it, at any moment."""
        release, inside = threading.Event(), threading.Event()

        class Slow(Keeping):
            def emit(self, record: logging.LogRecord) -> None:
                inside.set()
                release.wait(60)
                super().emit(record)

        target = Slow()
        place = make(target, kind=kind, capacity=10, overflow="drop")
        place.log({"crm": "zoho"})
        assert inside.wait(60)
        place.log({"crm": "zoho"}, times=40)
        place.logger.info("Audited", extra={"audit": True})
        counts = place.handler.stats()
        assert counts["produced"] == 42
        assert counts["pending"] + counts["dropped"] == 42
        assert counts["dropped.overflow.INFO"] > 20
        release.set()
        place.delivered()
        counts = place.handler.stats()
        assert counts["delivered"] + counts["dropped"] == 42
        messages = [record.getMessage() for record in target.records]
        assert messages.count("Synced contacts") == counts["delivered"] - 1
        assert messages.count("Audited") == 1

    def test_with_a_journal_there_are_records(
        self,
        make: Make,
        kind: type[logging.Logger],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """It holds records, and so nothing else is queued."""
        target = Keeping()
        place = make(target, kind=kind, journal=str(tmp_path / "journal"))
        kinds = queued(monkeypatch)
        place.log({"crm": "zoho"}, times=8)
        place.delivered()
        assert len(target.texts) == 8
        assert Written not in kinds
