"""Promises about a peer that never comes to an end: no upload waits for it for ever."""

from __future__ import annotations

import re
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.exceptions import HTTPClientError

from crmlogging.diagnostics import Tally
from crmlogging.handlers.s3_bucket import PART_BYTES, Bucket
from crmlogging.handlers.s3_upload import Uploader
from crmlogging.storage.segment_writer import SegmentWriter
from crmlogging.storage.spool import ReadyObject, Spool
from tests.s3_server import CREDENTIALS

MOST_BYTES: Final = 20_000
"""What a peer sends to a client that gives up only when nothing comes any more."""
ANSWER: Final = b'HTTP/1.1 200 OK\r\nETag: "e"\r\nContent-Length: 0\r\n\r\n'
ENDLESS: Final = {
    "status": b"",
    "continue": b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + b"HTTP/1.1 100 Con",
    "header": b"HTTP/1.1 200 OK\r\nX: ",
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    "closing-body": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
}
"""What comes before the bytes that come one by one."""


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Peer(socketserver.ThreadingTCPServer):
    """Drips after `begin`, as often as `drips` says, then answers as S3 would."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, between: Callable[[], object]) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.between = between
        self.begin = b""
        self.drips = 1
        self.sent: list[int] = []
        self.bodies: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    server: Peer

    def handle(self) -> None:
        while head := self._head():
            if self.server.drips:  # It does not even wait for the body.
                self.server.drips -= 1
                self._drip()
                return
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            self.server.bodies.append(self.rfile.read(int(length[1]) if length else 0))
            self.wfile.write(ANSWER)

    def _head(self) -> bytes:
        head = b""
        while line := self.rfile.readline():
            head += line
            if line == b"\r\n":
                break
        return head

    def _drip(self) -> None:
        self.server.sent.append(0)
        try:
            self.wfile.write(self.server.begin)
            while self.server.sent[-1] < MOST_BYTES:
                self.server.between()
                self.wfile.write(b"1")
                self.server.sent[-1] += 1
        except OSError:
            return  # the other side has hung up


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def peer(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    """Lend a peer for whom, and for us, ten seconds pass between two bytes."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)

    def pass_by() -> None:
        clock.now += 10
        time.sleep(0.002)  # Each byte arrives alone.

    with Peer(pass_by) as peer:
        thread = threading.Thread(target=peer.serve_forever, args=(0.01,))
        thread.start()
        yield peer
        peer.shutdown()
        thread.join(60)


class Setting:
    """An uploader without a thread, the real client, and one object that waits."""

    def __init__(self, directory: Path, url: str, clock: Clock | None) -> None:
        self.spool, self.tally = Spool(str(directory), tally=Tally()), Tally()
        self.spool.make()
        time_of = time.monotonic if clock is None else clock
        self.bucket = Bucket(
            "logs",
            prefix="",
            endpoint_url=url,
            region="us-east-1",
            allow_http=False,
            arguments={},
            monotonic=time_of,
        )
        self.uploader = Uploader(
            self.spool,
            self.bucket,
            seal=lambda everything: None,
            waiting=lambda: bool(self.spool.waiting()),
            tally=self.tally,
            monotonic=time_of,
        )
        writer = SegmentWriter(str(directory), "standard")
        writer.append(b"line\n")
        writer.seal()


class TestEndlessAnswer:
    @pytest.mark.parametrize("kind", ENDLESS)
    def test_is_given_up_and_the_object_sent_again(
        self, peer: Peer, clock: Clock, tmp_path: Path, kind: str
    ) -> None:
        """After a minute in all the connection is closed; the next attempt delivers it, once."""
        peer.begin = ENDLESS[kind]
        setting = Setting(tmp_path, peer.url, clock)
        setting.uploader._round(everything=True)
        assert setting.tally["uploaded"] == 0
        assert sum(setting.tally.snapshot().values()) == 1
        assert setting.spool.used_files() == 1
        assert 0 < peer.sent[0] < MOST_BYTES
        clock.now += 60
        setting.uploader._round(everything=True)
        assert setting.tally["uploaded"] == len(peer.bodies) == 1
        assert setting.spool.used_files() == 0

    def test_of_a_proxy_too(
        self, peer: Peer, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One that is asked for a tunnel, and takes its time."""
        monkeypatch.setenv("HTTPS_PROXY", peer.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        setting = Setting(tmp_path, "https://s3.example", clock)
        setting.uploader._round(everything=True)
        assert sum(setting.tally.snapshot().values()) == 1
        assert 0 < peer.sent[0] < MOST_BYTES

    def test_large_objects_have_longer(
        self, peer: Peer, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A slow line takes 8 MiB in some minutes: nobody who still works is cut off."""
        setting = Setting(tmp_path, peer.url, clock)
        setting.spool.pack()
        (item,) = setting.spool.ready()
        monkeypatch.setattr(ReadyObject, "size", PART_BYTES)
        with pytest.raises(HTTPClientError):
            setting.bucket.put(item)
        assert 25 < peer.sent[0] < MOST_BYTES

    def test_the_bound_of_a_caller_holds(self, tmp_path: Path, peer: Peer) -> None:
        """Without a thread, as at exit, the caller waits no longer than it wanted."""
        peer.between, peer.drips = lambda: time.sleep(0.05), MOST_BYTES
        setting = Setting(tmp_path, peer.url, None)
        setting.bucket.allow(2)
        setting.bucket.prepare()  # Or a slow machine makes the client all that time.
        assert not setting.uploader.drain(2)
        assert sum(peer.sent) < MOST_BYTES
        peer.drips = 0
        assert setting.uploader.drain(60)


def test_client_of_another_make_is_left_alone() -> None:
    """Where botocore keeps its connections elsewhere, the timeouts of each read remain."""
    from crmlogging.storage.s3_deadline import Deadline

    client: Any = object()
    Deadline().hold_for(client)
