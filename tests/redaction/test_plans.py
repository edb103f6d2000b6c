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


NESTED: list[Any] = [
    *("deep.**", "user.*", "user.home.city", "shallow.step", "wide.*.b", "*.way.x", "@crm"),
    *({"talk.*": "text"}, {"talk.way": "path"}, {"one.x": "slug"}, "request.details.id"),
]
_LEAVES = 12


def templates() -> st.SearchStrategy[Any]:
    """Draw mappings in mappings, whose leaves say which value stands there."""
    names = st.sampled_from(
        ["step", "id", "a", "b", "x", "way", "home", "city", "token", "x y", "a.b", "ada@k.example"]
    )
    leaf = st.integers(0, _LEAVES - 1)
    inner = st.recursive(leaf, lambda each: st.dictionaries(names, each, max_size=4), max_leaves=12)
    tops = ("deep", "user", "shallow", "wide", "talk", "one", "secret", "unknown", "schema")
    return st.dictionaries(st.sampled_from((*tops, "request")), inner, min_size=1, max_size=5)


def filled(template: Any, values: list[Any]) -> Any:
    """Return the mapping of a template with these values."""
    if isinstance(template, dict):
        return {name: filled(each, values) for name, each in template.items()}
    return values[template]


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

    def __init__(self, fields: list[Any] | None = None, **options: Any) -> None:
        super().__init__()
        self.quick = Projection(fields or FIELDS, **options)
        self.thorough = Projection(fields or FIELDS, **options)
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
    """Projects each record, or what a filter left of it."""

    def __init__(
        self,
        projection: Projection,
        change: Callable[[logging.LogRecord], bool] = lambda _: True,
    ) -> None:
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
    @settings(max_examples=50, deadline=None)
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

    @given(template=templates(), data=st.data())
    @settings(max_examples=200, deadline=None)
    def test_it_changes_no_byte_of_mappings(self, template: Any, data: st.DataObject) -> None:
        """For mappings of any names in one another, with any values, in records of one call."""
        leaves = st.lists(st.one_of(st.just("x"), scalars), min_size=_LEAVES, max_size=_LEAVES)
        fillings: list[list[Any]] = [
            ["v-1"] * _LEAVES,
            [7] * _LEAVES,
            *data.draw(st.lists(leaves, max_size=3)),
        ]
        for unknown in ("mask", "drop"):
            log = logging.Logger("crm.sync", logging.DEBUG)
            masks = {"deep.token": "last4", "user.token": "hmac", "secret": "last4"}
            options = {"unknown": unknown, "mask": masks, "hmac_key": lambda: "k" * 32}
            log.addHandler(Compare(NESTED, **options))
            for values in fillings:
                log.error("Updated contact", extra={"crm": "zoho", **filled(template, values)})

    def test_plain_mappings_are_planned(self) -> None:
        """From the third record on, with the names and the withheld values as at first."""
        handler = Compare(NESTED)
        log = logging.Logger("crm.sync", logging.DEBUG)
        log.addHandler(handler)
        for number in range(4):
            inner = {"id": f"c-{number}", "step": number, "other": "Ada Lovelace"}
            user = {"name": "Ada Lovelace", "id": number, "home": {"city": "x", "street": "y"}}
            log.error(
                "Updated contact",
                extra={"deep": {"a": 1, "in": inner, "b": None}, "user": user, "crm": "zoho"},
            )
        assert handler.deferred == 6
        shown = vars(handler.records[-1])
        assert [shown[name] for name in ("deep.a", "deep.in.id", "deep.b", "user.id")] == [
            *(1, "c-3", None, 3),
        ]
        assert shown["deep.in.other"] == shown["user.name"] == "[REDACTED]"
        assert shown["user.home.city"] == "x"

    @pytest.mark.parametrize(
        ("fields", "masks", "hidden"),
        [
            (["user.**"], {"user.key": "hmac", "user.home.key": "hmac"}, ("key-", "home-")),
            (["user.**"], {"user.*.key": "hmac", "user.key": "last4"}, ("key-", "home-")),
            (["user.key", "user.home.key"], {"user": "hmac"}, ("key-", "home-")),
            (["user.key", "user.home.key"], {"user.home": "last4"}, ("home-",)),
            (["user.home.key"], {"user.key": "hmac"}, ("key-",)),
            (["user.**", "request.method"], {}, ()),
        ],
        ids=["entries", "any-name", "whole", "inner", "beside", "none"],
    )
    def test_masks_within_mappings(
        self, fields: list[Any], masks: dict[str, str], hidden: tuple[str, ...]
    ) -> None:
        """What is masked in them is masked by a plan as well, under its own name."""
        handler = Compare(fields, mask=masks, hmac_key=lambda: "k" * 32)
        log = logging.Logger("crm.sync", logging.DEBUG)
        log.addHandler(handler)
        for number in range(5):
            home = {"key": f"home-{number}", "other": number}
            user = {"key": f"key-{number}", "home": home, "request.method": "PATCH"}
            request = {"method": "PATCH", "path": "/contacts/7"}
            log.error("Updated contact", extra={"user": user, "request": request})
        shown = str([list(vars(record).values()) for record in handler.records])
        assert [value for value in ("key-", "home-") if value not in shown] == list(hidden)

    def test_no_name_without_a_value(self) -> None:
        """A name that a wildcard lets in stands there only where something below it does."""
        handler = Compare(["user.*.step", "user.id"])
        log = logging.Logger("crm.sync", logging.DEBUG)
        log.addHandler(handler)
        name, inner = "LOVELACE".lower(), "OTHER".lower()  # neither is a constant of this code
        for number in range(5):
            user = {"id": number, name: {inner: number}}
            log.error("Updated contact", extra={"user": user})
        assert not any(name in each for record in handler.records for each in vars(record))

    def test_mappings_of_several_shapes_in_one_call(self) -> None:
        """Each shape is shown as itself, however they take turns."""
        handler = Compare(NESTED)
        log = logging.Logger("crm.sync", logging.DEBUG)
        log.addHandler(handler)
        shapes: list[Any] = [
            *({"a": 1}, {"a": 2}, {"a": {"b": 1}}, {"a": {"b": 2}}, {"b": 1, "a": 2}),
            *({"a": 3}, "text", {"a": [1]}, {"a": {"b": 3}}, {}, {"a": {}}, {"a": 4}, None),
        ]
        for _ in range(3):
            for each in shapes:
                log.error("Updated contact", extra={"deep": each, "crm": "zoho"})
        assert handler.deferred

    @pytest.mark.parametrize("depth", [2, 8, 15, 16, 17, 40])
    def test_mappings_end_at_the_same_depth(self, depth: int) -> None:
        """What the walk cuts is cut for a plan too."""
        handler = Compare(NESTED)
        log = logging.Logger("crm.sync", logging.DEBUG)
        log.addHandler(handler)
        for number in range(4):
            nested: Any = number
            for _ in range(depth):
                nested = {"a": nested, "b": 1}
            log.error("Updated contact", extra={"deep": nested})
        assert bool(handler.deferred) == (depth < 17)

    def test_a_mapping_that_holds_itself(self) -> None:
        """It goes the long way, which notices."""
        handler = Compare(NESTED)
        log = logging.Logger("crm.sync", logging.DEBUG)
        log.addHandler(handler)
        for number in range(4):
            nested: dict[str, Any] = {"a": number}
            nested["b"] = nested
            log.error("Updated contact", extra={"deep": nested})
        assert not handler.deferred

    def test_texts_in_mappings_are_bounded_together(self) -> None:
        """A record's characters are counted, so many long texts have no plan."""
        handler = Compare(NESTED)
        log = logging.Logger("crm.sync", logging.DEBUG)
        log.addHandler(handler)
        for _ in range(4):
            talk = {f"t{number}": "word " * 390 for number in range(60)}
            log.error("Updated contact", extra={"talk": talk})
        assert not handler.deferred
        assert b"[TRUNCATED]" in FORMATTER.format_bytes(handler.records[-1])

    @pytest.mark.parametrize("size", [100, 129, 320, 900, 1_200])
    def test_many_fields(self, size: int) -> None:
        """A record of hundreds of fields is planned like any other; one of thousands is not."""
        names = [f"field{number}" for number in range(size)]
        handler = Compare(names)
        log = logging.Logger("crm.sync", logging.DEBUG)
        log.addHandler(handler)
        for number in range(4):
            fields = {
                name: (f"v-{number}", "Ada Lovelace", number)[at % 3]
                for at, name in enumerate(names)
            }
            log.error("Updated contact", extra=fields)
        assert bool(handler.deferred) == (size < 1_000)

    def test_wild_names_are_bounded_together(self) -> None:
        """Many long values under names that a wildcard lets out end where the walk ends them."""
        handler = Compare(["custom.*"])
        log = logging.Logger("crm.sync", logging.DEBUG)
        log.addHandler(handler)
        for _ in range(4):
            fields = {f"custom.n{number}": "a-b." * 32 for number in range(900)}
            log.error("Updated contact", extra=fields)
        assert not handler.deferred

    @pytest.mark.parametrize("place", ["top", "inner"])
    def test_a_key_of_a_subclass_is_counted_beside_a_plan(
        self, logger: logging.Logger, place: str
    ) -> None:
        """What merely equals an allowed name is none, though the call has a plan for that."""

        class Name(str):
            __slots__ = ()

        for number in range(9):
            name = Name("step") if number % 3 == 2 else "step"
            key = Name("resource.id") if number % 3 == 2 else "resource.id"
            given: dict[str, Any] = {"details": {name: f"c-{number}"}}
            logger.error("Updated contact", extra=given if place == "inner" else {key: "c-1"})
        shown = [vars(each) for each in compared(logger).records[::2]]
        field = "details.step" if place == "inner" else "resource.id"
        assert [field in each for each in shown] == [True, True, False] * 3
        assert compared(logger).deferred

    @pytest.mark.parametrize("audit", [True, 1, "yes", None])
    def test_audit_records(self, logger: logging.Logger, audit: object) -> None:
        """Whether a record is one, its own value says each time."""
        for mark in (True, audit, audit, audit):
            logger.error("Deleted contact", extra={"audit": mark, "crm": "zoho"})
        for mark in (audit, audit, True, audit, True):
            logger.error("Merged contact", extra={"audit": mark, "crm": "zoho"})
        marked = [vars(each).get("audit") is True for each in compared(logger).records[::2]]
        other = audit is True
        assert marked == [True, other, other, other, other, other, True, other, True]

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

        log = logging.Logger("crm.sync", logging.DEBUG)
        log.addHandler(Projecting(projection))
        (record,) = records_of(lambda to: to.error("Updated contact", extra={"email": "x"}))
        log.handle(record)
        forged = logging.makeLogRecord({**vars(record), "ada@example.com": 1})
        shown = vars(projection.project(forged))
        assert "ada@example.com" not in shown
        forged = logging.makeLogRecord({**vars(record), "threadName": "ada@example.com"})
        assert vars(projection.project(forged))["threadName"] == "[NAME]"

    def test_a_call_of_ever_new_shapes_is_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """After some plans that came to nothing no more are made for it."""
        monkeypatch.setattr(plans, "_TRIES_A_SITE", 3)
        projection = Projection(["deep.**"])

        log = logging.Logger("crm.sync", logging.DEBUG)
        log.addHandler(Projecting(projection))
        for number in range(40):
            log.error("Updated contact", extra={"deep": {f"key{number // 2}": 1}})
        (known,) = projection._plans._by_message.values()
        assert len(known) == 4

    def test_a_call_of_many_sizes_has_a_plan_for_each(self) -> None:
        """How many names a record has tells at a glance which plans to look at."""
        compare = Compare()
        log = logging.Logger("crm.sync", logging.DEBUG)
        log.addHandler(compare)
        sizes = [{f"key{number}": 1 for number in range(size)} for size in range(20)]
        deferred = []
        for extra in (*sizes, *sizes, *sizes):
            before = compare.deferred
            log.error("Updated contact", extra=extra)
            deferred.append(compare.deferred - before)
        assert deferred[-40:] == [2] * 40

    def test_it_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Neither calls nor sets of names without end are remembered."""
        monkeypatch.setattr(plans, "_SITES_KEPT", 4)
        projection = Projection(["@crm"])

        log = logging.Logger("crm.sync", logging.DEBUG)
        log.addHandler(Projecting(projection))
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
