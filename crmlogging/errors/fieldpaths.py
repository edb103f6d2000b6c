"""Fields as objects of a body name them: by a name, a list, a path, or as keys of a map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from crmlogging.errors.findings import Finding, RawField
from crmlogging.errors.roles import Role, role_of

__all__ = [
    "described",
    "field_map_like",
    "is_field_location",
    "maps_in",
    "may_list_names",
    "names_a_rule",
    "never_a_field_map",
    "own_fields",
    "stray_fields",
    "take_names",
]

_MAX_NAMES: Final = 64
_MAX_KEYS: Final = 50
_MAX_STEPS: Final = 16
# Keys under which a list is one path of keys rather than several names.
_PATHS: Final = frozenset(
    "path loc pointer instancepath datapath fieldpath field errorpath oerrorpath".split()
)
# Beside these, ``path`` is the URL's (Spring), or that of a GraphQL answer.
_NO_FIELD_PATH: Final = frozenset(
    ("timestamp", "method", "requestId", "locations", "extensions", "errorInfo", "httpStatus")
)
# Keys that make a mapping an error rather than a map from fields to what is wrong with them.
_NO_MAP: Final = frozenset(
    (
        "code message msg error errors detail details type status statuscode errorcode"
        " errormessage title faultstring errordescription exceptioncode text reason faulttext"
        " nachricht fehler mensaje mensagem erro erreur messaggio errore codigo fehlercode"
        " stacktrace"
    ).split()
)

# Parts of a request: what is wrong there has its name elsewhere.
_PLACES: Final = frozenset(
    (
        "body query path header headers cookie cookies params param url uri querystring formdata"
        " form payload input request data json"
    ).split()
)
# Ends of keys of sentences: ``{"invalid_reason": "Value is not a valid email."}``.
_TELLING: Final = ("reason", "message", "messages")
_LISTS_OF_NAMES: Final = frozenset(("properties", "columns", "attributes", "required"))
_ABOVE_SET: Final = frozenset(("selectionSet", "args", "objects", "object"))
_RULES: Final = frozenset(
    (
        "max min required unique pattern regex format length between in presence inclusion blank"
        " notEmpty isNotEmpty invalid maxLength minLength"
    ).split()
)
# Of these none is told as a list: where one is, it is a field's name (``"title": ["is blank"]``).
_TOLD_ONCE: Final = frozenset(("title", "type", "status", "reason", "text", "code"))
_PROBLEMS: Final = frozenset(
    "required invalid missing blank taken duplicate unknown bad empty wrong unsupported".split()
)
_NO_MAP_ROLES: Final = frozenset({Role.ID, Role.EXPECTED, Role.SUCCESS, Role.ERRORS})
_CODE_ROLES: Final = frozenset({Role.CODE, Role.STATUS})
_ANSWER_ROLES: Final = frozenset({Role.WRAPPER, Role.PARTS})


def own_fields(node: Mapping[str, Any], into: Finding, *, answering: bool = False) -> None:
    """Add the fields that `node` itself names to `into`, with the code and sentence beside them.

    Args:
        node: an object of the body.
        into: the finding it is part of.
        answering: a ``path`` is that of GraphQL's answer.
    """
    names: list[str] = []
    expected = ""
    for spelled, value in node.items():
        key = role_of(spelled)
        if key.role is Role.EXPECTED:
            if isinstance(value, (str, int)):
                expected = expected or f"{key.plain}={value}"
        elif key.role is Role.FIELD and value and not (answering and key.plain == "path"):
            if key.plain == "property" and node.get("children"):
                continue
            if key.plain in _PATHS and _names_one_below(node):
                continue  # where the object stands that lacks a field, or has one too many
            names.extend(_names(key.plain, value, node))
    names.extend(_members(node))
    if names:
        code = into.codes[-1][1] if into.codes else ""
        words = into.messages[-1] if into.messages else ""
        into.fields.extend(RawField(name, code, words, expected) for name in names)


def _names_one_below(node: Mapping[str, Any]) -> bool:
    """Whether an object names a field below its path: Ajv's ``missingProperty``, Zod's ``keys``."""
    params = node.get("params")
    if type(params) is dict:
        return any(name.endswith("Property") and type(params[name]) is str for name in params)
    return node.get("code") == "unrecognized_keys" and type(node.get("keys")) is list


def _members(node: Mapping[str, Any]) -> Iterator[str]:
    """What class-validator has below a property: ``{"property": ..., "children": [...]}``."""
    children, above = node.get("children"), node.get("property")
    if type(children) is list and type(above) is str:
        for child in children[:_MAX_NAMES]:
            if type(child) is dict and type(child.get("property")) is str:
                below = list(_members(child)) or [child["property"]]
                yield from (f"{above}.{name}" for name in below)


def _names(plain: str, value: Any, node: Mapping[str, Any]) -> Iterator[str]:
    if plain == "path":
        url = isinstance(value, str) and value.startswith("/") and "status" in node
        if url or not node.keys().isdisjoint(_NO_FIELD_PATH):
            return
        if isinstance(value, str) and value.startswith("$.selectionSet"):
            value = _set_by(value)
    elif plain == "jsonpath" and "api_name" in node:
        return  # Zoho names the field twice.
    elif plain == "target" and isinstance(value, str) and " " in value:
        return
    elif plain == "in" and ("message" not in node or type(value) is not str or value in _PLACES):
        return  # HubSpot names the field there, others the part of the request.
    elif plain == "keys" and "source" not in node and not _names_one_below(node):
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        steps = [part for part in value[:_MAX_NAMES] if isinstance(part, str)]
        if plain == "blamefieldspecs":  # Facebook's are paths
            yield from (".".join(map(str, path)) for path in value[:8] if type(path) is list)
        elif plain in _PATHS or len(steps) < len(value):
            yield ".".join(steps[:_MAX_STEPS])
        else:
            yield from steps


def _set_by(path: str) -> str:
    """Return the column of a path in Hasura's query: ``$.selectionSet.x.args.objects[0].email``."""
    steps = path.partition(".args.")[2].replace("[", ".").split(".")
    return ".".join(step for step in steps if step not in _ABOVE_SET and not step[:1].isdigit())


