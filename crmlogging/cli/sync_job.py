"""The service of the demo: it sends contacts to a CRM and logs as services do.

Nothing here knows about redaction, grouping or S3. Some calls are as careless as real ones are:
they put an address into the message, a body into an exception, a whole contact into ``extra``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import requests
import tenacity

import crmlogging
from crmlogging.cli.demo_scenarios import Call

__all__ = ["ATTEMPTS", "Connection", "ContactSync"]

ATTEMPTS: Final = 3
"""Most times that a call is sent."""
TIME_SCALE: Final = 0.005
"""The demo waits 5 ms for each second that a CRM asks for."""
_PAGE: Final = 250
_TIMEOUT_SECONDS: Final = 10.0

logger = logging.getLogger("crm.sync")


@dataclass(frozen=True, slots=True)
class Connection:
    """Our account with a CRM.

    Attributes:
        crm: provider.
        tenant: customer account.
        token: access token.
        url: where a call is sent.
    """

    crm: str
    tenant: str
    token: str
    url: Callable[[Call], str]


class CallFailedError(requests.RequestException):
    """A call that the CRM did not carry out; `response` is its answer, if there was one.

    Attributes:
        verdict: what the failure means.
    """

    def __init__(
        self,
        text: str,
        verdict: crmlogging.CrmError,
        response: requests.Response | None = None,
    ) -> None:
        super().__init__(text, response=response)
        self.verdict = verdict


class ContactSync:
    """Sends the contacts of one connection, one call after the other.

    Args:
        connection: the account to send to.
        done: called with the number of contacts after each call.
        sleep: waits some seconds.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        done: Callable[[int], None] = lambda contacts: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._done = done
        self._sleep = sleep
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between us and loopback
        self._session.headers["Authorization"] = f"Bearer {connection.token}"
        self.succeeded = self.failed = 0
        self._stopped = False

    def stop(self) -> None:
        """End `run`, which is in another thread, after the call it is at."""
        self._stopped = True

    def run(self, calls: Sequence[Call]) -> None:
        """Send all calls; a failure is logged and does not end the run."""
        about = {"tenant.code": self._connection.tenant, "resource.type": "contact"}
        with self._session, crmlogging.correlation(crm=self._connection.crm, **about):
            logger.info("Sync started", extra={"queue.depth": len(calls)})
            for number, call in enumerate(calls, start=1):
                if self._stopped:
                    return
                self._sync(call)
                self._done(len(call.contacts))
                if number % _PAGE == 0:
                    waiting = {"queue.depth": len(calls) - number}
                    logger.info("Calls sent", extra={**self._totals(), **waiting})
            logger.info("Sync finished", extra=self._totals())

    def _totals(self) -> dict[str, Any]:
        total = self.succeeded + self.failed
        return {
            "sync.succeeded": self.succeeded,
            "sync.failed": self.failed,
            "sync.success_rate": round(self.succeeded / total, 4) if total else 0.0,
        }

    def _sync(self, call: Call) -> None:
        with crmlogging.correlation(**{"resource.id": call.contacts[0].id}):
            retrying = tenacity.Retrying(
                stop=tenacity.stop_after_attempt(ATTEMPTS),
                retry=tenacity.retry_if_exception(_may_pass_later),
                wait=_wait,
                before_sleep=_log_retry,
                sleep=lambda seconds: self._sleep(seconds * TIME_SCALE),
                reraise=True,
            )
            try:
                for attempt in retrying:
                    with attempt:
                        self._send(call, attempt.retry_state.attempt_number)
            except CallFailedError as error:
                self.failed += len(call.contacts)
                _log_failure(call, error)
            else:
                self.succeeded += len(call.contacts)

    def _send(self, call: Call, attempt: int) -> None:
        """Send `call` once; raises CallFailedError."""
        crm, url = self._connection.crm, self._connection.url(call)
        payload: list[dict[str, Any]] = [contact.as_payload() for contact in call.contacts]
        crmlogging.unbind("response.status")
        crmlogging.bind(**{"request.attempt": attempt, "request.method": "POST"})
        crmlogging.bind(**{"request.path": call.provider.path})
        started = time.perf_counter()
        try:
            response = self._session.post(
                url,
                json={"data": payload},
                headers={"Idempotency-Key": call.key},
                timeout=_TIMEOUT_SECONDS,
            )
        except requests.RequestException as error:
            verdict = crmlogging.classify(exception=error, provider=crm, method="POST", url=url)
            if verdict is None:
                raise
            raise CallFailedError(f"no answer for {payload}: {error}", verdict) from error
        duration = round((time.perf_counter() - started) * 1_000, 1)
        crmlogging.bind(
            **{"response.status": response.status_code, "request.duration_ms": duration}
        )
        verdict = crmlogging.classify(
            status=response.status_code,
            headers=response.headers,
            body=response.content,
            provider=crm,
            method="POST",
            url=url,
        )
        if verdict is not None:
            raise CallFailedError(
                f"{response.status_code} for {payload}: {response.text}", verdict, response
            )


def _may_pass_later(error: BaseException) -> bool:
    return isinstance(error, CallFailedError) and error.verdict.retryable


def _error_of(state: tenacity.RetryCallState) -> CallFailedError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, CallFailedError)
    return error


def _wait(state: tenacity.RetryCallState) -> float:
    """Return seconds to wait: what the CRM asks for, else 1, 2, 4, ..."""
    asked = _error_of(state).verdict.retry_after_seconds
    return float(2 ** (state.attempt_number - 1)) if asked is None else asked


def _log_retry(state: tenacity.RetryCallState) -> None:
    error, wait = _error_of(state), state.upcoming_sleep
    logger.warning(
        "Call failed, retrying",
        exc_info=error,
        extra={"request.delay_ms": wait * 1_000},
    )


def _log_failure(call: Call, error: CallFailedError) -> None:
    """Log that `call` failed for good, in one of the ways that are seen in the field."""
    contact, response = call.contacts[0], error.response
    way = int(call.key[-1]) % 5
    if response is None or way == 0:
        logger.error("Contact sync failed", exc_info=error)
    elif way == 1:
        logger.error("Contact sync failed", extra={"response": response})
    elif way == 2:
        logger.error(f"Failed to sync {contact.email}", exc_info=error)  # noqa: G004  # as many programs do: nothing of it may get out
    elif way == 3:
        logger.error("Contact sync failed: %s", response.text, extra={"error": error})
    else:
        sent = {"contact": contact.as_payload(), "headers": dict(response.request.headers)}
        logger.error("Contact sync failed", extra={"response": response, **sent})
