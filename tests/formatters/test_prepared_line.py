"""Promises of `prepared_line`: each value stands behind its own name."""

from __future__ import annotations

import math
from typing import Any

import orjson
import pytest
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
            pieces, len(b',"schema.version":1}'), frozenset(("id", "b")), "said", 2
        )
        ending = StraightEnding(prepared, 2, [("c", None), ("d", b'"[REDACTED]"')])
        line = ending.finish(SHOWN, 0.0, b'"MainThread"', "id-1")
        shown = {"id": "id-1", "b": "second", "c": "third", "d": "[REDACTED]", "schema.version": 1}
        assert orjson.loads(line) == shown

    @pytest.mark.parametrize(
        ("values", "places"), [(1, [3, 4]), (3, [3, 4]), (2, [3, 4, 5]), (2, [3, -1])]
    )
    def test_another_number_of_values_is_refused(self, values: int, places: list[int]) -> None:
        """A place for a value that is none of the call's would show the next one."""
        pieces: list[bytes | int] = [b'{"id":"', 2, b'"']
        for at in places:
            pieces += [b',"v":', at]
        prepared = PreparedLine([*pieces, b"}"], 1, frozenset(("id", "v")), "said", 2)
        with pytest.raises(ValueError, match="values"):
            StraightEnding(prepared, values, [])

    @pytest.mark.parametrize("shown", [SHOWN[:1], SHOWN, []])
    def test_no_other_number_of_values_is_written(self, shown: list[bytes]) -> None:
        """Neither at once nor as text."""
        pieces: list[bytes | int] = [b'{"a":', 3, b',"b":', 4, b"}"]
        ending = StraightEnding(PreparedLine(pieces, 1, frozenset("ab"), "said", 2), 2, [])
        with pytest.raises(ValueError, match="2 places"):
            ending.finish(shown, 0.0, b'"MainThread"', "id-1")
        with pytest.raises(ValueError, match="2 places"):
            ending.written(["shown"] * len(shown), {}, printable=True)

    @given(
        constant=st.text(max_size=5), texts=st.lists(st.text(max_size=5), min_size=2, max_size=2)
    )
    @example(constant="\x7f\u2028é", texts=["\u202e", "\x7f"])
    @example(constant="\x7f", texts=["plain", "plain"])
    def test_the_text_does_what_it_does_itself(self, constant: str, texts: list[str]) -> None:
        """Whatever would break a line is escaped, in what is always there as well."""
        first, *others = (orjson.dumps(each) for each in (constant, *texts))
        pieces: list[bytes | int] = [b'{"id":"', 2, b'","at":', 0, b',"a":', 3, b',"b":', 4]
        prepared = PreparedLine([*pieces, b',"last":1}'], 10, frozenset("ab"), "said", 2)
        ending = StraightEnding(prepared, 2, [("c", None)])
        given = (5.0, b'"MainThread"', "id-1")
        due = ending.finish([first, *others], *given)
        printable = "".join(texts).isascii() and "".join(texts).isprintable()
        for known in {False, printable}:
            names: dict[str, Any] = {"x": others[0], "y": others[1]}
            lines = ending.written([first, "x", "y"], names, printable=known)
            exec("\n".join(["def show(created, thread, identity):", *lines]), names)
            assert names["show"](*given) == due
