"""The text of a source, as the interpreter shows it in tracebacks."""

from __future__ import annotations

import linecache
import re
import sys
from types import CodeType
from typing import Any, Final

from crmlogging.redaction.places import is_there, module_of

__all__ = ["NotNow", "is_outdated", "loaded_code", "text_of"]

_CHARACTERS: Final = 2_000_000
# Sources that have no file of their own and are typed in, not made: ``-c``, a prompt, a notebook.
_TYPED: Final = (
    r"<(?:string|stdin|python-input-\d{1,9}|ipython-input-[\w-]{1,64}|doctest [^<>]{1,300})>"
    r"|[^<>]{0,300}[/\\]ipykernel_\d{1,9}[/\\]\d{1,20}\.py"
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
    # Generators put what they made into the same cache as prompts do, under any name.
    if not re.fullmatch(_TYPED, filename) and (filename.startswith("<") or not is_there(filename)):
        return None
    command = _of_command() if filename == "<string>" else ""
    if filename == "<string>" and not command:
        return None
    try:
        text = "".join(linecache.getlines(filename, namespace))
    except (RecursionError, MemoryError):
        raise NotNow from None
    except Exception:  # noqa: BLE001  # a loader may raise anything
        return None
    text = text or command  # newer Pythons register the program themselves
    return text if 0 < len(text) <= _CHARACTERS else None


def is_outdated(filename: str) -> bool:
    """Tell whether a file has changed since its text was read, which is forgotten then."""
    known = linecache.cache.get(filename)
    try:
        linecache.checkcache(filename)
    except Exception:  # noqa: BLE001  # notebooks put a function of theirs there
        return False
    return known is not None and linecache.cache.get(filename) is not known


def loaded_code(namespace: dict[str, Any]) -> CodeType | None:
    """Return the code that a module was loaded from, where that has no text (``.pyc`` only).

    Args:
        namespace: globals; those of a module only have such code.
    """
    module = module_of(namespace)
    loader = namespace.get("__loader__")
    if module is None or loader is None:
        return None
    try:
        code = loader.get_code(namespace["__name__"])
    except Exception:  # noqa: BLE001  # a loader may raise anything
        return None
    return code if type(code) is CodeType else None


def _of_command() -> str:
    """Return the program given by ``python -c``."""
    arguments = sys.orig_argv
    return arguments[arguments.index("-c") + 1] if "-c" in arguments[1:-1] else ""
