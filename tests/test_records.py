"""Promises of `crmlogging.records`: copies, shared stages, one id a record."""

from __future__ import annotations

import copy
import gc
import logging
import os
import pickle
import sys
import threading
import weakref
from logging.handlers import MemoryHandler
from types import FrameType, SimpleNamespace
from typing import Any

import pytest

from crmlogging import Logger
from crmlogging.records import (
    SafeRecord,
    Stage,
    copy_of,
    identity,
    is_given,
    is_of_call,
    notice,
    record_id,
    refine,
    stages,
)


class Marking(Stage):
    """Marks the copy, and counts how often it ran."""

    def __init__(self, name: str = "mark", safe: bool = False) -> None:
        super().__init__()
        self.mark, self.safe, self.runs = name, safe, 0

    def refine(self, record: logging.LogRecord) -> logging.LogRecord | bool:
        self.runs += 1
        vars(record)[self.mark] = True
        return SafeRecord(vars(record)) if self.safe else record


def made(**attributes: Any) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": "x", **attributes})


class Lying(logging.LogRecord):
    """Says that it is safe."""

    __class__ = property(lambda _: SafeRecord)  # the lie


class TestLyingRecords:
    def test_its_own_id_is_not_taken(self) -> None:
        """Only a record that is safe in type says which id it has."""
        record = Lying("x", 20, "a.py", 1, "m", (), None)
        vars(record)["record.id"] = "hunter2"
        assert record_id(record) != "hunter2"

    def test_it_is_refined_as_any_other(self) -> None:
        """A copy of it is changed, not the record itself."""
        record = Lying("x", 20, "a.py", 1, "m", (), None)
        refine(record, [Marking()])
        assert "mark" not in vars(record)


