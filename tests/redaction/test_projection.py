"""Promises of `crmlogging.redaction.projection`: what of a record gets out, and what cannot."""

from __future__ import annotations

import json
import logging
import tracemalloc
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlogging.diagnostics import tally
from crmlogging.fields import FIELDS
from crmlogging.records import STANDARD_ATTRIBUTES, SafeRecord
from crmlogging.redaction import templates
from crmlogging.redaction.projection import Projection

JSON = dict[str, Any]


def made(extra: Mapping[Any, Any] | None = None, **attributes: Any) -> logging.LogRecord:
    record = logging.makeLogRecord({"name": "crm.sync", "msg": "synced", **attributes})
    record.__dict__.update(extra or {})
    return record


def fields_of(safe: SafeRecord) -> JSON:
    own = {"record.id", "correlation_id"}
    return {k: v for k, v in vars(safe).items() if k not in STANDARD_ATTRIBUTES | own}


def shown(fields: Any, extra: Mapping[Any, Any], **options: Any) -> JSON:
    """What a projection lets out of `extra`; no key of it is a constant of this code."""
    return fields_of(Projection(fields, **options).project(made(extra)))


def largest_part(call: Callable[[], object]) -> int:
    """Return the bytes that `call` takes at most: a text searched whole is copied, whole."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class Touched(BaseException):
    """Foreign code ran; not an Exception, so that nothing swallows it."""


def forbidden(*_: object) -> Any:
    raise Touched


class Untouchable:
    """Fails the test on whatever is done with an instance."""

    __slots__ = ()
    __repr__ = __str__ = __iter__ = __len__ = __bool__ = __hash__ = forbidden
    __eq__ = __getattribute__ = __getattr__ = __format__ = __int__ = forbidden
    __class__ = property(forbidden)


class Text(str):
    """A key that is equal to a text, and somebody else's."""

    __slots__ = ()


