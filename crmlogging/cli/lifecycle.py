"""``crmlogging lifecycle``: the rules by which a bucket deletes logs at their age."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final, NamedTuple

import click

from crmlogging.exceptions import ConfigurationError
from crmlogging.storage.lifecycle import (
    COLD_CLASSES,
    Lifecycle,
    Retention,
    Rule,
    differences,
    merged,
    rules,
)
from crmlogging.storage.s3_client import REMEDIES, explain, new_client

__all__ = ["lifecycle_command"]

_PLACE: Final = re.compile(r"(?:s3://)?([^/]+)(?:/(.*))?", re.DOTALL)


class Place(NamedTuple):
    """A bucket as it is and as it should be."""

    bucket: Lifecycle
    present: list[Rule]
    rest: dict[str, Any]
    wanted: list[Rule]


@contextmanager
def _told() -> Iterator[None]:
    """Turn what boto3 raises into one line with the remedy, and exit code 2."""
    try:
        yield
    except (click.ClickException, SystemExit, click.Abort):
        raise
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from None
    except Exception as error:  # noqa: BLE001  # whatever boto3 raises; it is told
        code = explain(error).code
        remedy = REMEDIES.get(code)
        raise click.UsageError(f"{code}{'; ' + remedy if remedy else ''}") from None


def _on_a_bucket(work: Callable[..., None]) -> Callable[..., None]:
    """Give a command the argument and options that all have, and a `Place` for them."""

    @click.argument("bucket")
    @click.option("--prefix", default="", help="As the handler has it; or BUCKET/PREFIX.")
    @click.option("--endpoint-url", help="Of an S3 server other than AWS.")
    @click.option("--region", help="Of the bucket, if not the environment's.")
    @click.option("--debug-days", default=7, show_default=True, help="Days to keep DEBUG.")
    @click.option(
        "--standard-days", default=90, show_default=True, help="Days to keep INFO and above."
    )
    @click.option("--cold-after-days", type=int, help="Move INFO and above at this age.")
    @click.option(
        "--storage-class",
        type=click.Choice(COLD_CLASSES),
        default="GLACIER_IR",
        show_default=True,
        help="Where to.",
    )
    @wraps(work)
    def command(
        bucket: str,
        prefix: str,
        endpoint_url: str | None,
        region: str | None,
        debug_days: int,
        standard_days: int,
        cold_after_days: int | None,
        storage_class: str,
        **options: Any,
    ) -> None:
        match = _PLACE.fullmatch(bucket)
        if match is None or (prefix and match[2]):
            raise click.UsageError("give BUCKET --prefix PREFIX, or BUCKET/PREFIX")
        kept = Retention(debug_days, standard_days, cold_after_days, storage_class)
        with _told():
            kept.check()
            client = new_client(endpoint_url, region=region, purpose="lifecycle", attempts=3)
            there = Lifecycle(client, match[1])
            wanted = rules(
                (prefix or match[2] or "").strip("/"), kept, versioned=there.is_versioned()
            )
            work(Place(there, *there.read(), wanted), **options)

    return command


@click.group("lifecycle")
def lifecycle_command() -> None:
    """Make, apply and check the rules by which a bucket deletes logs at their age.

    They cover PREFIX/tier=debug/ and PREFIX/tier=standard/, uploads that never ended, and old
    versions where the bucket is versioned. Rules of others stay as they are.
    """


@lifecycle_command.command("show")
@_on_a_bucket
def show(place: Place) -> None:
    """Print the whole configuration that `apply` would put, as JSON."""
    document = {"Rules": merged(place.present, place.wanted)}
    click.echo(json.dumps(document, indent=2, default=str))


@lifecycle_command.command("apply")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_on_a_bucket
def apply(place: Place, yes: bool) -> None:
    """Put the rules into the bucket, beside those of others."""
    found = differences(place.present, place.wanted)
    own = {rule["ID"] for rule in place.wanted}
    others = [rule for rule in place.present if rule.get("ID") not in own]
    if not found:
        click.echo("The bucket has these rules already.")
        return
    for difference in found:
        click.echo(difference)
    click.echo(f"{len(others)} rules of others stay as they are.")
    if not yes:
        click.confirm("Apply?", abort=True)
    place.bucket.write(merged(place.present, place.wanted), place.rest)
    _verdict(differences(place.bucket.read()[0], place.wanted))


@lifecycle_command.command("verify")
@_on_a_bucket
def verify(place: Place) -> None:
    """Say how the bucket's rules differ from these; exit 1 if they do."""
    _verdict(differences(place.present, place.wanted))


def _verdict(found: list[str]) -> None:
    for difference in found:
        click.echo(difference)
    if not found:
        click.echo("The bucket keeps the promise.")
    sys.exit(1 if found else 0)
