"""One lane a target: its queue and its worker thread, so that a slow target holds up no other.

    accept() -> arrivals -> every lane's queue -> the lane's worker, in batches -> the target

A worker starts with the first record, ends after half a minute without one (at once when its
handler was closed), and starts again.
Where no thread can start (interpreter exit since 3.12, servers without threads), whoever
accepts a record delivers it.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Collection
from queue import Empty, SimpleQueue
from typing import Final

from crmlogging.diagnostics import complain
from crmlogging.handlers.bounded_queue import BoundedQueue, Entry
from crmlogging.handlers.ledger import Ledger
from crmlogging.handlers.targets import Target
from crmlogging.handlers.threads import at_depth, depth, pause, threads_are_frozen

__all__ = ["Lane"]

# A batch is in the target's hands and cannot be evicted any more: a slow target gets small ones.
_LARGEST_BATCH: Final = 64
_BATCH_SECONDS: Final = 0.01
_POLL_SECONDS: Final = 0.001
_LINGER_SECONDS: Final = 0.02
_IDLE_SECONDS: Final = 30.0
_IDLE_WHEN_CLOSED_SECONDS: Final = 0.1
_RETRY_SECONDS: Final = 5.0
_MANY_ARRIVED: Final = 1_000


class Lane:
    """The queue before one target, and the thread that empties it.

    Args:
        owner: kept alive by the running thread, so that nothing accepted is forgotten.
        gather: puts what arrived into the queues; called with the lock.
        settled: called after each batch, without a lock.

    Attributes:
        wakes_at: how many must have arrived until a caller has to `wake` this.
    """

    def __init__(
        self,
        target: Target,
        queue: BoundedQueue,
        ledger: Ledger,
        owner: object,
        gather: Callable[[], None],
        settled: Callable[[], None],
    ) -> None:
        self.target = target
        self.queue = queue
        self.ledger = ledger
        self._owner = owner
        self._gather = gather
        self._settled = settled
        self._pid = os.getpid()
        self._hurry = max(1, queue.capacity // 2)
        self._hurry_arrived = max(1, min(queue.capacity // 8, _MANY_ARRIVED))
        self._in_hand: list[list[Entry]] = []
        self._batch = 1
        # SimpleQueue: the one primitive whose put is safe from signal handlers and __del__.
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._rest()
        self._rung = False
        self._stopping = False
        self._idle_seconds = _IDLE_SECONDS
        self._ending = False
        self._hung = False
        self._no_thread_until = 0.0

    def _rest(self) -> None:
        self._asleep, self._lingering, self.wakes_at = True, False, 0

    def _rise(self, *, lingering: bool = False) -> None:
        self._asleep, self._lingering = False, lingering
        self.wakes_at = self._hurry_arrived if lingering else sys.maxsize

    def wake(self) -> None:
        """Have what was put delivered: soon, or at once when there is much of it."""
        waits = self._asleep or (
            self._lingering
            and (self.queue.count >= self._hurry or len(self.ledger.arrived) >= self._hurry_arrived)
        )
        if waits and not self._rung:
            self.hasten()

    def hasten(self) -> None:
        """Have what was put delivered at once; without threads, deliver it here."""
        if os.getpid() != self._pid:
            return  # A forked child in which others are told of the fork before us.
        if self._ending:
            if self._hung:
                self.give_up("exit")
            else:
                self.deliver_here()
            return
        with self.ledger.lock:
            thread = self._thread
            if thread is None or not (thread.is_alive() or thread.ident is None):
                thread = self._thread = self._new_thread()
            elif thread.ident is not None:
                self._rung = True
                self._bell.put(None)
                return
            else:  # somebody is about to start it
                return
        if thread is None or not self._started(thread):
            self.deliver_here()

    def _new_thread(self) -> threading.Thread | None:
        if time.monotonic() < self._no_thread_until or threads_are_frozen():
            return None
        self._rise()
        self._rung = self._stopping = False
        return threading.Thread(
            target=self._run,
            args=(self._owner,),
            name=f"crmlogging-async-{self.target.name}",
            daemon=True,
        )

    def _started(self, thread: threading.Thread) -> bool:
        # Outside the lock: the new thread may need it before start() returns.
        try:
            thread.start()
            return True
        except RuntimeError:
            with self.ledger.lock:
                self._thread = None
                self._rest()
                self._no_thread_until = time.monotonic() + _RETRY_SECONDS
            return False

    def deliver_here(self) -> None:
        """Deliver what waits in the calling thread; a thread that delivers already goes on."""
        while depth() == 0 and self._deliver_some():
            pass

    def _run(self, _owner: object) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001  # e.g. raised into the thread from outside
            complain("AsyncHandler: worker", error, hint="it starts again")
            with self.ledger.lock:
                self._thread, self._rung = None, False
                self._rest()

    def _work(self) -> None:
        lingered = False
        while os.getpid() == self._pid:  # Greenlets that stand in for threads survive a fork.
            self._rung = False
            if self._deliver_some():
                lingered = False
            elif not lingered and not self._stopping:
                # Records come in bursts: waiting for more costs a caller less than waking us.
                self._rise(lingering=True)
                self._heard(_LINGER_SECONDS)
                self._rise()
                lingered = True
            elif self._sleep():
                lingered = False
            else:
                return

    def revive(self) -> None:
        """Start the worker again if it died with records waiting."""
        thread = self._thread
        if self._has_more() and (thread is None or not thread.is_alive()):
            self.hasten()

    def _has_more(self) -> bool:
        return bool(self.ledger.arrived or self.queue.waiting())

    def _heard(self, seconds: float) -> bool:
        try:
            self._bell.get(timeout=seconds)
            return True
        except Empty:
            return False

    def _sleep(self) -> bool:
        """Wait for a record; False when the thread has nothing more to do and must end."""
        # Before the question: who appends without the lock, and does not see us asleep, has done
        # so before we ask.
        self._rest()
        with self.ledger.lock:  # else one may be on its way from the arrivals to our queue
            more = self._has_more()
        if more or (not self._stopping and self._heard(self._idle_seconds)):
            self._rise()
            return True
        with self.ledger.lock:
            rung, self._rung = self._rung, False
            if self._has_more() or (rung and not self._stopping):
                self._rise()
                return True
            # Still asleep: the next record finds no thread and starts one.
            self._thread = None
            return False

    def _deliver_some(self) -> bool:
        with self.ledger.lock:
            self._gather()
            entries = self.queue.take(self._batch)
            if not entries:
                return False
            self._in_hand.append(entries)
        failed: Collection[int] = range(len(entries))
        began = time.monotonic()
        try:
            with at_depth(1 + entries[0].depth):
                failed = self.target.deliver([entry.record for entry in entries])
        finally:
            self._settle(entries, failed)
        self._settled()
        slow = time.monotonic() - began > _BATCH_SECONDS
        self._batch = max(1, self._batch // 4) if slow else min(_LARGEST_BATCH, self._batch * 2)
        return True

    def _settle(self, entries: list[Entry], failed: Collection[int]) -> None:
        with self.ledger.lock:
            if entries not in self._in_hand:  # `give_up` settled them
                self._hung = False
                return
            self._in_hand.remove(entries)
            self.queue.done(entries)
            if not failed:
                self.ledger.settle_batch(entries)
                return
            for position, entry in enumerate(entries):
                self.ledger.settle(entry, "failed" if position in failed else None)

    def oldest(self) -> int:
        """Return the number of the oldest record that is not delivered, or `sys.maxsize`."""
        with self.ledger.lock:
            self._gather()
            in_hand = min((batch[0].number for batch in self._in_hand), default=sys.maxsize)
            return min(in_hand, self.queue.oldest())

    @property
    def busy(self) -> bool:
        """Whether a thread is inside the target at this moment."""
        return bool(self._in_hand)

    def stop(self, timeout: float) -> None:
        """End the thread once nothing waits; the next record starts another, for a short time."""
        self._idle_seconds = _IDLE_WHEN_CLOSED_SECONDS
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return
        self._stopping = True
        self._bell.put(None)
        end = time.monotonic() + timeout
        # Polled: joining could mean to wait with logging's module lock held.
        while thread.is_alive() and time.monotonic() < end:
            pause(_POLL_SECONDS)

    def finish(self, seconds: float) -> int:
        """Let callers deliver from now on; give up what still waits, return how many those were.

        For the end of the process, after a last wait. Other threads may have logged since, so
        the worker gets `seconds` more; what waits then, waits for a target that hangs.
        """
        with self.ledger.lock:
            self._ending = True
        end = time.monotonic() + seconds
        while self.oldest() != sys.maxsize and time.monotonic() < end:
            pause(0.002)
        with self.ledger.lock:
            self._hung = self.busy
            return self.give_up("exit")

    def give_up(self, reason: str) -> int:
        """Drop what waits and is in no journal; returns how many records waited."""
        with self.ledger.lock:
            self._gather()
            entries = list(itertools.chain.from_iterable(self._in_hand))
            while waiting := self.queue.take(sys.maxsize):
                entries += waiting
            self.queue.done(entries)
            for entry in entries:
                if entry.slip is None or not entry.slip.written:
                    self.ledger.settle(entry, reason)
            self._in_hand.clear()
            return len(entries)
