"""Names of fields out of sentences, where what is said can be said of nothing but a field."""

from __future__ import annotations

import re
from typing import Final

from crmlogging.errors.fieldmarks import LABELS, LIKELY, NOUNED, PLAIN, PLAIN_MARKS, SURE
from crmlogging.errors.fieldnames import INDEX, PSEUDO, clean_name
from crmlogging.errors.marked import Marked, groups_in, marked
from crmlogging.errors.namelists import CERTAIN, LISTED, NAME, NOUN, WORD

__all__ = ["named_in"]

_MAX_NAMES: Final = 64
_MAX_TEXT: Final = 1_000
_OPEN: Final = r"[\"'`\u2018\u201c]"
_CLOSE: Final = r"[\"'`\u2019\u201d]"
# Only what can be said of a field, never of a value: "'ada' is not valid" names none.
_DEMANDED: Final = (
    r"(?:is (?:a )?(?:required|missing|mandatory|read[- ]only)|can't be|cannot be|can not be|must"
    r"|may not be|should|is too (?:long|short))"
)
_PATH: Final = r"([A-Za-z_][A-Za-z0-9_]{0,40}(?:(?:\.|\[)[A-Za-z0-9_\]]{1,40}){0,6})"
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


def _any_of(*sources: str) -> Marked:
    """Return alternatives, in each of which one group takes part."""
    return Marked("", "|".join(sources))


