"""Promises of `redaction.picking`: only mappings with the very same keys are read."""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

import pytest

from crmlogging.redaction.picking import Picking, _Mark


class Label(str):
    """A string with more to it, whose code must not run."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        raise AssertionError("foreign code ran")

    __hash__ = str.__hash__


class Name(enum.StrEnum):
    """Keys that equal a name, and are none."""

    A = "a"
    K3 = "k3"


class Odd:
    """A key that says it is a string of that name."""

    def __hash__(self) -> int:
        return hash("a")

    def __eq__(self, other: object) -> bool:
        raise AssertionError("foreign code ran")


class TestNames:
    @pytest.mark.parametrize("size", [0, 1, 2, 5, 11, 22, 34, 43, 90, 300, 1_000])
    def test_the_same_names_in_order(self, size: int) -> None:
        """However the mapping came to be: by a literal, by growing, by a copy, or out of JSON."""
        names = tuple(f"k{number}" for number in range(size))
        picking = Picking(names, dict.fromkeys(names))
        wanted = list(range(size))
        grown: dict[str, int] = {}
        for number in range(size):
            grown[f"k{number}"] = number
        shrunk = {f"k{number}": number for number in range(3 * size)}
        for number in range(size, 3 * size):
            del shrunk[f"k{number}"]
        for mapping in (grown, dict(grown), grown.copy(), {**grown}, shrunk, dict(shrunk)):
            assert list(picking.values(mapping) or ()) == wanted

    @pytest.mark.parametrize(
        "mapping",
        [
            *({}, {"a": 1}, {"b": 2, "a": 1}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "c": 2}),
            *({"A": 1, "b": 2}, {"a": 1, b"b": 2}, {"a": 1, None: 2}),
        ],
        ids=repr,
    )
    def test_other_names(self, mapping: dict[Any, Any]) -> None:
        """Fewer, more, in another order, or of another type."""
        assert Picking(("a", "b"), {"a": None, "b": None}).values(mapping) is None

    @pytest.mark.parametrize("size", [1, 2, 5, 6, 11, 22, 32, 34, 43, 90, 300, 1_000])
    @pytest.mark.parametrize("place", ["first", "last", "only added"])
    def test_a_key_that_merely_equals_a_name(self, size: int, place: str) -> None:
        """A string of a subclass is another name, whatever the mapping's size and history."""
        names = [f"k{number}" for number in range(size)]
        at = 0 if place == "first" else size - 1
        picking = Picking(tuple(names), dict.fromkeys(names))
        keys: list[Any] = [*names]
        keys[at] = Label(names[at])
        grown: dict[Any, Any] = {}
        for key in keys:
            grown[key] = 1
        shrunk = {**{f"x{number}": 1 for number in range(2 * size)}, **grown}
        for number in range(2 * size):
            del shrunk[f"x{number}"]
        for mapping in (grown, dict(grown), grown.copy(), shrunk, shrunk.copy()):
            assert picking.values(mapping) is None

    @pytest.mark.parametrize("key", [Name.A, Label("a"), Odd()])
    def test_no_code_of_a_key_runs(self, key: object) -> None:
        """Neither when it is compared nor when it is looked up."""
        picking = Picking(("a", "b"), {"a": None, "b": None})
        assert picking.values({key: 1, "b": 2}) is None


class TestMappings:
    def picking(self) -> Picking:
        inner = Picking(("x", "y", "z"), {"x": None, "z": None})
        empty = Picking(("n",), {})
        names = ("a", "in", "b", "none", "last")
        picked: dict[str, Picking | None] = {"a": None, "in": inner, "none": empty, "last": None}
        return Picking(names, picked)

    def test_values_stand_in_the_order_of_the_keys(self) -> None:
        """Those of mappings among the others; what is not shown is left where it is."""
        mapping = {"a": 1, "in": {"x": 2, "y": 0, "z": 3}, "b": 0, "none": {"n": 0}, "last": 4}
        assert list(self.picking().values(mapping) or ()) == [1, 2, 3, 4]

    @pytest.mark.parametrize(
        "inner",
        [
            *(None, 1, "x", [], ["x", "y", "z"], {}, {"x": 1, "y": 2}, {"z": 1, "y": 2, "x": 3}),
            *({Label("x"): 1, "y": 2, "z": 3}, type("Own", (dict,), {})(x=1, y=2, z=3)),
        ],
        ids=repr,
    )
    def test_another_value_in_place_of_a_mapping(self, inner: object) -> None:
        """Whatever is no dictionary of the same names makes it another record."""
        mapping = {"a": 1, "in": inner, "b": 0, "none": {"n": 0}, "last": 4}
        assert self.picking().values(mapping) is None

    def test_a_mapping_that_another_thread_empties(self) -> None:
        """A name that is gone between two looks is no error."""

        class Changing(dict[str, int]):
            def __iter__(self) -> Any:
                return iter(("a", "b"))

        assert Picking(("a", "b"), {"a": None, "b": None}).values(Changing(a=1)) is None


