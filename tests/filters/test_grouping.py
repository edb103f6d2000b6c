"""Promises of `GroupingFilter`: few lines for many failures, and not one uncounted."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crmlogging.exceptions import ConfigurationError
from crmlogging.filters import grouping
from crmlogging.filters.grouping import GroupingFilter
from crmlogging.formatters.json_formatter import JsonFormatter
from crmlogging.handlers.stream import StreamHandler
from crmlogging.records import SafeRecord

START = 1_763_800_000.0


def failure(at: float = 0.0, /, **fields: Any) -> SafeRecord:
    """Return a classified failure, `at` seconds after the start."""
    record = logging.makeLogRecord(
        {"name": "crm.sync", "levelno": 40, "levelname": "ERROR", "msg": "Contact sync failed"}
    )
    attributes: dict[str, Any] = {
        **vars(record),
        "created": START + at,
        "error.fingerprint": "v1:0000",
        "error.category": "auth",
        "error.code": "CONTACT_CREATE_TOKEN_EXPIRED",
        "error.fix_url": "https://app.example/reconnect",
        "crm": "hubspot",
        "tenant.code": "acme",
        "correlation_id": "c-1",
        **fields,
    }
    return SafeRecord(attributes)


def feed(filter: GroupingFilter, records: list[logging.LogRecord]) -> int:
    """Return how many of `records` pass."""
    return sum(filter.filter(record) for record in records)


def suppressed(summaries: list[logging.LogRecord]) -> int:
    return sum(vars(summary)["error.suppressed"] for summary in summaries)


class TestPassing:
    def test_the_first_of_a_window_pass(self) -> None:
        """Of identical errors, `first` pass; the others do not."""
        assert feed(GroupingFilter(first=3), [failure(n) for n in range(9)]) == 3

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param({"error.fingerprint": "v1:1111"}, id="cause"),
            pytest.param({"crm": "zoho"}, id="crm"),
            pytest.param({"tenant.code": "globex"}, id="tenant"),
            pytest.param({"levelno": 30}, id="level"),
        ],
    )
    def test_another_key_is_another_group(self, other: dict[str, Any]) -> None:
        """One tenant's burst does not hide another's first failure."""
        filter = GroupingFilter(first=1)
        assert feed(filter, [failure(), failure(**other), failure()]) == 2

    @pytest.mark.parametrize(
        "same",
        [
            pytest.param({"resource.id": "c-2"}, id="resource"),
            pytest.param({"correlation_id": "c-2"}, id="correlation"),
            pytest.param({"lineno": 99, "msg": "Other words"}, id="call-site"),
        ],
    )
    def test_what_differs_between_identical_errors(self, same: dict[str, Any]) -> None:
        """Equal fingerprints group, whatever call and record they come from."""
        assert feed(GroupingFilter(first=1), [failure(), failure(**same)]) == 1

    def test_progress_is_never_held_back(self) -> None:
        """Records that carry no error and are below ERROR all pass."""
        records = [
            logging.makeLogRecord({"levelno": level, "msg": "Page synced", "pathname": "a.py"})
            for level in (10, 20, 30)
            for _ in range(20)
        ]
        assert feed(GroupingFilter(first=1), records) == len(records)

    def test_audit_records_always_pass(self) -> None:
        """An audit trail has no gaps."""
        assert feed(GroupingFilter(first=1), [failure(audit=True) for _ in range(9)]) == 9

    def test_without_a_fingerprint_the_call_site_counts(self) -> None:
        """Unclassified errors are one where call, message and exception class are one."""

        def raised(line: int, error: Exception, msg: str = "Failed") -> logging.LogRecord:
            fields = {"levelno": 40, "pathname": "a.py", "lineno": line, "msg": msg}
            return logging.makeLogRecord({**fields, "exc_info": (type(error), error, None)})

        filter = GroupingFilter(first=1)
        records = [
            raised(1, KeyError("a")),
            raised(1, KeyError("b")),
            raised(1, ValueError("a")),
            raised(2, KeyError("a")),
            raised(1, KeyError("a"), msg="Gave up"),
        ]
        assert [filter.filter(record) for record in records] == [True, False, True, True, True]

    @pytest.mark.parametrize(
        "strange",
        [
            pytest.param({"created": 1e300}, id="no-time"),
            pytest.param({"created": "now"}, id="time-as-text"),
            pytest.param({"levelno": "high"}, id="level-as-text"),
            pytest.param({"exc_info": (1, 2, 3)}, id="no-exception"),
            pytest.param({"exc_info": ()}, id="empty-exception"),
            pytest.param({"msg": {"a": []}}, id="message-object"),
            pytest.param({"crm": ["a"], "tenant.code": {}}, id="unhashable"),
            pytest.param({"resource.id": ["a"]}, id="unhashable-id"),
            pytest.param({"error.fingerprint": "ada@example.com"}, id="no-fingerprint"),
        ],
    )
    def test_a_strange_record_does_no_harm(self, strange: dict[str, Any]) -> None:
        """Records of any origin are grouped or pass; nothing is raised, nothing lost."""
        filter = GroupingFilter(first=1)
        records: list[logging.LogRecord] = [failure(**strange) for _ in range(3)]
        passed = feed(filter, records)
        assert passed + suppressed(filter.due(math.inf)) == 3

    def test_a_new_window_begins_anew(self) -> None:
        """After `window_seconds` the first ones pass again."""
        filter = GroupingFilter(first=2, window_seconds=60)
        assert feed(filter, [failure(n) for n in range(9)]) == 2
        assert feed(filter, [failure(60.0 + n) for n in range(9)]) == 2

    def test_a_clock_set_back_does_not_hold_a_window_open(self) -> None:
        """A jump of an hour ends the window instead of lengthening it."""
        filter = GroupingFilter(first=1)
        assert feed(filter, [failure(), failure(-3_600.0)]) == 2


class TestSummaries:
    def test_what_a_summary_says(self) -> None:
        """Number, first and last time, resources, an example, and where it is fixed."""
        filter = GroupingFilter(first=1)
        feed(filter, [failure(n, **{"resource.id": f"c-{n}"}) for n in range(4)])
        (summary,) = filter.due(START + 60)
        told = vars(summary)
        assert isinstance(summary, SafeRecord)
        assert summary.getMessage() == "Contact sync failed (3 more held back)"
        assert (summary.name, summary.levelno, summary.created) == ("crm.sync", 40, START + 60)
        assert told["error.suppressed"] == 3
        assert told["error.suppressed_first"] == "2025-11-22T08:26:41.000Z"
        assert told["error.suppressed_last"] == "2025-11-22T08:26:43.000Z"
        assert told["error.suppressed_ids"] == ["c-1", "c-2", "c-3"]
        assert told["error.fix_url"] == "https://app.example/reconnect"
        assert (told["correlation_id"], told["crm"]) == ("c-1", "hubspot")
        assert "resource.id" not in told

    def test_it_is_a_record_of_its_own(self) -> None:
        """A summary has its own record id, so that no archive takes it for its example."""
        filter = GroupingFilter(first=1)
        feed(filter, [failure(**{"record.id": "aa-1"}), failure(**{"record.id": "aa-2"})])
        (summary,) = filter.due(math.inf)
        assert vars(summary)["record.id"] not in ("aa-1", "aa-2", None)

    def test_a_window_that_is_open_is_not_summed_up(self) -> None:
        """Nothing is said before the window ends."""
        filter = GroupingFilter(first=1)
        feed(filter, [failure(), failure(1)])
        assert filter.due(START + 59) == []
        assert suppressed(filter.due(START + 60)) == 1

    def test_the_end_brings_everything(self) -> None:
        """`math.inf`, at flush and close, ends all windows; a second time says nothing."""
        filter = GroupingFilter(first=1)
        feed(filter, [failure(crm=crm) for crm in ("hubspot", "zoho") for _ in range(5)])
        assert suppressed(filter.due(math.inf)) == 8
        assert filter.due(math.inf) == []

    def test_a_burst_is_told_while_it_lasts(self) -> None:
        """The 10th, 100th and 1,000th speak at once, each for what nobody told yet."""
        filter = GroupingFilter(first=5)
        told = []
        for _ in range(2_000):
            filter.filter(failure())
            told += [vars(each)["error.suppressed"] for each in filter.due(START)]
        assert told == [5, 90, 900]
        assert suppressed(filter.due(math.inf)) == 1_000

    @pytest.mark.parametrize("number", [1, 5, 6, 10, 11, 999, 5_000])
    def test_passed_and_summarised_is_produced(self, number: int) -> None:
        """Every record is either seen or counted, once."""
        filter = GroupingFilter(first=5, window_seconds=7)
        passed, told = 0, 0
        for n in range(number):
            passed += filter.filter(failure(n / 50))
            told += suppressed(filter.due(START + n / 50))
        assert passed + told + suppressed(filter.due(math.inf)) == number

    def test_a_later_summary_repeats_nothing(self) -> None:
        """The next summary of a window has its own times, example and resources."""
        filter = GroupingFilter(first=1)
        for n in range(12):
            fields = {"resource.id": f"c-{n}", "correlation_id": f"k-{n}"}
            filter.filter(failure(n, **fields))
        _, last = filter.due(math.inf)
        told = vars(last)
        assert told["error.suppressed_ids"] == ["c-10", "c-11"]
        assert told["correlation_id"] == "k-10"
        assert told["error.suppressed_first"] == "2025-11-22T08:26:50.000Z"

    def test_resource_ids_are_bounded(self) -> None:
        """A summary lists 1,000 different ids and counts the rest."""
        filter = GroupingFilter(first=1)
        feed(filter, [failure(**{"resource.id": f"c-{n // 2}"}) for n in range(5_000)])
        summaries = filter.due(math.inf)
        assert suppressed(summaries) == 4_999
        assert max(len(vars(each)["error.suppressed_ids"]) for each in summaries) == 1_000

    def test_an_id_that_is_none_does_not_get_out(self) -> None:
        """What does not have the shape of an id is not listed."""
        filter = GroupingFilter(first=1)
        feed(filter, [failure(**{"resource.id": "ada@example.com"}) for _ in range(3)])
        assert "error.suppressed_ids" not in vars(filter.due(math.inf)[0])


class TestBounds:
    def test_groups_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Too many groups: the oldest is summed up early, and none is lost."""
        monkeypatch.setattr(grouping, "GROUPS_KEPT", 10)
        filter = GroupingFilter(first=1)
        records = [failure(**{"error.fingerprint": f"v1:{n}"}) for n in range(100) for _ in "ab"]
        passed = feed(filter, list(records))
        assert len(filter._groups) == 10
        assert passed + suppressed(filter.due(math.inf)) == 200

    def test_ids_are_bounded_over_all_groups(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Many groups share one number of remembered ids; a summary gives its share back."""
        monkeypatch.setattr(grouping, "IDS_KEPT", 10)
        filter = GroupingFilter(first=1)
        for _ in range(2):
            for n in range(8):
                feed(
                    filter,
                    [failure(crm=f"crm{n}", **{"resource.id": f"{i // 2}"}) for i in range(9)],
                )
            ids = [vars(each).get("error.suppressed_ids", []) for each in filter.due(math.inf)]
            assert sum(map(len, ids)) == 10

    def test_threads_lose_nothing(self) -> None:
        """Eight threads at once: passed and summarised is produced."""
        filter = GroupingFilter(first=5)
        passed: list[int] = []
        told: list[int] = []

        def work() -> None:
            for n in range(1_000):
                passed.append(filter.filter(failure(n / 10)))
                told.append(suppressed(filter.due(START + n / 10)))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert sum(passed) + sum(told) + suppressed(filter.due(math.inf)) == 8_000

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
    def test_a_forked_child_forgets_what_the_parent_counts(self) -> None:
        """The parent's held back records are told once, by the parent."""
        program = (
            "import os, math, logging\n"
            "from crmlogging.filters.grouping import GroupingFilter\n"
            "f = GroupingFilter(first=1)\n"
            "for _ in range(4): f.filter(logging.makeLogRecord({'levelno': 40, 'msg': 'x'}))\n"
            "pid = os.fork()\n"
            "told = sum(vars(s)['error.suppressed'] for s in f.due(math.inf))\n"
            "if pid: os.waitpid(pid, 0)\n"
            "os.write(1, f'{bool(pid)}:{told} '.encode())\n"
            "if not pid: os._exit(0)\n"
        )
        assert run_python(program).split() == ["False:0", "True:3"]


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """Lend a logger cut off from root; its handlers are removed afterwards."""
    logger = logging.getLogger("crmlogging.tests.grouping")
    logger.propagate = False
    yield logger
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.filters.clear()
    logger.propagate = True


AddHandler = Callable[[type[logging.Handler], GroupingFilter], io.StringIO]


@pytest.fixture
def add_handler(logger: logging.Logger) -> AddHandler:
    """Put a handler with a filter on the logger; return what it writes to."""

    def add(kind: type[logging.Handler], filter: GroupingFilter) -> io.StringIO:
        stream = io.StringIO()
        handler = kind(stream)  # type: ignore[arg-type]  # both kinds take a stream
        handler.setFormatter(JsonFormatter())
        handler.addFilter(filter)
        logger.addHandler(handler)
        return stream

    return add


def counts(stream: io.StringIO) -> list[int]:
    """Return for each line what it stands for: 1, or minus what it sums up."""
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [-line["error.suppressed"] if "error.suppressed" in line else 1 for line in lines]


class TestHandlers:
    def test_our_handler_asks(self, logger: logging.Logger, add_handler: AddHandler) -> None:
        """On a handler of ours the 10th speaks at once, and close tells the rest."""
        stream = add_handler(StreamHandler, GroupingFilter(first=2))
        for _ in range(12):
            logger.handle(failure(created=time.time()))
        assert counts(stream) == [1, 1, -8]
        for handler in logger.handlers:
            if isinstance(handler, StreamHandler):
                handler.emit_due(math.inf)
        assert counts(stream) == [1, 1, -8, -2]

    def test_a_foreign_handler_hears_it_with_the_next_record(
        self, logger: logging.Logger, add_handler: AddHandler
    ) -> None:
        """Where nobody asks, the filter speaks before the next record that passes."""
        stream = add_handler(logging.StreamHandler, GroupingFilter(first=2))
        for at in (0, 1, 2, 3, 100):
            logger.handle(failure(at))
        assert counts(stream) == [1, 1, -2, 1]

    def test_a_foreign_handler_hears_the_tenth_at_once(
        self, logger: logging.Logger, add_handler: AddHandler
    ) -> None:
        """A burst is told while it lasts there as well."""
        stream = add_handler(logging.StreamHandler, GroupingFilter(first=2))
        for _ in range(10):
            logger.handle(failure())
        assert counts(stream) == [1, 1, -8]

    @pytest.mark.parametrize("first", [StreamHandler, logging.StreamHandler])
    @pytest.mark.parametrize("second", [StreamHandler, logging.StreamHandler])
    def test_one_filter_on_two_handlers(
        self,
        logger: logging.Logger,
        add_handler: AddHandler,
        first: type[logging.Handler],
        second: type[logging.Handler],
    ) -> None:
        """Each record is judged once, and both handlers get the same lines."""
        filter = GroupingFilter(first=2)
        streams = [add_handler(kind, filter) for kind in (first, second)]
        for n in range(10):
            logger.handle(failure(created=time.time(), **{"record.id": f"aa-{n}"}))
        for stream in streams:
            assert counts(stream) == [1, 1, -8]

    def test_a_handler_hears_only_its_levels(
        self, logger: logging.Logger, add_handler: AddHandler
    ) -> None:
        """A summary of warnings does not reach a handler that takes errors only."""
        filter = GroupingFilter(first=2)
        all_levels = add_handler(logging.StreamHandler, filter)
        errors_only = add_handler(logging.StreamHandler, filter)
        logger.handlers[-1].setLevel(logging.ERROR)
        for n in range(10):
            logger.handle(failure(levelno=30, **{"record.id": f"aa-{n}"}))
        assert (counts(all_levels), counts(errors_only)) == ([1, 1, -8], [])

    def test_a_handler_that_logging_forgot(
        self,
        logger: logging.Logger,
        add_handler: AddHandler,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """After a foreign dictConfig, which empties logging's list, handlers still hear."""
        stream = add_handler(logging.StreamHandler, GroupingFilter(first=2))
        monkeypatch.setattr(logging, "_handlerList", [])
        for _ in range(10):
            logger.handle(failure())
        assert counts(stream) == [1, 1, -8]

    def test_on_a_logger_it_speaks_through_the_logger(
        self, logger: logging.Logger, add_handler: AddHandler
    ) -> None:
        """Attached to a logger, which nobody asks either, it does not swallow."""
        filter = GroupingFilter(first=2)
        stream = add_handler(logging.StreamHandler, GroupingFilter(first=100))
        logger.addFilter(filter)
        for _ in range(10):
            logger.handle(failure())
        assert counts(stream) == [1, 1, -8]

    @pytest.mark.parametrize(
        "kind", ["logging.StreamHandler", "crmlogging.handlers.stream.StreamHandler"]
    )
    def test_at_exit_the_rest_is_told(self, kind: str) -> None:
        """A process that ends tells what it held back, on any handler; later records pass."""
        program = (
            "import atexit, logging, logging.config, sys\n"
            "def late():\n"
            "    for _ in range(4): logging.error('Failed')\n"
            "atexit.register(late)\n"
            "logging.config.dictConfig({'version': 1,\n"
            " 'filters': {'g': {'()': 'crmlogging.GroupingFilter', 'first': 1}},\n"
            " 'formatters': {'f': {'()': 'crmlogging.JsonFormatter'}},\n"
            f" 'handlers': {{'h': {{'class': {kind!r}, 'stream': 'ext://sys.stdout',\n"
            "  'filters': ['g'], 'formatter': 'f'}},\n"
            " 'root': {'handlers': ['h']}})\n"
            "for _ in range(8): logging.error('Failed')\n"
        )
        lines = [json.loads(line) for line in run_python(program).splitlines()]
        assert [line.get("error.suppressed", 1) for line in lines] == [1, 7, 1, 1, 1, 1]

    def test_at_the_end_of_a_multiprocessing_child(self) -> None:
        """A worker process, which runs no atexit functions, tells its own rest."""
        program = (
            "import logging, multiprocessing, sys\n"
            "from crmlogging.filters.grouping import GroupingFilter\n"
            "def work():\n"
            "    for _ in range(4): logging.error('Failed')\n"
            "if __name__ == '__main__':\n"
            "    handler = logging.StreamHandler(sys.stdout)\n"
            "    handler.addFilter(GroupingFilter(first=1))\n"
            "    logging.root.addHandler(handler)\n"
            "    child = multiprocessing.get_context('fork').Process(target=work)\n"
            "    child.start(); child.join()\n"
        )
        assert "(3 more held back)" in run_python(program)


class TestConfiguration:
    @pytest.mark.parametrize(
        ("options", "place"),
        [
            pytest.param({"first": 0}, "first", id="none-pass"),
            pytest.param({"first": True}, "first", id="bool"),
            pytest.param({"first": "5"}, "first", id="text"),
            pytest.param({"window_seconds": 0}, "window_seconds", id="no-window"),
            pytest.param({"window_seconds": math.inf}, "window_seconds", id="endless-window"),
            pytest.param({"window_seconds": math.nan}, "window_seconds", id="nan"),
            pytest.param({"state": 3}, "state", id="state"),
            pytest.param({"state": ""}, "state", id="no-path"),
            pytest.param({"frist": 5}, "'frist' (did you mean 'first'?)", id="typo"),
        ],
    )
    def test_a_mistake_is_refused(self, options: dict[str, Any], place: str) -> None:
        """A wrong option is one error that names it."""
        with pytest.raises(ConfigurationError) as caught:
            GroupingFilter(**options)
        assert f"GroupingFilter: {'unknown option ' if 'frist' in place else ''}{place}" in str(
            caught.value
        )

    def test_all_mistakes_at_once(self) -> None:
        """Nobody has to start the service three times to find three mistakes."""
        with pytest.raises(ConfigurationError) as caught:
            GroupingFilter(first=-1, window_seconds=-1, state="", size=1)
        assert len(caught.value.problems) == 4


def run_python(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
