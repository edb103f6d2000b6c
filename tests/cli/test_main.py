"""Promises of the command line: it explains itself, and says what is wrong in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import crmlogging
from crmlogging.cli.main import COMMANDS, application


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(application, arguments)


class TestApplication:
    def test_every_command_explains_itself(self) -> None:
        """`--help` of each command says what it does and what each option is for."""
        for name in COMMANDS:
            shown = invoke(name, "--help")
            assert shown.exit_code == 0, name
            command = application.get_command(click.Context(application), name)
            assert command is not None
            for parameter in command.params:
                assert not isinstance(parameter, click.Option) or parameter.help, parameter.name

    def test_the_list_names_every_command(self) -> None:
        """`crmlogging --help` shows each command with a line about it."""
        shown = invoke("--help").output
        for name, (_, line) in COMMANDS.items():
            assert f"{name}  " in shown
            assert line[:20] in shown

    def test_its_version(self) -> None:
        """The version of the package."""
        assert crmlogging.__version__ in invoke("--version").output

    def test_as_a_module(self) -> None:
        """`python -m crmlogging` is the same command."""
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "crmlogging", "report", "--help"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0
        assert done.stdout.startswith("Usage: crmlogging report")

    def test_without_click_it_says_what_to_install(self) -> None:
        """A missing package is one line that names the extra, and exit code 2."""
        program = (
            "import sys; sys.modules['click'] = None\nfrom crmlogging.__main__ import main\nmain()"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 2
        assert done.stderr == (
            "crmlogging: the crmlogging command needs the package 'click': "
            'pip install "crmlogging[cli]"\n'
        )


class TestReport:
    @pytest.fixture
    def log(self, tmp_path: Path) -> Path:
        """Lend a folder with a log of two failures and a broken line."""
        told = {"level": "ERROR", "crm": "zoho", "error.category": "auth", "error.code": "EXPIRED"}
        text = "".join(json.dumps({**told, "record.id": f"a-{n}"}) + "\n" for n in (1, 2))
        (tmp_path / "crm.jsonl").write_text(text + "{\n")
        return tmp_path

    def test_a_folder(self, log: Path) -> None:
        """Groups, counts, and what could not be read."""
        shown = invoke("report", str(log))
        assert shown.exit_code == 0
        assert "EXPIRED" in shown.output
        assert "2 failed calls in 1 group" in shown.output
        assert "Skipped 1 line " in shown.output

    def test_a_file_and_its_folder_count_once(self, log: Path) -> None:
        """A path named twice is read once as far as counts go."""
        shown = invoke("report", str(log), str(log / "crm.jsonl"))
        assert "2 failed calls" in shown.output

    @pytest.mark.parametrize("arguments", [[], ["gone.jsonl"], ["--color", "."]])
    def test_usage_errors(self, arguments: list[str]) -> None:
        """No path, a path that is not there, an unknown option: exit code 2."""
        assert invoke("report", *arguments).exit_code == 2

    def test_nothing_to_report(self, tmp_path: Path) -> None:
        """An empty folder is no error."""
        shown = invoke("report", str(tmp_path))
        assert (shown.exit_code, shown.output) == (0, "No failures in 0 lines.\n")


class TestDemoOptions:
    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            pytest.param(["--records", "3"], "--records", id="too-few"),
            pytest.param(["--records", "many"], "--records", id="no-number"),
            pytest.param(["--records", "80001"], "--records", id="too-many"),
            pytest.param(["--seed", "x"], "--seed", id="seed"),
            pytest.param(["--s3-endpoint", "ftp://x"], "--s3-endpoint", id="scheme"),
            pytest.param(["--s3-endpoint", "localhost"], "--s3-endpoint", id="no-url"),
            pytest.param(["--s3-endpoint", "http://[::1"], "--s3-endpoint", id="broken-url"),
            pytest.param(["--frobnicate"], "No such option", id="unknown"),
        ],
    )
    def test_a_bad_option_is_a_usage_error(
        self, tmp_path: Path, arguments: list[str], complaint: str
    ) -> None:
        """It is named, the exit code is 2, and nothing was made."""
        output = tmp_path / "out"
        done = invoke("demo", "--output", str(output), *arguments)
        assert done.exit_code == 2
        assert complaint in done.output
        assert not output.exists()

    def test_an_output_that_is_a_file(self, tmp_path: Path) -> None:
        """A file in the place of the folder is left as it is."""
        (tmp_path / "out").write_text("mine")
        done = invoke("demo", "--output", str(tmp_path / "out"))
        assert done.exit_code == 2
        assert "--output" in done.output
        assert (tmp_path / "out").read_text() == "mine"

    @pytest.mark.parametrize("kind", ["folder", "link"])
    def test_folders_of_others_are_not_touched(self, tmp_path: Path, kind: str) -> None:
        """A folder `logs` that no demo made stops the demo, and stays."""
        mine = tmp_path / "mine"
        mine.mkdir()
        (mine / "a.jsonl").write_text("{}\n")
        output = tmp_path / "out"
        output.mkdir()
        if kind == "link":
            (output / "logs").symlink_to(mine)
            (output / ".crmlogging-demo").write_text("")
        else:
            mine.rename(output / "logs")
            mine = output / "logs"
        done = invoke("demo", "--output", str(output))
        assert done.exit_code == 2
        assert (mine / "a.jsonl").read_text() == "{}\n"

    def test_an_endpoint_that_does_not_answer(self, tmp_path: Path) -> None:
        """A server that is not there is named before anything is sent."""
        endpoint = "http://127.0.0.1:9"
        done = invoke("demo", "--output", str(tmp_path / "out"), "--s3-endpoint", endpoint)
        assert done.exit_code == 2
        assert f"no bucket can be made at {endpoint}" in done.output