class TestInterruptions:
    def test_a_signal_handler_logs_while_a_record_is_taken_up(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each record is refined to its own outcome, whatever another one does in between."""
        order, ref = [Marking(safe=True)], weakref.ref
        found: list[str] = []
        interrupting = False

        def refined(name: str) -> str:
            outcome = refine(made(who=name), order)
            assert isinstance(outcome, SafeRecord)
            return str(vars(outcome)["who"])

        def interrupted(record: logging.LogRecord) -> weakref.ref[logging.LogRecord]:
            nonlocal interrupting
            if interrupting:
                interrupting = False
                found.append(refined("signal"))
            return ref(record)

        def calls() -> None:
            nonlocal interrupting
            for _ in range(3):
                found.append(refined("call"))
                interrupting = True

        monkeypatch.setattr(stages, "weakref", SimpleNamespace(ref=interrupted))
        # In a thread of its own, of which no other record is known.
        thread = threading.Thread(target=calls)
        thread.start()
        thread.join(60)
        assert found == ["call", "signal", "call", "signal", "call"]


class TestRefine:
    def test_never_changes_the_caller_s_record(self) -> None:
        """Neither our stages nor a foreign filter reach what other handlers see."""
        record = made()
        before = dict(vars(record))

        def foreign(each: logging.LogRecord) -> bool:
            vars(each)["foreign"] = True
            return True

        outcome = refine(record, [Marking(), foreign])
        assert isinstance(outcome, logging.LogRecord)
        assert (vars(outcome)["mark"], vars(outcome)["foreign"]) == (True, True)
        assert vars(record) == before

    def test_equal_stages_run_once_a_record(self) -> None:
        """Three handlers with the same filters share the work and get the same outcome."""
        first, last = Marking("first"), Marking("last", safe=True)
        record = made()
        outcomes = [refine(record, [first, last]) for _ in range(3)]
        assert (first.runs, last.runs) == (1, 1)
        assert outcomes[0] is outcomes[1] is outcomes[2]

    def test_other_stages_run_for_themselves(self) -> None:
        """A handler with another allowlist does not get its neighbour's outcome."""
        first, second = Marking("first", safe=True), Marking("second", safe=True)
        record = made()
        refine(record, [first])
        outcome = refine(record, [second])
        assert isinstance(outcome, SafeRecord)
        assert "first" not in vars(outcome)
        assert vars(outcome)["second"] is True

    def test_what_foreign_filters_change_stays_with_their_handler(self) -> None:
        """A shared safe record is copied before a filter that may change it."""
        stage = Marking(safe=True)
        record = made()

        def foreign(each: logging.LogRecord) -> bool:
            vars(each)["foreign"] = True
            return True

        refine(record, [stage, foreign])
        outcome = refine(record, [stage])
        assert isinstance(outcome, SafeRecord)
        assert "foreign" not in vars(outcome)

    def test_a_handler_between_may_log(self) -> None:
        """The record's id survives a nested logging call in the same thread."""
        outer, inner, stage = made(), made(), Marking(safe=True)
        first = refine(outer, [stage])
        refine(inner, [stage])
        assert refine(outer, [stage]) is first

    def test_a_false_answer_drops_for_this_handler(self) -> None:
        """Filters keep their standard meaning."""
        assert refine(made(), [lambda record: False]) is False
        assert refine(made(), [Marking(), lambda record: 0]) is False

    def test_a_standard_filter_and_a_replacement_work(self) -> None:
        """`logging.Filter` objects and filters that return another record are honoured."""
        other = made(msg="other")
        assert refine(made(name="crm.a"), [logging.Filter("zoho")]) is False
        assert refine(made(), [lambda record: other]) is other

    def test_a_filter_without_a_hash_works(self) -> None:
        """logging takes any callable for a filter, so we do."""

        class Unhashable:
            __hash__ = None  # type: ignore[assignment]  # the point

            def filter(self, record: logging.LogRecord) -> bool:
                return False

        assert refine(made(), [Marking(), Unhashable()]) is False

    def test_keeps_no_record_alive(self) -> None:
        """An exception and its frames are free when the logging call is over."""
        record = made()
        refine(record, [Marking(safe=True)])
        gone = weakref.ref(record)
        del record
        gc.collect()
        assert gone() is None


class Asking(logging.Handler):
    """Asks whether a record is of the call that a frame is making."""

    def __init__(self, caller: FrameType) -> None:
        super().__init__()
        self.caller = caller
        self.told: list[bool] = []

    def handle(self, record: logging.LogRecord) -> bool:
        code, offset = self.caller.f_code, self.caller.f_lasti
        self.told.append(is_of_call(sys._getframe(1), code, offset))
        return True

    def answer(self) -> bool:
        [told] = self.told
        self.told.clear()
        return told


class TestIsOfCall:
    @pytest.mark.parametrize("kind", [Logger, logging.Logger], ids=["own", "stock"])
    def test_the_usual_steps(self, kind: type[logging.Logger]) -> None:
        """Of a logger, and of an adapter."""
        handler = Asking(sys._getframe())
        logger = kind("crm.sync")
        logger.addHandler(handler)
        logger.error("Synced %s", 1)
        assert handler.answer()
        logging.LoggerAdapter(logger, {}).error("Synced %s", 1)
        assert handler.answer()
        logger.log(40, "Synced %s", 1)
        assert handler.answer()

    def test_another_call(self) -> None:
        """Of the same function, or of another."""
        handler = Asking(sys._getframe())
        logger = logging.Logger("crm.sync")
        logger.addHandler(handler)

        def log() -> None:
            logger.error("Synced %s", 1)

        log()
        assert not handler.answer()
        handler.caller = SimpleNamespace(f_code=sys._getframe().f_code, f_lasti=0)  # type: ignore[assignment]  # another of its calls
        logger.error("Synced %s", 1)
        assert not handler.answer()

    @pytest.mark.parametrize("step", ["callHandlers", "handle", "_log", "error"])
    def test_a_step_of_the_program(self, step: str) -> None:
        """It may have put something else on the record, or hand on another."""

        class Changing(logging.Logger):
            pass

        usual = getattr(logging.Logger, step)
        setattr(Changing, step, lambda *args, **options: usual(*args, **options))
        handler, logger = Asking(sys._getframe()), Changing("crm.sync")
        logger.addHandler(handler)
        logger.error("Synced %s", 1)
        assert not handler.answer()

    def test_a_text_that_the_call_gave(self) -> None:
        """Itself: no adapter and no filter put another in its place."""

        class Asked(Asking):
            def handle(self, record: logging.LogRecord) -> bool:
                code, offset = self.caller.f_code, self.caller.f_lasti
                self.told.append(is_of_call(sys._getframe(1), code, offset, str(record.msg)))
                return True

        def change(record: logging.LogRecord) -> bool:
            record.msg = f"{record.msg}!"
            return True

        handler, logger = Asked(sys._getframe()), logging.Logger("crm.sync")
        logger.addHandler(handler)
        logger.error("Synced zoho")
        assert handler.answer()
        adapter = logging.LoggerAdapter(logger, {})
        adapter.error("Synced zoho")
        assert handler.answer()
        adapter.process = lambda msg, kwargs: (f"{msg}!", kwargs)  # type: ignore[method-assign]  # as a subclass would
        adapter.error("Synced zoho")
        assert not handler.answer()
        adapter.log(40, "Synced zoho")
        assert not handler.answer()
        logger.addFilter(change)
        logger.error("Synced zoho")
        assert not handler.answer()

    def test_a_text_that_a_function_of_the_program_gave(self) -> None:
        """Whatever it calls what it was given."""

        def speak(msg: str) -> bool:
            return is_given(sys._getframe(), msg)

        assert not speak("Synced zoho")
        assert is_given(None, "Synced zoho")

    def test_a_record_that_is_handed_on(self) -> None:
        """By a handler, or by the program."""
        handler = Asking(sys._getframe())
        logger = logging.Logger("crm.sync")
        logger.addHandler(MemoryHandler(1, target=handler))
        logger.error("Synced %s", 1)
        assert not handler.answer()
        logger.handlers[:] = [handler]
        logger.handle(made(levelno=40, msg="Synced %s", args=(1,)))
        assert not handler.answer()
        handler.handle(made(levelno=40, msg="Synced %s", args=(1,)))
        assert not handler.answer()

    def test_a_record_that_the_logger_made_in_its_own_way(self) -> None:
        """Where the standard library's step would have made another."""

        class Making(logging.Logger):
            def _log(self, level: int, msg: object, *given: Any, **options: Any) -> None:
                self.handle(made(levelno=level, msg=msg, args=(2,)))

        handler, logger = Asking(sys._getframe()), Making("crm.sync")
        logger.addHandler(handler)
        logger.error("Synced %s", 1)
        assert not handler.answer()


class TestStageOnForeignHandlers:
    def test_the_outcome_reaches_the_handler(self) -> None:
        """In place on 3.11, as a new record from 3.12 on: the handler emits a SafeRecord."""
        seen: list[logging.LogRecord] = []

        class Collecting(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                seen.append(record)

        handler = Collecting()
        handler.addFilter(Marking(safe=True))
        handler.handle(made())
        assert isinstance(seen[0], SafeRecord)
        assert vars(seen[0])["mark"] is True

    def test_a_record_class_of_the_user_s_is_taken(self) -> None:
        """A factory's own class, even with slots, is made safe as well."""

        class Own(logging.LogRecord):
            __slots__ = ("hidden",)

        record = Own("n", 20, "p", 1, "m", (), None)
        handler = logging.Handler()
        handler.addFilter(Marking(safe=True))
        outcome: Any = handler.filter(record)
        assert vars(record if outcome is True else outcome)["mark"] is True


class TestCopyOf:
    def test_keeps_class_and_attributes(self) -> None:
        """A subclass may override getMessage, so it must stay what it is."""

        class Braces(logging.LogRecord):
            def getMessage(self) -> str:
                return str(self.msg).format(*(self.args or ()))

        record = Braces("n", 20, "p", 1, "a {}", ("b",), None)
        duplicate = copy_of(record)
        assert (type(duplicate), duplicate.getMessage()) == (Braces, "a b")
        assert vars(duplicate) == vars(record)
        assert vars(duplicate) is not vars(record)

    def test_a_class_that_cannot_be_copied_is_copied_plain(self) -> None:
        """Nothing a record class does keeps a record from being logged."""

        class Stubborn(logging.LogRecord):
            def __reduce_ex__(self, protocol: object) -> str:
                raise TypeError("no")

        assert copy_of(Stubborn("n", 20, "p", 1, "m", (), None)).msg == "m"


class TestRecordId:
    def test_is_one_for_a_record_and_grows(self) -> None:
        """Every handler sees the same id; the next record has the next number."""
        first, second = made(), made()
        assert record_id(first) == record_id(first)
        start, number = record_id(first).rsplit("-", 1)
        assert record_id(second) == f"{start}-{int(number) + 1}"
        assert (len(start), int(start, 16) >= 0) == (16, True)

    def test_a_forged_id_never_wins(self) -> None:
        """``extra={"record.id": ...}`` is overwritten on the copy."""
        record = made(**{"record.id": "forged"})
        outcome = refine(record, [Marking()])
        assert isinstance(outcome, logging.LogRecord)
        assert vars(outcome)["record.id"] == record_id(record) != "forged"

    def test_a_stage_may_ask_for_the_id_of_its_copy(self) -> None:
        """The copy is the same record: asking spends no number, so ids have no gaps."""
        asked: list[str] = []

        class Asking(Stage):
            def refine(self, record: logging.LogRecord) -> logging.LogRecord | bool:
                asked.append(record_id(record))
                return SafeRecord({**vars(record), "record.id": asked[-1]})

        first, second = made(), made()
        refine(first, [Asking()])
        Asking().filter(second)
        assert asked == [record_id(first), record_id(second)]
        numbers = [int(each.rsplit("-", 1)[1]) for each in asked]
        assert numbers[1] == numbers[0] + 1

    def test_numbers_have_no_gaps(self) -> None:
        """Nor leading zeros, nor one twice, also where a thousand ends."""
        ids = identity._ids("e" * 16)
        found = [next(ids) for _ in range(12_345)]
        assert found == [f"{'e' * 16}-{number}" for number in range(1, 12_346)]

    def test_threads_that_ended_are_forgotten(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """And none that is in the middle of a call."""
        monkeypatch.setattr(stages, "_THREADS_KEPT", 4)
        seen = stages._Seen()
        record = made()
        mine = seen.of(record)
        ended = dict.fromkeys(range(1, 9), stages._Calls())  # such numbers no thread has
        seen._by_thread.update(ended)
        thread = threading.Thread(target=seen.of, args=(made(),))
        thread.start()
        thread.join()
        assert seen._by_thread.keys() == {threading.get_ident(), thread.ident}
        assert seen.of(record) is mine

    def test_threads_never_share_an_id(self) -> None:
        """Ten thousand records from eight threads have ten thousand ids."""
        ids: list[str] = []

        def work() -> None:
            ids.extend([record_id(made()) for _ in range(1_250)])

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(ids)) == 10_000

    @pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
    def test_a_forked_child_starts_its_own(self) -> None:
        """Parent and child can never name two records alike."""
        mine = record_id(made()).rsplit("-", 1)[0]
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writer, record_id(made()).encode())
            os._exit(0)
        os.waitpid(child, 0)
        theirs = os.read(reader, 100).decode()
        os.close(reader)
        os.close(writer)
        assert theirs.rsplit("-", 1)[0] != mine
        assert theirs.endswith("-1")


class TestSafeRecord:
    def test_is_an_ordinary_record(self) -> None:
        """Third-party code formats, copies and pickles it; it stays safe by type."""
        safe = SafeRecord({**vars(made(msg="100 %s")), "crm": "zoho"})
        assert logging.Formatter("%(message)s %(crm)s").format(safe) == "100 %s zoho"
        for twin in (copy.copy(safe), pickle.loads(pickle.dumps(safe))):
            assert type(twin) is SafeRecord
            assert vars(twin) == vars(safe)
            assert vars(twin) is not vars(safe)

    def test_no_attribute_makes_a_record_safe(self) -> None:
        """Safety cannot be claimed by a name in ``extra``."""
        assert not isinstance(made(SafeRecord=True, safe=True, __class__="x"), SafeRecord)

    def test_notice_is_a_safe_record_of_our_own(self) -> None:
        """What crmlogging says of itself is safe by construction and has its place."""
        record = notice("crmlogging.x", 30, "Lost nothing", {"queue.depth": 3}, __file__)
        assert (record.name, record.levelname, record.getMessage()) == (
            *("crmlogging.x", "WARNING", "Lost nothing"),
        )
        assert record.pathname == "crmlogging/test_records.py"
        assert vars(record)["queue.depth"] == 3
