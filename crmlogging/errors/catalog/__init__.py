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
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Final

from crmlogging.errors.catalog.parsing import parse_provider, parse_reasons, parse_rules
from crmlogging.errors.catalog.rules import Case, Provider, Reason, Rule
from crmlogging.errors.model import CrmError
from crmlogging.exceptions import Problems

__all__ = ["Catalog", "builtin"]

_FIRST: Final = ("reasons", "generic", "network")  # what other files build on
_HOSTS_KEPT: Final = 1_024
_CODES_KEPT: Final = 4_096
_WORDS_KEPT: Final = 1_024
_MAX_NAMED: Final = 5
_NO_HINTS: Final[frozenset[str]] = frozenset()
_TABLES: Final = ("reasons", "providers", "generic", "network", "statuses", "_aliases")
# Addresses, long numbers, UUIDs and digests.
_VALUES: Final = re.compile(r"\S{1,64}@\S{1,64}|\b\d{5,}\b|\b[0-9a-f]{8,}(?:-[0-9a-f]{4,}){0,4}\b")
# What can be wrong with a single field.
_FIELD_REASONS: Final = frozenset(
    (
        "DUPLICATE UNKNOWN_FIELD INVALID_OPTION TOO_LONG TOO_SHORT OUT_OF_RANGE INVALID_TYPE"
        " REQUIRED NOT_FOUND INVALID_FORMAT INVALID"
    ).split()
)


