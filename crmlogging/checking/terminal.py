"""The outcome of a check in a terminal: who is protected, what to change, and the proof."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from crmlogging.checking.findings import Finding, HandlerView, Report
from crmlogging.exceptions import require

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

__all__ = ["render"]

_SILENT: Final = "writes nothing"
_NULL: Final = "logging.NullHandler"
_LINE_CHARACTERS: Final = 2_000


def render(report: Report, console: Console) -> None:
    """Print `report` on `console`. Without colours it reads as well.

    Raises:
        MissingDependencyError: rich is not installed.
    """
    require("rich", extra="cli", purpose="the outcome in the terminal")
    _title(console, f"{report.subject} on Python {report.python}")
    _handlers(report, console)
    _findings("Problems", "✗", "bold red", report.problems, console)
    _findings("Good to know", "·", "dim", report.notes, console)
    _sample(report, console)
    console.print(_text(_sum(report), "bold red" if report.problems else "bold green"))


def _title(console: Console, title: str) -> None:
    console.print(_text(title, "bold"))


def _handlers(report: Report, console: Console) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("", "handler", "class", "where", "writes to", "verdict"):
        table.add_column(heading, overflow="fold")
    for view in _shown(report):
        mark, style = _mark(view)
        target = view.writes_to or ", ".join(view.targets)
        row = (view.name, view.kind, view.place, target, view.verdict)
        table.add_row(_text(mark, style), *(_text(each) for each in row))
    console.print(table)
    console.print()


def _shown(report: Report) -> list[HandlerView]:
    """Leave out what libraries give their loggers by custom."""
    return [view for view in report.handlers if view.kind != _NULL]


def _mark(view: HandlerView) -> tuple[str, str]:
    if view.verdict == _SILENT:
        return "·", "dim"
    if view.leaks or not view.verdict.startswith("protected"):
        return "✗", "bold red"
    return "✓", "green"


def _findings(
    title: str, mark: str, style: str, findings: Iterable[Finding], console: Console
) -> None:
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for each in findings:
        place = _text(each.place)
        place.append(f"\n{each.code}", "dim")
        table.add_row(_text(mark, style), place, _text(each.text))
    if table.row_count:
        _title(console, title)
        console.print(table)
        console.print()


def _sample(report: Report, console: Console) -> None:
    _title(console, "A sample: this code logs a made-up name and e-mail address")
    for line in report.calls.splitlines():
        console.print(_text(f"  {line}", "dim"))
    _title(console, "as written by the standard formatter")
    _lines(report.before, console)
    for names, view in _alike(report):
        heading = _text(f"as written by {names}: ", "bold")
        heading.append(*_proof(view))
        console.print(heading)
        _lines(view.lines or [], console)
    console.print()


def _lines(lines: list[str], console: Console) -> None:
    for line in lines:
        console.print(_text(f"  {line[:_LINE_CHARACTERS]}"), soft_wrap=True)


def _alike(report: Report) -> list[tuple[str, HandlerView]]:
    """Return the handlers that write, those that wrote the same together."""
    groups: dict[tuple[str, ...], list[HandlerView]] = {}
    for view in _shown(report):
        if not view.targets:
            groups.setdefault((*(view.lines or (view.name,)), *view.leaks), []).append(view)
    return [(", ".join(view.name for view in views), views[0]) for views in groups.values()]


def _proof(view: HandlerView) -> tuple[str, str]:
    if view.leaks:
        return f"{' and '.join(view.leaks)} came out", "bold red"
    if view.lines is None:
        return "the sample did not reach it", "yellow"
    return "neither came out", "green"


def _sum(report: Report) -> str:
    writing = [view for view in _shown(report) if view.verdict != _SILENT]
    safe = sum(1 for view in writing if _mark(view)[0] == "✓")
    problems = len(report.problems)
    counted = "1 problem" if problems == 1 else f"{problems} problems"
    return f"{safe} of {len(writing)} handlers that write are protected, {counted}."


def _text(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(
        "".join(each if each.isprintable() or each == "\n" else "�" for each in text), style
    )
