"""Files that lose nothing and keep no longer than they should.

Any number of processes and threads may log to one file. What a logging call has written
survives `kill -9` of the process, not a power cut (unless `fsync` says so).
"""

from __future__ import annotations

import logging
import math
import os
import re
import stat
from collections.abc import Callable, Mapping
from typing import Final

from crmlogging.diagnostics import complain
from crmlogging.exceptions import Problems
from crmlogging.handlers.durable_handler import DEBUG_TIER, STANDARD_TIER, DurableHandler
from crmlogging.handlers.ledger import balanced
from crmlogging.handlers.recipients import checked_recipient
from crmlogging.storage.opening import UnsafeFileError, make_directory
from crmlogging.storage.retention import Sweep
from crmlogging.storage.rotation import Names, RotatingAppender, day_of
from crmlogging.storage.sweeping import Sweeper

__all__ = ["RetentionFileHandler"]

_TIERS: Final[Mapping[str, int | None]] = {DEBUG_TIER: 7, STANDARD_TIER: 90}
_SYNCED_FROM: Final = {"never": math.inf, "error": logging.ERROR, "batch": -math.inf}
"""From which level on a call waits for the disk."""
_CLOSE_SECONDS: Final = 1.0
_OPTIONS: Final = (
    *("filename", "max_bytes", "tiers", "compress", "encrypt_to", "fsync", "mode", "group"),
    *("total_bytes", "levels", "level"),
)
_INSTEAD: Final = {
    "maxBytes": "ours is max_bytes",
    "backupCount": "ours is tiers={'debug': 7, 'standard': 90}, days instead of files",
    "when": "a new file begins at midnight UTC anyway; max_bytes bounds its size",
    "interval": "a new file begins at midnight UTC anyway",
    "atTime": "a new file begins at midnight UTC anyway",
    "utc": "days are UTC",
    "delay": "the file is opened at once, to show mistakes early",
    "encoding": "lines are UTF-8",
    "errors": "lines are UTF-8; what cannot be encoded is escaped",
    "retention": "ours is tiers={'debug': 7, 'standard': 90}, in days",
    "rotation": "ours is max_bytes; a new file begins at midnight UTC anyway",
    "compression": "ours is compress='gzip'",
}


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
        problems = Problems(type(self).__name__)
        problems.unknown(unknown, known=_OPTIONS, instead=_INSTEAD)
        path = _checked_path(filename, problems)
        days = _checked_tiers(tiers, problems)
        _check_sizes(problems, max_bytes=max_bytes, total_bytes=total_bytes)
        if compress not in ("gzip", None):
            problems.add("compress", f"{compress!r} is not 'gzip' or None")
        recipient = checked_recipient(encrypt_to, problems)
        if encrypt_to is not None and compress is None:
            problems.add("encrypt_to", "needs compress='gzip'")
        if not isinstance(fsync, str) or fsync not in _SYNCED_FROM:
            problems.add("fsync", f"{fsync!r} is none of {', '.join(map(repr, _SYNCED_FROM))}")
        gid = _checked_group(group, problems)
        if mode is None:
            mode = 0o600 if gid is None else 0o640
        elif not _is_mode(mode):
            problems.add("mode", f"{mode!r} are no file permissions such as 0o600")
        problems.raise_if_any()
        super().__init__(tiers=list(days), clock=clock, level=level)
        self.baseFilename = path
        self._synced_from = _SYNCED_FROM[fsync]
        names = {tier: Names(path, tier) for tier in days}
        self._files = {
            tier: RotatingAppender(
                path if tier == self._tier(logging.INFO) else _debug_path(path),
                names=names[tier],
                max_bytes=max_bytes,
                clock=clock,
                mode=mode,
                gid=gid,
                failed=self._failed,
                recovered=self._recovered,
            )
            for tier in days
        }
        sweep = Sweep(
            list(names.values()),
            active=[os.path.basename(file.path) for file in self._files.values()],
            days=days,
            total_bytes=total_bytes,
            compress=compress is not None,
            mode=mode,
            gid=gid,
            clock=self._clock,
            tally=self.tally,
            encrypt_to=recipient,
        )
        self._sweeper = Sweeper(sweep.run)
        self._swept_day = day_of(self._clock())
        # Last: a handler that failed half-built is still closed by logging.shutdown.
        self._open(problems)
        self._sweeper.soon()
        self.start(watch_levels=levels)

    def _open(self, problems: Problems) -> None:
        """Open the active file, and look at the debug tier's without creating it."""
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
        file = self._files[tier]
        before = file.rotations
        file.append(lines, count, level >= self._synced_from)
        if file.rotations != before:
            self._sweeper.soon()

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
        delivered = sum(file.written for file in self._files.values())
        return {
            **balanced(delivered, 0, self.tally.snapshot()),
            "rotated": sum(file.rotations for file in self._files.values()),
            "mended": sum(file.mended for file in self._files.values()),
        }


