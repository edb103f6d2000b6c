"""README.md and logging.conf.example say what the code does."""

from __future__ import annotations

import json
import logging.config
import os
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import crmlogging

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def python_blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def documented() -> dict[str, Any]:
    """Return the document that README shows."""
    (block,) = (each for each in python_blocks() if "LOGGING = {" in each)
    block = block.replace("logging.config.dictConfig(LOGGING)", "")
    names: dict[str, Any] = {}
    exec(block, names)
    document: dict[str, Any] = names["LOGGING"]
    return document


class TestReadme:
    def test_field_table_is_the_code_s(self) -> None:
        """The table between the marks is generated from `crmlogging.fields`."""
        generator = runpy.run_path(str(ROOT / "docs" / "field_table.py"))
        assert generator["with_table"](README) == README

    def test_document_is_logging_conf_example(self) -> None:
        """README, the example file at the root and the one in the package are one document."""
        example = tomllib.loads((ROOT / "logging.conf.example").read_text())
        assert documented() == example
        shipped = Path(crmlogging.__file__).parent / "logging.conf.example"
        assert shipped.read_text() == (ROOT / "logging.conf.example").read_text()

    def test_first_example_runs_and_keeps_the_secret(self, tmp_path: Path) -> None:
        """The one-call set-up works as printed: the file has the line, without the address."""
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", python_blocks()[0]],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        begun, text = (tmp_path / "logs" / "crm.jsonl").read_text().splitlines()
        line = json.loads(text)
        assert json.loads(begun)["message"] == "Logging begins"
        assert line["message"] == "Retried a contact"
        assert (line["correlation_id"], line["crm"]) == ("nightly-77", "hubspot")
        assert (line["request.attempt"], line["email"]) == (2, "[REDACTED]")
        assert done.stdout.splitlines() == [begun, text]
        assert "example.com" not in done.stdout + done.stderr + text

    @pytest.mark.parametrize("target", re.findall(r"`make ([a-z-]+)", README))
    def test_commands_exist(self, target: str) -> None:
        """Every make target that README names is there."""
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


class TestExample:
    def test_is_loaded_and_used(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The example configures logging as it stands, but for the bucket's address."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setitem(os.environ, "AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setitem(os.environ, "AWS_SECRET_ACCESS_KEY", "test")
        document = tomllib.loads((ROOT / "logging.conf.example").read_text())
        s3 = document["handlers"]["s3"]
        # Nobody answers there: lines wait in the spool.
        s3.update(endpoint_url="http://127.0.0.1:9", spool_dir=str(tmp_path / "spool"))
        logging.config.dictConfig(document)
        logging.getLogger("crm.sync").error("Failed", extra={"email": "ada@example.com"})
        line = json.loads((tmp_path / "logs" / "crm.jsonl").read_text())
        assert (line["message"], line["email"]) == ("Failed", "[REDACTED]")
        spooled = b"".join(p.read_bytes() for p in (tmp_path / "spool").rglob("*") if p.is_file())
        assert line["record.id"].encode() in spooled
        assert b"ada@example.com" not in spooled
        bucket_handler: Any = next(
            handler for handler in logging.root.handlers if type(handler).__name__ == "S3Handler"
        )
        bucket_handler.close(timeout=0.1)
