"""Where lines of an archive are: files, directories, objects of a bucket, each in its order.

logs/crm.jsonl   logs/   s3://bucket/crm   s3://bucket/crm/tier=standard/dt=2026-11-2*
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, BinaryIO, Final, NamedTuple, cast

from crmlogging.storage.given import open_given
from crmlogging.storage.s3_client import REMEDIES, explain

__all__ = ["SUFFIXES", "Source", "sources"]

SUFFIXES: Final = (".jsonl", ".jsonl.gz", ".jsonl.gz.enc")
"""What is read of directories and buckets."""

_SCHEME: Final = "s3://"
_ROTATED: Final = re.compile(
    r"(.+?)(?:\.(debug|standard))?(?:\.(\d{4}-\d\d-\d\d\.\d{6,9}))?\.jsonl(?:\.gz(?:\.enc)?)?",
    re.ASCII,
)
_BLOCK: Final = 65_536
_LAST: Final = "~"  # sorts behind every digit


class Source(NamedTuple):
    """Something to read lines from.

    Attributes:
        name: as a person would give it.
        open: opens it; what then goes wrong in reading is an OSError.
    """

    name: str
    open: Callable[[], AbstractContextManager[BinaryIO]]


def sources(
    place: str, complain: Callable[[str], None], *, client: Callable[[], Any]
) -> Iterator[Source]:
    """Yield what `place` holds.

    Of a directory, or of a bucket below a key, that is all that ends in one of `SUFFIXES`; a file
    or object named itself is read whatever its name. Names are in their order, so that days
    and hours are; an active file comes after the rotated ones of its tier.

    Args:
        place: path, or ``s3://bucket/key``; a ``*`` at the end of a key matches all that follows.
        complain: gets a sentence about what cannot be read.
        client: makes a boto3 S3 client.
    """
    if place.startswith(_SCHEME):
        try:
            yield from _objects(place, client())
        except Exception as error:  # noqa: BLE001  # whatever boto3 raises; it is told
            complain(f"{place} {_cannot(error)}")
    elif os.path.isdir(place):
        yield from _files(place)
    else:
        yield Source(place, _reader(place))


def _reader(path: str) -> Callable[[], AbstractContextManager[BinaryIO]]:
    return partial(open_given, path)


def _files(directory: str) -> Iterator[Source]:
    for folder, folders, names in os.walk(directory):
        folders.sort()
        for name in sorted(filter(_is_line_file, names), key=_order):
            path = os.path.join(folder, name)
            # No pipe, device or link: only regular files hold an archive.
            if stat.S_ISREG(os.lstat(path).st_mode):
                yield Source(path, _reader(path))


def _is_line_file(name: str) -> bool:
    return name.endswith(SUFFIXES)


def _order(name: str) -> tuple[str, str, str, str]:
    match = _ROTATED.fullmatch(name)
    if match is None:
        return name, "", "", name
    stem, tier, day = match.groups()
    return stem, tier or "standard", day or _LAST, name


def _objects(place: str, client: Any) -> Iterator[Source]:
    bucket, _, path = place.removeprefix(_SCHEME).partition("/")
    prefix = path.removesuffix("*")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    found = False
    for page in pages:
        for each in page.get("Contents", ()):
            key = each["Key"]
            below = path.endswith("*") or not path or key.startswith(f"{path.rstrip('/')}/")
            if key == path or (below and key.endswith(SUFFIXES)):
                found = True
                yield Source(f"{_SCHEME}{bucket}/{key}", _opener(client, bucket, key))
    if not found and path:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def _opener(client: Any, bucket: str, key: str) -> Callable[[], AbstractContextManager[BinaryIO]]:
    @contextmanager
    def opened() -> Iterator[BinaryIO]:
        try:
            body = client.get_object(Bucket=bucket, Key=key)["Body"]
        except Exception as error:  # noqa: BLE001  # whatever boto3 raises, in one kind
            raise OSError(errno.EIO, explain(error).code) from None
        with body, io.BufferedReader(_Body(body), _BLOCK) as buffered:
            yield cast("BinaryIO", buffered)

    return opened


class _Body(io.RawIOBase):
    """The body of an object; what boto3 raises while it comes is an OSError."""

    def __init__(self, body: Any) -> None:
        super().__init__()
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        target = memoryview(buffer).cast("B")
        try:
            data: bytes = self._body.read(len(target))
        except Exception as error:  # noqa: BLE001  # whatever boto3 raises, in one kind
            raise OSError(errno.EIO, explain(error).code) from None
        target[: len(data)] = data
        return len(data)


def _cannot(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "does not exist, or holds no lines"
    code = explain(error).code
    remedy = REMEDIES.get(code)
    return f"cannot be listed ({code}{'; ' + remedy if remedy else ''})"
