"""Promises of `sync_run`: nothing uncounted, one line at the end, and a right word on going on."""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import os
import stat
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from crmlogging import context
from crmlogging.errors.classify import classify
from crmlogging.errors.model import CrmError
from crmlogging.exceptions import ConfigurationError
from crmlogging.filters.allowlist import AllowlistFilter
from crmlogging.filters.correlation import CorrelationFilter
from crmlogging.filters.errors import ErrorFilter
from crmlogging.filters.grouping import GroupingFilter
from crmlogging.formatters.json_formatter import JsonFormatter
from crmlogging.runs import SyncRun, sync_run

Lines = list[dict[str, Any]]
CONTACTS = "https://api.hubapi.com/crm/v3/objects/contacts"


class Lined(logging.Handler):
    """Keeps what a handler would write, as parsed lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: Lines = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Lend the lines of a handler with the whole chain and nothing allowed but ``@crm``."""
    handler = Lined()
    handler.setFormatter(JsonFormatter(service="tests"))
    for each in (CorrelationFilter(), ErrorFilter(), AllowlistFilter(["@crm"])):
        handler.addFilter(each)
    logger = logging.getLogger("crmlogging.sync")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler.lines
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def error(status: int | None, body: str | None = "", **more: Any) -> CrmError:
    """Return what an answer of HubSpot's means."""
    answer = {"provider": "hubspot", "method": "POST", "url": CONTACTS, **more}
    found = classify(status=status, body=body, **answer)
    assert found is not None
    return found


EXPIRED = error(401, '{"category": "EXPIRED_AUTHENTICATION"}')
LIMITED = error(429, '{"errorType": "RATE_LIMIT", "policyName": "SECONDLY"}')
DUPLICATE = error(409, '{"category": "CONFLICT", "message": "Contact already exists"}')
DOWN = error(None, None, exception="ConnectionRefusedError: [Errno 111] Connection refused")
BROKEN = error(500)


