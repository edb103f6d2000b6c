"""A spool: segments on their way to objects of a bucket, each object named before it leaves.

    DIR/standard_20261121T14_HOST_BOOTID_000001.segment           being written, or abandoned
    DIR/ready/tier=standard,dt=2026-11-21,hour=14,HOST-BOOTID-000001-SHA8.jsonl.gz
    DIR/ready/...jsonl.gz.enc                                      the same, encrypted
    DIR/ready/...jsonl.gz.uploads                                  ids of its uploads in parts
    DIR/aside/                                                     what cannot be used

Packing turns a finished segment into the very bytes of its object, under the object's key
(with ``,`` for ``/``). From then on a repeated upload can only repeat itself. The segment goes
when its object is on the disk, and an object never leaves before its segment is gone, so no
crash in between makes a second object of it: also not where encryption would give it other bytes.
An upload in parts is noted beside the object before the first part leaves: so whoever takes over
from a dead process can abort it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Final, NamedTuple

from crmlogging.crypto.keys import PublicKey
from crmlogging.crypto.streams import key_id_of
from crmlogging.diagnostics import Tally, complain
from crmlogging.exceptions import DecryptionError
from crmlogging.storage.compression import ArchiveWriter
from crmlogging.storage.locking import adopt, forget, try_lock
from crmlogging.storage.opening import (
    UnsafeFileError,
    make_directory,
    open_for_append,
    open_for_read,
    open_new,
    sync,
)
from crmlogging.storage.segments import Segment, SegmentName, bytes_in, claim, own_boot, set_aside
from crmlogging.storage.suffixes import ARCHIVE, ENCRYPTED

__all__ = ["ReadyObject", "Spool"]

_READY: Final = "ready"
_OBJECT: Final = re.compile(
    r"tier=([a-z]{1,16}),dt=(\d{4})-(\d\d)-(\d\d),hour=(\d\d),"
    r"([A-Za-z0-9.-]{1,63})-([0-9a-f]{16})-(\d{6,12})-([0-9a-f]{8})\.jsonl\.gz(?:\.enc)?",
    re.ASCII,
)
_DIGEST: Final = re.compile(r"-([0-9a-f]{8})\.jsonl\.gz(?:\.enc)?$", re.ASCII)
_BLOCK: Final = 1024 * 1024
_UPLOADS: Final = ".uploads"
_UPLOAD: Final = re.compile(rb"^([!-~]{1,1024})\n", re.MULTILINE)
_LONGEST_NOTE: Final = 65_536


class ReadyObject(NamedTuple):
    """An object this process may upload; end with `Spool.delivered`, `keep` or `reject`.

    Attributes:
        key: without the handler's prefix.
        size: in bytes.
        sha256: digest of its bytes.
        key_id: of the key that opens it, or None if it is not encrypted.
    """

    key: str
    size: int
    sha256: bytes
    key_id: str | None
    path: str
    fd: int

    def read(self, start: int = 0, size: int | None = None) -> bytes:
        """Return `size` bytes from `start` on, or all that follow."""
        wanted = self.size - start if size is None else min(size, self.size - start)
        os.lseek(self.fd, start, os.SEEK_SET)
        with open(self.fd, "rb", buffering=0, closefd=False) as file:
            parts = []
            while wanted and (part := file.read(wanted)):
                parts.append(part)
                wanted -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def note_upload(self, upload: str) -> None:
        """Remember an upload in parts (its id at the server) that is begun for this object.

        Where the disk takes no note, only a lifecycle rule can find what a killed process leaves.
        """
        with suppress(OSError):
            fd = open_for_append(self.path + _UPLOADS, mode=0o600)
            try:
                os.write(fd, b"%b\n" % upload.encode())
            finally:
                os.close(fd)

    def uploads(self) -> list[str]:
        """Return the uploads that were noted, by whichever process."""
        try:
            fd = open_for_read(self.path + _UPLOADS)
        except OSError:
            return []
        with open(fd, "rb") as file:
            return [upload.decode() for upload in _UPLOAD.findall(file.read(_LONGEST_NOTE))]

    def forget_uploads(self) -> None:
        """Take it that none of them is there any more."""
        with suppress(OSError):
            os.unlink(self.path + _UPLOADS)


class Spool:
    """The directory of one destination, shared by all processes that deliver there.

    Args:
        directory: created (0700) if missing.
        tally: receives ``damaged``, appends that had to be left out.
        encrypt_to: whose private key opens the objects that are packed from now on, or None.
    """

    def __init__(
        self, directory: str, *, tally: Tally, encrypt_to: PublicKey | None = None
    ) -> None:
        self.directory = directory
        self._ready = os.path.join(directory, _READY)
        self._tally = tally
        self._encrypt_to = encrypt_to
        self._suffix = f".jsonl{ARCHIVE if encrypt_to is None else ENCRYPTED}"

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
            digest = _archive(segment, fd, self._encrypt_to)
            if digest:
                os.fsync(fd)
                os.rename(partial, os.path.join(self._ready, f"{stem}{digest[:8]}{self._suffix}"))
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
        digest, size, start = hashlib.sha256(), 0, b""
        while block := os.read(fd, _BLOCK):
            start = start or block
            digest.update(block)
            size += len(block)
        try:
            key_id = key_id_of(start) if name.endswith(ENCRYPTED) else None
        except DecryptionError:
            key_id = ""
        item = ReadyObject(_key(name), size, digest.digest(), key_id, path, fd)
        match = _DIGEST.search(name)
        if match is None or match[1] != digest.hexdigest()[:8] or key_id == "":
            item.forget_uploads()
            set_aside(path)  # The disk has changed it.
            return None
        return item

    def delivered(self, item: ReadyObject) -> None:
        """Forget an object that is in the bucket."""
        item.forget_uploads()
        os.unlink(item.path)
        forget(item.fd)

    def keep(self, item: ReadyObject) -> None:
        """Leave an object for another attempt, by whomever."""
        forget(item.fd)

    def reject(self, item: ReadyObject) -> None:
        """Set aside an object that the bucket will never take."""
        item.forget_uploads()
        set_aside(item.path)
        forget(item.fd)

    def waiting(self) -> set[int]:
        """Return the numbers of this process's segments that are not in the bucket yet."""
        form = re.compile(rf".*[_-]{own_boot()}[_-](\d{{6,12}})\D.*")
        names = [*_listing(self.directory), *_listing(self._ready)]
        return {int(match[1]) for match in map(form.fullmatch, names) if match}

    def used_bytes(self) -> int:
        """Return the size of all that waits."""
        return bytes_in(self.directory) + bytes_in(self._ready)

    def used_files(self) -> int:
        """Return how many files that are."""
        names = [*_listing(self.directory), *_listing(self._ready)]
        return sum("." in name for name in names)  # which the directories in them have not


def _key(name: str) -> str:
    return name.replace(",", "/")


def _listing(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _archive(segment: Segment, fd: int, encrypt_to: PublicKey | None) -> str:
    """Write a segment's lines as one gzip stream; return the file's SHA-256, "" without lines."""
    archive, empty = ArchiveWriter(fd, encrypt_to), True
    for lines in segment.blocks():
        archive.write(lines)
        empty = False
    archive.finish()
    return "" if empty else archive.sha256.hexdigest()
