"""Promises of the configuration errors: all at once, named, importable as what they are."""

from __future__ import annotations

import pytest

from crmlogging.exceptions import ConfigurationError, MissingDependencyError, Problems, require


class TestConfigurationError:
    def test_is_a_value_error_with_all_problems(self) -> None:
        """dictConfig and callers that catch ValueError see it; each problem stays apart."""
        error = ConfigurationError("a: one", "b: two")
        assert isinstance(error, ValueError)
        assert (error.problems, str(error)) == (("a: one", "b: two"), "a: one; b: two")


class TestRequire:
    def test_names_the_extra(self) -> None:
        """A missing package says what to install, as both kinds of error."""
        with pytest.raises(
            MissingDependencyError, match=r'pip install "crmlogging\[s3\]"'
        ) as caught:
            require("package_nobody_has.part", extra="s3", purpose="S3Handler")
        assert isinstance(caught.value, ConfigurationError)
        assert isinstance(caught.value, ImportError)

    def test_imports_what_is_there(self) -> None:
        """An installed module comes back as the module."""
        assert require("json", extra="x", purpose="x").loads("1") == 1


class TestProblems:
    def test_nothing_found_raises_nothing(self) -> None:
        """A clean configuration passes."""
        Problems("X").raise_if_any()

    def test_suggests_the_nearest_or_ours(self) -> None:
        """A typo gets the near name, a stranger's option gets ours, the rest the list."""
        problems = Problems("File")
        problems.unknown(
            ["maxByte", "backupCount", "zzz"],
            known=["max_bytes", "tiers"],
            instead={"backupCount": "use tiers"},
        )
        assert problems.found == [
            "File: unknown option 'maxByte' (did you mean 'max_bytes'?)",
            "File: unknown option 'backupCount' (use tiers)",
            "File: unknown option 'zzz' (known: max_bytes, tiers)",
        ]

    def test_says_the_kind_of_what_may_hold_a_key(self) -> None:
        """A client's credentials, a private key that was read from its file."""
        problems = Problems("S3Handler")
        problems.functions(client={"aws_secret_access_key": "canary"})
        problems.paths(seal_to=b"-----BEGIN PRIVATE KEY-----canary", state=5, spool_dir="")
        assert problems.found == [
            "S3Handler: client: dict cannot be called",
            "S3Handler: seal_to: bytes is no path",
            "S3Handler: state: int is no path",
            "S3Handler: spool_dir: '' is no path",
        ]