class Answer:
    """A response as an HTTP client has it."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.status_code = status
        self.headers = headers or {}
        self._content = body


def end_by(cause: BaseException, *, reported: bool = False) -> None:
    """Have `cause` leave a run, after it was told to the run or not."""
    with sync_run("hubspot", "contact") as run:
        run.succeeded("1")
        if reported:
            run.failed(cause, "2")
        raise cause


class TestSummary:
    def test_one_line_tells_the_run(self, lines: Lines) -> None:
        """Rate, groups, last success and median time stand in one line at the end."""
        with sync_run("hubspot", "contact", clock=lambda: 1_700_000_000.0) as run:
            for number, latency in enumerate((10, 30, 20)):
                run.succeeded(str(number), latency_ms=latency)
            run.failed(DUPLICATE, "3", latency_ms=40)
        summary = lines[-1]
        assert summary["message"] == "Sync run finished with failures"
        assert summary["level"] == "WARNING"
        assert {name: summary[name] for name in summary if name.startswith("sync.")} == {
            "sync.run_id": run.run_id,
            "sync.succeeded": 3,
            "sync.failed": 1,
            "sync.success_rate": 0.75,
            "sync.last_success": "2023-11-14T22:13:20.000Z",
            "sync.latency_ms": 25,
            "sync.groups": [f"{DUPLICATE.code}:1"],
        }

    def test_it_carries_what_the_run_is_about(self, lines: Lines) -> None:
        """Provider, resource, run id and one correlation id stand in every line."""
        with sync_run("zoho", "lead") as run:
            run.succeeded("1")
            run.failed(BROKEN, "2")
        for line in lines:
            assert line["crm"] == "zoho"
            assert line["resource.type"] == "lead"
            assert line["sync.run_id"] == run.run_id
        assert len({line["correlation_id"] for line in lines}) == 1

    def test_one_line_a_record(self, lines: Lines) -> None:
        """A success is INFO, a failure for good is ERROR and says why."""
        with sync_run("hubspot", "contact") as run:
            run.succeeded("1")
            run.failed(DUPLICATE, "2")
            run.dead_lettered(BROKEN, "3")
        told = [
            (line["level"], line.get("sync.outcome"), line.get("resource.id")) for line in lines
        ]
        assert told[:3] == [
            ("INFO", "succeeded", "1"),
            ("ERROR", "failed", "2"),
            ("ERROR", "dead_lettered", "3"),
        ]
        assert lines[1]["error.code"] == DUPLICATE.code

    @pytest.mark.parametrize(
        ("happens", "message", "level"),
        [
            pytest.param(lambda run: None, "Sync run finished", "INFO", id="nothing"),
            pytest.param(lambda run: run.succeeded("1"), "Sync run finished", "INFO", id="good"),
            pytest.param(
                lambda run: (run.retried(LIMITED, "1"), run.succeeded("1")),
                "Sync run finished: rate limited, retried successfully",
                "INFO",
                id="rate-limited",
            ),
            pytest.param(
                lambda run: (run.retried(BROKEN, "1"), run.succeeded("1")),
                "Sync run finished: retried successfully",
                "INFO",
                id="retried",
            ),
            pytest.param(
                lambda run: run.failed(EXPIRED, "1"), "Sync run aborted", "ERROR", id="blocked"
            ),
        ],
    )
    def test_it_says_how_it_ended(
        self, lines: Lines, happens: Callable[[SyncRun], object], message: str, level: str
    ) -> None:
        """The message is one of a few literals, at the level that fits."""
        with sync_run("hubspot", "contact") as run:
            happens(run)
        assert (lines[-1]["message"], lines[-1]["level"]) == (message, level)

    def test_an_aborted_run_says_what_to_do(self, lines: Lines) -> None:
        """The failure that stops every record stands in the summary, with its link."""
        with sync_run("hubspot", "contact") as run:
            run.failed(EXPIRED, "1")
        assert lines[-1]["error.summary"] == EXPIRED.summary
        assert lines[-1]["error.fix_url"] == EXPIRED.fix_url

    def test_every_message_is_proved_static(self, lines: Lines, tmp_path: Path) -> None:
        """No line of a run is dynamic, and each names the caller's own place."""
        for happens in (None, BROKEN, EXPIRED):
            for _ in range(3):
                with sync_run("hubspot", "contact", state=tmp_path / "runs.json") as run:
                    run.succeeded("1")
                    if happens is not None:
                        run.failed(happens, "2")
        with pytest.raises(KeyError), sync_run("hubspot", "contact"):
            raise KeyError("ada@example.com")
        with pytest.raises(KeyboardInterrupt), sync_run("hubspot", "contact"):
            raise KeyboardInterrupt
        assert len({line["message"] for line in lines}) == 8
        assert all("DYNAMIC" not in line["message"] for line in lines)
        assert all(Path(line["source"].partition(":")[0]).name == "test_runs.py" for line in lines)

    def test_no_value_gets_out(self, lines: Lines) -> None:
        """What an answer or an exception says of people is in no line."""
        with sync_run("hubspot", "contact") as run:
            run.failed(Answer(400, b'{"message": "ada@example.com is +4915112345678"}'), "1")
            run.failed(ValueError("ada@example.com"), "2")
            run.failed("requests.ReadTimeout: ada@example.com", "ada@example.com")
        text = json.dumps(lines)
        assert "ada@" not in text
        assert "49151" not in text

    def test_it_is_not_held_back_with_the_failures(self, lines: Lines) -> None:
        """A storm of one failure does not swallow the line about the run."""
        grouping = GroupingFilter(first=2)
        handler = logging.getLogger("crmlogging.sync").handlers[0]
        handler.addFilter(grouping)
        with sync_run("hubspot", "contact") as run:
            for number in range(8):
                run.failed(EXPIRED, str(number))
        assert [line["message"] for line in lines].count("Failed to sync a record") == 2
        assert lines[-1]["message"] == "Sync run aborted"


class TestRetries:
    def test_solved_ones_fold_into_the_summary(self, lines: Lines) -> None:
        """A retry has no line of its own; its success is a number and a group."""
        with sync_run("hubspot", "contact") as run:
            for number in range(5):
                run.retried(LIMITED, str(number))
                run.retried(LIMITED, str(number))
                run.succeeded(str(number))
        assert len(lines) == 6
        assert lines[-1]["sync.retried"] == 5
        assert lines[-1]["sync.groups"] == [f"{LIMITED.code}.retried:5"]

    def test_unsolved_ones_count_as_the_failure(self, lines: Lines) -> None:
        """What was retried in vain is a failure, no solved retry."""
        with sync_run("hubspot", "contact") as run:
            run.retried(LIMITED, "1")
            run.failed(LIMITED, "1")
        assert "sync.retried" not in lines[-1]
        assert lines[-1]["sync.groups"] == [f"{LIMITED.code}:1"]

    def test_without_an_id_it_is_the_next_of_the_thread(self, lines: Lines) -> None:
        """A loop that names no ids is understood all the same."""
        with sync_run("hubspot", "contact") as run:
            run.retried(Answer(429, b"", {"Retry-After": "2"}))
            run.succeeded()
            run.succeeded()
        assert lines[-1]["sync.retried"] == 1


