"""The two moments a handler with threads must not miss: the process ends, the process forks."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import weakref
from typing import Final, Protocol

__all__ = ["Ending", "close_first", "register"]


class Ending(Protocol):
    """A handler that holds records in memory."""

    def begin_end(self) -> None:
        """The process ends: queue what is held back; must not wait."""

    def end(self) -> None:
        """The process ends: deliver, within the handler's own time limit."""

    def begin_child(self) -> None:
        """This is a forked child: forget the parent's records and threads; must not wait."""


# Beside logging's own list of handlers: a foreign dictConfig empties that one. By its id: unlike a
# WeakSet it can be read in one step, whoever adds to it meanwhile.
_handlers: Final[weakref.WeakValueDictionary[int, Ending]] = weakref.WeakValueDictionary()


def register(handler: Ending) -> None:
    """Tell `handler` when the process ends or has forked, as long as somebody else holds it."""
    _handlers[id(handler)] = handler
    _follow_celery()


def close_first(handler: logging.Handler) -> None:
    """Have `logging.shutdown`, which goes from new to old, close `handler` before its targets."""
    with logging._lock:  # type: ignore[attr-defined]  # no public way to do this
        references = logging._handlerList  # type: ignore[attr-defined]  # private, no other way
        for reference in references:
            if reference() is handler:
                references.remove(reference)
                references.append(reference)
                return
        logging._addHandlerRef(handler)  # type: ignore[attr-defined]  # private, no other way


def _living() -> list[Ending]:
    return [each for reference in _handlers.valuerefs() if (each := reference()) is not None]


def _end() -> None:
    handlers = _living()
    for handler in handlers:
        handler.begin_end()
    for handler in handlers:
        handler.end()


def _end_of_multiprocessing_child() -> None:
    """Do the same in a multiprocessing child, which runs no atexit functions before 3.14.

    In other processes this moment is too early: threads may go on for hours after the main one.
    """
    multiprocessing = sys.modules.get("multiprocessing.process")
    if multiprocessing is not None and multiprocessing.parent_process() is not None:
        _end()


def _follow_celery() -> None:
    """Do the same in a celery worker's child, which ends by `os._exit` and so runs nothing else.

    Handlers are made in celery's process after its import, before or in the children.
    """
    signals = sys.modules.get("celery.signals")
    if signals is not None:
        signals.worker_process_shutdown.connect(
            _end_of_celery_child, weak=False, dispatch_uid="crmlogging"
        )


def _end_of_celery_child(**_: object) -> None:
    _end()


def _begin_child() -> None:
    for handler in _living():
        handler.begin_child()


atexit.register(_end)
threading._register_atexit(_end_of_multiprocessing_child)  # type: ignore[attr-defined]  # no public way
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_begin_child)
