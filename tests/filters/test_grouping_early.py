"""Promises of what recognises a storm early: the same lines as the long way, and its counts."""

from __future__ import annotations

import datetime
import io
import json
import logging
import math
import os
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmlogging import (
    AllowlistFilter,
    CorrelationFilter,
    ErrorFilter,
    GroupingFilter,
    Logger,
    RetentionFileHandler,
    bind,
    correlation,
)
from crmlogging.crypto.keys import PrivateKey
from crmlogging.filters import grouping_early
from crmlogging.formatters.json_formatter import JsonFormatter
from crmlogging.handlers.stream import StreamHandler
from crmlogging.records import SafeRecord, order_of

URL: Final = "https://api.hubapi.com/crm/v3/objects/contacts/{}"
NAMES: Final = ("record.id", "error.instance")
_PAST_TEN: Final = 12
"""Records after which the next summary is far."""


class ByTheLongWay(GroupingFilter):
    """It overrides what is asked of every record, so that it is asked."""

    def filter(self, record: logging.LogRecord) -> bool:
        return super().filter(record)


class Output:
    """A handler with all four filters, and what it wrote."""

    def __init__(self, logger: logging.Logger, grouping: GroupingFilter, *fields: Any) -> None:
        self.grouping = grouping
        self.written = io.StringIO()
        self.handler = StreamHandler(self.written)
        self.handler.setFormatter(JsonFormatter(service="crm-sync"))
        filters = (
            CorrelationFilter(),
            ErrorFilter(),
            AllowlistFilter(["@crm", *fields]),
            grouping,
        )
        for each in filters:
            self.handler.addFilter(each)
        logger.addHandler(self.handler)

    def lines(self) -> list[dict[str, Any]]:
        self.handler.emit_due(math.inf)
        lines = [json.loads(line) for line in self.written.getvalue().splitlines()]
        return [{k: v for k, v in line.items() if k not in NAMES} for line in lines]

    def holds(self, record: logging.LogRecord) -> bool:
        """Tell whether `record` is recognised, and if so count it."""
        holds = order_of(self.handler.filters).holds
        return holds is not None and holds(record)

    def learnt(self) -> int:
        early = order_of(self.handler.filters)._early
        assert isinstance(early, grouping_early.Early)
        return len(early._keys)


_files: Final = count()


class File:
    """A logger of ours, whose only handler is a file with all four filters."""

    def __init__(self, folder: Path, grouping: GroupingFilter) -> None:
        self.path = folder / f"crm{next(_files)}.jsonl"
        self.handler = RetentionFileHandler(self.path)
        self.handler.setFormatter(JsonFormatter(service="crm-sync"))
        for each in (CorrelationFilter(), ErrorFilter(), AllowlistFilter(["@crm"]), grouping):
            self.handler.addFilter(each)
        self.logger = Logger("crm.sync")
        self.logger.addHandler(self.handler)

    def __enter__(self) -> File:
        return self

    def __exit__(self, *error: object) -> None:
        self.handler.close()

    def lines(self) -> list[dict[str, Any]]:
        self.handler.emit_due(math.inf)
        lines = [json.loads(line) for line in self.path.read_text().splitlines()]
        return [{k: v for k, v in line.items() if k not in NAMES} for line in lines]

    def records_made(self, call: Callable[[], object]) -> int:
        """Return how many records `call` has made."""
        made = []

        def look(frame: FrameType, event: str, _: object) -> None:
            if event == "call" and frame.f_code is Logger.makeRecord.__code__:
                made.append(frame.f_lineno)

        before = sys.getprofile()
        sys.setprofile(look)
        try:
            call()
        finally:
            sys.setprofile(before)
        return len(made)


class Kept(logging.Handler):
    """Keeps the last record as its logger made it."""

    record: logging.LogRecord

    def emit(self, record: logging.LogRecord) -> None:
        self.record = record


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """Lend a logger of its own."""
    logger = logging.Logger("crm.sync")  # nobody else's
    yield logger
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
        handler.close()


def raised(make: Callable[[], Exception]) -> Exception:
    """Return an exception as it comes from being raised."""
    try:
        raise make()
    except Exception as error:
        return error


def answered(
    status: int = 503, body: bytes = b"", number: int = 0, **headers: str
) -> requests.HTTPError:
    """Return what requests raises for an answer."""
    response = requests.Response()
    response.status_code = status
    response.url = URL.format(471_100 + number)
    response.headers.update({"Content-Type": "application/json", "X-Request-Id": f"r-{number:08}"})
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    response.request = requests.Request("PATCH", response.url).prepare()
    response._content = body
    try:
        response.raise_for_status()
    except requests.HTTPError as error:
        return error
    raise AssertionError("it raises")


