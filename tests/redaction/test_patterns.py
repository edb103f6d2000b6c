"""Promises of `crmlogging.redaction.patterns`: what a pattern fits, and which are refused."""

from __future__ import annotations

import pytest

from crmlogging.exceptions import Problems
from crmlogging.fields import CRM_PRESET, FIELDS
from crmlogging.redaction.patterns import RESERVED, Node, compile_patterns, line_name


def graph(*fields: object, mask: object = None) -> Node:
    problems = Problems("test")
    root = compile_patterns(list(fields), mask, lambda: b"k" * 32, problems)
    assert problems.found == []
    return root


def complaints(fields: object, mask: object = None) -> list[str]:
    problems = Problems("P")
    compile_patterns(fields, mask, lambda: b"k" * 32, problems)
    return problems.found


def at(root: Node, path: str) -> Node | None:
    """Follow a path of exact names; ``[]`` for an item."""
    node: Node | None = root
    for name in path.split("."):
        if node is None:
            return None
        node = node.items if name == "[]" else node.children.get(name, node.other)
    return node


def shape_at(root: Node, path: str) -> str | None:
    node = at(root, path)
    return None if node is None or node.field is None else node.field.shape


class TestCompile:
    def test_a_name_fits_itself_alone(self) -> None:
        """Neither a name beside it nor one below or above is allowed."""
        root = graph("a.b")
        assert shape_at(root, "a.b") == "id"
        assert [shape_at(root, path) for path in ("a", "b", "a.c", "a.b.c", "x.a.b")] == [None] * 5

    def test_a_star_stands_for_one_name(self) -> None:
        """``a.*`` fits any name below ``a``, no item of a list and nothing deeper."""
        root = graph("a.*", "b.*.id")
        assert shape_at(root, "a.anything") == "id"
        assert shape_at(root, "b.anything.id") == "id"
        denied = ("a", "a.x.y", "a.[]", "a.x.[]", "b.x", "b.x.other", "b.[].id")
        assert [shape_at(root, path) for path in denied] == [None] * len(denied)

    def test_two_stars_stand_for_all_below(self) -> None:
        """``a.**`` fits at any depth, through lists, but not ``a`` itself."""
        root = graph("a.**")
        paths = ("a.b", "a.b.c.d.e.f", "a.[]", "a.b.[].c", "a.[].[]")
        assert [shape_at(root, path) for path in paths] == ["id"] * len(paths)
        assert shape_at(root, "a") is None

    def test_brackets_stand_for_items(self) -> None:
        """``errors[].field`` fits in each item, and not in a mapping in place of the list."""
        root = graph("errors[].field", "grid[][]")
        assert shape_at(root, "errors.[].field") == "id"
        assert shape_at(root, "grid.[].[]") == "id"
        denied = ("errors.field", "errors.[]", "errors.[].value", "grid.[]", "grid")
        assert [shape_at(root, path) for path in denied] == [None] * len(denied)

    def test_patterns_that_overlap_all_count(self) -> None:
        """A name that a literal and a wildcard both lead to may go on along either."""
        root = graph("a.*.c", "a.b.d")
        assert shape_at(root, "a.b.c") == "id"
        assert shape_at(root, "a.b.d") == "id"
        assert shape_at(root, "a.x.c") == "id"
        assert shape_at(root, "a.x.d") is None

    def test_a_declared_shape_counts(self) -> None:
        """The most exact pattern decides the shape, whatever the order."""
        for fields in ([{"a.*": "text"}, {"a.b": "slug"}], [{"a.b": "slug"}, {"a.*": "text"}]):
            root = graph(*fields)
            assert (shape_at(root, "a.b"), shape_at(root, "a.c")) == ("slug", "text")

    def test_the_table_s_shape_stays(self) -> None:
        """A wildcard with a wide shape does not widen a field of the table."""
        root = graph({"request.**": "text"})
        assert shape_at(root, "request.path") == "path"
        assert shape_at(root, "request.note") == "text"

    def test_the_preset_is_the_safe_part_of_the_table(self) -> None:
        """`@crm` allows each safe field of a caller or a stage, and no other."""
        root = graph("@crm")
        for field in FIELDS:
            expected = field.name in CRM_PRESET and field.name != "record.id"
            node = at(root, line_name(field.name))
            assert (node is not None and node.field is not None) == expected, field.name

    def test_the_table_is_known_though_not_allowed(self) -> None:
        """Its names may be written, masked; its branches are not entered."""
        root = graph("user.id")
        node = at(root, "client.ip")
        assert node is not None
        assert not node.live
        assert not root.children["request"].live
        assert root.children["user"].live

    def test_a_caller_s_text_is_no_template(self) -> None:
        """What crmlogging writes from an exception is, from a caller, an id at most."""
        assert shape_at(graph("@crm", "error.message"), "error.message") == "id"

    def test_only_a_full_name_is_exact(self) -> None:
        """A name that a wildcard allowed is not proof enough for a value split out of a text."""
        root = graph("a.b", "c.*", "d[]")
        nodes = [at(root, path) for path in ("a.b", "c.x", "correlation_id")]
        assert [node.exact for node in nodes if node is not None] == [True, False, True]

    def test_a_mask_wins_and_needs_no_entry(self) -> None:
        """The exact mask wins over a wildcard's; a mask holds beside an allowing pattern."""
        root = graph("user.id", mask={"user.id": "last4", "user.*": "hmac", "key": "last4"})
        masks = {path: at(root, path) for path in ("user.id", "user.name", "key")}
        assert {path: node.mask for path, node in masks.items() if node is not None} == {
            "user.id": "last4",
            "user.name": "hmac",
            "key": "last4",
        }

    def test_no_wildcard_takes_a_mask_away(self) -> None:
        """Each of many masks below two stars holds, whatever order they are looked at in."""
        names = [f"m{number}" for number in range(20)]
        root = graph("a.**", mask={f"a.{name}.id": "last4" for name in names})
        nodes = [at(root, f"a.{name}.id") for name in names]
        assert [node.mask for node in nodes if node is not None] == ["last4"] * 20
        assert shape_at(root, "a.other.id") == "id"

    def test_reserved_names_land_under_extra(self) -> None:
        """A pattern for a name that the line needs itself means the caller's field."""
        assert {"level", "timestamp", "msg", "args", "record.id", "host"} <= RESERVED
        root = graph("level", {"host": "text"})
        assert shape_at(root, "extra.level") == "id"
        assert shape_at(root, "extra.host") == "text"
        assert at(root, "host") is None

    def test_wildcards_do_not_grow_without_bound(self) -> None:
        """A graph that would not fit in memory is refused, quickly."""
        fields = [".".join("*" * n + "a" + "*" * (14 - n)) for n in range(15)]
        with pytest.raises(ValueError, match="too many patterns"):
            complaints(fields)