# Without one of these, only the beginning of a sentence can name a field.
_HINTS: Final = (
    *(
        "field",
        "propert",
        "attribut",
        "column",
        "param",
        "body.",
        "payload.",
        "data.",
        "element",
        "argument",
        "found: ",
        "value: ",
        "mandatory: ",
        "required: ",
        "missing: ",
        "'",
        '"',
    ),
    *("`", "\u2018", "\u201c"),
)
# In quotes, beside a word that says it is a field.
_QUOTED: Final = _any_of(
    r"no such column '" + NAME + "'",
    r"cannot query field " + _OPEN + WORD + _CLOSE,
    NOUN + r"(?: named?| with (?:name|slug(?:/id)?|key)(?: =)?| called|:)?:?\s?"
    r"(?:[\"'`\u2018\u201c]([A-Za-z_][A-Za-z0-9_. \[\]-]{0,63}?)[\"'`\u2019\u201d]"
    r"|[\[(]([A-Za-z_][A-Za-z0-9_. -]{0,63}?)[\])])",
    _OPEN + "(?:" + _AS_SUBJECT + ")" + NAME + _CLOSE + r"\s(?:" + _DEMANDED
    + r"|(?:value|length|size) (?:must|should|is too))",
    _OPEN + NAME + _CLOSE
    + r"\s(?:(?:field|property|attribute|column|parameter|element)\b|" + _NO_FIELD + ")",
)  # fmt: skip
_NOUNS_MARKED: Final = (
    *(
        (noun, rf"{noun}(?:\(s\)|s|(?!\(s\)))")
        for noun in ("field", "attribute", "column", "parameter", "param", "element", "argument")
    ),
    ("propert", r"propert(?:y(?:\(s\)|(?!\(s\)))|ies)"),
)
_SUBJECT: Final = _START + _PATH + _ONE_WORD + r"(?: field)?:?\s"
_BARE: Final = marked(
    ("duplicate value found: ", r"duplicate value found: " + WORD),
    *(
        (  # Salesforce puts the value after "restricted picklist field:".
            mark,
            rf"(?<!picklist ){noun}"
            r"(?: name)?(?: is missing| missing| required| not found| not valid| invalid)?"
            r"(?::\s?|\s)(?!values? )" + NAME,
        )
        for mark, noun in _NOUNS_MARKED
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
    *((verb, _SUBJECT + verb) for verb in ("must", "should", "can't be", "cannot be")),
    *((verb, _SUBJECT + verb) for verb in ("can not be", "may not be")),
)
_BARE_OR_LIKELY: Final = (*_BARE, *LIKELY)
# These may be said of a value, too, so that only common names of fields count.
_OF_EITHER: Final = _any_of(
    r"(?:^|: )(?:invalid|duplicate) " + WORD + r"(?: address| number| value)?(?=:\s)",
    r"(?:^failed)?" + _START + _PATH + _ONE_WORD + r"(?: field)?(?::\s|\s(?:\S{1,60}\s)?"
    r"(?:(?:is )?(?:an? )?(?:invalid|not|already|unknown|required|missing)|has already|does not))",
)
# Between the names of a list in quotes.
_BETWEEN: Final = re.compile(
    r"[\"'`\u2018\u2019\u201c\u201d]?(?:,? (?:or|and) |,) ?[\"'`\u2018\u201c]?"
)
# lower(email::text), in an index of PostgreSQL
_FUNCTION: Final = re.compile(r"^\w{1,30}\((\w{1,64})(?:::\w{1,30})?\)?$")
_SEVERAL: Final = re.compile(r"\., |; |, (?:data|body)\b")
# "Email has already been taken, Phone is too short"
_JOINED: Final = re.compile(r", [A-Z]")
_CAMEL: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[_\d]+")
_COMMON: Final = frozenset(
    (
        "email emails phone phones mobile sms fax name firstname lastname first last company title"
        " status stage website url domain address city state country zip postcode street birthdate"
        " birthday date amount price currency owner ownerid type source description subject id"
        " ids tags quantity language timezone industry revenue salutation gender role password"
        " username"
    ).split()
)
# Parts of names in snake_case that no value has.
_SNAKE: Final = re.compile(r"(?<![^_])[a-z0-9]+(?![^_])")
_TELLTALE: Final = frozenset(("email", "phone", "mobile", "birth", "currency", "postal", "zip"))
# Ends of names in camelCase that no value has.
_ENDS: Final = frozenset(
    (
        "key id ids name code type date number email phone address url status stage amount count"
        " price currency"
    ).split()
)
# Nouns of an API, which are as little a field.
_NOUNS: Final = frozenset(
    (
        "user account request record contact object body payload data token header headers message"
        " method operation page limit resource input item items one both either query key scope"
        " permission permissions authentication authorization login credentials license xml json"
        " subscription lead deal customer content parameter field property attribute param column"
        " entity session server api access response result connection action role upgrade plan"
        " argument element file none nothing what which who they everything something input"
    ).split()
)
_NO_NAMES: Final = frozenset(
    (
        "is in on of the a an this that these it not for with from to at and or was are were be"
        " value values you your please request there no any all does did has have must should set"
        " sent given required"
    ).split()
)


# Fields of messages and deals that are no names elsewhere.
_ADDRESSED: Final = frozenset(("to", "from"))
_LABELLED_ONLY: Final = frozenset(("to", "from", "value"))
# What fields are called together.
_KINDS_OF_FIELD: Final = frozenset(
    (
        "required mandatory optional custom unknown missing invalid input request one some each"
        " every form standard lookup picklist text date number read-only readonly unique following"
        " query body path header url hidden system object record another other duplicate which"
        " only same restricted formula multi free search sort filter"
    ).split()
)
# What a colon shows to be a field.
_LABELLED: Final = frozenset(
    (
        "assignee project workspace parent followers section team board group account contact lead"
        " deal customer user login value priority label labels members manager department list"
        " pipeline campaign product company_id notes note comments tax vat locale to from"
    ).split()
)


def named_in(message: str) -> list[str]:
    """Return the fields that a sentence names, cleaned, without repetition.

    Bare words count only if they look like code (``plan_tier``, ``firstName``) or are common names
    of fields.

    Example:
        >>> named_in("No such column 'Plan_Tier__c' on sobject of type Contact")
        ['Plan_Tier__c']
        >>> named_in("Ada is invalid"), named_in("email is invalid")
        ([], ['email'])
    """
    found: dict[str, None] = {}
    text = message[:_MAX_TEXT]
    lower = text.lower()
    hinted = any(hint in lower for hint in _HINTS)
    if hinted:
        for names in groups_in(CERTAIN, text, lower):
            for name in _BETWEEN.split(names):
                _note(name, found, _ADDRESSED)
    if not found:
        for names in groups_in(SURE, text, lower):
            for name in _BETWEEN.split(names):
                _note(_FUNCTION.sub(r"\1", name), found, _ADDRESSED)
    if hinted and (not found or _SEVERAL.search(text) is not None):
        for name in _QUOTED.groups(text):
            _note(name, found, _ADDRESSED)
    if not found:
        for name in groups_in(_BARE_OR_LIKELY, text, lower):
            if _looks_like_a_field(name, common=False):
                _note(name, found)
    if not found:
        for listed in groups_in(LISTED, text, lower):
            each = _BETWEEN.split(listed)
            if any(_looks_like_a_field(name, common=False) for name in each):
                for name in each:
                    _note(name, found)
    if not found or _JOINED.search(text) is not None:
        for name in _OF_EITHER.groups(text):
            if _looks_like_a_field(name, common=True):
                _note(name, found)
    for name in groups_in(LABELS, text, lower):
        if name in _LABELLED or _looks_like_a_field(name, common=True):
            _note(name, found, _LABELLED_ONLY)
    if not found and any(mark in lower for mark in PLAIN_MARKS):
        for name in PLAIN.groups(text):
            if name not in _NOUNS and name not in _NO_NAMES:
                _note(name, found)
    if not found:
        for name in groups_in(NOUNED, text, lower):
            if name.lower() not in _NO_NAMES and name.lower() not in _KINDS_OF_FIELD:
                _note(name, found)
    return list(found)


def _note(raw: str, found: dict[str, None], allowed: frozenset[str] = frozenset()) -> None:
    """Keep a name, unless it is a word no field is called; `allowed` are here nevertheless."""
    name = clean_name(raw)
    if name is None or len(found) >= _MAX_NAMES:
        return
    if name.lower() not in _NO_NAMES or name.lower() in allowed:
        found.setdefault(name)


def _looks_like_a_field(word: str, *, common: bool) -> bool:
    """Whether an unquoted `word` can only be the name of a field; `common` asks for known ones."""
    steps = INDEX.sub("", word).lower().strip(".").split(".")
    if len(steps) > 1 and INDEX.search(word):  # "phones.0.value" is a path
        return True
    if len(parts := _SNAKE.findall(word)) > 1 and not _TELLTALE.isdisjoint(parts):
        return True
    if any(step.rstrip("0123456789") in _COMMON or step.endswith(("__c", "_id")) for step in steps):
        return True
    parts = [part for part in _CAMEL.findall(word) if part.strip("_")]
    if len(parts) > 1 and all(part.lower() in _COMMON for part in parts):  # EmailAddress
        return True
    camel = len(parts) > 1 and "_" not in word and word[:1].islower()
    if camel and parts[-1].lower() in _ENDS:  # stageKey
        return True
    if common or steps[0] in _NO_NAMES or steps[0] in PSEUDO:
        return False
    if len(steps) > 1:  # "ada.lovelace" is no path, "home_address.line1" is one
        return any("_" in step.strip("_") for step in steps)
    inner = word.strip("_")
    return "_" in inner or not (inner.islower() or inner.isupper() or inner[1:].islower())
