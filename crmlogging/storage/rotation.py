"""Rotation by size and UTC day, agreed on by all processes without talking to each other.

    crm.jsonl                                  active, tier "standard"
    crm.debug.jsonl                            active, tier "debug"
    crm.standard.2026-11-21.000017.jsonl       rotated
    crm.standard.2026-11-21.000017.jsonl.gz    its archive; .gz.enc if it is encrypted

Who finds the file full, or of another day, renames it while holding its lock. The others
find the name gone or full and open the new file. The date is the UTC day of the content. The last
file of a day is the one that was rotated because the day ended; all before it were full.
"""

from __future__ import annotations

import datetime
import os
import re
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from crmlogging.diagnostics import complain
from crmlogging.storage.appending import Appender
from crmlogging.storage.suffixes import ARCHIVE, ENCRYPTED
from crmlogging.storage.tails import is_refusal

__all__ = ["Names", "Rotated", "RotatingAppender", "day_of"]

_DAY_SECONDS: Final = 86_400
_EPOCH: Final = datetime.date(1970, 1, 1)
_TIMESTAMP: Final = rb'"timestamp":\s?"(\d{4}-\d\d-\d\d)T'
_HEAD_BYTES: Final = 4_096
_RETRY_SECONDS: Final = 1.0
_STEPS: Final = 64


