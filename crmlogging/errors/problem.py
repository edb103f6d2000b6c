"""`CrmError` as a problem document (RFC 9457), and back.

A document of ours comes back as the error it was made from, except that texts and links are taken
from the catalog again: a document that somebody forged cannot say anything of its own. Any other
problem document is classified like an answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from crmlogging.errors.answers.delays import MAX_DELAY_SECONDS
from crmlogging.errors.catalog import Catalog, builtin
from crmlogging.errors.catalog.rules import Provider, Reason
from crmlogging.errors.classify import classify
from crmlogging.errors.model import Category, CrmError, FieldError
from crmlogging.errors.text.field_names import FIELD_NAME, PLACEHOLDER
from crmlogging.errors.text.late import late
from crmlogging.errors.text.shapes import is_code, is_request_id, is_slug

__all__ = ["PROBLEM_TYPE", "from_problem", "to_problem"]

PROBLEM_TYPE: Final = "urn:crmlogging:problem:"
"""What `type` begins with; the reason follows, in lower case with hyphens."""

_INSTANCE: Final = "urn:crmlogging:request:"
_CODE: Final = late(r"[A-Z][A-Z0-9_]{2,95}")
_FINGERPRINT: Final = late(r"v\d{1,3}:[0-9a-f]{16}")
_EXPECTED: Final = late(r"[a-z_]{1,24}(?:=\d{1,9})?")
_RULE: Final = late(r"[A-Za-z0-9_#:.-]{0,160}")
_MAX_ITEMS: Final = 1_000
_MEMBERS: Final[Mapping[str, type]] = {
    "type": str,
    "title": str,
    "status": int,
    "detail": str,
    "instance": str,
}
"""Members of RFC 9457 section 3.1."""


def to_problem(error: CrmError) -> dict[str, Any]:
    """Return `error` as a problem document; what is not known is left out.

    ``type``, ``title``, ``status``, ``detail`` and ``instance`` are those of RFC 9457 section 3.1;
    the rest are extension members named like the error's attributes.
    """
    document: dict[str, Any] = {
        "type": PROBLEM_TYPE + error.reason.lower().replace("_", "-"),
        "title": error.reason.replace("_", " ").capitalize(),
        "status": error.status,
        "detail": error.summary,
        "instance": _INSTANCE + error.request_id if error.request_id else None,
        "category": error.category.value,
        "code": error.code,
        "provider": error.provider,
        "provider_code": error.provider_code,
        "retryable": error.retryable,
        "actionable": error.actionable,
        "recoverability": error.recoverability.value,
        "tier": error.tier,
        "owner": error.owner.value,
        "abort_run": error.abort_run,
        "fix_url": error.fix_url,
        "status_page_url": error.status_page_url,
        "retry_after_seconds": error.retry_after_seconds,
        "request_id": error.request_id,
        "fields": [_field_member(field) for field in error.fields],
        "items": [to_problem(item) for item in error.items],
        "fingerprint": error.fingerprint,
        "index": error.index,
        "rule": error.rule,
        "evidence": error.evidence,
    }
    return {key: value for key, value in document.items() if value not in (None, [])}


def _field_member(field: FieldError) -> dict[str, str]:
    member = {"field": field.field, "code": field.code}
    return {**member, "expected": field.expected} if field.expected else member


def from_problem(document: Mapping[str, Any] | str | bytes) -> CrmError:
    """Return the error that a problem document describes.

    Args:
        document: an ``application/problem+json`` body, as text or parsed.

    Raises:
        ValueError: it is no problem document: no JSON object, or a member of RFC 9457 has the
            wrong type. The message names the members, never a value.
    """
    if isinstance(document, (str, bytes)):
        try:
            document = orjson.loads(document)
        except ValueError:
            raise ValueError("not a problem document: no JSON") from None
    if not isinstance(document, Mapping):
        raise ValueError("not a problem document: no JSON object")
    wrong = [
        name
        for name, kinds in _MEMBERS.items()
        if name in document
        and (not isinstance(document[name], kinds) or isinstance(document[name], bool))
    ]
    if wrong:
        raise ValueError(f"not a problem document: wrong type of {', '.join(wrong)}")
    kind = document.get("type", "")
    catalog = builtin()
    if kind.startswith(PROBLEM_TYPE):
        name = kind.removeprefix(PROBLEM_TYPE).upper().replace("-", "_")
        if name in catalog.reasons:
            return _ours(catalog, catalog.reasons[name], document)
    found = classify(status=document.get("status", 500), body=dict(document))
    if found is None:
        raise ValueError("not a problem document: its status is no error")
    return found


def _ours(catalog: Catalog, reason: Reason, document: Mapping[str, Any]) -> CrmError:
    slug = document.get("provider")
    provider = catalog.provider(slug) if isinstance(slug, str) else None
    fields = tuple(_fields(document.get("fields")))
    status = document.get("status")
    items = document.get("items")
    items = items[:_MAX_ITEMS] if isinstance(items, list) else []
    return CrmError(
        category=reason.category,
        code=_matching(_CODE, document.get("code")) or f"API_CALL_{reason.label}",
        reason=reason.name,
        provider=slug if is_slug(slug) else None,
        provider_code=_provider_code(document.get("provider_code")),
        status=status if isinstance(status, int) and 100 <= status < 1000 else None,
        summary=catalog.summary(reason, provider, tuple(field.field for field in fields)),
        retryable=reason.retryable,
        actionable=reason.actionable,
        recoverability=reason.recoverability,
        tier=reason.tier,
        owner=reason.owner,
        fix_url=_known_link(document.get("fix_url"), reason, provider),
        status_page_url=(provider.status_page or None) if provider is not None else None,
        retry_after_seconds=_delay(document.get("retry_after_seconds")),
        request_id=_request_id(document.get("request_id")),
        fields=fields,
        items=tuple(from_problem(item) for item in items),
        abort_run=document.get("abort_run") is True,
        fingerprint=_matching(_FINGERPRINT, document.get("fingerprint")) or "v1:" + "0" * 16,
        index=_index(document.get("index")),
        rule=_matching(_RULE, document.get("rule")),
        evidence=_matching(_RULE, document.get("evidence")),
    )


def _fields(members: object) -> list[FieldError]:
    fields = []
    for member in members[:_MAX_ITEMS] if isinstance(members, list) else ():
        if isinstance(member, Mapping):
            name = _matching(FIELD_NAME, member.get("field")) or PLACEHOLDER
            code = _matching(_CODE, member.get("code")) or "INVALID"
            fields.append(FieldError(name, code, _matching(_EXPECTED, member.get("expected"))))
    return fields


def _matching(pattern: re.Pattern[str], value: object) -> str:
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""


def _provider_code(value: object) -> str | None:
    words = value.replace(" ", "_") if isinstance(value, str) else ""
    return str(value) if words and is_code(words) else None


def _request_id(value: object) -> str | None:
    return str(value) if is_request_id(value) else None


def _index(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _delay(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value <= MAX_DELAY_SECONDS else None


def _known_link(value: object, reason: Reason, provider: Provider | None) -> str | None:
    """Return a link only if the catalog has it for this reason, be it on the account's own host."""
    if not isinstance(value, str) or provider is None or reason.category is Category.UNKNOWN:
        return None
    template = provider.links.get(reason.name) or provider.links.get(reason.category.value, "")
    if value == template:
        return value
    before, mark, after = template.partition("{host}")
    host = value.removeprefix(before).removesuffix(after)
    ours = host == provider.login_host or host.endswith(provider.link_hosts)
    fits = bool(mark) and value == before + host + after and ours
    return value if fits and re.fullmatch(r"[a-z0-9.-]{1,128}", host) else None
