"""The ends of grouping filters: what is told at exit, and what a fork has them forget."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import weakref
from typing import Final, Protocol

__all__ = ["register"]


class _Ending(Protocol):
    def reset(self) -> None:
        """Begin anew, in a forked child."""

    def end(self) -> None:
        """Say the rest: the process ends."""


_filters: Final[weakref.WeakSet[_Ending]] = weakref.WeakSet()


def register(each: _Ending) -> None:
    """Have a filter told, as long as it is there."""
    _filters.add(each)


def _at_exit() -> None:
    for each in list(_filters):
        each.end()


def _after_fork() -> None:
    """Forget what the parent held back: the parent says it."""
    for each in list(_filters):
        each.reset()


def _at_exit_of_multiprocessing_child() -> None:
    """Do the same in a multiprocessing child, which runs no atexit functions before 3.14."""
    multiprocessing = sys.modules.get("multiprocessing.process")
    if multiprocessing is not None and multiprocessing.parent_process() is not None:
        _at_exit()


atexit.register(_at_exit)  # later than logging's, hence before handlers close
threading._register_atexit(_at_exit_of_multiprocessing_child)  # type: ignore[attr-defined]  # no public way
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
