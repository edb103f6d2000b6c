"""A short-lived daemon thread that compresses and deletes, at a bounded share of one core."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Final

from crmlogging.diagnostics import complain

__all__ = ["Sweeper"]

_SHARE: Final = 0.5
_GATHER_SECONDS: Final = 0.1  # One sweep for all that asks so soon after another.
_RETRY_SECONDS: Final = 10.0
_UNDO_SECONDS: Final = 0.2


class Sweeper:
    """Runs a sweep in the background when asked, and again later if it could not finish.

    The thread ends when there is nothing to do, so an idle handler has none, and a handler
    that nobody closed leaks none.

    Args:
        sweep: called with `pause`; answers whether everything due was done.
        monotonic: clock, in seconds.
    """

    def __init__(
        self,
        sweep: Callable[[Callable[[float], bool]], bool],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sweep = sweep
        self._monotonic = monotonic
        self._retry_at: float | None = None
        self._forget()
        _all.add(self)

    def _forget(self) -> None:
        self._lock = threading.RLock()
        self._wanted = False
        self._thread: threading.Thread | None = None
        self._hurry = threading.Event()
        self._stopped = False

    def soon(self) -> None:
        """Have a sweep begin after this call; where no thread can start, the next process does."""
        with self._lock:
            self._wanted, self._stopped = True, False
            if self._thread is not None and self._thread.is_alive():
                return
            self._hurry.clear()
            thread = threading.Thread(target=self._run, name="crmlogging-sweep", daemon=True)
            self._thread = None
            try:
                thread.start()
            except RuntimeError:  # At interpreter exit.
                return
            # Not before: `close` in another thread cannot wait for a thread that is not started.
            self._thread = thread

    def retry_if_due(self) -> None:
        """Sweep again if the last one was not complete; for a clock's tick."""
        if self._retry_at is not None and self._monotonic() >= self._retry_at:
            self._retry_at = None
            self.soon()

    def close(self, seconds: float) -> bool:
        """Let a sweep under way finish within `seconds`, at full speed; tell whether it did."""
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return True
        self._hurry.set()
        thread.join(seconds)
        self._stopped = True
        thread.join(_UNDO_SECONDS)  # So that no half archive is left behind.
        return not thread.is_alive()

    def _run(self) -> None:
        while True:
            self._hurry.wait(_GATHER_SECONDS)
            with self._lock:
                if not self._wanted or self._stopped:
                    self._thread = None
                    return
                self._wanted = False
            began = time.thread_time()
            try:
                done = self._sweep(self._pause)
            except Exception as error:  # noqa: BLE001  # a thread's loop: told, and tried again
                complain("retention", error)
                done = False
            self._retry_at = None if done else self._monotonic() + _RETRY_SECONDS
            # For what took no pause: files are looked at, however many there are.
            self._pause(time.thread_time() - began)

    def _pause(self, worked: float) -> bool:
        """Leave the core to others for as long as the work took; False means stop."""
        self._hurry.wait(worked * (1 / _SHARE - 1))
        return not self._stopped


_all: Final[weakref.WeakSet[Sweeper]] = weakref.WeakSet()


def _after_fork() -> None:
    for each in list(_all):
        each._forget()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
