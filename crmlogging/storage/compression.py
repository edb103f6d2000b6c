"""gzip, by the fastest codec installed, and from file to file without a moment of risk.

By option what was compressed is also encrypted to a public key (`crmlogging.crypto.streams`).

isal (extra ``fast``) compresses JSON lines at about nine times zlib's speed at nearly its ratio.
The header holds neither a name nor a time (RFC 1952 section 2.3), so equal input gives equal bytes.
"""

from __future__ import annotations

import hashlib
import os
import time
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from crmlogging.diagnostics import complain
from crmlogging.storage.acceleration import calm
from crmlogging.storage.locking import adopt, forget, wait_lock
from crmlogging.storage.opening import open_for_read, open_new, sync
from crmlogging.storage.suffixes import ARCHIVE, ENCRYPTED, PARTIAL
from crmlogging.storage.tails import cut_fragment

if TYPE_CHECKING:
    from crmlogging.crypto.keys import PublicKey

__all__ = [
    *("ArchiveWriter", "Compressor", "compress_file", "new_compressor"),
]

_BLOCK: Final = 262_144
_TRAILER_BYTES: Final = 8
_GZIP: Final = 31  # zlib's number for "largest window, in a gzip wrapper"
_LOCK_SECONDS: Final = 1.0


class Compressor(Protocol):
    """What `zlib.compressobj` returns."""

    def compress(self, data: Any, /) -> bytes: ...
    def flush(self) -> bytes: ...


def new_compressor() -> Compressor:
    """Return a fresh compressor of one gzip member."""
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    compressor: Compressor = isal_zlib.compressobj(1, isal_zlib.DEFLATED, _GZIP)
    return compressor


class ArchiveWriter:
    """Writes one gzip member into a file, encrypted where there is a key; `finish` makes it whole.

    Args:
        fd: where to; stays open.
        encrypt_to: whose private key is needed to read it, or None.

    Attributes:
        sha256: digest of what the file has got.
    """

    def __init__(self, fd: int, encrypt_to: PublicKey | None = None) -> None:
        self.sha256 = hashlib.sha256()
        self._fd = fd
        self._compressor = new_compressor()
        self._encrypting = None
        if encrypt_to is not None:
            from crmlogging.crypto.streams import EncryptingWriter

            self._encrypting = EncryptingWriter(_Sink(self._put), encrypt_to)
        self._out = self._put if self._encrypting is None else self._encrypting.write

    def write(self, data: bytes) -> None:
        """Take plain `data`."""
        compressed = self._compressor.compress(data)
        calm()
        self._out(compressed)

    def finish(self) -> None:
        """Write what is left."""
        compressed = self._compressor.flush()
        calm()
        self._out(compressed)
        if self._encrypting is not None:
            self._encrypting.close()

    def _put(self, data: bytes) -> None:
        self.sha256.update(data)
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]


class _Sink(NamedTuple):
    write: Callable[[bytes], Any]


def compress_file(
    path: str,
    *,
    mode: int,
    gid: int | None = None,
    encrypt_to: PublicKey | None = None,
    pause: Callable[[float], bool] = lambda _worked: True,
) -> bool:
    """Replace `path` by ``path.gz``; after a crash at any point, calling it again finishes.

    The source goes only when its archive is whole, on the disk under its final name, and nothing
    was appended meanwhile by somebody who had the file open since before its rotation.

    Args:
        mode: permissions of the archive.
        gid: its group.
        encrypt_to: encrypt it as well, as ``path.gz.enc``.
        pause: called with the seconds each block took; sleeps to leave the processor to others,
            and answers False to stop (what was done is undone).

    Returns:
        Whether the archive is there and the source is gone.

    Raises:
        OSError: something does not work; the source is untouched.
    """
    source = adopt(open_for_read(path, write=True))
    try:
        while True:
            archive = _existing(path)
            if archive is not None:
                if not _same(archive, source):
                    complain("compression", "an archive of that name has other contents")
                    return False
                read = os.fstat(source).st_size
            else:
                archive = path + (ARCHIVE if encrypt_to is None else ENCRYPTED)
                read = _write_archive(source, path + PARTIAL, mode, gid, encrypt_to, pause)
                if read < 0:
                    return False
                os.rename(path + PARTIAL, archive)
                sync(os.path.dirname(path))
            if _remove_unchanged(source, path, read):
                return True
            os.unlink(archive)  # A late line came; the source still holds everything.
    finally:
        forget(source)


def _existing(path: str) -> str | None:
    """Return the archive of `path` that a crash left beside it; it may be older than an option."""
    found = (path + suffix for suffix in (ARCHIVE, ENCRYPTED))
    return next((archive for archive in found if os.path.lexists(archive)), None)


def _write_archive(
    source: int,
    partial: str,
    mode: int,
    gid: int | None,
    encrypt_to: PublicKey | None,
    pause: Callable[[float], bool],
) -> int:
    """Write the archive, to the disk; return the bytes read, or -1 when told to stop."""
    if os.path.lexists(partial):
        os.unlink(partial)
    out = open_new(partial, mode=mode, gid=gid)
    try:
        archive, read = ArchiveWriter(out, encrypt_to), 0
        for block, went_on in _blocks(source, pause):
            if not went_on:
                os.unlink(partial)
                return -1
            archive.write(block)
            read += len(block)
        archive.finish()
        os.fsync(out)
    except BaseException:
        if os.path.lexists(partial):
            os.unlink(partial)
        raise
    finally:
        os.close(out)
    return read


def _blocks(source: int, pause: Callable[[float], bool]) -> Iterator[tuple[bytes, bool]]:
    os.lseek(source, 0, os.SEEK_SET)
    began = time.perf_counter()
    while block := os.read(source, _BLOCK):
        yield block, True
        if not pause(time.perf_counter() - began):
            yield b"", False
        began = time.perf_counter()


def _remove_unchanged(source: int, path: str, read: int) -> bool:
    """Unlink the source under its lock, unless it has grown, or ends in a dead writer's fragment.

    Who had the file open since before its rotation may have been killed inside a write to it.
    """
    if not wait_lock(source, _LOCK_SECONDS):
        raise TimeoutError("a rotated file stays locked")
    if cut_fragment(source, os.fstat(source).st_size) != read:
        return False
    os.unlink(path)
    return True


def _same(archive: str, source: int) -> bool:
    """Tell whether an archive is the source's."""
    fd = open_for_read(archive)
    try:
        size = os.fstat(fd).st_size
        os.lseek(fd, max(0, size - _TRAILER_BYTES), os.SEEK_SET)
        trailer = os.read(fd, _TRAILER_BYTES)
    finally:
        os.close(fd)
    # One that is encrypted cannot be read here: this side has no key. Its length has to fit.
    crc, length, compressed = 0, 0, 0
    compressor = new_compressor() if archive.endswith(ENCRYPTED) else None
    os.lseek(source, 0, os.SEEK_SET)
    while block := os.read(source, _BLOCK):
        if compressor is not None:
            compressed += len(compressor.compress(block))
        else:
            crc, length = zlib.crc32(block, crc), length + len(block)
    if compressor is not None:
        from crmlogging.crypto.streams import encrypted_size

        return size == encrypted_size(compressed + len(compressor.flush()))
    # RFC 1952: CRC-32, size.
    expected = crc.to_bytes(4, "little") + (length & 0xFFFF_FFFF).to_bytes(4, "little")
    return trailer == expected
