"""Promises of ``GroupingFilter(state=FILE)``: no window is lost, whatever ends the process."""

from __future__ import annotations

import json
import logging
import math
import os
import signal
import stat
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest

from crmlogging.filters import grouping_state
from crmlogging.filters.grouping import GroupingFilter
from crmlogging.filters.grouping_state import Journal
from crmlogging.records import SafeRecord

START = 1_763_800_000.0

# Logs one failure after the other, and notes "<" before and ">" after each call.
WORKER = """
import logging, os, sys
from crmlogging.filters.grouping import GroupingFilter
from crmlogging.formatters.json_formatter import JsonFormatter
from crmlogging.handlers.stream import StreamHandler
state, lines, calls, count = sys.argv[1:]
handler = HANDLER(open(lines, "a"))
handler.setFormatter(JsonFormatter())
handler.addFilter(GroupingFilter(first=3, window_seconds=0.2, state=state))
logger = logging.getLogger("crm.sync")
logger.addHandler(handler)
calls = os.open(calls, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
print("ready", flush=True)
n = 0
while n != int(count):
    n += 1
    os.write(calls, b"<")
    logger.error("Sync failed", extra={"crm": ("zoho", "hubspot")[n % 2], "resource.id": f"{n}"})
    os.write(calls, b">")
"""


def failure(at: float = 0.0, /, **fields: Any) -> SafeRecord:
    """Return a classified failure, `at` seconds after the start."""
    record = logging.makeLogRecord({"name": "crm", "levelno": 40, "msg": "Contact sync failed"})
    fingerprint = {"error.fingerprint": "v1:0000", "created": START + at}
    return SafeRecord({**vars(record), **fingerprint, **fields})


def killed(filter: GroupingFilter) -> None:
    """End a filter as ``kill -9`` does: its file is closed, nothing is written."""
    filter._journal.close()
    filter._ended = True


def suppressed(summaries: list[logging.LogRecord]) -> int:
    return sum(vars(summary)["error.suppressed"] for summary in summaries)


def produced(lines: Path) -> int:
    """Return how many records the lines stand for, each line once."""
    by_id = {}
    for text in lines.read_text().splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue  # torn by the kill
        by_id[line["record.id"]] = line.get("error.suppressed", 1)
    return sum(by_id.values())


