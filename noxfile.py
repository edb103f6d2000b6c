"""`make test-all`: the tests on every CPython 3.11 to 3.13 of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["tests"]
VERSIONS = ("3.11", "3.12", "3.13")


def interpreters() -> list[str]:
    """Return one interpreter a version: of the path, else of pyenv; only such as really run."""
    found = []
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in VERSIONS:
        candidates = [
            shutil.which(f"python{version}"),
            *sorted(pyenv.glob(f"{version}.*/bin/python")),
        ]
        for candidate in filter(None, candidates):
            if runs(str(candidate), version):
                found.append(str(candidate))
                break
    return found


def runs(interpreter: str, version: str) -> bool:
    """A pyenv shim may be there for a version that is not."""
    asked = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    answer = subprocess.run(
        [interpreter, "-c", asked], capture_output=True, text=True, check=False, timeout=60
    )
    return answer.returncode == 0 and answer.stdout.strip() == version


def _run_tests(session: nox.Session) -> None:
    session.install("--quiet", "--editable", ".[test]")
    workers = str((os.cpu_count() or 1) + 1)  # many a test waits for a process
    session.run("python", "-m", "pytest", "-n", workers, "--dist", "loadfile", *session.posargs)


ALL = interpreters()
THIS = "{}.{}".format(*sys.version_info)


@nox.session(python=ALL)
def tests(session: nox.Session) -> None:
    """Install the package with its test dependencies and run the tests."""
    _run_tests(session)


@nox.session(python=[each for each in ALL if not runs(each, THIS)])
def other_pythons(session: nox.Session) -> None:
    """The same, without the version that `make test` has just run on."""
    _run_tests(session)
