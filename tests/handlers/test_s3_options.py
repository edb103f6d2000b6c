"""Promises of `S3Handler`'s options: encryption, bounds, fsync; and of refusing servers."""

from __future__ import annotations

import asyncio
import http.server
import io
import logging
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from crmlogging import S3Handler
from crmlogging.crypto.keys import PrivateKey, PrivateKeys, PublicKey
from crmlogging.diagnostics import Tally
from crmlogging.exceptions import ConfigurationError
from crmlogging.handlers.durable_handler import AUDIT
from crmlogging.handlers.s3_bound import SpoolBound
from crmlogging.storage.lines import read_lines
from crmlogging.storage.s3_client import new_client
from crmlogging.storage.spool import Spool
from tests.handlers.s3_spooling import Make, safe, spooled
from tests.s3_server import Server

pytestmark = pytest.mark.filterwarnings("ignore:.*utcnow.*:DeprecationWarning")

KEY = PrivateKey.new()


def opened(body: bytes, key: PrivateKey = KEY) -> list[bytes]:
    """Return the lines of an encrypted object."""
    keys, complaints = PrivateKeys(), list[str]()
    keys.add(key)
    source = io.BufferedReader(io.BytesIO(body))
    lines = [line.raw.strip() for line in read_lines(source, complaints.append, keys=keys)]
    assert complaints == []
    return lines


class TestEncryptTo:
    def test_object_says_what_opens_it(self, server: Server, make_s3: Make) -> None:
        """Its name, type and metadata tell version and key id; its bytes nothing."""
        handler = make_s3(encrypt_to=KEY.public.line)
        handler.handle(safe("for few"))
        assert handler.drain(60)
        ((key, body),) = server.bodies().items()
        assert key.endswith(".jsonl.gz.enc")
        assert opened(body) == [b"for few"]
        head = server.client.head_object(Bucket=server.bucket, Key=key)
        assert head["ContentType"] == "application/octet-stream"
        assert head.get("ContentEncoding", "") == ""
        assert head["Metadata"] == {
            "crmlogging-envelope": "1",
            "crmlogging-key-id": KEY.public.id,
        }

    def test_turned_on_and_off_nothing_is_lost(
        self, server: Server, make_s3: Make, tmp_path: Path
    ) -> None:
        """What one configuration left the next delivers."""
        for option in (None, KEY.public.line, None):
            handler = make_s3(
                encrypt_to=option, client=lambda: new_client("http://127.0.0.1:9", seconds=0.1)
            )
            handler.handle(safe(f"with {option is not None}"))
            handler._seal(True)
            handler._spool.pack()
            handler.close(timeout=0.01)
        last, end = make_s3(), time.monotonic() + 60
        while spooled(tmp_path):  # The others' threads may still hold what they try in vain.
            assert last.drain(60)
            assert time.monotonic() < end
        kinds = Counter(key.rpartition(".")[2] for key in server.bodies())
        assert kinds == {"gz": 2, "enc": 1}

    def test_repeated_upload_is_the_same_object(self, server: Server, make_s3: Make) -> None:
        """The answer got lost, or a kill came before the unlink: 412 means these very bytes."""
        handler = make_s3(encrypt_to=KEY.public.line)
        handler.handle(safe("once"))
        handler._seal(True)
        handler._spool.pack()
        (item,) = handler._spool.ready()
        handler._uploader._bucket.put(item)
        before = server.bodies()
        handler._spool.keep(item)
        assert handler.drain(60)
        assert server.bodies() == before
        assert list(before.values()) == [before[f"crm/{item.key}"]]

    @pytest.mark.parametrize(
        "key",
        [
            pytest.param("x25519:nonsense", id="nonsense"),
            pytest.param("/does/not/exist.pem", id="no-file"),
            pytest.param(PublicKey(bytes(32)).line, id="low-order-point"),
            pytest.param(KEY.pem(), id="private-key"),
        ],
    )
    def test_a_useless_key_is_a_configuration_error(self, tmp_path: Path, key: str) -> None:
        """At once, and never a plain object instead."""
        with pytest.raises(ConfigurationError, match="encrypt_to") as caught:
            S3Handler("logs", spool_dir=tmp_path, encrypt_to=key)
        assert KEY.pem()[30:60] not in str(caught.value)


class FakeSpool(Spool):
    """A spool that holds what a test says."""

    def __init__(self) -> None:
        super().__init__("", tally=Tally())
        self.bytes = self.files = 0

    def used_bytes(self) -> int:
        return self.bytes

    def used_files(self) -> int:
        return self.files


