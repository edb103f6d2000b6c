"""The options of `S3Handler`: what is wrong with them, and what follows from them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from crmlogging.crypto.keys import PublicKey
from crmlogging.diagnostics import Tally, complain
from crmlogging.exceptions import Problems, require
from crmlogging.storage.opening import UnsafeFileError
from crmlogging.storage.s3_client import is_encrypted, load_models
from crmlogging.storage.spool import Spool

__all__ = [
    *("check_numbers", "check_place", "check_words", "object_arguments", "open_spool"),
    "require_boto3",
]

_UPLOADING: Final = (
    *("boto3", "botocore.config", "boto3.s3.inject", "concurrent.futures.thread"),
    "encodings.idna",
)

KNOWN: Final = (
    *("bucket", "prefix", "endpoint_url", "region", "spool_dir", "spool_bytes", "spool_files"),
    *("overflow", "block_seconds", "fsync", "encrypt_to", "segment_bytes"),
    *("segment_seconds", "close_seconds", "allow_http", "server_side_encryption", "kms_key_id"),
    *("storage_class", "tags", "expected_owner", "levels", "level"),
)
INSTEAD: Final = {
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
_ENCRYPTION: Final = (None, "AES256", "aws:kms", "aws:kms:dsse")


def check_place(
    problems: Problems, bucket: object, prefix: object, endpoint_url: object, *, allow_http: object
) -> None:
    """Note what is wrong with where the objects are to go."""
    if not isinstance(bucket, str) or not _BUCKET.fullmatch(bucket):
        hint = "; give only the bucket's name, the rest is prefix=" if "/" in str(bucket) else ""
        problems.add("bucket", f"{bucket!r} is no name of a bucket{hint}")
    if not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix):
        problems.add("prefix", f"{prefix!r} has characters that are not safe in a key")
    elif {".", ".."} & set(prefix.split("/")) or "//" in prefix:
        problems.add("prefix", f"{prefix!r} has '.', '..' or empty parts")
    if endpoint_url is None:
        return
    # Never quoted: an address may carry a password.
    if not isinstance(endpoint_url, str) or not re.match(r"https?://[^/\s@]+", endpoint_url):
        problems.add("endpoint_url", "is no http(s) address")
    elif not allow_http and not is_encrypted(endpoint_url):
        problems.add("endpoint_url", "is not encrypted; use https, or allow_http=True if you must")


def check_numbers(problems: Problems, **numbers: object) -> None:
    """Note which of the options are no positive number."""
    for option, value in numbers.items():
        if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
            problems.add(option, f"{value!r} is no number above 0")


def check_words(problems: Problems, **words: object) -> None:
    """Note which of the options are none of the words they know."""
    for option, value in words.items():
        if value not in _WORDS[option]:
            problems.add(option, f"{value!r} is none of {', '.join(map(repr, _WORDS[option]))}")


def object_arguments(
    problems: Problems,
    *,
    server_side_encryption: object,
    kms_key_id: object,
    storage_class: object,
    tags: object,
    expected_owner: object,
) -> dict[str, Any]:
    """Return what every ``put_object`` is given besides the object (S3 API, PutObject)."""
    if server_side_encryption not in _ENCRYPTION:
        known = ", ".join(map(repr, _ENCRYPTION))
        problems.add("server_side_encryption", f"{server_side_encryption!r} is none of {known}")
    if kms_key_id is not None and not str(server_side_encryption).startswith("aws:kms"):
        problems.add("kms_key_id", "needs server_side_encryption='aws:kms'")
    if tags is not None and not isinstance(tags, Mapping):
        problems.add("tags", f"{tags!r} is no mapping")
        tags = None
    arguments = {
        "ServerSideEncryption": server_side_encryption,
        "SSEKMSKeyId": kms_key_id,
        "StorageClass": storage_class,
        "Tagging": urlencode(tags) if tags else None,
        "ExpectedBucketOwner": expected_owner,
    }
    return {name: value for name, value in arguments.items() if value is not None}


def require_boto3() -> None:
    """Import boto3 with all that an upload makes it import and read later.

    Here, in the thread that configures, and not in the uploader's: a fork while another thread
    imports leaves the child with the lock of that module taken for ever (measured: the child
    hung at its exit). Some modules also refuse to be imported while the interpreter exits, when
    a short program's first upload may be due.

    Raises:
        MissingDependencyError: it is not installed.
    """
    for module in _UPLOADING:
        require(module, extra="s3", purpose="S3Handler")
    load_models()


def open_spool(
    problems: Problems,
    spool_dir: Any,
    *,
    bucket: str,
    destination: str,
    tally: Tally,
    encrypt_to: PublicKey | None = None,
) -> Spool:
    """Return the spool of one destination, its directories made.

    Args:
        spool_dir: where spools lie, or None for the first default place that can be written.
        destination: what tells it from others.

    Raises:
        ConfigurationError: with `problems`, if there is no place to write.
    """
    name = re.sub(r"[^A-Za-z0-9.-]", "-", bucket)[:64]
    name = f"{name}-{hashlib.sha256(destination.encode()).hexdigest()[:8]}"
    for place in _default_places() if spool_dir is None else [spool_dir]:
        try:
            directory = os.path.join(os.path.abspath(os.fspath(place)), name)
            spool = Spool(directory, tally=tally, encrypt_to=encrypt_to)
            unsafe = spool.make()
        except UnsafeFileError as error:
            problems.add("spool_dir", f"{place!r} {error.reason}")
        except (OSError, ValueError, TypeError) as error:
            reason = getattr(error, "strerror", None) or "it is no path"
            problems.add("spool_dir", f"cannot write {place!r}: {reason}")
        else:
            if unsafe is not None:
                complain("S3Handler", f"the spool directory is unsafe: {unsafe}")
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
