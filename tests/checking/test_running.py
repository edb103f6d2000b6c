"""Promises of `crmlogging.checking.running.check`: configurations of all forms, in a process of
their own, tried on a sample, without harm."""

from __future__ import annotations

import json
import logging
import socket
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from crmlogging.checking.findings import HandlerView, Report
from crmlogging.checking.loading import CannotLoadError
from crmlogging.checking.running import check
from tests.checking.conftest import SAFE, STREAM, Document

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def _in_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))  # where spools are by default


def view(report: Report, name: str) -> HandlerView:
    return next(each for each in report.handlers if each.name == name)


def written(path: Path, text: str) -> str:
    path.write_text(textwrap.dedent(text))
    return str(path)


def files(folder: Path) -> set[str]:
    return {str(each.relative_to(folder)) for each in folder.rglob("*")}


class TestForms:
    def test_the_example(self, tmp_path: Path) -> None:
        """logging.conf.example is protected as it stands, and nothing was written or sent."""
        report = check(str(ROOT / "logging.conf.example"))
        assert report.problems == []
        assert {each.name: each.verdict for each in report.handlers if each.lines} == {
            "file": "protected",
            "s3": "protected",
            "stdout": "protected by console",
        }
        assert view(report, "file").writes_to == str(tmp_path / "logs" / "crm.jsonl")
        assert view(report, "s3").writes_to == "s3://acme-logs/crm"
        assert files(tmp_path) == set()
        for each in ("file", "s3", "stdout"):
            first, second = map(json.loads, view(report, each).lines or ())
            assert (first["message"], first["email"]) == ("Failed to update {email}", "[REDACTED]")
            assert second["error.message"] == "no contact {name} <{email}>"

    @pytest.mark.parametrize("suffix", [".yaml", ".conf", ".py"])
    def test_a_document_in_each_form(self, tmp_path: Path, document: Document, suffix: str) -> None:
        """YAML, JSON under a suffix that says nothing, Python: the same report."""
        pytest.importorskip("yaml")
        made = document(root=["out", "file"], out=STREAM, file={"class": "logging.FileHandler"})
        made["handlers"]["file"]["filename"] = "crm.log"
        text = json.dumps(made)
        name = tmp_path / f"settings{suffix}"
        if suffix == ".py":
            name.write_text(f"import json\nLOGGING = json.loads({text!r})\n")
        else:
            name.write_text(text)  # JSON is YAML as well
        report = check(f"{name}:LOGGING" if suffix == ".py" else str(name))
        assert {each.place for each in report.problems} == {"out", "file"}
        for each in report.handlers:
            assert each.leaks == ["email (plain)", "name (plain)"]
            assert each.lines is not None
            assert each.lines[0].startswith("Failed to update ada.")
        assert files(tmp_path) == {f"settings{suffix}"}

    def test_ini(self, tmp_path: Path) -> None:
        """The form of fileConfig, with files that rotate."""
        config = written(
            tmp_path / "logging.cfg",
            """
            [loggers]
            keys=root
            [handlers]
            keys=f
            [formatters]
            keys=x
            [logger_root]
            level=INFO
            handlers=f
            [handler_f]
            class=handlers.RotatingFileHandler
            args=('crm.log', 'a', 1000, 3)
            formatter=x
            [formatter_x]
            format=%(levelname)s %(message)s
            """,
        )
        report = check(config)
        (handler,) = report.handlers
        assert (handler.writes_to, handler.verdict) == (str(tmp_path / "crm.log"), "unprotected")
        assert files(tmp_path) == {"logging.cfg"}

    def test_a_function_that_configures(self, tmp_path: Path) -> None:
        """`crmlogging.configure` in a module of the current directory."""
        written(
            tmp_path / "shop.py",
            """
            import crmlogging

            def setup():
                return crmlogging.configure("shop", "production", output=["stdout", "logs/x.jsonl"])
            """,
        )
        report = check("shop:setup")
        assert report.problems == []
        assert view(report, "file").writes_to == str(tmp_path / "logs" / "x.jsonl")
        assert files(tmp_path) == {"shop.py"}

    def test_an_application(self, tmp_path: Path) -> None:
        """Its import is enough; one that wants arguments is not called, a tracer is named."""
        written(
            tmp_path / "site_app.py",
            """
            import logging, tracer_of_ours
            logging.basicConfig(level="INFO")

            def application(environ, start_response):
                raise AssertionError("nobody calls this")
            """,
        )
        written(
            tmp_path / "tracer_of_ours.py",
            """
            import logging
            original = logging.Logger.callHandlers
            def watch(self, record):
                original(self, record)
            logging.Logger.callHandlers = watch
            """,
        )
        report = check(application="site_app:application")
        assert {(each.code, each.place) for each in report.problems} == {
            ("unprotected", "StreamHandler"),
            ("patched", "logging.Logger.callHandlers"),
        }
        assert any("tracer_of_ours.watch" in each.text for each in report.problems)


