"""Fitting: a scalar as its field may carry it, or the placeholder.

The shapes of the field table do the first part. On top, a text is scrubbed, and a string of any
other shape that looks like a credential or a card number is withheld: ``sk_live_...`` has the
shape of an id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import orjson

from crmlogging.fields import MISFIT, SHAPES, TEXT_CHARACTERS, Field, conform
from crmlogging.redaction.masks import REDACTED
from crmlogging.scrubbing import SECRET_MINIMUM, is_secret, scrub

__all__ = [
    "CIRCULAR",
    "PLACEHOLDERS",
    "REDACTED",
    "SMALL",
    "TRUNCATED",
    "Encode",
    "Fit",
    "Fitting",
    "Kept",
    "encode",
    "fitting_by",
    "fitting_for",
]

_dumps: Final = orjson.dumps
_REDACTED: Final = orjson.dumps(REDACTED)

Fit = Callable[[object], object]
"""Takes a plain scalar and returns it as its field may carry it, or `REDACTED`."""
Encode = Callable[[Any], bytes]
"""Takes a value of one type and returns the same as JSON."""
Kept = dict[Any, bytes]
"""Values of one type to their JSON."""

TRUNCATED: Final = "[TRUNCATED]"
CIRCULAR: Final = "[CIRCULAR]"
PLACEHOLDERS: Final = frozenset({REDACTED, TRUNCATED, CIRCULAR})

# Looked at beyond what is shown, so that a secret cut in two at the end is not shown by half.
_MARGIN: Final = 300
_NUMBER_CHARACTERS: Final = 64
SMALL: Final = 10**11  # nearer to zero there are too few digits for a card, before the point
_FEW: Final = 1_000  # whole numbers below this come again: attempts, the status of answers
_counts: Kept = {}
_KEPT: Final = 256  # for each field, strings that were found to fit as they are
_KEPT_CHARACTERS: Final = 128
_SHORT: Final = SECRET_MINIMUM - 1
_UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # RFC 9562
# No secret by its form alone, or else to be searched.
_ID: Final = re.compile(
    rf"(?:{_UUID}|[A-Za-z0-9_.:-]{{1,{_SHORT}}})|([A-Za-z0-9_.:-]{{{SECRET_MINIMUM},128}})",
    re.ASCII,
)
# In JSON, values that are shown as they are. None holds a comma.
_WHOLE: Final = f"[0-9]{{1,{len(str(SMALL)) - 1}}}"
_FRACTION: Final = rf"-?(?:{_WHOLE}\.[0-9]++(?:e-[0-9]++)?|[0-9]e-[0-9]++)"
_BOOL: Final = "true|false"
_PLAIN: Final[Mapping[str, Mapping[type, str]]] = {
    "id": {
        str: rf'"(?:[A-Za-z0-9_.:-]{{1,{_SHORT}}}+"|{_UUID}")',
        float: _FRACTION,
        int: _WHOLE,
        bool: _BOOL,
        type(None): "null",
    },
    "slug": {str: rf'"[a-z0-9_-]{{1,{_SHORT}}}+"'},
    "code": {str: rf'"[A-Z0-9_.-]{{1,{_SHORT}}}+"'},
    "int": {int: _WHOLE},
    "float": {float: _FRACTION, int: _WHOLE},
    "bool": {bool: _BOOL},
}
_WORDS: Final = ("id", "slug", "code")
# Strings that are no word and no placeholder; short ones, since not all need be read. Each holds
# two quotation marks: as many of these as there are strings leave none for their insides.
_NO_WORD: Final[Mapping[type, str]] = {
    str: r'"[A-Za-z0-9_.:-]{0,128}+[^A-Za-z0-9_.:"\\[-][^"]{0,256}+"'
}
_CHOICE: Final = re.compile(r"[A-Za-z0-9_.:-]++", re.ASCII)


class Fitting(NamedTuple):
    """What judges the values of a field.

    Attributes:
        fit: the judge.
        kept: by type, the JSON of values that were judged before; bounded. Of strings and numbers
            only such as are shown as they are.
        encoders: by type, what judges and encodes at the least cost.
        plain: by type, expression of JSON that is shown as it is. Where there is one, all that is
            ever shown of the type is printable ASCII, and nearer to zero than `SMALL` are shown
            all fractions, and all whole numbers but negative ones.
        refused: by type, the same of what is withheld.
    """

    fit: Fit
    kept: Mapping[type, Kept]
    encoders: Mapping[type, Encode]
    plain: Mapping[type, str] = MappingProxyType({})
    refused: Mapping[type, str] = MappingProxyType({})


def fitting_by(fit: Fit, *, steadily: bool = False) -> Fitting:
    """Return what judges values by `fit` alone.

    Args:
        steadily: it always says the same of a value.
    """
    return Fitting(fit, {}, {str: _remembering(fit)} if steadily else {})


def _remembering(fit: Fit) -> Encode:
    """Return what judges strings by `fit`, and remembers what is shown of them.

    By their hash: no value is kept that is not shown. Of two with one hash (by chance one in
    2**64; hashes differ from process to process) the second would be shown as the first.
    """
    known: dict[Any, bytes] = {}

    def encoded(value: str) -> bytes:
        found = known.get(hash(value))
        if found is None:
            found = encode(fit(value))
            if len(value) <= _KEPT_CHARACTERS:
                _note(known, hash(value), found)
        return found

    return encoded


def fitting_for(field: Field) -> Fitting:
    """Return what judges the values of `field`."""
    texts: Kept = {}
    judge = _judge_of(field)
    numbers = _numbers_of(field)

    def fit(value: Any) -> object:
        kind = type(value)
        if kind is str:
            if value in texts:
                return value
            shown = judge(value)
            if shown == value:
                _keep(texts, value)
            return shown
        # The numbers that no shape and no secret can be found in, at the least cost.
        if kind in numbers and -SMALL < value < SMALL:
            return value
        shaped: object = conform(field, value)
        return REDACTED if shaped is MISFIT or _is_card(shaped) else shaped

    constants: Kept = {}
    kept = {str: texts, int: _counts if int in numbers else {}}
    kept.update(dict.fromkeys((bool, type(None)), constants))
    encoders = _encoders_of(field, fit, texts, constants)
    return Fitting(fit, kept, encoders, *_forms_of(field))


def _encoders_of(field: Field, fit: Fit, texts: Kept, constants: Kept) -> dict[type, Encode]:
    """Return what judges and encodes the values of `field` at the least cost, by type.

    Args:
        texts: where strings are kept that fit.
        constants: where True, False and None are kept, whether they fit or not.
    """

    def shaped(value: str) -> bytes:
        shown = fit(value)
        return _REDACTED if shown is REDACTED else encode(shown)

    def word(value: str) -> bytes:
        found = _ID.fullmatch(value)
        if found is None:
            return encode(value) if value in PLACEHOLDERS else _REDACTED
        encoded = b'"%b"' % value.encode()
        if found.lastindex:
            if is_secret(value):
                return _REDACTED
            _note(texts, value, encoded)
        return encoded

    def whole(value: int) -> bytes:
        if not 0 <= value < SMALL:
            return encode(fit(value))
        encoded = b"%d" % value
        if value < _FEW:
            _counts[value] = encoded
        return encoded

    def fraction(value: float) -> bytes:
        return b"%b" % _dumps(value) if -SMALL < value < SMALL else encode(fit(value))

    def constant(value: bool | None) -> bytes:
        constants[value] = encoded = encode(fit(value))
        return encoded

    by_shape = {"id": word, "text": _remembering(fit)}
    text = shaped if field.choices else by_shape.get(field.shape, shaped)
    encoders: dict[type, Encode] = {str: text}
    encoders.update(dict.fromkeys((bool, type(None)), constant))
    for kind in _numbers_of(field):
        encoders[kind] = whole if kind is int else fraction
    return encoders


def _is_card(value: object) -> bool:
    """Tell whether a number has a card's digits; a column with gaps holds them as fractions."""
    if type(value) is not int and type(value) is not float:
        return False
    return abs(value) >= SMALL and is_secret(str(int(abs(value))))


