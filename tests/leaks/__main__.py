"""``python -m tests.leaks``: how many hiding places leak, here and in other libraries."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from tests.leaks.battery import Outcome, run
from tests.leaks.hiding_places import PLACES
from tests.leaks.sinks import OURS, PEERS, SINKS

_HEADINGS: Final = (
    *("way out", "places that leak", "of them on stderr", "places that raise"),
    "records with all allowed fields",
)
_WIDTHS: Final = (38, 18, 19, 19, 33)
_AT_ONCE: Final = 2


def outcomes_of(*sinks: str, every: int = 1) -> list[Outcome]:
    """Run sinks in a process of their own, so that no library sees another."""
    command = [sys.executable, "-m", "tests.leaks", "--every", str(every), "--only", *sinks]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=True)
    return [Outcome(*each) for each in json.loads(done.stdout)]


def _cells(outcome: Outcome, every: int) -> tuple[str, ...]:
    leaking = {*outcome.leaks, *outcome.stderr}
    asked = len(range(0, len(PLACES), every))
    kept = "" if outcome.kept is None else f"{outcome.kept:,} of {outcome.records:,}"
    counts = len(outcome.stderr), len(outcome.raised)
    return (outcome.name, f"{len(leaking)} of {asked}", *map(str, counts), kept)


def _print_row(cells: tuple[str, ...], *, markdown: bool) -> None:
    if markdown:
        sys.stdout.write(f"| {' | '.join(cells)} |\n")
    else:
        first, *others = (f"{cell:>{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))
        sys.stdout.write(f"{first.strip():<{_WIDTHS[0]}}{''.join(others)}\n")
    sys.stdout.flush()


def _faults(outcome: Outcome) -> list[str]:
    """Return what must not be said of ours."""
    return [
        *(f"leaks: {name}" for name in outcome.leaks),
        *(f"leaks on stderr: {name}" for name in outcome.stderr),
        *(f"loses allowed fields: {name}" for name in outcome.lost),
        *(f"raises: {name}" for name in outcome.raised),
    ]


def main() -> int:
    """Print a row for each way out; 1 if crmlogging leaks, raises, or loses an allowed value."""
    parser = argparse.ArgumentParser(prog="python -m tests.leaks", description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="print the table for a document")
    parser.add_argument("--only", choices=SINKS, nargs="+", help="print these outcomes as JSON")
    parser.add_argument("--every", type=int, default=1, help="ask only each Nth place")
    options = parser.parse_args()
    if options.only:
        outcomes = [each for name in options.only for each in run(SINKS[name], options.every)]
        json.dump(outcomes, sys.stdout)
        return 0
    _print_row(_HEADINGS, markdown=options.markdown)
    if options.markdown:
        _print_row(("---", *["---:"] * (len(_HEADINGS) - 1)), markdown=True)
    faults: list[str] = []
    every = options.every
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        names = (*OURS, *PEERS)
        for name, found in zip(
            names, pool.map(partial(outcomes_of, every=every), names), strict=True
        ):
            for outcome in found:
                _print_row(_cells(outcome, every), markdown=options.markdown)
                if name in OURS:
                    faults += [f"{outcome.name} {each}" for each in _faults(outcome)]
    sys.stdout.writelines(f"{each}\n" for each in faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
