"""Forks wait while a thread is inside a library that does not survive one.

OpenSSL has locks of its own and knows nothing of forks. A child that is born while another thread
holds one waits for it for ever, at the latest when the child ends and OpenSSL tidies up (seen in
`OPENSSL_cleanup`, once in some thousand forks beside a thread that makes a client). So whoever
works with such a library says so, and a fork by Python waits, for a moment, until nobody is inside.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["inside"]


class _Gate:
    """Who is inside, by thread, with the seconds that a fork has patience for them."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self._changed = threading.Condition()
        self._patience: dict[int, float] = {}
        self._forks = 0

    def enter(self, seconds: float) -> bool:
        """Let the calling thread in, after forks under way; False if it is inside already."""
        me = threading.get_ident()
        with self._changed:
            if me in self._patience:
                return False
            while self._forks:
                self._changed.wait()
            self._patience[me] = seconds
        return True

    def leave(self) -> None:
        with self._changed:
            self._patience.pop(threading.get_ident(), None)
            self._changed.notify_all()

    def before_fork(self) -> None:
        with self._changed:
            self._forks += 1
            others = self._patience.copy()
            others.pop(threading.get_ident(), None)
            self._changed.wait_for(
                lambda: others.keys().isdisjoint(self._patience), max(others.values(), default=0.0)
            )

    def after_fork(self) -> None:
        with self._changed:
            self._forks -= 1
            self._changed.notify_all()


_gate = _Gate()


@contextmanager
def inside(seconds: float) -> Iterator[None]:
    """Have forks by other threads wait while the body runs, up to `seconds`."""
    entered = _gate.enter(seconds)
    try:
        yield
    finally:
        if entered:
            _gate.leave()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(
        before=_gate.before_fork,
        after_in_parent=_gate.after_fork,
        after_in_child=_gate.renew,
    )
