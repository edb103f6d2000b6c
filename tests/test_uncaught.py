"""Promises of `crmlogging.uncaught`: what nobody caught leaves as a safe record, and only so."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from crmlogging import AllowlistFilter, JsonFormatter, configure, uncaught
from crmlogging.records import SafeRecord

SECRET = "ada.lovelace@leak.example"
# What a program gets to work with; `secret` is in no constant of it.
BEFORE = """
import asyncio, atexit, gc, logging, os, signal, sys, threading, warnings
import crmlogging
secret = os.environ["SECRET"]
def fail(text):
    try:
        raise KeyError(text)
    except KeyError as error:
        raise ValueError(f"no contact {text}") from error
"""
SET_UP = BEFORE + "crmlogging.configure('crm-sync', 'production', output='{output}')\n"


def run(
    body: str, cwd: Path, *options: str, output: str = "stdout"
) -> subprocess.CompletedProcess[str]:
    """Run a program file in a process of its own."""
    program = cwd / "sync.py"
    program.write_text(SET_UP.replace("{output}", output) + body)
    return subprocess.run(
        [sys.executable, *options, str(program)],
        cwd=cwd,
        env={**os.environ, "SECRET": SECRET},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def lines(text: str) -> list[dict[str, Any]]:
    """Return the lines but the one that says that logging begins."""
    every = [json.loads(line) for line in text.splitlines()]
    return [line for line in every if "start.version" not in line]


class TestMainThread:
    def test_ends_with_a_safe_record_and_exit_code_1(self, tmp_path: Path) -> None:
        """Class, template and frames down the chain; no value, and nothing on stderr."""
        done = run("fail(secret)", tmp_path)
        assert (done.returncode, done.stderr) == (1, "")
        (line,) = lines(done.stdout)
        assert (line["level"], line["logger"]) == ("CRITICAL", "crmlogging.uncaught")
        assert line["message"] == "Ended by an uncaught exception"
        assert (line["error.type"], line["error.message"]) == ("ValueError", "no contact {text}")
        assert line["source"] == "sync.py:9"
        assert "caused by KeyError: [DYNAMIC MESSAGE]" in line["error.stack"]
        assert line["error.category"] == "unknown"
        assert SECRET not in done.stdout

    def test_is_told_on_stderr_where_nobody_sees_the_log(self, tmp_path: Path) -> None:
        """With a file alone a person would see nothing: one line with class and place."""
        done = run("fail(secret)", tmp_path, output="crm.jsonl")
        assert done.stderr == (
            "crmlogging: Ended by an uncaught exception: ValueError at sync.py:9 in fail\n"
        )
        (line,) = lines((tmp_path / "crm.jsonl").read_text())
        assert line["error.type"] == "ValueError"
        assert done.returncode == 1

    def test_a_person_at_a_terminal_gets_a_traceback_to_use(self, tmp_path: Path) -> None:
        """In development: template, frames and causes, one below the other."""
        done = run("crmlogging.configure('crm-sync', 'development')\nfail(secret)", tmp_path)
        shown = done.stdout[done.stdout.index("CRITICAL") :].splitlines()
        assert "CRITICAL Ended by an uncaught exception" in shown[0]
        assert 'error.type=ValueError error.message="no contact {text}"' in shown[0]
        assert shown[1:3] == ["    sync.py:12 in <module>", "    sync.py:9 in fail"]
        assert SECRET not in done.stdout + done.stderr

    def test_ctrl_c_ends_as_ever_and_shows_no_cause(self, tmp_path: Path) -> None:
        """KeyboardInterrupt is no error of the program: not logged, killed by the signal."""
        done = run(
            "try:\n    fail(secret)\nexcept ValueError:\n    raise KeyboardInterrupt(secret)",
            tmp_path,
        )
        assert done.returncode == -signal.SIGINT
        assert lines(done.stdout) == []
        assert done.stderr == (
            "crmlogging: Interrupted: KeyboardInterrupt at sync.py:14 in <module>\n"
        )

    @pytest.mark.parametrize(("code", "expected"), [("3", 3), ("None", 0)])
    def test_sys_exit_is_no_error(self, tmp_path: Path, code: str, expected: int) -> None:
        """SystemExit ends the process quietly with its code."""
        done = run(f"sys.exit({code})", tmp_path)
        assert (done.returncode, lines(done.stdout), done.stderr) == (expected, [], "")

    @pytest.mark.parametrize(
        "before",
        [
            pytest.param("logging.shutdown(); logging.root.handlers.clear()", id="no-handler"),
            pytest.param("logging.disable(logging.CRITICAL)", id="disabled"),
            pytest.param(
                "logging.getLogger('crmlogging.uncaught').disabled = True", id="logger-disabled"
            ),
            pytest.param(
                "logging.basicConfig(force=True, format='%(message)s %(args)s %(error.stack)s')",
                id="an-unprotected-handler",
            ),
            pytest.param("sys.setrecursionlimit(8)", id="hardly-any-stack"),
            pytest.param("sys.stdout.close()", id="closed-stream"),
        ],
    )
    def test_where_no_handler_can_take_it_stderr_is_told(self, tmp_path: Path, before: str) -> None:
        """A fixed text, the class and the place; never a value, never Python's own traceback."""
        done = run(f"{before}\nfail(secret)", tmp_path)
        assert done.returncode == 1
        assert "crmlogging: " in done.stderr
        assert "Traceback" not in done.stderr
        assert SECRET not in done.stdout + done.stderr

    def test_an_unprotected_handler_gets_a_safe_record(self, tmp_path: Path) -> None:
        """Somebody's own handler, without filters of ours, is given no exception object."""
        done = run(
            "class Own(logging.Handler):\n"
            "    def emit(self, record):\n"
            "        print('OWN', type(record).__name__, record.exc_info, record.getMessage())\n"
            "logging.root.addHandler(Own())\nfail(secret)",
            tmp_path,
        )
        assert "OWN SafeRecord None Ended by an uncaught exception" in done.stdout
        assert SECRET not in done.stdout + done.stderr

    def test_without_stderr_nothing_is_raised(self, tmp_path: Path) -> None:
        """A service without standard streams (a daemon, pythonw) ends all the same."""
        done = run("sys.stderr = None\nfail(secret)", tmp_path, output="crm.jsonl")
        assert (done.returncode, done.stderr) == (1, "")
        assert len(lines((tmp_path / "crm.jsonl").read_text())) == 1


