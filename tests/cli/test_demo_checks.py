"""Promises of the demo's verdict: each check sees what it is there for."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from crmlogging.cli import demo_checks
from crmlogging.report.queries import failures


def line(**fields: Any) -> bytes:
    told = {
        "level": "ERROR",
        "logger": "crm.sync",
        "crm": "zoho",
        "record.id": "aa-1",
        "correlation_id": "c1",
        "error.category": "auth",
        "error.code": "TOKEN_EXPIRED",
        "error.provider_code": "INVALID_TOKEN",
    }
    return json.dumps({**told, **fields}).encode()


class TestCheckCounts:
    def test_equal_counts_pass(self) -> None:
        """As many failures reported as given."""
        report = failures([json.loads(line())] * 3)
        assert demo_checks.check_counts(report, {("zoho", "auth", "INVALID_TOKEN"): 3}) == []

    def test_other_counts_do_not(self) -> None:
        """A lost line, an invented one and a wrong category are each told."""
        report = failures([json.loads(line())])
        for answered in ({("zoho", "auth", "INVALID_TOKEN"): 2}, {("zoho", "plan", "X"): 1}, {}):
            assert demo_checks.check_counts(report, answered)

    def test_what_is_missing_on_either_side_is_told(self) -> None:
        """A failure that is only in the log, and one that is only with the server."""
        given = ("zoho", "plan", "X")
        assert len(demo_checks.check_counts(failures([]), {given: 1})) == 1
        assert len(demo_checks.check_counts(failures([json.loads(line())]), {})) == 1


class TestCheckLines:
    def test_good_lines_pass(self) -> None:
        """Failed calls that say all, and lines that are no failed call."""
        progress = json.dumps({"level": "INFO", "logger": "crm.sync"}).encode()
        assert demo_checks.check_lines("the file", [line(), progress]) == []

    def test_each_lack_is_seen(self) -> None:
        """No JSON, no category, no code, no correlation id."""
        for bad in (
            *(b"{", b"[]", line(**{"error.category": None})),
            *(
                line(**{"error.code": ""}),
                line(correlation_id="-"),
                line(correlation_id="[REDACTED]"),
            ),
        ):
            assert len(demo_checks.check_lines("the file", [line(), bad])) == 1

    def test_retried_calls_are_failed_calls(self) -> None:
        """A warning of the sync needs them as well; other loggers' lines do not."""
        bad = {"error.category": None, "level": "WARNING"}
        assert demo_checks.check_lines("the file", [line(**bad)])
        assert not demo_checks.check_lines("the file", [line(**bad, logger="other")])


class TestCheckSameRecords:
    def test_order_does_not_matter(self) -> None:
        """Equal sets pass."""
        lines = [line(**{"record.id": f"aa-{n}"}) for n in range(5)]
        assert demo_checks.check_same_records(lines, lines[::-1]) == []

    def test_a_missing_or_repeated_record_is_told(self) -> None:
        """In either place."""
        one, two = line(), line(**{"record.id": "aa-2"})
        for file, bucket in (([one, two], [one]), ([one], [one, two]), ([one, one], [one])):
            assert len(demo_checks.check_same_records(file, bucket)) == 1


class TestCheckSecrets:
    def test_compressed_contents_are_searched(self) -> None:
        """A leak does not hide behind gzip."""
        contents = [("a.gz", gzip.compress(b"mail ada@x.example"))]
        complaints = demo_checks.check_secrets(contents, {".example": {"ada@x.example"}})
        assert "a.gz" in complaints[0]
        assert "ada" not in complaints[0]

    def test_every_place_is_looked_at(self) -> None:
        """What all secrets have in common may occur before without being one."""
        contents = [("a", b"x.example " * 50 + b"mail ada@x.example")]
        assert demo_checks.check_secrets(contents, {".example": {"ada@x.example"}})

    def test_every_file_of_a_folder_is_read(self, tmp_path: Path) -> None:
        """Hidden ones too, whatever their names."""
        (tmp_path / "spool" / ".x").mkdir(parents=True)
        (tmp_path / "spool" / ".x" / "segment").write_bytes(b"1")
        (tmp_path / "a.jsonl").write_bytes(b"2")
        assert {each for _, each in demo_checks.files_below(tmp_path)} == {b"1", b"2"}