def body_of(category: str, number: int) -> bytes:
    told = {"status": "error", "message": "Not now", "correlationId": f"0f1b6b31-94d5-{number:06}"}
    return json.dumps({**told, "category": category}).encode()


def log(logger: logging.Logger, failure: Any, **extra: Any) -> None:
    """Log as an application does: one call of many failures; at ``level``, if that is given."""
    level = extra.pop("level", 40)
    logger.log(level, "Failed to update contact", exc_info=failure, extra=extra)


def failures(number: int) -> list[Exception]:
    """Return failures of many kinds, which differ from others of their kind in numbers."""
    return [
        raised(lambda: ConnectionError(f"contact {number} could not be reached")),
        raised(lambda: OSError(111 if number % 2 else 110, "what the system says")),
        raised(lambda: ValueError(f"HTTP Error {400 + number % 130}: no")),
        raised(lambda: RuntimeError(f"limit of {number} requests per second is exceeded")),
        answered(503, b"", number),
        answered(401, body_of("EXPIRED_AUTHENTICATION", number), number),
        answered(429, body_of("RATE_LIMITS", number), number, Retry_After=str(number % 3)),
        answered(400, body_of("VALIDATION_ERROR", number), number),
    ]


EVENTS: Final = st.lists(
    st.tuples(
        st.integers(0, 7),
        st.integers(0, 2_000),
        st.sampled_from(("hubspot", "zoho", None)),
        st.sampled_from(("acme", "globex", None, 7)),
        st.sampled_from((40, 30, 50)),
        st.sampled_from(("c-1", None)),
    ),
    max_size=12,
)


