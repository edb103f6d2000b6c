"""Names of fields: as a body gives them, or out of a sentence; never a value.

A name leaves only in the shape of a schema name (`FIELD_NAME`). A key or quoted word that may be
personal (an address, a phone number) is no field at all; any other misfit is ``[FIELD]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from crmlogging.errors.fieldmarks import LIKELY, PLAIN, PLAIN_MARKS, SURE
from crmlogging.errors.shapes import looks_secret

__all__ = ["FIELD_NAME", "PLACEHOLDER", "clean_name", "named_in"]

FIELD_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]-]{0,63}", re.ASCII)
PLACEHOLDER: Final = "[FIELD]"

_MAX_NAMES: Final = 64
_MAX_RAW: Final = 256
_MAX_TEXT: Final = 1_000
# Addresses, phone numbers, punctuation of sentences; 40 hex digits are Pipedrive's own field keys.
_PERSONAL: Final = re.compile(
    r"@|%40|[:;!?]|\(at\)|\d[ -]\d{3}|^(?![0-9a-f]{40}$)(?:[^\d]|\d{1,6}(?!\d))*\d{7}"
)
# ``/units/@reference_id=='1'/amount``: which element of a list, by a value of it.
_PREDICATE: Final = re.compile(r"/@[^/]{1,128}(?=/)")
_INDEX: Final = re.compile(r"\[\d*\]|\.\d+(?=\.|$)|^\d+\.")
# What providers put before the record's own fields.
_PREFIXES: Final = frozenset(
    (
        "$ # data attributes values body input inputs request payload query params json record"
        " records properties relationships variables"
    ).split()
)
# A pointer to one of these is to the record as a whole (JSON:API section 9.1: ``/data``).
_WHOLE: Final = frozenset(("data", "attributes", "body", "payload", "request"))
# What stands where a field is due and is none.
_PSEUDO: Final = frozenset(
    (
        "base ratelimit __all__ non_field_errors nonfielderrors _error error errors null none true"
        " false undefined root _schema global authorization"
    ).split()
)


def clean_name(raw: str) -> str | None:
    """Return the field `raw` names, ``[FIELD]`` where it has no such shape, None where it is none.

    Example:
        >>> clean_name("/data/attributes/email"), clean_name("$.data[0].Last_Name")
        ('email', 'Last_Name')
        >>> clean_name("emails[0].value"), clean_name("Plan Tier"), clean_name("ada@example.com")
        ('emails.value', '[FIELD]', None)
    """
    name = _PREDICATE.sub("", raw.strip().strip("'\"`"))
    if not name or len(name) > _MAX_RAW or _PERSONAL.search(name) or looks_secret(name):
        return None
    if "." in name or "/" in name or "[" in name or name[0] in "#$":
        name = _without_prefix(name)
    if not name or name.isdigit() or name.lower() in _PSEUDO:
        return None
    return name if FIELD_NAME.fullmatch(name) else PLACEHOLDER


def _without_prefix(path: str) -> str:
    """Drop indexes, and the steps before the record's own fields, from a path or JSON pointer."""
    pointer = "/" in path or path[0] in "#$"
    if pointer:
        path = ".".join(path.lstrip("#$").strip("/.").split("/"))
    path = _INDEX.sub("", _INDEX.sub("", path)).strip(".")
    steps = [step for step in path.split(".") if step and not step.isdigit()]
    related = "relationships" in steps[:-1]
    while len(steps) > 1 and steps[0].lower() in _PREFIXES:
        steps.pop(0)
    if related and len(steps) > 1 and steps[-1] == "data":  # JSON:API /data/relationships/x/data
        steps.pop()
    if pointer and len(steps) == 1 and steps[0].lower() in _WHOLE:
        return ""
    return ".".join(steps)


# ---------------------------------------------------------------- in sentences

