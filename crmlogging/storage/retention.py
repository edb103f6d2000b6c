"""Which rotated files are compressed and which are deleted, and doing it.

The plan is a pure function of names, sizes and the date. The sweep carries it out, one
process at a time in a directory, and never touches a name that is not exactly of our form.
"""

from __future__ import annotations

import datetime
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from crmlogging.diagnostics import Tally, complain
from crmlogging.storage.appending import LOOK_SECONDS
from crmlogging.storage.compression import compress_file
from crmlogging.storage.locking import adopt, forget, try_lock
from crmlogging.storage.rotation import Names, Rotated, day_of
from crmlogging.storage.suffixes import PARTIAL

if TYPE_CHECKING:
    from crmlogging.crypto.keys import PublicKey

__all__ = ["COMPRESS_AFTER_DAYS", "Plan", "Sweep", "plan"]

COMPRESS_AFTER_DAYS: Final = 30
"""Age at which a file that was rotated by day is compressed; a full one is at once."""


class Plan(NamedTuple):
    """What is to be done with the rotated files of one handler.

    Attributes:
        expired: too old, to be deleted.
        excess: deleted to keep below the bound on the total size, oldest first.
        compress: to be compressed.
    """

    expired: list[Rotated]
    excess: list[Rotated]
    compress: list[Rotated]


def plan(
    files: Sequence[tuple[Rotated, int]],
    *,
    today: datetime.date,
    days: Mapping[str, int | None],
    total_bytes: int | None = None,
    active_bytes: int = 0,
    compress_after_days: int = COMPRESS_AFTER_DAYS,
) -> Plan:
    """Decide about `files`, pairs of name and size in bytes.

    A file goes when every record in it is at least `days` old, so a day later than its date says:
    with 7 days, the file of the 1st goes on the 9th.

    Example:
        >>> names = Names("crm.jsonl", "debug")
        >>> old = names.parse("crm.debug.2026-11-01.000001.jsonl")
        >>> for day in (8, 9):
        ...     today = datetime.date(2026, 11, day)
        ...     len(plan([(old, 100)], today=today, days={"debug": 7}).expired)
        0
        1
    """
    expired: list[tuple[Rotated, int]] = []
    kept: list[tuple[Rotated, int]] = []
    for file, size in files:
        limit = days.get(file.tier)
        gone = limit is not None and (today - file.day).days > limit
        (expired if gone else kept).append((file, size))
    excess: list[Rotated] = []
    if total_bytes is not None:
        total = active_bytes + sum(size for _, size in kept)
        for file, size in sorted(kept):
            if total <= total_bytes:
                break
            excess.append(file)
            total -= size
    doomed = set(excess)
    remaining = [file for file, _ in kept if file not in doomed]
    due = _to_compress(remaining, today, compress_after_days)
    return Plan([file for file, _ in expired], excess, due)


def _to_compress(files: Sequence[Rotated], today: datetime.date, after: int) -> list[Rotated]:
    last: dict[tuple[str, datetime.date], int] = {}
    for file in files:
        key = (file.tier, file.day)
        last[key] = max(last.get(key, 0), file.number)
    return [
        file
        for file in sorted(files)
        if not file.compressed
        and (
            file.day >= today
            or file.number < last[file.tier, file.day]
            or (today - file.day).days >= after
        )
    ]


class Sweep:
    """Deletes and compresses the rotated files of one handler.

    Args:
        names: one for each tier, all of one directory.
        active: names of the active files, which count for the total size.
        days: tier to days kept; None keeps for ever.
        total_bytes: bound on all files together, or None.
        compress: whether to compress.
        mode: permissions of archives.
        gid: their group.
        clock: seconds since the epoch.
        tally: receives ``deleted``, ``deleted.total_bytes``, ``compressed``.
        encrypt_to: whose private key opens the archives, or None. Then nothing that is rotated
            stays readable: also the last file of a day is archived at once.
        settle: waits until nobody writes any more into a file that was renamed before the call.
    """

    def __init__(
        self,
        names: Sequence[Names],
        *,
        active: Sequence[str],
        days: Mapping[str, int | None],
        total_bytes: int | None,
        compress: bool,
        mode: int,
        gid: int | None,
        clock: Callable[[], float],
        tally: Tally,
        encrypt_to: PublicKey | None = None,
        settle: Callable[[], None] = lambda: time.sleep(2 * LOOK_SECONDS),
    ) -> None:
        self._names = names
        self._active = active
        self._days = days
        self._total_bytes = total_bytes
        self._compress = compress
        self._mode = mode
        self._gid = gid
        self._clock = clock
        self._tally = tally
        self._encrypt_to = encrypt_to
        self._settle = settle
        self._directory = names[0].directory

    def run(self, pause: Callable[[float], bool] = lambda _worked: True) -> bool:
        """Do all that is due; False if another process is at it, or something did not work.

        Args:
            pause: see `compress_file`.
        """
        fd = -1
        try:
            if sys.platform != "win32":  # A directory cannot be opened there.
                fd = adopt(os.open(self._directory, os.O_RDONLY | os.O_CLOEXEC))
                if not try_lock(fd):
                    return False
            return self._run(pause)
        except OSError as error:
            complain("retention", error)
            return False
        finally:
            forget(fd)

    def _run(self, pause: Callable[[float], bool]) -> bool:
        self._remove_partial()
        # A look at each file costs more than all else here, and only one bound needs it.
        size_of = self._size if self._total_bytes is not None else _unasked
        files = [(file, size_of(file.name)) for each in self._names for file in each.listing()]
        decided = plan(
            files,
            today=day_of(self._clock()),
            days=self._days,
            total_bytes=self._total_bytes,
            active_bytes=sum(map(size_of, self._active)),
            compress_after_days=COMPRESS_AFTER_DAYS if self._encrypt_to is None else 0,
        )
        done = True
        for file in decided.expired:
            done &= self._delete(file, "deleted")
        for file in decided.excess:
            done &= self._delete(file, "deleted.total_bytes")
        if decided.excess:
            complain("retention", "total_bytes was reached: files went before their time")
        if self._compress and decided.compress:
            self._settle()
            for file in decided.compress:
                done &= self._archive(file, pause)
        return done

    def _size(self, name: str) -> int:
        try:
            return os.lstat(os.path.join(self._directory, name)).st_size
        except OSError:
            return 0

    def _delete(self, file: Rotated, counter: str) -> bool:
        try:
            os.unlink(os.path.join(self._directory, file.name))
        except FileNotFoundError:
            return True
        except OSError as error:
            complain("retention", error)
            return False
        self._tally.add(counter)
        return True

    def _archive(self, file: Rotated, pause: Callable[[float], bool]) -> bool:
        path = os.path.join(self._directory, file.name)
        try:
            done = compress_file(
                path, mode=self._mode, gid=self._gid, encrypt_to=self._encrypt_to, pause=pause
            )
        except FileNotFoundError:
            return True
        except OSError as error:
            complain("compression", error, hint="the file stays as it is and is tried again")
            return False
        if done:
            self._tally.add("compressed")
        return done

    def _remove_partial(self) -> None:
        """Remove what a crash left in the middle of an archive: its source is still there."""
        for name in os.listdir(self._directory):
            if name.endswith(PARTIAL):
                source = name.removesuffix(PARTIAL)
                if any(each.parse(source) for each in self._names):
                    os.unlink(os.path.join(self._directory, name))


def _unasked(_name: str) -> int:
    return 0
