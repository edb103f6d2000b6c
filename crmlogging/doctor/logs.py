"""Log files and their archives: are the lines whole, is everything as old as it may be."""

from __future__ import annotations

import datetime
import os
import re
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from crmlogging.crypto.streams import MAGIC as ENCRYPTED_MAGIC
from crmlogging.doctor.files import Bounded, check_safety, is_at_work, opened
from crmlogging.doctor.findings import Report
from crmlogging.doctor.record_ids import RecordIds
from crmlogging.storage.lines import Line, read_lines
from crmlogging.storage.retention import plan
from crmlogging.storage.rotation import Names, Rotated
from crmlogging.storage.suffixes import ARCHIVE, ENCRYPTED, PARTIAL

__all__ = ["LogFolder"]

_LOOK: Final = re.compile(
    r"(.+)\.(debug|standard)\.\d{4}-\d\d-\d\d\.\d+(\.[A-Za-z0-9_-]+)??(\.gz(?:\.enc)?)?",
    re.ASCII | re.DOTALL,
)
_ACTIVE: Final = ".jsonl"
_LINE_BYTES: Final = 1_000_000
_INFLATED_BYTES: Final = 1_000_000_000
_DAY_SECONDS: Final = 86_400


def _with_tier(base: str) -> str:
    stem, suffix = os.path.splitext(base)
    return f"{stem}.debug{suffix}"


