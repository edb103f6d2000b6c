"""The demo's CRMs: one HTTP server on loopback that answers by the plan, and counts."""

from __future__ import annotations

import random
import socket
import threading
import uuid
from collections import Counter
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, cast

from crmlogging.cli.demo_contacts import token
from crmlogging.cli.demo_scenarios import Call, Scenario

__all__ = ["CrmServer"]

Failure = tuple[str, str, str]
"""Provider, category and provider code of a failing answer."""

_UNEXPECTED: Final = Scenario("unexpected", status=404, body='{"message": "no such call"}')


class CrmServer:
    """All CRMs of the demo, on one port of 127.0.0.1; a context manager.

    Args:
        calls: the plan; a call is known by its ``Idempotency-Key``.
        seed: makes the access tokens.

    Attributes:
        tokens: access token by provider.
        failures: failing answers given so far.
        successes: succeeding answers given so far.
        unexpected: requests that were in no plan; 0 in a good run.
    """

    def __init__(self, calls: Iterable[Call], seed: int) -> None:
        rng = random.Random(f"tokens {seed}")
        self._calls = {call.key: call for call in calls}
        crms = {call.provider.slug: call.provider for call in self._calls.values()}
        self.tokens = {slug: token(crm.token, rng) for slug, crm in sorted(crms.items())}
        self.failures: Counter[Failure] = Counter()
        self.successes = 0
        self.unexpected = 0
        self._answered: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __enter__(self) -> CrmServer:
        # Bound, never listening: nobody else gets the port, and every connection is refused.
        self._closed_port = socket.socket()
        self._closed_port.bind(("127.0.0.1", 0))
        self._http = _Server(("127.0.0.1", 0), _Answering)
        self._http.crms = self
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(0.05,), name="demo-crms", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        self._closed_port.close()

    def url(self, call: Call) -> str:
        """Return where `call` is to be sent; a CRM that is down has a port nobody listens on."""
        down = call.scenario is not None and call.scenario.refused
        port = self._closed_port.getsockname()[1] if down else self._http.server_address[1]
        return f"http://127.0.0.1:{port}{call.provider.path}"

    def answer(self, key: str) -> tuple[Scenario, bytes]:
        """Decide the answer to the call `key`, count it, and return it with its body."""
        with self._lock:
            call = self._calls.get(key)
            if call is None:
                self.unexpected += 1
                return _UNEXPECTED, _UNEXPECTED.text({})
            self._answered[key] += 1
            given = call.scenario
            if given is None or 0 < given.failures < self._answered[key]:
                given = call.provider.created
                self.successes += 1
            else:
                self.failures[call.provider.slug, given.category, given.provider_code] += 1
        return given, given.text(self._values(call))

    def _values(self, call: Call) -> dict[str, str]:
        """Return what the body repeats of the request, as real ones do."""
        person = call.contacts[0]
        return {
            "id": person.id,
            "email": person.email,
            "phone": person.phone,
            "name": f"{person.given} {person.family}",
            "portal_token": person.portal_token,
            "token": self.tokens[call.provider.slug],
            "request_id": str(uuid.uuid5(uuid.NAMESPACE_URL, call.key)),
            "crm_id": f"90{person.id[2:]}",
        }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    crms: CrmServer


class _Answering(BaseHTTPRequestHandler):
    """One connection; stays open between requests."""

    protocol_version = "HTTP/1.1"
    # Header and body leave in two writes: with Nagle's algorithm the second waits 40 ms.
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        crms = cast("_Server", self.server).crms
        given, body = crms.answer(self.headers.get("Idempotency-Key", ""))
        self.send_response(given.status)
        for name, value in given.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json;charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the demo shows the service's log, not the CRMs'."""
