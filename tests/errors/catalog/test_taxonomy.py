"""Promises of docs/taxonomy.md: it is the catalog, and names every reason and every vendor."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Final

from crmlogging.errors.catalog import builtin

DOCS: Final = Path(__file__).parents[3] / "docs"
PAGE: Final = (DOCS / "taxonomy.md").read_text(encoding="utf-8")


class TestPage:
    def test_its_tables_are_the_catalog_s(self) -> None:
        """What stands between the marks is generated from the catalog."""
        generator = runpy.run_path(str(DOCS / "taxonomy_table.py"))
        assert generator["with_tables"](PAGE) == PAGE

    def test_it_names_every_reason_and_vendor(self) -> None:
        """Each reason has its row, each vendor its line of numbers."""
        for name in builtin().reasons:
            assert f"| `{name}` |" in PAGE
        for provider in builtin().providers.values():
            assert f"\n| {provider.title} | " in PAGE
