"""``python -m crmlogging.checking``: the child process of `running.check`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from crmlogging.checking.child import examine
from crmlogging.checking.loading import CannotLoadError


def main() -> None:
    """Examine what the arguments name, and write the outcome where they say.

    The process ends at once: nothing at exit flushes, uploads or sends.
    """
    task = json.loads(sys.argv[1])
    sys.argv[1:] = []
    directory = Path(task["directory"])
    try:
        report = examine(task["configuration"], task["application"], directory)
        outcome: dict[str, object] = {"report": report.as_json()}
    except CannotLoadError as error:
        outcome = {"problems": list(error.problems)}
    # By way of another name: a half-written outcome is none.
    path = directory / "outcome.tmp"
    path.write_text(json.dumps(outcome), "utf-8")
    path.rename(directory / "outcome.json")
    os._exit(0)


main()
