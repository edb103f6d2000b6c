"""One daemon thread a process that calls what has to look at the clock, once a second.

Levels watch their environment with it, and handlers without a thread of their own flush what
is due. It starts with the first registration, starts again in a forked child, and is simply
absent where no thread can start (at interpreter exit, in servers without threads).
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Final, Protocol

__all__ = ["Ticking", "tick_all", "watch"]

INTERVAL_SECONDS: Final = 1.0


class Ticking(Protocol):
    """Something that wants a call once a second, from the ticking thread; must not block long."""

    def tick(self) -> None:
        """Do what is due; what it raises is swallowed, so it should count its own errors."""


# By its id: unlike a WeakSet it can be read in one step, whoever adds to it meanwhile.
_watched: Final[weakref.WeakValueDictionary[int, Ticking]] = weakref.WeakValueDictionary()
_wake = threading.Event()
_thread: threading.Thread | None = None


def watch(ticking: Ticking) -> None:
    """Call ``ticking.tick()`` once a second as long as somebody else holds it."""
    _watched[id(ticking)] = ticking
    _start()


def tick_all() -> None:
    """Call everything that is watched, now, in the calling thread."""
    for reference in _watched.valuerefs():
        each = reference()
        try:
            if each is not None:
                each.tick()
        except Exception:  # noqa: BLE001  # one that fails must not silence the others
            continue


def _start(*, at_once: bool = True) -> None:
    global _thread
    if _thread is not None and _thread.is_alive():
        return
    thread = threading.Thread(target=_run, args=(at_once,), name="crmlogging-tick", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        return
    _thread = thread


def _run(at_once: bool) -> None:
    if at_once:
        tick_all()
    while not _wake.wait(INTERVAL_SECONDS):
        tick_all()


def _after_fork() -> None:
    global _thread, _wake
    _thread, _wake = None, threading.Event()
    if _watched:
        # Not at once: modules that are told of the fork after this one still have the parent's
        # descriptors and counts, and what ticks would go on with those.
        _start(at_once=False)


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
