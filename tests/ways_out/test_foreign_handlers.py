"""`AllowlistFilter` protects a handler that knows nothing of it, whatever the handler reads."""

from __future__ import annotations

import contextlib
import http.server
import logging
import logging.handlers
import pickle
import queue
import socket
import socketserver
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ways_out.conftest import SECRET, protect


class Careless(logging.Formatter):
    """Shows all it can find: each attribute, the exception with its text, the stack."""

    def __init__(self) -> None:
        super().__init__("%(message)s %(args)s %(threadName)s %(name)s")

    def format(self, record: logging.LogRecord) -> str:
        return f"{super().format(record)} {record.msg!r} {vars(record)!r}"


def log_it(handler: logging.Handler) -> None:
    """Log a secret in every part of a record, through a logger that has only this handler."""
    logger = logging.getLogger("crm.foreign")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    secret = SECRET

    def fail() -> None:
        try:
            raise ValueError(f"no contact {secret}")
        except ValueError:
            logger.exception(
                "Failed %s", secret, stack_info=True, extra={"crm": "zoho", "email": secret}
            )

    worker = threading.Thread(target=fail, name=secret)
    worker.start()
    worker.join()
    logger.removeHandler(handler)
    handler.close()


@contextlib.contextmanager
def received(kind: Any, count: int = 1) -> Iterator[tuple[tuple[str, int], list[bytes]]]:
    """Run a server on loopback that keeps what it is sent, until `count` pieces are there."""
    pieces: list[bytes] = []
    done = threading.Event()

    class Keeping(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            data = self.request[0] if kind is socketserver.UDPServer else self.rfile.read()
            pieces.append(data)
            if len(pieces) >= count:
                done.set()

        def finish(self) -> None:
            return

        def setup(self) -> None:
            if kind is not socketserver.UDPServer:
                super().setup()

    with kind(("127.0.0.1", 0), Keeping) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address, pieces
            assert done.wait(60)
        finally:
            server.shutdown()
            thread.join()


def assert_safe(*texts: bytes | str) -> None:
    """The template is there, the secret is not, in any spelling."""
    whole = " ".join(t.decode("utf-8", "replace") if isinstance(t, bytes) else t for t in texts)
    whole = urllib.parse.unquote_plus(whole)
    assert "Failed %s" in whole
    assert "ValueError" in whole
    assert "lovelace" not in whole
    assert "leak.example" not in whole


class TestStandardLibrary:
    @pytest.mark.parametrize(
        "kind",
        [
            pytest.param(logging.FileHandler, id="file"),
            pytest.param(logging.handlers.RotatingFileHandler, id="rotating"),
            pytest.param(logging.handlers.TimedRotatingFileHandler, id="timed"),
            pytest.param(logging.handlers.WatchedFileHandler, id="watched"),
        ],
    )
    def test_files(self, kind: Callable[..., logging.Handler], tmp_path: Path) -> None:
        """A careless formatter finds nothing to show."""
        handler = protect(kind(tmp_path / "log"))
        handler.setFormatter(Careless())
        log_it(handler)
        assert_safe((tmp_path / "log").read_text())

    def test_syslog(self) -> None:
        """One datagram, with the template."""
        with received(socketserver.UDPServer) as (address, pieces):
            handler = protect(logging.handlers.SysLogHandler(address))
            handler.setFormatter(Careless())
            log_it(handler)
        assert_safe(*pieces)

    def test_socket_and_its_pickle(self) -> None:
        """The pickle that goes over the wire holds no value either."""
        with received(socketserver.TCPServer) as (address, pieces):
            log_it(protect(logging.handlers.SocketHandler(*address)))
        assert_safe(*pieces)
        attributes = pickle.loads(pieces[0][4:])
        assert attributes["email"] == "[REDACTED]"

    def test_http(self) -> None:
        """HTTPHandler sends every attribute of the record."""
        bodies: list[bytes] = []

        class Keeping(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                return

        with http.server.HTTPServer(("127.0.0.1", 0), Keeping) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            log_it(
                protect(
                    logging.handlers.HTTPHandler(
                        f"127.0.0.1:{server.server_port}", "/log", method="POST"
                    )
                )
            )
            server.shutdown()
            thread.join()
        assert_safe(*bodies)

    def test_smtp_subject_and_body(self) -> None:
        """A subject made of the message, and the body, are the safe ones."""

        class Subject(logging.handlers.SMTPHandler):
            def getSubject(self, record: logging.LogRecord) -> str:
                return f"{record.levelname}: {record.getMessage()}"

        mails: list[str] = []
        port, thread = _mail_server(mails)
        handler = protect(Subject(("127.0.0.1", port), "a@b.example", ["c@d.example"], ""))
        handler.setFormatter(Careless())
        log_it(handler)
        thread.join(60)
        assert "Subject: ERROR: Failed %s" in mails[0]
        assert_safe(*mails)

    def test_memory_and_queue(self, tmp_path: Path) -> None:
        """What waits is safe already: filters of the waiting handler ran in the caller's thread."""
        target = logging.FileHandler(tmp_path / "log")
        target.setFormatter(Careless())
        log_it(protect(logging.handlers.MemoryHandler(10, target=target)))
        waiting: queue.Queue[Any] = queue.Queue()
        log_it(protect(logging.handlers.QueueHandler(waiting)))
        target.handle(waiting.get_nowait())
        target.close()
        text = (tmp_path / "log").read_text()
        assert text.count("crm.foreign") >= 2
        assert_safe(text)


def _mail_server(mails: list[str]) -> tuple[int, threading.Thread]:
    """Speak as much SMTP as one mail needs (RFC 5321)."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listening, listening.accept()[0] as connection, connection.makefile("rwb") as talk:

            def say(line: bytes) -> None:
                talk.write(line + b"\r\n")
                talk.flush()

            say(b"220 ready")
            for command in iter(talk.readline, b""):
                if command.upper().startswith(b"DATA"):
                    say(b"354 go on")
                    text = b"".join(iter(talk.readline, b".\r\n"))
                    mails.append(text.decode())
                if command.upper().startswith(b"QUIT"):
                    say(b"221 bye")
                    return
                say(b"250 ok")

    thread = threading.Thread(target=serve)
    thread.start()
    return listening.getsockname()[1], thread


class TestThirdParty:
    def test_opentelemetry_s_deprecated_handler(self) -> None:
        """The SDK's handler reads ``exc_info`` and every attribute: there is nothing in there."""
        from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
        from opentelemetry.sdk._logs.export import (
            InMemoryLogRecordExporter,
            SimpleLogRecordProcessor,
        )

        exporter = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]  # theirs
        provider = LoggerProvider()
        provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
        with pytest.warns(DeprecationWarning, match="LoggingHandler"):
            handler = LoggingHandler(logger_provider=provider)
        log_it(protect(handler))
        provider.shutdown()
        (sent,) = exporter.get_finished_logs()
        assert sent.log_record.body == "Failed %s"
        assert_safe(repr(sent.log_record.body), repr(dict(sent.log_record.attributes or {})))

    def test_sentry_s_patch_gets_what_uncaught_errors_leave(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A library that patches ``callHandlers`` sees a safe record of what nobody caught."""
        from crmlogging import uncaught

        seen: list[logging.LogRecord] = []

        def patched(logger: logging.Logger, record: logging.LogRecord) -> None:
            seen.append(record)

        monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
        uncaught.install()
        handler = protect(logging.NullHandler())
        logging.root.addHandler(handler)
        monkeypatch.setattr(logging.Logger, "callHandlers", patched)
        error = ValueError(SECRET)
        threading.excepthook(threading.ExceptHookArgs((ValueError, error, None, None)))
        (record,) = seen
        assert record.exc_info is None
        assert SECRET not in repr(vars(record))
