"""How a catalog is asked: by code, words, host, header, shape of a body or status.

Answers about codes, hosts and messages are remembered, bounded; messages by a hash only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, Final

from crmlogging.errors.catalog.literals import Index
from crmlogging.errors.catalog.rules import Case, Pattern, Provider, Reason, Rule

__all__ = ["Lookups", "spelling"]

_HOSTS_KEPT: Final = 1_024
_CODES_KEPT: Final = 4_096
_WORDS_KEPT: Final = 1_024
_MAX_NAMED: Final = 5
_NO_HINTS: Final[frozenset[str]] = frozenset()
# Addresses, long numbers, UUIDs and digests.
_VALUES: Final = re.compile(r"\S{1,64}@\S{1,64}|\b\d{5,}\b|\b[0-9a-f]{8,}(?:-[0-9a-f]{4,}){0,4}\b")
# What can be wrong with a single field.
_FIELD_REASONS: Final = frozenset(
    (
        "DUPLICATE UNKNOWN_FIELD INVALID_OPTION TOO_LONG TOO_SHORT OUT_OF_RANGE INVALID_TYPE"
        " REQUIRED NOT_FOUND INVALID_FORMAT INVALID"
    ).split()
)


class Lookups:
    """Rules, ready to be asked.

    Attributes:
        reasons: name to reason.
        providers: slug to provider.
        generic: the rules for every provider, as a provider without a name.
        network: the rules for exceptions.
        statuses: HTTP status to the rule for it alone.
        memory: the last answers, kept by `crmlogging.errors.memory`.
        recall: what is known of failures at a glance, kept by `crmlogging.errors.recall`.
        templates: what errors of one kind have in common, for `crmlogging.errors.building`.
    """

    def __init__(self) -> None:
        self.reasons: dict[str, Reason] = {}
        self.providers: dict[str, Provider] = {}
        self.generic = Provider(name="", title="the provider")
        self.network = Provider(name="", title="the provider")
        self.statuses: dict[int, Rule] = {}
        self.aliases: dict[str, str] = {}
        self._hosts: dict[str, Provider | None] = {}
        self._families: dict[str, tuple[Rule, ...]] = {}
        self.memory: object = None
        self.recall: object = None
        self.templates: dict[tuple[object, ...], dict[str, Any]] = {}
        self._worded: dict[tuple[int, int | None, str], tuple[Rule | None, Rule | None]] = {}

    @cached_property
    def marks(self) -> tuple[dict[str, Provider], tuple[str, ...]]:
        """Response headers that tell a provider, and those keys of it that are prefixes."""
        marks = {m.removesuffix("*"): p for p in self.providers.values() for m in p.marks}
        starred = {m for p in self.providers.values() for m in p.marks if m.endswith("*")}
        return marks, tuple(mark.removesuffix("*") for mark in starred)

    @cached_property
    def asked_headers(self) -> dict[str, list[Pattern]]:
        """Response headers that rules ask for (lower case), with what they ask."""
        asked: dict[str, list[Pattern]] = {}
        for rule in self.rules():
            for name, pattern in rule.headers:
                asked.setdefault(name, []).append(pattern)
        return asked

    @cached_property
    def asked_paths(self) -> tuple[Pattern, ...]:
        """What rules ask of the path of a request."""
        patterns = (p for rule in self.rules() for p in (rule.path, rule.not_path))
        return tuple(pattern for pattern in patterns if pattern is not None)

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

    def forget_words(self) -> None:
        """Forget what messages mean, as a benchmark of new ones needs it."""
        self._worded.clear()

    def _first_worded(self, words: str, case: Case) -> tuple[Rule | None, Rule | None]:
        # A page of theirs about a failure of theirs: its words about passwords are not ours.
        theirs = case.kind == "html" and case.status is not None and case.status >= 500
        weak: Rule | None = None
        rules, index = self._wordings
        for number in index.possible(words):
            rule = rules[number]
            if not (theirs and rule.reason.actionable) and rule.holds(case, words, _NO_HINTS):
                if not rule.weak:
                    return rule, weak
                weak = weak or rule
        return None, weak

    @cached_property
    def _wordings(self) -> tuple[tuple[Rule, ...], Index]:
        return _indexed(rule for rule in self.generic.conditions if rule.worded)

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
            rules, index = self._field_wordings
            for number in index.possible(words):
                wording = rules[number].wording
                if wording is not None and wording.found_in(words):
                    return rules[number].reason
        return weak

    @cached_property
    def _field_wordings(self) -> tuple[tuple[Rule, ...], Index]:
        return _indexed(rule for rule in self._wordings[0] if rule.reason.name in _FIELD_REASONS)

    def provider(self, name: str) -> Provider | None:
        """Return the provider called `name` in any of its spellings."""
        found = self.providers.get(name)
        if found is None:
            found = self.providers.get(self.aliases.get(spelling(name), ""))
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

    def rule_named(self, name: str) -> Rule | None:
        """Return the rule that `CrmError.rule` names, to tell its source; None if it has no row."""
        place = name.partition(":")[0]
        return next((rule for rule in self.rules() if rule.name == place), None)


def _indexed(rules: Iterable[Rule]) -> tuple[tuple[Rule, ...], Index]:
    """Return `rules` with what finds those whose wording can occur in a text."""
    kept = tuple(rules)
    return kept, Index([rule.wording.sources if rule.wording else () for rule in kept])


def spelling(name: str) -> str:
    """Return the letters and digits of a provider's name, in lower case."""
    return "".join(filter(str.isalnum, name.lower()))
