"""The commands; each is a thin front of the room that does the work."""

from __future__ import annotations

from pathlib import Path

import click

import crmlogging
from crmlogging.cli import demo, demo_scenarios
from crmlogging.exceptions import require
from crmlogging.report.archive import Archive
from crmlogging.report.queries import failures
from crmlogging.report.terminal import render

__all__ = ["application"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(crmlogging.__version__, prog_name="crmlogging")
def application() -> None:
    """Safe, structured, lossless logging for services that sync data with CRMs."""


@application.command("demo")
@click.option(
    "--records",
    type=click.IntRange(demo_scenarios.MINIMUM_CONTACTS, demo_scenarios.MAXIMUM_CONTACTS),
    default=2_000,
    show_default=True,
    help="Contacts to sync.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Equal seeds, equal runs.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("crmlogging-demo"),
    show_default=True,
    help="Folder for the log files, which stay there. Those of an earlier demo are replaced; "
    "nothing else in it is touched.",
)
@click.option(
    "--keep",
    is_flag=True,
    help="Keep the S3 objects too: copy them to OUTPUT/s3 (the demo's own S3 server, and what "
    "it holds, ends with the demo).",
)
@click.option(
    "--s3-endpoint",
    metavar="URL",
    help="An S3 server to write to, with your own credentials. Without it the demo starts one "
    "on this machine, if moto is installed.",
)
def demo_command(
    records: int, seed: int, output: Path, keep: bool, s3_endpoint: str | None
) -> None:
    """Sync made-up contacts with made-up CRMs, log it, and show what the log says to do.

    Everything runs on this machine: four CRMs that fail as real ones do, a service that logs as
    carelessly as real ones do, and logging.conf.example as its configuration. At the end the
    demo checks the log against what the CRMs did; exit 1 if anything differs.
    """
    options = demo.Options(records, seed, output, keep, s3_endpoint)
    try:
        passed = demo.run(options)
    except demo.DemoError as error:
        raise click.UsageError(f"{error}") from error
    if not passed:
        raise click.exceptions.Exit(1)


@application.command("report")
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
