"""What `logging` documents about the records that loggers make, kept by ours."""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from crmlogging import Logger, correlation
from tests.contracts.conftest import Case, MakeCase

TIMES = ("created", "msecs", "relativeCreated")
SWITCHES = ("logThreads", "logProcesses", "logMultiprocessing", "logAsyncioTasks", "_srcfile")


class RefusedError(ValueError):
    """An exception that is raised, with a cause."""


def failure() -> RefusedError:
    """Return an exception that was raised."""
    try:
        try:
            raise KeyError("mail")
        except KeyError as cause:
            raise RefusedError("no such contact") from cause
    except RefusedError as error:
        return error


FAILURE = failure()


def speak(log: Any) -> None:
    """Make calls of every kind, each twice, as what is remembered of one serves the next."""
    for number in range(2):
        error = failure()
        for method in (log.debug, log.info, log.warning, log.error, log.critical):
            method("Synced")
            method("Synced %s of %d", "some", number)
        log.log(25, "Synced", extra={"crm": "zoho", "resource.id": str(number)})
        log.error("Synced %(crm)s", {"crm": "zoho"})
        log.error("Synced %s", ("a", "b"))
        log.error("Synced 100%")
        log.error(f"Synced {number}")
        log.error(KeyError("contact"))
        log.error(17)
        log.error(None, extra={})
        log.error("Synced", extra={"crm": None, "email": "x@example.com", "request.attempt": 2})
        log.error("Synced", extra={"request": {"attempt": number, "method": "GET"}})
        log.error("Synced", extra=MappingProxyType({"crm": "zoho"}))
        log.error("Synced", extra={"audit": True})
        log.error("Failed", exc_info=error)
        log.error("Failed", exc_info=(RefusedError, error, error.__traceback__))
        log.error("Failed", exc_info=(None, None, None))
        log.error("Failed", exc_info=None, stack_info=True, stacklevel=2)
        log.error("Failed", exc_info=False, extra=None)
        log.error("Failed", exc_info=True)
        log.exception("Failed")
        try:
            raise error
        except RefusedError:
            log.exception("Failed %s", number, extra={"crm": "zoho"})
            log.critical("Failed", exc_info=True)
            log.debug("Failed", exc_info=1)
            log.exception("Failed", exc_info=False)
        logging.LoggerAdapter(log, {"crm": "zoho"}).error("Synced", stacklevel=1)
        inner(log, number)


def inner(log: Any, number: int) -> None:
    """Log as a wrapper does, at the place of its caller."""
    log.info("Synced", stacklevel=1 + number)
    log.info("Synced", stacklevel=1_000)


