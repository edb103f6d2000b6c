"""The live logging tree: loggers, handlers, and the ways that records take between them."""

from __future__ import annotations

import gc
import logging
import logging.handlers
from collections.abc import Iterator, Mapping
from typing import Any, Final

from crmlogging.checking.findings import LoggerView
from crmlogging.filters.allowlist import AllowlistFilter

__all__ = ["Tree", "class_name", "is_guarded"]

_DEEPEST: Final = 8


def class_name(value: object) -> str:
    """Return a class by the name that a configuration would give it."""
    kind = type(value)
    module = kind.__module__
    if module.startswith("crmlogging."):
        module = "crmlogging"
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


def is_guarded(handler: logging.Handler) -> bool:
    """Tell whether an `AllowlistFilter` stands on this very handler."""
    return any(isinstance(each, AllowlistFilter) for each in handler.filters)


class Tree:
    """A look at the logging tree, taken once.

    Args:
        ignore: names of loggers that are not the user's.

    Attributes:
        loggers: all of them, root first.
        handlers: those that records can reach, through other handlers too, to their names.
    """

    def __init__(self, ignore: frozenset[str] = frozenset()) -> None:
        manager = logging.root.manager
        self.loggers: list[logging.Logger] = [
            logging.root,
            *(
                logger
                for name, logger in sorted(manager.loggerDict.items())
                if isinstance(logger, logging.Logger) and name not in ignore
            ),
        ]
        self._holders: dict[logging.Handler, list[logging.Logger]] = {}
        self._targets: dict[logging.Handler, tuple[logging.Handler, ...]] = {}
        for logger in self.loggers:
            for handler in logger.handlers:
                self._holders.setdefault(handler, []).append(logger)
                self._follow(handler, _DEEPEST)
        self._last_resort = self._find_last_resort()
        if self._last_resort is not None:
            self._targets.setdefault(self._last_resort, ())
        self.handlers: Mapping[logging.Handler, str] = dict(_named(list(self._targets)))

    def _follow(self, handler: logging.Handler, depth: int) -> None:
        if handler in self._targets:
            return
        self._targets[handler] = targets = _targets_of(handler)
        for target in targets:
            if depth:
                self._follow(target, depth - 1)

    def _find_last_resort(self) -> logging.Handler | None:
        last = logging.lastResort
        return last if last is not None and self.without_handler() else None

    def without_handler(self) -> list[str]:
        """Return the loggers whose records no handler gets; root stands for all it serves."""
        return [logger.name for logger in self.loggers if not self.way_of(logger)]

    def is_last_resort(self, handler: logging.Handler) -> bool:
        """Tell whether `handler` is `logging.lastResort`, in reach of some record."""
        return handler is self._last_resort

    def holders(self, handler: logging.Handler) -> list[logging.Logger]:
        """Return the loggers that `handler` is on."""
        return self._holders.get(handler, [])

    def targets(self, handler: logging.Handler) -> tuple[logging.Handler, ...]:
        """Return the handlers that `handler` hands its records to."""
        return self._targets.get(handler, ())

    def before(self, handler: logging.Handler) -> list[logging.Handler]:
        """Return the handlers that hand records to `handler`."""
        return [each for each, targets in self._targets.items() if handler in targets]

    def behind(self, handler: logging.Handler) -> Iterator[logging.Handler]:
        """Yield all handlers that get records from `handler`, however far behind it."""
        waiting, seen = list(self.targets(handler)), {handler}
        while waiting:
            each = waiting.pop(0)
            if each not in seen:
                seen.add(each)
                yield each
                waiting += self.targets(each)

    def way_of(self, logger: logging.Logger) -> list[logging.Handler]:
        """Return the handlers that get a record of `logger`, in the order in which they do."""
        found: list[logging.Handler] = []
        each: logging.Logger | None = logger
        while each is not None:
            found += each.handlers
            each = each.parent if each.propagate else None
        return found

    def protector(self, handler: logging.Handler) -> str | None:
        """Return the handler whose `AllowlistFilter` every record of `handler` has passed.

        None where a record can come without: to a handler on a logger, or behind one
        that has no filter.
        """
        return self._protector(handler, frozenset())

    def _protector(self, handler: logging.Handler, seen: frozenset[logging.Handler]) -> str | None:
        if is_guarded(handler):
            return self.handlers[handler]
        before = [each for each in self.before(handler) if each not in seen]
        if self.holders(handler) or not before:
            return None
        names = [self._protector(each, seen | {handler}) for each in before]
        return None if None in names else names[0]

    def place_of(self, handler: logging.Handler) -> str:
        """Return where `handler` stands, for people."""
        if self.is_last_resort(handler):
            return "where a logger has no handler"
        on = [f"on {logger.name}" for logger in self.holders(handler)]
        return ", ".join([*on, *(f"behind {self.handlers[each]}" for each in self.before(handler))])

    def views(self) -> list[LoggerView]:
        """Return the loggers that somebody configured."""
        return [
            LoggerView(
                name=logger.name,
                level=logging.getLevelName(logger.level) if logger.level else "",
                propagate=logger.propagate,
                disabled=logger.disabled,
                handlers=[self.handlers[each] for each in logger.handlers],
                filters=[class_name(each) for each in logger.filters],
            )
            for logger in self.loggers
            if logger is logging.root
            or logger.handlers
            or logger.filters
            or logger.level
            or not logger.propagate
        ]


def _named(handlers: list[logging.Handler]) -> Iterator[tuple[logging.Handler, str]]:
    counts: dict[str, int] = {}
    for handler in handlers:
        name = handler.name or type(handler).__name__
        if handler is logging.lastResort:
            name = "logging.lastResort"
        counts[name] = counts.get(name, 0) + 1
        yield handler, name if counts[name] == 1 else f"{name}#{counts[name]}"


def _targets_of(handler: Any) -> tuple[logging.Handler, ...]:
    if isinstance(handler, logging.handlers.QueueHandler):
        listener = getattr(handler, "listener", None)  # from 3.12 on, and ours
        if listener is not None:
            return tuple(listener.handlers)
        # A listener that somebody else made knows the queue, the handler does not know it.
        return tuple(
            target
            for each in gc.get_objects()
            # Not isinstance: any object of the program stands here, and __class__ may be anything.
            if issubclass(type(each), logging.handlers.QueueListener)
            and each.queue is handler.queue
            for target in each.handlers
        )
    target = getattr(handler, "target", None)
    return (target,) if isinstance(target, logging.Handler) else ()
