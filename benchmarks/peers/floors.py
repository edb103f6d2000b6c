"""The unit of the ratios, and what the work costs without any logging library."""

from __future__ import annotations

import fcntl
import logging
import os
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from benchmarks.calls import Call, fields_of, through
from benchmarks.peers.naive import correlation, mask, mask_url
from benchmarks.registry import FLOOR, Place, peer
from benchmarks.workloads import LOGGER_URLLIB3, MESSAGE, MESSAGE_URLLIB3, Contact

__all__ = ["NOOP", "NoOpHandler", "appending"]

NOOP: Final = "noop: logging, no-op handler"


class NoOpHandler(logging.Handler):
    """Takes records and does nothing."""

    def handle(self, record: logging.LogRecord) -> bool:
        return True


@peer(NOOP, "S1", "S2a", "S2b", "S2t", "S2f", "S9", note="the unit; it writes nothing", role=FLOOR)
def noop(place: Place) -> Call:
    """The same call, to a handler that does nothing."""
    return through(place, NoOpHandler())


def _now() -> str:
    return datetime.fromtimestamp(time.time(), UTC).isoformat()


@peer("floor: dict, orjson, os.write", "S1", "S9", note="no logging at all", role=FLOOR)
def floor(place: Place) -> Call:
    """What is left when nothing is left to leave out."""
    fields = fields_of(place.scenario)
    descriptor = os.open(place.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def call(values: Contact) -> None:
        line = {"timestamp": _now(), "level": "ERROR", "logger": "crm.sync", "message": MESSAGE}
        line.update(fields(values))
        if values.error is not None:
            line["exception"] = "".join(traceback.format_exception(values.error))
        os.write(descriptor, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    return call


def appending(path: Path) -> Callable[[bytes], None]:
    """Return what appends to a file that several processes share, and nobody's fragment is in.

    That takes the lock, and a look whether the file ends where this process left it.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    left = 0

    def append(line: bytes) -> None:
        nonlocal left
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            size = os.lseek(descriptor, 0, os.SEEK_END)
            if size != left:
                raise RuntimeError("somebody else writes here: a fragment would have to be cut off")
            left = size + os.write(descriptor, line)
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)

    return append


@peer("floor: dict, orjson, locked append", "S1", note="no logging at all", role=FLOOR)
def locked_floor(place: Place) -> Call:
    """The first floor with the lock and the look that lines need to stay whole."""
    fields, append = fields_of(place.scenario), appending(place.path)

    def call(values: Contact) -> None:
        line = {"timestamp": _now(), "level": "ERROR", "logger": "crm.sync", "message": MESSAGE}
        line.update(fields(values))
        append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    return call


@peer("floor with redaction", "S2a", "S2b", "S2t", note="no logging; masks by hand", role=FLOOR)
def floor_with_redaction(place: Place) -> Call:
    """The same, with the naive masks written into the call."""
    if place.scenario == "S2t":
        return _third_party_floor(place)
    scenario, fields = place.scenario, fields_of(place.scenario)
    descriptor = os.open(place.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    correlation.set("nightly-77")

    def call(values: Contact) -> None:
        line = {"timestamp": _now(), "level": "ERROR", "logger": "crm.sync", "message": MESSAGE}
        line.update(fields(values))
        mask(scenario, line)
        os.write(descriptor, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    return call


def _third_party_floor(place: Place) -> Call:
    descriptor = os.open(place.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def call(values: Contact) -> None:
        url = mask_url(f"/crm/v3/objects/contacts/{values[0]}?email={values[3]}")
        arguments = ("https", "api.hubapi.com", 443, "PATCH", url, "HTTP/1.1", 200, 512)
        line: dict[str, Any] = {
            "timestamp": _now(),
            "level": "DEBUG",
            "logger": LOGGER_URLLIB3,
            "message": MESSAGE_URLLIB3 % arguments,
        }
        os.write(descriptor, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    return call
