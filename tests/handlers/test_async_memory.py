"""Promises of the byte bound: a target that hangs costs the memory that was allowed, no more."""

from __future__ import annotations

import subprocess
import sys

import pytest

# A flood before a target that hangs. Prints by how many bytes the process grew, at its largest,
# and how many records waited then; the records are dropped at the end, so nobody waits for them.
FLOOD = """
import logging, os, resource, threading
import crmlogging
from crmlogging import AllowlistFilter, AsyncHandler

class Hanging(logging.Handler):
    def emit(self, record):
        threading.Event().wait()

def used():
    try:
        with open("/proc/self/status") as status:
            (peak,) = (line for line in status if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024
    except OSError:  # macOS, where this is in bytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

logging.setLoggerClass(crmlogging.Logger)
logger = logging.getLogger("crm.sync")
logger.propagate = False
logger.setLevel(logging.INFO)
handler = AsyncHandler(
    handlers=[Hanging()], overflow="drop", capacity=1_000_000, capacity_bytes=%(bound)d
)
if %(safe)r:
    handler.addFilter(AllowlistFilter(["@crm", {"note": "text"}, "details.**"]))
logger.addHandler(handler)
for n in range(50):
    logger.info("Synced a contact", extra={"resource.id": str(n), "crm": "hubspot"})
before = used()
for n in range(%(records)d):
    %(call)s
print(used() - before, handler.stats()["pending"], handler.stats()["dropped"], flush=True)
os._exit(0)
"""

BOUND = 20_000_000
SMALL = (
    'logger.info("Synced a contact", extra={"resource.id": str(n), "crm": "hubspot",'
    ' "request.duration_ms": n / 7, "request.attempt": n, "tenant.code": f"t-{n}"})'
)
NESTED = (
    'logger.info("Synced a contact", extra={"details": {"ids": [n / 7 + i for i in range(200)],'
    ' "more": [{"a": str(n + i)} for i in range(200)]}})'
)
WIDE = 'logger.info("Got an answer", extra={"note": "\\U0001f600%d " % n + "word " * 20_000})'
ARGUMENT = 'logger.info("Got %s", "x" * 500_000 + str(n))'


def flood(call: str, records: int, safe: bool) -> tuple[int, int, int]:
    """Return by how many bytes the process grew, and how many records wait and were dropped."""
    program = FLOOD % {"call": call, "records": records, "safe": safe, "bound": BOUND}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    grown, pending, dropped = map(int, done.stdout.split())
    return grown, pending, dropped


class TestByteBound:
    @pytest.mark.parametrize(
        ("call", "records", "safe"),
        [
            pytest.param(SMALL, 20_000, True, id="many-small"),
            pytest.param(SMALL, 15_000, False, id="many-small-unfiltered"),
            pytest.param(NESTED, 500, True, id="nested"),
            pytest.param(NESTED, 1_000, False, id="nested-unfiltered"),
            pytest.param(ARGUMENT, 200, False, id="huge-arguments"),
            pytest.param(WIDE, 200, False, id="wide-characters"),
        ],
    )
    def test_holds_in_a_flood(self, call: str, records: int, safe: bool) -> None:
        """Memory stays within the bound and 20 MB, and the estimate is not many times too wary."""
        grown, pending, dropped = flood(call, records, safe)
        assert dropped > 0
        assert grown < BOUND + 20_000_000
        assert grown > BOUND / 4
        assert pending + dropped == 50 + records
