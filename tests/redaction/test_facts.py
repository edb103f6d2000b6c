"""Promises of `redaction.facts`: a record's facts are what this process vouches for."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from crmlogging.redaction.facts import safe_facts
from crmlogging.redaction.places import safe_path

CANARY = "canary-7f3a@example.com"


def facts_of(**attributes: object) -> dict[str, Any]:
    return safe_facts(logging.makeLogRecord(attributes))


class Lying(str):
    """Equal to every text, as a record's attribute could be."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash(__file__)


class TestForgedRecords:
    def test_a_text_that_equals_all_is_none(self) -> None:
        """Only a `str` can be a place, whatever else says it is the same."""
        facts = facts_of(pathname=Lying(CANARY), lineno=7, funcName=Lying(CANARY))
        assert (facts["pathname"], facts["lineno"], facts["funcName"]) == ("<dynamic>", 0, "[NAME]")

    @pytest.mark.parametrize("line", [4711.5, True, 4_711_471_147, -5, "4711", None])
    def test_a_line_is_a_small_number(self, line: object) -> None:
        """Of a record made elsewhere the file may be known, and the number be anything."""
        assert facts_of(pathname=__file__, lineno=line)["lineno"] == 0

    @pytest.mark.parametrize("canary", [CANARY, "canary_word", "Thread-canary", "x" * 10_000])
    @pytest.mark.parametrize(
        "name",
        [
            *("name", "levelname", "pathname", "filename", "module", "funcName", "threadName"),
            *("processName", "taskName", "created", "msecs", "relativeCreated", "lineno"),
            *("levelno", "thread", "process"),
        ],
    )
    def test_no_text_gets_through(self, name: str, canary: str) -> None:
        """Whatever attribute carries the text, none of the facts does."""
        facts = facts_of(**{name: canary})
        if (name, canary) in {("name", "canary_word"), ("name", "x" * 10_000)}:
            return  # letters and underscores are what a logger may be called
        assert canary not in json.dumps(facts)

    @pytest.mark.parametrize("number", [4917612345678, 2**4000, -1, 4111111111111111, 1e308])
    def test_no_number_gets_through(self, number: float) -> None:
        """A telephone number is no line, no level, no thread, no time."""
        names = ("lineno", "levelno", "thread", "process", "created", "msecs", "relativeCreated")
        facts = facts_of(**dict.fromkeys(names, number))
        assert number not in facts.values()

    @pytest.mark.parametrize("created", [math.nan, math.inf, -math.inf, "now", None])
    def test_a_time_that_is_none_becomes_now(self, created: object) -> None:
        """The line's timestamp can always be written."""
        assert 1e9 < facts_of(created=created)["created"] < 1e11

    def test_hostile_attributes_run_no_code(self) -> None:
        """Nothing of a foreign object is asked, its equality and hash included."""

        class Hostile:
            def __getattribute__(self, name: str) -> object:
                raise AssertionError(name)

            def __eq__(self, other: object) -> bool:
                raise AssertionError

            def __hash__(self) -> int:
                raise AssertionError

        record = logging.makeLogRecord({})
        record.__dict__.update(dict.fromkeys(vars(record), Hostile()))
        json.dumps(safe_facts(record))

    def test_a_file_loaded_here_is_known(self) -> None:
        """A record of another process of the same program keeps its file, not its function."""
        facts = facts_of(pathname=json.__file__, lineno=7, funcName="canary")
        assert (facts["pathname"], facts["funcName"]) == ("json/__init__.py", "[NAME]")

    def test_a_line_without_a_frame_is_a_small_number(self) -> None:
        """A file that is loaded vouches for no telephone number."""
        assert facts_of(pathname=json.__file__, lineno=4917612345678)["lineno"] == 0
        assert facts_of(pathname=json.__file__, lineno=12)["lineno"] == 12

    def test_a_file_that_is_only_there_is_no_source(self, tmp_path: Path) -> None:
        """A forged record could name any file of the machine."""
        (tmp_path / "ada.py").touch()
        assert facts_of(pathname=str(tmp_path / "ada.py"))["pathname"] == "<dynamic>"

    def test_a_function_needs_its_frame(self) -> None:
        """The file alone does not vouch for the name of a function."""
        facts = facts_of(pathname=__file__, lineno=1, funcName="canary")
        assert facts["funcName"] == "[NAME]"