_NOUN: Final = (
    r"(?:fields?|propert(?:y|ies)|attributes?|columns?|param(?:eter)?s?|elements?|arguments?)"
)
_WORD: Final = r"([A-Za-z_][A-Za-z0-9_]{0,63})"
_NAME: Final = r"([A-Za-z_][A-Za-z0-9_.\[\]-]{0,63})"
_LIST: Final = r"([A-Za-z_][A-Za-z0-9_]{0,63}(?:, ?[A-Za-z_][A-Za-z0-9_]{0,63}){0,20})"
_IN_BRACKETS: Final = r"[\[(]([A-Za-z_][A-Za-z0-9_., -]{0,400})[\])]"
_OPEN: Final = r"[\"'`\u2018\u201c]"
_CLOSE: Final = r"[\"'`\u2019\u201d]"
# Only what can be said of a field, never of a value: "'ada' is not valid" names none.
_DEMANDED: Final = (
    r"(?:is (?:a )?(?:required|missing|mandatory|read[- ]only)|can't be|cannot be|can not be|must"
    r"|may not be|should|is too (?:long|short))"
)
_PATH: Final = r"([A-Za-z_][A-Za-z0-9_]{0,40}(?:(?:\.|\[)[A-Za-z0-9_\]]{1,40}){0,6})"
_START: Final = r"(?:^|[\n;:,]\s?|\. )(?:the )?(?:(?:type|value|field|format|length) (?:for|of) )?"
# "Last name is required" is no field called "Last".
_ONE_WORD: Final = r"(?! (?:name|number|code|date|type|tier|id)\b)"