class TestSpoolBound:
    def bound(self, spool: FakeSpool, **options: Any) -> SpoolBound:
        self.now = 0.0
        given: dict[str, Any] = {
            "max_bytes": 1_000,
            "max_files": 10,
            "overflow": "block",
            "block_seconds": 1.0,
            "monotonic": lambda: self.now,
            "sleep": self.sleep,
        }
        return SpoolBound(spool, **{**given, **options})

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    @pytest.mark.parametrize(
        ("level", "share"),
        [
            pytest.param(logging.DEBUG, 800, id="debug"),
            pytest.param(logging.INFO, 900, id="info"),
            pytest.param(logging.WARNING, 900, id="warning"),
            pytest.param(logging.ERROR, 1_000, id="error"),
            pytest.param(logging.CRITICAL, 1_000, id="critical"),
        ],
    )
    def test_what_matters_more_may_fill_more(self, level: int, share: int) -> None:
        """DEBUG leaves a fifth, INFO a tenth to those above them; to the byte."""
        bound = self.bound(FakeSpool(), overflow="drop")
        assert not bound.fits(share + 1, level)
        assert bound.admits(share, level)
        assert not bound.admits(1, level)
        assert bound.admits(1, logging.ERROR) == (share < 1_000)

    def test_audit_records_are_never_refused(self) -> None:
        """They alone may exceed the bounds."""
        bound = self.bound(spool := FakeSpool(), overflow="drop")
        spool.bytes, spool.files = 5_000, 11
        bound.look()
        assert not bound.admits(1, logging.CRITICAL)
        assert bound.admits(1_000, AUDIT)

    def test_counts_what_was_admitted_since_it_looked(self) -> None:
        """Bytes on disk and own lines."""
        bound = self.bound(spool := FakeSpool(), overflow="drop")
        assert bound.admits(800, logging.INFO)
        assert bound.admits(100, logging.INFO)
        assert not bound.admits(1, logging.INFO)
        assert bound.admits(100, logging.ERROR)
        assert not bound.admits(1, logging.ERROR)
        spool.bytes = 800
        bound.look()
        assert bound.admits(100, logging.INFO)

    def test_counts_files_as_well(self) -> None:
        """A file system runs out of inodes before it runs out of bytes."""
        bound = self.bound(spool := FakeSpool(), overflow="drop")
        spool.files = 10
        bound.look()
        assert not bound.admits(1, logging.INFO)
        assert bound.admits(1, logging.ERROR)

    def test_waits_for_room_within_its_budget(self) -> None:
        """A second a minute for all callers together; then records are dropped at once."""
        spool = FakeSpool()
        spool.bytes = 1_000
        bound = self.bound(spool)
        assert not bound.admits(1, logging.INFO)
        assert self.now == pytest.approx(1.0, abs=0.02)
        assert not bound.admits(1, logging.INFO)
        assert self.now == pytest.approx(1.0, abs=0.02)
        self.now = 61.0
        assert not bound.admits(1, logging.INFO)
        assert self.now == pytest.approx(62.0, abs=0.02)

    def test_goes_on_as_soon_as_there_is_room(self) -> None:
        """Whoever emptied the spool."""
        spool = FakeSpool()
        spool.bytes = 1_000

        def empty(seconds: float) -> None:
            self.now += seconds
            spool.bytes = 0 if self.now > 0.1 else 1_000

        bound = self.bound(spool, sleep=empty)
        assert bound.admits(1, logging.INFO)
        assert self.now < 0.2

    def test_never_stops_an_event_loop(self) -> None:
        """There a wait would stop everybody."""
        spool = FakeSpool()
        spool.bytes = 1_000
        bound = self.bound(spool)

        async def log() -> bool:
            return bound.admits(1, logging.INFO)

        assert asyncio.run(log()) is False
        assert self.now == 0.0


