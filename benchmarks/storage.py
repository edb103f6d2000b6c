"""Spool and S3 beside the same work written by hand: ``python -m benchmarks.storage``.

    append     a line to the spool            beside   encoding it and `os.write`
    deliver    seal, compress and upload      beside   isal, hashlib and boto3
    sustain    records a second on one core, with delivery going on
    memory     growth of a process that logs 200 MB while nobody takes them
    size       objects of the archive         beside   one gzip stream of the same lines

In each round both sides work; what counts is the median of the rounds' ratios. The server is a
process on loopback that keeps in memory what it gets: a real one would be the slower half of
every figure. What arrived is read back before a figure counts.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.storage_records import NOW, bare, lines_of, records_of_a_sync
from benchmarks.storage_server import server
from crmlogging import AsyncHandler, JsonFormatter, S3Handler
from crmlogging.records import SafeRecord
from crmlogging.storage.compression import new_compressor
from crmlogging.storage.s3_client import new_client
from crmlogging.storage.segment_writer import SegmentWriter

__all__ = ["report"]

_MEGABYTE: Final = 1_000_000
_BATCH: Final = 64
_NOBODY: Final = "http://127.0.0.1:9"
_MODES: Final = {
    "emit": "by one call each",
    "batches": f"in batches of {_BATCH}",
    "queue": "through AsyncHandler",
}
Figures = dict[str, float]


def _handler(url: str, directory: str, **options: Any) -> S3Handler:
    given = {"segment_bytes": 10**9, "segment_seconds": 10**6, "clock": lambda: NOW}
    more = {"levels": False, "spool_bytes": 10**10, "region": "us-east-1"}
    merged: dict[str, Any] = {**given, **more, **options}
    return S3Handler("logs", endpoint_url=url, spool_dir=directory, **merged)


def _end(handler: S3Handler) -> None:
    """Close a handler, and wait until its thread has left the spool, which is deleted next."""
    handler.close(timeout=0.01)
    for thread in threading.enumerate():
        if thread.name == "crmlogging-s3":
            thread.join(60)


def _in_batches(handler: S3Handler, records: list[SafeRecord]) -> None:
    for start in range(0, len(records), _BATCH):
        handler.handle_batch(records[start : start + _BATCH])


def _rounds(
    contenders: Mapping[str, Callable[[], object]], rounds: int, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """Let all take turns, backwards in every second round; return what each took."""
    took: dict[str, list[float]] = {name: [] for name in contenders}
    for each in contenders.values():
        each()
    for number in range(rounds):
        for name in list(contenders)[:: -1 if number % 2 else 1]:
            began = clock()
            contenders[name]()
            took[name].append(clock() - began)
    return took


def _ratio(took: Mapping[str, list[float]], name: str, unit: str) -> float:
    return statistics.median(a / b for a, b in zip(took[name], took[unit], strict=True))


def appends(rounds: int = 21, count: int = 3_000) -> Figures:
    """CPU of an append to the spool, as a multiple of encoding and writing the same lines."""
    records = records_of_a_sync(count)
    formatter = JsonFormatter(service="crm-sync", environment="production")
    with tempfile.TemporaryDirectory() as directory:
        plain = os.open(f"{directory}/plain", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        writer = SegmentWriter(f"{directory}/own", "own", max_bytes=10**9, max_records=10**9)
        handler = _handler(_NOBODY, directory)
        handler.setFormatter(formatter)

        def write() -> None:
            for record in records:
                os.write(plain, b"%b\n" % formatter.format_bytes(record))

        def append() -> None:
            for record in records:
                writer.append(b"%b\n" % formatter.format_bytes(record), 1, record.created)

        def emit() -> None:
            for record in records:
                handler.emit(record)

        took = _rounds(
            {
                "os.write": write,
                "SegmentWriter.append": append,
                "S3Handler.emit": emit,
                "S3Handler.handle_batch, 64 each": lambda: _in_batches(handler, records),
            },
            rounds,
            time.process_time,
        )
        _end(handler)
        writer.seal()
        os.close(plain)
    return {name: _ratio(took, name, "os.write") for name in took}


def deliveries(rounds: int = 5, megabytes: float = 50) -> Figures:
    """Sealing, compressing and uploading, beside the same by hand, whose speed and size are 1.

    The lines were appended in batches, and one by one: then each has a header to be taken off.
    """
    _sign()
    lines = list(lines_of(megabytes))
    plain, records = b"".join(lines), bare(lines)
    speeds: dict[str, list[float]] = {"batches": [], "emit": []}
    sizes: list[float] = []
    with server() as url, tempfile.TemporaryDirectory() as directory:
        client = new_client(url, region="us-east-1")
        handler = _handler(url, directory, client=lambda: client)
        handler.setFormatter(logging.Formatter("%(message)s"))
        path = Path(directory, "by-hand.jsonl")

        def timed(work: Callable[[], object]) -> tuple[float, int]:
            began = time.perf_counter()
            work()
            return time.perf_counter() - began, _arrived(url, plain)

        for number in range(rounds + 1):
            for mode, found in speeds.items():
                _log(handler, mode, records)
                path.write_bytes(plain)
                # One right after the other, and each first in turn: machines have moods.
                sides = [lambda: handler.drain(60), lambda: _upload(client, path)]
                order = (0, 1) if number % 2 else (1, 0)
                took = {side: timed(sides[side]) for side in order}
                found.append(took[1][0] / took[0][0])
                sizes.append(took[0][1] / took[1][1])
        _end(handler)
    medians = {mode: statistics.median(found[1:]) for mode, found in speeds.items()}
    return {**medians, "size": statistics.median(sizes)}


def _log(handler: S3Handler | AsyncHandler, mode: str, records: list[SafeRecord]) -> None:
    if mode == "batches" and isinstance(handler, S3Handler):
        _in_batches(handler, records)
    else:
        for record in records:
            handler.handle(record)


def _upload(client: Any, path: Path) -> None:
    """What one writes by hand: compress the file, upload it with its checksum, delete it."""
    compressor = new_compressor()
    body = compressor.compress(path.read_bytes()) + compressor.flush()
    checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
    client.put_object(Bucket="logs", Key="by-hand.jsonl.gz", Body=body, ChecksumSHA256=checksum)
    path.unlink()


def _arrived(url: str, plain: bytes) -> int:
    """Return the size of the objects on the server, which forgets them; all lines have to be there.

    They hold the lines of `plain` any number of times, in order.
    """
    with urllib.request.urlopen(f"{url}/arrived") as answer:
        found = json.load(answer)
    if found["sha256"] != hashlib.sha256(plain).hexdigest():
        raise SystemExit("what arrived is not what was sent")
    return int(found["bytes"])


def sustained(seconds: float = 3.0) -> Figures:
    """Records a second of a process on one core, until the last one is delivered."""
    figures = {}
    for mode in ("emit", "batches", "queue"):
        with server() as url:
            figures[mode] = _child("--sustain", mode, str(seconds), url)["rate"]
    return figures


def _sustain(mode: str, seconds: float, url: str) -> Figures:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    records = records_of_a_sync(5_000)
    with tempfile.TemporaryDirectory() as directory:
        handler = _handler(url, directory, segment_bytes=16_000_000, segment_seconds=1.0)
        handler.setFormatter(JsonFormatter(service="crm-sync", environment="production"))
        queue = AsyncHandler(handlers=[handler], block_seconds=3_000, flush_seconds=60.0)
        handler.handle(records[0])
        handler.drain(30)
        began, used, count = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() < began + seconds:
            _log(queue if mode == "queue" else handler, mode, records)
            count += len(records)
        queue.close()
        if not handler.drain(60) or handler.stats()["delivered"] != count + 1:
            raise SystemExit(f"{mode}: not all {count} records were delivered")
        # Others may use the core as well; what they take is not ours.
        rate = count / (time.process_time() - used)
    return {"rate": rate}


def memory(megabytes: float = 200) -> Figures:
    """Megabytes that a process grows by while the server is away and all that it logs waits."""
    return _child("--remember", str(megabytes))


def _remember(megabytes: float) -> Figures:
    with tempfile.TemporaryDirectory() as directory:
        handler = _handler(_NOBODY, directory, segment_bytes=16_000_000, clock=time.time)
        handler.setFormatter(logging.Formatter("%(message)s"))
        records = bare(list(lines_of(1)))
        before = most = _resident()
        for _ in range(int(megabytes)):
            for record in records:
                handler.handle(record)
            most = max(most, _resident())
        handler.drain(1.0)
        most = max(most, _resident())
        waiting = handler.stats()["pending"]
        _end(handler)
    if waiting != len(records) * int(megabytes):
        raise SystemExit(f"only {waiting} records wait")
    return {"growth_mb": (most - before) / _MEGABYTE}


def _resident() -> int:
    """Return the memory of this process, in bytes; Linux only."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def _sign() -> None:
    """Have credentials, of which the server on loopback knows nothing."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        os.environ.setdefault(name, "benchmark")


def _child(*arguments: str) -> Figures:
    """Run this module with `arguments`, and return what it prints."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.storage", *arguments]
    found: Figures = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return found


