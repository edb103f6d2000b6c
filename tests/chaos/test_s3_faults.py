"""Promises of the way to S3 under faults: nothing lost, nothing twice.

That no call waits for an upload is shown in tests/handlers, by one that hangs; how long calls
take beside plain writes stands in the table of ``make chaos-s3``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.s3_faults import Plan, run
from tests.chaos.s3_servers import SERVERS

SHORT = Plan(
    writers=2, threads=2, records=150, pause=0.004, kills=2, outage_seconds=0.5, refused_seconds=0.2
)


class TestS3Faults:
    @pytest.mark.parametrize("server", SERVERS)
    def test_every_accepted_record_arrives_once(self, server: str, tmp_path: Path) -> None:
        """30 % of the uploads spoilt, an outage, refused credentials, and loggers killed."""
        result = run(server, SHORT, tmp_path)
        assert result.accepted > 500
        assert sum(result.injected.values()) > 3
        assert (result.lost, result.repeated, result.torn) == (0, 0, 0)
        assert (result.spooled, result.exposed) == (0, 0)

    def test_a_batch_in_memory_does_not(self, tmp_path: Path) -> None:
        """The same run finds fault with what keeps records in memory, so it can find some."""
        result = run("moto", SHORT._replace(kind="memory"), tmp_path)
        assert result.lost > result.accepted / 100
