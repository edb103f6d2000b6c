"""The ends of grouping filters: what is told at exit, and what a fork has them forget."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any, Final

__all__ = ["register"]

_Step = Callable[[Any], None]
_filters: Final[weakref.WeakKeyDictionary[Any, tuple[_Step, _Step]]] = weakref.WeakKeyDictionary()


def register(each: object, *, end: _Step, renew: _Step) -> None:
    """Have a filter told, as long as it is there.

    Args:
        end: says the rest; given the filter, when the process ends.
        renew: begins anew, in a forked child: what was held back is the parent's to say.
    """
    _filters[each] = end, renew


def _at_exit() -> None:
    for each, (end, _) in list(_filters.items()):
        end(each)


def _after_fork() -> None:
    for each, (_, renew) in list(_filters.items()):
        renew(each)


def _at_exit_of_multiprocessing_child() -> None:
    """Do the same in a multiprocessing child, which runs no atexit functions before 3.14."""
    multiprocessing = sys.modules.get("multiprocessing.process")
    if multiprocessing is not None and multiprocessing.parent_process() is not None:
        _at_exit()


atexit.register(_at_exit)  # later than logging's, hence before handlers close
threading._register_atexit(_at_exit_of_multiprocessing_child)  # type: ignore[attr-defined]  # no public way
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