class TestOtherThreads:
    def test_a_lost_thread_is_an_error(self, tmp_path: Path) -> None:
        """The record names the thread as Python did, and the process goes on."""
        done = run(
            "worker = threading.Thread(target=fail, args=(secret,))\n"
            "worker.start(); worker.join()\n"
            "quiet = threading.Thread(target=sys.exit, args=(secret,))\n"
            "quiet.start(); quiet.join()\n",
            tmp_path,
        )
        assert (done.returncode, done.stderr) == (0, "")
        (line,) = lines(done.stdout)
        assert (line["level"], line["thread"]) == ("ERROR", "Thread-1")
        assert line["message"] == "Lost a thread to an uncaught exception"
        assert line["error.message"] == "no contact {text}"
        assert SECRET not in done.stdout


class TestUnraisable:
    def test_what_nobody_can_catch_is_an_error(self, tmp_path: Path) -> None:
        """A finaliser's, an exit function's, a generator's that is thrown away."""
        done = run(
            "class Handle:\n"
            "    def __del__(self):\n"
            "        fail(secret)\n"
            "    __repr__ = __del__\n"
            "Handle()\n"
            "atexit.register(fail, secret)\n"
            "def rows():\n"
            "    try:\n        yield 1\n"
            "    finally:\n        fail(secret)\n"
            "started = rows(); next(started); del started\n",
            tmp_path,
        )
        assert done.stderr == ""
        found = lines(done.stdout)
        assert [line["message"] for line in found] == [
            "Ignored an exception that nobody can catch"
        ] * 3
        assert [line["error.stack"][0] for line in found] == [
            *("sync.py:13 in __del__", "sync.py:21 in rows", "sync.py:9 in fail"),
        ]
        assert SECRET not in done.stdout

    def test_while_python_ends_stderr_is_told(self, tmp_path: Path) -> None:
        """Objects that die with the interpreter: no handler is left to ask, and no value told."""
        done = run(
            "class Handle:\n"
            "    def __init__(self): self.itself = self\n"
            "    def __del__(self, fail=fail, secret=secret): fail(secret)\n"
            "handle = Handle()\n",
            tmp_path,
        )
        assert done.returncode == 0
        assert done.stderr.startswith("crmlogging: ")
        assert "Traceback" not in done.stderr
        assert SECRET not in done.stdout + done.stderr


