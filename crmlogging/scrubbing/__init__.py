"""The second line of defence: a text is searched for what must not stand in a log.

Only texts that were let out already come here: source literals, and values of fields whose
declared shape is ``text``. Found are e-mail addresses ``[EMAIL]``, phone numbers ``[PHONE]``,
card numbers ``[CARD]``, IBANs ``[IBAN]``, private keys ``[KEY]``, tokens and passwords
``[TOKEN]``, user-info and query of a URL ``[REDACTED]``.

Linear in the length of any text: each expression costs a bounded number of steps where it starts,
or consumes what it read. In doubt it withholds, for a placeholder too many costs less than a
secret; dates, versions, counts, addresses of machines and ids stay.
"""

from __future__ import annotations

import re
from typing import Final

from crmlogging.scrubbing.addresses import scrub_addresses
from crmlogging.scrubbing.disguises import decoded, folded
from crmlogging.scrubbing.named import scrub_named
from crmlogging.scrubbing.numbers import has_number, is_machine_id, scrub_numbers
from crmlogging.scrubbing.packed import has_packed, scrub_packed
from crmlogging.scrubbing.phones import scrub_phones
from crmlogging.scrubbing.tokens import has_token, scrub_keys, scrub_tokens

__all__ = ["SECRET_MINIMUM", "is_secret", "scrub"]

_WITHHELD: Final = "[REDACTED]"
_CLEAN_KEPT: Final = 4_096
_CLEAN_CHARACTERS: Final = 256
SECRET_MINIMUM: Final = 12
"""Characters below which no word is a secret by its form."""
_ROUNDS: Final = 6
_clean: set[str] = set()

# A sentence: without one of these, nothing is found but a credential by its scheme and a long word.
_MARK: Final = re.compile(r"[^A-Za-z ,.;!'{}\r\n]")
_LONG_WORD: Final = 16
_DIGIT: Final = re.compile(r"[0-9]")


def scrub(text: str) -> str:
    """Return `text` with a placeholder for each secret or personal detail found in it.

    Where one is found behind an escape (``%40``, ``\\u0040``) or look-alike characters, the text
    comes back without those.

    Example:
        >>> scrub("mail ada@example.com or call +49 151 2345678")
        'mail [EMAIL] or call [PHONE]'
        >>> scrub("GET https://bot:pw@api.example/v1?key=1 took 50,000 ms on 2026-11-22")
        'GET https://[REDACTED]@api.example/v1?[REDACTED] took 50,000 ms on 2026-11-22'
    """
    if text in _clean:
        return text
    try:
        scrubbed = text if _is_plain(text) else _seen_through(text)
    except Exception:  # noqa: BLE001  # fails closed
        return _WITHHELD
    if scrubbed == text and len(text) <= _CLEAN_CHARACTERS:
        if len(_clean) >= _CLEAN_KEPT:
            _clean.clear()
        _clean.add(text)
    return scrubbed


def is_secret(value: str) -> bool:
    """Tell whether a single word is a token of a known vendor, a JWT, a card number or an IBAN.

    For values in the shape of an id, of which some are secrets all the same.

    Example:
        >>> is_secret("sk_live_4eC39HqLyjWD"), is_secret("550e8400-e29b-41d4-a716-446655440000")
        (True, False)
    """
    if len(value) < SECRET_MINIMUM:
        return False
    if is_machine_id(value):
        return "-" not in value and has_packed(value)
    return has_token(value) or has_number(value) or has_packed(value)


def _is_plain(text: str) -> bool:
    """Tell cheaply that there is nothing to find in `text`."""
    if _MARK.search(text):
        return False
    lowered = text.lower()
    if "bearer" in lowered or "basic" in lowered or "digest" in lowered or "negotiate" in lowered:
        return False
    return " dot " not in lowered and max(map(len, text.split()), default=0) < _LONG_WORD


def _seen_through(text: str) -> str:
    """Search `text` also without its disguises; without need they are left on."""
    bare = text if text.isascii() else folded(text)
    found = _settled(bare)
    plain = decoded(found)
    if plain != found:
        again = _settled(plain)
        found = again if again != plain else found
    if found != bare or bare == text:
        return found
    return _settled(text)


def _settled(text: str) -> str:
    """Search again until nothing more is found: a placeholder may uncover what stands beside it."""
    for _ in range(_ROUNDS):
        before, text = text, _searched(text)
        if text == before:
            return text
    return _WITHHELD


def _searched(text: str) -> str:
    text = scrub_packed(scrub_tokens(scrub_named(scrub_addresses(scrub_keys(text)))))
    return scrub_phones(scrub_numbers(text)) if _DIGIT.search(text) else text
