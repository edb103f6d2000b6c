"""Which ids of a body are those of the request, and which names are those of errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from crmlogging.errors.roles import Key

__all__ = [
    "UUID",
    "has_plain_id",
    "is_error_code",
    "is_plain_id",
    "looks_like_an_id",
    "may_name_an_error_by_id",
    "names_an_error",
    "names_an_error_by_id",
]

# Ids that are something else, too: these count only if they look like one.
_PLAIN_IDS: Final = frozenset(("instance", "uuid", "ticket", "errorid"))
UUID: Final = "urn:uuid:"
# Words that names of errors have (``Unknown_Subaccount``, beside its number).
_ERROR_WORDS: Final = re.compile(
    r"Unknown|Invalid|Missing|Denied|Exceeded|Forbidden|Expired|Conflict|Required$|Not_?Found"
)
_WORDS_IN_ONE: Final = re.compile(r"[a-z]{2,20}(?:[A-Z][a-z]{1,20}){1,6}", re.ASCII)
_CODE_ENDS: Final = ("ERROR", "EXCEPTION", "FAILURE", "FAULT")


def is_error_code(text: str) -> bool:
    return text.isdigit() or text.replace("_", "").isupper()


def looks_like_an_id(text: str) -> bool:
    return len(text) >= 8 and any(map(str.isdigit, text))


def has_plain_id(key: Key) -> bool:
    """Whether the ids under a key may be something else, too."""
    return key.plain in _PLAIN_IDS


def is_plain_id(text: str) -> bool:
    """Whether an id under such a key is one of a request, as it stands."""
    return looks_like_an_id(text) and not is_error_code(text) and not text.startswith(UUID)


def names_an_error(name: str, node: Mapping[str, Any]) -> bool:
    """Whether the ``name`` of `node` is that of an error rather than of a field."""
    if type(node.get("code")) is int and _ERROR_WORDS.search(name) is not None:
        return True
    return name.upper().endswith(_CODE_ENDS)


def may_name_an_error_by_id(node: Mapping[str, Any]) -> bool:
    """Whether the ``id`` of `node` may be that of its kind of error."""
    return "title" in node and "code" not in node


def names_an_error_by_id(text: str, node: Mapping[str, Any]) -> bool:
    """Whether the ``id`` of `node` is that of its kind of error: Outreach's ``validationError``."""
    return may_name_an_error_by_id(node) and _WORDS_IN_ONE.fullmatch(text) is not None