class TestSurviving:
    @pytest.fixture(autouse=True)
    def path(self, tmp_path: Path) -> Path:
        self.state = tmp_path / "windows"
        return self.state

    def filter(self, **options: Any) -> GroupingFilter:
        return GroupingFilter(first=2, state=self.state, **options)

    def test_the_next_process_counts_on(self) -> None:
        """What a killed process held back is in the summary of the next one."""
        first = self.filter()
        assert [first.filter(failure(n)) for n in range(5)] == [True, True, False, False, False]
        killed(first)
        second = self.filter()
        assert not second.filter(failure(5, **{"resource.id": "c-9"}))
        (summary,) = second.due(START + 99)
        assert vars(summary)["error.suppressed"] == 4
        assert vars(summary)["error.suppressed_first"] == "2025-11-22T08:26:42.000Z"
        assert vars(summary)["error.suppressed_ids"] == ["c-9"]

    def test_its_file_holds_no_value(self) -> None:
        """Standing before an allowlist too, where messages are whole and classes anybody's."""
        filter = self.filter()
        canary = uuid.uuid4().hex  # no literal of this file
        kind = type(canary, (Exception,), {})
        for _ in range(4):
            record = logging.makeLogRecord({"levelno": 40, "msg": f"Ada {canary}", "lineno": 7})
            record.exc_info = (kind, kind(canary), None)
            filter.filter(record)
        assert canary.encode() not in self.state.read_bytes()
        killed(filter)

    def test_a_restart_is_no_new_window(self) -> None:
        """A process that crashes again and again does not show its first records again."""
        passed = 0
        for n in range(6):
            crashing = self.filter()
            passed += crashing.filter(failure(n))
            killed(crashing)
        assert passed == 2

    def test_a_summary_on_its_way_comes_again_under_its_id(self) -> None:
        """Killed between summing up and writing, the summary is not lost, and known as one."""
        first = self.filter()
        for n in range(4):
            first.filter(failure(n))
        (told,) = first.due(START + 99)
        killed(first)
        second = self.filter()
        (again,) = second.due(START + 100)
        assert {**vars(again), "args": ()} == vars(told)
        assert second.due(START + 101) == []
        killed(second)
        assert self.filter().due(START + 102) == []

    def test_ids_and_early_summaries_survive(self) -> None:
        """The tenth record sums up; after a kill only what came later is counted again."""
        first = self.filter()
        for n in range(12):
            first.filter(failure(n, **{"resource.id": f"c-{n}"}))
        assert suppressed(first.due(START + 12)) == 8
        assert first.due(START + 12) == []
        killed(first)
        (rest,) = self.filter().due(START + 99)
        assert vars(rest)["error.suppressed_ids"] == ["c-10", "c-11"]

    def test_kill_9_at_any_moment(self, tmp_path: Path) -> None:
        """Passed and summarised is produced, over many kills and any handler of ours."""
        for handler in ("StreamHandler", "logging.StreamHandler"):
            lines, calls = tmp_path / f"{handler}.jsonl", tmp_path / f"{handler}.calls"
            state = tmp_path / f"{handler}.state"
            program = WORKER.replace("HANDLER", handler)
            command = [sys.executable, "-c", program, *map(str, (state, lines, calls))]
            for kill in range(5):
                worker = subprocess.Popen([*command, "-1"], stdout=subprocess.PIPE)
                assert worker.stdout is not None
                assert worker.stdout.read(5) == b"ready"
                before = calls.stat().st_size
                while calls.stat().st_size < before + 200 + 311 * kill:
                    os.sched_yield()
                worker.send_signal(signal.SIGKILL)
                worker.wait(60)
                worker.stdout.close()
            subprocess.run([*command, "1"], check=True, timeout=60, stdout=subprocess.DEVNULL)
            text = calls.read_bytes()
            # A call that was killed on its way may count or not.
            assert text.count(b">") <= produced(lines) <= text.count(b"<")

    def test_a_clean_end_leaves_the_window_open(self) -> None:
        """At exit all is said, and the next process does not begin anew."""
        first = self.filter()
        for n in range(4):
            first.filter(failure(n))
        assert suppressed(first.due(math.inf)) == 2
        first._end()
        second = self.filter()
        assert not second.filter(failure(5))
        assert suppressed(second.due(START + 99)) == 1


