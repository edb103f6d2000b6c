"""An error inside redaction withholds the value, counts it, and writes the line.

Hostile are the objects that are logged, the moment at which they are, and redaction itself.
"""

from __future__ import annotations

import collections.abc
import json
import logging
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from crmlogging import AllowlistFilter, ErrorFilter, JsonFormatter, RetentionFileHandler
from crmlogging.diagnostics import tally
from crmlogging.redaction import call_site, projection, safe_exceptions, templates

SECRET = "canary 17"
FIELDS: list[Any] = ["@crm", "allowed.id", {"allowed.text": "text"}, "open.**"]


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Lend a logger ``crm.hostile`` that writes a file, and a reader of its lines."""
    handler = RetentionFileHandler(tmp_path / "crm.jsonl", levels=False)
    handler.addFilter(ErrorFilter())
    handler.addFilter(AllowlistFilter(FIELDS))
    handler.setFormatter(JsonFormatter(service="crm-sync"))
    logger.addHandler(handler)

    def read() -> list[dict[str, Any]]:
        handler.flush()
        text = (tmp_path / "crm.jsonl").read_text()
        assert SECRET not in text
        return [json.loads(line) for line in text.splitlines()]

    yield read
    logger.removeHandler(handler)
    handler.close()


logger = logging.Logger("crm.hostile")
"""In no hierarchy: other handlers would ask what is logged."""


class Raising:
    """Raises whatever is asked of it."""

    def __init__(self, error: BaseException) -> None:
        object.__setattr__(self, "error", error)

    def __getattribute__(self, name: str) -> Any:
        raise object.__getattribute__(self, "error")

    def _raise(self, *_: object) -> Any:
        raise object.__getattribute__(self, "error")

    __str__ = __repr__ = __format__ = __iter__ = __len__ = __bool__ = __getitem__ = _raise
    __eq__ = __hash__ = __int__ = __float__ = __index__ = __contains__ = _raise


class RaisingMapping(collections.abc.Mapping[str, Any]):
    """A mapping that has to be asked, and raises."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getitem__(self, key: str) -> Any:
        raise self._error

    def __iter__(self) -> Iterator[str]:
        yield "id"
        yield "text"

    def __len__(self) -> int:
        raise self._error


