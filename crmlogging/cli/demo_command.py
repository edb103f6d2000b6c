"""``crmlogging demo``: its options."""

from __future__ import annotations

from pathlib import Path

import click

from crmlogging.cli import demo, demo_scenarios

__all__ = ["demo_command"]


@click.command("demo")
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