class TestFields:
    def test_a_nested_value_becomes_a_dotted_field(self) -> None:
        """Nested and dotted extra give the same flat field."""
        expected = {"request.method": "POST"}
        assert shown(["@crm"], {"request": {"method": "POST"}}) == expected
        assert shown(["@crm"], {"request.method": "POST"}) == expected

    def test_a_dotted_key_below_the_top_is_unknown(self) -> None:
        """Only at top level is a dot a path."""
        assert shown(["a.b.c"], {"a": {"b.c": "x"}}) == {"a.[KEYS]": 1}

    def test_lists_stay_lists(self) -> None:
        """Items keep their structure; what is not allowed in them is withheld."""
        errors = [{"field": "email", "value": "secret"}, "loose", {"field": "phone"}]
        assert shown(["errors[].field"], {"errors": errors}) == {
            "errors": [{"field": "email", "[KEYS]": 1}, "[REDACTED]", {"field": "phone"}]
        }

    def test_scalars_of_a_list_pass_one_by_one(self) -> None:
        """A list under an allowed name lets out the items that fit."""
        tags = ["new", 5, None, "not an id", ["nested"], {"a": 1}, ("x",)]
        assert shown(["tags", "more"], {"tags": tags, "more": ("a", "b")}) == {
            "tags": ["new", 5, None, *["[REDACTED]"] * 4],
            "more": ["a", "b"],
        }

    def test_a_list_may_mix_scalars_and_mappings(self) -> None:
        """The list's own pattern holds for scalars beside a pattern for the mappings in it."""
        extra = {"a": [1, {"b": 2, "c": 3}]}
        assert shown(["a", "a[].b"], extra) == {"a": [1, {"b": 2, "[KEYS]": 1}]}

    def test_a_mapping_under_an_allowed_name_needs_patterns(self) -> None:
        """Allowing ``user`` says nothing about what a mapping in its place holds."""
        assert shown(["user"], {"user": {"mail": "x", "name": "y"}}) == {"user.[KEYS]": 2}
        assert shown(["user"], {"user": "u-1"}) == {"user": "u-1"}

    def test_a_value_must_have_the_shape(self) -> None:
        """An address is no id, a client no slug, a raw URL no route."""
        extra = {
            "user.id": "ada@example.com",
            "crm": "<Client hubspot>",
            "request.path": "https://h/x?y=1",
            "request.method": "post",
            "response.status": "200",
            "note": "call ada@example.com now",
            "other": "two words",
        }
        assert shown(["@crm", {"note": "text"}, "other"], extra) == {
            **dict.fromkeys((key for key in extra if key != "note"), "[REDACTED]"),
            "note": "call [EMAIL] now",
        }

    @pytest.mark.parametrize(
        "value",
        ["sk_live_4eC39HqLyjWD", "eyJhbGciOi.eyJzdWIi.abc", "4111111111111111", 4111111111111111],
    )
    def test_a_credential_is_no_id(self, value: object) -> None:
        """A token, a JWT or a card number under an allowed name is withheld, also in a list."""
        assert shown(["a"], {"a": value}) == {"a": "[REDACTED]"}
        assert shown(["a"], {"a": [value]}) == {"a": ["[REDACTED]"]}

    def test_numbers_and_booleans_pass(self) -> None:
        """They have the shape id; what JSON or a reader cannot hold does not."""
        extra = {"a": 1, "b": 0.5, "c": True, "d": None, "e": float("nan"), "f": 2**70, "g": 1j}
        assert shown(list("abcdefg"), extra) == {
            "a": 1,
            "b": 0.5,
            "c": True,
            "d": None,
            **dict.fromkeys("efg", "[REDACTED]"),
        }

    def test_masks_win_and_need_no_entry(self) -> None:
        """A mask holds for its path and all below, allowed or not."""
        secret = "0123456789abcdefwxyz"
        options = {"mask": {"key": "last4", "user": "last4", "keys": "last4"}}
        extra = {"key": secret, "user": {"id": "u-1"}, "keys": [secret, "short"]}
        assert shown(["user.id", "key"], extra, **options) == {
            "key": "****wxyz",
            "user": "[REDACTED]",
            "keys": ["****wxyz", "[REDACTED]"],
        }

    def test_a_mask_on_a_list_covers_its_items(self) -> None:
        """A pattern for the items does not open what a mask over the list closes."""
        extra = {"keys": ["0123456789abcdefwxyz", {"id": "canary"}]}
        found = shown(["keys[]", "keys[].id"], extra, mask={"keys": "last4"})
        assert found == {"keys": ["****wxyz", "[REDACTED]"]}

    def test_a_misfit_stays_one(self) -> None:
        """What is remembered of values never lets one out the second time."""
        projection = Projection(["a", {"b": "text"}, "request.path"])
        extra = {"a": "ada@example.com", "b": "mail ada@example.com", "request.path": "/x?ada"}
        for _ in range(3):
            assert "ada" not in json.dumps(fields_of(projection.project(made(extra))))

    def test_unknown_may_be_dropped(self) -> None:
        """With ``drop`` there is neither placeholder nor count; a misfit stays visible."""
        extra = {"a": {"b": 1, "c": 2}, "d": 3, "client.ip": "::1", "user.id": "no id", "l": [{}]}
        assert shown(["a.b", "user.id", "l"], extra, unknown="drop") == {
            "a.b": 1,
            "user.id": "[REDACTED]",
            "l": ["[REDACTED]"],
        }


