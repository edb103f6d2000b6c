"""Writes the rules into docs/lint.md: ``python docs/lint_table.py`` (a test keeps it so)."""

from __future__ import annotations

from pathlib import Path

from crmlogging.linting.rules import RULES, Rule

BEGIN, END = "<!-- rules: begin -->", "<!-- rules: end -->"
PAGE = Path(__file__).parent / "lint.md"


def row(rule: Rule) -> str:
    """Return one rule as a row of the table."""
    explanation = rule.explanation.replace("|", "\\|").replace("<", "&lt;")
    asked = "yes" if rule.default else "no"
    return f"| `{rule.code}` | {rule.severity} | {asked} | **{rule.title}** {explanation} |"


def table() -> str:
    """Return the whole table in Markdown."""
    head = "| code | severity | by default | what it finds |"
    return "\n".join([head, "|---" * 4 + "|", *map(row, RULES.values())])


def with_table(text: str) -> str:
    """Return `text` with the table between its marks replaced."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