class Catalog:
    """All rules, ready to be asked.

    Attributes:
        reasons: name to reason.
        providers: slug to provider.
        generic: the rules for every provider, as a provider without a name.
        network: the rules for exceptions.
        statuses: HTTP status to the rule for it alone.
        remembered: the last answers of `crmlogging.errors.classify`, by a hash of the question.
    """

    def __init__(self) -> None:
        self.reasons: dict[str, Reason] = {}
        self.providers: dict[str, Provider] = {}
        self.generic = Provider(name="", title="the provider")
        self.network = Provider(name="", title="the provider")
        self.statuses: dict[int, Rule] = {}
        self._aliases: dict[str, str] = {}
        self._hosts: dict[str, Provider | None] = {}
        self._families: dict[str, tuple[Rule, ...]] = {}
        self.remembered: dict[int, CrmError | None] = {}
        self._worded: dict[tuple[int, int | None, str], tuple[Rule | None, Rule | None]] = {}

    @cached_property
    def marks(self) -> tuple[dict[str, Provider], tuple[str, ...]]:
        """Response headers that tell a provider, and those keys of it that are prefixes."""
        marks = {m.removesuffix("*"): p for p in self.providers.values() for m in p.marks}
        starred = {m for p in self.providers.values() for m in p.marks if m.endswith("*")}
        return marks, tuple(mark.removesuffix("*") for mark in starred)

    @cached_property
    def shapes(self) -> tuple[tuple[frozenset[str], Provider], ...]:
        """Keys at the top of a body that tell a provider, with that provider."""
        return tuple((shape, p) for p in self.providers.values() for shape in p.shapes)

    def provider_of_host(self, host: str) -> Provider | None:
        """Return the provider that a lower-case host name belongs to."""
        try:
            return self._hosts[host]
        except KeyError:
            found = None
            for provider in self.providers.values():
                if any(host == h or (h[0] == "." and host.endswith(h)) for h in provider.hosts):
                    found = provider
                    break
            if len(self._hosts) >= _HOSTS_KEPT:
                self._hosts.clear()
            self._hosts[host] = found
            return found

    @cached_property
    def unknown(self) -> Rule:
        """The rule for what no rule knows."""
        return self.rule_for("UNKNOWN")

    def rule_for(self, reason: str, like: Rule | None = None) -> Rule:
        """Return a rule that only names `reason`; its place in explanations is that of `like`."""
        known = self.reasons[reason]
        return Rule(name=like.name if like is not None else reason, reason=known, run=known.run)

    @cached_property
    def requested(self) -> tuple[tuple[Rule, ...], frozenset[str]]:
        """Generic rules about the request or headers, and the headers without which none holds."""
        rules = tuple(rule for rule in self.generic.conditions if not rule.worded)
        always = any(not rule.headers for rule in rules)
        names = frozenset() if always else frozenset(rule.headers[0][0] for rule in rules)
        return rules, names

    def worded(self, words: str, case: Case) -> tuple[Rule | None, Rule | None]:
        """Return the first strong and the first weak generic rule whose wording holds; remembered.

        Ids, addresses and long numbers do not matter, so that messages which differ in them are
        looked at once.
        """
        shape = _VALUES.sub("_", words)
        key = (hash(shape), case.status, case.kind)  # hashed: no message is kept
        known = self._worded.get(key)
        if known is None:
            known = self._first_worded(shape, case)
            if len(self._worded) >= _WORDS_KEPT:
                self._worded.clear()
            self._worded[key] = known
        return known

    def _first_worded(self, words: str, case: Case) -> tuple[Rule | None, Rule | None]:
        # A page of theirs about a failure of theirs: its words about passwords are not ours.
        theirs = case.kind == "html" and case.status is not None and case.status >= 500
        weak: Rule | None = None
        for rule in self._wordings:
            if not (theirs and rule.reason.actionable) and rule.holds(case, words, _NO_HINTS):
                if not rule.weak:
                    return rule, weak
                weak = weak or rule
        return None, weak

    @cached_property
    def _wordings(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.generic.conditions if rule.worded)

    def knows(self, code: str, provider: Provider | None) -> bool:
        """Whether a rule names the normal code exactly."""
        return code in self.generic.by_code or (provider is not None and code in provider.by_code)

    def summary(self, reason: Reason, provider: Provider | None, fields: tuple[str, ...]) -> str:
        """Return what happened and what to do, as the operator reads it."""
        named = list(fields[:_MAX_NAMED])
        if len(fields) > _MAX_NAMED:
            named.append(f"{len(fields) - _MAX_NAMED} more")
        title = provider.title if provider is not None else "the provider"
        text = reason.summary.replace("{provider}", title)
        text = text.replace("{fields}", ", ".join(named) or "a field")
        return text[0].upper() + text[1:]

    def families_of(self, code: str) -> tuple[Rule, ...]:
        """Return the rules whose family a normal code belongs to, in order; remembered."""
        known = self._families.get(code)
        if known is None:
            subject = f"_{code}_"
            known = tuple(
                rule
                for rule in self.generic.families
                if rule.family is not None and rule.family.compiled().search(subject)
            )
            if len(self._families) >= _CODES_KEPT:
                self._families.clear()
            self._families[code] = known
        return known

    def field_reason(self, code: str, words: str) -> Reason | None:
        """Return what is wrong with one field, by its normal code or its lower-case message."""
        weak: Reason | None = None
        if code:
            for rule in (*self.generic.by_code.get(code, ()), *self.families_of(code)):
                if not rule.weak:
                    return rule.reason
                weak = weak or rule.reason
        if words:
            for rule in self._field_wordings:
                if rule.wording is not None and rule.wording.found_in(words):
                    return rule.reason
        return weak

    @cached_property
    def _field_wordings(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self._wordings if rule.reason.name in _FIELD_REASONS)

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

    def provider(self, name: str) -> Provider | None:
        """Return the provider called `name` in any of its spellings."""
        found = self.providers.get(name)
        if found is None:
            found = self.providers.get(self._aliases.get(_spelling(name), ""))
        return found

    def rules(self) -> Iterator[Rule]:
        """Yield every rule, each once."""
        seen: set[int] = set()
        for part in (*self.providers.values(), self.generic, self.network):
            coded = (rule for rules in part.by_code.values() for rule in rules)
            for rule in (*coded, *part.families, *part.conditions):
                if id(rule) not in seen:
                    seen.add(id(rule))
                    yield rule
        yield from self.statuses.values()

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
            self.generic = _with_rules(self.generic, [r for r in rules if r not in bare])

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
            self._aliases[_spelling(alias)] = provider.name


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
    return bool(rule.statuses) and replace(rule, statuses=frozenset()) == Rule(
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


def _spelling(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))


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
    folder = resources.files(__name__)
    names = sorted(e.name[:-5] for e in folder.iterdir() if e.name.endswith(".toml"))
    for name in (*_FIRST, *(n for n in names if n not in _FIRST)):
        catalog._add(name, folder.joinpath(f"{name}.toml").read_text(encoding="utf-8"), problems)
    problems.raise_if_any()
    return catalog