def stray_fields(node: Mapping[str, Any], into: Finding) -> None:
    """Add the fields of a map that holds others, too: ``{"detail": "...", "email": ["..."]}``."""
    for name, said in islice(node.items(), _MAX_KEYS):
        key = role_of(name)
        field = key.role is Role.NONE or key.plain in _TOLD_ONCE
        if field and type(said) is list and _is_said(said):
            sentences = [each for each in said[:5] if isinstance(each, str)]
            if sentences:
                into.fields.append(RawField(name, "", " ".join(sentences)))
                into.messages.extend(sentences)
                into.mapped = True


def is_field_location(value: str, node: Mapping[str, Any]) -> bool:
    """Whether a ``location`` is a field: in the body (Huma), a parameter, a column (Google)."""
    if value.startswith(("body.", "body[")):
        return True
    kind = node.get("locationType")
    return kind == "parameter" or (kind is None and "reason" in node and "message" in node)


def may_list_names(spelled: str) -> bool:
    """Whether words in a list under a key are fields: HubSpot's ``"properties": ["email"]``."""
    return spelled in _LISTS_OF_NAMES or spelled.endswith(("_fields", "Fields", "_columns"))


def take_names(value: list[Any], into: Finding) -> bool:
    """Take a list of nothing but names: ``"error_fields": ["firstName", "birthDate"]``."""
    if not value or not all(type(each) is str and not _is_said(each) for each in value):
        return False
    into.fields.extend(RawField(name) for name in value[:_MAX_NAMES])
    return True


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
        key = role_of(spelled)
        if key.plain in _TOLD_ONCE and _says_of(spelled, below):
            said = True
            continue
        if key.plain in _NO_MAP or key.role in _NO_MAP_ROLES:
            return False
        if key.role in _CODE_ROLES and not _is_said(below):
            return False
        if key.role is Role.FIELD and isinstance(below, list) and _has_objects(below):
            return False  # {"expected_fields": [{"api_name": ...}]}
        if key.role is Role.FIELD and isinstance(below, str) and not _is_said(below):
            return False  # {"api_name": "Email", "duplicate_record": {...}}
        if key.role in _ANSWER_ROLES and _has_objects(below) and not _maps_of_fields(below):
            return False
        if isinstance(below, str) and key.plain.endswith(_TELLING):
            return False
        if key.role is Role.MESSAGE and isinstance(below, dict):
            return False
        if not isinstance(below, (str, list, dict)):
            return False
        said = said or _is_said(below)
    return said


def never_a_field_map(node: Mapping[str, Any]) -> bool:
    """Whether a mapping with these keys is no map of fields, whatever strings stand in it."""
    return any(
        (key.plain in _NO_MAP and not (key.plain in _TOLD_ONCE and _may_say_of(name, said)))
        or key.role in _NO_MAP_ROLES
        for name, said in islice(node.items(), _MAX_KEYS)
        for key in (role_of(name),)
    )


def _maps_of_fields(value: Any) -> bool:
    return field_map_like(value) or bool(maps_in(value))


def _may_say_of(name: str, value: Any) -> bool:
    return type(value) is list or type(value) is dict or _says_of(name, value)


def _says_of(name: str, value: Any) -> bool:
    """Whether `value` is what is wrong with a field that is called like a key of an error."""
    if type(value) is list:
        return bool(value) and all(type(each) is str and _is_said(each) for each in value)
    if type(value) is dict:
        return "code" in value and "message" in value
    return type(value) is str and value.startswith(f"{name} ")


def _has_objects(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(e, dict) for e in value[:8])
    )


def _is_said(value: Any) -> bool:
    """A sentence, or a list or object that holds some."""
    if isinstance(value, str):
        # A sentence, a problem, or the key of one: "error.path.missing".
        # Japanese and Chinese have no blanks.
        told = " " in value.strip() or value.lower().rpartition(".")[2] in _PROBLEMS
        return told or (not value.isascii() and max(value) >= "\u3000")
    if isinstance(value, list):
        return any(isinstance(e, (str, dict)) and _is_said(e) for e in value[:_MAX_KEYS])
    if not isinstance(value, dict):
        return False
    return (
        any(role_of(name).plain in _NO_MAP for name in value)
        or described(value)
        or field_map_like(value)
    )
