"""From a verdict to the `CrmError`: code, summary, links, fields, ids, delay, fingerprint.

What does not depend on the single answer (texts, links, names) is made once a combination of rule,
provider and operation, and remembered.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from crmlogging.errors.answers.delays import header_delay, worded_delay
from crmlogging.errors.answers.headers import header_request_id
from crmlogging.errors.catalog import Catalog
from crmlogging.errors.catalog.rules import Provider, Reason, Rule, normal_code
from crmlogging.errors.findings.finding import Finding
from crmlogging.errors.findings.reading import Reading
from crmlogging.errors.model import Category, CrmError, FieldError
from crmlogging.errors.text.shapes import is_code
from crmlogging.errors.verdicts.field_errors import fields_of
from crmlogging.errors.verdicts.judging import Answer, Verdict
from crmlogging.errors.verdicts.operations import field_label, operation

try:  # hashlib loads OpenSSL for the same, which takes milliseconds
    from _blake2 import blake2b
except ImportError:  # a Python that was built otherwise
    from hashlib import blake2b

__all__ = ["build"]

FINGERPRINT_VERSION: Final = "v1"
_MAX_ITEMS: Final = 1_000
_FIXABLE: Final = frozenset(
    {Category.AUTH, Category.PERMISSIONS, Category.PLAN, Category.VALIDATION}
)
_LIMIT_STATUSES: Final = frozenset({403, 420, 429, 503})
_TEMPLATES_KEPT: Final = 2_048
_HOUR: Final = 3_600.0
_WEAK_RANK: Final = 6
# Words and codes that tell how long a limit lasts.
_LONG: Final = ("daily", "day", "24 h", "24h", "24-h", "month", "billing period", "week", "year")
_SHORT: Final = ("second", "minute", "concurren", "hour", "burst", "simultaneous", "spike")


def build(
    catalog: Catalog,
    verdict: Verdict,
    finding: Finding,
    answer: Answer,
    provider: Provider | None,
    *,
    slug: str | None = None,
    reading: Reading | None = None,
    judged: list[tuple[Finding, Verdict]] | None = None,
    item: bool = False,
    names: tuple[str, ...] = (),
) -> CrmError:
    """Return the error that `verdict` and what was read amount to.

    Args:
        catalog: for reasons that depend on a delay.
        verdict: the rule that decided.
        finding: the cause it decided on.
        answer: status, headers, host and path.
        provider: as the catalog knows it, or None.
        slug: the provider's name, also where the catalog does not know it.
        reading: what else the body tells.
        judged: all causes, where there are several.
        item: this is one record of a bulk answer.
        names: exception classes, which tell errors apart that no rule knows.
    """
    delay = None if item else _delay(verdict, finding, answer, reading)
    rule = _by_delay(catalog, verdict.rule, finding, delay)
    fields = _fields(catalog, finding, rule.reason, judged)
    items: tuple[CrmError, ...] = ()
    if judged is not None and reading is not None and reading.items:
        items = tuple(
            build(catalog, v, f, answer, provider, slug=slug, item=True)
            for f, v in judged[:_MAX_ITEMS]
        )
    code = _provider_code(catalog, finding, provider)
    subject = _Subject(provider, slug, code, tuple([field.field for field in fields]), names)
    attributes = _template(catalog, rule, answer, subject).copy()
    attributes["status"] = finding.status or answer.status if item else answer.status
    attributes["retry_after_seconds"] = delay
    attributes["request_id"] = None if item else _request_id(answer, provider, reading)
    attributes["fields"] = fields
    attributes["items"] = items
    attributes["index"] = finding.index
    attributes["rule"] = rule.name if verdict.code == "" else f"{rule.name}:{verdict.code}"
    attributes["evidence"] = verdict.evidence
    return CrmError.made(attributes)


def _fields(
    catalog: Catalog,
    finding: Finding,
    reason: Reason,
    judged: list[tuple[Finding, Verdict]] | None,
) -> tuple[FieldError, ...]:
    """Return the fields of all causes, but for those that only repeat what the others say."""
    if judged is not None and len(judged) > 1:
        causes = [(f, v.rule.reason) for f, v in judged if not v.rule.reason.echo]
        if causes:
            return fields_of(catalog, causes)
    return fields_of(catalog, ((finding, reason),))


def _delay(
    verdict: Verdict, finding: Finding, answer: Answer, reading: Reading | None
) -> float | None:
    reason = verdict.rule.reason
    limited = reason.limit or (reason.retryable and answer.status in _LIMIT_STATUSES)
    delay = None
    if answer.headers:
        answer.limited = limited
        delay = header_delay(answer.headers, limited=limited, clock=answer.clock)
    if delay is None and reading is not None and reading.delay is not None:
        delay = reading.delay
    if delay is None and (reason.retryable or reason.limit) and finding.messages:
        delay = worded_delay(finding.words)
    return delay


def _by_delay(catalog: Catalog, rule: Rule, finding: Finding, delay: float | None) -> Rule:
    """Rate limit or plan? By the time until it helps to try again: an hour at most is a rate."""
    if not rule.reason.limit:
        return rule
    window = _window(finding)
    transient = rule.reason.category is Category.TRANSIENT
    if transient and (window == "long" or (window == "" and delay is not None and delay > _HOUR)):
        return catalog.rule_for("API_QUOTA", like=rule)
    if rule.reason.name == "RECORD_LIMIT" and delay is not None and delay > _HOUR:
        return catalog.rule_for("API_QUOTA", like=rule)  # what refills is no count of things
    if not transient and (
        window == "short" or (window == "" and delay is not None and 0 < delay <= _HOUR)
    ):
        return catalog.rule_for("RATE_LIMITED", like=rule)
    return rule


def _window(finding: Finding) -> str:
    words = finding.words
    for code in (*finding.ordered_codes(), *finding.details, *finding.hints):
        words += " " + code.lower()
    if any(word in words for word in _LONG):
        return "long"
    return "short" if any(word in words for word in _SHORT) else ""


def _provider_code(catalog: Catalog, finding: Finding, provider: Provider | None) -> str | None:
    code = _most_specific(catalog, finding, provider)
    return None if code is None else str(code)  # a `Numeral` is one within this room only


def _most_specific(catalog: Catalog, finding: Finding, provider: Provider | None) -> str | None:
    """Return the most specific stable code, as spelled; one in a sentence only if it is known."""
    own = [code for code in finding.ordered_codes() if _looks_like_a_code(catalog, code, provider)]
    if own and (finding.codes[0][0] < _WEAK_RANK or not finding.details):
        return own[0]
    for code in finding.details:
        if is_code(code) and _looks_like_a_code(catalog, code, provider):
            return code
    if own:
        return own[0]
    if finding.leading and catalog.families_of(normal_code(finding.leading)):
        return finding.leading
    for code in finding.quoted:
        if catalog.knows(normal_code(code), provider):
            return code
    return None


def _looks_like_a_code(catalog: Catalog, code: str, provider: Provider | None) -> bool:
    """Whether `code` can be no name or word of a payload: a bare word must be one rules know."""
    normal = normal_code(code)
    if not is_code(code):  # Zoho's "invalid client" is known; other words may be a person's name
        return catalog.knows(normal, provider)
    bare = code.replace(".", "").replace("-", "")
    if not (bare.isalpha() and (bare.islower() or bare.istitle())):
        return True
    return catalog.knows(normal, provider) or bool(catalog.families_of(normal))


def _request_id(answer: Answer, provider: Provider | None, reading: Reading | None) -> str | None:
    if reading is not None and reading.request_id is not None:
        return reading.request_id
    if not answer.headers:
        return None
    return header_request_id(answer.headers, provider.id_headers if provider is not None else ())


class _Subject(NamedTuple):
    """What the template depends on besides rule and request."""

    provider: Provider | None
    slug: str | None
    code: str | None
    fields: tuple[str, ...]
    classes: tuple[str, ...]


def _template(catalog: Catalog, rule: Rule, answer: Answer, subject: _Subject) -> dict[str, Any]:
    """Return what is the same for all errors of one rule, provider, operation, code and fields."""
    domain, action = operation(answer.method, answer.path)
    provider = subject.provider
    host = answer.host if provider is not None and provider.link_hosts else ""
    key = (rule.name, rule.reason.name, domain, action, host, *subject[1:])
    known = catalog.templates.get(key)
    if known is None:
        known = _new_template(catalog, rule, f"{domain}_{action}", host, subject)
        if len(catalog.templates) >= _TEMPLATES_KEPT:
            catalog.templates.clear()
        catalog.templates[key] = known
    return known


def _new_template(
    catalog: Catalog, rule: Rule, what: str, host: str, subject: _Subject
) -> dict[str, Any]:
    reason, provider = rule.reason, subject.provider
    names = ",".join(sorted(subject.fields))
    parts = (subject.slug, reason.category.value, reason.name, what, subject.code, names)
    identity = "|".join((*(part or "" for part in parts), *subject.classes))
    digest = blake2b(identity.encode("utf-8", "replace"), digest_size=8).hexdigest()
    return {
        "category": reason.category,
        "code": f"{what}_{reason.label}{_field_suffix(reason, subject.fields)}",
        "reason": reason.name,
        "provider": subject.slug,
        "provider_code": subject.code,
        "summary": catalog.summary(reason, provider, subject.fields),
        "retryable": reason.retryable,
        "actionable": reason.actionable,
        "recoverability": reason.recoverability,
        "tier": reason.tier,
        "owner": reason.owner,
        "fix_url": _link(rule, reason, provider, host),
        "status_page_url": (provider.status_page or None) if provider is not None else None,
        "abort_run": rule.run,
        "fingerprint": f"{FINGERPRINT_VERSION}:{digest}",
    }


def _field_suffix(reason: Reason, fields: tuple[str, ...]) -> str:
    """``_EMAIL`` where the error is about that one field."""
    if reason.category is not Category.VALIDATION or not fields:
        return ""
    labels = {field_label(field) for field in fields}
    label = labels.pop() if len(labels) == 1 else ""
    return f"_{label}" if label else ""


def _link(rule: Rule, reason: Reason, provider: Provider | None, host: str) -> str | None:
    link = rule.link
    if not link and provider is not None and reason.category in _FIXABLE:
        link = provider.links.get(reason.name) or provider.links.get(reason.category.value, "")
    if not link or "{host}" not in link:
        return link or None
    if provider is None:
        return None
    if not (host.endswith(provider.link_hosts) and _plain_host(host)):
        host = provider.login_host
    return link.replace("{host}", host) if host else None


def _plain_host(host: str) -> bool:
    return len(host) <= 128 and all(c.isascii() and (c.isalnum() or c in ".-") for c in host)
