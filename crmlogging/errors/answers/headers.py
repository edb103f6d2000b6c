"""Response headers: the few that tell something, whatever their spelling.

Cookies, authorisation and unknown headers are never looked at beyond their name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from crmlogging.errors.text.shapes import is_code, is_request_id

__all__ = ["CODE_HEADERS", "header_code", "header_request_id", "id_rank", "lower_headers"]

_MAX_HEADERS: Final = 200
_MAX_VALUE: Final = 1_024
_TEXT: Final = frozenset((str,))

# Ids that providers hand out for support, the more telling first.
_ID_HEADERS: Final = (
    *("x-hubspot-correlation-id", "x-correlation-id", "x-request-id", "request-id"),
    *("x-requestid", "requestid", "req_id", "x-ms-service-request-id", "x-ms-request-id"),
    *("x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id", "x-goog-request-id"),
    *("x-trace-id", "x-b3-traceid", "x-transaction-id", "sap-passport-transactionid"),
    *("x-github-request-id", "x-shopify-request-id", "x-zendesk-request-id", "x-req-id"),
    *("intuit_tid", "xero-correlation-id", "x-sfdc-request-id", "x-slack-req-id", "x-arequestid"),
    *("x-notion-request-id", "twilio-request-id", "x-n-operationid", "x-netsuite-operation-id"),
    *("apim-request-id", "x-fb-trace-id", "x-log-ref", "x-vcap-request-id", "correlation-id"),
    *("x-docusign-tracetoken", "x-zoho-request-id", "x-zcsrf-request-id", "x-freshdesk-request-id"),
    *("x-api-request-id", "x-apigee-request-id", "x-kong-request-id", "x-amz-rid"),
    *("x-ms-correlation-request-id", "ms-correlation-id", "x-tracking-id", "x-activity-id"),
    *("x-oracle-dms-ecid", "opc-request-id", "x-datadog-trace-id", "x-li-uuid", "paypal-debug-id"),
    *("x-stripe-request-id", "square-request-id", "x-square-request-id", "x-mailgun-request-id"),
    *("trace-id", "traceid", "x-traceid"),
    *("x-cloud-trace-context", "x-azure-ref", "x-amz-cf-id", "traceparent", "cf-ray"),
)
CODE_HEADERS: Final = (
    *("x-amzn-errortype", "x-ms-error-code", "x-error-code", "x-api-error-code", "grpc-status"),
)
_CODE_NAMES: Final = frozenset(CODE_HEADERS)
_ID_RANKS: Final = {name: rank for rank, name in enumerate(_ID_HEADERS)}
_ID_ENDS: Final = ("request-id", "requestid", "request_id", "correlation-id", "trace-id")


def lower_headers(headers: Any) -> dict[str, str]:
    """Return `headers` (mapping, pairs, or None) with lower-case names and text values."""
    if not headers:
        return {}
    if type(headers) is not dict and hasattr(headers, "lower_items"):  # requests
        lowered = dict(headers.lower_items())
        texts = len(lowered) <= _MAX_HEADERS and _TEXT.issuperset(map(type, lowered.values()))
        if texts and all(len(value) <= _MAX_VALUE for value in lowered.values()):
            return lowered
    pairs: Iterable[Any] = headers.items() if isinstance(headers, Mapping) else headers
    if not isinstance(headers, Mapping) and hasattr(headers, "items"):
        pairs = headers.items()
    lowered = {}
    for number, pair in enumerate(pairs):
        if number >= _MAX_HEADERS:
            break
        name, value = pair
        if type(name) is not str:
            name = name.decode("latin-1") if isinstance(name, bytes) else str(name)
        if type(value) is not str:
            value = _value_text(value)
        lowered.setdefault(name.lower(), value[:_MAX_VALUE])
    return lowered


def _value_text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_value_text, value[:8]))
    return str(value) if isinstance(value, (str, int, float)) else ""


def id_rank(name: str) -> int | None:
    """Return which place a header has among those that hold ids, None if it is none of them.

    Args:
        name: in lower case. One that only ends like those known, ``acme-request-id``, comes last.
    """
    rank = _ID_RANKS.get(name)
    if rank is None and name.endswith(_ID_ENDS) and "client" not in name:
        return len(_ID_RANKS)
    return rank


def header_request_id(headers: Mapping[str, str], first: tuple[str, ...] = ()) -> str | None:
    """Return the id of the request among `headers`, those named in `first` before all others."""
    best, best_rank = None, len(_ID_RANKS) + 1
    for name, value in headers.items():
        rank = -1 if name in first else id_rank(name)
        if rank is not None and rank < best_rank and is_request_id(value):
            best, best_rank = value, rank
    return best


def header_code(headers: Mapping[str, str]) -> str | None:
    """Return the error code that gateways put into a header, or None."""
    if _CODE_NAMES.isdisjoint(headers):
        return None
    for name in CODE_HEADERS:
        value = headers.get(name)
        if value is not None:
            # "com.amazonaws#ThrottlingException:http://..." holds more than the code.
            code = value.partition(":")[0].rpartition("#")[2].strip()
            if code != "0" and is_code(code):
                return code
    return None
