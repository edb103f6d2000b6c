"""Promises of several handlers on one logger: each says the same of a record, made once."""

from __future__ import annotations

import io
import logging
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
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
    records,
    ticking,
)
from crmlogging.filters import grouping_key
from crmlogging.filters.grouping_key import grouped, has_no_key, key_of
from crmlogging.logger import Logger
from crmlogging.records import Moment, deferred, orders

Line = dict[str, Any]
KINDS: list[type[logging.Logger]] = [logging.Logger, Logger]


class Service:
    """A logger before two archives and a console, as the design's document has them.

    Args:
        order: of its handlers: f and g are files, c is the console.
        grouping: stands before the console.
    """

    def __init__(
        self,
        folder: Path,
        kind: type[logging.Logger],
        *,
        order: str = "fgc",
        grouping: logging.Filter | None = None,
    ) -> None:
        self.logger = kind("crm.sync", logging.INFO)
        self.output = io.StringIO()
        self.grouping = grouping or GroupingFilter(first=2, window_seconds=60)
        self.target = target = logging.StreamHandler(self.output)
        formatter = JsonFormatter(service="crm-sync")
        target.setFormatter(formatter)
        self.paths = [folder / "f.jsonl", folder / "g.jsonl"]
        self.console = AsyncHandler(handlers=[target])
        self.files = [RetentionFileHandler(path) for path in self.paths]
        each: logging.Handler
        stages = CorrelationFilter(), ErrorFilter(), AllowlistFilter(["@crm"])
        for each in (*self.files, self.console):
            each.setFormatter(None if each is self.console else formatter)
            for stage in stages:
                each.addFilter(stage)
        self.console.addFilter(self.grouping)
        named: dict[str, logging.Handler] = dict(
            zip("fgc", (*self.files, self.console), strict=True)
        )
        for name in order:
            self.logger.addHandler(named[name])

    def log(self, number: int, level: int = logging.INFO, **options: Any) -> None:
        extra = {"crm": "zoho", "resource.id": f"{number}", "email": f"ada{number}@example.com"}
        self.logger.log(level, "Synced contacts", extra=extra, **options)

    def said(self) -> list[Line]:
        """Return the lines of the console."""
        assert self.console.drain(60)
        return [orjson.loads(line) for line in self.output.getvalue().splitlines()]

    def kept(self) -> list[list[Line]]:
        """Return the lines of both files."""
        read = [path.read_bytes().splitlines() for path in self.paths]
        return [[orjson.loads(line) for line in lines] for lines in read]

    def lines_made(self, work: Callable[[], object]) -> int:
        """Return how many lines are written straight in the course of `work`."""
        made = 0
        handlers = (*self.files, self.console)
        tables = [table for each in handlers for table in (each._calls, each._records)]
        known = {one.straight for table in tables for found in table.values() for one in found}
        with pytest.MonkeyPatch.context() as patch:
            for straight in known:

                def counted(*given: Any, quick: Any = straight.quick) -> bytes | None:
                    nonlocal made
                    made += 1
                    line: bytes | None = quick(*given)
                    return line

                patch.setattr(straight, "quick", counted)
            work()
        return made

    def close(self) -> None:
        for each in (*self.files, self.console):
            each.close()


def written_out(monkeypatch: pytest.MonkeyPatch) -> list[Moment]:
    """Return a list to which each moment is added from now on of which a record is made."""
    made: list[Moment] = []

    def noted(moment: Moment) -> logging.LogRecord:
        made.append(moment)
        return deferred(moment)

    monkeypatch.setattr(orders, "deferred", noted)
    return made


Make = Callable[..., Service]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Service] = []

    def one(kind: type[logging.Logger], **options: Any) -> Service:
        folder = tmp_path / f"{len(made)}"
        folder.mkdir()
        made.append(Service(folder, kind, **options))
        return made[-1]

    yield one
    for each in made:
        each.close()


