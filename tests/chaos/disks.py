"""Disks that are full or refuse, and files that others move away: the service goes on.

Here a call that returns may have dropped its record, and then must have said so: accepted is
what the handler's own account calls delivered, and exactly that must be found.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from crmlogging.handlers.retention_file import RetentionFileHandler
from crmlogging.scrubbing import prepare
from crmlogging.storage.locking import unlock, wait_lock
from tests.chaos.contenders import protected, service_logger, structured
from tests.chaos.ledger import Ledger
from tests.chaos.outcomes import Outcome, compare, count, json_line, lines_in
from tests.chaos.torture import ended, process

__all__ = ["disks", "removals"]

_SECONDS: Final = 60
_NOBODY: Final = 65_534
_NAME: Final = "RetentionFileHandler"


class _Service:
    """Logs numbered records, and asks the handler's account after each."""

    def __init__(self, logs: Path, **options: Any) -> None:
        self.handler = RetentionFileHandler(logs / "crm.jsonl", levels=False, **options)
        self._write = structured(service_logger(protected(self.handler)))
        self._number = 0
        self._delivered = 0
        self.accepted: list[int] = []

    def log(self, records: int) -> None:
        """Log so many records; remember those that were delivered."""
        for _ in range(records):
            self._number += 1
            self._write(1, self._number)
            delivered = self.handler.stats()["delivered"]
            # One more is the line that tells of a gap.
            if delivered > self._delivered:
                self.accepted.append(self._number)
            self._delivered = delivered

    def report(self, path: Path) -> None:
        """Write down what was accepted, and whether the account is right."""
        logging.shutdown()
        stats = self.handler.stats()
        dropped = sum(value for name, value in stats.items() if name.startswith("dropped."))
        # Lines that tell of a gap are counted as well, also those that came to nothing.
        told = stats["delivered"] - len(self.accepted)
        missing = self._number - len(self.accepted)
        right = missing <= dropped and bool(told) == bool(missing)
        path.write_text(json.dumps([self.accepted, missing, right]))


def _run(
    scenario: str, directory: Path, work: Callable[[Path], None], *, must_drop: bool
) -> Outcome:
    """Run `work` with the path for its report, and compare."""
    report = directory / "report"
    pid = process(lambda: work(report), seconds=_SECONDS, errors=directory / "errors")
    status = ended(pid, seconds=_SECONDS + 5)
    outcome = Outcome(scenario, _NAME, failed=True, note=f"ended with {status}")
    if status != 0:
        return outcome
    accepted, dropped, right = json.loads(report.read_text())
    places = [(1, number) for number in accepted]
    outcome = Outcome(
        scenario,
        _NAME,
        note=f"{dropped:,} dropped and told",
        failed=not right or bool(dropped) != must_drop,
    )
    return count(outcome, places, directory / "logs", parse=json_line, modes=True)


def disks(directory: Path) -> list[Outcome]:
    """Full in three ways, and read-only."""
    outcomes = []
    for scenario, work, must_drop in (
        ("file size limit reached, raised", _limited, True),
        ("directory nobody may write to", _sealed_directory, False),
    ):
        place = directory / scenario.split()[0]
        (place / "logs").mkdir(parents=True)
        outcomes.append(
            _run(scenario, place, lambda report, w=work: w(report), must_drop=must_drop)  # type: ignore[misc]  # a lambda's default has no type
        )
    with _small_disk(directory / "small") as mounted:
        if mounted is not None:
            outcomes.append(_full_disk(directory / "small"))
            outcomes.append(_read_only(directory / "small"))
    return outcomes


def _limited(report: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    service = _Service(report.parent / "logs", max_bytes=1_000_000)
    service.log(50)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    service.log(200)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    service.log(50)
    service.report(report)


def _sealed_directory(report: Path) -> None:
    """Nothing can be rotated: one file grows beyond its limit, nothing is lost."""
    logs = report.parent / "logs"
    report.touch()
    # Nobody may not be able to read the interpreter's own modules.
    prepare()
    import_module("crmlogging.storage.retention")
    if os.geteuid() == 0:
        for path in (logs, report):
            os.chown(path, _NOBODY, _NOBODY)
        for above in report.parents:
            if above.stat().st_uid == 0 and above.is_relative_to(report.parents[2]):
                above.chmod(0o755)
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    service = _Service(logs, max_bytes=5_000, compress=None)
    service.log(5)
    logs.chmod(0o500)
    service.log(100)
    logs.chmod(0o700)
    service.report(report)


@contextmanager
def _small_disk(place: Path) -> Iterator[Path | None]:
    """Mount 1 MB of memory at ``place/logs``, where that is allowed."""
    logs = place / "logs"
    logs.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(logs)]
    try:
        allowed = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    try:
        yield logs if allowed else None
    finally:
        if allowed:
            subprocess.run(["umount", str(logs)], check=True)