class LogFolder:
    """The log files of one folder.

    Args:
        folder: its path.
        names: of the files in it.
        report: takes the findings.
        days: tier to the days that its files are kept.
        today: UTC day.
    """

    def __init__(
        self,
        folder: str,
        names: Sequence[str],
        report: Report,
        *,
        days: Mapping[str, int | None],
        today: datetime.date,
    ) -> None:
        self._folder = folder
        self._names = set(names)
        self._report = report
        self._days = days
        self._today = today
        self._ids = RecordIds()
        self._owner = os.stat(folder).st_uid
        self._rotated: dict[str, list[Rotated]] = defaultdict(list)

    def examine(self) -> set[str]:
        """Look at every log file; return the names that were dealt with."""
        known: set[str] = set()
        for name in sorted(self._names):
            file = self._parse(name)
            if file is not None:
                self._examine_file(name)
                self._look_for_source(name, file)
                known.add(name)
            elif name.endswith(PARTIAL) and self._parse(name.removesuffix(PARTIAL)) is not None:
                self._note_orphan(
                    name, "is the beginning of an archive; the source is whole, and the next "
                    "start of the service removes this"
                )  # fmt: skip
                known.add(name)
        stems = {os.path.splitext(base)[0] for base in self._rotated}
        active = {_with_tier(base) for base in self._rotated} | set(self._rotated)
        for name in sorted(self._names - known):
            if (name.endswith(_ACTIVE) or name in active) and not _LOOK.fullmatch(name):
                self._examine_file(name)
                stems.add(os.path.splitext(name)[0])
                known.add(name)
        self._examine_look_alikes(stems, known)
        self._examine_ages()
        self._examine_ids()
        return known

    def _parse(self, name: str) -> Rotated | None:
        look = _LOOK.fullmatch(name)
        if look is None:
            return None
        base = look[1] + (look[3] or "")
        file = Names(os.path.join(self._folder, base), look[2]).parse(name)
        if file is not None and name in self._names:
            self._rotated[base].append(file)
        return file

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _examine_file(self, name: str) -> None:
        path, counts = self._path(name), self._report.counts
        try:
            if not check_safety(path, self._owner, self._report):
                return
            with opened(path) as file:
                counts["files"] += 1
                counts["archives"] += name.endswith((ARCHIVE, ENCRYPTED))
                if file.read(len(ENCRYPTED_MAGIC)) == ENCRYPTED_MAGIC:
                    counts["encrypted"] += 1
                    return
                file.seek(0)
                self._examine_lines(path, Bounded(file), archive=name.endswith(ARCHIVE))
        except FileNotFoundError:
            return  # Rotated, compressed or deleted while this went on.
        except OSError as error:
            self._report.problem("unreadable", path, f"cannot be read ({error.strerror})")

    def _examine_lines(self, path: str, source: Bounded, *, archive: bool) -> None:
        broken: list[str] = []
        lines = read_lines(
            source, broken.append, line_bytes=_LINE_BYTES, inflated_bytes=_INFLATED_BYTES
        )
        found: dict[str, list[int]] = defaultdict(list)
        json, number, line = path.endswith((_ACTIVE, _ACTIVE + ARCHIVE)), 0, Line(b"\n", True)
        for part in lines:
            # A long line comes in parts, of which only the last has an end.
            goes_on, line = not line.raw.endswith(b"\n"), part
            if goes_on:
                continue
            number += 1
            if line.whole and not line.raw.endswith(b"\n"):
                break  # the end, of which more is said below
            kind = self._kind_of(line, json=json)
            json = json or (number == 1 and kind is None and line.raw.startswith(b"{"))
            if kind is not None:
                numbers = found[kind]
                numbers.append(number if not numbers else 0)
                del numbers[2:]
                self._report.counts[kind] += 1
        self._report.counts["lines"] += number
        for sentence in broken:
            self._report.problem("broken_archive", path, sentence)
        if not broken and not line.raw.endswith(b"\n"):
            self._report.counts["torn_line"] += 1
            if "torn_line" in found or _LOOK.fullmatch(os.path.basename(path)):
                found["torn_line"].append(number)
            else:
                self._report.problem("torn_line", path, f"line {number:,}: {_UNFINISHED}")
        if archive and not number and not broken:
            self._report.hint("empty", path, "holds no line")
        for kind, (first, *more) in found.items():
            others = " and others" if more else ""
            self._report.problem(kind, path, f"line {first:,}{others}: {_EXPLAINED[kind]}")

    def _kind_of(self, line: Line, *, json: bool) -> str | None:
        """Return what is wrong with a line."""
        if not line.whole:
            return "long_line"
        if not json and not line.raw.startswith(b"{"):
            return None
        try:
            fields = orjson.loads(line.raw)
        except orjson.JSONDecodeError:
            return "torn_line" if line.raw.startswith(b"{") else "not_json"
        if type(fields) is not dict:
            return "not_json"
        self._ids.add(fields.get("record.id"))
        return None

    def _note_orphan(self, name: str, text: str) -> None:
        """Note what a crash has left; while a service is at work here it is no such thing."""
        note = self._report.hint if is_at_work(self._folder) else self._report.problem
        note("orphan", self._path(name), text)

    def _look_for_source(self, name: str, file: Rotated) -> None:
        if not file.compressed:
            return
        source = name.removesuffix(".enc").removesuffix(ARCHIVE)
        if source in self._names and os.path.lexists(self._path(source)):
            self._note_orphan(
                name, "lies beside its source: compression was cut short, the next start "
                "finishes it"
            )  # fmt: skip

    def _examine_look_alikes(self, stems: set[str], known: set[str]) -> None:
        for name in sorted(self._names - known):
            if any(name.startswith(f"{stem}.") for stem in stems):
                self._report.hint(
                    "look_alike",
                    self._path(name),
                    "is no name that handlers give: it is never compressed and never deleted",
                )

    def _examine_ages(self) -> None:
        for files in self._rotated.values():
            decided = plan([(file, 0) for file in files], today=self._today, days=self._days)
            for file in decided.expired:
                age = (self._today - file.day).days
                self._report.problem(
                    "overdue",
                    self._path(file.name),
                    f"is {age} days old, the tier {file.tier!r} keeps {self._days[file.tier]}: "
                    "no service has run here since, or it is configured otherwise",
                )
            for file in decided.compress:
                self._examine_uncompressed(self._path(file.name))

    def _examine_uncompressed(self, path: str) -> None:
        try:
            age = time.time() - os.lstat(path).st_mtime
        except OSError:
            return
        if age > _DAY_SECONDS:
            self._report.hint(
                "uncompressed", path, "is not compressed yet: no service has run here since, or "
                "it is configured with compress=None"
            )  # fmt: skip

    def _examine_ids(self) -> None:
        gaps = self._ids.gaps()
        if gaps is not None:
            self._report.hint(
                "gap",
                self._folder,
                f"{gaps.missing:,} record numbers of {gaps.processes:,} processes are not here, "
                f"most of process {gaps.worst} ({gaps.first:,} to {gaps.last:,}): they may be "
                "in another handler's output, below a level, grouped or dropped (see stats())",
            )
        if self._ids.repeated:
            self._report.hint(
                "repeated",
                self._folder,
                f"{self._ids.repeated:,} records are here more than once, as after a crash "
                "during compression, or from a journal; crmlogging report counts each once",
            )
        if self._ids.full:
            self._report.hint(
                "gap", self._folder, "has too many processes to look at the numbers of all records"
            )


_UNFINISHED: Final = "ends too soon, a writer was killed; the next one cuts it off"
_EXPLAINED: Final = {
    "torn_line": "is no whole record; a killed writer's is cut off by the next, this one was not",
    "not_json": "is no JSON object; another program, or another formatter, writes here",
    "long_line": f"is longer than {_LINE_BYTES:,} bytes, and was not looked at",
}
