"""Promises of `linting.allowlists`: a configuration is read, and never run."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from crmlogging.exceptions import ConfigurationError
from crmlogging.linting.allowlists import read_allowed

ROOT = Path(__file__).parents[2]
FILTER = {"()": "crmlogging.AllowlistFilter", "fields": ["@crm", "campaign.id"]}


def write(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(textwrap.dedent(text))
    return path


class TestReadAllowed:
    def test_the_example(self) -> None:
        """logging.conf.example is such a file."""
        allowed = read_allowed(ROOT / "logging.conf.example")
        assert allowed.shows("campaign.id")
        assert allowed.shows("api_key")
        assert not allowed.shows("email")

    @pytest.mark.parametrize(
        "document",
        [
            {"filters": {"a": FILTER}},
            {"my": {"logging": {"filters": {"a": FILTER}}}},
            [{"filters": {"a": {**FILTER, "()": "crmlogging.filters.allowlist.AllowlistFilter"}}}],
        ],
    )
    def test_json(self, tmp_path: Path, document: object) -> None:
        """Wherever in the file the document stands."""
        allowed = read_allowed(write(tmp_path, "a.json", json.dumps(document)))
        assert allowed.shows("campaign.id")
        assert not allowed.shows("email")

    @pytest.mark.parametrize(
        "program",
        [
            repr({"filters": {"a": FILTER}}),
            f"LOGGING = {{'filters': {{'a': {FILTER!r}}}}}",
            "crmlogging.configure('crm', fields=['@crm', 'campaign.id'])",
            "configure('crm', fields=FIELDS)\nFIELDS = ('@crm', 'campaign.id')",
            "x = AllowlistFilter(['@crm', {'campaign.id': 'id'}], mask={'a': 'hmac'})",
            "def f():\n    return crmlogging.AllowlistFilter(fields=['campaign.id'])",
            "L = {'filters': {'a': {'()': AllowlistFilter, 'fields': ['campaign.id']}}}",
            "raise SystemExit\nconfigure('crm', fields=['campaign.id'])",
        ],
    )
    def test_python(self, tmp_path: Path, program: str) -> None:
        """A document, the filter, or configure(), as literals."""
        assert read_allowed(write(tmp_path, "a.py", program)).shows("campaign.id")

    def test_configure_without_fields(self, tmp_path: Path) -> None:
        """Stands for what it does by default."""
        allowed = read_allowed(write(tmp_path, "a.py", "crmlogging.configure('crm')"))
        assert allowed.shows("request.method")

    @pytest.mark.parametrize(
        ("name", "text", "complaint"),
        [
            ("a.toml", "x = ", "cannot be read"),
            ("a.json", "{", "cannot be read"),
            ("a.py", "def f(:", "cannot be read"),
            ("a.toml", "x = 1", "holds no AllowlistFilter"),
            ("a.py", "x = 1", "holds no AllowlistFilter"),
            ("a.py", "configure('crm', fields=make())", "line 1: fields is no literal"),
            ("a.py", "configure('crm', fields=['*'])", "would allow everything"),
            ("a.py", "AllowlistFilter(['a'], mask=3)", "must be {pattern: mask}"),
            ("a.py", "AllowlistFilter([{'a': 'jpeg'}])", "unknown shape"),
        ],
    )
    def test_what_is_wrong(self, tmp_path: Path, name: str, text: str, complaint: str) -> None:
        """A configuration that cannot be used is told with its file."""
        path = write(tmp_path, name, text)
        with pytest.raises(ConfigurationError, match=name) as caught:
            read_allowed(path)
        assert complaint in str(caught.value)

    def test_a_missing_file(self, tmp_path: Path) -> None:
        """So is a file that is not there, or a folder."""
        for path in (tmp_path / "gone.toml", tmp_path):
            with pytest.raises(ConfigurationError, match="cannot be read"):
                read_allowed(path)