@pytest.mark.parametrize("kind", KINDS, ids=["stock", "own"])
class TestOneRecord:
    @pytest.mark.parametrize("order", ["fgc", "cfg", "fcg"])
    def test_every_handler_says_the_same(
        self, make: Make, kind: type[logging.Logger], order: str
    ) -> None:
        """Progress, warnings, and the first of errors; ids, times and values included."""
        service = make(kind, order=order)
        for number in range(40):
            service.log(number)
            if number % 8 == 3:
                service.log(number, logging.WARNING)
            if number == 20:
                service.log(number, logging.ERROR, exc_info=ValueError("ada@example.com"))
        said, (first, second) = service.said(), service.kept()
        assert said == first == second
        assert [line["resource.id"] for line in said if line["level"] == "INFO"] == [
            f"{number}" for number in range(40)
        ]
        assert not any("example.com" in str(line) for line in said)

    def test_progress_needs_no_record(
        self, make: Make, kind: type[logging.Logger], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What a grouping filter lets through anyway is written out for nobody."""
        service = make(kind)
        for number in range(4):
            service.log(number)
        made = written_out(monkeypatch)
        for number in range(4, 10):
            service.log(number)
        assert made == []
        service.log(10, logging.ERROR)
        service.log(11, logging.ERROR)
        assert len(made) > 0
        assert len(service.said()) == 12

    def test_held_back_from_people_and_kept_in_the_archives(
        self, make: Make, kind: type[logging.Logger], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The summary comes with the progress that is logged after the window."""
        service = make(kind)
        for number in range(6):
            service.log(number)
        for number in range(7):
            service.log(number, logging.ERROR)
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 61)
        monkeypatch.setattr(time, "time_ns", lambda: int((now + 61) * 1e9))
        service.log(100)
        said, (first, second) = service.said(), service.kept()
        assert [line["level"] for line in said[:8]] == ["INFO"] * 6 + ["ERROR"] * 2
        assert said[8]["resource.id"] == "100"
        assert [line["error.suppressed"] for line in said[9:]] == [5]
        assert len(first) == len(second) == 14

    @pytest.mark.parametrize("where", ["subclass", "object", "class"])
    def test_a_grouping_filter_with_a_step_of_its_own_is_asked(
        self,
        make: Make,
        kind: type[logging.Logger],
        where: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Of every record, whatever it could tell without one."""
        asked: list[str] = []

        def passes(record: logging.LogRecord) -> bool:
            asked.append(record.__dict__["resource.id"])
            return len(asked) % 2 == 1

        class Own(GroupingFilter):
            def filter(self, record: logging.LogRecord) -> bool:
                return passes(record)

        service = make(kind, grouping=Own() if where == "subclass" else GroupingFilter())
        if where == "object":
            monkeypatch.setattr(service.grouping, "filter", passes)
        elif where == "class":
            monkeypatch.setattr(GroupingFilter, "filter", lambda self, record: passes(record))
        for number in range(8):
            service.log(number)
        assert asked == [f"{number}" for number in range(8)]
        assert [line["resource.id"] for line in service.said()] == ["0", "2", "4", "6"]
        assert [len(each) for each in service.kept()] == [8, 8]


class Slow(GroupingFilter):
    """Is given the record of every call."""

    def filter(self, record: logging.LogRecord) -> bool:
        return super().filter(record)


class TestStorms:
    @pytest.mark.parametrize("kind", KINDS, ids=["stock", "own"])
    @pytest.mark.parametrize("order", ["c", "fgc"])
    @pytest.mark.parametrize("seed", range(12))
    def test_nobody_can_tell_how_it_was_judged(
        self,
        make: Make,
        kind: type[logging.Logger],
        order: str,
        seed: int,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Which errors pass, and each word of each summary, are those of a filter with records."""
        monkeypatch.setattr(ticking, "watch", lambda handler: None)  # which has a second of its own
        now, chance = [1_700_000_000.0], random.Random(seed)
        monkeypatch.setattr(time, "time", lambda: now[0])
        monkeypatch.setattr(time, "time_ns", lambda: int(now[0] * 1e9))
        quick = make(kind, order=order, grouping=GroupingFilter(first=2, window_seconds=60))
        slow = make(kind, order=order, grouping=Slow(first=2, window_seconds=60))
        raised = ValueError("gone"), KeyError("gone"), None, None
        for _ in range(300):
            now[0] += chance.choice([0.0, 0.001, 0.001, 1.5, 1.5, 59.0, -3.0])
            level = chance.choice([20, 30, 40, 40, 40, 50])
            extra = {
                "crm": chance.choice(["zoho", "hubspot"]),
                "resource.id": chance.choice(["a-1", "a-2", "not an id", 7, None]),
                "tenant.code": chance.choice(["acme", "acme", "not a tenant"]),
            }
            words = chance.choice(["Synced contacts", "Failed to sync", "Refused", "Lost"])
            exc_info = chance.choice(raised) if chance.random() < 0.4 else None
            for each in (quick, slow):
                _said_at_one_place(each.logger, level, words, extra, exc_info)
        for each in (quick, slow):
            each.console.flush()
        told = [_without_ids(each.said()) for each in (quick, slow)]
        assert told[0] == told[1]
        if order == "fgc":
            (first, second), (as_slow, _) = quick.kept(), slow.kept()
            assert first == second
            assert len(first) == 300
            assert _without_ids(first) == _without_ids(as_slow)
            archived = {line["record.id"]: line for line in first}
            passed = [line for line in quick.said() if "error.suppressed" not in line]
            assert all(line == archived[line["record.id"]] for line in passed)
        assert any("error.suppressed" in line for line in told[0])
        held = sum(line.get("error.suppressed", 0) for line in told[0])
        assert held + sum("error.suppressed" not in line for line in told[0]) == 300

    def test_a_storm_needs_no_records(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its plain errors are counted as they come; the resources are in the summary."""
        service = make(Logger, order="c")
        for number in range(4):
            service.log(number, logging.ERROR)
        made = written_out(monkeypatch)
        for number in range(4, 9):
            service.log(number, logging.ERROR)
        assert made == []
        service.console.flush()
        (summary,) = service.said()[2:]
        assert summary["error.suppressed"] == 7
        assert summary["error.suppressed_ids"] == ["2", "3", "4", "5", "6", "7", "8"]

    @pytest.mark.parametrize("kind", KINDS, ids=["stock", "own"])
    @pytest.mark.parametrize("order", ["fgc", "cfg", "c"])
    def test_a_storm_has_one_line_for_all(
        self, make: Make, kind: type[logging.Logger], order: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By which the console counts it; whatever comes to pass is what the archives have."""
        service = make(kind, order=order)
        service.logger.error("Failed to sync")  # also what a line does not tell apart
        for number in range(4):
            service.log(number, logging.ERROR)
        made = written_out(monkeypatch)
        for number in range(4, 9):
            assert service.lines_made(partial(service.log, number, logging.ERROR)) == 1
        assert made == []
        service.log(9, logging.ERROR)  # the tenth brings a summary
        assert service.lines_made(lambda: service.log(10, logging.ERROR)) == 1
        service.console.flush()
        said = service.said()
        assert [line.get("error.suppressed") for line in said] == [None, None, None, 8, 1]
        assert said[3]["error.suppressed_ids"] == [f"{number}" for number in range(2, 10)]
        if order != "c":
            first, second = service.kept()
            assert first == second
            assert len(first) == 12
            assert first[:3] == said[:3]

    @pytest.mark.parametrize("kind", KINDS, ids=["stock", "own"])
    def test_customers_are_told_apart_by_the_line(
        self, make: Make, kind: type[logging.Logger]
    ) -> None:
        """As it shows them: 7 is not "7"; those that are masked, and none, are one."""
        service = make(kind)
        tenants = ["acme", 7, "7", "not a tenant", "nor this one", None, True]
        for number in range(60):
            extra = {"tenant.code": tenants[number % 7], "resource.id": number}
            service.logger.error("Failed to sync", extra=extra)
        service.console.flush()
        said = service.said()
        held = sum(line.get("error.suppressed", 0) for line in said)
        passed = [line["tenant.code"] for line in said if "error.suppressed" not in line]
        first = ["acme", 7, "7", "[REDACTED]", "[REDACTED]", True]
        assert list(map(repr, passed)) == list(map(repr, [*first, "acme", 7, "7", True]))
        assert held == 60 - len(passed)

    @pytest.mark.parametrize("kind", KINDS, ids=["stock", "own"])
    def test_a_customer_in_the_message_is_one_too(
        self, make: Make, kind: type[logging.Logger]
    ) -> None:
        """A field that an argument brings decides like any other."""
        service = make(kind)
        for number in range(30):
            tenant = SimpleNamespace(code=f"t{number % 3}")
            service.logger.error("Failed to sync %s", tenant.code)
        service.console.flush()
        said = service.said()
        assert [line["tenant.code"] for line in said[:6]] == ["t0", "t1", "t2"] * 2
        assert [line["error.suppressed"] for line in said[6:]] == [8, 8, 8]

    @pytest.mark.parametrize("kind", KINDS, ids=["stock", "own"])
    def test_a_customer_that_no_line_shows_is_one_all_the_same(
        self, make: Make, kind: type[logging.Logger], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Then there is a record, by which a file that groups counts."""
        service = make(kind, order="fg")
        service.files[1].addFilter(service.grouping)
        fields_of = JsonFormatter._fields

        def fewer(self: JsonFormatter, record: Any) -> Line:
            told = fields_of(self, record)
            return {name: told[name] for name in told if name != "tenant.code"}

        monkeypatch.setattr(JsonFormatter, "_fields", fewer)
        for number in range(18):
            extra = {"tenant.code": f"t{number % 2}", "resource.id": number}
            service.logger.error("Failed to sync", extra=extra)
        service.files[1].close()
        whole, lines = service.kept()
        assert len(whole) == 18
        assert [line.get("resource.id") for line in lines] == [0, 1, 2, 3, None, None]
        assert [line["error.suppressed"] for line in lines[4:]] == [7, 7]

    @pytest.mark.parametrize("kind", KINDS, ids=["stock", "own"])
    def test_audit_records_are_never_held_back(
        self, make: Make, kind: type[logging.Logger]
    ) -> None:
        """Whatever else was logged at their place."""
        service = make(kind)
        for number in range(40):
            extra = {"resource.id": number, "audit": number % 4 == 3}
            service.logger.error("Failed to sync", extra=extra)
        said = service.said()
        shown = [line["resource.id"] for line in said if "error.suppressed" not in line]
        assert shown == [0, 1, *range(3, 40, 4)]

    @pytest.mark.parametrize("kind", KINDS, ids=["stock", "own"])
    def test_exceptions_of_two_kinds_are_two_groups(
        self, make: Make, kind: type[logging.Logger]
    ) -> None:
        """Also where only the allowlist tells what they are."""
        service = make(kind, order="c")
        del service.console.filters[1]  # the ErrorFilter
        for number in range(12):
            raised = ValueError("gone") if number % 2 else KeyError("gone")
            service.log(number, logging.ERROR, exc_info=raised)
        service.console.flush()
        said = service.said()
        assert [line["resource.id"] for line in said[:4]] == ["0", "1", "2", "3"]
        assert [(line["error.type"], line["error.suppressed"]) for line in said[4:]] == [
            ("KeyError", 4),
            ("ValueError", 4),
        ]

    def test_what_is_known_of_a_call_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A customer each; all keys are those of the records."""
        monkeypatch.setattr(grouping_key, "_KEYS_OF_A_CALL", 3)
        asking, handler = Asking(), AsyncHandler(handlers=[logging.NullHandler()])
        for each in (AllowlistFilter(["@crm"]), asking):
            handler.addFilter(each)
        logger = logging.Logger("crm.sync", 1)
        logger.addHandler(handler)
        for number in range(30):
            logger.error("Failed", extra={"tenant.code": f"t{number % 10}", "resource.id": number})
        handler.close()
        assert len(asking.asked) > 20
        for moment in asking.asked:
            told = deferred(moment)
            assert grouped(moment) == (key_of(told), b"%d" % told.__dict__["resource.id"])
            assert len(moment.outline.groups.keys) <= 3


def _without_ids(lines: list[Line]) -> list[Line]:
    """Return the lines without what two records never share."""
    own = "record.id", "error.instance"
    return [{name: line[name] for name in line if name not in own} for line in lines]


def _said_at_one_place(
    logger: logging.Logger, level: int, words: str, extra: dict[str, Any], exc_info: Any
) -> None:
    if words == "Synced contacts":
        logger.log(level, "Synced contacts", extra=extra, exc_info=exc_info)
    elif exc_info is not None:
        logger.log(level, "Failed to sync", extra=extra, exc_info=exc_info)
    elif words == "Refused" and exc_info is not None:
        crm, told = extra["crm"], exc_info
        if extra["resource.id"] == 7:
            extra = {"tenant.code": extra["tenant.code"]}  # The message alone tells the rest.
        logger.log(level, f"Refused {crm}: {told}: {words}", extra=extra, exc_info=exc_info)
    elif words == "Refused":
        crm = extra["crm"]
        logger.log(level, f"Refused {crm} for {words}", extra=extra)
    elif words == "Lost":
        resource = extra["tenant.code"]
        logger.log(level, "Lost %s of %s", resource, level, extra=extra)
    else:
        logger.log(level, "Failed to sync", extra=extra)


VALUES = st.sampled_from(["acme", "E-17", "not shown", 7, None, True, "", 2.5])
FIELDS = st.sampled_from(["crm", "tenant.code", "error.fingerprint", "error.type", "error.code"])


class Asking(logging.Filter):
    """Offers to tell by a moment alone what passes, and remembers those."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Moment] = []

    def judge_moment(self, moment: Moment) -> bool:
        self.asked.append(moment)
        return True


@given(
    level=st.sampled_from([1, 10, 20, 30, 39, 40, 50]),
    fields=st.dictionaries(FIELDS, VALUES),
    failed=st.booleans(),
    names=st.sampled_from([["@crm"], ["crm"], ["error.*"]]),
)
@example(level=20, fields={}, failed=True, names=["crm"])
@example(level=20, fields={"error.fingerprint": "E-17"}, failed=False, names=["@crm"])
@settings(deadline=None)
def test_who_passes_unseen_is_none_of_a_group(
    level: int, fields: dict[str, object], failed: bool, names: list[str]
) -> None:
    """What is said of a record that nobody has made is true of the record."""
    asking, handler = Asking(), AsyncHandler(handlers=[logging.NullHandler()])
    for each in (AllowlistFilter(names), asking):
        handler.addFilter(each)
    logger = logging.Logger("crm.sync", 1)
    logger.addHandler(handler)
    exc_info = ValueError("x") if failed else None
    for _ in range(4):
        logger.log(level, "Synced contacts", extra=fields, exc_info=exc_info)
    handler.close()
    assert len(asking.asked) >= 2
    for moment in asking.asked:
        key = key_of(deferred(moment))
        surely = has_no_key(moment.outline, moment.more)
        assert key is None if surely else (key is not None or level < logging.ERROR)


def test_a_shared_line_is_nobody_elses(make: Make) -> None:
    """Two formatters on one logger: each writes its own, whoever came first."""
    service = make(Logger, order="fg")
    service.files[1].setFormatter(JsonFormatter(service="archive"))
    for number in range(6):
        service.log(number)
    first, second = service.kept()
    assert [line["service"] for line in first] == ["crm-sync"] * 6
    assert [line["service"] for line in second] == ["archive"] * 6
    same = [
        [{name: value for name, value in line.items() if name != "service"} for line in lines]
        for lines in (first, second)
    ]
    assert same[0] == same[1]


@pytest.mark.parametrize("order", ["fgc", "cfg", "gc", "c"])
def test_a_call_has_one_line_for_all_of_them(make: Make, order: str) -> None:
    """Once it is known to each."""
    service = make(Logger, order=order)
    for number in range(4):
        service.log(number)
    assert service.lines_made(lambda: service.log(4)) == 1
    said, kept = service.said(), service.kept()
    assert [line["resource.id"] for line in said] == [f"{number}" for number in range(5)]
    assert all(lines == said for lines, name in zip(kept, "fg", strict=True) if name in order)


def test_a_handler_that_fails_fails_alone(
    make: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line that the first cannot store is stored by the others, and counted."""
    service = make(Logger)

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    for number in range(4):
        service.log(number)
    monkeypatch.setattr(service.files[0]._files["standard"], "append", fail)
    monkeypatch.setattr(service.console._dispatch, "accept", fail)
    service.log(4)
    monkeypatch.undo()
    service.log(5)
    said, (first, second) = service.said(), service.kept()
    assert [line["resource.id"] for line in second] == [f"{number}" for number in range(6)]
    assert said == first == [line for line in second if line["resource.id"] != "4"]
    assert service.files[0].stats()["dropped.error"] == 1
    assert "zoho" not in capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS, ids=["stock", "own"])
def test_filters_that_change_while_it_runs(make: Make, kind: type[logging.Logger]) -> None:
    """From then on a handler shows what it may, whatever it shared before."""
    service = make(kind)
    for number in range(4):
        service.log(number)
    service.files[1].filters[2] = AllowlistFilter(["resource.*"])
    for number in range(4, 6):
        service.log(number)
    said, (first, second) = service.said(), service.kept()
    assert [line["crm"] for line in first] == ["zoho"] * 6
    assert [line["crm"] for line in second] == ["zoho"] * 4 + ["[REDACTED]"] * 2
    assert said == first
    assert [line["record.id"] for line in first] == [line["record.id"] for line in second]


@pytest.mark.parametrize("kind", KINDS, ids=["stock", "own"])
@pytest.mark.parametrize("order", ["fgc", "c"])
@pytest.mark.parametrize(
    ("level", "raised"), [(20, None), (40, None), (40, ConnectionError("refused"))]
)
def test_a_grouping_that_is_replaced(
    make: Make, kind: type[logging.Logger], order: str, level: int, raised: Exception | None
) -> None:
    """It is asked about each record, also where all handlers know the call, and in a storm."""
    service = make(kind, order=order)
    asked: list[logging.LogRecord] = []

    def hold(record: logging.LogRecord) -> bool:
        asked.append(record)
        return False

    for number in range(12):
        service.log(number, level, exc_info=raised)
    was = len(service.said())
    service.grouping.filter = hold  # type: ignore[method-assign]  # as a user may
    service.log(12, level, exc_info=raised)
    service.log(13, level, exc_info=raised)
    assert [record.__dict__["resource.id"] for record in asked] == ["12", "13"]
    assert len(service.said()) == was
    if order == "fgc":
        assert [len(lines) for lines in service.kept()] == [14, 14]


@pytest.mark.parametrize("order", ["fgc", "cfg"])
def test_who_needs_another_line_gets_it(make: Make, order: str) -> None:
    """Then no line of the call is written straight."""
    service = make(Logger, order=order)
    service.target.setFormatter(JsonFormatter(service="console"))
    for number in range(6):
        service.log(number)
    assert service.lines_made(lambda: service.log(6)) == 0
    said, (first, second) = service.said(), service.kept()
    assert first == second
    assert said == [{**line, "service": "console"} for line in first]


def test_calls_make_no_record_for_all_of_them(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once what they say is known."""
    service, made = make(Logger), 0
    make_record = records.make_record

    def counted(*args: Any) -> logging.LogRecord:
        nonlocal made
        made += 1
        return make_record(*args)

    monkeypatch.setattr(crmlogging.logger, "make_record", counted)
    for number in range(20):
        service.log(number)
    assert made <= 2
    assert len(service.said()) == 20


class TestRecords:
    """Of the standard logger, which makes one for each call."""

    def test_a_line_is_made_once(self, make: Make) -> None:
        """By what both handlers know of the call."""
        service = make(logging.Logger, order="fg")
        for number in range(4):
            service.log(number)
        (first,), (second,) = (next(iter(each._records.values())) for each in service.files)
        assert first.straight is second.straight
        assert service.lines_made(lambda: service.log(4)) == 1
        first_lines, second_lines = service.kept()
        assert first_lines == second_lines
        assert len(first_lines) == 5

    @pytest.mark.parametrize("order", ["fgc", "cfg", "fcg"])
    def test_where_there_is_a_moment_anyway(self, make: Make, order: str) -> None:
        """No line is written straight: it would cost more."""
        service = make(logging.Logger, order=order)
        service.target.setFormatter(logging.Formatter("%(crm)s"))
        for number in range(6):
            service.log(number)
        for each in service.files:
            assert {*each._records.values()} == {()}
        service.log(6)
        first, second = service.kept()
        assert first == second
        assert service.console.drain(60)
        assert service.output.getvalue().split() == ["zoho"] * len(first) == ["zoho"] * 7

    @pytest.mark.parametrize("order", ["fgc", "cfg"])
    def test_where_another_line_is_written(self, make: Make, order: str) -> None:
        """Each of both is made once."""
        service = make(logging.Logger, order=order)
        service.target.setFormatter(JsonFormatter(service="console"))
        for number in range(6):
            service.log(number)
        assert service.lines_made(lambda: service.log(6)) == 2
        said, (first, second) = service.said(), service.kept()
        assert first == second
        assert said == [{**line, "service": "console"} for line in first]

    @pytest.mark.parametrize("order", ["fgc", "cfg", "fcg"])
    def test_a_line_is_made_once_for_a_queue_too(self, make: Make, order: str) -> None:
        """Where its targets would write the same, and what it groups is no progress."""
        service = make(logging.Logger, order=order)
        for number in range(4):
            service.log(number)
        assert service.lines_made(lambda: service.log(4)) == 1
        said, (first, second) = service.said(), service.kept()
        assert said == first == second
        assert len(said) == 5

    def test_a_queue_with_filters_of_its_own_is_no_reason(self, make: Make) -> None:
        """What it makes of a record is nothing that the files could use."""
        service = make(logging.Logger)
        service.console.filters[2] = AllowlistFilter(["resource.*"])
        for number in range(6):
            service.log(number)
        assert all(len(found) == 1 for each in service.files for found in each._records.values())
        assert all(line["crm"] == "[REDACTED]" for line in service.said())
        first, second = service.kept()
        assert first == second
        assert {line["crm"] for line in first} == {"zoho"}

    @pytest.mark.parametrize("known", [False, True])
    def test_what_a_handler_between_them_does_to_it(self, make: Make, known: bool) -> None:
        """A record is filtered once: the second file has what the first one has."""
        service = make(logging.Logger, order="fg")
        for number in range(6 if known else 0):
            service.log(number)

        class Meddling(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                record.__dict__["crm"] = "hubspot"

        service.logger.handlers.insert(1, Meddling())
        service.log(6)
        first, second = service.kept()
        assert first == second
        assert second[-1]["crm"] == "zoho"
