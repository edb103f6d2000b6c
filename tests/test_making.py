"""Promises of `crmlogging.records.making`: what the standard library makes, at less cost."""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from crmlogging.logger import Logger
from crmlogging.records import make_record, making

Make = Callable[..., logging.LogRecord]


def both(monkeypatch: pytest.MonkeyPatch, *given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the attributes of ours, made for the second time, and of the standard one."""
    make_record(*given)
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: 1_763_719_200.998_7)
        patch.setattr(time, "time_ns", lambda: 1_763_719_200_998_700_000)
        return vars(make_record(*given)), vars(logging.LogRecord(*given))


CALL = ("crm.sync", 20, "/app/sync.py", 7, "Synced %s", ("all",), None, "run", None)


class TestMakeRecord:
    @pytest.mark.parametrize(
        "given",
        [
            pytest.param(CALL, id="plain"),
            pytest.param((*CALL[:5], ({"a": 1},), *CALL[6:]), id="mapping-argument"),
            pytest.param((*CALL[:5], ({},), *CALL[6:]), id="empty-mapping"),
            pytest.param((*CALL[:5], ([],), *CALL[6:]), id="empty-list"),
            pytest.param((*CALL[:5], (), None, None, None), id="no-function"),
            pytest.param((*CALL[:6], (None, None, None), "run", "Stack"), id="exception-and-stack"),
            pytest.param((*CALL[:4], object(), (), None, "run", None), id="message-is-an-object"),
            pytest.param(("x", 25, "sync.py", 0, "", None, None, "", ""), id="level-without-name"),
            pytest.param(("x", 20, "/a/b.c.py", 1, "", (), None, "f", None), id="dotted-file"),
        ],
    )
    def test_all_attributes_are_the_same_in_the_same_order(
        self, monkeypatch: pytest.MonkeyPatch, given: tuple[Any, ...]
    ) -> None:
        """Whatever the arguments, on every Python."""
        ours, standard = both(monkeypatch, *given)
        assert list(ours.items()) == list(standard.items())

    @pytest.mark.parametrize("switch", ["logThreads", "logProcesses", "logMultiprocessing"])
    def test_what_the_program_switches_off_stays_off(
        self, monkeypatch: pytest.MonkeyPatch, switch: str
    ) -> None:
        """Also when records of the same call were made before."""
        make_record(*CALL)
        monkeypatch.setattr(logging, switch, False)
        ours, standard = both(monkeypatch, *CALL)
        assert ours == standard
        monkeypatch.undo()
        ours, standard = both(monkeypatch, *CALL)
        assert ours == standard
        assert None not in (ours["thread"], ours["process"], ours["processName"])

    def test_names_follow_a_change(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of the level, the thread and the process, from one record to the next."""
        make_record(*CALL)
        monkeypatch.setitem(logging._levelToName, 20, "NOTE")
        monkeypatch.setattr(threading.current_thread(), "name", "crm-7")
        monkeypatch.setattr(multiprocessing.current_process(), "name", "sync-7")
        ours, standard = both(monkeypatch, *CALL)
        assert ours == standard
        assert (ours["levelname"], ours["threadName"]) == ("NOTE", "crm-7")
        assert ours["processName"] == "sync-7"

    def test_the_task_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Inside a coroutine as outside, where the standard library does it (from 3.12 on)."""

        async def log() -> tuple[dict[str, Any], dict[str, Any]]:
            return both(monkeypatch, *CALL)

        ours, standard = asyncio.run(log())
        assert ours == standard
        assert ("taskName" in ours) == (sys.version_info >= (3, 12))

    def test_a_forked_child_has_its_own_number(self) -> None:
        """No record of the child's names the parent's process."""
        make_record(*CALL)
        child = os.fork()
        if child == 0:
            os._exit(0 if make_record(*CALL).process == os.getpid() else 1)
        assert os.waitpid(child, 0)[1] == 0

    def test_nothing_that_was_logged_lives_longer(self) -> None:
        """Neither a message nor an argument nor an exception."""

        class Logged:
            pass

        logged = Logged()
        make_record(*CALL[:4], logged, (logged,), (Logged, logged, None), "first", None)
        gone = weakref.ref(logged)
        del logged
        gc.collect()
        assert gone() is None

    def test_memory_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """However many calls a program has."""
        monkeypatch.setattr(making, "_SITES_KEPT", 10)
        for line in range(100):
            make_record("x", 20, "a.py", line, "", (), None, "f", None)
        assert len(making._made) <= 10


class TestLogger:
    def test_a_factory_is_asked(self) -> None:
        """`logging.setLogRecordFactory` means what it says, with reserved names kept apart."""

        class Traced(logging.LogRecord):
            pass

        before = logging.getLogRecordFactory()
        logging.setLogRecordFactory(Traced)
        try:
            record = Logger("x").makeRecord(*CALL[:8], {"name": "theirs", "crm": "zoho"})
        finally:
            logging.setLogRecordFactory(before)
        assert type(record) is Traced
        assert (vars(record)["extra.name"], vars(record)["crm"]) == ("theirs", "zoho")

    def test_a_patched_make_record_is_called(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Tracing libraries stand in for the method of the standard class."""
        stock = logging.Logger.makeRecord

        def traced(self: logging.Logger, *given: Any, **named: Any) -> logging.LogRecord:
            record = stock(self, *given, **named)
            vars(record)["trace.id"] = "t-1"
            return record

        monkeypatch.setattr(logging.Logger, "makeRecord", traced)
        record = Logger("x").makeRecord(*CALL[:8], {"name": "theirs"})
        assert vars(record)["trace.id"] == "t-1"
        assert vars(record)["extra.name"] == "theirs"

    def test_extra_may_be_any_mapping(self) -> None:
        """As with the standard logger, and no mapping at all raises as there."""
        from types import MappingProxyType

        record = Logger("x").makeRecord(*CALL[:8], MappingProxyType({"crm": "zoho"}))
        assert vars(record)["crm"] == "zoho"

    def test_without_multiprocessing(self) -> None:
        """In a program that never imports it the process has the usual name."""
        program = (
            "import logging, sys; from crmlogging.logger import Logger;"
            "made = [Logger('x').makeRecord('x', 20, 'a.py', 1, '', (), None) for _ in range(2)];"
            "assert 'multiprocessing' not in sys.modules;"
            "assert {each.processName for each in made} == {'MainProcess'}"
        )
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
