"""The count: which accepted records are where they should be, and what else is there."""

from __future__ import annotations

import gzip
import json
import re
import stat
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

__all__ = ["Outcome", "Parse", "compare", "count", "json_line", "lines_in", "plain_line"]

Parse = Callable[[bytes], tuple[int, int] | None]
"""Slot and number of a line; None if it is torn."""

_PLAIN: Final = re.compile(rb"<(\d+) (\d+) [a-z]* >")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of the table.

    Attributes:
        scenario: what was done.
        handler: to whom; names that begin with "peer" or "broken" promise nothing.
        accepted: records whose logging call returned.
        lost: of those, not found.
        torn: lines that are no whole record.
        repeated: records found more than once.
        hung: forked children that did not come to their end.
        archives: compressed files that cannot be read.
        modes: files that others may read.
        note: whatever else is worth a word.
        failed: something went wrong that the numbers do not show.
        repeats_allowed: at least once is all that was promised.
    """

    scenario: str
    handler: str
    accepted: int = 0
    lost: int = 0
    torn: int = 0
    repeated: int = 0
    hung: int = 0
    archives: int = 0
    modes: int = 0
    note: str = ""
    failed: bool = False
    repeats_allowed: bool = False

    @property
    def kept(self) -> bool:
        """Whether every promise was kept, and there was something to keep it for."""
        repeated = 0 if self.repeats_allowed else self.repeated
        broken = self.lost, self.torn, repeated, self.hung, self.archives, self.modes
        return self.accepted > 0 and not any(broken) and not self.failed

    @property
    def as_promised(self) -> bool:
        """Whether ours kept its promises; of a broken handler, whether that was noticed."""
        if self.handler.startswith("peer"):
            return True
        return self.kept != self.handler.startswith("broken")

    def as_json(self) -> dict[str, Any]:
        """Return all there is to say."""
        return {**asdict(self), "as_promised": self.as_promised}


def plain_line(line: bytes) -> tuple[int, int] | None:
    """Read a line of a peer's: ``<SLOT NUMBER words >``."""
    match = _PLAIN.fullmatch(line)
    return (int(match[1]), int(match[2])) if match else None


def json_line(line: bytes) -> tuple[int, int] | None:
    """Read a line of ours; what a handler says about itself counts as slot 0."""
    try:
        fields = json.loads(line)
        if fields["logger"].startswith("crmlogging"):
            return 0, 0
        return fields["chaos.slot"], fields["chaos.number"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def lines_in(files: Iterable[Path]) -> tuple[list[bytes], int]:
    """Return the lines of files, plain or gzip, and how many archives are broken.

    The last line counts even without its newline: it was never accepted, or it is torn.
    """
    found: list[bytes] = []
    broken = 0
    for file in files:
        data = file.read_bytes()
        if file.suffix == ".gz":
            try:
                data = gzip.decompress(data)
            except (OSError, EOFError, zlib.error):
                broken += 1
                continue
        lines = data.split(b"\n")
        found += lines if lines[-1] else lines[:-1]
    return found, broken


def count(
    outcome: Outcome,
    accepted: Collection[tuple[int, int]],
    directory: Path,
    *,
    parse: Parse,
    modes: bool = False,
) -> Outcome:
    """Return `outcome` with the numbers of what lies in `directory`.

    Args:
        modes: whether others may read no file.
    """
    files = [path for path in sorted(directory.rglob("*")) if path.is_file()]
    files = [path for path in files if not path.name.endswith((".lock", ".tmp", ".gz.tmp"))]
    lines, archives = lines_in(files)
    return replace(
        compare(outcome, accepted, lines, parse=parse),
        archives=archives,
        modes=sum(stat.S_IMODE(path.stat().st_mode) != 0o600 for path in files) if modes else 0,
    )


def compare(
    outcome: Outcome,
    accepted: Collection[tuple[int, int]],
    lines: Iterable[bytes],
    *,
    parse: Parse,
) -> Outcome:
    """Return `outcome` with the numbers of `lines`."""
    torn, found = 0, Counter[tuple[int, int]]()
    for line in lines:
        place = parse(line)
        if place is None:
            torn += 1
        elif place[0]:
            found[place] += 1
    return replace(
        outcome,
        accepted=len(accepted),
        lost=sum(place not in found for place in accepted),
        torn=torn,
        repeated=sum(times > 1 for times in found.values()),
    )
