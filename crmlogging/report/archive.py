"""Reading lines back: plain or gzip files, whole directories, whatever state they are in.

A torn line, a truncated archive or garbage behind one costs what cannot be read, never the rest;
the `Archive` counts and says what that was. Memory stays bounded, whatever a file expands to.
"""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Final, cast

import orjson

__all__ = ["Archive"]

LINE_BYTES: Final = 16_000_000
"""Longest line read; a longer one is skipped."""
FILE_BYTES: Final = 8_000_000_000
"""Most read out of one file, decompressed; what expands beyond that is no log."""

_SUFFIXES: Final = (".jsonl", ".jsonl.gz")
_GZIP_MAGIC: Final = b"\x1f\x8b"
_PROBLEMS_KEPT: Final = 100


class Archive:
    """The lines of files and directories, each record once.

    Of a directory, all ``*.jsonl`` and ``*.jsonl.gz`` below it are read, in the order of their
    names; a file named itself is read whatever its name. A record that is in several files (in a
    log and in its copy in S3) counts once, by its ``record.id``.

    Args:
        paths: files and directories.
        line_bytes: longest line read.
        file_bytes: most read out of one file.

    Attributes:
        files: files read so far.
        lines: lines handed out so far.
        skipped: lines that are no JSON object.
        repeated: lines whose record had been handed out before.
        problems: what could not be read, one sentence a file.

    Example:
        >>> archive = Archive([])
        >>> list(archive), archive.files
        ([], 0)
    """

    def __init__(
        self,
        paths: Iterable[str | os.PathLike[str]],
        *,
        line_bytes: int = LINE_BYTES,
        file_bytes: int = FILE_BYTES,
    ) -> None:
        self._paths = [Path(path) for path in paths]
        self._line_bytes = line_bytes
        self._file_bytes = file_bytes
        self._seen = _RecordIds()
        self.files = self.lines = self.skipped = self.repeated = 0
        self.problems: list[str] = []

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the fields of each line that can be read; call it once."""
        for path in self._paths:
            for file in _files_of(path):
                yield from self._lines_of(file)

    def remarks(self) -> list[str]:
        """Return what a reader of the report has to know about the reading, one sentence each."""
        remarks = list(self.problems)
        if self.skipped:
            remarks.append(f"Skipped {_number(self.skipped)} without a JSON object.")
        if self.repeated:
            remarks.append(f"Left out {_number(self.repeated)} with a record counted already.")
        return remarks

    def _lines_of(self, path: Path) -> Iterator[dict[str, Any]]:
        try:
            with _opened(path) as stream:
                self.files += 1
                for raw in self._raw_lines(stream, path):
                    line = _parsed(raw)
                    if line is None:
                        self.skipped += 1
                    elif self._seen.add(line.get("record.id")):
                        self.lines += 1
                        yield line
                    else:
                        self.repeated += 1
        except EOFError:
            self._complain(
                path, "ends in the middle of its compressed data; what came before counts"
            )
        except (gzip.BadGzipFile, zlib.error):
            self._complain(path, "holds data that is not gzip; what came before counts")
        except OSError as error:
            self._complain(path, f"cannot be read ({error.strerror or type(error).__name__})")

    def _raw_lines(self, stream: IO[bytes], path: Path) -> Iterator[bytes]:
        """Yield lines; one that is too long is read past in pieces and skipped."""
        total, too_long = 0, False
        while piece := stream.readline(self._line_bytes):
            total += len(piece)
            if total > self._file_bytes:
                self._complain(
                    path, f"holds more than {self._file_bytes:,} bytes; the rest was left out"
                )
                return
            ended = piece.endswith(b"\n")
            if too_long or (not ended and len(piece) >= self._line_bytes):
                self.skipped += ended
                too_long = not ended
            elif piece.strip():
                yield piece
        self.skipped += too_long

    def _complain(self, path: Path, what: str) -> None:
        if len(self.problems) < _PROBLEMS_KEPT:
            self.problems.append(f"{path} {what}.")


def _number(lines: int) -> str:
    return f"{lines:,} line{'' if lines == 1 else 's'}"


def _files_of(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            if name.endswith(_SUFFIXES) and _is_regular(file := Path(folder, name)):
                yield file


def _is_regular(file: Path) -> bool:
    """Tell whether `file` is no pipe, device or link: only regular files hold an archive."""
    try:
        return stat.S_ISREG(file.lstat().st_mode)
    except OSError:
        return False


def _opened(path: Path) -> IO[bytes]:
    """Open `path`, decompressing it where its first bytes say gzip, whatever its name says."""
    file = path.open("rb")
    try:
        magic = file.read(len(_GZIP_MAGIC))
        file.seek(0)
    except OSError:
        file.close()
        raise
    if magic != _GZIP_MAGIC:
        return file
    file.close()
    return cast("IO[bytes]", gzip.open(path, "rb"))


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return line if type(line) is dict else None


class _RecordIds:
    """Ids handed out, as one bit each: a process's counter goes up from 1.

    Ids of another form, and counters no process reaches, are kept as they are, up to a number.
    """

    _LARGEST: Final = 1 << 26
    _OTHERS_KEPT: Final = 100_000

    def __init__(self) -> None:
        self._bits: dict[str, bytearray] = {}
        self._others: set[str] = set()

    def add(self, identity: object) -> bool:
        """Remember `identity`; False where it was there. What is no id is always new."""
        if type(identity) is not str:
            return True
        prefix, _, digits = identity.rpartition("-")
        number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else 0
        if not 0 < number <= self._LARGEST or len(prefix) > 32:
            return self._add_other(identity)
        bits = self._bits.setdefault(prefix, bytearray())
        index, mask = number >> 3, 1 << (number & 7)
        if index >= len(bits):
            bits.extend(bytes(index + 1 - len(bits)))
        if bits[index] & mask:
            return False
        bits[index] |= mask
        return True

    def _add_other(self, identity: str) -> bool:
        identity = identity[:128]
        if identity in self._others:
            return False
        if len(self._others) < self._OTHERS_KEPT:
            self._others.add(identity)
        return True
