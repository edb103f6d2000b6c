"""Promises of `S3Handler`, with boto3 against a real S3 server (moto) on loopback."""

from __future__ import annotations

import json
import logging
import logging.config
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from crmlogging import S3Handler
from crmlogging.exceptions import ConfigurationError, MissingDependencyError
from crmlogging.handlers.s3_bucket import Bucket
from tests.handlers.s3_spooling import Make, safe, spooled
from tests.s3_server import Server

# moto's and botocore's own, and forks of a test process that has threads.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*utcnow.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*Boto3 will no longer support.*"),
]

FIELDS: dict[str, Any] = {"request.method": "POST"}


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PREAMBLE + script, *arguments],
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
    )


PREAMBLE = """
import logging, os, signal, sys, threading, time
from crmlogging import S3Handler
from crmlogging.records import SafeRecord
bucket, url, spool = sys.argv[1:4]
options = {"prefix": "crm", "endpoint_url": url, "spool_dir": spool, "levels": False}
plain = vars(logging.makeLogRecord({"levelno": 20, "levelname": "INFO", "args": None}))
def safe(text): return SafeRecord({**plain, "created": time.time(), "msg": text})
def handler(**more):
    made = S3Handler(bucket, **{**options, **more})
    made.setFormatter(logging.Formatter("%(message)s"))
    return made
"""


def uploaders() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "crmlogging-s3"]


