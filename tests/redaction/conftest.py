"""Programs that log: a module written to a file, imported, and what its calls were resolved to."""

from __future__ import annotations

import importlib.util
import itertools
import logging
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from crmlogging.redaction import call_site, templates
from crmlogging.redaction.templates import Resolved

Program = Callable[..., list[Resolved]]

_numbers = itertools.count()


class Resolving(logging.Filter):
    """Keeps what each record's message was resolved to, and drops the record."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode
        self.resolved: list[Resolved] = []

    def filter(self, record: logging.LogRecord) -> bool:
        frame = call_site.calling_frame()
        self.resolved.append(templates.resolve(record, frame, self.mode))
        return False


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Callable[[str], ModuleType]]:
    """Write a module's source to a file and import it; forgotten afterwards."""
    names = []

    def load(source: str) -> ModuleType:
        name = f"logging_program_{next(_numbers)}"
        path = tmp_path / f"{name}.py"
        path.write_text(textwrap.dedent(source))
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        names.append(name)
        spec.loader.exec_module(module)
        return module

    yield load
    for name in names:
        del sys.modules[name]


@pytest.fixture
def program(load: Callable[[str], ModuleType]) -> Program:
    """Run a program that logs to ``logger`` and return what its messages were resolved to."""

    def run(source: str, mode: str = "template") -> list[Resolved]:
        logger = logging.getLogger("crm.program")
        logger.propagate = False
        logger.setLevel(logging.DEBUG)
        resolving, handler = Resolving(mode), logging.StreamHandler()
        handler.addFilter(resolving)
        before, logger.handlers[:] = logger.handlers[:], [handler]
        try:
            load(
                "import logging\nlogger = logging.getLogger('crm.program')\n"
                + textwrap.dedent(source)
            )
        finally:
            logger.handlers[:] = before
            logger.filters.clear()
        return resolving.resolved

    return run
