"""Names of fields: as a body gives them, or out of a sentence; never a value.

A name leaves only in the shape of a schema name (`FIELD_NAME`). A key or quoted word that may be
personal (an address, a phone number) is no field at all; any other misfit is ``[FIELD]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from crmlogging.errors.shapes import looks_secret

__all__ = ["FIELD_NAME", "PLACEHOLDER", "clean_name", "named_in", "names_from", "path_name"]

FIELD_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]-]{0,63}", re.ASCII)
PLACEHOLDER: Final = "[FIELD]"

_PERSONAL: Final = re.compile(r"@|%40|\d{5}|[:;!?]|\(at\)|\d[ -]\d{3}")
_INDEX: Final = re.compile(r"\[\d*\]|\.\d+(?=\.|$)|^\d+\.")
# Wrappers that providers put before the record's own fields.
_PREFIXES: Final = frozenset(
    (
        "$ # data attributes values body input inputs request payload query params json record records "
        "properties relationships contact_input variables"
    ).split()
)
_PSEUDO: Final = frozenset(
    (
        "base ratelimit __all__ non_field_errors nonfielderrors _error error errors null none true false "
        "undefined root _schema global authorization"
    ).split()
)
_MAX_NAMES: Final = 64

# A noun, then the name: in quotes, or bare where it looks like code.
_NOUNS: Final = (
    r"(?:fields?|propert(?:y|ies)|attributes?|columns?|param(?:eter)?s?|elements?|arguments?)"
)
_QUOTED: Final = re.compile(
    _NOUNS + r"(?: named?| with name| called|:)?:?\s?[\"'`\[(\u2018\u201c]"
    r"([A-Za-z_][A-Za-z0-9_. \[\]-]{0,63})[\"'`\])\u2019\u201d]",
    re.IGNORECASE,
)
# Salesforce puts the value after "restricted picklist field:".
_BARE: Final = re.compile(
    r"(?<!picklist )" + _NOUNS + r"(?: name)?(?: is missing| missing| required| not found| not valid| invalid)?"
    r"(?::\s?|\s)([A-Za-z_][A-Za-z0-9_.\[\]-]{0,63})",
    re.IGNORECASE,
)
# Only what can be said of a field, never of a value: "'ada' is not valid" names none.
_SAID_OF_FIELDS: Final = (
    r"(?:is (?:a )?(?:required|missing|mandatory|read[- ]only)|can't be|cannot be|can not be|must|may not be"
    r"|should|is too (?:long|short))"
)
_BEFORE: Final = re.compile(
    r"[\"'`\u2018\u201c]([A-Za-z_][A-Za-z0-9_.\[\]-]{0,63})[\"'`\u2019\u201d]\s"
    r"(?:" + _SAID_OF_FIELDS + r"|(?:field|property|attribute|column|parameter|element)\b)",
    re.IGNORECASE,
)
_LISTED: Final = re.compile(
    r"(?:fields?(?: are)?(?: is)? (?:missing|required|invalid)|(?:missing|required|invalid|unknown) "
    r"(?:required )?(?:fields?|properties|parameters?|attributes?))(?: are missing| is missing)?\s?:?\s?"
    r"[\[(]([A-Za-z_][A-Za-z0-9_., -]{0,400})[\])]",
    re.IGNORECASE,
)
_PATH: Final = r"([A-Za-z_][A-Za-z0-9_]{0,40}(?:(?:\.|\[)[A-Za-z0-9_\]]{1,40}){0,6})"
_START: Final = r"(?:^|[\n;:,]\s?|\. )(?:the )?(?:(?:type|value|field|format|length) (?:for|of) )?"
_DEMANDED: Final = re.compile(_START + _PATH + r"(?: field)?\s" + _SAID_OF_FIELDS, re.IGNORECASE)
# These may be said of a value, too, so that only common names count.
_LEADING: Final = re.compile(
    _START + _PATH + r"(?: field)?(?::\s|\s(?:\S{1,60}\s)?"
    r"(?:is (?:a |an )?(?:invalid|not|already|unknown)|has already|does not|already exists))",
    re.IGNORECASE,
)
_DUPLICATES: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]{0,63}) duplicates value", re.IGNORECASE)
_COLUMN: Final = re.compile(r"no such column '([A-Za-z_][A-Za-z0-9_.]{0,63})'", re.IGNORECASE)
_AFTER: Final = re.compile(
    r"(?:values?|attribute values|type for|value for|for) ([A-Za-z_][A-Za-z0-9_.]{0,63}) (?:['\"]|is (?:not )?(?:in)?valid)",
    re.IGNORECASE,
)
_FIELD_COLON: Final = re.compile(
    r"(?:create/update fields|unknown field|missing required param(?:eter)?s?"
    r"|for field|field name not found ?)\s?:?\s([A-Za-z_][A-Za-z0-9_]{0,63}(?:, ?[A-Za-z_][A-Za-z0-9_]{0,63}){0,20})",
    re.IGNORECASE,
)
# Plain words that are names of fields with nearly every CRM.
_COMMON: Final = frozenset(
    (
        "email emails phone phones mobile fax name firstname lastname first last company title status stage "
        "website url domain address city state country zip postcode street birthdate birthday date amount price "
        "currency owner ownerid type source description subject body id ids tags "
        "quantity language timezone industry revenue salutation gender password username start end limit offset"
    ).split()
)
_NOT_NAMES: Final = frozenset(
    (
        "is in on of the a an this that these it not for with from to at and or was are were be name value values "
        "you your please request there no any all and does did has have must should set sent given required"
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
    name = raw.strip().strip("'\"`")
    if not name or len(name) > 256 or _PERSONAL.search(name) or looks_secret(name):
        return None
    if FIELD_NAME.fullmatch(name) and "." not in name and "[" not in name:
        return None if name.lower() in _PSEUDO else name
    if name.startswith(("/", "#", "$")) or "/" in name:
        name = ".".join(name.lstrip("#$").strip("/.").split("/"))
    name = _INDEX.sub("", _INDEX.sub("", name)).strip(".")
    parts = [part for part in name.split(".") if part and not part.isdigit()]
    lead = parts[:1]
    while len(parts) > 1 and parts[0].lower() in _PREFIXES:
        parts.pop(0)
    if lead == ["data"] and len(parts) > 1 and parts[-1] == "data":
        parts.pop()
    name = ".".join(parts)
    if not name or name.lower() in _PSEUDO:
        return None
    return name if FIELD_NAME.fullmatch(name) else PLACEHOLDER


def names_from(value: Any) -> Iterator[str]:
    """Yield the raw names that stand under a key for fields: a name, a list of them, or a path."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        if any(type(part) is int for part in value):  # a path with indexes
            yield ".".join(str(part) for part in value[:16] if isinstance(part, str))
        else:
            yield from (part for part in value[:_MAX_NAMES] if isinstance(part, str))
    elif isinstance(value, dict):
        yield from (key for key in list(value)[:_MAX_NAMES] if isinstance(key, str))


