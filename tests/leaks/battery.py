"""How the battery runs: every place, in every form, through one set-up of logging."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.leaks.hiding_places import PLACES
from tests.leaks.hiding_values import TOUCHED
from tests.leaks.searching import Secrets
from tests.leaks.sinks import Sink

__all__ = ["Case", "Outcome", "run"]

_MARK: Final = re.compile(rb"ct-(\d{5})-k")


class Case(NamedTuple):
    """One secret in one place; everything it logs is told by its number."""

    number: int
    place: str
    form: str

    def secret(self) -> str:
        """Return a fresh secret of the case's form."""
        word = f"canary{secrets.token_hex(8)}"
        if self.form == "address":
            return f"{word}@x{secrets.token_hex(6)}.example"
        return word if self.form == "word" else f"Ada {word} Lovelace"

    def allowed(self) -> dict[str, Any]:
        """Return fields that may be shown, no two cases the same."""
        return {
            "tenant.code": f"acme-{self.number:05}",
            "request.attempt": 1_000_000 + self.number,
            "resource.id": f"ct-{self.number:05}-k",
            "duration": self.number + 0.5,
            "crm": "hubspot",
        }

    def kept_in(self, line: bytes) -> bool:
        """Tell whether all that may be shown is there."""
        return all(str(value).encode() in line for value in self.allowed().values())


class Outcome(NamedTuple):
    """What one way out let out.

    Attributes:
        name: of the way out.
        leaks: places whose secret came out there.
        stderr: places whose secret came out on the error stream of the process.
        records: how many the places logged with their allowed fields.
        kept: how many of those are there with all these fields; None where no lines are.
        lost: places of the others.
        touched: places in which methods of hostile objects were called.
        raised: places out of whose logging calls an exception came, with its kind.
    """

    name: str
    leaks: list[str]
    stderr: list[str]
    records: int
    kept: int | None
    lost: list[str]
    touched: list[str]
    raised: list[str]


class _Counter(logging.Handler):
    """Counts the records that carry a case's fields; it stands before the handler at test."""

    def __init__(self) -> None:
        super().__init__()
        self.records: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        mark = record.__dict__.get("resource.id")
        if type(mark) is str:
            self.records[mark] += 1


def run(sink: Sink, every: int = 1) -> list[Outcome]:
    """Ask every place, or each of `every` ones, and search all that came out.

    For a process of its own: it takes over the error stream.
    """
    cases = _cases(every)
    known, counter = Secrets(), _Counter()
    touched: set[str] = set()
    raised: set[str] = set()
    with tempfile.TemporaryDirectory() as name, _errors_to(Path(name) / "stderr") as errors:
        directory = Path(name) / "out"
        directory.mkdir()
        handler = sink.open(directory)
        for case in cases:
            TOUCHED.clear()
            secret = case.secret()
            log = _logger(counter, handler)
            more: Sequence[str] | None = ()
            try:
                more = PLACES[case.place].hide(log, secret, case.allowed())
            except Exception as error:
                raised.add(f"{case.place}: {type(error).__name__} {traceback.format_exc(limit=-2)}")
            for text in (*_parts(secret), *(more or ())):
                known.add(case.number, text)
            if TOUCHED:
                touched.add(case.place)
        written = sink.close(handler, directory)
        told = known.found_in(errors())
    places = {case.number: case.place for case in cases}
    outcomes = []
    for row, content in written.items():
        leaks = sorted({places[number] for number in known.found_in(content)})
        kept, lost = _kept(cases, content, counter.records)
        outcomes.append(
            Outcome(
                row,
                leaks,
                sorted({places[number] for number in told}),
                counter.records.total(),
                kept if sink.lines and row in sink.lines else None,
                lost if sink.lines and row in sink.lines else [],
                sorted(touched),
                sorted(raised),
            )
        )
    return outcomes


def _cases(every: int) -> list[Case]:
    chosen = list(PLACES.items())[::every]
    pairs = [(name, form) for name, place in chosen for form in place.forms]
    return [Case(number, name, form) for number, (name, form) in enumerate(pairs)]


def _logger(*handlers: logging.Handler) -> logging.Logger:
    """Return a logger that is in no hierarchy."""
    log = logging.Logger("crm.battery", logging.DEBUG)
    log.manager = logging.Manager(logging.RootLogger(logging.WARNING))
    log.handlers[:] = handlers
    return log


def _parts(secret: str) -> Iterator[str]:
    """Yield what is not the same in every secret."""
    return (part.removeprefix("can") for part in re.split(r"[@ .]", secret) if len(part) > _SHORT)


_SHORT: Final = 8


def _kept(cases: Sequence[Case], content: bytes, records: Counter[str]) -> tuple[int, list[str]]:
    found: Counter[int] = Counter()
    for line in content.splitlines():
        for number in {int(mark[1]) for mark in _MARK.finditer(line)}:
            if number < len(cases) and cases[number].kept_in(line):
                found[number] += 1
    wanted = {case.number: records[f"ct-{case.number:05}-k"] for case in cases}
    kept = sum(min(found[number], count) for number, count in wanted.items())
    lost = sorted({case.place for case in cases if found[case.number] < wanted[case.number]})
    silent = sorted({case.place for case in cases if not wanted[case.number]})
    assert not silent, f"these log nothing with allowed fields: {silent}"
    return kept, lost


@contextlib.contextmanager
def _errors_to(path: Path) -> Iterator[Any]:
    """Send the process's error stream to a file, below Python as well; yields its reader."""
    sys.stderr.flush()
    before = os.dup(2)
    with path.open("wb") as file:
        os.dup2(file.fileno(), 2)
        try:
            yield path.read_bytes
        finally:
            sys.stderr.flush()
            os.dup2(before, 2)
            os.close(before)