def encode(shown: object) -> bytes:
    """Return what a judge let out as JSON.

    Raises:
        TypeError: half a surrogate pair, or a number beyond 64 bits.
    """
    return b"%b" % _dumps(shown)  # a copy: what orjson returns holds a kilobyte while it waits


def _keep(kept: Kept, value: str) -> None:
    """Remember that `value` fits, within bounds."""
    try:
        encoded = encode(value)
    except TypeError:  # half a surrogate pair
        return
    if len(value) <= _KEPT_CHARACTERS:
        _note(kept, value, encoded)


def _note(kept: Kept, value: object, encoded: bytes) -> None:
    if len(kept) >= _KEPT:
        kept.clear()
    kept[value] = encoded


def _forms_of(field: Field) -> tuple[Mapping[type, str], Mapping[type, str]]:
    """Return what `field` surely shows, and what it surely does not."""
    if field.choices:
        if not all(map(_CHOICE.fullmatch, field.choices)):
            return {}, {}
        return {str: f'"(?:{"|".join(map(re.escape, field.choices))})"'}, _NO_WORD
    shape = "code" if field.shape == "enum" else field.shape
    return _PLAIN.get(shape, {}), _NO_WORD if shape in _WORDS else {}


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
    routes: set[str] = set()

    def judge(value: str) -> object:
        shaped: Any = shape(value)
        if shaped in routes:
            return shaped
        if shaped is MISFIT or (len(shaped) >= SECRET_MINIMUM and is_secret(shaped)):
            return value if value in PLACEHOLDERS else REDACTED
        if shaped != value:  # the route of a path: few, for many values
            if len(routes) >= _KEPT:
                routes.clear()
            routes.add(shaped)
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
