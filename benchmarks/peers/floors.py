"""The unit of the ratios, and what the work costs without any logging library."""

from __future__ import annotations

import logging
import os
import time
import traceback
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from benchmarks.calls import Call, fields_of, through
from benchmarks.peers.naive import correlation, mask, mask_url
from benchmarks.registry import FLOOR, Place, peer
from benchmarks.workloads import LOGGER_URLLIB3, MESSAGE, MESSAGE_URLLIB3, Contact

__all__ = ["NOOP", "NoOpHandler"]

NOOP: Final = "noop: logging, no-op handler"


class NoOpHandler(logging.Handler):
    """Takes records and does nothing."""

    def handle(self, record: logging.LogRecord) -> bool:
        return True


@peer(NOOP, "S1", "S2a", "S2b", "S2t", "S9", note="the unit; it writes nothing", role=FLOOR)
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
