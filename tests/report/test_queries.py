"""Promises of `failures`: equal causes are one group, and every failed call is counted."""

from __future__ import annotations

from typing import Any

import pytest

from crmlogging.report import queries
from crmlogging.report.queries import failures


def line(**fields: Any) -> dict[str, Any]:
    return {
        "timestamp": "2026-11-21T08:00:00.000Z",
        "level": "ERROR",
        "message": "Contact sync failed",
        "crm": "hubspot",
        "error.category": "auth",
        "error.code": "CONTACT_CREATE_TOKEN_EXPIRED",
        "error.provider_code": "EXPIRED_AUTHENTICATION",
        "error.fingerprint": "v1:0000",
        **fields,
    }


class TestFailures:
    def test_equal_causes_are_one_group(self) -> None:
        """Count, times and the failures for good of one cause."""
        retried = line(level="WARNING", timestamp="2026-11-21T07:00:00.000Z")
        (group,) = failures([line(), retried, line(timestamp="2026-11-21T09:00:00.000Z")]).groups
        assert (group.count, group.final) == (3, 2)
        assert (group.first[11:13], group.last[11:13]) == ("07", "09")

    @pytest.mark.parametrize(
        "other",
        [
            {"crm": "zoho"},
            {"error.category": "plan"},
            {"error.code": "CONTACT_CREATE_DUPLICATE_EMAIL"},
            {"error.provider_code": "INVALID_TOKEN"},
            {"error.fingerprint": "v1:1111"},
        ],
    )
    def test_other_causes_are_other_groups(self, other: dict[str, Any]) -> None:
        """Nothing that calls for another action is added up."""
        assert len(failures([line(), line(**other)]).groups) == 2

    def test_progress_is_no_failure(self) -> None:
        """Lines without an error are counted as lines only."""
        report = failures([{"level": "INFO", "message": "Page synced"}, line()])
        assert (report.lines, report.count) == (2, 1)

    def test_unclassified_failures_are_told_apart_by_their_place(self) -> None:
        """An error nobody classified is reported by its message."""
        bare = {"level": "CRITICAL", "message": "Out of disk", "source": "a.py:1"}
        report = failures([bare, bare, {**bare, "source": "a.py:2"}])
        assert [(g.category, g.summary, g.count) for g in report.groups] == [
            ("unknown", "Out of disk", 2),
            ("unknown", "Out of disk", 1),
        ]

    def test_a_summary_counts_as_what_it_sums_up(self) -> None:
        """An archive behind a GroupingFilter gives the same counts as one before it."""
        summary = line(
            **{
                "error.suppressed": 95,
                "error.suppressed_first": "2026-11-21T06:00:00.000Z",
                "error.suppressed_last": "2026-11-21T10:00:00.000Z",
            }
        )
        (group,) = failures([*[line()] * 5, summary]).groups
        assert (group.count, group.final) == (100, 100)
        assert (group.first[11:13], group.last[11:13]) == ("06", "10")

    def test_the_urgent_comes_first(self) -> None:
        """Groups stand in the order in which somebody has to act, the largest first."""
        lines = [
            line(**{"error.category": "transient"}),
            line(**{"error.category": "validation", "error.code": "A"}),
            *[line(**{"error.category": "validation", "error.code": "B"})] * 2,
            line(),
        ]
        groups = failures(lines).groups
        assert [(g.category, g.count) for g in groups] == [
            *(("auth", 1), ("validation", 2), ("validation", 1), ("transient", 1)),
        ]

    def test_fields_at_fault_are_counted(self) -> None:
        """A validation group says which fields, and how often each."""
        lines = [line(**{"error.fields": names}) for names in (["email", "phone"], ["email"])]
        assert failures(lines).groups[0].fields == {"email": 2, "phone": 1}

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("error.category", ["auth"]),
            ("error.category", "invented"),
            ("error.code", {"a": 1}),
            ("error.fields", "email"),
            ("error.fields", [1, None, {}]),
            ("error.suppressed", -5),
            ("error.suppressed", "many"),
            ("timestamp", 5),
            ("crm", None),
            ("level", []),
        ],
    )
    def test_a_strange_line_does_no_harm(self, field: str, value: object) -> None:
        """Any JSON object is a line; what is not as it should be is left out."""
        level = {} if field == "level" else {"level": "ERROR"}
        report = failures([line(**{field: value} | level)])
        assert report.count == 1

    def test_the_span_of_all_lines(self) -> None:
        """First and last time, whatever the order of the lines; lines without one do not count."""
        times = ("2026-11-21T09", "2026-11-21T07", "", "2026-11-21T10", "2026-11-21T08")
        report = failures({"timestamp": time} for time in times)
        assert (report.first, report.last) == (times[1], times[3])

    def test_texts_are_cut_and_dashes_are_nothing(self) -> None:
        """A huge text does not fill the screen; "-" stands for nothing."""
        (group,) = failures([line(**{"error.summary": "x" * 5_000, "tenant.code": "-"})]).groups
        assert len(group.summary) == 500
        assert group.tenants == set()

    def test_what_could_steer_a_terminal_is_replaced(self) -> None:
        """Escape sequences and text of reversed direction do not get into the report."""
        hostile = line(**{"error.summary": "\x1b[2J\u202egnp.exe", "error.fix_url": "javascript:x"})
        (group,) = failures([hostile]).groups
        assert group.summary == "�[2J�gnp.exe"
        assert group.fix_url == ""

    def test_groups_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A hostile archive cannot make groups without end; what is beyond is one more group."""
        monkeypatch.setattr(queries, "_GROUPS_KEPT", 5)
        report = failures(line(**{"error.fingerprint": f"v1:{n}"}) for n in range(50))
        assert len(report.groups) == 6
        assert report.count == 50
