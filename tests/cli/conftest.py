"""An S3 server (moto) on loopback, for commands that read and configure buckets."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import boto3
import pytest
from moto.server import ThreadedMotoServer


class Bucket(NamedTuple):
    """A fresh bucket of a server."""

    url: str
    name: str
    client: Any


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """Lend the address of the server."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_url: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """Lend a fresh bucket, and credentials for it in the environment."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    client = boto3.client("s3", endpoint_url=s3_url, region_name="us-east-1")
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[-50:].strip("-")
    client.create_bucket(Bucket=f"cli-{name}")
    return Bucket(s3_url, f"cli-{name}", client)
