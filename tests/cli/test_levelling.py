"""Promises of `crmlogging level`: the file is whole at every moment, and services follow it."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crmlogging.cli.levelling import level_command
from crmlogging.levels.env_file import followers, value_in

SERVICE = """
import logging.config, os, sys, time
logging.config.dictConfig({
    "version": 1,
    "handlers": {"file": {"class": "crmlogging.RetentionFileHandler", "filename": sys.argv[1]}},
    "root": {"level": "WARNING", "handlers": ["file"]},
})
workers = []
for number in range(4):
    if os.fork() == 0:
        workers = None
        break
def report(word):
    os.write(1, f"{os.getpid()} {word}\\n".encode())
report("ready")
deadline = time.monotonic() + 60
for level in (logging.DEBUG, logging.WARNING):
    while logging.root.level != level and time.monotonic() < deadline:
        time.sleep(0.01)
    report(logging.getLevelName(logging.root.level))
if workers is not None:
    for _ in range(4):
        os.wait()
"""


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(level_command, [str(each) for each in arguments])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Lend an env file with other lines in it."""
    path = tmp_path / "env"
    path.write_bytes(b"A=1\r\n# comment\nCRMLOGGING_LEVEL=WARNING\nB='\xff'")
    path.chmod(0o640)
    return path


class TestServices:
    def test_four_prefork_workers_follow(self, tmp_path: Path) -> None:
        """And they are the ones that the command has named; clearing brings them back."""
        file = tmp_path / "env"
        file.touch()
        environment = {**os.environ, "CRMLOGGING_ENV_FILE": str(file)}
        environment.pop("CRMLOGGING_LEVEL", None)
        with subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", SERVICE, str(tmp_path / "crm.jsonl")],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        ) as service:
            assert service.stdout is not None

            def five(word: str) -> set[int]:
                assert service.stdout is not None
                lines = [service.stdout.readline().split() for _ in range(5)]
                assert {line[1] for line in lines} == {word}
                return {int(line[0]) for line in lines}

            processes = five("ready")
            done = invoke("DEBUG", "--for", "15m", "--env-file", file)
            named = {int(each) for each in re.findall(r"(\d+) \(", done.output)}
            if sys.platform == "linux":
                assert "5 processes follow within two seconds" in done.output
                assert named == processes
            assert five("DEBUG") == processes
            assert invoke("--clear", "--env-file", file).exit_code == 0
            assert five("WARNING") == processes
            assert service.wait(60) == 0

    def test_one_that_looks_at_another_file_is_not_named(self, tmp_path: Path) -> None:
        """A file that nobody looks at is told as such."""
        done = invoke("DEBUG", "--env-file", tmp_path / "env")
        assert "No running process that can be seen from here" in done.output
        assert followers(str(tmp_path / "missing")) == []


