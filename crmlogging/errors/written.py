"""A `CrmError` as fields of the line, and the error that anything thrown or answered amounts to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from crmlogging.errors.catalog import builtin
from crmlogging.errors.classify import classify_with
from crmlogging.errors.faults import Fault, read_fault
from crmlogging.errors.model import CrmError
from crmlogging.errors.responses import Exchange, exchange_of

if TYPE_CHECKING:
    from crmlogging.errors.catalog import Catalog

__all__ = ["error_fields", "error_of", "judge_exchange", "request_fields"]

_NO_ID: Final = re.compile(r"[^A-Za-z0-9_.:-]+", re.ASCII)


def error_fields(error: CrmError) -> dict[str, Any]:
    """Return the ``error.*`` fields that tell of `error`."""
    fields: dict[str, Any] = {
        "error.category": error.category.value,
        "error.code": error.code,
        "error.summary": error.summary,
        "error.retryable": error.retryable,
        "error.actionable": error.actionable,
        "error.owner": error.owner.value,
        "error.tier": error.tier,
        "error.fingerprint": error.fingerprint,
    }
    if error.provider_code:
        fields["error.provider_code"] = _NO_ID.sub("_", error.provider_code).strip("_")
    # During an outage the page to look at is the provider's status page.
    outage = error.category == "unreachable"
    page = error.fix_url or (error.status_page_url if outage else None)
    if page:
        fields["error.fix_url"] = page
    if error.fields:
        fields["error.fields"] = [field.field for field in error.fields]
    return fields


def request_fields(error: CrmError) -> dict[str, Any]:
    """Return what `error` tells of its request, for records that do not know it themselves."""
    fields: dict[str, Any] = {}
    if error.request_id:
        fields["request.id"] = error.request_id
    if error.provider:
        fields["crm"] = error.provider
    if error.status is not None:
        fields["response.status"] = error.status
    if error.retry_after_seconds is not None:
        fields["request.delay_ms"] = round(error.retry_after_seconds * 1000, 3)
    return fields


def judge_exchange(
    exchange: Exchange, fault: Fault | None, *, provider: object, catalog: Catalog | None = None
) -> CrmError | None:
    """Classify an exchange, or the fault that there is instead of one; None for a success."""
    return classify_with(
        catalog or builtin(),
        status=exchange.status,
        headers=exchange.headers,
        body=exchange.body,
        provider=provider if isinstance(provider, str) else None,
        exception=fault,
        method=exchange.method,
        url=exchange.url,
    )


def error_of(thing: object, *, provider: str | None = None) -> CrmError | None:
    """Return what an error, an exception, its text or a client's response means.

    Returns:
        None for a response that tells of no failure, and for what is none of these.
    """
    if thing is None or isinstance(thing, CrmError):
        return thing
    fault = read_fault(thing)
    exchange = fault.exchange if fault is not None else exchange_of(thing)
    if fault is None and exchange is None:
        return None
    return judge_exchange(exchange or Exchange(), fault, provider=provider)
