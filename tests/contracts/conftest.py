"""Loggers under test, each with the ways out of a record that it may be measured by."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pytest

from crmlogging import (
    AllowlistFilter,
    AsyncHandler,
    CorrelationFilter,
    ErrorFilter,
    JsonFormatter,
    Logger,
    RetentionFileHandler,
)
from crmlogging.logger import adopt_loggers

FIELDS: Final = ("@crm", "trace.id")
NAME: Final = "contract"


class Collecting(logging.Handler):
    """A handler of somebody else's."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


class Case:
    """A class of loggers, and the handlers that its records end at.

    Attributes:
        logger: of that class, at DEBUG, cut off from root, with those handlers.
        records: what reached the foreign handler, if there is one.
    """

    def __init__(self, loggers: str, handlers: str, directory: Path) -> None:
        self._file = directory / "crm.jsonl"
        self._collecting = Collecting()
        self._loggers = loggers
        self._handlers = handlers

    # Made in the test itself: pytest gives those that are there before a handler of its own.
    @cached_property
    def logger(self) -> logging.Logger:
        """Make the logger."""
        logging.setLoggerClass(Logger if self._loggers == "ours" else logging.Logger)
        logger = logging.getLogger(NAME)
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        for each in self._made():
            logger.addHandler(each)
        if self._loggers == "adopted":
            adopt_loggers()
        return logger

    def file(self, *, document: bool = False) -> logging.Handler:
        """Return another handler for the same file, with one filter or the document's three."""
        handler = RetentionFileHandler(self._file, tiers={"standard": 90})
        handler.setFormatter(JsonFormatter(service="contract"))
        if document:
            handler.addFilter(CorrelationFilter())
            handler.addFilter(ErrorFilter())
        handler.addFilter(AllowlistFilter(FIELDS))
        return handler

    def _made(self) -> Iterator[logging.Handler]:
        if self._handlers == "queue":
            queue = AsyncHandler(handlers=[self.file()])
            queue.addFilter(AllowlistFilter(FIELDS))
            yield queue
        elif self._handlers != "foreign":
            yield self.file(document=self._handlers == "document")
        if self._handlers in ("foreign", "both"):
            yield self._collecting

    @property
    def records(self) -> list[logging.LogRecord]:
        return self._collecting.records

    def lines(self) -> list[dict[str, Any]]:
        """Return what has come out at the end, by way of the file where there is one."""
        for each in self.logger.handlers:
            each.flush()
        if self._handlers == "foreign":
            names = {"levelname": "level", "name": "logger", "msg": "message"}
            return [{names.get(k, k): v for k, v in vars(r).items()} for r in self.records]
        return [json.loads(line) for line in self._file.read_text().splitlines()]

    def said(self) -> list[str]:
        """Return the messages of the lines."""
        return [line["message"] for line in self.lines()]


ALL: Final = (
    *("standard-foreign", "standard-file", "ours-foreign", "ours-file", "ours-both"),
    *("ours-document", "ours-queue", "adopted-file"),
)
"""The standard logger is there to prove the tests: what they ask for is what it does."""
SEEN: Final = ("standard-foreign", "ours-foreign", "ours-both", "adopted-both")
"""Cases in which a foreign handler sees the records."""

MakeCase = Callable[[str], Case]


@pytest.fixture
def make_case(tmp_path: Path) -> Iterator[MakeCase]:
    """Make a case by its name, in the place of the one before; none is left after the test."""
    numbers = itertools.count()

    def make(name: str) -> Case:
        _end()
        directory = tmp_path / f"case{next(numbers)}"
        directory.mkdir()
        loggers, _, handlers = name.partition("-")
        return Case(loggers, handlers, directory)

    yield make
    _end()


def _end() -> None:
    loggers = logging.root.manager.loggerDict
    for name in [each for each in loggers if each.split(".")[0] == NAME]:
        logger = loggers.pop(name)
        for handler in getattr(logger, "handlers", ()):
            handler.close()


@pytest.fixture(params=ALL)
def case(request: pytest.FixtureRequest, make_case: MakeCase) -> Case:
    """Lend each case in turn."""
    return make_case(request.param)


@pytest.fixture(params=SEEN)
def seen(request: pytest.FixtureRequest, make_case: MakeCase) -> Case:
    """Lend each case in turn whose records can be looked at."""
    return make_case(request.param)
