"""Promises of `prepared_line`: each value stands behind its own name."""

from __future__ import annotations

import orjson

from crmlogging.formatters.prepared_line import PreparedLine, StraightEnding

SHOWN = [b'"first"', b'"second"', b'"third"']


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
