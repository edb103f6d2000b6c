"""Writes the field table into README.md: ``python docs/field_table.py`` (a test keeps it so)."""

from __future__ import annotations

from pathlib import Path

from crmlogging.fields import FIELDS, Field

BEGIN, END = "<!-- fields: begin -->", "<!-- fields: end -->"
README = Path(__file__).parent.parent / "README.md"


def row(field: Field) -> str:
    """Return one field as a row of the table."""
    shape = " \\| ".join(field.choices) if field.choices else field.shape
    shape += " (list)" if field.many else ""
    unit = f", {field.unit}" if field.unit else ""
    safe = "yes" if field.safe else "no"
    names = f"{field.ecs or '–'} / {field.otel or '–'}"
    return (
        f"| `{field.name}` | {shape} | {field.meaning}{unit} | {field.writer} | {safe} | {names} |"
    )


def table() -> str:
    """Return the whole table in Markdown."""
    head = "| field | shape | meaning | written by | in `@crm` | ECS / OpenTelemetry |"
    return "\n".join([head, "|---" * 6 + "|", *map(row, FIELDS)])


def with_table(text: str) -> str:
    """Return `text` with the table between its marks replaced."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    README.write_text(with_table(README.read_text()))