def compiled(picking: Picking, others: Mapping[str, str] | None = None) -> Callable[..., Any]:
    """Return the function of the picking's text; what it cannot take is None."""
    lines, names = picking.source(others)
    taken = [*(f"value{at}" for at in range(picking.count)), *(others or {}).values()]
    exec("\n".join(["def take(mapping):", *lines, f" return [{', '.join(taken)}]"]), names)

    def take(mapping: dict[Any, Any]) -> list[object] | None:
        found = names["take"](mapping)
        return None if found is None or any(isinstance(each, _Mark) for each in found) else found

    return take


INNER = Picking(("x", "y", "z"), {"x": None, "z": None})
OUTER = Picking(
    ("a", "in", "b", "none", "last"),
    {"a": None, "in": INNER, "none": Picking(("n",), {}), "last": None},
)


class TestSource:
    @pytest.mark.parametrize("size", [0, 1, 2, 5, 11, 22, 43, 300, 1_000])
    def test_takes_what_is_picked(self, size: int) -> None:
        """All, every other one, and none."""
        names = tuple(f"k{number}" for number in range(size))
        mapping = {name: object() for name in names}
        for picked in (names, names[::2], ()):
            picking = Picking(names, dict.fromkeys(picked))
            assert compiled(picking)(mapping) == [mapping[name] for name in picked]
            assert compiled(picking)({**mapping, "more": 1}) is None
            if size > 1:
                assert compiled(picking)(dict(reversed(mapping.items()))) is None

    @pytest.mark.parametrize(
        "mapping",
        [
            {"a": 1, "in": {"x": 2, "y": 0, "z": 3}, "b": 0, "none": {"n": 0}, "last": 4},
            {"a": 1, "in": {"x": 2, "z": 0, "y": 3}, "b": 0, "none": {"n": 0}, "last": 4},
            {"a": 1, "in": {"x": 2, "y": 0}, "b": 0, "none": {"n": 0}, "last": 4},
            {"a": 1, "in": None, "b": 0, "none": {"n": 0}, "last": 4},
            {"a": 1, "in": {"x": 2, "y": 0, "z": 3}, "b": 0, "none": {"m": 0}, "last": 4},
            {"a": 1, "in": {"x": 2, "y": 0, "z": 3}, "b": 0, "none": {}, "last": 4},
            {"a": 1, "in": {Label("x"): 2, "y": 0, "z": 3}, "b": 0, "none": {"n": 0}, "last": 4},
            {Odd(): 1, "in": {"x": 2, "y": 0, "z": 3}, "b": 0, "none": {"n": 0}, "last": 4},
            {"in": {"x": 2, "y": 0, "z": 3}, "a": 1, "b": 0, "none": {"n": 0}, "last": 4},
        ],
    )
    def test_is_as_strict_as_the_look_by_name(self, mapping: dict[Any, Any]) -> None:
        """Also in mappings inside, and without a look at their keys' code."""
        values = OUTER.values(mapping)
        assert compiled(OUTER)(mapping) == (None if values is None else [*values])

    def test_others_are_taken_as_well(self) -> None:
        """They are no values, wherever they stand."""
        picking = Picking(("a", "fact", "b"), {"a": None, "b": None})
        assert compiled(picking, {"fact": "told"})({"a": 1, "fact": 2, "b": 3}) == [1, 3, 2]

    @pytest.mark.parametrize("line", range(1, 8))
    def test_no_value_is_taken_for_another(self, line: int) -> None:
        """Whenever somebody puts another name into the mapping: a tracer comes at each line."""
        take = compiled(Picking(("a", "b", "c"), dict.fromkeys("abc")))
        mapping = dict.fromkeys("abc", "shown")

        def trace(frame: FrameType, event: str, argument: object) -> Any:
            if frame.f_code.co_name != "take" or frame.f_code.co_filename != "<string>":
                return None
            if event == "line" and frame.f_lineno > line and "a" in mapping:
                del mapping["a"]
                mapping["secret"] = "hidden"
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            found = take(mapping)
        finally:
            sys.settrace(before)
        assert found in (None, ["shown"] * 3)
        assert "secret" in mapping or line > 5
