"""The ``crmlogging`` command: a table of commands, each loaded when it is called."""

from __future__ import annotations

import importlib
from typing import Any, Final

import click

from crmlogging.version import __version__

__all__ = ["COMMANDS", "application"]

COMMANDS: Final = {
    "cat": ("catting:cat_command", "Print lines: plain, gzip or encrypted, files or objects."),
    "catalog": ("catalog_command:catalog_command", "List the rules that classify errors."),
    "check": ("checking:check_command", "Say what a logging configuration protects, and show it."),
    "classify": ("classifying:classify_command", "Say what an error means, and why."),
    "demo": ("demo_command:demo_command", "Sync made-up contacts and show what the log says."),
    "doctor": ("doctoring:doctor_command", "Look at folders of logs, journals and spools."),
    "keygen": ("sealing:keygen_command", 'Make a key pair for the mask "seal".'),
    "level": ("levelling:level_command", "Change the log levels of running services."),
    "lifecycle": ("lifecycle:lifecycle_command", "Have a bucket delete logs at their age."),
    "lint": ("linting:lint_command", "Find log calls that leak or lose something."),
    "report": ("reporting:report_command", "Show what failed and what to do."),
    "unseal": ("sealing:unseal_command", "Print log lines with sealed values in clear."),
}
"""Command to the module of this room and the object in it, and the line that help shows."""


class _Table(click.Group):
    """The commands of `COMMANDS`; listing them imports none, so help needs no extra."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(
            importlib.import_module(f"{__package__}.{module}"), attribute
        )
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


@click.group(cls=_Table, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="crmlogging")
def application(**_: Any) -> None:
    """Safe, structured, lossless logging for services that sync data with CRMs."""
