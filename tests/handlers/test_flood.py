"""Promises of a flood while nothing can be written: the application goes on, all is counted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

# Eight threads log while neither a file nor a spool can grow and no server listens.
FLOOD = """
import json, logging, os, resource, sys, threading, time
import crmlogging

def used():
    try:
        with open("/proc/self/status") as status:
            (peak,) = (line for line in status if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024
    except OSError:  # macOS, where this is in bytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

class Hanging(logging.Handler):
    def emit(self, record):
        threading.Event().wait()

os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
safe = crmlogging.AllowlistFilter(["@crm"])
handlers = [
    crmlogging.RetentionFileHandler("crm.jsonl"),
    crmlogging.S3Handler("bucket", endpoint_url="http://127.0.0.1:1", region="eu-west-1",
                         spool_dir="spool", close_seconds=0.1),
    crmlogging.AsyncHandler(handlers=[Hanging()], overflow="drop", capacity=1_000),
]
logging.setLoggerClass(crmlogging.Logger)
logger = logging.getLogger("crm.sync")
logger.setLevel(logging.INFO)
for handler in handlers:
    handler.addFilter(safe)
    logger.addHandler(handler)
logger.info("Began")
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
before, raised, seconds = used(), [], []

def work():
    for number in range(1_000):
        began = time.perf_counter()
        try:
            logger.error("Failed", extra={"resource.id": str(number), "crm": "zoho"})
        except BaseException as error:
            raised.append(repr(error))
        seconds.append(time.perf_counter() - began)

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
seconds.sort()
print(json.dumps({
    "raised": raised,
    "grown": used() - before,
    "p99": seconds[len(seconds) * 99 // 100],
    "stats": [handler.stats() for handler in handlers],
}), flush=True)
os._exit(0)
"""


class TestNothingCanBeWritten:
    def test_the_application_goes_on(self, tmp_path: Path) -> None:
        """Nothing is raised, memory and calls are bounded, each record is counted somewhere."""
        done = subprocess.run(
            [sys.executable, "-c", FLOOD],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        outcome = json.loads(done.stdout)
        assert outcome["raised"] == []
        assert outcome["grown"] < 60_000_000
        assert outcome["p99"] < 10  # None of them waits for what hangs.
        for stats in outcome["stats"]:
            told = stats["delivered"] + stats["dropped"] + stats["pending"]
            # A durable handler counts the line in which it tells a gap.
            assert 8_001 <= stats["produced"] == told < 8_100
            assert stats["dropped"] > 1_000
        assert "zoho" not in done.stderr
