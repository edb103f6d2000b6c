"""The bucket: one ``put_object`` a call, and what its errors mean for an operator."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from crmlogging.exceptions import require
from crmlogging.storage.spool import ReadyObject

__all__ = ["REMEDIES", "Bucket", "Failure", "explain", "is_encrypted"]

_LONGEST_WAIT_SECONDS: Final = 60.0
REMEDIES: Final[Mapping[str, str]] = {
    "AccessDenied": "allow s3:PutObject on the bucket and prefix for these credentials",
    "AllAccessDisabled": "the bucket is disabled; see the account's messages from the provider",
    "AuthorizationHeaderMalformed": "set region= to the bucket's region",
    "CredentialRetrievalError": "the credentials process or role failed; check the profile",
    "ExpiredToken": "renew the session token; new credentials are read at the next attempt",
    "IllegalLocationConstraintException": "set region= to the bucket's region",
    "InvalidAccessKeyId": "the access key is unknown there; check it and endpoint_url",
    "InvalidBucketName": "check bucket=",
    "InvalidToken": "renew the session token; new credentials are read at the next attempt",
    "KMS.DisabledException": "enable the KMS key or choose another",
    "KMS.NotFoundException": "check kms_key_id=",
    "MissingDependencyError": 'pip install "crmlogging[s3]"',
    "NoCredentialsError": "give credentials by environment, profile or role; none were found",
    "NoSuchBucket": "create the bucket or check bucket=, region= and endpoint_url=",
    "PartialCredentialsError": "give both access key and secret key",
    "PermanentRedirect": "set region= to the bucket's region",
    "PlainHttp": "use an https endpoint, or allow_http=True if you must",
    "RequestTimeTooSkewed": "set the clock of this machine (NTP)",
    "SSLError": "check the certificate of the endpoint",
    "SignatureDoesNotMatch": "check the secret key",
    "TokenRefreshRequired": "renew the session token",
}
"""Errors that waiting does not mend (S3 API reference, "Error responses"), and what does."""

_POISON: Final = frozenset({"EntityTooLarge", "KeyTooLongError", "MetadataTooLarge"})
_NOT_KNOWN: Final = frozenset({"NotImplemented", "InvalidArgument", "InvalidRequest"})
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9.]{0,63}")


def is_encrypted(endpoint_url: str) -> bool:
    """Tell whether an endpoint is https, or on this machine, where nobody listens."""
    parts = urlsplit(endpoint_url)
    host = (parts.hostname or "").rstrip(".")
    local = host in ("localhost", "::1") or host.endswith(".localhost")
    return parts.scheme == "https" or local or bool(re.fullmatch(r"127(\.\d{1,3}){3}", host))


class Failure(NamedTuple):
    """Why an upload did not work, in our own words.

    Attributes:
        code: the provider's, if it has the shape of one, or the kind of error.
        permanent: somebody has to do something first.
        poison: it is this object's fault.
        wait_seconds: what the server asked for, or 0.
    """

    code: str
    permanent: bool
    poison: bool
    wait_seconds: float


def explain(error: Exception) -> Failure:
    """Classify what boto3 raised."""
    response = getattr(error, "response", None)
    code, headers = type(error).__name__, {}
    if isinstance(response, Mapping):
        code = str(response.get("Error", {}).get("Code", "")) or code
        headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    if not _CODE.fullmatch(code):
        code = f"Status{code}" if code.isdigit() else type(error).__name__
    try:
        wait = min(max(0.0, float(headers.get("retry-after", 0))), _LONGEST_WAIT_SECONDS)
    except ValueError:
        wait = 0.0
    return Failure(code, code in REMEDIES, code in _POISON, wait)


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
    ) -> None:
        self._name = name
        self._prefix = prefix
        self._endpoint_url = endpoint_url
        self._region = region
        self._allow_http = allow_http
        self._arguments = arguments
        self._make_client = client or self._boto_client
        self._client: Any = None
        self._conditional = True
        self.preparing = False

    def put(self, item: ReadyObject) -> None:
        """Store an object; it is no error if it is there already.

        Raises:
            Exception: whatever boto3 raises.
        """
        self.prepare()
        checksum = base64.b64encode(item.sha256).decode()
        arguments = {
            "Bucket": self._name,
            "Key": f"{self._prefix}/{item.key}" if self._prefix else item.key,
            "Body": item.body,
            "ContentType": "application/x-ndjson",
            "ContentEncoding": "gzip",
            "ChecksumAlgorithm": "SHA256",
            "ChecksumSHA256": checksum,
            **self._arguments,
        }
        if self._conditional:
            try:
                self._client.put_object(**arguments, IfNoneMatch="*")
            except Exception as error:
                failure = explain(error)
                if failure.code == "PreconditionFailed":
                    return  # An earlier attempt had arrived: the key names these very bytes.
                if failure.code not in _NOT_KNOWN:
                    raise
            else:
                return
        self._client.put_object(**arguments)
        self._conditional = False  # It worked without: the server does not know the condition.

    def prepare(self) -> None:
        """Make the client if there is none; the first time this takes a good part of a second."""
        if self._client is None:
            self.preparing = True
            try:
                self._client = self._make_client()
            finally:
                self.preparing = False

    def renew(self) -> None:
        """Make a new client at the next attempt: credentials may have changed."""
        self._client = None

    def _boto_client(self) -> Any:
        purpose = "uploading to S3"
        boto3 = require("boto3", extra="s3", purpose=purpose)
        config = require("botocore.config", extra="s3", purpose=purpose)
        own = self._endpoint_url or _environment_endpoint()
        client = boto3.session.Session().client(
            "s3",
            endpoint_url=self._endpoint_url,
            region_name=self._region or _environment_region(own),
            config=config.Config(
                connect_timeout=5,
                read_timeout=20,
                retries={"total_max_attempts": 1},  # Ours is the one back-off.
                s3={"addressing_style": "path"} if own else None,
            ),
        )
        if not (self._allow_http or is_encrypted(client.meta.endpoint_url)):
            raise PlainHttp
        return client


class PlainHttp(Exception):  # noqa: N818  # its name is the code that is told
    """The endpoint, from the environment, would be reached without encryption."""


def _environment_endpoint() -> str | None:
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")


def _environment_region(endpoint: str | None) -> str | None:
    # A server other than AWS has no region, but signatures need one.
    if endpoint and not (os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")):
        return "us-east-1"
    return os.environ.get("AWS_REGION") or None
