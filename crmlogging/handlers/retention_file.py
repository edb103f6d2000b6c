"""Files that lose nothing and keep no longer than they should.

Any number of processes and threads may log to one file. What a logging call has written
survives `kill -9` of the process, not a power cut (unless `fsync` says so).
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Mapping
from typing import Final

from crmlogging.diagnostics import complain
from crmlogging.exceptions import Problems
from crmlogging.handlers import file_options
from crmlogging.handlers.durable_handler import DEBUG_TIER, DurableHandler
from crmlogging.storage.opening import UnsafeFileError, make_directory
from crmlogging.storage.rotation import Names, RotatingAppender, day_of
from crmlogging.storage.sweeping import Sweeper

__all__ = ["RetentionFileHandler"]

_CLOSE_SECONDS: Final = 1.0


class RetentionFileHandler(DurableHandler):
    """Write lines to a file that is rotated, compressed and deleted in time.

    Below INFO a record goes to the debug tier, ``crm.debug.jsonl`` beside ``crm.jsonl``. Files
    are rotated when full and at midnight UTC, as ``crm.standard.2026-11-21.000017.jsonl``; full
    ones are compressed at once, in the background, the last of a day after 30 days.

    Args:
        filename: the active file, e.g. ``logs/crm.jsonl``; directories are created (0700).
        max_bytes: size at which a file is rotated.
        tiers: days to keep the files of a tier, by default ``{"debug": 7, "standard": 90}``; None
            keeps them for ever. Without ``debug`` all records go to ``standard``.
        compress: ``"gzip"``, or None to leave rotated files as they are.
        encrypt_to: encrypt the archives to a public key, a line ``x25519:KEY:ID`` or a PEM file,
            as ``.jsonl.gz.enc``; the last file of a day then does not stay plain either. What is
            not rotated yet is plain.
        fsync: when a call waits for the disk: ``"never"`` (survives the death of the process, not
            of the machine), ``"error"`` (records of ERROR and above), ``"batch"`` (every write).
        mode: permissions of all files, whatever the umask.
        group: name or number of the files' group, e.g. of a log shipper; `mode` is then 0640
            unless given.
        total_bytes: bound on all files together; beyond it the oldest go before their time.
        levels: follow ``CRMLOGGING_LEVEL`` in the running process.
        level: as of any handler.
        clock: seconds since the epoch, for tests.

    Raises:
        ConfigurationError: all that is wrong with the options, or with the place.
    """

    def __init__(
        self,
        filename: str | os.PathLike[str],
        *,
        max_bytes: int = 50_000_000,
        tiers: Mapping[str, int | None] | None = None,
        compress: str | None = "gzip",
        encrypt_to: str | os.PathLike[str] | None = None,
        fsync: str = "never",
        mode: int | None = None,
        group: str | int | None = None,
        total_bytes: int | None = None,
        levels: bool = True,
        level: int | str = logging.NOTSET,
        clock: Callable[[], float] | None = None,
        **unknown: object,
    ) -> None:
        # All that was given, as it was given: naming the options once more proves nothing.
        given = locals()
        # Here, since it brings all that compresses; not in the thread that sweeps, where a fork
        # would leave a child in which the module stays locked; and before the standard library
        # knows of this handler, which closes also what is half-built.
        from crmlogging.storage.retention import Sweep

        options = file_options.checked(type(self).__name__, given)
        super().__init__(tiers=list(options.days), clock=clock, level=level)
        self.baseFilename = options.path
        self._synced_from = options.synced_from
        names = {tier: Names(options.path, tier) for tier in options.days}
        self._files = {tier: self._file(names[tier], options) for tier in options.days}
        sweep = Sweep(
            list(names.values()),
            active=[os.path.basename(file.path) for file in self._files.values()],
            days=options.days,
            total_bytes=options.total_bytes,
            compress=options.compress is not None,
            mode=options.mode,
            gid=options.gid,
            clock=self._clock,
            tally=self.tally,
            encrypt_to=options.encrypt_to,
        )
        self._sweeper = Sweeper(sweep.run)
        self._swept_day = day_of(self._clock())
        # Last: a handler that failed half-built is still closed by logging.shutdown.
        self._open()
        self._sweeper.soon()
        self.start(watch_levels=levels)

    def _file(self, names: Names, options: file_options.Options) -> RotatingAppender:
        """Return the writer of one tier's active file."""
        path = options.path
        sweeps_full_files = options.compress is not None or options.total_bytes is not None
        return RotatingAppender(
            path if names.tier == self._tier(logging.INFO) else _debug_path(path),
            names=names,
            max_bytes=options.max_bytes,
            clock=options.clock,
            mode=options.mode,
            gid=options.gid,
            failed=self._failed,
            recovered=self._recovered,
            # Else files only age, which a new day tells.
            turned_over=self._sweep_soon if sweeps_full_files else None,
        )

    def _sweep_soon(self) -> None:
        self._sweeper.soon()

    def _open(self) -> None:
        """Open the active file, and look at the debug tier's without creating it."""
        problems = Problems(type(self).__name__)
        try:
            unsafe = make_directory(os.path.dirname(self.baseFilename))
            for tier, file in self._files.items():
                if tier == self._tier(logging.INFO) or os.path.lexists(file.path):
                    file.open()
        except UnsafeFileError as error:
            problems.add("filename", f"{self.baseFilename!r} {error.reason}")
        except OSError as error:
            problems.add("filename", f"cannot write {self.baseFilename!r}: {error.strerror}")
        else:
            if unsafe is not None:
                complain(type(self).__name__, f"the directory of the log file is unsafe: {unsafe}")
        problems.raise_if_any()

    def _store(self, tier: str, lines: bytes, count: int, level: int, when: float) -> None:
        self._files[tier].append(lines, count, level >= self._synced_from)

    def tick(self) -> None:
        """Called once a second: a new day ages files, and an unfinished sweep is taken up."""
        super().tick()
        today = day_of(self._clock())
        if today != self._swept_day:
            self._swept_day = today
            self._sweeper.soon()
        self._sweeper.retry_if_due()

    def close(self) -> None:
        """Close the files; a record that comes later opens them again.

        Compression under way gets a second to finish; the next start finishes the rest.
        """
        self.emit_due(math.inf)
        for file in self._files.values():
            file.close()
        self._sweeper.close(_CLOSE_SECONDS)
        super().close()

    def stats(self) -> dict[str, int]:
        """Return counters: ``produced`` = ``delivered`` + ``dropped``, and what was done.

        Others: ``dropped.REASON``, ``rotated``, ``compressed``, ``deleted``,
        ``deleted.total_bytes``, ``mended`` (fragments of killed writers that were cut off),
        ``ignored`` (what boto3 logs while an `S3Handler` uploads).
        """
        from crmlogging.handlers.ledger import balanced  # Here: it brings the queue along.

        delivered = sum(file.written for file in self._files.values())
        return {
            **balanced(delivered, 0, self.tally.snapshot()),
            "rotated": sum(file.rotations for file in self._files.values()),
            "mended": sum(file.mended for file in self._files.values()),
        }


def _debug_path(path: str) -> str:
    stem, suffix = os.path.splitext(path)
    return f"{stem}.{DEBUG_TIER}{suffix}"
