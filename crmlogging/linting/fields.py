"""What stands in ``extra``: reserved names, masked fields, misspelt ones (CL201 to CL203)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final, NamedTuple

from crmlogging.linting.allowlists import Allowed
from crmlogging.linting.calls import LogCall
from crmlogging.linting.findings import Remark, excerpt
from crmlogging.linting.messages import is_exception
from crmlogging.linting.scopes import Scope
from crmlogging.records import STANDARD_ATTRIBUTES

__all__ = ["Entry", "entries_of", "judge_fields"]

_DEPTH: Final = 4
# What ErrorFilter takes from extra and reads, and what the handlers ask for.
_READ: Final = frozenset(("response", "error", "audit"))
_SINCE: Final = {"taskName": " from Python 3.12 on"}


class Entry(NamedTuple):
    """A key that ``extra`` holds as a literal, with its value.

    Attributes:
        place: where the key stands.
    """

    name: str
    value: ast.expr
    place: ast.expr


def entries_of(node: ast.expr | None, scope: Scope, depth: int = _DEPTH) -> Iterator[Entry]:
    """Yield what a mapping holds under literal keys, also where a variable holds the mapping."""
    if not depth:
        return
    match node:
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if key is None:
                    yield from entries_of(value, scope, depth - 1)
                elif isinstance(key, ast.Constant) and type(key.value) is str:
                    yield Entry(key.value, value, key)
        case ast.Call(func=ast.Name(id="dict"), args=args, keywords=keywords):
            for each in args:
                yield from entries_of(each, scope, depth - 1)
            for keyword in keywords:
                if keyword.arg is None:
                    yield from entries_of(keyword.value, scope, depth - 1)
                else:
                    yield Entry(keyword.arg, keyword.value, keyword.value)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from entries_of(left, scope, depth - 1)
            yield from entries_of(right, scope, depth - 1)
        case ast.IfExp(body=body, orelse=orelse):
            yield from entries_of(body, scope, depth - 1)
            yield from entries_of(orelse, scope, depth - 1)
        case ast.Name(id=name):
            yield from _of_variable(name, scope, depth)


def _of_variable(name: str, scope: Scope, depth: int) -> Iterator[Entry]:
    found = scope.lookup(name)
    if found is None or any(binding.kind != "value" for binding in found[1]):
        return
    where, bindings = found
    for binding in bindings:
        yield from entries_of(binding.node, where, depth - 1)
    for key, value in where.items.get(name, ()):
        if type(key.value) is str:
            yield Entry(key.value, value, key)


def judge_fields(call: LogCall, allowed: Allowed) -> Iterator[Remark]:
    """Yield what is wrong with the literal keys of the call's ``extra``."""
    for entry in entries_of(call.keywords.get("extra"), call.scope):
        if entry.name in STANDARD_ATTRIBUTES:
            since = _SINCE.get(entry.name, "")
            yield Remark(
                entry.place,
                "CL201",
                f"extra={{{entry.name!r}: ...}} raises KeyError with the standard Logger{since}",
                "choose another name",
            )
        else:
            yield from _masked(entry, "", call.scope, allowed)


def _masked(entry: Entry, prefix: str, scope: Scope, allowed: Allowed) -> Iterator[Remark]:
    # A dotted key is a path at the top only.
    own = f"[{entry.name}]" if prefix and "." in entry.name else entry.name
    name = f"{prefix}{own}"
    shown = excerpt(name)
    if name in _READ:
        return
    if allowed.shows_below(name):
        if isinstance(entry.value, ast.Dict):
            for inner in entries_of(entry.value, scope):
                yield from _masked(inner, f"{name}.", scope, allowed)
        elif isinstance(entry.value, ast.Constant):
            value, shape = entry.value.value, allowed.shape_of(name)
            if value is not None and not allowed.fits(name, value):
                line = f"the value of {shown} does not fit its shape, {shape}"
                yield Remark(
                    entry.place, "CL202", line if shape else f"{shown} is masked by the allowlist"
                )
        return
    near = allowed.nearest(name)
    if near is not None:
        yield Remark(entry.place, "CL203", f"{shown} is no field", f"did you mean {near}?")
        return
    suggestion = "allow it, mask it, or leave it out"
    if is_exception(entry.value, scope):
        suggestion = 'write exc_info=True or extra={"error": error}'
    yield Remark(entry.place, "CL202", f"{shown} is masked by the allowlist", suggestion)
