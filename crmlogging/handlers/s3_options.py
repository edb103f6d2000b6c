"""The options of `S3Handler`: what is wrong with them, and what follows from them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from crmlogging.crypto.keys import PublicKey
from crmlogging.diagnostics import Tally, complain
from crmlogging.exceptions import Problems, require
from crmlogging.handlers.recipients import checked_recipient
from crmlogging.handlers.s3_bound import SpoolBound
from crmlogging.handlers.s3_bucket import Bucket
from crmlogging.storage import s3_models
from crmlogging.storage.compression import new_compressor
from crmlogging.storage.opening import UnsafeFileError
from crmlogging.storage.s3_client import is_encrypted
from crmlogging.storage.spool import Spool

__all__ = ["Options", "checked", "open_spool", "require_boto3"]

_UPLOADING: Final = (
    *("boto3", "botocore.config", "boto3.s3.inject", "concurrent.futures.thread"),
    "encodings.idna",
)

_KNOWN: Final = (
    *("bucket", "prefix", "endpoint_url", "region", "spool_dir", "spool_bytes", "spool_files"),
    *("overflow", "block_seconds", "fsync", "encrypt_to", "segment_bytes"),
    *("segment_seconds", "close_seconds", "allow_http", "server_side_encryption", "kms_key_id"),
    *("storage_class", "tags", "expected_owner", "levels", "level"),
)
_INSTEAD: Final = {
    "bucket_name": "ours is bucket",
    "key": "objects are named by time; ours is prefix",
    "aws_access_key_id": "credentials come from the environment, a profile or a role",
    "aws_secret_access_key": "credentials come from the environment, a profile or a role",
    "compress": "objects are always gzip",
    "acl": "objects are private",
}
# botocore's own rule, which also covers servers other than AWS.
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}|arn:[A-Za-z0-9:/_.-]{1,250}")
_PREFIX: Final = re.compile(r"[A-Za-z0-9!_.*'()=/-]{0,512}")
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "overflow": ("drop", "block"),
    "fsync": ("never", "error", "batch"),
}
_TEXTS: Final = ("region", "kms_key_id", "storage_class", "expected_owner")
_ENCRYPTION: Final = (None, "AES256", "aws:kms", "aws:kms:dsse")
_NUMBERS: Final = (
    *("spool_bytes", "spool_files", "block_seconds"),
    *("segment_bytes", "segment_seconds", "close_seconds"),
)


class Options(NamedTuple):
    """What was given to a handler and found good; see there.

    Attributes:
        prefix: without slashes at its ends.
        encrypt_to: the key, read.
        arguments: of every ``put_object``, besides the object.
    """

    bucket: str
    prefix: str
    endpoint_url: str | None
    region: str | None
    spool_dir: Any
    spool_bytes: int
    spool_files: int
    overflow: str
    block_seconds: float
    fsync: str
    encrypt_to: PublicKey | None
    segment_bytes: int
    segment_seconds: float
    close_seconds: float
    allow_http: bool
    levels: bool
    level: int | str
    clock: Callable[[], float] | None
    client: Callable[[], Any] | None
    arguments: Mapping[str, Any]

    def place(self) -> Bucket:
        """Return where the objects go."""
        return Bucket(
            self.bucket,
            prefix=self.prefix,
            endpoint_url=self.endpoint_url,
            region=self.region,
            allow_http=self.allow_http,
            arguments=self.arguments,
            client=self.client,
        )

    def bound(self, spool: Spool) -> SpoolBound:
        """Return what decides how much may wait."""
        return SpoolBound(
            spool,
            max_bytes=self.spool_bytes,
            max_files=self.spool_files,
            overflow=self.overflow,
            block_seconds=self.block_seconds,
        )


def checked(owner: str, given: Mapping[str, Any]) -> Options:
    """Return the options of a handler, checked as a whole; what an upload needs is loaded then.

    Args:
        owner: the handler's class, for what is said of them.
        given: each option by its name, and as ``unknown`` those that there are not.

    Raises:
        ConfigurationError: all that is wrong with them.
        MissingDependencyError: boto3 is not installed.
    """
    problems = Problems(owner)
    problems.unknown(given["unknown"], known=_KNOWN, instead=_INSTEAD)
    _check_place(problems, given)
    for option in _NUMBERS:
        value = given[option]
        if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
            problems.add(option, f"{value!r} is no number above 0")
    for option, words in _WORDS.items():
        if given[option] not in words:
            known = ", ".join(map(repr, words))
            problems.add(option, f"{given[option]!r} is none of {known}")
    problems.level(given["level"])
    problems.flags(levels=given["levels"], allow_http=given["allow_http"])
    problems.functions(clock=given["clock"], client=given["client"])
    problems.paths(spool_dir=given["spool_dir"])
    for option in _TEXTS:
        if given[option] is not None and not _is_text(given[option]):
            problems.add(option, f"{given[option]!r} is no text")
    found = {name: given[name] for name in Options._fields if name in given}
    found["encrypt_to"] = checked_recipient(given["encrypt_to"], problems)
    found["arguments"] = _object_arguments(problems, given)
    problems.raise_if_any()
    if given["client"] is None:
        require_boto3()
    return Options(**{**found, "prefix": given["prefix"].strip("/")})


def _quoted(place: object) -> str:
    """Return `place` as a complaint may show it: an address may carry a password or a token."""
    if not isinstance(place, str):
        return type(place).__name__
    return "an address" if {"@", "?"} & set(place) else repr(place)


def _check_place(problems: Problems, given: Mapping[str, Any]) -> None:
    bucket, prefix, endpoint_url = given["bucket"], given["prefix"], given["endpoint_url"]
    if not isinstance(bucket, str) or not _BUCKET.fullmatch(bucket):
        hint = "; give only the bucket's name, the rest is prefix=" if "/" in str(bucket) else ""
        problems.add("bucket", f"{_quoted(bucket)} is no name of a bucket{hint}")
    if not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix):
        problems.add("prefix", f"{_quoted(prefix)} has characters that are not safe in a key")
    elif {".", ".."} & set(prefix.split("/")) or "//" in prefix:
        problems.add("prefix", f"{prefix!r} has '.', '..' or empty parts")
    if endpoint_url is None:
        return
    # Never quoted: an address may carry a password.
    if not isinstance(endpoint_url, str) or not re.match(r"https?://[^/\s@]+", endpoint_url):
        problems.add("endpoint_url", "is no http(s) address")
    elif not given["allow_http"] and not is_encrypted(endpoint_url):
        problems.add("endpoint_url", "is not encrypted; use https, or allow_http=True if you must")


def _object_arguments(problems: Problems, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what every ``put_object`` is given besides the object (S3 API, PutObject)."""
    server_side_encryption, tags = given["server_side_encryption"], given["tags"]
    if server_side_encryption not in _ENCRYPTION:
        known = ", ".join(map(repr, _ENCRYPTION))
        problems.add("server_side_encryption", f"{server_side_encryption!r} is none of {known}")
    if given["kms_key_id"] is not None and not str(server_side_encryption).startswith("aws:kms"):
        problems.add("kms_key_id", "needs server_side_encryption='aws:kms'")
    if tags is not None and not (
        isinstance(tags, Mapping) and all(map(_is_text, (*tags, *tags.values())))
    ):
        problems.add("tags", f"{tags!r} is no mapping of text to text")
        tags = None
    arguments = {
        "ServerSideEncryption": server_side_encryption,
        "SSEKMSKeyId": given["kms_key_id"],
        "StorageClass": given["storage_class"],
        "Tagging": urlencode(tags) if tags else None,
        "ExpectedBucketOwner": given["expected_owner"],
    }
    return {name: value for name, value in arguments.items() if value is not None}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and bool(value)


