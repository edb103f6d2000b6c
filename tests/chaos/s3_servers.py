"""Two S3 servers that others wrote, as processes on loopback: moto's, and ``rclone serve s3``."""

from __future__ import annotations

import gzip
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import boto3

from tests.ports import free_port

__all__ = ["CREDENTIALS", "SERVERS", "contents", "new_bucket", "unfinished"]

CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test-secret",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_REGION": "us-east-1",
}
_START_SECONDS: Final = 60.0
_MOTO: Final = """
import logging, sys, threading
from moto.server import ThreadedMotoServer
logging.getLogger("werkzeug").setLevel(logging.ERROR)
ThreadedMotoServer("127.0.0.1", int(sys.argv[1]), verbose=False).start()
threading.Event().wait()
"""


@contextmanager
def _process(command: list[str], port: int) -> Iterator[tuple[str, int]]:
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ}
    ) as process:
        try:
            _wait_for(port, process)
            yield "127.0.0.1", port
        finally:
            process.kill()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{process.args!r} does not serve") from None
            time.sleep(0.02)
        else:
            return


@contextmanager
def _moto(_directory: Path) -> Iterator[tuple[str, int]]:
    port = free_port()
    with _process([sys.executable, "-W", "ignore", "-c", _MOTO, str(port)], port) as address:
        yield address


@contextmanager
def _rclone(directory: Path) -> Iterator[tuple[str, int]]:
    port = free_port()
    own = Path(sys.executable).parent / "rclone"
    program = str(own) if own.exists() else shutil.which("rclone")
    if program is None:
        raise RuntimeError('pip install "crmlogging[test]" brings rclone')
    store = directory / "rclone"
    store.mkdir()
    keys = f"{CREDENTIALS['AWS_ACCESS_KEY_ID']},{CREDENTIALS['AWS_SECRET_ACCESS_KEY']}"
    options = ["--addr", f"127.0.0.1:{port}", "--auth-key", keys, "--config", os.devnull]
    with _process([program, "serve", "s3", str(store), *options], port) as address:
        yield address


Serve = Callable[[Path], Any]
SERVERS: Final[Mapping[str, Serve]] = {"moto": _moto, "rclone": _rclone}
"""Name to a context manager that gets an empty directory and gives host and port."""


def new_bucket(address: tuple[str, int], name: str) -> Any:
    """Make a bucket, and return a client that goes to the server directly."""
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{address[0]}:{address[1]}",
        region_name="us-east-1",
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    client.create_bucket(Bucket=name)
    return client


def contents(client: Any, bucket: str) -> Iterator[tuple[str, list[bytes]]]:
    """Yield key and lines of each object; one that is no whole gzip raises."""
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for each in page.get("Contents", []):
            body = client.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
            yield each["Key"], gzip.decompress(body).splitlines()


def unfinished(client: Any, bucket: str) -> dict[str, int]:
    """Return the keys of the uploads in parts that never ended, with how many parts each has."""
    found: dict[str, int] = {}
    try:
        answer = client.list_multipart_uploads(Bucket=bucket)
    except client.exceptions.NoSuchUpload:  # as rclone says that there never was one
        return found
    for each in answer.get("Uploads", []):
        target = {"Bucket": bucket, "Key": each["Key"], "UploadId": each["UploadId"]}
        stored = len(client.list_parts(**target).get("Parts", []))
        found[each["Key"]] = found.get(each["Key"], 0) + stored
    return found
