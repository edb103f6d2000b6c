"""A process that logs and is killed: ``python -m tests.chaos.s3_writer JSON``.

It acknowledges each record in a file once the logging call has returned: thread, number,
microseconds that the call took, and what the acknowledgement before took, a plain write: where
the machine is busy, that is slow at times as well.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import os
import random
import sys
import threading
import time
import uuid
from typing import Any

import boto3

from crmlogging import S3Handler
from crmlogging.handlers.s3_options import require_boto3
from crmlogging.records import SafeRecord
from crmlogging.storage.s3_client import new_client

__all__ = ["MemoryBatchHandler", "line", "main"]

_CALL_SECONDS = 2.0


class MemoryBatchHandler(logging.Handler):
    """What many write themselves: a list, a thread, an upload every so often, boto's retries."""

    def __init__(self, bucket: str, url: str, seconds: float) -> None:
        super().__init__()
        self._bucket = bucket
        self._client = boto3.client("s3", endpoint_url=url)
        self._lines: list[str] = []
        self._seconds = seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record) + "\n")

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            self._upload()

    def _upload(self) -> None:
        lines, self._lines = self._lines, []
        if not lines:
            return
        import gzip

        body = io.BytesIO(gzip.compress("".join(lines).encode()))
        try:
            self._client.put_object(Bucket=self._bucket, Key=f"{uuid.uuid4()}.gz", Body=body)
        except Exception:
            pass

    def close(self) -> None:
        self._stopped.set()
        self._thread.join(10)
        self._upload()
        super().close()


def line(name: str, thread: int, number: int, noise: int) -> str:
    """Return what a record says; with `noise`, that many bytes that compression does not shrink."""
    start = f"{name} {thread} {number}"
    if noise:
        return f"{start} {base64.b64encode(random.Random(start).randbytes(noise)).decode()}"
    return f"{start} {'x' * (number % 400)}"


def _handler(given: dict[str, Any]) -> logging.Handler:
    if given["kind"] == "memory":
        return MemoryBatchHandler(given["bucket"], given["url"], 0.2)
    require_boto3()  # as the handler does where it is given no client
    return S3Handler(
        given["bucket"],
        prefix="crm",
        endpoint_url=given["url"],
        spool_dir=given["spool"],
        segment_seconds=given["segment_seconds"],
        segment_bytes=given["segment_bytes"],
        close_seconds=given["close_seconds"],
        levels=False,
        client=lambda: new_client(given["url"], seconds=_CALL_SECONDS),
    )


def _work(handler: logging.Handler, given: dict[str, Any], thread: int) -> None:
    plain = vars(logging.makeLogRecord({"levelno": 20, "levelname": "INFO", "args": None}))
    path = f"{given['acks']}/{given['name']}-{thread}"
    ack = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    before = 0.0
    for number in range(given["count"]):
        text = line(given["name"], thread, number, given["noise"])
        record = SafeRecord({**plain, "created": time.time(), "msg": text})
        began = time.perf_counter()
        handler.handle(record)
        ended = time.perf_counter()
        os.write(ack, b"%d %d %d %d\n" % (thread, number, (ended - began) * 1e6, before * 1e6))
        before = time.perf_counter() - ended
        time.sleep(given["pause"])
    os.close(ack)


def main(given: dict[str, Any]) -> None:
    """Log from several threads, then end as programs do."""
    handler = _handler(given)
    handler.setFormatter(logging.Formatter("%(message)s"))
    threads = [
        threading.Thread(target=_work, args=(handler, given, number))
        for number in range(given["threads"])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
