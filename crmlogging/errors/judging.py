"""One finding and the answer around it -> one reason, by the catalog, strongest evidence first.

1. a code the provider's catalog knows, with the hints beside it   2. a code known everywhere, then
the wording of a code   3. headers   4. clear words of the message   5. the status.

A *weak* rule (``VALIDATION_ERROR``, ``FORBIDDEN``) gives way to anything clearer that follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from crmlogging.errors.catalog import Catalog
from crmlogging.errors.catalog.rules import Provider, Rule, normal_code
from crmlogging.errors.findings import Finding

__all__ = ["Answer", "Verdict", "judge", "judge_status"]

_FAMILIES_KEPT: Final = 4_096
_families: dict[tuple[int, str], tuple[Rule, ...]] = {}


@dataclass(slots=True)
class Answer:
    """The answer as rules see it (`rules.Case`)."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = ""
    host: str = ""
    path: str = ""
    kind: str = "empty"
    url: str = ""


@dataclass(slots=True)
class Verdict:
    """The rule that decided, and by what."""

    rule: Rule
    evidence: str
    code: str = ""


def judge(finding: Finding, answer: Answer, provider: Provider | None, catalog: Catalog) -> Verdict | None:
    """Return what `finding` means, or None when not even the status says anything."""
    words = ""
    if finding.messages:
        words = finding.words
    finding.codes.sort(key=_rank)
    own = [normal_code(code) for _, code in finding.codes]
    below = [normal_code(code) for code in finding.details]
    hints = {*own, *below, *map(normal_code, finding.hints)}
    weak: Verdict | None = None
    for part in (provider, catalog.generic) if provider is not None else (catalog.generic,):
        for verdict in _by_code(own, part, answer, words, hints, spelled=finding):
            if not verdict.rule.weak:
                return verdict
            weak = weak or verdict
        if part is provider:
            for rule in provider.conditions:
                if rule.holds(answer, words, hints):
                    if not rule.weak:
                        return Verdict(rule, "wording" if rule.wording else "header")
                    weak = weak or Verdict(rule, "wording")
    for code in own:
        for rule in _families_of(code, catalog):
            if rule.holds(answer, words, hints):
                if not rule.weak:
                    return Verdict(rule, "code", code)
                weak = weak or Verdict(rule, "code", code)
                break
    if below and (not own or weak is not None):
        verdict = _judge_details(below, answer, provider, catalog, words, hints, own)
        if verdict is not None:
            return verdict
    return _judge_rest(answer, catalog, words, hints, weak)


def _judge_details(
    below: list[str],
    answer: Answer,
    provider: Provider | None,
    catalog: Catalog,
    words: str,
    hints: set[str],
    own: list[str],
) -> Verdict | None:
    for code in below:
        for part in (provider, catalog.generic):
            if part is not None:
                for rule in part.by_code.get(code, ()):
                    if not rule.weak and rule.holds(answer, words, hints):
                        return Verdict(rule, "code", code)
        for rule in _families_of(code, catalog):
            if rule.holds(answer, words, hints):
                if rule.weak:
                    break
                return Verdict(rule, "code", code)
    return None


def _judge_rest(
    answer: Answer, catalog: Catalog, words: str, hints: set[str], weak: Verdict | None
) -> Verdict | None:
    for rule in catalog.generic.conditions:
        if (rule.wording is None or words) and rule.holds(answer, words, hints):
            if not rule.weak:
                return Verdict(rule, "wording" if rule.wording else "header")
            if weak is None:
                weak = Verdict(rule, "wording")
    return weak or judge_status(answer, catalog)


def judge_status(answer: Answer, catalog: Catalog) -> Verdict | None:
    """Return what the status alone means."""
    status = answer.status
    if status is None or status < 300 or status == 304:
        return None
    rule = catalog.statuses.get(status)
    if rule is None:
        rule = catalog.statuses.get(500 if 500 <= status < 600 else 400 if status < 500 else -1)
    return None if rule is None else Verdict(rule, "status")


def _by_code(
    own: Iterable[str],
    part: Provider,
    answer: Answer,
    words: str,
    hints: set[str],
    spelled: Finding,
) -> Iterable[Verdict]:
    for code in own:
        for rule in part.by_code.get(code, ()):
            if rule.plain or rule.holds(answer, words, hints):
                yield Verdict(rule, "code", code)
                break


def _families_of(code: str, catalog: Catalog) -> tuple[Rule, ...]:
    """Return the rules whose family `code` belongs to, in order; remembered."""
    key = (id(catalog), code)
    known = _families.get(key)
    if known is None:
        subject = f"_{code}_"
        known = tuple(
            rule
            for rule in catalog.generic.families
            if rule.family is not None and rule.family.compiled().search(subject)
        )
        if len(_families) >= _FAMILIES_KEPT:
            _families.clear()
        _families[key] = known
    return known


def _rank(code: tuple[int, str]) -> int:
    return code[0]