class TestDelivery:
    def test_lines_arrive_under_the_documented_key(self, server: Server, make_s3: Make) -> None:
        """One gzip object a tier, partitioned by day and hour, JSON lines by default."""
        handler = make_s3()
        handler.setFormatter(None)
        now = time.time()
        handler.handle(safe("for people", created=now, **FIELDS))
        handler.handle(safe("for developers", logging.DEBUG, created=now))
        assert handler.drain(60)
        objects = server.objects()
        hour = time.strftime("dt=%Y-%m-%d/hour=%H", time.gmtime(now))
        host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())
        for tier in ("debug", "standard"):
            pattern = (
                rf"crm/tier={tier}/{hour}/{host}-[0-9a-f]{{16}}-\d{{6}}-[0-9a-f]{{8}}\.jsonl\.gz"
            )
            (key,) = (key for key in objects if re.fullmatch(pattern, key))
            (line,) = objects[key]
            assert json.loads(line)["message"].startswith("for ")
        assert len(objects) == 2

    def test_hour_is_the_first_records(self, server: Server, make_s3: Make) -> None:
        """What waited in a queue is filed where it belongs."""
        handler = make_s3()
        handler.handle(safe(created=1_795_269_600.0))
        assert handler.drain(60)
        (key,) = server.objects()
        assert "/dt=2026-11-21/hour=14/" in key

    def test_object_is_what_it_says(self, server: Server, make_s3: Make) -> None:
        """Type, encoding and the checksum that the server has verified."""
        handler = make_s3(storage_class="STANDARD_IA", tags={"team": "crm"})
        handler.handle(safe())
        assert handler.drain(60)
        (key,) = server.objects()
        head = server.client.head_object(Bucket=server.bucket, Key=key, ChecksumMode="ENABLED")
        assert head["ContentEncoding"] == "gzip"
        assert head["ContentType"] == "application/x-ndjson"
        assert head["StorageClass"] == "STANDARD_IA"
        assert head["ChecksumSHA256"]
        tags = server.client.get_object_tagging(Bucket=server.bucket, Key=key)["TagSet"]
        assert tags == [{"Key": "team", "Value": "crm"}]

    def test_stats_add_up(self, make_s3: Make) -> None:
        """produced = delivered + pending + dropped, before and after delivery."""
        handler = make_s3(segment_bytes=200)
        for _ in range(50):
            handler.handle(safe())
        handler.handle_batch([safe()] * 50)
        before = handler.stats()
        assert before["produced"] == before["delivered"] + before["pending"] == 100
        assert handler.drain(60)
        after = handler.stats()
        assert (after["delivered"], after["pending"], after["spool_bytes"]) == (100, 0, 0)

    def test_unsafe_record_is_masked_whole(self, server: Server, make_s3: Make) -> None:
        """The spool and the bucket never hold what no AllowlistFilter has seen."""
        handler = make_s3()
        handler.setFormatter(None)
        handler.handle(logging.makeLogRecord({"msg": "ada@example.com", "email": "a@x.example"}))
        assert handler.drain(60)
        (line,) = server.lines()
        assert b"example" not in line

    def test_plain_exit_delivers(self, server: Server, tmp_path: Path) -> None:
        """A short program needs to call nothing; two in a row, and on a thread of its own."""
        script = """
def work():
    logger = logging.getLogger("crm")
    logger.addHandler(handler())
    for number in range(20):
        logger.handle(safe(f"{os.getpid()} {number}"))
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
        for _ in range(2):
            run(script, server.bucket, server.url, str(tmp_path / "spool"))
        assert len(set(server.lines())) == 40
        assert spooled(tmp_path) == []

    def test_forgotten_handler_delivers_at_exit(self, server: Server, tmp_path: Path) -> None:
        """A foreign dictConfig drops it from logging's list; a logger goes on using it."""
        script = """
import logging.config
logger = logging.getLogger("crm")
logger.addHandler(handler())
logger.handle(safe("before"))
logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
logger.handle(safe("after"))
"""
        run(script, server.bucket, server.url, str(tmp_path / "spool"))
        assert sorted(server.lines()) == [b"after", b"before"]

    def test_reconfiguration_leaks_no_thread_and_loses_nothing(
        self, server: Server, tmp_path: Path
    ) -> None:
        """The same document twice; what the first handler had is delivered by it or the second."""
        handler = {
            "()": "crmlogging.S3Handler",
            "bucket": server.bucket,
            "endpoint_url": server.url,
            "spool_dir": str(tmp_path / "spool"),
            "levels": False,
        }
        document = {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"s3": handler},
            "loggers": {"crm.twice": {"handlers": ["s3"], "level": "INFO"}},
        }
        for number in range(3):
            logging.config.dictConfig(document)
            logging.getLogger("crm.twice").handle(safe(str(number)))
        (last,) = logging.getLogger("crm.twice").handlers
        assert isinstance(last, S3Handler)
        deadline = time.monotonic() + 60
        while len(server.lines()) < 3 or len(uploaders()) > 1:
            assert last.drain(60)
            assert time.monotonic() < deadline
        assert len({json.loads(line)["message"] for line in server.lines()}) == 3
        last.close()

    def test_records_of_an_upload_are_not_uploaded(self, server: Server, make_s3: Make) -> None:
        """boto3's loggers at DEBUG on root: what they say of an upload causes no other one."""
        handler = make_s3()
        root = logging.getLogger()
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        handler.setFormatter(logging.Formatter("%(name)s"))
        logging.getLogger("crm").handle(safe())
        assert handler.drain(60)
        assert handler.drain(60)
        root.removeHandler(handler)
        root.setLevel(logging.WARNING)
        assert server.lines() == [b"crm.sync"]
        assert handler.stats()["ignored"] > 0

    def test_nor_are_they_by_way_of_a_queue(self, make_s3: Make) -> None:
        """A worker hands over what the uploading thread has logged: it is recognised."""
        handler = make_s3()
        (thread,) = (each for each in uploaders() if each is handler._uploader._thread)
        handler.handle_batch([safe(thread=thread.ident), safe()])
        assert handler.stats()["ignored"] == 1
        assert handler.stats()["produced"] == 1


class TestSharedSpool:
    def test_a_handler_waits_for_its_own_records_only(self, make_s3: Make) -> None:
        """An old handler of the same place is drained, though a newer one goes on writing."""
        old, new = make_s3(), make_s3()
        old.handle(safe("old"))
        new.handle(safe("new"))
        assert old.drain(60)
        assert old.stats()["pending"] == 0

    def test_a_child_of_an_unlucky_fork_leaves_its_records_to_others(
        self, make_s3: Make, server: Server
    ) -> None:
        """Born while a client was being made, it touches no client: its parent uploads."""
        handler = make_s3()
        handler.handle(safe("parent"))
        assert handler.drain(60)
        # Another handler's client counts too: the locks are the process's.
        other = make_s3(prefix="other")
        other._uploader._bucket.preparing = True
        child = os.fork()
        if child == 0:
            handler.handle(safe("child"))
            os._exit(0 if not handler.drain(60) and handler._uploader._mute else 1)
        other._uploader._bucket.preparing = False
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        handler.handle(safe("parent again"))
        assert handler.drain(60)
        assert sorted(server.lines()) == [b"child", b"parent", b"parent again"]


