"""How the tests run on mutants (`make mutants`): a pytest plugin, ``-p tests.mutants``.

mutmut runs each test many times in one process, which Hypothesis takes for a mistake. The same
examples each time keep a mutant from surviving by luck; few of them keep it quick.

mutmut calls each function through one of its own. In a stack, that one has to pass for a part of
the package, or the call site would be sought there.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from types import CodeType

from hypothesis import HealthCheck, settings


def moved(code: CodeType, path: str) -> CodeType:
    """Return `code`, and all code inside it, as if it came from the file `path`."""
    inner = tuple(moved(c, path) if isinstance(c, CodeType) else c for c in code.co_consts)
    return code.replace(co_consts=inner, co_filename=path)


def hide_mutmut() -> None:
    """Let mutmut's calls look like calls of the package, before anything is decorated."""
    trampoline = importlib.import_module("mutmut.mutation.trampoline")
    package = importlib.util.find_spec("crmlogging")
    assert package is not None
    assert package.origin is not None
    function = trampoline.wrap_in_trampoline
    function.__code__ = moved(function.__code__, str(Path(package.origin).with_name("mutants.py")))


if importlib.util.find_spec("mutmut") is not None:
    hide_mutmut()

settings.register_profile(
    "mutants",
    suppress_health_check=list(HealthCheck),
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
)
settings.load_profile("mutants")
