"""Promise: what a filter has seen before decides of nothing that a record shows."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from crmlogging import AllowlistFilter, CorrelationFilter, ErrorFilter, JsonFormatter, Logger
from crmlogging.records import refine

PLACES: list[Callable[..., None]] = [
    lambda log, one, two: log.error("Synced contact", extra={"audit": one, "crm": two}),
    lambda log, one, two: log.error("Merged contact", extra={"crm": one, "audit": two}),
    lambda log, one, two: log.error("Read form", extra={"request": one, "request.method": two}),
    lambda log, one, two: log.error("Read form", extra={"request.method": one, "email": two}),
    lambda log, one, two: log.error("Asked for %s", one, extra={"details.kind": two}),
    lambda log, one, two: log.error("Asked for %s %s", one, two, extra={"details": {"kind": one}}),
    lambda log, one, two: log.error(f"Closed deal {one}", extra={"tenant.code": two}),
    lambda log, one, two: log.error("Closed deal", extra={"tenant": one, "user.id": two}),
    lambda log, one, two: log.error("Failed", extra={"error": one, "error.code": two}),
    lambda log, one, two: log.error("Failed", extra=dict.fromkeys(("email", "note"), two)),
    lambda log, one, two: log.error("Failed", extra={"campaign.name": one, "api_key": two}),
    lambda log, one, two: log.error("Failed", extra={"extra.audit": one, "a name": two}),
]
VALUES: list[Any] = [
    *(True, True, False, None, 0, 1, "1", 2.5, 2**70, "GET", "get", "acme", "not a shape", ""),
    *("ada@example.com", "a" * 200, "0123456789abcdef0123", "/contacts/4711", "E-17", "é\u2028"),
    *({}, {"method": "GET"}, {"code": "acme", "kind": "x"}, {"kind": {"deep": 1}}, [], [1, "x"]),
    *(("x",), b"x", object(), ValueError("ada@example.com"), float("nan")),
]
FIELDS: list[list[Any]] = [
    ["crm", "tenant.code", "request.method", "error.code"],
    ["crm", "audit", "details.**", "user.id"],
    ["request.*", "user.id", {"campaign.name": "text"}, "extra.audit"],
    ["crm", "details.*", {"note": "text"}],
]  # without "@crm", which takes ten milliseconds to compile


class Comparing(logging.Handler):
    """Renders each record by filters that stay, and by some that are new each time."""

    def __init__(self, make: Callable[[], list[logging.Filter]]) -> None:
        super().__init__()
        self.lines: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self._make = make
        self._kept = make()
        self._formatter = JsonFormatter(service="crm-sync")

    def handle(self, record: logging.LogRecord) -> bool:
        self.lines.append((self._line(record, self._kept), self._line(record, self._make())))
        return True

    def _line(self, record: logging.LogRecord, filters: list[logging.Filter]) -> dict[str, Any]:
        safe = refine(record, filters)
        assert isinstance(safe, logging.LogRecord)
        line: dict[str, Any] = orjson.loads(self._formatter.format(safe))
        return line


@pytest.mark.parametrize("kind", [logging.Logger, Logger], ids=["stock", "own"])
@pytest.mark.parametrize("fields", FIELDS)
def test_it_has_no_past(kind: type[logging.Logger], fields: list[Any]) -> None:
    """Calls at several places, with values of all kinds, in any order."""
    unknown = "drop" if kind is Logger else "mask"

    def filters() -> list[logging.Filter]:
        allowlist = AllowlistFilter(fields, unknown=unknown, mask={"api_key": "last4"})
        return [CorrelationFilter(), ErrorFilter(), allowlist]

    logger, handler, chance = kind("crm.sync"), Comparing(filters), random.Random(str(fields))
    logger.addHandler(handler)
    for _ in range(200):
        chance.choice(PLACES)(logger, chance.choice(VALUES), chance.choice(VALUES))
    assert len(handler.lines) == 200
    for kept, new in handler.lines:
        assert list(kept.items()) == list(new.items())
