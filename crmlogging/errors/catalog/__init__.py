"""The rules of classification, as data: one TOML file a provider, and generic ones.

    reasons.toml   what an error can mean, who acts, what the operator reads
    generic.toml   what codes, headers, words and statuses mean with any provider
    network.toml   what exceptions of HTTP clients, TLS and sockets mean
    <provider>.toml

All of it is read and validated as a whole at the first use. A file of your own adds providers and
rules, or overrides some: its rules are asked before ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from crmlogging.errors.catalog.lookups import Lookups, spelling
from crmlogging.errors.catalog.parsing import parse_provider, parse_reasons, parse_rules
from crmlogging.errors.catalog.rules import Provider, Rule
from crmlogging.exceptions import Problems

__all__ = ["Catalog", "builtin"]

_FIRST: Final = ("reasons", "generic", "network")  # what other files build on
_TABLES: Final = ("reasons", "providers", "generic", "network", "statuses", "aliases")


class Catalog(Lookups):
    """All rules, as read from files."""

    def extended(self, *files: str | Path) -> Catalog:
        """Return a catalog with the rules of `files` before those of this one.

        Raises:
            ConfigurationError: a file cannot be read or has bad rows; all of them are named.
        """
        catalog = Catalog()
        kept = {k: _copied(v) for k, v in vars(self).items() if k in _TABLES}
        vars(catalog).update(kept)
        problems = Problems("catalog")
        for file in files:
            try:
                text = Path(file).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                problems.add(str(file), f"cannot be read: {type(error).__name__}")
                continue
            catalog._add(Path(file).stem, text, problems)
        for rule in catalog.rules():
            _check_patterns(rule, problems)
        problems.raise_if_any()
        return catalog

    def _add(self, name: str, text: str, problems: Problems) -> None:
        """Take over the tables of one file."""
        import tomllib  # Here, since it is needed once and not at import.

        part = Problems(f"{name}.toml")
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            part.add("syntax", str(error))
        else:
            known = {"reasons", "provider", "links", "rules", "source", "checked"}
            for key in document.keys() - known:
                part.add(key, "unknown table")
            self.reasons.update(parse_reasons(document.get("reasons", {}), part))
            self._add_tables(name, document, part)
        problems.found.extend(f"{problems.place}: {found}" for found in part.found)

    def _add_tables(self, name: str, document: Mapping[str, Any], problems: Problems) -> None:
        rules = list(parse_rules(document, name, self.reasons, problems))
        if "provider" in document:
            provider = parse_provider(document, problems)
            if provider is not None:
                self._add_provider(provider, rules)
        elif name == "network":
            self.network = _with_rules(self.network, rules)
        else:
            bare = [rule for rule in rules if _is_status_only(rule)]
            self.statuses.update({status: rule for rule in bare for status in rule.statuses})
            alone = {id(rule) for rule in bare}
            rest = [rule for rule in rules if id(rule) not in alone]
            self.generic = _with_rules(self.generic, rest)

    def _add_provider(self, provider: Provider, rules: Iterable[Rule]) -> None:
        known = self.providers.get(provider.name)
        if known is not None:
            changes = {
                name: value
                for name in Provider.__dataclass_fields__
                if (value := getattr(provider, name)) and name not in ("by_code", "links")
            }
            provider = replace(known, **changes, links={**known.links, **provider.links})
        elif not provider.title:
            provider = replace(provider, title=provider.name)
        provider = _with_rules(provider, rules)
        self.providers[provider.name] = provider
        for alias in (provider.name, provider.title, *provider.aliases):
            self.aliases[spelling(alias)] = provider.name


def _with_rules(provider: Provider, rules: Iterable[Rule]) -> Provider:
    """Return `provider` with `rules` before those it has."""
    by_code: dict[str, tuple[Rule, ...]] = {}
    families: list[Rule] = []
    conditions: list[Rule] = []
    for rule in rules:
        for code in rule.codes:
            by_code[code] = (*by_code.get(code, ()), rule)
        if rule.family is not None:
            families.append(rule)
        elif not rule.codes:
            conditions.append(rule)
    for code, older in provider.by_code.items():
        by_code[code] = by_code.get(code, ()) + older
    return replace(
        provider,
        by_code=by_code,
        families=(*families, *provider.families),
        conditions=(*conditions, *provider.conditions),
    )


def _is_status_only(rule: Rule) -> bool:
    return bool(rule.statuses) and not rule.codes and replace(rule, statuses=frozenset()) == Rule(
        rule.name, rule.reason, weak=rule.weak, run=rule.run, link=rule.link,
        source=rule.source, checked=rule.checked,
    )  # fmt: skip


def _check_patterns(rule: Rule, problems: Problems) -> None:
    own = (rule.family, rule.wording, rule.unless, rule.host, rule.path, rule.not_path)
    for pattern in (*own, *(pattern for _, pattern in rule.headers)):
        try:
            if pattern is not None:
                pattern.compiled()
        except re.error as error:
            problems.add(rule.name, f"pattern does not compile: {error}")


def _copied(value: Any) -> Any:
    return dict(value) if isinstance(value, dict) else value


@cache
def builtin() -> Catalog:
    """Return the catalog that comes with the package; read once a process.

    Raises:
        ConfigurationError: a row of it is bad (a defect of the package).
    """
    catalog = Catalog()
    problems = Problems("catalog")
    folder = Path(__file__).parent
    names = sorted(file.stem for file in folder.glob("*.toml"))
    for name in (*_FIRST, *(n for n in names if n not in _FIRST)):
        catalog._add(name, (folder / f"{name}.toml").read_text(encoding="utf-8"), problems)
    problems.raise_if_any()
    return catalog
