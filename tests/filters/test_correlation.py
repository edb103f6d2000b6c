"""Promises of `CorrelationFilter`: every record of a scope carries it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from crmlogging import ConfigurationError, CorrelationFilter, bind, correlation
from crmlogging.records import SafeRecord


def stamped(**extra: Any) -> dict[str, Any]:
    record = CorrelationFilter().refine(logging.makeLogRecord(extra))
    assert isinstance(record, logging.LogRecord)
    return vars(record)


class TestCorrelationFilter:
    def test_stamps_id_and_bound_fields(self) -> None:
        """Inside a scope a record carries its id and fields."""
        with correlation("job-1", crm="zoho"):
            bind(**{"tenant.code": "acme"})
            record = stamped()
        assert (record["correlation_id"], record["crm"]) == ("job-1", "zoho")
        assert record["tenant.code"] == "acme"

    def test_id_is_always_there(self) -> None:
        """Outside any scope it is a dash, so that a format string may rely on it."""
        assert stamped()["correlation_id"] == "-"

    def test_outside_a_scope_the_call_may_pass_one(self) -> None:
        """An id in ``extra`` is better than none."""
        assert stamped(correlation_id="from-call")["correlation_id"] == "from-call"

    def test_the_scope_wins_over_extra(self) -> None:
        """Nobody can pretend to be another piece of work."""
        with correlation("job-1", crm="zoho"):
            record = stamped(correlation_id="forged", crm="hubspot")
        assert (record["correlation_id"], record["crm"]) == ("job-1", "zoho")

    def test_leaves_a_safe_record_alone(self) -> None:
        """What was stamped where it was made is not stamped again behind a queue."""
        safe = SafeRecord({"correlation_id": "origin"})
        with correlation("worker"):
            assert CorrelationFilter().refine(safe) is safe
        assert vars(safe) == {"correlation_id": "origin"}

    def test_a_foreign_handler_gets_the_same(self) -> None:
        """On a standard handler the filter works through logging's own protocol."""
        handler = logging.StreamHandler()
        handler.addFilter(CorrelationFilter())
        record = logging.makeLogRecord({"msg": "x"})
        with correlation("job-1"):
            outcome = handler.filter(record)
        seen = outcome if isinstance(outcome, logging.LogRecord) else record
        assert vars(seen)["correlation_id"] == "job-1"

    def test_refuses_options(self) -> None:
        """An option that does not exist is named."""
        with pytest.raises(ConfigurationError, match="CorrelationFilter: unknown option 'field'"):
            CorrelationFilter(field="x")
