"""Sentences of schema validators and parsers that name a field in a fixed place."""

from __future__ import annotations

import re
from typing import Final

from crmlogging.errors.sentences.patterns import AND, CLOSE, NAME, OPEN, PATH, WORD, marked
from crmlogging.errors.text.late import late

__all__ = ["GUARDED", "OF_SCHEMAS", "PARSED", "TERSE", "TYPED", "rewritten"]

_ENDED: Final = r"[A-Za-z_][A-Za-z0-9_.]{0,63}[\"'`]"
_SPOKEN: Final = rf"[\"'`]{_ENDED}(?:{AND}[\"'`]{_ENDED}){{0,20}}"
_TYPE: Final = (
    r"(?:integer|int|number|decimal|float|date|datetime|time|timestamp|boolean|string|text|array"
    r"|list|object|uuid|url|email(?: address)?|phone(?: number)?|format|type|length|enum|option)"
)
_END: Final = r"(?=[.,;:!]|$| (?:in|as|to|from|got|but)\b)"
_REFUSED: Final = r"(?:cannot|can't|can not|may not|must not|should not) be (?:null|blank|empty)\b"
_UNWANTED: Final = r"\b(?:unknown|unexpected|unrecogni[sz]ed|missing|extra|extraneous|invalid)"
_UNABLE: Final = r"\b(?:could not|cannot|can't|unable to|failed to)"
_GUARD: Final = r"(?=[.,;:!]|$| (?:may|is|on|of|in|cannot|can't|for|by)\b)"
_DEMANDED: Final = (
    r"(?:is (?:a )?(?:required|mandatory|missing|invalid)|must|may not|cannot|should)"
)
_START: Final = r"(?:^|[\n;:,] ?|\. )(?:the )?"
_OF_AJV: Final = (
    r"(?:must (?:be (?:an? )?(?:string|number|integer|boolean|array|object|null|equal)|match"
    r"|not have)|is required)"
)
_NO_CLASS: Final = r"(?!\w*(?:error|exception|failed|failure|request|invalid)\b)"
_LACKED: Final = late(
    r"\b((?:body|data|params|querystring|query)(?:/[\w-]{1,60}){0,8}) must have required property"
    r" '(\w{1,64})'"
)
_BELOW: Final = late(
    r"Required property '(\w{1,64})' (?:not found in JSON|expects a [\w-]{1,20} but got null)\. "
    r"Path '([\w.\[\]]{0,128})'"
)
_OF_TYPE: Final = late(r"is not a valid value for '\w{1,40}'")

GUARDED: Final = marked(
    *(
        (noun, rf"\b(?:{noun}s? (?:named |called )?{OPEN}{NAME}{CLOSE}|the {noun} {WORD}{_GUARD})")
        for noun in ("field", "attribute", "property", "column")
    ),
    *(
        (noun, rf"{OPEN}\.?{NAME}?\.?{CLOSE} (?:field|attribute|property|column)\b")
        for noun in (" field", " attribute", " property", " column")
    ),
)
"""What a user may not touch: the only names in a refusal that are fields."""

