"""The end of the program, for handlers that `logging.shutdown` does not close any more."""

from __future__ import annotations

import atexit
import logging
import weakref
from typing import TYPE_CHECKING, Final

from crmlogging.handlers import delivery

if TYPE_CHECKING:
    from crmlogging.handlers.s3 import S3Handler

__all__ = ["holds_logging_lock", "register"]

_handlers: Final[weakref.WeakSet[S3Handler]] = weakref.WeakSet()


def register(handler: S3Handler) -> None:
    """Have `handler` deliver at exit also where `logging` has lost it."""
    _handlers.add(handler)


def holds_logging_lock() -> bool:
    """Tell whether this thread is inside `logging.config`."""
    owned = getattr(getattr(logging, "_lock", None), "_is_owned", None)
    return bool(owned and owned())


def _deliver_forgotten() -> None:
    """At exit: deliver what handlers have that `logging.shutdown` will not close any more.

    A foreign dictConfig empties its list, but other loggers go on using its handlers.
    """
    known = {reference() for reference in logging._handlerList}  # type: ignore[attr-defined]  # private, but the only place that knows
    forgotten = [handler for handler in _handlers if handler not in known]
    if forgotten:
        delivery.drain(max(handler.close_seconds for handler in forgotten))


atexit.register(_deliver_forgotten)
