"""The document users write, on this Python: every record arrives, whatever happens to it.

Each case is a process of its own that configures twice, logs before and after, in a forked
child, after a foreign dictConfig has closed its handlers, and then simply ends.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import crmlogging
from tests.s3_server import CREDENTIALS, Server

ROOT = Path(crmlogging.__file__).parents[1]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    **CREDENTIALS,
    "AWS_DEFAULT_REGION": "us-east-1",
}
PHASES = {"first": 60, "second": 60, "child": 20, "parent": 60, "closed": 60}
SCRIPT = """
import json, logging, logging.config, os, sys, threading

with open(sys.argv[1]) as file:
    document = json.load(file)
logger = logging.getLogger("crm.sync")

def log(phase):
    for number in range(PHASES[phase]):
        logger.info("record", extra={"sync.run_id": phase, "request.attempt": number})

logging.config.dictConfig(json.loads(json.dumps(document)))
log("first")
logging.config.dictConfig(document)
log("second")
child = os.fork()
log("parent" if child else "child")
if not child:
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
log("closed")
workers = [t.name for t in threading.enumerate() if t.name.startswith("crmlogging-async")]
assert len(workers) == len(set(workers)), workers
"""
FILTERS = ["correlation", "errors", "allowlist"]
_PATIENCE_SECONDS = 300.0
"""Ends what hangs. The work is a few seconds, which a busy machine stretches to a minute."""


class Stored:
    """Where the records of one case end up."""

    def __init__(self, directory: Path, server: Server) -> None:
        self.file = directory / "logs" / "crm.jsonl"
        self.spool = directory / "spool"
        self.server = server

    def in_file(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def in_bucket(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.server.lines()]


@pytest.fixture
def stored(tmp_path: Path, server: Server) -> Stored:
    return Stored(tmp_path, server)


def document(
    stored: Stored, *, key: str, first: bool, behind: bool, s3: bool = True
) -> dict[str, Any]:
    """Return DESIGN's document.

    Args:
        stored: where it writes to.
        key: ``"()"`` or ``"class"``, for the AsyncHandler.
        first: the targets' names sort before the AsyncHandler's, else after.
        behind: file and S3 stand behind the AsyncHandler, else beside it.
        s3: with S3.
    """
    name = ("a_{}" if first else "z_{}").format
    durable: dict[str, dict[str, Any]] = {
        name("file"): {"class": "crmlogging.RetentionFileHandler", "filename": str(stored.file)},
        name("s3"): {
            "class": "crmlogging.S3Handler",
            "bucket": stored.server.bucket,
            "prefix": "crm",
            "endpoint_url": stored.server.url,
            "spool_dir": str(stored.spool),
            "close_seconds": 60,
        },
    }
    if not s3:
        del durable[name("s3")]
    for handler in durable.values():
        handler["formatter"] = "json"
        if not behind:
            handler["filters"] = FILTERS
    targets = [name("stdout"), *(durable if behind else ())]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "correlation": {"()": "crmlogging.CorrelationFilter"},
            "errors": {"()": "crmlogging.ErrorFilter"},
            "allowlist": {"()": "crmlogging.AllowlistFilter", "fields": ["@crm", "campaign.id"]},
            "grouping": {"()": "crmlogging.GroupingFilter", "first": 5, "window_seconds": 60},
        },
        "formatters": {"json": {"()": "crmlogging.JsonFormatter", "service": "crm-sync"}},
        "handlers": {
            **durable,
            name("stdout"): {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": "json",
            },
            "console": {
                key: "crmlogging.AsyncHandler",
                "handlers": targets,
                "filters": [*FILTERS, "grouping"],
                "flush_seconds": 30,
            },
        },
        "root": {"level": "INFO", "handlers": ["console", *(() if behind else durable)]},
    }


def run(tmp_path: Path, document: dict[str, Any]) -> list[dict[str, Any]]:
    """Run `SCRIPT` with `document`; return what it wrote to stdout."""
    (tmp_path / "document.json").write_text(json.dumps(document))
    script = SCRIPT.replace("PHASES", repr(PHASES))
    result = subprocess.run(
        # From 3.12 on Python warns about any fork beside threads.
        [
            sys.executable,
            "-Xdev",
            "-Wignore:This process:DeprecationWarning",
            "-c",
            script,
            str(tmp_path / "document.json"),
        ],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


def check(records: list[dict[str, Any]]) -> set[str]:
    """Every record of every phase is there once, under an id of its own; return the ids."""
    # botocore says where it found its credentials.
    ours = [record for record in records if record["logger"] == "crm.sync"]
    found = Counter((record["sync.run_id"], record["request.attempt"]) for record in ours)
    assert found == Counter((p, n) for p, count in PHASES.items() for n in range(count))
    ids = {record["record.id"] for record in ours}
    assert len(ids) == len(ours)
    return ids


@pytest.mark.parametrize("behind", [False, True], ids=["beside", "behind"])
@pytest.mark.parametrize("key", ["()", "class"])
class TestDocument:
    @pytest.mark.parametrize("first", [True, False], ids=["targets-first", "targets-last"])
    def test_every_record_arrives(
        self, tmp_path: Path, stored: Stored, key: str, first: bool, behind: bool
    ) -> None:
        """Console and file hold the same records: all of them, each once."""
        console = run(tmp_path, document(stored, key=key, first=first, behind=behind, s3=False))
        assert check(console) == check(stored.in_file())

    def test_every_record_arrives_with_s3(
        self, tmp_path: Path, stored: Stored, key: str, behind: bool
    ) -> None:
        """Console, file and S3 hold the same records: all of them, each once."""
        first = behind == (key == "class")  # so that each order meets each of the others
        console = run(tmp_path, document(stored, key=key, first=first, behind=behind))
        assert check(console) == check(stored.in_file()) == check(stored.in_bucket())


class TestOptions:
    @pytest.mark.parametrize("key", ["()", "class"])
    @pytest.mark.parametrize("first", [True, False], ids=["targets-first", "targets-last"])
    def test_none_is_lost(self, tmp_path: Path, key: str, first: bool) -> None:
        """Each option of the document is in force, whichever way this Python passes it."""
        target = "a" if first else "z"
        script = f"""
