"""Promises of `AsyncHandler`: what targets see, when it is delivered, what a mistake says."""

from __future__ import annotations

import io
import logging
import logging.config
import logging.handlers
import multiprocessing
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import crmlogging
from crmlogging.exceptions import ConfigurationError
from crmlogging.filters.correlation import CorrelationFilter
from crmlogging.handlers import delivery
from crmlogging.handlers.async_handler import AsyncHandler
from crmlogging.records import SafeRecord, Stage

Attach = Callable[[logging.Handler], logging.Logger]


@pytest.fixture
def attach() -> Iterator[Attach]:
    """Put a handler on a logger cut off from root; both are put away afterwards."""
    logger = logging.getLogger("crmlogging.tests.async")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)

    def attach_to(handler: logging.Handler) -> logging.Logger:
        logger.addHandler(handler)
        return logger

    yield attach_to
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


class Kept(logging.Handler):
    """Keeps the records it gets, and their messages as a formatter would show them."""

    def __init__(self, format: str = "%(message)s") -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.lines: list[str] = []
        self.threads: set[str] = set()
        self.setFormatter(logging.Formatter(format))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))
        self.records.append(record)
        self.threads.add(threading.current_thread().name)


class KeptBatches(Kept):
    """The same, for many at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    def handle_batch(self, records: list[logging.LogRecord]) -> None:
        self.batches.append(len(records))
        for record in records:
            self.emit(record)


class Whole(Stage):
    """Makes a SafeRecord of everything, as the allowlist does of what is allowed."""

    def refine(self, record: logging.LogRecord) -> logging.LogRecord:
        attributes = {**record.__dict__, "args": None, "exc_info": None}
        return SafeRecord(attributes)


class TestDelivery:
    def test_targets_get_every_record_in_order(self, attach: Attach) -> None:
        """Each of several targets has every record, in the order of the calls, after a flush."""
        first, second = Kept(), Kept()
        handler = AsyncHandler(handlers=[first, second])
        logger = attach(handler)
        for number in range(500):
            logger.info("record %d", number)
        handler.flush()
        assert first.lines == second.lines == [f"record {n}" for n in range(500)]
        assert handler.stats() == {"produced": 500, "delivered": 500, "pending": 0, "dropped": 0}

    def test_delivers_without_being_asked(self, attach: Attach) -> None:
        """A record reaches its target soon, in a thread of its own, though nobody flushes."""
        came = threading.Event()

        class Telling(Kept):
            def emit(self, record: logging.LogRecord) -> None:
                super().emit(record)
                came.set()

        target = Telling()
        logger = attach(AsyncHandler(handlers=[target]))
        for _ in range(3):  # the worker was idle, is lingering, is busy
            came.clear()
            logger.info("hello")
            assert came.wait(60)
        assert target.threads == {"crmlogging-async-Telling"}

    def test_batches_go_to_targets_that_take_them(self, attach: Attach) -> None:
        """A target with `handle_batch` gets lists, none of them empty."""
        target = KeptBatches()
        handler = AsyncHandler(handlers=[target])
        logger = attach(handler)
        for number in range(1_000):
            logger.info("%d", number)
        handler.flush()
        assert target.lines == [str(n) for n in range(1_000)]
        assert max(target.batches) > 1
        assert min(target.batches) > 0

    @pytest.mark.parametrize("kind", [Kept, KeptBatches])
    def test_level_of_a_target_counts(self, attach: Attach, kind: type[Kept]) -> None:
        """A target set to ERROR gets no INFO, unless `respect_handler_level` is off."""
        target = kind()
        target.setLevel(logging.ERROR)
        respecting = AsyncHandler(handlers=[target])
        ignoring = AsyncHandler(handlers=[target], respect_handler_level=False)
        for handler, expected in ((respecting, ["two"]), (ignoring, ["one", "two"])):
            target.lines.clear()
            logger = attach(handler)
            logger.info("one")
            logger.error("two")
            handler.flush()
            logger.removeHandler(handler)
            assert target.lines == expected
            handler.close()

    def test_filters_of_a_target_count(self, attach: Attach) -> None:
        """A target's own filter drops and changes, and no other target sees it."""

        def shout(record: logging.LogRecord) -> bool:
            record.msg = str(record.msg).upper()
            return record.levelno > logging.DEBUG

        stream, other = io.StringIO(), Kept()
        loud = logging.StreamHandler(stream)
        loud.addFilter(shout)
        handler = AsyncHandler(handlers=[loud, other])
        handler.addFilter(Whole())
        logger = attach(handler)
        logger.debug("dropped")
        logger.info("loud")
        handler.flush()
        assert stream.getvalue() == "LOUD\n"
        assert other.lines == ["dropped", "loud"]

    def test_own_filters_run_in_the_callers_thread(self, attach: Attach) -> None:
        """Context is stamped where it is known: before the queue."""
        target = Kept("%(correlation_id)s %(message)s")
        handler = AsyncHandler(handlers=[target])
        handler.addFilter(CorrelationFilter())
        logger = attach(handler)
        with crmlogging.correlation("job-1"):
            logger.info("inside")
        handler.flush()
        assert target.lines == ["job-1 inside"]

    def test_summaries_of_filters_go_through_the_queue(self, attach: Attach) -> None:
        """What a filter holds back and tells later (`due`) reaches the targets at a flush."""

        class Holding(logging.Filter):
            def __init__(self) -> None:
                super().__init__()
                self.held = [logging.makeLogRecord({"msg": "summary", "levelno": logging.INFO})]

            def due(self, now: float) -> list[logging.LogRecord]:
                held, self.held = self.held, []
                return held

        target = Kept()
        handler = AsyncHandler(handlers=[target])
        handler.addFilter(Holding())
        handler.flush()
        assert target.lines == ["summary"]
        handler.close()