class TestPlaces:
    def test_a_real_call_keeps_its_place(self) -> None:
        """File, line and function of the frame that is named are facts."""
        seen: list[dict[str, Any]] = []

        class Seeing(logging.Filter):
            def filter(self, record: logging.LogRecord) -> bool:
                seen.append(safe_facts(record))
                return False

        logger = logging.getLogger("crm.places")
        logger.addFilter(Seeing())
        line = sys._getframe().f_lineno + 1
        logger.error("x")
        (facts,) = seen
        assert facts["filename"] == Path(__file__).name
        assert (facts["lineno"], facts["funcName"]) == (line, "test_a_real_call_keeps_its_place")
        assert str(Path(__file__).parent) not in json.dumps(facts)

    def test_a_generated_file_is_dynamic(self) -> None:
        """A file name in angle brackets, or one that is not there, may be any text."""
        assert safe_path("<canary>") == safe_path("/canary.py") == "<dynamic>"

    def test_a_path_starts_at_its_import_entry(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What stands above tells names of people and machines."""
        home = tmp_path / "home-of-ada"
        package = home / "crm" / "ada@example.com"
        package.mkdir(parents=True)
        (package / "job.py").touch()
        (home / "0001_initial.py").touch()
        monkeypatch.syspath_prepend(str(home))
        assert safe_path(str(package / "job.py")) == "crm/[NAME]/job.py"
        assert safe_path(str(home / "0001_initial.py")) == "0001_initial.py"

    def test_a_file_outside_shows_its_name_only(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without an entry above it, no directory is known to be harmless."""
        (tmp_path / "job.py").touch()
        monkeypatch.syspath_prepend("/")
        assert safe_path(str(tmp_path / "job.py")) == "job.py"


class TestNames:
    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("MainThread", "MainThread"),
            ("Thread-3", "Thread-3"),
            ("Thread-3 (sync_ada)", "Thread-3"),
            ("ThreadPoolExecutor-0_11", "ThreadPoolExecutor-0_11"),
            ("Dummy-4", "Dummy-4"),
            ("asyncio_0", "asyncio_0"),
            ("crmlogging-s3", "crmlogging-s3"),
            ("crmlogging-async-Ada's handler", "crmlogging-async"),
            ("crmlogging-ada", "[NAME]"),
            ("crmlogging-s3-ada", "[NAME]"),
            ("sync-ada_0", "[NAME]"),
            ("Thread-3 (x) ada", "[NAME]"),
            ("Thread-4917612345678", "[NAME]"),
            ("Thread-٣", "[NAME]"),
            ("MainThread\nMainThread", "[NAME]"),
            (None, None),
        ],
    )
    def test_threads(self, name: str | None, shown: str | None) -> None:
        """Names as Python makes them; the part in parentheses is a function's name."""
        assert facts_of(threadName=name)["threadName"] == shown

    def test_real_threads(self) -> None:
        """What the interpreter calls its own threads is known."""
        names: list[str] = []
        worker = threading.Thread(target=lambda: names.append(threading.current_thread().name))
        worker.start()
        worker.join()
        with ThreadPoolExecutor(1) as pool:
            names.append(pool.submit(lambda: threading.current_thread().name).result())
        assert "[NAME]" not in {facts_of(threadName=name)["threadName"] for name in names}

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            *((name, name) for name in ("MainProcess", "Process-1", "SpawnProcess-2:1")),
            *((name, name) for name in ("ForkPoolWorker-12", "SpawnPoolWorker-1", "SyncManager-1")),
            ("sync-ada", "[NAME]"),
            ("Process-1 ada", "[NAME]"),
        ],
    )
    def test_processes(self, name: str, shown: str) -> None:
        """Process names likewise."""
        assert facts_of(processName=name)["processName"] == shown

    def test_tasks(self) -> None:
        """A task's own name is kept, one that was given is not."""

        async def name() -> str:
            task = asyncio.current_task()
            assert task is not None
            return task.get_name()

        assert facts_of(taskName=asyncio.run(name()))["taskName"].startswith("Task-")
        assert facts_of(taskName="sync ada")["taskName"] == "[NAME]"

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("crm.sync_job", "crm.sync_job"),
            ("crm.tenant42.x", "crm.[NAME].x"),
            ("crm.ada@example.com", "crm.[NAME].com"),
            ("concurrent.futures", "concurrent.futures"),
            ("a..b", "a.[NAME].b"),
            ("über.crm", "[NAME].crm"),
            ("root", "root"),
        ],
    )
    def test_loggers(self, name: str, shown: str) -> None:
        """A part of letters and underscores is a word of the program."""
        assert facts_of(name=name)["name"] == shown

    def test_loggers_of_modules_and_of_the_configuration(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An imported module's name passes, a configured logger's, and one that was listed."""
        assert facts_of(name="crm3.v2")["name"] == "[NAME].[NAME]"
        monkeypatch.setitem(sys.modules, "crm3", sys)
        logging.getLogger("crm3.v2").setLevel("INFO")
        assert facts_of(name="crm3.v2")["name"] == "crm3.v2"
        logging.getLogger("crm3.ada7")
        assert facts_of(name="crm3.ada7")["name"] == "crm3.[NAME]"
        record = logging.makeLogRecord({"name": "t.ada-77"})
        assert safe_facts(record, loggers=frozenset({"t.ada-77"}))["name"] == "t.ada-77"

    def test_levels(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A level has the name it was registered under."""
        assert facts_of(levelno=20, levelname="INFO")["levelname"] == "INFO"
        assert facts_of(levelno=20, levelname=CANARY)["levelname"] == "INFO"
        assert facts_of(levelno=23, levelname=CANARY)["levelname"] == "Level 23"
        monkeypatch.setitem(logging._nameToLevel, CANARY, 23)
        monkeypatch.setitem(logging._levelToName, 23, CANARY)
        assert facts_of(levelno=23, levelname=CANARY)["levelname"] == "Level 23"

    def test_own_numbers_are_kept(self) -> None:
        """Process and thread of the call are what the record says."""
        facts = facts_of(process=os.getpid(), thread=threading.get_ident())
        assert (facts["process"], facts["thread"]) == (os.getpid(), threading.get_ident())