def require_boto3() -> None:
    """Import boto3, with all that packing and an upload import and read later.

    Here, in the thread that configures, and not in the uploader's: a fork while another thread
    imports leaves the child with the lock of that module taken for ever (measured: the child
    hung at its exit). Some modules also refuse to be imported while the interpreter exits, when
    a short program's first upload may be due.

    Raises:
        MissingDependencyError: it is not installed.
    """
    for module in _UPLOADING:
        require(module, extra="s3", purpose="S3Handler")
    new_compressor()
    s3_models.load()


def open_spool(owner: str, options: Options, tally: Tally) -> Spool:
    """Return the spool of one destination, its directories made.

    Raises:
        ConfigurationError: there is no place to write.
    """
    problems = Problems(owner)
    destination = "\0".join((options.endpoint_url or "", options.bucket, options.prefix))
    name = re.sub(r"[^A-Za-z0-9.-]", "-", options.bucket)[:64]
    name = f"{name}-{hashlib.sha256(destination.encode()).hexdigest()[:8]}"
    for place in _default_places() if options.spool_dir is None else [options.spool_dir]:
        try:
            directory = os.path.join(os.path.abspath(os.fspath(place)), name)
            spool = Spool(directory, tally=tally, encrypt_to=options.encrypt_to)
            unsafe = spool.make()
        except UnsafeFileError as error:
            problems.add("spool_dir", f"{place!r} {error.reason}")
        except (OSError, ValueError, TypeError) as error:
            reason = getattr(error, "strerror", None) or "it is no path"
            problems.add("spool_dir", f"cannot write {place!r}: {reason}")
        else:
            if unsafe is not None:
                complain(owner, f"the spool directory is unsafe: {unsafe}")
            return spool
    problems.raise_if_any()
    raise AssertionError("a place was found or a problem was raised")


def _default_places() -> list[Any]:
    homes = [
        os.environ.get("STATE_DIRECTORY", "").split(":")[0],  # systemd.exec(5)
        os.environ.get("XDG_STATE_HOME", ""),
        os.path.join(os.path.expanduser("~"), ".local", "state"),
    ]
    places = [os.path.join(home, "crmlogging") for home in homes if os.path.isabs(home)]
    import tempfile  # Here: it brings along more than this whole module.

    own = str(os.geteuid()) if hasattr(os, "geteuid") else "user"
    return [*places, os.path.join(tempfile.gettempdir(), f"crmlogging-{own}")]
