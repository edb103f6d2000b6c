"""What one run leaves for the next, in a small JSON file: the last success, and what persists.

Shared by processes: read and written under a lock, replaced as a whole (temporary file, fsync,
rename), mode 0600. A file that is no such document is set aside as ``NAME.corrupt`` and counted.
It holds fingerprints, codes and times, nothing else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from crmlogging.diagnostics import complain, tally
from crmlogging.storage.locking import unlock, wait_lock

__all__ = ["ESCALATE_AFTER", "Memory", "Remembered"]

ESCALATE_AFTER: Final = 3
"""Runs in a row with the same transient failure after which somebody should look."""

_VERSION: Final = 1
_LOCK_SECONDS: Final = 2.0
_BYTES_READ: Final = 4 << 20
_SYNCS_KEPT: Final = 1_000
_CAUSES_KEPT: Final = 200
_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_FINGERPRINT: Final = re.compile(r"v\d{1,3}:[0-9a-f]{16}", re.ASCII)


class Remembered(NamedTuple):
    """What the file tells after a run.

    Attributes:
        last_success: when a record last succeeded, RFC 3339, or None.
        runs: fingerprint to the number of runs in a row, this one included, that had it.
    """

    last_success: str | None
    runs: Mapping[str, int]


class Memory:
    """The file at `path`; nothing here raises, since a run must not fail for its sake."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def update(
        self, sync: str, *, last_success: str | None, causes: frozenset[str] | None
    ) -> Remembered:
        """Write down a run, and return what is known with it.

        Args:
            sync: what was synced: provider, tenant and resource.
            last_success: when a record of this run last succeeded, or None.
            causes: fingerprints of its transient failures; None for a run without records,
                which leaves those of earlier runs alone.
        """
        try:
            return self._update(sync, last_success, causes)
        except OSError as error:
            complain("sync_run state", error, hint="the run is not remembered")
            return Remembered(last_success, {})

    def _update(
        self, sync: str, last_success: str | None, causes: frozenset[str] | None
    ) -> Remembered:
        lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not wait_lock(lock, _LOCK_SECONDS):
                complain("sync_run state", "locked for too long; the run is not remembered")
                return Remembered(last_success, {})
            syncs = self._read()
            before = _entry(syncs.pop(sync, None))
            runs = {}
            if causes is None:
                runs = dict(before.runs)
            else:
                for cause in sorted(causes)[:_CAUSES_KEPT]:
                    runs[cause] = before.runs.get(cause, 0) + 1
            after = Remembered(last_success or before.last_success, runs)
            # The one of this run goes to the end: of too many, the oldest are forgotten.
            syncs[sync] = {"last_success": after.last_success, "runs": dict(after.runs)}
            for name in list(syncs)[: max(0, len(syncs) - _SYNCS_KEPT)]:
                del syncs[name]
            self._write({"version": _VERSION, "syncs": syncs})
            return after
        finally:
            unlock(lock)
            os.close(lock)

    def _read(self) -> dict[str, Any]:
        try:
            with self._path.open("rb") as file:
                text = file.read(_BYTES_READ)
        except FileNotFoundError:
            return {}
        try:
            document = orjson.loads(text)
            if document["version"] == _VERSION and isinstance(document["syncs"], dict):
                return dict(document["syncs"])
        except (ValueError, KeyError, TypeError):
            pass
        tally.add("runs.state_set_aside")
        complain("sync_run state", "is no state of ours; set aside as NAME.corrupt")
        os.replace(self._path, f"{self._path}.corrupt")
        return {}

    def _write(self, document: Mapping[str, Any]) -> None:
        temporary = f"{self._path}.{os.getpid()}.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(temporary, flags, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(orjson.dumps(document))
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._path)
        except OSError:
            with suppress(OSError):
                os.unlink(temporary)
            raise


def _entry(value: object) -> Remembered:
    """Return an entry of the file as far as it has the shape: others may have written to it."""
    if not isinstance(value, dict):
        return Remembered(None, {})
    last, runs = value.get("last_success"), value.get("runs")
    return Remembered(
        last if isinstance(last, str) and _TIMESTAMP.fullmatch(last) else None,
        {
            cause: count
            for cause, count in (runs if isinstance(runs, dict) else {}).items()
            if _FINGERPRINT.fullmatch(cause) and type(count) is int and 0 < count < 10**9
        },
    )
