"""Promises of `crmlogging lint`: exit codes, a stable form, and a hook for pre-commit."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crmlogging.cli.linting import lint_command
from crmlogging.linting.rules import RULES

ROOT = Path(__file__).parents[2]
BAD = "import logging\nlogging.info(str(1))\nlogging.info('a', extra={'request.atempt': 1})\n"
GOOD = "import logging\nlogging.info('Created contact')\n"


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(lint_command, [str(each) for each in arguments])


@pytest.fixture
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lend a file with two findings; it is named relative to the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("bad.py").write_text(BAD)
    return Path("bad.py")


class TestExitCode:
    def test_clean(self, bad: Path) -> None:
        """Nothing found is 0, and says nothing."""
        bad.write_text(GOOD)
        done = invoke(bad)
        assert (done.exit_code, done.output) == (0, "")

    def test_findings(self, bad: Path) -> None:
        """Findings are 1; each is a line, and the count goes to stderr."""
        done = invoke(".")
        assert done.exit_code == 1
        first, second = done.stdout.splitlines()
        assert first.startswith("bad.py:2:14: CL001 the message reads [DYNAMIC MESSAGE]")
        expected = "CL203 request.atempt is no field; did you mean request.attempt?"
        assert second == f"bad.py:3:26: {expected}"
        assert done.stderr == "2 findings in 1 of 1 files.\n"

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            ([], "PATH"),
            (["gone.py"], "gone.py: cannot be read"),
            (["broken.py"], "broken.py: line 1: is not Python"),
            (["--config", "gone.toml", "bad.py"], "gone.toml: cannot be read"),
            (["--select", "CL9", "bad.py"], "'CL9' is no code"),
            (["--ignore", "x", "bad.py"], "'x' is no code"),
            (["--explain", "CL9"], "'CL9' is no code"),
            (["--fix", "bad.py"], "No such option"),
        ],
    )
    def test_not_as_asked(self, bad: Path, arguments: list[str], complaint: str) -> None:
        """What cannot be done as asked is 2, and told on stderr."""
        bad.with_name("broken.py").write_text("def f(:\n")
        done = invoke(*arguments)
        assert done.exit_code == 2
        assert complaint in done.stderr
        assert done.stdout == ""

    def test_findings_beside_a_problem(self, bad: Path) -> None:
        """A broken file does not hide what the others hold."""
        bad.with_name("broken.py").write_text("def f(:\n")
        done = invoke("--select", "CL001", ".")
        assert done.exit_code == 2
        assert len(done.stdout.splitlines()) == 1


class TestOptions:
    def test_json(self, bad: Path) -> None:
        """An array of objects under stable names, and nothing else on stdout."""
        done = invoke("--json", bad)
        assert done.exit_code == 1
        first, second = json.loads(done.stdout)
        assert list(first) == [
            *("path", "line", "column", "code", "severity", "message", "suggestion"),
        ]
        assert (second["path"], second["line"], second["column"]) == ("bad.py", 3, 26)
        assert (second["code"], second["severity"]) == ("CL203", "error")
        assert second["suggestion"] == "did you mean request.attempt?"

    def test_json_of_nothing(self, bad: Path) -> None:
        """Nothing found is an empty array."""
        assert invoke("--json", "--ignore", "CL", bad).stdout == "[]\n"

    def test_select_and_ignore(self, bad: Path) -> None:
        """By code or by its beginning."""
        assert "CL203" not in invoke("--select", "CL0, CL1", bad).stdout
        assert "CL001" not in invoke("--ignore", "CL001", bad).stdout

    def test_config(self, bad: Path) -> None:
        """The allowlist decides which fields are masked."""
        config = Path("settings.py")
        config.write_text("crmlogging.configure('crm', fields=['request.atempt'])")
        assert "CL203" not in invoke("--config", config, bad).stdout

    def test_verbs(self, bad: Path) -> None:
        """CL302 is looked for when asked."""
        bad.write_text("import logging\nlogging.info('Contact created')\n")
        assert invoke(bad).exit_code == 0
        assert "CL302" in invoke("--verbs", bad).stdout

    @pytest.mark.parametrize("code", RULES)
    def test_explain(self, code: str) -> None:
        """Each code is explained, without a path."""
        done = invoke("--explain", code)
        assert done.exit_code == 0
        assert RULES[code].explanation in done.stdout

    def test_a_file_s_odd_name(self, bad: Path) -> None:
        """A name with a line break stays on its line."""
        odd = bad.rename("a\nb.py")
        done = invoke(odd)
        assert done.stdout.startswith("a\\x0ab.py:2:14: CL001")


class TestOwnCode:
    def test_nothing_of_the_checked_code_runs(self, bad: Path) -> None:
        """A file that would end the process is only read."""
        bad.write_text("raise SystemExit('ran')\n" + BAD)
        assert invoke(bad).exit_code == 1

    def test_no_other_package_is_needed(self) -> None:
        """Beside click the command needs nothing that is optional."""
        program = (
            "import sys\n"
            "for name in ('rich', 'requests', 'boto3', 'cryptography', 'tenacity', 'httpx'):\n"
            "    sys.modules[name] = None\n"
            "from crmlogging.cli.main import application\n"
            "application(['lint', '--select', 'CL001', sys.argv[1]])"
        )
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program, str(ROOT / "docs" / "lint_table.py")],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")


class TestHook:
    def test_the_definition_runs_the_command(self, bad: Path) -> None:
        """.pre-commit-hooks.yaml names a command that exists, for Python files."""
        yaml = importlib.import_module("yaml")  # without stubs
        (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
        assert (hook["id"], hook["language"]) == ("crmlogging-lint", "python")
        assert hook["types"] == ["python"]
        assert hook["additional_dependencies"] == [".[cli]"]
        program, *arguments = hook["entry"].split()
        assert program == "crmlogging"
        done = subprocess.run(
            [sys.executable, "-m", program, *arguments, str(bad)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout.count("\n")) == (1, 2)
