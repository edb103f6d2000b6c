"""Responses of HTTP clients and SDK exceptions, by the attributes they have; nothing is imported.

Known: requests, httpx, urllib3, aiohttp, urllib, botocore, simple-salesforce, the OpenAPI clients
of HubSpot and others, stripe, google-api-client. Bodies are taken only where the client has them in
memory already; a stream that nobody has read stays unread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Exchange", "exchange_of", "get_attribute"]

_BODY_ATTRIBUTES: Final = ("_content", "_body", "content", "body", "http_body", "json_body", "text")
_STATUS_ATTRIBUTES: Final = ("status_code", "status", "http_status", "code")


@dataclass(slots=True)
class Exchange:
    """One request and its answer, as far as they are known."""

    status: int | None = None
    headers: Any = None
    body: Any = None
    method: str | None = None
    url: str | None = None


def exchange_of(thing: object) -> Exchange | None:
    """Return what a response, or an exception that carries one, tells; None if it carries none."""
    try:
        return _exchange_of(thing)
    except Exception:  # noqa: BLE001  # foreign attributes may do anything; no answer then
        return None


def _exchange_of(thing: object) -> Exchange | None:
    response = get_attribute(thing, "response")
    if isinstance(response, dict):
        return _from_botocore(response)
    status = None if response is None else _status(response)
    if status is None:
        resp = get_attribute(thing, "resp")  # google-api-client, where the body is on the exception
        status = None if resp is None else _status(resp)
        if status is not None:
            exchange = _read(resp, status)
            exchange.body = _attribute(thing, "content")
            exchange.url = _text(_attribute(thing, "uri"))
            return exchange
        status = None if thing is None else _status(thing)
        return None if status is None else _read(thing, status)
    exchange = _read(response, status)
    if exchange.body is None:
        exchange.body = _body(thing)
    if not (exchange.method and exchange.url):
        _add_request(get_attribute(thing, "request"), exchange)
    return exchange


def _read(thing: object, status: int) -> Exchange:
    exchange = Exchange(status=status, body=_body(thing))
    for name in ("headers", "hdrs"):
        headers = get_attribute(thing, name)
        if headers is not None and (
            hasattr(headers, "items") or isinstance(headers, (list, tuple))
        ):
            exchange.headers = headers
            break
    exchange.method = _text(get_attribute(thing, "method")) or _text(
        get_attribute(thing, "_method")
    )
    exchange.url = _text(get_attribute(thing, "url")) or _text(get_attribute(thing, "_url"))
    for name in ("request", "_request", "request_info"):
        if exchange.method and exchange.url:
            break
        _add_request(get_attribute(thing, name), exchange)
    return exchange


def _add_request(request: object, exchange: Exchange) -> None:
    if request is not None:
        exchange.method = exchange.method or _text(get_attribute(request, "method"))
        exchange.url = exchange.url or _text(get_attribute(request, "url"))


def _from_botocore(response: dict[str, Any]) -> Exchange | None:
    meta = response.get("ResponseMetadata")
    if not isinstance(meta, dict) and "Error" not in response:
        return None
    meta = meta if isinstance(meta, dict) else {}
    status = meta.get("HTTPStatusCode")
    body = {"Error": response.get("Error"), "RequestId": meta.get("RequestId")}
    return Exchange(
        status=status if type(status) is int else None,
        headers=meta.get("HTTPHeaders"),
        body=body,
    )


def _status(thing: object) -> int | None:
    for name in _STATUS_ATTRIBUTES:
        value = get_attribute(thing, name)
        if type(value) is int and 100 <= value < 1000:
            return value
        if type(value) is str and len(value) == 3 and value.isdigit():
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 100 <= value < 1000:
            return int(value)  # http.HTTPStatus
    return None


def _body(thing: object) -> Any:
    """Return a body in memory: plain attributes only, since a property may read a stream."""
    for name in _BODY_ATTRIBUTES:
        value = _attribute(thing, name)
        if isinstance(value, (bytes, bytearray, dict, list)) or (isinstance(value, str) and value):
            return value
    return None


def _attribute(thing: object, name: str) -> Any:
    """Return an instance attribute, without running a property."""
    try:
        return vars(thing).get(name)
    except TypeError:
        return None


def get_attribute(thing: object, name: str) -> Any:
    """Return an attribute of anything, or None."""
    try:
        return getattr(thing, name, None)
    except Exception:  # noqa: BLE001  # httpx raises for a response without a request
        return None


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (dict, list, tuple, set, bytes, int, float)):
        return value.decode("latin-1") if isinstance(value, bytes) else None
    # httpx.URL and yarl.URL are text once str() is asked; anything else is no address.
    return str(value)[:4_096] if type(value).__name__ == "URL" else None
