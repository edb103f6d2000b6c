"""Promises of `crmlogging.checking.verdicts`: what protects a handler, and what stands wrong."""

from __future__ import annotations

import logging
import logging.config
import logging.handlers
import queue
import sys
from typing import Any

import pytest

import crmlogging
from crmlogging.checking.findings import Finding
from crmlogging.checking.tree import Tree
from crmlogging.checking.verdicts import findings_on, verdict_on
from tests.checking.conftest import SAFE, STREAM, Document

RETENTION = {"class": "crmlogging.RetentionFileHandler"}
pytestmark = pytest.mark.usefixtures("bare_root")


def configured(document: dict[str, Any]) -> tuple[dict[str, str], list[Finding]]:
    """Return the verdicts by handler, and the findings on handlers."""
    logging.config.dictConfig(document)
    tree = Tree()
    verdicts = {name: verdict_on(handler, tree) for handler, name in tree.handlers.items()}
    return verdicts, [each for handler in tree.handlers for each in findings_on(handler, tree)]


def codes(findings: list[Finding], *, place: str = "") -> set[str]:
    return {each.code for each in findings if place in ("", each.place)}


class TestVerdicts:
    def test_a_filter_on_the_handler_protects(self, document: Document) -> None:
        """Ours and foreign handlers alike; nothing is found."""
        verdicts, findings = configured(
            document(
                root=["file", "out"],
                file={**RETENTION, "filters": SAFE},
                out={**STREAM, "filters": SAFE},
            )
        )
        assert verdicts == {"file": "protected", "out": "protected"}
        assert findings == []

    def test_a_filter_on_the_queue_protects_what_is_behind(self, document: Document) -> None:
        """All targets of an AsyncHandler with the filters get safe records."""
        verdicts, findings = configured(
            document(
                root=["queue"],
                queue={"()": "crmlogging.AsyncHandler", "handlers": ["out"], "filters": SAFE},
                out=STREAM,
            )
        )
        assert verdicts == {"queue": "protected", "out": "protected by queue"}
        assert findings == []

    def test_a_target_that_is_on_a_logger_too_is_not_protected(self, document: Document) -> None:
        """One way without a filter is enough to leak."""
        verdicts, findings = configured(
            document(
                root=["queue", "out"],
                queue={"()": "crmlogging.AsyncHandler", "handlers": ["out"], "filters": SAFE},
                out=STREAM,
            )
        )
        assert verdicts["out"] == "unprotected"
        assert codes(findings, place="out") == {"unprotected"}

    def test_a_target_of_two_queues(self, document: Document) -> None:
        """Both need the filters."""
        queue = {"()": "crmlogging.AsyncHandler", "handlers": ["out"]}
        safe = {**queue, "filters": SAFE}
        verdicts, _ = configured(document(root=["a", "b"], a=safe, b=queue, out=STREAM))
        assert verdicts["out"] == "unprotected"
        verdicts, _ = configured(document(root=["a", "b"], a=safe, b=safe, out=STREAM))
        assert verdicts["out"] == "protected by a"

    def test_a_foreign_handler_without_filter(self, document: Document) -> None:
        """It is named, with what to do."""
        verdicts, (finding,) = configured(document(root=["out"], out=STREAM))
        assert verdicts == {"out": "unprotected"}
        assert (finding.code, finding.place, finding.problem) == ("unprotected", "out", True)
        assert "add one to its filters" in finding.text

    def test_a_durable_handler_without_filter(self, document: Document) -> None:
        """It masks all, which nobody wants."""
        verdicts, findings = configured(document(root=["file"], file=RETENTION))
        assert verdicts == {"file": "masked whole"}
        assert codes(findings) == {"unfiltered"}

    def test_a_null_handler(self, document: Document) -> None:
        """It writes nothing and needs nothing."""
        verdicts, findings = configured(
            document(root=["null"], null={"class": "logging.NullHandler"})
        )
        assert verdicts == {"null": "writes nothing"}
        assert findings == []

    def test_last_resort(self, document: Document) -> None:
        """Without a handler, records end on stderr in clear; a NullHandler would end that."""
        verdicts, findings = configured(document(root=[]))
        assert verdicts == {"logging.lastResort": "unprotected"}
        assert codes(findings) == {"last-resort"}
        assert "root has no handler" in findings[0].text

    def test_last_resort_behind_a_cut_off_logger(self, document: Document) -> None:
        """A logger that does not propagate and has no handler is one too."""
        null = {"class": "logging.NullHandler"}
        cut = {"crm.cut": {"propagate": False}}
        _, findings = configured(document(root=["null"], loggers=cut, null=null))
        assert codes(findings) == {"last-resort"}
        assert "crm.cut" in findings[0].text

    def test_standard_queue_with_a_listener_of_its_own(self) -> None:
        """The listener is found by its queue; a filter before the queue protects its handlers."""
        channel: queue.SimpleQueue[Any] = queue.SimpleQueue()
        near = logging.handlers.QueueHandler(channel)
        target = logging.StreamHandler()
        listener = logging.handlers.QueueListener(channel, target)
        logging.root.addHandler(near)
        tree = Tree()
        assert verdict_on(target, tree) == "unprotected"
        assert verdict_on(near, tree) == "writes nothing"
        near.addFilter(crmlogging.AllowlistFilter(["@crm"]))
        assert verdict_on(target, tree) == "protected by QueueHandler"
        assert listener.handlers == (target,)

    def test_memory_handler(self) -> None:
        """What a buffer passes on comes as it went in."""
        target = logging.StreamHandler()
        logging.root.addHandler(logging.handlers.MemoryHandler(9, target=target))
        tree = Tree()
        assert verdict_on(target, tree) == "unprotected"


