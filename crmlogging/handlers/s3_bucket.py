"""The bucket: one object a call, whole and checked, or not at all."""

from __future__ import annotations

import base64
import hashlib
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from crmlogging.crypto.envelope import VERSION
from crmlogging.storage.forking import inside
from crmlogging.storage.s3_client import explain, new_client
from crmlogging.storage.s3_deadline import Deadline
from crmlogging.storage.spool import ReadyObject

__all__ = ["PART_BYTES", "Bucket"]

PART_BYTES: Final = 8 * 1024 * 1024
"""Objects above this go in parts of it: one of them is in memory at a time (S3 wants 5 MiB)."""

_NOT_KNOWN: Final = frozenset({"NotImplemented", "InvalidArgument", "InvalidRequest"})
_FORK_WAITS_FOR_CLIENT_SECONDS: Final = 3.0
_FORK_WAITS_SECONDS: Final = 0.1
"""For a call under way; where a server does not answer, forks must not stand still."""
_LEAST_SECONDS: Final = 60.0
_LEAST_BYTES_PER_SECOND: Final = 32 * 1024
"""What an object may take in all: a peer that keeps it up longer is given up, and tried again."""


class NotStored(Exception):  # noqa: N818  # its name is the code that is told
    """What answered is no S3 server: each one names what it has stored (S3 API, PutObject)."""


