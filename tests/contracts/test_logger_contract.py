"""What `logging` documents about loggers, kept by ours however fast a call may be.

The tests make one call from one place in the code again and again, change something in between,
and look whether the next call obeys. All that they ask for the standard logger does as well; it is
among their cases, and so proves them.
"""

from __future__ import annotations

import copy
import functools
import logging
import logging.config
import pickle
import sys
import threading
import types
import unittest
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from crmlogging import Logger
from crmlogging.handlers.safe_handler import SafeHandler
from crmlogging.logger import RootLogger
from tests.contracts.conftest import SEEN, Case, Collecting, MakeCase

METHODS = ("handle", "callHandlers", "filter", "makeRecord", "findCaller", "_log", "isEnabledFor")
PLACES = ("instance", "class", "standard class", "subclass")
MOST = ("standard-file", "ours-file", "ours-both", "ours-queue", "adopted-file")
# Ours has these itself, as any subclass may, and does not ask the standard class again.
OWN = {("standard class", "findCaller"), ("standard class", "isEnabledFor")}


def say(logger: Any, **fields: object) -> None:
    """Make the call that all these tests make."""
    logger.error("Failed to sync", extra={"crm": "zoho", **fields})


def warm(case: Case) -> None:
    """Make the call until whatever may be remembered of it is."""
    for _ in range(3):
        say(case.logger)
    assert case.said() == ["Failed to sync"] * 3


def count(case: Case) -> int:
    """Return how many lines came since `warm`."""
    return len(case.said()) - 3


@contextmanager
def replaced(
    logger: logging.Logger, place: str, name: str, method: Callable[..., Any]
) -> Iterator[None]:
    """Put `method` in the place of the logger's for a while."""
    with pytest.MonkeyPatch.context() as patch:
        if place == "instance":
            patch.setattr(logger, name, types.MethodType(method, logger))
        elif place == "class":
            patch.setattr(type(logger), name, method)
        elif place == "standard class":
            patch.setattr(logging.Logger, name, method)
        else:
            theirs = type("Theirs", (type(logger),), {name: method})
            patch.setattr(logger, "__class__", theirs)
        yield


def passing(logger: logging.Logger, place: str, name: str, asked: list[str]) -> Callable[..., Any]:
    """Return a method that notes that it was called and does what the one before did."""
    kind = logging.Logger if place == "standard class" else type(logger)
    original = getattr(kind, name)

    @functools.wraps(original)
    def noting(self: logging.Logger, *args: Any, **options: Any) -> Any:
        if self is logger:
            asked.append(name)
        return original(self, *args, **options)

    return noting


def methods(case: Case, place: str) -> list[str]:
    """Return the methods that count at this place."""
    ours = isinstance(case.logger, Logger)
    return [name for name in METHODS if not (ours and (place, name) in OWN)]


@pytest.mark.parametrize("case", MOST, indirect=True)
@pytest.mark.parametrize("place", PLACES)
class TestOverriding:
    def test_a_replaced_method_is_called(self, case: Case, place: str) -> None:
        """Tracing libraries and subclasses stand wherever they put themselves, at any time."""
        asked: list[str] = []
        warm(case)
        for number, name in enumerate(methods(case, place), start=1):
            with replaced(case.logger, place, name, passing(case.logger, place, name, asked)):
                say(case.logger)
                assert asked == [name]
                say(case.logger)
                assert asked == [name] * 2
            say(case.logger)
            assert (asked, count(case)) == ([name] * 2, 3 * number)
            asked.clear()

    def test_it_has_the_last_word(self, case: Case, place: str) -> None:
        """What it does not pass on is not logged."""
        warm(case)
        for name in set(methods(case, place)) - {"makeRecord", "findCaller"}:
            with replaced(case.logger, place, name, lambda *_, **__: False):
                say(case.logger)
            assert (name, count(case)) == (name, 0)

    def test_what_a_replaced_make_record_adds_is_there(self, case: Case, place: str) -> None:
        """Datadog's tracer does it that way."""
        kind = logging.Logger if place == "standard class" else type(case.logger)
        original = kind.makeRecord

        def traced(self: logging.Logger, *args: Any, **options: Any) -> logging.LogRecord:
            record = original(self, *args, **options)
            vars(record)["trace.id"] = "t-1"
            return record

        warm(case)
        with replaced(case.logger, place, "makeRecord", traced):
            say(case.logger)
        assert case.lines()[-1]["trace.id"] == "t-1"


