"""Questions to an archive's lines: which failures there are, how many, who acts, where."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["FailureGroup", "FailureReport", "failures"]

CATEGORIES: Final = (
    *("auth", "plan", "permissions", "validation", "unreachable", "transient", "unknown"),
)
"""In the order in which somebody has to look at them."""

_GROUPS_KEPT: Final = 10_000
_NAMES_KEPT: Final = 1_000
_TEXT_CHARACTERS: Final = 500
_FAILED: Final = ("ERROR", "CRITICAL")
# Controls, formats, half pairs; and what ends a line (U+2028, U+2029).
_UNSEEN: Final = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"))


@dataclass(slots=True)
class FailureGroup:
    """Failures with one cause.

    Attributes:
        category: kind of failure, one of `CATEGORIES`.
        provider: CRM, or "".
        code: our stable code, or "".
        provider_code: the provider's own code, or "".
        summary: what happened and what to do; for an unclassified failure its message.
        owner: who acts, or "".
        fix_url: https page where it is fixed, or "".
        count: failed calls.
        final: those of them that failed for good (ERROR and above); the others were retried.
        fields: fields of the payload at fault, with the number of calls each.
        tenants: customer accounts concerned (the first 1,000).
        first, last: timestamps of the earliest and the latest.
        correlation_id: of one example, or "".
    """

    category: str
    provider: str
    code: str
    provider_code: str
    summary: str = ""
    owner: str = ""
    fix_url: str = ""
    count: int = 0
    final: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    tenants: set[str] = field(default_factory=set)
    first: str = ""
    last: str = ""
    correlation_id: str = ""

    def add(self, line: Mapping[str, Any]) -> None:
        """Count one line of this group; a summary of held back lines counts as all of those."""
        held_back = line.get("error.suppressed")
        number = held_back if type(held_back) is int and held_back > 0 else 1
        self.count += number
        self.final += number if line.get("level") in _FAILED else 0
        self._note_times(line)
        self.summary = self.summary or _text(line, "error.summary") or _text(line, "message")
        self.owner = self.owner or _text(line, "error.owner")
        self.correlation_id = self.correlation_id or _text(line, "correlation_id")
        link = _text(line, "error.fix_url")
        if not self.fix_url and link.startswith("https://"):
            self.fix_url = link
        if len(self.tenants) < _NAMES_KEPT and (tenant := _text(line, "tenant.code")):
            self.tenants.add(tenant)
        names = line.get("error.fields")
        for name in names[:_NAMES_KEPT] if type(names) is list else ():
            if type(name) is str and (name in self.fields or len(self.fields) < _NAMES_KEPT):
                self.fields[_printable(name)] += number

    def _note_times(self, line: Mapping[str, Any]) -> None:
        own = _text(line, "timestamp")
        first = _text(line, "error.suppressed_first") or own
        last = _text(line, "error.suppressed_last") or own
        self.first = min(self.first or first, first or self.first)
        self.last = max(self.last, last)


@dataclass(slots=True)
class FailureReport:
    """All failures of an archive.

    Attributes:
        groups: in the order in which somebody has to look at them, largest first.
        lines: lines looked at, failures or not.
        first, last: timestamps of the earliest and the latest line.
    """

    groups: list[FailureGroup]
    lines: int
    first: str
    last: str

    @property
    def count(self) -> int:
        """Failed calls of all groups."""
        return sum(group.count for group in self.groups)

    @property
    def final(self) -> int:
        """Failed calls that failed for good."""
        return sum(group.final for group in self.groups)


def failures(lines: Iterable[Mapping[str, Any]]) -> FailureReport:
    """Group the failures among `lines`: what is classified, and anything at ERROR or above.

    Example:
        >>> line = {"level": "ERROR", "crm": "zoho", "error.category": "auth"}
        >>> [(group.category, group.count) for group in failures([line, line]).groups]
        [('auth', 2)]
    """
    groups: dict[tuple[str, ...], FailureGroup] = {}
    report = FailureReport([], 0, "", "")
    for line in lines:
        report.lines += 1
        moment = _text(line, "timestamp")
        report.first = min(report.first or moment, moment or report.first)
        report.last = max(report.last, moment)
        if "error.category" in line or line.get("level") in _FAILED:
            _group_of(line, groups).add(line)
    report.groups = sorted(
        groups.values(),
        key=lambda group: (CATEGORIES.index(group.category), -group.count, group.code),
    )
    return report


def _group_of(line: Mapping[str, Any], groups: dict[tuple[str, ...], FailureGroup]) -> FailureGroup:
    category = _text(line, "error.category")
    group = FailureGroup(
        category=category if category in CATEGORIES else "unknown",
        provider=_text(line, "crm"),
        code=_text(line, "error.code"),
        provider_code=_text(line, "error.provider_code"),
    )
    cause = _text(line, "error.fingerprint")
    if not cause and not group.code:
        cause = "\n".join(_text(line, name) for name in ("source", "error.type", "message"))
    key: tuple[str, ...] = (group.category, group.provider, group.code, group.provider_code, cause)
    if key not in groups and len(groups) >= _GROUPS_KEPT:
        group = FailureGroup("unknown", "", "", "", summary="Failures of further kinds")
        key = ("further kinds",)
    return groups.setdefault(key, group)


def _text(line: Mapping[str, Any], name: str) -> str:
    """Return a field as text fit for a terminal, or ""; "-" stands for nothing in a line."""
    value = line.get(name)
    return _printable(value) if type(value) is str and value != "-" else ""


def _printable(text: str) -> str:
    """Cut `text`, and replace what could steer a terminal (controls, bidirectional overrides)."""
    text = text[:_TEXT_CHARACTERS]
    if text.isprintable():
        return text
    return "".join("�" if unicodedata.category(each) in _UNSEEN else each for each in text)