def _debug_path(path: str) -> str:
    stem, suffix = os.path.splitext(path)
    return f"{stem}.{DEBUG_TIER}{suffix}"


_LONGEST_NAME: Final = 255 - len(".standard.2026-11-21.000017000.gz.tmp")
_ROTATED_LOOK: Final = re.compile(
    r".*\.(\d+|gz|enc|tmp|bz2|zst)|.*\.(debug|standard)\.\d{4}-\d\d-\d\d\.\d+(\..*)?"
)


def _checked_path(filename: object, problems: Problems) -> str:
    """Return `filename` as an absolute path, or note why it cannot be one."""
    if not isinstance(filename, str | os.PathLike) or not os.fspath(filename):
        problems.add("filename", f"{filename!r} is no path of a file")
        return ""
    path = os.fspath(filename)
    if not isinstance(path, str):
        problems.add("filename", "is bytes; give it as text")
        return ""
    base = os.path.basename(path)
    shown = repr(path if len(path) < 100 else path[:100] + "…")
    if any(ord(character) < 32 for character in path):
        problems.add("filename", f"{shown} contains a control character")
    elif ".." in path.replace(os.sep, "/").split("/"):
        problems.add("filename", f"{shown} contains '..'; give the path itself")
    elif not base or base == ".":
        problems.add("filename", f"{shown} is a directory")
    elif len(os.fsencode(base)) > _LONGEST_NAME:
        problems.add("filename", f"{shown} is too long: rotated files need room for a date")
    elif any(character in base for character in "*?["):
        problems.add("filename", f"{shown} contains a wildcard")
    elif _ROTATED_LOOK.fullmatch(base):
        problems.add("filename", f"{shown} looks like a rotated or compressed file")
    return os.path.abspath(path) if not problems.found else ""


def _checked_tiers(tiers: object, problems: Problems) -> Mapping[str, int | None]:
    if tiers is None:
        return _TIERS
    if not isinstance(tiers, Mapping) or not tiers:
        problems.add("tiers", f"{tiers!r} is no mapping such as {dict(_TIERS)}")
        return _TIERS
    for tier, days in tiers.items():
        if tier not in _TIERS:
            problems.add("tiers", f"{tier!r} is none of {', '.join(map(repr, _TIERS))}")
        elif days is not None and not _is_count(days):
            problems.add("tiers", f"{tier}: {days!r} is no number of days (None: for ever)")
    return tiers


def _check_sizes(problems: Problems, *, max_bytes: object, total_bytes: object) -> None:
    if not _is_count(max_bytes):
        problems.add("max_bytes", f"{max_bytes!r} is no number of bytes")
    if total_bytes is not None and not _is_count(total_bytes):
        problems.add("total_bytes", f"{total_bytes!r} is no number of bytes (None: no bound)")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_mode(mode: object) -> bool:
    return isinstance(mode, int) and stat.S_IMODE(mode) == mode and mode & 0o600 == 0o600


def _checked_group(group: object, problems: Problems) -> int | None:
    """Return the number of `group`."""
    if group is None or (isinstance(group, int) and not isinstance(group, bool)):
        return group
    try:
        import grp

        return grp.getgrnam(str(group)).gr_gid
    except (ImportError, KeyError):
        problems.add("group", f"{group!r} is no group of this system")
        return None
