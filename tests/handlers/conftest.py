"""An S3 server on loopback, lent with a fresh bucket to each test that asks for it."""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from crmlogging import S3Handler
from tests.handlers.s3_server import Make, Server


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """Lend the address of the server."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def server(moto: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Lend a fresh bucket, and credentials for it."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[-50:].strip("-")
    found = Server(moto, f"logs-{name}")
    found.client.create_bucket(Bucket=found.bucket)
    return found


@pytest.fixture
def make_s3(tmp_path: Path, server: Server) -> Iterator[Make]:
    """Build a handler for the server's bucket with bare messages as lines; closed afterwards."""
    made: list[S3Handler] = []

    def build(**options: Any) -> S3Handler:
        given: dict[str, Any] = {
            "prefix": "crm",
            "endpoint_url": server.url,
            "spool_dir": tmp_path / "spool",
            "levels": False,
        }
        handler = S3Handler(server.bucket, **{**given, **options})
        handler.setFormatter(logging.Formatter("%(message)s"))
        made.append(handler)
        return handler

    yield build
    for handler in made:
        handler.close(timeout=0.01)


@pytest.fixture
def fsync_here(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], object]], None]:
    """Put a stand-in before `os.fsync` for this thread; what works beside it really syncs."""
    here, fsync = threading.get_ident(), os.fsync

    def replace(stand_in: Callable[[int], object]) -> None:
        def seen(descriptor: int) -> None:
            (stand_in if threading.get_ident() == here else fsync)(descriptor)

        monkeypatch.setattr(os, "fsync", seen)

    return replace
