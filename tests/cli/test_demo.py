"""Promises of the demo, end to end: a real run, its files, its objects, and its judgement."""

from __future__ import annotations

import gzip
import json
import logging
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from crmlogging.cli import demo
from crmlogging.cli.demo_contacts import contacts
from crmlogging.cli.demo_scenarios import plan, providers
from crmlogging.cli.demo_server import CrmServer
from crmlogging.cli.sync_job import ATTEMPTS

RECORDS, SEED = 120, 7


def run_demo(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "crmlogging", "demo", f"--records={RECORDS}", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "100", **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def lines_below(folder: Path) -> list[dict[str, Any]]:
    lines = []
    for path in sorted(folder.rglob("*.jsonl*")):
        contents = path.read_bytes()
        if path.suffix == ".gz":
            contents = gzip.decompress(contents)
        lines += [json.loads(line) for line in contents.splitlines()]
    return lines


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Lend a finished demo: the folder it ran in, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    done = run_demo(folder, f"--seed={SEED}", "--keep")
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr
    assert done.stderr == ""
    return folder / "crmlogging-demo", done.stdout


def expected_failures() -> Counter[tuple[str, str]]:
    """Return failing answers by provider and category, worked out from the plan alone."""
    failures: Counter[tuple[str, str]] = Counter()
    for call in plan(providers(), contacts(RECORDS, SEED), SEED):
        row = call.scenario
        if row is not None:
            retried = row.category in ("transient", "unreachable")
            answers = row.failures or (ATTEMPTS if retried else 1)
            failures[call.provider.slug, row.category] += answers
    return failures


class TestRun:
    def test_every_failed_call_is_a_classified_line(self, finished: tuple[Path, str]) -> None:
        """The log holds a line for each failing answer, with category, code and correlation id."""
        failed = [line for line in lines_below(finished[0] / "logs") if "error.category" in line]
        assert Counter((line["crm"], line["error.category"]) for line in failed) == (
            expected_failures()
        )
        for line in failed:
            assert line["error.code"]
            assert len(line["correlation_id"]) == 32
            assert line["resource.id"].startswith("c-")

    def test_the_bucket_holds_the_same_records(self, finished: tuple[Path, str]) -> None:
        """File and objects, copied beside it by --keep, are the same set."""
        in_file = [line["record.id"] for line in lines_below(finished[0] / "logs")]
        in_bucket = [line["record.id"] for line in lines_below(finished[0] / "s3")]
        assert len(in_file) > RECORDS / 10
        assert sorted(in_file) == sorted(in_bucket)

    def test_nothing_of_a_contact_is_in_any_file(self, finished: tuple[Path, str]) -> None:
        """No address, number, name or token, in whatever kind of file, nor on the screen."""
        texts = [finished[1]]
        for path in finished[0].rglob("*"):
            if path.is_file():
                raw = path.read_bytes()
                raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
                texts.append(raw.decode())
        everything = "\n".join(texts)
        for person in contacts(RECORDS, SEED):
            assert person.email not in everything
            assert person.phone not in everything
            assert person.portal_token not in everything
            assert f"{person.given} {person.family}" not in everything
        tokens = CrmServer([*plan(providers(), contacts(RECORDS, SEED), SEED)], SEED).tokens
        assert not any(token in everything for token in tokens.values())

    def test_messages_stay_readable(self, finished: tuple[Path, str]) -> None:
        """Careless calls come out as their templates."""
        messages = Counter(line["message"] for line in lines_below(finished[0] / "logs"))
        assert "Contact sync failed" in messages
        assert "Contact sync failed: %s" in messages
        assert "Failed to sync {contact.email}" in messages
        assert not any("[DYNAMIC" in message for message in messages)

    def test_what_is_printed(self, finished: tuple[Path, str]) -> None:
        """JSON lines of the console, then the report, the files, and the verdict."""
        printed = finished[1]
        console = [json.loads(row) for row in printed.splitlines() if row.startswith("{")]
        assert any("error.suppressed" in line for line in console)
        total = sum(expected_failures().values())
        assert f"{total} failed calls in" in printed
        for part in ("Reconnect", "https://", "crmlogging-demo/logs", "Checked: "):
            assert part in printed

    def test_twice_in_a_row(self, finished: tuple[Path, str]) -> None:
        """A second run replaces the first one's files; another shell's level does not matter."""
        level = {"CRMLOGGING_LEVEL": "CRITICAL"}
        done = run_demo(finished[0].parent, f"--seed={SEED}", "--keep", **level)
        assert done.returncode == 0, done.stdout[-3_000:] + done.stderr


class TestStorage:
    def test_a_server_that_is_named(self, tmp_path: Path) -> None:
        """The objects go to the person's own server, and stay there, run beside run."""
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        server.start()
        try:
            host, port = server.get_host_and_port()
            endpoint = f"http://{host}:{port}"
            keys = {"AWS_ACCESS_KEY_ID": "mine", "AWS_SECRET_ACCESS_KEY": "mine"}
            for _ in range(2):
                done = run_demo(tmp_path, "--records=40", "--s3-endpoint", endpoint, **keys)
                assert done.returncode == 0, done.stdout[-3_000:] + done.stderr
                assert f"at {endpoint} in s3://crmlogging-demo/crm/" in done.stdout
        finally:
            server.stop()
        assert not (tmp_path / "crmlogging-demo" / "s3").exists()

    def test_without_a_server_s3_is_left_out(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Without moto and endpoint the rest runs, and the output says what is missing."""
        monkeypatch.setitem(sys.modules, "moto", None)
        options = demo.Options(40, 1, tmp_path / "out", keep=True, s3_endpoint=None)
        assert demo.run(options) is True
        assert "S3 is left out: it needs a server." in capsys.readouterr().out
        assert not (tmp_path / "out" / "s3").exists()


class TestVerdict:
    def test_a_difference_is_found(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A log that lacks what the CRMs did fails the demo, which says what differs."""
        answer = CrmServer.answer

        def answers_twice(self: CrmServer, key: str) -> Any:
            with self._lock:
                self.failures["hubspot", "auth", "EXPIRED_AUTHENTICATION"] += 1
            return answer(self, key)

        monkeypatch.setattr(CrmServer, "answer", answers_twice)
        options = demo.Options(40, 1, tmp_path / "out", keep=False, s3_endpoint=None)
        assert demo.run(options) is False
        printed = capsys.readouterr().out
        assert "The demo found faults:" in printed
        assert "hubspot auth EXPIRED_AUTHENTICATION: the server gave" in printed
