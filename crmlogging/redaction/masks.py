"""Masks: a value that is shown in part, or by a keyed digest, so that lines can still be joined.

- ``last4``: the last four characters, of values of at least 16; a shorter one is masked whole.
- ``hmac``: HMAC-SHA-256 (RFC 2104) over field name and value, cut to 128 bits. Equal values of
  one field stay equal, those of different fields do not. Who holds the key can try values: with
  e-mail addresses or phone numbers that is an enumeration, so the key belongs into a secret
  store and is rotated. The output names the key: ``hmac:KEYID:DIGEST``.
- ``seal``: encrypted to a public key (`crmlogging.redaction.sealing`). Equal values look
  different; the owner of the private key reads them back: ``seal:TOKEN``.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from typing import Final

from crmlogging.diagnostics import tally
from crmlogging.fields import MISFIT

__all__ = ["MASKS", "REDACTED", "HmacKey", "complaint_about", "is_masked", "masked"]

REDACTED: Final = "[REDACTED]"
MASKS: Final = ("last4", "hmac", "seal")
HMAC_KEY_VARIABLE: Final = "CRMLOGGING_HMAC_KEY"
KEY_BYTES_MINIMUM: Final = 16

_CHARACTERS_MAXIMUM: Final = 1_000_000
_LAST4_MINIMUM: Final = 16
_MASKED: Final = (
    r"\*{4}[A-Za-z0-9]{4}|hmac:[0-9a-f]{8}:[0-9a-f]{32}|\[(?:REDACTED|TRUNCATED|CIRCULAR)\]"
)
_BEGINNINGS: Final = ("****", "hmac:", "[", "seal:")
_DIGEST_BYTES: Final = 16
_KEY_ID_BYTES: Final = 4

HmacKey = Callable[[], str | bytes | None]
"""Returns the key in force; asked for each value, so that keys can rotate without a restart."""


def key_from_environment() -> str | None:
    """Return ``CRMLOGGING_HMAC_KEY``."""
    return os.environ.get(HMAC_KEY_VARIABLE)


def complaint_about(mask: object, hmac_key: HmacKey | None) -> str | None:
    """Return what is wrong with the name of a mask, or None.

    The key that ``seal`` needs is the filter's to check (`crmlogging.redaction.sealing`).
    """
    if not isinstance(mask, str) or mask not in MASKS:
        return f"{mask!r} is not a mask; known: {', '.join(MASKS)}"
    if mask == "hmac":
        import hmac  # noqa: F401  # now, so that no record has to load it

        try:
            key = _key(hmac_key)
        except Exception as error:  # noqa: BLE001  # the user's callable; its text may hold the key
            return f"'hmac': the callable for the key raised {type(error).__name__}"
        if key is None:
            return (
                f"'hmac' needs a key of at least {KEY_BYTES_MINIMUM} bytes in the environment "
                f"variable {HMAC_KEY_VARIABLE}, or from the callable hmac_key"
            )
    return None


def masked(mask: str, name: str, value: object, hmac_key: HmacKey | None) -> str:
    """Return what `mask` shows of a plain scalar `value`.

    Args:
        mask: one of `MASKS`.
        name: the field's dotted name.
        value: of exactly a built-in scalar type, or `MISFIT`.
        hmac_key: asked for the key; None means the environment.
    """
    if mask == "seal":
        from crmlogging.redaction.sealing import awaiting  # who seals nothing never loads it

        return awaiting(value)
    text = _text(value)
    if text is None:
        return REDACTED
    if mask == "last4":
        end = text[-4:]
        plain = end.isascii() and end.isalnum()
        return f"****{end}" if len(text) >= _LAST4_MINIMUM and plain else REDACTED
    if mask == "hmac":
        return _digest(name, text, hmac_key)
    return REDACTED


def is_masked(value: object) -> bool:
    """Tell whether `value` looks like the outcome of a mask, for a scalar or for each of a list."""
    if type(value) is list:
        return all(is_masked(each) for each in value)
    if type(value) is not str or not value.startswith(_BEGINNINGS):
        return False
    if not value.startswith("seal:"):
        return re.fullmatch(_MASKED, value, re.ASCII) is not None
    from crmlogging.redaction.sealing import is_token

    return is_token(value)


def _text(value: object) -> str | None:
    if type(value) is str:
        return value if len(value) <= _CHARACTERS_MAXIMUM else None
    # bool and None have so few values that any digest of them gives them away.
    if type(value) is int and value is not MISFIT and abs(value) < 2**64:
        return str(value)
    return repr(value) if type(value) is float else None


def _digest(name: str, text: str, hmac_key: HmacKey | None) -> str:
    try:
        key = _key(hmac_key)
    except Exception:  # noqa: BLE001  # the user's callable: fail closed, counted
        key = None
    if key is None:
        tally.add("redaction.hmac_key_missing")
        return REDACTED
    import hmac  # loads OpenSSL; by then `complaint_about` has done so

    # The name's length stands first, so that no name and value read as another pair.
    encoded = name.encode("utf-8", "surrogatepass")
    message = b"%d:%b%b" % (len(encoded), encoded, text.encode("utf-8", "surrogatepass"))
    digest = hmac.digest(key, message, "sha256")[:_DIGEST_BYTES]
    return f"hmac:{_key_id(key)}:{digest.hex()}"


def _key(hmac_key: HmacKey | None) -> bytes | None:
    given = (hmac_key or key_from_environment)()
    # What is no UTF-8 in the environment stands in os.environ as surrogates.
    key = given.encode("utf-8", "surrogateescape") if isinstance(given, str) else given
    return key if isinstance(key, bytes) and len(key) >= KEY_BYTES_MINIMUM else None


@functools.lru_cache(maxsize=8)
def _key_id(key: bytes) -> str:
    import hashlib

    return hashlib.sha256(b"crmlogging hmac key id:" + key).hexdigest()[: 2 * _KEY_ID_BYTES]