class TestFile:
    def test_it_is_private_and_stays_small(self, tmp_path: Path) -> None:
        """Mode 0600; empty when nothing is open."""
        state = tmp_path / "windows"
        filter = GroupingFilter(first=1, state=state)
        for n in range(50):
            filter.filter(failure(n / 100))
        assert stat.S_IMODE(state.stat().st_mode) == 0o600
        assert state.stat().st_size > 500
        filter.due(START + 99)
        filter.due(START + 100)
        assert state.stat().st_size == 0

    def test_a_long_storm_is_written_anew(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The file does not grow with a storm, and still tells all of it."""
        monkeypatch.setattr(grouping_state, "_BYTES_KEPT", 5_000)
        state = tmp_path / "windows"
        filter = GroupingFilter(first=1, state=state, window_seconds=1e6)
        told = 0
        for n in range(2_000):
            filter.filter(failure(n / 100, **{"resource.id": f"c-{n % 7}"}))
            told += suppressed(filter.due(START + n / 100))
        assert state.stat().st_size < 12_000
        killed(filter)
        rest = suppressed(GroupingFilter(first=1, state=state).due(START + 1e7))
        assert 1 + told + rest == 2_000

    def test_processes_do_not_disturb_each_other(self, tmp_path: Path) -> None:
        """Who finds the file taken uses the next; who comes later takes over what is left."""
        state = tmp_path / "windows"
        one, two = (GroupingFilter(first=1, state=state) for _ in "12")
        for n in range(3):
            one.filter(failure(n))
            two.filter(failure(n, crm="zoho"))
        assert sorted(os.listdir(tmp_path)) == ["windows", "windows.1"]
        killed(one)
        killed(two)
        third = GroupingFilter(first=1, state=state)
        assert suppressed(third.due(START + 3)) == 2  # of the second, whose window ends here
        assert suppressed(third.due(START + 99)) == 2
        assert third.due(START + 100) == []
        killed(third)
        assert GroupingFilter(first=1, state=state).due(START + 101) == []  # nothing comes twice

    @pytest.mark.parametrize(
        "rest",
        [
            pytest.param(b'["h",1,17638', id="torn"),
            pytest.param(b"\x00\xff\n", id="binary"),
            pytest.param(b'{"a": 1}\n["h",99,1,null]\n["z",1]\n[]\n3\n["b",1]\n', id="strange"),
        ],
    )
    def test_what_is_no_line_is_skipped(self, tmp_path: Path, rest: bytes) -> None:
        """A torn or strange line costs itself and nothing else."""
        state = tmp_path / "windows"
        first = GroupingFilter(first=1, state=state)
        for n in range(3):
            first.filter(failure(n))
        killed(first)
        with state.open("ab") as file:
            file.write(rest)
        second = GroupingFilter(first=1, state=state)
        second.filter(failure(4))
        assert suppressed(second.due(START + 99)) == 3

    def test_without_its_file_it_goes_on(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A folder that is not there is told once; grouping works as without state."""
        filter = GroupingFilter(first=1, state=tmp_path / "absent" / "windows")
        passed = sum(filter.filter(failure(n)) for n in range(5))
        assert passed + suppressed(filter.due(START + 99)) == 5
        assert "windows end with this process" in capsys.readouterr().err

    def test_a_planted_link_is_not_followed(self, tmp_path: Path) -> None:
        """A symlink in its place leads nowhere."""
        target = tmp_path / "precious"
        target.write_text("precious")
        (tmp_path / "windows").symlink_to(target)
        GroupingFilter(first=1, state=tmp_path / "windows").filter(failure())
        assert target.read_text() == "precious"

    def test_a_forked_child_has_a_file_of_its_own(self, tmp_path: Path) -> None:
        """Parent and child count apart, and each of them once."""
        program = (
            "import logging, os, sys\n"
            "from crmlogging.filters.grouping import GroupingFilter\n"
            "f = GroupingFilter(first=1, state=sys.argv[1])\n"
            "def log(): f.filter(logging.makeLogRecord({'levelno': 40, 'msg': 'x'}))\n"
            "for _ in range(3): log()\n"
            "pid = os.fork()\n"
            "for _ in range(3): log()\n"
            "os.waitpid(pid, 0) if pid else None\n"
            "os._exit(0)\n"
        )
        command = [sys.executable, "-W", "ignore", "-c", program, str(tmp_path / "windows")]
        subprocess.run(command, check=True, timeout=60)
        filter = GroupingFilter(first=1, state=tmp_path / "windows")
        summaries = [*filter.due(START), *filter.due(1e12)]
        assert suppressed(summaries) == 5 + 2

    def test_threads(self, tmp_path: Path) -> None:
        """Eight threads at once, and a kill: nothing is uncounted."""
        filter = GroupingFilter(first=5, state=tmp_path / "windows", window_seconds=1e6)
        passed: list[int] = []

        def work() -> None:
            passed.extend(filter.filter(failure(n / 100)) for n in range(300))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        told = suppressed(filter.due(START + 3))
        assert filter.due(START + 3) == []
        killed(filter)
        rest = suppressed(GroupingFilter(state=tmp_path / "windows").due(START + 1e9))
        assert sum(passed) + told + rest == 2_400

    def test_without_state_there_is_none(self) -> None:
        """A journal without a path opens nothing."""
        assert not Journal(None).pending
