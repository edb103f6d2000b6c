"""A protected root logger at DEBUG, and a server that hands secrets back."""

from __future__ import annotations

import http.server
import io
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from crmlogging import AllowlistFilter, CorrelationFilter, ErrorFilter, JsonFormatter

SECRET = "ada.lovelace@leak.example"


class Output:
    """What a protected handler wrote."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def lines(self, logger: str = "") -> list[dict[str, Any]]:
        """Return the lines of the loggers whose name starts so."""
        found = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [line for line in found if line["logger"].startswith(logger)]

    def messages(self, logger: str = "") -> list[str]:
        """Return the messages of those lines."""
        return [line["message"] for line in self.lines(logger)]

    def assert_no_leak(self) -> None:
        """The secret occurs nowhere, nor its parts as a URL or a header may carry them."""
        text = self.stream.getvalue().lower()
        assert "lovelace" not in text
        assert "leak.example" not in text


@pytest.fixture
def secret() -> str:
    """The value that must not come out."""
    return SECRET


def protect(handler: logging.Handler) -> logging.Handler:
    """Give a handler, whoever wrote it, our three filters."""
    for each in (CorrelationFilter(), ErrorFilter(), AllowlistFilter(["@crm"])):
        handler.addFilter(each)
    return handler


@pytest.fixture
def output() -> Iterator[Output]:
    """Log everything of every library through one protected, foreign handler."""
    output = Output()
    handler = protect(logging.StreamHandler(output.stream))
    handler.setFormatter(JsonFormatter(service="crm-sync"))
    logging.root.addHandler(handler)
    logging.root.setLevel(1)
    yield output
    logging.root.removeHandler(handler)


class _Secrets(http.server.BaseHTTPRequestHandler):
    """Redirects, fails and echoes, with secrets in headers and body."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        redirects, fails = self.path.startswith("/moved"), self.path.startswith("/fail")
        self.send_response(302 if redirects else 503 if fails else 200)
        if redirects:
            self.send_header("Location", f"/contacts?email={SECRET}")
        body = b"" if redirects or self.command == "PUT" else json.dumps({"e": SECRET}).encode()
        self.send_header("X-Request-Owner", SECRET)
        self.send_header("Set-Cookie", f"session={SECRET}")
        self.send_header("ETag", '"x"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_GET  # noqa: N815  # the base class's way to name methods

    def log_message(self, *arguments: object) -> None:
        return


@pytest.fixture
def url() -> Iterator[str]:
    """Address of the server, without a slash at the end."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Secrets) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
