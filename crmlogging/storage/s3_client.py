"""A client of an S3 server, and what the server's errors mean for an operator."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from crmlogging.exceptions import require
from crmlogging.storage import s3_models
from crmlogging.storage.s3_deadline import Deadline

__all__ = [
    *("REMEDIES", "Failure", "PlainHttp", "explain", "is_encrypted", "new_client"),
]

_LONGEST_WAIT_SECONDS: Final = 60.0
_CONNECT_SECONDS: Final = 5.0
_READ_SECONDS: Final = 20.0
REMEDIES: Final[Mapping[str, str]] = {
    "AccessDenied": "allow it on the bucket and prefix for these credentials (docs/s3.md)",
    "AllAccessDisabled": "the bucket is disabled; see the account's messages from the provider",
    "AuthorizationHeaderMalformed": "set region= to the bucket's region",
    "CredentialRetrievalError": "the credentials process or role failed; check the profile",
    "ExpiredToken": "renew the session token; new credentials are read at the next attempt",
    "IllegalLocationConstraintException": "set region= to the bucket's region",
    "InvalidAccessKeyId": "the access key is unknown there; check it and endpoint_url",
    "InvalidBucketName": "check bucket=",
    "InvalidStorageClass": "check storage_class=",
    "InvalidTag": "check tags=",
    "InvalidToken": "renew the session token; new credentials are read at the next attempt",
    "KMS.DisabledException": "enable the KMS key or choose another",
    "KMS.NotFoundException": "check kms_key_id=",
    "MissingDependencyError": 'pip install "crmlogging[s3]"',
    "NoCredentialsError": "give credentials by environment, profile or role; none were found",
    "NoSuchBucket": "create the bucket or check bucket=, region= and endpoint_url=",
    "NotStored": "check endpoint_url=, and for a portal or proxy on the way: no S3 server answered",
    "PartialCredentialsError": "give both access key and secret key",
    "PermanentRedirect": "set region= to the bucket's region",
    "PlainHttp": "use an https endpoint, or allow_http=True if you must",
    "RequestTimeTooSkewed": "set the clock of this machine (NTP)",
    "SSLError": "check the certificate of the endpoint",
    "SignatureDoesNotMatch": "check the secret key",
    "Status301": "set region= to the bucket's region",
    "Status401": "give credentials that this server, or a proxy on the way, accepts",
    "Status403": "allow s3:PutObject for these credentials; a proxy on the way may forbid it",
    "TokenRefreshRequired": "renew the session token",
}
"""Errors that waiting does not mend (S3 API reference, "Error responses"), and what does."""

_POISON: Final = frozenset({"EntityTooLarge", "KeyTooLongError", "MetadataTooLarge"})
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


class PlainHttp(Exception):  # noqa: N818  # its name is the code that is told
    """The endpoint, from the environment, would be reached without encryption."""


def new_client(
    endpoint_url: str | None = None,
    *,
    region: str | None = None,
    allow_http: bool = False,
    purpose: str = "uploading to S3",
    attempts: int = 1,
    seconds: float = math.inf,
    deadline: Deadline | None = None,
) -> Any:
    """Return a boto3 S3 client; credentials come from where boto3 looks for them.

    Args:
        endpoint_url: of a server other than AWS, or None.
        region: or None for the environment's.
        allow_http: send over unencrypted connections as well.
        purpose: what it is for, in the error when boto3 is missing.
        attempts: how often boto3 tries a call.
        seconds: how long a call may take to connect and to wait for each part of the answer, if
            less than the usual.
        deadline: holds for all its calls together.

    Raises:
        PlainHttp: the endpoint is neither https nor on this machine.
        MissingDependencyError: boto3 is not installed.
        Exception: whatever boto3 raises.
    """
    boto3 = require("boto3", extra="s3", purpose=purpose)
    config = require("botocore.config", extra="s3", purpose=purpose)
    core = require("botocore.session", extra="s3", purpose=purpose).get_session()
    session = boto3.session.Session(botocore_session=core)
    core.register_component("data_loader", s3_models.loader())
    own = endpoint_url or _environment_endpoint()
    client = session.client(
        "s3",
        endpoint_url=endpoint_url,
        region_name=region or _environment_region(own),
        config=config.Config(
            connect_timeout=min(_CONNECT_SECONDS, seconds / 2),
            read_timeout=min(_READ_SECONDS, seconds / 2),
            retries={"total_max_attempts": attempts},
            s3={"addressing_style": "path"} if own else None,
        ),
    )
    if not (allow_http or is_encrypted(client.meta.endpoint_url)):
        raise PlainHttp
    client.meta.events.register("before-call.s3.HeadBucket", _redirect_no_further)
    if deadline is not None:
        deadline.hold_for(client)
    return client


def _redirect_no_further(params: dict[str, Any], **_: Any) -> None:
    """Let botocore look for a bucket's region once after a redirect.

    It asks by HEAD, and treats a redirect of that in the same way: measured, a server that
    answers everything with 301 and names no region gets hundreds of requests, until the recursion
    limit ends it.
    """
    params["context"].setdefault("s3_redirect", {})["redirected"] = True


def _environment_endpoint() -> str | None:
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")


def _environment_region(endpoint: str | None) -> str | None:
    # A server other than AWS has no region, but signatures need one.
    if endpoint and not (os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")):
        return "us-east-1"
    return os.environ.get("AWS_REGION") or None