class Bucket:
    """Where objects go; the client is made at the first upload, in the uploading thread.

    Args:
        name: of the bucket.
        prefix: of all keys, without slashes at its ends.
        endpoint_url: of a server other than AWS, or None.
        region: or None for the environment's.
        allow_http: send over unencrypted connections as well.
        arguments: of every ``put_object``.
        client: makes a boto3 S3 client; for tests.
        monotonic: clock, in seconds.
    """

    def __init__(
        self,
        name: str,
        *,
        prefix: str,
        endpoint_url: str | None,
        region: str | None,
        allow_http: bool,
        arguments: Mapping[str, Any],
        client: Callable[[], Any] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._prefix = prefix
        self._endpoint_url = endpoint_url
        self._region = region
        self._allow_http = allow_http
        self._arguments = arguments
        self._owner = {
            name: value for name, value in arguments.items() if name == "ExpectedBucketOwner"
        }
        self._make_client = client or self._boto_client
        self._deadline = Deadline(monotonic=monotonic)
        self._seconds = math.inf
        self._client: Any = None
        self._conditional = True
        self.forget()

    def allow(self, seconds: float) -> None:
        """Let each `put` take no longer than this, where its size would allow it more."""
        if seconds != self._seconds:
            self.renew()
            self._seconds = seconds

    def put(self, item: ReadyObject) -> None:
        """Store an object; it is no error if it is there already.

        Its bytes were fixed together with its key, before the first attempt. So what is already
        there under this key is this object, also where encryption makes no two texts alike.

        Raises:
            Exception: whatever boto3 raises.
        """
        whole = _LEAST_SECONDS + item.size / _LEAST_BYTES_PER_SECOND
        # The other half is for a read that begins just before.
        self._deadline.begin(min(whole, self._seconds / 2))
        self.prepare()
        with inside(_FORK_WAITS_SECONDS):
            self._put(item)

    def _put(self, item: ReadyObject) -> None:
        target = {"Bucket": self._name, "Key": self._key(item)}
        described = {**target, **_description(item), **self._arguments}
        if item.size > PART_BYTES:
            self._put_parts(item, target, described)
            return
        checksum = base64.b64encode(item.sha256).decode()
        self._once(
            self._client.put_object,
            {**described, "Body": item.read(), "ChecksumSHA256": checksum},
        )

    def _key(self, item: ReadyObject) -> str:
        return f"{self._prefix}/{item.key}" if self._prefix else item.key

    def _once(self, call: Callable[..., Any], arguments: Mapping[str, Any]) -> bool:
        """Make the `call` that makes an object; False if the object is there already."""
        if self._conditional:
            try:
                _confirm(call(**arguments, IfNoneMatch="*"))
            except Exception as error:
                failure = explain(error)
                if failure.code == "PreconditionFailed":
                    return False  # An earlier attempt had arrived.
                if failure.code not in _NOT_KNOWN:
                    raise
            else:
                return True
        _confirm(call(**arguments))
        self._conditional = False  # It worked without: the server does not know the condition.
        return True

    def _put_parts(
        self, item: ReadyObject, target: Mapping[str, Any], described: Mapping[str, Any]
    ) -> None:
        """Upload in parts (S3 API, CreateMultipartUpload); what fails leaves no parts behind.

        Nor does what a killed process had begun. Its parts are found by the note beside the object:
        to list the uploads of a bucket would take a right that the service does not need otherwise.
        """
        upload = self._client.create_multipart_upload(**described)["UploadId"]
        item.note_upload(upload)
        part_of = {**target, "UploadId": upload, **self._owner}
        stored = False
        try:
            parts = [self._put_part(part_of, number, data) for number, data in _parts(item)]
            stored = self._once(
                self._client.complete_multipart_upload,
                {**part_of, "MultipartUpload": {"Parts": parts}},
            )
        finally:
            begun = [each for each in item.uploads() if each != upload]
            if not stored:
                begun.insert(0, upload)
            if all(self._abort({**part_of, "UploadId": each}) for each in begun):
                item.forget_uploads()

    def _abort(self, upload: Mapping[str, Any]) -> bool:
        """Have the server forget an upload; False if it still may have it."""
        try:
            self._client.abort_multipart_upload(**upload)
        except Exception as error:  # noqa: BLE001  # tried again; at last the lifecycle rule does it
            return explain(error).code == "NoSuchUpload"
        return True

    def _put_part(self, target: Mapping[str, Any], number: int, data: bytes) -> dict[str, Any]:
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        answer = self._client.upload_part(
            **target, PartNumber=number, Body=data, ChecksumSHA256=checksum
        )
        return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum}

    def prepare(self) -> None:
        """Make the client if there is none; the first time this takes a good part of a second."""
        if self._client is None:
            with inside(_FORK_WAITS_FOR_CLIENT_SECONDS):
                self.preparing = True
                try:
                    self._client = self._make_client()
                finally:
                    self.preparing = False

    def renew(self) -> None:
        """Make a new client at the next attempt: credentials may have changed."""
        client = self._client
        self.forget()
        close = getattr(client, "close", None)
        if close is not None:
            with suppress(Exception):
                close()

    def forget(self) -> None:
        """Have no client: in a forked child it is the parent's, with its connections and locks."""
        self._client = None
        self._seconds = math.inf
        self.preparing = False

    def _boto_client(self) -> Any:
        return new_client(
            self._endpoint_url,
            region=self._region,
            allow_http=self._allow_http,
            seconds=self._seconds,
            deadline=self._deadline,
        )


def _confirm(answer: Mapping[str, Any]) -> None:
    """See that an object was stored: a portal or proxy on the way may answer 200 to anything."""
    if not answer.get("ETag"):
        raise NotStored


def _description(item: ReadyObject) -> dict[str, Any]:
    if item.key_id is None:
        kind = {"ContentType": "application/x-ndjson", "ContentEncoding": "gzip"}
        return {**kind, "ChecksumAlgorithm": "SHA256"}
    # No encoding: what is inside shows only to who has the key.
    return {
        "ContentType": "application/octet-stream",
        "Metadata": {"crmlogging-envelope": str(VERSION), "crmlogging-key-id": item.key_id},
        "ChecksumAlgorithm": "SHA256",
    }


def _parts(item: ReadyObject) -> Iterator[tuple[int, bytes]]:
    for number, start in enumerate(range(0, item.size, PART_BYTES), start=1):
        yield number, item.read(start, PART_BYTES)
