"""Promises of faults: exceptions and their text give the same, without importing any client."""

from __future__ import annotations

import json
import socket
import ssl
import traceback
from typing import Any

import pytest
import tenacity
import urllib3
from requests import exceptions as rex

from crmlogging.errors.classify import classify
from crmlogging.errors.model import CrmError
from crmlogging.errors.raised.faults import read_fault


def failed(exception: BaseException | str) -> CrmError:
    """Classify an exception."""
    error = classify(exception=exception)
    assert error is not None
    return error


def chained(outer: BaseException, inner: BaseException) -> BaseException:
    """Return `outer` as raised from `inner`."""
    outer.__cause__ = inner
    return outer


class TestLiveAndText:
    @pytest.mark.parametrize(
        ("exception", "reason"),
        [
            pytest.param(socket.gaierror(-2, "Name or service not known"), "DNS_FAILURE", id="dns"),
            pytest.param(ConnectionRefusedError(111, "Connection refused"), "CONNECTION_REFUSED"),
            pytest.param(ConnectionResetError(104, "Connection reset by peer"), "CONNECTION_LOST"),
            pytest.param(OSError(113, "No route to host"), "NO_ROUTE"),
            pytest.param(TimeoutError("timed out"), "TIMEOUT"),
            pytest.param(
                ssl.SSLCertVerificationError(1, "certificate verify failed"), "TLS_FAILURE"
            ),
            pytest.param(rex.ConnectTimeout("x"), "CONNECT_TIMEOUT"),
            pytest.param(rex.ReadTimeout("x"), "TIMEOUT"),
            pytest.param(rex.ProxyError("x"), "PROXY_FAILURE"),
            pytest.param(rex.MissingSchema("Invalid URL 'x': No scheme supplied."), "WRONG_SETUP"),
            pytest.param(rex.InvalidHeader("x"), "WRONG_SETUP"),
            pytest.param(rex.TooManyRedirects("Exceeded 30 redirects."), "WRONG_URL"),
            pytest.param(rex.ChunkedEncodingError("x"), "CONNECTION_LOST"),
            pytest.param(json.JSONDecodeError("Expecting value", "", 0), "TRUNCATED"),
            pytest.param(ValueError("bad phone"), "UNKNOWN"),
        ],
    )
    def test_same_reason_either_way(self, exception: Exception, reason: str) -> None:
        """A live exception and its line in a log are the same failure."""
        live = failed(exception)
        kind = type(exception)
        text = f"{kind.__module__}.{kind.__qualname__}: {exception}"
        assert live.reason == reason
        assert failed(text).reason == reason
        lines = traceback.format_exception(exception)
        assert failed("".join(lines)).reason == reason

    def test_innermost_cause_decides(self) -> None:
        """The wrapper of a wrapper is what its cause is."""
        refused = ConnectionRefusedError(111, "Connection refused")
        pool = urllib3.HTTPSConnectionPool("h.example")
        retries = urllib3.exceptions.MaxRetryError(pool, "/", refused)
        wrapped = chained(RuntimeError("sync failed"), rex.ConnectionError(retries))
        assert failed(wrapped).reason == "CONNECTION_REFUSED"

    def test_tenacity_gives_the_last_attempt(self) -> None:
        """A RetryError is what the last attempt raised."""

        @tenacity.retry(stop=tenacity.stop_after_attempt(1))
        def call() -> None:
            raise rex.ReadTimeout("slow")

        with pytest.raises(tenacity.RetryError) as caught:
            call()
        assert failed(caught.value).reason == "TIMEOUT"

    def test_long_chain_is_bounded(self) -> None:
        """Of an endless chain only the outer links are looked at."""
        error: BaseException = ValueError("end")
        for _ in range(1_000):
            error = chained(ValueError("more"), error)
        fault = read_fault(error)
        assert fault is not None
        assert len(fault.names) <= 24

    def test_suppressed_context_does_not_count(self) -> None:
        """What ``raise ... from None`` hid stays hidden."""
        error = ValueError("bad")
        error.__context__ = TimeoutError("timed out")
        error.__suppress_context__ = True
        assert failed(error).reason == "UNKNOWN"


class TestToldAnswers:
    @pytest.mark.parametrize(
        ("text", "status"),
        [
            ("requests.exceptions.HTTPError: 503 Server Error: x for url: https://h/", 503),
            ("httpx.HTTPStatusError: Client error '404 Not Found' for url 'https://h/'", 404),
            ("urllib.error.HTTPError: HTTP Error 500: Internal Server Error", 500),
            (
                "aiohttp.client_exceptions.ClientResponseError: 429, message='Too Many Requests'",
                429,
            ),
            ("hubspot.crm.contacts.exceptions.ApiException: (401)\nReason: Unauthorized\n", 401),
            ("x.SdkError: request failed, status code: 409", 409),
            ("x.SdkError: order 404 of 500 could not be read", None),
        ],
    )
    def test_status_is_read_from_text(self, text: str, status: int | None) -> None:
        """SDKs put the status into the message in their own ways; other numbers are none."""
        assert failed(text).status == status

    def test_body_is_read_from_text(self) -> None:
        """A body quoted in the message is read as if it had been passed."""
        error = failed(
            "simple_salesforce.exceptions.SalesforceMalformedRequest: Malformed request "
            "https://x.my.salesforce.com/y. Response content: [{'message': 'Required fields are "
            "missing: [LastName]', 'errorCode': 'REQUIRED_FIELD_MISSING', 'fields': ['LastName']}]"
        )
        assert error.provider_code == "REQUIRED_FIELD_MISSING"
        assert [field.field for field in error.fields] == ["LastName"]

    @pytest.mark.parametrize("thing", [None, 3, b"bytes", "", "   ", ["x"]])
    def test_anything_else_is_no_fault(self, thing: Any) -> None:
        """Only exceptions and texts are faults."""
        assert read_fault(thing) is None
