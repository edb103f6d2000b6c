"""Output that does not wait: a bounded queue and a worker before each slow target.

    caller's thread                              worker threads, one a target
    filters -> values as at call time -> queue   ...   queue -> target
               or the finished line   -> queue   ...   queue -> target

The filters of the AsyncHandler itself run in the caller's thread, where the context variables
and the call's frames are; those of its targets run in the workers.

Owner of threads. *Close* delivers and ends the workers but does not silence: a foreign
dictConfig may close a handler that loggers still use, so a later record starts a worker again.
*Fork*: a child starts with empty queues and workers of its own; what waited is its parent's to
deliver. *Exit* delivers for up to `flush_seconds`; from then on callers write.
"""

from __future__ import annotations

import logging
import logging.handlers
import math
import queue as queues
import threading
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from crmlogging.diagnostics import complain
from crmlogging.exceptions import Problems
from crmlogging.handlers import delivery, documents, endings
from crmlogging.handlers.dispatch import Dispatch
from crmlogging.handlers.journaling import Journaling, open_journal
from crmlogging.handlers.ledger import Ledger
from crmlogging.handlers.overflow import INSTEAD, OPTIONS, Limits
from crmlogging.handlers.queued_record import portable, rendered, settled
from crmlogging.handlers.straight_queue import StraightQueue
from crmlogging.handlers.targets import target_for
from crmlogging.handlers.threads import surface, without_module_lock
from crmlogging.records import MOMENTS, SafeRecord, copy_of, deferred

__all__ = ["AsyncHandler"]


