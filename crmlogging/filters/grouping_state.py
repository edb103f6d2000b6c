"""Windows that outlive the process: a journal of what passed, was held back, and was summed up.

Each line is written before the filter answers, so that after ``kill -9`` the next process goes on
counting where this one stopped. A summary is kept until its handlers have it for certain; one
that was under way comes again, under the same ``record.id``.

Processes that name the same file take turns at ``NAME``, ``NAME.1``, ``NAME.2`` ..., each under a
lock; whoever starts takes over what dead ones left behind. Lines hold what safe records hold.
Mode 0600.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from crmlogging.diagnostics import complain, tally
from crmlogging.filters.grouping_key import Key
from crmlogging.filters.grouping_summary import Group, summary_of
from crmlogging.records import SafeRecord
from crmlogging.storage.locking import adopt, forget, try_lock

__all__ = ["Journal", "Left"]

_PLACES: Final = 64
_BYTES_KEPT: Final = 4 << 20
_BYTES_READ: Final = 64 << 20
_FLAGS: Final = (
    os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
)  # fmt: skip


class Left:
    """What earlier processes left.

    Attributes:
        groups: open windows, in the order in which they began.
        summaries: what nobody has been told yet.
    """

    __slots__ = ("groups", "summaries")

    def __init__(self, groups: dict[Key, Group], summaries: list[SafeRecord]) -> None:
        self.groups = groups
        self.summaries = summaries


class Journal:
    """What a filter has to remember, in a file; without a path it does nothing.

    The caller holds the filter's lock. Nothing here raises: without its file the filter goes on
    in memory.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._file: int | None = None
        self._place = path
        self._size = 0
        self._numbers = 0
        self._told = 0
        self.pending = path is not None
        """The file is still to be opened."""

    def open(self, now: float) -> Left:
        """Open the file, and return what others left."""
        self.pending = False
        try:
            return self._open(now)
        except OSError as error:
            self._fail(error)
            return Left({}, [])

    def _open(self, now: float) -> Left:
        left = Left({}, [])
        for number in range(_PLACES):
            place = f"{self._path}.{number}" if number else self._path
            if place is None or (self._file is not None and not os.path.exists(place)):
                break
            file = os.open(place, _FLAGS, 0o600)
            if not try_lock(file):
                os.close(file)
                continue
            adopt(file)
            found = _read(file)
            if self._file is None:
                self._file, self._place = file, place
                left = found
                continue
            # Another dead process's: its windows end here.
            ended = (summary_of(group, now) for group in found.groups.values())
            left.summaries.extend(found.summaries)
            left.summaries.extend(summary for summary in ended if summary is not None)
            self._rewrite(left)
            os.ftruncate(file, 0)
            forget(file)
        self._rewrite(left)
        return left

    # ------------------------------------------------------------ what happens

    def began(self, group: Group, key: Key) -> None:
        """Write down that a window began."""
        self._numbers += 1
        group.number = self._numbers
        self._write(["b", group.number, group.started, key])

    def passed(self, group: Group) -> None:
        """Write down that a record passes."""
        self._write(["p", group.number])

    def held(self, group: Group, now: float, identity: object) -> None:
        """Write down that a record was held back; `identity` is the id newly kept, or None."""
        if self._file is not None:
            if group.suppressed == 1 and group.example is not None:
                self._write(["x", group.number, vars(group.example)])
            self._write(["h", group.number, now, identity])

    def summarised(self, group: Group, summary: SafeRecord | None, *, ended: bool) -> None:
        """Write down that a group was summed up, and whether its window is over."""
        if summary is not None:
            self._write(["s", group.number, vars(summary)])
        if ended:
            self._write(["e", group.number])

    def taken(self, count: int) -> None:
        """Note that `count` summaries are on their way to the handlers."""
        self._told += count

    def arrived(self, groups: Mapping[Key, Group], waiting: Iterable[SafeRecord]) -> None:
        """Note that the summaries on their way have arrived.

        Args:
            groups: the windows that are open now.
            waiting: the summaries that nobody has taken.
        """
        if self._file is None:
            return
        if self._told:
            self._write(["t", self._told])
            self._told = 0
        if self._size > 0:
            left = Left(dict(groups), list(waiting))
            idle = not left.groups and not left.summaries
            if idle or self._size > _BYTES_KEPT:
                self._shorten(left)

    def _shorten(self, left: Left) -> None:
        try:
            self._rewrite(left)
        except OSError as error:
            self._fail(error)

    # ------------------------------------------------------------ the file

    def _write(self, line: list[Any]) -> None:
        if self._file is None:
            return
        try:
            text = _line(line)
            written = os.write(self._file, text)
            if written != len(text):
                raise OSError(f"{written} of {len(text)} bytes written")
            self._size += written
        except (OSError, TypeError, ValueError) as error:
            self._fail(error)

    def _rewrite(self, left: Left) -> None:
        """Replace the file by one that holds only `left`."""
        if self._file is None or self._place is None:
            return
        lines: list[bytes] = []
        self._numbers = 0
        for key, group in left.groups.items():
            self._numbers += 1
            group.number = self._numbers
            lines.extend(_lines_of(group, key))
        lines.extend(_line(["s", 0, vars(summary)]) for summary in left.summaries)
        if not lines:
            os.ftruncate(self._file, 0)
        else:
            temporary = f"{self._place}.tmp"
            file = os.open(temporary, _FLAGS | os.O_TRUNC, 0o600)
            try_lock(file)
            with open(file, "ab", closefd=False) as stream:
                stream.writelines(lines)
            os.replace(temporary, self._place)
            old, self._file = self._file, adopt(file)
            forget(old)
        self._size = sum(map(len, lines))

    def _fail(self, error: BaseException) -> None:
        """Give the file up: from now on windows end with the process."""
        complain("GroupingFilter state", error, hint="windows end with this process")
        self.close()

    def close(self) -> None:
        """Give the file to whoever comes next."""
        file, self._file = self._file, None
        if file is not None:
            forget(file)


