"""The text of a source, as the interpreter shows it in tracebacks."""

from __future__ import annotations

import linecache
import re
import sys
from typing import Any, Final

__all__ = ["NotNow", "text_of"]

_CHARACTERS: Final = 2_000_000
# Sources that have no file of their own and are typed in, not made: ``-c``, a prompt, a notebook.
_TYPED: Final = (
    r"<(?:string|stdin|python-input-\d{1,9}|ipython-input-[\w-]{1,64}|doctest [^<>]{1,300})>"
)


class NotNow(Exception):  # noqa: N818  # no error: the same question has an answer later
    """The source cannot be read at this moment: it is being read, or the stack is at its end."""


def text_of(filename: str, namespace: dict[str, Any]) -> str | None:
    """Return the text of a source; None where there is none, or a too large one.

    Args:
        filename: ``co_filename`` of running code.
        namespace: its globals, whose loader may hold the source (zip files).

    Raises:
        NotNow: stack or memory were at their end.
    """
    if filename.startswith("<") and not re.fullmatch(_TYPED, filename):
        return None  # generators put what they made into the same cache as prompts do
    try:
        text = "".join(linecache.getlines(filename, namespace))
    except (RecursionError, MemoryError):
        raise NotNow from None
    except Exception:  # noqa: BLE001  # a loader may raise anything
        return None
    if filename == "<string>" and not text:
        text = _of_command()
    return text if 0 < len(text) <= _CHARACTERS else None


def _of_command() -> str:
    """Return the program given by ``python -c``."""
    arguments = sys.orig_argv
    return arguments[arguments.index("-c") + 1] if "-c" in arguments[1:-1] else ""
