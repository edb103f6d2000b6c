"""``crmlogging report``."""

from __future__ import annotations

import os

import click

from crmlogging.cli.sealing import asked_passphrase, usage_errors
from crmlogging.crypto.keys import PrivateKeys
from crmlogging.exceptions import MissingDependencyError, require
from crmlogging.report.archive import Archive
from crmlogging.report.queries import failures
from crmlogging.report.terminal import render
from crmlogging.storage.s3_client import new_client

__all__ = ["report_command"]


@click.command("report")
@click.option(
    "--key",
    "paths",
    multiple=True,
    type=click.Path(exists=True),
    help="A private key's PEM file, or a folder of such; may be repeated.",
)
@click.option("--endpoint-url", help="Of an S3 server other than AWS.")
@click.option("--region", help="Of the bucket, if not the environment's.")
@click.argument("places", nargs=-1, required=True, metavar="SOURCE...")
def report_command(
    paths: tuple[str, ...], endpoint_url: str | None, region: str | None, places: tuple[str, ...]
) -> None:
    """Show what failed and what to do, from the log lines in each SOURCE.

    A SOURCE is a file, a folder (all *.jsonl, *.jsonl.gz and *.jsonl.gz.enc in it), or an object or
    a prefix of a bucket (s3://bucket/crm), plain, gzip or encrypted. A record that is in several
    of them counts once.
    """
    require("rich", extra="cli", purpose="crmlogging report")
    from rich.console import Console

    for place in places:
        if not place.startswith("s3://") and not os.path.exists(place):
            raise click.UsageError(f"{place} does not exist")
    with usage_errors():
        keys = PrivateKeys(paths, passphrase=asked_passphrase)
    archive = Archive(
        places,
        keys=keys,
        client=lambda: new_client(
            endpoint_url, region=region, purpose="reading from S3", attempts=5
        ),
    )
    console = Console(highlight=False)
    try:
        render(failures(archive), console)
    except MissingDependencyError as error:
        raise click.UsageError(str(error)) from None
    for sentence in archive.remarks():
        console.print(sentence, markup=False)
