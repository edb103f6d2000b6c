"""Names of fields out of sentences, where what is said can be said of nothing but a field."""

from __future__ import annotations

from typing import Final

from crmlogging.errors.fieldmarks import LABELS, LIKELY, NOUNED, PLAIN, PLAIN_MARKS, SURE
from crmlogging.errors.fieldnames import clean_name
from crmlogging.errors.fieldtongues import OF_TONGUES
from crmlogging.errors.fieldwords import NO_NAMES, is_of_several_words, looks_like_a_field
from crmlogging.errors.headed import headed_in, refused_in, rewritten
from crmlogging.errors.late import late
from crmlogging.errors.marked import Marked, groups_in, marked
from crmlogging.errors.namelists import CERTAIN, LISTED, NAME, NOUN, WORD
from crmlogging.errors.schemamarks import GUARDED, OF_SCHEMAS, PARSED, TERSE, TYPED

__all__ = ["guarded_in", "named_in"]

_MAX_NAMES: Final = 64
_MAX_TEXT: Final = 1_000
_OPEN: Final = r"[\"'`\u2018\u201c]"
_CLOSE: Final = r"[\"'`\u2019\u201d]"
# Only what can be said of a field, never of a value: "'ada' is not valid" names none.
_DEMANDED: Final = (
    r"(?:is (?:a )?(?:required|missing|mandatory|read[- ]only)|can't be|cannot be|can not be|must"
    r"|may not be|should|is too (?:long|short|large|small|big|high|low))"
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
    *"field propert attribut column param body. payload. data. element argument".split(),
    *("found: ", "value: ", "mandatory: ", "required: ", "missing: "),
    *("'", '"', "`", "\u2018", "\u201c"),
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
    + r"\s(?:(?:(?:query|body|path|url|form|request|input|custom) )?"
    r"(?:field|property|attribute|column|parameter|element)\b|" + _NO_FIELD + ")",
)  # fmt: skip
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
_SUBJECT: Final = _START + _PATH + _ONE_WORD + r"(?: field)?(?::| -)?\s"
# "anna_b cannot be assigned": what is done to people and records, not to fields.
_NOT_DONE: Final = (
    r"(?!(?: be)? (?:assigned|added|removed|invited|deleted|merged|found|contacted|converted"
    r"|reached|enrolled|linked|verified|approved|archived|restored|notified"
    r"|an? (?:member|user|admin|owner|contact|customer|lead|employee))\b)"
)
_BARE: Final = marked(
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
_BARE_OR_LIKELY: Final = (*_BARE, *LIKELY, *TYPED)
_LABELS: Final = (*LABELS, *PARSED)
_SURE: Final = (*SURE, *OF_SCHEMAS, *OF_TONGUES)
# These may be said of a value, too, so that only common names of fields count.
# "Company already exists" tells of a record, not of a field.
_NO_RECORD: Final = (
    r"(?!(?:company|owner|role|tags?|source|industry) (?:already|(?:was |is )?not found|does not))"
)
_OF_EITHER: Final = _any_of(
    r"(?:^|: )(?:invalid|duplicate) " + WORD + r"(?: address| number| value)?(?=:\s)",
    r"(?:^failed)?" + _START + _NO_RECORD + _PATH + _ONE_WORD + r"(?: field)?(?::\s|\s"
    r"(?:\S{1,60}\s)?"
    r"(?:(?:is )?(?:an? )?(?:invalid|not|already|unknown|required|missing)|has already|does not))",
)
# Between the names of a list in quotes.
_BETWEEN: Final = late(r"[\"'`\u2018\u2019\u201c\u201d]?(?:,? (?:or|and) |,) ?[\"'`\u2018\u201c]?")
# lower(email::text), in an index of PostgreSQL
_FUNCTION: Final = late(r"^\w{1,30}\((\w{1,64})(?:::\w{1,30})?\)?$")
_SEVERAL: Final = late(r"\., |; |, (?:data|body)\b")
# "Email has already been taken, Phone is too short"
_JOINED: Final = late(r", [A-Z]")
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
    text = rewritten(message[:_MAX_TEXT])
    lower = text.lower()
    _note_named(text, lower, found)
    _note_labelled(text, lower, found)
    if not found:
        _note_meant(text, lower, found)
    return [name for name in found if not _is_above_one(name, found)]


def _note_named(text: str, lower: str, found: dict[str, None]) -> None:
    """Note what is said of fields alone."""
    hinted = any(hint in lower for hint in _HINTS)
    if ":" in text or "\uff1a" in text:
        for name in headed_in(text):
            _note(name, found, _ADDRESSED)
        for name in refused_in(text, lower):
            _note(name, found)
    if hinted and not found:
        for names in groups_in(CERTAIN, text, lower):
            for name in _BETWEEN.split(names):
                _note(name, found, _ADDRESSED)
    if not found:
        for names in groups_in(_SURE, text, lower):
            for name in _BETWEEN.split(names):
                _note(_FUNCTION.sub(r"\1", name), found, _ADDRESSED)
    if hinted and (not found or _SEVERAL.search(text) is not None):
        for name in _QUOTED.groups(text):
            _note(name, found, _ADDRESSED)


def _note_labelled(text: str, lower: str, found: dict[str, None]) -> None:
    """Note words that look like code, or stand as the labels of what is said."""
    if not found:
        for name in groups_in(_BARE_OR_LIKELY, text, lower):
            if looks_like_a_field(name, common=False):
                _note(name, found)
    if not found:
        for listed in groups_in(LISTED, text, lower):
            each = _BETWEEN.split(listed)
            if any(looks_like_a_field(name, common=False) for name in each):
                for name in each:
                    _note(name, found)
    if not found or _JOINED.search(text) is not None:
        for name in _OF_EITHER.groups(text):
            if looks_like_a_field(name, common=True):
                _note(name, found)
    for name in groups_in(_LABELS, text, lower):
        if name in _LABELLED or looks_like_a_field(name, common=True):
            _note(name, found, _LABELLED_ONLY)


def _note_meant(text: str, lower: str, found: dict[str, None]) -> None:
    """Note what the rest of the sentence leaves no other meaning, from the surest on."""
    for name in groups_in(TERSE, text, lower):
        if is_of_several_words(name) and looks_like_a_field(name, common=True):
            _note(name, found)
    if not found and any(mark in lower for mark in PLAIN_MARKS):
        for name in PLAIN.groups(text):
            if name.lower() not in _NOUNS and name not in NO_NAMES:
                _note(name, found)
    if not found:
        for name in groups_in(NOUNED, text, lower):
            if name.lower() not in NO_NAMES and name.lower() not in _KINDS_OF_FIELD:
                _note(name, found)


def _is_above_one(name: str, found: dict[str, None]) -> bool:
    """Whether a sentence names a field below this one, too: "no zip in contact: contact.zip"."""
    return any(other.startswith(f"{name}.") for other in found)


def guarded_in(message: str) -> list[str]:
    """Return the fields that a refusal names as such, as `named_in` does.

    Example:
        >>> guarded_in("User has no access to the field salary"), guarded_in("No access to salary")
        (['salary'], [])
    """
    found: dict[str, None] = {}
    text = message[:_MAX_TEXT]
    for name in groups_in(GUARDED, text, text.lower()):
        if name.lower() not in _KINDS_OF_FIELD and name.lower() not in _NOUNS:
            _note(name.strip("."), found)
    return list(found)


def _note(raw: str, found: dict[str, None], allowed: frozenset[str] = frozenset()) -> None:
    """Keep a name, unless it is a word no field is called; `allowed` are here nevertheless."""
    name = clean_name(raw)
    if name is None or len(found) >= _MAX_NAMES:
        return
    if name.lower() not in NO_NAMES or name.lower() in allowed:
        found.setdefault(name)
