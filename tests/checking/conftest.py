"""What the tests of a check share: a logging tree made by a document."""

from __future__ import annotations

import logging
import logging.config
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

FILTERS: dict[str, Any] = {
    "correlation": {"()": "crmlogging.CorrelationFilter"},
    "errors": {"()": "crmlogging.ErrorFilter"},
    "allowlist": {"()": "crmlogging.AllowlistFilter", "fields": ["@crm"]},
    "grouping": {"()": "crmlogging.GroupingFilter"},
}
SAFE = ["correlation", "errors", "allowlist"]
STREAM = {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"}

Document = Callable[..., dict[str, Any]]


@pytest.fixture
def document(tmp_path: Path) -> Document:
    """Make a dictConfig document of handlers; those that `root` does not name are not on root."""

    def make(*, root: list[str], loggers: Any = None, **handlers: Any) -> dict[str, Any]:
        files = {"filename": str(tmp_path / "logs" / "crm.jsonl")}
        return {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": FILTERS,
            "formatters": {"json": {"()": "crmlogging.JsonFormatter"}},
            "handlers": {
                name: {
                    **(files if "Retention" in str(each.get("class")) else {}),
                    **each,
                }
                for name, each in handlers.items()
            },
            "loggers": loggers or {},
            "root": {"level": "INFO", "handlers": root},
        }

    return make


@pytest.fixture
def bare_root() -> Iterator[None]:
    """Take what is on loggers off, pytest's handlers too, for the test."""
    known = list(logging.root.manager.loggerDict.values())
    loggers = [logging.root, *(each for each in known if isinstance(each, logging.Logger))]
    before = [(each, each.handlers[:], each.filters[:]) for each in loggers]
    for logger in loggers:
        logger.handlers[:] = []
        logger.filters[:] = []
    yield
    for logger, handlers, filters in before:
        for handler in logger.handlers:
            if handler not in handlers:
                handler.close()
        logger.handlers[:] = handlers
        logger.filters[:] = filters
