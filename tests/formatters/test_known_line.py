"""Promises of lines of which a part is kept: not a byte differs from those written anew."""

from __future__ import annotations

import copy
import logging
import pickle
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crmlogging import JsonFormatter
from crmlogging.formatters.encoding import encode
from crmlogging.formatters.known_line import KnownLines
from crmlogging.records import SafeRecord

NAMES = st.sampled_from(
    [
        *("email", "request.method", "extra.level", "level", "thread", "timestamp", "host"),
        *("correlation_id", "record.id", "schema.version", "message", "a%b", "\u2028", "n\udc80"),
        *("_hidden", "taskName", "service"),
    ]
)
VALUES = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    *(st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=2), st.none())),
    *(st.binary(max_size=3), st.complex_numbers(), st.just("\udc80"), st.just({1, 2})),
)
ATTRIBUTES = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["crm.sync", "crm.%d", "crm\u2028"]),
        "levelno": st.sampled_from([10, 40, 17]),
        "levelname": st.sampled_from(["NOTE", "%s"]),
        "pathname": st.sampled_from(["app/sync.py", "a%.py", "\udc80.py"]),
        "lineno": st.integers(1, 3),
        "process": st.sampled_from([1, None]),
        "threadName": st.sampled_from(["MainThread", None, "%b"]),
        "created": st.floats(0, 4e9),
        "msg": st.sampled_from(["Synced", "100 %", "\x7f", "half \udc80"]),
    }
)


class Anew(JsonFormatter):
    """A subclass may have overridden any step, so each of its lines goes the long way."""


def record(attributes: dict[str, Any], fields: dict[str, Any]) -> logging.LogRecord:
    made = logging.makeLogRecord({**attributes, "args": None, "record.id": "a-1", **fields})
    made.relativeCreated = 0.0
    if not vars(made)["record.id"]:
        vars(made)["record.id"] = "a-2"  # Else each formatter's line has a new one.
    return made


class TestKnownLines:
    @given(st.lists(st.tuples(ATTRIBUTES, st.dictionaries(NAMES, VALUES)), min_size=2, max_size=6))
    def test_lines_are_those_written_anew(
        self, calls: list[tuple[dict[str, Any], dict[str, Any]]]
    ) -> None:
        """Whatever came before at the same site, or with fields of the same names."""
        formatter, anew = JsonFormatter(service="crm-sync"), Anew(service="crm-sync")
        for _ in range(2):
            for attributes, fields in calls:
                plain = record(attributes, fields)
                assert formatter.format(plain) == anew.format(copy.copy(plain))
                safe = SafeRecord(dict(vars(plain)))
                assert formatter.format_bytes(safe) == encode(formatter._fields(safe))

    def test_a_key_that_is_no_text_is_written_too(self) -> None:
        """It goes the long way; so does the same record without it, at no harm."""
        formatter = JsonFormatter()
        odd = record({"name": "crm", "msg": "Synced"}, {})
        vars(odd)[5] = "five"  # type: ignore[index]  # as a careless filter does
        assert '"5":"five"' in formatter.format(odd)

    def test_what_is_kept_is_bounded(self) -> None:
        """Names made up at run time and generated code do not fill the memory."""
        formatter = JsonFormatter()
        for number in range(3_000):
            formatter.format(record({"lineno": number}, {f"field{number}": 1}))
        lines: KnownLines = formatter._plain_lines
        assert len(lines._sites) <= 1_024
        assert len(lines._shapes) <= 256

    def test_a_used_formatter_can_be_sent(self) -> None:
        """A worker process that is spawned gets handlers with their formatters."""
        formatter = JsonFormatter(service="crm-sync")
        sent = record({"name": "crm", "msg": "Synced"}, {"request.method": "POST"})
        line = formatter.format(sent)
        assert pickle.loads(pickle.dumps(formatter)).format(sent) == line
        assert copy.deepcopy(formatter).format(sent) == line
