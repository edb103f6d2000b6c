"""``crmlogging doctor``."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Final

import click

from crmlogging.doctor.examining import DAYS, examine
from crmlogging.doctor.findings import Report

__all__ = ["doctor_command"]

_KEEP: Final = re.compile(r"(debug|standard)=([1-9][0-9]{0,5}|forever)")


def _days(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> object:
    days = dict(DAYS)
    for each in given:
        match = _KEEP.fullmatch(each)
        if match is None:
            raise click.BadParameter(f"{each!r} is not TIER=DAYS, as standard=90")
        days[match[1]] = None if match[2] == "forever" else int(match[2])
    return days


@click.command("doctor")
@click.argument("folders", metavar="DIR...", nargs=-1, required=True)
@click.option(
    "--keep",
    "days",
    metavar="TIER=DAYS",
    multiple=True,
    callback=_days,
    help="Days the handler keeps a tier: standard=90, debug=7, or forever.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the outcome as JSON.")
def doctor_command(folders: tuple[str, ...], days: Mapping[str, int | None], as_json: bool) -> None:
    """Look at the folders of logs, journals and spools, and change nothing.

    Finds torn lines, broken archives, leftovers of crashes, files that should be gone, modes,
    owners and links that are wrong, and segments that no process has taken over. Missing record
    numbers are a hint only: records may have gone elsewhere.

    Exit code 0: nothing is wrong; 1: something is; 2: a folder cannot be read.
    """
    try:
        report = examine(folders, days=days)
    except OSError as error:
        click.echo(f"crmlogging doctor: {_printable(error.filename)}: {error.strerror}", err=True)
        raise click.exceptions.Exit(2) from error
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        _show(report)
    raise click.exceptions.Exit(1 if report.counts["problems"] else 0)


def _show(report: Report) -> None:
    for finding in sorted(report.findings, key=lambda each: (not each.problem, each.path)):
        word = "problem" if finding.problem else "hint"
        click.echo(f"{word}: {_printable(finding.path)}: {finding.kind}: {finding.text}")
    counts = report.counts
    untold = counts["findings"] - len(report.findings)
    if untold:
        click.echo(f"... and {untold:,} more.")
    click.echo(
        f"{counts['problems']:,} problems. Looked at {counts['files']:,} log files with "
        f"{counts['lines']:,} lines ({counts['archives']:,} archives, {counts['encrypted']:,} "
        f"encrypted and so not read), {counts['segments']:,} segments "
        f"({counts['segments_alive']:,} of living processes), {counts['objects']:,} objects."
    )


def _printable(path: object) -> str:
    """A file's name may hold anything, a line break and bytes that are no text among them."""
    shown = os.fsencode(str(path)).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in shown)
