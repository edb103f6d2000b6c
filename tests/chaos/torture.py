"""Processes that log from several threads, fork, and die at any moment, several times a second."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import random
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NoReturn

from tests.chaos.contenders import Contender, Write
from tests.chaos.ledger import Ledger
from tests.chaos.outcomes import Outcome, count

__all__ = ["ended", "process", "rage", "torture"]

PROCESSES: Final = 4
THREADS: Final = 4
FORKS: Final = 12
SIZES: Final = (16_384, 32_768, 65_536)
_FORK_SECONDS: Final = 20.0
_GRACE_SECONDS: Final = 40
# Fewer prove nothing: a busy machine gets more time for them, of which this is the most.
_LEAST_RECORDS: Final = 2_000
_LEAST_BETWEEN_KILLS: Final = 50
_LATE_SECONDS: Final = 20.0
_SIGNALS: Final = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)


def process(work: Callable[[], object], *, seconds: float, errors: Path | None = None) -> int:
    """Run `work` in a forked process that ends after `seconds` at the latest; return its id.

    Args:
        errors: file that takes what it and its children write to stderr.
    """
    seed = random.getrandbits(64)
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        random.seed(seed)
        if errors is not None:
            os.dup2(os.open(errors, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), 2)
        signal.alarm(int(seconds) + 1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        work()
        status = 0
    finally:
        os._exit(status)


def ended(pid: int, *, seconds: float) -> int | None:
    """Return how a process ended, killing it after `seconds`; None if that was necessary."""
    deadline = time.monotonic() + seconds
    pause = 0.001
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(pause)
        pause = min(pause * 2, 0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def torture(contender: Contender, directory: Path, *, seconds: float) -> Outcome:
    """Have 4 processes x 4 threads log for `seconds`, kill and replace them, count."""
    ledger, outcome = rage(contender, directory, seconds=seconds)
    logs = directory / "logs"
    _recover(contender, logs)
    return count(outcome, ledger.accepted(), logs, parse=contender.parse, modes=contender.modes)


def rage(
    contender: Contender, directory: Path, *, seconds: float, scenario: str = "killed and forked"
) -> tuple[Ledger, Outcome]:
    """Do only that; return what was accepted, and an outcome without its numbers."""
    logs = directory / "logs"
    logs.mkdir(parents=True)
    ledger = Ledger(directory / "ledger")
    size = random.choice(SIZES)
    longest = seconds + _LATE_SECONDS + 2 * _GRACE_SECONDS
    reading, writing = os.pipe()  # Whoever is born from here on holds it, and closes it by dying.
    service = process(
        lambda: _serve(contender, logs, ledger, size, seconds),
        seconds=longest,
        errors=directory / "errors",
    )
    os.close(writing)
    status = ended(service, seconds=longest + 2)
    # Children of the killed may still log: what they do so late, nobody would pick up.
    select.select([reading], [], [], _GRACE_SECONDS)
    os.close(reading)
    return ledger, Outcome(
        scenario,
        contender.name,
        hung=ledger.hangs(),
        note=f"{ledger.word} killed" + ("" if status == 0 else "; its parent hung"),
        failed=status != 0 or "Traceback" in (directory / "errors").read_text(),
    )


def _recover(contender: Contender, logs: Path) -> None:
    """Start the service once more, as a supervisor would: it mends what the dead have left."""

    def restart() -> None:
        write = contender.open(logs, SIZES[0])
        write(0, 0)
        logging.shutdown()

    if contender.modes:
        ended(process(restart, seconds=_GRACE_SECONDS), seconds=_GRACE_SECONDS)


def _serve(contender: Contender, logs: Path, ledger: Ledger, size: int, seconds: float) -> None:
    """Keep the workers alive, and kill them."""
    end_service = contender.prepare(logs, size)
    end = time.monotonic() + seconds
    last_end = end + _LATE_SECONDS
    workers: dict[int, int] = {}
    next_slot, killed = 1, 0
    while time.monotonic() < end or (
        ledger.number() < _LEAST_RECORDS and time.monotonic() < last_end
    ):
        before = ledger.number()
        while len(workers) < PROCESSES:
            slot, next_slot = next_slot, next_slot + THREADS + FORKS
            pid = process(
                lambda slot=slot: _work(contender, logs, ledger, size, slot),  # type: ignore[misc]  # a lambda's default has no type
                seconds=seconds + _LATE_SECONDS + _GRACE_SECONDS + 2,
            )
            workers[pid] = slot
        time.sleep(random.uniform(0.05, 0.25))
        while ledger.number() < before + _LEAST_BETWEEN_KILLS and time.monotonic() < last_end:
            time.sleep(0.01)
        victim = random.choice(list(workers))
        os.kill(victim, random.choice(_SIGNALS))
        killed += 1
        for pid in list(workers):
            if os.waitpid(pid, os.WNOHANG)[0]:
                del workers[pid]
    ledger.end()
    ledger.word = killed
    for pid, slot in workers.items():
        if ended(pid, seconds=_GRACE_SECONDS) is None:
            ledger.hung(slot)
    signal.alarm(_GRACE_SECONDS // 2)  # Some cannot end any more.
    end_service()


def _work(contender: Contender, logs: Path, ledger: Ledger, size: int, slot: int) -> None:
    write = contender.open(logs, size)
    children = iter(range(slot + THREADS, slot + THREADS + FORKS))
    threads = [
        threading.Thread(
            target=_log, args=(write, ledger, slot + each, children if not each else None)
        )
        for each in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    faulthandler.dump_traceback_later(_GRACE_SECONDS - 2)  # Where it hangs, if it does.
    logging.shutdown()


def _log(write: Write, ledger: Ledger, slot: int, children: Iterator[int] | None) -> None:
    number = 0
    while not ledger.over:
        number += 1
        write(slot, number)
        ledger.accept(slot, number)
        chance = random.random()
        if chance < 0.0005:
            os._exit(0)
        if children is not None and chance < 0.02:
            child = next(children, None)
            if child is not None:
                _fork(write, ledger, child)
        elif chance < 0.2:
            time.sleep(random.random() * 0.002)


def _fork(write: Write, ledger: Ledger, slot: int) -> None:
    """Fork while the other threads log; the child must log as well, and end."""
    pid = os.fork()
    if not pid:
        _live_as_child(write, ledger, slot)
    if ended(pid, seconds=_FORK_SECONDS) is None:
        ledger.hung(slot)


def _live_as_child(write: Write, ledger: Ledger, slot: int) -> NoReturn:
    with contextlib.suppress(BaseException):
        signal.alarm(int(_FORK_SECONDS) + 2)
        faulthandler.dump_traceback_later(_FORK_SECONDS - 2)
        for number in range(1, 6):
            write(slot, number)
            ledger.accept(slot, number)
        if random.random() < 0.3:
            os.kill(os.getpid(), signal.SIGKILL)
    os._exit(0)
