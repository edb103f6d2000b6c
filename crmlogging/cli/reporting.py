"""``crmlogging report``."""

from __future__ import annotations

import os

import click

from crmlogging.cli.reading import Client, reads_sources
from crmlogging.crypto.keys import PrivateKeys
from crmlogging.exceptions import MissingDependencyError, require
from crmlogging.report.archive import Archive
from crmlogging.report.queries import failures
from crmlogging.report.terminal import render

__all__ = ["report_command"]


@click.command("report")
@reads_sources
def report_command(places: tuple[str, ...], keys: PrivateKeys, client: Client) -> None:
    """Show what failed and what to do, from the log lines in each SOURCE.

    A SOURCE is a file, a folder (all *.jsonl, *.jsonl.gz and *.jsonl.gz.enc in it), or an object or
    a prefix of a bucket (s3://bucket/crm), plain, gzip or encrypted. A record that is in several
    of them counts once.

    Exit code 0: there is a report; 1: nothing could be read; 2: wrong usage.
    """
    require("rich", extra="cli", purpose="crmlogging report")
    from rich.console import Console

    for place in places:
        if not place.startswith("s3://") and not os.path.exists(place):
            raise click.UsageError(f"{place} does not exist")
    archive = Archive(places, keys=keys, client=client)
    console = Console(highlight=False)
    try:
        render(failures(archive), console)
    except MissingDependencyError as error:
        raise click.UsageError(str(error)) from None
    for sentence in archive.remarks():
        console.print(sentence, markup=False)
    if archive.problems and not archive.files:
        raise click.exceptions.Exit(1)
