"""A queue's journal: its records on disk until they are delivered, as JSON of safe records.

caller      put into the queue -> line of JSON -> kernel -> the call returns
worker      batch delivered -> remarked; a segment of which all is delivered goes
once a second, and at the end of the process
            what dead processes left -> queue, as long as that is less than half full
"""

from __future__ import annotations

import json
import logging
import math
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

import orjson

from crmlogging.diagnostics import Tally, complain
from crmlogging.exceptions import Problems
from crmlogging.records import SafeRecord
from crmlogging.storage.journal import Journal, Slip
from crmlogging.storage.opening import UnsafeFileError

__all__ = ["Journaling", "open_journal"]

_LOOK_SECONDS: Final = 15.0
_UNSAFE: Final = ("args", "exc_info", "exc_text", "stack_info")
_DEFAULTS: Final = {
    **vars(logging.LogRecord("", logging.NOTSET, "", 0, "", None, None)),
    **dict.fromkeys(("created", "msecs", "relativeCreated"), 0.0),
    **dict.fromkeys(("process", "processName", "thread", "threadName", "taskName")),
}


class Accepting(Protocol):
    """What takes in the records that dead processes left."""

    def has_room(self) -> bool:
        """Whether another record may come."""

    def accept(self, record: logging.LogRecord, *, slip: Slip) -> None:
        """Take in a record."""


class Journaling:
    """The journal of one handler.

    Args:
        directory: where it lies.
        max_bytes: bound on what waits there.
        monotonic: clock, in seconds.

    Attributes:
        tally: ``journal.recovered`` (records that dead processes left), ``journal.unwritten``
            (records that are in memory only), ``journal.damaged``, ``journal.set_aside``.
    """

    def __init__(
        self,
        directory: str,
        max_bytes: int,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tally = Tally()
        self._monotonic = monotonic
        self._journal = Journal(
            directory, max_bytes=max_bytes, tally=self.tally, monotonic=monotonic
        )
        self.directory = directory
        self.advance = self._journal.advance
        self.make = self._journal.make
        self._ended = False
        self._open = True
        self.renew()
        _known.add(self)

    def renew(self) -> None:
        """In a forked child: all that waits is the parent's."""
        self._journal.renew()
        self._feeding = threading.Lock()
        self._leftovers: Iterator[tuple[bytes, Slip]] | None = None
        self._look_at = -math.inf

    def keep(self, record: logging.LogRecord, slip: Slip) -> None:
        """Write `record`, a safe one, to the journal; never raises."""
        if not slip.written:
            try:
                self._journal.append(_line(record), slip)
            except Exception as error:  # noqa: BLE001  # counted; the record is in memory
                if not slip.written:
                    self.tally.add("journal.unwritten")
                complain("journal", error, hint="the record waits in memory only")
        if self._ended:
            self._journal.close()

    def tick(self, accepting: Accepting) -> None:
        """Called once a second."""
        self._journal.measure()
        self._journal.advance()
        self.feed(accepting)

    def feed(self, accepting: Accepting, *, patience_seconds: float = 0.0) -> None:
        """Take in what dead processes left, as much as there is room for.

        Args:
            patience_seconds: how long to wait for another thread that does so already.
        """
        if not self._feeding.acquire(timeout=patience_seconds):
            return
        try:
            now = self._monotonic()
            if self._leftovers is None:
                if now < self._look_at:
                    return
                self._look_at = now + _LOOK_SECONDS
                self._leftovers = self._journal.leftovers()
            while accepting.has_room():
                found = next(self._leftovers, None)
                if found is None:
                    self._leftovers = None
                    self._journal.advance()
                    return
                self._take_in(*found, accepting)
        finally:
            self._feeding.release()

    def _take_in(self, line: bytes, slip: Slip, accepting: Accepting) -> None:
        record = _record(line)
        if record is None:
            self.tally.add("journal.damaged")
            slip.settled = True
        else:
            self.tally.add("journal.recovered")
            accepting.accept(record, slip=slip)

    def close(self, *, ended: bool = False) -> None:
        """Remove what is delivered; the rest stays, and a later record is taken all the same.

        Args:
            ended: the process ends: leave no file behind for a record that comes still.
        """
        self._open = False
        self._ended |= ended
        self._journal.close()

    def has_rival(self) -> bool:
        """Whether another handler of this process has the same directory, and is not closed."""
        return any(
            each is not self and each._open and each.directory == self.directory for each in _known
        )


_known: Final[weakref.WeakSet[Journaling]] = weakref.WeakSet()


def open_journal(directory: Any, max_bytes: int, problems: Problems) -> Journaling | None:
    """Return the journal in `directory`, or None after noting why it cannot be there."""
    if not isinstance(directory, str | os.PathLike) or not os.fspath(directory):
        problems.add("journal", f"{directory!r} is no path of a directory")
        return None
    path = os.fspath(directory)
    if not isinstance(path, str) or "\0" in path:
        problems.add("journal", "is no text that could be a path")
        return None
    # Now, not at the first record that needs it: a fork while a thread imports leaves a child in
    # which that module stays locked for ever.
    import crmlogging.redaction.projection  # noqa: F401  # its presence is the purpose

    journal = Journaling(os.path.abspath(path), max_bytes)
    try:
        unsafe = journal.make()
        if not os.access(path, os.W_OK | os.X_OK) and not _is_read_only(path):
            problems.add("journal", f"{path!r} cannot be written")
    except UnsafeFileError as error:
        problems.add("journal", f"{path!r} {error.reason}")
    except (FileExistsError, NotADirectoryError):
        problems.add("journal", f"{path!r} is no directory, or lies in none")
    except PermissionError as error:
        problems.add("journal", f"cannot make {path!r}: {error.strerror}")
    except OSError as error:  # A disk that is full or broken may be better later.
        complain("journal", error, hint="records wait in memory only until it takes them")
    else:
        if unsafe is not None:
            complain("journal", f"the directory of the journal is unsafe: {unsafe}")
        if journal.has_rival():
            complain(
                "journal",
                "two handlers have one journal, each may deliver what the other left",
                hint="give each handler a directory of its own",
            )
    return journal


def _is_read_only(path: str) -> bool:
    return hasattr(os, "statvfs") and bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _line(record: logging.LogRecord) -> bytes:
    attributes = record.__dict__
    try:
        return orjson.dumps(attributes, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # a lone surrogate, or a number of more than 64 bits
        return json.dumps(attributes, default=str).encode() + b"\n"


def _record(line: bytes) -> SafeRecord | None:
    """Return the record that a line describes, or None if it describes none."""
    try:
        attributes = orjson.loads(line)
    except ValueError:
        try:
            attributes = json.loads(line)
        except ValueError:
            return None
    if not isinstance(attributes, dict) or type(attributes.get("msg")) is not str:
        return None
    for name, default in _DEFAULTS.items():
        # What no record of ours lacks, of a kind that formatters can work with.
        if default is not None and type(attributes.get(name)) is not type(default):
            attributes[name] = default
    return SafeRecord({**_DEFAULTS, **attributes, **dict.fromkeys(_UNSAFE)})
