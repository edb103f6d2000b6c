"""Lines to S3 by way of a spool on disk: accepted means safe from ``kill -9`` and from outages.

A logging call ends when its line is in the spool. A thread seals segments, compresses them
and uploads each as one object; what it cannot deliver waits, also for the next start, or for
another process of the service.

    PREFIX/tier=standard/dt=2026-11-21/hour=14/HOST-BOOTID-SEQ-SHA8.jsonl.gz
"""

from __future__ import annotations

import atexit
import logging
import math
import os
import weakref
from collections.abc import Callable, Mapping
from typing import Any, Final

from crmlogging.diagnostics import Tally, complain
from crmlogging.exceptions import Problems
from crmlogging.handlers import delivery, s3_options
from crmlogging.handlers.durable_handler import DEBUG_TIER, STANDARD_TIER, DurableHandler
from crmlogging.handlers.s3_bucket import Bucket
from crmlogging.handlers.s3_upload import Uploader
from crmlogging.storage.segment_writer import SegmentWriter

__all__ = ["S3Handler"]
_LATEST: Final = 253_402_300_799.0
"""The last second that a date can name."""
_RESERVE: Final = 0.9
"""Share of the spool that records below ERROR may fill."""


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
        spool_bytes: bound on what waits there; beyond it records are dropped and counted, below
            ERROR from nine tenths on.
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
        problems = Problems(type(self).__name__)
        problems.unknown(unknown, known=s3_options.KNOWN, instead=s3_options.INSTEAD)
        s3_options.check_place(problems, bucket, prefix, endpoint_url, allow_http=allow_http)
        s3_options.check_numbers(
            problems,
            spool_bytes=spool_bytes,
            segment_bytes=segment_bytes,
            segment_seconds=segment_seconds,
            close_seconds=close_seconds,
        )
        arguments = s3_options.object_arguments(
            problems,
            server_side_encryption=server_side_encryption,
            kms_key_id=kms_key_id,
            storage_class=storage_class,
            tags=tags,
            expected_owner=expected_owner,
        )
        problems.raise_if_any()
        if client is None:
            s3_options.require_boto3()
        prefix = prefix.strip("/")
        tally = Tally()
        spool = s3_options.open_spool(
            problems,
            spool_dir,
            bucket=bucket,
            destination="\0".join((endpoint_url or "", bucket, prefix)),
            tally=tally,
        )
        # From here on nothing fails: logging.shutdown also closes a handler half-built.
        super().__init__(tiers=(DEBUG_TIER, STANDARD_TIER), clock=clock, level=level, tally=tally)
        self.close_seconds = close_seconds
        self._spool_bytes = spool_bytes
        self._spool = spool
        self._writers = {
            tier: self._writer(tier, segment_bytes, segment_seconds)
            for tier in (DEBUG_TIER, STANDARD_TIER)
        }
        place = Bucket(
            bucket,
            prefix=prefix,
            endpoint_url=endpoint_url,
            region=region,
            allow_http=allow_http,
            arguments=arguments,
            client=client,
        )
        self._uploader = Uploader(
            self._spool, place, seal=self._seal, waiting=self._waiting, tally=self.tally
        )
        self._used = self._spool.used_bytes()
        self._used_at = 0
        self._drained_at = 0
        delivery.register(self)
        _handlers.add(self)
        self._uploader.start()
        self.start(watch_levels=levels)

    def _writer(self, tier: str, max_bytes: int, max_seconds: float) -> SegmentWriter:
        return SegmentWriter(
            self._spool.directory,
            tier,
            max_bytes=max_bytes,
            max_seconds=max_seconds,
            failed=self._failed,
            recovered=self._recovered,
            clock=self._clock,
        )

    def _store(self, tier: str, lines: bytes, count: int, level: int, when: float) -> None:
        used = self._used + self._written_bytes() - self._used_at + len(lines)
        if used > self._spool_bytes * (1.0 if level >= logging.ERROR else _RESERVE):
            self.tally.add("dropped.spool_full", count)
            complain(type(self).__name__, "the spool is full; records are dropped and counted")
            return
        plausible = type(when) is float and 0.0 < when < _LATEST
        self._writers[tier].append(lines, records=count, when=when if plausible else None)
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
        self._used_at = self._written_bytes()
        self._used = self._spool.used_bytes()
        waiting = self._spool.waiting()
        for writer in self._writers.values():
            for number in set(writer.records_of) - waiting:
                del writer.records_of[number]

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
            self._drained_at = written
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
        accepted as before.
        """
        self.emit_due(math.inf)
        new = self._written_bytes() != self._drained_at
        # Inside dictConfig the uploading thread could not even import what it needs.
        locked = _holds_logging_lock()
        if new and not locked:
            self.drain(self.close_seconds if timeout is None else timeout)
        for writer in self._writers.values():
            writer.seal()
        self._uploader.close(last_round=new and locked)
        super().close()

    def stats(self) -> dict[str, int]:
        """Return counters: ``produced`` = ``delivered`` + ``pending`` + all ``dropped.*``.

        ``delivered`` records are in the bucket, ``pending`` ones in the spool (or set aside), of
        those this process made. Others: ``uploaded`` objects, ``upload_failed.CODE``, ``damaged``,
        ``ignored`` (records of the uploading thread), ``spool_bytes``.
        """
        counts = self.tally.snapshot()
        waiting = self._spool.waiting()
        written = sum(writer.written for writer in self._writers.values())
        pending = sum(
            records
            for writer in self._writers.values()
            for number, records in list(writer.records_of.items())
            if number in waiting
        )
        dropped = sum(n for name, n in counts.items() if name.startswith("dropped."))
        return {
            "produced": written + dropped,
            "delivered": written - pending,
            "pending": pending,
            "spool_bytes": self._spool.used_bytes(),
            **counts,
        }


_handlers: Final[weakref.WeakSet[S3Handler]] = weakref.WeakSet()


def _deliver_forgotten() -> None:
    """At exit: deliver what handlers have that `logging.shutdown` will not close any more.

    A foreign dictConfig empties its list, but other loggers go on using its handlers.
    """
    known = {reference() for reference in logging._handlerList}  # type: ignore[attr-defined]  # private, but the only place that knows
    forgotten = [handler for handler in _handlers if handler not in known]
    if forgotten:
        delivery.drain(max(handler.close_seconds for handler in forgotten))


atexit.register(_deliver_forgotten)


def _holds_logging_lock() -> bool:
    """Tell whether this thread is inside `logging.config`."""
    owned = getattr(getattr(logging, "_lock", None), "_is_owned", None)
    return bool(owned and owned())
