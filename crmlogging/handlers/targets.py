"""The handlers behind a queue: how records are handed to each kind, and how failures show."""

from __future__ import annotations

import io
import logging
import math
import os
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from crmlogging.diagnostics import complain
from crmlogging.formatters.encoding import ESCAPES
from crmlogging.formatters.overriding import bytes_renderer
from crmlogging.handlers.bounded_queue import Waiting
from crmlogging.handlers.line_writer import LineWriter
from crmlogging.handlers.safe_handler import SafeHandler
from crmlogging.records import MOMENTS, SafeRecord, copy_of, deferred

__all__ = ["Target", "target_for"]


_WRITERS: Final = (io.BufferedWriter, io.FileIO)
"""What is below a stream that is just a file; the second below those of ``python -u``."""


class _Outcome(threading.local):
    failed = False


_outcome: Final = _Outcome()
# Kept: its destructor would close the descriptor that the new stream goes on using.
_left_behind: Final[list[Any]] = []


def _failed_on(handler: logging.Handler, subject: logging.LogRecord | BaseException) -> None:
    """Note that `handler` failed in this thread; takes the place of its ``handleError``."""
    _outcome.failed = True
    error = subject if isinstance(subject, BaseException) else sys.exc_info()[1]
    complain(f"AsyncHandler: {type(handler).__name__}", error or "a record was refused")


class _Renewed:
    """The lock of an abandoned handler: whoever hung in it gives back a lock he never took."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        return self._lock.acquire(blocking, timeout)

    def release(self) -> None:
        with suppress(RuntimeError):
            self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def _at_fork_reinit(self) -> None:
        self._lock = threading.RLock()


def _own(record: Any) -> logging.LogRecord:
    """Return a record for one handler: formatters write to theirs, which others read by then."""
    if type(record) is SafeRecord:  # Most are, and theirs is a dictionary like any other.
        return SafeRecord(record.__dict__.copy())
    return deferred(record) if type(record) in MOMENTS else copy_of(record)


def _own_record(record: Any) -> Any:
    """Return the same for a handler that takes a moment, to which nobody can write."""
    return record if type(record) in MOMENTS else _own(record)


class Target:
    """A handler of any make: gets one record after the other, through ``handle``."""

    def __init__(self, handler: logging.Handler, *, respect_level: bool) -> None:
        self.handler = handler
        self.name: str = handler.name or type(handler).__name__
        self._respect_level = respect_level
        # The stock one prints message and arguments in clear; either hides that a record is lost.
        if type(handler).handleError in (logging.Handler.handleError, SafeHandler.handleError):
            handler.handleError = partial(_failed_on, handler)  # type: ignore[method-assign]  # theirs prints

    def deliver(self, records: Sequence[Waiting]) -> Collection[int]:
        """Hand over `records`; returns the positions of those on which the handler failed."""
        failed = []
        for position, record in enumerate(records):
            _outcome.failed = False
            try:
                if self.wants(record):
                    self.handler.handle(_own(record))
            except BaseException as error:  # noqa: BLE001  # SystemExit must not end the worker
                self._complain(error)
            if _outcome.failed:
                failed.append(position)
        return failed

    def wants(self, record: Waiting) -> bool:
        """Whether the handler's level lets `record` through."""
        return not self._respect_level or record.levelno >= self.handler.level

    def flush(self) -> None:
        """Flush the handler."""
        try:
            self.handler.flush()
        except BaseException as error:  # noqa: BLE001  # foreign code, in the worker's loop
            self._complain(error)

    def keep_open(self) -> None:
        """Let a file handler that somebody closes write again, without emptying its file."""
        if isinstance(self.handler, logging.FileHandler) and self.handler.mode == "w":
            self.handler.mode = "a"

    def abandon(self) -> None:
        """Leave the handler to the thread that hangs in it, so that nobody else has to wait.

        `logging.shutdown` takes each handler's lock, at exit and for every dictConfig.
        """
        self.handler.createLock()
        self.handler.lock = _Renewed()  # type: ignore[assignment]  # all that a handler does with it
        with logging._lock:  # type: ignore[attr-defined]  # no public way to do this
            references = logging._handlerList  # type: ignore[attr-defined]  # private, no other way
            references[:] = [each for each in references if each() is not self.handler]

    def renew(self) -> None:
        """Leave the stream behind, in a child forked while a thread was inside the handler.

        That thread is gone and its lock on the stream is held for ever.
        """
        handler: Any = self.handler
        stream = getattr(handler, "stream", None)
        if type(stream) is not io.TextIOWrapper:
            return
        _left_behind.append(stream)
        handler.stream = open(  # noqa: SIM115  # the handler's from now on
            stream.fileno(), "w", encoding=stream.encoding, errors=stream.errors, closefd=False
        )

    def _complain(self, error: BaseException) -> None:
        _failed_on(self.handler, error)


