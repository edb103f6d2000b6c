"""Promises of the demo's logging: the example document as shipped, but for this run's places."""

from __future__ import annotations

import logging
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

import crmlogging
from crmlogging.cli.demo_logging import configured, document, quiet_servers
from crmlogging.cli.demo_storage import ObjectStore

STORE = ObjectStore("http://127.0.0.1:1", "crm", own=True)


def shipped() -> dict[str, Any]:
    path = Path(crmlogging.__file__).with_name("logging.conf.example")
    return tomllib.loads(path.read_text("utf-8"))


def differences(one: Any, other: Any, place: str = "") -> set[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        return {
            each
            for key in {*one, *other}
            for each in differences(one.get(key), other.get(key), f"{place}.{key}".strip("."))
        }
    return set() if one == other else {place}


class TestDocument:
    def test_only_places_differ_from_the_shipped_one(self, tmp_path: Path) -> None:
        """File, spool and bucket are the run's; filters, formatters and levels are as shipped."""
        ours = document(tmp_path, STORE, width=None, colour=False)
        assert differences(shipped(), ours) == {
            "handlers.file.filename",
            *(f"handlers.s3.{name}" for name in ("bucket", "endpoint_url", "region", "spool_dir")),
        }
        assert ours["handlers"]["file"]["filename"] == str(tmp_path / "logs" / "crm.jsonl")

    def test_in_a_terminal_the_console_shows_rows(self, tmp_path: Path) -> None:
        """There, and only for the console, the formatter is another one."""
        ours = document(tmp_path, STORE, width=100, colour=True)
        changed = differences(document(tmp_path, STORE, width=None, colour=False), ours)
        assert changed == {"formatters.rows", "handlers.stdout.formatter"}

    def test_without_a_store_s3_is_left_out(self, tmp_path: Path) -> None:
        """The handler is gone, and nothing refers to it."""
        ours = document(tmp_path, None, width=None, colour=False)
        assert ours["root"]["handlers"] == ["file", "console"]
        assert "s3" not in ours["handlers"]


class TestConfigured:
    def test_levels_of_the_shell_do_not_count(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The demo shows the same whatever the shell says; afterwards that is there again."""
        monkeypatch.setenv("CRMLOGGING_LEVEL", "CRITICAL")
        with configured({"version": 1}):
            assert "CRMLOGGING_LEVEL" not in os.environ
        assert os.environ["CRMLOGGING_LEVEL"] == "CRITICAL"

    def test_the_handlers_are_closed(self, tmp_path: Path) -> None:
        """At the end nothing of the demo is left on the root logger."""
        with configured(document(tmp_path, None, width=None, colour=False)):
            assert len(logging.root.handlers) == 2
        assert logging.root.handlers == []


class TestQuietServers:
    def test_servers_of_the_demo_do_not_log(self) -> None:
        """Their requests are no part of the service's log; levels are put back."""
        server = logging.getLogger("werkzeug")
        server.setLevel(logging.INFO)
        with quiet_servers():
            assert not server.isEnabledFor(logging.WARNING)
        assert server.level == logging.INFO
