"""Speed beside peers, as ratios within one run: ``python -m benchmarks`` (``make bench``).

    python -m benchmarks --only S1,S2a --peers crmlogging,structlog --rounds 5
    python -m benchmarks --markdown docs/performance.md --json results.json
    python -m benchmarks --plugin my_benchmarks --list

Each peer of a scenario works in a process of its own, round by round in turn with all others;
every line of every output is compared with what is due. Exit 0, 1 if one of ours did not do its
work (a missed target is a figure, not a failure), 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks import registry, running
from benchmarks.registry import SCENARIOS, Place, Scenario, peers_of
from benchmarks.results import Outcome, as_json, failures, rows_of
from benchmarks.running import Settings
from benchmarks.tables import as_markdown, write_into

ROUNDS: Final = 9
QUICK_ROUNDS: Final = 3
QUICK_SCALE: Final = 0.4


def main(arguments: list[str] | None = None) -> int:
    """Measure what is selected; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    plugins = tuple(options.plugin)
    if options.work:
        key, variant, peer, folder = options.work
        place = Place(key, variant, peer, Path(folder), options.records)
        return running.work(place, plugins)
    registry.load(plugins)
    selected = _selected(options.only, parser)
    settings = Settings(
        rounds=options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS),
        scale=QUICK_SCALE if options.quick else 1.0,
        peers=_words(options.peers),
        plugins=plugins,
    )
    if options.list:
        _list(selected)
        return 0
    outcomes = measured(selected, settings, variants=1 if options.quick else None)
    markdown = as_markdown(outcomes, settings)
    sys.stdout.write(markdown)
    # A page that others read does not get half of the tables.
    if options.markdown is not None and len(outcomes) == len(selected):
        write_into(options.markdown, markdown)
    if options.json is not None:
        results = json.dumps(as_json(outcomes, settings), indent=1, ensure_ascii=False)
        options.json.write_text(f"{results}\n", encoding="utf-8")
    broken = failures(outcomes)
    for failure in broken:
        sys.stderr.write(f"{failure}\n")
    return 1 if broken else 0


def measured(
    selected: list[Scenario], settings: Settings, *, variants: int | None = None
) -> list[Outcome]:
    """Measure the scenarios, the first `variants` of each; what is done if it is interrupted."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    outcomes = []
    try:
        for scenario in selected:
            began, rows = time.monotonic(), {}
            for variant in scenario.variants[:variants]:
                rows[variant] = rows_of(scenario, running.run(scenario, variant, settings))
            outcomes.append(Outcome(scenario, rows))
            took = time.monotonic() - began
            sys.stderr.write(f"{scenario.key} measured in {took:.0f} s\n")
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
    return outcomes


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--only", default="", metavar="S1,S2a", help="scenarios; all by default")
    add("--peers", default="", metavar="A,B", help="parts of names; the unit always takes part")
    add("--rounds", type=int, default=0, help=f"{ROUNDS} by default")
    add("--quick", action="store_true", help="few, short rounds of one variant: a look")
    add("--json", type=Path, metavar="FILE", help="write all figures there")
    add("--markdown", type=Path, metavar="FILE", help="write the tables there, or between markers")
    add("--plugin", action="append", default=[], metavar="MODULE", help="adds peers or scenarios")
    add("--list", action="store_true", help="show scenarios and peers instead of measuring")
    add("--records", type=int, default=0, help=argparse.SUPPRESS)
    add("--work", nargs=4, help=argparse.SUPPRESS)
    return parser


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _selected(only: str, parser: argparse.ArgumentParser) -> list[Scenario]:
    known = {key.lower(): scenario for key, scenario in SCENARIOS.items()}
    unknown = [word for word in _words(only) if word.lower() not in known]
    if unknown:
        parser.error(
            f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(SCENARIOS, key=_order))}"
        )
    wanted = [known[word.lower()] for word in _words(only)]
    return wanted or sorted(SCENARIOS.values(), key=lambda scenario: _order(scenario.key))


def _order(key: str) -> tuple[str, int, str]:
    """Return what puts S2a before S10."""
    word = key.rstrip("abcdefghijklmnopqrstuvwxyz")
    letters = word.rstrip("0123456789")
    return letters, int(word[len(letters) :] or 0), key


def _list(selected: list[Scenario]) -> None:
    for scenario in selected:
        sys.stdout.write(f"{scenario.key}: {scenario.title}\n")
        for name in peers_of(scenario.key):
            sys.stdout.write(f"    {name}\n")


if __name__ == "__main__":
    sys.exit(main())