def _any_of(*sources: str) -> re.Pattern[str]:
    """Compile alternatives, in each of which one group takes part."""
    return re.compile("|".join(sources), re.IGNORECASE)


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
        "mandatory: ",
        "required: ",
        "missing: ",
        "'",
        '"',
    ),
    *("`", "\u2018", "\u201c"),
)
# Lists of names, and names in a fixed place.
_CERTAIN: Final = _any_of(
    r"fields?(?: are)?(?: is)? (?:missing|required|invalid)\s?:?\s?" + _IN_BRACKETS,
    r"(?:missing|required|invalid|unknown) (?:required )?" + _NOUN
    + r"(?: are missing| is missing| were not set)?\s?:?\s?" + _IN_BRACKETS,
    r"(?:create/update fields|unknown field(?! name)|missing required param(?:eter)?s?|for field"
    r"|field name not found ?)\s?:?\s" + _LIST,
    r"(?:propertyName|fieldName|field|property|attribute)=" + _WORD,
    r"^(?:mandatory|required|missing)(?: required| mandatory)?(?: fields?| param(?:eter)?s?"
    r"| propert(?:y|ies)| attributes?)?: " + _LIST + r"\.?$",
    r"(?:fields?|param(?:eter)?s?) (?:missing|required)\.{1,3} " + _LIST + "$",
    r"^(?:[\w ]{0,40}: )?(?:body|payload|params|properties|data)\." + _NAME
    + r"(?: ?: | (?:is|must|should|has|cannot|can't|does)\b)",
    r"(?:error in|path|field) " + _OPEN + r"(?:fields|body|properties|data)\." + _NAME + _CLOSE,
)  # fmt: skip
# In quotes, beside a word that says it is a field.
_QUOTED: Final = _any_of(
    r"no such column '" + _NAME + "'",
    r"cannot query field " + _OPEN + _WORD + _CLOSE,
    _NOUN + r"(?: named?| with (?:name|slug|key)| called|:)?:?\s?"
    r"(?:[\"'`\u2018\u201c]([A-Za-z_][A-Za-z0-9_. \[\]-]{0,63}?)[\"'`\u2019\u201d]"
    r"|[\[(]([A-Za-z_][A-Za-z0-9_. -]{0,63}?)[\])])",
    _OPEN + _NAME + _CLOSE + r"\s(?:" + _DEMANDED
    + r"|(?:field|property|attribute|column|parameter|element)\b)",
)  # fmt: skip
_BARE: Final = _any_of(
    r"duplicate value found: " + _WORD,
    # Salesforce puts the value after "restricted picklist field:".
    r"(?<!picklist )" + _NOUN
    + r"(?: name)?(?: is missing| missing| required| not found| not valid| invalid)?"
    r"(?::\s?|\s)(?!values? )" + _NAME,
    r"(?:attribute values|type for|value for|for) " + _WORD
    + r" (?:['\"]|already |is (?:not )?(?:in)?valid)",
    _START + _PATH + _ONE_WORD + r"(?: field)?:?\s" + _DEMANDED,
)  # fmt: skip
# These may be said of a value, too, so that only common names of fields count.
_OF_EITHER: Final = _any_of(
    r"^invalid " + _WORD + r"(?: address| number| value)?(?=:\s)",
    _START + _PATH + _ONE_WORD + r"(?: field)?(?::\s|\s(?:\S{1,60}\s)?"
    r"(?:(?:is )?(?:an? )?(?:invalid|not|already|unknown|required|missing)|has already|does not))",
)
_CAMEL: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[_\d]+")
_COMMON: Final = frozenset(
    (
        "email emails phone phones mobile fax name firstname lastname first last company title"
        " status stage website url domain address city state country zip postcode street birthdate"
        " birthday date amount price currency owner ownerid type source description subject body id"
        " ids tags quantity language timezone industry revenue salutation gender password username"
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
        for names in _groups(_CERTAIN, text):
            for name in names.split(","):
                _note(name.strip(), found)
    if not found:
        for names in _marked(SURE, text, lower):
            for name in names.split(","):
                _note(name.strip(), found)
    if hinted and not found:
        for name in _groups(_QUOTED, text):
            _note(name, found)
    if not found:
        for name in (*_groups(_BARE, text), *_marked(LIKELY, text, lower)):
            if _looks_like_a_field(name, common=False):
                _note(name, found)
    if not found:
        for name in _groups(_OF_EITHER, text):
            if _looks_like_a_field(name, common=True):
                _note(name, found)
    if not found and any(mark in lower for mark in PLAIN_MARKS):
        for name in _groups(PLAIN, text):
            if name not in _NOUNS and name not in _NO_NAMES:
                _note(name, found)
    return list(found)


def _groups(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    """Yield the one group that each match has."""
    for match in pattern.finditer(text):
        yield match[match.lastindex or 0]


def _marked(
    patterns: tuple[tuple[str, re.Pattern[str]], ...], text: str, lower: str
) -> Iterator[str]:
    """Yield the groups of those `patterns` whose mark occurs."""
    for mark, pattern in patterns:
        if mark in lower:
            yield from _groups(pattern, text)


def _note(raw: str, found: dict[str, None]) -> None:
    name = clean_name(raw)
    if name is not None and name.lower() not in _NO_NAMES and len(found) < _MAX_NAMES:
        found.setdefault(name)


def _looks_like_a_field(word: str, *, common: bool) -> bool:
    """Whether an unquoted `word` can only be the name of a field; `common` asks for known ones."""
    steps = _INDEX.sub("", word).lower().strip(".").split(".")
    if len(steps) > 1 and _INDEX.search(word):  # "phones.0.value" is a path
        return True
    if any(step.rstrip("0123456789") in _COMMON or step.endswith(("__c", "_id")) for step in steps):
        return True
    parts = _CAMEL.findall(word)
    if len(parts) > 1 and all(part.lower() in _COMMON for part in parts):  # EmailAddress
        return True
    if common or len(steps) > 1 or steps[0] in _NO_NAMES or steps[0] in _PSEUDO:
        return False
    inner = word.strip("_")
    return "_" in inner or not (inner.islower() or inner.isupper() or inner[1:].islower())
