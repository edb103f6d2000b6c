"""``crmlogging lint``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from crmlogging.exceptions import ConfigurationError
from crmlogging.linting.checking import Outcome, check
from crmlogging.linting.configuration import options_from
from crmlogging.linting.rules import explained

__all__ = ["lint_command"]

CLEAN, FOUND, FAILED = 0, 1, 2


@click.command("lint")
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="File with the allowlist: a dictConfig document as TOML or JSON, or Python (never run).",
)
@click.option("--select", metavar="CODES", help="Look for these only, as CL001,CL2; CL is all.")
@click.option("--ignore", metavar="CODES", help="Do not look for these.")
@click.option("--verbs", is_flag=True, help="Also look for messages that start with no verb.")
@click.option("--json", "as_json", is_flag=True, help="Write the findings as a JSON array.")
@click.option("--explain", metavar="CODE", help="Say what a code means, and stop.")
def lint_command(
    paths: tuple[str, ...],
    config: Path | None,
    select: str | None,
    ignore: str | None,
    verbs: bool,
    as_json: bool,
    explain: str | None,
) -> None:
    """Find log calls that leak or lose something, without running the code.

    Of folders, all Python files are read. `[tool.crmlogging.lint]` in pyproject.toml may set
    config, select, ignore and verbs. A comment `# crmlogging: ignore[CL001]` silences a call.

    Exit code 0: nothing found. 1: findings. 2: something could not be checked.
    """
    if explain is not None:
        text = explained(explain)
        if text is None:
            raise click.UsageError(f"--explain: {explain!r} is no code")
        click.echo(text)
        return
    if not paths:
        raise click.UsageError("Missing argument 'PATH...'.")
    try:
        options = options_from(
            Path.cwd(), config=config, select=_codes(select), ignore=_codes(ignore), verbs=verbs
        )
    except ConfigurationError as error:
        for problem in error.problems:
            click.echo(f"crmlogging lint: {problem}", err=True)
        sys.exit(FAILED)
    outcome = check(paths, options.codes, options.allowed)
    _show(outcome, as_json)
    sys.exit(FAILED if outcome.problems else FOUND if outcome.findings else CLEAN)


def _codes(given: str | None) -> list[str]:
    return [] if given is None else [code.strip() for code in given.split(",")]


def _show(outcome: Outcome, as_json: bool) -> None:
    """Findings go to stdout and nothing else does; the rest to stderr."""
    findings = [each._replace(path=_printable(each.path)) for each in outcome.findings]
    if as_json:
        click.echo(json.dumps([each.as_json() for each in findings], indent=2))
    else:
        for each in findings:
            click.echo(str(each))
    for problem in outcome.problems:
        click.echo(f"crmlogging lint: {_printable(problem)}", err=True)
    if not as_json and findings:
        files = len({each.path for each in findings})
        click.echo(f"{len(findings)} findings in {files} of {outcome.files} files.", err=True)


def _printable(path: str) -> str:
    """A file's name may hold anything, a line break and bytes that are no text among them."""
    shown = os.fsencode(path).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in shown)
