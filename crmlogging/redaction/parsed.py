"""A source, parsed and compiled: what it says at a place, and whether that is what runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cached_property
from opcode import opname
from types import CodeType
from typing import TYPE_CHECKING, Final

from crmlogging.redaction.call_site import Span, instructions_in

if TYPE_CHECKING:
    import ast

__all__ = ["Parsed", "nested", "same", "span_of"]

_CONSTANT: Final = frozenset(("LOAD_CONST", "RETURN_CONST", "KW_NAMES"))
_FLAGS: Final = 1 if sys.version_info >= (3, 12) else 0
# Operations on a name, with the number of low bits of their argument that are flags.
_ATTRIBUTE: Final = {
    **dict.fromkeys(("LOAD_NAME", "STORE_NAME", "LOAD_METHOD", "STORE_ATTR", "STORE_GLOBAL"), 0),
    "LOAD_GLOBAL": 1,
    "LOAD_ATTR": _FLAGS,
    "LOAD_SUPER_ATTR": 2 * _FLAGS,
}
_NONE: Final = (type(None), None)
# What becomes of a result. Prompts and notebooks compile a statement by itself, and print that
# of a last expression.
_AFTERWARDS: Final = frozenset(
    (
        *(("POP_TOP", 0), ("PRINT_EXPR", 0), ("CALL_INTRINSIC_1", 1)),
        *(("LOAD_CONST", _NONE), ("RETURN_VALUE", 0), ("RETURN_CONST", _NONE)),
    )
)


class Parsed:
    """A source file, or a piece of one.

    Attributes:
        tree: its syntax tree.
        whole: it is no piece.
    """

    def __init__(self, tree: ast.Module, code: CodeType, *, whole: bool = True) -> None:
        self.tree = tree
        self.whole = whole
        self._codes: dict[tuple[str, int], list[CodeType]] = {}
        for each in nested(code):
            self._codes.setdefault((each.co_qualname, each.co_firstlineno), []).append(each)

    def gives(self, running: CodeType) -> bool:
        """Tell whether this source compiles to `running`."""
        codes = self._codes.get((running.co_qualname, running.co_firstlineno), [])
        return any(code == running for code in codes)

    def compiled(self, running: CodeType, span: Span) -> bool:
        """Tell whether this source compiles to `running`, or at least its part in `span`."""
        codes = self._codes.get((running.co_qualname, running.co_firstlineno), [])
        return self.gives(running) or any(same(code, running, span) for code in codes)

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


def nested(code: CodeType) -> Iterator[CodeType]:
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


def span_of(node: ast.expr | ast.stmt) -> Span:
    end_line, end_column = node.end_lineno or 0, node.end_col_offset or 0
    return Span(node.lineno, node.col_offset, end_line, end_column)


def _ends_with(node: ast.expr | ast.stmt, span: Span) -> bool:
    """Two calls never end at one place; their start depends on the version of Python."""
    place = span_of(node)
    return place.holds(span) and place[2:] == span[2:]


def same(compiled: CodeType, running: CodeType, span: Span) -> bool:
    """Tell whether both hold the same instructions, names and constants within `span`."""
    ours, theirs = (_meant_until(code, span) for code in (compiled, running))
    return bool(ours) and ours == theirs


def _meant_until(code: CodeType, span: Span) -> list[tuple[object, ...]]:
    """Return what makes the result of `span`."""
    meant = list(_meant(code, span))
    while meant and meant[-1][:2] in _AFTERWARDS:
        meant.pop()
    return meant


def _meant(code: CodeType, span: Span) -> Iterator[tuple[object, ...]]:
    """Yield each instruction with what its argument stands for, since the tables may differ."""
    for operation, argument, where in instructions_in(code, span):
        name = opname[operation]
        meaning: object = argument
        if name in _CONSTANT:
            value = code.co_consts[argument]
            meaning = None if isinstance(value, CodeType) else (type(value), value)
        elif name in _ATTRIBUTE:
            bits = _ATTRIBUTE[name]
            meaning = code.co_names[argument >> bits], argument & (1 << bits) - 1
        elif "FAST" in name or "DEREF" in name or "CLOSURE" in name:
            meaning = _variables(code, name, argument)
        yield name, meaning, where


def _variables(code: CodeType, name: str, argument: int) -> object:
    slots = dict.fromkeys((*code.co_varnames, *code.co_cellvars, *code.co_freevars))
    variables = tuple(slots)  # an argument that is a cell has one slot
    if name.count("FAST") == 2:  # 3.13 loads or stores two variables at once
        return variables[argument >> 4], variables[argument & 15]
    return variables[argument]
