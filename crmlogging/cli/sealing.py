"""``crmlogging keygen`` and ``crmlogging unseal``: keys for the mask ``seal``, and its reader."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

import click
import orjson

from crmlogging.crypto.key_files import write_new
from crmlogging.crypto.keys import PrivateKey, PrivateKeys
from crmlogging.exceptions import ConfigurationError
from crmlogging.formatters.encoding import one_line
from crmlogging.redaction.unsealing import LineUnsealer
from crmlogging.storage.given import open_given
from crmlogging.storage.lines import Line, read_lines

__all__ = ["asked_passphrase", "keygen_command", "unseal_command", "usage_errors"]

PASSPHRASE_VARIABLE: Final = "CRMLOGGING_KEY_PASSPHRASE"
_SEALED: Final = b"seal:"


@contextmanager
def usage_errors() -> Iterator[None]:
    """Turn what is wrong with keys and their files into one message and exit code 2."""
    try:
        yield
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        raise click.UsageError(f"{error.filename}: {error.strerror}") from None


@click.command("keygen")
@click.argument("path", default="private.pem", type=click.Path(dir_okay=False))
@click.option(
    "--public", type=click.Path(dir_okay=False), help="Write the public key here, as PEM."
)
@click.option(
    "--passphrase",
    is_flag=True,
    help=f"Encrypt the private key; asks, unless {PASSPHRASE_VARIABLE} is set.",
)
def keygen_command(path: str, public: str | None, passphrase: bool) -> None:
    """Make a key pair for the mask "seal".

    Writes the private key to PATH (private.pem), for its owner alone; what exists is never
    overwritten. Prints the public key, which is no secret, as it goes into the configuration of
    the services that log.
    """
    for each in filter(None, (path, public)):
        if os.path.lexists(each):
            raise click.UsageError(f"{each} exists already; keys are never overwritten")
    with usage_errors():
        key = PrivateKey.new()
        secret = asked_passphrase(path, confirmed=True) if passphrase else None
        write_new(path, key.pem(secret))
        if public is not None:
            write_new(public, key.public.pem, mode=0o644)
    line = key.public.line
    click.echo(f"private key    {path}  (opens all that is sealed: keep it off machines that log)")
    click.echo(f"key id         {key.public.id}")
    click.echo(f"public key     {line}")
    click.echo(f'configuration  "seal_to": "{line}"')
    click.echo(f"or             CRMLOGGING_SEAL_KEY={line}")


@click.command("unseal")
@click.option(
    "--key",
    "paths",
    multiple=True,
    required=True,
    type=click.Path(exists=True),
    help="A private key's PEM file, or a folder of such; may be repeated.",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, allow_dash=True))
def unseal_command(paths: tuple[str, ...], files: tuple[str, ...]) -> None:
    """Print the lines of FILES with sealed values in clear.

    Files may be plain or gzip; "-" is the standard input. What is no JSON passes as it is. A
    token opens only in its own line and field: one that does not open stays, is counted, and
    makes the exit code 1.
    """
    with usage_errors():
        unsealer = LineUnsealer(PrivateKeys(paths, passphrase=asked_passphrase))
    remarks: list[str] = []
    for file in files:
        _copy(file, unsealer, remarks)
    remarks += _counts(unsealer)
    for remark in remarks:
        click.echo(f"crmlogging unseal: {remark}", err=True)
    sys.exit(1 if remarks else 0)


def asked_passphrase(path: str, *, confirmed: bool = False) -> str:
    """Return the passphrase of the key file `path`, from the environment or from the person."""
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given:
        return given
    asked: str = click.prompt(
        f"Passphrase of {path}", hide_input=True, confirmation_prompt=confirmed, err=True
    )
    return asked


def _copy(file: str, unsealer: LineUnsealer, remarks: list[str]) -> None:
    if file == "-":
        _copy_lines(sys.stdin.buffer, "standard input", unsealer, remarks)
        return
    try:
        source = open_given(file)
    except FileNotFoundError:
        remarks.append(f"{file} does not exist")
        return
    except OSError as error:
        remarks.append(f"{file} cannot be read ({error.strerror or type(error).__name__})")
        return
    with source:
        _copy_lines(source, file, unsealer, remarks)


def _copy_lines(source: BinaryIO, name: str, unsealer: LineUnsealer, remarks: list[str]) -> None:
    output, long = sys.stdout.buffer, 0
    for line in read_lines(source, lambda what: remarks.append(f"{name} {what}")):  # type: ignore[arg-type]  # it is buffered
        output.write(_clear(line, unsealer))
        output.flush()  # somebody may be watching a log as it grows
        long += not line.whole and line.raw.endswith(b"\n")
    if long:
        number = f"{long:,} line{'' if long == 1 else 's'}"
        remarks.append(f"{name} has {number} too long to be opened, copied as they are")


def _clear(line: Line, unsealer: LineUnsealer) -> bytes:
    if not line.whole or _SEALED not in line.raw:
        return line.raw
    try:
        # Not orjson: it would read an integer of more than 64 bits as something else.
        fields = json.loads(line.raw)
        if type(fields) not in (dict, list) or not unsealer.unseal(fields):
            return line.raw
        return _encoded(fields) + line.raw[len(line.raw.rstrip(b"\r\n")) :]
    except (ValueError, RecursionError):
        return line.raw


def _encoded(fields: object) -> bytes:
    """Return one line of JSON that no value in it can break or take over a terminal with."""
    try:
        return one_line(orjson.dumps(fields))
    except TypeError:  # integers and surrogates that JSON has and orjson has not
        return json.dumps(fields, separators=(",", ":")).encode("ascii")


def _counts(unsealer: LineUnsealer) -> Iterator[str]:
    if unsealer.failed:
        known = unsealer.failed - sum(unsealer.unknown.values())
        if known:
            yield (
                f"{_tokens(known)} left as they are: another key, or changed, cut, "
                "or moved from their line or field"
            )
        for key_id, number in unsealer.unknown.most_common():
            yield f"{_tokens(number)} left as they are: needs the private key {key_id}"


def _tokens(number: int) -> str:
    return f"{number:,} sealed value{'' if number == 1 else 's'}"