class TestOverflow:
    def test_a_full_spool_is_told_in_the_log(self, make_away: Make, tmp_path: Path) -> None:
        """Once there is room again: how many were lost, and why."""
        handler = make_away(spool_bytes=20_000, clock=lambda: 1_795_300_000.0)
        for _ in range(30):
            handler.handle(safe("x" * 1_000))
        lost = handler.stats()["dropped.spool_full"]
        assert lost == 13
        handler.tick()
        assert handler.stats()["produced"] == 30
        handler._seal(True)
        handler._spool.pack()  # Compressed, the lines take less room.
        handler._bound.look()
        for _ in range(3):
            handler.tick()
        assert handler.stats()["produced"] == 31
        written = b"".join(path.read_bytes() for path in spooled(tmp_path))
        assert written.count(b"13 records were lost in 0 s: spool_full") == 1

    @pytest.mark.parametrize("overflow", ["drop", "block"])
    @pytest.mark.parametrize("by", ["record", "batch"])
    def test_a_flood_leaves_room_for_what_matters(
        self, make_away: Make, tmp_path: Path, overflow: str, by: str
    ) -> None:
        """Of each kind exactly so many are kept as its share of the spool takes; all audit."""
        handler = make_away(
            spool_bytes=100_000, overflow=overflow, block_seconds=0.001, segment_seconds=600.0
        )
        kinds = {
            "debug": [safe("debug" + "x" * 978, logging.DEBUG)] * 200,
            "info": [safe("info" + "x" * 979)] * 200,
            "error": [safe("error" + "x" * 978, logging.ERROR)] * 20,
            "audit": [safe("audit" + "x" * 978, logging.DEBUG, audit=True)] * 20,
        }
        for kind in kinds.values():
            if by == "batch":
                handler.handle_batch(kind)
            for record in kind if by == "record" else ():
                handler.handle(record)
        written = b"".join(path.read_bytes() for path in spooled(tmp_path))
        kept = {kind: written.count(f"{kind}x".encode()) for kind in kinds}
        # Each append is 1,001 bytes with its frame.
        assert kept == {"debug": 79, "info": 10, "error": 10, "audit": 20}
        stats = handler.stats()
        assert (stats["pending"], stats["dropped.spool_full"]) == (119, 440 - 119)

    def test_a_mixed_batch_is_judged_record_by_record(
        self, make_away: Make, tmp_path: Path
    ) -> None:
        """One error in it makes the others no more important."""
        handler = make_away(spool_bytes=10_000)
        batch = [safe("info" + "x" * 979)] * 20
        handler.handle_batch([*batch, safe("error" + "x" * 978, logging.ERROR), *batch])
        written = b"".join(path.read_bytes() for path in spooled(tmp_path))
        assert (written.count(b"infox"), written.count(b"errorx")) == (8, 1)
        assert handler.stats()["dropped.spool_full"] == 32

    def test_number_of_files_is_bounded(self, make_away: Make, tmp_path: Path) -> None:
        """Many small segments of a long outage do not eat all inodes."""
        handler = make_away(spool_files=10)
        for _ in range(40):
            handler.handle(safe())
            handler._seal(True)
        assert len(spooled(tmp_path)) == 10
        assert handler.stats()["dropped.spool_full"] == 30


class TestFsync:
    @pytest.mark.parametrize(
        ("fsync", "level", "expected"),
        [
            pytest.param("never", logging.ERROR, 0, id="never"),
            pytest.param("error", logging.INFO, 0, id="not-an-error"),
            pytest.param("error", logging.ERROR, 1, id="error"),
            pytest.param("batch", logging.DEBUG, 1, id="batch"),
        ],
    )
    def test_call_waits_for_the_disk(
        self,
        make_s3: Make,
        fsync_here: Callable[[Callable[[int], object]], None],
        fsync: str,
        level: int,
        expected: int,
    ) -> None:
        """As the option says: the segment's bytes, and once its name."""
        handler = make_s3(fsync=fsync)
        synced: list[int] = []
        fsync_here(synced.append)
        handler.handle(safe(level=level))
        assert len(synced) == 2 * expected
        handler.handle(safe(level=level))
        assert len(synced) == 3 * expected

    def test_what_the_disk_refuses_was_not_accepted(
        self,
        server: Server,
        make_s3: Make,
        fsync_here: Callable[[Callable[[int], object]], None],
    ) -> None:
        """It is counted as dropped, and does not arrive after all."""
        handler = make_s3(fsync="batch")
        handler.handle(safe("before"))

        def refuse(_fd: int) -> None:
            raise OSError(5, "Input/output error")

        fsync_here(refuse)
        handler.handle(safe("refused"))
        fsync_here(os.fdatasync)
        handler.handle(safe("after"))
        assert handler.stats()["dropped.EIO"] == 1
        assert handler.drain(60)
        assert [line for line in server.lines() if b"lost" not in line] == [b"before", b"after"]


