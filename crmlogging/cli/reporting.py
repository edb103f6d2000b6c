"""``crmlogging report``."""

from __future__ import annotations

from pathlib import Path

import click

from crmlogging.exceptions import require
from crmlogging.report.archive import Archive
from crmlogging.report.queries import failures
from crmlogging.report.terminal import render

__all__ = ["report_command"]


@click.command("report")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def report_command(paths: tuple[Path, ...]) -> None:
    """Show what failed and what to do, from the log lines in PATHS.

    Files may be plain or gzip; of folders, all *.jsonl and *.jsonl.gz are read. A record that is
    in several files counts once.
    """
    require("rich", extra="cli", purpose="crmlogging report")
    from rich.console import Console

    console = Console(highlight=False)
    archive = Archive(paths)
    render(failures(archive), console)
    for sentence in archive.remarks():
        console.print(sentence, markup=False)
