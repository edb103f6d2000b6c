"""Patterns: an allowlist compiled once to a graph that the projection walks.

A pattern is a dotted path of names: ``user.id``. ``*`` stands for one name, ``**`` at the end for
any path below, ``[]`` for the items of a list (``errors[].field``), ``@crm`` for the safe fields
of the table. A pattern brings the shape ``id``, or declares one: ``{"campaign.name": "text"}``.
Fields of the table keep the table's shape.

Each node of the graph answers for one path: which names may follow, and what may be shown here.
The table's names are in it too, since they may be written (masked) without being allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from crmlogging.exceptions import Problems
from crmlogging.fields import CRM_PRESET, FIELDS, SHAPES, Field, field_named
from crmlogging.records import STANDARD_ATTRIBUTES
from crmlogging.redaction.fitting import Fit, Fitting, fitting_for
from crmlogging.redaction.masks import HmacKey, complaint_about

__all__ = ["RESERVED", "Node", "compile_patterns", "line_name"]

Segments = tuple[str, ...]

RESERVED: Final = (
    STANDARD_ATTRIBUTES
    | {field.name for field in FIELDS if field.writer == "formatter"}
    | {"record.id", "audit"}
)
"""Names that no caller's field may take: such a field lands under ``extra.<name>``."""

ITEMS: Final = "[]"
_ONE, _ANY = "*", "**"
_PRESETS: Final = {"@crm": CRM_PRESET}
_ALWAYS: Final = "correlation_id"
_NAME_CHARACTERS: Final = 64
_SEGMENTS_MAXIMUM: Final = 16
_NODES_MAXIMUM: Final = 10_000
_SPECIAL: Final = re.compile(r'[\s*\[\]{}"\\]')


class _Entry(NamedTuple):
    """One pattern: what it says about the paths that it fits.

    Attributes:
        field: shape of an allowed value; None when it does not allow.
        mask: name of a mask, or None.
        row: the table's field of this name, which is known though perhaps not allowed.
    """

    segments: Segments
    field: Field | None = None
    mask: str | None = None
    row: Field | None = None

    @property
    def wild(self) -> int:
        return self.segments.count(_ONE) + self.segments.count(_ANY)


class Node:
    """What holds at one path.

    Attributes:
        field: shape of a scalar that may be shown here, or None.
        fit: what the field does with a scalar, or None.
        fitting: the same with what is known of values that fit, or None.
        exact: the path was allowed by its full name, without a wildcard.
        mask: the mask over this path and all below, or None.
        children: names that may follow.
        other: what holds for any other name that follows, or None.
        items: what holds for the items of a list here, or None.
        live: something at or below this path may be shown.
    """

    __slots__ = ("children", "exact", "field", "fit", "fitting", "items", "live", "mask", "other")

    def __init__(self, field: Field | None, mask: str | None, exact: bool) -> None:
        self.field, self.mask, self.exact = field, mask, exact
        self.fitting: Fitting | None = None if field is None else fitting_for(field)
        self.fit: Fit | None = None if self.fitting is None else self.fitting.fit
        self.children: dict[str, Node] = {}
        self.other: Node | None = None
        self.items: Node | None = None
        self.live = field is not None or mask is not None

    @property
    def is_strict(self) -> bool:
        """Whether the path is allowed in full, for scalars of a strict shape."""
        return self.exact and self.field is not None and self.field.shape != "text"


def line_name(name: str) -> str:
    """Return the name under which a caller's field `name` stands in the line."""
    return f"extra.{name}" if name in RESERVED else name


def compile_patterns(
    fields: object, mask: object, hmac_key: HmacKey | None, problems: Problems
) -> Node:
    """Return the graph's root for an allowlist; what is wrong goes to `problems`.

    Args:
        fields: list of patterns and of ``{pattern: shape}``.
        mask: None, or pattern to mask.
        hmac_key: where the mask ``hmac`` gets its key.
    """
    entries = [_Entry(_own(field.name), row=_row(field.name)) for field in FIELDS]
    entries.append(_Entry((_ALWAYS,), field=field_named(_ALWAYS)))
    seen: set[str] = set()
    for pattern, shape in _declared(fields, problems):
        if pattern in seen:
            problems.add("fields", f"{pattern!r} is listed twice")
        seen.add(pattern)
        entries.extend(_allowing(pattern, shape, problems))
    entries.extend(_masking(mask, hmac_key, problems))
    return _Graph(entries, problems).root


def _declared(fields: object, problems: Problems) -> Iterable[tuple[str, str | None]]:
    if isinstance(fields, str | bytes | Mapping) or not isinstance(fields, Iterable):
        kind = type(fields).__name__
        problems.add("fields", f"must be a list of patterns, or of {{pattern: shape}}, not {kind}")
        return
    for entry in fields:
        if isinstance(entry, str):
            yield entry, None
        elif isinstance(entry, Mapping) and entry:
            for pattern, shape in entry.items():
                if not isinstance(pattern, str):
                    problems.add("fields", f"{pattern!r} is not a pattern")
                elif not isinstance(shape, str) or shape not in SHAPES:
                    known = ", ".join(SHAPES)
                    problems.add("fields", f"{pattern!r}: unknown shape {shape!r}; known: {known}")
                else:
                    yield pattern, shape
        else:
            problems.add("fields", f"an entry is {type(entry).__name__}, not a pattern")