class TestGoingOn:
    @pytest.mark.parametrize(
        ("failure", "stops"),
        [
            pytest.param(EXPIRED, True, id="token"),
            pytest.param(DOWN, True, id="outage"),
            pytest.param(DUPLICATE, False, id="duplicate"),
            pytest.param(LIMITED, False, id="rate-limit"),
            pytest.param(BROKEN, False, id="server-error"),
        ],
    )
    def test_what_hits_every_record_aborts(self, failure: CrmError, stops: bool) -> None:
        """The run is over when the next record would fail like this one."""
        with sync_run("hubspot", "contact") as run:
            run.failed(failure, "1")
            assert run.should_abort is stops
            assert (run.reason_to_abort is failure) is stops
            assert run.may_continue("2") is not stops

    def test_an_outage_that_ends_lets_it_go_on(self) -> None:
        """After a success the destination is known to be there; a token stays expired."""
        with sync_run("hubspot", "contact") as run:
            run.failed(DOWN, "1")
            run.succeeded("2")
            assert not run.should_abort
            run.failed(EXPIRED, "3")
            run.succeeded("4")
            assert run.should_abort

    def test_a_record_that_can_never_pass_is_not_sent_again(self) -> None:
        """Its payload would fail again; a record that met a passing failure may be tried."""
        with sync_run("hubspot", "contact") as run:
            run.failed(DUPLICATE, "1")
            run.failed(LIMITED, "2")
            assert not run.may_continue("1")
            assert run.may_continue("2")

    def test_a_limit_of_the_plan_stops_its_kind_of_write(self) -> None:
        """No more contacts in this plan: those that exist may still be updated."""
        full = error(402, '{"message": "Contact limit exceeded for this account"}')
        assert (full.category, full.abort_run) == ("plan", False)
        with sync_run("hubspot", "contact") as run:
            run.failed(full, "1")
            assert not run.should_abort
            assert not run.may_continue("2", action="create")
            assert run.may_continue("3", action="update")

    def test_a_field_that_may_not_be_written_stops_its_records(self) -> None:
        """Records without the field go on."""
        refused = error(
            400,
            '[{"errorCode": "INVALID_FIELD_FOR_INSERT_UPDATE", "fields": ["Tier__c"],'
            ' "message": "check the security settings of this field"}]',
            provider="salesforce",
        )
        assert refused.category == "permissions"
        with sync_run("salesforce", "contact") as run:
            run.failed(refused, "1")
            assert run.may_continue("2", fields=["Email"])
            assert not run.may_continue("3", fields=["Email", "Tier__c"])

    def test_what_an_answer_means_is_found_out(self) -> None:
        """An error, a response, an exception or its text: `failed` says what it means."""
        with sync_run("hubspot", "contact") as run:
            answer = run.failed(Answer(401, b'{"category": "EXPIRED_AUTHENTICATION"}'))
            raised = run.failed(TimeoutError("timed out"))
            text = run.failed("requests.exceptions.ReadTimeout: timed out")
            nothing = run.failed()
        found = [each and each.category for each in (answer, raised, text, nothing)]
        assert found == ["auth", "transient", "transient", None]
        assert run.counts == (0, 4)


