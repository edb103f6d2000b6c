"""The report in a terminal: who has to do what, most urgent first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crmlogging.exceptions import require
from crmlogging.report.queries import FailureGroup, FailureReport

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

__all__ = ["render"]

_STYLES: Final = {
    "auth": "bold red",
    "plan": "bold magenta",
    "permissions": "bold yellow",
    "validation": "bold cyan",
    "unreachable": "bold red",
    "transient": "bold blue",
    "unknown": "bold",
}
_FIELDS_SHOWN: Final = 6


def render(report: FailureReport, console: Console) -> None:
    """Print `report` on `console`, in its width, without anything that stands in the lines' way.

    Text from lines is never taken for markup. Without colours it reads as well.

    Raises:
        MissingDependencyError: rich is not installed.
    """
    require("rich", extra="report", purpose="the report in the terminal")
    if not report.groups:
        console.print(_sentence(f"No failures in {_number(report.lines, 'line')}."))
        return
    console.print(_table(report))
    solved = report.count - report.final
    console.print(
        _sentence(
            f"{_number(report.count, 'failed call')} in {_number(len(report.groups), 'group')}: "
            f"{report.final:,} failed for good, {solved:,} retried. "
            f"{_number(report.lines, 'line')}, {_span(report)}."
        )
    )


def _table(report: FailureReport) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 1, 0), expand=True, header_style="dim")
    table.add_column("calls", justify="right", no_wrap=True)
    table.add_column("what", no_wrap=True)
    table.add_column("what to do", ratio=1)
    for group in report.groups:
        table.add_row(f"{group.count:,}", _kind(group), _advice(group))
    return table


def _kind(group: FailureGroup) -> Text:
    from rich.text import Text

    kind = Text(group.category, style=_STYLES[group.category])
    if group.provider:
        kind.append(f"\n{group.provider}", style="not bold default")
    if group.final == 0:
        kind.append("\nall retried", style="not bold dim")
    elif group.final < group.count:
        kind.append(f"\n{group.count - group.final:,} retried", style="not bold dim")
    return kind


def _advice(group: FailureGroup) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    parts: list[Text] = []
    code = group.code
    if group.provider_code not in code:
        code = f"{code} ({group.provider_code})" if code else group.provider_code
    if code:
        parts.append(Text(code, style="bold", overflow="fold"))
    parts.append(Text(group.summary, overflow="fold"))
    if group.fields:
        parts.append(Text(_fields(group), style="dim", overflow="fold"))
    actor = Text("", overflow="fold")
    if group.owner not in ("", "none"):
        actor.append(f"{group.owner.replace('_', ' ')}  ", style="dim")
    if group.fix_url:
        actor.append(group.fix_url, style=f"underline link {group.fix_url}")
    if len(group.tenants) > 1:
        actor.append(f"  {len(group.tenants):,} tenants", style="dim")
    if actor:
        parts.append(actor)
    return Group(*parts)


def _fields(group: FailureGroup) -> str:
    shown = [f"{name} ({count:,})" for name, count in group.fields.most_common(_FIELDS_SHOWN)]
    more = len(group.fields) - len(shown)
    return "fields: " + ", ".join(shown) + (f" and {more:,} more" if more else "")


def _span(report: FailureReport) -> str:
    first, last = (moment[:19].replace("T", " ") for moment in (report.first, report.last))
    if first[:10] == last[:10]:
        last = last[11:]
    return f"{first} to {last} UTC" if first else "without times"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _sentence(text: str) -> Text:
    from rich.text import Text

    return Text(text)
