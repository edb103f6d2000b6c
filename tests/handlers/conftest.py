"""Handlers for a bucket of an S3 server on loopback, and a stand-in for `os.fsync`."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crmlogging import S3Handler
from tests.handlers.s3_spooling import Make
from tests.s3_server import Server


@pytest.fixture
def make_away(tmp_path: Path) -> Iterator[Make]:
    """Build a handler with bare messages as lines, whose server is away; closed afterwards."""
    made: list[S3Handler] = []

    def build(bucket: str = "logs", **options: Any) -> S3Handler:
        given: dict[str, Any] = {
            "endpoint_url": "http://127.0.0.1:9",
            "spool_dir": tmp_path / "spool",
            "levels": False,
        }
        handler = S3Handler(bucket, **{**given, **options})
        handler.setFormatter(logging.Formatter("%(message)s"))
        made.append(handler)
        return handler

    yield build
    for handler in made:
        handler.close(timeout=0.01)


@pytest.fixture
def make_s3(server: Server, make_away: Make) -> Make:
    """Build the same for the bucket of `server`, whose credentials outlive it."""

    def build(**options: Any) -> S3Handler:
        given = {"prefix": "crm", "endpoint_url": server.url}
        return make_away(server.bucket, **{**given, **options})

    return build


@pytest.fixture
def fsync_here(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], object]], None]:
    """Put a stand-in before `os.fsync` for this thread; what works beside it really syncs."""
    here, fsync = threading.get_ident(), os.fsync

    def replace(stand_in: Callable[[int], object]) -> None:
        def seen(descriptor: int) -> None:
            (stand_in if threading.get_ident() == here else fsync)(descriptor)

        monkeypatch.setattr(os, "fsync", seen)

    return replace