class TestBlock:
    def test_an_exception_is_counted_and_goes_its_way(self, lines: Lines) -> None:
        """The summary is written all the same."""
        with pytest.raises(ConnectionRefusedError):
            end_by(ConnectionRefusedError(111, "Connection refused"))
        assert lines[-1]["message"] == "Sync run ended by an exception"
        assert lines[-1]["sync.failed"] == 1
        assert lines[-1]["error.category"] == "unreachable"

    def test_one_that_was_reported_is_counted_once(self, lines: Lines) -> None:
        """``failed(error)`` and ``raise`` are one failure."""
        with pytest.raises(TimeoutError):
            end_by(TimeoutError(), reported=True)
        assert lines[-1]["sync.failed"] == 1

    def test_an_interruption_is_no_failure(self, lines: Lines) -> None:
        """Ctrl-C ends the run with a summary and no failure."""
        with pytest.raises(KeyboardInterrupt):
            end_by(KeyboardInterrupt())
        assert lines[-1]["message"] == "Sync run interrupted"
        assert lines[-1]["sync.failed"] == 0

    def test_async(self, lines: Lines) -> None:
        """``async with`` does the same, and tasks inside count for it."""

        async def main() -> None:
            async with sync_run("hubspot", "contact") as run:

                async def one(number: int) -> None:
                    await asyncio.sleep(0)
                    run.succeeded(str(number))

                await asyncio.gather(*map(one, range(20)))

        asyncio.run(main())
        assert lines[-1]["sync.succeeded"] == 20
        assert len({line["correlation_id"] for line in lines}) == 1

    def test_runs_nest(self, lines: Lines) -> None:
        """The inner run has its own numbers, within the same piece of work."""
        with (
            context.correlation("job-1"),
            sync_run("hubspot", "company") as outer,
            sync_run("hubspot", "contact") as inner,
        ):
            inner.succeeded("1")
            outer.failed(BROKEN, "2")
        by_run = {line["sync.run_id"]: line for line in lines if "sync.success_rate" in line}
        assert by_run[inner.run_id]["sync.succeeded"] == 1
        assert by_run[inner.run_id]["resource.type"] == "contact"
        assert by_run[outer.run_id]["sync.failed"] == 1
        assert {line["correlation_id"] for line in lines} == {"job-1"}
        assert context.current().fields == {}

    def test_it_is_entered_once(self) -> None:
        """A second ``with`` on the same run is a mistake that is told."""
        run = sync_run("hubspot", "contact")
        with run:
            pass
        with pytest.raises(RuntimeError, match="once"), run:
            pass

    def test_threads(self, lines: Lines) -> None:
        """Each outcome of eight threads is counted, and their lines carry the run."""
        with sync_run("hubspot", "contact") as run, ThreadPoolExecutor(8) as pool:
            for number in range(400):
                report = run.succeeded if number % 4 else partial(run.failed, BROKEN)
                pool.submit(report, str(number))
        assert (lines[-1]["sync.succeeded"], lines[-1]["sync.failed"]) == (300, 100)
        assert {line["sync.run_id"] for line in lines} == {run.run_id}
        assert {line["correlation_id"] for line in lines} == {lines[-1]["correlation_id"]}

    def test_memory_is_bounded(self) -> None:
        """Thirty thousand records, each with an id and a failure of its own, stay small."""
        failures = [error(400, f'{{"error": {{"code": "E_{n:04}"}}}}') for n in range(2_000)]
        logger = logging.getLogger("crmlogging.sync")
        logger.disabled = True
        try:
            tracemalloc.start()
            with sync_run("hubspot", "contact") as run:
                for number in range(30_000):
                    run.retried(LIMITED, f"id-{number}")
                    if number % 2:
                        run.failed(failures[number % 2_000], f"id-{number}")
            used, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            logger.disabled = False
        assert run.counts == (0, 15_000)
        assert used < 6_000_000

    def test_options_are_checked(self) -> None:
        """All that is wrong is named at once."""
        with pytest.raises(ConfigurationError) as caught:
            sync_run("", 5, state=3, stat="x")  # type: ignore[arg-type]  # that is the point
        text = str(caught.value)
        assert all(word in text for word in ("provider", "resource", "state", "did you mean"))


