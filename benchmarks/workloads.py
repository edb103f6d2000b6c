"""What is logged: values that repeat, and values that a service has never seen before.

The ids, durations and addresses of a record are made before the clock starts. Record `number` of
a run always holds the same values, so that every line can be compared with what is due.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

__all__ = [
    *("ALLOWED", "CORRELATION_ID", "FRESH", "HIDDEN", "LOGGER", "LOGGER_URLLIB3", "MASKED"),
    *("MESSAGE", "MESSAGE_URLLIB3", "REPEATED", "SECRETS", "SHOWN"),
    *("Contact", "ContactError", "contacts", "due", "fields_of", "raised"),
]

REPEATED: Final = "repeated"
FRESH: Final = "fresh"
LOGGER: Final = "crm.sync"
MESSAGE: Final = "Updated contact"
MASKED: Final = "[REDACTED]"
MASKED_LAST4: Final = "****mark"
CORRELATION_ID: Final = "nightly-77"
API_KEY: Final = "made-up-key-of-the-benchmark"
SECRETS: Final = ("email", "phone", "api_key", "lastname")
ALLOWED: Final = ("@crm", "campaign.id", {"campaign.name": "text"})
"""The allowlist of the design's document, and a text, so that something is to be scrubbed."""
LOGGER_URLLIB3: Final = "urllib3.connectionpool"
MESSAGE_URLLIB3: Final = '%s://%s:%s "%s %s %s" %s %s'
_CAMPAIGNS: Final = 100


class ContactError(Exception):
    """What goes wrong in the benchmarks."""


class Contact(NamedTuple):
    """The values of one record that differ in a real service."""

    resource_id: str
    request_id: str
    duration_ms: float
    email: str
    phone: str
    campaign: str
    error: ContactError | None = None


def contacts(variant: str, begin: int, end: int, *, raises: bool = False) -> list[Contact]:
    """Return the values of records `begin` to `end`."""
    if variant != FRESH:
        values = _contact(0)
        return [values._replace(error=raised(0) if raises else None)] * (end - begin)
    numbers = range(begin, end)
    if raises:
        return [_contact(number)._replace(error=raised(number)) for number in numbers]
    return [_contact(number) for number in numbers]


def _contact(number: int) -> Contact:
    campaign = number % _CAMPAIGNS
    # One name in eight holds an address that must be scrubbed.
    by = f"ada{campaign}@example.com" if campaign % 8 == 7 else "the partner team"
    return Contact(
        resource_id=f"{471_100 + number}",
        request_id=f"0f1b6b31-94d5-4a3c-8d52-{number:012x}",
        duration_ms=131.7 + number / 8,
        email=f"ada{number}@example.com",
        phone=f"+1 555 0100 {number:04d}",
        campaign=f"Autumn newsletter {campaign} by {by}",
    )


def raised(number: int) -> ContactError:
    """Return an exception as a service raises it: a few calls deep, with data in its text."""
    try:
        _read_answer(number, depth=5)
    except ContactError as error:
        return error
    raise AssertionError("it raises")


def _read_answer(number: int, depth: int) -> None:
    if depth:
        _read_answer(number, depth - 1)
    raise ContactError(f"contact {471_100 + number} has no e-mail address")


def fields_of(scenario: str) -> Any:
    """Return the function that makes the fields of a `Contact`, for calls that take a mapping."""
    return _FIELDS.get(scenario, ten_fields)


def ten_fields(values: Contact) -> dict[str, Any]:
    """S1: ten fields, all allowed."""
    return {
        "crm": "hubspot",
        "tenant.code": "acme",
        "resource.type": "contact",
        "resource.id": values[0],
        "request.id": values[1],
        "request.method": "PATCH",
        "request.attempt": 1,
        "request.duration_ms": values[2],
        "response.status": 200,
        "ratelimit.remaining": 87,
    }


def masked_fields(values: Contact) -> dict[str, Any]:
    """S2a: twelve fields, four of them secret."""
    return {
        "crm": "hubspot",
        "tenant.code": "acme",
        "resource.type": "contact",
        "resource.id": values[0],
        "request.id": values[1],
        "request.method": "PATCH",
        "request.attempt": 1,
        "request.duration_ms": values[2],
        "email": values[3],
        "phone": values[4],
        "api_key": "made-up-key-of-the-benchmark",
        "lastname": "Lovelace",
    }


def scrubbed_fields(values: Contact) -> dict[str, Any]:
    """S2b: twelve fields, four of them secret and one a text."""
    return {
        "crm": "hubspot",
        "tenant.code": "acme",
        "campaign.name": values[5],
        "resource.id": values[0],
        "request.id": values[1],
        "request.method": "PATCH",
        "request.attempt": 1,
        "request.duration_ms": values[2],
        "email": values[3],
        "phone": values[4],
        "api_key": "made-up-key-of-the-benchmark",
        "lastname": "Lovelace",
    }


def failure_fields(values: Contact) -> dict[str, Any]:
    """S9: two fields beside the exception."""
    return {"crm": "hubspot", "resource.id": values[0]}


_FIELDS: Final = {
    "S1": ten_fields,
    "S2a": masked_fields,
    "S2b": scrubbed_fields,
    "S9": failure_fields,
}


def due(scenario: str, variant: str, records: int) -> Iterator[tuple[Mapping[str, Any], ...]]:
    """Yield what each line has to hold, in order; one of several where they say the same."""
    wanted = _third_party_lines if scenario == "S2t" else _lines
    for number in range(records):
        yield wanted(scenario, _contact(number if variant == FRESH else 0))


def _lines(scenario: str, values: Contact) -> tuple[dict[str, Any]]:
    wanted: dict[str, Any] = fields_of(scenario)(values)
    wanted.update(message=MESSAGE, level="ERROR", logger=LOGGER)
    for name in SECRETS:
        if name in wanted:
            wanted[name] = MASKED
    if scenario == "S2b":
        wanted["api_key"] = MASKED_LAST4
        wanted["correlation_id"] = CORRELATION_ID
        name, at, _ = values.campaign.partition("@")
        if at:
            wanted["campaign.name"] = f"{name.rpartition(' ')[0]} [EMAIL]"
    return (wanted,)


def _third_party_lines(scenario: str, values: Contact) -> tuple[dict[str, Any], dict[str, Any]]:
    head = {"level": "DEBUG", "logger": LOGGER_URLLIB3}
    path = "/crm/v3/objects/contacts/{id}"
    arguments = ("https", "api.hubapi.com", 443, "PATCH", path, "HTTP/1.1", 200, 512)
    template = {"request.method": "PATCH", "request.path": path, "response.status": 200}
    return (
        {**head, "message": MESSAGE_URLLIB3 % arguments},
        {**head, "message": MESSAGE_URLLIB3, **template},
    )


_SECRET: Final = (b"@example.com", b"made-up-key", b"Lovelace", b"+1 555")
HIDDEN: Final[Mapping[str, tuple[bytes, ...]]] = {
    "S2a": _SECRET,
    "S2b": _SECRET,
    "S2t": (b"@example.com", b"contacts/4711"),
}
"""What no line may hold, anywhere."""
SHOWN: Final[Mapping[str, tuple[bytes, ...]]] = {"S9": (b"ContactError", b"_read_answer")}
"""What each line must hold, anywhere."""
