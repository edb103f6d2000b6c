"""Promises of `linting.configuration`: options of the command over those of the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from crmlogging.exceptions import ConfigurationError
from crmlogging.linting.configuration import options_from
from crmlogging.linting.rules import RULES

USUAL = frozenset(code for code, rule in RULES.items() if rule.default)


def project(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(f"[tool.crmlogging.lint]\n{text}\n")
    return folder


class TestOptions:
    def test_without_any(self, tmp_path: Path) -> None:
        """The usual rules, and the preset."""
        options = options_from(tmp_path)
        assert options.codes == USUAL
        assert options.allowed.shows("request.method")

    @pytest.mark.parametrize(
        ("select", "ignore", "expected"),
        [
            (["CL001"], [], {"CL001"}),
            (["cl10"], [], {"CL101", "CL102"}),
            (["CL"], [], set(RULES)),
            (["CL10"], ["CL102"], {"CL101"}),
            ([], ["CL"], set()),
            (["CL302"], [], {"CL302"}),
        ],
    )
    def test_codes(
        self, tmp_path: Path, select: list[str], ignore: list[str], expected: set[str]
    ) -> None:
        """Codes or beginnings of codes, in any case; those not looked for by default, if named."""
        assert options_from(tmp_path, select=select, ignore=ignore).codes == expected

    def test_verbs(self, tmp_path: Path) -> None:
        """Brings CL302 beside the others, unless it is ignored."""
        assert options_from(tmp_path, verbs=True).codes == USUAL | {"CL302"}
        assert options_from(tmp_path, select=["CL001"], verbs=True).codes == {"CL001", "CL302"}
        assert options_from(tmp_path, ignore=["CL3"], verbs=True).codes == USUAL - {"CL301"}

    def test_of_the_project(self, tmp_path: Path) -> None:
        """The nearest pyproject.toml up the folders; its paths are relative to itself."""
        text = 'select = ["CL0"]\nignore = ["CL003"]\nverbs = true\nconfig = "logging.toml"'
        project(tmp_path, text)
        (tmp_path / "logging.toml").write_text('[a]\n"()" = "AllowlistFilter"\nfields = ["email"]')
        inner = tmp_path / "a" / "b"
        inner.mkdir(parents=True)
        options = options_from(inner)
        assert options.codes == {"CL001", "CL002", "CL004", "CL302"}
        assert options.allowed.shows("email")

    def test_the_command_wins(self, tmp_path: Path) -> None:
        """What the command says takes the place of what the project says."""
        project(tmp_path, 'select = ["CL0"]\nconfig = "gone.toml"')
        mine = tmp_path / "mine.json"
        mine.write_text('{"()": "AllowlistFilter", "fields": ["email"]}')
        options = options_from(tmp_path, select=["CL101"], config=mine)
        assert options.codes == {"CL101"}
        assert options.allowed.shows("email")

    def test_of_other_projects(self, tmp_path: Path) -> None:
        """A pyproject.toml that says nothing of lint changes nothing."""
        (tmp_path / "pyproject.toml").write_text("[project]\nname = 'a'\n")
        assert options_from(tmp_path).codes == USUAL

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ('selct = ["CL0"]', "did you mean 'select'?"),
            ('select = "CL0"', "must be a list of codes"),
            ("ignore = [1]", "must be a list of codes"),
            ('select = ["CL9"]', "'CL9' is no code"),
            ("verbs = 1", "must be true or false"),
            ("config = 1", "must be the name of a file"),
            ('config = "gone.toml"', "cannot be read"),
            ("select = ", "cannot be read"),
        ],
    )
    def test_what_is_wrong(self, tmp_path: Path, text: str, complaint: str) -> None:
        """A mistake is told, with the file."""
        with pytest.raises(ConfigurationError, match="toml") as caught:
            options_from(project(tmp_path, text))
        assert complaint in str(caught.value)

    def test_all_at_once(self, tmp_path: Path) -> None:
        """Every problem is told in one go."""
        with pytest.raises(ConfigurationError) as caught:
            options_from(project(tmp_path, "verbs = 1\nselect = 1"), ignore=["CL9", ""])
        assert len(caught.value.problems) == 4
