"""The demo's object storage: an S3 server on loopback, or one that the person names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from crmlogging.cli.environment import environment
from crmlogging.exceptions import require

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

__all__ = ["BUCKET", "ObjectStore", "StoreError", "copy_objects", "object_store", "why_no_store"]

BUCKET: Final = "crmlogging-demo"
REGION: Final = "us-east-1"

# Never a person's real keys: these go to a server that lives in this process.
_OWN_SERVER: Final[dict[str, str | None]] = {
    "AWS_ACCESS_KEY_ID": "demo",
    "AWS_SECRET_ACCESS_KEY": "demo",
    "AWS_SESSION_TOKEN": None,
    "AWS_PROFILE": None,
    "AWS_EC2_METADATA_DISABLED": "true",
}


class StoreError(Exception):
    """The object storage cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """A bucket that the demo may write to.

    Attributes:
        endpoint: URL of the server.
        prefix: the run's own, so that a bucket in use stays readable.
        own: the server belongs to the demo and ends with it.
    """

    endpoint: str
    prefix: str
    own: bool

    def objects(self) -> Iterator[tuple[str, bytes]]:
        """Yield key and contents of each of the run's objects; raises StoreError."""
        from botocore.exceptions import BotoCoreError, ClientError

        client = _client(self.endpoint)
        lister = client.get_paginator("list_objects_v2")
        try:
            for page in lister.paginate(Bucket=BUCKET, Prefix=self.prefix):
                for entry in page.get("Contents", []):
                    key = entry["Key"]
                    yield key, client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        except (BotoCoreError, ClientError) as error:
            raise StoreError(f"{self.endpoint} does not answer ({type(error).__name__})") from error

    @property
    def place(self) -> str:
        """Bucket and prefix as an ``s3://`` URL."""
        return f"s3://{BUCKET}/{self.prefix}"


def copy_objects(objects: Mapping[str, bytes], folder: Path) -> None:
    """Write `objects` below `folder`, under their keys."""
    for key, contents in objects.items():
        # A server may answer what it likes; nothing is written outside of the folder.
        parts = [part for part in key.split("/") if part not in ("", ".", "..")]
        target = folder.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(contents)


def why_no_store(endpoint: str | None) -> str | None:
    """Return what is missing for S3, as a sentence; None when nothing is."""
    if find_spec("boto3") is None:
        return 'S3 is left out: it needs boto3 (pip install "crmlogging[s3]").'
    if endpoint is None and find_spec("moto") is None:
        return (
            "S3 is left out: it needs a server. Install moto "
            '(pip install "crmlogging[test]") or name one with --s3-endpoint.'
        )
    return None


@contextmanager
def object_store(endpoint: str | None) -> Iterator[ObjectStore]:
    """Lend the store at `endpoint`, or a server of our own; the bucket is made if need be.

    Raises:
        StoreError: the endpoint does not answer, or refuses.
        MissingDependencyError: boto3 is not installed, or moto where it is needed.
    """
    if endpoint is not None:
        _make_bucket(endpoint)
        # Own objects only: the bucket may hold those of earlier runs.
        yield ObjectStore(endpoint, f"crm/{os.urandom(4).hex()}", own=False)
        return
    require("moto", extra="test", purpose="the demo's S3 server")
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with environment(_OWN_SERVER):
        server.start()
        try:
            host, port = server.get_host_and_port()
            own = ObjectStore(f"http://{host}:{port}", "crm", own=True)
            _make_bucket(own.endpoint)
            yield own
        finally:
            server.stop()


def _make_bucket(endpoint: str) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    client = _client(endpoint)
    try:
        client.create_bucket(Bucket=BUCKET)
    except (client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
        pass
    except (BotoCoreError, ClientError) as error:
        raise StoreError(f"no bucket can be made at {endpoint} ({type(error).__name__})") from error


def _client(endpoint: str) -> S3Client:
    boto3 = require("boto3", extra="s3", purpose="the demo's S3 objects")
    from botocore.config import Config

    config = Config(
        connect_timeout=5,
        read_timeout=20,
        retries={"total_max_attempts": 2},
        s3={"addressing_style": "path"},
        proxies={} if endpoint.startswith("http://127.0.0.1:") else None,
    )
    client = boto3.client("s3", endpoint_url=endpoint, region_name=REGION, config=config)
    return cast("S3Client", client)
