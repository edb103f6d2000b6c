"""CPython's own tests of `logging`, the ones installed with this interpreter, on our classes.

Wherever they make a `logging.Logger` they get ours, and once all of them run with our handlers
as well: `AsyncHandler` in the place of `QueueHandler`, `RetentionFileHandler` in that of
`RotatingFileHandler`, translating the options it has other words for.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import crmlogging

pytest.importorskip("test.test_logging", reason="this interpreter came without its tests")

_OTHER_ROTATION = "its files are named by tier and UTC day, and it has no namer, rotator or count"
OF_LOGGERS = {
    "LoggerTest.test_make_record_with_extra_overwrite": (
        "expects a KeyError for reserved names in `extra`; ours keeps them as `extra.name`"
    ),
    "MiscTestCase.test__all__": (
        "counts the names that the module `logging` defines; here two of them are ours"
    ),
}
OF_HANDLERS = {
    "ConfigDictTest.test_config_queue_handler": (
        "passes listeners of its own, which AsyncHandler refuses, and a queue beside targets, "
        "which it does not use: it delivers by itself"
    ),
    "RotatingFileHandlerTest.test_should_rollover": "asks `shouldRollover`; " + _OTHER_ROTATION,
    "RotatingFileHandlerTest.test_should_not_rollover": "the same",
    "RotatingFileHandlerTest.test_should_not_rollover_non_file": "a device is refused as a file",
    "RotatingFileHandlerTest.test_max_bytes": "expects names ending in .1; " + _OTHER_ROTATION,
    "RotatingFileHandlerTest.test_max_bytes_delay": "the same, and no file before a record",
    "RotatingFileHandlerTest.test_rollover_filenames": "sets `namer`; " + _OTHER_ROTATION,
    "RotatingFileHandlerTest.test_namer_rotator_inheritance": "the same",
    "RotatingFileHandlerTest.test_rotator": "the same",
}
DESELECTED = OF_LOGGERS | OF_HANDLERS
ABOUT_LOGGERS = (
    *("BasicConfigTest", "BasicFilterTest", "BuiltinLevelsTest", "ChildLoggerTest"),
    *("ConfigFileTest", "CustomLevelsAndFiltersTest", "EncodingTest", "ExceptionTest"),
    *("LastResortTest", "LogRecordFactoryTest", "LogRecordTest", "LoggerAdapterTest"),
    *("LoggerTest", "ManagerTest", "MemoryHandlerTest", "MemoryTest", "ModuleLevelMiscTest"),
    *("ShutdownTest", "StreamHandlerTest", "WarningsTest"),
)
SCRIPT = """
import json, logging.handlers, queue, sys, unittest
from crmlogging.handlers.async_handler import AsyncHandler
from crmlogging.handlers.retention_file import RetentionFileHandler
from crmlogging.logger import Logger, RootLogger, adopt_loggers

only, share, shares, deselected = json.loads(sys.argv[1])

class Rotating(RetentionFileHandler):
    def __init__(self, filename, mode="a", maxBytes=0, backupCount=0, encoding=None, **others):
        super().__init__(filename, max_bytes=maxBytes or 50_000_000)

if only:  # as a user does who knows the standard library alone: root stays as it is
    logging.setLoggerClass(Logger)
else:
    adopt_loggers()
    logging.handlers.QueueHandler = AsyncHandler
    logging.handlers.RotatingFileHandler = Rotating
    keeps_the_ticking_thread = AsyncHandler(queue.Queue())  # tests wait for threads that stay

class Logging:
    '''The module, as the tests see it: loggers made by name of the class are ours.'''
    Logger, RootLogger = Logger, RootLogger
    __dict__ = property(lambda self: vars(logging))
    __dir__ = lambda self: dir(logging)
    __getattr__ = lambda self, name: getattr(logging, name)
    __setattr__ = lambda self, name, value: setattr(logging, name, value)
    __delattr__ = lambda self, name: delattr(logging, name)

from test import test_logging
test_logging.logging = Logging()

def flat(suite):
    for each in suite:
        yield from flat(each) if isinstance(each, unittest.TestSuite) else [each]
def name(test):
    return ".".join(test.id().split(".")[-2:])
tests = list(flat(unittest.defaultTestLoader.loadTestsFromModule(test_logging)))
# One test alone takes as long as half of the others together.
slow = [t for t in tests if name(t) == "HandlerTest.test_race"]
others = [t for t in tests if t not in slow and name(t) not in deselected]
if only:
    chosen = [t for t in others if type(t).__name__ in only]
else:
    chosen = slow if share == 0 else others[share - 1 :: shares - 1]
result = unittest.TestResult()
unittest.TestSuite(chosen).run(result)
wrong = [*result.errors, *result.failures]
print(json.dumps({"all": list(map(name, tests)), "chosen": list(map(name, chosen)),
                  "run": result.testsRun, "wrong": [f"{test}: {text}" for test, text in wrong]}))
"""
SHARES = 3


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Run the tests in processes side by side: they mostly sleep. The last has loggers alone."""
    environment = {**os.environ, "PYTHONPATH": str(Path(crmlogging.__file__).parents[1])}
    jobs: list[list[Any]] = [[None, share, SHARES, list(DESELECTED)] for share in range(SHARES)]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, json.dumps(job)],
            env=environment,
            cwd=tmp_path_factory.mktemp("share"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for job in [*jobs, [ABOUT_LOGGERS, 0, 1, list(OF_LOGGERS)]]
    ]
    outputs = [process.communicate(timeout=110)[0] for process in running]
    assert [process.returncode for process in running] == [0] * len(running)
    return [json.loads(output.splitlines()[-1]) for output in outputs]


class TestCPythonsOwnTests:
    def test_all_pass(self, results: list[dict[str, Any]]) -> None:
        """Every test outside the list of deselections passes."""
        shares = results[:SHARES]
        assert [wrong for result in shares for wrong in result["wrong"]] == []
        chosen = [name for result in shares for name in result["chosen"]]
        assert sorted(chosen) == sorted(set(shares[0]["all"]) - set(DESELECTED))
        assert sum(result["run"] for result in shares) > 200

    def test_the_logger_alone(self, results: list[dict[str, Any]]) -> None:
        """`logging.setLoggerClass(crmlogging.Logger)`, and nothing else of ours."""
        alone = results[SHARES]
        assert alone["wrong"] == []
        assert {name.split(".")[0] for name in alone["chosen"]} == set(ABOUT_LOGGERS)
        assert alone["run"] == len(alone["chosen"]) > 90

    def test_deselections_are_few_and_real(self, results: list[dict[str, Any]]) -> None:
        """What is left out exists, here or in another supported version, and has its reason."""
        existing = set(results[0]["all"])
        young = {  # tests that 3.11 or 3.12 does not have yet
            "ConfigDictTest.test_config_queue_handler",
            "RotatingFileHandlerTest.test_max_bytes",
            "RotatingFileHandlerTest.test_max_bytes_delay",
            "RotatingFileHandlerTest.test_should_not_rollover_non_file",
        }
        assert set(DESELECTED) - existing <= young
        assert all(DESELECTED.values())