class TestFile:
    def test_other_lines_mode_and_bytes_stay(self, file: Path) -> None:
        """Only our line changes; what a shell would take for an end of command is quoted."""
        assert invoke("INFO,crm=DEBUG", "--for", "15m", "--env-file", file).exit_code == 0
        lines = file.read_bytes().split(b"\n")
        assert lines[0::1][:2] == [b"A=1\r", b"# comment"]
        assert re.fullmatch(
            rb'CRMLOGGING_LEVEL="INFO,crm=DEBUG;until=20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"', lines[2]
        )
        assert lines[3] == b"B='\xff'"
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
        assert [path.name for path in file.parent.iterdir()] == ["env"]

    def test_clear_takes_every_mention_out(self, file: Path) -> None:
        """Also the ones that a later one had overruled."""
        file.write_text("CRMLOGGING_LEVEL=INFO\nA=1\nexport CRMLOGGING_LEVEL=DEBUG\n")
        assert invoke("--clear", "--env-file", file).exit_code == 0
        assert file.read_text() == "A=1\n"

    def test_new_file(self, tmp_path: Path) -> None:
        """A file that is not there is made, for services of other users to read."""
        invoke("DEBUG@tenant.code=acme", "--env-file", tmp_path / "env")
        assert (tmp_path / "env").read_text() == "CRMLOGGING_LEVEL=DEBUG@tenant.code=acme\n"
        assert stat.S_IMODE((tmp_path / "env").stat().st_mode) == 0o644

    def test_a_line_without_an_end_gets_one(self, tmp_path: Path) -> None:
        """Ours does not become part of somebody else's value."""
        (tmp_path / "env").write_text("A=1")
        invoke("DEBUG", "--env-file", tmp_path / "env")
        assert (tmp_path / "env").read_text() == "A=1\nCRMLOGGING_LEVEL=DEBUG\n"

    def test_a_link_stays_a_link(self, file: Path) -> None:
        """What it leads to is replaced."""
        link = file.parent / "link"
        link.symlink_to("env")
        assert invoke("DEBUG", "--env-file", link).exit_code == 0
        assert link.is_symlink()
        assert value_in(file.read_text(errors="replace")) == "DEBUG"

    def test_show(self, file: Path) -> None:
        """What is asked for, until when, and that nothing is."""
        assert invoke("--show", "--env-file", file).output == "CRMLOGGING_LEVEL=WARNING\n"
        file.write_text("CRMLOGGING_LEVEL='DEBUG;until=2020-01-01T00:00Z'")
        assert "Over since 2020-01-01T00:00:00Z." in invoke("--show", "--env-file", file).output
        invoke("DEBUG", "--for", "1d", "--env-file", file)
        assert "In force until 20" in invoke("--show", "--env-file", file).output
        file.write_text("")
        assert "is not set" in invoke("--show", "--env-file", file).output

    def test_the_variable_names_the_file(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """In a service's own environment the option can be left out."""
        monkeypatch.setenv("CRMLOGGING_ENV_FILE", str(file))
        assert invoke("--show").exit_code == 0


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            pytest.param(["LOUD"], "'LOUD' is no level", id="spec"),
            pytest.param(["INFO", "--for", "5"], "'5' is no duration", id="duration"),
            pytest.param([], "either SPEC or --show or --clear", id="nothing"),
            pytest.param(["INFO", "--clear"], "either SPEC or --show or --clear", id="two"),
            pytest.param(["--clear", "--for", "5m"], "--for goes with a SPEC", id="for-clear"),
        ],
    )
    def test_a_mistake_changes_nothing(self, file: Path, arguments: list[str], told: str) -> None:
        """Exit code 2, the mistake named, the file as it was."""
        before = file.read_bytes(), file.stat().st_mtime_ns
        done = invoke(*arguments, "--env-file", file)
        assert done.exit_code == 2
        assert told in done.output
        assert (file.read_bytes(), file.stat().st_mtime_ns) == before

    def test_a_config_map_is_changed_elsewhere(self, tmp_path: Path) -> None:
        """What Kubernetes has mounted would be swapped away again."""
        (tmp_path / "..2026").mkdir()
        (tmp_path / "..2026" / "env").write_text("A=1\n")
        (tmp_path / "..data").symlink_to("..2026")
        (tmp_path / "env").symlink_to("..data/env")
        done = invoke("DEBUG", "--env-file", tmp_path / "env")
        assert (done.exit_code, "ConfigMap" in done.output) == (2, True)
        assert (tmp_path / "env").read_text() == "A=1\n"

    def test_a_file_with_two_names(self, file: Path) -> None:
        """The other name would keep the old contents."""
        os.link(file, file.parent / "other")
        assert "hard link" in invoke("DEBUG", "--env-file", file).output

    @pytest.mark.parametrize("kind", ["pipe", "large", "nowhere"])
    def test_what_is_no_env_file(self, tmp_path: Path, kind: str) -> None:
        """A pipe is not waited for, a large file not cut, a missing folder not made."""
        path = tmp_path / "env"
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "large":
            path.write_bytes(b"#" * 65_536)
        else:
            path = tmp_path / "missing" / "env"
        assert invoke("DEBUG", "--env-file", path).exit_code == 2
        assert not list(tmp_path.rglob("*.tmp"))