import logging, logging.config
logging.config.dictConfig({{
    "version": 1,
    "handlers": {{
        "{target}": {{"class": "logging.NullHandler"}},
        "q": {{
            "{key}": "crmlogging.AsyncHandler", "handlers": ["{target}"], "capacity": 7,
            "capacity_bytes": 77_777, "overflow": "drop", "block_seconds": 0.5,
            "flush_seconds": 3, "respect_handler_level": False, "levels": False,
            "journal": {str(tmp_path)!r}, "journal_bytes": 1_000_000, "heartbeat_seconds": 60,
            "level": "ERROR",
        }},
    }},
    "root": {{"handlers": ["q"]}},
}})
(handler,) = logging.root.handlers
(target,) = handler.listener.handlers
handler.listener.start()
handler.listener.stop()
print(*handler._limits, handler.respect_handler_level, handler.level, target.name)
"""
        result = subprocess.run(
            [sys.executable, "-c", script],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        journal = f"{tmp_path} 1000000 60"
        assert result.stdout == f"7 77777 drop 0.5 3 {journal} False 40 {target}\n"

    @pytest.mark.parametrize("key", ["()", "class"])
    @pytest.mark.parametrize(
        ("option", "value"),
        [("capasity", 5), ("capacity", 0), ("journal_bytes", 0), ("heartbeat_seconds", "1 m")],
    )
    def test_mistakes_are_refused(self, key: str, option: str, value: object) -> None:
        """No way of passing options hides a mistake in one."""
        script = f"""
import logging.config
logging.config.dictConfig({{
    "version": 1,
    "handlers": {{
        "a": {{"class": "logging.NullHandler"}},
        "q": {{"{key}": "crmlogging.AsyncHandler", "handlers": ["a"], "{option}": {value!r}}},
    }},
}})
"""
        result = subprocess.run(
            [sys.executable, "-c", script],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert result.returncode == 1
        assert f"ConfigurationError: AsyncHandler: {option}" in result.stderr.replace(
            f"unknown option '{option}'", option
        )