class TestPlaces:
    @pytest.mark.parametrize("case", SEEN, indirect=True)
    def test_a_replaced_find_caller_names_the_place(self, case: Case) -> None:
        """Wrappers of loggers leave their own frames out like this."""

        class Wrapped(type(case.logger)):  # type: ignore[misc]  # a base known at run time only
            def findCaller(self, *args: Any, **options: Any) -> tuple[str, int, str, str | None]:
                return "/app/sync.py", 7, "sync", None

        warm(case)
        case.logger.__class__ = Wrapped
        say(case.logger)
        record = case.records[-1]
        assert (record.pathname, record.lineno, record.funcName) == ("/app/sync.py", 7, "sync")

    def test_a_parent_only_lends_its_handlers(self, case: Case) -> None:
        """Neither its level nor its filters nor its methods see what its children log."""
        child = case.logger.getChild("child")
        for _ in range(4):
            say(child)
            case.logger.setLevel(logging.CRITICAL)
            child.setLevel(logging.DEBUG)
            case.logger.addFilter(lambda record: False)
            vars(case.logger)["handle"] = vars(case.logger)["callHandlers"] = None
            case.logger.disabled = True
        assert [line["logger"] for line in case.lines()] == ["contract.child"] * 4


class TestFactory:
    @pytest.fixture(autouse=True)
    def _factory_as_it_was(self) -> Iterator[None]:
        before = logging.getLogRecordFactory()
        yield
        logging.setLogRecordFactory(before)

    def test_a_factory_is_asked_from_then_on(self, case: Case) -> None:
        """And no longer when it has been taken back."""
        before = logging.getLogRecordFactory()

        def traced(*args: Any, **options: Any) -> logging.LogRecord:
            record = before(*args, **options)
            vars(record)["trace.id"] = "t-1"
            return record

        warm(case)
        logging.setLogRecordFactory(traced)
        say(case.logger)
        assert case.lines()[-1]["trace.id"] == "t-1"
        logging.setLogRecordFactory(before)
        say(case.logger)
        assert "trace.id" not in case.lines()[-1]

    def test_a_class_of_records(self, seen: Case) -> None:
        """Handlers and filters get records of that class."""

        class Theirs(logging.LogRecord):
            def getMessage(self) -> str:
                return f"theirs: {super().getMessage()}"

        warm(seen)
        logging.setLogRecordFactory(Theirs)
        say(seen.logger)
        assert type(seen.records[-1]) is Theirs
        assert seen.records[-1].getMessage() == "theirs: Failed to sync"


class TestFilters:
    def test_a_filter_s_word_counts_as_long_as_it_is_there(self, case: Case) -> None:
        """Added and removed between two calls, as an object or as a function."""
        warm(case)
        for refusing in (logging.Filter("other"), lambda record: False):
            case.logger.addFilter(refusing)
            say(case.logger)
            assert count(case) == 0
            case.logger.removeFilter(refusing)
        case.logger.filters.append(lambda record: False)
        say(case.logger)
        assert count(case) == 0
        case.logger.filters.clear()
        say(case.logger)
        assert count(case) == 1

    def test_a_filter_is_asked_once_and_may_add(self, case: Case) -> None:
        """All handlers see what it has put on the record."""
        asked = []

        def tracing(record: logging.LogRecord) -> bool:
            asked.append(record.getMessage())
            vars(record)["trace.id"] = "t-1"
            return True

        warm(case)
        case.logger.addFilter(tracing)
        say(case.logger)
        assert case.lines()[-1]["trace.id"] == "t-1"
        assert asked == ["Failed to sync"]

    def test_a_filter_may_answer_with_another_record(self, case: Case) -> None:
        """From Python 3.12 on; before, any answer that is not false means yes."""

        def replacing(record: logging.LogRecord) -> Any:
            other = copy.copy(record)
            vars(other)["trace.id"] = "t-1"
            return other

        warm(case)
        case.logger.addFilter(replacing)
        say(case.logger)
        assert ("trace.id" in case.lines()[-1]) == (sys.version_info >= (3, 12))


