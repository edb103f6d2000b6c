"""Promises of calls that a handler knows: their lines are those of any other record."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crmlogging import (
    AllowlistFilter,
    CorrelationFilter,
    GroupingFilter,
    JsonFormatter,
    Logger,
    RetentionFileHandler,
    correlation,
)
from crmlogging.redaction import straight
from tests.handlers.straight_place import VALUES, Changing, Place, Usual, differences


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions are written from the third record of a plan on."""
    monkeypatch.setattr(straight, "_RECORDS_BEFORE", 2)


@pytest.fixture(params=[Logger, logging.Logger], ids=["own", "stock"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "crm.jsonl", request.param)
    made.log({"crm": "zoho", "request.id": "r-1"}, times=8)
    assert made.known() == 1
    yield made
    made.handler.close()


NAMES = st.sampled_from(
    [
        *("crm", "tenant.code", "request.id", "request.attempt", "count", "note", "api_key"),
        *("email", "audit", "response", "error", "correlation_id", "record.id", "extra.name"),
        *("", "\ud800"),
    ]
)


class TestEquality:
    @settings(
        max_examples=80,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        names=st.lists(NAMES, max_size=5, unique=True),
        values=st.lists(st.lists(VALUES, min_size=5, max_size=5), min_size=1, max_size=3),
        order=st.lists(st.integers(0, 2), min_size=6, max_size=10),
        scope=st.none() | st.sampled_from(["sync-1", "request-7"]),
    )
    @example(
        names=["crm", "note", "email"],
        values=[["zoho", "a word", "x", 1, 1], ["zoho", "é\n", "x", 1, 1]],
        order=[0, 0, 0, 0, 0, 1, 1, 0],
        scope="s-1",
    )
    def test_no_line_tells_which_way_it_came(
        self,
        tmp_path: Path,
        names: list[str],
        values: list[list[Any]],
        order: list[int],
        scope: str | None,
    ) -> None:
        """Whatever the fields, whatever came before, on either logger: byte for byte."""
        places = [
            Place(tmp_path / "own.jsonl"),
            Place(tmp_path / "stock.jsonl", logging.Logger),
            Place(tmp_path / "usual.jsonl", logging.Logger, Usual),
        ]
        try:
            for each in places:
                each.path.write_bytes(b"")
                with correlation("s-1" if scope is None else scope, **{"sync.run_id": "r-1"}):
                    for number in order:
                        some = values[number % len(values)]
                        extra = dict(zip(names, some, strict=False))
                        each.logger.warning("Synced contacts", extra=extra)
                        count, email = some[0], some[1]
                        each.logger.warning("Synced %s of %s", count, email, extra=extra)
                        each.logger.warning("Synced %s", count)
                        each.logger.warning("Failed %s", email, extra={"crm": "zoho"})
        finally:
            for each in places:
                each.handler.close()
        own, stock, usual = (each.lines() for each in places)
        assert len(own) == len(stock) == len(usual) == 4 * len(order)
        for line, other, third in zip(own, stock, usual, strict=True):
            assert differences(line, third) == differences(other, third) == {}
            assert list(line) == list(other) == list(third)
        assert places[2].known() == 0


class TestWhatIsAsked:
    """What a known call was learned with is asked for each time."""

    def test_filters(self, place: Place) -> None:
        """One that is added, one that is taken away, one in place of another."""
        seen: list[str] = []

        def keep(record: logging.LogRecord) -> bool:
            seen.append(record.getMessage())
            return True

        place.handler.addFilter(keep)
        place.log({"crm": "zoho", "request.id": "r-1"}, times=4)
        assert seen == ["Synced contacts"] * 4
        del place.handler.filters[3]
        place.handler.filters[2] = AllowlistFilter(["tenant.code"])
        place.log({"crm": "zoho", "request.id": "r-1"}, times=4)
        assert {line["crm"] for line in place.lines()[-4:]} == {"[REDACTED]"}
        place.handler.filters.clear()
        place.log({"crm": "zoho", "request.id": "r-1"})
        assert "zoho" not in place.path.read_text().splitlines()[-1]
        assert len(place.lines()) == 17

    def test_the_formatter(self, place: Place) -> None:
        """Another of ours, or one of users' own."""
        place.handler.setFormatter(JsonFormatter(service="other"))
        place.log({"crm": "zoho", "request.id": "r-1"}, times=6)
        assert {line["service"] for line in place.lines()[8:]} == {"other"}
        place.handler.setFormatter(logging.Formatter("%(message)s!"))
        place.log({"crm": "zoho", "request.id": "r-1"})
        assert place.path.read_text().splitlines()[-1] == "Synced contacts!"

    def test_the_name_of_the_level(self, place: Place) -> None:
        """As `logging.addLevelName` gives it."""
        logging.addLevelName(20, "NOTE")
        try:
            place.log({"crm": "zoho", "request.id": "r-1"}, times=4)
        finally:
            logging.addLevelName(20, "INFO")
        usual = Place(place.path.with_name("usual.jsonl"), handler=Usual)
        logging.addLevelName(20, "NOTE")
        try:
            usual.log({"crm": "zoho", "request.id": "r-1"})
        finally:
            logging.addLevelName(20, "INFO")
            usual.handler.close()
        told = usual.lines()[0]["level"]
        assert [line["level"] for line in place.lines()[8:]] == [told] * 4

    def test_the_thread(self, place: Place) -> None:
        """Its name, as it is shown; also one that was given another name meanwhile."""
        names = ["worker-1", "ada lovelace", "MainThread"]
        for name in names:
            thread = threading.Thread(
                target=place.log, args=({"crm": "zoho", "request.id": "r-1"}, 4), name=name
            )
            thread.start()
            thread.join()
        told = [line["thread"] for line in place.lines()[8:]]
        assert told == [each for name in ("[NAME]", "[NAME]", "MainThread") for each in [name] * 4]

    def test_the_process(self, place: Place) -> None:
        """A forked child says its own number."""
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                place.log({"crm": "zoho", "request.id": "r-1"}, times=6)
                os.write(write, b"x")
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        os.close(write)
        assert os.read(read, 1) == b"x"
        os.close(read)
        told = [line["process.id"] for line in place.lines()]
        assert told == [os.getpid()] * 8 + [child] * 6
        ids = [line["record.id"] for line in place.lines()]
        assert len(set(ids)) == 14

    def test_the_time(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """A frozen clock's."""
        second = int(time.time())
        now = second + 0.2504  # an even one may become a nanosecond less on its way
        monkeypatch.setattr(time, "time", lambda: now)
        monkeypatch.setattr(time, "time_ns", lambda: second * 10**9 + 250_400_000)
        place.log({"crm": "zoho", "request.id": "r-1"}, times=2)
        monkeypatch.undo()
        wanted = time.strftime("%Y-%m-%dT%H:%M:%S.250Z", time.gmtime(now))
        assert [line["timestamp"] for line in place.lines()[8:]] == [wanted] * 2

    def test_the_scope(self, place: Place) -> None:
        """It is that of each call; fields that it brings along are shown."""
        for name in ("s-1", "s-2"):
            with correlation(name, **{"sync.run_id": f"run-{name}"}):
                place.log({"crm": "zoho", "request.id": "r-1"}, times=3)
        place.log({"crm": "zoho", "request.id": "r-1"})
        told = [(line["correlation_id"], line.get("sync.run_id")) for line in place.lines()[8:]]
        assert told == [("s-1", "run-s-1")] * 3 + [("s-2", "run-s-2")] * 3 + [("-", None)]

    def test_errors(self, place: Place) -> None:
        """An exception on the same call, and an error among its fields."""
        extra: dict[str, object] = {"crm": "zoho", "request.id": "r-1"}
        place.logger.info("Synced contacts", extra=extra, exc_info=ValueError("x"))
        usual = Place(place.path.with_name("usual.jsonl"), handler=Usual)
        for error in (None, ValueError("x")):
            for each in (place, usual):
                each.logger.info("Synced contacts", extra={**extra, "error": error})
        usual.handler.close()
        first, *others = place.lines()[8:]
        assert first["error.type"] == "ValueError"
        assert [set(line) for line in others] == [set(line) for line in usual.lines()]

    @pytest.mark.parametrize("kind", [Logger, logging.Logger], ids=["own", "stock"])
    @pytest.mark.parametrize("name", ["emit", "handle", "filter"])
    def test_steps_that_somebody_replaces(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: type[logging.Logger]
    ) -> None:
        """A subclass's or an instance's own `emit`, `handle` or `filter` sees each record."""
        seen: list[object] = []
        usual: Callable[..., Any] = getattr(RetentionFileHandler, name)

        def own(self: RetentionFileHandler, record: object) -> Any:
            seen.append(record)
            return usual(self, record)

        subclass = type("Own", (RetentionFileHandler,), {name: own, "__module__": __name__})
        made = Place(tmp_path / "a.jsonl", kind, subclass)
        made.log({"crm": "zoho"}, times=6)
        made.handler.close()
        if name != "filter" or kind is Logger:  # which our handlers never ask by that name
            assert len(seen) in (0, 6) if name == "filter" else len(seen) == 6
        seen.clear()
        made = Place(tmp_path / "b.jsonl", kind)
        made.log({"crm": "zoho"}, times=6)
        monkeypatch.setattr(made.handler, name, lambda record: own(made.handler, record))
        made.log({"crm": "zoho"}, times=6)
        made.handler.close()
        assert name == "filter" or len(seen) == 6
        assert len(made.lines()) == 12

    def test_a_record_of_another_class(self, place: Place) -> None:
        """Whose `getMessage` may be its own."""

        class Own(logging.LogRecord):
            def getMessage(self) -> str:  # the standard library's name
                return "something else"

        logging.setLogRecordFactory(Own)
        try:
            place.log({"crm": "zoho", "request.id": "r-1"}, times=4)
        finally:
            logging.setLogRecordFactory(logging.LogRecord)
        assert len(place.lines()) == 12

    @pytest.mark.parametrize("enriched", [True, False])
    def test_attributes_in_an_order_of_their_own(self, tmp_path: Path, enriched: bool) -> None:
        """A mapping whose keys come in another order than its values."""

        class Turned(dict[str, Any]):
            def __iter__(self) -> Iterator[str]:
                return iter([*[*super().__iter__()][:-2], "crm", "request.id"])

        def turn(record: logging.LogRecord) -> bool:
            facts = record.__dict__
            crm = facts.pop("crm")
            record.__dict__ = Turned({**facts, "crm": crm})
            return True

        before = (CorrelationFilter(),) if enriched else ()
        filters = (*before, AllowlistFilter(["crm", "request.id"]))
        place = Place(tmp_path / "crm.jsonl", logging.Logger, filters=filters)
        for number in range(8):
            place.log({"crm": f"zoho-{number}", "request.id": f"r-{number}"})
        assert place.known() == 1
        place.logger.addFilter(turn)
        place.log({"crm": "zoho", "request.id": "not-a-crm"}, times=6)
        place.handler.close()
        for line in place.lines()[-6:]:
            assert (line["crm"], line["request.id"]) == ("zoho", "not-a-crm")

    def test_what_has_to_be_escaped(self, place: Place) -> None:
        """In what is the same in each record, and in what is new."""
        for number in range(12):
            place.log({"note": "a\x7fb", "crm": f"crm-{number}", "request.id": "r"})
        for number in range(12):
            place.log({"note": f"{number} \x7f\u2028", "user.id": "r"})
        assert place.known() == 3
        raw = place.path.read_bytes()
        assert raw.isascii()
        assert b"\x7f" not in raw
        assert raw.count(b"a\\u007fb") == raw.count(b" \\u007f\\u2028") == 12

    @pytest.mark.parametrize("known", [3, 12])
    def test_a_record_in_another_thread_than_its_own(self, tmp_path: Path, known: int) -> None:
        """The line names the thread of the call, whoever hands the record over."""
        place, kept = Place(tmp_path / "crm.jsonl", logging.Logger), []

        class Keeping(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                kept.append(record)

        for number in range(known):
            place.log({"crm": "zoho", "request.id": f"r-{number}"})
        place.logger.handlers[:] = [Keeping()]
        place.log({"crm": "zoho", "request.id": "r-99"})
        thread = threading.Thread(target=place.handler.handle, args=kept, name="Thread-7")
        thread.start()
        thread.join()
        place.handler.close()
        line = place.lines()[-1]
        assert (line["request.id"], line["thread"]) == ("r-99", "MainThread")
        assert line["message"] == "Synced contacts"

    def test_attributes_that_somebody_put_on_a_record(self, place: Place) -> None:
        """A filter on the logger that adds, takes off or replaces one."""
        if isinstance(place.logger, Logger):
            return
        extra = {"crm": "zoho", "request.id": "r-1"}
        changes: list[Callable[[logging.LogRecord], object]] = [
            lambda record: setattr(record, "email", "ada@example.com"),
            lambda record: delattr(record, "exc_text"),
            lambda record: setattr(record, "name", "ada@example.com"),
            lambda record: setattr(record, "processName", "ada"),
            lambda record: setattr(record, "thread", 1),
            lambda record: setattr(record, "created", "now"),
            lambda record: setattr(record, "args", ("ada",)),
            lambda record: setattr(record, "pathname", "/home/ada"),
        ]
        for change in changes:
            place.logger.filters[:] = [Changing(change)]
            place.log(extra, times=2)
        place.logger.filters.clear()
        assert "ada" not in place.path.read_text()
        assert len(place.lines()) == 8 + 2 * len(changes)


class TestSharing:
    @pytest.mark.parametrize("kind", [Logger, logging.Logger], ids=["own", "stock"])
    def test_handlers_share_the_id(self, tmp_path: Path, kind: type[logging.Logger]) -> None:
        """Each line of a record has the same, whichever handlers know its call."""
        place = Place(tmp_path / "a.jsonl", kind)
        place.log({"crm": "zoho"}, times=6)
        other = RetentionFileHandler(tmp_path / "b.jsonl")
        other.setFormatter(JsonFormatter(service="crm-sync"))
        other.addFilter(AllowlistFilter(["tenant.code"]))
        place.logger.addHandler(other)
        place.log({"crm": "zoho"}, times=6)
        place.handler.close()
        other.close()
        lines = [orjson.loads(line) for line in (tmp_path / "b.jsonl").read_bytes().splitlines()]
        assert [line["crm"] for line in lines] == ["[REDACTED]"] * 6
        ids = [line["record.id"] for line in place.lines()]
        assert [line["record.id"] for line in lines] == ids[6:]
        numbers = [int(each.rpartition("-")[2]) for each in ids]
        assert [number - numbers[0] for number in numbers] == list(range(12))

    def test_grouping_is_asked(self, tmp_path: Path) -> None:
        """Of progress it has nothing to say, but what else it has to say is heard all the same."""
        grouping = GroupingFilter(first=1)
        place = Place(tmp_path / "a.jsonl", filters=(AllowlistFilter(["@crm"]), grouping))
        place.log({"crm": "zoho"}, times=8)
        assert place.known() == 1
        for _ in range(3):
            place.logger.error("Failed to sync", extra={"crm": "zoho"})
        with grouping._lock:
            grouping._close_windows(time.time() + 61)
        assert len(place.lines()) == 9
        place.log({"crm": "zoho"})
        *_, progress, summary = place.lines()
        assert progress["message"] == "Synced contacts"
        assert summary["error.suppressed"] == 2
        place.handler.close()

    def test_who_else_tells_something_is_asked(self, tmp_path: Path) -> None:
        """A handler with filters that may say something of each record knows no call."""
        filters = (AllowlistFilter(["@crm"]), Changing(lambda record: None))
        place = Place(tmp_path / "a.jsonl", filters=filters)
        place.log({"crm": "zoho"}, times=8)
        assert place.known() == 0
        place.handler.close()


class TestFailures:
    def test_a_line_that_cannot_be_stored_is_counted(
        self, place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """As for any other record; nothing of it is told."""

        def fail(*_: object) -> None:
            raise ZeroDivisionError

        file = place.handler._files["standard"]
        monkeypatch.setattr(file, "append", fail)
        place.log({"crm": "zoho", "request.id": "r-1"})
        monkeypatch.undo()
        assert place.handler.stats()["dropped.error"] == 1
        assert "zoho" not in capsys.readouterr().err
        place.log({"crm": "zoho", "request.id": "r-1"})
        assert len(place.lines()) == 9

    def test_a_function_that_fails_loses_nothing(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The record goes the usual way."""

        def fail(*_: object) -> None:
            raise ZeroDivisionError

        for site in (*place.handler._calls.values(), *place.handler._records.values()):
            for each in site:
                each.straight.quick = fail
        place.log({"crm": "zoho", "request.id": "r-1"}, times=3)
        assert len(place.lines()) == 11

    @pytest.mark.parametrize("kind", [Logger, logging.Logger], ids=["own", "stock"])
    def test_one_call_with_fields_of_any_names(
        self, tmp_path: Path, kind: type[logging.Logger]
    ) -> None:
        """Each set of names has a function of its own, at most eight of a call; none is lost."""
        place = Place(tmp_path / "a.jsonl", kind)
        names = ["crm", "tenant.code", "request.id", "count", "user.id", "resource.id"]
        names += ["resource.type", "request.method", "request.path", "response.status"]
        for number, count in enumerate([1, 4, 10]):
            for _ in range(6):
                for name in names[:count]:
                    place.log({name: "a1"}, times=3 if number == 0 else 1)
        for name in names[:4]:
            place.log({name: "a1"}, times=8)
        assert 4 <= place.known() <= 8
        place.handler.close()
        assert len(place.lines()) == 18 + 24 + 60 + 32

    def test_a_forked_child_knows_its_calls_as_well(self, place: Place) -> None:
        """What the parent knew is of another process."""
        child = os.fork()
        if child == 0:
            known = 0
            try:
                place.log({"crm": "zoho", "request.id": "r-1"}, times=8)
                known = place.known()
            finally:
                os._exit(known)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 2

    def test_what_is_known_is_bounded(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A program that makes up calls all the time fills no memory with them."""
        from crmlogging.handlers import known_calls

        monkeypatch.setattr(known_calls, "_CALLS_KEPT", 3)
        place = Place(tmp_path / "a.jsonl")
        for size in range(8):
            place.log({f"request.{at}": 1 for at in range(size)}, times=4)
        assert 0 < len(place.handler._calls) <= 3
        place.handler.close()
        assert len(place.lines()) == 32
