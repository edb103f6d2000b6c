"""Fitting: a scalar as its field may carry it, or the placeholder.

The shapes of the field table do the first part. On top, a text is scrubbed, and a string of any
other shape that looks like a credential or a card number is withheld: ``sk_live_...`` has the
shape of an id.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import orjson

from crmlogging.fields import MISFIT, SHAPES, TEXT_CHARACTERS, Field, conform
from crmlogging.redaction.masks import REDACTED
from crmlogging.scrubbing import SECRET_MINIMUM, is_secret, scrub

__all__ = [
    "CIRCULAR",
    "PLACEHOLDERS",
    "REDACTED",
    "TRUNCATED",
    "Fit",
    "Fitting",
    "fitting_for",
]

Fit = Callable[[object], object]
"""Takes a plain scalar and returns it as its field may carry it, or `REDACTED`."""

TRUNCATED: Final = "[TRUNCATED]"
CIRCULAR: Final = "[CIRCULAR]"
PLACEHOLDERS: Final = frozenset({REDACTED, TRUNCATED, CIRCULAR})

# Looked at beyond what is shown, so that a secret cut in two at the end is not shown by half.
_MARGIN: Final = 300
_NUMBER_CHARACTERS: Final = 64
_SMALL: Final = 10**11
"""Below this a whole number has too few digits for a card."""
_FEW: Final = 1_000
"""Whole numbers below this come again: attempts, the status of answers."""
# For each field, the strings that were found to fit as they are.
_KEPT: Final = 256
_KEPT_CHARACTERS: Final = 128


class Fitting(NamedTuple):
    """What judges the values of a field.

    Attributes:
        fit: the judge.
        kept: by type, values that it is known to return as they are, and their JSON; bounded.
    """

    fit: Fit
    kept: dict[type, dict[Any, bytes]]


def fitting_for(field: Field) -> Fitting:
    """Return what judges the values of `field`."""
    texts: dict[Any, bytes] = {}
    counts: dict[Any, bytes] = {}
    kept: dict[type, dict[Any, bytes]] = {str: texts, int: counts}
    judge = _judge_of(field)
    numbers = _numbers_of(field)

    def fit(value: Any) -> object:
        kind = type(value)
        if kind is str:
            if value in texts:
                return value
            shown = judge(value)
            if shown == value and len(value) <= _KEPT_CHARACTERS:
                _keep(texts, value)
            return shown
        # The numbers that no shape and no secret can be found in, at the least cost.
        if kind in numbers and (value - value == 0.0 if kind is float else 0 <= value < _SMALL):
            if kind is int and value < _FEW and value not in counts:
                _keep(counts, value)
            return value
        shown = conform(field, value)
        if shown is MISFIT or (type(shown) is int and shown >= _SMALL and is_secret(str(shown))):
            return REDACTED
        return shown

    return Fitting(fit, kept)


def _keep(kept: dict[Any, bytes], value: object) -> None:
    """Remember a value that fits, within bounds."""
    try:
        encoded = b"%b" % orjson.dumps(value)  # a copy: what orjson returns holds a kilobyte
    except TypeError:  # half a surrogate pair
        return
    if len(kept) >= _KEPT:
        kept.clear()
    kept[value] = encoded


def _numbers_of(field: Field) -> frozenset[type]:
    """Return the types whose values a field takes as they are."""
    if field.choices or field.shape not in ("id", "int", "float"):
        return frozenset()
    return frozenset({int}) if field.shape == "int" else frozenset({int, float})


def _judge_of(field: Field) -> Callable[[str], object]:
    """Return what judges the strings of `field`."""
    if field.choices:
        choices = frozenset(field.choices)
        return lambda value: value if value in choices or value in PLACEHOLDERS else REDACTED
    if field.shape == "text":
        return lambda value: _text(field, value)
    shape = SHAPES[field.shape]

    def judge(value: str) -> object:
        shaped: Any = shape(value)
        if shaped is MISFIT or (len(shaped) >= SECRET_MINIMUM and is_secret(shaped)):
            return value if value in PLACEHOLDERS else REDACTED
        return shaped

    return judge


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
