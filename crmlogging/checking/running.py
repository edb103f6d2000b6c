"""Starts the process that loads a configuration, and reads what it found."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from crmlogging.checking.findings import Report
from crmlogging.checking.loading import CannotLoadError

__all__ = ["check"]


def check(
    configuration: str | None = None,
    *,
    application: str | None = None,
    timeout_seconds: float = 120.0,
) -> Report:
    """Load a configuration or import an application in a child process, and report on it.

    This process stays as it is. Files that handlers would write go into a temporary directory,
    and nothing of the sample leaves the machine.

    Args:
        configuration: a file, ``module:NAME`` or ``path.py:NAME``.
        application: ``module`` or ``module:callable``, which configures logging itself.

    Raises:
        CannotLoadError: with everything that is wrong with it.
    """
    subject = configuration or application or ""
    with tempfile.TemporaryDirectory(prefix="crmlogging-check-") as directory:
        task = {
            "configuration": configuration,
            "application": application,
            "directory": str(Path(directory).resolve()),
        }
        try:
            done = subprocess.run(
                [sys.executable, "-m", "crmlogging.checking", json.dumps(task)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise CannotLoadError(f"{subject}: not loaded in {timeout_seconds:.0f} s") from error
        outcome = Path(directory) / "outcome.json"
        if not outcome.exists():
            raise CannotLoadError(
                f"{subject}: the process that loaded it ended with code {done.returncode}"
                f"{_last_words(done.stderr)}"
            )
        found = json.loads(outcome.read_text("utf-8"))
    if "problems" in found:
        raise CannotLoadError(*found["problems"])
    return Report.from_json(found["report"])


def _last_words(stderr: bytes) -> str:
    lines = stderr.decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f": {last}" if last else ""
