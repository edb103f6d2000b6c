"""Lines to S3 by way of a spool on disk: accepted means safe from ``kill -9`` and from outages.

A logging call ends when its line is in the spool. A thread seals segments, compresses them
and uploads each as one object; what it cannot deliver waits, also for the next start, or for
another process of the service.

    PREFIX/tier=standard/dt=2026-11-21/hour=14/HOST-BOOTID-SEQ-SHA8.jsonl.gz

With `encrypt_to` the objects are encrypted as well, and end in ``.jsonl.gz.enc``.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from crmlogging.diagnostics import Tally, complain
from crmlogging.handlers import delivery, s3_exit, s3_options
from crmlogging.handlers.durable_handler import DEBUG_TIER, STANDARD_TIER, DurableHandler
from crmlogging.handlers.ledger import balanced
from crmlogging.handlers.s3_upload import Uploader
from crmlogging.storage.framing import FRAMING
from crmlogging.storage.segment_writer import SegmentWriter

__all__ = ["S3Handler"]
_SYNCED_FROM: Final = {"never": math.inf, "error": logging.ERROR, "batch": -math.inf}
"""From which level on a call waits for the disk."""
_TELL_SECONDS: Final = 60.0
_NOTICE_BYTES: Final = 4_096
_ROOM_FOR_BATCH: Final = 4_000_000
_HEADER_BYTES: Final = FRAMING.header_bytes


class S3Handler(DurableHandler):
    """Write lines to a bucket, every accepted one exactly once.

    Args:
        bucket: its name, or the ARN of an access point.
        prefix: of all keys, e.g. ``"crm"``.
        endpoint_url: of a server other than AWS; https, unless it is on this machine.
        region: of the bucket; None takes the environment's.
        spool_dir: where lines wait; by default ``crmlogging`` in ``$STATE_DIRECTORY`` (systemd),
            ``$XDG_STATE_HOME``, ``~/.local/state`` or the temporary directory, the first that can
            be written. Each destination has a directory (0700) of its own in it, so all
            processes of a host may share one. It should outlive restarts.
        spool_bytes: bound on what waits there; beyond it records are dropped and counted: DEBUG
            from eight tenths on, others below ERROR from nine tenths on, audit records never.
        spool_files: the same for the number of files.
        overflow: ``"block"`` has a call wait for room before it drops, for at most
            `block_seconds` a minute in all, and never in a thread that runs an event loop.
        block_seconds: see `overflow`.
        fsync: when a call waits for the disk: ``"never"`` (survives the death of the process, not
            of the machine), ``"error"`` (records of ERROR and above), ``"batch"`` (every write).
        encrypt_to: encrypt the objects to a public key, a line ``x25519:KEY:ID`` or a PEM file;
            see ``crmlogging keygen`` and ``crmlogging cat``. The spool stays plain (0600).
        segment_bytes: size at which an object is closed, before compression.
        segment_seconds: age at which it is.
        close_seconds: how long `close`, and with it the end of the program, waits for delivery.
        allow_http: also use unencrypted connections to other machines.
        server_side_encryption: ``"AES256"`` or ``"aws:kms"``; None leaves it to the bucket.
        kms_key_id: key for ``"aws:kms"``.
        storage_class: e.g. ``"STANDARD_IA"``.
        tags: of each object.
        expected_owner: account number the bucket must belong to.
        levels: follow ``CRMLOGGING_LEVEL`` in the running process.
        level: as of any handler.
        clock: seconds since the epoch, for tests.
        client: makes the boto3 client, for tests.

    Raises:
        ConfigurationError: all that is wrong with the options; nothing here uses the network.
        MissingDependencyError: boto3 is not installed.
    """

    def __init__(
        self,
        bucket: str,
        *,
        prefix: str = "",
        endpoint_url: str | None = None,
        region: str | None = None,
        spool_dir: str | os.PathLike[str] | None = None,
        spool_bytes: int = 1_000_000_000,
        spool_files: int = 10_000,
        overflow: str = "drop",
        block_seconds: float = 1.0,
        fsync: str = "never",
        encrypt_to: str | os.PathLike[str] | None = None,
        segment_bytes: int = 16_000_000,
        segment_seconds: float = 60.0,
        close_seconds: float = 5.0,
        allow_http: bool = False,
        server_side_encryption: str | None = None,
        kms_key_id: str | None = None,
        storage_class: str | None = None,
        tags: Mapping[str, str] | None = None,
        expected_owner: str | None = None,
        levels: bool = True,
        level: int | str = logging.NOTSET,
        clock: Callable[[], float] | None = None,
        client: Callable[[], Any] | None = None,
        **unknown: object,
    ) -> None:
        # All that was given, as it was given: naming two dozen options once more proves nothing.
        options = s3_options.checked(type(self).__name__, locals())
        tally = Tally()
        spool = s3_options.open_spool(type(self).__name__, options, tally)
        # From here on nothing fails: logging.shutdown also closes a handler half-built.
        super().__init__(
            tiers=(DEBUG_TIER, STANDARD_TIER),
            clock=options.clock,
            level=options.level,
            tally=tally,
        )
        self.close_seconds = options.close_seconds
        self._synced_from = _SYNCED_FROM[options.fsync]
        self._told_at = -math.inf
        self._asked_for = 0  # Bytes written when they were last drained, or closed upon.
        self._spool = spool
        self._writers = {tier: self._writer(tier, options) for tier in (DEBUG_TIER, STANDARD_TIER)}
        self._uploader = Uploader(
            spool, options.place(), seal=self._seal, waiting=self._waiting, tally=tally
        )
        self._bound = options.bound(spool)
        delivery.register(self)
        s3_exit.register(self)
        self._uploader.start()
        self.start(watch_levels=options.levels)

    def _writer(self, tier: str, options: s3_options.Options) -> SegmentWriter:
        return SegmentWriter(
            self._spool.directory,
            tier,
            max_bytes=options.segment_bytes,
            max_seconds=options.segment_seconds,
            failed=self._failed,
            recovered=self._recovered,
            clock=self._clock,
        )

    def handle_batch(self, batch: Sequence[logging.LogRecord]) -> None:
        """As `DurableHandler.handle_batch`; where room is short, each record by its own worth."""
        if self._bound.fits(_ROOM_FOR_BATCH, logging.NOTSET):
            super().handle_batch(batch)
            return
        for record in batch:
            self._handle_one(record)

    def _store(self, tier: str, lines: bytes, count: int, level: int, when: float) -> None:
        bound, size = self._bound, len(lines) + _HEADER_BYTES
        if bound.left - size >= bound.reserve:  # The usual case.
            bound.left -= size
        elif not bound.admits(size, level):
            self._lost("spool_full", count)
            complain(type(self).__name__, "the spool is full; records are dropped and counted")
            return
        self._writers[tier].append(
            lines, count, when if type(when) is float else None, level >= self._synced_from
        )
        if not self._uploader.running:
            self._uploader.start()

    def _written_bytes(self) -> int:
        return sum(writer.written_bytes for writer in self._writers.values())

    def _seal(self, everything: bool) -> None:
        """Seal what is due; called by the uploader at each round."""
        for writer in self._writers.values():
            if everything:
                writer.seal()
            else:
                writer.seal_if_due()
        self._bound.look()
        waiting = self._spool.waiting()
        for writer in self._writers.values():
            for number in set(writer.records_of) - waiting:
                del writer.records_of[number]

    def tick(self) -> None:
        """Called once a second: tells in the log, once a minute, what a full spool cost."""
        super().tick()
        if self._gap is not None and self._gap.reason == "spool_full":
            now = time.monotonic()
            if now - self._told_at >= _TELL_SECONDS and self._bound.fits(_NOTICE_BYTES, 0):
                self._told_at = now
                self._recovered()

    def _waiting(self) -> bool:
        """Whether records of this handler wait; another one's in the same spool do not count."""
        waiting = self._spool.waiting()
        return any(number in waiting for w in self._writers.values() for number in w.records_of)

    def drain(self, timeout: float = 10.0) -> bool:
        """Upload everything accepted so far; False if something still waits after `timeout` s."""
        self.emit_due(math.inf)
        written = self._written_bytes()
        drained = self._uploader.drain(timeout)
        if drained:
            self._asked_for = written
        return drained

    def flush(self, timeout: float | None = None) -> None:
        """Emit what filters hold back; with a `timeout` in seconds also wait for delivery.

        Without one there is nothing to wait for: lines are on disk when the call returns.
        """
        if timeout is None:
            self.emit_due(math.inf)
        else:
            self.drain(timeout)

    def close(self, timeout: float | None = None) -> None:
        """Upload what this process has accepted, within `timeout` (`close_seconds`) seconds.

        What is left stays in the spool for the next start. A record that comes later is
        accepted as before; without one, and without a `timeout`, another call waits for nothing.
        """
        self.emit_due(math.inf)
        written = self._written_bytes()
        new = written != self._asked_for
        # Inside dictConfig the uploading thread could not even import what it needs.
        locked = s3_exit.holds_logging_lock()
        if (new or timeout is not None) and not locked:
            self.drain(self.close_seconds if timeout is None else timeout)
            self._asked_for = written
        for writer in self._writers.values():
            writer.seal()
        self._uploader.close(last_round=new and locked)
        super().close()

    def stats(self) -> dict[str, int]:
        """Return counters: ``produced`` = ``delivered`` + ``pending`` + ``dropped``.

        ``delivered`` records are in the bucket, ``pending`` ones in the spool (or set aside), of
        those this process made. Others: ``dropped.REASON``, ``uploaded`` objects,
        ``upload_failed.CODE``, ``damaged``, ``ignored`` (records of the uploading thread),
        ``spool_bytes``.
        """
        # In this order a record that comes meanwhile is never taken for a delivered one.
        writers = [(each.written, dict(each.records_of)) for each in self._writers.values()]
        waiting = self._spool.waiting()
        pending = sum(n for _, of in writers for number, n in of.items() if number in waiting)
        delivered = max(0, sum(written for written, _ in writers) - pending)
        counts = balanced(delivered, pending, self.tally.snapshot())
        return {**counts, "spool_bytes": self._spool.used_bytes()}
