"""Promises of `prepared_line`: each value stands behind its own name."""

from __future__ import annotations

import math

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from crmlogging.formatters import prepared_line
from crmlogging.formatters.prepared_line import PreparedLine, StraightEnding, timestamp

SHOWN = [b'"first"', b'"second"', b'"third"']


class TestTimestamp:
    @given(
        second=st.integers(0, 4_000_000_000),
        parts=st.lists(
            st.tuples(st.integers(-1, 1_001), st.sampled_from((-1, 0, 1, 4_000))), min_size=2
        ),
    )
    @example(second=1_795_000_000, parts=[(7, 0), (8, -1), (7, 0), (8, 0), (1_000, -1)])
    def test_is_the_same_after_any_other(self, second: int, parts: list[tuple[int, int]]) -> None:
        """What was rendered before changes nothing, at the edges of a millisecond neither."""
        for milliseconds, steps in parts:
            created = max(0.0, second + milliseconds / 1_000)
            for _ in range(abs(steps)):
                created = math.nextafter(created, math.inf if steps > 0 else 0.0)
            found = timestamp(created)
            prepared_line._clock.__init__()  # type: ignore[misc]  # as if it were the first
            assert found == timestamp(created)


class TestStraightEnding:
    def test_a_value_that_no_line_shows_moves_no_other(self) -> None:
        """Of three values the line leaves the first out; what comes on top is still the third."""
        pieces: list[bytes | int] = [b'{"id":"', 2, b'","b":', 4, b',"schema.version":1}']
        prepared = PreparedLine(
            pieces, len(b',"schema.version":1}'), frozenset(("id", "b")), "said"
        )
        ending = StraightEnding(prepared, 2, [("c", None), ("d", b'"[REDACTED]"')])
        line = ending.finish(SHOWN, 0.0, b'"MainThread"', "id-1")
        shown = {"id": "id-1", "b": "second", "c": "third", "d": "[REDACTED]", "schema.version": 1}
        assert orjson.loads(line) == shown
