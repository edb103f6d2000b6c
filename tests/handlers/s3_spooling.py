"""What tests of `S3Handler` log, and where it waits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crmlogging import S3Handler
from crmlogging.records import SafeRecord

__all__ = ["Make", "safe", "spooled"]

Make = Callable[..., S3Handler]
"""Builds a handler for the bucket of `server` with bare messages as lines."""


def safe(message: str = "contact synced", level: int = logging.INFO, **fields: Any) -> SafeRecord:
    """Build a record as `AllowlistFilter` would leave it."""
    plain = logging.makeLogRecord(
        {"name": "crm.sync", "msg": message, "args": None, "levelno": level}
    )
    plain.levelname = logging.getLevelName(level)
    return SafeRecord({**vars(plain), **fields})


def spooled(tmp_path: Path) -> list[Path]:
    """Return the files in the spool of `make_s3`."""
    return [path for path in (tmp_path / "spool").rglob("*") if path.is_file()]