def report() -> dict[str, Figures]:
    """Measure everything, print tables, and return the figures."""
    _sign()
    found = {
        "append": appends(),
        "deliver": deliveries(),
        "sustain": sustained(),
        "memory": memory(),
    }
    print("\n## Spool and S3\n")
    print("| an append to the spool | x encoding + `os.write` | target |\n|---|---|---|")
    for name, ratio in found["append"].items():
        print(f"| {name} | {ratio:.2f} | {'1.00' if name == 'os.write' else '<= 1.50'} |")
    print("\n| | measured | target |\n|---|---|---|")
    deliver, sustain = found["deliver"], found["sustain"]
    for mode in ("batches", "emit"):
        what = f"seal, compress, upload 50 MB logged {_MODES[mode]}"
        print(f"| {what} | {deliver[mode]:.0%} of by hand | >= 80% |")
    print(f"| size of the object | {deliver['size']:.3f} of one gzip stream | <= 1.1 |")
    for mode, rate in sustain.items():
        print(f"| records a second on one core, {_MODES[mode]} | {rate:,.0f} | >= 50,000 |")
    print(f"| growth while S3 is away | {found['memory']['growth_mb']:.1f} MB | <= 30 MB |")
    return found


def main(arguments: list[str]) -> None:
    """Be a process that is measured, or the server; else report."""
    match arguments:
        case ["--sustain", mode, seconds, url]:
            print(json.dumps(_sustain(mode, float(seconds), url)))
        case ["--remember", megabytes]:
            print(json.dumps(_remember(float(megabytes))))
        case _:
            report()


if __name__ == "__main__":
    main(sys.argv[1:])
