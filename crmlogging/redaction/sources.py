"""The source behind a running frame, and the expression at an instruction of it.

Source counts only when compiling it gives the running code: a deploy may have swapped the file
under a long-lived process, and a template read from another version would be a wrong one. Where
a tool rewrote the function (pytest its asserts), the instructions of the very expression must
be the same instead.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Iterator
from functools import cached_property
from opcode import opname
from types import CodeType
from typing import TYPE_CHECKING, Any, Final

from crmlogging.redaction.call_site import Span, instructions_in, span_at
from crmlogging.redaction.source_text import NotNow, text_of

if TYPE_CHECKING:
    import ast

__all__ = ["Place", "call_at", "is_source_of", "raise_at", "spelled_out"]

_MODULES_KEPT: Final = 16
_ATTEMPTS: Final = 3


class Place:
    """An expression of the running program, found in its source.

    Attributes:
        node: the call, or the raise statement.
        scope: the function, lambda, class body or module around it.
        module: the file it stands in.
    """

    def __init__(self, node: ast.AST, scope: ast.AST, module: _Module, code: CodeType) -> None:
        self.node = node
        self.scope = scope
        self.module = module
        self._code = code

    def runs(self, node: ast.expr) -> bool:
        """Tell whether `node`, of the same scope, is what the running code holds there."""
        return self.module.compiled(self._code, _span_of(node))


class _Module:
    """A source file, parsed and compiled."""

    def __init__(self, tree: ast.Module, code: CodeType) -> None:
        self.tree = tree
        self._codes: dict[tuple[str, int], list[CodeType]] = {}
        for each in _nested(code):
            self._codes.setdefault((each.co_qualname, each.co_firstlineno), []).append(each)

    def gives(self, running: CodeType) -> bool:
        """Tell whether this source compiles to `running`."""
        codes = self._codes.get((running.co_qualname, running.co_firstlineno), [])
        return any(code == running for code in codes)

    def compiled(self, running: CodeType, span: Span) -> bool:
        """Tell whether this source compiles to `running`, or at least its part in `span`."""
        codes = self._codes.get((running.co_qualname, running.co_firstlineno), [])
        return self.gives(running) or any(_same(code, running, span) for code in codes)

    def find(self, span: Span, kind: type[ast.expr | ast.stmt]) -> tuple[ast.AST, ast.AST] | None:
        """Return the one node of a `kind` at `span`, and its scope."""
        found = [
            (node, scope)
            for node, scope in _walk(self.tree)
            if isinstance(node, kind) and _ends_with(node, span)
        ]
        return found[0] if len(found) == 1 else None

    @cached_property
    def literals(self) -> frozenset[str]:
        """Every string literal of the file."""
        import ast

        values = (node.value for node in ast.walk(self.tree) if isinstance(node, ast.Constant))
        return frozenset(value for value in values if type(value) is str)

    @cached_property
    def constants(self) -> frozenset[str]:
        """Those, and what the compiler joins and repeats of them: ``"=" * 40``."""
        codes = [code for each in self._codes.values() for code in each]
        values = (value for code in codes for value in code.co_consts)
        return self.literals | {value for value in values if type(value) is str}

    @cached_property
    def texts(self) -> frozenset[str]:
        """Those that contain a space."""
        return frozenset(value for value in self.literals if " " in value)


_CONSTANT: Final = frozenset(("LOAD_CONST", "RETURN_CONST", "KW_NAMES"))
_FLAGS: Final = 1 if sys.version_info >= (3, 12) else 0
# Operations on a name, with the number of low bits of their argument that are flags.
_ATTRIBUTE: Final = {
    **dict.fromkeys(("LOAD_NAME", "STORE_NAME", "LOAD_METHOD", "STORE_ATTR", "STORE_GLOBAL"), 0),
    "LOAD_GLOBAL": 1,
    "LOAD_ATTR": _FLAGS,
    "LOAD_SUPER_ATTR": 2 * _FLAGS,
}

_lock = threading.RLock()
_modules: dict[str, _Module | None] = {}
_reading: set[str] = set()
_exhausted: dict[str, int] = {}


def call_at(code: CodeType, offset: int, namespace: dict[str, Any]) -> Place | None:
    """Return the call that the instruction at byte `offset` makes, or None.

    Args:
        code: the running code.
        offset: ``f_lasti`` of its frame.
        namespace: ``f_globals``, whose loader may hold the source (zip files).
    """
    import ast

    return _node_at(code, offset, namespace, ast.Call)


def is_source_of(code: CodeType, namespace: dict[str, Any]) -> bool:
    """Tell whether there is source that compiles to `code`."""
    module = _module(code.co_filename, namespace)
    return module is not None and module.gives(code)


def spelled_out(code: CodeType, namespace: dict[str, Any], texts: Iterable[str]) -> tuple[str, ...]:
    """Return those of `texts`, constants of `code`, that its file spells out.

    Code made from a text may name any file as its own (a template's, its generator's), and hold
    anybody's data. Without a readable file (``.pyc`` only) there is nothing to compare with.
    """
    source = text_of(code.co_filename, namespace)
    if source is None:
        return tuple(texts)
    found: list[str] = []
    others: list[str] = []
    for text in texts:
        (found if text in source else others).append(text)
    if others:  # written with escapes, or in parts
        module = _module(code.co_filename, namespace)
        constants = frozenset() if module is None else module.constants
        found += [text for text in others if text in constants]
    return tuple(found)


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
        if module is None or not module.compiled(code, span):
            return None
        found = module.find(span, kind)
    except (RecursionError, MemoryError, LookupError, ValueError):  # nested too deeply to walk
        return None
    return None if found is None else Place(*found, module, code)


def _module(filename: str, namespace: dict[str, Any]) -> _Module | None:
    with _lock:
        if filename in _reading:  # compiling may warn, a signal may come: both may log
            raise NotNow
        if filename not in _modules:
            if len(_modules) >= _MODULES_KEPT:
                _modules.pop(next(iter(_modules)))
            _reading.add(filename)
            try:
                module = _read(filename, namespace)
            finally:
                _reading.discard(filename)
            _modules[filename] = module
        return _modules[filename]


def _after_fork() -> None:
    """Renew the lock that another thread may have held at the fork."""
    global _lock
    _lock = threading.RLock()
    _reading.clear()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)


def _read(filename: str, namespace: dict[str, Any]) -> _Module | None:
    """Read, parse and compile a file; None for one that cannot be or is too large."""
    import ast

    try:
        source = text_of(filename, namespace)
        if source is None:
            return None
        tree = ast.parse(source)
        return _Module(tree, compile(source, filename, "exec", dont_inherit=True))
    except (RecursionError, MemoryError):
        # The end of the stack, or a source nested beyond what the parser can walk.
        _exhausted[filename] = _exhausted.get(filename, 0) + 1
        if _exhausted[filename] < _ATTEMPTS:
            raise NotNow from None
        return None
    except NotNow:
        raise
    except Exception:  # noqa: BLE001  # no Python, or what no version of it can compile
        return None


def _nested(code: CodeType) -> Iterator[CodeType]:
    waiting = [code]
    while waiting:
        each = waiting.pop()
        yield each
        waiting += [value for value in each.co_consts if isinstance(value, CodeType)]


def _walk(tree: ast.Module) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Yield every node with the scope around it."""
    import ast

    scopes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
    waiting: list[tuple[ast.AST, ast.AST]] = [(tree, tree)]
    while waiting:
        node, scope = waiting.pop()
        yield node, scope
        inner = node if isinstance(node, scopes) else scope
        waiting += [(child, inner) for child in ast.iter_child_nodes(node)]


