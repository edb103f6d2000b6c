"""What is nearly JSON: a body that was cut off, and Python's ``repr`` of one."""

from __future__ import annotations

from typing import Any, Final

import orjson

from crmlogging.errors.text.late import late

__all__ = ["completed", "python_literal"]

_MAX_CHARACTERS: Final = 65_536
_MAX_DEPTH: Final = 64
_TOKEN: Final = late(r'"[^"\\]*(?:\\.[^"\\]*)*("?)|[\[\]{},]')
_ERROR_DETAIL: Final = late(
    r"ErrorDetail\(string=('[^'\\]{0,500}'|\"[^\"\\]{0,500}\"), code='\w{1,40}'\)"
)
_CLOSING: Final = {"{": "}", "[": "]"}


def completed(text: str) -> Any:
    """Return JSON that was cut off as a tree of what is there, or None where nothing can be read.

    A sentence that was cut off is kept as far as it goes; a key without a value is dropped.

    Example:
        >>> completed('{"errors": [{"field": "email", "message": "is inv')
        {'errors': [{'field': 'email', 'message': 'is inv'}]}
        >>> completed('{"errors": [{"field": "email", "mess')
        {'errors': [{'field': 'email'}]}
    """
    if text[:1] not in _CLOSING or len(text) > _MAX_CHARACTERS:
        return None
    open_ones: list[str] = []
    sound, closers, ends = 0, "", ""
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in _CLOSING:
            open_ones.append(_CLOSING[mark])
            if len(open_ones) > _MAX_DEPTH:
                return None
            sound, closers = token.end(), "".join(reversed(open_ones))
        elif mark in "]}":
            if not open_ones or open_ones.pop() != mark:
                return None
            sound, closers = token.end(), "".join(reversed(open_ones))
        elif mark == ",":
            sound, closers = token.start(), "".join(reversed(open_ones))
        elif not token[1]:
            # Of a sentence a piece is as good, of a code it is none.
            ends = '"' if " " in mark else "?"
    if not open_ones:
        return None
    for whole in (
        text.rstrip("\\") + ends + "".join(reversed(open_ones)),
        text[:sound] + closers,
    ):
        try:
            tree = orjson.loads(whole)
        except ValueError:
            continue
        return tree or None
    return None


def python_literal(text: str) -> Any:
    """Read what ``repr`` of parsed JSON looks like, as SDKs put it into exceptions."""
    if len(text) > _MAX_CHARACTERS or ("'" not in text and "None" not in text):
        return None
    import ast  # Here: few bodies are reprs.

    if "ErrorDetail(" in text:  # Django REST framework's strings
        text = _ERROR_DETAIL.sub(r"\1", text)
    try:
        tree = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None
    return tree if isinstance(tree, (dict, list)) else None
