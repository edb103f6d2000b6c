"""From TOML to rows as plain values, naming every bad one.

Shape of a provider's file::

    [provider]                      # absent in the generic files
    name = "hubspot"                # slug; all other keys as in `rules.Provider`
    title = "HubSpot"
    source = "https://..."          # page the rows were taken from, unless a row says otherwise
    checked = "2026-11-20"          # when it was last looked at
    [links]                         # reason or category -> https page where it is fixed
    auth = "https://app.hubspot.com/..."
    [[rules]]
    reason = "TOKEN_EXPIRED"        # what it means: a table of reasons.toml
    codes = ["EXPIRED_AUTHENTICATION"]
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from typing import Any, Final, TypeVar

from crmlogging.errors.catalog.patterns import Data, as_data
from crmlogging.errors.catalog.rules import Row, normal_code
from crmlogging.errors.model import Category, Owner
from crmlogging.errors.text.late import late
from crmlogging.exceptions import Problems

__all__ = ["parse_provider", "parse_reasons", "parse_rules"]

_Kind = TypeVar("_Kind", Category, Owner)

_SLUG: Final = late(r"[a-z0-9_-]{1,32}")
_REASON_NAME: Final = late(r"[A-Z][A-Z_]{2,31}")
_LINK: Final = late(r"https://(\{host\}|[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?:/[^\s{}<>\"]*)?")
_DATE: Final = late(r"\d{4}-\d\d-\d\d")
_OWNERS: Final = {
    Category.AUTH: Owner.OPERATOR,
    Category.PERMISSIONS: Owner.ADMIN,
    Category.PLAN: Owner.BILLING_OWNER,
    Category.VALIDATION: Owner.OPERATOR,
    Category.UNKNOWN: Owner.DEVELOPER,
}
_RUN_CATEGORIES: Final = frozenset({Category.AUTH, Category.UNREACHABLE})
_TIER_ONE: Final = frozenset({Category.TRANSIENT, Category.UNREACHABLE})
_REASON_KEYS: Final = ("category", "summary", "scope", "owner", "tier", "label", "limit", "echo")
_PATTERN_KEYS: Final = ("family", "wording", "unless", "host", "path", "not_path")
_WORD_KEYS: Final = ("codes", "hints", "methods", "kinds")
_NUMBER_KEYS: Final = ("statuses", "not_statuses")
_RULE_KEYS: Final = (
    *("reason", "headers", "weak", "scope", "link", "source", "checked"),
    *(_PATTERN_KEYS + _WORD_KEYS + _NUMBER_KEYS),
)
_CONDITIONS: Final = (*_PATTERN_KEYS, *_WORD_KEYS, *_NUMBER_KEYS, "headers")
_PROVIDER_LISTS: Final = (
    *("aliases", "hosts", "marks", "code_keys", "id_keys", "id_headers", "link_hosts"),
)
_PROVIDER_KEYS: Final = (
    *("name", "title", "status_page", "login_host", "shapes", "source", "checked"),
    *_PROVIDER_LISTS,
)


def parse_reasons(tables: object, problems: Problems) -> dict[str, Row]:
    """Return the reasons of ``reasons.toml``, or of the ``[reasons]`` of a user's file, by name."""
    if not isinstance(tables, dict):
        problems.add("[reasons]", "must be a table")
        return {}
    reasons = {}
    for name, table in tables.items():
        place = f"[{name}]"
        if not _REASON_NAME.fullmatch(name):
            problems.add(place, "a reason's name is upper case words joined by underscores")
        elif not isinstance(table, dict):
            problems.add(place, "must be a table")
        else:
            reason = _reason(name, table, place, problems)
            if reason is not None:
                reasons[name] = reason
    return reasons