def _full_disk(place: Path) -> Outcome:
    def work(report: Path) -> None:
        logs = report.parent / "logs"
        ballast = logs / "ballast"
        service = _Service(logs, max_bytes=100_000)
        service.log(100)
        ballast.write_bytes(b"x" * 850_000)
        service.log(1_000)
        ballast.unlink()
        service.log(100)
        service.report(report)

    return _run("1 MB disk full, then room again", place, work, must_drop=True)


def _read_only(place: Path) -> Outcome:
    def remount(how: str) -> None:
        logs = str(place / "logs")
        subprocess.run(["mount", "-o", f"remount,{how}", logs], capture_output=True, check=False)

    def work(report: Path) -> None:
        service = _Service(report.parent / "logs", max_bytes=20_000)
        service.log(100)
        service.handler.close()
        remount("ro")
        service.log(100)
        remount("rw")
        service.log(100)
        service.report(report)

    for path in (place / "logs").iterdir():
        path.unlink()
    return _run("disk read-only, then writable again", place, work, must_drop=True)


def removals(directory: Path, *, records: int) -> list[Outcome]:
    """Others move the file, truncate a copied one, or remove the directory."""
    return [
        _removed("moved away by logrotate", directory / "moved", _move, records),
        _removed("copied and truncated", directory / "copied", _copy_and_truncate, records),
        _removed("directory moved away", directory / "directory", _move_directory, records),
    ]


def _removed(
    scenario: str, place: Path, remove: Callable[[Path, Path], None], records: int
) -> Outcome:
    """Have 4 processes log while somebody takes the file away again and again."""
    logs, elsewhere = place / "logs", place / "elsewhere"
    logs.mkdir(parents=True)
    elsewhere.mkdir()
    ledger = Ledger(place / "ledger")

    def work(slot: int) -> None:
        handler = RetentionFileHandler(logs / "crm.jsonl", levels=False)
        ready.put(slot)
        write = structured(service_logger(protected(handler)))
        for number in range(1, records + 1):
            write(slot, number)
            ledger.accept(slot, number)
        logging.shutdown()

    # A constructor that finds no directory says so; what is asked here comes after it.
    ready: Any = multiprocessing.get_context("fork").SimpleQueue()
    pids = [
        process(lambda slot=slot: work(slot), seconds=_SECONDS, errors=place / "errors")  # type: ignore[misc]  # a lambda's default has no type
        for slot in range(1, 5)
    ]
    for _ in pids:
        ready.get()
    failed, taken = False, 0
    while pids:
        done, status = os.waitpid(pids[0], os.WNOHANG)
        if done:
            pids.pop(0)
            failed |= status != 0
        if (logs / "crm.jsonl").exists():
            remove(logs / "crm.jsonl", elsewhere / f"{taken}")
            taken += 1
    files = [path for path in place.rglob("*") if path.is_file() and path.parent != place]
    lines, _ = lines_in(files)
    outcome = compare(
        Outcome(scenario, _NAME, failed=failed), ledger.accepted(), lines, parse=json_line
    )
    return replace(outcome, note=f"{taken} times")


def _move(file: Path, target: Path) -> None:
    file.rename(target)
    time.sleep(0.02)


def _move_directory(file: Path, target: Path) -> None:
    file.parent.rename(target)
    time.sleep(0.02)


def _copy_and_truncate(file: Path, target: Path) -> None:
    """As a careful program does it, under the lock; without it copying itself loses lines."""
    fd = os.open(file, os.O_RDWR)
    try:
        if wait_lock(fd, 5):
            target.write_bytes(file.read_bytes())
            os.ftruncate(fd, 0)
            unlock(fd)
    finally:
        os.close(fd)
    time.sleep(0.02)
