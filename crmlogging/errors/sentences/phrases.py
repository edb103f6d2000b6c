"""Sentences that any API may say: a name in quotes, beside a noun, or as what is spoken of."""

from __future__ import annotations

from typing import Final

from crmlogging.errors.sentences.patterns import NAME, NOUN, PATH, WORD, any_of, marked

__all__ = ["BARE", "HINTS", "OF_EITHER", "QUOTED"]

_OPEN: Final = r"[\"'`\u2018\u201c]"
_CLOSE: Final = r"[\"'`\u2019\u201d]"
# Only what can be said of a field, never of a value: "'ada' is not valid" names none.
_DEMANDED: Final = (
    r"(?:is (?:a )?(?:required|missing|mandatory|read[- ]only)|can't be|cannot be|can not be|must"
    r"|may not be|should|is too (?:long|short|large|small|big|high|low))"
)
_START: Final = r"(?:^|[\n;:,]\s?|\. )(?:the )?(?:(?:type|value|field|format|length) (?:for|of) )?"
_NO_FIELD: Final = r"is not an? (?:\w{1,20} ){0,2}(?:field|property|attribute|column|parameter)\b"
# "Last name is required" is no field called "Last".
_ONE_WORD: Final = r"(?! (?:name|number|code|date|type|tier|id)\b)"

# Before the quotation mark that was just read, so that hardly a place in a text is looked at twice.
# "Value 'gold' must be one of" and "User 'anna' must be active" have a value there.
_SUBJECT_AFTER: Final = (
    "the and or field fields property properties attribute attributes column columns param params"
    " parameter parameters element elements argument arguments key keys path paths input body"
    " either if when because that failed error object missing required invalid unknown of in for"
    " with"
)
_AS_SUBJECT: Final = "|".join(
    (
        *(r"(?<=^.)", r"(?<=[^\w\s].)", r"(?<=[^\w\s]\s.)", r"(?<=[^\w\s]\s\s.)", r"(?<=\n.)"),
        *(rf"(?<=\b{word} .)" for word in _SUBJECT_AFTER.split()),
    )
)
_NOUNS_MARKED: Final = (
    *(
        (noun, rf"{noun}(?:\(s\)|s|(?!\(s\)))")
        for noun in ("field", "attribute", "column", "parameter", "param", "element", "argument")
    ),
    ("propert", r"propert(?:y(?:\(s\)|(?!\(s\)))|ies)"),
)
_FAULT: Final = r"(?: name)?(?: is missing| missing| required| not found| not valid| invalid)?"
_BEFORE_NOUN: Final = (
    r"(?:^|[\n;:,.(\[] ?|\b(?:such|unknown|invalid|missing|required|unsupported|unexpected"
    r"|undefined|enum|bad|for|in|of|on|the|with|this|at|or) )"
)
_SUBJECT: Final = _START + PATH + _ONE_WORD + r"(?: field)?(?::| -)?\s"
# "anna_b cannot be assigned": what is done to people and records, not to fields.
_NOT_DONE: Final = (
    r"(?!(?: be)? (?:assigned|added|removed|invited|deleted|merged|found|contacted|converted"
    r"|reached|enrolled|linked|verified|approved|archived|restored|notified"
    r"|an? (?:member|user|admin|owner|contact|customer|lead|employee))\b)"
)
# "Company already exists" tells of a record, not of a field.
_NO_RECORD: Final = (
    r"(?!(?:company|owner|role|tags?|source|industry) (?:already|(?:was |is )?not found|does not))"
)

HINTS: Final = (
    *"field propert attribut column param body. payload. data. element argument".split(),
    *("found: ", "value: ", "mandatory: ", "required: ", "missing: "),
    *("'", '"', "`", "\u2018", "\u201c"),
)
"""Without one of these, only the beginning of a sentence can name a field."""

QUOTED: Final = any_of(
    r"no such column '" + NAME + "'",
    r"cannot query field " + _OPEN + WORD + _CLOSE,
    NOUN + r"(?: named?| with (?:name|slug(?:/id)?|key)(?: =)?| called|:)?:?\s?"
    r"(?:[\"'`\u2018\u201c]([A-Za-z_][A-Za-z0-9_. \[\]-]{0,63}?)[\"'`\u2019\u201d]"
    r"|[\[(]([A-Za-z_][A-Za-z0-9_. -]{0,63}?)[\])])",
    _OPEN + "(?:" + _AS_SUBJECT + ")" + NAME + _CLOSE + r"\s(?:" + _DEMANDED
    + r"|(?:value|length|size) (?:must|should|is too))",
    _OPEN + NAME + _CLOSE
    + r"\s(?:(?:(?:query|body|path|url|form|request|input|custom) )?"
    r"(?:field|property|attribute|column|parameter|element)\b|" + _NO_FIELD + ")",
)  # fmt: skip
"""In quotes, beside a word that says it is a field."""

BARE: Final = marked(
    ("duplicate value found: ", r"duplicate value found: " + WORD),
    *(
        pair
        for mark, noun in _NOUNS_MARKED
        for pair in (
            (mark, rf"{noun}{_FAULT}\s(?!values? |name: ){NAME}"),
            # After "owner field:" there is its value.
            (mark, rf"{_BEFORE_NOUN}{noun}{_FAULT}:\s?(?!values? ){NAME}"),
        )
    ),
    (
        "for ",
        rf"(?:type for|value for|for) {WORD} (?:['\"]|already |is (?:not )?(?:in)?valid)",
    ),
    ("attribute values ", rf"attribute values {WORD} (?:['\"]|already |is (?:not )?(?:in)?valid)"),
    (
        "is ",
        _SUBJECT + r"(?:is (?:a )?(?:required|missing|mandatory|read[- ]only|too (?:long|short))"
        "|" + _NO_FIELD + ")",
    ),
    *(
        (verb, _SUBJECT + verb + _NOT_DONE)
        for verb in ("must", "should", "can't be", "cannot be", "can not be", "may not be")
    ),
    *((verb, _SUBJECT + verb) for verb in ("needs to be", "has to be", "can not exceed")),
    (
        "not ",
        _SUBJECT + r"(?:(?:was|is) )?not (?:provided|given|supplied|specified|set|sent|editable"
        r"|writable|unique|nullable|numeric|found in (?:the )?(?:request|body|payload))",
    ),
    ("contains ", _SUBJECT + r"contains (?:invalid|illegal|unsupported) characters"),
    (
        "exceeds ",
        _SUBJECT + r"exceeds (?:the |its )?max(?:imum)?(?: allowed)? (?:length|size|value)",
    ),
    ("out of range", _SUBJECT + r"(?:is |was )?out of range"),
    (
        " has ",
        _SUBJECT + r"has (?:an? )?(?:wrong|invalid|incorrect|unsupported) (?:type|format|value)",
    ),
)
"""Of these it is one if it looks like the name of a field."""

OF_EITHER: Final = any_of(
    r"(?:^|: )(?:invalid|duplicate) " + WORD + r"(?: address| number| value)?(?=:\s)",
    r"(?:^failed)?" + _START + _NO_RECORD + PATH + _ONE_WORD + r"(?: field)?(?::\s|\s"
    r"(?:\S{1,60}\s)?"
    r"(?:(?:is )?(?:an? )?(?:invalid|not|already|unknown|required|missing)|has already|does not))",
)
"""What may be said of a value, too: of these it is one if it looks like a common one."""
