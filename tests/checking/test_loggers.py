"""Promises of `crmlogging.checking.loggers`: what goes wrong between loggers and places."""

from __future__ import annotations

import logging
import logging.config
import os
from pathlib import Path
from typing import Any

import pytest

import crmlogging
from crmlogging.checking.findings import Finding
from crmlogging.checking.loggers import (
    findings_between,
    findings_on_document,
    findings_on_places,
)
from crmlogging.checking.tree import Tree
from tests.checking.conftest import SAFE, STREAM, Document

pytestmark = pytest.mark.usefixtures("bare_root")


def between(document: dict[str, Any], *codes: str) -> list[Finding]:
    """Configure, and return the findings of these codes."""
    logging.config.dictConfig(document)
    return [each for each in findings_between(Tree()) if each.code in codes]


class TestBetween:
    def test_a_filter_on_a_logger(self, document: Document) -> None:
        """It does not see the records of child loggers."""
        filtered = {"crm": {"filters": ["allowlist"]}}
        found = between(document(root=["out"], loggers=filtered, out=STREAM), "filter-on-logger")
        assert [each.place for each in found] == ["crm"]

    def test_one_handler_on_a_logger_and_its_parent(self, document: Document) -> None:
        """Each record comes twice; without propagation it does not."""
        twice = {"crm.sync": {"handlers": ["out"]}}
        found = between(document(root=["out"], loggers=twice, out=STREAM), "duplicate")
        assert [each.place for each in found] == ["out"]
        assert "crm.sync" in found[0].text
        twice["crm.sync"]["propagate"] = False  # type: ignore[assignment]  # a document's table
        assert between(document(root=["out"], loggers=twice, out=STREAM), "duplicate") == []

    def test_one_handler_directly_and_behind_a_queue(self, document: Document) -> None:
        """The way through a queue counts."""
        queue = {"()": "crmlogging.AsyncHandler", "handlers": ["out"], "filters": SAFE}
        found = between(document(root=["queue", "out"], queue=queue, out=STREAM), "duplicate")
        assert [each.place for each in found] == ["out"]

    def test_a_level_that_no_logger_lets_through(self, document: Document) -> None:
        """A handler that asks for DEBUG under INFO gets none: worth knowing."""
        out = {**STREAM, "level": "DEBUG"}
        (found,) = between(document(root=["out"], out=out), "level")
        assert (found.place, found.problem) == ("out", False)
        assert "below INFO" in found.text

    def test_a_level_that_one_logger_lets_through(self, document: Document) -> None:
        """A child at DEBUG is enough."""
        out = {**STREAM, "level": "DEBUG"}
        child = {"crm.sync": {"level": "DEBUG"}}
        assert between(document(root=["out"], loggers=child, out=out), "level") == []

    def test_a_level_that_the_queue_holds_back(self, document: Document) -> None:
        """The level of what stands before counts as well."""
        queue = {"()": "crmlogging.AsyncHandler", "handlers": ["out"], "level": "WARNING"}
        out = {**STREAM, "level": "INFO"}
        (found,) = between(document(root=["queue"], queue=queue, out=out), "level")
        assert "queue lets nothing below WARNING" in found.text

    def test_disabled(self, document: Document) -> None:
        """Disabled loggers, and a level disabled for all, lose records."""
        logging.config.dictConfig(document(root=["out"], out=STREAM))
        logging.getLogger("crm.asleep").disabled = True
        logging.disable(logging.INFO)
        try:
            found = list(findings_between(Tree()))
        finally:
            logging.disable(logging.NOTSET)
        assert [each.code for each in found] == ["disabled-level", "disabled-loggers"]
        assert "crm.asleep" in found[1].place

    def test_a_good_tree(self, document: Document) -> None:
        """Nothing is found in the usual arrangement."""
        logging.config.dictConfig(
            document(
                root=["queue", "null"],
                loggers={"crm": {"level": "DEBUG"}},
                queue={"()": "crmlogging.AsyncHandler", "handlers": ["out"], "filters": SAFE},
                out=STREAM,
                null={"class": "logging.NullHandler"},
            )
        )
        for logger in Tree().loggers:  # of other tests
            logger.disabled = False
        assert list(findings_between(Tree())) == []


class TestDocument:
    def test_what_only_the_document_shows(self, document: Document) -> None:
        """A root without level, a handler that nobody uses, silenced loggers."""
        made = document(root=["out"], out=STREAM, spare={"class": "logging.NullHandler"})
        del made["root"]["level"]
        logging.config.dictConfig(made)
        found = findings_on_document(made, Tree(), silenced=True)
        assert [(each.code, each.problem) for each in found] == [
            ("disable-existing-loggers", True),
            ("no-level", False),
            ("unused", False),
        ]

    def test_a_good_document(self, document: Document) -> None:
        """Nothing is found."""
        made = document(root=["out"], out=STREAM)
        logging.config.dictConfig(made)
        assert list(findings_on_document(made, Tree(), silenced=False)) == []


class TestPlaces:
    def test_two_handlers_on_one_file(self, tmp_path: Path) -> None:
        """Whatever the way of writing its name."""
        one, other = logging.StreamHandler(), logging.StreamHandler()
        logging.root.addHandler(one)
        logging.root.addHandler(other)
        same = os.path.join(tmp_path, ".", "crm.log")
        found = findings_on_places(Tree(), {one: str(tmp_path / "crm.log"), other: same})
        assert [each.code for each in found] == ["same-place"]

    def test_a_directory_that_is_not_there(self, tmp_path: Path) -> None:
        """Ours make it, a FileHandler fails: both are told, neither is a problem."""
        place = str(tmp_path / "logs" / "crm.log")
        foreign = logging.StreamHandler()
        ours = crmlogging.RetentionFileHandler(tmp_path / "x.jsonl")
        logging.root.addHandler(foreign)
        logging.root.addHandler(ours)
        found = [
            *findings_on_places(Tree(), {foreign: place}),
            *findings_on_places(Tree(), {ours: place}),
        ]
        assert [(each.code, each.problem) for each in found] == [
            ("no-directory", False),
            ("new-directory", False),
        ]

    def test_a_place_that_cannot_be_written(self, tmp_path: Path) -> None:
        """A file where the directory should be is named."""
        (tmp_path / "logs").write_text("")
        handler = logging.StreamHandler()
        logging.root.addHandler(handler)
        found = findings_on_places(Tree(), {handler: str(tmp_path / "logs" / "crm.log")})
        assert [each.code for each in found] == ["unwritable"]
