"""The catalog as plain values: read from TOML, or from ``tables.json``, which holds all of ours.

To read and check our TOML takes longer than a call that logs may. ``tables.json`` is what comes of
it, with the index of what patterns need. After a change of the TOML, ``python
docs/taxonomy_table.py`` writes it anew; a test tells when that was forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypedDict

import orjson

from crmlogging.errors.catalog.literals import Numbers, numbers_of
from crmlogging.errors.catalog.rules import Provider, Reason, Row
from crmlogging.exceptions import Problems

__all__ = ["FILE", "Tables", "compiled", "joined", "read"]

FILE: Final = Path(__file__).with_name("tables.json")
_FIRST: Final = ("reasons", "generic", "network")  # what other files build on
_KNOWN: Final = frozenset(("reasons", "provider", "links", "rules", "source", "checked"))
_BESIDE_A_STATUS: Final = frozenset(
    ("name", "reason", "statuses", "weak", "run", "link", "source", "checked")
)


class Tables(TypedDict):
    """Rows of a catalog.

    Attributes:
        reasons: by name.
        providers: by slug.
        rules: of each provider, by its slug.
        generic: rules for every provider.
        network: rules for exceptions.
        statuses: rules for a status alone; the last one for it counts.
        wordings, families: indexes of what `generic` looks for, one a file.
    """

    reasons: dict[str, Row]
    providers: dict[str, Row]
    rules: dict[str, list[Row]]
    generic: list[Row]
    network: list[Row]
    statuses: list[Row]
    wordings: list[Numbers]
    families: list[Numbers]


def read(name: str, text: str, reasons: Mapping[str, Row], problems: Problems) -> Tables:
    """Return the rows of one file, naming those that are bad.

    Args:
        name: of the file, without its suffix.
        text: of the file.
        reasons: that its rules may name besides its own.
        problems: to add to.
    """
    import tomllib  # Here, since only files of users are read as TOML.

    part = Problems(f"{name}.toml")
    document: dict[str, Any] = {}
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        part.add("syntax", str(error))
    for key in document.keys() - _KNOWN:
        part.add(key, "unknown table")
    tables = _rows(name, document, reasons, part)
    problems.found.extend(f"{problems.place}: {found}" for found in part.found)
    return tables


def _rows(
    name: str, document: Mapping[str, Any], known: Mapping[str, Row], problems: Problems
) -> Tables:
    from crmlogging.errors.catalog.parsing import parse_provider, parse_reasons, parse_rules

    tables = nothing()
    tables["reasons"] = parse_reasons(document.get("reasons", {}), problems)
    reasons = {**known, **tables["reasons"]}
    rows = list(parse_rules(document, name, reasons, problems))
    if "provider" in document:
        provider = parse_provider(document, problems)
        if provider is not None:
            tables["providers"][provider["name"]] = provider
            tables["rules"][provider["name"]] = rows
    elif name == "network":
        tables["network"] = rows
    else:
        tables["statuses"] = [row for row in rows if row.keys() <= _BESIDE_A_STATUS]
        tables["generic"] = [row for row in rows if not row.keys() <= _BESIDE_A_STATUS]
        _add_indexes(tables, reasons)
    return tables


def _add_indexes(tables: Tables, reasons: Mapping[str, Row]) -> None:
    named = {name: Reason(name, row) for name, row in reasons.items()}
    generic = Provider({}, tables["generic"], named)
    if generic.rules:
        tables["wordings"] = [numbers_of([each.needs for _, each in generic.wordings])]
        tables["families"] = [numbers_of([each.needs for _, each in generic.spellings])]


def nothing() -> Tables:
    """Return tables without rows."""
    return {
        "reasons": {}, "providers": {}, "rules": {}, "generic": [], "network": [], "statuses": [],
        "wordings": [], "families": [],
    }  # fmt: skip


def joined(own: Tables, base: Tables) -> Tables:
    """Return the rows of both; rules of `own` are asked first, its names count."""
    providers, rules = dict(base["providers"]), dict(base["rules"])
    for slug, row in own["providers"].items():
        known = providers.get(slug, {})
        links = {**known.get("links", {}), **row.get("links", {})}
        providers[slug] = {**known, **row, "links": links}
        rules[slug] = [*own["rules"][slug], *rules.get(slug, [])]
    return {
        "reasons": {**base["reasons"], **own["reasons"]},
        "providers": providers,
        "rules": rules,
        "generic": [*own["generic"], *base["generic"]],
        "network": [*own["network"], *base["network"]],
        "statuses": [*base["statuses"], *own["statuses"]],
        "wordings": [*own["wordings"], *base["wordings"]],
        "families": [*own["families"], *base["families"]],
    }


def compiled(files: Iterable[Path]) -> bytes:
    """Return ``tables.json`` for the TOML files of the package.

    Raises:
        ConfigurationError: rows are bad; all of them are named.
    """
    texts = {file.stem: file.read_text(encoding="utf-8") for file in files}
    tables, problems = nothing(), Problems("catalog")
    for name in (*_FIRST, *sorted(texts.keys() - {*_FIRST})):
        tables = joined(read(name, texts[name], tables["reasons"], problems), tables)
    problems.raise_if_any()
    return orjson.dumps(tables, option=orjson.OPT_APPEND_NEWLINE)
