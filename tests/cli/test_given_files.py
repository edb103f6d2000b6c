"""Promises of every command about what it is told to read: no wait without end, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crmlogging.cli.main import application
from crmlogging.storage.given import open_given, read_given


def run(*arguments: str) -> Result:
    return CliRunner().invoke(application, arguments)


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[str]:
    """Make a named pipe; who waits for a writer gets one in the end, and the test fails."""
    path = str(tmp_path / "pipe")
    os.mkfifo(path)

    rescued = threading.Event()

    def rescue() -> None:
        rescued.set()
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))

    rescuer = threading.Timer(60, rescue)
    rescuer.start()
    yield path
    rescuer.cancel()
    rescuer.join()
    assert not rescued.is_set()


class TestNamedPipe:
    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            pytest.param(["cat"], 1, id="cat"),
            pytest.param(["report"], 1, id="report"),
            pytest.param(["lint"], 2, id="lint"),
            pytest.param(["lint", __file__, "--config"], 2, id="lint-config"),
            pytest.param(["classify"], 2, id="classify"),
            pytest.param(["classify", "--status", "400", "--catalog"], 2, id="classify-catalog"),
            pytest.param(["catalog", "--catalog"], 2, id="catalog"),
            pytest.param(["level", "--show", "--env-file"], 2, id="level"),
            pytest.param(["check"], 2, id="check"),
            pytest.param(["doctor"], 2, id="doctor"),
            pytest.param(["cat", __file__, "--key"], 2, id="key"),
        ],
    )
    def test_is_refused_at_once(self, pipe: str, arguments: list[str], code: int) -> None:
        """Nobody may ever write to it; one line says what it is."""
        done = run(*arguments, pipe)
        assert done.exit_code == code
        assert pipe in done.output.replace("\n", "")  # wrapped, where the path is long
        assert done.exception is None or isinstance(done.exception, SystemExit)

    def test_of_an_env_file_is_not_waited_for(
        self, pipe: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The thread that would wait looks after all handlers."""
        from crmlogging.levels.watcher import Watcher

        Watcher(environ={"CRMLOGGING_ENV_FILE": pipe}).tick()

    def test_that_a_shell_made_is_read(self) -> None:
        """``<(command)`` is a pipe too, with a writer, who may take his time."""
        reading, writing = os.pipe()

        def write() -> None:
            os.write(writing, b"line\n")
            os.close(writing)

        with open_given(f"/dev/fd/{reading}") as file:
            os.close(reading)
            writer = threading.Timer(0.05, write)
            writer.start()
            assert file.read() == b"line\n"
            writer.join()


class TestLargeFile:
    def test_without_end_is_refused(self) -> None:
        """A device gives as much as is asked for."""
        with pytest.raises(OSError, match="larger than 1,000 bytes"):
            read_given("/dev/zero", 1_000)

    def test_is_no_source_code(self, tmp_path: Path) -> None:
        """One sentence about a file of a size that nobody writes; the others are checked."""
        with (tmp_path / "large.py").open("wb") as file:
            file.truncate(32_000_001)
        (tmp_path / "small.py").write_text("import logging\nlogging.info(f'a {b}')\n")
        done = run("lint", str(tmp_path))
        assert done.exit_code == 2
        assert "larger than" in done.stderr
        assert "CL002" in done.stdout


class TestStandardOutput:
    @pytest.mark.parametrize(
        "arguments", [["catalog"], ["cat", __file__], ["classify", "--status", "400"]], ids="-".join
    )
    def test_on_a_full_disk_is_one_line(self, arguments: list[str]) -> None:
        """No traceback, and no success either."""
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "crmlogging", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
                timeout=60,
            )
        assert (done.returncode, done.stderr) == (2, "crmlogging: No space left on device\n")

    def test_that_nobody_reads_ends_quietly(self, tmp_path: Path) -> None:
        """``crmlogging cat ... | head -1`` tells nothing of it."""
        (tmp_path / "many.jsonl").write_bytes(b'{"message": "x"}\n' * 20_000)
        with subprocess.Popen(
            [sys.executable, "-m", "crmlogging", "cat", str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline() == b'{"message": "x"}\n'
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait(60) == 1
