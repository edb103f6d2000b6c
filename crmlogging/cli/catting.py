"""``crmlogging cat``: print the lines of an archive, wherever and however they are kept."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import BinaryIO

import click

from crmlogging.cli.reading import Client, reads_sources
from crmlogging.crypto.keys import PrivateKeys
from crmlogging.exceptions import MissingDependencyError
from crmlogging.storage.lines import Line, read_lines
from crmlogging.storage.sources import Source, sources

__all__ = ["cat_command"]


@click.command("cat")
@reads_sources
def cat_command(places: tuple[str, ...], keys: PrivateKeys, client: Client) -> None:
    """Print the lines of each SOURCE: plain, gzip or encrypted.

    A SOURCE is a file, a folder (all *.jsonl, *.jsonl.gz and *.jsonl.gz.enc in it), an object or
    a prefix of a bucket (s3://bucket/crm, s3://bucket/crm/tier=standard/dt=2026-11-2*), or "-" for
    the standard input. What is cut short or damaged is printed as far as it goes; a remark about
    it goes to stderr and makes the exit code 1.
    """

    remarks: list[str] = []
    for place in places:
        for source in _sources(place, remarks.append, client):
            _copy(source, keys, remarks)
    sys.stdout.buffer.flush()
    for remark in remarks:
        click.echo(f"crmlogging cat: {remark}", err=True)
    sys.exit(1 if remarks else 0)


def _sources(place: str, complain: Callable[[str], None], client: Client) -> Iterator[Source]:
    if place == "-":

        def standard_input() -> AbstractContextManager[BinaryIO]:
            return nullcontext(sys.stdin.buffer)

        return iter([Source("standard input", standard_input)])
    return sources(place, complain, client=client)


def _lines(source: Source, keys: PrivateKeys, complain: Callable[[str], None]) -> Iterator[Line]:
    """Yield the lines of `source`; what goes wrong in reading them ends them."""
    try:
        with source.open() as file:
            yield from read_lines(file, complain, keys=keys)  # type: ignore[arg-type]  # it is buffered
    except MissingDependencyError as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        complain(f"cannot be read ({error.strerror or type(error).__name__})")


def _copy(source: Source, keys: PrivateKeys, remarks: list[str]) -> None:
    """Print the lines of `source`; of one that is cut short no half line."""
    output, before, tail = sys.stdout.buffer, len(remarks), b""
    for line in _lines(source, keys, lambda what: remarks.append(f"{source.name} {what}")):
        output.write(tail)
        tail = b"" if line.raw.endswith(b"\n") else line.raw
        if not tail:
            output.write(line.raw)
            if source.name == "standard input":
                output.flush()  # somebody may be watching a log as it grows
    if tail and len(remarks) == before:
        output.write(tail + b"\n")
