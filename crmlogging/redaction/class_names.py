"""The name of an exception's class, if its module really holds it under that name."""

from __future__ import annotations

import sys
from typing import Any, Final

__all__ = ["class_name", "own_name"]

_PARTS_MAXIMUM: Final = 12
_PART_CHARACTERS: Final = 100
_KEPT: Final = 1_024
_NAMESPACE: Final = type.__dict__["__dict__"]
_MODULE: Final = type.__dict__["__module__"]
_QUALNAME: Final = type.__dict__["__qualname__"]
_MRO: Final = type.__dict__["__mro__"]

_names: dict[type, str] = {}


def class_name(kind: type) -> str:
    """Return ``module.Class`` (``Class`` for built-in ones) of `kind` or of its nearest base.

    A class made at run time can carry any text as its name; the nearest base that its module
    holds under its name is shown instead. No code of the class or its metaclass runs.

    Example:
        >>> import json
        >>> class_name(type("ada@example.com", (KeyError,), {})), class_name(json.JSONDecodeError)
        ('KeyError', 'json.decoder.JSONDecodeError')
    """
    # A plain dict would ask a metaclass for hash and equality.
    known = _names.get(kind) if type(kind) is type else None
    if known is None:
        known = next((name for each in _MRO.__get__(kind) if (name := own_name(each))), "Exception")
        if type(kind) is type:
            if len(_names) >= _KEPT:
                _names.clear()
            _names[kind] = known
    return known


def own_name(kind: type) -> str | None:
    """Return the name under which the module of `kind` holds that class itself, or None."""
    try:
        module, name = _MODULE.__get__(kind), _QUALNAME.__get__(kind)
        if type(module) is not str or type(name) is not str:
            return None
        full = f"{module}.{name}"
        if not _is_dotted(full):
            return None
        holder: Any = object.__getattribute__(sys.modules[module], "__dict__")
        found: Any = None
        for part in name.split("."):
            found = holder[part]
            holder = _NAMESPACE.__get__(found)
    except Exception:  # noqa: BLE001  # the name leads nowhere
        return None
    if found is not kind:
        return None
    return name if module == "builtins" else full


def _is_dotted(name: str) -> bool:
    parts = name.split(".")
    return (
        name.isascii()
        and len(parts) <= _PARTS_MAXIMUM
        and all(part.isidentifier() and len(part) <= _PART_CHARACTERS for part in parts)
    )
