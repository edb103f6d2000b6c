"""A `CrmError` as fields of the line, and the error that anything thrown or answered amounts to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from crmlogging.errors.answers.headers import lower_headers
from crmlogging.errors.answers.limits import limits_of
from crmlogging.errors.catalog import builtin
from crmlogging.errors.classify import classify_with
from crmlogging.errors.memory.exceptions import recall_of
from crmlogging.errors.model import Category, CrmError
from crmlogging.errors.raised.faults import Fault, answer_in, read_fault
from crmlogging.errors.raised.responses import Exchange, exchange_of
from crmlogging.errors.verdicts.operations import split_url, without_numbers
from crmlogging.fields import MISFIT, SHAPES

if TYPE_CHECKING:
    from crmlogging.errors.catalog import Catalog

__all__ = ["describe", "error_fields", "error_of", "request_fields"]

_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"))
_LIMIT_FIELDS: Final = ("ratelimit.limit", "ratelimit.remaining", "ratelimit.reset")
_ROUTES_KEPT: Final = 2_048
_NO_ID: Final = re.compile(r"[^A-Za-z0-9_.:-]+", re.ASCII)


def error_fields(error: CrmError) -> dict[str, Any]:
    """Return the ``error.*`` fields that tell of `error`."""
    fields: dict[str, Any] = {
        "error.category": error.category._value_,
        "error.code": error.code,
        "error.summary": error.summary,
        "error.retryable": error.retryable,
        "error.actionable": error.actionable,
        "error.owner": error.owner._value_,
        "error.tier": error.tier,
        "error.fingerprint": error.fingerprint,
    }
    if error.provider_code:
        fields["error.provider_code"] = _NO_ID.sub("_", error.provider_code).strip("_")
    # During an outage the page to look at is the provider's status page.
    outage = error.category is Category.UNREACHABLE
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
    return _judge(exchange or Exchange(), fault, provider, builtin())


def _judge(
    exchange: Exchange, fault: object, provider: object, catalog: Catalog
) -> CrmError | None:
    """Classify an exchange, or the fault that there is instead of one; None for a success."""
    return classify_with(
        catalog,
        status=exchange.status,
        headers=exchange.headers,
        body=exchange.body,
        provider=provider if isinstance(provider, str) else None,
        exception=fault if isinstance(fault, (Fault, BaseException)) else None,
        method=exchange.method,
        url=exchange.url,
    )


def describe(attributes: dict[str, Any], catalog: Catalog) -> None:
    """Find exception and response among a record's attributes, and write there what they mean.

    Args:
        attributes: of a record that is the caller's own; ``error`` and ``response`` are taken off.
        catalog: the rules.
    """
    given = attributes.get("error")
    if isinstance(given, CrmError):
        del attributes["error"]
        _write_error(given, attributes)
        return
    raised = _take_raised(given, attributes)
    exchange = _take_response(attributes) if "response" in attributes else None
    provider = attributes.get("crm")
    fault: Fault | None = None
    if raised is not None and exchange is None:
        if provider is None or type(provider) is str:
            known = recall_of(catalog).of_words(raised, provider)
            if known is not None:
                _write_error(known, attributes)
                return
        exchange = answer_in(raised)
        if exchange is None:
            fault = read_fault(raised)
            exchange = (fault.exchange if fault is not None else None) or Exchange()
    if exchange is None:
        return
    exchange.headers = lower_headers(exchange.headers)
    error = _judge(exchange, fault or raised, provider, catalog)
    if error is not None:
        if raised is not None and fault is not None:
            recall_of(catalog).learn(raised, provider, fault, error)
        _write_error(error, attributes)
    _write_exchange(exchange, attributes)


def _take_raised(given: object, attributes: dict[str, Any]) -> BaseException | None:
    """Return the exception that a record brings as ``error``, else the one being handled."""
    if isinstance(given, BaseException):
        del attributes["error"]
        return given
    exc_info = attributes.get("exc_info")
    raised = exc_info[1] if isinstance(exc_info, tuple) and len(exc_info) == 3 else None
    return raised if isinstance(raised, BaseException) else None


def _take_response(attributes: dict[str, Any]) -> Exchange | None:
    """Return what a client's response on a record tells."""
    exchange = exchange_of(attributes["response"])
    if exchange is not None:
        del attributes["response"]
    return exchange


def _write_error(error: CrmError, attributes: dict[str, Any]) -> None:
    attributes.update(error_fields(error))
    for name, value in request_fields(error).items():
        attributes.setdefault(name, value)
    # This occurrence (RFC 9457 section 3.1.5): by the record, else by the provider's id.
    identity = attributes.get("record.id")
    if isinstance(identity, str):
        attributes["error.instance"] = f"urn:crmlogging:record:{identity}"
    elif error.request_id:
        attributes["error.instance"] = f"urn:crmlogging:request:{error.request_id}"


def _write_exchange(exchange: Exchange, attributes: dict[str, Any]) -> None:
    if exchange.status is not None:
        attributes.setdefault("response.status", exchange.status)
    method = exchange.method.upper() if exchange.method else ""
    if method in _METHODS:
        attributes.setdefault("request.method", method)
    if exchange.url:
        route = _route(exchange.url)
        if route is not MISFIT:
            attributes.setdefault("request.path", route)
    if exchange.headers:
        limits = limits_of(exchange.headers)
        for name, value in zip(_LIMIT_FIELDS, limits, strict=True):
            if value is not None:
                attributes.setdefault(name, value)


_routes: dict[int, object] = {}


def _route(url: str) -> object:
    """Return the path of `url` as it may be shown; remembered by a hash."""
    asked = hash(without_numbers(url))
    known = _routes.get(asked)
    if known is None:
        known = SHAPES["path"](split_url(url)[1] or "/")
        if len(_routes) >= _ROUTES_KEPT:
            _routes.clear()
        _routes[asked] = known
    return known
