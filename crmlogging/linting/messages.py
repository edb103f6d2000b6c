"""The verdict on a message: what the line will show of it.

The same questions as `crmlogging.redaction.templates` and ``sites`` ask of a running call, asked
of the source alone. Where the run time may find the message and may not, as with a wrapper's
parameter, that is a verdict of its own.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final, NamedTuple

from crmlogging.linting.scopes import Index, Scope, origin_of
from crmlogging.redaction.built_messages import Built, built_from, dotted_name, entry_of
from crmlogging.redaction.splitting import fits

__all__ = ["Outcome", "Verdict", "is_exception", "verdict_on"]

_DEPTH: Final = 5
_TRANSLATIONS: Final = frozenset(("_", "gettext", "ngettext", "lgettext", "pgettext", "_LI", "_LW"))


class Outcome(IntEnum):
    """What becomes of a message; of several that are possible, the greatest counts."""

    LITERAL = 0
    BUILT = 1
    RAISED = 2
    CALLER = 3
    DYNAMIC = 4


class Verdict(NamedTuple):
    """What the line shows.

    Attributes:
        reason: what is in the way, for `Outcome.DYNAMIC`.
        built: the message in parts, for `Outcome.BUILT`.
    """

    outcome: Outcome
    reason: str = ""
    built: Built | None = None


_LITERAL: Final = Verdict(Outcome.LITERAL)
_SINGLE: Final = "a single word in a variable may be anybody's"


def verdict_on(message: ast.expr, scope: Scope, index: Index) -> Verdict:
    """Return what the line shows of `message`, an expression in a call within `scope`."""
    message = entry_of(message)
    match message:
        case ast.IfExp(body=body, orelse=orelse):
            return _worst([_simple(body, scope, index), _simple(orelse, scope, index)])
        case ast.NamedExpr(value=value):
            return _simple(value, scope, index)
        case ast.Name(id=name):
            return _variable(name, scope, index)
    return _simple(message, scope, index)


def _worst(verdicts: list[Verdict]) -> Verdict:
    """Of messages that fit each other's texts the run time cannot tell which one it has."""
    built = list(dict.fromkeys(each.built for each in verdicts if each.built is not None))
    for one in built:
        text = "\0".join(one.literals)
        if any(other is not one and fits(text, other.literals) for other in built):
            return Verdict(Outcome.DYNAMIC, "two of the messages it may be read alike")
    return max(verdicts, key=lambda verdict: verdict.outcome)


def _simple(node: ast.expr, scope: Scope, index: Index) -> Verdict:
    """Judge an expression that stands in the call itself."""
    if isinstance(node, ast.Constant):
        return _LITERAL if type(node.value) is str else Verdict(Outcome.DYNAMIC, "it is no text")
    built = built_from(node)
    if built is not None:
        return Verdict(Outcome.BUILT, "", built) if built.names else _LITERAL
    if is_exception(node, scope):
        return Verdict(Outcome.RAISED)
    if isinstance(node, ast.Call) and _last_name(node.func) in _TRANSLATIONS:
        # While nothing is translated the literal itself comes back.
        return _worst([_simple(each, scope, index) for each in node.args] or [_LITERAL])
    if _is_text_of_file(node, scope, index):
        return _LITERAL
    return Verdict(Outcome.DYNAMIC, _reason(node, scope))


def _variable(name: str, scope: Scope, index: Index) -> Verdict:
    """Judge a message that is a variable, by all that the calling function binds it to."""
    node = ast.Name(name, ast.Load())
    bindings = scope.names.get(name)
    if not bindings:
        return _simple(node, scope, index)
    verdicts = []
    for binding in bindings:
        if binding.kind == "value" and binding.node is not None:
            verdicts.append(_assigned(binding.node, scope, index))
        elif binding.kind == "parameter":
            verdicts.append(Verdict(Outcome.CALLER))
        elif binding.kind == "caught":
            verdicts.append(Verdict(Outcome.RAISED))
        else:
            verdicts.append(Verdict(Outcome.DYNAMIC, _reason(node, scope)))
    return _worst(verdicts)


def _assigned(value: ast.expr, scope: Scope, index: Index) -> Verdict:
    """Judge what a variable was set to: not the call's own constant, so one word is too little."""
    if _is_word(value):
        return Verdict(Outcome.DYNAMIC, _SINGLE)
    built = built_from(value)
    if built is not None:
        return Verdict(Outcome.BUILT, "", built) if built.names else _LITERAL
    if _is_text_of_file(value, scope, index):
        return _LITERAL
    return Verdict(Outcome.DYNAMIC, _reason(value, scope))


def _is_word(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is str and " " not in node.value


def is_exception(node: ast.expr, scope: Scope) -> bool:
    """Tell whether `node` is the name of a caught exception."""
    if not isinstance(node, ast.Name):
        return False
    found = scope.lookup(node.id)
    return found is not None and all(each.kind == "caught" for each in found[1])


def _is_text_of_file(node: ast.expr, scope: Scope, index: Index, depth: int = _DEPTH) -> bool:
    """Tell whether `node` can only be a literal of this file with more than one word."""
    if not depth:
        return False

    def all_texts(nodes: Iterable[ast.expr | None], where: Scope) -> bool:
        given = list(nodes)
        return bool(given) and all(
            each is not None and _is_text_of_file(each, where, index, depth - 1) for each in given
        )

    match node:
        case ast.Constant(value=str() as text):
            return " " in text
        case ast.IfExp(body=body, orelse=orelse):
            return all_texts((body, orelse), scope)
        case ast.BoolOp(values=values):
            return all_texts(values, scope)
        case ast.Subscript(value=table):
            return all_texts(_in_table(table, scope, index), scope)
        case ast.Name(id=name):
            found = scope.lookup(name)
            return found is not None and all_texts(
                (each.node if each.kind == "value" else None for each in found[1]),
                found[0],
            )
        case ast.Attribute(attr=name):
            return origin_of(node, scope) is None and all_texts(
                index.attributes.get(name, ()), index.module
            )
    return False


def _in_table(table: ast.expr, scope: Scope, index: Index) -> Iterator[ast.expr | None]:
    """Yield the entries of a table of messages; None for what is no display."""
    values: Iterable[ast.expr | None] = [table]
    if isinstance(table, ast.Name):
        found = scope.lookup(table.id)
        values = [each.node for each in found[1]] if found else [None]
    elif isinstance(table, ast.Attribute):
        values = index.attributes.get(table.attr) or [None]
    for value in values:
        match value:
            case ast.Dict(values=entries) | ast.List(elts=entries) | ast.Tuple(elts=entries):
                yield from entries
            case _:
                yield None


def _reason(node: ast.expr, scope: Scope) -> str:
    """Say what is in the way, in names of the source only: those hold no values."""
    if isinstance(node, ast.Await):
        node = node.value
    if isinstance(node, ast.Call):
        name = dotted_name(node.func) or _last_name(node.func)
        return f"it is what {name}() returns" if name else "it is what a call returns"
    if isinstance(node, ast.JoinedStr):
        return "it is made of values alone"
    if isinstance(node, ast.Dict | ast.List | ast.Tuple | ast.Set):
        return "it is no text"
    name = dotted_name(node) or ""
    found = scope.lookup(name)
    if found is not None and all(_is_word(binding.node) for binding in found[1]):
        return _SINGLE
    if name and origin_of(node, scope) is not None:
        return f"{name} comes from another module"
    return f"the source does not say what {name} holds" if name else "it is computed"


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
