"""Promises of plans: quicker, and not a byte different from the long way."""

from __future__ import annotations

import copy
import importlib
import logging
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlogging import JsonFormatter, SafeRecord
from crmlogging.diagnostics import tally
from crmlogging.records import DeferredRecord
from crmlogging.redaction import plans
from crmlogging.redaction.projection import Projection

FIELDS: list[Any] = [
    *("@crm", "campaign.id", "ratio", "custom.*", "details.step"),
    {"note": "text", "kind": "slug", "on": "bool", "amount": "float"},
]
FORMATTER = JsonFormatter(service="crm-sync")

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
    st.sampled_from(
        ["acme", "c-4711", "ada@example.com", "4111111111111111", "PATCH", "/contacts/7"]
    ),
    st.builds(dict, step=st.integers(), other=st.text(max_size=5)),
    st.lists(st.integers(), max_size=3),
    st.binary(max_size=5),
)


def records_of(call: Callable[[logging.Logger], None]) -> list[logging.LogRecord]:
    """Return the records that `call` logs, while its frames are gone."""
    kept: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            kept.append(record)
            return True

    logger = logging.Logger("crm.sync", logging.DEBUG)
    logger.addHandler(Keep())
    call(logger)
    return kept


class Compare(logging.Handler):
    """Projects each record by plans and the long way, in the middle of its call."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.quick = Projection(FIELDS, **options)
        self.thorough = Projection(FIELDS, **options)
        self.thorough._plans = NoPlans(self.thorough._plans)  # type: ignore[assignment]  # a stand-in
        self.deferred = 0
        self.records: list[SafeRecord] = []

    def handle(self, record: logging.LogRecord) -> bool:
        before = dict(record.__dict__)
        for _ in range(2):
            quick = self.quick.project(record)
            if type(quick) is DeferredRecord:
                self.deferred += 1
            line = FORMATTER.format_bytes(quick)
            thorough = self.thorough.project(record)
            assert line == FORMATTER.format_bytes(thorough)
            assert list(vars(quick).items()) == list(vars(thorough).items())
            assert line == FORMATTER.format_bytes(quick)
            if self.deferred:
                moment = self.quick.brief(record, vars(thorough)["record.id"])
                assert line == FORMATTER.format_bytes(moment)
            self.records.append(quick)
        assert record.__dict__ == before
        return True


class Projecting(logging.Handler):
    """Projects what a filter left of each record."""

    def __init__(self, projection: Projection, change: Callable[[logging.LogRecord], bool]) -> None:
        super().__init__()
        self.projection, self.change = projection, change

    def handle(self, record: logging.LogRecord) -> bool:
        self.change(record)
        self.projection.project(record)
        return True


class NoPlans:
    """Plans of an allowlist that never makes one."""

    def __init__(self, plans: plans.Plans) -> None:
        pass

    def find(self, *_: object) -> None:
        return None

    find_at = make = find


@pytest.fixture(params=["mask", "drop"])
def logger(request: pytest.FixtureRequest) -> logging.Logger:
    log = logging.Logger("crm.sync", logging.DEBUG)
    log.addHandler(Compare(unknown=request.param, mask={"api_key": "last4", "secret": "last4"}))
    return log


def compared(logger: logging.Logger) -> Compare:
    handler = logger.handlers[0]
    assert isinstance(handler, Compare)
    return handler


class TestPlan:
    @given(values=st.lists(scalars, min_size=9, max_size=9))
    @settings(max_examples=150, deadline=None)
    def test_it_changes_no_byte(self, values: list[Any]) -> None:
        """For any values of known, wild, masked, nested and unknown fields, in one call."""
        for unknown in ("mask", "drop"):
            log = logging.Logger("crm.sync", logging.DEBUG)
            masks = {"api_key": "last4", "customer": "hmac"}
            log.addHandler(Compare(unknown=unknown, mask=masks, hmac_key=lambda: "k" * 32))
            a, b, c, d, e, f, g, h, i = values
            made_up = {f"made{number}": number for number in range(3)}
            for _ in range(3):
                log.error(
                    "Updated contact",
                    extra={
                        "resource.id": a,
                        "request.method": b,
                        "note": c,
                        "custom.x": d,
                        "api_key": e,
                        "email": f,
                        "details": g,
                        "amount": h,
                        "on": i,
                        "request.path": a,
                        "kind": b,
                        "ratio": c,
                        "customer": i,
                        "extra.name": a,
                        **made_up,
                    },
                )

    @given(values=st.lists(scalars, min_size=5, max_size=5))
    @settings(max_examples=100, deadline=None)
    def test_it_changes_no_byte_of_arguments(self, values: list[Any]) -> None:
        """For arguments that are allowed, masked, known by another field, unknown, and unnamed."""
        note, kind, email, api_key, crm = values
        for unknown in ("mask", "drop"):
            log = logging.Logger("crm.sync", logging.DEBUG)
            log.addHandler(Compare(unknown=unknown, mask={"api_key": "last4"}))
            for _ in range(3):
                log.error("Of %s %s %s", note, kind, email, extra={"kind": "a", "crm": crm})
                log.error("With %s %s %s %s", api_key, crm, crm, [note][0])
                log.error("More %s than %s", note)

    @pytest.mark.parametrize("audit", [True, 1, "yes", None])
    def test_audit_records(self, logger: logging.Logger, audit: object) -> None:
        """Whether a record is one, its own value says each time."""
        for mark in (True, audit, audit, audit):
            logger.error("Deleted contact", extra={"audit": mark, "crm": "zoho"})

    def test_known_loggers(self, logger: logging.Logger) -> None:
        """The table names the arguments of urllib3's calls, and turns text into numbers."""
        importlib.import_module("urllib3.connectionpool")  # else nothing vouches for the name
        log = logging.Logger("urllib3.connectionpool", logging.DEBUG)
        log.addHandler(compared(logger))
        for status in (200, "201", "none"):
            for path in ("/contacts/4711?email=ada", "https://api.example/deals/1"):
                log.debug(
                    '%s://%s:%s "%s %s %s" %s %s',
                    *("https", "api.example", 443, "GET", path, "HTTP/1.1", status, None),
                )
        found = [vars(record) for record in compared(logger).records[::2]]
        assert [each["response.status"] for each in found] == [
            200,
            200,
            201,
            201,
            *["[REDACTED]"] * 2,
        ]
        assert {each["request.path"] for each in found} == {"/contacts/{id}", "/deals/{id}"}
        assert compared(logger).deferred > 6

    def test_it_is_used(self, logger: logging.Logger) -> None:
        """From the third record of a call on it is deferred; two go the long way."""
        for number in range(3):
            logger.error("Updated contact", extra={"resource.id": f"c-{number}", "email": "x"})
        assert compared(logger).deferred == 4

    def test_calls_without_a_habit_get_none(self, logger: logging.Logger) -> None:
        """Names that differ each time are not worth a plan, nor is a single call."""
        quick = compared(logger).quick

        class Project(logging.Handler):
            def handle(self, record: logging.LogRecord) -> bool:
                assert type(quick.project(record)) is SafeRecord
                return True

        logger.handlers[:] = [Project()]
        for number in range(9):
            logger.error("Updated contact", extra={f"key{number}": 1})
        assert not quick._plans._by_message

    @pytest.mark.parametrize("name", ["args", "built", "error", "levels"])
    def test_messages_and_exceptions(self, logger: logging.Logger, name: str) -> None:
        """Arguments, messages built at run time, exceptions and levels of one call."""
        for number, tenant in enumerate(("acme", "initech", "ada@example.com")):
            extra = {"tenant.code": tenant}
            if name == "args":
                logger.error("Retry %s of %s", number, tenant, extra=extra)
            elif name == "built":
                logger.error(f"Retry {number} of {tenant}", extra=extra)
            elif name == "error":
                try:
                    int(tenant)
                except ValueError:
                    logger.exception("Not a number", extra=extra)
            else:
                logger.log(10 + 10 * number, "Retried", extra=extra)
        assert compared(logger).deferred >= (0 if name == "levels" else 3)

    def test_a_message_of_several_names(self, logger: logging.Logger) -> None:
        """One literal on one line, with other keys, other loggers, and from other threads."""
        child = logging.Logger("crm.other", logging.DEBUG)
        child.addHandler(compared(logger))

        def log(to: logging.Logger, extra: dict[str, Any]) -> None:
            to.error("Updated contact", extra=extra)

        for each in ({"crm": "zoho"}, {"crm": "zoho", "email": "x"}, {"a.b": 1, "crm": 2}, {}):
            log(logger, each)
            log(child, each)
            thread = threading.Thread(target=log, args=(logger, each), name="Thread-7 (ada)")
            thread.start()
            thread.join()

    def test_a_call_whose_message_changes(self, logger: logging.Logger) -> None:
        """A literal with arguments sometimes, another one or a built text at other times."""
        for number, message in enumerate(("Failed %s", "Gave up %s", "Failed %s") * 3):
            text = message if number % 4 else "".join(message)
            logger.error(text, number, extra={"crm": "zoho"})
        assert compared(logger).deferred

    @pytest.mark.parametrize(
        "fact",
        [
            *("name", "msg", "args", "levelname", "levelno", "pathname", "lineno", "funcName"),
            *("exc_info", "created", "relativeCreated", "thread", "threadName", "processName"),
            "process",
        ],
    )
    def test_a_record_without_a_fact(self, logger: logging.Logger, fact: str) -> None:
        """Whatever a filter took off the records of a call, they are written all the same."""
        before = tally.snapshot().get("redaction.failed", 0)

        def without(record: logging.LogRecord) -> bool:
            del record.__dict__[fact]
            return True

        quick = compared(logger).quick
        logger.handlers[:] = [Projecting(quick, without)]
        for _ in range(4):
            logger.error("Updated contact", extra={"crm": "zoho"})
        assert tally.snapshot().get("redaction.failed", 0) == before

    def test_two_calls_on_a_line(self, logger: logging.Logger) -> None:
        """Each keeps its own names of arguments."""
        user, email = "u-1", "ada@example.com"
        for _ in range(2):
            for at, to in ((0, logger), (1, logger)):
                to.error("Asked %s", user) if not at else to.error("Asked %s", email)
        found = [vars(record) for record in compared(logger).records]
        names = [("user" in each, "email" in each) for each in found[::2]]
        masks = not compared(logger).quick._allowlist.drop
        assert names == [(masks, False), (False, masks)] * 2

    def test_a_forged_record_gets_no_more_than_its_call(self) -> None:
        """A record with the message object and facts of a call, but with keys of its own."""
        projection = Projection(["@crm"])

        class Project(logging.Handler):
            def handle(self, record: logging.LogRecord) -> bool:
                projection.project(record)
                return True

        log = logging.Logger("crm.sync", logging.DEBUG)
        log.addHandler(Project())
        (record,) = records_of(lambda to: to.error("Updated contact", extra={"email": "x"}))
        log.handle(record)
        forged = logging.makeLogRecord({**vars(record), "ada@example.com": 1})
        shown = vars(projection.project(forged))
        assert "ada@example.com" not in shown
        forged = logging.makeLogRecord({**vars(record), "threadName": "ada@example.com"})
        assert vars(projection.project(forged))["threadName"] == "[NAME]"

    def test_it_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Neither calls nor sets of names without end are remembered."""
        monkeypatch.setattr(plans, "_SITES_KEPT", 4)
        projection = Projection(["@crm"])

        class Project(logging.Handler):
            def handle(self, record: logging.LogRecord) -> bool:
                projection.project(record)
                return True

        log = logging.Logger("crm.sync", logging.DEBUG)
        log.addHandler(Project())
        for number in range(80):
            log.error("Updated contact", extra={f"key{number // 2}": 1})
        for number in range(10):
            exec(
                compile(f"{chr(10) * number}log.error(f'a {{log}}')", __file__, "exec"),
                {"log": log},
            )
        known = projection._plans
        assert len(known._by_message) <= 4
        assert len(known._by_call) <= 4
        assert all(len(each) <= 8 for each in known._by_message.values())


class TestDeferredRecord:
    def deferred(self) -> SafeRecord:
        found: list[SafeRecord] = []
        projection = Projection(["@crm"])

        class Keep(logging.Handler):
            def handle(self, record: logging.LogRecord) -> bool:
                found.append(projection.project(record))
                return True

        log = logging.Logger("crm.sync", logging.DEBUG)
        log.addHandler(Keep())
        for _ in range(3):
            log.error("Updated contact", extra={"crm": "zoho", "email": "x"})
        assert type(found[2]) is DeferredRecord
        return found[2]

    def test_it_is_a_record_to_anybody(self) -> None:
        """Attributes, `vars`, `getMessage`, formatting: as of any `SafeRecord`."""
        assert self.deferred().levelname == "ERROR"
        assert self.deferred().levelno == logging.ERROR
        assert self.deferred().created > 0
        assert self.deferred().getMessage() == "Updated contact"
        assert vars(self.deferred())["crm"] == "zoho"
        assert isinstance(self.deferred(), SafeRecord)
        assert logging.Formatter("%(name)s %(message)s").format(self.deferred()) == (
            "crm.sync Updated contact"
        )
        assert not hasattr(self.deferred(), "no_such_name")
        assert "crm.sync" in repr(self.deferred())

    def test_from_the_first_look_on_it_is_written_out(self) -> None:
        """What is changed afterwards is what the line shows."""
        record = self.deferred()
        record.levelname = "CHANGED"
        assert type(record) is SafeRecord
        vars(record)["crm"] = "changed"
        record.more = "added"
        assert b'"crm":"changed"' in FORMATTER.format_bytes(record)
        assert b'"more":"added"' in FORMATTER.format_bytes(record)
        other = self.deferred()
        del other.funcName
        assert not hasattr(other, "funcName")

    @pytest.mark.parametrize(
        "again", [copy.copy, lambda record: pickle.loads(pickle.dumps(record))]
    )
    def test_copies(self, again: Callable[[SafeRecord], SafeRecord]) -> None:
        """A copy and a pickled record hold all, and changing them changes no other."""
        record = self.deferred()
        copied = again(record)
        copied.crm = "changed"
        assert type(copied) is SafeRecord
        assert vars(record)["crm"] == "zoho"
        assert vars(copied)["record.id"] == vars(record)["record.id"]

    def test_two_threads_look_at_once(self) -> None:
        """Both see all of it."""
        for _ in range(50):
            record, start = self.deferred(), threading.Barrier(2)
            seen: list[Any] = []

            def look(
                record: SafeRecord = record, seen: list[Any] = seen, start: Any = start
            ) -> None:
                start.wait()
                seen.append((record.levelname, len(vars(record)), record.levelno))

            threads = [threading.Thread(target=look) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(set(seen)) == 1
