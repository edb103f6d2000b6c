"""Results as Markdown, and into the page that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.registry import OURS, Measure
from benchmarks.results import Outcome, Row, Verdict, machine, verdicts, versions
from benchmarks.running import MEASURED, Settings

__all__ = ["BEGIN", "END", "as_markdown", "write_into"]

BEGIN: Final = "<!-- figures: begin -->"
END: Final = "<!-- figures: end -->"
_WIDEST: Final = 8


def as_markdown(outcomes: Sequence[Outcome], settings: Settings) -> str:
    """Return targets first, then a table for each scenario."""
    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    parts = [
        f"Machine: {machine()}. Median of {settings.rounds} rounds. {packages}.",
        _targets(outcomes),
        *(_table(outcome) for outcome in outcomes),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _targets(outcomes: Sequence[Outcome]) -> str:
    rows = [(outcome, verdict) for outcome in outcomes for verdict in verdicts(outcome)]
    if not rows:
        return ""
    lines = [
        "### Targets",
        "",
        "| scenario | who | measure | target | figure | reached | best other |",
        "|---|---|---|---|---|---|---|",
    ]
    lines.extend(_target(outcome, verdict) for outcome, verdict in rows)
    return "\n".join(lines)


def _target(outcome: Outcome, verdict: Verdict) -> str:
    measure = next(m for m in outcome.scenario.measures if m.name == verdict.target.measure)
    sign = "≥" if verdict.target.at_least else "≤"
    best = verdict.best
    other = f"{best.name} {_number(best, measure)}" if best else "–"
    cells = (
        f"{verdict.scenario} {verdict.variant}".strip(),
        verdict.target.peer,
        measure.title,
        f"{sign} {_plain(verdict.limit, measure)}",
        _plain(verdict.figure, measure),
        "yes" if verdict.is_met else "**no**",
        other,
    )
    return f"| {' | '.join(cells)} |"


def _table(outcome: Outcome) -> str:
    """Return variants side by side, or where that is too wide one below the other."""
    scenario = outcome.scenario
    parts = [f"### {scenario.key}: {scenario.title}"]
    if scenario.note:
        parts.append(scenario.note)
    if len(scenario.measures) * len(outcome.rows) <= _WIDEST:
        parts.append(_grid(outcome, list(outcome.rows)))
    else:
        for variant in outcome.rows:
            parts.append(f"With: {variant}.")
            parts.append(_grid(outcome, [variant], named=False))
    return "\n\n".join(parts)


def _grid(outcome: Outcome, variants: list[str], *, named: bool = True) -> str:
    columns = [(measure, variant) for measure in outcome.scenario.measures for variant in variants]
    heads = [f"{m.title}, {variant}" if variant and named else m.title for m, variant in columns]
    lines = [f"| | {' | '.join(heads)} | |", "|---" * (len(heads) + 2) + "|"]
    rows = {variant: {row.name: row for row in outcome.rows[variant]} for variant in variants}
    for name in _order([row for each in variants for row in outcome.rows[each]], columns[0][0]):
        each = [rows[variant].get(name) for _, variant in columns]
        cells = [_number(row, measure) for row, (measure, _) in zip(each, columns, strict=True)]
        shown = [row for row in each if row is not None]
        title = f"**{name}**" if shown[0].role == OURS else name
        lines.append(f"| {title} | {' | '.join(cells)} | {_remarks(shown)} |")
    return "\n".join(lines)


def _order(rows: list[Row], measure: Measure) -> list[str]:
    """Return the peers, best first; those without a figure last."""
    names = list(dict.fromkeys(row.name for row in rows))
    worst = float("inf")
    sign = -1 if measure.rising else 1
    figures = {
        name: [
            sign * row.figures[measure.name].shown
            for row in rows
            if row.name == name and measure.name in row.figures
        ]
        for name in names
    }
    return sorted(names, key=lambda name: figures[name][0] if figures[name] else worst)


def _number(row: Row | None, measure: Measure) -> str:
    figure = row.figures.get(measure.name) if row is not None else None
    if row is None or figure is None:
        return "–"
    if figure.relation is None:
        text = _plain(figure.absolute, measure)
    else:
        text = (
            f"{_plain(figure.relation, measure)} ({figure.absolute:,.{_digits(figure.absolute)}f})"
        )
    # Not compared: its work is not equal.
    return text if row.did_the_work else f"~~{text}~~"


def _plain(value: float, measure: Measure) -> str:
    if measure.relation == "ratio":
        return f"{value:,.2f}x"
    sign = "+" if measure.relation == "difference" and value > 0 else ""
    return f"{sign}{value:,.{measure.digits}f}"


def _digits(value: float) -> int:
    return 0 if value >= 100 else 1 if value >= 10 else 2


def _remarks(rows: Sequence[Row]) -> str:
    remarks = [rows[0].note] if rows[0].note else []
    for row in rows:
        if row.status != MEASURED:
            remark = f"**{row.status}**: {row.reason}"
            if remark not in remarks:
                remarks.append(remark)
    return "; ".join(remarks).replace("|", "\\|")


def write_into(page: Path, markdown: str) -> None:
    """Write `markdown` to a file; into one with markers, between them.

    Raises:
        ValueError: it has one marker only.
    """
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    if BEGIN not in text and END not in text:
        page.write_text(markdown, encoding="utf-8")
        return
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page.name} has one of the markers {BEGIN} and {END} only")
    page.write_text(f"{before}{BEGIN}\n\n{markdown}\n{END}{after}", encoding="utf-8")