class AsyncHandler(StraightQueue, logging.handlers.QueueHandler):
    """Hand records to slow targets without making the caller wait.

    Args:
        queue: where records go when there are no `handlers`, as with the standard
            `QueueHandler`; not used otherwise.
        handlers: the targets: handlers, or in a dictConfig document their names.
        capacity: records that may wait before each target, 10,000 by default. ERROR and above
            may use a tenth more.
        capacity_bytes: memory that those may take, 64 MB by default, likewise.
        overflow: what to do where there is no room: ``"block"`` waits, for at most
            `block_seconds` a minute and never in a thread that runs an event loop, then drops;
            ``"drop"`` drops at once. The lowest level goes first. Audit records
            (``extra={"audit": True}``) are never dropped; they alone may exceed the bounds.
        block_seconds: time that all callers together may wait in one minute, 1 by default.
        flush_seconds: longest wait of `flush`, `close` and the interpreter's exit, 5 by default.
        journal: directory, of this handler alone, in which every record waits on disk as well:
            after ``kill -9`` the next start, or another process of the service, delivers it.
        journal_bytes: bound on what waits there, 1 GB by default; beyond it records wait in
            memory only, and are counted.
        respect_handler_level: whether a target's level counts; True, unlike a `QueueListener`'s.
        heartbeat_seconds: how often a line tells the counts of `stats`; None, the default: never.
        levels: follow ``CRMLOGGING_LEVEL`` (see `crmlogging.levels`).

    Raises:
        ConfigurationError: naming every option that cannot work.
    """

    queue: Any
    _takes_moments = True

    def __init__(
        self,
        queue: Any = None,
        *,
        handlers: Sequence[logging.Handler | str] = (),
        respect_handler_level: bool = True,
        levels: bool = True,
        **limits: Any,
    ) -> None:
        self._dispatch: Dispatch | None = None
        self._names: documents.TargetNames | None = None
        self._journal: Journaling | None = None
        self._listener: logging.handlers.QueueListener | None = None
        super().__init__(queue)
        problems = Problems(type(self).__name__)
        limits.update(respect_handler_level=respect_handler_level, levels=levels)
        options = documents.effective_options(queue, limits, problems)
        self.respect_handler_level = bool(options.pop("respect_handler_level"))
        levels = bool(options.pop("levels"))
        known = {name: options.pop(name) for name in Limits._fields if name in options}
        problems.unknown(options, known=OPTIONS, instead=INSTEAD)
        self._limits = Limits(**known)
        self._limits.check(problems)
        if not isinstance(handlers, tuple | list) or len(handlers):
            self._names = documents.TargetNames(handlers, problems)
        elif not hasattr(queue, "put_nowait"):
            problems.add("handlers", "name at least one target, or pass a queue")
        if self._limits.journal is not None and not problems.found:
            if self._names is None and not documents.brings_targets():
                problems.add("journal", "needs targets: name them in 'handlers'")
            else:
                size = self._limits.journal_bytes
                self._journal = open_journal(self._limits.journal, size, problems)
        problems.raise_if_any()
        self._connecting = threading.RLock()
        self._ledger = Ledger()
        delivery.register(self)
        endings.register(self)
        self.start(watch_levels=levels)

    @property
    def listener(self) -> logging.handlers.QueueListener | None:
        """What the standard library's users start and stop; neither is needed here."""
        dispatch = self._connect()
        if self._listener is None and self._names is not None:
            lanes = () if dispatch is None else dispatch.lanes
            self._listener = documents.Listener(
                *(self.queue, *(lane.target.handler for lane in lanes)),
                respect_handler_level=self.respect_handler_level,
                delivering=self,
            )
        return self._listener

    @listener.setter
    def listener(self, listener: logging.handlers.QueueListener | None) -> None:
        # From dictConfig by "class" (3.12 and later); None from QueueHandler's constructor.
        if listener is None or not listener.handlers:
            self._listener = listener
            return
        problems = Problems(type(self).__name__)
        if type(listener) is not logging.handlers.QueueListener:
            problems.unknown(["listener"], known=OPTIONS, instead=INSTEAD)
        self._names = documents.TargetNames(list(listener.handlers), problems)
        problems.raise_if_any()

    def _connect(self) -> Dispatch | None:
        """Return the way to the targets; None as long as dictConfig has not built them all."""
        if self._dispatch is not None or self._names is None:
            return self._dispatch
        with self._connecting:
            handlers = self._names.resolve()
            if handlers is not None and self._dispatch is None:
                respect = self.respect_handler_level
                targets = [target_for(each, respect_level=respect) for each in handlers]
                self._use(Dispatch(targets, self._limits, self, self._ledger, self._journal))
                endings.close_first(self)
        return self._dispatch

    def _use(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch
        steps = attrgetter("emit", "prepare", "enqueue")
        if self._journal is None and steps(type(self)) == steps(AsyncHandler):
            self._write_straight(dispatch)

    def emit(self, record: Any) -> None:
        """Put `record`, prepared, before the targets."""
        super().emit(deferred(record) if type(record) in MOMENTS else record)

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Return what may wait in place of `record`; a formatter set here makes the message."""
        if self._journal is not None:
            record = self.safe(record)
        try:
            if self._names is None:
                return portable(self._prepared_for_queue(record))
            if self.formatter is not None:
                return rendered(record, self.format(copy_of(record)))
        except Exception as error:  # noqa: BLE001  # formatters are foreign code
            complain(f"{type(self).__name__}: formatter", error)
        return settled(record)

    def _prepared_for_queue(self, record: logging.LogRecord) -> logging.LogRecord:
        if isinstance(record, SafeRecord) and self.formatter is None:
            return copy_of(record)
        prepared: logging.LogRecord = super().prepare(record)
        return prepared

    def enqueue(self, record: logging.LogRecord) -> None:
        """Put `record` before every target, or into the queue that was given."""
        dispatch = self._dispatch or self._connect()
        if dispatch is not None:
            dispatch.accept(record)
        elif self._names is None:
            self._put(record)
        else:
            self._ledger.drop(record, "no_target")
            complain(type(self).__name__, "a record came before its targets were configured")

    def _put(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except Exception as error:  # noqa: BLE001  # any kind of queue
            self._ledger.drop(record, "overflow" if isinstance(error, queues.Full) else "failed")
            complain(f"{type(self).__name__}: queue", error)
        else:
            self._ledger.deliver(record)

    def stats(self) -> dict[str, int]:
        """Return ``produced``, ``delivered``, ``pending``, ``dropped``, ``dropped.REASON.LEVEL``.

        produced = delivered + dropped + pending, at any moment, since the start of this process.
        A record is delivered when every target has had it; it is dropped, once, when one missed
        it: ``overflow``, ``too_large``, ``failed`` (the target raised), ``reentrant`` (logged
        while delivering what was logged while delivering), ``exit``, ``no_target``. With a
        journal also ``journal.recovered`` (left by a dead process, and produced here once
        more), ``journal.unwritten`` (in memory only), ``journal.damaged``, ``journal.set_aside``.
        """
        counts = self._ledger.stats()
        return counts if self._journal is None else counts | self._journal.tally.snapshot()

    def tick(self) -> None:
        """Called once a second: summaries, the line about drops, workers that died, the journal."""
        super().tick()
        dispatch = self._dispatch if self._journal is None else self._connect()
        if dispatch is not None:
            dispatch.tell()
            dispatch.revive()
            if self._journal is not None:
                self._journal.tick(dispatch)

    def flush(self) -> None:
        """Deliver what was logged before this call, within `flush_seconds`; flush the targets."""
        self.emit_due(math.inf)
        if self._dispatch is not None:
            with without_module_lock():
                self._dispatch.tell_drops()
                self._dispatch.flush(self._limits.flush_seconds)

    def drain(self, timeout: float) -> bool:
        """Wait until nothing waits; False when `timeout` seconds were not enough."""
        self.emit_due(math.inf)
        return self._dispatch is None or self._dispatch.drain(timeout)

    def close(self) -> None:
        """Deliver what waits and end the workers, within `flush_seconds`.

        Targets stay open: they may serve others. A later record is delivered all the same.
        """
        self.emit_due(math.inf)
        if self._dispatch is not None:
            with without_module_lock():
                self._dispatch.tell_drops(now=True)
                self._dispatch.close(self._limits.flush_seconds)
        if self._journal is not None:
            self._journal.close()
        super().close()

    def begin_end(self) -> None:
        """The process ends: queue what filters held back, wake the workers."""
        self.emit_due(math.inf)
        if self._dispatch is not None:
            self._dispatch.tell_drops(now=True)
            self._dispatch.revive()
            if self._journal is not None:
                self._journal.feed(self._dispatch, patience_seconds=1.0)

    def end(self) -> None:
        """The process ends: deliver for up to `flush_seconds`; from now on callers deliver."""
        given_up = self._dispatch.finish(self._limits.flush_seconds) if self._dispatch else 0
        if given_up:
            left = "" if self._journal is None else "; the journal has them for the next start"
            complain(
                type(self).__name__,
                f"{given_up} records were not delivered when the process ended{left}",
                hint="a target hangs; flush_seconds says how long to wait",
            )
        if self._journal is not None:
            self._journal.close(ended=True)

    def begin_child(self) -> None:
        """In a forked child: begin with empty queues and no threads."""
        surface()
        self._connecting = threading.RLock()
        self._ledger = Ledger()
        if self._journal is not None:
            self._journal.renew()
        if self._dispatch is not None:
            self._use(self._dispatch.for_child(self, self._ledger))
