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

__all__ = ["Turns", "make_up", "put_off"]

_Call = tuple["Turns", Callable[..., None], tuple[Any, ...]]

put_off: Final[dict[int, list[_Call]]] = {}
"""Calls that wait for the end of the one they interrupted, by thread id."""

# By thread id, which is several times faster than threading.local.
_inside: Final[set[int]] = set()
_all: Final[weakref.WeakSet[Turns]] = weakref.WeakSet()
# By its id, since a list of a dict's values is made in one step, whoever adds some meanwhile.
_quick: Final[dict[int, weakref.ref[Turns]]] = {}


class Turns:
    """Guards one file (or any other thing that must not be entered twice).

    The mark "inside" belongs to the thread, not to the object: a thread inside one file that
    waited for another could close a ring of waiting threads.

    Args:
        quick: somebody takes turns by hand, where `take` would cost too much: take `lock`
            without waiting, see that it is not `busy`, make it so; in the end the same
            backwards, and `make_up` if anything is `put_off`. Inside, nothing may wait.

    Attributes:
        lock: held by the thread whose turn it is.
        busy: whether a call is under way; means something only to the thread that has the lock.

    Example:
        >>> turns, calls = Turns(), []
        >>> def outer():
        ...     turns.take(calls.append, "put off")
        ...     calls.append("outer")
        >>> turns.take(outer)
        >>> calls
        ['outer', 'put off']
    """

    def __init__(self, *, quick: bool = False) -> None:
        self.lock = threading.RLock()
        self.busy = False
        _all.add(self)
        if quick:
            me, forget = id(self), _quick.pop
            _quick[me] = weakref.ref(self, lambda _: forget(me, None))

    def take(self, work: Callable[..., None], *arguments: Any) -> None:
        """Call ``work(*arguments)`` alone, now or when the call it interrupts is done."""
        me = get_ident()
        if me in _inside or (_quick and _inside_quickly()):
            put_off.setdefault(me, []).append((self, work, arguments))
            return
        try:
            _inside.add(me)  # Within, since a signal handler may raise as soon as it is done.
            self._do(work, arguments)
        finally:
            # In this order: what comes in between either is put off in time or goes by itself.
            _inside.discard(me)
            if put_off:
                make_up()

    def _do(self, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        with self.lock:
            self.busy = True
            try:
                work(*arguments)
            finally:
                self.busy = False

    def is_mine(self) -> bool:
        """Tell whether it is this thread's turn."""
        # What threading.Condition asks of an RLock; nothing public tells as much.
        return bool(self.lock._is_owned())  # type: ignore[attr-defined]  # not in the stubs


def _inside_quickly() -> bool:
    """Tell whether this thread took a turn by hand, which no mark tells of."""
    for reference in list(_quick.values()):
        turns = reference()
        if turns is not None and turns.is_mine():
            return True
    return False


def make_up() -> None:
    """Make the calls of this thread that were put off, unless it is still inside of something."""
    me = get_ident()
    while me in put_off and me not in _inside and not _inside_quickly():
        try:
            _inside.add(me)
            while waiting := put_off.get(me):
                turns, work, arguments = waiting[0]
                del waiting[0]
                turns._do(work, arguments)
            put_off.pop(me, None)
        finally:  # Also when a signal handler ends the program: the next call makes up the rest.
            _inside.discard(me)


def _after_fork() -> None:
    """Renew locks that other threads held; what was put off before is the parent's to write."""
    _inside.intersection_update({get_ident()})
    put_off.clear()
    for each in list(_all):
        if not each.is_mine():
            each.lock, each.busy = threading.RLock(), False


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
