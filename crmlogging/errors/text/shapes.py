"""What may leave: the shapes of codes, ids and hosts, and the looks of a secret.

A value of a payload that sits where a code or an id is due must not get out as one.
"""

from __future__ import annotations

import re
from typing import Final

from crmlogging.errors.text.late import late

__all__ = ["Numeral", "is_code", "is_request_id", "is_slug", "looks_secret"]

_CODE: Final = re.compile(r"-?[A-Za-z0-9_/][A-Za-z0-9_.:/#-]{0,95}", re.ASCII)
_NUMERAL_DIGITS: Final = 9
_SLUG: Final = late(r"[a-z0-9_-]{1,32}", re.ASCII)
# Prefixes of credentials, JWTs, phone numbers, addresses of the network, UUIDs; hex digests have
# their own rule, since some providers' codes are hex.
_SECRET: Final = re.compile(
    r"eyJ|[srp]k_(?:live|test)_|whsec_|xox[abeprs]-|gh[opsu]_|glpat-|pat-|AKIA|ASIA|ya29\.|1000\.[0-9a-f]|SG\.[A-Za-z0-9]"
    r"|00D[A-Za-z0-9]{12}!|[Bb]earer\b|[Bb]asic\b|shp(?:at|ss|ca)_",
    re.ASCII,
)
# Neither a secret nor a phone number.
_ID: Final = late(
    rf"(?!{_SECRET.pattern})(?!\d{{8,15}}\Z)[A-Za-z0-9][A-Za-z0-9_.:#=+-]{{2,127}}", re.ASCII
)
_PERSONAL: Final = re.compile(
    r"\+?\d{8,}|\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{8}-[0-9a-f]{4}-"
    r"|(?!-2147\d{6}$)[\d-]{8,}$"  # but Dataverse writes its HRESULTs so
    r"|[a-z0-9-]+(?:\.[a-z0-9-]+){0,8}\.(?:com|net|org|example|io|de)\b",
    re.ASCII,
)
_OPAQUE: Final = re.compile(
    r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=(?:\D*\d){3})[A-Za-z0-9_-]{24,}", re.ASCII
)


class Numeral(str):
    """A code that a body has as a number: eight or nine digits then are no phone number."""

    __slots__ = ()


def looks_secret(text: str) -> bool:
    """Whether `text` begins as credentials do."""
    return _SECRET.match(text) is not None


def is_request_id(value: object) -> bool:
    """Whether `value` is an id: opaque, no blanks, neither a secret nor a phone number."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def is_code(value: str) -> bool:
    """Whether `value` is an error code: one word of letters, digits and separators.

    Phone numbers, network addresses, host names, UUIDs and random strings are none.
    """
    if type(value) is Numeral:
        return len(value) <= _NUMERAL_DIGITS
    return (
        _CODE.fullmatch(value) is not None
        and _SECRET.match(value) is None
        and _PERSONAL.match(value) is None
        and _OPAQUE.match(value) is None
    )


def is_slug(value: object) -> bool:
    """Whether `value` is a provider's slug."""
    return isinstance(value, str) and _SLUG.fullmatch(value) is not None
