"""Reading lines back: plain, gzip or encrypted, files, directories, buckets, in whatever state.

A torn line, a truncated archive or garbage behind one costs what cannot be read, never the rest;
the `Archive` counts and says what that was. Memory stays bounded, whatever a file expands to.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, Final, cast

import orjson

from crmlogging.crypto.keys import PrivateKeys
from crmlogging.storage import lines as storage_lines
from crmlogging.storage.lines import INFLATED_BYTES, LINE_BYTES, read_lines
from crmlogging.storage.s3_client import new_client
from crmlogging.storage.sources import Source, sources

__all__ = ["Archive"]

_PROBLEMS_KEPT: Final = 100


class Archive:
    """The lines of files, directories and buckets, each record once.

    Of a directory, or of a bucket below a key, all that `crmlogging.storage.sources` takes for an
    archive is read, in its order; a file named itself is read whatever its name. A record that is
    in several files (in a log and in its copy in S3) counts once, by its ``record.id``.

    Args:
        places: files, directories, and ``s3://bucket/key``.
        keys: open what is encrypted.
        client: makes a boto3 S3 client.
        line_bytes: longest line read; a longer one is skipped.
        inflated_bytes: most read out of one compressed file; what expands beyond is no log.

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
        places: Iterable[str | os.PathLike[str]],
        *,
        keys: PrivateKeys | None = None,
        client: Callable[[], Any] = lambda: new_client(purpose="reading from S3", attempts=5),
        line_bytes: int = LINE_BYTES,
        inflated_bytes: int = INFLATED_BYTES,
    ) -> None:
        self._places = [os.fspath(place) for place in places]
        self._keys = keys
        self._client = cache(client)
        self._line_bytes = line_bytes
        self._inflated_bytes = inflated_bytes
        self._seen = _RecordIds()
        self.files = self.lines = self.skipped = self.repeated = 0
        self.problems: list[str] = []

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the fields of each line that can be read; call it once.

        Raises:
            MissingDependencyError: something is encrypted, or in a bucket, and the package for
                that is not installed.
        """
        for place in self._places:
            for source in sources(place, self._complain, client=self._client):
                yield from self._lines_of(source)

    def remarks(self) -> list[str]:
        """Return what a reader of the report has to know about the reading, one sentence each."""
        remarks = list(self.problems)
        if self.skipped:
            remarks.append(f"Skipped {_number(self.skipped)} without a JSON object.")
        if self.repeated:
            remarks.append(f"Left out {_number(self.repeated)} with a record counted already.")
        return remarks

    def _lines_of(self, source: Source) -> Iterator[dict[str, Any]]:
        try:
            with source.open() as stream:
                self.files += 1
                for raw in self._raw_lines(cast("storage_lines.Source", stream), source.name):
                    line = _parsed(raw)
                    if line is None:
                        self.skipped += 1
                    elif self._seen.add(line.get("record.id")):
                        self.lines += 1
                        yield line
                    else:
                        self.repeated += 1
        except OSError as error:
            self._complain(
                f"{source.name} cannot be read ({error.strerror or type(error).__name__})"
            )

    def _raw_lines(self, stream: storage_lines.Source, name: str) -> Iterator[bytes]:
        """Yield lines; one that is too long, or cut off with its file, is not among them."""
        cut: list[str] = []
        in_parts = False
        for line in read_lines(
            stream,
            cut.append,
            keys=self._keys,
            line_bytes=self._line_bytes,
            inflated_bytes=self._inflated_bytes,
        ):
            ended = line.raw.endswith(b"\n")
            if not line.whole:
                self.skipped += ended
                in_parts = not ended
            elif line.raw.strip() and (ended or not cut):
                yield line.raw
        self.skipped += in_parts
        for what in cut:
            self._complain(f"{name} {what}")

    def _complain(self, sentence: str) -> None:
        if len(self.problems) < _PROBLEMS_KEPT:
            self.problems.append(f"{sentence}.")


def _number(lines: int) -> str:
    return f"{lines:,} line{'' if lines == 1 else 's'}"


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
