"""Promises of `redaction.plan`: a record that departs from the plan is none of its own."""

from __future__ import annotations

import enum
import logging
import time
from typing import Any

import pytest

from crmlogging.redaction.masks import masked
from crmlogging.redaction.projection import Projection


class Showing(logging.Handler):
    """Keeps what is shown of each record, some attributes of the last one forged."""

    def __init__(self, forged: dict[str, object], projection: Projection | None = None) -> None:
        super().__init__()
        self.projection = projection or Projection(["user.id"])
        self.forged = forged
        self.shown: list[dict[str, Any]] = []

    def handle(self, record: logging.LogRecord) -> bool:
        if len(self.shown) == 4:
            record.__dict__.update(self.forged)
        self.shown.append(dict(vars(self.projection.project(record))))
        return True


class Comparing(logging.Handler):
    """Lets `other` handle a record, and projects it once more with nothing known of its call."""

    def __init__(self, other: Showing) -> None:
        super().__init__()
        self.other = other
        self.shown: list[dict[str, Any]] = []

    def handle(self, record: logging.LogRecord) -> bool:
        self.other.handle(record)
        fresh = Projection(["user", {"note": "text"}])
        self.shown.append(dict(vars(fresh.project(record))))
        return True


class Touched(BaseException):
    """Foreign code ran; not an Exception, so that nothing swallows it."""


def forbidden(*_: object) -> Any:
    raise Touched


class Untouchable:
    """An argument of which no method may run."""

    __slots__ = ()
    __repr__ = __str__ = __iter__ = __len__ = __bool__ = __hash__ = forbidden
    __eq__ = __format__ = __int__ = __float__ = forbidden
    __class__ = property(forbidden)


class TestDeparting:
    @pytest.mark.parametrize(
        ("name", "value", "shown"),
        [
            ("thread", 4111111111111111, None),
            ("process", 4111111111111111, None),
            ("threadName", "canary", "[NAME]"),
            ("processName", "canary", "[NAME]"),
            ("taskName", "canary", "[NAME]"),
            ("levelname", "canary", "ERROR"),
            ("name", "crm.4711", "crm.[NAME]"),
            ("funcName", "canary", "[NAME]"),
            ("lineno", 4_711_471_147, 0),
            ("args", ("canary",), None),
            ("msg", "_".join(reversed(["word", "made"])), "[DYNAMIC MESSAGE]"),
            ("relativeCreated", "canary", 0.0),
        ],
    )
    def test_a_forged_fact_is_judged_anew(self, name: str, value: object, shown: object) -> None:
        """Whatever the four records before it had."""
        handler = Showing({name: value})
        logger = logging.Logger("crm.plan", logging.DEBUG)
        logger.addHandler(handler)
        for number in range(5):
            logger.error("Failed to sync", extra={"user.id": f"u-{number}"})
        assert [each["user.id"] for each in handler.shown] == [f"u-{n}" for n in range(5)]
        assert handler.shown[4][name] == shown

    @pytest.mark.parametrize(
        "created", [4_111_111_111_111_111.0, float("inf"), float("nan"), -4_711.0, 4_711_471_147]
    )
    def test_a_forged_time_is_none(self, created: object) -> None:
        """A number that is no moment a clock can tell does not get out as one."""
        handler = Showing({"created": created})
        logger = logging.Logger("crm.plan", logging.DEBUG)
        logger.addHandler(handler)
        for number in range(5):
            logger.error("Failed to sync", extra={"user.id": f"u-{number}"})
        assert abs(handler.shown[4]["created"] - time.time()) < 60

    @pytest.mark.parametrize(
        "arguments",
        [
            pytest.param(given, id=kind)
            for kind, given in {
                "one more": ("u-4", "canary"),
                "none": (),
                "nothing": None,
                "mapping": {0: "canary"},
                "list": ["canary"],
                "text": "c",
                "list in it": (["canary"],),
                "hostile": (Untouchable(),),
            }.items()
        ],
    )
    def test_forged_arguments_go_the_long_way(self, arguments: object) -> None:
        """Whatever stands in place of a call's one argument, a first record shows no less."""
        handler = Showing({"args": arguments}, Projection(["user", {"note": "text"}]))
        logger = logging.Logger("crm.plan", logging.DEBUG)
        first = Comparing(handler)
        logger.addHandler(first)
        for number in range(5):
            user = f"u-{number}"
            logger.error("Asked %s", user)
        assert [each["user"] for each in handler.shown[:4]] == [f"u-{n}" for n in range(4)]
        assert "canary" not in str(handler.shown[4])
        for name in ("msg", "user"):
            assert handler.shown[4].get(name) == first.shown[4].get(name)


