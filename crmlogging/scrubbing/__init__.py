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

from types import ModuleType
from typing import Final

from crmlogging.scrubbing.glancing import is_plain

__all__ = ["SECRET_MINIMUM", "is_secret", "prepare", "scrub"]

_WITHHELD: Final = "[REDACTED]"
_CLEAN_KEPT: Final = 4_096
_CLEAN_CHARACTERS: Final = 256
SECRET_MINIMUM: Final = 12
"""Characters below which no word is a secret by its form."""
_clean: set[str] = set()
_searching: ModuleType | None = None


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
        if type(text) is str and text.isascii() and is_plain(text):
            scrubbed = text
        else:
            scrubbed = (_searching or prepare()).seen_through(str.__str__(text))
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
    return bool((_searching or prepare()).is_secret(value))


def prepare() -> ModuleType:
    """Compile the expressions, tens of milliseconds that neither an import nor a record shall cost.

    For whoever is going to scrub, when it is built; else the first text does it.
    """
    global _searching  # read for every text
    from crmlogging.scrubbing import searching

    _searching = searching
    return searching
