"""``python -m tests.chaos``: what is lost, torn, repeated or hung, here and in other libraries.

Every run ends within a bound, and ends only processes it has started, each by its id.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from tests.chaos.contenders import BROKEN, OURS, PEERS, Contender
from tests.chaos.disks import disks, removals
from tests.chaos.endings import celery, endings, gunicorn
from tests.chaos.grid import clocks, grid
from tests.chaos.outcomes import Outcome
from tests.chaos.torture import torture
from tests.chaos.uploads import journal, uploads
from tests.chaos.waiting import rotations, waits

_COLUMNS: Final = ("accepted", "lost", "torn", "repeated", "hung", "archives", "modes")
_WIDTHS: Final = (36, 29, 10, 8, 7, 10, 6, 10, 7)
_HEADINGS: Final = (
    *("scenario", "handler", "accepted", "lost", "torn", "repeated", "hung", "bad gzip", "modes"),
)


def _each(contenders: Iterable[Contender]) -> Callable[[Path, float], Iterator[Outcome]]:
    def run(place: Path, seconds: float) -> Iterator[Outcome]:
        for number, contender in enumerate(contenders):
            yield torture(contender, place / f"{number}", seconds=seconds)

    return run


SCENARIOS: Final[dict[str, Callable[[Path, float], Iterable[Outcome]]]] = {
    "kill": _each([OURS]),
    "peers": _each(PEERS),
    "broken": lambda place, seconds: _each(BROKEN)(place, seconds / 4),
    "s3": lambda place, seconds: [uploads(place, seconds=seconds)],
    "journal": lambda place, seconds: [journal(place, seconds=seconds)],
    "grid": lambda place, seconds: grid(place, records=int(30 * seconds)),
    "clocks": lambda place, seconds: clocks(place, records=int(50 * seconds)),
    "disks": lambda place, _seconds: disks(place),
    "removals": lambda place, seconds: removals(place, records=int(200 * seconds)),
    "endings": lambda place, _seconds: endings(place),
    "gunicorn": lambda place, seconds: gunicorn(place, seconds=seconds),
    "celery": lambda place, seconds: celery(place, tasks=int(20 * seconds)),
    "waits": lambda place, _seconds: waits(place),
    "rotations": lambda place, seconds: [
        rotations(place, number=int(min(10_000, 2_000 * seconds)))
    ],
}


def _print_row(cells: Iterable[str], end: str) -> None:
    row = zip(cells, _WIDTHS, strict=True)
    text = "".join(cell.ljust(width) if width > 20 else cell.rjust(width) for cell, width in row)
    sys.stdout.write(f"{text}  {end}\n")
    sys.stdout.flush()


def _print(outcome: Outcome) -> None:
    cells = (f"{getattr(outcome, column):,}" for column in _COLUMNS)
    verdict = "" if outcome.as_promised else "NOT AS PROMISED "
    _print_row((outcome.scenario, outcome.handler, *cells), verdict + outcome.note)


def main() -> int:
    """Print a row for each scenario and handler; 1 if one of ours broke its promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0, help="length of a scenario")
    parser.add_argument("--seed", type=int, default=None, help="of sizes, victims and moments")
    parser.add_argument("--only", choices=SCENARIOS, nargs="+", default=list(SCENARIOS))
    parser.add_argument("--json", action="store_true", help="print the outcomes as JSON")
    options = parser.parse_args()
    seed = random.randrange(1_000_000) if options.seed is None else options.seed
    random.seed(seed)
    if not options.json:
        sys.stdout.write(f"seed {seed}, {options.seconds:g} seconds a scenario\n")
        _print_row(_HEADINGS, "")
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="crmlogging-chaos-") as place:
        Path(place).chmod(0o755)  # One scenario runs as another user.
        for name in options.only:
            (Path(place) / name).mkdir()
            for outcome in SCENARIOS[name](Path(place) / name, options.seconds):
                outcomes.append(outcome)
                if not options.json:
                    _print(outcome)
    if options.json:
        json.dump([outcome.as_json() for outcome in outcomes], sys.stdout)
    return 0 if all(outcome.as_promised for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
