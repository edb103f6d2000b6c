"""How a catalog is asked: by code, words, host, header, shape of a body or status.

Answers about codes, hosts and messages are remembered, bounded; messages by a hash only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from itertools import chain
from typing import Any, Final

from crmlogging.errors.catalog.literals import Index
from crmlogging.errors.catalog.patterns import Pattern
from crmlogging.errors.catalog.rules import AnswerLike, Provider, Reason, Row, Rule
from crmlogging.errors.catalog.tables import Tables

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
        tables: rows that it is made of.
        reasons: name to reason.
        providers: slug to provider.
        generic: the rules for every provider, as a provider without a name.
        network: the rules for exceptions.
        statuses: HTTP status to the rule for it alone.
        memory: the last answers, kept by `crmlogging.errors.memory.answers`.
        recall: what is known of failures at a glance (`crmlogging.errors.memory.exceptions`).
        templates: what errors of one kind have in common (`crmlogging.errors.verdicts.building`).
    """

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.reasons = {name: Reason(name, row) for name, row in tables["reasons"].items()}
        self.providers = {
            slug: Provider(row, tables["rules"][slug], self.reasons)
            for slug, row in tables["providers"].items()
        }
        self.generic = Provider({}, tables["generic"], self.reasons)
        self.network = Provider({}, tables["network"], self.reasons)
        self._hosts: dict[str, Provider | None] = {}
        self._families: dict[str, tuple[Rule, ...]] = {}
        self.memory: object = None
        self.recall: object = None
        self.templates: dict[tuple[object, ...], dict[str, Any]] = {}
        self._worded: dict[tuple[int, int | None, str], tuple[Rule | None, Rule | None]] = {}

    @cached_property
    def statuses(self) -> dict[int, Rule]:
        """HTTP status to the rule for it alone."""
        rules = [Rule(row, self.reasons[row["reason"]]) for row in self.tables["statuses"]]
        return {status: rule for rule in rules for status in rule.statuses}

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Names of providers, in one spelling, to their slugs."""
        return {
            spelling(alias): slug
            for slug, provider in self.providers.items()
            for alias in (slug, provider.title, *provider.aliases)
        }

    def rows(self) -> Iterator[Row]:
        """Yield the row of every rule, without making the rule."""
        of_providers = chain.from_iterable(self.tables["rules"].values())
        rest = (self.tables[key] for key in ("generic", "network", "statuses"))
        return chain(of_providers, *rest)

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
        for row in self.rows():
            for name, data in row.get("headers", {}).items():
                asked.setdefault(name, []).append(Pattern(data))
        return asked

    @cached_property
    def asked_paths(self) -> tuple[Pattern, ...]:
        """What rules ask of the path of a request."""
        asked = (row[key] for row in self.rows() for key in ("path", "not_path") if key in row)
        return tuple(map(Pattern, asked))

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
        return Rule({"name": reason if like is None else like.name}, self.reasons[reason])

    @cached_property
    def requested(self) -> tuple[tuple[Rule, ...], frozenset[str]]:
        """Generic rules about the request or headers, and the headers without which none holds."""
        rules = tuple(rule for rule in self.generic.conditions if not rule.worded)
        always = any(not rule.headers for rule in rules)
        names = frozenset() if always else frozenset(rule.headers[0][0] for rule in rules)
        return rules, names

    def worded(self, words: str, answer: AnswerLike) -> tuple[Rule | None, Rule | None]:
        """Return the first strong and the first weak generic rule whose wording holds; remembered.

        Ids, addresses and long numbers do not matter, so that messages which differ in them are
        looked at once.
        """
        shape = _VALUES.sub("_", words)
        key = (hash(shape), answer.status, answer.kind)  # hashed: no message is kept
        known = self._worded.get(key)
        if known is None:
            known = self._first_worded(shape, answer)
            if len(self._worded) >= _WORDS_KEPT:
                self._worded.clear()
            self._worded[key] = known
        return known

    def forget_words(self) -> None:
        """Forget what messages mean, as a benchmark of new ones needs it."""
        self._worded.clear()

    def _first_worded(self, words: str, answer: AnswerLike) -> tuple[Rule | None, Rule | None]:
        # A page of theirs about a failure of theirs: its words about passwords are not ours.
        theirs = answer.kind == "html" and answer.status is not None and answer.status >= 500
        weak: Rule | None = None
        for rule in self._saying(words):
            if not (theirs and rule.reason.actionable) and rule.holds(
                answer, words, _NO_HINTS, said=True
            ):
                if not rule.weak:
                    return rule, weak
                weak = weak or rule
        return None, weak

    def _saying(self, words: str) -> Iterator[Rule]:
        """Yield the generic rules one of whose wordings occurs in `words`, in order."""
        wordings = self.generic.wordings
        last: Rule | None = None
        for number in self._wordings.possible(words):
            rule, wording = wordings[number]
            if rule is not last and wording.found_in(words):
                last = rule
                yield rule

    @cached_property
    def _wordings(self) -> Index:
        return Index(*self.tables["wordings"])

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
            subject, spellings = f"_{code}_", self.generic.spellings
            possible = (spellings[number] for number in self._spellings.possible(subject))
            rules = (rule for rule, spelling in possible if spelling.found_in(subject))
            known = tuple({id(rule): rule for rule in rules}.values())
            if len(self._families) >= _CODES_KEPT:
                self._families.clear()
            self._families[code] = known
        return known

    @cached_property
    def _spellings(self) -> Index:
        return Index(*self.tables["families"])

    def field_reason(self, code: str, words: str) -> Reason | None:
        """Return what is wrong with one field, by its normal code or its lower-case message."""
        weak: Reason | None = None
        if code:
            for rule in (*self.generic.by_code.get(code, ()), *self.families_of(code)):
                if not rule.weak:
                    return rule.reason
                weak = weak or rule.reason
        if words:
            for rule in self._saying(words):
                if rule.reason.name in _FIELD_REASONS:
                    return rule.reason
        return weak

    def provider(self, name: str) -> Provider | None:
        """Return the provider called `name` in any of its spellings."""
        found = self.providers.get(name)
        if found is None:
            found = self.providers.get(self.aliases.get(spelling(name), ""))
        return found

    def rules(self) -> Iterator[Rule]:
        """Yield every rule, each once."""
        for part in (*self.providers.values(), self.generic, self.network):
            yield from part.rules
        yield from dict.fromkeys(self.statuses.values())

    def rule_named(self, name: str) -> Rule | None:
        """Return the rule that `CrmError.rule` names, to tell its source; None if it has no row."""
        place = name.partition(":")[0]
        return next((rule for rule in self.rules() if rule.name == place), None)


def spelling(name: str) -> str:
    """Return the letters and digits of a provider's name, in lower answer."""
    return "".join(filter(str.isalnum, name.lower()))
