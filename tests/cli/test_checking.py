"""Promises of ``crmlogging check``: what it shows, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crmlogging.cli.main import application

ROOT = Path(__file__).parent.parent.parent
UNSAFE = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"out": {"class": "logging.StreamHandler"}},
    "root": {"level": "INFO", "handlers": ["out"]},
}


@pytest.fixture(autouse=True)
def _in_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(application, ["check", *arguments])


class TestCheck:
    def test_a_safe_configuration(self) -> None:
        """Exit code 0; handlers, the sample before and after."""
        done = invoke(str(ROOT / "logging.conf.example"))
        assert done.exit_code == 0
        assert "Problems" not in done.output
        assert "✓  file " in done.output
        assert "protected by console" in done.output
        assert 'logger.log(level, f"Failed to update {email}"' in done.output
        assert "as written by file, s3, stdout: neither came out" in done.output
        before, after = done.output.split("as written by file")
        assert "LookupError: no contact Ada-" in before
        assert '"message":"Failed to update {email}"' in after
        assert done.output.endswith("4 of 4 handlers that write are protected, 0 problems.\n")

    def test_an_unsafe_one(self, tmp_path: Path) -> None:
        """Exit code 1; what is wrong, what to do, and the secret that came out."""
        (tmp_path / "logging.json").write_text(json.dumps(UNSAFE))
        done = invoke("logging.json")
        assert done.exit_code == 1
        assert "✗  out" in done.output
        assert "no AllowlistFilter stands on it" in done.output
        assert "as written by out: email (plain) and name (plain) came out" in done.output
        assert "0 of 1 handlers that write are protected, 1 problem." in done.output

    def test_one_that_cannot_be_loaded(self, tmp_path: Path) -> None:
        """Exit code 2; each problem is a line on stderr."""
        broken = {**UNSAFE, "handlers": {"out": {"class": "logging.StreamHandlr"}}, "filter": {}}
        (tmp_path / "logging.json").write_text(json.dumps(broken))
        done = invoke("logging.json")
        assert (done.exit_code, done.stdout) == (2, "")
        first, second = done.stderr.splitlines()
        assert first.startswith("crmlogging check: logging.json: filter: unknown section")
        assert second.startswith("crmlogging check: logging.json: handlers.out: ")
        assert "StreamHandlr" in second

    def test_json(self, tmp_path: Path) -> None:
        """The same for programs, with the same exit codes."""
        (tmp_path / "logging.json").write_text(json.dumps(UNSAFE))
        done = invoke("--json", "logging.json")
        report = json.loads(done.stdout)
        assert done.exit_code == 1
        assert report["loaded"] is True
        assert report["handlers"][0]["verdict"] == "unprotected"
        assert report["handlers"][0]["leaks"] == ["email (plain)", "name (plain)"]
        assert [each["code"] for each in report["findings"] if each["problem"]] == ["unprotected"]
        done = invoke("--json", "gone.json")
        assert done.exit_code == 2
        assert json.loads(done.stdout) == {
            "loaded": False,
            "errors": ["gone.json: no such file, nor module:NAME or path.py:NAME"],
        }

    def test_an_application(self, tmp_path: Path) -> None:
        """`--app` imports it and looks at what it set up."""
        (tmp_path / "shop_app.py").write_text("import logging\nlogging.basicConfig()\n")
        done = invoke("--app", "shop_app")
        assert done.exit_code == 1
        assert "shop_app on Python" in done.output

    @pytest.mark.parametrize("arguments", [[], ["a.toml", "--app", "b"], ["--verbose", "a.toml"]])
    def test_usage(self, arguments: list[str]) -> None:
        """One of CONFIG and --app, and known options only."""
        assert invoke(*arguments).exit_code == 2
