"""A logger before a file that knows calls, and what its lines are compared with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
from hypothesis import strategies as st

from crmlogging import (
    AllowlistFilter,
    CorrelationFilter,
    ErrorFilter,
    JsonFormatter,
    Logger,
    RetentionFileHandler,
)
from crmlogging.redaction import straight

Line = dict[str, Any]


class Usual(RetentionFileHandler):
    """Knows no calls: a subclass that does something of its own with each record."""

    def handle(self, record: logging.LogRecord) -> bool:
        return super().handle(record)


class Changing(logging.Filter):
    """Does something to each record."""

    def __init__(self, change: Callable[[logging.LogRecord], object]) -> None:
        super().__init__()
        self.change = change

    def filter(self, record: logging.LogRecord) -> bool:
        self.change(record)
        return True


class Place:
    """A logger before a file, with the filters of the design's document."""

    def __init__(
        self,
        path: Path,
        kind: type[logging.Logger] = Logger,
        handler: type[RetentionFileHandler] = RetentionFileHandler,
        filters: tuple[logging.Filter, ...] = (),
    ) -> None:
        self.path = path
        self.logger = kind("crm.sync", logging.DEBUG)
        self.logger.manager = logging.Manager(logging.root)
        self.handler = handler(path)
        self.handler.setFormatter(JsonFormatter(service="crm-sync"))
        fields: list[str | Mapping[str, str]] = ["@crm", "count", {"note": "text"}]
        allowlist = AllowlistFilter(fields, mask={"api_key": "last4"})
        for each in filters or (CorrelationFilter(), ErrorFilter(), allowlist):
            self.handler.addFilter(each)
        self.logger.addHandler(self.handler)

    def log(self, extra: Mapping[str, object] | None = None, times: int = 1) -> None:
        for _ in range(times):
            self.logger.info("Synced contacts", extra=extra)

    def known(self) -> int:
        """Return for how many calls there is a function."""
        sites = [*self.handler._calls.values(), *self.handler._records.values()]
        found = [each.straight for site in sites for each in site]
        return sum(each.quick is not straight._unknown for each in found)

    def lines(self) -> list[Line]:
        return [orjson.loads(line) for line in self.path.read_bytes().splitlines()]


def differences(line: Line, other: Line) -> Line:
    names = [*line, *(name for name in other if name not in line)]
    return {
        name: (line.get(name), other.get(name))
        for name in names
        if name not in ("timestamp", "record.id") and line.get(name) != other.get(name)
    }


VALUES = st.sampled_from(
    [
        *("zoho", "c-17", "ada@example.com", "not shown", "4111111111111111", "", "\ud800", "é\n"),
        *(None, True, 0, 1, 200, 131.75, float("inf"), 10**20, b"x", [1], {"a": 1}, object()),
        *("a word", "call +1 555 0100", "sk_live_" + "made-up-0123456789", "[REDACTED]", "x\x7f"),
    ]
)
