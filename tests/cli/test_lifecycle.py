"""Promises of `crmlogging lifecycle`: the bucket keeps for as long as was said, and no longer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from crmlogging.cli.main import application
from tests.s3_server import Server

pytestmark = pytest.mark.filterwarnings("ignore:.*utcnow.*:DeprecationWarning")

OTHERS = {
    "ID": "backups",
    "Status": "Enabled",
    "Filter": {"Prefix": "backups/"},
    "Expiration": {"Days": 3},
}


def run(server: Server, command: str, *arguments: str, bucket: str = "", stdin: str = "") -> Result:
    place = (bucket or server.bucket, "--endpoint-url", server.url)
    given = ["lifecycle", command, *place, *arguments]
    return CliRunner().invoke(application, given, input=stdin)


def rules(server: Server) -> dict[str, Any]:
    answer = server.client.get_bucket_lifecycle_configuration(Bucket=server.bucket)
    return {rule["ID"]: rule for rule in answer["Rules"]}


def put(server: Server, *present: Any) -> None:
    server.client.put_bucket_lifecycle_configuration(
        Bucket=server.bucket, LifecycleConfiguration={"Rules": list(present)}
    )


class TestApply:
    def test_makes_the_rules(self, server: Server) -> None:
        """7 and 90 days by the tiers' prefixes, and uploads that never ended; then it verifies."""
        assert run(server, "verify", "--prefix", "crm").exit_code == 1
        done = run(server, "apply", "--prefix", "crm", "--yes")
        assert done.exit_code == 0, done.output
        found = rules(server)
        assert {
            rule["Filter"]["Prefix"]: rule["Expiration"]["Days"] for rule in found.values()
        } == {
            "crm/tier=debug/": 7,
            "crm/tier=standard/": 90,
        }
        for rule in found.values():
            assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
            assert "NoncurrentVersionExpiration" not in rule
        assert run(server, "verify", "--prefix", "crm").exit_code == 0

    def test_rules_of_others_stay(self, server: Server) -> None:
        """Also those of another prefix of ours; applying twice changes nothing."""
        put(server, OTHERS)
        for prefix in ("crm", "erp", "crm"):
            assert run(server, "apply", "--prefix", prefix, "--yes").exit_code == 0
        found = rules(server)
        assert len(found) == 5
        assert found["backups"]["Expiration"] == {"Days": 3}
        assert "these rules already" in run(server, "apply", "--prefix", "crm").output

    def test_asks_first(self, server: Server) -> None:
        """Without a yes nothing is changed."""
        refused = run(server, "apply", stdin="n\n")
        assert refused.exit_code == 1
        assert "is missing" in refused.output
        assert run(server, "verify").exit_code == 1
        assert run(server, "apply", stdin="y\n").exit_code == 0

    def test_versions_and_a_colder_class(self, server: Server) -> None:
        """Where the bucket keeps versions they go as well; INFO and above may move first."""
        server.client.put_bucket_versioning(
            Bucket=server.bucket, VersioningConfiguration={"Status": "Enabled"}
        )
        cold = ("--cold-after-days", "30", "--storage-class", "STANDARD_IA")
        assert run(server, "apply", "--yes", *cold).exit_code == 0
        debug, standard = rules(server).values()
        assert standard["Transitions"] == [{"Days": 30, "StorageClass": "STANDARD_IA"}]
        assert "Transitions" not in debug
        for rule in (debug, standard):
            assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
        assert run(server, "verify", *cold).exit_code == 0
        differs = run(server, "verify")
        assert differs.exit_code == 1
        assert "Transitions is Days=30 StorageClass=STANDARD_IA, not absent" in differs.output


class TestVerify:
    def test_names_each_difference(self, server: Server) -> None:
        """A rule that was changed, switched off or removed."""
        run(server, "apply", "--prefix", "crm", "--yes")
        _, standard = rules(server).values()
        put(server, {**standard, "Status": "Disabled", "Expiration": {"Days": 30}})
        output = run(server, "verify", "--prefix", "crm").output
        assert "'crmlogging crm debug' is missing" in output
        assert "Status is Disabled, not Enabled" in output
        assert "Expiration is Days=30, not Days=90" in output

    @pytest.mark.parametrize("chosen", [{"Filter": {"Prefix": ""}}, {"Filter": {"Prefix": "crm/"}}])
    def test_sees_a_rule_of_others_that_deletes_too_early(
        self, server: Server, chosen: Any
    ) -> None:
        """It is told, never touched; one that keeps longer, or does not act, is no matter."""
        later = {**OTHERS, "ID": "later", **chosen, "Expiration": {"Days": 365}}
        idle = {**OTHERS, "ID": "idle", **chosen, "Status": "Disabled"}
        put(server, {**OTHERS, **chosen, "Expiration": {"Days": 30}}, later, idle)
        output = run(server, "apply", "--prefix", "crm", "--yes").output
        assert output.count("of others deletes after 30 days") == 2  # before and after
        assert "365" not in output
        checked = run(server, "verify", "--prefix", "crm")
        assert checked.exit_code == 1
        assert "what 'crmlogging crm standard' keeps for 90" in checked.output
        assert len(rules(server)) == 5


class TestShow:
    def test_prints_what_apply_would_put(self, server: Server) -> None:
        """The whole document, as JSON, and nothing is changed."""
        put(server, OTHERS)
        shown = json.loads(run(server, "show", "--prefix", "crm", "--debug-days", "3").output)
        assert [rule["ID"] for rule in shown["Rules"]] == [
            "backups",
            "crmlogging crm debug",
            "crmlogging crm standard",
        ]
        assert shown["Rules"][1]["Expiration"] == {"Days": 3}
        assert list(rules(server)) == ["backups"]


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            pytest.param(("--debug-days", "0"), "debug_days", id="no-days"),
            pytest.param(("--cold-after-days", "90"), "cold_after_days", id="after-the-end"),
            pytest.param(
                ("--cold-after-days", "7", "--storage-class", "STANDARD_IA"),
                "from 30 up",
                id="too-early-for-the-class",
            ),
        ],
    )
    def test_names_the_option(
        self, server: Server, arguments: tuple[str, ...], complaint: str
    ) -> None:
        """Exit code 2, and nothing is asked of the bucket."""
        done = run(server, "apply", "--yes", *arguments)
        assert done.exit_code == 2
        assert complaint in done.output

    def test_a_server_that_says_no_is_told_with_the_remedy(self, server: Server) -> None:
        """Exit code 2: it is neither fine nor a finding."""
        done = run(server, "verify", bucket="nobody-has-this")
        assert done.exit_code == 2
        assert "NoSuchBucket; create the bucket" in done.output

    def test_bucket_with_prefix_in_one(self, server: Server) -> None:
        """As handlers are configured: s3://bucket/prefix."""
        named = f"s3://{server.bucket}/crm"
        assert run(server, "apply", "--yes", bucket=named).exit_code == 0
        assert "crmlogging crm debug" in rules(server)
        assert run(server, "verify", "--prefix", "x", bucket=named).exit_code == 2
