"""What waits for somebody else: segments of journals and spools, objects, things set aside."""

from __future__ import annotations

import hashlib
import os
import re
import time
import zlib
from collections.abc import Callable, Sequence
from io import BufferedReader
from typing import Final

from crmlogging.doctor.files import check_safety, is_locked, opened
from crmlogging.doctor.findings import Report

# The one place besides `segments` that reads its form: this reader may not hold a payload.
from crmlogging.storage.framing import FRAMINGS, MAGIC
from crmlogging.storage.lines import read_lines
from crmlogging.storage.segments import SegmentName

__all__ = ["WaitingFolder"]

_OBJECT: Final = re.compile(
    r"tier=.+,dt=.+,hour=\d\d,.+-([0-9a-f]{8})\.jsonl\.gz(\.enc)?", re.ASCII
)
_PARTIAL: Final = re.compile(
    r"tier=.+,dt=.+,hour=\d\d,.+-([0-9a-f]{16})-(\d{6,12})-\.tmp", re.ASCII
)
_ASIDE: Final = "aside"
_BLOCK: Final = 262_144
_PATIENCE_SECONDS: Final = 3_600.0
_INFLATED_BYTES: Final = 1_000_000_000


class WaitingFolder:
    """The segments and objects of one folder.

    Args:
        folder: its path.
        names: of the files in it.
        report: takes the findings.
    """

    def __init__(self, folder: str, names: Sequence[str], report: Report) -> None:
        self._folder = folder
        self._names = names
        self._report = report
        self._owner = os.stat(folder).st_uid

    def examine(self) -> set[str]:
        """Look at everything that waits; return the names that were dealt with."""
        known = set()
        aside = os.path.basename(self._folder) == _ASIDE
        for name in sorted(self._names):
            path = os.path.join(self._folder, name)
            if aside and (".segment" in name or ".jsonl.gz" in name):
                self._report.problem(
                    "aside", path, "was set aside, since it cannot be used: look at it, then "
                    "remove it or move it back"
                )  # fmt: skip
            elif SegmentName.parse(name) is not None:
                self._look(path, self._examine_segment)
            elif _OBJECT.fullmatch(name) is not None:
                self._look(path, self._examine_object)
            elif _PARTIAL.fullmatch(name) is not None:
                note = self._report.hint if self._is_packing(name) else self._report.problem
                note(
                    "orphan", path, "is an object being packed, or left by a crash; its segment "
                    "is still there"
                )  # fmt: skip
            else:
                continue
            known.add(name)
        return known

    def _is_packing(self, name: str) -> bool:
        """Tell whether a living process holds the segment of a half-written object."""
        match = _PARTIAL.fullmatch(name)
        above = os.path.dirname(self._folder)
        if match is None:
            return False
        for each in os.listdir(above):
            if each.endswith(f"_{match[1]}_{match[2]}.segment"):
                try:
                    with opened(os.path.join(above, each)) as file:
                        return is_locked(file)
                except OSError:
                    return False
        return False

    def _look(self, path: str, examine: Callable[[str, BufferedReader], None]) -> None:
        try:
            if check_safety(path, self._owner, self._report):
                with opened(path) as file:
                    examine(path, file)
        except FileNotFoundError:
            return  # Somebody has dealt with it.
        except OSError as error:
            self._report.problem("unreadable", path, f"cannot be read ({error.strerror})")

    def _examine_segment(self, path: str, file: BufferedReader) -> None:
        counts = self._report.counts
        counts["segments"] += 1
        if is_locked(file):
            counts["segments_alive"] += 1
        else:
            self._examine_age("abandoned", path, file, "its process is dead, and no other has")
        records, damaged = _examine_appends(file)
        counts["waiting_records"] += records
        if damaged is not None:
            self._report.problem(
                "damaged_segment",
                path,
                f"is damaged from byte {damaged:,} on, after {records:,} sound records; the next "
                "owner delivers all sound ones and sets it aside",
            )

    def _examine_age(self, kind: str, path: str, file: BufferedReader, what: str) -> None:
        seconds = time.time() - os.fstat(file.fileno()).st_mtime
        if seconds > _PATIENCE_SECONDS:
            self._report.problem(
                kind,
                path,
                f"has waited for {seconds / 3_600:,.0f} hours: {what} taken it over; start the "
                "service, or look why it cannot deliver",
            )

    def _examine_object(self, path: str, file: BufferedReader) -> None:
        self._report.counts["objects"] += 1
        digest = hashlib.sha256()
        while block := file.read(_BLOCK):
            digest.update(block)
        match = _OBJECT.fullmatch(os.path.basename(path))
        if match is None or match[1] != digest.hexdigest()[:8]:
            self._report.problem("broken_archive", path, "is not what its name says: damaged")
            return
        if not is_locked(file):
            self._examine_age("undelivered", path, file, "no process has")
        if not match[2]:
            file.seek(0)
            broken: list[str] = []
            for _ in read_lines(
                file, broken.append, line_bytes=1_000_000, inflated_bytes=_INFLATED_BYTES
            ):
                self._report.counts["waiting_records"] += 1
            for sentence in broken:
                self._report.problem("broken_archive", path, sentence)


def _examine_appends(file: BufferedReader) -> tuple[int, int | None]:
    """Return the records in sound appends, and where damage begins; a torn end is none."""
    head = file.read(len(MAGIC))
    framing = FRAMINGS.get(head)
    if framing is None:
        return 0, None if MAGIC.startswith(head) else 0
    records, at = 0, len(MAGIC)
    size = os.fstat(file.fileno()).st_size
    while size - at >= framing.header_bytes:
        header = file.read(framing.header_bytes)
        if framing.look.fullmatch(header) is None:
            return records, at
        length, before, after, is_remark = framing.header(header)
        end = at + len(header) + length
        if end > size:
            break
        found, lines, left = before, 0, length
        while left and (block := file.read(min(left, _BLOCK))):
            found, lines, left = (
                zlib.crc32(block, found),
                lines + block.count(b"\n"),
                left - len(block),
            )
        if found != after:
            return records, at
        records, at = records + (0 if is_remark else lines), end
    return records, None
