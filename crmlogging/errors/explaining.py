"""Why an answer is classified as it is: what was read, which rules hold, and which one decides.

`classify` pays nothing for it: it reads and judges the answer once more, and looks at every rule
instead of stopping at the first that decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from crmlogging.errors.catalog import Catalog, builtin
from crmlogging.errors.catalog.listing import conditions, place_of
from crmlogging.errors.catalog.rules import Provider, Rule, normal_code
from crmlogging.errors.classify import classify_with
from crmlogging.errors.findings.finding import Finding
from crmlogging.errors.model import CrmError
from crmlogging.errors.verdicts.case import Case
from crmlogging.errors.verdicts.judging import Answer, judge_status, rules_for

__all__ = ["Candidate", "Explanation", "explain"]

_CANDIDATES: Final = 20


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule that holds for an answer.

    Attributes:
        evidence: what it looked at: ``code``, ``wording``, ``header``, ``status``.
        code: the code that led to it, in the spelling of rules, or "".
        place: where it is written, ``hubspot.toml #3``.
        category, reason: what it would mean.
        weak: it gives way to any stronger one.
    """

    evidence: str
    code: str
    place: str
    category: str
    reason: str
    weak: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """A verdict with its grounds.

    Attributes:
        error: the verdict; None where there is no error.
        known_by: how the provider was found: ``named``, ``host``, ``header``, ``body``, or "".
        body: kind of body: ``json``, ``xml``, ``html``, ``text``, ``empty`` ...
        place: where the deciding rule is written, or "".
        conditions: what it asks for.
        source, checked: the page it was taken from, and when that was looked at.
        candidates: the rules that hold for the causes found, strongest evidence first.
    """

    error: CrmError | None
    known_by: str
    body: str
    place: str
    conditions: tuple[str, ...]
    source: str
    checked: str
    candidates: tuple[Candidate, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def explain(
    *,
    status: int | None = None,
    headers: Any = None,
    body: Any = None,
    provider: str | None = None,
    exception: BaseException | str | None = None,
    method: str | None = None,
    url: str | None = None,
    catalog: Catalog | None = None,
) -> Explanation:
    """Classify an answer as `crmlogging.classify` does, and say why; never raises.

    Example:
        >>> why = explain(status=403, provider="salesforce",
        ...               body='[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "..."}]')
        >>> why.error.category.value, why.place.partition(" ")[0], why.candidates[0].evidence
        ('plan', 'salesforce.toml', 'code')
    """
    rules = catalog or builtin()
    asked = (status, headers, body, provider, exception, method, url)
    error = classify_with(
        rules,
        status=status,
        headers=headers,
        body=body,
        provider=provider,
        exception=exception,
        method=method,
        url=url,
    )
    known_by, kind, candidates = _grounds(rules, provider, asked)
    rule = None if error is None else rules.rule_named(error.rule)
    return Explanation(
        error=error,
        known_by=known_by,
        body=kind,
        place="" if rule is None else place_of(rule),
        conditions=() if rule is None else tuple(conditions(rule)),
        source="" if rule is None else rule.source,
        checked="" if rule is None else rule.checked,
        candidates=candidates,
    )


def _grounds(
    rules: Catalog, provider: object, asked: tuple[Any, ...]
) -> tuple[str, str, tuple[Candidate, ...]]:
    """Return how the provider was found, the kind of the body, and the rules that hold."""
    known_by = kind = ""
    candidates: tuple[Candidate, ...] = ()
    try:
        case = Case(rules, *asked)
        known_by, kind = _known_by(case, provider), case.document.kind
        candidates = tuple(_candidates(case))[:_CANDIDATES]
    except Exception:  # noqa: BLE001  # no input may break the caller, as with `classify`
        pass
    return known_by, kind, candidates


def _known_by(case: Case, named: object) -> str:
    if case.provider is None:
        return "named" if case.slug is not None else ""
    if isinstance(named, str) and case.catalog.provider(named) is case.provider:
        return "named"
    host = case.answer.host
    if host and case.catalog.provider_of_host(host) is case.provider:
        return "host"
    marks, prefixes = case.catalog.marks
    marked = any(n in marks or n.startswith(prefixes) for n in case.answer.headers)
    return "header" if marked else "body"


def _candidates(case: Case) -> Iterator[Candidate]:
    """Yield the rules that hold, in the order in which `judge` asks them; each once."""
    seen: set[int] = set()
    for cause in case.causes():
        for evidence, code, rule in _holding(cause, case.answer, case.provider, case.catalog):
            if id(rule) not in seen:
                seen.add(id(rule))
                reason = rule.reason
                yield Candidate(
                    evidence, code, place_of(rule), reason.category.value, reason.name, rule.weak
                )


def _holding(
    finding: Finding, answer: Answer, provider: Provider | None, catalog: Catalog
) -> Iterator[tuple[str, str, Rule]]:
    words = finding.words if finding.messages else ""
    own = [normal_code(code) for code in finding.ordered_codes()]
    below = [normal_code(code) for code in (*finding.details, *finding.quoted)]
    hints = {*own, *below, *map(normal_code, finding.hints)}
    conditions = provider.conditions if provider is not None else ()
    general = catalog.generic.conditions
    for codes, asked in ((own, conditions), (below, general)):
        for code in codes:
            for rule in rules_for(code, provider, catalog):
                if rule.holds(answer, words, hints):
                    yield "code", code, rule
        for rule in asked:
            if rule.holds(answer, words, hints):
                yield "wording" if rule.wording else "header", "", rule
    alone = judge_status(answer, catalog)
    if alone is not None:
        yield "status", "", alone.rule
