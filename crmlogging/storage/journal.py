"""A journal: lines that wait for delivery, kept on disk until somebody has taken each of them.

    append -> kernel        the line's *slip* is settled later, in any order        -> removed

The present segment and all finished ones with lines that wait stay locked, so no other process
touches them. When this one dies the locks go, and another takes the segments over. How far the
lines of a segment are settled stands in it as remarks (``done 17``), so a death repeats little.

No lock is ever waited for inside a write, and none is held during one: a signal handler or a
``__del__`` may log at any point of it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from crmlogging.diagnostics import Tally, complain
from crmlogging.storage.opening import UnsafeFileError, make_directory
from crmlogging.storage.segment_writer import SegmentWriter
from crmlogging.storage.segments import Segment, bytes_in, claim, own_boot

__all__ = ["Journal", "Slip"]

_LABEL: Final = "journal"
_DONE: Final = b"done "
_SEGMENT_BYTES: Final = 1_000_000
_PAUSE_SECONDS: Final = 1.0
_CLOSE_SECONDS: Final = 1.0


class Slip:
    """What the journal knows of one line.

    Attributes:
        written: it is in the kernel.
        settled: nobody will ask for it any more; set by whoever delivers it.
    """

    __slots__ = ("settled", "written")

    def __init__(self, *, written: bool = False) -> None:
        self.written = written
        self.settled = False


class _Page:
    """One segment with lines that wait.

    Attributes:
        slips: of the lines that are not settled, or lie behind one that is not.
        done: lines before those.
        segment: the segment, once it is finished.
    """

    def __init__(self, segment: Segment | None = None, done: int = 0) -> None:
        self.slips: deque[Slip] = deque()
        self.done = self.remarked = done
        self.segment = segment

    def advance(self) -> bytes | None:
        """Forget settled lines; returns the remark about them, if there is news."""
        slips = self.slips
        while slips and slips[0].settled:
            slips.popleft()
            self.done += 1
        if self.done == self.remarked:
            return None
        self.remarked = self.done
        return b"%b%d\n" % (_DONE, self.done)


class Journal:
    """The journal of one process in a directory that others may share.

    Args:
        directory: created (0700) if missing.
        max_bytes: bound on what waits there, of all processes.
        tally: receives ``journal.unwritten`` (lines not accepted, for whatever reason),
            ``journal.damaged`` and ``journal.set_aside``.
        monotonic: clock, in seconds.
    """

    def __init__(
        self,
        directory: str,
        *,
        max_bytes: int,
        tally: Tally,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.directory = directory
        self._max_bytes = max_bytes
        self._tally = tally
        self._monotonic = monotonic
        self._writer = SegmentWriter(
            directory, _LABEL, max_bytes=_SEGMENT_BYTES, failed=self._failed, keep=self._keep
        )
        self.renew()
        self.measure()

    def renew(self) -> None:
        """In a forked child: all that waits is the parent's."""
        self._pages: dict[object, _Page] = {}
        self._advancing = threading.Lock()
        self._asked = False
        self._errors: deque[OSError] = deque()
        self._not_before = 0.0
        self._used = self._used_at = 0

    def make(self) -> str | None:
        """Create the directory; as `make_directory`."""
        return make_directory(self.directory)

    def measure(self) -> None:
        """Look how much waits in the directory; to be called now and then."""
        self._used_at = self._writer.written_bytes
        self._used = bytes_in(self.directory)

    def append(self, line: bytes, slip: Slip) -> None:
        """Write `line`, and note so in `slip`; never raises OSError.

        Within a call that it interrupts, it is that call which writes it.

        Args:
            line: one line of JSON with its newline.
        """
        if self._monotonic() < self._not_before:
            self._tally.add("journal.unwritten")
            return
        used = self._used + self._writer.written_bytes - self._used_at + len(line)
        if used > self._max_bytes:
            self._refuse("the journal is full")
            return
        self._writer.append(line, written=partial(self._written, slip))
        try:
            while True:
                self._refuse(self._errors.pop())
        except IndexError:
            pass

    def _refuse(self, error: OSError | str) -> None:
        self._tally.add("journal.unwritten")
        self._not_before = self._monotonic() + _PAUSE_SECONDS
        complain("journal", error, hint="records wait in memory only until it takes them again")

    # The next three are called inside a write.

    def _failed(self, error: OSError, count: int) -> None:
        self._errors.append(error)

    def _written(self, slip: Slip, number: int) -> None:
        self._pages.setdefault(number, _Page()).slips.append(slip)
        slip.written = True

    def _keep(self, segment: Segment) -> None:
        self._pages.setdefault(segment.name.number, _Page()).segment = segment

    def advance(self) -> None:
        """Remark how far each segment is settled, and remove those that are."""
        # One thread does it for all, also for those that ask meanwhile.
        self._asked = True
        while self._asked and self._advancing.acquire(blocking=False):
            try:
                self._asked = False
                self._advance()
            finally:
                self._advancing.release()

    def _advance(self) -> None:
        for key, page in list(self._pages.items()):
            segment = page.segment
            remark = page.advance()
            if segment is None:
                if remark is not None and type(key) is int:
                    self._writer.annotate(key, remark)
            elif not page.slips:
                del self._pages[key]
                self._remove(segment)
            elif remark is not None:
                segment.annotate(remark)

    def _remove(self, segment: Segment) -> None:
        try:
            if segment.damaged:
                self._set_aside(segment)
            else:
                segment.finish()
        except OSError:  # somebody else removed it
            segment.release()

    def _set_aside(self, segment: Segment) -> None:
        self._tally.add("journal.set_aside")
        segment.set_aside()

    def leftovers(self) -> Iterator[tuple[bytes, Slip]]:
        """Yield the lines that dead processes left, oldest first, each to one process only."""
        try:
            for segment in claim(self.directory):
                name = segment.name
                # Where locks mean nothing, those in our own hands are found as well.
                ours = name.boot == own_boot() and name.number in self._pages
                if name.label != _LABEL or ours:
                    segment.release()
                    continue
                try:
                    lines, done = self._read(segment)
                except UnsafeFileError:
                    self._set_aside(segment)
                    continue
                except OSError as error:
                    segment.release()
                    complain("journal", error, hint="the lines stay where they are")
                    continue
                page = _Page(segment, done)
                slips = [Slip(written=True) for _ in lines]
                page.slips.extend(slips)
                self._pages[str(name)] = page
                yield from zip(lines, slips, strict=True)
        except OSError as error:
            complain("journal", error, hint="what others left there is tried again")

    def _read(self, segment: Segment) -> tuple[list[bytes], int]:
        """Return the lines that are not settled, and the number of those that are."""
        lines: list[bytes] = []
        done = 0
        for block in segment.blocks():
            for line in block.split(b"\n"):
                if line.startswith(_DONE) and line[len(_DONE) :].isdigit():
                    done = int(line[len(_DONE) :])
                elif line:
                    lines.append(line)
        if segment.damaged:  # Then nobody knows which line is the seventeenth.
            self._tally.add("journal.damaged", segment.damaged)
            done = 0
        return lines[done:], done

    def close(self) -> None:
        """Finish the present segment and remove what is settled; a later line begins another."""
        self._writer.seal()
        # A thread that advances just now has perhaps not seen this segment finished.
        if self._advancing.acquire(timeout=_CLOSE_SECONDS):
            try:
                self._advance()
            finally:
                self._advancing.release()
