"""Promises of the fixture `assert_no_leak`, in test-suites of its users."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

METADATA = "Metadata-Version: 2.1\nName: crmlogging-installed\nVersion: 1.0\n"
ENTRY_POINTS = "[pytest11]\ncrmlogging = crmlogging.pytest_plugin\n"
USUAL = ("-p", "no:randomly", "-p", "no:cacheprovider", "-W", "error")
BEGIN = """
import base64, logging, os, subprocess, sys, warnings
import pytest

SECRET = "ada.lovelace@example.com"
log = logging.getLogger("crm.sync")

@pytest.fixture
def console():
    handler = logging.StreamHandler()
    log.addHandler(handler)
    yield handler
    log.removeHandler(handler)
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Lend a directory for a suite, with the plugin installed as a package would."""
    installed = pytester.mkdir("installed")
    package = installed / "crmlogging_installed-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text(METADATA)
    (package / "entry_points.txt").write_text(ENTRY_POINTS)
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(installed), before))))
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        monkeypatch.delenv(name, raising=False)
    return pytester


LEAKS = """
def test_handler(assert_no_leak, console):
    with assert_no_leak(SECRET):
        log.error("Failed to update %s", SECRET)

def test_encoded(assert_no_leak, console):
    with assert_no_leak(SECRET):
        log.error("token %s", base64.b64encode(b"x" + SECRET.encode()).decode())

def test_printed(assert_no_leak):
    with assert_no_leak(SECRET):
        print(SECRET[:7], "\\n", SECRET[7:])

def test_child(assert_no_leak):
    with assert_no_leak(SECRET):
        subprocess.run([sys.executable, "-c", f"print({SECRET!r})"], check=True)

def test_rest_of_the_test(assert_no_leak):
    assert_no_leak.secrets("+1 555 0100", SECRET)
    os.write(1, b"call 1-555-0100")

def test_warning(assert_no_leak):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with assert_no_leak(SECRET):
            warnings.warn(SECRET)

def test_missing(assert_no_leak, console):
    with assert_no_leak(SECRET, must_show=["c-4711", "Updated"]):
        log.error("Updated")

def test_both(assert_no_leak, console):
    with assert_no_leak(SECRET):
        log.error(SECRET)
        assert 1 == 2

def test_short(assert_no_leak):
    with assert_no_leak("ada"):
        pass
"""

KEEPS = """
import crmlogging

def test_protected(assert_no_leak, console, tmp_path, caplog):
    console.addFilter(crmlogging.AllowlistFilter(["@crm"]))
    console.setFormatter(crmlogging.JsonFormatter())
    file = crmlogging.RetentionFileHandler(tmp_path / "crm.jsonl")
    file.addFilter(crmlogging.AllowlistFilter(["@crm"]))
    log.addHandler(file)
    with assert_no_leak(SECRET, 47110815, must_show=["c-4711"]):
        log.error(f"Failed to update {SECRET}", extra={"resource.id": "c-4711", "email": SECRET})
    log.removeHandler(file)
    file.close()
    assert "Failed to update" in caplog.text

def test_before_and_after_do_not_count(assert_no_leak, console):
    log.error(SECRET)
    with assert_no_leak(SECRET):
        log.error("Failed")
    log.error(SECRET)

def test_secrets(assert_no_leak, console):
    assert_no_leak.secrets(SECRET, must_show=["Failed"])
    log.error("Failed")

def test_an_expected_warning(assert_no_leak):
    with assert_no_leak(SECRET), pytest.warns(UserWarning):
        warnings.warn(SECRET)
"""


class TestFails:
    def test_with_the_place_of_each_leak(self, suite: pytest.Pytester) -> None:
        """Handler, record, form; what must show; an error of the test itself stays the first."""
        suite.makepyfile(BEGIN + LEAKS)
        done = suite.runpytest_subprocess(*USUAL)
        done.assert_outcomes(failed=9)
        done.stdout.fnmatch_lines(
            [
                "assert_no_leak: secret 1 ('ada'..., 24 characters) came out, plain, by a log*",
                "    Failed to update [[]secret 1]",
                "*came out, base64, by a logging.StreamHandler, logged by crm.sync at *.py:*:",
                "*came out, split, by stdout:",
                "*came out, plain, by stdout:",
                "*secret 1 ('+1 '..., 11 characters) came out, digits, by stdout:",
                "*came out, plain, by a warning, logged by *.py:*",
                "*'c-4711' must show, and is in none of * texts that came out",
                "*assert 1 == 2",
                "*assert_no_leak, besides: secret 1*",
                "assert_no_leak: secret 1 has fewer than 4 characters*",
            ]
        )
        output = done.stdout.str()
        assert "'Updated' must show" not in output

    @pytest.mark.parametrize(
        "options",
        [["-s", "--log-cli-level=INFO"], ["--capture=sys", "-p", "no:logging"]],
        ids=" ".join,
    )
    def test_whatever_pytest_captures(self, suite: pytest.Pytester, options: list[str]) -> None:
        """The same tests fail, and no other."""
        suite.makepyfile(BEGIN + LEAKS)
        done = suite.runpytest_subprocess(*USUAL, *options)
        done.assert_outcomes(failed=9)


class TestPasses:
    def test_where_nothing_comes_out(self, suite: pytest.Pytester) -> None:
        """A protected set-up; what is logged outside the block; a live log of the runner."""
        suite.makepyfile(BEGIN + KEEPS)
        done = suite.runpytest_subprocess(*USUAL, "-s", "--log-cli-level=INFO")
        done.assert_outcomes(passed=4)

    def test_the_examples_of_the_docs(self, suite: pytest.Pytester) -> None:
        """The tests that docs/checking.md shows, among others."""
        page = (Path(__file__).parent.parent / "docs" / "checking.md").read_text("utf-8")
        example = page.split("<!-- test: begin -->")[1].split("<!-- test: end -->")[0]
        suite.makepyfile(
            test_docs=example.split("```python\n")[1].split("```")[0], test_more=BEGIN + KEEPS
        )
        done = suite.runpytest_subprocess(*USUAL)
        done.assert_outcomes(passed=6)


class TestPlugin:
    def test_costs_nothing_where_nobody_asks(self, suite: pytest.Pytester) -> None:
        """It loads no module of crmlogging but the front door, and warns of nothing."""
        suite.makepyfile(
            """
            import sys

            def test_nothing_is_loaded():
                ours = {name for name in sys.modules if name.split(".")[0] == "crmlogging"}
                assert ours == {"crmlogging", "crmlogging.version", "crmlogging.pytest_plugin"}
            """
        )
        done = suite.runpytest_subprocess(*USUAL)
        done.assert_outcomes(passed=1)
        assert "warning" not in done.stdout.str()
