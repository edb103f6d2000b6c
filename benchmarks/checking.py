"""Whether a peer did the work: every record there, every field, secrets masked, nothing torn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from benchmarks.calls import fields_of
from benchmarks.registry import Line, Peer, Place, SkippedWorkError
from benchmarks.workloads import (
    CORRELATION_ID,
    FRESH,
    HIDDEN,
    LOGGER,
    LOGGER_URLLIB3,
    MASKED,
    MASKED_LAST4,
    MESSAGE,
    MESSAGE_URLLIB3,
    SECRETS,
    SHOWN,
    Contact,
    contact,
)

__all__ = ["compare_lines", "due", "lines_of", "standard"]

_NAMES: Final = {
    "message": ("message", "event", "msg"),
    "level": ("level", "levelname", "log.level"),
    "logger": ("logger", "name", "log.logger"),
    "timestamp": ("timestamp", "time", "@timestamp"),
}


def standard(line: Line) -> Line:
    """Return a line whose own keys are message, level, logger and timestamp."""
    for name, others in _NAMES.items():
        if name not in line:
            for other in others:
                if other in line:
                    line[name] = line[other]
    return line


def lines_of(path: Path) -> Iterator[tuple[Line, bytes]]:
    """Yield the lines of a file, read and as they stand there.

    Raises:
        SkippedWorkError: one is not a JSON object, or is cut off.
    """
    with path.open("rb") as lines:
        for number, text in enumerate(lines):
            try:
                line = orjson.loads(text)
            except ValueError:
                line = None
            if not isinstance(line, dict) or not text.endswith(b"\n"):
                raise SkippedWorkError(f"line {number} is not a JSON object")
            yield line, text


def compare_lines(peer: Peer, place: Place, rounds: int) -> Mapping[str, float]:
    """Compare every line with what its call said.

    Raises:
        SkippedWorkError: naming what is missing or shown in clear.
    """
    if not place.path.exists():
        raise SkippedWorkError("it wrote no file")
    expected, found = rounds * place.records, 0
    read = peer.read or standard
    hidden, shown = HIDDEN.get(place.scenario, ()), SHOWN.get(place.scenario, ())
    wanted = due(place.scenario, place.variant, expected)
    for line, text in lines_of(place.path):
        found += 1
        _compare(read(line), next(wanted, ({},)))
        for secret in hidden:
            if secret in text:
                raise SkippedWorkError(f"a line shows {secret.decode()}")
        for part in shown:
            if part not in text:
                raise SkippedWorkError(f"a line lacks {part.decode()}")
    if found != expected:
        raise SkippedWorkError(f"wrote {found} of {expected} lines")
    return {}


def _compare(line: Line, wanted: tuple[Mapping[str, Any], ...]) -> None:
    line["level"] = str(line.get("level")).upper()
    if not line.get("timestamp"):
        raise SkippedWorkError("a line lacks its time")
    if not any(each.items() <= line.items() for each in wanted):
        wrong = (name for name, value in wanted[0].items() if line.get(name) != value)
        raise SkippedWorkError(f"a line differs in {', '.join(sorted(wrong))}")


def due(scenario: str, variant: str, records: int) -> Iterator[tuple[Line, ...]]:
    """Yield what each line has to hold, in order; one of several where they say the same."""
    wanted = {"S2t": _third_party_lines, "S2f": _built_lines}.get(scenario, _lines)
    for number in range(records):
        yield wanted(scenario, contact(number if variant == FRESH else 0))


def _lines(scenario: str, values: Contact) -> tuple[dict[str, Any]]:
    wanted: dict[str, Any] = fields_of(scenario)(values)
    wanted.update(message=MESSAGE, level="ERROR", logger=LOGGER)
    for name in SECRETS:
        if name in wanted:
            wanted[name] = MASKED
    if scenario == "S2b":
        wanted["api_key"] = MASKED_LAST4
        wanted["correlation_id"] = CORRELATION_ID
        name, at, _ = values.campaign.partition("@")
        if at:
            wanted["campaign.name"] = f"{name.rpartition(' ')[0]} [EMAIL]"
    return (wanted,)


def _third_party_lines(scenario: str, values: Contact) -> tuple[dict[str, Any], dict[str, Any]]:
    head = {"level": "DEBUG", "logger": LOGGER_URLLIB3}
    path = "/crm/v3/objects/contacts/{id}"
    arguments = ("https", "api.hubapi.com", 443, "PATCH", path, "HTTP/1.1", 200, 512)
    template = {"request.method": "PATCH", "request.path": path, "response.status": 200}
    return (
        {**head, "message": MESSAGE_URLLIB3 % arguments},
        {**head, "message": MESSAGE_URLLIB3, **template},
    )


def _built_lines(scenario: str, values: Contact) -> tuple[dict[str, Any], dict[str, Any]]:
    head = {"level": "ERROR", "logger": LOGGER, "crm": "hubspot"}
    template = {"contact_id": MASKED, "email": MASKED}
    return (
        {**head, "message": f"Updated contact {values[0]} of [EMAIL]"},
        {**head, "message": "Updated contact {contact_id} of {email}", **template},
    )
