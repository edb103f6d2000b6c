"""Mappings from fields to what is wrong with them: Rails, Django, Laravel, ASP.NET, Jira, Zod."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from crmlogging.errors.findings.roles import Role, role_of

__all__ = [
    "MAPS_OF_FIELDS",
    "TOLD_ONCE",
    "described",
    "field_map_like",
    "is_map_of_fields",
    "is_said",
    "lists_of_fields",
    "maps_in",
    "names_a_rule",
    "never_a_field_map",
]

MAPS_OF_FIELDS: Final = frozenset(("details", "detail", "params"))
"""Keys of what stands beside an error that may hold a map of fields."""
_MAX_KEYS: Final = 50
# Keys that make a mapping an error rather than a map from fields to what is wrong with them.
_NO_MAP: Final = frozenset(
    (
        "code message msg error errors detail details type status statuscode errorcode"
        " errormessage title faultstring errordescription exceptioncode text reason faulttext"
        " nachricht fehler mensaje mensagem erro erreur messaggio errore codigo fehlercode"
        " stacktrace violation"
    ).split()
)
# Ends of keys of sentences: ``{"invalid_reason": "Value is not a valid email."}``.
_TELLING: Final = ("reason", "message", "messages")
_RULES: Final = frozenset(
    (
        "max min required unique pattern regex format length between in presence inclusion blank"
        " notEmpty isNotEmpty invalid maxLength minLength"
    ).split()
)
# Of these none is told as a list: where one is, it is a field's name (``"title": ["is blank"]``).
TOLD_ONCE: Final = frozenset(("title", "type", "status", "reason", "text", "code"))
_PROBLEMS: Final = frozenset(
    "required invalid missing blank taken duplicate unknown bad empty wrong unsupported".split()
)
_NO_MAP_ROLES: Final = frozenset({Role.ID, Role.EXPECTED, Role.SUCCESS, Role.ERRORS})
_CODE_ROLES: Final = frozenset({Role.CODE, Role.STATUS})
_ANSWER_ROLES: Final = frozenset({Role.WRAPPER, Role.PARTS})


def names_a_rule(name: object, said: Any) -> bool:
    """Whether a key below a field is the rule it broke: ``{"last_name": {"_empty": "..."}}``."""
    return str(name)[:1] == "_" or (isinstance(said, str) and name in _RULES)


def described(value: Mapping[str, Any]) -> bool:
    """Whether an object says what would be right, so that its keys are no fields."""
    return any(
        type(below) is str and role_of(name).role is Role.EXPECTED
        for name, below in islice(value.items(), _MAX_KEYS)
    )


def maps_in(said: Any) -> list[dict[str, Any]]:
    """Return the maps of fields of a list of records: ``[{}, {"email": ["is invalid"]}]``."""
    if type(said) is not list or not said or not all(type(each) is dict for each in said[:50]):
        return []
    maps = [each for each in said[:50] if each]
    return maps if all(field_map_like(each) and not _is_message(each) for each in maps) else []


def lists_of_fields(value: Any) -> bool:
    """Whether a list has maps of fields and nothing else: ``[{"seats": ["is bad"]}, {}]``."""
    return bool(maps_in(value)) and all(
        is_map_of_fields(each) and all(map(is_said, each.values())) for each in value[:_MAX_KEYS]
    )


def is_map_of_fields(element: Any) -> bool:
    """Whether an element of a list may be a map of fields, whatever is said of them."""
    return (
        type(element) is dict
        and "id" not in element
        and all(role_of(name).role is Role.NONE for name in islice(element, _MAX_KEYS))
    )


def _is_message(value: Mapping[str, Any]) -> bool:
    """Whether an object is one sentence: ``{"description": "Phone: is not valid"}``."""
    return any(
        type(below) is str and role_of(name).role is Role.MESSAGE for name, below in value.items()
    )


def field_map_like(value: Any) -> bool:
    """Whether keys are names of fields and values what is wrong with them."""
    if not isinstance(value, dict) or not value:
        return False
    said = False
    for spelled, below in list(value.items())[:_MAX_KEYS]:
        if spelled == "_errors":  # Zod's, of the object itself
            continue
        key = role_of(spelled)
        if key.plain in TOLD_ONCE and _says_of(spelled, below):
            said = True
            continue
        if key.plain in _NO_MAP or key.role in _NO_MAP_ROLES:
            return False
        if below is None:
            continue
        if key.role in _CODE_ROLES and not is_said(below):
            return False
        if key.role is Role.FIELD and isinstance(below, list) and _has_objects(below):
            return False  # {"expected_fields": [{"api_name": ...}]}
        if key.role is Role.FIELD and isinstance(below, str) and not is_said(below):
            return False  # {"api_name": "Email", "duplicate_record": {...}}
        if key.role in _ANSWER_ROLES and _has_objects(below) and not _maps_of_fields(below):
            return False
        if isinstance(below, str) and key.plain.endswith(_TELLING):
            return False
        if key.role is Role.MESSAGE and isinstance(below, dict):
            return False
        if not isinstance(below, (str, list, dict)):
            return False
        said = said or is_said(below)
    return said


def never_a_field_map(node: Mapping[str, Any]) -> bool:
    """Whether a mapping with these keys is no map of fields, whatever strings stand in it."""
    return any(
        (key.plain in _NO_MAP and not (key.plain in TOLD_ONCE and _may_say_of(name, said)))
        or key.role in _NO_MAP_ROLES
        for name, said in islice(node.items(), _MAX_KEYS)
        if name != "_errors"
        for key in (role_of(name),)
    )


def _maps_of_fields(value: Any) -> bool:
    return field_map_like(value) or bool(maps_in(value))


def _may_say_of(name: str, value: Any) -> bool:
    return type(value) is list or type(value) is dict or _says_of(name, value)


def _says_of(name: str, value: Any) -> bool:
    """Whether `value` is what is wrong with a field that is called like a key of an error."""
    if type(value) is list:
        return bool(value) and all(type(each) is str and is_said(each) for each in value)
    if type(value) is dict:
        return "code" in value and "message" in value
    return type(value) is str and value.startswith(f"{name} ")


def _has_objects(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(e, dict) for e in value[:8])
    )


def is_said(value: Any) -> bool:
    """A sentence, or a list or object that holds some."""
    if isinstance(value, str):
        # A sentence, a problem, or the key of one: "error.path.missing".
        # Japanese and Chinese have no blanks.
        told = " " in value.strip() or value.lower().rpartition(".")[2] in _PROBLEMS
        return told or (not value.isascii() and max(value) >= "\u3000")
    if isinstance(value, list):
        return any(isinstance(e, (str, dict)) and is_said(e) for e in value[:_MAX_KEYS])
    if not isinstance(value, dict):
        return False
    return (
        any(role_of(name).plain in _NO_MAP for name in value)
        or described(value)
        or field_map_like(value)
    )
