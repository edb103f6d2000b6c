"""CPython's own tests of `logging`, the ones installed with this interpreter, on our handlers.

`AsyncHandler` takes the place of `QueueHandler` everywhere, `RetentionFileHandler` that of
`RotatingFileHandler`, translating the options it has other words for. All loggers are ours.
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
DESELECTED = {
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
SCRIPT = """
import json, logging.handlers, queue, sys, unittest
from crmlogging.handlers.async_handler import AsyncHandler
from crmlogging.handlers.retention_file import RetentionFileHandler
from crmlogging.logger import adopt_loggers

adopt_loggers()

class Rotating(RetentionFileHandler):
    def __init__(self, filename, mode="a", maxBytes=0, backupCount=0, encoding=None, **others):
        super().__init__(filename, max_bytes=maxBytes or 50_000_000)

logging.handlers.QueueHandler = AsyncHandler
logging.handlers.RotatingFileHandler = Rotating
keeps_the_ticking_thread = AsyncHandler(queue.Queue())  # the tests wait for threads that stay

from test import test_logging

share, shares, deselected = json.loads(sys.argv[1])
def flat(suite):
    for each in suite:
        yield from flat(each) if isinstance(each, unittest.TestSuite) else [each]
def name(test):
    return ".".join(test.id().split(".")[-2:])
tests = list(flat(unittest.defaultTestLoader.loadTestsFromModule(test_logging)))
# One test alone takes as long as half of the others together.
slow = [t for t in tests if name(t) == "HandlerTest.test_race"]
others = [t for t in tests if t not in slow and name(t) not in deselected]
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
    """Run the tests in processes side by side: they mostly sleep."""
    environment = {**os.environ, "PYTHONPATH": str(Path(crmlogging.__file__).parents[1])}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, json.dumps([share, SHARES, list(DESELECTED)])],
            env=environment,
            cwd=tmp_path_factory.mktemp("share"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for share in range(SHARES)
    ]
    outputs = [process.communicate(timeout=110)[0] for process in running]
    assert [process.returncode for process in running] == [0] * SHARES
    return [json.loads(output.splitlines()[-1]) for output in outputs]


class TestCPythonsOwnTests:
    def test_all_pass(self, results: list[dict[str, Any]]) -> None:
        """Every test outside the list of deselections passes."""
        assert [wrong for result in results for wrong in result["wrong"]] == []
        chosen = [name for result in results for name in result["chosen"]]
        assert sorted(chosen) == sorted(set(results[0]["all"]) - set(DESELECTED))
        assert sum(result["run"] for result in results) > 200

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
