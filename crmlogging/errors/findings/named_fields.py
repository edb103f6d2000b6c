"""Fields as a body names them: by a name, a list, a path, or as keys of a map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from crmlogging.errors.findings.elements import MAX_PARTS
from crmlogging.errors.findings.field_maps import (
    TOLD_ONCE,
    described,
    is_said,
    lists_of_fields,
    maps_in,
    names_a_rule,
)
from crmlogging.errors.findings.finding import Finding, RawField
from crmlogging.errors.findings.roles import Role, role_of

if TYPE_CHECKING:
    from crmlogging.errors.findings.reading import Reading

__all__ = [
    "is_field_location",
    "may_list_names",
    "own_fields",
    "read_map",
    "read_maps",
    "stray_fields",
    "take_names",
]

_MAX_NAMES: Final = 64
_MAX_KEYS: Final = 50
_MAX_STEPS: Final = 16
_MAX_DEPTH: Final = 10
_MAX_FIELDS: Final = 200
_LIST_ROLES: Final = frozenset({Role.FIELD_ERRORS, Role.ERRORS})
_SAID_KEYS: Final = frozenset(("message", "msg", "code", "description", "error"))
# Keys under which a list is one path of keys rather than several names.
_PATHS: Final = frozenset(
    "path loc pointer instancepath datapath fieldpath field errorpath oerrorpath".split()
)
# Beside these, ``path`` is the URL's (Spring), or that of a GraphQL answer.
_NO_FIELD_PATH: Final = frozenset(
    ("timestamp", "method", "requestId", "locations", "extensions", "errorInfo", "httpStatus")
)

# Parts of a request: what is wrong there has its name elsewhere.
_PLACES: Final = frozenset(
    (
        "body query path header headers cookie cookies params param url uri querystring formdata"
        " form payload input request data json"
    ).split()
)
_LISTS_OF_NAMES: Final = frozenset(("location", "properties", "columns", "attributes", "required"))
# What a form shows for a field, which is its name only where there is no other.
_LABELS: Final = frozenset(("fieldlabel", "columnname"))
_ABOVE_SET: Final = frozenset(("selectionSet", "args", "objects", "object"))


def own_fields(node: Mapping[str, Any], into: Finding, *, answering: bool = False) -> None:
    """Add the fields that `node` itself names to `into`, with the code and sentence beside them.

    Args:
        node: an object of the body.
        into: the finding it is part of.
        answering: a ``path`` is that of GraphQL's answer.
    """
    names: list[str] = []
    labels: list[str] = []
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
            own = labels if key.plain in _LABELS else names
            own.extend(_names(key.plain, value, node))
    names.extend(_members(node))
    names = names or labels
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
        field = key.role is Role.NONE or key.plain in TOLD_ONCE
        if field and type(said) is list and is_said(said):
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
    if not value or not all(type(each) is str and not is_said(each) for each in value):
        return False
    into.fields.extend(RawField(name) for name in value[:_MAX_NAMES])
    return True


def read_maps(reading: Reading, value: list[Any], depth: int) -> bool:
    """Read a list of maps of fields; return whether it is one."""
    if not lists_of_fields(value):
        return False
    finding = Finding(failed=True)
    for each in value[:MAX_PARTS]:
        read_map(reading, each, finding, depth + 1)
    reading.findings.append(finding)
    return True


def read_map(reading: Reading, value: Any, into: Finding, depth: int, prefix: str = "") -> None:
    """Field name -> message, messages, or the same again (Rails, Laravel, ASP.NET, Jira)."""
    if isinstance(value, list):
        if not take_names(value, into):
            reading.naming, before = True, reading.naming
            reading.causes(value, into, depth)
            reading.naming = before
        return
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
        return
    for name, said in list(value.items())[:_MAX_FIELDS]:
        if name == ".tag":  # Dropbox's unions: the case, not a field
            into.details.append(str(said)[:64])
            continue
        # {"emails": {"errors": ["..."]}} is about "emails".
        above = role_of(name).role in _LIST_ROLES or (prefix != "" and name == "messages")
        above = above or (prefix != "" and names_a_rule(name, said)) or str(name).isdigit()
        path = prefix if above else f"{prefix}.{name}" if prefix else str(name)
        if isinstance(said, dict) and _SAID_KEYS.isdisjoint(said) and not described(said):
            read_map(reading, said, into, depth + 1, path)
        elif maps := maps_in(said):
            for each in maps:
                read_map(reading, each, into, depth + 1, path)
        elif said:
            part, before = Finding(failed=True), reading.naming
            reading.naming = before or role_of(name).role is Role.FIELD_ERRORS
            reading.details(said if isinstance(said, list) else [said], part, depth + 1)
            reading.naming = before
            if part.fields:  # {"body_params": [{"loc": ["owner", "id"], ...}]}
                into.fields.extend(part.fields)
            elif path:
                code = part.details[0] if part.details else ""
                into.fields.append(RawField(path, code, " ".join(part.messages)))
                into.mapped = into.mapped or bool(part.messages)
            into.messages.extend(part.messages[:5])
            into.details.extend(part.details[:5])