class TestFaults:
    def test_all_that_is_wrong(self, tmp_path: Path) -> None:
        """Every section is looked at, each problem has its place first."""
        config = written(
            tmp_path / "logging.toml",
            """
            version = 1
            [filter.a]
            [filters.a]
            "()" = "crmlogging.AllowlistFilter"
            fields = ["*"]
            messages = "all"
            [filters.b]
            "()" = "not_there.Filter"
            [handlers.file]
            class = "crmlogging.RetentionFileHandler"
            filename = "logs/crm.jsonl"
            maxBytes = 5
            filters = ["a", "c"]
            [handlers.queue]
            "()" = "crmlogging.AsyncHandler"
            handlers = ["nobody"]
            [loggers.crm]
            level = "LOUD"
            [root]
            handlers = ["files"]
            """,
        )
        with pytest.raises(CannotLoadError) as caught:
            check(config)
        places = [problem.removeprefix(f"{config}: ") for problem in caught.value.problems]
        for expected in (
            "filter: unknown section",
            "filters.a: AllowlistFilter: messages: 'all'",
            "filters.a: AllowlistFilter: fields: '*'",
            "filters.b: ModuleNotFoundError",
            "handlers.file: filters: there is no 'c'",
            "handlers.file: RetentionFileHandler: unknown option 'maxBytes'",
            "handlers.queue: handlers: there is no 'nobody'",
            "loggers.crm: level: Unknown level: 'LOUD'",
            "root: handlers: there is no 'files'",
        ):
            assert any(place.startswith(expected) for place in places), expected
        assert len(places) == 9
        assert files(tmp_path) == {"logging.toml"}

    def test_a_process_that_dies(self, tmp_path: Path) -> None:
        """How it ended is told."""
        written(tmp_path / "dies.py", "import os; os._exit(3)")
        with pytest.raises(CannotLoadError, match="ended with code 3"):
            check("dies.py:X")


