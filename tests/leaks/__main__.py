"""``python -m tests.leaks``: how many hiding places leak, here and in other libraries."""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path

from tests.leaks.battery import SINKS, fragments, run, silently
from tests.leaks.hiding_places import PLACES


def leaking(sink: str, directory: Path) -> list[str]:
    """Return the names of the places out of which the secret came."""
    found = []
    for number, (name, place) in enumerate(PLACES.items()):
        path = directory / f"{sink}-{number}.log"
        forbidden: list[str] = []
        silently(lambda: forbidden.extend(run(place, path, SINKS[sink])))  # noqa: B023
        written = path.read_bytes().lower() if path.exists() else b""
        if any(text in written for text in fragments(forbidden)):
            found.append(name)
    return found


def main() -> int:
    """Print a row for each library; 1 if crmlogging leaks anywhere."""
    logging.raiseExceptions = False
    leaks = 0
    with tempfile.TemporaryDirectory() as directory:
        for sink in SINKS:
            found = leaking(sink, Path(directory))
            sys.stdout.write(f"{sink:<20} {len(found):>4} of {len(PLACES)} places leak\n")
            if sink == "crmlogging":
                leaks = len(found)
                sys.stdout.writelines(f"  {name}\n" for name in found)
    return 1 if leaks else 0


if __name__ == "__main__":
    sys.exit(main())
