"""``crmlogging check``."""

from __future__ import annotations

import json

import click

from crmlogging.checking.loading import CannotLoadError
from crmlogging.checking.running import check
from crmlogging.checking.terminal import render
from crmlogging.exceptions import require

__all__ = ["check_command"]


@click.command("check")
@click.argument("configuration", metavar="[CONFIG]", required=False)
@click.option(
    "--app",
    "application",
    metavar="MODULE[:CALLABLE]",
    help="Import an application, call CALLABLE if it needs no arguments, and look at the logging "
    "that it has set up.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the outcome as JSON.")
def check_command(configuration: str | None, application: str | None, as_json: bool) -> None:
    """Say what a logging configuration protects, and show it on a sample record.

    CONFIG is a dictConfig document (TOML, JSON, YAML), an INI file, or module:NAME or
    path.py:NAME of a document or of a function that configures logging. It is loaded in a
    process of its own: log files go into a temporary directory, nothing goes to S3.

    Exit code 0: all is protected; 1: something is not, or looks wrong; 2: it cannot be loaded.
    """
    if (configuration is None) == (application is None):
        raise click.UsageError("name either CONFIG or --app")
    if not as_json:
        require("rich", extra="cli", purpose="crmlogging check")
    try:
        report = check(configuration, application=application)
    except CannotLoadError as error:
        if as_json:
            _write_json({"loaded": False, "errors": list(error.problems)})
        for problem in () if as_json else error.problems:
            click.echo(f"crmlogging check: {problem}", err=True)
        raise click.exceptions.Exit(2) from error
    if as_json:
        _write_json({"loaded": True, **report.as_json()})
    else:
        from rich.console import Console

        render(report, Console(highlight=False, soft_wrap=False))
    raise click.exceptions.Exit(1 if report.problems else 0)


def _write_json(document: dict[str, object]) -> None:
    click.echo(json.dumps(document, indent=2))
