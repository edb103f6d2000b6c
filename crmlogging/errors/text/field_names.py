"""Names of fields, as a body gives them; never a value.

A name leaves only in the shape of a schema name (`FIELD_NAME`). A key or quoted word that may be
personal (an address, a phone number) is no field at all; any other misfit is ``[FIELD]``.
"""

from __future__ import annotations

import re
from typing import Final

from crmlogging.errors.text.late import late
from crmlogging.errors.text.shapes import looks_secret

__all__ = ["FIELD_NAME", "INDEX", "OF_THE_WHOLE", "PLACEHOLDER", "PSEUDO", "clean_name"]

FIELD_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]-]{0,63}", re.ASCII)
PLACEHOLDER: Final = "[FIELD]"

_MAX_LENGTH: Final = 64
_MAX_RAW: Final = 256
# Addresses, phone numbers, punctuation of sentences; 40 hex digits are Pipedrive's own field keys.
_PERSONAL: Final = late(
    r"@|%40|[:;!?]|\(at\)|\d[ -]\d{3}|^(?![0-9a-f]{40}$)(?:[^\d]|\d{1,6}(?!\d))*\d{7}"
)
# ``/units/@reference_id=='1'/amount``: which element of a list, by a value of it.
_PREDICATE: Final = late(r"/@[^/]{1,128}(?=/)")
# ``/to_Address(ID='2')/Country``: which one, by its key. ``/wd:Customer[1]``: whose name it is.
_KEYED: Final = late(r"\([^()/]{0,128}\)(?=/|$)|(?<=/)[A-Za-z_][\w.-]{0,31}:(?=[A-Za-z_])")
# Steps as JSONPath (RFC 9535 section 2.7) and Pydantic write them: ``['a']['b']``, ``a -> b``.
_STEPS: Final = late(r"(?:\['|\b -> )(\w{1,64})(?:'\])?")
INDEX: Final = late(r"\[\d*\]|\.\d+(?=\.|$)|^\d+\.")
# What providers put before the record's own fields.
_PREFIXES: Final = frozenset(
    (
        "$ # data attributes values body input inputs request payload query params json record"
        " records properties relationships variables"
    ).split()
)
# A pointer to one of these is to the record as a whole (JSON:API section 9.1: ``/data``).
_WHOLE: Final = frozenset(("data", "attributes", "body", "payload", "request"))
OF_THE_WHOLE: Final = frozenset(("base", "__all__", "non_field_errors", "nonFieldErrors"))
# What stands where a field is due and is none.
PSEUDO: Final = frozenset(
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
    name = raw.strip().strip("'\"`")
    if "['" in name or " -> " in name:
        name = _STEPS.sub(r".\1", name).lstrip(".")
    if "/" in name:
        name = _KEYED.sub("", _PREDICATE.sub("", name))
    if not name or len(name) > _MAX_RAW or _PERSONAL.search(name) or looks_secret(name):
        return None
    if "." in name or "/" in name or "[" in name or name[0] in "#$":
        name = _without_prefix(name)
    if not name or name.lstrip("-").isdigit() or name.lower() in PSEUDO:
        return None
    if name.rpartition(".")[2] in OF_THE_WHOLE:
        return None
    while len(name) > _MAX_LENGTH and "." in name:
        name = name.partition(".")[2]
    return name if FIELD_NAME.fullmatch(name) else PLACEHOLDER


def _without_prefix(path: str) -> str:
    """Drop indexes, and the steps before the record's own fields, from a path or JSON pointer."""
    pointer = "/" in path or path[0] in "#$"
    if pointer:
        path = ".".join(path.lstrip("#$").strip("/.").split("/"))
    path = INDEX.sub("", INDEX.sub("", path)).strip(".")
    steps = [step for step in path.split(".") if step and not step.isdigit()]
    related = "relationships" in steps[:-1]
    while len(steps) > 1 and steps[0].lower() in _PREFIXES:
        steps.pop(0)
    if related and len(steps) > 1 and steps[-1] == "data":  # JSON:API /data/relationships/x/data
        steps.pop()
    if pointer and len(steps) == 1 and steps[0].lower() in _WHOLE:
        return ""
    return ".".join(steps)