class TestOutage:
    def test_nothing_reaches_the_network_in_the_constructor(self, tmp_path: Path) -> None:
        """Neither a missing server nor missing credentials raise; lines wait."""
        handler = S3Handler(
            "logs", endpoint_url="http://127.0.0.1:9", spool_dir=tmp_path / "spool", levels=False
        )
        handler.setFormatter(logging.Formatter("%(message)s"))
        handler.handle(safe())
        assert not handler.drain(0.2)
        assert handler.stats()["pending"] == 1
        handler.close(timeout=0.3)

    def test_next_start_delivers_what_waited(
        self, server: Server, tmp_path: Path, make_s3: Make
    ) -> None:
        """An outage outlives the process; also what was in no sealed segment yet arrives."""
        script = """
made = handler()
made._uploader._bucket._make_client = lambda: 1 / 0
for number in range(10): made.handle(safe(str(number)))
made.close(timeout=0.1)
made.handle(safe("late"))
os.kill(os.getpid(), signal.SIGKILL)
"""
        with pytest.raises(subprocess.CalledProcessError):
            run(script, server.bucket, server.url, str(tmp_path / "spool"))
        assert server.lines() == []
        assert make_s3().drain(60)
        assert sorted(server.lines()) == sorted(
            [*(b"%d" % number for number in range(10)), b"late"]
        )
        assert spooled(tmp_path) == []

    def test_missing_bucket_is_told_with_the_remedy(
        self, server: Server, tmp_path: Path, make_s3: Make, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """And as soon as somebody has made it everything arrives."""
        server.client.delete_bucket(Bucket=server.bucket)
        handler = make_s3()
        handler.handle(safe("waited"))
        assert not handler.drain(60)
        assert handler.stats()["upload_failed.NoSuchBucket"] >= 1
        server.client.create_bucket(Bucket=server.bucket)
        assert handler.drain(60)
        assert server.lines() == [b"waited"]

    def test_full_spool_keeps_a_reserve_for_errors(self, make_away: Make) -> None:
        """Beyond the bound records are dropped and counted; ERROR and above last."""
        handler = make_away(spool_bytes=10_000)
        for _ in range(20):
            handler.handle(safe("x" * 1_000))
        stats = handler.stats()
        assert stats["pending"] == 8
        handler.handle(safe("error", logging.ERROR))
        assert handler.stats()["pending"] == 9
        assert handler.stats()["dropped.spool_full"] == 12

    def test_upload_repeated_after_a_kill_makes_no_second_object(
        self, server: Server, tmp_path: Path, make_s3: Make
    ) -> None:
        """Confirmed, but killed before the unlink: the same key, the same bytes."""
        handler = make_s3()
        handler.handle(safe("once"))
        handler._seal(True)
        handler._spool.pack()
        (ready,) = (path for path in spooled(tmp_path) if path.suffix == ".gz")
        data = ready.read_bytes()
        assert handler.drain(60)
        ready.write_bytes(data)
        ready.chmod(0o600)
        assert handler.drain(60)
        assert server.lines() == [b"once"]
        assert spooled(tmp_path) == []


class TestProcesses:
    def test_kills_and_forks_lose_and_repeat_nothing(
        self, server: Server, tmp_path: Path, make_s3: Make
    ) -> None:
        """Writers killed at random and forked children: each accepted line exactly once."""
        script = """
name = sys.argv[4]
made = handler(segment_bytes=40_000, segment_seconds=0.2)
def work(who, count):
    ack = os.open(f"{spool}-ack-{who}", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for number in range(count):
        made.handle(safe(f"{who} {number} " + "x" * 200))
        os.write(ack, b"%d\\n" % number)
        if number % 50 == 0: time.sleep(0.01)
count = 1_000 if name[0] == "q" else 10**9  # who is to be killed never ends before
thread = threading.Thread(target=work, args=(name + "t", count))
thread.start()
child = os.fork()
if not child:
    signal.alarm(60)
    work(name + "f", 300)
    os._exit(0)
work(name, count)
thread.join()
os.waitpid(child, 0)
"""

        def start(name: str) -> subprocess.Popen[bytes]:
            arguments = [server.bucket, server.url, str(tmp_path / "spool"), name]
            return subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", PREAMBLE + script, *arguments]
            )

        running = [start("p0"), start("p1")]
        for number in range(2):
            ack = tmp_path / f"spool-ack-p{number}"
            while not (ack.exists() and ack.stat().st_size > 1_000):
                time.sleep(0.005)
            running[number].send_signal(signal.SIGKILL)
            running.append(start(f"q{number}"))
        assert [process.wait(60) for process in running] == [-signal.SIGKILL] * 2 + [0] * 2
        for child in ("p0f", "p1f"):
            while (tmp_path / f"spool-ack-{child}").read_bytes().count(b"\n") < 300:
                time.sleep(0.005)
        handler = make_s3()
        deadline = time.monotonic() + 60
        while spooled(tmp_path):  # An orphan may still hold its segment for a moment.
            assert handler.drain(60)
            assert time.monotonic() < deadline
        found = Counter(tuple(line.split()[:2]) for line in server.lines())
        assert set(found.values()) == {1}
        for ack in tmp_path.glob("spool-ack-*"):
            who = ack.name.removeprefix("spool-ack-").encode()
            assert all((who, each) in found for each in ack.read_bytes().split())

    def test_child_uploads_with_its_own_thread(
        self, server: Server, tmp_path: Path, make_s3: Make
    ) -> None:
        """A child forked from a process that has uploaded already delivers by itself."""
        script = """
made = handler()
made.handle(safe("parent"))
assert made.drain(60)
child = os.fork()
if not child:
    signal.alarm(60)
    made.handle(safe("child"))
    os._exit(0 if made.drain(60) else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
        run(script, server.bucket, server.url, str(tmp_path / "spool"))
        objects = server.objects()
        assert sorted(line for lines in objects.values() for line in lines) == [
            b"child",
            b"parent",
        ]
        assert len({key.split("-")[-3] for key in objects}) == 2

    def test_calls_do_not_wait_for_an_upload(
        self, make_s3: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """While an upload hangs every call returns, and none of them uploads by itself."""
        uploading, go_on, threads = threading.Event(), threading.Event(), set()
        put = Bucket.put

        def hang(bucket: Bucket, item: Any) -> None:
            threads.add(threading.get_ident())
            uploading.set()
            assert go_on.wait(60)
            put(bucket, item)

        monkeypatch.setattr(Bucket, "put", hang)
        handler = make_s3(segment_bytes=20_000)
        for _ in range(3_000):
            handler.handle(safe("x" * 200))
        assert uploading.wait(60)
        for _ in range(3_000):
            handler.handle(safe("x" * 200))
        assert handler.stats()["delivered"] == 0
        assert threading.get_ident() not in threads
        go_on.set()
        assert handler.drain(60)
        assert handler.stats()["delivered"] == 6_000


BAD = [
    pytest.param({"bucket": "s3://logs/crm"}, "bucket.*only the bucket's name", id="address"),
    pytest.param({"bucket": "a b"}, "bucket", id="space"),
    pytest.param({"bucket": None}, "bucket", id="no-bucket"),
    pytest.param({"prefix": "../x"}, "prefix", id="dots"),
    pytest.param({"prefix": "a//b"}, "prefix", id="empty-part"),
    pytest.param({"prefix": "a\nb"}, "prefix", id="newline"),
    pytest.param({"endpoint_url": "http://s3.example.com"}, "endpoint_url.*https", id="plain"),
    pytest.param({"endpoint_url": "ftp://x"}, "endpoint_url", id="scheme"),
    pytest.param({"spool_bytes": 0}, "spool_bytes", id="no-spool"),
    pytest.param({"segment_seconds": "1m"}, "segment_seconds", id="text-for-number"),
    pytest.param({"server_side_encryption": "rot13"}, "server_side_encryption", id="encryption"),
    pytest.param({"kms_key_id": "key"}, "kms_key_id", id="key-without-kms"),
    pytest.param({"tags": "a=b"}, "tags", id="tags"),
    pytest.param({"bucket_name": "x"}, "bucket_name.*ours is bucket", id="other-name"),
    pytest.param({"aws_secret_access_key": "x"}, "credentials come from", id="credentials"),
    pytest.param({"spool_dri": "x"}, "did you mean 'spool_dir'", id="typo"),
    pytest.param({"spool_dir": "/dev/null/x"}, "spool_dir: cannot write", id="no-directory"),
    pytest.param({"spool_dir": "a\0b"}, "spool_dir", id="nul"),
]


class TestConfiguration:
    @pytest.mark.parametrize(("options", "complaint"), BAD)
    def test_names_the_option(
        self, tmp_path: Path, options: dict[str, Any], complaint: str
    ) -> None:
        """A mistake is told at construction."""
        with pytest.raises(ConfigurationError, match=complaint):
            S3Handler(**{"bucket": "logs", "spool_dir": tmp_path, **options})

    def test_quotes_no_secret(self, tmp_path: Path) -> None:
        """An address may carry a password, an unknown option a key."""
        client: Any = {"aws_secret_access_key": "hunter2"}
        with pytest.raises(ConfigurationError) as caught:
            S3Handler(
                "AKIA:hunter2@logs",
                prefix="crm?token=hunter2",
                endpoint_url="http://user:hunter2@s3.example.com",
                spool_dir=tmp_path,
                client=client,
                aws_secret_access_key="hunter2",
            )
        assert "hunter2" not in str(caught.value)
        assert len(caught.value.problems) == 5

    def test_missing_package_names_the_extra(self, tmp_path: Path) -> None:
        """Without boto3 the constructor says what to install."""
        script = """