def path_name(value: Any) -> str | None:
    """Return the raw name that a path of keys (``["data", "values", "email"]``) leads to."""
    if isinstance(value, list) and value and all(isinstance(p, (str, int)) for p in value[:16]):
        return ".".join(p for p in value[:16] if isinstance(p, str))
    return value if isinstance(value, str) else None


def named_in(message: str) -> list[str]:
    """Return the fields that a sentence names, cleaned, without repetition.

    Bare words count only if they look like code (``plan_tier``, ``firstName``) or are common names
    of fields: "Ada is invalid" names none.
    """
    found: dict[str, None] = {}
    text = message[:1_000]
    for pattern in (_LISTED, _FIELD_COLON):
        for match in pattern.finditer(text):
            for part in match[1].split(","):
                _note(part.strip(), found, quoted=True)
    if found:
        return list(found)
    for pattern in (_COLUMN, _QUOTED, _BEFORE):
        for match in pattern.finditer(text):
            _note(match[1], found, quoted=True)
    if found:
        return list(found)
    for pattern in (_DUPLICATES, _BARE, _AFTER, _DEMANDED):
        for match in pattern.finditer(text):
            _note(match[1], found, quoted=False)
        if found:
            return list(found)
    for match in _LEADING.finditer(text):
        _note(match[1], found, quoted=False, common=True)
    return list(found)


def _note(raw: str, found: dict[str, None], *, quoted: bool, common: bool = False) -> None:
    if len(found) >= _MAX_NAMES or not (quoted or _looks_like_a_field(raw, common)):
        return
    name = clean_name(raw)
    if name is not None and name.lower() not in _NOT_NAMES:
        found.setdefault(name)


def _looks_like_a_field(word: str, common: bool) -> bool:
    """Whether an unquoted `word` can only be the name of a field."""
    parts = _INDEX.sub("", word).lower().strip(".").split(".")
    if any(part in _COMMON or part.endswith("__c") for part in parts):
        return True
    if common or len(parts) > 1 or parts[0] in _NOT_NAMES or parts[0] in _PSEUDO:
        return False
    inner = word.strip("_")
    return "_" in inner or not (inner.islower() or inner.isupper() or inner[1:].islower())
