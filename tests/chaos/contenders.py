"""The handlers that are put to the test: ours, its peers, and some that are broken on purpose.

Peers are set up as their own documentation shows for several processes that share a file:
concurrent-log-handler's readme ("Simple Example", ``use_gzip``); loguru, ``logger.add`` with
``enqueue=True`` ("multiprocess-safe"), set up in the parent. The standard RotatingFileHandler is
no candidate by its own documentation, and what most services use all the same.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from crmlogging.filters.allowlist import AllowlistFilter
from crmlogging.formatters.json_formatter import JsonFormatter
from crmlogging.handlers.retention_file import RetentionFileHandler
from tests.chaos.outcomes import Parse, json_line, plain_line

__all__ = ["BROKEN", "OURS", "PEERS", "Contender", "Write", "protected", "service_logger"]

Write = Callable[[int, int], None]
"""Log record NUMBER of SLOT."""

_WORDS: Final = "contact lead deal owner quota retry token webhook company ticket".split()
_FILES: Final = 1_000
LOGGER: Final = "chaos"


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to log.

    Attributes:
        name: as the table shows it.
        prepare: called in the process that will fork the workers; answers what ends it.
        open: called in each worker with the directory and the size of a file.
        parse: reads its lines.
        modes: whether it promises files for nobody else's eyes.
    """

    name: str
    open: Callable[[Path, int], Write]
    parse: Parse = plain_line
    prepare: Callable[[Path, int], Callable[[], None]] = lambda _path, _size: lambda: None
    modes: bool = False


def padding() -> str:
    """Return some words, 0 to about 300 characters."""
    return "".join(random.choices(_WORDS, k=random.randrange(50)))


def service_logger(*handlers: logging.Handler) -> logging.Logger:
    """Return a logger that has just these handlers."""
    logger = logging.getLogger(LOGGER)
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    logger.handlers[:] = handlers
    return logger


def protected(handler: logging.Handler) -> logging.Handler:
    """Give a handler of ours the filter and the formatter that services give it."""
    handler.addFilter(AllowlistFilter(["chaos.slot", "chaos.number", {"chaos.words": "text"}]))
    if not isinstance(handler, logging.handlers.QueueHandler):
        handler.setFormatter(JsonFormatter())
    return handler


def structured(logger: logging.Logger) -> Write:
    """Return how a service logs a record with fields."""

    def write(slot: int, number: int) -> None:
        fields = {"chaos.slot": slot, "chaos.number": number, "chaos.words": padding()}
        logger.info("Synced a contact", extra=fields)

    return write


def plain(handler: logging.Handler) -> Write:
    """Return how a peer gets the same record as text."""
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = service_logger(handler)

    def write(slot: int, number: int) -> None:
        logger.info("<%d %d %s >", slot, number, padding())

    return write


def retention_file(directory: Path, size: int, **options: Any) -> Write:
    """Ours."""
    handler = RetentionFileHandler(directory / "crm.jsonl", max_bytes=size, levels=False, **options)
    return structured(service_logger(protected(handler)))


def rotating_file(directory: Path, size: int) -> Write:
    """The standard library's."""
    return plain(
        logging.handlers.RotatingFileHandler(
            directory / "crm.log", maxBytes=size, backupCount=_FILES
        )
    )


def concurrent(directory: Path, size: int) -> Write:
    """concurrent-log-handler's."""
    from concurrent_log_handler import ConcurrentRotatingFileHandler

    return plain(
        ConcurrentRotatingFileHandler(
            str(directory / "crm.log"), "a", size, backupCount=_FILES, use_gzip=True
        )
    )


def prepare_loguru(directory: Path, size: int) -> Callable[[], None]:
    """loguru's queue and its thread live in the parent; children put into the queue."""
    from loguru import logger

    logger.remove()
    logger.add(
        directory / "crm.log",
        format="{message}",
        rotation=size,
        compression="gz",
        enqueue=True,
    )
    return logger.remove


def loguru(_directory: Path, _size: int) -> Write:
    """What a child does then."""
    from loguru import logger

    def write(slot: int, number: int) -> None:
        logger.info("<{} {} {} >", slot, number, padding())

    return write


class _Losing(RetentionFileHandler):
    """Leaves out a line now and then."""

    def _store(self, tier: str, lines: bytes, count: int, level: int, when: float) -> None:
        if random.random() > 0.01:
            super()._store(tier, lines, count, level, when)


class _Repeating(RetentionFileHandler):
    """Writes a line twice now and then."""

    def _store(self, tier: str, lines: bytes, count: int, level: int, when: float) -> None:
        super()._store(tier, lines, count, level, when)
        if random.random() < 0.01:
            super()._store(tier, lines, count, level, when)


class _Tearing(logging.Handler):
    """Writes a line in two halves, with nothing to keep others out."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def emit(self, record: logging.LogRecord) -> None:
        line = f"{self.format(record)}\n".encode()
        os.write(self._fd, line[:20])
        os.write(self._fd, line[20:])


def _broken(kind: type[RetentionFileHandler]) -> Callable[[Path, int], Write]:
    def open_(directory: Path, size: int) -> Write:
        handler = kind(directory / "crm.jsonl", max_bytes=size, levels=False)
        return structured(service_logger(protected(handler)))

    return open_


def _tearing(directory: Path, _size: int) -> Write:
    return plain(_Tearing(directory / "crm.log"))


OURS: Final = Contender("RetentionFileHandler", retention_file, json_line, modes=True)
PEERS: Final = (
    Contender("peer: RotatingFileHandler", rotating_file),
    Contender("peer: concurrent-log-handler", concurrent),
    Contender("peer: loguru enqueue", loguru, prepare=prepare_loguru),
)
BROKEN: Final = (
    Contender("broken: loses", _broken(_Losing), json_line),
    Contender("broken: repeats", _broken(_Repeating), json_line),
    Contender("broken: tears", _tearing),
)
