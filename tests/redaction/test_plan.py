"""Promises of `redaction.plan`: a record that departs from the plan is none of its own."""

from __future__ import annotations

import logging
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
