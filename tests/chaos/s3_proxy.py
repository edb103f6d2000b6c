"""A proxy in front of an S3 server that spoils what goes through it, on loopback."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

__all__ = ["ANSWERS", "PASSING", "FaultProxy"]

PASSING: Final = (
    *("slow-down", "internal-error", "reset-before", "reset-after", "hang-before", "hang-after"),
    *("half-body", "truncated-answer"),
)
"""Faults that come and go."""

ANSWERS: Final[Mapping[str, tuple[int, str]]] = {
    "slow-down": (503, "SlowDown"),
    "internal-error": (500, "InternalError"),
    "expired": (403, "ExpiredToken"),
    "skewed": (403, "RequestTimeTooSkewed"),
    "denied": (403, "AccessDenied"),
    "no-bucket": (404, "NoSuchBucket"),
    "moved": (301, "PermanentRedirect"),
    "too-large": (400, "EntityTooLarge"),
}
"""Faults that are an answer of the server's own, which then stores nothing."""

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CONTINUE: Final = re.compile(rb"\r\nexpect: *100-continue", re.IGNORECASE)
_CONNECTION: Final = re.compile(rb"\r\n(?:connection|expect):[^\r]*", re.IGNORECASE)
_SENDER: Final = re.compile(rb"app/([A-Za-z0-9-]+)")
_RESET: Final = struct.pack("ii", 1, 0)
_TIMEOUT_SECONDS: Final = 30.0


class Request(NamedTuple):
    head: bytes
    body: bytes

    @property
    def writes(self) -> bool:
        return self.head.startswith((b"PUT ", b"POST "))

    @property
    def sender(self) -> str:
        """Return what the client set as ``AWS_SDK_UA_APP_ID``."""
        match = _SENDER.search(self.head)
        return match[1].decode() if match else ""


class FaultProxy:
    """Passes requests on to a server; some it spoils.

    Args:
        server: host and port.
        seed: of the choices.
        hang_seconds: how long a hanging request stays unanswered.

    Attributes:
        rate: share of writing requests that get one of `faults`.
        faults: those to choose from.
        always: the fault of every writing request, or None; ``"outage"`` resets every connection.
        kill: names of senders that are killed once the server has stored something of theirs.
        kill_at: how such a request begins; by default as any does.
        pid_of: process of a sender.
        requests: counts writing requests.
        injected: counts faults by name.
    """

    def __init__(
        self, server: tuple[str, int], *, seed: int = 0, hang_seconds: float = 1.5
    ) -> None:
        self._server = server
        self._random = random.Random(seed)
        self._hang_seconds = hang_seconds
        self.rate = 0.0
        self.faults: tuple[str, ...] = PASSING
        self.always: str | None = None
        self.kill: set[str] = set()
        self.kill_at = b""
        self.pid_of: Callable[[str], int | None] = lambda _name: None
        self.requests = 0
        self.injected: Counter[str] = Counter()
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where clients are to go."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def stop(self) -> None:
        """End it; what hangs is reset."""
        self._stopped.set()
        # A blocked accept does not notice that its socket is closed.
        with socket.create_connection(self._listener.getsockname()):
            pass
        self._thread.join(10)
        self._listener.close()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(_TIMEOUT_SECONDS)
            try:
                while not self._stopped.is_set():
                    request = _read_request(connection)
                    if request is None or not self._handle(connection, request):
                        return
            except OSError:
                _reset(connection)

    def _handle(self, connection: socket.socket, request: Request) -> bool:
        """Answer a request, well or badly; False when the connection is of no use any more."""
        fault = self._choose(request)
        if fault in ("outage", "reset-before"):
            _reset(connection)
        elif fault in ANSWERS:
            connection.sendall(_error(*ANSWERS[fault]))
            return True
        elif fault == "hang-before":
            self._stopped.wait(self._hang_seconds)
            _reset(connection)
        elif fault == "half-body":
            self._forward(request._replace(body=request.body[: len(request.body) // 2]))
            _reset(connection)
        else:
            answer = self._forward(request)
            return self._deliver(connection, request, answer, fault)
        return False

    def _deliver(
        self, connection: socket.socket, request: Request, answer: bytes, fault: str
    ) -> bool:
        killing = request.sender in self.kill and re.match(self.kill_at, request.head)
        if request.writes and killing:
            self.kill.discard(request.sender)
            self._kill(request.sender)
        if fault == "hang-after":
            self._stopped.wait(self._hang_seconds)
        if fault in ("hang-after", "reset-after"):
            _reset(connection)
        elif fault == "truncated-answer":
            connection.sendall(answer[: len(answer) // 2])
        else:
            connection.sendall(answer)
        return False  # The server's answer says that it closes.

    def _choose(self, request: Request) -> str:
        if self.always == "outage":
            return "outage"
        if not request.writes:
            return ""
        with self._lock:
            self.requests += 1
            fault = self.always or ""
            if not fault and self._random.random() < self.rate:
                fault = self._random.choice(self.faults)
            if fault:
                self.injected[fault] += 1
        return fault

    def _forward(self, request: Request) -> bytes:
        with socket.create_connection(self._server, _TIMEOUT_SECONDS) as upstream:
            head = _CONNECTION.sub(b"", request.head)
            upstream.sendall(head[:-2] + b"Connection: close\r\n\r\n" + request.body)
            if len(request.body) < _length(request.head):
                return b""  # half a body, and then nothing
            parts = []
            while part := upstream.recv(65_536):
                parts.append(part)
        return b"".join(parts)

    def _kill(self, sender: str) -> None:
        pid = self.pid_of(sender)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            self.injected["kill-after-store"] += 1


def _length(head: bytes) -> int:
    match = _LENGTH.search(head)
    return int(match[1]) if match else 0


def _read_request(connection: socket.socket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65_536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    head += b"\r\n\r\n"
    if _CONTINUE.search(head):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    parts, left = [body], _length(head) - len(body)
    while left > 0:
        part = connection.recv(min(left, 262_144))
        if not part:
            return None
        parts.append(part)
        left -= len(part)
    return Request(head, b"".join(parts))


def _error(status: int, code: str) -> bytes:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>made up</Message></Error>"
    head = f"HTTP/1.1 {status} Fault\r\nContent-Type: application/xml\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def _reset(connection: socket.socket) -> None:
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        connection.close()
    except OSError:
        pass
