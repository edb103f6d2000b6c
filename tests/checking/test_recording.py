"""Promises of `crmlogging.checking.recording`: whatever comes out of the process is seen."""

from __future__ import annotations

import gzip
import logging
import logging.handlers
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import crmlogging
from crmlogging.checking.recording import Recording, Written

SECRET = "ada.lovelace@example.com"
log = logging.getLogger("crm.recorded")


@contextmanager
def recorded() -> Iterator[list[Written]]:
    """Yield a list that holds all that was written, once the block has ended."""
    recording = Recording()
    written: list[Written] = []
    recording.start()
    try:
        yield written
    finally:
        written += recording.stop()


@pytest.fixture
def on_logger() -> Iterator[Callable[[logging.Handler], logging.Handler]]:
    """Put a handler on the tests' logger, for the test."""
    added: list[logging.Handler] = []

    def add(handler: logging.Handler) -> logging.Handler:
        log.addHandler(handler)
        added.append(handler)
        return handler

    yield add
    for handler in added:
        log.removeHandler(handler)
        handler.close()


OnLogger = Callable[[logging.Handler], logging.Handler]


def texts(written: list[Written], where: str) -> str:
    return "\n".join(each.text for each in written if where in each.where)


class TestHandlers:
    def test_a_stream_handler(self, on_logger: OnLogger) -> None:
        """The line, with the handler, the logger and the place of the call; once."""
        on_logger(logging.StreamHandler()).name = "console"
        with recorded() as written:
            log.error("Failed %s", SECRET)
        (line,) = (each for each in written if SECRET in each.text)
        assert line.where == "handler 'console' (logging.StreamHandler)"
        assert line.source.startswith("crm.recorded at test_recording.py:")
        assert line.text == f"Failed {SECRET}"

    def test_our_handlers(self, on_logger: OnLogger, tmp_path: Path) -> None:
        """Lines of durable handlers and of targets behind an AsyncHandler, delivered first."""
        target = logging.StreamHandler()
        safe = crmlogging.AllowlistFilter(["@crm"])
        for handler in (
            crmlogging.RetentionFileHandler(tmp_path / "crm.jsonl"),
            crmlogging.AsyncHandler(handlers=[target]),
        ):
            handler.addFilter(safe)
            on_logger(handler)
        with recorded() as written:
            log.error("Failed", extra={"resource.id": "c-4711", "email": SECRET})
        assert "c-4711" in texts(written, "RetentionFileHandler")
        assert texts(written, "StreamHandler") == "Failed"
        assert SECRET not in texts(written, "")

    def test_what_still_waits_in_a_queue(self, on_logger: OnLogger) -> None:
        """A slow target's line is waited for."""
        free = threading.Event()

        class Slow(logging.StreamHandler[Any]):
            def emit(self, record: logging.LogRecord) -> None:
                free.wait(60)
                super().emit(record)

        on_logger(crmlogging.AsyncHandler(handlers=[Slow()]))
        freeing = threading.Timer(0.2, free.set)
        with recorded() as written:
            log.error("Failed %s", SECRET)
            freeing.start()
        freeing.join()
        assert SECRET in texts(written, "Slow")

    def test_a_handler_that_makes_no_line(self, on_logger: OnLogger) -> None:
        """It counts with all that it could send."""

        class Sender(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                pass

        on_logger(Sender())
        with recorded() as written:
            log.error("Failed", extra={"email": SECRET})
        assert SECRET in texts(written, "Sender")

    def test_a_class_that_comes_later(self, on_logger: OnLogger) -> None:
        """A handler whose class is made meanwhile is watched too."""
        with recorded() as written:

            class Later(logging.Handler):
                def emit(self, record: logging.LogRecord) -> None:
                    pass

            on_logger(Later())
            log.error("Failed %s", SECRET)
        assert SECRET in texts(written, "Later")

    def test_queues_and_buffers_hold_no_lines(self, on_logger: OnLogger) -> None:
        """What waits in memory has not come out."""
        import queue

        on_logger(logging.handlers.QueueHandler(queue.SimpleQueue()))
        on_logger(logging.handlers.MemoryHandler(99))
        on_logger(logging.NullHandler())
        with recorded() as written:
            log.error("Failed %s", SECRET)
        assert SECRET not in texts(written, "")

    def test_what_the_test_runner_shows_does_not_count(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """caplog keeps records in clear, for the test."""
        with recorded() as written:
            log.error("Failed %s", SECRET)
        assert SECRET in caplog.text
        assert SECRET not in texts(written, "")

    def test_the_methods_are_put_back(self) -> None:
        """Afterwards logging is as before, also after a recording within one."""
        before = [dict(vars(kind)) for kind in (logging.Handler, logging.StreamHandler)]
        show, streams = warnings.showwarning, (sys.stdout, sys.stderr)
        with recorded(), recorded():
            assert vars(logging.Handler)["format"] is not before[0]["format"]
        assert [dict(vars(kind)) for kind in (logging.Handler, logging.StreamHandler)] == before
        assert (warnings.showwarning, (sys.stdout, sys.stderr)) == (show, streams)

    def test_nested_recordings_both_see(self, on_logger: OnLogger) -> None:
        """The inner one sees its part, the outer one all."""
        on_logger(logging.StreamHandler())
        with recorded() as outer:
            log.error("before")
            with recorded() as inner:
                log.error("within")
        assert "within" in texts(inner, "StreamHandler")
        assert "before" not in texts(inner, "")
        assert {"before", "within"} <= set(texts(outer, "StreamHandler").split("\n"))


class TestFiles:
    @pytest.mark.parametrize("kind", [logging.FileHandler, logging.handlers.WatchedFileHandler])
    def test_only_what_is_new(self, on_logger: OnLogger, tmp_path: Path, kind: Any) -> None:
        """What a file held before does not count; what others add to it does."""
        path = tmp_path / "crm.log"
        path.write_text("old\n")
        on_logger(kind(path))
        with recorded() as written:
            log.error("Failed")
            with path.open("a") as file:
                file.write("by hand\n")
        assert texts(written, "FileHandler") == "Failed"
        assert texts(written, "the file crm.log").split("\n") == ["crm.log", "by hand"]

    def test_rotated_and_compressed_files(self, on_logger: OnLogger, tmp_path: Path) -> None:
        """A rotated file and a compressed one are read as well."""
        path = tmp_path / "crm.jsonl"
        handler = crmlogging.RetentionFileHandler(path)
        on_logger(handler)
        with recorded() as written:
            (tmp_path / "crm.standard.2026-11-21.000001.jsonl.gz").write_bytes(
                gzip.compress(b"packed\n")
            )
            path.rename(tmp_path / "crm.standard.2026-11-21.000002.jsonl")
            (tmp_path / "crm.standard.2026-11-21.000002.jsonl").write_text("moved\n")
        assert "packed" in texts(written, "jsonl.gz")
        assert "moved" in texts(written, "000002")

    def test_a_spool(self, on_logger: OnLogger, tmp_path: Path) -> None:
        """Lines that wait for S3 are on the disk already."""
        handler = crmlogging.S3Handler(
            "acme-logs", spool_dir=tmp_path / "spool", close_seconds=0.1, client=_no_client
        )
        on_logger(handler)
        with recorded() as written:
            log.error("Failed")
            spooled = next(each for each in (tmp_path / "spool").rglob("*") if each.is_file())
            spooled.with_name("another").write_text(SECRET)
        assert SECRET in texts(written, "the file another")
        assert texts(written, "S3Handler")

    def test_a_file_s_name(self, on_logger: OnLogger, tmp_path: Path) -> None:
        """It is shown by every listing of the directory."""
        with recorded() as written:
            on_logger(logging.FileHandler(tmp_path / f"{SECRET}.log"))
            log.error("Failed")
        assert any(SECRET in each.text for each in written if "the file" in each.where)


def _no_client() -> Any:
    raise ConnectionRefusedError


class TestStreams:
    def test_every_way_to_write(self, capfd: pytest.CaptureFixture[str]) -> None:
        """``print``, the descriptor, a child process, a reference taken before; all pass on."""
        kept = sys.stdout
        with recorded() as written:
            print("printed")  # noqa: T201  # what is tested
            kept.write("kept\n")
            os.write(1, b"by descriptor\n")
            subprocess.run([sys.executable, "-c", "print('by a child')"], check=True)
            sys.stderr.writelines(["to ", "stderr\n"])
        for text in ("printed", "kept", "by descriptor", "by a child"):
            assert text in texts(written, "stdout")
        assert "to stderr" in texts(written, "stderr")
        shown = capfd.readouterr()
        assert "by a child" in shown.out
        assert "to stderr" in shown.err

    def test_a_stream_in_memory(self, capsys: pytest.CaptureFixture[str]) -> None:
        """It is seen though the test reads it meanwhile."""
        with recorded() as written:
            print("printed")  # noqa: T201  # what is tested
            assert capsys.readouterr().out == "printed\n"
        assert texts(written, "stdout").strip() == "printed"

    def test_lines_of_handlers_are_told_once(self, on_logger: OnLogger) -> None:
        """What a handler wrote to stderr is its line, not stderr's."""
        on_logger(logging.StreamHandler())
        with recorded() as written:
            log.error("Failed")
            print("more", file=sys.stderr)  # noqa: T201  # what is tested
        assert texts(written, "stderr").split() == ["more"] * 2  # by stream and by descriptor

    def test_without_a_capture(self) -> None:
        """A pipe gets all of it, in order, after the block."""
        program = (
            "import os, subprocess, sys\n"
            "from crmlogging.checking.recording import Recording\n"
            "recording = Recording(); recording.start()\n"
            "print('printed', flush=True); os.write(1, b'raw\\n')\n"
            "subprocess.run([sys.executable, '-c', 'print(\"child\")'])\n"
            "written = recording.stop()\n"
            "print([name in written[0].text for name in ('printed', 'raw', 'child')])\n"
        )
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stdout.split("\n") == ["printed", "raw", "child", "[True, True, True]", ""]


class TestWarnings:
    def test_an_uncaught_warning(self) -> None:
        """It would be on stderr."""
        with warnings.catch_warnings(record=True), recorded() as written:
            warnings.simplefilter("always")
            warnings.warn(f"odd {SECRET}", stacklevel=1)
        assert SECRET in texts(written, "a warning")

    def test_a_caught_warning(self) -> None:
        """One that the test expects does not count."""
        with recorded() as written, pytest.warns(UserWarning, match="odd"):
            warnings.warn(f"odd {SECRET}", stacklevel=1)
        assert texts(written, "") == ""

    def test_a_warning_that_goes_to_logging(self) -> None:
        """Handlers have it then."""
        logging.captureWarnings(True)
        with recorded() as written:
            warnings.showwarning(UserWarning(SECRET), UserWarning, "a.py", 1)
        assert texts(written, "a warning") == ""
