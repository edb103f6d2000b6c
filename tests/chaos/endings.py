"""The ways in which processes begin and end, in plain Python, gunicorn and celery."""

from __future__ import annotations

import http.client
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final

from crmlogging.handlers.retention_file import RetentionFileHandler
from tests.chaos.ledger import Ledger
from tests.chaos.outcomes import Outcome, count, json_line
from tests.chaos.service import ENDINGS
from tests.chaos.torture import ended, process
from tests.ports import free_port

__all__ = ["celery", "endings", "gunicorn"]

_SECONDS: Final = 60
_ROOT: Final = Path(__file__).parents[2]
_CLIENTS: Final = 3
_HANDLERS: Final = {"direct": "RetentionFileHandler", "queued": "AsyncHandler"}


def _run(place: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start Python with `arguments`, its stderr in a file."""
    (place / "direct").mkdir(parents=True)
    (place / "queued").mkdir()
    Ledger(place / "ledger")
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "CHAOS_PLACE": str(place)}
    with (place / "errors").open("wb") as errors:
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", *arguments],
            cwd=_ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
        )


def _outcomes(
    scenario: str, place: Path, accepted: Collection[tuple[int, int]], **known: Any
) -> list[Outcome]:
    _start_again(place)
    return [
        count(Outcome(scenario, handler, **known), accepted, place / folder, parse=json_line)
        for folder, handler in _HANDLERS.items()
    ]


def _start_again(place: Path) -> None:
    """Let a next start finish what an `os._exit` cut short: an archive beside its source."""

    def start() -> None:
        for folder in _HANDLERS:
            RetentionFileHandler(place / folder / "crm.jsonl", max_bytes=30_000, levels=False)
        logging.shutdown()

    ended(process(start, seconds=_SECONDS), seconds=_SECONDS)


def endings(directory: Path, *, only: Collection[str] = tuple(ENDINGS)) -> list[Outcome]:
    """Run a service to each of its ends; what was accepted is there, whichever handler had it."""
    outcomes: list[Outcome] = []
    for number, name in enumerate(only):
        place = directory / f"ending{number}"
        running = _run(place, "-m", "tests.chaos.service", name, str(place))
        try:
            running.wait(_SECONDS)
            hung = 0
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
            hung = 1
        outcomes += _outcomes(name, place, Ledger(place / "ledger").accepted(), hung=hung)
    return outcomes


def gunicorn(directory: Path, *, seconds: float) -> list[Outcome]:
    """Serve requests with 2 workers; let workers go, gracefully and by a restart of all."""
    outcomes: list[Outcome] = []
    for preload in (False, True):
        place = directory / ("preloaded" if preload else "plain")
        port = free_port()
        running = _run(
            place,
            *("-m", "gunicorn", "--workers", "2", "--threads", "4", "--bind", f"127.0.0.1:{port}"),
            *("--graceful-timeout", "10", "--no-control-socket"),
            *(["--preload"] if preload else []),
            "tests.chaos.web:application()",
        )
        _wait_for(port)
        ledger = Ledger(place / "ledger")
        accepted, restarts = _load(running.pid, port, place, seconds)
        running.terminate()
        status = running.wait(_SECONDS)
        del ledger
        scenario = "gunicorn --preload" if preload else "gunicorn"
        note = f"{restarts} workers ended"
        outcomes += _outcomes(scenario, place, accepted, note=note, failed=status != 0)
    return outcomes


def _load(
    master: int, port: int, place: Path, seconds: float
) -> tuple[Collection[tuple[int, int]], int]:
    """Ask from several processes while workers end; return what was answered."""
    clients = [
        process(lambda slot=slot: _ask(port, place / f"client{slot}", slot, seconds), seconds=30)  # type: ignore[misc]  # a lambda's default has no type
        for slot in range(1, _CLIENTS + 1)
    ]
    deadline, restarts = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        time.sleep(seconds / 5)
        if restarts % 2:
            os.kill(master, signal.SIGHUP)
        elif workers := _children(master):
            os.kill(workers[0], signal.SIGTERM)
        restarts += 1
    for client in clients:
        ended(client, seconds=30)
    answered = [
        (slot, int(number))
        for slot in range(1, _CLIENTS + 1)
        for number in (place / f"client{slot}").read_text().split()
    ]
    return answered, restarts


def _ask(port: int, report: Path, slot: int, seconds: float) -> None:
    """Ask for one record after the other; a number whose answer did not come is not counted."""
    deadline, number = time.monotonic() + seconds, 0
    with report.open("w") as answered:
        while time.monotonic() < deadline:
            number += 1
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                connection.request("GET", f"/{slot}/{number}")
                if connection.getresponse().read() == b"ok":
                    answered.write(f"{number}\n")
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
            finally:
                connection.close()


def celery(directory: Path, *, tasks: int) -> list[Outcome]:
    """Have prefork workers run tasks, then end warmly."""
    place = directory / "celery"
    for folder in ("broker", "control", "done"):
        (place / folder).mkdir(parents=True)
    running = _run(
        place,
        *("-m", "celery", "-A", "tests.chaos.tasks:application", "worker", "--pool", "prefork"),
        *("--concurrency", "2", "--max-tasks-per-child", str(tasks // 5)),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    )
    send = (
        "from tests.chaos.tasks import log\n"
        f"for number in range(1, {tasks + 1}): log.delay(1, number)"
    )
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "CHAOS_PLACE": str(place)}
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", send], env=environment, timeout=_SECONDS, check=True
    )
    _until(lambda: len(os.listdir(place / "done")) >= tasks)
    running.terminate()
    running.wait(_SECONDS)
    done = [path.name.split("-") for path in (place / "done").iterdir()]
    accepted = [(int(slot), int(number)) for slot, number in done]
    return _outcomes("celery prefork", place, accepted)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)


def _wait_for(port: int) -> None:
    def open_() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    _until(open_)


def _children(pid: int) -> list[int]:
    listing = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(each) for each in listing.stdout.split()]