def comparable(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line without what no two calls share."""
    name = str(line.get("record.id")), "ID"
    return {
        key: value.replace(*name) if isinstance(value, str) else value
        for key, value in line.items()
        if key != "timestamp"
    }


@contextmanager
def plainly() -> Iterator[None]:
    yield


@contextmanager
def in_a_scope() -> Iterator[None]:
    with correlation("sync-17", crm="hubspot", **{"tenant.code": "acme"}):
        yield


@contextmanager
def by_a_factory() -> Iterator[None]:
    before = logging.getLogRecordFactory()

    class Theirs(logging.LogRecord):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            vars(self)["trace.id"] = "t-1"

    logging.setLogRecordFactory(Theirs)
    try:
        yield
    finally:
        logging.setLogRecordFactory(before)


@contextmanager
def under_other_names() -> Iterator[None]:
    thread, process = threading.current_thread(), multiprocessing.current_process()
    before = thread.name, process.name
    thread.name, process.name = "Thread-7 (sync)", "Process-7"
    try:
        yield
    finally:
        thread.name, process.name = before


class TestSameLines:
    @pytest.mark.parametrize("handlers", ["file", "document", "queue"])
    @pytest.mark.parametrize("around", [plainly, in_a_scope, by_a_factory, under_other_names])
    def test_as_of_the_standard_logger(
        self, make_case: MakeCase, handlers: str, around: Callable[[], Any]
    ) -> None:
        """The same calls through either logger come out as the same lines, in every field."""
        came = []
        for loggers in ("standard", "ours"):
            case = make_case(f"{loggers}-{handlers}")
            with around():
                speak(case.logger)
            came.append([comparable(line) for line in case.lines()])
        assert len(came[0]) == 72
        for standard, ours in zip(*came, strict=True):
            assert list(ours.items()) == list(standard.items())

    @pytest.mark.parametrize("switch", SWITCHES)
    def test_what_is_switched_off_is_left_out(
        self, make_case: MakeCase, monkeypatch: pytest.MonkeyPatch, switch: str
    ) -> None:
        """Also if it happens after the first calls, and when it is switched on again."""
        came = []
        for loggers in ("standard", "ours"):
            case = make_case(f"{loggers}-file")
            for value in (getattr(logging, switch, True), None, getattr(logging, switch, True)):
                monkeypatch.setattr(logging, switch, value, raising=False)
                case.logger.error("Synced", extra={"crm": "zoho"})
            monkeypatch.undo()
            came.append([comparable(line) for line in case.lines()])
        assert came[0] == came[1]
        assert came[1][0] == came[1][2]

    def test_in_a_task(self, make_case: MakeCase) -> None:
        """A coroutine's calls are told as those of the standard logger are."""

        async def work(case: Case) -> None:
            await asyncio.gather(*(asyncio.to_thread(speak, case.logger) for _ in range(1)))
            speak(case.logger)

        came = []
        for loggers in ("standard", "ours"):
            case = make_case(f"{loggers}-file")
            asyncio.run(work(case), debug=False)
            came.append([{**comparable(line), "thread": None} for line in case.lines()])
        assert came[0] == came[1]

    def test_in_a_forked_child(self, make_case: MakeCase) -> None:
        """The child's lines name the child, from the first one on."""
        case = make_case("ours-file")
        speak(case.logger)
        before = len(case.lines())
        child = os.fork()
        if child == 0:
            try:
                speak(case.logger)
            finally:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        lines = case.lines()
        assert {line["process.id"] for line in lines[before:]} == {child}
        assert len({line["record.id"] for line in lines}) == len(lines) == 2 * before


class TestRecords:
    def test_every_attribute_is_there(self, make_case: MakeCase) -> None:
        """A handler of somebody else's gets what the standard logger gives it."""
        came = []
        for loggers in ("standard-foreign", "ours-foreign", "ours-both"):
            case = make_case(loggers)
            speak(case.logger)
            assert {type(record) for record in case.records} == {logging.LogRecord}
            came.append([dict(vars(record)) for record in case.records])
        # Times differ, and exceptions are made anew: two are never equal.
        kinds = [
            [
                {**each, **{name: type(each[name]) for name in (*TIMES, "msg", "exc_info")}}
                for each in attributes
            ]
            for attributes in came
        ]
        assert kinds[0] == kinds[1] == kinds[2]
        assert [list(each) for each in came[0]] == [list(each) for each in came[1]]

    def test_the_place_of_a_call(self, seen: Case) -> None:
        """File, line and function, and one level further out for each ``stacklevel``."""

        def innermost() -> None:
            for level in (1, 2, 3):
                seen.logger.error("Failed", stacklevel=level)

        def between() -> None:
            innermost()

        between()
        between()
        assert [each.funcName for each in seen.records] == [
            *("innermost", "between", "test_the_place_of_a_call")
        ] * 2
        assert {each.pathname for each in seen.records} == {__file__}
        assert seen.records[1].lineno == between.__code__.co_firstlineno + 1

    def test_frames_of_an_import_are_no_levels(self, seen: Case, tmp_path: Path) -> None:
        """A call with ``stacklevel`` 2 at the head of a module is the import statement's."""
        (tmp_path / "contract_module.py").write_text(
            "import logging\nlogging.getLogger('contract').error('Failed', stacklevel=2)\n"
        )
        assert seen.logger is logging.getLogger("contract")
        sys.path.insert(0, str(tmp_path))
        try:
            import contract_module  # type: ignore[import-not-found]  # written above
        finally:
            sys.path.remove(str(tmp_path))
            sys.modules.pop("contract_module", None)
        assert contract_module.__file__ == str(tmp_path / "contract_module.py")
        assert seen.records[0].funcName == "test_frames_of_an_import_are_no_levels"

    def test_the_stack(self, seen: Case) -> None:
        """``stack_info`` is the stack of the call, as text, without a newline at its end."""
        seen.logger.error("Failed", stack_info=True)
        stack = seen.records[0].stack_info or ""
        head, *_, source = stack.splitlines()
        assert head == "Stack (most recent call last):"
        assert source.strip() == 'seen.logger.error("Failed", stack_info=True)'

    @pytest.mark.parametrize("given", [FAILURE, True, (RefusedError, FAILURE, None), 1])
    def test_an_exception_is_three_values(self, seen: Case, given: Any) -> None:
        """Whether it is told by value or is the one being handled."""
        try:
            raise FAILURE
        except RefusedError:
            seen.logger.error("Failed", exc_info=given)
        kind, error, _ = seen.records[0].exc_info or (None, None, None)
        assert (kind, error) == (RefusedError, FAILURE)

    @pytest.mark.parametrize("given", [None, False, 0, ()])
    def test_no_exception(self, seen: Case, given: Any) -> None:
        """What is false means none, also while one is being handled."""
        try:
            raise FAILURE
        except RefusedError:
            seen.logger.error("Failed", exc_info=given)
        assert not seen.records[0].exc_info

    def test_without_an_exception_there_are_three_nones(self, seen: Case) -> None:
        """`exception` outside any ``except``."""
        seen.logger.exception("Failed")
        assert seen.records[0].exc_info == (None, None, None)

    def test_names_of_extra(self, seen: Case) -> None:
        """Attributes of the record; for a reserved one ours has a place, the standard none."""
        seen.logger.error("Failed", extra={"crm": "zoho", "a.b": [1]})
        assert (vars(seen.records[0])["crm"], vars(seen.records[0])["a.b"]) == ("zoho", [1])
        for name in ("message", "asctime", "name", "args", "exc_info", "thread"):
            if isinstance(seen.logger, Logger):
                seen.logger.error("Failed", extra={name: "theirs"})
                assert vars(seen.records[-1])[f"extra.{name}"] == "theirs"
                assert seen.records[-1].getMessage() == "Failed"
            else:
                with pytest.raises(KeyError, match="Attempt to overwrite"):
                    seen.logger.error("Failed", extra={name: "theirs"})

    def test_the_caller_s_extra_stays_its_own(self, seen: Case) -> None:
        """Neither changed nor shared with the record, nor with the next one."""
        extra = {"crm": "zoho", "request": {"attempt": 1}}
        seen.logger.error("Failed", extra=extra)
        vars(seen.records[0])["crm"] = "hubspot"
        seen.logger.error("Failed", extra=extra)
        assert extra == {"crm": "zoho", "request": {"attempt": 1}}
        assert vars(seen.records[1])["crm"] == "zoho"

    def test_unknown_keywords_are_refused(self, case: Case) -> None:
        """And the level of `log` has to be a number, unless nobody wants to know."""
        with pytest.raises(TypeError, match="unexpected keyword"):
            case.logger.error("Failed", crm="zoho")  # type: ignore[call-arg]  # the mistake
        with pytest.raises(TypeError, match="level must be an integer"):
            case.logger.log("ERROR", "Failed")  # type: ignore[arg-type]  # the mistake
        case.logger.error("Failed")
        assert case.said() == ["Failed"]

    def test_a_level_nobody_wants_to_know_of(
        self, case: Case, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With `logging.raiseExceptions` off `log` ignores a level that is no number."""
        monkeypatch.setattr(logging, "raiseExceptions", False)
        case.logger.log("ERROR", "Failed")  # type: ignore[arg-type]  # the mistake
        case.logger.error("Failed")
        assert case.said() == ["Failed"]

    def test_a_message_that_cannot_be_formatted(
        self, case: Case, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Too few arguments end no program."""
        for _ in range(2):
            case.logger.error("Failed %s %s", "once")
        assert case.said() == ["Failed %s %s"] * 2


class TestAdapter:
    @pytest.mark.parametrize("method", ["debug", "info", "warning", "error", "critical"])
    def test_its_fields_and_words_are_added(self, seen: Case, method: str) -> None:
        """`process` is asked each time, and the call is found past the adapter."""

        class Adapter(logging.LoggerAdapter):  # type: ignore[type-arg]  # of any logger
            def process(self, msg: Any, kwargs: Any) -> tuple[Any, Any]:
                return super().process(f"sync: {msg}", kwargs)

        adapter = Adapter(seen.logger, {"crm": "zoho"})
        for _ in range(2):
            getattr(adapter, method)("Failed %s", "once")
        for record in seen.records:
            assert record.getMessage() == "sync: Failed once"
            assert vars(record)["crm"] == "zoho"
            assert record.funcName == "test_its_fields_and_words_are_added"

    def test_it_may_stand_on_another(self, seen: Case) -> None:
        """And answers for its logger's level, handlers and manager."""
        adapter = logging.LoggerAdapter(logging.LoggerAdapter(seen.logger, {}), {"crm": "zoho"})
        adapter.setLevel(logging.ERROR)
        adapter.warning("Failed")
        adapter.exception("Failed")
        assert [each.levelno for each in seen.records] == [logging.ERROR]
        assert (adapter.isEnabledFor(30), adapter.getEffectiveLevel()) == (False, 40)
        assert adapter.hasHandlers()
        assert adapter.manager is logging.root.manager

    def test_it_may_merge(self, seen: Case) -> None:
        """The call's fields beside its own: an option from 3.13 on, before that a `process`."""

        class Merging(logging.LoggerAdapter):  # type: ignore[type-arg]  # of any logger
            def process(self, msg: Any, kwargs: Any) -> tuple[Any, Any]:
                return msg, {**kwargs, "extra": {**(self.extra or {}), **kwargs["extra"]}}

        adapter: Any = Merging(seen.logger, {"crm": "zoho"})
        if sys.version_info >= (3, 13):
            adapter = logging.LoggerAdapter(seen.logger, {"crm": "zoho"}, merge_extra=True)
        adapter.error("Failed", extra={"trace.id": "t-1"})
        assert (vars(seen.records[0])["crm"], vars(seen.records[0])["trace.id"]) == ("zoho", "t-1")


class TestIds:
    def test_one_record_has_one_id(self, make_case: MakeCase) -> None:
        """In every handler's line and in ``error.instance``, from the first call of a site on."""
        case = make_case("ours-document")
        case.logger.addHandler(case.file(document=True))
        case.logger.addHandler(case.file())
        for _ in range(3):
            case.logger.error("Failed", exc_info=FAILURE, extra={"crm": "zoho"})
        lines = case.lines()
        ids = [line["record.id"] for line in lines]
        assert len(ids) == 9
        assert len(set(ids)) == 3
        for line in lines:
            urn = f"urn:crmlogging:record:{line['record.id']}"
            assert line.get("error.instance", urn) == urn


class TestShutdown:
    def test_logging_until_the_end(self, tmp_path: Path) -> None:
        """After `logging.shutdown`, in ``atexit`` and in destructors the calls do not raise."""
        program = """
import atexit, logging, sys
import crmlogging
logging.setLoggerClass(crmlogging.Logger)
logger = logging.getLogger("contract")
handler = crmlogging.RetentionFileHandler(sys.argv[1], tiers={"standard": 90})
handler.addFilter(crmlogging.AllowlistFilter(["@crm"]))
logger.addHandler(handler)
def say(): logger.error("Failed", extra={"crm": "zoho"})
class Late:
    def __del__(self): say()
late = Late()
for _ in range(3): say()
logging.shutdown()
say()
atexit.register(say)
"""
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "crm.jsonl")],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        lines = [json.loads(line) for line in (tmp_path / "crm.jsonl").read_text().splitlines()]
        assert [line["message"] for line in lines] == ["Failed"] * 6
        assert done.stderr == ""
