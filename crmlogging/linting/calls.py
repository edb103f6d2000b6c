"""Log calls: the calls of a file that hand a message to the standard library's logging."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final, NamedTuple

from crmlogging.linting.loggers import is_logger, is_named_like_one
from crmlogging.linting.scopes import Candidate, Index, Scope, origin_of

__all__ = ["ADAPTER", "LogCall", "log_calls"]

ADAPTER: Final = "LoggerAdapter"
"""`LogCall.method` of ``LoggerAdapter(logger, {...})``, which has an ``extra`` and no message."""

_LEVELS: Final = {
    "debug": "DEBUG",
    "info": "INFO",
    **dict.fromkeys(("warning", "warn"), "WARNING"),
    **dict.fromkeys(("error", "exception"), "ERROR"),
    **dict.fromkeys(("critical", "fatal"), "CRITICAL"),
}
_NUMBERS: Final = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}
_OPTIONS: Final = frozenset(("msg", "level", "exc_info", "stack_info", "stacklevel", "extra"))


class LogCall(NamedTuple):
    """A call that logs.

    Attributes:
        method: name of the method, as ``error``.
        level: name of the level, "" where it is not known.
        message: the expression of the message; None where it stands in ``*args``.
        arguments: what is put into the message; may hold an `ast.Starred`.
        keywords: keyword arguments by name.
        handler: the except block around it, or None.
    """

    node: ast.Call
    scope: Scope
    method: str
    level: str
    message: ast.expr | None
    arguments: tuple[ast.expr, ...]
    keywords: dict[str, ast.expr]
    handler: ast.ExceptHandler | None


def log_calls(index: Index) -> Iterator[LogCall]:
    """Yield the log calls of a file, in the order of its lines."""
    places = sorted(index.candidates, key=lambda c: (c.call.lineno, c.call.col_offset))
    for candidate in places:
        call = _as_log_call(candidate, index)
        if call is not None:
            yield call


def _as_log_call(candidate: Candidate, index: Index) -> LogCall | None:
    node, scope, handler = candidate
    method, sure = _method(node, scope, index)
    keywords = {each.arg: each.value for each in node.keywords if each.arg is not None}
    if method == ADAPTER:
        if len(node.args) > 1:
            keywords.setdefault("extra", node.args[1])
        return LogCall(node, scope, method, "", None, (), keywords, handler)
    if method is None:
        return None
    # Other names are loguru's and structlog's way to give fields; logging raises TypeError.
    if not sure and not keywords.keys() <= _OPTIONS:
        return None
    given = list(node.args)
    level = _LEVELS.get(method, "")
    if method == "log":
        if not given and "level" not in keywords:
            return None
        number = given.pop(0) if given else keywords["level"]
        if isinstance(number, ast.Starred):
            given = [number]
        elif isinstance(number, ast.Constant) and not isinstance(number.value, int):
            return None  # some other thing's log()
        level = _level(number)
    if not given and "msg" not in keywords:
        return None
    message = keywords["msg"] if "msg" in keywords else given.pop(0)
    if isinstance(message, ast.Starred):
        return LogCall(node, scope, method, level, None, (message,), keywords, handler)
    return LogCall(node, scope, method, level, message, tuple(given), keywords, handler)


def _method(node: ast.Call, scope: Scope, index: Index) -> tuple[str | None, bool]:
    """Return the method that is called, None if it is no logger's, and whether that is sure."""
    origin = origin_of(node.func, scope)
    if origin is not None and origin.startswith("logging."):
        name = origin.removeprefix("logging.")
        known = name in _LEVELS or name in ("log", ADAPTER)
        return (name, True) if known else (_of_receiver(node, scope, index))
    return _of_receiver(node, scope, index)


def _of_receiver(node: ast.Call, scope: Scope, index: Index) -> tuple[str | None, bool]:
    func = node.func
    if not isinstance(func, ast.Attribute) or func.attr == ADAPTER:
        return None, False
    receiver = func.value
    answer = is_logger(receiver, scope, index)
    if answer is None and _is_logging(receiver, scope):
        return func.attr, True
    if answer or (answer is None and is_named_like_one(receiver)):
        return func.attr, bool(answer)
    return None, False


def _is_logging(receiver: ast.expr, scope: Scope) -> bool:
    """Tell whether this is the module, brought in by an ``import *``."""
    return (
        isinstance(receiver, ast.Name)
        and receiver.id == "logging"
        and scope.lookup("logging") is None
    )


def _level(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=int() as number):
            return _NUMBERS.get(number, "")
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return _LEVELS.get(name.lower(), "")
    return ""
