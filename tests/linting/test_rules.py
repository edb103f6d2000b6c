"""Promises of `linting.rules`: codes that stay, each explained, in the documentation too."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from crmlogging.linting.rules import RULES, explained

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "lint.md").read_text()


class TestRules:
    def test_the_table_is_sound(self) -> None:
        """In order, under codes of one form, with the known severities."""
        assert list(RULES) == sorted(RULES)
        for code, rule in RULES.items():
            assert re.fullmatch(r"CL\d{3}", code)
            assert rule.code == code
            assert rule.severity in ("error", "warning", "note")
            assert rule.explanation.endswith(".")

    def test_codes_are_never_given_up(self) -> None:
        """Comments and configurations of users name them."""
        assert " ".join(RULES) == (
            "CL001 CL002 CL003 CL004 CL101 CL102 CL201 CL202 CL203 CL204 CL205 CL301 CL302"
        )

    def test_the_page_is_the_code_s(self) -> None:
        """The table of docs/lint.md is generated from `RULES`."""
        generator = runpy.run_path(str(ROOT / "docs" / "lint_table.py"))
        assert generator["with_table"](PAGE) == PAGE

    @pytest.mark.parametrize("code", RULES)
    def test_each_is_explained(self, code: str) -> None:
        """By code, in any case."""
        text = explained(code.lower())
        assert text is not None
        assert text.startswith(f"{code} (")
        assert ("--select" in text) is not RULES[code].default

    def test_each_is_tested(self) -> None:
        """No rule without a test that names it."""
        tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
        tests = tests.replace("CL001 CL002 CL003 CL004 CL101", "")
        assert [code for code in RULES if f'"{code}"' not in tests] == []