class TestState:
    def run_once(self, state: Path, *failures: CrmError, good: bool = True) -> None:
        with sync_run("hubspot", "contact", state=state) as run:
            if good:
                run.succeeded("0")
            for number, failure in enumerate(failures):
                run.failed(failure, str(number))

    def escalated(self, lines: Lines) -> Lines:
        message = "A transient failure persists over several runs"
        return [line for line in lines if line["message"] == message]

    def test_what_comes_back_run_after_run_is_raised(self, lines: Lines, tmp_path: Path) -> None:
        """In the third run with the same transient failure somebody is told, at ERROR."""
        state = tmp_path / "runs.json"
        self.run_once(state, BROKEN)
        self.run_once(state, BROKEN, LIMITED)
        assert self.escalated(lines) == []
        self.run_once(state, BROKEN)
        (line,) = self.escalated(lines)
        assert (line["level"], line["error.code"]) == ("ERROR", BROKEN.code)

    def test_a_run_without_it_begins_anew(self, lines: Lines, tmp_path: Path) -> None:
        """Only runs in a row count; one without records says nothing either way."""
        state = tmp_path / "runs.json"
        for failures in ((BROKEN,), (BROKEN,), (), (BROKEN,), (BROKEN,)):
            self.run_once(state, *failures)
        self.run_once(state, good=False)
        assert self.escalated(lines) == []
        self.run_once(state, BROKEN)
        assert len(self.escalated(lines)) == 1

    def test_what_needs_somebody_is_not_raised_again(self, lines: Lines, tmp_path: Path) -> None:
        """Actionable failures are told at once, not after three runs."""
        for _ in range(4):
            self.run_once(tmp_path / "runs.json", DUPLICATE)
        assert self.escalated(lines) == []

    def test_the_last_success_is_remembered(self, lines: Lines, tmp_path: Path) -> None:
        """A run in which nothing went through tells when something last did."""
        state = tmp_path / "runs.json"
        self.run_once(state)
        self.run_once(state, BROKEN, good=False)
        assert lines[-1]["sync.last_success"] == lines[1]["sync.last_success"]

    def test_tenants_do_not_mix(self, lines: Lines, tmp_path: Path) -> None:
        """Each tenant, provider and resource has its own history."""
        state = tmp_path / "runs.json"
        for tenant in ("acme", "globex", "acme", "globex"):
            with context.correlation(**{"tenant.code": tenant}):
                self.run_once(state, BROKEN)
        assert self.escalated(lines) == []

    def test_its_file_is_private(self, tmp_path: Path) -> None:
        """Mode 0600, whatever the umask; nothing else is left behind."""
        state = tmp_path / "runs.json"
        self.run_once(state, BROKEN)
        assert stat.S_IMODE(state.stat().st_mode) == 0o600
        assert sorted(os.listdir(tmp_path)) == ["runs.json", "runs.json.lock"]

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(b"", id="empty"),
            pytest.param(b'{"version": 1, "syncs"', id="torn"),
            pytest.param(b"\x00\xff" * 99, id="binary"),
            pytest.param(b"[1, 2]", id="list"),
            pytest.param(b'{"version": 99, "syncs": {}}', id="future"),
        ],
    )
    def test_a_corrupt_file_is_set_aside(self, tmp_path: Path, text: bytes) -> None:
        """The run is not disturbed, and the file kept for a look."""
        state = tmp_path / "runs.json"
        state.write_bytes(text)
        self.run_once(state, BROKEN)
        assert (tmp_path / "runs.json.corrupt").read_bytes() == text
        assert json.loads(state.read_text())["version"] == 1

    def test_strange_entries_are_ignored(self, lines: Lines, tmp_path: Path) -> None:
        """What others wrote into the file gets neither into a line nor into a count."""
        state = tmp_path / "runs.json"
        runs = {BROKEN.fingerprint: "many", "ada@example.com": 7, "v1:0123456789abcdef": 2}
        entry = {"last_success": "ada@example.com", "runs": runs}
        document = {"version": 1, "syncs": {"hubspot//contact": entry, "x": 3}}
        state.write_text(json.dumps(document))
        self.run_once(state, BROKEN, good=False)
        assert "sync.last_success" not in lines[-1]
        assert "ada@" not in json.dumps(lines)

    def test_a_place_that_cannot_be_written_is_no_error(
        self, lines: Lines, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The run ends as usual; stderr says what is wrong, without contents."""
        self.run_once(tmp_path / "absent" / "runs.json", BROKEN)
        assert lines[-1]["message"] == "Sync run finished with failures"
        assert "not remembered" in capsys.readouterr().err

    def test_processes_take_turns(self, tmp_path: Path) -> None:
        """Runs of several processes at once: none of them is lost."""
        state = tmp_path / "runs.json"
        program = (
            "import sys\nfrom crmlogging.runs import sync_run\n"
            "for n in range(10):\n"
            "    with sync_run('hubspot', f'r{sys.argv[1]}-{n}', state=sys.argv[2]) as run:\n"
            "        run.succeeded('1')\n"
        )
        command = [sys.executable, "-c", program]
        workers = [subprocess.Popen([*command, str(n), str(state)]) for n in range(3)]
        assert [worker.wait(60) for worker in workers] == [0, 0, 0]
        assert len(json.loads(state.read_text())["syncs"]) == 30


class TestFork:
    def test_a_child_reports_on(self) -> None:
        """A lock that another thread held at the fork does not stop the child."""
        held, go_on = threading.Event(), threading.Event()
        with sync_run("hubspot", "contact") as run:

            def hold() -> None:
                with run._lock:
                    held.set()
                    go_on.wait(60)

            holder = threading.Thread(target=hold)
            holder.start()
            held.wait(60)
            child = multiprocessing.get_context("fork").Process(target=run.succeeded, args=("1",))
            child.start()
            child.join(60)
            code = child.exitcode
            child.kill()
            go_on.set()
            holder.join(60)
        assert code == 0
