"""Turns at a file: one thread at a time, and one call at a time within a thread.

A signal handler, a ``__del__`` or a formatter may log while its own thread is in the middle of
a write. Waiting would be for ever and writing would tear the line, so such a call is put off:
the outer call makes it before it returns.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from threading import get_ident
from typing import Any, Final

__all__ = ["Turns"]

# By thread id, which is several times faster than threading.local.
_inside: Final[set[int]] = set()
_put_off: Final[dict[int, list[tuple[Turns, Callable[..., None], tuple[Any, ...]]]]] = {}
_all: Final[weakref.WeakSet[Turns]] = weakref.WeakSet()


class Turns:
    """Guards one file (or any other thing that must not be entered twice).

    The mark "inside" belongs to the thread, not to the object: a thread inside one file that
    waited for another could close a ring of waiting threads.

    Example:
        >>> turns, calls = Turns(), []
        >>> def outer():
        ...     turns.take(calls.append, "put off")
        ...     calls.append("outer")
        >>> turns.take(outer)
        >>> calls
        ['outer', 'put off']
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        _all.add(self)

    def take(self, work: Callable[..., None], *arguments: Any) -> None:
        """Call ``work(*arguments)`` alone, now or when the call it interrupts is done."""
        me = get_ident()
        if me in _inside:
            _put_off.setdefault(me, []).append((self, work, arguments))
            return
        _inside.add(me)
        try:
            with self.lock:
                work(*arguments)
        finally:
            # In this order: what comes in between either is put off in time or goes by itself.
            _inside.discard(me)
            while me in _put_off:
                _make_up(me)


def _make_up(me: int) -> None:
    waiting = _put_off.pop(me, [])  # a signal handler's own call may have made it up by now
    _inside.add(me)
    try:
        while waiting:
            turns, work, arguments = waiting.pop(0)
            with turns.lock:
                work(*arguments)
    finally:
        _inside.discard(me)
        if waiting:  # A signal handler ends the program: the next call goes on here.
            _put_off.setdefault(me, [])[:0] = waiting


def _after_fork() -> None:
    """Renew locks that other threads held; what was put off before is the parent's to write."""
    _inside.intersection_update({get_ident()})
    _put_off.clear()
    for each in list(_all):
        each.lock = threading.RLock()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
