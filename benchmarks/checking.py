"""Whether a peer did the work: every record there, every field, secrets masked, nothing torn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from benchmarks.registry import Line, Peer, Place, SkippedWorkError
from benchmarks.workloads import HIDDEN, SHOWN, due

__all__ = ["compare_lines", "lines_of", "standard"]

_NAMES: Final = {
    "message": ("message", "event", "msg"),
    "level": ("level", "levelname", "log.level"),
    "logger": ("logger", "name", "log.logger"),
    "timestamp": ("timestamp", "time", "@timestamp"),
}


def standard(line: Line) -> Line:
    """Return a line whose own keys are message, level, logger and timestamp."""
    for name, others in _NAMES.items():
        if name not in line:
            for other in others:
                if other in line:
                    line[name] = line[other]
    return line


def lines_of(path: Path) -> Iterator[tuple[Line, bytes]]:
    """Yield the lines of a file, read and as they stand there.

    Raises:
        SkippedWorkError: one is not a JSON object, or is cut off.
    """
    with path.open("rb") as lines:
        for number, text in enumerate(lines):
            try:
                line = orjson.loads(text)
            except ValueError:
                line = None
            if not isinstance(line, dict) or not text.endswith(b"\n"):
                raise SkippedWorkError(f"line {number} is not a JSON object")
            yield line, text


def compare_lines(peer: Peer, place: Place, rounds: int) -> Mapping[str, float]:
    """Compare every line with what its call said.

    Raises:
        SkippedWorkError: naming what is missing or shown in clear.
    """
    if not place.path.exists():
        raise SkippedWorkError("it wrote no file")
    expected, found = rounds * place.records, 0
    read = peer.read or standard
    hidden, shown = HIDDEN.get(place.scenario, ()), SHOWN.get(place.scenario, ())
    wanted = due(place.scenario, place.variant, expected)
    for line, text in lines_of(place.path):
        found += 1
        _compare(read(line), next(wanted, ({},)))
        for secret in hidden:
            if secret in text:
                raise SkippedWorkError(f"a line shows {secret.decode()}")
        for part in shown:
            if part not in text:
                raise SkippedWorkError(f"a line lacks {part.decode()}")
    if found != expected:
        raise SkippedWorkError(f"wrote {found} of {expected} lines")
    return {}


def _compare(line: Line, wanted: tuple[Mapping[str, Any], ...]) -> None:
    line["level"] = str(line.get("level")).upper()
    if not line.get("timestamp"):
        raise SkippedWorkError("a line lacks its time")
    if not any(each.items() <= line.items() for each in wanted):
        wrong = (name for name, value in wanted[0].items() if line.get(name) != value)
        raise SkippedWorkError(f"a line differs in {', '.join(sorted(wrong))}")
