"""Fitting: a scalar as its field may carry it, or the placeholder.

The shapes of the field table do the first part. On top, a text is scrubbed, and a string of any
other shape that looks like a credential or a card number is withheld: ``sk_live_...`` has the
shape of an id.
"""

from __future__ import annotations

from typing import Final

from crmlogging.fields import MISFIT, TEXT_CHARACTERS, Field, conform
from crmlogging.redaction.masks import REDACTED
from crmlogging.scrubbing import is_secret, scrub

__all__ = ["CIRCULAR", "PLACEHOLDERS", "REDACTED", "TRUNCATED", "fitted"]

TRUNCATED: Final = "[TRUNCATED]"
CIRCULAR: Final = "[CIRCULAR]"
PLACEHOLDERS: Final = frozenset({REDACTED, TRUNCATED, CIRCULAR})

# Looked at beyond what is shown, so that a secret cut in two at the end is not shown by half.
_MARGIN: Final = 300
_CARD_NUMBER_MINIMUM: Final = 10**11


def fitted(field: Field, value: object) -> object:
    """Return a plain scalar `value` as `field` may carry it, or `REDACTED`."""
    kind = type(value)
    if kind is str:
        if field.shape == "text" and not field.choices:
            return _text(field, value)  # type: ignore[arg-type]  # a str, as asked above
        shaped = conform(field, value)
        if shaped is MISFIT or is_secret(shaped):  # type: ignore[arg-type]  # str gives str
            return value if value in PLACEHOLDERS else REDACTED
        return shaped
    shaped = conform(field, value)
    if shaped is MISFIT:
        return REDACTED
    if type(shaped) is int and shaped >= _CARD_NUMBER_MINIMUM and is_secret(str(shaped)):
        return REDACTED
    return shaped


def _text(field: Field, value: str) -> object:
    if len(value) > TEXT_CHARACTERS + 1:
        window = value[: TEXT_CHARACTERS + _MARGIN]
        head = window.rsplit(None, 1)[0]
        if len(head) < TEXT_CHARACTERS:
            # The last word is long, and may be half a secret.
            head = head if len(head) < len(window) else REDACTED
            return f"{scrub(head)[:TEXT_CHARACTERS].rstrip()} {TRUNCATED}"
        value = head
        return f"{scrub(value)[:TEXT_CHARACTERS]}…"
    shaped = conform(field, scrub(value))
    return REDACTED if shaped is MISFIT else shaped
