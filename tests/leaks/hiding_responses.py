"""Places in a provider's answer, which `ErrorFilter` reads, and in what it makes of it."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
import types
import urllib.error
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.message import Message
from typing import Any, Final

import httpx
import requests

from crmlogging import classify
from tests.leaks.places import Extra, Place, add, place

_URL: Final = "https://api.hubapi.com/crm/v3/objects/contacts/4711"

# What a body says, in the ways of many providers. SECRET stands where a value may stand.
_BODIES: Final[Mapping[str, Any]] = {
    "text": "Contact SECRET is bad",
    "text alone": "SECRET",
    "html": "<html><title>SECRET</title><body>Contact SECRET</body></html>",
    "xml": "<error><message>SECRET</message><detail x='SECRET'>SECRET</detail></error>",
    "form": "error=invalid_grant&error_description=SECRET&state=SECRET",
    "broken json": '{"message": "SECRET", "errors": [{"detail": "SECRET',
    "json in json": {"message": '{"error": {"message": "SECRET", "email": "SECRET"}}'},
    "message": {"message": "Property values were not valid: SECRET is not an email"},
    "detail": {"type": "about:blank", "title": "SECRET", "detail": "SECRET", "instance": "/SECRET"},
    "hubspot": {
        "status": "error",
        "message": 'Property values were not valid: [{"isValid":false,"message":"SECRET"}]',
        "errors": [{"message": "SECRET is no email", "in": "email", "context": {"x": ["SECRET"]}}],
        "context": {"email": ["SECRET"]},
        "category": "VALIDATION_ERROR",
    },
    "conflict": {"message": "Contact already exists. Existing ID: SECRET", "category": "CONFLICT"},
    "salesforce": [
        {
            "message": "duplicate value found: Email duplicates value on record with id: SECRET",
            "errorCode": "DUPLICATE_VALUE",
            "fields": ["Email"],
        }
    ],
    "salesforce picklist": [
        {
            "message": "Status: bad value for restricted picklist field: SECRET",
            "errorCode": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "fields": ["Status"],
        }
    ],
    "zoho": {
        "data": [
            {
                "code": "INVALID_DATA",
                "details": {"api_name": "Email", "value": "SECRET", "expected_data_type": "email"},
                "message": "invalid data: SECRET",
                "status": "error",
            }
        ]
    },
    "json api": {
        "errors": [
            {
                "status": "422",
                "title": "SECRET",
                "detail": "SECRET is invalid",
                "source": {"pointer": "/data/attributes/email"},
                "meta": {"value": "SECRET"},
            }
        ]
    },
    "rails": {"errors": {"email": ["SECRET is invalid", "SECRET"]}},
    "graphql": {
        "errors": [
            {
                "message": "Argument 'email' has invalid value \"SECRET\"",
                "path": ["createContact", "email"],
                "extensions": {"code": "BAD_USER_INPUT", "value": "SECRET", "problems": ["SECRET"]},
            }
        ],
        "data": {"contact": {"email": "SECRET"}},
    },
    "oauth": {"error": "invalid_grant", "error_description": "SECRET", "error_uri": "SECRET"},
    "microsoft": {
        "error": {
            "code": "0x80040217",
            "message": "contact With Id = SECRET Does Not Exist",
            "innererror": {"message": "SECRET", "stacktrace": "at SECRET"},
        }
    },
    "google": {
        "error": {
            "code": 400,
            "message": "Invalid value: SECRET",
            "status": "INVALID_ARGUMENT",
            "details": [{"fieldViolations": [{"field": "email", "description": "SECRET"}]}],
        }
    },
    "aws": {"__type": "ValidationException", "message": "SECRET failed to satisfy constraint"},
    "stripe": {
        "error": {"type": "card_error", "code": "card_declined", "message": "SECRET", "x": "SECRET"}
    },
    "quoted": {"message": "'SECRET' is not a valid email for field \"email\""},
    "quoted field": {"message": "Field 'SECRET value' is required", "field": "a SECRET"},
    "bulk": {
        "results": [
            {"success": True, "id": "SECRET"},
            {"success": False, "errors": [{"message": "SECRET", "fields": ["Email"]}]},
        ],
        "numErrors": 1,
    },
    "deep": {"a": {"b": {"c": [{"error": {"message": "SECRET", "value": ["SECRET"]}}]}}},
    "echo": {"request": {"email": "SECRET"}, "error": "bad", "input": {"phone": "SECRET"}},
    "trace": {"message": "x", "trace": 'File "/srv/SECRET.py", line 7', "exception": "x: SECRET"},
    "links": {"message": "Upgrade", "links": {"fix": "https://evil.example/SECRET"}},
    "delays": {"message": "retry after SECRET", "retry_after": "SECRET", "retryAfter": "SECRET"},
}
# Where names, codes and ids stand; a bare word there is one.
_NAMED: Final[Mapping[str, Any]] = {
    "code": {"code": "SECRET", "errorCode": "SECRET", "error_code": "SECRET", "message": "bad"},
    "sub-code": {"category": "SECRET", "subCategory": "x.SECRET", "status": "SECRET"},
    "exception": {"error": "SECRET", "exception": "SECRET"},
    "type": {"type": "SECRET", "error": "SECRET", "name": "SECRET", "reason": "SECRET"},
    "salesforce code": [{"message": "bad", "errorCode": "SECRET", "fields": ["SECRET"]}],
    "field": {"errors": [{"field": "SECRET", "code": "INVALID", "message": "bad"}]},
    "field path": {"errors": [{"path": ["SECRET", 0, "x"], "loc": ["body", "SECRET"]}]},
    "field key": {"errors": {"SECRET": ["is invalid"], "email": ["bad"]}},
    "pointer": {"errors": [{"source": {"pointer": "/data/attributes/SECRET"}, "detail": "bad"}]},
    "parameter": {"error": {"param": "SECRET", "property": "SECRET", "attribute": "SECRET"}},
    "request id": {"requestId": "SECRET", "correlationId": "SECRET", "traceId": "SECRET"},
    "instance": {"type": "SECRET", "instance": "urn:SECRET", "title": "bad", "status": 400},
    "problem": {
        "type": "urn:crmlogging:problem:required",
        "code": "SECRET",
        "fix_url": "https://app.hubspot.com/SECRET",
        "provider": "SECRET",
        "fields": [{"field": "SECRET", "code": "SECRET", "expected": "SECRET"}],
        "rule": "SECRET",
    },
    "named in a sentence": {"message": "Property SECRET does not exist; missing fields: [SECRET]"},
    "quoted column": {"message": "No such column 'SECRET' on entity 'SECRET'"},
    "delay": {"error": {"retry_after": "SECRET", "reset_at": "SECRET", "quota": "SECRET"}},
}
_HEADERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("Set-Cookie", "Location", "Server", "Warning", "X-Note"), "x=SECRET"),
    "WWW-Authenticate": 'Bearer realm="SECRET", error="SECRET", error_description="SECRET"',
    "Link": "<https://evil.example/SECRET>; rel=help",
    "Retry-After": "SECRET",
    "Date": "SECRET",
    "X-RateLimit-Remaining": "SECRET",
    "X-RateLimit-Limit": "SECRET",
    "X-RateLimit-Reset": "SECRET",
    "X-HubSpot-RateLimit-Daily": "SECRET",
    "Sforce-Limit-Info": "api-usage=SECRET/100",
    "Authorization": "Bearer SECRET",
    "Content-Type": "application/json; x=SECRET",
}
_NAMED_HEADERS: Final = (
    *("X-Request-Id", "X-HubSpot-Correlation-Id", "X-Amzn-ErrorType", "X-Error-Code", "CF-Ray"),
    *("X-Trace-Id", "traceparent", "SECRET"),
)
_URLS: Final = (
    "https://SECRET:SECRET@api.hubapi.com/crm/v3/objects/contacts",
    "https://api.hubapi.com/crm/v3/objects/contacts/SECRET",
    "https://api.hubapi.com/SECRET/contacts/SECRET/notes",
    "https://api.hubapi.com/crm/v3/objects/contacts?email=SECRET&hapikey=SECRET#SECRET",
    "https://SECRET.my.salesforce.com/services/data/v60.0/sobjects/Contact/SECRET",
    "https://SECRET.example/crm;x=SECRET/../SECRET",
    "/contacts/SECRET",
    "SECRET",
)


def _filled(template: Any, secret: str) -> bytes:
    text = template if type(template) is str else json.dumps(template, ensure_ascii=False)
    plain = type(template) is str and not template.startswith("{")
    return text.replace("SECRET", secret if plain else json.dumps(secret)[1:-1]).encode()


def _by_requests(body: bytes, headers: Mapping[str, str], url: str, status: int) -> Any:
    response = requests.Response()
    response.status_code, response._content, response.url = status, body, url
    response.headers.update(headers)
    response.reason = body.decode("utf-8", "replace")[:200]
    response.request = requests.PreparedRequest()
    response.request.method, response.request.url = "PATCH", url
    response.request.body = body
    response.request.headers = requests.structures.CaseInsensitiveDict(headers)
    return response


def _by_httpx(body: bytes, headers: Mapping[str, str], url: str, status: int) -> Any:
    latin = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    try:
        request = httpx.Request("PATCH", url, content=body, headers=latin)
    except httpx.InvalidURL:
        request = httpx.Request("PATCH", _URL)
    return httpx.Response(status, headers=latin, content=body, request=request)


def _by_sdk(body: bytes, headers: Mapping[str, str], url: str, status: int) -> Any:
    """As generated clients have it: an exception with attributes."""
    error: Any = ValueError(f"({status})\nReason: {body!r}")
    error.status, error.body, error.headers, error.url = status, body.decode(), dict(headers), url
    error.reason = error.body
    return error


def _by_urllib(body: bytes, headers: Mapping[str, str], url: str, status: int) -> Any:
    message = Message()
    for name, value in headers.items():
        message.add_header(name.encode("ascii", "replace").decode(), value.replace("\n", " "))
    return urllib.error.HTTPError(url, status, body.decode(), message, io.BytesIO(body))


def _by_name(body: bytes, headers: Mapping[str, str], url: str, status: int) -> Any:
    request = types.SimpleNamespace(method="POST", url=url)
    parsed = body.decode()
    with contextlib.suppress(ValueError):
        parsed = json.loads(body)
    return types.SimpleNamespace(
        status_code=status, headers=list(headers.items()), body=parsed, request=request
    )


_CLIENTS: Final[Sequence[Callable[..., Any]]] = (
    *(_by_requests, _by_httpx, _by_sdk, _by_urllib, _by_name),
)
_STATUSES: Final = (400, 401, 409, 429, 503)


def _log_answer(log: logging.Logger, answer: Any, extra: Extra) -> None:
    """Every way in which an answer comes to a record."""
    if isinstance(answer, BaseException):
        error = answer
    else:
        error = requests.HTTPError(f"Client Error for url: {answer!r}", response=answer)
        log.error("Contact failed", extra={**extra, "response": answer})
    try:
        raise RuntimeError(f"cannot sync: {error}") from error
    except RuntimeError:
        log.exception("Contact failed", extra=extra)
    log.error("Contact failed: %s", error, extra={**extra, "error": error})


def _answering(template: Any) -> Place:
    def answers(log: logging.Logger, secret: str, extra: Extra) -> None:
        body = _filled(template, secret)
        for number, client in enumerate(_CLIENTS):
            answer = client(body, {"Content-Type": "application/json"}, _URL, _STATUSES[number])
            _log_answer(log, answer, extra)
            found = classify(status=_STATUSES[-number], body=body, provider="hubspot", url=_URL)
            shown = repr(found), json.dumps(found.to_problem() if found else None)
            log.error("Contact failed", extra={**extra, "error": found})
            if any(word in text for word in secret.split() for text in shown if len(word) > 9):
                _tell(log, shown, extra)

    return answers


def _tell(log: logging.Logger, shown: Sequence[str], extra: Extra) -> None:
    """Have a leak of `classify` itself found where all leaks are found."""
    sys.stderr.write(f"{shown}\n")
    log.error("classify() leaks", extra=extra)


def _with_headers(headers: Mapping[str, str]) -> Place:
    def answers(log: logging.Logger, secret: str, extra: Extra) -> None:
        filled = {
            name.replace("SECRET", urllib.parse.quote(secret)): value.replace("SECRET", secret)
            for name, value in headers.items()
        }
        for status in (401, 429):
            for client in _CLIENTS:
                _log_answer(log, client(b'{"message": "bad"}', filled, _URL, status), extra)

    return answers


def _at_url(url: str) -> Place:
    def answers(log: logging.Logger, secret: str, extra: Extra) -> None:
        for text in (secret, urllib.parse.quote(secret, safe="")):
            for client in _CLIENTS:
                _log_answer(log, client(b"{}", {}, url.replace("SECRET", text), 404), extra)

    return answers


for _name, _body in _BODIES.items():
    add(f"answer: {_name}", _answering(_body))
for _name, _body in _NAMED.items():
    add(f"answer: {_name}", _answering(_body), without=("word",))
for _name, _value in _HEADERS.items():
    add(f"header: {_name}", _with_headers({_name: _value}))
for _name in _NAMED_HEADERS:
    add(f"header: {_name}", _with_headers({_name: "SECRET"}), without=("word",))
for _url in _URLS:
    add(f"address: {_url}", _at_url(_url))


@place
def answer_that_is_hostile(log: logging.Logger, secret: str, extra: Extra) -> None:
    class Answer:
        status_code = 400

        def __getattr__(self, name: str) -> Any:
            raise ValueError(f"{name} of {secret}")

        def __iter__(self) -> Iterator[str]:
            raise RuntimeError(secret)

        def __repr__(self) -> str:
            return secret

    class Headers(dict[str, str]):
        def items(self) -> Any:
            raise ValueError(secret)

    log.error("Contact failed", extra={**extra, "response": Answer()})
    log.error("Contact failed", extra={**extra, "error": Answer()})
    answer = _by_name(secret.encode(), {}, _URL, 400)
    answer.headers = Headers({"x": secret})
    _log_answer(log, answer, extra)


@place
def answer_that_is_none(log: logging.Logger, secret: str, extra: Extra) -> None:
    for nothing in (secret, {"status": 400, "body": secret}, [secret], 404):
        log.error("Contact failed", extra={**extra, "response": nothing, "error": nothing})


@place
def error_of_a_text(log: logging.Logger, secret: str, extra: Extra) -> None:
    for text in (
        f"requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: {_URL}?k={secret}",
        f"simple_salesforce.exceptions.SalesforceMalformedRequest: Malformed request {secret}",
        f"{secret}: {secret}",
    ):
        found = classify(exception=text)
        shown = repr(found), json.dumps(found.to_problem() if found else None)
        if any(word in each for word in secret.split() for each in shown if len(word) > 9):
            _tell(log, shown, extra)
        log.error("Contact failed", extra={**extra, "error": found})