TASKS = """
async def main():
    asyncio.create_task(coroutine(), name=secret)
    await asyncio.sleep(0.01)
    gc.collect()
    loop = asyncio.get_running_loop()
    loop.call_soon(fail, secret)
    loop.call_exception_handler({"message": secret, secret: secret})
    loop.slow_callback_duration = 0.0
    loop.call_soon(len, secret)
    await asyncio.sleep(0.01)
    await asyncio.open_connection(sock=socket.socketpair()[0])
    gc.collect()
    await asyncio.sleep(0)
    pending = asyncio.ensure_future(asyncio.sleep(9)); pending.set_name(secret)
    await asyncio.sleep(0)
    loop._scheduled.clear(); asyncio.tasks._unregister_task(pending); del pending
    gc.collect()
async def coroutine(): fail(secret)
import socket
"""


class TestAsyncio:
    @pytest.mark.parametrize("loop", ["made-before", "made-after"])
    def test_a_loop_s_own_errors_show_no_values(self, tmp_path: Path, loop: str) -> None:
        """Tasks, callbacks, slow ones and forgotten transports: logged with type and frames."""
        made = "loop = asyncio.new_event_loop()\n"
        again = "crmlogging.configure('crm-sync', 'production', level='DEBUG')\n"
        before = made + again if loop == "made-before" else again + made
        done = run(
            f"{before}{TASKS}loop.set_debug(True)\nloop.run_until_complete(main())\nloop.close()",
            tmp_path,
        )
        found = [line for line in lines(done.stdout) if line["logger"] == "asyncio"]
        errors = [line for line in found if line["level"] == "ERROR" and "error.type" in line]
        assert [line["error.message"] for line in errors] == ["no contact {text}"] * 2
        shown = {line["message"] for line in found}
        assert "Executing %s took %.3f seconds" in shown
        assert {"Task exception was never retrieved", "Exception in callback ..."} <= shown
        assert SECRET not in done.stdout + done.stderr

    def test_an_error_that_leaves_the_loop_is_the_main_thread_s(self, tmp_path: Path) -> None:
        """``asyncio.run(main())`` that fails ends the process like any other call."""
        done = run("async def main(): fail(secret)\nasyncio.run(main())", tmp_path)
        (line,) = lines(done.stdout)
        assert (line["level"], done.returncode) == ("CRITICAL", 1)
        assert SECRET not in done.stdout + done.stderr


