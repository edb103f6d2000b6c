"""What is logged: values that repeat, and values that a service has never seen before.

The ids, durations and addresses of a record are made before the clock starts. Record `number` of
a run always holds the same values, so that every line can be compared with what is due.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

__all__ = [
    *("ALLOWED", "CORRELATION_ID", "FRESH", "HIDDEN", "LOGGER", "LOGGER_URLLIB3", "MASKED"),
    *("MASKED_LAST4", "MESSAGE", "MESSAGE_URLLIB3", "REPEATED", "SECRETS", "SHOWN"),
    *("Contact", "ContactError", "contact", "contacts", "raised"),
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
        values = contact(0)
        return [values._replace(error=raised(0) if raises else None)] * (end - begin)
    numbers = range(begin, end)
    if raises:
        return [contact(number)._replace(error=raised(number)) for number in numbers]
    return [contact(number) for number in numbers]


def contact(number: int) -> Contact:
    """Return the values of one record, without an exception."""
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


_SECRET: Final = (b"@example.com", b"made-up-key", b"Lovelace", b"+1 555")
HIDDEN: Final[Mapping[str, tuple[bytes, ...]]] = {
    "S2a": _SECRET,
    "S2b": _SECRET,
    "S2t": (b"@example.com", b"contacts/4711"),
    "S2f": (b"@example.com",),
}
"""What no line may hold, anywhere."""
SHOWN: Final[Mapping[str, tuple[bytes, ...]]] = {"S9": (b"ContactError", b"_read_answer")}
"""What each line must hold, anywhere."""
