"""What the storage benchmark logs: records of a sync, the same each time."""

from __future__ import annotations

import hashlib
import logging
import random
from collections.abc import Iterator
from typing import Final

from crmlogging import JsonFormatter
from crmlogging.records import SafeRecord

__all__ = ["NOW", "bare", "lines_of", "records_of_a_sync"]

NOW: Final = 1_795_300_000.0
_MESSAGES: Final = (
    ("Synced contact {contact_id}", "app/sync.py", 41, logging.INFO),
    ("Fetched page {page}", "app/pages.py", 12, logging.INFO),
    ("Retried a contact", "app/sync.py", 77, logging.WARNING),
    ("Failed to update {contact}", "app/sync.py", 90, logging.ERROR),
)


def records_of_a_sync(count: int) -> list[SafeRecord]:
    """Return records of a sync, as `AllowlistFilter` leaves them; the same each time."""
    chance, made = random.Random(1), []
    for number in range(count):
        message, path, line, level = chance.choices(_MESSAGES, [70, 20, 5, 5])[0]
        plain = vars(logging.makeLogRecord({"name": "crm.sync", "msg": message, "args": None}))
        level_name = logging.getLevelName(level)
        where = {"pathname": path, "lineno": line, "levelno": level, "levelname": level_name}
        fields = {
            "correlation_id": hashlib.md5(b"%d" % (number // 20)).hexdigest(),
            "record.id": f"f31796a7ec7ad65c-{number}",
            "crm": "hubspot",
            "tenant.code": f"t{chance.randrange(40)}",
            "request.method": "PATCH",
            "request.path": "/crm/v3/objects/contacts/{id}",
            "response.status": chance.choices((200, 429, 500), (90, 6, 4))[0],
            "request.duration_ms": round(chance.lognormvariate(4.8, 0.5), 1),
            "resource.type": "contact",
            "resource.id": str(chance.randrange(10**9)),
        }
        made.append(SafeRecord({**plain, **where, "created": NOW + number / 200, **fields}))
    return made


def lines_of(megabytes: float) -> Iterator[bytes]:
    """Yield lines of that size together."""
    formatter, size = JsonFormatter(service="crm-sync", environment="production"), 0
    kinds = [formatter.format_bytes(record) for record in records_of_a_sync(20_000)]
    while True:
        for kind in kinds:
            size += len(kind) + 1
            if size > megabytes * 1_000_000:
                return
            yield b"%b\n" % kind


def bare(lines: list[bytes]) -> list[SafeRecord]:
    """Return records whose messages are these lines: encoding them costs next to nothing."""
    plain = vars(logging.makeLogRecord({"args": None, "levelno": logging.INFO, "created": NOW}))
    return [SafeRecord({**plain, "msg": line[:-1].decode()}) for line in lines]