import sys
from crmlogging import S3Handler
from crmlogging.exceptions import MissingDependencyError
assert "boto3" not in sys.modules and "botocore" not in sys.modules
sys.modules["boto3"] = None
try:
    S3Handler("logs", spool_dir=sys.argv[1])
except MissingDependencyError as error:
    print(error)
"""
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script, str(tmp_path)],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert 'pip install "crmlogging[s3]"' in done.stdout
        assert issubclass(MissingDependencyError, ConfigurationError)

    def test_nothing_is_left_to_import_for_an_upload(self, tmp_path: Path, server: Server) -> None:
        """A fork while the uploader's thread imports would lock that module in the child."""
        script = """
import sys
from crmlogging import S3Handler
handler = S3Handler("logs", spool_dir=sys.argv[1], endpoint_url=sys.argv[2], levels=False)
before = set(sys.modules)
client = handler._uploader._bucket._boto_client()
try:
    client.put_object(Bucket="nobody-has-this", Key="x", Body=b"x", ChecksumAlgorithm="SHA256")
except client.exceptions.NoSuchBucket:
    print(sorted(set(sys.modules) - before))
"""
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script, str(tmp_path), server.url],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stdout == "[]\n"

    def test_default_spool_is_private_and_by_destination(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In the state directory; each destination has its own, so that none gets another's."""
        monkeypatch.delenv("STATE_DIRECTORY", raising=False)
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        for prefix in ("one", "two"):
            S3Handler(
                "logs", prefix=prefix, endpoint_url="http://127.0.0.1:9", levels=False
            ).close()
        spools = list((tmp_path / "state" / "crmlogging").iterdir())
        assert len(spools) == 2
        for path in (tmp_path / "state").rglob("*"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700

    def test_falls_back_when_the_state_directory_is_read_only(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A service without a home still logs."""
        (tmp_path / "file").write_bytes(b"")
        monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "file"))
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        S3Handler("logs", endpoint_url="http://127.0.0.1:9", levels=False).close()
        assert os.listdir(tmp_path / "state" / "crmlogging")
