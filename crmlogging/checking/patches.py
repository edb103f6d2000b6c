"""Who else has a hand in `logging`: replaced methods, logger classes, factories, hooks.

A replaced `Logger.callHandlers` sees every record before any handler's filter does: that is how
Sentry and other tracers get past a redacting handler.
"""

from __future__ import annotations

import functools
import inspect
import logging
import logging.handlers
import sys
import threading
from collections.abc import Iterator
from types import FunctionType
from typing import Any, Final

from crmlogging.checking.findings import Finding
from crmlogging.checking.tree import Tree

__all__ = ["findings_on_hooks", "findings_on_patches"]

_SEES_VALUES: Final = frozenset(
    (
        *("callHandlers", "handle", "makeRecord", "_log", "filter", "emit", "format", "log"),
        *("debug", "info", "warning", "warn", "error", "exception", "critical", "fatal"),
        *("getMessage", "formatException", "prepare", "enqueue", "makePickle"),
    )
)
_NO_METHODS: Final = frozenset(("__class_getitem__", "converter", "__init__"))
_WATCHED: Final[tuple[type, ...]] = (
    *(logging.Logger, logging.RootLogger, logging.LoggerAdapter, logging.Filterer),
    *(logging.Handler, logging.StreamHandler, logging.FileHandler, logging.NullHandler),
    *(logging.LogRecord, logging.Formatter, logging.Manager),
    *(logging.handlers.QueueHandler, logging.handlers.QueueListener),
    *(logging.handlers.BufferingHandler, logging.handlers.MemoryHandler),
    *(logging.handlers.RotatingFileHandler, logging.handlers.TimedRotatingFileHandler),
    *(logging.handlers.SysLogHandler, logging.handlers.SocketHandler),
)
_OURS: Final = "crmlogging"


def _origin(value: Any) -> tuple[str, str]:
    """Return module and qualified name of the code that runs when `value` is called.

    `functools.wraps` copies the name of what it wraps, so the code itself is asked.
    """
    value = getattr(value, "__func__", value)
    # Proxies (wrapt) run a wrapper, and pass for what they wrap in all other ways.
    wrapper = inspect.getattr_static(value, "_self_wrapper", None)
    if wrapper is not None and not isinstance(value, FunctionType):
        value = getattr(value, "_self_wrapper", value)
        value = getattr(value, "__func__", value)
    while isinstance(value, functools.partial):
        value = value.func
    if isinstance(value, FunctionType):
        return value.__globals__.get("__name__") or value.__module__, value.__code__.co_qualname
    module = getattr(value, "__module__", None) or type(value).__module__
    name = getattr(value, "__qualname__", None) or type(value).__qualname__
    return str(module), str(name)


def _is_known(module: str) -> bool:
    top = module.partition(".")[0]
    return top in ("logging", _OURS)


def findings_on_patches(tree: Tree) -> Iterator[Finding]:
    """Yield each method of `logging` that is not the stock one or ours, with who put it there."""
    for kind in _WATCHED:
        for name, value in sorted(vars(kind).items()):
            if callable(getattr(value, "__func__", value)) and name not in _NO_METHODS:
                yield from _patched(f"{kind.__module__}.{kind.__qualname__}.{name}", name, value)
    for kind in _foreign_classes(tree):
        for name, value in sorted(vars(kind).items()):
            if name in _SEES_VALUES and callable(value):
                yield from _patched(f"{kind.__module__}.{kind.__qualname__}.{name}", name, value)
    things: list[tuple[str, Any]] = [(each.name, each) for each in tree.loggers]
    things += [(name, handler) for handler, name in tree.handlers.items()]
    for place, thing in things:
        for name, value in sorted(vars(thing).items()):
            if callable(value) and hasattr(type(thing), name) and name in _SEES_VALUES:
                yield from _patched(f"{place}.{name}", name, value)
    yield from _factories()


def _patched(place: str, method: str, value: Any) -> Iterator[Finding]:
    module, name = _origin(value)
    if _is_known(module) or module in ("builtins", "abc"):
        return
    if method in _SEES_VALUES:
        text = f"is {module}.{name}: it sees every record before any filter of a handler does"
        yield Finding("patched", place, f"{text}; see docs/checking.md")
    else:
        yield Finding("patched", place, f"is {module}.{name}", problem=False)


def _foreign_classes(tree: Tree) -> list[type]:
    kinds: dict[type, None] = {}
    for kind in (logging.getLoggerClass(), *(type(logger) for logger in tree.loggers)):
        kinds.update((each, None) for each in kind.__mro__)
    return [each for each in kinds if not _is_known(each.__module__) and each is not object]


def _factories() -> Iterator[Finding]:
    factory = logging.getLogRecordFactory()
    if factory is not logging.LogRecord:
        module, name = _origin(factory)
        yield Finding(
            "record-factory",
            "logging.setLogRecordFactory",
            f"records are made by {module}.{name}, which sees all their values",
            problem=False,
        )


def findings_on_hooks() -> Iterator[Finding]:
    """Yield the hooks for uncaught exceptions and warnings that would print values."""
    hooks: tuple[tuple[str, Any, Any], ...] = (
        ("sys.excepthook", sys.excepthook, sys.__excepthook__),
        ("threading.excepthook", threading.excepthook, threading.__excepthook__),
        ("sys.unraisablehook", sys.unraisablehook, sys.__unraisablehook__),
    )
    for place, hook, stock in hooks:
        module, name = _origin(hook)
        if hook is stock:
            text = "is Python's own: an uncaught exception's text goes to stderr in clear"
        elif module.partition(".")[0] == _OURS:
            continue
        else:
            text = f"is {module}.{name}: it sees the values of uncaught exceptions"
        yield Finding("uncaught", place, text, problem=False)
    if logging._warnings_showwarning is None:  # type: ignore[attr-defined]  # no public way to ask
        yield Finding(
            "warnings",
            "warnings.showwarning",
            "warnings go to stderr in clear; logging.captureWarnings(True) sends them to logging",
            problem=False,
        )
