"""A spool: segments on their way to objects of a bucket, each object named before it leaves.

    DIR/standard_20261121T14_HOST_BOOTID_000001.segment           being written, or abandoned
    DIR/ready/tier=standard,dt=2026-11-21,hour=14,HOST-BOOTID-000001-SHA8.jsonl.gz
    DIR/aside/                                                     what cannot be used

Packing turns a finished segment into the very bytes of its object, under the object's key
(with ``,`` for ``/``). From then on a repeated upload can only repeat itself. The segment goes
when its object is on the disk, and an object never leaves before its segment is gone, so no
crash in between makes a second object of it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from crmlogging.diagnostics import Tally, complain
from crmlogging.storage.compression import new_compressor
from crmlogging.storage.locking import adopt, forget, try_lock
from crmlogging.storage.opening import (
    UnsafeFileError,
    make_directory,
    open_for_read,
    open_new,
    sync,
)
from crmlogging.storage.segments import Segment, SegmentName, claim, own_boot, set_aside

__all__ = ["ReadyObject", "Spool"]

_READY: Final = "ready"
_OBJECT: Final = re.compile(
    r"tier=([a-z]{1,16}),dt=(\d{4})-(\d\d)-(\d\d),hour=(\d\d),"
    r"([A-Za-z0-9.-]{1,63})-([0-9a-f]{16})-(\d{6,12})-([0-9a-f]{8})\.jsonl\.gz",
    re.ASCII,
)


class ReadyObject(NamedTuple):
    """An object this process may upload; end with `Spool.delivered`, `keep` or `reject`.

    Attributes:
        key: without the handler's prefix.
        body: its bytes.
        sha256: digest of `body`.
    """

    key: str
    body: bytes
    sha256: bytes
    path: str
    fd: int


class Spool:
    """The directory of one destination, shared by all processes that deliver there.

    Args:
        directory: created (0700) if missing.
        tally: receives ``damaged``, appends that had to be left out.
    """

    def __init__(self, directory: str, *, tally: Tally) -> None:
        self.directory = directory
        self._ready = os.path.join(directory, _READY)
        self._tally = tally

    def make(self) -> str | None:
        """Create the directories; as `make_directory`."""
        unsafe = make_directory(self.directory)
        make_directory(self._ready)
        return unsafe

    def pack(self) -> int:
        """Turn all finished segments, of this process or of dead ones, into objects.

        Returns:
            How many segments could not be packed and wait for another time.
        """
        failed = 0
        for segment in claim(self.directory):
            try:
                self._pack(segment)
            except UnsafeFileError:
                segment.set_aside()
            except OSError as error:
                segment.release()
                failed += 1
                complain("spool", error, hint="the lines stay in the spool")
        return failed

    def _pack(self, segment: Segment) -> None:
        name = segment.name
        stem = (
            f"tier={name.label},dt={name.hour[:4]}-{name.hour[4:6]}-{name.hour[6:8]},"
            f"hour={name.hour[9:]},{name.host}-{name.boot}-{name.number:06d}-"
        )
        done = [each for each in os.listdir(self._ready) if each.startswith(stem)]
        if not any(map(_OBJECT.fullmatch, done)):
            self._write(segment, stem)
        if segment.damaged:
            self._tally.add("damaged", segment.damaged)
            segment.set_aside()
        else:
            segment.finish()

    def _write(self, segment: Segment, stem: str) -> None:
        partial = os.path.join(self._ready, f"{stem}.tmp")
        if os.path.lexists(partial):
            os.unlink(partial)  # Left by a crash: the segment's lock is ours.
        fd = open_new(partial, mode=0o600)
        try:
            records, digest = _compress(segment, fd)
            if records:
                os.fsync(fd)
                os.rename(partial, os.path.join(self._ready, f"{stem}{digest[:8]}.jsonl.gz"))
                sync(self._ready)
        finally:
            os.close(fd)
            if os.path.lexists(partial):
                os.unlink(partial)

    def ready(self, last: Collection[str] = ()) -> Iterator[ReadyObject]:
        """Yield what can be uploaded, oldest first, each to one process only.

        Args:
            last: keys that come after all others: they failed before, nobody is to wait for them.
        """
        names = [name for name in os.listdir(self._ready) if _OBJECT.fullmatch(name)]
        names.sort(key=lambda name: (_key(name) in last, name.partition(",")[2]))
        for name in names:
            path = os.path.join(self._ready, name)
            try:
                fd = adopt(open_for_read(path))
            except UnsafeFileError:
                set_aside(path)
                continue
            except OSError:
                continue
            found = self._load(name, path, fd) if self._is_free(name, fd) else None
            if found is None:
                forget(fd)
            else:
                yield found

    def _is_free(self, name: str, fd: int) -> bool:
        """Take the object, unless another process has it or its segment is still there."""
        if not try_lock(fd) or os.fstat(fd).st_nlink != 1:
            return False
        match = _OBJECT.fullmatch(name)
        if match is None:
            return False
        tier, year, month, day, hour, host, boot, number, _ = match.groups()
        source = SegmentName(tier, f"{year}{month}{day}T{hour}", host, boot, int(number))
        return not os.path.lexists(os.path.join(self.directory, str(source)))

    def _load(self, name: str, path: str, fd: int) -> ReadyObject | None:
        with open(fd, "rb", closefd=False) as file:
            body = file.read()
        digest = hashlib.sha256(body)
        if not name.endswith(f"-{digest.hexdigest()[:8]}.jsonl.gz"):
            set_aside(path)  # The disk has changed it.
            return None
        return ReadyObject(_key(name), body, digest.digest(), path, fd)

    def delivered(self, item: ReadyObject) -> None:
        """Forget an object that is in the bucket."""
        os.unlink(item.path)
        forget(item.fd)

    def keep(self, item: ReadyObject) -> None:
        """Leave an object for another attempt, by whomever."""
        forget(item.fd)

    def reject(self, item: ReadyObject) -> None:
        """Set aside an object that the bucket will never take."""
        set_aside(item.path)
        forget(item.fd)

    def waiting(self) -> set[int]:
        """Return the numbers of this process's segments that are not in the bucket yet."""
        form = re.compile(rf".*[_-]{own_boot()}[_-](\d{{6,12}})\D.*")
        found = set()
        for directory in (self.directory, self._ready):
            try:
                found |= {int(m[1]) for m in map(form.fullmatch, os.listdir(directory)) if m}
            except OSError:
                continue
        return found

    def used_bytes(self) -> int:
        """Return the size of all that waits."""
        total = 0
        for directory in (self.directory, self._ready):
            try:
                with os.scandir(directory) as entries:
                    total += sum(
                        each.stat(follow_symlinks=False).st_size
                        for each in entries
                        if each.is_file(follow_symlinks=False)
                    )
            except OSError:
                continue
        return total


def _key(name: str) -> str:
    return name.replace(",", "/")


def _compress(segment: Segment, fd: int) -> tuple[int, str]:
    """Write a segment's lines as one gzip stream; return their number and its SHA-256."""
    compressor, digest, records = new_compressor(), hashlib.sha256(), 0

    def write(data: bytes) -> None:
        digest.update(data)
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]

    for lines, count in segment.blocks():
        write(compressor.compress(lines))
        records += count
    write(compressor.flush())
    return records, digest.hexdigest()
