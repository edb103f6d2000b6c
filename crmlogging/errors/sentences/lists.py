"""Sentences that list fields: "Missing required fields: a, b", "a or b is required"."""

from __future__ import annotations

from typing import Final

from crmlogging.errors.sentences.patterns import (
    AND,
    CLOSE,
    NAME,
    NOUN,
    OPEN,
    WORD,
    marked,
)

__all__ = ["CERTAIN", "LISTED"]

_DOTTED: Final = r"[A-Za-z_][A-Za-z0-9_.]{1,63}"
_LIST: Final = r"([A-Za-z_][A-Za-z0-9_.]{0,63}(?:, ?[A-Za-z_][A-Za-z0-9_.]{0,63}){0,20})"
_LIST_AT_END: Final = (
    r"([A-Za-z_][A-Za-z0-9_.]{0,63}"
    r"(?:(?:, ?|,? or |,? and )[A-Za-z_][A-Za-z0-9_.]{0,63}){0,20})\.?$"
)
_IN_BRACKETS: Final = r"([A-Za-z_][A-Za-z0-9_., -]{0,400})"
_STATED_AFTER: Final = (
    rf"{NOUN}(?: are| is)? (?:missing|required|invalid|not set|already exist)\s?:?\s?"
)
_STATED_BEFORE: Final = (
    rf"(?:missing|required|invalid|unknown) (?:required )?{NOUN}"
    r"(?: are missing| is missing| were not set)?\s?:?\s?"
)
_NAMED: Final = (
    r"(?:fields?|properties|attributes|param(?:eter)?s) (?:were |was |are |is )?"
    r"(?:not (?:provided|set|given|supplied|specified|sent|present|found)|missing|required|invalid)"
    r"(?: or (?:missing|invalid))?: "
)
_DEMANDING: Final = (
    r"(?:^|[\]:] )(?:mandatory|required|missing)(?: required| mandatory)?"
    r"(?: fields?| param(?:eter)?s?| propert(?:y|ies)| attributes?)?: "
)
_SAID: Final = r"(?: ?: | (?:is|must|should|has|cannot|can't|does)\b)"
_SUBJECT: Final = (
    r"(?:^|[\n;:.] ?|\b(?:either|one of|both|any of) )(?:the )?"
    rf"({_DOTTED}(?:{AND}{_DOTTED}){{1,12}}) (?:fields? )?"
)
_TO_BE: Final = r"(?:is|are|must be|should be|needs? to be|ha(?:s|ve) to be)"
_ASKING: Final = ("provide", "specify", "supply", "include", "pass", "send", "enter")
_CHOICE: Final = (
    r"(?: (?:either|one of|at least one of|exactly one of|any of|both|the|following|an?|valid"
    r"|values? for|fields?|param(?:eter)?s?):?){0,4} "
)
_END: Final = (
    r"(?=[.,;:!]|$| (?:when|to|for|with|in (?:the|your) (?:request|body|payload|query))\b)"
)
_HEADINGS: Final = (
    *("create/update fields", "unknown field", "unknown fields", "missing required param"),
    *("missing required params", "missing required parameter", "missing required parameters"),
    *("missing required value", "missing required values", "for field", "field name not found"),
)
_PARTS: Final = ("body", "payload", "params", "properties", "data", "fields")

CERTAIN: Final = marked(
    *(
        (begin, rf"{stated}\{begin}{_IN_BRACKETS}\{end}")
        for stated in (_STATED_AFTER, _STATED_BEFORE)
        for begin, end in ("[]", "()")
    ),
    *((heading, rf"{heading}(?! name) ?:?\s{_LIST}") for heading in _HEADINGS),
    (": ", _NAMED + _LIST_AT_END),
    ("=", r"(?:propertyName|fieldName|field|property|attribute)=" + WORD),
    (": ", _DEMANDING + _LIST_AT_END),
    *(
        (mark, rf"(?:missing|required|mandatory|invalid) {NOUN}(?:\(s\))?{mark}{_LIST_AT_END}")
        for mark in (": ", " - ")
    ),
    *(
        (mark, rf"(?:fields?|param(?:eter)?s?) {mark[:-1]}\.{{1,3}} {_LIST}$")
        for mark in ("missing.", "required.")
    ),
    *((f"{part}.", rf"(?:^|\n)(?:[\w ]{{0,40}}: )?{part}\.{NAME}{_SAID}") for part in _PARTS[:5]),
    *((f"{part}.", rf"(?:error in|path|field) {OPEN}{part}\.{NAME}{CLOSE}") for part in _PARTS),
)
"""Lists of names, and names in a fixed place: what else a sentence has in quotes is none."""

LISTED: Final = marked(
    *(
        (said, rf"{_SUBJECT}{_TO_BE}{said}\b")
        for said in (
            *(" required", " mandatory", " missing", " blank", " empty", " set", " given"),
            *(" provided", " specified", " supplied", " present", " included", " filled"),
        )
    ),
    *((verb, rf"\b{verb}{_CHOICE}({_DOTTED}(?:{AND}{_DOTTED}){{0,12}}){_END}") for verb in _ASKING),
    ("both ", rf"\bboth ({_DOTTED} and {_DOTTED}){_END}"),
    (  # Django's unique_together
        " already exists",
        rf"\bwith this ({_DOTTED}(?:, {_DOTTED}){{0,8}} and {_DOTTED}) already exists",
    ),
)
"""Several names of which something is said together."""
