"""Which ids of a body are those of the request, and which names are those of errors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from crmlogging.errors.findings.roles import Key
from crmlogging.errors.text.late import late
from crmlogging.errors.text.shapes import is_request_id

__all__ = [
    "UUID",
    "has_plain_id",
    "is_error_code",
    "is_own_id",
    "is_own_id_of_several",
    "is_plain_id",
    "looks_like_an_id",
    "may_name_an_error_by_id",
    "names_an_error",
    "names_an_error_by_id",
    "worded_id",
]

# Ids that are something else, too: these count only if they look like one.
_PLAIN_IDS: Final = frozenset(("instance", "uuid", "ticket", "errorid"))
UUID: Final = "urn:uuid:"
# Words that names of errors have (``Unknown_Subaccount``, beside its number).
_ERROR_WORDS: Final = late(
    r"Unknown|Invalid|Missing|Denied|Exceeded|Forbidden|Expired|Conflict|Required$|Not_?Found"
)
_WORDS_IN_ONE: Final = late(r"[a-z]{2,20}(?:[A-Z][a-z]{1,20}){1,6}", re.ASCII)
_CAUSE_KEYS: Final = frozenset(("status", "code", "source"))
_OWN_ID: Final = late(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9._:-]{6,64}", re.ASCII)
_WORDED_ID: Final = late(
    r"\b(?:request|correlation|trace|error|incident|tracking|activity|support|event)[ _-]?"
    r"(?:id|uuid|guid)\b[\"']?\s?(?:is |was )?[:=#]?\s{0,2}[\"'(\[]?"
    r"([a-z0-9][a-z0-9._:-]{7,63})",
    re.IGNORECASE | re.ASCII,
)
_CODE_ENDS: Final = ("ERROR", "EXCEPTION", "FAILURE", "FAULT")


def is_error_code(text: str) -> bool:
    """Whether what stands under a key of ids is the code of an error."""
    return text.isdigit() or text.replace("_", "").isupper()


def looks_like_an_id(text: str) -> bool:
    """Whether a text is long enough for an id, with a digit in it."""
    return len(text) >= 8 and any(map(str.isdigit, text))


def has_plain_id(key: Key) -> bool:
    """Whether the ids under a key may be something else, too."""
    return key.plain in _PLAIN_IDS


def is_plain_id(text: str) -> bool:
    """Whether an id under such a key is one of a request, as it stands."""
    return looks_like_an_id(text) and not is_error_code(text) and not text.startswith(UUID)


def is_own_id(text: object, node: Mapping[str, Any]) -> bool:
    """Whether an ``id`` is of what is an error itself, as with Kintone: beside code and message."""
    told = isinstance(node.get("code"), str) and isinstance(node.get("message"), str)
    return told and _is_opaque(text)


def is_own_id_of_several(text: object, node: Mapping[str, Any]) -> bool:
    """Whether an ``id`` is that of one error of several, as in JSON:API (section 11.3)."""
    told = "title" in node and "detail" in node and not _CAUSE_KEYS.isdisjoint(node)
    return told and _is_opaque(text)


def _is_opaque(text: object) -> bool:
    return isinstance(text, str) and is_request_id(text) and _OWN_ID.fullmatch(text) is not None


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


def worded_id(messages: Iterable[str]) -> str | None:
    """Return the request's id that sentences tell: "... (correlation id 8f2a91c0aa11bb22)"."""
    for text in messages:
        found = _WORDED_ID.search(text) if "id" in text.lower() else None
        if found is not None:
            told = found[1].rstrip("._:-")
            if looks_like_an_id(told) and is_request_id(told):
                return told
    return None
