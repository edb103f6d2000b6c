"""An S3 server (moto's) on loopback, and what is in a bucket of it."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import boto3
from moto.server import ThreadedMotoServer

__all__ = ["CREDENTIALS", "Server", "serving"]

CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def serving() -> Iterator[str]:
    """Run a server; give its address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class Server:
    """An S3 server and what is in its bucket, which is made."""

    def __init__(self, url: str, bucket: str) -> None:
        self.url = url
        self.bucket = bucket
        self.client = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self.client.create_bucket(Bucket=bucket)

    def bodies(self) -> dict[str, bytes]:
        """Return the bytes of each object by its key."""
        found = {}
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket):
            for each in page.get("Contents", []):
                answer = self.client.get_object(Bucket=self.bucket, Key=each["Key"])
                found[each["Key"]] = answer["Body"].read()
        return found

    def objects(self) -> dict[str, list[bytes]]:
        """Return the lines of each object by its key."""
        return {key: gzip.decompress(body).splitlines() for key, body in self.bodies().items()}

    def lines(self) -> list[bytes]:
        """Return the lines of all objects."""
        return [line for lines in self.objects().values() for line in lines]