class RaisingSequence(collections.abc.Sequence[Any]):
    """Likewise."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getitem__(self, index: Any) -> Any:
        raise self._error

    def __len__(self) -> int:
        return 3


class Lying:
    """Says it is a text."""

    @property  # type: ignore[misc]  # a lie
    def __class__(self) -> Any:
        return str

    def __str__(self) -> str:
        return SECRET

    __repr__ = __str__


_ERRORS = [ValueError(SECRET), RecursionError(SECRET), MemoryError(SECRET), OSError(28, SECRET)]


class TestObjects:
    @pytest.mark.parametrize("error", _ERRORS, ids=lambda error: type(error).__name__)
    @pytest.mark.parametrize("kind", [Raising, RaisingMapping, RaisingSequence])
    def test_what_raises_is_withheld(
        self, lines: Callable[[], list[dict[str, Any]]], kind: Any, error: Exception
    ) -> None:
        """Under an allowed name, below it, in lists, as argument, as message: the line is there."""
        bad = kind(error)
        logger.error("Contact failed", extra={"allowed": {"id": bad}, "tenant.code": "acme"})
        logger.error("Contact failed", extra={"allowed": bad, "tenant.code": "acme"})
        logger.error("Contact failed", extra={"open": [bad, {"x": bad}], "tenant.code": "acme"})
        # Two arguments: LogRecord itself asks a single one whether it is an empty mapping.
        logger.error("Contact %s of %d failed", bad, 2, extra={"tenant.code": "acme"})
        logger.error(bad, extra={"tenant.code": "acme"})
        found = lines()
        assert [line["tenant.code"] for line in found] == ["acme"] * 5
        assert any(name.startswith("allowed.id") for name in found[0])
        assert found[3]["message"] == "Contact %s of %d failed"
        assert found[4]["message"] == "[DYNAMIC MESSAGE]"

    def test_a_lie_about_the_class_is_not_believed(
        self, lines: Callable[[], list[dict[str, Any]]]
    ) -> None:
        """``__class__`` may say anything."""
        logger.error("Contact %s failed", Lying(), extra={"allowed": {"text": Lying()}})
        logger.error(Lying(), extra={"open": {"x": Lying()}})
        assert [line.get("allowed.text") for line in lines()] == ["[REDACTED]", None]

    def test_a_key_is_not_asked(self, lines: Callable[[], list[dict[str, Any]]]) -> None:
        """Hash and equality of keys that are no text never run."""
        asked: list[str] = []

        class Key:
            def __hash__(self) -> int:
                asked.append("hash")
                return 7

            def __eq__(self, other: object) -> bool:
                asked.append("eq")
                return True

            def __str__(self) -> str:
                asked.append("str")
                return SECRET

        contact: dict[Any, Any] = {Key(): SECRET, "id": "c-7"}
        asked.clear()
        logger.error("Contact failed", extra={"allowed": contact, "open": contact})
        assert asked == []
        (line,) = lines()
        assert (line["allowed.id"], line["allowed.[KEYS]"]) == ("c-7", 1)


class TestSizes:
    @pytest.mark.parametrize(
        "make",
        [
            pytest.param(lambda: SECRET + "x" * 10_000_000, id="text"),
            pytest.param(lambda: "x " * 5_000_000 + SECRET, id="words"),
            pytest.param(lambda: (SECRET + "@") * 1_000_000, id="addresses"),
            pytest.param(lambda: SECRET.encode() * 1_000_000, id="bytes"),
            pytest.param(lambda: [SECRET] * 1_000_000, id="list"),
            pytest.param(lambda: dict.fromkeys(range(300_000), SECRET), id="keys"),
            pytest.param(lambda: {f"k{n}": SECRET for n in range(300_000)}, id="names"),
            pytest.param(lambda: 10**20_000, id="number"),
        ],
    )
    def test_what_is_huge_is_bounded(
        self, lines: Callable[[], list[dict[str, Any]]], make: Callable[[], Any]
    ) -> None:
        """A value of many megabytes costs neither time nor room, wherever it stands."""
        huge = make()
        began = time.process_time()
        logger.error("Contact failed", extra={"note": huge, "tenant.code": "acme"})
        logger.error("Contact failed", extra={"allowed": {"id": huge, "x": huge}})
        logger.error("Contact %s failed", huge)
        assert time.process_time() - began < 20
        found = lines()
        assert found[0]["tenant.code"] == "acme"
        assert max(len(json.dumps(line)) for line in found) < 150_000

    def test_a_huge_text_in_an_allowed_text_field_is_cut(
        self, lines: Callable[[], list[dict[str, Any]]]
    ) -> None:
        """What is cut off is not looked for, what is shown is scrubbed."""
        text = "ada@leak.example " * 600_000 + SECRET
        began = time.process_time()
        logger.error("Contact failed", extra={"allowed": {"text": text}})
        assert time.process_time() - began < 20
        (line,) = lines()
        assert line["allowed.text"].startswith("[EMAIL] [EMAIL]")
        assert line["allowed.text"].endswith("…")

    @pytest.mark.parametrize(
        "piece",
        [
            "a",
            "0",
            "@",
            "a@",
            ".",
            "a.",
            '\\"',
            "{",
            "[(",
            "eyJ",
            "%4",
            "://",
            "+1 ",
            "key=",
            "-----",
        ],
    )
    def test_the_worst_case_of_a_pattern_is_linear(
        self, lines: Callable[[], list[dict[str, Any]]], piece: str
    ) -> None:
        """Near matches of every pattern, as a message, an argument and an allowed text."""
        text = piece * (1_000_000 // len(piece)) + "!"
        began = time.process_time()
        logger.error(text)
        logger.error(f"Contact {text} failed")
        logger.error("Contact %s failed", text, extra={"allowed": {"text": text, "id": text}})
        logger.error("Contact failed", extra={text: text})
        assert time.process_time() - began < 20
        assert len(lines()) == 4

    def test_depth_is_bounded(self, lines: Callable[[], list[dict[str, Any]]]) -> None:
        """Data nested beyond any stack, and a chain of causes that never ends."""
        deep: Any = SECRET
        for _ in range(100_000):
            deep = {"x": [deep]}
        logger.error("Contact failed", extra={"open": deep, "tenant.code": "acme"})
        first = error = ValueError(SECRET)
        for _ in range(20_000):
            following = ValueError(SECRET)
            error.__cause__ = following
            error = following
        error.__cause__ = first
        logger.error("Contact failed", exc_info=first)
        found = lines()
        assert "[TRUNCATED]" in json.dumps(found[0])
        assert len(found[1]["error.stack"]) < 200
        while isinstance(deep, dict):  # its destructor would recurse
            deep = deep.popitem()[1].pop()
        while first.__cause__ is not None:
            cause = first.__cause__
            first.__cause__ = None
            assert isinstance(cause, ValueError)
            first = cause


class TestMoments:
    def test_at_the_end_of_the_stack(self, lines: Callable[[], list[dict[str, Any]]]) -> None:
        """Once a record has come to the handler, nothing is raised, however little stack is left.

        Before that the standard library itself may run out; that is the caller's error then.
        """
        (handler,) = logger.handlers
        record = logger.makeRecord(
            *("crm.hostile", 40, __file__, 1, "Contact failed", (), None),
            extra={"open": {"x": [SECRET, {"y": "f-1"}]}, "note": SECRET},
        )

        def at(depth: int) -> None:
            if depth:
                at(depth - 1)
            else:
                handler.handle(record)

        here = _depth()
        raised = []
        for left in range(1, 250):
            try:
                at(sys.getrecursionlimit() - here - left - 5)
            except RecursionError as error:
                raised.append((left, _innermost(error)))
        # Only the frames of this test, and entering `handle` itself, may be too many.
        assert {name for _, name in raised} <= {"at", "handle"}
        assert raised == [] or raised[-1][0] < 10
        assert len(lines()) > 100
        logger.error("Contact failed", extra={"tenant.code": "acme"})
        assert lines()[-1]["tenant.code"] == "acme"

    def test_a_signal_in_the_middle(self, lines: Callable[[], list[dict[str, Any]]]) -> None:
        """A signal handler that logs, at any instruction of a logging call."""
        told = 0

        def tell(*_: object) -> None:
            nonlocal told
            told += 1
            logger.warning(f"Signal {SECRET}", extra={"tenant.code": "signal", "note": SECRET})
            signal.setitimer(signal.ITIMER_REAL, 0.0003 + told % 97 * 0.00001)  # not in itself

        before = signal.signal(signal.SIGALRM, tell)
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        try:
            calls = 0
            while told < 200:
                calls += 1
                logger.error(f"Contact {SECRET} failed", extra={"tenant.code": "call"})
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        found = lines()
        codes = [line["tenant.code"] for line in found]
        assert codes.count("call") == calls
        assert codes.count("signal") == told
        messages = [line["message"] for line in found]
        assert set(messages[-calls // 2 :]) <= {"Signal {SECRET}", "Contact {SECRET} failed"}
        # While the source is being read its templates are not known yet.
        assert messages.count("[DYNAMIC MESSAGE]") < 20

    @pytest.mark.parametrize("order", ["", "reversed"])
    def test_while_the_source_is_read(
        self,
        lines: Callable[[], list[dict[str, Any]]],
        load: Callable[[str], ModuleType],
        order: str,
    ) -> None:
        """Compiling it warns, and whoever shows the warning logs: all but the template is there."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = load(
                """
                from warnings import showwarning
                def show(*_, **__):
                    logger.warning("Told\\x20of it", extra={"tenant.code": "told", "note": canary})
                def act():
                    "Has a text\\x20with an escape."
                    extra = {"tenant.code": "call", "note": 1}
                    logger.error(f"Contact {canary} failed", extra=extra)
                PATTERN = "\\d"
                """
            )
            vars(module).update(logger=logger, canary=SECRET)
            warnings.simplefilter("always")
            warnings.showwarning = module.show
            if order:
                module.show()
            module.act()
            module.act()
        before = tally["redaction.failed"]
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = module.show
            module.show()
        found = lines()
        assert {line["tenant.code"] for line in found} == {"told", "call"}
        assert len(found) > 3
        assert [line["note"] for line in found if line["tenant.code"] == "call"] == [
            "[REDACTED]",
            "[REDACTED]",
        ]
        assert found[-1]["message"] == "Told of it"
        assert tally["redaction.failed"] == before

    def test_many_threads_at_one_call(self, lines: Callable[[], list[dict[str, Any]]]) -> None:
        """What is remembered of a call serves all threads; each line holds its own values."""

        def work(number: int) -> None:
            for count in range(200):
                own = {"tenant.code": f"t-{number}", "request.attempt": count}
                logger.error(f"Contact {SECRET} {number} failed", extra={**own, "note": SECRET})

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = sorted((line["tenant.code"], line["request.attempt"]) for line in lines())
        assert found == sorted((f"t-{n}", count) for n in range(4) for count in range(200))


