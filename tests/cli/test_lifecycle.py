"""Promises of `crmlogging lifecycle`: the bucket keeps for as long as was said, and no longer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from crmlogging.cli.main import application

pytestmark = pytest.mark.filterwarnings("ignore:.*utcnow.*:DeprecationWarning")

OTHERS = {
    "ID": "backups",
    "Status": "Enabled",
    "Filter": {"Prefix": "backups/"},
    "Expiration": {"Days": 3},
}


def run(bucket: Any, command: str, *arguments: str, stdin: str = "") -> Result:
    given = ["lifecycle", command, bucket.name, "--endpoint-url", bucket.url, *arguments]
    return CliRunner().invoke(application, given, input=stdin)


def rules(bucket: Any) -> dict[str, Any]:
    answer = bucket.client.get_bucket_lifecycle_configuration(Bucket=bucket.name)
    return {rule["ID"]: rule for rule in answer["Rules"]}


def put(bucket: Any, *present: Any) -> None:
    bucket.client.put_bucket_lifecycle_configuration(
        Bucket=bucket.name, LifecycleConfiguration={"Rules": list(present)}
    )


class TestApply:
    def test_makes_the_rules(self, bucket: Any) -> None:
        """7 and 90 days by the tiers' prefixes, and uploads that never ended; then it verifies."""
        assert run(bucket, "verify", "--prefix", "crm").exit_code == 1
        done = run(bucket, "apply", "--prefix", "crm", "--yes")
        assert done.exit_code == 0, done.output
        found = rules(bucket)
        assert {
            rule["Filter"]["Prefix"]: rule["Expiration"]["Days"] for rule in found.values()
        } == {
            "crm/tier=debug/": 7,
            "crm/tier=standard/": 90,
        }
        for rule in found.values():
            assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
            assert "NoncurrentVersionExpiration" not in rule
        assert run(bucket, "verify", "--prefix", "crm").exit_code == 0

    def test_rules_of_others_stay(self, bucket: Any) -> None:
        """Also those of another prefix of ours; applying twice changes nothing."""
        put(bucket, OTHERS)
        for prefix in ("crm", "erp", "crm"):
            assert run(bucket, "apply", "--prefix", prefix, "--yes").exit_code == 0
        found = rules(bucket)
        assert len(found) == 5
        assert found["backups"]["Expiration"] == {"Days": 3}
        assert "these rules already" in run(bucket, "apply", "--prefix", "crm").output

    def test_asks_first(self, bucket: Any) -> None:
        """Without a yes nothing is changed."""
        refused = run(bucket, "apply", stdin="n\n")
        assert refused.exit_code == 1
        assert "is missing" in refused.output
        assert run(bucket, "verify").exit_code == 1
        assert run(bucket, "apply", stdin="y\n").exit_code == 0

    def test_versions_and_a_colder_class(self, bucket: Any) -> None:
        """Where the bucket keeps versions they go as well; INFO and above may move first."""
        bucket.client.put_bucket_versioning(
            Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"}
        )
        cold = ("--cold-after-days", "30", "--storage-class", "STANDARD_IA")
        assert run(bucket, "apply", "--yes", *cold).exit_code == 0
        debug, standard = rules(bucket).values()
        assert standard["Transitions"] == [{"Days": 30, "StorageClass": "STANDARD_IA"}]
        assert "Transitions" not in debug
        for rule in (debug, standard):
            assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
        assert run(bucket, "verify", *cold).exit_code == 0
        differs = run(bucket, "verify")
        assert differs.exit_code == 1
        assert "Transitions is Days=30 StorageClass=STANDARD_IA, not absent" in differs.output


class TestVerify:
    def test_names_each_difference(self, bucket: Any) -> None:
        """A rule that was changed, switched off or removed."""
        run(bucket, "apply", "--prefix", "crm", "--yes")
        _, standard = rules(bucket).values()
        put(bucket, {**standard, "Status": "Disabled", "Expiration": {"Days": 30}})
        output = run(bucket, "verify", "--prefix", "crm").output
        assert "'crmlogging crm debug' is missing" in output
        assert "Status is Disabled, not Enabled" in output
        assert "Expiration is Days=30, not Days=90" in output

    @pytest.mark.parametrize("chosen", [{"Filter": {"Prefix": ""}}, {"Filter": {"Prefix": "crm/"}}])
    def test_sees_a_rule_of_others_that_deletes_too_early(self, bucket: Any, chosen: Any) -> None:
        """It is told, never touched; one that keeps longer, or does not act, is no matter."""
        later = {**OTHERS, "ID": "later", **chosen, "Expiration": {"Days": 365}}
        idle = {**OTHERS, "ID": "idle", **chosen, "Status": "Disabled"}
        put(bucket, {**OTHERS, **chosen, "Expiration": {"Days": 30}}, later, idle)
        output = run(bucket, "apply", "--prefix", "crm", "--yes").output
        assert output.count("of others deletes after 30 days") == 2  # before and after
        assert "365" not in output
        checked = run(bucket, "verify", "--prefix", "crm")
        assert checked.exit_code == 1
        assert "what 'crmlogging crm standard' keeps for 90" in checked.output
        assert len(rules(bucket)) == 5


class TestShow:
    def test_prints_what_apply_would_put(self, bucket: Any) -> None:
        """The whole document, as JSON, and nothing is changed."""
        put(bucket, OTHERS)
        shown = json.loads(run(bucket, "show", "--prefix", "crm", "--debug-days", "3").output)
        assert [rule["ID"] for rule in shown["Rules"]] == [
            "backups",
            "crmlogging crm debug",
            "crmlogging crm standard",
        ]
        assert shown["Rules"][1]["Expiration"] == {"Days": 3}
        assert list(rules(bucket)) == ["backups"]


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
        self, bucket: Any, arguments: tuple[str, ...], complaint: str
    ) -> None:
        """Exit code 2, and nothing is asked of the bucket."""
        done = run(bucket, "apply", "--yes", *arguments)
        assert done.exit_code == 2
        assert complaint in done.output

    def test_a_server_that_says_no_is_told_with_the_remedy(self, bucket: Any) -> None:
        """Exit code 2: it is neither fine nor a finding."""
        done = run(bucket._replace(name="nobody-has-this"), "verify")
        assert done.exit_code == 2
        assert "NoSuchBucket; create the bucket" in done.output

    def test_bucket_with_prefix_in_one(self, bucket: Any) -> None:
        """As handlers are configured: s3://bucket/prefix."""
        named = bucket._replace(name=f"s3://{bucket.name}/crm")
        assert run(named, "apply", "--yes").exit_code == 0
        assert "crmlogging crm debug" in rules(bucket)
        assert run(named, "verify", "--prefix", "x").exit_code == 2
