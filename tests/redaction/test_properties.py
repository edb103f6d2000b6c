"""Properties of the projection, for any data and any allowlist.

Data are drawn with a secret in every text that no pattern allows, keys included. What a pattern
allows is decided here by a rule of its own, in a few lines and without the graph.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from crmlogging.fields import CRM_PRESET
from crmlogging.formatters.json_formatter import JsonFormatter
from crmlogging.records import STANDARD_ATTRIBUTES, SafeRecord
from crmlogging.redaction.projection import Projection

SECRET: Final = "canary"
FINE: Final = "f-17"
KEY: Final = b"0123456789abcdef0123456789abcdef"

_NAMES: Final = (
    *("user", "id", "details", "campaign", "name", "items", "tags", "a", "b", "request", "method"),
)
_KEYS: Final = (
    f"{SECRET} key",
    f"{SECRET}@k.example",
    f"{SECRET}\u2028",
    b"canary",
    ("canary",),
    7,
)
_SECRETS: Final = (
    *(f"{SECRET}17", f"{SECRET}@leak.example", f"Ada {SECRET} Lovelace", f"Bearer {SECRET}abcdef"),
    *(f'{{"x": "{SECRET}"}}', f"https://{SECRET}:pw@x.example/?k={SECRET}", f"{SECRET}\r\n\u2028"),
    *(f"{SECRET}" * 400, f"\ud800{SECRET}", f"\x1b[31m{SECRET}", f"x{SECRET}" + "7" * 30),
)
_PATTERNS: Final[tuple[Any, ...]] = (
    *("user.id", "campaign.id", "details.*", "details.**", "items[].id", "items[]", "items[].a.*"),
    *("a.b.a", "*.name", "a.*.b", "tags", "request.*", "@crm", "id"),
    *({"campaign.name": "text"}, {"tags.a": "text"}, {"a.count": "int"}, {"b.**": "slug"}),
)
_MASKS: Final[tuple[dict[str, str], ...]] = (
    {},
    {"user": "last4"},
    {"details.a": "hmac"},
    {"items": "last4", "tags": "hmac"},
)


@dataclasses.dataclass
class Contact:
    """A container with declared fields."""

    id: object
    name: object


@dataclasses.dataclass
class Drawn:
    """An allowlist, and what a record carries."""

    fields: list[Any]
    mask: dict[str, str]
    extra: dict[str, Any]

    def projection(self, **options: Any) -> Projection:
        return Projection(self.fields, mask=self.mask, hmac_key=lambda: KEY, **options)


def _segments(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.replace("[]", ".[]").split("."))


def _flat(fields: list[Any]) -> list[tuple[str, ...]]:
    names: list[str] = []
    for entry in fields:
        if isinstance(entry, Mapping):
            names += entry
        else:
            names += CRM_PRESET if entry == "@crm" else [entry]
    return [_segments(name) for name in names]


def _fits(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    if not pattern or not path:
        return not pattern and not path
    if pattern[0] == "**":
        return True
    same = pattern[0] == path[0] or (pattern[0] == "*" and path[0] != "[]")
    return same and _fits(pattern[1:], path[1:])


def _allowed(patterns: list[tuple[str, ...]], path: tuple[str, ...]) -> bool:
    """Tell whether a text at `path` may be shown; items of a list also under the list's name."""
    while True:
        if any(_fits(pattern, path) for pattern in patterns):
            return True
        if path[-1] != "[]":
            return False
        path = path[:-1]


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    """Draw an allowlist and data that hold a secret wherever that does not allow a text."""
    fields = draw(st.lists(st.sampled_from(_PATTERNS), unique_by=repr, max_size=5))
    patterns = _flat(fields)

    def text(path: tuple[str, ...]) -> str:
        return FINE if _allowed(patterns, path) else draw(st.sampled_from(_SECRETS))

    def value(path: tuple[str, ...], depth: int) -> Any:
        kind = draw(st.integers(0, 11 if depth else 5))
        if kind <= 2:
            return text(path)
        if kind <= 5:
            plain = (
                7,
                -1.5,
                True,
                None,
                float("nan"),
                10**25,
                text(path).encode("utf-8", "replace"),
            )
            return draw(st.sampled_from(plain))
        if kind <= 8:
            return mapping(path, depth)
        if kind == 9:
            return Contact(value((*path, "id"), depth - 1), value((*path, "name"), depth - 1))
        items = [value((*path, "[]"), depth - 1) for _ in range(draw(st.integers(0, 3)))]
        return tuple(items) if kind == 10 else items

    def mapping(path: tuple[str, ...], depth: int) -> dict[Any, Any]:
        names = draw(st.lists(st.sampled_from(_NAMES), unique=True, max_size=3))
        found: dict[Any, Any] = {name: value((*path, name), depth - 1) for name in names}
        for key in draw(st.lists(st.sampled_from(_KEYS), unique=True, max_size=2)):
            found[key] = draw(st.sampled_from((1, *_SECRETS)))
        return found

    extra: dict[Any, Any] = {}
    for name in draw(st.lists(st.sampled_from(_NAMES), unique=True, max_size=4)):
        if name != "name":
            extra[name] = value((name,), 3)
    if draw(st.booleans()):
        path = tuple(draw(st.lists(st.sampled_from(_NAMES), min_size=2, max_size=3)))
        extra[".".join(path)] = value(path, 2)
    for key in draw(st.lists(st.sampled_from(_KEYS), unique=True, max_size=2)):
        extra[key] = draw(st.sampled_from((1, *_SECRETS)))
    return Drawn(fields, dict(draw(st.sampled_from(_MASKS))), extra)


