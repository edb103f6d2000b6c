"""Sentences of validators, databases and other languages that name a field in a fixed place.

Each pattern comes with a text that every match of it holds in lower case: most sentences have none
of these, so that hardly one is searched.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["LIKELY", "PLAIN", "PLAIN_MARKS", "SURE"]

_WORD: Final = r"([A-Za-z_][A-Za-z0-9_]{0,63})"
_NAME: Final = r"([A-Za-z_][A-Za-z0-9_.\[\]-]{0,63})"
_LIST: Final = r"([A-Za-z_][A-Za-z0-9_]{0,63}(?:, ?[A-Za-z_][A-Za-z0-9_]{0,63}){0,20})"
_PATH: Final = r"([A-Za-z_][A-Za-z0-9_]{0,40}(?:(?:\.|\[)[A-Za-z0-9_\]]{1,40}){0,6})"
_START: Final = r"(?:^|[\n;:,]\s?|\. )(?:the )?"
_OPEN: Final = r"[\"'`«„\u2018\u201c]"
_CLOSE: Final = r"[\"'`»\u2019\u201c\u201d]"
_IS: Final = (
    r"(?:ist|sind|fehlt|darf|muss|wird|es|está|no|debe|é|è|não|deve|est|ne|n'|doit|non|is|moet)\b"
)


def _marked(*pairs: tuple[str, str]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((mark, re.compile(source, re.IGNORECASE)) for mark, source in pairs)


SURE: Final = _marked(
    ("accessible: ", r"(?:does|do) not exist or (?:is|are) not accessible: " + _LIST),
    ("attribute", r"\battribute(?: name)?: " + _WORD + r"(?=[,;]|$)"),
    ("key (", r"\bkey \(([A-Za-z_][\w, ]{0,200})\)="),  # PostgreSQL
    ("invalid value", r"got invalid value .{0,200}? at [\"']" + _NAME + r"[\"']"),  # graphql-js
    ("to satisfy", r"\bvalue .{0,200}? at '" + _NAME + r"' failed to satisfy"),  # AWS
    ("/", r"\b(?:body|data|params|querystring|query)/([A-Za-z_][\w/]{0,60}) (?:must|should|is)\b"),
    (
        "field",
        r"(?:invalid|unknown|unsupported) fields? (?:given|found|specified|provided): " + _LIST,
    ),
    ("$.", r"(?:^|\s)\$\.([A-Za-z_][\w.\[\]]{0,60})"),
    ("value", r"\bvalues? (?:\S{1,60} )?(?:of|for|in) " + _OPEN + _NAME + _CLOSE),
    ("wert", r"\bwert (?:von|für|fuer) " + _OPEN + _NAME + _CLOSE),
    ("val", r"\bval(?:or|eur|ore) (?:de|del|do|para|pour|di) " + _OPEN + _NAME + _CLOSE),
    *(
        (noun, rf"\b{noun}s? {_OPEN}?{_NAME}{_CLOSE}?\s{_IS}")
        for noun in ("feld", "campo", "champ", "veld")
    ),
)
"""Of these the group is a field, whatever it looks like."""

LIKELY: Final = _marked(
    ("error", r"(?:validation|input) errors?: " + _NAME + r": "),
    ("missing ", r"\bmissing (?:from|in) [\w ]{1,30}: " + _WORD + r"\.?$"),
    ("invalid ", r"^invalid " + _WORD + r"(?=:\s)"),
    (
        "value for",
        r"\bvalue for (?:the )?"
        + _WORD
        + r"(?=[.,;:!]|$| (?:to|in|on|as|was|has|must|could|cannot)\b)",
    ),
    (
        " for ",
        r"(?:valid|allowed|accepted|permitted|supported) (?:value )?for "
        + _WORD
        + r"(?=[.,;:!]|$)",
    ),
    (") ", _START + _PATH + r"\s\([^)]{1,60}\)\s(?:is|must|should|does|cannot|can't)\b"),
    (" field ", _START + _PATH + r" field (?:format |value |type )?(?:is|must|has)\b"),
    (
        "with ",
        r"\bwith (?:this|that|the same|same|such an?|the given|the specified) "
        + _WORD
        + r" (?:address |number )?(?:already|exists)",
    ),
    ("already ", r"\bwith " + _WORD + r" \S{1,80} already (?:exists|in use|taken)"),
    ("be unique", r"\b" + _WORD + r" (?:should|must) be unique"),
)
"""Of these it is one if it looks like the name of a field."""

PLAIN_MARKS: Final = (" required", " missing", " mandatory", " be ", "too long", "too short")
PLAIN: Final = re.compile(
    _START + r"([a-z][a-z0-9]{2,40})(?: field)?:?\s"
    r"(?:is (?:a )?(?:required|missing|mandatory)\b"
    r"|(?:can't|cannot|can not|must not|may not|should not) be (?:blank|empty|null)\b"
    r"|(?:must|should) be (?:of type )?(?:an? )?(?:valid )?(?:string|number|integer|array|object"
    r"|boolean|list|date|datetime|email|url|uuid|numeric)\b|is too (?:long|short)\b)"
)
"""A lower-case word of which something is said that can be said of nothing but a field."""