def _reason(name: str, table: Mapping[str, Any], place: str, problems: Problems) -> Row | None:
    _refuse_unknown(table, _REASON_KEYS, place, problems)
    category = _choice(table, "category", Category, place, problems)
    summary = table.get("summary")
    if not isinstance(summary, str) or not summary.strip():
        problems.add(place, "summary: a sentence is due")
    elif set(re.findall(r"\{([^{}]*)\}", summary)) - {"provider", "fields"}:
        problems.add(place, "summary: only {provider} and {fields} can be filled in")
    if category is None or not isinstance(summary, str):
        return None
    owner = _choice(table, "owner", Owner, place, problems) if "owner" in table else None
    tier = table.get("tier", 1 if category in _TIER_ONE else 2)
    if tier not in (1, 2, 3):
        problems.add(place, f"tier: {tier!r} is not 1, 2 or 3")
    return {
        "category": category.value,
        "summary": summary,
        "label": str(table.get("label", name)),
        "run": _scope(table, place, problems)
        or ("scope" not in table and category in _RUN_CATEGORIES),
        "owner": (owner or _OWNERS.get(category, Owner.NONE)).value,
        "tier": tier,
        "limit": table.get("limit") is True,
        "echo": table.get("echo") is True,
    }


def parse_provider(document: Mapping[str, Any], problems: Problems) -> Row | None:
    """Return the ``[provider]`` and ``[links]`` of a file, without its rules."""
    table = document.get("provider")
    if not isinstance(table, dict):
        problems.add("[provider]", "must be a table")
        return None
    _refuse_unknown(table, _PROVIDER_KEYS, "[provider]", problems)
    name = table.get("name")
    if not isinstance(name, str) or not _SLUG.fullmatch(name):
        problems.add("[provider]", "name: a slug (a-z, 0-9, _, -; at most 32) is due")
        return None
    lists = {key: _strings(table, key, "[provider]", problems) for key in _PROVIDER_LISTS}
    shapes = table.get("shapes", [])
    if not isinstance(shapes, list) or not all(isinstance(s, list) and s for s in shapes):
        problems.add("[provider]", "shapes: lists of keys are due")
        shapes = []
    status_page = table.get("status_page", "")
    if status_page and not _is_link(status_page):
        problems.add("[provider]", "status_page: an https:// address is due")
    told = {
        "name": name,
        "title": str(table.get("title", "")),
        "shapes": [[str(key) for key in shape] for shape in shapes],
        "status_page": str(status_page),
        "login_host": str(table.get("login_host", "")),
        "links": _links(document.get("links", {}), lists["link_hosts"], problems),
        **lists,
    }
    return {key: value for key, value in told.items() if value}


def _links(table: object, hosts: list[str], problems: Problems) -> dict[str, str]:
    if not isinstance(table, dict):
        problems.add("[links]", "must be a table")
        return {}
    for key, link in table.items():
        if not _is_link(link):
            problems.add("[links]", f"{key}: an https:// address with a fixed host is due")
        elif "{host}" in link and not hosts:
            problems.add("[links]", f"{key}: {{host}} needs [provider] link_hosts")
    return {str(key): link for key, link in table.items() if _is_link(link)}


def parse_rules(
    document: Mapping[str, Any], place: str, reasons: Container[str], problems: Problems
) -> Iterator[Row]:
    """Yield the ``[[rules]]`` of a file in its order; `place` names the file in explanations."""
    rows = document.get("rules", [])
    if not isinstance(rows, list):
        problems.add("[[rules]]", "must be an array of tables")
        return
    about = document.get("provider", document)
    about = about if isinstance(about, dict) else {}
    for number, row in enumerate(rows, 1):
        where = f"[[rules]] {number}"
        if not isinstance(row, dict):
            problems.add(where, "must be a table")
            continue
        known = str(row.get("reason")) in reasons
        if not known:
            problems.add(where, f"reason: {row.get('reason')!r} is not in the table of reasons")
        _refuse_unknown(row, _RULE_KEYS, where, problems)
        if not any(row.get(key) for key in _CONDITIONS):
            problems.add(where, "a rule needs a condition (codes, family, wording, statuses ...)")
        if known:
            yield _rule(row, f"{place}#{number}", where, about, problems)