class TestSample:
    def test_each_way_into_a_handler(self, tmp_path: Path) -> None:
        """Standard queues, buffers, foreign handlers: what comes out there is shown."""
        written(
            tmp_path / "several.py",
            """
            import logging, logging.handlers, queue, crmlogging

            class Sender(logging.Handler):
                def emit(self, record):
                    raise AssertionError("nothing is sent")

            class Short(logging.Formatter):
                def format(self, record):
                    return record.levelname

            def setup():
                channel = queue.SimpleQueue()
                behind = logging.StreamHandler()
                behind.name = "behind"
                setup.listener = logging.handlers.QueueListener(channel, behind)
                buffered = logging.StreamHandler()
                buffered.name = "buffered"
                sender = Sender(logging.CRITICAL)
                sender.name = "sender"
                sender.setFormatter(Short())
                safe = logging.FileHandler("safe.log")
                safe.name = "safe"
                safe.addFilter(crmlogging.AllowlistFilter(["@crm"]))
                safe.addFilter(Adds())
                safe.setFormatter(logging.Formatter("%(message)s %(secret)s"))
                logging.root.addHandler(logging.handlers.QueueHandler(channel))
                logging.root.addHandler(logging.handlers.MemoryHandler(99, 99, buffered))
                logging.root.addHandler(sender)
                slow = logging.FileHandler("slow.log")
                slow.name = "slow"
                logging.root.addHandler(crmlogging.AsyncHandler(handlers=[slow]))
                logging.getLogger("crm").addHandler(safe)

            class Adds(logging.Filter):
                seen = []
                def filter(self, record):
                    import inspect
                    for frame in inspect.stack():
                        if frame.function == "update":
                            record.secret = frame.frame.f_locals["email"]
                    return True
            """,
        )
        report = check("several.py:setup")
        both = ["email (plain)", "name (plain)"]
        assert view(report, "behind").leaks == both
        assert view(report, "buffered").leaks == both
        assert view(report, "slow").leaks == both
        # Its line shows nothing, but it gets the whole record.
        assert view(report, "sender").leaks == both
        assert set(view(report, "sender").lines or ()) == {"CRITICAL"}
        safe = view(report, "safe")
        assert (safe.verdict, safe.leaks) == ("protected", ["email (plain)"])
        assert ("leak", "safe") in {(each.code, each.place) for each in report.problems}

    def test_lines_that_are_not_json(self, tmp_path: Path, document: Document) -> None:
        """An archive in another format is a problem."""
        made = document(
            root=["file"],
            file={
                "class": "crmlogging.RetentionFileHandler",
                "formatter": "text",
                "filters": SAFE,
            },
        )
        made["formatters"]["text"] = {"format": "%(levelname)s %(message)s"}
        (tmp_path / "a.json").write_text(json.dumps(made))
        report = check("a.json")
        assert [each.code for each in report.problems] == ["no-json"]

    def test_existing_loggers_disabled(self, tmp_path: Path, document: Document) -> None:
        """The default of dictConfig silences modules that were imported before."""
        made = document(root=["out"], out={**STREAM, "filters": SAFE})
        del made["disable_existing_loggers"]
        (tmp_path / "a.json").write_text(json.dumps(made))
        assert [each.code for each in check("a.json").problems] == ["disable-existing-loggers"]


class TestHarmless:
    @pytest.fixture
    def server(self) -> Iterator[socket.socket]:
        """Lend a socket that listens on loopback."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.setblocking(False)
            yield listening

    def test_no_connection_carries_the_sample(self, tmp_path: Path, server: socket.socket) -> None:
        """Neither a handler that connects for each record nor a tracer that does."""
        host, port = server.getsockname()
        written(
            tmp_path / "sends.py",
            f"""
            import logging, logging.handlers, socket
            original = logging.Logger.callHandlers

            def tracing(self, record):
                try:
                    socket.create_connection(("{host}", {port})).close()
                except ConnectionRefusedError:
                    pass
                original(self, record)

            def setup():
                logging.Logger.callHandlers = tracing
                logging.root.addHandler(logging.handlers.HTTPHandler("{host}:{port}", "/"))
            """,
        )
        handler = view(check("sends.py:setup"), "HTTPHandler")
        assert handler.writes_to == f"{host}:{port}"
        assert handler.leaks == ["email (plain)", "name (plain)"]
        with pytest.raises(BlockingIOError):
            server.accept()

    def test_what_loading_does_besides_is_told(self, tmp_path: Path) -> None:
        """A file opened in a way of its own is a note; what waits for the exit is not run."""
        written(
            tmp_path / "writes.py",
            """
            import atexit, logging
            def setup():
                open("mine.txt", "w").close()
                atexit.register(lambda: open("late.txt", "w").close())
                logging.basicConfig()
            """,
        )
        notes = check("writes.py:setup").notes
        told = [each.text for each in notes if each.code == "side-effect"]
        assert told == [f"it opens {tmp_path / 'mine.txt'} for writing"]
        assert not (tmp_path / "late.txt").exists()

    def test_this_process_stays_as_it_is(self, tmp_path: Path, document: Document) -> None:
        """Logging here is not touched."""
        (tmp_path / "a.json").write_text(json.dumps(document(root=["out"], out=STREAM)))
        before = logging.root.handlers[:], set(logging.root.manager.loggerDict)
        check("a.json")
        assert (logging.root.handlers[:], set(logging.root.manager.loggerDict)) == before

    def test_an_endless_configuration_ends(self, tmp_path: Path) -> None:
        """After the time allowed it cannot be loaded."""
        written(tmp_path / "hangs.py", "import threading\nthreading.Event().wait()\n")
        with pytest.raises(CannotLoadError, match="not loaded in 1 s"):
            check("hangs.py:X", timeout_seconds=1.0)
