"""Promises of learning calls: what a handler knows, its own filters have decided."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, Mock

import orjson
import pytest

from crmlogging import (
    AllowlistFilter,
    CorrelationFilter,
    ErrorFilter,
    JsonFormatter,
    Logger,
    RetentionFileHandler,
    records,
)
from crmlogging.handlers import written_lines
from crmlogging.redaction import straight

KINDS = pytest.mark.parametrize("kind", [Logger, logging.Logger], ids=["own", "stock"])
SECRET = "secret-1"  # what an allowlist lets out, or not

Make = Callable[..., RetentionFileHandler]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions are written from the third record of a plan on."""
    monkeypatch.setattr(straight, "_RECORDS_BEFORE", 2)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make handlers that share one formatter, as those of a document do."""
    made: list[RetentionFileHandler] = []
    formatter = JsonFormatter()

    def handler(
        name: str,
        fields: list[str] | None = None,
        kind: type[RetentionFileHandler] = RetentionFileHandler,
    ) -> RetentionFileHandler:
        made.append(kind(tmp_path / name))
        made[-1].setFormatter(formatter)
        for each in (CorrelationFilter(), ErrorFilter(), AllowlistFilter(fields or ["@crm"])):
            made[-1].addFilter(each)
        return made[-1]

    yield handler
    for each in made:
        each.close()


def logger_of(kind: type[logging.Logger], *handlers: logging.Handler) -> logging.Logger:
    made = kind("crm.sync", logging.DEBUG)
    made.manager = logging.Manager(logging.root)
    made.handlers[:] = handlers
    return made


def log(logger: logging.Logger, times: int = 1) -> None:
    for _ in range(times):
        logger.info("Synced contacts", extra={"crm": "zoho", "email": SECRET})


def lines(handler: RetentionFileHandler) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in Path(handler.baseFilename).read_bytes().splitlines()]


class TestWhoDecided:
    @KINDS
    def test_filters_that_change_while_a_line_is_written(
        self, make: Make, monkeypatch: pytest.MonkeyPatch, kind: type[logging.Logger]
    ) -> None:
        """The call is not known under the new ones, which never saw it."""
        handler = make("a", ["@crm", "email"])
        logger = logger_of(kind, handler)
        store = handler._store

        def slowly(*given: Any) -> None:
            store(*given)
            if len(lines(handler)) == 3:
                handler.filters[2] = AllowlistFilter(["@crm"])  # as another thread may

        monkeypatch.setattr(handler, "_store", slowly)
        log(logger, 10)
        shown = [line["email"] for line in lines(handler)]
        assert shown == [SECRET] * 3 + ["[REDACTED]"] * 7

    def test_what_another_handler_made_of_a_record(
        self, make: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A handler whose filters fail once does not take over what those before it made."""
        wide, narrow = make("wide", ["@crm", "email"]), make("narrow")
        logger = logger_of(logging.Logger, wide)
        log(logger, 2)
        order = records.order_of(narrow.filters)
        brief = order._brief

        def fail(*given: Any) -> Any:
            monkeypatch.setattr(order, "_brief", brief)
            raise TimeoutError  # as the handler of a signal may, at any time

        monkeypatch.setattr(order, "_brief", fail)
        logger.addHandler(narrow)
        log(logger, 8)
        assert len(lines(narrow)) == 8
        assert SECRET not in {line.get("email") for line in lines(narrow)}

    def test_a_handler_that_is_added_meanwhile(
        self, make: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each learns from its own filters only."""
        wide, narrow = make("wide", ["@crm", "email"]), make("narrow")
        logger = logger_of(Logger, wide)
        log(logger, 4)
        logger.handlers[:] = [narrow]
        log(logger, 2)
        call_of = records.call_of

        def between(*given: Any) -> records.Call:
            logger.handlers[:] = [narrow, wide]  # as another thread may
            return call_of(*given)

        with monkeypatch.context() as patch:
            patch.setattr(records, "call_of", between)
            log(logger)
        logger.handlers[:] = [narrow]
        log(logger, 6)
        assert SECRET not in {line.get("email") for line in lines(narrow)}

    @KINDS
    def test_an_allowlist_that_is_narrowed_among_threads(
        self, make: Make, tmp_path: Path, kind: type[logging.Logger]
    ) -> None:
        """From the end of the last call on nothing comes out any more, whatever was learned."""
        handler = make("a", ["@crm", "email"])
        logger = logger_of(kind, handler)
        text = (
            "def call{0}(log):\n log('Synced {0}', extra={{'crm': 'zoho', 'email': 'secret-1'}})\n"
        )
        module = tmp_path / "calls.py"
        module.write_text("".join(text.format(number) for number in range(200)))
        names: dict[str, Any] = {"__name__": "calls"}
        exec(compile(module.read_text(), str(module), "exec"), names)
        calls = [names[f"call{number}"] for number in range(200)]
        began = threading.Barrier(5)

        def work(part: list[Callable[[Any], None]]) -> None:
            began.wait()
            for call in part:
                for _ in range(4):
                    call(logger.info)

        threads = [threading.Thread(target=work, args=(calls[at::4],)) for at in range(4)]
        for each in threads:
            each.start()
        began.wait()
        handler.filters[2] = AllowlistFilter(["@crm"])
        for each in threads:
            each.join()
        before = len(lines(handler))
        for call in calls:
            call(logger.info)
            call(logger.info)
        assert SECRET not in {line.get("email") for line in lines(handler)[before:]}

    def test_no_message(self, make: Make) -> None:
        """None is no literal of a call."""
        handler = make("a")
        logger = logger_of(logging.Logger, handler)
        for _ in range(8):
            logger.info(None, extra={"crm": "zoho"})
        assert {*handler._records.values()} <= {()}
        assert len(lines(handler)) == 8

    def test_filters_that_are_no_list(self, make: Make) -> None:
        """They are asked as ever; the call is not known."""
        handler = make("a")
        handler.filters = tuple(handler.filters)  # type: ignore[assignment]  # as a user may
        log(logger_of(Logger, handler), 8)
        assert {*handler._calls.values()} <= {()}
        assert len(lines(handler)) == 8


class TestForeignHandlers:
    @pytest.mark.parametrize("kind", [Mock, MagicMock])
    def test_a_mock_is_asked_to_handle(self, kind: Callable[..., Any]) -> None:
        """What has an answer to everything is none of our handlers."""
        handler = kind(level=0)
        logger_of(Logger, handler).info("Synced contacts")
        handler.handle.assert_called_once()

    def test_a_wrapper_that_delegates(self, make: Make) -> None:
        """It sees each record, though it has all that the handler behind it has."""
        inner = make("a")

        class Wrapper(logging.Handler):
            seen = 0

            def __getattr__(self, name: str) -> Any:
                return getattr(inner, name)

            def handle(self, record: logging.LogRecord) -> bool:
                self.seen += 1
                return inner.handle(record)

        log(logger_of(Logger, inner), 5)
        wrapper = Wrapper()
        log(logger_of(Logger, wrapper), 5)
        assert wrapper.seen == 5
        assert len(lines(inner)) == 10

    @KINDS
    @pytest.mark.parametrize("step", ["handle", "emit"])
    def test_steps_in_a_wrapper(self, make: Make, step: str, kind: type[logging.Logger]) -> None:
        """A decorator that takes over the name of what it wraps, in a subclass."""
        seen: list[object] = []
        usual = getattr(RetentionFileHandler, step)

        @functools.wraps(usual)
        def timed(self: RetentionFileHandler, record: object) -> Any:
            seen.append(record)
            return usual(self, record)

        own = type("Own", (RetentionFileHandler,), {step: timed})
        log(logger_of(kind, make("a", kind=own)), 8)
        assert len(seen) == 8

    @KINDS
    @pytest.mark.parametrize("step", ["handle", "emit"])
    def test_steps_of_a_class_that_somebody_replaces(
        self, make: Make, monkeypatch: pytest.MonkeyPatch, step: str, kind: type[logging.Logger]
    ) -> None:
        """While the handler is there, and its calls are known."""
        own = type("Own", (RetentionFileHandler,), {})
        handler = make("a", kind=own)
        logger = logger_of(kind, handler)
        log(logger, 8)
        seen: list[object] = []
        usual = getattr(own, step)

        def patched(self: RetentionFileHandler, record: object) -> Any:
            seen.append(record)
            return usual(self, record)

        monkeypatch.setattr(own, step, patched)
        log(logger, 8)
        assert len(seen) == 8
        assert len(lines(handler)) == 16


class Wrapper:
    """Stands for a step, and says that it is equal to it, as those of tracing libraries do."""

    def __init__(self, step: Any, seen: list[object]) -> None:
        self.step, self.seen = step, seen

    def __eq__(self, other: object) -> bool:
        return bool(self.step == other)

    __hash__ = object.__hash__

    def __get__(self, instance: Any, owner: Any) -> Any:
        if instance is None:
            return self

        def wrapped(record: object) -> Any:
            self.seen.append(record)
            return self.step(instance, record)

        return wrapped


class TestWrappers:
    @pytest.mark.parametrize("step", ["callHandlers", "handle"])
    def test_of_the_standard_logger(
        self, make: Make, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        """Put in place while calls are known: each record is shown to it."""
        handler = make("a")
        logger = logger_of(Logger, handler)
        log(logger, 8)
        seen: list[object] = []
        wrapper = Wrapper(getattr(logging.Logger, step), seen)
        monkeypatch.setattr(logging.Logger, step, wrapper)
        log(logger, 8)
        assert len(seen) == 8
        assert len(lines(handler)) == 16

    @KINDS
    @pytest.mark.parametrize("step", ["handle", "emit"])
    def test_of_a_handler(
        self, make: Make, monkeypatch: pytest.MonkeyPatch, step: str, kind: type[logging.Logger]
    ) -> None:
        """The same with the steps of a handler's class."""
        own = type("Own", (RetentionFileHandler,), {})
        handler = make("a", kind=own)
        logger = logger_of(kind, handler)
        log(logger, 8)
        seen: list[object] = []
        monkeypatch.setattr(own, step, Wrapper(getattr(own, step), seen), raising=False)
        log(logger, 8)
        assert len(seen) == 8
        assert len(lines(handler)) == 16


class TestFailures:
    @KINDS
    @pytest.mark.parametrize("error", [RecursionError, MemoryError, ValueError])
    @pytest.mark.parametrize("again", [False, True], ids=["once", "twice"])
    def test_what_fails_while_a_line_is_stored_is_counted(
        self,
        make: Make,
        monkeypatch: pytest.MonkeyPatch,
        kind: type[logging.Logger],
        error: type[Exception],
        again: bool,
    ) -> None:
        """Of a known call too, also where what tells of it fails once more; nothing is raised."""

        def fail(*_: object) -> None:
            raise error

        handler = make("a")
        logger = logger_of(kind, handler)
        log(logger, 8)
        with monkeypatch.context() as patch:
            patch.setattr(handler, "_store", fail)
            if again:
                patch.setattr(written_lines, "deferred", fail)
            log(logger)
        log(logger)
        counts = handler.stats()
        assert (counts["produced"], counts["dropped"]) == (10, 1)
        assert len(lines(handler)) == 9

    @KINDS
    def test_who_is_told_gets_a_safe_record(
        self, make: Make, monkeypatch: pytest.MonkeyPatch, kind: type[logging.Logger]
    ) -> None:
        """Of a call that is known as well: with its fields and its id, and nothing else."""
        told: list[logging.LogRecord] = []

        class Own(RetentionFileHandler):
            def handleError(self, record: logging.LogRecord) -> None:  # its name
                told.append(record)

        def fail(*_: object) -> None:
            raise MemoryError

        handler = make("a", kind=Own)
        logger = logger_of(kind, handler)
        for _ in range(2):
            with monkeypatch.context() as patch:
                patch.setattr(handler, "_store", fail)
                log(logger)
            log(logger, 8)
        first, last = told
        assert isinstance(last, records.SafeRecord)
        assert SECRET not in str(vars(last))
        assert vars(first).keys() == vars(last).keys()
        assert (vars(last)["crm"], vars(last)["email"]) == ("zoho", "[REDACTED]")
        assert vars(last)["record.id"] not in {line["record.id"] for line in lines(handler)}

    @KINDS
    def test_a_handler_of_errors_that_raises(
        self, make: Make, monkeypatch: pytest.MonkeyPatch, kind: type[logging.Logger]
    ) -> None:
        """The application sees what its own code raises; the record is counted once."""

        class Own(RetentionFileHandler):
            def handleError(self, record: logging.LogRecord) -> None:  # its name
                raise ZeroDivisionError

        def fail(*_: object) -> None:
            monkeypatch.undo()
            raise MemoryError

        handler = make("a", kind=Own)
        logger = logger_of(kind, handler)
        log(logger, 8)
        monkeypatch.setattr(handler, "_store", fail)
        with pytest.raises(ZeroDivisionError):
            log(logger)
        assert handler.stats()["produced"] == 9
        assert len(lines(handler)) == 8

    def test_ids_have_no_gaps(self, make: Make) -> None:
        """What cannot be shown spends no id in vain."""
        handler = make("a", ["@crm"])
        handler.filters[2] = AllowlistFilter([{"note": "text"}])
        logger = logger_of(Logger, handler)
        notes = [f"a {number}" for number in range(10)]
        for note in [*notes, "\ud800", "x", "\ud800", "x"]:
            logger.info("Synced contacts", extra={"note": note})
        numbers = [int(line["record.id"].rpartition("-")[2]) for line in lines(handler)]
        assert [number - numbers[0] for number in numbers] == list(range(14))

    def test_learning_that_fails_loses_nothing(
        self, make: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The line is written by then, and nobody hears of it."""

        def fail(*_: object) -> None:
            raise ZeroDivisionError

        handler = make("a")
        monkeypatch.setattr(handler, "_keep", fail)
        for kind in (Logger, logging.Logger):
            log(logger_of(kind, handler), 5)
        assert len(lines(handler)) == 10