class TestEarly:
    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(events=EVENTS, first=st.integers(1, 3))
    def test_writes_what_the_long_way_writes(
        self, events: list[tuple[Any, ...]], first: int, logger: logging.Logger
    ) -> None:
        """Whatever comes in whatever order: the same lines, counts, times, ids and examples."""
        early = Output(logger, GroupingFilter(first=first))
        long = Output(logger, ByTheLongWay(first=first))
        for _ in range(4):
            for kind, number, crm, tenant, level, scope in events:
                error = failures(number)[kind]
                extra = {"crm": crm, "tenant.code": tenant, "resource.id": f"{number}"}
                given = {name: value for name, value in extra.items() if value is not None}
                with correlation(scope):
                    log(logger, error, level=level, **given)
        assert comparable(early.lines()) == comparable(long.lines())
        for output in (early, long):
            logger.removeHandler(output.handler)
            output.handler.close()

    @pytest.mark.parametrize("kind", range(8))
    def test_a_storm_is_recognised(self, kind: int, logger: logging.Logger) -> None:
        """After some records of a kind, the next are counted without being made safe."""
        early, kept = Output(logger, GroupingFilter()), Kept()
        for number in range(24):
            log(logger, failures(number * 2)[kind], crm="hubspot")
        logger.handlers[:] = [kept]
        log(logger, failures(48)[kind], crm="hubspot")
        if kind == 2:  # its status is told by its words, where every number may be one
            assert not early.holds(kept.record)
            return
        assert early.holds(kept.record)
        logger.handlers[:] = [early.handler]
        told = sum(line.get("error.suppressed", 0) for line in early.lines())
        assert told == 20

    def test_first_and_last_time_and_ids_are_exact(self, logger: logging.Logger) -> None:
        """A summary tells the ids of all that it counts, whichever way they were counted."""
        early, kept, times = Output(logger, GroupingFilter()), Kept(), []
        logger.addHandler(kept)
        for number in range(9):
            log(logger, answered(number=number), crm="hubspot", **{"resource.id": f"{number}"})
            times.append(datetime.datetime.fromtimestamp(kept.record.created, datetime.UTC))
        [summary] = [line for line in early.lines() if "error.suppressed" in line]
        assert summary["error.suppressed"] == 4
        assert summary["error.suppressed_ids"] == ["5", "6", "7", "8"]
        for name, at in (("first", 5), ("last", 8)):
            told = summary[f"error.suppressed_{name}"]
            assert told.removesuffix("Z") == times[at].isoformat(timespec="milliseconds")[:-6]

    def test_ids_are_shown_as_the_allowlist_shows_them(self, logger: logging.Logger) -> None:
        """An id that looks like a credential is in no summary; nor is one that is masked."""
        early = Output(logger, GroupingFilter())
        for identity in ("1", "2", "3", "4", "5", "6", "7", "sk_live_4eC39HqLyjWDarjtT1zdp7dc"):
            log(logger, answered(), crm="hubspot", **{"resource.id": identity})
        [summary] = [line for line in early.lines() if "error.suppressed" in line]
        assert summary["error.suppressed_ids"] == ["6", "7"]
        assert "sk_live" not in early.written.getvalue()

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param({"failure": answered(502)}, id="status"),
            pytest.param({"failure": answered(503, body_of("RATE_LIMITS", 1))}, id="code"),
            pytest.param({"failure": raised(lambda: ConnectionError("refused"))}, id="exception"),
            pytest.param({"crm": "zoho"}, id="crm"),
            pytest.param({"crm": "HubSpot"}, id="crm-spelling"),
            pytest.param({"tenant.code": "globex"}, id="tenant"),
            pytest.param({"level": 30}, id="level"),
            pytest.param({"audit": True}, id="audit"),
        ],
    )
    def test_what_differs_is_never_counted_along(
        self, other: dict[str, Any], logger: logging.Logger
    ) -> None:
        """Another status, code, customer, provider or level is asked about the long way."""
        early, kept = Output(logger, GroupingFilter()), Kept()
        usual: dict[str, Any] = {"failure": answered(), "crm": "hubspot", "tenant.code": "acme"}
        for _ in range(_PAST_TEN):
            log(logger, **usual)
        logger.handlers[:] = [kept]
        log(logger, **usual)
        assert early.holds(kept.record)
        same = kept.record
        log(logger, **{**usual, **other})
        assert not early.holds(kept.record)
        assert early.holds(same)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            pytest.param({"crm": "hubspot"}, {"crm": "HubSpot"}, id="crm-spelling"),
            pytest.param({"crm": "hubspot"}, {"tenant.code": "hubspot"}, id="other-names"),
            pytest.param({"tenant.code": "1"}, {"tenant.code": 1}, id="number"),
            pytest.param({"tenant.code": ""}, {}, id="empty"),
            pytest.param({}, {"tenant.code": None}, id="none"),
            pytest.param({"level": 30}, {"level": 35}, id="level"),
        ],
    )
    def test_two_storms_at_once_are_told_apart(
        self, one: dict[str, Any], other: dict[str, Any], logger: logging.Logger
    ) -> None:
        """Each has its own summaries, with the counts that the long way finds."""
        early = Output(logger, GroupingFilter(first=1))
        long = Output(logger, ByTheLongWay(first=1))
        for extra in (one, other, one, other, *(one,) * 9, *(other,) * 20, one):
            log(logger, answered(), **extra)
        assert comparable(early.lines()) == comparable(long.lines())

    @pytest.mark.parametrize(
        "seconds",
        [pytest.param(61.0, id="window-over"), pytest.param(-5.0, id="clock-set-back")],
    )
    def test_another_time_is_looked_at_closely(
        self, seconds: float, logger: logging.Logger
    ) -> None:
        """A record after the window's end, or from before the last one, is judged as ever."""
        early, kept = Output(logger, GroupingFilter(window_seconds=60)), Kept()
        logger.addHandler(kept)
        for _ in range(_PAST_TEN):
            log(logger, answered(), crm="hubspot")
        early.grouping._alone_until = math.inf
        assert early.holds(kept.record)
        kept.record.created += seconds
        assert not early.holds(kept.record)

    def test_what_waits_to_be_told_is_not_held_up(self, logger: logging.Logger) -> None:
        """As long as a summary is ready, records take the way on which handlers ask for it."""
        early, kept = Output(logger, GroupingFilter()), Kept()
        logger.addHandler(kept)
        for _ in range(_PAST_TEN):
            log(logger, answered(), crm="hubspot")
        early.grouping._ready.append(SafeRecord(vars(kept.record)))
        assert not early.holds(kept.record)
        early.grouping._ready.clear()
        assert early.holds(kept.record)

    def test_room_for_ids_is_given_back(self, logger: logging.Logger) -> None:
        """The ids of a group count only until its summary."""
        early = Output(logger, GroupingFilter())
        before = early.grouping._ids_left
        for number in range(50):
            log(logger, answered(), crm="hubspot", **{"resource.id": f"{number}"})
        assert early.grouping._ids_left < before
        early.lines()
        assert early.grouping._ids_left == before

    def test_the_scope_counts(self, logger: logging.Logger) -> None:
        """A customer that is bound around the call decides, as one in its fields does."""
        early, kept = Output(logger, GroupingFilter()), Kept()
        with correlation(None):
            bind(**{"tenant.code": "acme"})
            for _ in range(_PAST_TEN):
                log(logger, answered(), crm="hubspot")
            logger.handlers[:] = [kept]
            log(logger, answered(), crm="hubspot")
            assert early.holds(kept.record)
            for other in ({"tenant.code": "globex"}, {"crm": "zoho"}, {"audit": True}):
                with correlation(None, **other):
                    assert not early.holds(kept.record)
            assert early.holds(kept.record)
        assert not early.holds(kept.record)

    @pytest.mark.parametrize("name", ["tenant", "resource", "error", "response"])
    def test_a_nested_field_keeps_the_long_way(self, name: str, logger: logging.Logger) -> None:
        """What is told below a key of ``extra`` is found by a closer look alone."""
        early = Output(logger, GroupingFilter())
        for _ in range(_PAST_TEN):
            extra = {name: {"code": "acme", "id": "1"}, "tenant.code": "x", "resource.id": "7"}
            log(logger, answered(), crm="hubspot", **extra)
        assert early.learnt() == 0

    def test_a_field_that_the_message_tells_counts(self, logger: logging.Logger) -> None:
        """An argument named as a field of the table is that field."""
        early = Output(logger, GroupingFilter(first=1))

        class Named:
            code = id = ""

        tenant = resource = Named()
        for code in ("acme", "acme", "acme", "globex", "acme"):
            tenant.code = code
            logger.error("No token for %s", tenant.code, exc_info=answered())
        for number in range(5):
            resource.id = str(number)
            logger.error("No contact %s", resource.id, exc_info=answered())
        assert early.learnt() == 0
        lines = early.lines()
        shown = [line.get("tenant.code") for line in lines if "error.suppressed" not in line]
        assert shown == ["acme", "globex", None]
        assert lines[-1]["error.suppressed_ids"] == ["1", "2", "3", "4"]

    def test_a_provider_that_the_message_tells_counts(self, logger: logging.Logger) -> None:
        """Where only an argument says which CRM it was, each CRM has a group."""
        early = Output(logger, GroupingFilter(first=1))
        long = Output(logger, ByTheLongWay(first=1))
        for crm in ("hubspot", "hubspot", "hubspot", "hubspot", "zoho", "salesforce", "hubspot"):
            logger.error("No answer of %s", crm, exc_info=raised(lambda: ConnectionError("no")))
        lines = early.lines()
        assert comparable(lines) == comparable(long.lines())
        shown = [line["crm"] for line in lines if "error.suppressed" not in line]
        assert shown == ["hubspot", "zoho", "salesforce"]

    def test_messages_of_no_known_form_are_not_learnt(self, logger: logging.Logger) -> None:
        """They differ from record to record, and would only drive out others."""
        early = Output(logger, GroupingFilter())
        for number in range(_PAST_TEN):
            words = " ".join(["No contact", str(number)])
            logger.error(words, exc_info=answered(), extra={"crm": "hubspot"})
        assert early.learnt() == 0

    def test_other_filters_keep_the_long_way(self, logger: logging.Logger) -> None:
        """Where another filter stands before, or one of ours does otherwise, none is early."""

        class Own(ErrorFilter):
            pass

        allowlist, grouping = AllowlistFilter(["@crm"]), GroupingFilter()
        line = PrivateKey.new().public.line
        sealing = AllowlistFilter(["@crm"], mask={"resource.id": "seal"}, seal_to=line)
        for filters in (
            (ErrorFilter(), sealing, grouping),
            (ErrorFilter(), logging.Filter("crm"), allowlist, grouping),
            (ErrorFilter(), allowlist, logging.Filter("crm"), grouping),
            (Own(), allowlist, grouping),
            (ErrorFilter(), grouping),
            (allowlist, ErrorFilter(), grouping),
            (ErrorFilter(), allowlist, ByTheLongWay()),
        ):
            assert order_of(filters).holds is None
        assert order_of((ErrorFilter(), allowlist, grouping)).holds is not None

    def test_two_handlers_count_a_record_once(self, logger: logging.Logger) -> None:
        """One filter on two handlers judges each record once, early or not."""
        grouping = GroupingFilter()
        one, two = Output(logger, grouping), Output(logger, grouping)
        for number in range(30):
            log(logger, answered(number=number), crm="hubspot")
        for output in (one, two):
            lines = output.lines()
            assert sum("error.suppressed" not in line for line in lines) == 5
            assert sum(line.get("error.suppressed", 0) for line in lines) == 25

    def test_threads_count_exactly(self, logger: logging.Logger) -> None:
        """Passed and summarised are what was produced, whoever produced it."""
        early, start = Output(logger, GroupingFilter()), threading.Barrier(4)

        def storm(number: int) -> None:
            start.wait()
            for at in range(300):
                extra = {"crm": "hubspot", "resource.id": f"{number}-{at}"}
                log(logger, answered(503, body_of("RATE_LIMITS", at), at), **extra)

        threads = [threading.Thread(target=storm, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        lines = early.lines()
        told = sum(line.get("error.suppressed", 0) for line in lines)
        assert told + sum("error.suppressed" not in line for line in lines) == 1_200

    def test_a_forked_child_counts_its_own(self, logger: logging.Logger) -> None:
        """A child begins with no group, so its first failures pass, though it knows them."""
        early, kept = Output(logger, GroupingFilter()), Kept()
        for _ in range(_PAST_TEN):
            log(logger, answered(), crm="hubspot")
        logger.handlers[:] = [kept]
        log(logger, answered(), crm="hubspot")
        assert early.holds(kept.record)
        child = os.fork()
        if child == 0:
            os._exit(1 if early.holds(kept.record) else 0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert early.holds(kept.record)

    def test_memory_is_bounded_and_keeps_no_value(self, logger: logging.Logger) -> None:
        """Names, places and customers without end do not fill it; of each only a hash is kept."""
        early = Output(logger, GroupingFilter(first=1))
        for number in range(1_100):
            extra = {"crm": "hubspot", "tenant.code": f"canary{number}", f"name{number % 300}": 1}
            log(logger, answered(), **extra)
        recogniser = order_of(early.handler.filters)._early
        assert isinstance(recogniser, grouping_early.Early)
        assert len(recogniser._layouts) <= 256
        assert 0 < len(recogniser._keys) <= 1_024
        assert all(type(key) is int for key in recogniser._keys)

    def test_a_state_file_knows_what_was_counted_early(
        self, logger: logging.Logger, tmp_path: Any
    ) -> None:
        """What the process counted before it died is in the journal of the next."""
        state = tmp_path / "state"
        early = Output(logger, GroupingFilter(state=state))
        for number in range(9):
            log(logger, answered(), crm="hubspot", **{"resource.id": f"{number}"})
        early.grouping._journal.close()
        [left] = GroupingFilter(state=state).due(math.inf)
        told = vars(left)
        assert isinstance(left, SafeRecord)
        assert told["error.suppressed"] == 4
        assert told["error.suppressed_ids"] == ["5", "6", "7", "8"]

    def test_records_without_an_exception_are_left_alone(self, logger: logging.Logger) -> None:
        """What carries no exception, or is safe already, is none of its business."""
        early = Output(logger, GroupingFilter())
        for _ in range(_PAST_TEN):
            log(logger, answered(), crm="hubspot")
        assert not early.holds(logging.makeLogRecord({"levelno": 20, "msg": "Synced"}))
        assert not early.holds(SafeRecord(vars(logging.makeLogRecord({}))))


class TestCalls:
    """Failures that `crmlogging.Logger` has counted without making a record of them."""

    @settings(
        max_examples=10,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(events=EVENTS, first=st.integers(1, 3))
    def test_come_to_what_records_come_to(
        self, events: list[tuple[Any, ...]], first: int, tmp_path: Path
    ) -> None:
        """Whatever comes in whatever order: the same lines, counts, ids and examples."""
        with (
            File(tmp_path, GroupingFilter(first=first)) as early,
            File(tmp_path, ByTheLongWay(first=first)) as long,
        ):
            for _ in range(4):
                for kind, number, crm, tenant, level, scope in events:
                    error = failures(number)[kind]
                    extra = {"crm": crm, "tenant.code": tenant, "resource.id": f"{number}"}
                    given = {name: value for name, value in extra.items() if value is not None}
                    with correlation(scope):
                        log(early.logger, error, level=level, **given)
                        log(long.logger, error, level=level, **given)
            assert timeless(early.lines()) == timeless(long.lines())

    @pytest.mark.parametrize("kind", [0, 4, 5])
    def test_make_no_record(self, kind: int, tmp_path: Path) -> None:
        """Once such a failure is known, it is counted as it is logged, however it is given."""
        with File(tmp_path, GroupingFilter()) as output:
            for number in range(24):
                log(output.logger, failures(number)[kind], crm="hubspot")
            error = failures(25)[kind]
            for given in (error, (type(error), error, None)):
                assert output.records_made(partial(log, output.logger, given, crm="hubspot")) == 0
            told = sum(line.get("error.suppressed", 0) for line in output.lines())
            assert told == 21

    def test_of_exception_are_counted(self, tmp_path: Path) -> None:
        """``logger.exception`` names no exception; it is the one being handled."""
        with File(tmp_path, GroupingFilter()) as output:

            def fail(number: int) -> None:
                try:
                    raise ConnectionError(f"contact {number} could not be reached")
                except ConnectionError:
                    output.logger.exception("Failed to update contact")

            for number in range(24):
                fail(number)
            assert output.records_made(partial(fail, 25)) == 0
            assert sum(line.get("error.suppressed", 0) for line in output.lines()) == 20

    @pytest.mark.parametrize(
        "way", ["handler", "ours", "parent", "filter", "factory", "stack", "stage"]
    )
    def test_that_somebody_else_sees_are_records(self, way: str, tmp_path: Path) -> None:
        """Another handler, a filter of the logger or a record factory gets each of them."""
        with File(tmp_path, GroupingFilter()) as output:

            def call(**more: Any) -> None:
                extra = {"crm": "hubspot"}
                output.logger.error("Failed to update", exc_info=answered(), extra=extra, **more)

            made = output.records_made
            for _ in range(_PAST_TEN):
                call()
            assert made(call) == 0
            kept, usual, parent = Kept(), logging.getLogRecordFactory(), logging.Logger("crm")
            parent.addHandler(kept)
            if way == "handler":
                output.logger.addHandler(kept)
            elif way == "parent":
                output.logger.parent = parent
            elif way == "filter":
                output.logger.addFilter(logging.Filter("crm"))
            elif way == "stack":
                assert made(partial(call, stacklevel=1)) == 1
                assert made(partial(call, stack_info=True)) == 1
                return
            elif way == "ours":
                archive = File(tmp_path, GroupingFilter()).handler
                archive.filters.pop()
                assert archive.takes_calls
                output.logger.handlers.insert(0, archive)
            elif way == "stage":
                output.handler.filters.insert(0, logging.Filter("crm"))
            else:
                logging.setLogRecordFactory(lambda *a, **k: usual(*a, **k))
            try:
                assert made(call) == 1
            finally:
                logging.setLogRecordFactory(usual)
                for handler in output.logger.handlers:
                    handler.close()
            assert hasattr(kept, "record") is (way in ("handler", "parent"))

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param({"crm": "zoho"}, id="crm"),
            pytest.param({"tenant.code": "globex"}, id="tenant"),
            pytest.param({"level": 50}, id="level"),
            pytest.param({"audit": True}, id="audit"),
            pytest.param({"name": "x"}, id="reserved-name"),
            pytest.param({"failure": answered(502)}, id="failure"),
            pytest.param({"failure": (None, None, None)}, id="empty"),
        ],
    )
    def test_that_differ_are_records(self, other: dict[str, Any], tmp_path: Path) -> None:
        """Another customer, level or failure, or none, is looked at closely."""
        with File(tmp_path, GroupingFilter()) as output:
            usual: dict[str, Any] = {"failure": answered(), "crm": "hubspot", "tenant.code": "a"}
            for _ in range(_PAST_TEN):
                log(output.logger, **usual)
            assert output.records_made(partial(log, output.logger, **usual)) == 0
            assert output.records_made(partial(log, output.logger, **{**usual, **other})) == 1


def comparable(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return `lines` without the ids that scopes were given at random, and the time of a look."""
    left = [
        {k: v for k, v in line.items() if k != "correlation_id" or v == "c-1"} for line in lines
    ]
    for line in left:
        if "error.suppressed" in line:
            del line["timestamp"]
    return left


def timeless(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return `lines`, comparable, of calls at other times."""
    times = ("timestamp", "error.suppressed_first", "error.suppressed_last")
    return [{k: v for k, v in line.items() if k not in times} for line in comparable(lines)]