class TestSwitches:
    def test_a_disabled_logger_is_silent(self, case: Case) -> None:
        """As ``disable_existing_loggers`` leaves it; and it speaks again afterwards."""
        warm(case)
        case.logger.disabled = True
        say(case.logger)
        assert (count(case), case.logger.isEnabledFor(logging.CRITICAL)) == (0, False)
        case.logger.disabled = False
        say(case.logger)
        assert count(case) == 1

    @pytest.mark.parametrize("level", [logging.ERROR, logging.CRITICAL, "ERROR"])
    def test_disabling_all_is_heard(self, case: Case, level: int | str) -> None:
        """`logging.disable`, by number and by name, and the manager's attribute."""
        warm(case)
        try:
            logging.disable(level)  # type: ignore[arg-type]  # a name is documented as well
            say(case.logger)
            assert count(case) == 0
            logging.disable(logging.WARNING)
            say(case.logger)
            assert count(case) == 1
        finally:
            logging.disable(logging.NOTSET)

    def test_levels_are_asked_each_time(self, case: Case) -> None:
        """Its own, that of a parent where it has none, and those of custom numbers."""
        child = case.logger.getChild("child")
        warm(case)
        for level in (logging.CRITICAL, "CRITICAL", 41):
            case.logger.setLevel(level)
            say(case.logger)
            say(child)
        assert (count(case), child.getEffectiveLevel()) == (0, 41)
        child.setLevel(40)
        say(child)
        assert count(case) == 1
        child.setLevel(logging.NOTSET)
        say(child)
        child.log(41, "Failed to sync")
        assert count(case) == 2

    def test_the_cache_of_levels_is_emptied_by_set_level(self, case: Case) -> None:
        """Of a parent also for its children."""
        child = case.logger.getChild("child")
        assert child.isEnabledFor(logging.DEBUG)
        case.logger.setLevel(logging.INFO)
        assert not child.isEnabledFor(logging.DEBUG)
        case.logger.setLevel(logging.DEBUG)
        assert child.isEnabledFor(logging.DEBUG)