class BatchTarget(Target):
    """A handler that takes batches: ``handle_batch(records)``."""

    def deliver(self, records: Sequence[Waiting]) -> Collection[int]:
        """Hand over `records` at once."""
        _outcome.failed = False
        least = self.handler.level if self._respect_level else -math.inf
        own = _own_record if getattr(self.handler, "batches_moments", False) else _own
        wanted = [own(record) for record in records if record.levelno >= least]
        handle_batch: Callable[[Sequence[Any]], None]
        handle_batch = self.handler.handle_batch  # type: ignore[attr-defined]  # why it is here
        try:
            if wanted:
                handle_batch(wanted)
        except BaseException as error:  # noqa: BLE001  # SystemExit must not end the worker
            self._complain(error)
        return range(len(records)) if _outcome.failed else ()


class DescriptorTarget(Target):
    """A standard stream or file handler, written to by descriptor.

    A process forked while another thread writes to a stream inherits the stream's lock in locked
    state and hangs at its first ``print``. Writing to the descriptor takes no such lock.
    """

    def __init__(self, handler: logging.Handler, *, respect_level: bool) -> None:
        super().__init__(handler, respect_level=respect_level)
        self._writer = LineWriter()

    def deliver(self, records: Sequence[Waiting]) -> Collection[int]:
        """Write `records`, as few writes as a shared pipe allows, each of whole lines."""
        stream = self._stream()
        if stream is None:
            return super().deliver(records)
        lines: list[tuple[int, bytes]] = []
        failed: list[int] = []
        render = self._renderer(stream)
        for position, record in enumerate(records):
            _outcome.failed = False
            try:
                line = self._line(record, render, stream)
                if line:
                    lines.append((position, line))
            except BaseException as error:  # noqa: BLE001  # formatters are foreign code
                self._complain(error)
            if _outcome.failed:
                failed.append(position)
        whole, obstacle = self._write([line for _, line in lines], stream)
        if obstacle is not None:
            self._complain(obstacle)
            failed += [position for position, _ in lines[whole:]]
        return failed

    def flush(self) -> None:
        """Flush the handler, and finish a line that was cut short if that can be done by now."""
        super().flush()
        if self._writer.rest and (stream := self._stream()) is not None:
            self._write((), stream)

    def _write(
        self, lines: Sequence[bytes], stream: io.TextIOWrapper
    ) -> tuple[int, Exception | None]:
        """Return how many of `lines` are out, and what kept back the others."""
        try:
            with self.handler.lock or threading.RLock():
                # Again: who closed the handler meanwhile has set its number free for others.
                return self._writer.write((self._stream() or stream).fileno(), lines)
        except (OSError, ValueError) as error:  # the latter: it is closed
            return 0, error

    def _stream(self) -> io.TextIOWrapper | None:
        """Return the open stream, its buffer empty, or None for one that is not just a file."""
        handler: Any = self.handler
        try:
            stream = handler.stream
            if stream is None and isinstance(handler, logging.FileHandler):
                stream = handler.stream = handler._open()
            if type(stream) is not io.TextIOWrapper or type(stream.buffer) not in _WRITERS:
                return None
            if "".encode(stream.encoding):
                return None  # A mark that stands at a file's beginning, and only there.
            # What was printed before goes out first, so that no line ends up within another.
            stream.flush()
            stream.fileno()
        except (OSError, ValueError):
            return None
        return stream

    def _renderer(self, stream: io.TextIOWrapper) -> Callable[[Any], bytes] | None:
        """Return what renders a record to a line's bytes at once; None where text must be made."""
        steps = (type(self.handler).format, type(self.handler).filter)
        own = steps != (logging.Handler.format, logging.Handler.filter)
        if own or stream.encoding.lower() not in ("utf-8", "utf8"):
            return None
        return bytes_renderer(self.handler.formatter)

    def _line(
        self,
        record: Waiting,
        render: Callable[[Any], bytes] | None,
        stream: io.TextIOWrapper,
    ) -> bytes:
        if not self.wants(record):
            return b""
        handler: Any = self.handler
        if render is not None and type(record) in MOMENTS and not handler.filters:
            return b"%b%b" % (render(record), handler.terminator.encode())
        record = _own(record)
        outcome = handler.filter(record)
        if not outcome:
            return b""
        if isinstance(outcome, logging.LogRecord):  # 3.12: a filter may answer with another one
            record = outcome
        if render is not None:
            return b"%b%b" % (render(record), handler.terminator.encode())
        text: str = handler.format(record) + handler.terminator
        try:
            return text.encode(stream.encoding, stream.errors or "strict")
        except UnicodeEncodeError:
            return text.encode(stream.encoding, ESCAPES)


def target_for(handler: logging.Handler, *, respect_level: bool) -> Target:
    """Return the way to deliver to `handler`."""
    kind = type(handler)
    if callable(getattr(handler, "handle_batch", None)):
        return BatchTarget(handler, respect_level=respect_level)
    if (
        os.name == "posix"
        and isinstance(handler, logging.StreamHandler)
        and kind.emit in (logging.StreamHandler.emit, logging.FileHandler.emit)
        and kind.handle is logging.Handler.handle
        and kind.flush is logging.StreamHandler.flush
    ):
        return DescriptorTarget(handler, respect_level=respect_level)
    return Target(handler, respect_level=respect_level)
