"""A message that is a mapping: ``logger.info({"event": "Contact synced", "crm": "zoho"})``.

structlog hands its events over like this, before it renders them, and so do users of
python-json-logger. One entry is the message; the others are fields, as if ``extra`` held them.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

__all__ = ["TEXTS", "text_of", "unfold_message"]

TEXTS: Final = ("event", "message", "msg")
"""Names of the entry that is the message, in order of preference."""

_ENTRIES: Final = 1_000


def text_of(message: Any) -> Any:
    """Return the entry of a mapping that is its message; anything else as it is.

    Example:
        >>> text_of({"event": "Contact synced", "crm": "zoho"}), text_of("Contact synced")
        ('Contact synced', 'Contact synced')
    """
    if type(message) is not dict:
        return message
    entries = _entries(message)
    return next((entries[name] for name in TEXTS if name in entries), message)


def unfold_message(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return a record's attributes, and below them the other entries of a message.

    Example:
        >>> unfold_message({"name": "a", "msg": {"event": "Contact synced", "crm": "zoho"}})
        {'crm': 'zoho', 'name': 'a', 'msg': {'event': 'Contact synced', 'crm': 'zoho'}}
    """
    message = attributes.get("msg")
    if type(message) is not dict:
        return attributes
    entries = _entries(message)
    for name in TEXTS:
        if name in entries:
            del entries[name]
            break
    return {**entries, **attributes} if entries else attributes


def _entries(message: dict[object, object]) -> dict[str, object]:
    # Only names of this exact type: a foreign key's own code might run.
    return {key: value for key, value in islice(message.items(), _ENTRIES) if type(key) is str}
