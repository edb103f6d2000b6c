"""A service as its processes see it: one logger, a file, and another file behind a queue.

``python -m tests.chaos.service ENDING PLACE`` runs one until it ends that way. PLACE holds the
ledger and gets the folders ``direct`` and ``queued``.
"""

from __future__ import annotations

import logging
import logging.config
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.chaos.contenders import structured
from tests.chaos.ledger import Ledger

__all__ = ["ENDINGS", "configure", "work"]

RECORDS: Final = 300


def configure(place: Path) -> None:
    """Configure logging as a service does, by a document."""
    fields = ["chaos.slot", "chaos.number", {"chaos.words": "text"}]
    file = {"class": "crmlogging.RetentionFileHandler", "formatter": "json", "max_bytes": 30_000}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"allowlist": {"()": "crmlogging.AllowlistFilter", "fields": fields}},
            "formatters": {"json": {"()": "crmlogging.JsonFormatter"}},
            "handlers": {
                "direct": {
                    **file,
                    "filename": str(place / "direct" / "crm.jsonl"),
                    "filters": ["allowlist"],
                },
                "behind": {**file, "filename": str(place / "queued" / "crm.jsonl")},
                "queued": {
                    "()": "crmlogging.AsyncHandler",
                    "handlers": ["behind"],
                    "filters": ["allowlist"],
                },
            },
            "loggers": {
                "chaos": {"level": "INFO", "handlers": ["direct", "queued"], "propagate": False}
            },
        }
    )


def work(place: Path, slot: int, records: int = RECORDS, *, begin: int = 1) -> None:
    """Log records of one slot, and note that they were accepted."""
    write, ledger = structured(logging.getLogger("chaos")), Ledger(place / "ledger")
    for number in range(begin, begin + records):
        write(slot, number)
        ledger.accept(slot, number)


def child(place: str, slot: int, *, configured: bool = False) -> None:
    """Be a process that multiprocessing has started."""
    if not configured:
        configure(Path(place))
    work(Path(place), slot)


def _returns(place: Path) -> None:
    work(place, 1)


def _exits_while_threads_log(place: Path) -> None:
    threads = [threading.Thread(target=work, args=(place, slot)) for slot in range(1, 5)]
    for thread in threads:
        thread.start()
    sys.exit(3)


def _raises(place: Path) -> None:
    work(place, 1)
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115  # the interpreter writes there at its end
    raise RuntimeError


def _terminated(place: Path) -> None:
    """SIGTERM, as services handle it: by an exit."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
    work(place, 1, 1_000_000)


def _forks(place: Path) -> None:
    work(place, 1)
    children = []
    for slot in range(2, 6):
        pid = os.fork()
        if not pid:
            work(place, slot)
            sys.exit(0)
        children.append(pid)
    work(place, 1, begin=RECORDS + 1)
    for pid in children:
        os.waitpid(pid, 0)


def _starts(method: str) -> Callable[[Path], None]:
    def start(place: Path) -> None:
        context = multiprocessing.get_context(method)
        children = [
            context.Process(  # type: ignore[attr-defined]  # every context has one
                target=child, args=(str(place), slot), kwargs={"configured": method == "fork"}
            )
            for slot in range(2, 5)
        ]
        for each in children:
            each.start()
        work(place, 1)
        for each in children:
            each.join()

    return start


def _reconfigures(place: Path) -> None:
    """A second dictConfig in the middle of it, while threads log."""
    threads = [threading.Thread(target=work, args=(place, slot)) for slot in range(1, 4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        configure(place)
        time.sleep(0.02)


ENDINGS: Final[dict[str, Callable[[Path], None]]] = {
    "normal exit": _returns,
    "sys.exit while threads log": _exits_while_threads_log,
    "exception": _raises,
    "SIGTERM that exits": _terminated,
    "fork": _forks,
    "dictConfig again and again": _reconfigures,
    "multiprocessing fork": _starts("fork"),
    "multiprocessing spawn": _starts("spawn"),
    "multiprocessing forkserver": _starts("forkserver"),
}


if __name__ == "__main__":
    configure(Path(sys.argv[2]))
    ENDINGS[sys.argv[1]](Path(sys.argv[2]))
