"""Fields as objects of a body name them: by a name, a list, a path, or as keys of a map."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from crmlogging.errors.findings import Finding, RawField
from crmlogging.errors.roles import Role, role_of

__all__ = ["field_map_like", "never_a_field_map", "own_fields"]

_MAX_NAMES: Final = 64
_MAX_KEYS: Final = 50
_MAX_STEPS: Final = 16
# Keys under which a list is one path of keys rather than several names.
_PATHS: Final = frozenset(
    "path loc pointer instancepath datapath fieldpath field errorpath oerrorpath".split()
)
# Beside these, ``path`` is the URL's (Spring), or that of a GraphQL answer.
_NO_FIELD_PATH: Final = frozenset(
    ("timestamp", "method", "requestId", "locations", "extensions", "errorInfo")
)
# Keys that make a mapping an error rather than a map from fields to what is wrong with them.
_NO_MAP: Final = frozenset(
    (
        "code message msg error errors detail details type status statuscode errorcode"
        " errormessage title faultstring errordescription exceptioncode text reason faulttext"
        " nachricht fehler mensaje mensagem erro erreur messaggio errore codigo fehlercode"
    ).split()
)

_PROBLEMS: Final = frozenset(
    "required invalid missing blank taken duplicate unknown bad empty wrong unsupported".split()
)
_NO_MAP_ROLES: Final = frozenset({Role.ID, Role.EXPECTED, Role.SUCCESS, Role.ERRORS})
_CODE_ROLES: Final = frozenset({Role.CODE, Role.STATUS})
_ANSWER_ROLES: Final = frozenset({Role.WRAPPER, Role.PARTS})


def own_fields(node: Mapping[str, Any], into: Finding) -> None:
    """Add the fields that `node` itself names to `into`, with the code and sentence beside them."""
    names: list[str] = []
    expected = ""
    for spelled, value in node.items():
        key = role_of(spelled)
        if key.role is Role.EXPECTED:
            if isinstance(value, (str, int)):
                expected = expected or f"{key.plain}={value}"
        elif key.role is Role.FIELD and value:
            names.extend(_names(key.plain, value, node))
    if names:
        code = into.codes[-1][1] if into.codes else ""
        words = into.messages[-1] if into.messages else ""
        into.fields.extend(RawField(name, code, words, expected) for name in names)


def _names(plain: str, value: Any, node: Mapping[str, Any]) -> Iterator[str]:
    if plain == "path":
        url = isinstance(value, str) and value.startswith("/") and "status" in node
        if url or not node.keys().isdisjoint(_NO_FIELD_PATH):
            return
    elif plain == "jsonpath" and "api_name" in node:
        return  # Zoho names the field twice.
    elif plain == "target" and isinstance(value, str) and " " in value:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        steps = [part for part in value[:_MAX_NAMES] if isinstance(part, str)]
        if plain in _PATHS or len(steps) < len(value):
            yield ".".join(steps[:_MAX_STEPS])
        else:
            yield from steps


def field_map_like(value: Any) -> bool:
    """Whether keys are names of fields and values what is wrong with them."""
    if not isinstance(value, dict) or not value:
        return False
    said = False
    for spelled, below in list(value.items())[:_MAX_KEYS]:
        key = role_of(spelled)
        if key.plain in _NO_MAP or key.role in _NO_MAP_ROLES:
            return False
        if key.role in _CODE_ROLES and not _is_said(below):
            return False
        if key.role is Role.FIELD and isinstance(below, list) and _has_objects(below):
            return False  # {"expected_fields": [{"api_name": ...}]}
        if key.role is Role.FIELD and isinstance(below, str) and not _is_said(below):
            return False  # {"api_name": "Email", "duplicate_record": {...}}
        if key.role in _ANSWER_ROLES and not isinstance(below, str) and _has_objects(below):
            return False
        if not isinstance(below, (str, list, dict)):
            return False
        said = said or _is_said(below)
    return said


def never_a_field_map(names: Iterable[object]) -> bool:
    """Whether a mapping with these keys is no map of fields, whatever its values are."""
    return any(
        key.plain in _NO_MAP or key.role in _NO_MAP_ROLES
        for key in map(role_of, islice(names, _MAX_KEYS))
    )


def _has_objects(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(e, dict) for e in value[:8])
    )


def _is_said(value: Any) -> bool:
    """A sentence, or a list or object that holds some."""
    if isinstance(value, str):
        # A sentence, a problem, or the key of one: "error.path.missing".
        return " " in value.strip() or value.lower().rpartition(".")[2] in _PROBLEMS
    if isinstance(value, list):
        return any(isinstance(e, dict) or (isinstance(e, str) and _is_said(e)) for e in value)
    return isinstance(value, dict)
