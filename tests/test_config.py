"""Promises of `configure`: one call, a complete and lossless set-up, or one clear error."""

from __future__ import annotations

import json
import logging
import logging.config
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crmlogging import ConfigurationError, __version__, configure


def run(program: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a real process that configures logging, logs, and ends as it likes."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=cwd,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def lines(text: str) -> list[dict[str, Any]]:
    """Return the lines but the one that says that logging begins."""
    every = [json.loads(line) for line in text.splitlines()]
    return [line for line in every if "start.version" not in line]


CALLS = """
import logging, os, signal, sys
logger = logging.getLogger("crm.sync")
for number in range(200):
    logger.info("Synced a contact", extra={"resource.id": str(number), "email": "a@b.example"})
"""


class TestEnvironments:
    def test_production_writes_json_at_info(self, tmp_path: Path) -> None:
        """JSON lines at INFO, with service and environment, to stdout."""
        done = run(
            "import crmlogging; crmlogging.configure('crm-sync', 'production')\n"
            "import logging; a = logging.getLogger('a'); a.debug('no'); a.info('yes')",
            tmp_path,
        )
        (line,) = lines(done.stdout)
        assert (line["message"], line["service"], line["environment"]) == (
            *("yes", "crm-sync", "production"),
        )
        assert done.stderr == ""

    def test_development_is_readable_at_debug(self, tmp_path: Path) -> None:
        """A person's line, DEBUG included, without colours where no terminal is."""
        done = run(
            "import crmlogging; crmlogging.configure('crm-sync', 'development')\n"
            "import logging; logging.getLogger('a').debug('Looked it up', extra={'crm': 'zoho'})",
            tmp_path,
        )
        assert done.stdout.rstrip().endswith("DEBUG    Looked it up  crm=zoho")
        assert "\x1b" not in done.stdout

    def test_environment_comes_from_the_variable(self, tmp_path: Path) -> None:
        """Where the call names none, the deployment does."""
        done = run(
            "import crmlogging, logging; crmlogging.configure('s'); logging.warning('x')",
            tmp_path,
            CRMLOGGING_ENVIRONMENT="staging",
        )
        assert lines(done.stdout)[0]["environment"] == "staging"

    def test_level_variable_wins_at_once(self, tmp_path: Path) -> None:
        """The very first record follows CRMLOGGING_LEVEL."""
        done = run(
            "import crmlogging, logging; crmlogging.configure('s', 'production')\n"
            "logging.getLogger('a').debug('Looked it up')",
            tmp_path,
            CRMLOGGING_LEVEL="DEBUG",
        )
        assert "Looked it up" in [line["message"] for line in lines(done.stdout)]


class TestStartLine:
    def test_lands_in_each_output_once(self, tmp_path: Path) -> None:
        """The first line says version, levels, handlers and what is let out; once a set-up."""
        again = "crmlogging.configure('s', 'production', output=['stdout', 'crm.jsonl']%s)\n"
        done = run(
            "import crmlogging\n" + again % "" + again % "" + again % ", fields=['@crm', 'a']",
            tmp_path,
        )
        archive = [json.loads(line) for line in (tmp_path / "crm.jsonl").read_text().splitlines()]
        assert [json.loads(line) for line in done.stdout.splitlines()] == archive
        first, changed = archive
        assert (first["message"], first["level"]) == ("Logging begins", "INFO")
        assert first["start.version"] == __version__
        assert "root:INFO" in first["start.levels"]
        assert first["start.handlers"] == [
            *("file:RetentionFileHandler", "stdout_stream:StreamHandler", "stdout:AsyncHandler"),
        ]
        assert first["start.allowlist"] != changed["start.allowlist"]

    def test_is_an_ordinary_record(self, tmp_path: Path) -> None:
        """Who asks for warnings only gets no line at INFO."""
        configure("s", "production", output=str(tmp_path / "crm.jsonl"), level="WARNING")
        assert (tmp_path / "crm.jsonl").read_text() == ""


class TestDelivery:
    def test_file_and_console_get_every_record_at_exit(self, tmp_path: Path) -> None:
        """Plain exit delivers all, also what waits before the console."""
        done = run(
            "import crmlogging\n"
            "crmlogging.configure('s', 'production', output=['stdout', 'logs/crm.jsonl'])" + CALLS,
            tmp_path,
        )
        assert done.stderr == ""
        archive = lines((tmp_path / "logs" / "crm.jsonl").read_text())
        assert [line["resource.id"] for line in archive] == [str(n) for n in range(200)]
        assert {x["record.id"] for x in lines(done.stdout)} == {x["record.id"] for x in archive}
        assert "a@b.example" not in done.stdout + str(archive)

    @pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
    def test_a_killed_process_loses_nothing_accepted(self, tmp_path: Path, name: str) -> None:
        """What the archive accepted is in the kernel; nobody installed a signal handler."""
        done = run(
            "import crmlogging; crmlogging.configure('s', 'production', output='crm.jsonl')"
            + CALLS
            + f"assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL\n"
            f"os.kill(os.getpid(), signal.{name})",
            tmp_path,
        )
        assert done.returncode == -getattr(signal, name)
        assert len(lines((tmp_path / "crm.jsonl").read_text())) == 200

    def test_stdout_alone_is_the_archive(self, tmp_path: Path) -> None:
        """Without a file nothing waits in a queue and nothing is grouped away."""
        done = run(
            "import crmlogging; crmlogging.configure('s', 'production')"
            + CALLS.replace("info", "error")
            + "sys.stdout.flush(); os.kill(os.getpid(), signal.SIGKILL)",
            tmp_path,
        )
        assert len(lines(done.stdout)) == 200

    def test_console_beside_an_archive_is_grouped(self, tmp_path: Path) -> None:
        """People see a few of 200 identical errors and one summary; the file has them all."""
        done = run(
            "import crmlogging\n"
            "crmlogging.configure('s', 'production', output=['stdout', 'crm.jsonl'])"
            + CALLS.replace("info", "error"),
            tmp_path,
        )
        shown = lines(done.stdout)
        assert len(lines((tmp_path / "crm.jsonl").read_text())) == 200
        summaries = [line for line in shown if "error.suppressed" in line]
        # Passed + summarised = produced, and people read eight lines instead of 200.
        assert (len(shown) - len(summaries), len(summaries)) == (5, 3)
        assert sum(line["error.suppressed"] for line in summaries) == 195


HOSTILE = """
import crmlogging, logging
crmlogging.configure("s", "production", output="crm.jsonl", fields=["@crm", "v", "deep.**"])
logger = logging.getLogger("crm.sync")

class Hostile:
    def __repr__(self):
        raise RuntimeError("asked")
    __str__ = __repr__

deep, cyclic = {}, {}
for _ in range(2_000):
    deep = {"d": deep}
cyclic["c"] = cyclic
values = [Hostile(), cyclic, deep, float("nan"), float("inf"), 2**4_000, b"\\xff", [Hostile()]]
for value in [*values, "half \\ud800", object()]:
    logger.error("Tried a value", extra={"v": value, "deep": value})
    logger.error("Tried %s", value)
    logger.error("Tried %d and %s", value)
"""


class TestBadValues:
    def test_every_line_is_written(self, tmp_path: Path) -> None:
        """Whatever a call passes: its line is there, valid JSON, and nothing is raised or told."""
        done = run(HOSTILE, tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        text = (tmp_path / "crm.jsonl").read_bytes().decode("utf-8", "strict")
        assert len(lines(text)) == 3 * 10


class TestReturnedDocument:
    def test_can_be_applied_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The answer is a dictConfig document that says all that was done."""
        document = configure("s", "production", output=str(tmp_path / "crm.jsonl"), level="ERROR")
        assert document["root"] == {"level": "ERROR", "handlers": ["file"]}
        assert json.loads(json.dumps(document)) == document
        logging.config.dictConfig(document)
        logging.getLogger("crm.sync").error("Failed")
        assert len(lines((tmp_path / "crm.jsonl").read_text())) == 1

    def test_twice_is_harmless(self, tmp_path: Path) -> None:
        """The second call replaces the first; no line comes twice."""
        for _ in range(2):
            configure("s", "production", output=str(tmp_path / "crm.jsonl"))
        logging.getLogger("crm.sync").error("Failed")
        assert len(lines((tmp_path / "crm.jsonl").read_text())) == 1

    def test_reserved_names_are_kept(self, tmp_path: Path) -> None:
        """After configure() no name in extra raises, and an allowed one is shown."""
        early = logging.getLogger("tests.config.early")
        configure("s", output=str(tmp_path / "crm.jsonl"), fields=["@crm", "extra.name"])
        early.error("Failed", extra={"name": "import-7", "args": 1})
        (line,) = lines((tmp_path / "crm.jsonl").read_text())
        assert (line["extra.name"], line["logger"]) == ("import-7", "tests.config.early")


class TestMistakes:
    def test_all_are_told_at_once_and_nothing_changes(self, tmp_path: Path) -> None:
        """One error lists every problem by option; the old configuration stays in force."""
        (tmp_path / "file").write_text("")
        handlers = logging.root.handlers[:]
        with pytest.raises(ConfigurationError) as caught:
            configure(
                "two words",
                "prod",
                output=[str(tmp_path / "file" / "crm.jsonl")],
                fields=["*"],
                mask={"api_key": "first4"},
                level="LOUD",
            )
        told = str(caught.value)
        for option in ("environment", "service", "fields", "mask", "level", "filename"):
            assert f"{option}: " in told, told
        assert "'prod' is unknown" in told
        assert logging.root.handlers == handlers

    def test_another_address_is_no_path(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Neither a directory named after it, nor its password in the error."""
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ConfigurationError, match="output: is an address") as told:
            configure("s", output="https://crm:canary@logs.example/in")
        assert "canary" not in str(told.value)
        assert not list(tmp_path.iterdir())

    def test_no_output_is_told(self) -> None:
        """An empty list would log nowhere."""
        with pytest.raises(ConfigurationError, match="output: is empty"):
            configure("s", output=[])

    def test_a_missing_extra_is_told(self, tmp_path: Path) -> None:
        """S3 without boto3 says what to install."""
        done = run(
            "import sys; sys.modules['boto3'] = None\n"
            "import crmlogging\n"
            "try:\n    crmlogging.configure('s', output='s3://bucket/x', spool_dir='spool')\n"
            "except crmlogging.ConfigurationError as error:\n    print(error)",
            tmp_path,
        )
        assert 'pip install "crmlogging[s3]"' in done.stdout, done.stderr
