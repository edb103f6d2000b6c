"""Programs to check: a source, written to a file, and what lint says of it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from crmlogging.linting.allowlists import Allowed
from crmlogging.linting.checking import check
from crmlogging.linting.findings import Finding
from crmlogging.linting.rules import RULES

Lint = Callable[..., list[Finding]]

USUAL = [code for code, rule in RULES.items() if rule.default]
HEAD = "import logging\nlogger = logging.getLogger(__name__)\n"


@pytest.fixture
def lint(tmp_path: Path) -> Lint:
    """Return the findings of a program that has a ``logger``, by the usual rules or those given."""

    def run(
        source: str, *codes: str, head: str = HEAD, allowed: Allowed | None = None
    ) -> list[Finding]:
        path = tmp_path / "program.py"
        path.write_text(head + textwrap.dedent(source), encoding="utf-8")
        outcome = check([str(path)], frozenset(codes or USUAL), allowed or Allowed())
        assert outcome.problems == []
        return outcome.findings

    return run