class Name(enum.StrEnum):
    """Keys that equal an allowed name, and are none."""

    USER = "user.id"


class TestNames:
    def test_a_key_that_is_no_string_gets_no_plan(self) -> None:
        """What merely equals an allowed name is counted, the fifth time as the first."""
        handler = Showing({})
        logger = logging.Logger("crm.plan", logging.DEBUG)
        logger.addHandler(handler)
        for _ in range(5):
            logger.error("Failed to sync", extra={Name.USER: "canary"})
        assert "canary" not in str(handler.shown)
        assert [each["[KEYS]"] for each in handler.shown] == [1] * 5

    def test_texts_of_a_wildcard_are_bounded_together(self) -> None:
        """All the texts that a wildcard lets out end at a total, in every record of a call."""
        handler = Showing({}, Projection([{"note.*": "text"}]))
        logger = logging.Logger("crm.plan", logging.DEBUG)
        logger.addHandler(handler)
        for _ in range(5):
            extra = {f"note.n{number}": "word " * 380 for number in range(80)}
            logger.error("Failed to sync", extra=extra)
        for each in handler.shown:
            texts = [str(value) for name, value in each.items() if name.startswith("note.")]
            assert sum(map(len, texts)) < 110_000


class TestMessages:
    def test_any_shows_each_its_own(self) -> None:
        """Where rendered messages are shown, the fifth of a call is not that of an earlier one."""
        handler = Showing({}, Projection([], messages="any"))
        logger = logging.Logger("crm.plan", logging.DEBUG)
        logger.addHandler(handler)
        for number in range(5):
            logger.error("Asked for page %s", number)
        assert [each["msg"] for each in handler.shown] == [f"Asked for page {n}" for n in range(5)]

    def test_each_literal_of_a_call_shows_as_itself(self) -> None:
        """Of a call with two messages, no record bears the text of the other."""
        handler = Showing({}, Projection(["user"]))
        logger = logging.Logger("crm.plan", logging.DEBUG)
        logger.addHandler(handler)
        for number in range(10):
            user = f"u-{number}"
            logger.error("Asked %s" if number % 4 < 2 else "Told %s", user)
        told = [("Asked %s", "Told %s")[number % 4 >= 2] for number in range(10)]
        assert [each["msg"] for each in handler.shown] == told
        assert [each["user"] for each in handler.shown] == [f"u-{n}" for n in range(10)]


class TestMasks:
    def test_every_record_of_a_call_is_masked(self) -> None:
        """By the mask, the name and the key that its filter has, the tenth as the first."""
        key = "0123456789abcdef" * 2
        masks = {"user.email": "hmac", "api_key": "last4"}
        handler = Showing({}, Projection([], mask=masks, hmac_key=lambda: key))
        logger = logging.Logger("crm.plan", logging.DEBUG)
        logger.addHandler(handler)
        for number in range(5):
            extra = {"user.email": f"ada{number}@example.com", "api_key": f"{number:032}"}
            logger.error("Failed to sync", extra=extra)
        for number, each in enumerate(handler.shown):
            email, token = f"ada{number}@example.com", f"{number:032}"
            assert each["user.email"] == masked("hmac", "user.email", email, lambda: key)
            assert each["api_key"] == masked("last4", "api_key", token, None) == f"****{number:04}"
