"""Words of sentences that can only be names of fields, and words that never are."""

from __future__ import annotations

from typing import Final

from crmlogging.errors.text.field_names import INDEX, PSEUDO
from crmlogging.errors.text.late import late

__all__ = [
    *("ADDRESSED", "KINDS_OF_FIELD", "LABELLED", "LABELLED_ONLY", "NOUNS_OF_AN_API", "NO_NAMES"),
    *("is_of_several_words", "looks_like_a_field"),
]

_CAMEL: Final = late(r"[A-Z]?[a-z]+|[A-Z]+|[_\d]+")
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
_SNAKE: Final = late(r"(?<![^_])[a-z0-9]+(?![^_])")
_TELLTALE: Final = frozenset(("email", "phone", "mobile", "birth", "currency", "postal", "zip"))
# Ends of names in camelCase that no value has.
_ENDS: Final = frozenset(
    (
        "key id ids name code type date number email phone address url status stage amount count"
        " price currency at on cents total rate percent size"
    ).split()
)
NO_NAMES: Final = frozenset(
    (
        "is in on of the a an this that these it not for with from to at and or was are were be"
        " value values you your please request there no any all does did has have must should set"
        " sent given required"
    ).split()
)
"""Words that no field is called."""
NOUNS_OF_AN_API: Final = frozenset(
    (
        "user account request record contact object body payload data token header headers message"
        " method operation page limit resource input item items one both either query key scope"
        " permission permissions authentication authorization login credentials license xml json"
        " subscription lead deal customer content parameter field property attribute param column"
        " entity session server api access response result connection action role upgrade plan"
        " argument element file none nothing what which who they everything something input"
    ).split()
)
"""Nouns that are as little a field."""
ADDRESSED: Final = frozenset(("to", "from"))
"""Fields of messages that are no names elsewhere."""
LABELLED_ONLY: Final = frozenset(("to", "from", "value"))
"""Words that are names before a colon alone."""
KINDS_OF_FIELD: Final = frozenset(
    (
        "required mandatory optional custom unknown missing invalid input request one some each"
        " every form standard lookup picklist text date number read-only readonly unique following"
        " query body path header url hidden system object record another other duplicate which"
        " only same restricted formula multi free search sort filter"
    ).split()
)
"""What fields are called together."""
LABELLED: Final = frozenset(
    (
        "assignee project workspace parent followers section team board group account contact lead"
        " deal customer user login value priority label labels members manager department list"
        " pipeline campaign product company_id notes note comments tax vat locale to from"
    ).split()
)
"""What a colon shows to be a field."""


def is_of_several_words(word: str) -> bool:
    """Whether a name is in snake_case or camelCase."""
    return "_" in word.strip("_") or (any(map(str.isupper, word[1:])) and not word.isupper())


def looks_like_a_field(word: str, *, common: bool) -> bool:
    """Whether an unquoted `word` can only be the name of a field; `common` asks for known ones."""
    if word == "IDs":  # of several records: "IDs must be positive"
        return False
    steps = INDEX.sub("", word).lower().strip(".").split(".")
    if len(steps) > 1 and INDEX.search(word):  # "phones.0.value" is a path
        return True
    parts = _SNAKE.findall(word)
    if len(parts) > 1 and (parts[-1] in _ENDS or not _TELLTALE.isdisjoint(parts)):
        return True
    if any(step.rstrip("0123456789") in _COMMON or step.endswith(("__c", "_id")) for step in steps):
        return True
    parts = [part for part in _CAMEL.findall(word) if part.strip("_")]
    if len(parts) > 1 and all(part.lower() in _COMMON for part in parts):  # EmailAddress
        return True
    camel = len(parts) > 1 and "_" not in word and word[:1].islower()
    if camel and parts[-1].lower() in _ENDS:  # stageKey
        return True
    if common or steps[0] in NO_NAMES or steps[0] in PSEUDO:
        return False
    if len(steps) > 1:  # "ada.lovelace" is no path, "home_address.line1" is one
        return any("_" in step.strip("_") for step in steps)
    inner = word.strip("_")
    return "_" in inner or not (inner.islower() or inner.isupper() or inner[1:].islower())