class TestChaining:
    def test_a_hook_set_before_is_called_but_not_heard(self, tmp_path: Path) -> None:
        """It gets all it got (a crash reporter works on); what it prints on stderr is dropped."""
        program = BEFORE + (
            "def reporter(*error):\n"
            "    print('REPORTED', error[0].__name__)\n"
            "    sys.__excepthook__(*error)\n"
            "sys.excepthook = reporter\n"
            "crmlogging.configure('crm-sync', 'production', output='crm.jsonl')\n"
            "crmlogging.configure('crm-sync', 'production', output='crm.jsonl')\n"
            "fail(secret)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, "SECRET": SECRET},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stdout == "REPORTED ValueError\n"
        assert SECRET not in done.stderr
        assert len(lines((tmp_path / "crm.jsonl").read_text())) == 1

    def test_a_hook_set_after_stays(self, tmp_path: Path) -> None:
        """A second configure() does not push it aside, and nothing is reported twice."""
        done = run(
            "ours = sys.excepthook\n"
            "def debugger(*error):\n"
            '    print(\'{"message": "DEBUGGER"}\')\n'
            "    ours(*error)\n"
            "sys.excepthook = debugger\n"
            "crmlogging.configure('crm-sync', 'production')\n"
            "fail(secret)",
            tmp_path,
        )
        assert [line["message"] for line in lines(done.stdout)] == [
            *("DEBUGGER", "Ended by an uncaught exception"),
        ]

    def test_a_failing_hook_before_is_no_way_out(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Python would print its error and ours in full; kind and place are told instead."""

        def broken(*error: object) -> None:
            raise RuntimeError(SECRET)

        monkeypatch.setattr(sys, "excepthook", broken)
        uncaught.install()
        sys.excepthook(ValueError, ValueError(SECRET), None)
        told = capsys.readouterr().err
        assert "RuntimeError at test_uncaught.py" in told
        assert SECRET not in told

    def test_other_threads_are_heard_meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only the thread that calls the other hook loses its stderr."""
        written: list[str] = []
        stream = SimpleNamespace(write=written.append)

        def before(*error: object) -> None:
            sys.stderr.write(SECRET)
            other = threading.Thread(target=lambda: sys.stderr.write("another thread"))
            other.start()
            other.join()

        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(threading, "excepthook", before)
        uncaught.install()
        threading.excepthook(threading.ExceptHookArgs((SystemExit, SystemExit(), None, None)))
        assert written == ["another thread"]
        assert sys.stderr is stream

    def test_at_a_prompt_python_shows_its_own(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The person typed those values; an error at the prompt ends nothing."""
        monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
        monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
        uncaught.install()
        sys.excepthook(ValueError, ValueError("typed here"), None)
        assert "ValueError: typed here" in capsys.readouterr().err

    def test_all_is_put_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """`uninstall` leaves every hook as it was before, also after two installs."""

        def hooks() -> tuple[object, ...]:
            return (
                *(sys.excepthook, sys.unraisablehook, threading.excepthook),
                *(warnings.showwarning, logging.lastResort),
            )

        before = hooks()
        uncaught.install()
        uncaught.install()
        assert not set(map(id, before)) & set(map(id, hooks()))
        uncaught.uninstall()
        assert hooks() == before


@pytest.fixture
def archive(tmp_path: Path) -> Callable[[], list[dict[str, Any]]]:
    """Configure a file as the only output; returns what reads it."""
    file = tmp_path / "crm.jsonl"
    configure("crm-sync", "production", output=str(file))
    return lambda: lines(file.read_text()) if file.exists() else []


class Own(UserWarning):
    """A user's own category."""


class TestWarnings:
    def test_show_category_place_and_template(
        self, archive: Callable[[], list[dict[str, Any]]]
    ) -> None:
        """A literal, an f-string and an object: never the values, always what and where."""
        secret = SECRET
        warnings.simplefilter("always")
        warnings.warn("Use the v3 endpoint", DeprecationWarning, stacklevel=1)
        warnings.warn(f"Field {secret} is old", stacklevel=1)
        warnings.warn(secret, stacklevel=1)
        warnings.warn(Own(secret), stacklevel=1)
        found = archive()
        assert [line["message"] for line in found] == [
            *("Use the v3 endpoint", "Field {secret} is old"),
            *("[DYNAMIC MESSAGE]", "[DYNAMIC MESSAGE]"),
        ]
        # The nearest class that its module holds under its name.
        assert [line["error.type"] for line in found[:3]] == [
            *("DeprecationWarning", "UserWarning", "UserWarning"),
        ]
        assert found[3]["error.type"].endswith(("Own", "UserWarning"))
        assert {line["logger"] for line in found} == {"py.warnings"}
        assert all("test_uncaught.py:" in line["source"] for line in found)
        assert SECRET not in json.dumps(found)

    def test_python_s_own_are_known_by_heart(self, tmp_path: Path) -> None:
        """Under -X dev: forgotten files, sockets and coroutines, without their names."""
        done = run(
            "import socket\n"
            "open(secret, 'w')\n"
            "socket.socket()\n"
            "async def forgotten(who): pass\n"
            "forgotten.__qualname__ = secret\n"
            "forgotten(secret)\n"
            "gc.collect()\n"
            "warnings.warn_explicit(secret, UserWarning, secret, 7)\n",
            tmp_path,
            *("-X", "dev"),
        )
        found = lines(done.stdout)
        assert [line["message"] for line in found] == [
            *("unclosed file ...", "unclosed <socket.socket ...>"),
            *("coroutine '...' was never awaited", "[DYNAMIC MESSAGE]"),
        ]
        assert [line["error.type"] for line in found] == [
            *("ResourceWarning", "ResourceWarning", "RuntimeWarning", "UserWarning"),
        ]
        assert SECRET not in done.stdout + done.stderr

    def test_one_raised_while_one_is_logged_ends(
        self, archive: Callable[[], list[dict[str, Any]]]
    ) -> None:
        """A handler that warns of each record does not warn of its own warning."""

        class Warning_(logging.Handler):  # noqa: N801  # a handler that warns
            def emit(self, record: logging.LogRecord) -> None:
                warnings.warn(f"Delivered {record.getMessage()}", stacklevel=1)

        warnings.simplefilter("always")
        logging.root.addHandler(Warning_())
        logging.getLogger("crm.sync").error("Failed")
        # Raised within another logging call, its own text cannot be told from that one's.
        assert [line["message"] for line in archive()] == ["Failed", "[DYNAMIC MESSAGE]"]

    def test_written_where_somebody_says(
        self, archive: Callable[[], list[dict[str, Any]]], tmp_path: Path
    ) -> None:
        """``showwarning(file=...)`` is a program's own report, not the log's."""
        with (tmp_path / "report.txt").open("w") as file:
            warnings.showwarning(UserWarning("old field"), UserWarning, "sync.py", 7, file)
        assert "old field" in (tmp_path / "report.txt").read_text()
        assert archive() == []


class TestLastResort:
    def test_a_logger_without_handlers_shows_no_values(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """What Python would write as it is comes as a safe line, with the exception's type."""
        uncaught.install((AllowlistFilter(["crm"]),))
        lone = logging.Logger("crm.lone")
        secret = SECRET
        try:
            raise ValueError(secret)
        except ValueError:
            lone.exception("Failed %s", secret, extra={"crm": "zoho", "email": secret})
        lone.info("Not so important")
        told = capsys.readouterr().err
        assert "ERROR    Failed %s" in told
        assert "crm=zoho" in told
        assert "error.type=ValueError" in told
        assert "important" not in told
        assert SECRET not in told

    def test_silence_stays_silence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever set it to None does not want it."""
        monkeypatch.setattr(logging, "lastResort", None)
        uncaught.install()
        assert logging.lastResort is None

    def test_its_error_path_shows_nothing(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A closed stderr costs the line, and raises nothing."""

        def closed(text: str) -> int:
            raise ValueError(SECRET)

        uncaught.install()
        monkeypatch.setattr(sys, "stderr", SimpleNamespace(write=closed))
        logging.Logger("crm.lone").error("Failed %s", SECRET)
        monkeypatch.undo()
        assert SECRET not in capsys.readouterr().err


class TestStages:
    def test_a_broken_filter_fails_closed(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The record comes masked whole rather than as it is."""

        class Broken(AllowlistFilter):
            def refine(self, record: logging.LogRecord) -> logging.LogRecord | bool:
                raise RuntimeError(SECRET)

        kept: list[logging.LogRecord] = []

        class Keeping(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                kept.append(record)

        protected = logging.NullHandler()
        protected.addFilter(AllowlistFilter(["@crm"]))
        for handler in (protected, Keeping()):
            logging.root.addHandler(handler)
        monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)  # not pytest's
        uncaught.install((Broken(["@crm"]),))
        error = ValueError(SECRET)
        threading.excepthook(threading.ExceptHookArgs((ValueError, error, None, None)))
        (record,) = kept
        assert isinstance(record, SafeRecord)
        assert SECRET not in JsonFormatter().format(record) + capsys.readouterr().err