class TestKeys:
    def test_a_constant_of_the_calling_code_is_named(self) -> None:
        """A key that the call spells out is written, its value withheld."""
        record = made({"email": "ada@example.com", "note": Untouchable()})
        assert fields_of(Projection(()).project(record)) == {
            "email": "[REDACTED]",
            "note": "[REDACTED]",
        }

    def test_a_constant_counts_where_it_stands(self) -> None:
        """A name that one call spells out is not thereby named for another call's data."""
        projection = Projection(())
        literal = projection.project(made({"nick_name": 1}))
        assert fields_of(literal) == {"nick_name": "[REDACTED]"}
        assert project_elsewhere(projection, NICK) == {"[KEYS]": 1}

    def test_a_dotted_constant_below_the_top_is_counted(self) -> None:
        """It would read as another path."""
        record = made({"a": {"b.c": "x", "d": "y"}})
        assert fields_of(Projection(["a.b.c"]).project(record)) == {
            "a.d": "[REDACTED]",
            "a.[KEYS]": 1,
        }

    def test_others_are_counted(self) -> None:
        """Keys that came from data are one number."""
        data = json.loads('{"ada@example.com": 1, "Ada": {"deep": 2}, "x y": 3}')
        assert shown([], data) == {"[KEYS]": 3}

    def test_a_constant_that_is_a_secret_is_not_named(self) -> None:
        """A literal key is scrubbed like any other literal."""
        record = made({"ada@example.com": 1, "sk_live_4eC39HqLyjWD": 2, "a\u202eb": 3, "[KEYS]": 9})
        assert fields_of(Projection(()).project(record)) == {"[KEYS]": 4}

    @pytest.mark.parametrize(
        "key",
        [
            *("ID", "Id", " id", "id ", "id\u200b", "\u0456d", "ｉｄ", "id\x00", "i.d", "id\n"),
            *(b"id", 1, None, ("id",), True, types.SimpleNamespace),
        ],
        ids=repr,
    )
    def test_look_alikes_are_not_allowed_keys(self, key: Any) -> None:
        """Only the exact string is the allowed key, at every depth."""
        secret = "canary"
        for extra in ({"user": {key: secret}}, {"user": [{key: secret}]}, {key: secret}):
            line = json.dumps(shown(["user.id", "user[].id", "id"], extra))
            assert secret not in line

    def test_a_key_that_is_equal_but_not_a_string_is_not_asked(self) -> None:
        """A key's own hash and equality decide nothing."""

        class Equal(str):
            __slots__ = ()
            __hash__ = str.__hash__

            def __eq__(self, other: object) -> bool:
                return bool(forbidden())

        extra: dict[Any, Any] = {"user": {Equal("id"): "canary"}, Equal("id"): "canary"}
        assert shown(["user.id", "id"], extra) == {"user.[KEYS]": 1, "[KEYS]": 1}

    def test_a_wildcard_takes_names_and_not_data(self) -> None:
        """Under ``*`` a key is written if it reads as a name."""
        data = {"a": {"name": 1, "ada@example.com": 2, "two words": 3, "49151234567": 4, "": 5}}
        data["a"]["sk_live_4eC39HqLyjWD"] = 6
        assert shown(["a.*"], data) == {"a.name": 1, "a.[KEYS]": 5}

    def test_a_wildcard_over_nothing_names_nothing(self) -> None:
        """``*.id`` names a key only where an id stands below it."""
        extra = {"ada": {"id": 1, "x": 2}, "bob": {"x": 2}, "eve": 1, "ann": [{"x": 1}], "joe": {}}
        assert shown(["*.id"], extra) == {"ada.id": 1, "ada.[KEYS]": 1, "[KEYS]": 4}
        assert shown(["a.*.id"], {"a": extra}) == {
            "a.ada.id": 1,
            "a.ada.[KEYS]": 1,
            "a.[KEYS]": 4,
        }

    def test_reserved_names_land_under_extra(self) -> None:
        """No field of a caller can stand in place of one that the line needs."""
        names = [
            field.name
            for field in FIELDS
            if field.writer == "formatter" and field.name not in STANDARD_ATTRIBUTES
        ]
        extra = dict.fromkeys(names, "forged")
        found = shown(names, extra)
        assert found == {f"extra.{name}": "forged" for name in names}
        safe = Projection(["msg", "record.id", "process.id"]).project(
            made({"record.id": "forged", "process.id": 1, "extra.msg": "forged"})
        )
        assert vars(safe)["record.id"] != "forged"
        assert vars(safe)["extra.process.id"] == 1
        assert (safe.msg != "forged", vars(safe)["extra.msg"]) == (True, "forged")
        assert shown(["schema.*", "audit"], {"schema": {"version": 9}, "audit": "yes"}) == {
            "extra.schema.version": 9,
            "extra.audit": "yes",
        }

    def test_an_argument_cannot_take_a_reserved_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An argument called ``msg`` or ``level`` at its call site is a caller's field too."""
        resolved = templates.Resolved("hello", (("msg", "m"), ("level", "l"), ("user.id", "u")))
        monkeypatch.setattr(templates, "resolve", lambda *_: resolved)
        safe = Projection(["user.id", "level"]).project(made({"user.id": "first"}))
        assert safe.msg == "hello"
        assert fields_of(safe) == {
            "extra.msg": "[REDACTED]",
            "extra.level": "l",
            "user.id": "first",
        }


