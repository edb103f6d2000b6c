"""`python -m benchmarks`: runs all, prints Markdown tables."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from benchmarks import classifying, hot_path, imports, redaction
from benchmarks.peers import SCENARIOS


def main(arguments: list[str]) -> int:
    """Run as one peer (``--work NAME SCENARIO PATH``), or measure and print everything."""
    if arguments[:1] == ["--work"]:
        hot_path.work(arguments[1], arguments[2], Path(arguments[3]))
        return 0
    print(f"CPython {platform.python_version()}, {platform.machine()}\n")
    print("CPU per record, x noop (median of in-round ratios; outputs checked for equal content)\n")
    results = {scenario: hot_path.measure(scenario) for scenario in SCENARIOS}
    print("| | " + " | ".join(results) + " |")
    print("|---" * (len(results) + 1) + "|")
    for name in next(iter(results.values())):
        print(f"| {name} | " + " | ".join(f"{each[name]:.2f}" for each in results.values()) + " |")
    redaction.report()
    classifying.main([])
    print(f"\nImport time added to `{imports.BASE}` (limit {imports.LIMIT_MS:.0f} ms)\n")
    print("| | ms |\n|---|---|")
    for name, milliseconds in imports.measure().items():
        print(f"| {name} | {milliseconds:.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
