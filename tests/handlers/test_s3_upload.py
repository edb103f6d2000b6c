"""Promises of the uploader: every object once, and patience with a server that says no."""

from __future__ import annotations

import base64
import hashlib
import inspect
import os
import random
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from crmlogging.diagnostics import Tally
from crmlogging.handlers import s3_bucket
from crmlogging.handlers.s3_bucket import Bucket
from crmlogging.handlers.s3_upload import Uploader
from crmlogging.storage import forking
from crmlogging.storage.s3_client import REMEDIES, explain, is_encrypted
from crmlogging.storage.segment_writer import SegmentWriter
from crmlogging.storage.spool import Spool


class FakeClock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class ServerError(Exception):
    """As boto3's ClientError."""

    def __init__(self, code: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__("secret text of the server")
        self.response = {
            "Error": {"Code": code, "Message": "secret text of the server"},
            "ResponseMetadata": {"HTTPHeaders": dict(headers or {})},
        }


class FakeServer:
    """Stores objects, unless told what to answer."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.answers: list[Exception | None] = []
        self.calls: list[dict[str, Any]] = []
        self.clients = 0
        self.knows_conditions = True
        self.refuses_aborts = False
        self.is_portal = False

    def client(self) -> FakeServer:
        self.clients += 1
        return self

    def put_object(self, **arguments: Any) -> dict[str, str]:
        self._called(arguments)
        return self._store(arguments, arguments["Body"])

    def create_multipart_upload(self, **arguments: Any) -> dict[str, str]:
        self._called(arguments)
        upload = f"upload-{len(self.calls)}"
        self.uploads[upload] = {}
        return {"UploadId": upload}

    def upload_part(self, **arguments: Any) -> dict[str, str]:
        self._called(arguments)
        digest = base64.b64encode(hashlib.sha256(arguments["Body"]).digest()).decode()
        assert digest == arguments["ChecksumSHA256"]
        self.uploads[arguments["UploadId"]][arguments["PartNumber"]] = arguments["Body"]
        return {"ETag": f"etag-{arguments['PartNumber']}"}

    def complete_multipart_upload(self, **arguments: Any) -> dict[str, str]:
        self._called(arguments)
        numbers = [part["PartNumber"] for part in arguments["MultipartUpload"]["Parts"]]
        parts = self.uploads[arguments["UploadId"]]
        answer = self._store(arguments, b"".join(parts[number] for number in numbers))
        del self.uploads[arguments["UploadId"]]
        return answer

    def abort_multipart_upload(self, **arguments: Any) -> None:
        if self.refuses_aborts:
            raise ServerError("SlowDown")
        if self.uploads.pop(arguments["UploadId"], None) is None:
            raise ServerError("NoSuchUpload")

    def _called(self, arguments: dict[str, Any]) -> None:
        self.calls.append(arguments)
        if "IfNoneMatch" in arguments and not self.knows_conditions:
            raise ServerError("NotImplemented")
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer

    def _store(self, arguments: dict[str, Any], body: bytes) -> dict[str, str]:
        if self.is_portal:
            return {}
        if "IfNoneMatch" in arguments and arguments["Key"] in self.objects:
            raise ServerError("PreconditionFailed")
        assert arguments["Key"] not in self.objects
        self.objects[arguments["Key"]] = body
        return {"ETag": "etag"}


class Setting:
    def __init__(self, directory: Path) -> None:
        self.server, self.clock, self.tally = FakeServer(), FakeClock(), Tally()
        self.spool = Spool(str(directory), tally=self.tally)
        self.spool.make()
        self.writer = SegmentWriter(str(directory), "standard")
        self.pauses: list[float] = []
        bucket = Bucket(
            "logs",
            prefix="crm",
            endpoint_url=None,
            region=None,
            allow_http=False,
            arguments={"StorageClass": "STANDARD_IA"},
            client=self.server.client,
        )
        self.uploader = Uploader(
            self.spool,
            bucket,
            seal=lambda everything: self.writer.seal() if everything else None,
            waiting=lambda: bool(self.spool.waiting()),
            tally=self.tally,
            monotonic=self.clock,
            jitter=self._jitter,
        )

    def _jitter(self, most: float) -> float:
        self.pauses.append(most)
        return most

    def add(self, line: bytes = b"line\n") -> None:
        self.writer.append(line)
        self.writer.seal()

    def round(self) -> None:
        """Do what the thread does once a second."""
        self.uploader._round(everything=False)


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path)


class TestUpload:
    def test_object_and_its_request(self, setting: Setting) -> None:
        """Prefix and key, the bytes with their checksum, once, only where nothing is."""
        setting.add()
        setting.round()
        (call,) = setting.server.calls
        assert call["Key"].startswith("crm/tier=standard/dt=")
        assert call["IfNoneMatch"] == "*"
        assert len(call["ChecksumSHA256"]) == 44
        assert call["StorageClass"] == "STANDARD_IA"
        assert setting.tally["uploaded"] == 1
        setting.round()
        assert len(setting.server.calls) == 1

    def test_already_there_is_delivered(self, setting: Setting) -> None:
        """An answer that got lost, or a kill before the unlink: the repeat is no error."""
        setting.add()
        setting.server.answers = [ServerError("PreconditionFailed")]
        setting.round()
        assert not list(setting.spool.ready())
        assert setting.tally["uploaded"] == 1

    def test_an_answer_that_names_nothing_stored_is_none(self, setting: Setting) -> None:
        """A captive portal or a proxy says 200 to anything: the object stays in the spool."""
        setting.add()
        setting.server.is_portal = True
        setting.round()
        assert (setting.tally["upload_failed.NotStored"], setting.tally["uploaded"]) == (1, 0)
        setting.server.is_portal = False
        setting.clock.now = setting.uploader._not_before
        setting.round()
        assert setting.tally["uploaded"] == len(setting.server.objects) == 1

    @pytest.mark.parametrize("code", ["NotImplemented", "InvalidArgument"])
    def test_server_without_conditions(self, setting: Setting, code: str) -> None:
        """Where If-None-Match is not known it is left out from then on."""
        setting.server.knows_conditions = False
        for _ in range(3):
            setting.add()
        setting.round()
        assert ["IfNoneMatch" in call for call in setting.server.calls] == [True, *[False] * 3]
        assert len(setting.server.objects) == 3

    def test_failures_are_backed_off_from(self, setting: Setting) -> None:
        """Doubling pauses up to a minute, with full jitter; nothing is asked before its time."""
        setting.add()
        setting.server.answers = [ServerError("SlowDown") for _ in range(11)]
        for _ in range(11):
            setting.round()
            calls = len(setting.server.calls)
            setting.round()
            assert len(setting.server.calls) == calls
            setting.clock.now = setting.uploader._not_before
        growing = [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 60, 60]
        assert setting.pauses == pytest.approx(growing)
        setting.round()
        assert len(setting.server.objects) == 1
        setting.add()
        setting.server.answers = [ServerError("InternalError")]
        setting.round()
        assert setting.pauses[-1] == 0.2

    def test_pauses_leave_the_applications_random_numbers_alone(self, setting: Setting) -> None:
        """Who has seeded `random` gets the same numbers, however often an upload fails."""
        setting.uploader._jitter = inspect.signature(Uploader).parameters["jitter"].default
        before = random.getstate()
        setting.add()
        setting.server.answers = [ServerError("SlowDown")]
        setting.round()
        assert 0 <= setting.uploader._not_before - setting.clock.now <= 0.2
        assert random.getstate() == before

    def test_rests_once_another_process_has_delivered(self, setting: Setting) -> None:
        """What failed here and is gone by now keeps nobody awake."""
        setting.add()
        setting.server.answers = [ServerError("InternalError")]
        setting.round()
        assert setting.uploader._idle() == pytest.approx(0.2)
        (item,) = setting.spool.ready()
        setting.spool.delivered(item)
        setting.clock.now = setting.uploader._not_before
        setting.round()
        assert setting.uploader._idle() == 1.0

    def test_servers_wish_is_honoured(self, setting: Setting) -> None:
        """Retry-After comes on top."""
        setting.add()
        setting.server.answers = [ServerError("SlowDown", {"retry-after": "17"})]
        setting.round()
        assert setting.uploader._not_before == setting.clock.now + 17 + 0.2

    @pytest.mark.parametrize("code", sorted(REMEDIES))
    def test_what_waiting_does_not_mend_is_tried_slowly_and_told(
        self, setting: Setting, code: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Code and remedy once, nothing of the server's text; a new client with new credentials."""
        setting.add()
        setting.server.answers = [ServerError(code), ServerError(code)]
        setting.round()
        assert setting.uploader._not_before >= setting.clock.now + 30
        setting.clock.now = setting.uploader._not_before
        setting.round()
        assert setting.server.clients == 2
        told = capsys.readouterr().err
        assert told.count(code) <= 1  # Another test may have told it within the same minute.
        assert "text of the server" not in told
        setting.clock.now = setting.uploader._not_before
        setting.round()
        assert len(setting.server.objects) == 1

    def test_object_at_fault_is_set_aside(self, setting: Setting) -> None:
        """What the server will never take does not hold up the rest."""
        setting.add(b"one\n")
        setting.add(b"two\n")
        setting.server.answers = [ServerError("EntityTooLarge")]
        setting.round()
        assert len(setting.server.objects) == 1
        assert setting.tally["rejected"] == 1

    def test_others_go_before_one_that_failed(self, setting: Setting) -> None:
        """An object that fails for unknown reasons waits behind the others."""
        setting.add(b"one\n")
        setting.add(b"two\n")
        setting.server.answers = [ServerError("InternalError")]
        setting.round()
        setting.clock.now = setting.uploader._not_before
        setting.round()
        keys = [call["Key"] for call in setting.server.calls]
        assert keys[0] != keys[1]
        assert len(setting.server.objects) == 2

    def test_any_exception_of_the_client_is_survived(self, setting: Setting) -> None:
        """Also one that nobody foresaw."""
        setting.add()
        setting.server.answers = [KeyError("surprise"), RuntimeError("surprise")]
        for _ in range(3):
            setting.round()
            setting.clock.now = setting.uploader._not_before
        assert len(setting.server.objects) == 1


class TestParts:
    """Objects above a limit, here of random lines, which no compression makes smaller."""

    @pytest.fixture
    def large(self, setting: Setting, monkeypatch: pytest.MonkeyPatch) -> bytes:
        monkeypatch.setattr(s3_bucket, "PART_BYTES", 1_000)
        setting.add(os.urandom(3_000).hex().encode() + b"\n")
        setting.spool.pack()
        (item,) = setting.spool.ready()
        body = item.read()
        setting.spool.keep(item)
        assert 2_000 < len(body) < 4_000
        return body

    def test_arrive_as_one_object(self, setting: Setting, large: bytes) -> None:
        """In order, each with its checksum, and only where nothing is."""
        setting.round()
        ((key, body),) = setting.server.objects.items()
        assert body == large
        assert key.startswith("crm/tier=standard/")
        created, *parts, completed = setting.server.calls
        assert created["StorageClass"] == "STANDARD_IA"
        assert created["ContentEncoding"] == "gzip"
        assert all(len(part["ChecksumSHA256"]) == 44 for part in parts)
        assert completed["IfNoneMatch"] == "*"
        assert setting.server.uploads == {}
        assert setting.tally["uploaded"] == 1

    @pytest.mark.parametrize("step", range(1, 6))
    def test_failure_leaves_no_parts(self, setting: Setting, large: bytes, step: int) -> None:
        """Whichever call fails; the next attempt makes the object."""
        setting.server.answers = [*[None] * step, ServerError("InternalError")]
        if step == 5:
            setting.server.answers = [ServerError("SlowDown")]
        setting.round()
        assert (setting.server.uploads, setting.server.objects) == ({}, {})
        setting.clock.now = setting.uploader._not_before
        setting.round()
        assert list(setting.server.objects.values()) == [large]

    def test_already_there_is_delivered(self, setting: Setting, large: bytes) -> None:
        """The answer to an earlier attempt got lost: its parts are not left behind again."""
        (item,) = setting.spool.ready()
        setting.server.objects[f"crm/{item.key}"] = large
        setting.spool.keep(item)
        setting.round()
        assert (setting.tally["uploaded"], setting.server.uploads) == (1, {})

    def test_server_without_conditions(self, setting: Setting, large: bytes) -> None:
        """Where If-None-Match is not known it is left out."""
        setting.server.knows_conditions = False
        setting.round()
        assert list(setting.server.objects.values()) == [large]
        assert setting.server.uploads == {}

    def test_what_a_dead_process_began_is_aborted(self, setting: Setting, large: bytes) -> None:
        """Its uploads are noted beside the object; afterwards nothing is left of the notes."""
        (item,) = setting.spool.ready()
        for upload in ("first", "second"):  # killed, and its heir as well
            setting.server.uploads[upload] = {1: b"part"}
            item.note_upload(upload)
        item.note_upload("gone")
        setting.spool.keep(item)
        setting.round()
        assert list(setting.server.objects.values()) == [large]
        assert setting.server.uploads == {}
        assert setting.spool.used_files() == 0

    def test_an_abort_that_fails_is_made_up_for(self, setting: Setting, large: bytes) -> None:
        """As where the network goes in the middle of an upload: it is done at the next attempt."""
        setting.server.answers = [None, None, ServerError("InternalError")]
        setting.server.refuses_aborts = True
        setting.round()
        assert len(setting.server.uploads) == 1
        setting.server.refuses_aborts = False
        setting.clock.now = setting.uploader._not_before
        setting.round()
        assert list(setting.server.objects.values()) == [large]
        assert setting.server.uploads == {}

    def test_no_abort_holds_up_the_object(self, setting: Setting, large: bytes) -> None:
        """Where aborting is refused for good, the lifecycle rule is left to do it."""
        (item,) = setting.spool.ready()
        item.note_upload("first")
        setting.spool.keep(item)
        setting.server.refuses_aborts = True
        setting.round()
        assert list(setting.server.objects.values()) == [large]
        assert setting.spool.used_files() == 0


class TestDrain:
    def test_asks_a_server_that_says_no_once_a_second(self, setting: Setting) -> None:
        """However often an application waits for delivery: no hot loop."""
        setting.add()
        setting.server.answers = [ServerError("AccessDenied") for _ in range(100)]
        for _ in range(60):
            setting.clock.now += 0.25
            setting.uploader._round(everything=True)
        assert len(setting.server.calls) == 15

    def test_caller_without_a_thread_sets_the_bound(self, setting: Setting) -> None:
        """At interpreter exit the caller does it: no call may take longer than it will wait."""
        allowed: list[float] = []
        bucket = setting.uploader._bucket

        def make() -> FakeServer:
            allowed.append(bucket._seconds)
            return setting.server

        bucket._make_client = make
        setting.add()
        assert setting.uploader.drain(3)
        assert allowed == [3]

    def test_waits_for_everything(self, setting: Setting) -> None:
        """Also what is not sealed yet; without a thread the caller does the work."""
        setting.writer.append(b"open\n")
        assert setting.uploader.drain(60)
        assert len(setting.server.objects) == 1

    def test_thread_does_it(self, setting: Setting) -> None:
        """With the thread the caller only waits."""
        threads: list[threading.Thread] = []
        put = setting.server.put_object

        def note(**arguments: Any) -> dict[str, str]:
            threads.append(threading.current_thread())
            return put(**arguments)

        setting.server.put_object = note  # type: ignore[method-assign]
        setting.uploader.start()
        setting.writer.append(b"open\n")
        assert setting.uploader.drain(60)
        assert threads[0].name == "crmlogging-s3"
        setting.uploader.close()
        threads[0].join(60)
        assert not threads[0].is_alive()

    def test_bound_holds_while_the_server_hangs(self, setting: Setting) -> None:
        """A request that does not come back costs the bound, not more."""
        release = threading.Event()

        def hang(**_: Any) -> dict[str, str]:
            release.wait(60)
            return {"ETag": "etag"}

        setting.server.put_object = hang  # type: ignore[method-assign]
        uploader = Uploader(
            setting.spool,
            Bucket(
                "logs",
                prefix="",
                endpoint_url=None,
                region=None,
                allow_http=False,
                arguments={},
                client=setting.server.client,
            ),
            seal=lambda everything: setting.writer.seal() if everything else None,
            waiting=lambda: bool(setting.spool.waiting()),
            tally=setting.tally,
        )
        uploader.start()
        setting.writer.append(b"line\n")
        assert not uploader.drain(0.1)
        release.set()
        assert uploader.drain(60)
        uploader.close()

    def test_gives_up_at_once_where_waiting_mends_nothing(self, setting: Setting) -> None:
        """At exit nobody waits for somebody to create the bucket."""
        setting.add()
        setting.server.answers = [ServerError("NoSuchBucket")]
        assert not setting.uploader.drain(3_600)
        setting.clock.now += 1
        assert setting.uploader.drain(3_600)


class TestExplain:
    @pytest.mark.parametrize(
        ("error", "code"),
        [
            pytest.param(ServerError("SlowDown"), "SlowDown", id="code"),
            pytest.param(ServerError("503"), "Status503", id="bare-status"),
            pytest.param(ServerError("ada@example.com"), "ServerError", id="no-code"),
            pytest.param(ServerError(""), "ServerError", id="empty"),
            pytest.param(OSError(5, "x"), "OSError", id="other"),
        ],
    )
    def test_codes_have_their_shape(self, error: Exception, code: str) -> None:
        """What is told is a code, never text from outside."""
        assert explain(error).code == code

    @pytest.mark.parametrize("wish", ["soon", "-5", "1e9", "nan"])
    def test_odd_wishes_are_bounded(self, wish: str) -> None:
        """A broken Retry-After neither raises nor waits for ever."""
        assert 0 <= explain(ServerError("SlowDown", {"retry-after": wish})).wait_seconds <= 60


class TestIsEncrypted:
    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("https://s3.example.com", True),
            ("http://localhost:9000", True),
            ("http://127.0.0.1:9000", True),
            ("http://[::1]:9000", True),
            ("http://s3.localhost", True),
            ("http://s3.example.com", False),
            ("http://127.0.0.1.example.com", False),
            ("http://localhost.example.com", False),
            ("http://localhost@example.com", False),
        ],
    )
    def test_https_or_this_machine(self, url: str, expected: bool) -> None:
        """Anything else goes over a wire that others can listen to."""
        assert is_encrypted(url) is expected


class TestForks:
    @pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
    def test_a_fork_waits_for_a_client_under_way(self) -> None:
        """OpenSSL is loading certificates then; a child born meanwhile hung at its exit."""
        begun = threading.Event()

        def client() -> object:
            begun.set()
            while not forking._gate._forks:
                time.sleep(0.001)
            return object()

        bucket = Bucket(
            "logs",
            prefix="",
            endpoint_url=None,
            region=None,
            allow_http=False,
            arguments={},
            client=client,
        )
        thread = threading.Thread(target=bucket.prepare)
        thread.start()
        assert begun.wait(60)
        child = os.fork()
        if not child:
            os._exit(bucket.preparing)
        assert os.waitpid(child, 0)[1] == 0
        thread.join()
