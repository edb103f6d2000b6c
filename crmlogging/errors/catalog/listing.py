"""The catalog's rows as people read them: what matches, what it means, where it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crmlogging.errors.catalog import Catalog
from crmlogging.errors.catalog.rules import Provider, Rule, normal_code

__all__ = ["Row", "conditions", "place_of", "rows"]

_ALL = "*"


@dataclass(frozen=True, slots=True)
class Row:
    """One rule of the catalog.

    Attributes:
        provider: whose rule it is: a slug, or ``*`` for everybody's.
        place: file and row, ``hubspot.toml #3``.
        category, reason: what it means.
        retry: the same request may succeed later.
        scope: ``run`` when it would hit every record, else ``record``.
        owner: who acts.
        matches: its conditions, in words.
        weak: it holds only where nothing stronger is found.
        source, checked: the page it was taken from, and when that was looked at.
        rule: the rule itself.
    """

    provider: str
    place: str
    category: str
    reason: str
    retry: bool
    scope: str
    owner: str
    matches: tuple[str, ...]
    weak: bool
    source: str
    checked: str
    rule: Rule

    def as_json(self) -> dict[str, object]:
        """Return it as plain values."""
        shown = {name: getattr(self, name) for name in self.__slots__ if name != "rule"}
        return {**shown, "matches": list(self.matches), "codes": list(self.rule.codes)}


def rows(
    catalog: Catalog, *, provider: str = "", category: str = "", code: str = ""
) -> Iterator[Row]:
    """Yield the rows of a catalog, provider by provider, those for everybody last.

    Args:
        catalog: to list.
        provider: only its own rows (``*``: those for everybody).
        category: only rows of this category.
        code: only rows that this code, in any spelling, reaches.
    """
    parts: list[tuple[str, Provider | None]] = [(n, p) for n, p in catalog.providers.items()]
    known = catalog.provider(provider) if provider else None
    wanted = known.name if known is not None else provider
    for name, part in sorted(parts, key=lambda entry: entry[0]):
        if wanted in ("", name):
            yield from _chosen(name, _rules_of(part), category, code)
    if wanted in ("", _ALL):
        for general in (catalog.generic, catalog.network):
            yield from _chosen(_ALL, _rules_of(general), category, code)
        yield from _chosen(_ALL, _once(iter(catalog.statuses.values())), category, code)


def _rules_of(part: Provider | None) -> Iterator[Rule]:
    if part is not None:
        coded = (rule for rules in part.by_code.values() for rule in rules)
        everything = [*coded, *part.families, *part.conditions]
        yield from sorted(_once(iter(everything)), key=_order)


def _once(rules: Iterator[Rule]) -> Iterator[Rule]:
    seen: set[int] = set()
    for rule in rules:
        if id(rule) not in seen:
            seen.add(id(rule))
            yield rule


def _order(rule: Rule) -> tuple[str, int]:
    file, _, number = rule.name.rpartition("#")
    return file, int(number) if number.isdigit() else 0


def _chosen(name: str, rules: Iterator[Rule], category: str, code: str) -> Iterator[Row]:
    for rule in rules:
        reason = rule.reason
        if category in ("", reason.category.value) and (not code or _reaches(rule, code)):
            yield Row(
                provider=name,
                place=place_of(rule),
                category=reason.category.value,
                reason=reason.name,
                retry=reason.retryable,
                scope="run" if rule.run else "record",
                owner=reason.owner.value,
                matches=tuple(conditions(rule)),
                weak=rule.weak,
                source=rule.source,
                checked=rule.checked,
                rule=rule,
            )


def _reaches(rule: Rule, code: str) -> bool:
    normal = normal_code(code)
    family = rule.family
    return normal in rule.codes or (family is not None and family.found_in(f"_{normal}_"))


def place_of(rule: Rule) -> str:
    """Return where a rule is written: ``hubspot.toml #3``, by file and position in ``[[rules]]``.

    A rule without a row of its own (the unknown) is named by its reason.
    """
    file, mark, number = rule.name.partition("#")
    return f"{file}.toml #{number}" if mark else file


def conditions(rule: Rule) -> Iterator[str]:
    """Yield what a rule asks for, one condition at a time."""
    if rule.codes:
        yield f"code {', '.join(rule.codes)}"
    if rule.family is not None:
        yield f"code like {' or '.join(rule.family.sources)}"
    if rule.hints:
        yield f"beside it {', '.join(sorted(rule.hints))}"
    for label, pattern in (
        ("wording", rule.wording),
        ("not wording", rule.unless),
        ("host", rule.host),
        ("path", rule.path),
        ("not path", rule.not_path),
    ):
        if pattern is not None:
            yield f"{label} {' or '.join(pattern.sources)}"
    for name, pattern in rule.headers:
        yield f"header {name}: {' or '.join(pattern.sources)}"
    for label, values in (
        ("status", sorted(rule.statuses)),
        ("not status", sorted(rule.not_statuses)),
        ("method", sorted(rule.methods)),
        ("body", sorted(rule.kinds)),
    ):
        if values:
            yield f"{label} {', '.join(map(str, values))}"
