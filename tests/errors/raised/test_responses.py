"""Promises of responses: any client's is read by its attributes, without a side effect."""

from __future__ import annotations

import subprocess
import sys
from http import HTTPStatus
from typing import Any, ClassVar

import pytest

from crmlogging.errors.raised.responses import exchange_of


class TestExchange:
    def test_properties_of_bodies_are_not_run(self) -> None:
        """A body behind a property may be a stream: it is not asked for."""

        class Response:
            status_code = 500
            headers: ClassVar[dict[str, str]] = {}

            @property
            def content(self) -> bytes:
                raise AssertionError("read")

            text = body = data = content

        exchange = exchange_of(Response())
        assert exchange is not None
        assert (exchange.status, exchange.body) == (500, None)

    @pytest.mark.parametrize(
        ("status", "read"),
        [
            (404, 404),
            ("503", 503),
            (HTTPStatus.CONFLICT, 409),
            (True, None),
            (7, None),
            ("x", None),
        ],
    )
    def test_status_in_any_type(self, status: Any, read: int | None) -> None:
        """A status is a number, its digits, or an enum of them."""
        exchange = exchange_of(type("R", (), {"status_code": status})())
        assert (exchange.status if exchange is not None else None) == read

    def test_no_client_is_imported(self) -> None:
        """Classification loads none of the packages whose exceptions it knows."""
        code = (
            "import sys; from crmlogging.errors.classify import classify\n"
            "classify(exception='requests.exceptions.ReadTimeout: x')\n"
            "classify(status=500, body='<a><b/></a>')\n"
            "known = {'requests', 'httpx', 'urllib3', 'aiohttp', 'botocore', 'stripe', 'email'}\n"
            "print(sorted(known & set(sys.modules)))\n"
        )
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert run.stdout.strip() == "[]"