class TestPlaces:
    def test_filters_behind_a_queue(self, document: Document) -> None:
        """They see neither context nor call site there."""
        _, findings = configured(
            document(
                root=["queue"],
                queue={"()": "crmlogging.AsyncHandler", "handlers": ["out"]},
                out={**STREAM, "filters": SAFE},
            )
        )
        found = [each for each in findings if each.code == "filter-behind-queue"]
        assert len(found) == 3
        assert all("put it on queue" in each.text for each in found)

    def test_a_second_filter_behind_a_queue_only_narrows(self, document: Document) -> None:
        """With filters on the queue as well, nothing is wrong."""
        _, findings = configured(
            document(
                root=["queue"],
                queue={"()": "crmlogging.AsyncHandler", "handlers": ["out"], "filters": SAFE},
                out={**STREAM, "filters": SAFE},
            )
        )
        assert findings == []

    @pytest.mark.parametrize(
        ("filters", "found"),
        [
            pytest.param(["allowlist", "correlation", "errors"], {"filter-order"}, id="first"),
            pytest.param(["correlation", "allowlist", "errors"], {"filter-order"}, id="between"),
            pytest.param(["allowlist"], {"no-context"}, id="alone"),
            pytest.param(["errors", "correlation", "allowlist"], set(), id="either-order-before"),
            pytest.param([*SAFE, "grouping"], set(), id="grouping-after"),
        ],
    )
    def test_order(self, document: Document, filters: list[str], found: set[str]) -> None:
        """What reads raw values stands before the AllowlistFilter."""
        _, findings = configured(document(root=["out"], out={**STREAM, "filters": filters}))
        assert codes(findings) == found

    def test_a_foreign_filter_after_ours(self) -> None:
        """It may write anything on the record: worth knowing."""
        handler = logging.StreamHandler()
        for each in (crmlogging.CorrelationFilter(), crmlogging.ErrorFilter()):
            handler.addFilter(each)
        handler.addFilter(crmlogging.AllowlistFilter(["@crm"]))
        handler.addFilter(logging.Filter())
        logging.root.addHandler(handler)
        (finding,) = findings_on(handler, Tree())
        assert (finding.code, finding.problem) == ("filter-after", False)
        assert "logging.Filter" in finding.text

    @pytest.mark.parametrize("behind", [True, False])
    def test_grouping_before_an_archive(self, document: Document, behind: bool) -> None:
        """An archive keeps every line, directly and behind a queue."""
        grouped = [*SAFE, "grouping"]
        made = document(root=["file"], file={**RETENTION, "filters": grouped})
        if behind:
            made = document(
                root=["queue"],
                queue={"()": "crmlogging.AsyncHandler", "handlers": ["file"], "filters": grouped},
                file=RETENTION,
            )
        _, findings = configured(made)
        assert codes(findings) == {"grouped-archive"}
        assert "archive file" in findings[0].text

    def test_a_foreign_handler_before_others(self, document: Document) -> None:
        """On 3.11 its filters change the record for those after it; later Pythons do not."""
        _, findings = configured(
            document(
                root=["out", "null"],
                out={**STREAM, "filters": SAFE},
                null={"class": "logging.NullHandler"},
            )
        )
        expected = {"in-place"} if sys.version_info < (3, 12) else set()
        assert codes(findings) == expected
        assert all("null" in each.text and not each.problem for each in findings)


class TestOptions:
    def test_any_message(self, document: Document) -> None:
        """messages="any" lets values out."""
        made = document(root=["out"], out={**STREAM, "filters": SAFE})
        made["filters"] = {
            **made["filters"],
            "allowlist": {**made["filters"]["allowlist"], "messages": "any"},
        }
        _, findings = configured(made)
        assert codes(findings) == {"any-message"}

    def test_without_the_safe_fields(self, document: Document) -> None:
        """An allowlist without "@crm" masks error.code and the like: worth knowing."""
        made = document(root=["out"], out={**STREAM, "filters": SAFE})
        made["filters"] = {
            **made["filters"],
            "allowlist": {"()": "crmlogging.AllowlistFilter", "fields": ["campaign.id"]},
        }
        _, findings = configured(made)
        assert codes(findings) == {"no-crm-fields"}
        assert not findings[0].problem