class Refusing(http.server.BaseHTTPRequestHandler):
    """Answers everything with one status."""

    status: ClassVar[int]
    headers_sent: ClassVar[dict[str, str]]
    seen: ClassVar[list[str]]

    def do_GET(self) -> None:
        self.do_PUT()

    def do_HEAD(self) -> None:
        self.do_PUT()

    def do_PUT(self) -> None:
        self.seen.append(self.command)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.status)
        for name, value in {**self.headers_sent, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def refusing(status: int, **headers: str) -> Iterator[tuple[str, list[str]]]:
    """Serve refusals; give the address, and what was asked."""
    seen: list[str] = []
    kind = type("Kind", (Refusing,), {"status": status, "headers_sent": headers, "seen": seen})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
        server.shutdown()
        thread.join()


class TestRefusals:
    def test_a_redirect_takes_no_credentials_elsewhere(self, make_s3: Make) -> None:
        """It is told as the wrong region; the place it names is asked nothing."""
        with refusing(200) as (other, asked), refusing(301, Location=f"{other}/x") as (url, seen):
            handler = make_s3(endpoint_url=url)
            handler.handle(safe())
            assert not handler.drain(60)
            assert (asked, seen) == ([], ["PUT", "HEAD"])
            assert handler.stats()["upload_failed.Status301"] == 1

    def test_a_broken_certificate_is_told(self, server: Server, make_s3: Make) -> None:
        """A server that speaks no TLS: nothing is sent, the lines wait."""
        handler = make_s3(endpoint_url=server.url.replace("http:", "https:"))
        handler.handle(safe())
        assert not handler.drain(60)
        assert handler.stats()["upload_failed.SSLError"] == 1
        assert handler.stats()["pending"] == 1
        assert server.bodies() == {}

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_bare_refusal_is_permanent(self, make_s3: Make, status: int) -> None:
        """Also without a body, as a proxy on the way says it: told, and tried slowly."""
        with refusing(status) as (url, seen):
            handler = make_s3(endpoint_url=url)
            handler.handle(safe())
            assert not handler.drain(60)
            assert not handler.drain(0.2)
            assert len(seen) == 1
            assert handler.stats()[f"upload_failed.Status{status}"] == 1

    def test_close_keeps_its_bound_in_a_blackout(self, make_s3: Make) -> None:
        """A server that takes connections and never answers."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            handler = make_s3(endpoint_url=f"http://127.0.0.1:{listener.getsockname()[1]}")
            handler.handle(safe())
            began = time.monotonic()
            handler.close(timeout=0.5)
            assert time.monotonic() - began < 15  # an answer is waited for longer
            assert handler.stats()["pending"] == 1

    def test_what_was_closed_is_not_waited_for_again(
        self, make_s3: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The end of the program closes once more: it waits only for what was logged since."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            handler = make_s3(endpoint_url=url, close_seconds=0.2)
            waits: list[float] = []
            drain = handler.drain

            def note(timeout: float) -> bool:
                waits.append(timeout)
                return drain(timeout)

            monkeypatch.setattr(handler, "drain", note)
            handler.handle(safe())
            handler.close()
            handler.close()
            assert waits == [0.2]
            handler.handle(safe())
            handler.close()
            assert waits == [0.2, 0.2]


class Choosy(http.server.BaseHTTPRequestHandler):
    """Takes objects from one access key; any other one has expired."""

    wanted: ClassVar[str]
    taken: ClassVar[list[str]]

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, body = 200, b""
        if f"Credential={self.wanted}/" in self.headers.get("Authorization", ""):
            self.taken.append(self.path)
        else:
            status, body = 403, b"<Error><Code>ExpiredToken</Code></Error>"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"any"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class TestCredentials:
    @pytest.mark.parametrize(
        ("before", "code"),
        [
            pytest.param(None, "NoCredentialsError", id="absent-at-start"),
            pytest.param("OLD", "ExpiredToken", id="expired"),
        ],
    )
    def test_new_ones_are_found_without_a_restart(
        self,
        make_s3: Make,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        before: str | None,
        code: str,
    ) -> None:
        """The constructor does not mind, the spool grows, and what waited goes with the new ones.

        They are rotated where they are: in the file, as an agent on the machine does.
        """
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        credentials = tmp_path / "credentials"
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))

        def rotate(key: str) -> None:
            text = f"[default]\naws_access_key_id = {key}\naws_secret_access_key = x\n"
            (tmp_path / "new").write_text(text)
            (tmp_path / "new").rename(credentials)

        if before is not None:
            rotate(before)
        taken: list[str] = []
        kind = type("Kind", (Choosy,), {"wanted": "NEW", "taken": taken})
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            handler = make_s3(endpoint_url=f"http://127.0.0.1:{server.server_address[1]}")
            handler.handle(safe("waited"))
            assert not handler.drain(60)
            assert handler.stats()[f"upload_failed.{code}"] == 1
            assert handler.stats()["pending"] == 1
            rotate("NEW")
            assert handler.drain(60)
            assert len(taken) == 1
            server.shutdown()
            thread.join()
