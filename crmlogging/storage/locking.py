"""Locks between processes, and what becomes of them at a fork.

A lock is `flock(2)` on an open file. It belongs to the *open file description*: a forked child
shares it with its parent, so the child must close its copy, and the parent must unlock in words
rather than by closing. The kernel drops the lock of a process that dies, which is how others
learn of its death. The locks of `fcntl(2)` on an open file description promise the same, but take
nearly half as long again, and do not keep out who uses `flock`.

Without `fcntl` (Windows) every lock succeeds: one process a file.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Final

__all__ = [
    "flock",  # by itself: mypy looks into no tuple for what comes from elsewhere
    *("GIVE_BACK", "TAKE", "adopt", "ask_again", "forget", "generation", "try_lock", "unlock"),
    "wait_lock",
]

generation = 0
"""How many forks this process descends from.

A signal handler may fork in the middle of a call, which then goes on in the child as well. By
this number it sees so: the descriptors it holds were closed, and may be other files by now.
"""

_LONGEST_PAUSE_SECONDS: Final = 0.002
_COURTESIES: Final = 10
_give_way: Final[Callable[[], None]] = getattr(os, "sched_yield", lambda: time.sleep(0))

if sys.platform == "win32":
    TAKE: Final = 0
    GIVE_BACK: Final = 0

    def flock(fd: int, operation: int) -> None:
        """Always succeed."""

else:
    from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock

    TAKE: Final = LOCK_EX | LOCK_NB
    """Operation of `flock`: raises BlockingIOError if somebody else has the lock."""
    GIVE_BACK: Final = LOCK_UN


def try_lock(fd: int) -> bool:
    """Take the lock of `fd` if nobody has it.

    Raises:
        OSError: the file system has no locks (ENOLCK, EOPNOTSUPP).
    """
    try:
        flock(fd, TAKE)
    except BlockingIOError:
        return False
    return True


def unlock(fd: int) -> None:
    """Give the lock of `fd` back; harmless if it is not held or not open any more."""
    try:
        flock(fd, GIVE_BACK)
    except OSError:
        pass


def ask_again(fd: int) -> bool:
    """Take the lock of `fd`, which somebody has, if it comes free within microseconds.

    Who has it may be waiting for this very processor, and needs it for as long as one append.
    """
    for _ in range(_COURTESIES):
        _give_way()
        if try_lock(fd):
            return True
    return False


def wait_lock(fd: int, seconds: float, *, monotonic: Callable[[], float] = time.monotonic) -> bool:
    """Take the lock of `fd`, waiting at most `seconds`.

    It asks again and again instead of sleeping in the kernel: the lock is held for microseconds,
    and a neighbour that was stopped while holding it must not stop everybody for good.
    """
    if try_lock(fd) or ask_again(fd):
        return True
    deadline, pause = monotonic() + seconds, 0.0
    while monotonic() < deadline:
        pause = min(pause * 2 + 0.00002, _LONGEST_PAUSE_SECONDS)
        time.sleep(pause)
        if try_lock(fd):
            return True
    return False


_adopted: Final[set[int]] = set()


def adopt(fd: int) -> int:
    """Have a forked child close its copy of `fd`, and return `fd`."""
    _adopted.add(fd)
    return fd


def forget(fd: int) -> None:
    """Unlock and close an adopted `fd`, once."""
    if fd in _adopted:
        _adopted.discard(fd)
        unlock(fd)
        os.close(fd)


def _after_fork() -> None:
    global generation  # read at every append, where an object's attribute would cost more
    generation += 1
    while _adopted:
        fd = _adopted.pop()
        try:
            os.close(fd)  # Never unlocked: that would take the lock from the parent.
        except OSError:
            pass


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
