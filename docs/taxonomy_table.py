"""Writes what is made of the catalog's TOML: ``tables.json``, which is loaded, and taxonomy.md.

After a change of the TOML: ``python docs/taxonomy_table.py`` (tests tell when that was forgotten).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from crmlogging.errors.catalog import builtin
from crmlogging.errors.catalog.listing import Row, rows
from crmlogging.errors.catalog.rules import Reason
from crmlogging.errors.catalog.tables import FILE, compiled
from crmlogging.errors.model import Category

PAGE: Final = Path(__file__).parent / "taxonomy.md"
REASONS: Final = "| reason | hits | owner | tier | what the operator reads |"
VENDORS: Final = "| vendor | rules | " + " | ".join(list(Category)[:6]) + " |"
CODES: Final = "| codes | category | reason | hits | only if | source |"


def reasons() -> str:
    """Return the reasons of each category in Markdown."""
    known = builtin().reasons.values()
    parts = []
    for category in Category:
        members = [reason for reason in known if reason.category is category]
        parts.append(f"### {category.value}\n\n{table(REASONS, map(reason_cells, members))}")
    return "\n".join(parts)


def reason_cells(reason: Reason) -> tuple[str, ...]:
    """Return one reason as cells."""
    summary = reason.summary.replace("{provider}", "the CRM").replace("{fields}", "the field")
    hits = "every record" if reason.run else "the record"
    shown = summary[0].upper() + summary[1:]
    return f"`{reason.name}`", hits, reason.owner.value.replace("_", " "), str(reason.tier), shown


def rules() -> str:
    """Return how many rules there are, and the codes that each vendor's rules name."""
    listed = list(rows(builtin()))
    titles = sorted((p.title, p.name) for p in builtin().providers.values())
    parts = [f"{len(listed)} rules:\n", table(VENDORS, vendor_cells(listed, titles))]
    for title, name in titles:
        own = [row for row in listed if row.provider == name and row.rule.codes]
        if own:
            parts.append(f"### Codes of {title}\n\n{table(CODES, map(code_cells, own))}")
    return "\n".join(parts)


def vendor_cells(listed: list[Row], titles: list[tuple[str, str]]) -> Iterator[tuple[str, ...]]:
    """Yield the numbers of rules, a vendor a row."""
    for title, name in (*titles, ("any vendor", "*")):
        counts = Counter(row.category for row in listed if row.provider == name)
        numbers = [str(counts[category] or "") for category in list(Category)[:6]]
        yield title, str(counts.total()), *numbers


def code_cells(row: Row) -> tuple[str, ...]:
    """Return one rule as cells."""
    codes = ", ".join(f"`{code}`" for code in row.rule.codes)
    only = [f"`{text}`" for text in row.matches if not text.startswith("code ")]
    only += ["nothing stronger holds"] * row.weak
    hits = "every record" if row.scope == "run" else "the record"
    return codes, row.category, f"`{row.reason}`", hits, "; ".join(only), f"[page]({row.source})"


def table(head: str, cells: Iterable[tuple[str, ...]]) -> str:
    """Return a table in Markdown."""
    lines = [head, "|---" * (head.count("|") - 1) + "|"]
    for row in cells:
        shown = (text.replace("|", "\\|").replace("<", "&lt;") for text in row)
        lines.append(f"| {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"


def with_tables(text: str) -> str:
    """Return `text` with what stands between its marks replaced."""
    for name, block in (("reasons", reasons()), ("rules", rules())):
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{block}{end}{after}"
    return text


if __name__ == "__main__":
    FILE.write_bytes(compiled(FILE.parent.glob("*.toml")))
    PAGE.write_text(with_tables(PAGE.read_text()))
