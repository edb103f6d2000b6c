"""Sentences of validators, databases and other languages that name a field in a fixed place.

Each pattern comes with a text that every match of it holds in lower case: most sentences have none
of these, so that hardly one is searched.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["LABELS", "LIKELY", "NOUNED", "PLAIN", "PLAIN_MARKS", "SURE"]

_WORD: Final = r"([A-Za-z_][A-Za-z0-9_]{0,63})"
_NAME: Final = r"([A-Za-z_][A-Za-z0-9_.\[\]-]{0,63})"
_LIST: Final = r"([A-Za-z_][A-Za-z0-9_]{0,63}(?:, ?[A-Za-z_][A-Za-z0-9_]{0,63}){0,20})"
_PATH: Final = r"([A-Za-z_][A-Za-z0-9_]{0,40}(?:(?:\.|\[)[A-Za-z0-9_\]]{1,40}){0,6})"
_START: Final = r"(?:^|[\n;:,]\s?|\. )(?:the )?"
_OPEN: Final = r"(?:[\"'`„\u2018\u201c]|«[ \u00a0]?)"
_CLOSE: Final = r"(?:[\"'`\u2019\u201c\u201d]|[ \u00a0]?»)"
_ENDED: Final = r"[A-Za-z_][A-Za-z0-9_.]{0,63}[\"'`\u2019\u201d]"
_BEGUN: Final = r"[\"'`\u2018\u201c]"
_AND: Final = r"(?:, | or | and |, or |, and )"
_SNAKE: Final = r"(?-i:[a-z]{2,30}(?:_[a-z]{1,20}){1,4})"
_GIVEN: Final = r"(?:set|given|provided|specified|supplied|present|included|filled)"
_ADDRESSES: Final = r"to|from|cc|bcc|reply-to|replyto|sender|recipient"
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
    ("fields [/", r"fields? \[/([A-Za-z_][\w/]{0,60})\]"),
    ("unknown name ", r"unknown name " + _OPEN + _NAME + _CLOSE + r"(?: at |: cannot)"),  # Google
    ("[", r"\[([A-Z@][A-Z0-9_]{2,20}\.[A-Za-z_]\w{0,60})\]"),  # SAP Business One
    ("reference chain", r"reference chain: [^)]{0,300}\[\"" + _WORD + r"\"\]\)"),  # Jackson
    (
        " field ",
        r"(?:^|[\n;] ?)"
        + _PATH
        + r": (?:an? |the )?[a-z' ]{0,40}\b(?:this|the) (?:field|property) ",
    ),
    (  # of several names in snake_case
        "_",
        rf"\b({_SNAKE}(?:{_AND}{_SNAKE}){{1,8}}) (?:must be {_GIVEN}|(?:is|are) required)\b",
    ),
    ("mandatoryerror: ", r"mandatoryerror: \[[^\]]{0,80}\]: " + _LIST + "$"),  # Frappe
    ("at path", r"\bat path " + _OPEN + _NAME + _CLOSE),  # Mongoose
    ("field: ", r"(?:^|\n)field: [^()\n]{1,60} \(([a-z_][a-z0-9_.]{0,63})\)"),  # Odoo
    (
        "quire",
        rf"{_BEGUN}({_ENDED}(?:{_AND}{_BEGUN}{_ENDED}){{1,12}}) (?:is|are) required",
    ),
    (
        "'",
        rf"\b(?:the|invalid|missing|a) [\"']({_ADDRESSES})[\"'] (?:address|number|is|must)\b",
    ),
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
        " for ",
        r"\bvalue (?:(?:passed|provided|given|supplied|specified|sent|received|entered) )?for "
        r"(?:the )?" + _WORD + r"(?=[.,;:!]|$| (?:to|in|on|as|was|has|must|could|cannot)\b)",
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
    ("missing ", r"^(?:[a-z ]{1,30}: )?missing (?=[A-Za-z_]\w{0,40}\.\w)" + _PATH + r"\.?$"),
    ("be unique", r"\b" + _WORD + r" (?:should|must) be unique"),
)
"""Of these it is one if it looks like the name of a field."""

NOUNED: Final = _marked(
    *(
        (
            noun,
            _START
            + _WORD
            + rf" {noun} (?:(?:is|was|must|cannot|can't|has|does|should)\b|missing|required|not )",
        )
        for noun in ("field", "parameter", "param", "attribute", "property", "column", "argument")
    ),
    *(
        (
            f"{noun}: ",
            r"\b(?:unknown|unexpected|unsupported|unrecogni[sz]ed|missing|required|invalid|extra) "
            rf"(?:required )?{noun}: " + _NAME + r"\.?$",
        )
        for noun in ("field", "parameter", "param", "attribute", "property", "column", "argument")
    ),
    *(
        (
            f"{noun} ",
            rf"\b(?:in|for|on|of) (?:the )?{noun} " + _NAME + r"\.?$",
        )
        for noun in ("field", "parameter", "attribute", "property", "column")
    ),
)
"""A word beside a noun that says it is a field; none of those that say what kind of field."""

LABELS: Final = _marked(
    ("mismatch for ", r"\bmismatch for " + _PATH + r"(?=[;,.]?(?:\s|$))"),
    *(
        (
            f" {already} ",
            r"^(?:el|la|o|a|le|der|die|das) " + _WORD + rf" (?:\S{{1,20}} )?{already}\b",
        )
        for already in ("ya", "já", "bereits", "déjà")
    ),
    (
        ": ",
        r"(?:^|[\n;,] ?|\. |: )"
        + _PATH
        + r": (?=(?:an object with this|does not match|max(?:imum)? length|min(?:imum)? length"
        r"|not an? |expected |the (?:field|value) |this (?:field|value) |value |unknown |invalid "
        r"|is not |should |must |cannot ))",
    ),
)
"""Names before a colon and the like: of these it is one if it looks like a common one."""

PLAIN_MARKS: Final = (" required", " missing", " mandatory", " be ", "too long", "too short")
PLAIN: Final = re.compile(
    _START + r"(?:([a-z][a-z0-9]{2,40})(?: field)?:?|([A-Z][a-z]{2,20}):)\s"
    r"(?:is (?:a )?(?:required|missing|mandatory)\b"
    r"|(?:can't|cannot|can not|must not|may not|should not) be (?:blank|empty|null)\b"
    r"|(?:must|should) be (?:of type )?(?:an? )?(?:valid )?(?:string|number|integer|array|object"
    r"|boolean|list|date|datetime|email|url|uuid|numeric)\b|is too (?:long|short)\b)"
)
"""A lower-case word of which something is said that can be said of nothing but a field."""