class TestTree:
    def test_propagation_may_be_switched(self, case: Case) -> None:
        """Off and on again, between two calls."""
        child = case.logger.getChild("child")
        warm(case)
        for propagate in (True, False, True):
            child.propagate = propagate
            say(child)
        assert count(case) == 2

    def test_every_ancestor_s_handlers_get_it(self, case: Case) -> None:
        """Each once, and one that is there twice gets it twice."""
        child = case.logger.getChild("child.grandchild")
        warm(case)
        say(child)
        collecting = Collecting()
        for logger in (case.logger, child):
            logger.addHandler(collecting)
        say(child)
        assert (count(case), len(collecting.records)) == (2, 2)

    def test_a_logger_made_in_between_takes_its_place(self, case: Case) -> None:
        """Its handlers come into the way of a child that was there before."""
        child = case.logger.getChild("early.child")
        warm(case)
        say(child)
        collecting = Collecting()
        between = case.logger.getChild("early")
        between.addHandler(collecting)
        between.propagate = False
        say(child)
        assert (count(case), len(collecting.records)) == (1, 1)

    def test_a_new_parent_counts(self, case: Case) -> None:
        """The attribute may be written, as the tests of many a project do."""
        child, other = case.logger.getChild("child"), type(case.logger)("other")
        collecting = Collecting()
        other.addHandler(collecting)
        warm(case)
        say(child)
        child.parent = other
        say(child)
        assert (count(case), len(collecting.records)) == (1, 1)

    @pytest.mark.parametrize("way", ["remove", "clear", "assign", "slice"])
    def test_handlers_may_be_taken_away(self, case: Case, way: str) -> None:
        """Through the method, or in the list itself, as servers and test tools do it."""
        logger, collecting = case.logger, Collecting()
        before = logger.handlers[:]
        warm(case)
        logger.addHandler(collecting)
        if way == "remove":
            for handler in before:
                logger.removeHandler(handler)
        elif way == "clear":
            logger.handlers.clear()
            logger.handlers.append(collecting)
        elif way == "assign":
            logger.handlers = [collecting]
        else:
            logger.handlers[:] = [collecting]
        say(logger)
        logger.handlers = before
        assert (count(case), len(collecting.records)) == (0, 1)

    def test_nobody_to_handle_it(self, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
        """The last resort gets it from its level on; without one, stderr is told once."""
        last = Collecting()
        stderr: list[str] = []
        warm(case)
        before, case.logger.handlers = case.logger.handlers, []
        assert not case.logger.hasHandlers()
        monkeypatch.setattr(logging, "lastResort", last)
        say(case.logger)
        last.setLevel(logging.CRITICAL)
        say(case.logger)
        assert len(last.records) == 1
        monkeypatch.setattr(logging, "lastResort", None)
        monkeypatch.setattr(case.logger.manager, "emittedNoHandlerWarning", False)
        monkeypatch.setattr(sys, "stderr", types.SimpleNamespace(write=stderr.append))
        monkeypatch.setattr(logging, "raiseExceptions", False)
        say(case.logger)
        assert stderr == []
        monkeypatch.setattr(logging, "raiseExceptions", True)
        say(case.logger)
        say(case.logger)
        case.logger.handlers = before
        assert stderr == ['No handlers could be found for logger "contract"\n']
        assert count(case) == 0


class TestHandlers:
    def test_their_levels_count(self, case: Case) -> None:
        """Each handler's own, at each record."""
        warm(case)
        for level in (logging.CRITICAL, logging.ERROR):
            for handler in case.logger.handlers:
                handler.setLevel(level)
            say(case.logger)
        assert count(case) == 1

    def test_their_filters_count(self, case: Case) -> None:
        """Also one that comes late, or is no more than a function."""
        asked = []

        def refusing(record: logging.LogRecord) -> bool:
            asked.append(record)
            return False

        warm(case)
        for handler in case.logger.handlers:
            handler.addFilter(refusing)
        say(case.logger)
        assert (count(case), len(asked)) == (0, len(case.logger.handlers))
        for handler in case.logger.handlers:
            handler.removeFilter(refusing)
        say(case.logger)
        assert count(case) == 1

    @pytest.mark.parametrize("method", ["handle", "emit", "filter"])
    @pytest.mark.parametrize("place", ["instance", "class", "subclass"])
    def test_a_replaced_method_gets_a_record(
        self, case: Case, monkeypatch: pytest.MonkeyPatch, method: str, place: str
    ) -> None:
        """Test tools replace them on a handler that works, and look at what they get."""
        ours = isinstance(case.logger.handlers[0], SafeHandler)
        if ours and (method == "filter" or (method, place) == ("emit", "class")):
            return  # ours ask their filters themselves, and look at their class once
        got: list[object] = []
        warm(case)
        for handler in case.logger.handlers:
            if place == "instance":
                monkeypatch.setattr(handler, method, got.append)
            elif place == "class":
                monkeypatch.setattr(type(handler), method, lambda _, record: got.append(record))
            else:
                replaced = {method: lambda _, record: got.append(record)}
                handler.__class__ = type("Theirs", (type(handler),), replaced)
        say(case.logger)
        assert count(case) == 0
        assert len(got) == len(case.logger.handlers)
        assert all(isinstance(each, logging.LogRecord) for each in got)
        assert {each.levelno for each in got if isinstance(each, logging.LogRecord)} == {40}

    @pytest.mark.parametrize("case", ["standard-file", "ours-file", "ours-document"], indirect=True)
    def test_a_new_formatter_writes_the_next_line(self, case: Case) -> None:
        """A formatter of any kind, and one that replaces a method of ours."""
        (handler,) = case.logger.handlers
        formatter = handler.formatter
        assert formatter is not None
        warm(case)
        handler.setFormatter(logging.Formatter('{"message": "%(levelname)s"}'))
        say(case.logger)
        assert case.said()[3:] == ["ERROR"]
        handler.setFormatter(formatter)
        say(case.logger)
        assert case.said()[4:] == ["Failed to sync"]


class TestThreads:
    def test_changes_by_another_thread_are_obeyed(self, case: Case) -> None:
        """By the very next call."""
        collecting, logger = Collecting(), case.logger

        def elsewhere(change: Callable[[], None]) -> None:
            thread = threading.Thread(target=change)
            thread.start()
            thread.join()

        warm(case)
        elsewhere(lambda: logger.addHandler(collecting))
        say(logger)
        assert (len(collecting.records), count(case)) == (1, 1)
        elsewhere(lambda: logger.removeHandler(collecting))
        say(logger)
        assert (len(collecting.records), count(case)) == (1, 2)
        elsewhere(lambda: logger.setLevel(logging.CRITICAL))
        say(logger)
        assert count(case) == 2

    def test_nothing_is_lost_while_others_change_the_logger(self, case: Case) -> None:
        """Handlers and filters come and go in one thread, four others log: each record once."""
        logger, going = case.logger, threading.Event()

        def change() -> None:
            while not going.is_set():
                collecting = Collecting()
                logger.addHandler(collecting)
                logger.addFilter(bool)
                logger.setLevel(logging.INFO)
                logger.removeFilter(bool)
                logger.removeHandler(collecting)

        def work(number: int) -> None:
            for each in range(100):
                say(logger, **{"trace.id": f"{number}-{each}"})

        workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        changing = threading.Thread(target=change)
        changing.start()
        for thread in workers:
            thread.start()
        for thread in workers:
            thread.join()
        going.set()
        changing.join()
        ids = [line["trace.id"] for line in case.lines()]
        assert sorted(ids) == sorted(f"{n}-{each}" for n in range(4) for each in range(100))

    def test_a_handler_may_log_itself(self, case: Case) -> None:
        """Through the same logger, from within a call; all records arrive, in any order."""

        class Loud(Collecting):
            def emit(self, record: logging.LogRecord) -> None:
                super().emit(record)
                if len(self.records) < 4:
                    say(logging.getLogger("contract"))

        loud = Loud()
        warm(case)
        case.logger.handlers.insert(0, loud)
        say(case.logger)
        case.logger.removeHandler(loud)
        assert (len(loud.records), count(case)) == (4, 4)


class TestIdentity:
    def test_copies_are_the_logger_itself(self, case: Case) -> None:
        """Pickled and unpickled, copied or deep-copied, as objects that hold one are."""
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert pickle.loads(pickle.dumps(case.logger, protocol)) is case.logger
        assert copy.copy(case.logger) is copy.deepcopy(case.logger) is case.logger

    def test_a_logger_that_nobody_would_get_is_not_pickled(self, case: Case) -> None:
        """As `logging` says: only loggers by their name."""
        with pytest.raises(pickle.PicklingError, match="logger cannot be pickled"):
            pickle.dumps(type(case.logger)("nobody"))

    def test_children_are_of_its_kind(self, case: Case) -> None:
        """`getChild` is `getLogger` with the longer name."""
        child = case.logger.getChild("a.b")
        assert child is logging.getLogger("contract.a.b")
        assert child.parent is case.logger
        assert isinstance(child, type(case.logger))
        assert child.root is logging.root
        assert child.manager is logging.root.manager
        assert repr(case.logger) == f"<{type(case.logger).__name__} contract (DEBUG)>"
        if sys.version_info >= (3, 12):
            assert logging.getLogger("contract.a").getChildren() == {child}


class TestSystem:
    def test_a_next_configuration_takes_over(self, case: Case, tmp_path: Path) -> None:
        """`dictConfig` closes what was there and disables what it does not name."""
        child, other = case.logger.getChild("child"), tmp_path / "other"
        warm(case)
        say(child)
        handler = {"class": "logging.FileHandler", "filename": other, "formatter": "short"}
        logging.config.dictConfig(
            {
                "version": 1,
                "formatters": {"short": {"format": "%(name)s %(message)s"}},
                "handlers": {"other": handler},
                "loggers": {"contract": {"handlers": ["other"], "level": "INFO"}},
            }
        )
        say(case.logger)
        say(child)
        assert (
            other.read_text() == "contract Failed to sync\ncontract.child Failed to sync\n"
        )  # children of a named logger stay
        assert count(case) == 1
        logging.config.dictConfig({"version": 1})
        say(case.logger)
        assert len(other.read_text().splitlines()) == 2

    def test_unittest_s_assert_logs(self, case: Case) -> None:
        """It puts a handler of its own in the place of all others, and back."""
        warm(case)
        with unittest.TestCase().assertLogs(case.logger, "ERROR") as caught:
            say(case.logger)
        assert caught.output == ["ERROR:contract:Failed to sync"]
        with unittest.TestCase().assertNoLogs(case.logger, "CRITICAL"):
            say(case.logger)
        assert count(case) == 0
        say(case.logger)
        assert count(case) == 1

    def test_python_s_warnings(self, case: Case) -> None:
        """`logging.captureWarnings` logs them to ``py.warnings``, whatever the logger's class."""
        logger, collecting = logging.getLogger("py.warnings"), Collecting()
        logger.addHandler(collecting)
        logging.captureWarnings(True)
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old", stacklevel=1)
        logging.captureWarnings(False)
        assert "UserWarning: old" in collecting.records[0].getMessage()

    def test_an_adopted_root(self, make_case: MakeCase) -> None:
        """The functions of the module go through it, and find their caller."""
        assert isinstance(make_case("adopted-both").logger, Logger)
        collecting = Collecting()
        logging.root.addHandler(collecting)
        logging.root.setLevel(logging.DEBUG)
        for function in (logging.debug, logging.info, logging.warning, logging.error):
            function("Failed to sync", extra={"crm": "zoho"})
        logging.log(45, "Failed to sync")
        assert isinstance(logging.root, RootLogger)
        assert [each.levelno for each in collecting.records] == [10, 20, 30, 40, 45]
        assert {each.funcName for each in collecting.records} == {"test_an_adopted_root"}
        assert pickle.loads(pickle.dumps(logging.root)) is logging.root