def record_with(extra: Mapping[Any, Any]) -> logging.LogRecord:
    """Build a record that carries `extra`."""
    record = logging.makeLogRecord({"name": "crm.sync", "msg": "m", "levelno": 40})
    record.__dict__.update(extra)
    return record


def line_of(record: logging.LogRecord) -> str:
    return JsonFormatter(service="crm-sync").format(record)


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return what a safe record carries beside the facts."""
    passed = STANDARD_ATTRIBUTES | {"record.id"}
    return {name: value for name, value in vars(record).items() if name not in passed}


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names))
    return dict(pairs)


def _plain_values(value: Any) -> list[str]:
    """Return the texts and numbers in `value`, placeholders and counts left out."""
    if isinstance(value, dict):
        return [
            each
            for name, inner in value.items()
            if not name.endswith(("[KEYS]", "[TRUNCATED]"))
            for each in _plain_values(inner)
        ]
    if isinstance(value, list):
        return [each for inner in value for each in _plain_values(inner)]
    return [] if value in ("[REDACTED]", "[TRUNCATED]", "[CIRCULAR]") else [repr(value)]


class TestProjection:
    @settings(max_examples=250, deadline=None)
    @given(drawn(), st.sampled_from(("mask", "drop")))
    def test_nothing_outside_the_allowed_paths_comes_out(self, case: Drawn, unknown: str) -> None:
        """No text that no pattern allows, no key; the line is one line of JSON, no key twice."""
        line = line_of(case.projection(unknown=unknown).project(record_with(case.extra)))
        assert SECRET not in line.lower()
        assert len(line.splitlines()) == 1
        line.encode("utf-8", "strict")
        parsed = json.loads(line, object_pairs_hook=_pairs, parse_constant=lambda _: 1 / 0)
        assert parsed["message"] == "[DYNAMIC MESSAGE]"

    @settings(max_examples=100, deadline=None)
    @given(drawn(), st.sampled_from(("x", "secret_note", f"{SECRET}_k", "über")), st.data())
    def test_an_unknown_field_adds_no_plain_value(
        self, case: Drawn, name: str, data: st.DataObject
    ) -> None:
        """One more field that nobody allowed adds a placeholder or a count, whatever it holds."""
        # A wildcard in the first place allows names that nobody wrote down.
        case.fields = [each for each in case.fields if each != "*.name"]
        projection = case.projection()
        more = data.draw(st.sampled_from((*_SECRETS, 17.25, {"id": "f-18"}, ["f-18"])))
        before = fields_of(projection.project(record_with(case.extra)))
        after = fields_of(projection.project(record_with({**case.extra, name: more})))
        assert sorted(_plain_values(after)) == sorted(_plain_values(before))

    @settings(max_examples=100, deadline=None)
    @given(drawn(), st.sampled_from(("mask", "drop")))
    def test_twice_is_once(self, case: Drawn, unknown: str) -> None:
        """What an allowlist let out, it lets out again; nothing else changes."""
        projection = case.projection(unknown=unknown)
        once = projection.project(record_with(case.extra))
        again = projection.project(once)
        assert fields_of(again) == fields_of(once)
        assert line_of(again) == line_of(once)

    @settings(max_examples=100, deadline=None)
    @given(drawn(), drawn())
    def test_another_allowlist_only_narrows(self, case: Drawn, other: Drawn) -> None:
        """A second filter shows no value that the first one did not."""
        once = case.projection().project(record_with(case.extra))
        other.mask = {}  # a mask over a shown value makes a new text
        narrowed = other.projection().project(once)
        assert isinstance(narrowed, SafeRecord)
        shown = _plain_values(fields_of(once))
        for each in _plain_values(fields_of(narrowed)):
            assert each in shown

    @settings(max_examples=100, deadline=None)
    @given(drawn())
    def test_the_caller_s_objects_stay_as_they_are(self, case: Drawn) -> None:
        """Neither the record nor anything that it carries is changed."""
        before = copy.deepcopy(case.extra)
        record = record_with(case.extra)
        attributes = dict(vars(record))
        case.projection().project(record)
        assert repr(case.extra) == repr(before)
        assert vars(record).keys() == attributes.keys()
        assert all(vars(record)[name] is value for name, value in attributes.items())

    @settings(max_examples=100, deadline=None)
    @given(drawn())
    def test_what_is_allowed_is_kept(self, case: Drawn) -> None:
        """A scalar under its allowed name is there, as it is."""
        case.fields = (
            [*case.fields, "kept.value"] if "kept.value" not in case.fields else case.fields
        )
        extra = {**case.extra, "kept": {"value": FINE, f"{SECRET} key": 1}}
        fields = fields_of(case.projection().project(record_with(extra)))
        assert fields["kept.value"] == FINE
        assert fields["kept.[KEYS]"] == 1
