"""Errors logged in an except block, with or without their exception (CL301)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from crmlogging.linting.calls import LogCall
from crmlogging.linting.fields import entries_of
from crmlogging.linting.findings import Remark

__all__ = ["judge_handling"]

_LEVELS: Final = ("ERROR", "CRITICAL")
_GIVEN: Final = ("exc_info", "stack_info")
_FIELDS: Final = ("error", "response")
_SCOPES: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def judge_handling(call: LogCall) -> Iterator[Remark]:
    """Yield CL301 for an error call in an except block that says nothing of the exception."""
    if call.handler is None or call.level not in _LEVELS or call.method == "exception":
        return
    if any(name in call.keywords for name in _GIVEN) or _raises(call.handler):
        return
    extra = call.keywords.get("extra")
    names = {entry.name for entry in entries_of(extra, call.scope)}
    # A mapping that comes from elsewhere may hold it.
    if not names.isdisjoint(_FIELDS) or (extra is not None and not names):
        return
    yield Remark(
        call.node, "CL301", "the error is logged without its exception", "add exc_info=True"
    )


def _raises(handler: ast.ExceptHandler) -> bool:
    """Tell whether the block hands an exception on: then who catches it may log it."""
    waiting: list[ast.AST] = [*handler.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Raise):
            return True
        if not isinstance(node, _SCOPES):
            waiting += ast.iter_child_nodes(node)
    return False
