"""Names of fields out of sentences, where what is said can be said of nothing but a field."""

from __future__ import annotations

from typing import Final

from crmlogging.errors.sentences.headings import headed_in, refused_in
from crmlogging.errors.sentences.languages import OF_LANGUAGES
from crmlogging.errors.sentences.lists import CERTAIN, LISTED
from crmlogging.errors.sentences.patterns import groups_in
from crmlogging.errors.sentences.phrases import BARE, HINTS, OF_EITHER, QUOTED
from crmlogging.errors.sentences.schemas import GUARDED, OF_SCHEMAS, PARSED, TERSE, TYPED, rewritten
from crmlogging.errors.sentences.validators import LABELS, LIKELY, NOUNED, PLAIN, PLAIN_MARKS, SURE
from crmlogging.errors.sentences.words import (
    ADDRESSED,
    KINDS_OF_FIELD,
    LABELLED,
    LABELLED_ONLY,
    NO_NAMES,
    NOUNS_OF_AN_API,
    is_of_several_words,
    looks_like_a_field,
)
from crmlogging.errors.text.field_names import clean_name
from crmlogging.errors.text.late import late

__all__ = ["guarded_in", "named_in"]

_MAX_NAMES: Final = 64
_MAX_TEXT: Final = 1_000
_BARE_OR_LIKELY: Final = (*BARE, *LIKELY, *TYPED)
_LABELS: Final = (*LABELS, *PARSED)
_SURE: Final = (*SURE, *OF_SCHEMAS, *OF_LANGUAGES)
# Between the names of a list in quotes.
_BETWEEN: Final = late(r"[\"'`\u2018\u2019\u201c\u201d]?(?:,? (?:or|and) |,) ?[\"'`\u2018\u201c]?")
# lower(email::text), in an index of PostgreSQL
_FUNCTION: Final = late(r"^\w{1,30}\((\w{1,64})(?:::\w{1,30})?\)?$")
_SEVERAL: Final = late(r"\., |; |, (?:data|body)\b")
# "Email has already been taken, Phone is too short"
_JOINED: Final = late(r", [A-Z]")


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
    hinted = any(hint in lower for hint in HINTS)
    if ":" in text or "\uff1a" in text:
        for name in headed_in(text):
            _note(name, found, ADDRESSED)
        for name in refused_in(text, lower):
            _note(name, found)
    if hinted and not found:
        for names in groups_in(CERTAIN, text, lower):
            for name in _BETWEEN.split(names):
                _note(name, found, ADDRESSED)
    if not found:
        for names in groups_in(_SURE, text, lower):
            for name in _BETWEEN.split(names):
                _note(_FUNCTION.sub(r"\1", name), found, ADDRESSED)
    if hinted and (not found or _SEVERAL.search(text) is not None):
        for name in QUOTED.groups(text):
            _note(name, found, ADDRESSED)


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
        for name in OF_EITHER.groups(text):
            if looks_like_a_field(name, common=True):
                _note(name, found)
    for name in groups_in(_LABELS, text, lower):
        if name in LABELLED or looks_like_a_field(name, common=True):
            _note(name, found, LABELLED_ONLY)


def _note_meant(text: str, lower: str, found: dict[str, None]) -> None:
    """Note what the rest of the sentence leaves no other meaning, from the surest on."""
    for name in groups_in(TERSE, text, lower):
        if is_of_several_words(name) and looks_like_a_field(name, common=True):
            _note(name, found)
    if not found and any(mark in lower for mark in PLAIN_MARKS):
        for name in PLAIN.groups(text):
            if name.lower() not in NOUNS_OF_AN_API and name not in NO_NAMES:
                _note(name, found)
    if not found:
        for name in groups_in(NOUNED, text, lower):
            if name.lower() not in NO_NAMES and name.lower() not in KINDS_OF_FIELD:
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
        if name.lower() not in KINDS_OF_FIELD and name.lower() not in NOUNS_OF_AN_API:
            _note(name.strip("."), found)
    return list(found)


def _note(raw: str, found: dict[str, None], allowed: frozenset[str] = frozenset()) -> None:
    """Keep a name, unless it is a word no field is called; `allowed` are here nevertheless."""
    name = clean_name(raw)
    if name is None or len(found) >= _MAX_NAMES:
        return
    if name.lower() not in NO_NAMES or name.lower() in allowed:
        found.setdefault(name)