class TestRefused:
    @pytest.mark.parametrize(
        "pattern",
        [
            *("", "*", "**", "*.*", "*.**", "*[]", "a.**.b", "**.a", "a*", "*a", "a.b*.c", "a***"),
            *("a..b", ".a", "a.", "[]", "[].a", "a[", "a]", "a[0]", "a[]b", "a b", " a", "a\n"),
            *(
                "*.a b",
                "a.*.b*",
                "*.a.",
                "a\u200b",
                "@crn",
                "@",
                "a.@crm",
                "{a}",
                'a"b',
                "x" * 65,
                ".".join("a" * 17),
            ),
        ],
    )
    def test_what_is_no_pattern(self, pattern: str) -> None:
        """A pattern that cannot mean what it says is a problem that quotes it."""
        for option, found in (("fields", complaints([pattern])), ("mask", _mask(pattern))):
            assert len(found) == 1
            assert found[0].startswith(f"P: {option}: {pattern!r} ")

    @pytest.mark.parametrize(
        "fields",
        ["user.id", b"user.id", {"user.id": "id"}, None, 5, object()],
        ids=lambda fields: type(fields).__name__,
    )
    def test_what_is_no_list(self, fields: object) -> None:
        """A string in place of a list would allow single letters."""
        assert len(complaints(fields)) == 1
        assert "must be a list" in complaints(fields)[0]

    def test_every_problem_is_told(self) -> None:
        """One run names the typo, the shape, the entry, the duplicate and the mask."""
        found = complaints(
            ["a", "a", "*", {"b": "txt"}, {"c": None}, 7, None, {}, {5: "id"}, {"@crm": "text"}],
            {"d": "first4", 9: "last4", "*": "last4"},
        )
        assert len(found) == 12
        assert sum("'a' is listed twice" in each for each in found) == 1
        assert any("unknown shape 'txt'" in each for each in found)
        assert any("'first4' is not a mask" in each for each in found)

    def test_a_mask_is_a_mapping(self) -> None:
        """A list of masks says nothing about how to mask."""
        assert complaints(["a"], ["b"]) == ["P: mask: must be {pattern: mask}, not list"]

    def test_a_table_field_keeps_its_shape(self) -> None:
        """Another shape for a field of the table is refused rather than ignored."""
        assert complaints([{"user.id": "id"}]) == []
        assert "has the shape 'id'" in complaints([{"user.id": "text"}])[0]


def _mask(pattern: str) -> list[str]:
    return complaints([], {pattern: "last4"})