OF_SCHEMAS: Final = marked(
    ("/", rf"(?:^|[\n;,] ?)/([A-Za-z_][\w/]{{0,60}}):? {_OF_AJV}\b"),  # Ajv
    *(
        (said, r"(?:^|[\n;,] ?)" + _NO_CLASS + PATH + ": (?:this field )?" + _REFUSED)
        for said in (" be null", " be blank", " be empty")
    ),
    ("column", r"\bcolumn (?:\w{1,60}\.){1,3}([A-Za-z_]\w{0,63}) does not exist"),  # PostgreSQL
    (  # graphql-js
        'variable "$',
        r"\bvariable \"\$(?!(?:input|data|object|where)\b)(\w{1,64})\" of (?:required )?type",
    ),
    ("argument", r"\b(?:unknown|unexpected) argument " + OPEN + NAME + CLOSE + " on field"),
    (
        " for ",
        r"\b(?:empty string|null|no value|(?:wrong|bad|illegal|incorrect) (?:value|type))"
        r" (?:passed |given |sent |provided )?for " + OPEN + NAME + CLOSE,
    ),
    ("the selected ", r"\bthe selected ([a-z][\w.]{0,60}) is invalid"),  # Laravel
    (  # zod-validation-error
        ' at "',
        r"\b(?:required|(?:received|expected|invalid|must|contain) [^;\"\n]{1,80}) at \""
        + NAME
        + r"\"(?=[;.]|$)",
    ),
    (
        "target type: ",
        r"\btarget type: " + PATH + ": (?:invalid|unknown|missing|expected)",
    ),  # serde
    ("` type", r"(?:^|[\n;,] ?)(?:this\.)?" + PATH + r" must be an? `\w{1,20}` type"),  # Yup
    ("is a required field", r"(?:^|[\n;,] ?)" + PATH + r" is a required field"),
    ("instance.", r"\binstance\." + NAME + r" (?:is|does|must|has|exceeds)\b"),  # jsonschema
    (" unexpected)", rf"\(({_SPOKEN}) (?:was|were) unexpected\)"),
    ("#/", r"(?:^|\s)#/([A-Za-z_][\w/]{0,60}): (?!extraneous|required)"),  # everit
    (" key [", r"\b(?:required|extraneous) key \[" + NAME + r"\]"),
    (
        "keys [",
        _UNWANTED + r" keys \[([A-Za-z_][A-Za-z0-9_., ]{0,200})\]",
    ),
    ("properties", r"\bproperties[^\[\"]{0,60}\[((?:\"[A-Za-z_]\w{0,63}\",? ?){1,20})\]"),  # fge
    (
        "]",
        r"(?:^|[\n;,:] ?)([A-Za-z_]\w{0,40}(?:\[[A-Za-z_]\w{0,40}\]){1,4}) (?:is|are|must|does)\b",
    ),
)
"""Of these the group is a field, whatever it looks like."""

TYPED: Final = marked(
    (" you ", rf"\bthe {WORD} (?:that )?you (?:have )?(?:supplied|provided|specified|sent|gave)\b"),
    *((said, _START + PATH + said + r"\b") for said in (" is empty", " is null", " was null")),
    (" may ", _START + PATH + r" may (?:only contain|not be (?:greater|less|longer|more) than)\b"),
    (
        " for ",
        rf"\bexpected (?:an? )?(?:type )?{_TYPE}(?: value| type)? for {WORD}{_END}",
    ),
    (" by ", rf"\b(?:sort|order|group|filter)(?:ed|ing)? by {WORD}\.?$"),
    *((f"{end} ", rf"(?:^|[:.] ?)[\[(]{NAME}\{end} {_DEMANDED}\b") for end in ("]", ")")),
)
"""Of these it is one if it looks like the name of a field."""

PARSED: Final = marked(
    (
        "parse ",
        rf"{_UNABLE} parse (?:the )?(?:value (?:of|for) )?(?:the )?{WORD}{_END}",
    ),
)
"""Of these it is one if it looks like a common one: "could not parse hot_lead" has a value."""

TERSE: Final = marked(
    *(
        (said, rf"^{said}{WORD}(?: value)?(?: (?:provided|supplied|specified|given|sent))?\.?$")
        for said in ("invalid ", "bad ", "duplicate ", "empty ", "incorrect ", "malformed ")
    ),
    *(
        (said, rf"\b{said}{WORD}(?=[:.,;]|$)")
        for said in (
            *("validation failed on ", "validation failed for ", "type error in ", "error at "),
            *("wrong type for ", "wrong data type: ", "wrong data type for "),
        )
    ),
    (" validation failed", _START + WORD + " validation failed"),
    *((said, rf"^{OPEN}{NAME}{CLOSE}{said}") for said in (" is invalid", " is not allowed")),
)
"""Of these it is one if it is of several words and looks like a common one."""


def rewritten(text: str) -> str:
    """Return a text with JSON Schema's complaints put so that they name what they miss."""
    if "required property" in text:
        text = _LACKED.sub(r"\1/\2 must be present", text)
    if "Required property '" in text:  # Json.NET
        text = _BELOW.sub(_joined, text)
    if "cvc-" in text:  # of XML Schema: what it names there is a type
        text = _OF_TYPE.sub("is not valid", text)
    return text


def _joined(match: re.Match[str]) -> str:
    return (
        f"Property '{match[2]}.{match[1]}' is missing" if match[2] else match[0][: match.start(2)]
    )
