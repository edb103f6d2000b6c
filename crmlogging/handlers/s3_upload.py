"""Uploading: one object after the other, never in a hurry against a server that says no."""

from __future__ import annotations

import math
import os
import random
import threading
import time
import weakref
from collections.abc import Callable
from typing import Final

from crmlogging.diagnostics import Tally, complain
from crmlogging.handlers.s3_bucket import Bucket
from crmlogging.handlers.threads import quiet_threads
from crmlogging.storage.s3_client import REMEDIES, Failure, explain
from crmlogging.storage.spool import Spool

__all__ = ["Uploader"]

_IDLE_SECONDS: Final = 1.0
_SHORT_PAUSE_SECONDS: Final = 0.02
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 60.0
_SLOW_SECONDS: Final = 60.0
_LEAST_PAUSE_SECONDS: Final = 1.0
"""Between two attempts against a server that said no, however often somebody calls `drain`."""
_random: Final = random.SystemRandom()
"""The module's own generator is the application's: who seeds it counts on what comes next."""


class Uploader:
    """Empties a spool in the background; at most one daemon thread.

    Args:
        spool: to be emptied.
        bucket: where to.
        seal: called before each round: finishes what is due, or all when asked to.
        waiting: tells whether the spool still holds what this uploader is asked to deliver.
        tally: receives ``uploaded``, ``upload_failed.CODE``, ``rejected``.
        monotonic: clock, in seconds.
        jitter: returns a random number between 0 and its argument.

    Attributes:
        running: the thread is there, and means to stay.
    """

    def __init__(
        self,
        spool: Spool,
        bucket: Bucket,
        *,
        seal: Callable[[bool], None],
        waiting: Callable[[], bool],
        tally: Tally,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[float], float] = lambda most: _random.uniform(0, most),
    ) -> None:
        self._spool = spool
        self._bucket = bucket
        self._seal = seal
        self._waiting = waiting
        self._tally = tally
        self._monotonic = monotonic
        self._jitter = jitter
        self._tried: set[str] = set()
        self._failures = 0
        self._not_before = 0.0
        self._failed_at = -math.inf
        self._forget()
        _all.add(self)

    def _forget(self) -> None:
        self._thread: threading.Thread | None = None
        self.running = False
        self._changed = threading.Condition()
        self._asked = self._answered = 0
        self._empty = True
        self._hopeless = False
        self._attempted = False
        self._closing = False
        self._round_lock = threading.Lock()
        self._mute = False
        self._bucket.forget()  # A connection must not be used by parent and child.

    def start(self) -> None:
        """Start the thread if it is not there; where none can start, `drain` does its work."""
        with self._changed:
            self._closing = False
            if self._thread is None or not self._thread.is_alive():
                thread = threading.Thread(target=self._run, name="crmlogging-s3", daemon=True)
                self._thread = thread
                try:
                    thread.start()
                except RuntimeError:  # At interpreter exit.
                    self._thread = None
            self.running = self._thread is not None

    def drain(self, timeout: float) -> bool:
        """Upload everything within `timeout` seconds; False if something is left."""
        end = self._monotonic() + timeout
        while True:
            answer = self._ask(end)
            if answer is not None:
                return answer

    def _ask(self, end: float) -> bool | None:
        """Wait for one round that began after this call; None when another one may help."""
        if self._thread is None or not self._thread.is_alive():
            self._round(everything=True, end=end)
        else:
            with self._changed:
                self._asked += 1
                mine = self._asked
                self._changed.notify_all()
                left = end - self._monotonic()
                if not self._changed.wait_for(lambda: self._answered >= mine, max(0.0, left)):
                    return False
        if self._empty or (self._hopeless and self._attempted):
            return self._empty
        until = self._failed_at + _LEAST_PAUSE_SECONDS if self._hopeless else self._not_before
        pause = max(until - self._monotonic(), _SHORT_PAUSE_SECONDS)
        if self._monotonic() + pause >= end:
            return False
        time.sleep(pause)
        return None

    def close(self, *, last_round: bool = False) -> None:
        """Let the thread end after its present round, or after one more."""
        with self._changed:
            self._closing, self.running = True, False
            self._asked += last_round
            self._changed.notify_all()

    def _run(self) -> None:
        quiet_threads.add(threading.get_ident())
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._closing or self._asked > self._answered, self._idle()
                )
                if self._closing and self._asked <= self._answered:
                    self._bucket.renew()  # Its connections are closed.
                    self._thread = None
                    quiet_threads.discard(threading.get_ident())
                    return
                asked = self._asked
                everything = asked > self._answered
            self._round(everything=everything)
            with self._changed:
                self._answered = asked
                self._changed.notify_all()

    def _idle(self) -> float:
        """Return how long there is nothing to do, unless somebody asks: a second at most."""
        if not self._failures:
            return _IDLE_SECONDS
        left = self._not_before - self._monotonic()
        return min(max(left, _SHORT_PAUSE_SECONDS), _IDLE_SECONDS)

    def _round(self, *, everything: bool, end: float = math.inf) -> None:
        """Seal, pack and upload; `everything` also seals what is not due, and tries at once.

        Args:
            end: until when, where a caller does this itself: there is no thread that may hang.
        """
        me = threading.get_ident()
        visitor = me not in quiet_threads
        quiet_threads.add(me)
        try:
            with self._round_lock:
                self._seal(everything or self._mute)
                if self._mute:
                    self._empty = not self._waiting()
                    self._hopeless = self._attempted = True
                    return
                left = self._spool.pack()
                if end == math.inf:
                    self._prepare()
                self._attempted = self._may_try(everything=everything)
                if self._attempted:
                    self._hopeless = False
                    left += self._upload(end)
                    # Another process may have taken what is ours, and not be done with it.
                    self._empty = not left and not self._waiting()
        except Exception as error:  # noqa: BLE001  # a thread's loop: told, and tried again
            self._empty = False
            complain("S3Handler", error, hint="the lines stay in the spool")
            self._back_off(Failure("", permanent=False, poison=False, wait_seconds=0))
        finally:
            if visitor:
                quiet_threads.discard(me)

    def _prepare(self) -> None:
        """Make the client as soon as it will be needed: at exit there is less time for it."""
        if self._monotonic() >= self._not_before and self._spool.waiting():
            try:
                self._bucket.prepare()
            except Exception:  # noqa: BLE001  # the upload meets the same error, and tells it
                return

    def _may_try(self, *, everything: bool) -> bool:
        now = self._monotonic()
        asked = everything and now >= self._failed_at + _LEAST_PAUSE_SECONDS
        return asked or now >= self._not_before

    def _upload(self, end: float) -> int:
        """Upload what is ready; return how much could not be."""
        for item in self._spool.ready(last=self._tried):
            self._bucket.allow(max(_SHORT_PAUSE_SECONDS, end - self._monotonic()))
            try:
                self._bucket.put(item)
            except Exception as error:  # noqa: BLE001  # counted below, and tried again
                failure = explain(error)
                self._tally.add(f"upload_failed.{failure.code}")
                self._tell(failure)
                if failure.poison:
                    self._spool.reject(item)
                    self._tally.add("rejected")
                    continue
                self._spool.keep(item)
                self._tried = self._tried | {item.key} if item.key not in self._tried else set()
                self._back_off(failure)
                return 1
            self._spool.delivered(item)
            self._tally.add("uploaded")
            self._tried.discard(item.key)
            self._failures = 0
        self._failures = 0  # Also where another process has delivered what failed here.
        return 0

    def _tell(self, failure: Failure) -> None:
        hint = REMEDIES.get(failure.code, "it is tried again with growing pauses")
        complain("S3Handler", f"upload failed with {failure.code}", hint=hint)

    def _back_off(self, failure: Failure) -> None:
        """Wait with full jitter, doubling up to a minute; longer where waiting mends nothing."""
        self._failures += 1
        self._failed_at = self._monotonic()
        if failure.permanent:
            self._hopeless = True
            self._bucket.renew()
            pause = _SLOW_SECONDS / 2 + self._jitter(_SLOW_SECONDS)
        else:
            most = min(
                _LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0 ** min(self._failures, 10)
            )
            pause = failure.wait_seconds + self._jitter(most)
        self._not_before = self._monotonic() + pause


_all: Final[weakref.WeakSet[Uploader]] = weakref.WeakSet()


def _after_fork() -> None:
    # Born while a thread of the parent made a client, whosever: locks of OpenSSL may be taken for
    # ever in here (measured: the child hung at its exit). Others empty the spool.
    mute = any(each._bucket.preparing for each in _all)
    for each in list(_all):
        each._forget()
        each._mute = mute


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
