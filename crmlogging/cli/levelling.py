"""``crmlogging level``."""

from __future__ import annotations

import os
from typing import Final

import click

from crmlogging.exceptions import ConfigurationError
from crmlogging.levels.env_file import (
    FILE_BYTES,
    FILE_VARIABLE,
    VARIABLE,
    followers,
    set_value,
    value_in,
)
from crmlogging.levels.spec import parse_spec, utc_now, with_end
from crmlogging.storage.given import open_given

__all__ = ["level_command"]

_SHOWN: Final = 8


@click.command("level")
@click.argument("spec", required=False)
@click.option("--for", "duration", metavar="DURATION", help="How long: 90s, 15m, 2h, 1d.")
@click.option(
    "--env-file",
    envvar=FILE_VARIABLE,
    required=True,
    type=click.Path(dir_okay=False),
    help=f"File the services look at; by default what {FILE_VARIABLE} names.",
)
@click.option("--show", is_flag=True, help="Say what the file asks for, and change nothing.")
@click.option("--clear", is_flag=True, help="Take the variable out of the file.")
def level_command(
    spec: str | None, duration: str | None, env_file: str, show: bool, clear: bool
) -> None:
    """Change the log levels of running services, for a while.

    SPEC is a level, INFO; or some, INFO,crm.sync=DEBUG; or the level of one piece of work,
    DEBUG@tenant.code=acme or DEBUG@correlation_id=ID (by loggers of crmlogging.Logger).

    Services follow within two seconds if they were started with CRMLOGGING_ENV_FILE naming the
    file. Exit code 0: done; 2: it cannot be done, and nothing has changed.
    """
    if (spec is not None) + show + clear != 1:
        raise click.UsageError("give either SPEC or --show or --clear")
    if duration is not None and spec is None:
        raise click.UsageError("--for goes with a SPEC")
    try:
        if show:
            _show(env_file)
            return
        value = None if spec is None else with_end(spec, duration)
        target = set_value(env_file, value)
    except ConfigurationError as error:
        raise click.UsageError("; ".join(error.problems)) from None
    except OSError as error:
        raise click.UsageError(f"env file: {env_file!r}: {error.strerror}") from None
    _tell(target, value)


def _show(env_file: str) -> None:
    with open_given(env_file) as file:
        value = value_in(file.read(FILE_BYTES).decode("utf-8", "replace"))
    if value is None:
        click.echo(f"{VARIABLE} is not set in {env_file}.")
        return
    until = parse_spec(value).until
    click.echo(f"{VARIABLE}={value}")
    if until is not None:
        over = until <= utc_now()
        click.echo(f"{'Over since' if over else 'In force until'} {until:%Y-%m-%dT%H:%M:%SZ}.")


def _tell(target: str, value: str | None) -> None:
    if value is None:
        click.echo(f"Took {VARIABLE} out of {target}; the former levels return.")
    else:
        click.echo(f"Wrote {VARIABLE}={value} to {target}.")
        until = parse_spec(value).until
        if until is not None:
            click.echo(f"The former levels return by themselves at {until:%Y-%m-%dT%H:%M:%SZ}.")
    found = [each for each in followers(target) if each[0] != os.getpid()]
    names = ", ".join(f"{process} ({name})" for process, name in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    if found:
        plural = "processes follow" if len(found) > 1 else "process follows"
        click.echo(f"{len(found)} {plural} within two seconds: {names}{more}.")
    else:
        click.echo(
            f"No running process that can be seen from here has {FILE_VARIABLE}={target}; "
            "those that do follow within two seconds."
        )