def _allowing(pattern: str, shape: str | None, problems: Problems) -> Iterable[_Entry]:
    if pattern.startswith("@"):
        if pattern not in _PRESETS or shape is not None:
            known = ", ".join(_PRESETS)
            problems.add("fields", f"{pattern!r} is no preset to be listed alone; known: {known}")
            return
        for name in _PRESETS[pattern]:
            if name not in RESERVED:
                yield _Entry(_own(name), field=field_named(name))
        return
    segments = _parsed("fields", pattern, problems)
    row = _row(pattern)
    if row is not None and shape not in (None, row.shape):
        problems.add("fields", f"{pattern!r} has the shape {row.shape!r} in the field table")
    if segments:
        yield _Entry(segments, field=row or Field(pattern, shape or "id", "caller", ""))


def _masking(mask: object, hmac_key: HmacKey | None, problems: Problems) -> Iterable[_Entry]:
    if mask is None:
        return
    if not isinstance(mask, Mapping):
        problems.add("mask", f"must be {{pattern: mask}}, not {type(mask).__name__}")
        return
    for pattern, kind in mask.items():
        complaint = complaint_about(kind, hmac_key)
        if not isinstance(pattern, str):
            problems.add("mask", f"{pattern!r} is not a pattern")
            continue
        if complaint is not None:
            problems.add("mask", f"{pattern!r}: {complaint}")
        segments = _parsed("mask", pattern, problems)
        if segments:
            yield _Entry(segments, mask=kind)


def _own(name: str) -> Segments:
    return tuple(line_name(name).split("."))


def _row(name: str) -> Field | None:
    """Return the table's field that a caller's `name` means; not one that others write."""
    return None if name in RESERVED else field_named(name)


def _parsed(option: str, pattern: str, problems: Problems) -> Segments:
    """Return the segments of `pattern`, or () with a problem noted."""
    segments: list[str] = []
    for part in pattern.split("."):
        name = part
        items = 0
        while name.endswith(ITEMS):
            name, items = name[: -len(ITEMS)], items + 1
        segments += [name, *[ITEMS] * items]
    complaint = _complaint(segments)
    if complaint is not None:
        problems.add(option, f"{pattern!r} {complaint}")
        return ()
    return _own(pattern) if pattern in RESERVED else tuple(segments)


def _complaint(segments: list[str]) -> str | None:
    names = [segment for segment in segments if segment != ITEMS]
    if all(name in (_ONE, _ANY) for name in names):
        return "would allow everything; name at least one part of the path"
    if _ANY in names[:-1]:
        return "has ** before its end"
    if len(segments) > _SEGMENTS_MAXIMUM:
        return f"has more than {_SEGMENTS_MAXIMUM} parts"
    for name in names:
        if name in (_ONE, _ANY):
            continue
        if not name:
            return "has an empty part"
        if "*" in name:
            return "has * inside a name; it stands for a whole name"
        if _SPECIAL.search(name) or name.startswith("@") or not name.isprintable():
            return "is no dotted path of names"
        if len(name) > _NAME_CHARACTERS:
            return f"has a name of more than {_NAME_CHARACTERS} characters"
    return None


class _Graph:
    """Builds nodes: a state is the set of entries that a path fits so far, and how far."""

    def __init__(self, entries: list[_Entry], problems: Problems) -> None:
        self._entries = entries
        self._nodes: dict[frozenset[tuple[int, int]], Node] = {}
        self._problems = problems
        self.root = self._node(frozenset((number, 0) for number in range(len(entries))))
        self._spread_life()

    def _node(self, state: frozenset[tuple[int, int]]) -> Node:
        known = self._nodes.get(state)
        if known is not None:
            return known
        node = self._nodes[state] = self._leaf(state)
        if len(self._nodes) > _NODES_MAXIMUM:
            self._problems.add("fields", "too many patterns with wildcards")
            self._problems.raise_if_any()
        after = self._after(state)
        for attribute, name in (("other", _ONE), ("items", ITEMS)):
            if further := after.pop(name):
                setattr(node, attribute, self._node(frozenset(further)))
        for name, further in after.items():
            node.children[name] = self._node(frozenset(further))
        return node

    def _after(self, state: frozenset[tuple[int, int]]) -> dict[str, set[tuple[int, int]]]:
        """Return the state after each name that a pattern has here, after `_ONE` and `ITEMS`."""
        after: dict[str, set[tuple[int, int]]] = {_ONE: set(), ITEMS: set(), _ANY: set()}
        for number, at in state:
            segments = self._entries[number].segments
            if at < len(segments):
                after.setdefault(segments[at], set()).add((number, at + 1))
                if segments[at] == _ANY:
                    after[_ANY].add((number, at))
        any_path = after.pop(_ANY)
        any_name = after[_ONE] | any_path
        for name, further in after.items():
            further |= any_path if name == ITEMS else any_name
        return after

    def _leaf(self, state: frozenset[tuple[int, int]]) -> Node:
        """Return the node with what the entries that end here say; the most exact one wins."""
        ended = [self._entries[n] for n, at in state if at == len(self._entries[n].segments)]
        ended.sort(key=lambda entry: (entry.wild, entry.segments))
        mask = next((entry.mask for entry in ended if entry.mask), None)
        allowing = [entry for entry in ended if entry.field is not None]
        row = next((entry.row for entry in ended if entry.row is not None), None)
        field = None
        if allowing:
            field = row or allowing[0].field
            if row is not None and row.writer == "allowlist":
                # Written from the exception itself; a caller's own text is no template.
                field = row._replace(shape="id")
        return Node(field, mask, bool(allowing) and not allowing[0].wild)

    def _spread_life(self) -> None:
        changed = True
        while changed:
            changed = False
            for node in self._nodes.values():
                below = (*node.children.values(), node.other, node.items)
                if not node.live and any(child is not None and child.live for child in below):
                    node.live = changed = True