def _span_of(node: ast.expr | ast.stmt) -> Span:
    end_line, end_column = node.end_lineno or 0, node.end_col_offset or 0
    return Span(node.lineno, node.col_offset, end_line, end_column)


def _ends_with(node: ast.expr | ast.stmt, span: Span) -> bool:
    """Two calls never end at one place; their start depends on the version of Python."""
    place = _span_of(node)
    return place.holds(span) and place[2:] == span[2:]


def _same(compiled: CodeType, running: CodeType, span: Span) -> bool:
    """Tell whether both hold the same instructions, names and constants within `span`."""
    ours, theirs = (list(_meant(code, span)) for code in (compiled, running))
    return bool(ours) and ours == theirs


def _meant(code: CodeType, span: Span) -> Iterator[tuple[object, ...]]:
    """Yield each instruction with what its argument stands for, since the tables may differ."""
    for operation, argument, where in instructions_in(code, span):
        name = opname[operation]
        meaning: object = argument
        if name in _CONSTANT:
            value = code.co_consts[argument]
            meaning = None if isinstance(value, CodeType) else (type(value), value)
        elif name in _ATTRIBUTE:
            meaning = code.co_names[argument >> _ATTRIBUTE[name]], argument & 1
        elif "FAST" in name or "DEREF" in name or "CLOSURE" in name:
            meaning = _variables(code, name, argument)
        yield name, meaning, where


def _variables(code: CodeType, name: str, argument: int) -> object:
    slots = dict.fromkeys((*code.co_varnames, *code.co_cellvars, *code.co_freevars))
    variables = tuple(slots)  # an argument that is a cell has one slot
    if name.count("FAST") == 2:  # 3.13 loads or stores two variables at once
        return variables[argument >> 4], variables[argument & 15]
    return variables[argument]
