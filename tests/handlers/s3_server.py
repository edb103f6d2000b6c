"""A real S3 server (moto) and what is in its bucket, for tests of `S3Handler`."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3

from crmlogging import S3Handler
from crmlogging.records import SafeRecord

__all__ = ["Make", "Server", "safe", "spooled"]

Make = Callable[..., S3Handler]
"""Builds a handler for the server's bucket with bare messages as lines."""


def safe(message: str = "contact synced", level: int = logging.INFO, **fields: Any) -> SafeRecord:
    """Build a record as `AllowlistFilter` would leave it."""
    plain = logging.makeLogRecord(
        {"name": "crm.sync", "msg": message, "args": None, "levelno": level}
    )
    plain.levelname = logging.getLevelName(level)
    return SafeRecord({**vars(plain), **fields})


def spooled(tmp_path: Path) -> list[Path]:
    """Return the files in the spool of `make_s3`."""
    return [path for path in (tmp_path / "spool").rglob("*") if path.is_file()]


class Server:
    """An S3 server and what is in its bucket."""

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