class TestRedactionItself:
    @pytest.mark.parametrize("error", _ERRORS, ids=lambda error: type(error).__name__)
    @pytest.mark.parametrize(
        ("room", "name"),
        [
            pytest.param(templates, "resolve", id="messages"),
            pytest.param(call_site, "calling_frame", id="call-site"),
            pytest.param(projection, "Walk", id="walk"),
            pytest.param(safe_exceptions, "safe_message", id="exceptions"),
            pytest.param(safe_exceptions, "class_name", id="class-names"),
        ],
    )
    def test_a_bug_withholds_and_counts(
        self,
        lines: Callable[[], list[dict[str, Any]]],
        monkeypatch: pytest.MonkeyPatch,
        room: Any,
        name: str,
        error: Exception,
    ) -> None:
        """Whatever part fails, with whatever error: one line, no contents, a counter."""

        def fails(*_: object, **__: object) -> Any:
            raise error

        before = tally["redaction.failed"]
        monkeypatch.setattr(room, name, fails)
        extra = {"note": SECRET, "open": {"y": SECRET.upper()[:3]}, "tenant.code": "acme"}
        try:
            raise ValueError(f"no contact {SECRET}")
        except ValueError:
            logger.exception(f"Contact {SECRET} failed", extra=extra)
        monkeypatch.undo()
        (line,) = lines()
        assert line["level"] == "ERROR"
        assert tally["redaction.failed"] == before + 1


def _depth() -> int:
    frame, depth = sys._getframe(1), 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1  # type: ignore[assignment]  # None at the end
    return depth


def _innermost(error: BaseException) -> str:
    traceback = error.__traceback__
    name = ""
    while traceback is not None:
        name, traceback = traceback.tb_frame.f_code.co_name, traceback.tb_next
    return name
