"""What threads can do here: wait without a deadlock, run at all; and how deep they deliver."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any, Final

__all__ = ["at_depth", "delivering", "depth", "pause", "quiet_threads", "surface"]
__all__ += ["threads_are_frozen", "without_module_lock"]


delivering: Final[dict[int, int]] = {}
"""How deep threads are in deliveries, by their id; only of those that are in one."""

quiet_threads: Final[set[int]] = set()
"""Ids of threads that upload. What they log, boto3's own records, is nothing the application
said, and in a spool each upload would cause the next one, also by way of a queue."""


def depth() -> int:
    """Return 0 in the application's code, else how deep this thread is in deliveries."""
    return delivering.get(get_ident(), 0)


def surface() -> None:
    """Forget that this thread was delivering: in a child that a target forked."""
    delivering.clear()


@contextmanager
def at_depth(level: int) -> Iterator[None]:
    """Deliver, at a depth of `level`."""
    me = get_ident()
    before = delivering.get(me)
    delivering[me] = level
    try:
        yield
    finally:
        if before is None:
            delivering.pop(me, None)  # a child that a target forked has it no more
        else:
            delivering[me] = before


@contextmanager
def without_module_lock() -> Iterator[None]:
    """Let go of `logging`'s module lock for a while, if this thread holds it.

    dictConfig closes handlers under that lock. Who holds a lock of ours may have to wait for it:
    where the garbage collector frees a handler, `logging` takes it to forget the handler.
    """
    lock: Any = logging._lock  # type: ignore[attr-defined]  # private, no other way
    if not lock._is_owned():
        yield
        return
    state = lock._release_save()
    try:
        yield
    finally:
        lock._acquire_restore(state)


def pause(seconds: float) -> None:
    """Sleep, letting go of `logging`'s module lock meanwhile if this thread holds it.

    dictConfig closes handlers under that lock, and a target may need it to finish
    (``getLogger``, a first ``isEnabledFor``): waiting with the lock held would be a deadlock.
    """
    try:
        threading.Condition(logging._lock).wait(seconds)  # type: ignore[attr-defined]  # private, no other way
    except RuntimeError:  # not ours
        time.sleep(seconds)


def threads_are_frozen() -> bool:
    """Whether a thread would start but not run: uWSGI without ``--enable-threads``."""
    uwsgi = sys.modules.get("uwsgi")
    options = getattr(uwsgi, "opt", None)
    return isinstance(options, dict) and not any(
        options.get(name) or options.get(name.encode()) for name in ("enable-threads", "threads")
    )
