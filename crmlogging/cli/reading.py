"""What commands that read archives have in common: SOURCE..., keys, and the way to a bucket."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from crmlogging.cli.sealing import asked_passphrase, usage_errors
from crmlogging.crypto.keys import PrivateKeys
from crmlogging.storage.s3_client import new_client

__all__ = ["Client", "reads_sources"]

Client = Callable[[], Any]
"""Makes the client for buckets, once, when the first one is read."""


def reads_sources(
    command: Callable[[tuple[str, ...], PrivateKeys, Client], None],
) -> Callable[..., None]:
    """Give `command` its arguments: the places to read, the keys to them, and a client."""

    @click.option(
        "--key",
        "paths",
        multiple=True,
        type=click.Path(exists=True),
        help="A private key's PEM file, or a folder of such; may be repeated.",
    )
    @click.option("--endpoint-url", help="Of an S3 server other than AWS.")
    @click.option("--region", help="Of the bucket, if not the environment's.")
    @click.argument("places", nargs=-1, required=True, metavar="SOURCE...")
    @functools.wraps(command)
    def run(
        paths: tuple[str, ...],
        endpoint_url: str | None,
        region: str | None,
        places: tuple[str, ...],
    ) -> None:
        @functools.cache
        def client() -> Any:
            return new_client(endpoint_url, region=region, purpose="reading from S3", attempts=5)

        with usage_errors():
            keys = PrivateKeys(paths, passphrase=asked_passphrase)
        command(places, keys, client)

    return run
