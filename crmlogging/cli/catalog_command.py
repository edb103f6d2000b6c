"""``crmlogging catalog``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import click

from crmlogging.cli.parameters import RegularFile
from crmlogging.errors.catalog import builtin
from crmlogging.errors.catalog.listing import Row, rows
from crmlogging.errors.model import Category
from crmlogging.exceptions import ConfigurationError

__all__ = ["catalog_command"]

_WIDTH: Final = 100


@click.command("catalog")
@click.option("--provider", default="", help='Only rules of this vendor; "*" for everybody\'s.')
@click.option(
    "--category",
    default=None,
    type=click.Choice([each.value for each in Category]),
    help="Only rules of this category.",
)
@click.option("--code", default="", help="Only rules that this code, in any spelling, reaches.")
@click.option("--catalog", "catalogs", multiple=True, metavar="FILE",
              type=RegularFile(),
              help="TOML file with rules of your own; may be repeated.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Write the rows as JSON.")
def catalog_command(
    provider: str, category: str | None, code: str, catalogs: tuple[Path, ...], as_json: bool
) -> None:
    """List the rules by which errors are classified: what matches, and what it means.

    Exit code 0: there are rows; 1: none fits; 2: a file of rules is wrong.
    """
    try:
        catalog = builtin().extended(*catalogs) if catalogs else builtin()
    except ConfigurationError as error:
        for problem in error.problems:
            click.echo(f"crmlogging catalog: {problem}", err=True)
        raise click.exceptions.Exit(2) from error
    if provider not in ("", "*") and catalog.provider(provider) is None:
        names = ", ".join(sorted(catalog.providers))
        raise click.UsageError(f"no rules for {provider!r}; there are {names} and *")
    chosen = list(rows(catalog, provider=provider, category=category or "", code=code))
    if as_json:
        click.echo(json.dumps([row.as_json() for row in chosen], indent=2))
    else:
        for row in chosen:
            _show(row)
        click.echo(f"{len(chosen)} {'rule' if len(chosen) == 1 else 'rules'}")
    raise click.exceptions.Exit(0 if chosen else 1)


def _show(row: Row) -> None:
    retry = "retry" if row.retry else "no retry"
    weak = ", weak" if row.weak else ""
    meaning = f"{row.category} {row.reason}"
    click.echo(
        f"{row.provider}: {meaning} ({retry}, {row.scope}, {row.owner}{weak})  [{row.place}]"
    )
    for condition in row.matches:
        text = condition if len(condition) <= _WIDTH else f"{condition[: _WIDTH - 3]}..."
        click.echo(f"    {text}")
