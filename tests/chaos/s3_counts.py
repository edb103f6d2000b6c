"""What became of the records that loggers under faults have acknowledged."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from tests.chaos.s3_servers import contents, unfinished
from tests.chaos.s3_writer import line

__all__ = ["Result", "counted", "files"]


class Result(NamedTuple):
    """What became of the records.

    Attributes:
        accepted: logging calls that returned.
        lost: of these, not in the bucket.
        repeated: lines that are in the bucket once more.
        torn: lines that nobody wrote like that.
        objects: in the bucket.
        spooled: files that are left in the spool.
        exposed: files of the spool that others could read.
        unfinished: keys of the uploads in parts that the server still waits for.
        parts: stored of these.
        calls_above_50_ms: logging calls that took longer.
        slowest_ms: of the logging calls.
        slowest_write_ms: of plain writes of the same threads, for comparison.
        requests: uploads the proxy saw.
        injected: faults, by name.
    """

    accepted: int
    lost: int
    repeated: int
    torn: int
    objects: int
    spooled: int
    exposed: int
    unfinished: list[str]
    parts: int
    calls_above_50_ms: int
    slowest_ms: float
    slowest_write_ms: float
    requests: int
    injected: dict[str, int]

    @property
    def is_whole(self) -> bool:
        """Whether each record is in the bucket once, and nothing else anywhere."""
        return not (self.lost or self.repeated or self.torn or self.spooled or self.parts)


def counted(
    client: Any,
    bucket: str,
    directory: Path,
    noise: int,
    requests: int,
    injected: dict[str, int],
) -> Result:
    """Compare what the loggers acknowledged in `directory` with what is in the bucket."""
    accepted, took, wrote = _acknowledged(directory / "acks")
    found: Counter[tuple[str, str, str]] = Counter()
    torn = objects = 0
    for _, lines in contents(client, bucket):
        objects += 1
        for each in lines:
            name, thread, number = (each.decode().split(" ", 3) + [""] * 3)[:3]
            found[name, thread, number] += 1
            torn += not number.isdigit() or each.decode() != line(
                name, int(thread), int(number), noise
            )
    left, waiting = files(directory / "spool"), unfinished(client, bucket)
    return Result(
        accepted=len(accepted),
        lost=len(accepted - set(found)),
        repeated=sum(found.values()) - len(found),
        torn=torn,
        objects=objects,
        spooled=len(left),
        exposed=sum(path.stat().st_mode & 0o077 != 0 for path in left),
        unfinished=sorted(waiting),
        parts=sum(waiting.values()),
        calls_above_50_ms=sum(each > 50_000 for each in took),
        slowest_ms=max(took) / 1_000,
        slowest_write_ms=max(wrote) / 1_000,
        requests=requests,
        injected=injected,
    )


def _acknowledged(directory: Path) -> tuple[set[tuple[str, str, str]], list[int], list[int]]:
    accepted: set[tuple[str, str, str]] = set()
    took: list[int] = []
    wrote: list[int] = []
    for path in directory.iterdir():
        name = path.name.rpartition("-")[0]
        for thread, number, *times in map(str.split, path.read_text().splitlines()):
            accepted.add((name, thread, number))
            took.append(int(times[0]))
            wrote.append(int(times[1]))
    return accepted, took, wrote


def files(directory: Path) -> list[Path]:
    """Return all files below a directory."""
    return [path for path in directory.rglob("*") if path.is_file()]
