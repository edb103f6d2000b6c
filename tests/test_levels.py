"""Promises of `crmlogging.levels`: the running process follows, and comes back."""

from __future__ import annotations

import datetime
import logging
import logging.config
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crmlogging import ConfigurationError, levels, set_level, ticking
from crmlogging.levels import scoping
from crmlogging.levels.spec import parse_duration, parse_level, parse_spec
from crmlogging.levels.watcher import Watcher
from crmlogging.records import SafeRecord

NOON = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime.datetime:
        return self.now


class Collecting(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """Lend the root logger at WARNING; the autouse fixture restores it."""
    logging.root.setLevel(logging.WARNING)
    yield logging.root
    logging.root.setLevel(logging.WARNING)


class TestParseSpec:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("INFO", {"": 20}),
            ("debug", {"": 10}),
            (" Warn ", {"": 30}),
            ("15", {"": 15}),
            ("root=ERROR", {"": 40}),
            ("INFO,crm.sync=DEBUG,urllib3=WARNING", {"": 20, "crm.sync": 10, "urllib3": 30}),
            ("crm.sync=DEBUG", {"crm.sync": 10}),
            ("NOTSET", {"": 0}),
            ("999", {"": 50}),
            ("INFO,DEBUG@tenant.code=acme", {"": 20}),
            ("DEBUG@tenant.code=acme", {}),
        ],
    )
    def test_reads_every_form(self, text: str, expected: dict[str, int]) -> None:
        """Names in any case, numbers, per logger; nothing is above CRITICAL."""
        assert parse_spec(text).levels == expected

    def test_reads_until(self) -> None:
        """The end of validity may be in any zone; it is kept in UTC."""
        spec = parse_spec("DEBUG;until=2026-11-22T04:00+01:00")
        assert spec.until == datetime.datetime(2026, 11, 22, 3, tzinfo=datetime.UTC)

    def test_reads_levels_for_one_piece_of_work(self) -> None:
        """Logger, level, field and value; several stand side by side with plain levels."""
        spec = parse_spec("INFO,crm.sync=debug@correlation_id=sync-17, 15@tenant.code=acme")
        assert spec.rules == (
            ("crm.sync", 10, "correlation_id", "sync-17"),
            ("", 15, "tenant.code", "acme"),
        )

    @pytest.mark.parametrize(
        ("text", "problems"),
        [
            ("", 1),
            ("LOUD", 1),
            ("INFO,crm=LOUD,x=QUIET", 2),
            ("-5", 1),
            ("=INFO", 1),
            ("INFO;until=yesterday", 1),
            ("INFO;until=2026-11-22T03:00", 1),
            ("INFO;for=5m", 1),
            ("١٥", 1),
            ("DEBUG@", 1),
            ("DEBUG@tenant.code", 1),
            ("DEBUG@tenant.code=", 1),
            ("DEBUG@tenant code=acme", 1),
            ("DEBUG@tenant.code=a b", 1),
            ("LOUD@tenant.code=acme,=INFO", 2),
        ],
    )
    def test_tells_every_problem(self, text: str, problems: int) -> None:
        """A spec that cannot be read is refused whole, each bad part named."""
        with pytest.raises(ConfigurationError) as caught:
            parse_spec(text)
        assert len(caught.value.problems) == problems

    def test_numbers_pass_parse_level(self) -> None:
        """An int is a level already; one above CRITICAL counts as that."""
        assert (parse_level(15), parse_level(70)) == (15, 50)

    @pytest.mark.parametrize(
        ("text", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7_200), ("1d", 86_400)]
    )
    def test_durations(self, text: str, seconds: int) -> None:
        """Whole numbers with a unit."""
        assert parse_duration(text).total_seconds() == seconds

    @pytest.mark.parametrize("text", ["15", "m", "0m", "-5m", "1w", "1.5h"])
    def test_bad_durations(self, text: str) -> None:
        """Anything else is named."""
        with pytest.raises(ConfigurationError, match="for: "):
            parse_duration(text)


