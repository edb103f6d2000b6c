"""Promises of the way to S3 under faults: nothing lost, nothing twice.

That no call waits for an upload is shown in tests/handlers, by one that hangs; how long calls
take beside plain writes stands in the table of ``make chaos-s3``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from crmlogging.storage.lifecycle import Retention, rules
from tests.chaos.s3_faults import MOMENTS, PARTS, Plan, run
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

    @pytest.mark.parametrize(
        ("server", "moment"),
        # Each moment once, each server at least once; `make chaos-s3` has all of them.
        list(zip(("moto", "rclone", "moto"), MOMENTS, strict=True)),
    )
    def test_a_kill_within_an_upload_in_parts_leaves_none(
        self, server: str, moment: str, tmp_path: Path
    ) -> None:
        """The next process uploads the object once, and aborts what the dead one had begun.

        Before the answer that names the upload nobody can know it: it has no parts, hence costs
        nothing, and the lifecycle rule of its prefix ends it.
        """
        result = run(server, PARTS._replace(moment=moment, writers=1), tmp_path)
        assert result.accepted == PARTS.records + 1
        assert result.injected == {"kill-after-store": 1}
        assert result.is_whole, result
        assert len(result.unfinished) == (moment == "begun")
        kept = rules("crm", Retention(), versioned=False)
        for key in result.unfinished:
            (rule,) = [rule for rule in kept if key.startswith(rule["Filter"]["Prefix"])]
            assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}

    def test_a_batch_in_memory_does_not(self, tmp_path: Path) -> None:
        """The same run finds fault with what keeps records in memory, so it can find some."""
        result = run("moto", SHORT._replace(kind="memory"), tmp_path)
        assert result.lost > result.accepted / 100
