"""The walk over maps of fields, below which each sentence is about one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from crmlogging.errors.fieldmaps import described, lists_of_fields, maps_in, names_a_rule
from crmlogging.errors.fieldpaths import take_names
from crmlogging.errors.findings import Finding, RawField
from crmlogging.errors.parts import MAX_PARTS
from crmlogging.errors.roles import Role, role_of

if TYPE_CHECKING:
    from crmlogging.errors.reading import Reading

__all__ = ["read_map", "read_maps"]

_MAX_DEPTH: Final = 10
_MAX_FIELDS: Final = 200
_LIST_ROLES: Final = frozenset({Role.FIELD_ERRORS, Role.ERRORS})
_SAID_KEYS: Final = frozenset(("message", "msg", "code", "description", "error"))


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