class TestWatcher:
    def test_follows_the_environment(self, root: logging.Logger) -> None:
        """A changed variable changes the level at the next look; a removed one brings it back."""
        environ: dict[str, str] = {}
        watcher = Watcher(environ)
        watcher.tick()
        assert root.level == logging.WARNING
        environ["CRMLOGGING_LEVEL"] = "DEBUG"
        watcher.tick()
        assert root.level == logging.DEBUG
        del environ["CRMLOGGING_LEVEL"]
        watcher.tick()
        assert root.level == logging.WARNING

    def test_falls_back_to_log_level(self, root: logging.Logger) -> None:
        """LOG_LEVEL counts where ours is not set."""
        environ = {"LOG_LEVEL": "ERROR"}
        watcher = Watcher(environ)
        watcher.tick()
        assert root.level == logging.ERROR
        environ["CRMLOGGING_LEVEL"] = "INFO"
        watcher.tick()
        assert root.level == logging.INFO

    def test_a_logger_that_drops_out_gets_its_level_back(self, root: logging.Logger) -> None:
        """Only what the spec names is changed, and only as long as it names it."""
        crm = logging.getLogger("tests.levels.crm")
        crm.setLevel(logging.ERROR)
        environ = {"CRMLOGGING_LEVEL": "INFO,tests.levels.crm=DEBUG"}
        watcher = Watcher(environ)
        watcher.tick()
        assert (root.level, crm.level) == (logging.INFO, logging.DEBUG)
        environ["CRMLOGGING_LEVEL"] = "INFO"
        watcher.tick()
        assert (root.level, crm.level) == (logging.INFO, logging.ERROR)

    def test_until_returns_by_itself(self, root: logging.Logger) -> None:
        """When the time is over the former level is back, without anybody's doing."""
        clock = Clock()
        watcher = Watcher({"CRMLOGGING_LEVEL": "DEBUG;until=2026-11-22T12:15Z"}, clock)
        watcher.tick()
        assert root.level == logging.DEBUG
        clock.now = NOON + datetime.timedelta(minutes=15)
        watcher.tick()
        assert root.level == logging.WARNING

    def test_reapplies_what_a_foreign_configuration_reset(self, root: logging.Logger) -> None:
        """A library that calls dictConfig does not end a debugging session."""
        watcher = Watcher({"CRMLOGGING_LEVEL": "DEBUG"})
        watcher.tick()
        foreign = {"version": 1, "disable_existing_loggers": False, "root": {"level": "ERROR"}}
        logging.config.dictConfig(foreign)
        watcher.tick()
        assert root.level == logging.DEBUG

    def test_clears_the_loggers_caches(self, root: logging.Logger) -> None:
        """A logger asked before the change answers anew after it."""
        child = logging.getLogger("tests.levels.cache")
        assert not child.isEnabledFor(logging.DEBUG)
        Watcher({"CRMLOGGING_LEVEL": "DEBUG"}).tick()
        assert child.isEnabledFor(logging.DEBUG)

    def test_garbage_keeps_the_old_level_and_is_told_once(
        self, root: logging.Logger, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """One complaint, without the value, and everything stays as it was."""
        environ = {"CRMLOGGING_LEVEL": "INFO"}
        watcher = Watcher(environ)
        watcher.tick()
        environ["CRMLOGGING_LEVEL"] = "hunter2"
        watcher.tick()
        watcher.tick()
        assert root.level == logging.INFO
        told = capsys.readouterr().err
        assert (told.count("CRMLOGGING_LEVEL"), "hunter2" in told) == (1, False)

    def test_every_change_is_a_line(self, root: logging.Logger) -> None:
        """From, to and until stand in a safe record, whatever the level lets through."""
        handler = Collecting()
        root.addHandler(handler)
        watcher = Watcher({"CRMLOGGING_LEVEL": "CRITICAL;until=2026-11-22T12:15Z"}, Clock())
        watcher.tick()
        watcher.tick()
        (record,) = handler.records
        assert isinstance(record, SafeRecord)
        told = {name: vars(record)[f"level.{name}"] for name in ("logger", "from", "to", "until")}
        assert told == {
            "logger": "root",
            "from": "WARNING",
            "to": "CRITICAL",
            "until": "2026-11-22T12:15:00Z",
        }

    def test_nothing_silences_critical(self, root: logging.Logger) -> None:
        """A level above CRITICAL is CRITICAL."""
        Watcher({"CRMLOGGING_LEVEL": "60"}).tick()
        assert root.isEnabledFor(logging.CRITICAL)

    def test_rules_come_and_go_with_the_spec(self, root: logging.Logger) -> None:
        """They are in force as long as the spec is, and each change is a line of its own."""
        handler, clock = Collecting(), Clock()
        root.addHandler(handler)
        text = "DEBUG@tenant.code=acme,x=INFO@form=f1;until=2026-11-22T12:15Z"
        watcher = Watcher({"CRMLOGGING_LEVEL": text}, clock)
        watcher.tick()
        watcher.tick()
        assert [rule.value for rule in scoping.rules] == ["acme", "f1"]
        clock.now = NOON + datetime.timedelta(minutes=15)
        watcher.tick()
        assert scoping.rules == ()
        assert root.level == logging.WARNING
        changes = [
            (each.__dict__["level.from"], each.__dict__["level.to"], each.__dict__["level.logger"])
            for each in handler.records
        ]
        assert changes == [
            ("WARNING", "DEBUG", "root"),
            ("WARNING", "INFO", "x"),
            ("DEBUG", "WARNING", "root"),
            ("INFO", "WARNING", "x"),
        ]
        # Nobody has said that a field of another name may be shown.
        assert handler.records[0].__dict__["tenant.code"] == "acme"
        assert not any("f1" in map(str, vars(each).values()) for each in handler.records)

    def test_quotes_are_no_part_of_a_value(self, root: logging.Logger) -> None:
        """Some programs hand an env file's quotes on."""
        Watcher({"CRMLOGGING_LEVEL": '"DEBUG;until=2099-11-22T12:15Z"'}).tick()
        assert root.level == logging.DEBUG


class TestEnvFile:
    def test_follows_the_file_also_through_a_swapped_symlink(
        self, root: logging.Logger, tmp_path: Path
    ) -> None:
        """A ConfigMap is renewed by pointing a symlink elsewhere."""
        for name, level in (("v1", "INFO"), ("v2", "DEBUG")):
            (tmp_path / name).mkdir()
            (tmp_path / name / "env").write_text(f'OTHER=1\nexport CRMLOGGING_LEVEL="{level}"\n')
        link = tmp_path / "current"
        link.symlink_to("v1")
        watcher = Watcher({"CRMLOGGING_ENV_FILE": str(link / "env")})
        watcher.tick()
        assert root.level == logging.INFO
        (tmp_path / "new").symlink_to("v2")
        (tmp_path / "new").rename(link)
        watcher.tick()
        assert root.level == logging.DEBUG

    def test_the_source_that_changed_last_decides(
        self, root: logging.Logger, tmp_path: Path
    ) -> None:
        """File first, then the environment, then the file again: each change counts."""
        file = tmp_path / "env"
        file.write_text("CRMLOGGING_LEVEL=ERROR\n")
        environ = {"CRMLOGGING_ENV_FILE": str(file), "CRMLOGGING_LEVEL": "INFO"}
        watcher = Watcher(environ)
        watcher.tick()
        assert root.level == logging.ERROR
        environ["CRMLOGGING_LEVEL"] = "DEBUG"
        watcher.tick()
        assert root.level == logging.DEBUG
        file.write_text("CRMLOGGING_LEVEL=CRITICAL\n")
        watcher.tick()
        assert root.level == logging.CRITICAL
        file.unlink()
        watcher.tick()
        assert root.level == logging.DEBUG


class TestSetLevel:
    def test_changes_now_and_for_children(self, root: logging.Logger) -> None:
        """The level is in force on return, and stands where child processes look."""
        set_level("DEBUG")
        assert root.level == logging.DEBUG
        assert os.environ["CRMLOGGING_LEVEL"] == "DEBUG"

    def test_for_writes_until(self, root: logging.Logger) -> None:
        """A duration becomes a time that every process reads alike."""
        set_level("INFO,tests.levels.x=DEBUG", for_="15m")
        spec = parse_spec(os.environ["CRMLOGGING_LEVEL"])
        assert spec.until is not None
        left = spec.until - datetime.datetime.now(datetime.UTC)
        assert datetime.timedelta(minutes=14) < left <= datetime.timedelta(minutes=15)

    def test_a_bad_spec_changes_nothing(self, root: logging.Logger) -> None:
        """Called by a person, it complains at once."""
        with pytest.raises(ConfigurationError, match="'LOUD' is no level"):
            set_level("LOUD")
        assert "CRMLOGGING_LEVEL" not in os.environ


class TestRunningProcess:
    def test_a_process_follows_from_its_first_handler_on(self, tmp_path: Path) -> None:
        """A real process, configured by dictConfig alone, follows a change within a second."""
        program = f"""
import logging.config, os, sys, time
import crmlogging.ticking
logging.config.dictConfig({{
    "version": 1,
    "handlers": {{"file": {{"class": "crmlogging.RetentionFileHandler",
                            "filename": {str(tmp_path / "crm.jsonl")!r}}}}},
    "root": {{"level": "WARNING", "handlers": ["file"]}},
}})
def wait_for(level):
    end = time.monotonic() + 60
    while logging.root.level != level and time.monotonic() < end:
        time.sleep(0.01)
    return logging.root.level
print(wait_for(20))
os.environ["CRMLOGGING_LEVEL"] = "DEBUG"
print(wait_for(10), crmlogging.ticking.INTERVAL_SECONDS)
child = os.fork()
if child == 0:
    os.environ["CRMLOGGING_LEVEL"] = "ERROR"
    print(wait_for(40), flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program],
            env={**os.environ, "CRMLOGGING_LEVEL": "INFO"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stdout.split("\n") == ["20", "10 1.0", "40", ""], done.stderr


class TestTicking:
    def test_one_that_fails_does_not_silence_the_others(self) -> None:
        """Each watched object is called, whatever the one before it does."""
        calls: list[str] = []

        class Failing:
            def tick(self) -> None:
                calls.append("failing")
                raise RuntimeError

        class Working:
            def tick(self) -> None:
                calls.append("working")

        watched: list[ticking.Ticking] = [Failing(), Working(), Failing()]
        for each in watched:
            ticking.watch(each)
        calls.clear()
        ticking.tick_all()
        assert (calls.count("failing") >= 2, calls.count("working") >= 1) == (True, True)

    def test_calls_come_from_a_daemon_thread(self) -> None:
        """Nobody has to do anything for a tick to come, and it never keeps a process alive."""
        program = """
import threading
from crmlogging import ticking
ticks = threading.Semaphore(0)
class Waiting:
    def tick(self):
        ticks.release()
waiting = Waiting()
ticking.watch(waiting)
for _ in range(2):  # at once, and a second later
    assert ticks.acquire(timeout=30)
(thread,) = (each for each in threading.enumerate() if each.name == "crmlogging-tick")
print(thread.daemon)
"""
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=True
        )
        assert done.stdout == "True\n"

    def test_levels_start_once(self) -> None:
        """Every handler asks for the watcher; there is one a process."""
        levels.start()
        first = levels._watcher
        levels.start()
        assert levels._watcher is first is not None
