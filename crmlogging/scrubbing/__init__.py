"""The second line of defence: a text is searched for what must not stand in a log.

Only texts that were let out already come here: source literals, and values of fields whose
declared shape is ``text``. Found are e-mail addresses ``[EMAIL]``, phone numbers ``[PHONE]``,
card numbers ``[CARD]``, IBANs ``[IBAN]``, private keys ``[KEY]``, tokens and passwords
``[TOKEN]``, user-info and query of a URL ``[REDACTED]``.

Linear in the length of any text: an expression starts only where a cheap mark stands, and its
repetitions are possessive or bounded. In doubt it withholds, for a placeholder too many costs
less than a secret; dates, versions, counts and UUIDs stay.
"""

from __future__ import annotations

from typing import Final

from crmlogging.scrubbing.addresses import scrub_addresses
from crmlogging.scrubbing.numbers import has_number, scrub_numbers
from crmlogging.scrubbing.tokens import has_token, scrub_tokens

__all__ = ["is_secret", "scrub"]

_WITHHELD: Final = "[REDACTED]"
_CLEAN_KEPT: Final = 4_096
_CLEAN_CHARACTERS: Final = 256
_SECRET_MINIMUM: Final = 12
_ROUNDS: Final = 6
_clean: set[str] = set()


def scrub(text: str) -> str:
    """Return `text` with a placeholder for each secret or personal detail found in it.

    Example:
        >>> scrub("mail ada@example.com or call +49 151 2345678")
        'mail [EMAIL] or call [PHONE]'
        >>> scrub("GET https://bot:pw@api.example/v1?key=1 took 50,000 ms on 2026-11-22")
        'GET https://[REDACTED]@api.example/v1?[REDACTED] took 50,000 ms on 2026-11-22'
    """
    if text in _clean:
        return text
    try:
        scrubbed = _settled(text)
    except Exception:  # noqa: BLE001  # fails closed
        return _WITHHELD
    if scrubbed == text and len(text) <= _CLEAN_CHARACTERS:
        if len(_clean) >= _CLEAN_KEPT:
            _clean.clear()
        _clean.add(text)
    return scrubbed


def _settled(text: str) -> str:
    """Search again until nothing more is found: a placeholder may uncover what stands beside it."""
    for _ in range(_ROUNDS):
        before, text = text, scrub_numbers(scrub_tokens(scrub_addresses(text)))
        if text == before:
            return text
    return _WITHHELD


def is_secret(value: str) -> bool:
    """Tell whether a single word is a token of a known vendor, a JWT, a card number or an IBAN.

    For values in the shape of an id, of which some are secrets all the same.

    Example:
        >>> is_secret("sk_live_4eC39HqLyjWD"), is_secret("550e8400-e29b-41d4-a716-446655440000")
        (True, False)
    """
    return len(value) >= _SECRET_MINIMUM and (has_token(value) or has_number(value))
