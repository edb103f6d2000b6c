"""What the names of a file are bound to, and the calls that may log: one walk over its tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeGuard

__all__ = ["Binding", "Candidate", "Index", "Scope", "origin_of"]

_METHODS: Final = frozenset(
    "debug info warning warn error critical fatal exception log LoggerAdapter".split()
)
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS: Final = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES: Final = (*_FUNCTIONS, *_COMPREHENSIONS, ast.ClassDef)
# Most nodes of a tree, of which nothing is noted.
_LEAVES: Final = frozenset(
    (
        *(ast.Constant, ast.Load, ast.Store, ast.Del, ast.Pass, ast.Break, ast.Continue, ast.alias),
        *(*ast.operator.__subclasses__(), *ast.cmpop.__subclasses__()),
        *(*ast.boolop.__subclasses__(), *ast.unaryop.__subclasses__()),
    )
)


class Binding(NamedTuple):
    """One way in which a scope binds a name.

    Attributes:
        kind: ``value`` (an assignment to this name alone), ``parameter``, ``import``, ``caught``
            (``except ... as name``), or ``other``.
        node: the value assigned, a parameter's annotation, or None.
        origin: of an import, the dotted name of what was imported.
    """

    kind: str
    node: ast.expr | None = None
    origin: str = ""


_BINDINGS_MAXIMUM: Final = 16
_UNKNOWN: Final = [Binding("other")]


class Scope:
    """A module, class, function, lambda or comprehension.

    Attributes:
        parent: the scope around it, None for the module.
        names: name to its bindings.
        items: name to the keys and values of ``name["key"] = value``.
    """

    __slots__ = ("items", "names", "node", "parent")

    def __init__(self, node: ast.AST, parent: Scope | None) -> None:
        self.node, self.parent = node, parent
        self.names: dict[str, list[Binding]] = {}
        self.items: dict[str, list[tuple[ast.Constant, ast.expr]]] = {}

    def lookup(self, name: str) -> tuple[Scope, list[Binding]] | None:
        """Return the nearest scope that binds `name`, as Python looks for it, and how.

        What is bound again and again counts as bound in an unknown way: who follows each of
        many values to a name with many values of its own would not come to an end.
        """
        scope: Scope | None = self
        while scope is not None:
            found = scope.names.get(name)
            # A class body is not seen from the functions in it.
            if found and (scope is self or not isinstance(scope.node, ast.ClassDef)):
                return scope, found if len(found) <= _BINDINGS_MAXIMUM else _UNKNOWN
            scope = scope.parent
        return None


class Candidate(NamedTuple):
    """A call that may log, with what is around it.

    Attributes:
        handler: the except block it stands in, of the same function.
    """

    call: ast.Call
    scope: Scope
    handler: ast.ExceptHandler | None


class Index:
    """What one walk over a file's tree finds.

    Attributes:
        module: the outermost scope.
        attributes: attribute name to what is assigned to it, in any class of the file.
        candidates: calls of a method of loggers, in no order.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.module = Scope(tree, None)
        self.attributes: dict[str, list[ast.expr]] = {}
        self.candidates: list[Candidate] = []
        self._plain: list[Candidate] = []
        self._alone: set[int] = set()
        self._from_logging: set[str] = set()
        self._walk(tree)
        for each in self._plain:
            if getattr(each.call.func, "id", "") in self._from_logging:
                self.candidates.append(each)

    def _walk(self, tree: ast.Module) -> None:
        waiting: list[tuple[ast.AST, Scope, ast.ExceptHandler | None]] = [(tree, self.module, None)]
        while waiting:
            node, scope, handler = waiting.pop()
            self._note(node, scope, handler)
            if isinstance(node, _SCOPES):
                scope, handler = self._enter(node, scope), None
            elif isinstance(node, ast.ExceptHandler):
                handler = node
            for field in reversed(node._fields):
                value = getattr(node, field, None)
                if type(value) is list:
                    children = reversed(value)
                    waiting += [(c, scope, handler) for c in children if _is_of_interest(c)]
                elif _is_of_interest(value):
                    waiting.append((value, scope, handler))

    def _enter(self, node: ast.AST, outer: Scope) -> Scope:
        scope = Scope(node, outer)
        if isinstance(node, _FUNCTIONS):
            named = node.args
            for each in (*named.posonlyargs, *named.args, *named.kwonlyargs):
                self._bind(scope, each.arg, Binding("parameter", each.annotation))
            for rest in (named.vararg, named.kwarg):
                if rest is not None:
                    self._bind(scope, rest.arg, Binding("parameter"))
        return scope

    def _note(self, node: ast.AST, scope: Scope, handler: ast.ExceptHandler | None) -> None:
        match node:
            case ast.Call(func=ast.Attribute(attr=name)):
                if name in _METHODS:
                    self.candidates.append(Candidate(node, scope, handler))
            case ast.Call(func=ast.Name()):
                self._plain.append(Candidate(node, scope, handler))
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                if id(node) not in self._alone:
                    self._bind(scope, name, Binding("other"))
            case ast.Assign(targets=[target], value=value):
                self._assign(target, value, scope)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, value, scope)
            case ast.Import() | ast.ImportFrom():
                for name, origin in _imported(node):
                    self._bind(scope, name, Binding("import", origin=origin))
                    if origin.startswith("logging."):
                        self._from_logging.add(name)
            case ast.ExceptHandler(name=str() as name):
                self._bind(scope, name, Binding("caught"))
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                self._bind(scope, name, Binding("other"))
            case ast.ClassDef(name=name):
                self._bind(scope, name, Binding("other"))
            case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
                self._bind(scope, name, Binding("other"))
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                for name in names:
                    self._bind(scope, name, Binding("other"))

    def _assign(self, target: ast.expr, value: ast.expr, scope: Scope) -> None:
        match target:
            case ast.Name(id=name):
                self._alone.add(id(target))
                self._bind(scope, name, Binding("value", value))
                if isinstance(scope.node, ast.ClassDef):
                    self.attributes.setdefault(name, []).append(value)
            case ast.Attribute(attr=name):
                self.attributes.setdefault(name, []).append(value)
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant() as key):
                scope.items.setdefault(name, []).append((key, value))

    @staticmethod
    def _bind(scope: Scope, name: str, binding: Binding) -> None:
        scope.names.setdefault(name, []).append(binding)


def _is_of_interest(value: object) -> TypeGuard[ast.AST]:
    kind = type(value)
    if kind in _LEAVES or (kind is ast.Name and type(value.ctx) is ast.Load):  # type: ignore[attr-defined]  # a Name, as just asked
        return False
    return isinstance(value, ast.AST)


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """Yield each name that an import binds, with the dotted name of what it stands for."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            first = alias.name.partition(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (first, first)
        else:
            base = "." * node.level + (node.module or "")
            yield alias.asname or alias.name, f"{base}.{alias.name}"


def origin_of(node: ast.expr, scope: Scope) -> str | None:
    """Return the dotted name of what an expression stands for, if it was imported.

    ``log.getLogger`` is ``logging.getLogger`` after ``import logging as log``.
    """
    tail: list[str] = []
    while isinstance(node, ast.Attribute):
        tail.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    found = scope.lookup(node.id)
    origins = [b.origin for b in found[1] if b.kind == "import"] if found else []
    return ".".join((origins[0], *reversed(tail))) if origins else None
