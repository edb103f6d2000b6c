"""S3Handler and AsyncHandler with a journal, under the same treatment as the files."""

from __future__ import annotations

import gzip
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from crmlogging.handlers.async_handler import AsyncHandler
from crmlogging.handlers.retention_file import RetentionFileHandler
from tests.chaos.contenders import Contender, Write, protected, service_logger, structured
from tests.chaos.outcomes import Outcome, compare, count, json_line
from tests.chaos.torture import ended, process, rage

__all__ = ["journal", "uploads"]

_BUCKET: Final = "chaos"
_DRAIN_SECONDS: Final = 60.0
_PICK_UP_SECONDS: Final = 30.0
_SERVER: Final = """
import logging, sys
from moto.server import ThreadedMotoServer
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


@contextmanager
def _server() -> Iterator[tuple[str, int]]:
    """Run an S3 server in a process of its own; lend its address and the process's id."""
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        assert running.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(running.stdout.readline())}", running.pid
        finally:
            running.kill()


def _client(url: str) -> Any:
    import boto3

    return boto3.client("s3", endpoint_url=url, region_name="us-east-1")


def _s3(url: str, **options: Any) -> Callable[[Path, int], Write]:
    from crmlogging.handlers.s3 import S3Handler

    def opened(directory: Path, size: int) -> Write:
        handler = S3Handler(
            _BUCKET,
            endpoint_url=url,
            region="us-east-1",
            spool_dir=directory / "spool",
            segment_bytes=size,
            segment_seconds=0.3,
            levels=False,
            **options,
        )
        return structured(service_logger(protected(handler)))

    return opened


def uploads(directory: Path, *, seconds: float) -> Outcome:
    """Kill workers that upload, with a blackout in the middle, and count what is in the bucket."""
    os.environ.update(
        AWS_ACCESS_KEY_ID="chaos", AWS_SECRET_ACCESS_KEY="chaos", AWS_EC2_METADATA_DISABLED="true"
    )
    with _server() as (url, server):
        client = _client(url)
        client.create_bucket(Bucket=_BUCKET)
        contender = Contender("S3Handler", _s3(url, close_seconds=1.0), json_line)
        blackout = process(lambda: _black_out(server, seconds), seconds=seconds + 5)
        ledger, outcome = rage(contender, directory, seconds=seconds)
        ended(blackout, seconds=5)
        drained = ended(
            process(lambda: _drain(url, directory / "logs"), seconds=_DRAIN_SECONDS),
            seconds=_DRAIN_SECONDS,
        )
        lines, objects = _in_bucket(client)
    left = [path for path in (directory / "logs").rglob("*") if path.is_file()]
    outcome = compare(outcome, ledger.accepted(), lines, parse=json_line)
    return replace(
        outcome,
        note=f"{outcome.note}, {objects} objects, {len(left)} files left in the spool",
        failed=outcome.failed or drained != 0 or bool(left),
    )


def _black_out(server: int, seconds: float) -> None:
    time.sleep(seconds / 3)
    os.kill(server, signal.SIGSTOP)
    time.sleep(seconds / 5)
    os.kill(server, signal.SIGCONT)


def _drain(url: str, logs: Path) -> None:
    """Start the service once more, which uploads what the dead ones left."""
    _s3(url, close_seconds=_DRAIN_SECONDS / 2)(logs, 10_000)(0, 0)
    (handler,) = logging.getLogger("chaos").handlers
    deadline = time.monotonic() + _DRAIN_SECONDS / 2
    while any(path.is_file() for path in logs.rglob("*")):
        assert time.monotonic() < deadline
        handler.flush(1.0)  # type: ignore[call-arg]  # S3Handler waits for delivery
        time.sleep(0.05)
    logging.shutdown()


def _in_bucket(client: Any) -> tuple[list[bytes], int]:
    lines: list[bytes] = []
    objects = 0
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=_BUCKET):
        for each in page.get("Contents", []):
            body = client.get_object(Bucket=_BUCKET, Key=each["Key"])["Body"].read()
            lines += gzip.decompress(body).splitlines()
            objects += 1
    return lines, objects


class _Slow(RetentionFileHandler):
    """A target behind which records wait."""

    def handle(self, record: logging.LogRecord) -> bool:
        time.sleep(0.0005)
        return super().handle(record)

    handle_batch: Any = None


def _journaled(directory: Path, size: int) -> Write:
    target = _Slow(directory / "crm.jsonl", max_bytes=size, levels=False)
    handler = AsyncHandler(
        handlers=[target], journal=str(directory.parent / "journal"), levels=False
    )
    return structured(service_logger(protected(handler)))


def journal(directory: Path, *, seconds: float) -> Outcome:
    """Kill workers whose records wait before a slow target: each arrives, at least once."""
    name = "AsyncHandler(journal=)"
    contender = Contender(name, _journaled, json_line)
    ledger, outcome = rage(contender, directory, seconds=seconds)
    logs = directory / "logs"
    status = ended(
        process(lambda: _pick_up(logs), seconds=2 * _PICK_UP_SECONDS),
        seconds=2 * _PICK_UP_SECONDS,
    )
    outcome = count(
        replace(outcome, repeats_allowed=True), ledger.accepted(), logs, parse=json_line
    )
    return replace(
        outcome,
        note=f"{outcome.note}; at least once is promised",
        failed=outcome.failed or status != 0,
    )


def _pick_up(logs: Path) -> None:
    """Start the service once more, which delivers what the dead ones left."""
    _journaled(logs, 1_000_000)(0, 0)
    journal = logs.parent / "journal"
    deadline = time.monotonic() + _PICK_UP_SECONDS
    (handler,) = logging.getLogger("chaos").handlers
    while len(list(journal.glob("*.segment"))) > 1 and time.monotonic() < deadline:
        handler.flush()
        time.sleep(0.05)
    logging.shutdown()
