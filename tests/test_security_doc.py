"""docs/security.md keeps its word: each claim names a test, and each named test exists."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/[a-z0-9_/]+\.py)::(Test\w+)::(test_\w+)`")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and "::" in line]
# What the page promises to cover.
ASVS = "16.1.1 16.2.1 16.2.2 16.2.3 16.2.4 16.2.5 16.3.1 16.3.4 16.4.1 16.4.2 16.4.3 16.5.2 16.5.3"
CWE = "CWE-117 CWE-150 CWE-532 CWE-1333 CWE-59 CWE-367 CWE-409 CWE-276"


@functools.cache
def cases_in(module: str) -> frozenset[tuple[str, str]]:
    """Return class and function of each test in a module, without importing it."""
    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    return frozenset(
        (node.name, each.name)
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for each in node.body
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    )


class TestSecurityPage:
    @pytest.mark.parametrize(("module", "case", "name"), sorted(set(NAMED.findall(PAGE))))
    def test_every_named_test_exists(self, module: str, case: str, name: str) -> None:
        """A test that was renamed or removed takes its claim along."""
        assert (case, name) in cases_in(module)

    def test_the_names_are_read(self) -> None:
        """Each row of a claim names a test, and none in a form this reader does not know."""
        assert len(ROWS) > 50
        assert all(NAMED.search(row.rpartition("|")[0].rpartition("|")[2]) for row in ROWS)
        assert PAGE.count(".py::") == len(NAMED.findall(PAGE))

    @pytest.mark.parametrize("row", [*ASVS.split(), *CWE.split()])
    def test_every_rule_has_a_row(self, row: str) -> None:
        """The rules of ASVS 5.0 chapter 16 and the weaknesses of logging are all answered."""
        assert re.search(rf"^\| [^|]*\b{re.escape(row)}\b", PAGE, re.MULTILINE)

    @pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", PAGE))))
    def test_links_lead_somewhere(self, link: str) -> None:
        """Each page that is linked is there."""
        assert (ROOT / "docs" / link).is_file()

    def test_the_policy_is_linked_both_ways(self) -> None:
        """Who finds one page finds the other."""
        assert "docs/security.md" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")
        assert "../SECURITY.md" in PAGE