def _rule(
    row: Mapping[str, Any], name: str, where: str, about: Mapping[str, Any], problems: Problems
) -> Row:
    link, checked = row.get("link", ""), row.get("checked", about.get("checked", ""))
    if link and not _is_link(link):
        problems.add(where, "link: an https:// address with a fixed host is due")
    if checked and not _DATE.fullmatch(str(checked)):
        problems.add(where, "checked: a date YYYY-MM-DD is due")
    words = {key: _strings(row, key, where, problems) for key in _WORD_KEYS}
    told: dict[str, Any] = {
        "name": name,
        "reason": row["reason"],
        **words,
        **{key: [normal_code(code) for code in words[key]] for key in ("codes", "hints")},
        **{key: _pattern(row, key, where, problems) for key in _PATTERN_KEYS},
        **{key: _numbers(row, key, where, problems) for key in _NUMBER_KEYS},
        "headers": _headers(row.get("headers", {}), where, problems),
        "weak": row.get("weak") is True,
        "plain": not any(row.get(key) for key in _CONDITIONS if key not in ("codes", "family")),
        "link": link,
        "source": str(row.get("source", about.get("source", ""))),
        "checked": str(checked),
    }
    told = {key: value for key, value in told.items() if value}
    if "scope" in row:
        told["run"] = _scope(row, where, problems)
    return told


def _scope(table: Mapping[str, Any], place: str, problems: Problems) -> bool:
    scope = table.get("scope", "record")
    if scope not in ("run", "record"):
        problems.add(place, f"scope: {scope!r} is neither 'run' nor 'record'")
    return bool(scope == "run")


def _headers(table: object, place: str, problems: Problems) -> dict[str, list[Data]]:
    if not isinstance(table, dict) or not all(isinstance(v, str) for v in table.values()):
        problems.add(place, "headers: a table of header name to pattern is due")
        return {}
    return {name.lower(): _alternatives([value], place, problems) for name, value in table.items()}


def _pattern(row: Mapping[str, Any], key: str, place: str, problems: Problems) -> list[Data]:
    return _alternatives(_strings(row, key, place, problems), f"{place}: {key}", problems)


def _alternatives(sources: list[str], place: str, problems: Problems) -> list[Data]:
    for source in sources:
        try:
            re.compile(source)
        except re.error as error:
            problems.add(place, f"pattern does not compile: {error}")
    return [as_data(source) for source in sources]


def _strings(table: Mapping[str, Any], key: str, place: str, problems: Problems) -> list[str]:
    values = table.get(key, [])
    if not isinstance(values, list) or not all(isinstance(v, str) and v for v in values):
        problems.add(place, f"{key}: a list of non-empty strings is due")
        return []
    return values


def _numbers(table: Mapping[str, Any], key: str, place: str, problems: Problems) -> list[int]:
    values = table.get(key, [])
    if not isinstance(values, list) or not all(type(v) is int for v in values):
        problems.add(place, f"{key}: a list of numbers is due")
        return []
    return values


def _choice(
    table: Mapping[str, Any], key: str, kind: type[_Kind], place: str, problems: Problems
) -> _Kind | None:
    try:
        return kind(str(table.get(key)))
    except ValueError:
        problems.add(place, f"{key}: {table.get(key)!r} is none of {', '.join(kind)}")
        return None


def _refuse_unknown(
    table: Mapping[str, Any], known: tuple[str, ...], place: str, problems: Problems
) -> None:
    for key in table:
        if key not in known:
            problems.add(place, f"unknown key {key!r} (known: {', '.join(sorted(known))})")


def _is_link(value: object) -> bool:
    return isinstance(value, str) and _LINK.fullmatch(value) is not None
