"""Uploading: one object after the other, never in a hurry against a server that says no."""

from __future__ import annotations

import base64
import os
import random
import re
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from crmlogging.diagnostics import Tally, complain
from crmlogging.exceptions import require
from crmlogging.storage.spool import ReadyObject, Spool

__all__ = ["Bucket", "Uploader", "is_encrypted", "uploading"]

_IDLE_SECONDS: Final = 1.0
_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 60.0
_SLOW_SECONDS: Final = 60.0

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


class _Thread(threading.local):
    active = False


uploading: Final = _Thread()
"""``active`` is true in a thread while it uploads: what it logs must not go into the spool."""


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
        wait = min(float(headers.get("retry-after", 0)), _LONGEST_PAUSE_SECONDS)
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

    def put(self, item: ReadyObject) -> None:
        """Store an object; it is no error if it is there already.

        Raises:
            Exception: whatever boto3 raises.
        """
        if self._client is None:
            self._client = self._make_client()
        checksum = base64.b64encode(item.sha256).decode()
        arguments = {
            "Bucket": self._name,
            "Key": f"{self._prefix}/{item.key}" if self._prefix else item.key,
            "Body": item.body,
            "ContentType": "application/x-ndjson",
            "ContentEncoding": "gzip",
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


class Uploader:
    """Empties a spool in the background; at most one daemon thread.

    Args:
        spool: to be emptied.
        bucket: where to.
        seal: called before each round: finishes what is due, or all when asked to.
        tally: receives ``uploaded``, ``upload_failed.CODE``, ``rejected``.
        monotonic: clock, in seconds.
        jitter: returns a random number between 0 and its argument.
    """

    def __init__(
        self,
        spool: Spool,
        bucket: Bucket,
        *,
        seal: Callable[[bool], None],
        tally: Tally,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[float], float] = lambda most: random.uniform(0, most),
    ) -> None:
        self._spool = spool
        self._bucket = bucket
        self._seal = seal
        self._tally = tally
        self._monotonic = monotonic
        self._jitter = jitter
        self._failures = 0
        self._not_before = 0.0
        self._forget()
        _all.add(self)

    def _forget(self) -> None:
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()
        self._asked = self._answered = 0
        self._empty = True
        self._hopeless = False
        self._closing = False
        self._round_lock = threading.Lock()
        self._bucket.renew()  # A connection must not be used by parent and child.

    @property
    def running(self) -> bool:
        """Whether the thread is there, and means to stay."""
        return self._thread is not None and not self._closing

    def start(self) -> None:
        """Start the thread if it is not there; where none can start, `drain` does its work."""
        with self._changed:
            self._closing = False
            if self._thread is not None and self._thread.is_alive():
                return
            thread = threading.Thread(target=self._run, name="crmlogging-s3", daemon=True)
            self._thread = thread
            try:
                thread.start()
            except RuntimeError:  # At interpreter exit.
                self._thread = None

    def drain(self, timeout: float) -> bool:
        """Upload everything within `timeout` seconds; False if something is left."""
        end = self._monotonic() + timeout
        while True:
            answer = self._ask(end)
            if answer is not None:
                return answer

    def _ask(self, end: float) -> bool | None:
        """Wait for one round that began after this call; None when another one may help."""
        if self._thread is None or not self._thread.is_alive():
            self._round(everything=True)
        else:
            with self._changed:
                self._asked += 1
                mine = self._asked
                self._changed.notify_all()
                left = end - self._monotonic()
                if not self._changed.wait_for(lambda: self._answered >= mine, max(0.0, left)):
                    return False
        if self._empty or self._hopeless:
            return self._empty
        pause = self._not_before - self._monotonic()
        if self._monotonic() + pause >= end:
            return False
        time.sleep(max(0.0, pause))
        return None

    def close(self, *, last_round: bool = False) -> None:
        """Let the thread end after its present round, or after one more."""
        with self._changed:
            self._closing = True
            self._asked += last_round
            self._changed.notify_all()

    def _run(self) -> None:
        uploading.active = True
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._closing or self._asked > self._answered, _IDLE_SECONDS
                )
                if self._closing and self._asked <= self._answered:
                    self._thread = None
                    return
                asked = self._asked
                everything = asked > self._answered
            self._round(everything=everything)
            with self._changed:
                self._answered = asked
                self._changed.notify_all()

    def _round(self, *, everything: bool) -> None:
        """Seal, pack and upload; `everything` also seals what is not due, and tries at once."""
        was_active, uploading.active = uploading.active, True
        try:
            with self._round_lock:
                self._seal(everything)
                left = self._spool.pack()
                self._hopeless = False
                if everything or self._monotonic() >= self._not_before:
                    left += self._upload()
                    self._empty = not left
        except Exception as error:  # noqa: BLE001  # a thread's loop: told, and tried again
            self._empty = False
            complain("S3Handler", error, hint="the lines stay in the spool")
            self._back_off(Failure("", permanent=False, poison=False, wait_seconds=0))
        finally:
            uploading.active = was_active

    def _upload(self) -> int:
        """Upload what is ready; return how much could not be."""
        for item in self._spool.ready():
            try:
                self._bucket.put(item)
            except Exception as error:  # noqa: BLE001  # counted below, and tried again
                failure = explain(error)
                self._tally.add(f"upload_failed.{failure.code}")
                self._tell(failure)
                if failure.poison:
                    self._spool.reject(item)
                    self._tally.add("rejected")
                    continue
                self._spool.keep(item)
                self._back_off(failure)
                return 1
            self._spool.delivered(item)
            self._tally.add("uploaded")
            self._failures = 0
        return 0

    def _tell(self, failure: Failure) -> None:
        hint = REMEDIES.get(failure.code, "it is tried again with growing pauses")
        complain("S3Handler", f"upload failed with {failure.code}", hint=hint)

    def _back_off(self, failure: Failure) -> None:
        """Wait with full jitter, doubling up to a minute; longer where waiting mends nothing."""
        self._failures += 1
        if failure.permanent:
            self._hopeless = True
            self._bucket.renew()
            pause = _SLOW_SECONDS / 2 + self._jitter(_SLOW_SECONDS)
        else:
            most = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0 ** min(self._failures, 9))
            pause = failure.wait_seconds + self._jitter(most)
        self._not_before = self._monotonic() + pause


_all: Final[weakref.WeakSet[Uploader]] = weakref.WeakSet()


def _after_fork() -> None:
    for each in list(_all):
        each._forget()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