def day_of(seconds: float) -> datetime.date:
    """Return the UTC day of `seconds` since the epoch.

    Example:
        >>> day_of(1_795_305_599.9), day_of(1_795_305_600)
        (datetime.date(2026, 11, 21), datetime.date(2026, 11, 22))
    """
    return _EPOCH + datetime.timedelta(days=int(seconds // _DAY_SECONDS))


class Rotated(NamedTuple):
    """A rotated file, as its name tells it.

    Attributes:
        day: UTC day of the content.
        number: counts the files of the day, from 1.
        tier: retention class.
        compressed: ends in ``.gz``, or ``.gz.enc`` if it is also encrypted.
        name: file name, without directory.
    """

    day: datetime.date
    number: int
    tier: str
    compressed: bool
    name: str


class Names:
    """The names of one tier's files. A file of any other name is not ours.

    Example:
        >>> names = Names("/var/log/crm.jsonl", "standard")
        >>> names.rotated(datetime.date(2026, 11, 21), 17)
        'crm.standard.2026-11-21.000017.jsonl'
        >>> names.parse("crm.standard.2026-11-21.000017.jsonl.gz").compressed
        True
        >>> names.parse("crm.standard.2026-11-21.17.jsonl.gz") is None
        True
    """

    def __init__(self, path: str, tier: str) -> None:
        self.directory, base = os.path.split(os.path.abspath(path))
        self.tier = tier
        self.stem, self.suffix = os.path.splitext(base)
        self._form = re.compile(
            rf"{re.escape(self.stem)}\.{tier}\.(\d{{4}}-\d\d-\d\d)\.(\d{{6,9}})"
            rf"{re.escape(self.suffix)}(\.gz(?:\.enc)?)?",
            re.ASCII,
        )

    def rotated(self, day: datetime.date, number: int) -> str:
        """Return the name of file `number` of `day`."""
        return f"{self.stem}.{self.tier}.{day.isoformat()}.{number:06d}{self.suffix}"

    def parse(self, name: str) -> Rotated | None:
        """Read a file name; None if it is not exactly of our form."""
        match = self._form.fullmatch(name)
        if match is None:
            return None
        try:
            day = datetime.date.fromisoformat(match[1])
        except ValueError:
            return None
        number = int(match[2])
        if self.rotated(day, number) != name.removesuffix(match[3] or ""):
            return None
        return Rotated(day, number, self.tier, match[3] is not None, name)

    def listing(self) -> list[Rotated]:
        """Return all rotated files of this tier, oldest first."""
        return sorted(filter(None, map(self.parse, os.listdir(self.directory))))

    def taken(self, day: datetime.date, number: int) -> bool:
        """Tell whether file `number` of `day` is there, compressed or not."""
        path = os.path.join(self.directory, self.rotated(day, number))
        return any(os.path.lexists(path + suffix) for suffix in ("", ARCHIVE, ENCRYPTED))


class RotatingAppender(Appender):
    """An Appender whose file is renamed when it is full or when the UTC day changes.

    Args:
        path: the active file.
        names: names for rotated files.
        max_bytes: size it does not exceed, unless a single append does.
        turned_over: called after an append that put another file in place.
        clock: seconds since the epoch; without one the system's.
        options: of `Appender`.
    """

    def __init__(
        self,
        path: str,
        *,
        names: Names,
        max_bytes: int,
        turned_over: Callable[[], None] | None = None,
        clock: Callable[[], float] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(path, clock=clock, **options)
        self._names = names
        self._max_bytes = self._full_at = max_bytes
        self._turned_over = turned_over
        self._has_news = False
        self._day: int | None = None
        self._last = (_EPOCH, 0)
        self._retry_at = 0.0

    def _open(self) -> None:
        super()._open()
        self._day = None

    def _append_patiently(self, data: bytes, records: int, durably: bool, generation: int) -> None:
        super()._append_patiently(data, records, durably, generation)
        # Here, where it is nobody's turn any more: who is told may start a thread.
        has_news, self._has_news = self._has_news, False
        if has_news and self._turned_over is not None:
            self._turned_over()

    def _due(self, fd: int, size: int, incoming: int) -> bool:
        clock = self._clock or time.time
        now = clock()
        today = now // _DAY_SECONDS
        # Midnight may come before the next look.
        self._look_at = min(self._look_at, self._monotonic() + (today + 1) * _DAY_SECONDS - now)
        if self._day == today and size + incoming <= self._max_bytes:
            return False
        if size == 0:
            self._day = int(today)
            return False
        day = self._age(fd, int(today)) if self._day is None else self._day
        return (day != today or size + incoming > self._max_bytes) and self._may_rotate()

    def _may_rotate(self) -> bool:
        return self._monotonic() >= self._retry_at

    def _age(self, fd: int, today: int) -> int:
        """Find out the day of a file that another process began, and remember it.

        Every write is of its file's day, so the time of the last one tells. Where that is not
        today the content is asked, since clocks may be set and files be copied.
        """
        day = int(os.fstat(fd).st_mtime // _DAY_SECONDS)
        if day != today:
            os.lseek(fd, 0, os.SEEK_SET)
            match = re.search(_TIMESTAMP, os.read(fd, _HEAD_BYTES))
            if match is not None:
                try:
                    day = (datetime.date.fromisoformat(match[1].decode()) - _EPOCH).days
                except ValueError:
                    pass
        self._day = day
        return day

    def _turn_over(self, fd: int) -> None:
        if not self._is_current(fd):
            try:
                self._reopen()  # Another process was faster.
            except OSError as error:  # Or somebody put in place what no log file must be.
                if not is_refusal(error):
                    raise
                self._look_at = 0.0
                self._postpone(error)
            return
        day = _EPOCH + datetime.timedelta(days=self._day or 0)
        source = self.path
        try:
            target = os.path.join(self._names.directory, self._free_name(day))
            if self._fd != fd:
                return  # A child, forked meanwhile: its parent does it.
            os.rename(source, target)
            if self._fd != fd:
                return
        except OSError as error:
            if not is_refusal(error):
                raise
            self._postpone(error)
            return
        try:
            self._reopen()
        except OSError as error:
            if not is_refusal(error):
                raise
            self._postpone(error)
            _undo(target, source)
            return
        self.rotations += 1
        self._has_news = True

    def _postpone(self, error: OSError) -> None:
        """Go on with the old file for a while: too large is better than lost."""
        self._retry_at = self._monotonic() + _RETRY_SECONDS
        complain("rotation", error, hint="the file grows beyond its limit until this works")

    def _free_name(self, day: datetime.date) -> str:
        """Return a name no file of `day` has had; holding the lock keeps it free."""
        names, (last_day, number) = self._names, self._last
        # Retention removes the oldest first: while the last one I know is there, so is all
        # after it, and listing a large directory can be saved. Others may have rotated meanwhile.
        if last_day == day and names.taken(day, number):
            nexts = range(number + 1, number + _STEPS)
            number = next((each for each in nexts if not names.taken(day, each)), 0)
        else:
            number = 0
        if not number:
            numbers = [each.number for each in names.listing() if each.day == day]
            number = max(numbers, default=0) + 1
        self._last = (day, number)
        return names.rotated(day, number)


def _undo(target: str, source: str) -> None:
    """Give a renamed file its name back, unless another process has begun a new one.

    A link first and never a rename, which would overwrite that one.
    """
    try:
        os.link(target, source, follow_symlinks=False)
        os.unlink(target)
    except OSError:
        pass
