"""Which expressions are loggers of the standard library: by what they are bound to, else by name.

``math.log(x)``, ``console.log(...)`` of rich, and the loggers of loguru or structlog are not.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import Final

from crmlogging.linting.scopes import Index, Scope, origin_of

__all__ = ["is_logger", "is_named_like_one"]

_MAKERS: Final = frozenset(
    (
        *("logging.getLogger", "logging.Logger", "logging.LoggerAdapter", "logging.getLoggerClass"),
        *("multiprocessing.get_logger", "multiprocessing.log_to_stderr", "crmlogging.Logger"),
        *("celery.utils.log.get_task_logger", "celery.utils.log.get_logger"),
    )
)
# Packages with loggers, or other things called log, whose calls take other arguments.
_FOREIGN: Final = frozenset(
    (
        *("structlog", "loguru", "twisted", "eliot", "logbook", "logfire", "picologging", "rich"),
        *("click", "typer", "math", "cmath", "numpy", "scipy", "torch", "jax", "tensorflow"),
        *("sympy", "mpmath", "wandb", "mlflow", "lightning", "pytorch_lightning", "absl"),
    )
)
# What loguru and structlog return another logger from.
_FOREIGN_METHODS: Final = frozenset(("bind", "opt", "patch", "contextualize", "new", "unbind"))
_LIKE_ONE: Final = re.compile(r"_*(?:log|LOG|Log)_*|\w*(?:logger|LOGGER|Logger)_*")
_MAKES_ONE: Final = re.compile(r"logger", re.IGNORECASE)
_DEPTH: Final = 5


def is_named_like_one(node: ast.expr) -> bool:
    """Tell whether the last name of an expression is one that people give to loggers."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _LIKE_ONE.fullmatch(name) is not None
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return _MAKES_ONE.search(name) is not None
    return False


def is_logger(node: ast.expr, scope: Scope, index: Index, depth: int = _DEPTH) -> bool | None:
    """Tell whether `node` is a logger; None when nothing in the file says so or denies it."""
    if not depth:
        return None
    origin = origin_of(node, scope)
    if origin is not None:
        return _by_origin(origin)
    match node:
        case ast.Call():
            return _made(node, scope, index, depth)
        case ast.Name(id=name):
            return _bound(name, scope, index, depth)
        case ast.Attribute(attr=name):
            values = index.attributes.get(name, [])
            return _any(is_logger(value, index.module, index, depth - 1) for value in values)
        case ast.BoolOp(values=values):
            return _any(is_logger(value, scope, index, depth - 1) for value in values)
        case ast.IfExp(body=body, orelse=orelse):
            return _any(is_logger(each, scope, index, depth - 1) for each in (body, orelse))
        case ast.Constant(value=None):
            return None
        case ast.Constant() | ast.List() | ast.Dict() | ast.Set() | ast.Tuple() | ast.JoinedStr():
            return False
    return None


def _by_origin(origin: str) -> bool | None:
    if origin == "logging.root":
        return True
    return False if origin.partition(".")[0] in _FOREIGN else None


def _made(call: ast.Call, scope: Scope, index: Index, depth: int) -> bool | None:
    origin = origin_of(call.func, scope)
    if origin in _MAKERS:
        return True
    if origin is not None and _by_origin(origin) is False:
        return False
    match call.func:
        case ast.Attribute(value=receiver, attr=name):
            if name == "getChild":
                return is_logger(receiver, scope, index, depth - 1)
            if name in _FOREIGN_METHODS:
                return False
    return None


def _bound(name: str, scope: Scope, index: Index, depth: int) -> bool | None:
    found = scope.lookup(name)
    if found is None:
        return None
    where, bindings = found
    answers: list[bool | None] = []
    for binding in bindings:
        if binding.kind == "value" and binding.node is not None:
            answers.append(is_logger(binding.node, where, index, depth - 1))
        elif binding.kind == "parameter" and binding.node is not None:
            answers.append(_annotated(binding.node, where))
        else:
            answers.append(None)
    return _any(answers)


def _annotated(annotation: ast.expr, scope: Scope) -> bool | None:
    for each in ast.walk(annotation):
        origin = origin_of(each, scope) if isinstance(each, ast.Name | ast.Attribute) else None
        if origin in ("logging.Logger", "logging.LoggerAdapter"):
            return True
        if origin is not None and _by_origin(origin) is False:
            return False
    return None


def _any(answers: Iterable[bool | None]) -> bool | None:
    """One yes makes it a logger; it is none only if every answer says so."""
    given = list(answers)
    if True in given:
        return True
    return False if given and all(answer is False for answer in given) else None