def _line(line: list[Any]) -> bytes:
    return orjson.dumps(line, default=str) + b"\n"


def _lines_of(group: Group, key: Key) -> list[bytes]:
    """Return lines from which `_read` makes an equal group."""
    passed = group.produced - group.suppressed
    lines = [_line(["b", group.number, group.started, key]), _line(["p", group.number, passed])]
    if group.example is not None:
        lines.append(_line(["x", group.number, vars(group.example)]))
        counted = [group.first, group.last, group.suppressed, group.shown_ids()]
        lines.append(_line(["c", group.number, *counted]))
    return lines


def _read(file: int) -> Left:
    """Return what a journal tells; lines that are torn or no lines of ours are counted."""
    groups: dict[Any, tuple[Key, Group]] = {}
    summaries: list[SafeRecord] = []
    os.lseek(file, 0, os.SEEK_SET)
    with open(file, "rb", closefd=False) as stream:
        text = stream.read(_BYTES_READ)
    for line in text.splitlines():
        try:
            _apply(orjson.loads(line), groups, summaries)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            tally.add("grouping.state_lines_skipped")
    return Left(dict(groups.values()), summaries)


def _apply(
    line: list[Any], groups: dict[Any, tuple[Key, Group]], summaries: list[SafeRecord]
) -> None:
    kind, *rest = line
    if kind == "t":
        del summaries[: rest[0]]
    elif kind == "b":
        number, started, key = rest
        groups[number] = (tuple(key), Group(float(started)))
    elif kind == "s":
        summaries.append(SafeRecord(dict(rest[1])))
        if rest[0] in groups:
            groups[rest[0]][1].forget()
    elif kind == "e":
        groups.pop(rest[0], None)
    else:
        _count(kind, groups[rest[0]][1], rest[1:])


def _count(kind: str, group: Group, rest: list[Any]) -> None:
    if kind == "p":
        group.produced += rest[0] if rest else 1
    elif kind == "x":
        group.example = SafeRecord(dict(rest[0]))
    elif kind == "h":
        now, identity = float(rest[0]), rest[1]
        group.first = min(group.first, now) if group.suppressed else now
        group.last = max(group.last, now)
        group.produced += 1
        group.suppressed += 1
        if identity is not None:
            group.ids[identity] = None
    elif kind == "c":
        group.first, group.last, suppressed, identities = rest
        group.produced += suppressed
        group.suppressed += suppressed
        group.ids = dict.fromkeys(identities)