class TestArguments:
    @pytest.fixture
    def arguments(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        """Make the resolver answer with given arguments."""

        def answer(*pairs: tuple[str, object], exact: bool = True) -> None:
            resolved = templates.Resolved("x", pairs, exact)
            monkeypatch.setattr(templates, "resolve", lambda *_: resolved)

        return answer

    def test_scalars_only(self, arguments: Any) -> None:
        """A container as an argument is withheld whole, without a look inside."""
        arguments(("a", 1), ("b", [1]), ("c", {"d": 1}), ("e", Untouchable()), ("f", b"f"))
        assert shown(["a", "b", "c.d", "f"], {}) == {
            "a": 1,
            "b": "[REDACTED]",
            "c": "[REDACTED]",
            "e": "[REDACTED]",
            "f": "f",
        }

    def test_a_value_split_out_of_a_text_needs_a_full_strict_name(self, arguments: Any) -> None:
        """A wildcard or the shape text is not enough for it."""
        arguments(("a", "1"), ("b.c", "2"), ("d", "3"), ("e", "4"), exact=False)
        assert shown(["a", "b.*", {"d": "text"}], {}) == {
            "a": "1",
            **dict.fromkeys(("b.c", "d", "e"), "[REDACTED]"),
        }

    def test_a_field_of_extra_wins(self, arguments: Any) -> None:
        """What the call passed by name is not replaced by an argument."""
        arguments(("a", "argument"))
        assert shown(["a"], {"a": "extra"}) == {"a": "extra"}


class TestMappedMessages:
    """``logger.info({...})``, and structlog's events on their way to ``ProcessorFormatter``."""

    FIELDS = ("@crm", "campaign.id")

    def logged(self, *messages: object, **options: Any) -> list[SafeRecord]:
        """Return what is let out of records of one call, twice over."""
        kept: list[SafeRecord] = []
        projection = Projection(self.FIELDS, **options)
        logger = logging.Logger("crm.mapped")
        logger.handle = lambda record: kept.append(projection.project(record))  # type: ignore[method-assign]  # frames are read there
        for message in (*messages, *messages, *messages):
            logger.info(message)
        return kept

    @pytest.mark.parametrize("name", ["event", "message", "msg"])
    def test_an_entry_is_the_message_and_the_others_are_fields(self, name: str) -> None:
        """As if ``extra`` held them, under the same allowlist, at every record."""
        entries = {"campaign": {"id": "c-1"}, "crm": "zoho", "email": "canary"}
        for safe in self.logged({name: "Contact synced", **entries}):
            assert fields_of(safe) == {"campaign.id": "c-1", "crm": "zoho", "[KEYS]": 1}

    def test_a_literal_shows(self) -> None:
        """Of the call itself, and of a call that led to it, as through structlog."""
        kept: list[SafeRecord] = []
        projection = Projection(self.FIELDS)
        logger = logging.Logger("crm.mapped")
        logger.handle = lambda record: kept.append(projection.project(record))  # type: ignore[method-assign]  # frames are read there

        def bound(event: str, **entries: object) -> None:
            logger.info({"event": event, **entries})

        for _ in range(3):
            logger.info({"event": "Contact synced", "crm": "zoho"})
            bound("Contact bound", crm="zoho", email="canary")
            bound(f"Contact {kept} is bound")
            bound("canary".upper(), crm=5)
        assert [safe.msg for safe in kept] == [
            "Contact synced",
            "Contact bound",
            "Contact {kept} is bound",
            templates.DYNAMIC_MESSAGE,
        ] * 3
        assert [fields_of(safe) for safe in kept[:2]] == [
            {"crm": "zoho"},
            {"crm": "zoho", "[KEYS]": 1},
        ]

    def test_what_is_no_text_stays_inside(self) -> None:
        """No message in it, a message of another type, foreign keys, a fact of the record."""
        strange = {Text("event"): "canary", 7: "canary", "name": "canary", "process": 5}
        word = f"canary {len(strange)}"
        for message in ({}, strange, {"event": ["canary"]}, {"event": word}):
            for safe in self.logged(message):
                assert safe.msg == templates.DYNAMIC_MESSAGE
                assert "canary" not in str(vars(safe))
                assert (safe.name, fields_of(safe)) == ("crm.mapped", {})

    def test_what_the_record_itself_says_wins(self) -> None:
        """Filters have written fields of their own on it."""
        record = made({"crm": "zoho"}, msg={"crm": "hubspot", "levelno": 50}, levelno=20)
        safe = Projection(self.FIELDS).project(record)
        assert (fields_of(safe), safe.levelno) == ({"crm": "zoho"}, logging.INFO)

    def test_a_mapping_after_a_text_has_its_fields(self) -> None:
        """A plan made of the texts of a call is not one for its mappings."""
        text = "Contact synced"
        for safe in self.logged(text, text, text, {"event": text, "crm": "zoho"})[3::4]:
            assert fields_of(safe) == {"crm": "zoho"}

    def test_a_huge_one_is_bounded(self) -> None:
        """Nobody waits for a million entries."""
        huge = {f"key {number}": number for number in range(1_000_000)}
        record = made(msg=huge)
        projection = Projection(self.FIELDS)
        assert largest_part(lambda: projection.project(record)) < 1_000_000
        assert len(fields_of(projection.project(record))) <= 2


class TestForeignObjects:
    def test_what_is_not_allowed_is_not_touched(self) -> None:
        """No method, property or class of such an object is used, wherever it stands."""
        extra = {"a": Untouchable(), "b": {"c": Untouchable(), "d": 1}, "e": [Untouchable()]}
        assert shown(["b.d", "e[].f"], extra) == {
            "[KEYS]": 1,
            "b.[KEYS]": 1,
            "b.d": 1,
            "e": ["[REDACTED]"],
        }

    def test_an_object_under_an_allowed_name_is_withheld(self) -> None:
        """It has no shape; its code does not run either."""
        assert shown(["a"], {"a": Untouchable()}) == {"a": "[REDACTED]"}

    def test_a_known_branch_without_an_allowed_field_is_not_entered(self) -> None:
        """The table knows names below ``request``; that alone opens nothing there."""

        class Closed(Mapping[str, Any]):
            __iter__ = __len__ = __getitem__ = forbidden

        assert shown(["user.id"], {"request": Closed()}) == {"request": "[REDACTED]"}

    def test_a_mapping_that_fails_is_withheld(self) -> None:
        """Whatever a foreign mapping raises, the line is written without it."""

        class Broken(Mapping[str, Any]):
            def __getitem__(self, key: str) -> Any:
                raise RecursionError

            def __iter__(self) -> Iterator[str]:
                return iter(["b"])

            def __len__(self) -> int:
                raise SystemError

        assert shown(["a.b"], {"a": Broken(), "c": 1}) == {"a.b": "[REDACTED]", "[KEYS]": 1}

    def test_nothing_of_the_caller_is_changed(self) -> None:
        """The record and the data in it stay as they were."""
        data = {"b": [1, {"c": "x"}], "d": {"e": {"f"}}}
        record = made({"a": data})
        before = (dict(vars(record)), json.dumps(data, default=list))
        Projection(["a.**"], mask={"a.d": "last4"}).project(record)
        assert (dict(vars(record)), json.dumps(data, default=list)) == before


class TestLimits:
    def test_depth(self) -> None:
        """A structure of any depth is cut off with a mark."""
        deep: Any = "x"
        for _ in range(5_000):
            deep = {"a": deep}
        line = json.dumps(shown(["a.**"], {"a": deep}))
        assert "[TRUNCATED]" in line
        assert len(line) < 1_000

    def test_cycles(self) -> None:
        """A structure that holds itself ends with a mark."""
        loop: dict[str, Any] = {"b": 1}
        loop["a"] = [loop]
        assert shown(["a.**"], {"a": loop}) == {"a.b": 1, "a.a": ["[CIRCULAR]"]}

    def test_one_object_twice_is_no_cycle(self) -> None:
        """What merely occurs twice is shown twice."""
        part = {"b": 1}
        assert shown(["a.**"], {"a": {"x": part, "y": part}}) == {"a.x.b": 1, "a.y.b": 1}

    def test_width(self) -> None:
        """A wide mapping or list is cut off with a mark, and the others are counted."""
        wide = shown(["a.*", "b"], {"a": dict.fromkeys(map(str, range(10**6))), "b": [0] * 10**6})
        assert wide["a.[TRUNCATED]"] == 10**6 - 1_000
        assert (len(wide["b"]), wide["b"][-1]) == (1_001, "[TRUNCATED]")

    def test_attributes(self) -> None:
        """A million attributes are cut off too; what our own stages wrote last still counts."""
        record = made(dict.fromkeys(map(str, range(10**6)), 1), correlation_id="c")
        record.__dict__["error.code"] = "AUTH_EXPIRED"
        fields = fields_of(Projection(["@crm"]).project(record))
        assert fields["error.code"] == "AUTH_EXPIRED"
        assert fields["[TRUNCATED]"] > 900_000

    def test_values_and_characters_of_a_record(self) -> None:
        """Many short or long values end at a total, whatever their structure."""
        many = shown(["a[][]"], {"a": [[0] * 1_000 for _ in range(100)]})["a"]
        assert sum(each.count(0) for each in many if type(each) is list) <= 5_000
        long = shown(["a"], {"a": ["x" * 120] * 1_000})["a"]
        assert 0 < long.count("x" * 120) < 1_000
        assert (many[-1], long[-1]) == ("[TRUNCATED]", "[TRUNCATED]")
        tree: Any = 0
        for _ in range(12):
            tree = {"a": tree, "b": tree, "c": tree, "d": tree}
        assert len(json.dumps(shown(["t.**"], {"t": tree}))) < 500_000

    def test_a_long_text_is_cut_without_half_a_secret(self) -> None:
        """What begins before the cut and ends behind it is not shown by half."""
        for start in range(1_900, 2_310):
            text = ("w" * 9 + " ") * 190
            text = (text + "-" * 400)[:start].rstrip("-") + " ada.lovelace@example.com " + "z" * 500
            (value,) = shown([{"a": "text"}], {"a": text}).values()
            assert "ada" not in value
            assert len(value) < 2_100

    def test_a_long_text_without_a_gap_is_withheld(self) -> None:
        """A token that begins in what is shown and ends far behind it is not recognised."""
        text = "-" * 1_985 + "eyJ" + "A" * 1_000
        assert shown([{"a": "text"}], {"a": text}) == {"a": "[REDACTED]"}

    def test_a_number_cut_in_two_is_not_shown(self) -> None:
        """Placeholders shorten a text; what then moves up to its end was searched whole."""
        for length in range(2_270, 2_310):
            text = (
                ("ada.lovelace@example.com " * 100)[:length] + " 4111 1111 1111 1111 " + "z " * 500
            )
            assert "111" not in shown([{"a": "text"}], {"a": text})["a"]

    @pytest.mark.parametrize("value", ["x" * 10**7, "a@" * 10**6, "x " * 10**6, b"x" * 10**7])
    def test_huge_values_are_cheap(self, value: object) -> None:
        """A value of many megabytes costs no more than its shown part."""
        extra = {"a": value, "b": value}
        assert largest_part(lambda: shown(["a", {"b": "text"}], extra)) < 1_000_000


class TestNeverRaises:
    def test_a_bug_of_ours_withholds_the_contents(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The line is written with a fixed text and the kind of error, and counted."""

        def broken(*_: object) -> Any:
            raise KeyError("canary")

        monkeypatch.setattr(templates, "resolve", broken)
        before = tally["redaction.failed"]
        record = made({"user.id": "u-1"}, levelno=logging.ERROR, levelname="ERROR")
        safe = Projection(["user.id"]).project(record)
        assert safe.getMessage() == "redaction failed: KeyError"
        assert (safe.levelno, fields_of(safe)) == (logging.ERROR, {})
        assert type(safe) is SafeRecord
        assert vars(safe)["record.id"]
        assert (safe.args, safe.exc_info, safe.exc_text, safe.stack_info) == (None,) * 4
        assert tally["redaction.failed"] == before + 1

    @pytest.mark.parametrize("spare", range(7, 60, 3))
    def test_near_the_recursion_limit(self, spare: int) -> None:
        """A call that leaves the redactor hardly any stack still gives a safe record."""

        def deep(frames: int) -> SafeRecord:
            return projection.project(record) if frames <= 0 else deep(frames - 1)

        projection, record = Projection(["a.b"]), made({"a": {"b": [1], "c": "canary"}})
        safe = deep(room() - spare)
        assert type(safe) is SafeRecord
        assert "canary" not in json.dumps(vars(safe))

    @pytest.mark.parametrize(
        "attributes",
        [
            {"msg": Untouchable()},
            {"args": (Untouchable(),), "msg": "x %s"},
            {"exc_info": Untouchable()},
            {"exc_info": (Untouchable(), Untouchable(), Untouchable())},
            {"name": Untouchable(), "levelno": Untouchable(), "created": Untouchable()},
            {"pathname": ["canary"], "lineno": Untouchable(), "funcName": Untouchable()},
            {"threadName": Untouchable(), "stack_info": Untouchable(), "exc_text": "canary"},
            {"audit": Untouchable(), "correlation_id": Untouchable(), "record.id": Untouchable()},
        ],
        ids=lambda attributes: next(iter(attributes)),
    )
    def test_hostile_attributes(self, attributes: JSON) -> None:
        """Standard attributes may hold anything; the record comes out safe."""
        record = made()
        record.__dict__.update(attributes)
        safe = Projection(["@crm"]).project(record)
        line = json.dumps(vars(safe))
        assert "canary" not in line
        assert "redaction failed" not in line

    def test_a_record_that_claims_to_be_safe_is_projected(self) -> None:
        """Being safe is a type; neither an attribute nor ``__class__`` makes a record safe."""

        class Liar(logging.LogRecord):
            __class__ = SafeRecord  # type: ignore[assignment]

        liar = Liar("n", 20, "f", 1, "canary", None, None)
        liar.__dict__["secret"] = "canary"
        assert "canary" not in json.dumps(vars(Projection(()).project(liar)))


class TestSafeRecords:
    def test_what_was_put_on_it_afterwards_is_taken_off(self) -> None:
        """Arguments, exception, cached texts: a safe record holds none, whoever adds them."""
        projection = Projection(["@crm"])
        safe = projection.project(made({"crm": "zoho"}))
        safe.args, safe.exc_text, safe.stack_info = ("canary",), "canary", "canary"
        safe.exc_info = (ValueError, ValueError("canary"), None)
        again = vars(projection.project(safe))
        assert "canary" not in str(again)
        assert [again[name] for name in ("args", "exc_info", "exc_text", "stack_info")] == [
            None
        ] * 4

    @pytest.mark.parametrize("mask", ["last4", "hmac"])
    def test_a_second_filter_masks_what_the_first_showed(self, mask: str) -> None:
        """Only what a mask made passes a mask again."""
        first = Projection([{"key": "id"}])
        second = Projection((), mask={"key": mask}, hmac_key=lambda: "k" * 32)
        safe = first.project(made({"key": "made-up-key-of-a-customer-1234"}))
        masked = vars(second.project(safe))["key"]
        assert masked.startswith("****1234" if mask == "last4" else "hmac:")
        assert vars(second.project(second.project(safe)))["key"] == masked


class TestAudit:
    def test_only_true_is_kept(self) -> None:
        """Handlers recognise an audit record; no other value gets out under that name."""
        keyed = {"audit": True}
        assert shown([], keyed) == {"audit": True}
        for value in (1, "yes", Untouchable()):
            found = shown([], {**keyed, "audit": value})
            assert found.get("audit") is None

    @pytest.mark.parametrize("names", [[], ["@crm"], ["audit"], ["*.id", "audit"]])
    def test_whatever_other_records_have_of_that_name(self, names: list[str]) -> None:
        """A field that is called so is one field; an audit record is one after it, too."""
        projection = Projection(names)
        for value in (False, True, "yes", True):
            safe = projection.project(made({"audit": value}))
            assert (vars(safe).get("audit") is True) == (value is True)


NICK = "nick_name"


def project_elsewhere(projection: Projection, key: str) -> JSON:
    return fields_of(projection.project(made({key: 1})))


NAMES = ("a", "b", "id", "user")
PATTERNS = ("a", "a.b", "a.*", "user.**", "user[].id", "b[]", "b[].a", "*.id", "a.*.b", "id")


def matches(pattern: str, path: tuple[str, ...]) -> bool:
    """An independent reading of a pattern, by recursion over its parts."""
    parts = tuple(pattern.replace("[]", ".[]").split("."))

    def fits(parts: tuple[str, ...], path: tuple[str, ...]) -> bool:
        if not parts or not path:
            return not parts and not path
        if parts[0] == "**":
            return True
        if parts[0] == path[0] or (parts[0] == "*" and path[0] != "[]"):
            return fits(parts[1:], path[1:])
        return False

    return fits(parts, path) or (path[-1] == "[]" and fits(parts, path[:-1]))


class Planter:
    """Builds data of which every value and every strange key is a string of its own."""

    def __init__(self, patterns: list[str]) -> None:
        self.patterns = patterns
        self.allowed: set[str] = set()
        self.planted: set[str] = set()

    def plant(self, shape: Any, path: tuple[str, ...]) -> Any:
        if isinstance(shape, dict):
            return {
                (name if name in NAMES else self._secret(name)): self.plant(each, (*path, name))
                for name, each in shape.items()
            }
        if isinstance(shape, list):
            return [self.plant(each, (*path, "[]")) for each in shape]
        value = f"v{len(self.planted)}q"
        self.planted.add(value)
        named = set(path) <= {*NAMES, "[]"}
        if named and any(matches(pattern, path) for pattern in self.patterns):
            self.allowed.add(value)
        return value

    def _secret(self, name: str) -> str:
        key = f"{name}{len(self.planted)}@q"
        self.planted.add(key)
        return key


SHAPES = st.recursive(
    st.just(0),
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(st.sampled_from((*NAMES, "x", "y")), below, max_size=4),
    ),
    max_leaves=20,
)
EXTRA = st.dictionaries(st.sampled_from((*NAMES, "x")), SHAPES, max_size=4)
ALLOWLISTS = st.lists(st.sampled_from(PATTERNS), max_size=5, unique=True)


class TestProperties:
    @settings(max_examples=300, deadline=None)
    @given(EXTRA, ALLOWLISTS, st.sampled_from(["mask", "drop"]))
    def test_only_allowed_paths_get_out(self, shape: JSON, patterns: list[str], how: str) -> None:
        """For any data and any allowlist exactly the planted strings of allowed paths occur."""
        planter = Planter(patterns)
        extra = planter.plant(shape, ())
        line = json.dumps(shown(patterns, extra, unknown=how))
        out = {planted for planted in planter.planted if f'"{planted}"' in line}
        assert out == planter.allowed
        assert not [key for key in planter.planted if key.endswith("@q") and key in line]

    @settings(max_examples=150, deadline=None)
    @given(EXTRA, ALLOWLISTS, st.sampled_from(["mask", "drop"]))
    def test_is_idempotent(self, extra: JSON, patterns: list[str], how: str) -> None:
        """A second pass through the same allowlist changes nothing."""
        projection = Projection(patterns, unknown=how, mask={"user.key": "last4"})
        extra = {**extra, "user.key": "0123456789abcdef", "id": ["not an id"] * 1_010}
        once = projection.project(made(extra))
        assert vars(projection.narrow(once)) == vars(once)

    @settings(max_examples=150, deadline=None)
    @given(EXTRA, ALLOWLISTS, ALLOWLISTS)
    def test_a_second_allowlist_only_narrows(
        self, shape: JSON, first: list[str], second: list[str]
    ) -> None:
        """What two let out in turn, each of them lets out alone."""
        extra = Planter([]).plant(shape, ())
        once = Projection(first).project(made(extra))
        before = dict(vars(once))
        twice = json.dumps(fields_of(Projection(second).narrow(once)))
        for value in leaves(fields_of(once)):
            alone = json.dumps(shown(second, extra))
            if f'"{value}"' in twice and not value.startswith("["):
                assert f'"{value}"' in alone
        assert leaves(json.loads(twice)) <= leaves(fields_of(once)) | {"[REDACTED]"}
        assert vars(once) == before

    @settings(max_examples=150, deadline=None)
    @given(EXTRA, ALLOWLISTS, SHAPES)
    def test_an_unknown_field_adds_no_value(
        self, extra: JSON, patterns: list[str], shape: Any
    ) -> None:
        """Whatever stands under an unknown name, only the count of names changes."""
        extra.pop("x", None)
        patterns = [pattern for pattern in patterns if pattern[0] != "*"]
        less = shown(patterns, extra)
        more = shown(patterns, {**extra, "x": Planter([]).plant(shape, ())})
        assert more.pop("[KEYS]") == less.pop("[KEYS]", 0) + 1
        assert more == less


def leaves(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {leaf for each in value.values() for leaf in leaves(each)}
    if isinstance(value, list):
        return {leaf for each in value for leaf in leaves(each)}
    return {str(value)}


def room() -> int:
    """Return how many calls fit on the stack; what C code called counts as well."""
    try:
        return 1 + room()
    except RecursionError:
        return 0