class TestValues:
    def test_message_shows_values_as_at_call_time(self, attach: Attach) -> None:
        """What the application changes after the call does not change the record."""
        gate = threading.Event()

        class Late(Kept):
            def emit(self, record: logging.LogRecord) -> None:
                gate.wait(60)
                super().emit(record)

        target = Late("%(message)s %(seen)s")
        handler = AsyncHandler(handlers=[target])
        logger = attach(handler)
        numbers, seen = [1], {"ids": [1]}
        logger.info("%s", numbers, extra={"seen": seen})
        numbers.append(2)
        seen["ids"].append(2)
        gate.set()
        handler.flush()
        assert target.lines == ["[1] {'ids': [1]}"]

    @pytest.mark.parametrize("style", ["exception", "stack", "both", "neither"])
    def test_prints_what_a_standard_setup_prints(self, attach: Attach, style: str) -> None:
        """Traceback and stack appear, once, as behind QueueHandler and QueueListener."""

        def log(logger: logging.Logger) -> None:
            try:
                raise ValueError("bad")  # a real traceback is wanted
            except ValueError:
                logger.error(
                    "failed %s",
                    "x",
                    exc_info=style in ("exception", "both"),
                    stack_info=style in ("stack", "both"),
                )

        ours, standard = Kept("%(levelname)s %(message)s"), Kept("%(levelname)s %(message)s")
        channel: queue.SimpleQueue[Any] = queue.SimpleQueue()
        handler, stock = AsyncHandler(handlers=[ours]), logging.handlers.QueueHandler(channel)
        logger = attach(handler)
        attach(stock)
        log(logger)
        handler.flush()
        standard.handle(channel.get_nowait())
        assert ours.lines == standard.lines

    def test_keeps_template_and_plain_arguments(self, attach: Attach) -> None:
        """A target that groups by template or reads arguments still can."""
        target = Kept()
        handler = AsyncHandler(handlers=[target])
        attach(handler).info("a %s %d %s", "b", 3, ["c"])
        handler.flush()
        (record,) = target.records
        assert (record.msg, record.args) == ("a %s %d %s", ("b", 3, "['c']"))
        assert record.getMessage() == target.lines[0] == "a b 3 ['c']"

    def test_names_are_those_of_the_caller(self, attach: Attach) -> None:
        """Thread and process are the ones that logged, not the worker."""
        target = Kept()
        handler = AsyncHandler(handlers=[target])
        logger = attach(handler)
        thread = threading.Thread(target=lambda: logger.info("x"), name="importer")
        thread.start()
        thread.join(60)
        handler.flush()
        (kept,) = target.records
        assert (kept.threadName, kept.thread) == ("importer", thread.ident)
        assert target.threads != {"importer"}

    def test_message_with_wrong_arguments_is_not_lost(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The template is delivered; the arguments are printed nowhere."""
        target = Kept()
        handler = AsyncHandler(handlers=[target])
        wrong = {"msg": "contact %d of %d", "args": ("jane@example.com",), "levelno": 20}
        handler.handle(logging.makeLogRecord(wrong))
        handler.close()
        assert target.lines == ["contact %d of %d"]
        assert "jane" not in capsys.readouterr().err

    def test_dictionary_as_message_stays_one(self, attach: Attach) -> None:
        """JSON formatters merge a dictionary into the line; its text is for all others."""
        target = Kept()
        handler = AsyncHandler(handlers=[target])
        message = {"crm": "hubspot"}
        attach(handler).info(message)
        message["crm"] = "zoho"
        handler.flush()
        assert target.lines == ["{'crm': 'hubspot'}"]
        assert target.records[0].msg == {"crm": "hubspot"}

    def test_safe_record_passes_as_it_is(self, attach: Attach) -> None:
        """A safe record stays safe, and what a target's formatter adds to it stays there."""
        target = Kept("%(asctime)s %(message)s")
        handler = AsyncHandler(handlers=[target])
        handler.addFilter(Whole())
        safe: list[logging.LogRecord] = []

        def see(record: logging.LogRecord) -> bool:
            safe.append(record)
            return True

        handler.addFilter(see)
        attach(handler).info("hello")
        handler.flush()
        assert isinstance(target.records[0], SafeRecord)
        assert "asctime" in vars(target.records[0])
        assert "asctime" not in vars(safe[0])

    def test_own_formatter_makes_the_message(self, attach: Attach) -> None:
        """A formatter on the AsyncHandler renders at call time, as with QueueHandler."""
        target = Kept("<%(message)s>")
        handler = AsyncHandler(handlers=[target])
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        attach(handler).info("hello %s", "you")
        handler.flush()
        assert target.lines == ["<INFO hello you>"]

    def test_callers_record_is_not_changed(self, attach: Attach) -> None:
        """Another handler of the same logger sees arguments and exception untouched."""
        other = Kept()
        handler = AsyncHandler(handlers=[Kept()])
        logger = attach(handler)
        attach(other)
        value = [1]
        try:
            raise ValueError("bad")  # a real traceback is wanted
        except ValueError:
            logger.error("%s", value, exc_info=True)
        assert other.records[0].args == (value,)
        assert other.records[0].exc_info is not None

    @pytest.mark.parametrize(
        "value",
        [
            pytest.param(["deep"] * 20_000, id="large"),
            pytest.param({1, 2}, id="set"),
            pytest.param(({"a": [1]},), id="nested"),
        ],
    )
    def test_extra_of_any_size_arrives(self, attach: Attach, value: object) -> None:
        """Containers in `extra` arrive with the contents they had."""
        target = Kept()
        handler = AsyncHandler(handlers=[target])
        attach(handler).info("x", extra={"value": value})
        handler.flush()
        assert vars(target.records[0])["value"] == value

    def test_extra_that_contains_itself_arrives(self, attach: Attach) -> None:
        """A cycle is copied as a cycle."""
        cycle: list[Any] = []
        cycle.append(cycle)
        target = Kept()
        handler = AsyncHandler(handlers=[target])
        attach(handler).info("x", extra={"cycle": cycle})
        handler.flush()
        copied = vars(target.records[0])["cycle"]
        assert copied is not cycle
        assert copied[0] is copied


class TestQueue:
    def test_without_targets_records_go_to_the_queue(self, attach: Attach) -> None:
        """As with QueueHandler: message merged, arguments and exception settled."""
        channel: queue.Queue[logging.LogRecord] = queue.Queue()
        handler = AsyncHandler(channel)
        attach(handler).info("hello %s", "you")
        record = channel.get_nowait()
        assert (record.msg, record.args, record.getMessage()) == ("hello you", None, "hello you")
        assert handler.stats()["delivered"] == 1
        assert handler.listener is None

    def test_with_targets_the_queue_is_not_used(self, attach: Attach) -> None:
        """Targets win over a queue that was passed."""
        channel: queue.Queue[logging.LogRecord] = queue.Queue()
        target = Kept()
        handler = AsyncHandler(channel, handlers=[target])
        attach(handler).info("hello")
        handler.flush()
        assert target.lines == ["hello"]
        assert channel.empty()

    def test_full_queue_is_counted(self, attach: Attach) -> None:
        """A record that finds the given queue full is dropped, counted and not printed."""
        handler = AsyncHandler(queue.Queue(maxsize=1))
        logger = attach(handler)
        logger.info("one")
        logger.warning("two")
        stats = handler.stats()
        assert stats["delivered"] == 1
        assert stats["dropped.overflow.WARNING"] == stats["dropped"] == 1

    @pytest.mark.parametrize("safe", [True, False])
    def test_crosses_to_another_process(self, attach: Attach, safe: bool) -> None:
        """What cannot be pickled crosses as text instead of vanishing."""
        channel: multiprocessing.Queue[logging.LogRecord] = multiprocessing.Queue()
        handler = AsyncHandler(channel)
        if safe:
            handler.addFilter(Whole())
        lock = threading.Lock()
        attach(handler).error("%s", lock, extra={"lock": lock, "crm": "hubspot"})
        record = channel.get(timeout=60)
        assert vars(record)["crm"] == "hubspot"
        assert "lock" in vars(record)["lock"]
        assert isinstance(record, SafeRecord) == safe
        channel.close()
        channel.join_thread()


class TestListener:
    def test_may_be_started_and_stopped(self, attach: Attach) -> None:
        """Code written for QueueListener works: start, stop (which delivers), stop again."""
        target = Kept()
        handler = AsyncHandler(handlers=[target])
        listener = handler.listener
        assert isinstance(listener, logging.handlers.QueueListener)
        assert listener.handlers == (target,)
        listener.start()
        logger = attach(handler)
        logger.info("one")
        listener.stop()
        assert target.lines == ["one"]
        listener.stop()
        logger.info("two")
        listener.stop()
        assert target.lines == ["one", "two"]

    def test_a_standard_listener_gives_its_targets(self, attach: Attach) -> None:
        """Assigning a QueueListener, as dictConfig does, makes its handlers the targets."""
        target = Kept()
        handler = AsyncHandler(queue.Queue())
        handler.listener = logging.handlers.QueueListener(handler.queue, target)
        attach(handler).info("one")
        handler.flush()
        assert target.lines == ["one"]

    def test_a_listener_of_another_make_is_refused(self) -> None:
        """Its overridden methods would never be called: better said than silently lost."""

        class Mine(logging.handlers.QueueListener):
            pass

        handler = AsyncHandler(queue.Queue())
        with pytest.raises(ConfigurationError, match="listener"):
            handler.listener = Mine(handler.queue, Kept())


class TestClose:
    def test_delivers_and_ends_the_threads(self, attach: Attach) -> None:
        """After close everything is delivered and no worker is left."""
        before = set(threading.enumerate())  # of another test, that are about to end
        target = Kept()
        handler = AsyncHandler(handlers=[target])
        logger = attach(handler)
        for number in range(100):
            logger.info("%d", number)
        handler.close()
        assert len(target.lines) == 100
        left = set(threading.enumerate()) - before
        assert not [t for t in left if t.name == "crmlogging-async-Kept"]

    def test_does_not_silence(self, attach: Attach) -> None:
        """A record after close is delivered all the same, and by no thread that stays."""
        before = set(threading.enumerate())
        target = Kept()
        handler = AsyncHandler(handlers=[target])
        logger = attach(handler)
        handler.close()
        logger.info("late")
        handler.close()
        logger.info("later")
        handler.flush()
        assert target.lines == ["late", "later"]
        for thread in set(threading.enumerate()) - before:
            if thread.name == "crmlogging-async-Kept":
                thread.join(60)
                assert not thread.is_alive()

    def test_does_not_empty_a_file_opened_anew(self, attach: Attach, tmp_path: Any) -> None:
        """A target in mode "w" that was closed goes on where it was."""
        file = tmp_path / "out.log"
        target = logging.FileHandler(file, mode="w")
        handler = AsyncHandler(handlers=[target])
        logger = attach(handler)
        logger.info("one")
        handler.close()
        target.close()
        logger.info("two")
        handler.flush()
        target.close()
        assert file.read_text() == "one\ntwo\n"

    def test_shutdown_delivers_before_targets_close(self, attach: Attach) -> None:
        """`logging.shutdown` closes new handlers first; a younger target must not lose records."""
        closed_with: list[int] = []

        class Closing(Kept):
            def close(self) -> None:
                closed_with.append(len(self.lines))
                super().close()

        configurator = logging.config.DictConfigurator(
            {"version": 1, "handlers": {"late": {"()": Closing}}}
        )
        handler = AsyncHandler(handlers=configurator.convert(["late"]))
        target = configurator.configure_handler(configurator.config["handlers"]["late"])
        configurator.config["handlers"]["late"] = target
        logger = attach(handler)
        for number in range(50):
            logger.info("%d", number)
        ours = [r for r in logging._handlerList if r() in (handler, target)]  # type: ignore[attr-defined]
        logging.shutdown(ours)
        assert closed_with == [50]

    def test_waits_without_the_module_lock(self, attach: Attach) -> None:
        """A target that needs logging's module lock is no deadlock for a closing dictConfig."""
        entered, locked = threading.Event(), threading.Event()

        class Asking(Kept):
            def emit(self, record: logging.LogRecord) -> None:
                entered.set()
                assert locked.wait(60)
                with logging._lock:  # type: ignore[attr-defined]
                    super().emit(record)

        target = Asking()
        handler = AsyncHandler(handlers=[target], flush_seconds=30)
        attach(handler).info("one")
        # Before the lock is taken: a handler that is collected in the worker needs it as well.
        assert entered.wait(60)
        with logging._lock:  # type: ignore[attr-defined]
            locked.set()
            handler.close()
        assert target.lines == ["one"]


class TestDrain:
    def test_tells_whether_everything_is_delivered(self, attach: Attach) -> None:
        """False while a target is busy, True when nothing waits."""
        gate, entered = threading.Event(), threading.Event()

        class Gated(Kept):
            def emit(self, record: logging.LogRecord) -> None:
                entered.set()
                gate.wait(60)
                super().emit(record)

        handler = AsyncHandler(handlers=[Gated()])
        attach(handler).info("one")
        assert entered.wait(60)
        assert handler.drain(0.01) is False
        assert handler.stats()["pending"] == 1
        gate.set()
        assert handler.drain(60) is True
        assert delivery.drain(60) is True


class TestLastMoments:
    def test_what_another_thread_logs_while_the_process_ends_is_delivered(
        self, attach: Attach, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A record that comes after the last wait is neither dropped nor blamed on a target."""
        target = Kept()
        handler = AsyncHandler(handlers=[target])
        logger = attach(handler)
        logger.info("one")
        assert handler.drain(60)
        dispatch = handler._dispatch
        assert dispatch is not None
        flush = dispatch.flush

        def flush_then_log(timeout: float) -> bool:
            done = flush(timeout)
            logger.info("late")
            return done

        monkeypatch.setattr(dispatch, "flush", flush_then_log)
        handler.end()
        assert handler.stats()["dropped"] == 0
        assert handler.stats()["delivered"] == 2


class TestMistakes:
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            pytest.param({}, "handlers: name at least one target", id="nothing-to-write-to"),
            pytest.param({"handlers": "stdout"}, "handlers: must be a list", id="name-alone"),
            pytest.param({"handlers": ["nobody"]}, "no handler is named 'nobody'", id="unknown"),
            pytest.param({"handlers": [3]}, "3 is neither a handler nor", id="not-a-handler"),
            pytest.param({"capacity": 0}, "capacity: must be", id="no-capacity"),
            pytest.param({"capacity": True}, "capacity: must be", id="capacity-is-a-flag"),
            pytest.param({"capacity_bytes": -1}, "capacity_bytes: must be", id="bytes"),
            pytest.param(
                {"overflow": "wait"}, "overflow: must be 'block' or 'drop'", id="overflow"
            ),
            pytest.param({"flush_seconds": -1}, "flush_seconds: must be", id="flush"),
            pytest.param({"block_seconds": "1"}, "block_seconds: must be", id="block"),
            pytest.param({"overflw": "drop"}, "did you mean 'overflow'", id="typing-mistake"),
            pytest.param({"maxsize": 5}, "use 'capacity'", id="name-of-another-library"),
            pytest.param({"listener": "x"}, "delivers by itself", id="listener"),
        ],
    )
    def test_names_the_option(self, options: dict[str, Any], expected: str) -> None:
        """Each mistake is a ConfigurationError that says which option and what it may be."""
        with pytest.raises(ConfigurationError) as caught:
            AsyncHandler(**{"handlers": [Kept()], **options} if options else {})
        assert expected in str(caught.value)

    def test_lists_all_at_once(self) -> None:
        """One error holds every problem."""
        with pytest.raises(ConfigurationError) as caught:
            AsyncHandler(handlers=["nobody"], capacity=0, overflw="drop")
        assert len(caught.value.problems) == 3

    def test_the_same_target_twice_is_refused(self) -> None:
        """It would write every record twice."""
        target = Kept()
        with pytest.raises(ConfigurationError, match="named twice"):
            AsyncHandler(handlers=[target, target])

    @pytest.mark.parametrize("key", ["()", "class"])
    def test_document_with_unknown_target_is_refused(self, key: str) -> None:
        """dictConfig fails at once, not at the first record."""
        document = {
            "version": 1,
            "handlers": {"q": {key: "crmlogging.AsyncHandler", "handlers": ["nobody"]}},
        }
        with pytest.raises(ValueError, match="'q'") as caught:
            logging.config.dictConfig(document)
        cause = caught.value.__cause__
        assert "nobody" in str(cause)

    def test_document_naming_itself_is_refused(self) -> None:
        """A handler behind itself would never come to an end."""
        document = {
            "version": 1,
            "handlers": {"q": {"()": "crmlogging.AsyncHandler", "handlers": ["q"]}},
        }
        with pytest.raises(ValueError, match="'q'") as caught:
            logging.config.dictConfig(document)
        assert "this handler itself" in str(caught.value.__cause__)
