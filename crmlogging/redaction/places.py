"""Places in the program that may be shown: files relative to where they were imported from.

A directory above the import path tells a user's name or a customer's; a file name can be made
up (``compile(text, "ada@example.com", "exec")``). Shown is what was loaded from a file that is
there, from its ``sys.path`` entry down.
"""

from __future__ import annotations

import os
import re
import sys
from types import CodeType
from typing import Any, Final

__all__ = [
    *(
        "DYNAMIC_FILE",
        "NAME",
        "file_of",
        "function_name",
        "is_loaded",
        "is_there",
        "module_of",
        "place_of",
    ),
    *("safe_path", "source_file"),
]

DYNAMIC_FILE: Final = "<dynamic>"
NAME: Final = "[NAME]"
"""Stands for a name that nothing in this process vouches for."""

_KEPT: Final = 4_096
_SEGMENT: Final = re.compile(
    r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}(?:\.[A-Za-z0-9_-]{1,32}){0,4}", re.ASCII
)
_NAME_CHARACTERS: Final = 100
_MADE_BY_PYTHON: Final = frozenset(
    ("<module>", "<lambda>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
)
_LOADED: Final = sys.maxsize
_paths: dict[str, str] = {}
_existing: dict[str, bool] = {}
_loaded: dict[str, int] = {}
# By id, since hashing a code object walks its whole bytecode.
_functions: dict[int, tuple[CodeType, str]] = {}


def safe_path(filename: str) -> str:
    """Return the file relative to its ``sys.path`` entry, or ``<dynamic>``.

    Args:
        filename: ``co_filename`` of a code object that runs in this process.

    Example:
        >>> safe_path(os.__file__), safe_path("<string>")
        ('os.py', '<dynamic>')
    """
    known = _paths.get(filename)
    if known is None:
        if len(_paths) >= _KEPT:
            _paths.clear()
        known = _paths[filename] = _relative(filename)
    return known


def _relative(filename: str) -> str:
    if filename.startswith("<") or "\0" in filename or not is_there(filename):
        return DYNAMIC_FILE
    path = _absolute(filename)
    best = ""
    for entry in sys.path:
        if type(entry) is str:
            root = _absolute(entry or os.curdir)
            if len(root) > len(best) and path.startswith(root + os.sep):
                best = root
    inner = path[len(best) + 1 :] if best else os.path.basename(path)
    parts = inner.replace(os.sep, "/").split("/")
    return "/".join(part if _SEGMENT.fullmatch(part) else NAME for part in parts)


def _absolute(path: str) -> str:
    try:
        return os.path.abspath(path)
    except OSError:  # The working directory was removed.
        return path


def is_there(filename: str) -> bool:
    """Tell whether the file is there, or a module was loaded from it (out of an archive)."""
    known = _existing.get(filename)
    if known is None:
        known = os.path.isfile(filename) or is_loaded(filename)
        if len(_existing) >= _KEPT:
            _existing.clear()
        _existing[filename] = known
    return known


def source_file(code: CodeType, namespace: dict[str, Any]) -> str | None:
    """Return the file that `code` came from, or None for code made from a text (``exec``).

    A program shipped as ``.pyc`` only, or frozen, names a file that is not there; then its
    module must bear that name.

    Args:
        code: running code.
        namespace: its globals.
    """
    filename = code.co_filename
    if filename.startswith("<") or "\0" in filename:
        return None
    if is_there(filename):
        return filename
    file = _file_of(module_of(namespace))
    if file is None:
        return None
    stems = [os.path.splitext(os.path.basename(each))[0] for each in (file, filename)]
    return file if stems[0] == stems[1] else None


def module_of(namespace: dict[str, Any]) -> object:
    """Return the module whose globals `namespace` is, or None."""
    name = namespace.get("__name__")
    module = sys.modules.get(name) if type(name) is str else None
    return module if _namespace_of(module) is namespace else None


def is_loaded(filename: str) -> bool:
    """Tell whether a module of this process was loaded from the file."""
    known = _loaded.get(filename)
    if known is None or known < len(sys.modules):  # looked for among fewer modules
        files = {_file_of(module) for module in list(sys.modules.values())}
        known = _LOADED if filename in files else len(sys.modules)
        if len(_loaded) >= _KEPT:
            _loaded.clear()
        _loaded[filename] = known
    return known == _LOADED


def file_of(name: str) -> str | None:
    """Return the file that a module was loaded from; None if it was not."""
    return _file_of(sys.modules.get(name))


def _file_of(module: object) -> str | None:
    namespace = _namespace_of(module)
    file = None if namespace is None else namespace.get("__file__")
    return file if type(file) is str else None


def _namespace_of(module: object) -> dict[str, Any] | None:
    """The instance's dict: a module may be an object with attributes of its own making."""
    try:
        namespace = object.__getattribute__(module, "__dict__")
    except Exception:  # noqa: BLE001  # anything may stand in sys.modules
        return None
    return namespace if type(namespace) is dict else None


def place_of(code: CodeType, namespace: dict[str, Any]) -> tuple[str, str]:
    """Return file and function of running code: what no file vouches for has no name either.

    Args:
        code: running code.
        namespace: its globals.
    """
    file = source_file(code, namespace)
    if file is None:
        return DYNAMIC_FILE, code.co_name if code.co_name in _MADE_BY_PYTHON else NAME
    return safe_path(file), function_name(code, namespace)


def function_name(code: CodeType, namespace: dict[str, Any]) -> str:
    """Return the name of the function that `code` is, if its file spells it.

    Code made from a text may have any name, and any file's.

    Args:
        code: running code.
        namespace: its globals.
    """
    known = _functions.get(id(code))
    if known is None or known[0] is not code:
        if len(_functions) >= _KEPT:
            _functions.clear()
        known = _functions[id(code)] = (code, _function_name(code, namespace))
    return known[1]


def _function_name(code: CodeType, namespace: dict[str, Any]) -> str:
    # Here, since sources is not needed for records without an exception.
    from crmlogging.redaction import sources

    name = code.co_name
    if name in _MADE_BY_PYTHON:
        return name
    # A name put in place of another is not the one that the qualified name ends with.
    if code.co_qualname.rpartition(".")[2] != name or not _is_identifier(name):
        return NAME
    if code.co_filename.startswith("<"):
        return NAME
    return name if sources.spelled_out(code, namespace, (name,)) else NAME


def _is_identifier(name: str) -> bool:
    return name.isascii() and name.isidentifier() and len(name) <= _NAME_CHARACTERS
