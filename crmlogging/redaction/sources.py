"""The source behind a running frame, and the expression at an instruction of it.

Source counts only when compiling it gives the running code: a deploy may have swapped the file
under a long-lived process, and a template read from another version would be a wrong one. Where
a tool rewrote the function (pytest its asserts), the instructions of the very expression must
be the same instead.
"""

from __future__ import annotations

import linecache
import threading
from collections.abc import Iterator
from opcode import opname
from types import CodeType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from crmlogging.redaction.call_site import Span, instructions_in, span_at

if TYPE_CHECKING:
    import ast

__all__ = ["Place", "call_at", "raise_at"]

_SOURCE_CHARACTERS: Final = 2_000_000
_MODULES_KEPT: Final = 16


class Place(NamedTuple):
    """An expression of the running program, found in its source.

    Attributes:
        node: the call, or the raise statement.
        function: the function (or module) around it.
        module: the whole tree.
        whole: the function's code equals the compiled one, not only this expression's.
    """

    node: ast.AST
    function: ast.AST
    module: ast.Module
    whole: bool


class _Module(NamedTuple):
    tree: ast.Module
    codes: dict[tuple[str, int], list[CodeType]]


_lock = threading.RLock()
_modules: dict[str, _Module | None] = {}


def call_at(code: CodeType, offset: int, namespace: dict[str, Any]) -> Place | None:
    """Return the call that the instruction at byte `offset` makes, or None.

    Args:
        code: the running code.
        offset: ``f_lasti`` of its frame.
        namespace: ``f_globals``, whose loader may hold the source (zip files).
    """
    import ast

    return _node_at(code, offset, namespace, ast.Call)


def raise_at(code: CodeType, offset: int, namespace: dict[str, Any]) -> Place | None:
    """Return the raise statement at byte `offset` of `code`, or None."""
    import ast

    return _node_at(code, offset, namespace, ast.Raise)


def _node_at(
    code: CodeType, offset: int, namespace: dict[str, Any], kind: type[ast.expr | ast.stmt]
) -> Place | None:
    span = span_at(code, offset)
    if span is None:
        return None
    try:
        module = _module(code.co_filename, namespace)
        return None if module is None else _find(module, code, span, kind)
    except (RecursionError, MemoryError, ValueError):  # nested beyond what the parser can walk
        return None


def _module(filename: str, namespace: dict[str, Any]) -> _Module | None:
    with _lock:
        if filename in _modules:
            return _modules[filename]
    module = _read(filename, namespace)
    with _lock:
        if len(_modules) >= _MODULES_KEPT:
            _modules.pop(next(iter(_modules)))
        _modules[filename] = module
    return module


def _read(filename: str, namespace: dict[str, Any]) -> _Module | None:
    """Read, parse and compile a file; None for one that cannot be or is too large."""
    import ast
    import warnings

    try:
        source = "".join(linecache.getlines(filename, namespace))
        if not source or len(source) > _SOURCE_CHARACTERS:
            return None
        with warnings.catch_warnings():  # those were shown when the module was imported
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
            compiled = compile(source, filename, "exec", dont_inherit=True)
    except Exception:  # noqa: BLE001  # a loader may raise anything: then there is no source
        return None
    codes: dict[tuple[str, int], list[CodeType]] = {}
    for each in _nested(compiled):
        codes.setdefault((each.co_qualname, each.co_firstlineno), []).append(each)
    return _Module(tree, codes)


def _nested(code: CodeType) -> Iterator[CodeType]:
    waiting = [code]
    while waiting:
        each = waiting.pop()
        yield each
        waiting += [value for value in each.co_consts if isinstance(value, CodeType)]


def _find(
    module: _Module, code: CodeType, span: Span, kind: type[ast.expr | ast.stmt]
) -> Place | None:
    compiled = module.codes.get((code.co_qualname, code.co_firstlineno), [])
    whole = any(each == code for each in compiled)
    if not whole and not any(_same(each, code, span) for each in compiled):
        return None
    found = [
        (node, function)
        for node, function in _walk(module.tree)
        if isinstance(node, kind) and _ends_with(node, span)
    ]
    if len(found) != 1:  # f-strings of 3.11 place their expressions loosely
        return None
    return Place(found[0][0], found[0][1], module.tree, whole)


def _ends_with(node: ast.expr | ast.stmt, span: Span) -> bool:
    """Two calls never end at one place; their start depends on the version of Python."""
    return (node.end_lineno, node.end_col_offset) == (span.end_line, span.end_column) and (
        (node.lineno, node.col_offset) <= (span.line, span.column)
    )


def _walk(tree: ast.Module) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Yield every node with the function, lambda or module around it."""
    import ast

    scopes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
    waiting: list[tuple[ast.AST, ast.AST]] = [(tree, tree)]
    while waiting:
        node, function = waiting.pop()
        yield node, function
        inner = node if isinstance(node, scopes) else function
        waiting += [(child, inner) for child in ast.iter_child_nodes(node)]


def _same(compiled: CodeType, running: CodeType, span: Span) -> bool:
    """Tell whether both hold the same instructions, names and constants within `span`."""
    ours, theirs = (list(_meant(each, span)) for each in (compiled, running))
    return bool(ours) and ours == theirs


def _meant(code: CodeType, span: Span) -> Iterator[tuple[object, ...]]:
    for operation, argument, where in instructions_in(code, span):
        name = opname[operation]
        if name == "CACHE":
            continue
        meaning: object = argument
        if "CONST" in name or name == "KW_NAMES":
            meaning = (type(code.co_consts[argument]), code.co_consts[argument])
        elif "GLOBAL" in name:
            meaning = code.co_names[argument >> 1 if name == "LOAD_GLOBAL" else argument]
        elif "ATTR" in name or "METHOD" in name or name.endswith("_NAME"):
            meaning = _attribute(code, name, argument)
        elif "FAST" in name or "DEREF" in name or "CLOSURE" in name:
            meaning = _variable(code, name, argument)
        yield name, meaning, where


def _attribute(code: CodeType, name: str, argument: int) -> object:
    shifts = {"LOAD_ATTR": 1, "LOAD_SUPER_ATTR": 2}
    import sys

    shift = shifts.get(name, 0) if sys.version_info >= (3, 12) else 0
    return argument, code.co_names[argument >> shift]


def _variable(code: CodeType, name: str, argument: int) -> object:
    variables = (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
    if name.count("FAST") == 2:  # 3.13 loads two variables at once
        return variables[argument >> 4], variables[argument & 15]
    return variables[argument]
