"""Words of sentences that can only be names of fields, and words that never are."""

from __future__ import annotations

from typing import Final

from crmlogging.errors.fieldnames import INDEX, PSEUDO
from crmlogging.errors.late import late

__all__ = ["NO_NAMES", "is_of_several_words", "looks_like_a_field"]

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
