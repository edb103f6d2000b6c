"""Fitting: a scalar as its field may carry it, or the placeholder.

The shapes of the field table do the first part. On top, a text is scrubbed, and a string of any
other shape that looks like a credential or a card number is withheld: ``sk_live_...`` has the
shape of an id.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crmlogging.fields import MISFIT, TEXT_CHARACTERS, Field, conform
from crmlogging.redaction.masks import REDACTED
from crmlogging.scrubbing import is_secret, scrub

__all__ = ["CIRCULAR", "PLACEHOLDERS", "REDACTED", "TRUNCATED", "Fit", "Kept", "fit_for", "fitted"]

Fit = Callable[[object], object]
"""Takes a plain scalar and returns it as its field may carry it, or `REDACTED`."""
Kept = dict[str, str]
"""Strings that a `Fit` returns as they are."""

TRUNCATED: Final = "[TRUNCATED]"
CIRCULAR: Final = "[CIRCULAR]"
PLACEHOLDERS: Final = frozenset({REDACTED, TRUNCATED, CIRCULAR})

# Looked at beyond what is shown, so that a secret cut in two at the end is not shown by half.
_MARGIN: Final = 300
_NUMBER_CHARACTERS: Final = 64
_CARD_NUMBER_MINIMUM: Final = 10**11
# For each field, the strings that were found to fit as they are.
_KEPT: Final = 256
_KEPT_CHARACTERS: Final = 128


def fit_for(field: Field) -> tuple[Fit, Kept]:
    """Return `fitted` for `field`, and its bounded memory of strings that fit as they are."""
    kept: Kept = {}
    whole = field.shape in ("id", "int", "float") and not field.choices
    fractions = field.shape in ("id", "float") and not field.choices

    def fit(value: object) -> object:
        kind = type(value)
        if kind is str:
            known = kept.get(value)  # type: ignore[call-overload]  # a str, as asked above
            if known is not None:
                return known
            shown = fitted(field, value)
            if shown == value and len(shown) <= _KEPT_CHARACTERS:  # type: ignore[arg-type]  # likewise
                if len(kept) >= _KEPT:
                    kept.clear()
                kept[shown] = shown  # type: ignore[index,assignment]  # likewise
            return shown
        if kind is int and whole and 0 <= value < _CARD_NUMBER_MINIMUM:  # type: ignore[operator]  # an int
            return value
        if kind is float and fractions and value - value == 0.0:  # type: ignore[operator]  # a float
            return value
        return fitted(field, value)

    return fit, kept


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
        if len(head) == len(window):
            return REDACTED  # One endless word: a token's end, which gives it away, is not in it.
        # Scrubbing shortens: the end of the window, where a number may be cut in two, could move
        # into what is shown.
        return f"{scrub(head)[:-_NUMBER_CHARACTERS][:TEXT_CHARACTERS]}…"
    shaped = conform(field, scrub(value))
    return REDACTED if shaped is MISFIT else shaped
