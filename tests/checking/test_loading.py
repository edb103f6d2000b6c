"""Promises of `crmlogging.checking.loading`: what cannot be loaded says why, in one sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crmlogging.checking.loading import CannotLoadError, load_application, load_configuration

pytestmark = pytest.mark.usefixtures("bare_root")


@pytest.fixture(autouse=True)
def _in_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Import from there, and forget it afterwards."""
    monkeypatch.chdir(tmp_path)
    path, modules = sys.path[:], set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


class TestConfiguration:
    @pytest.mark.parametrize(
        ("name", "text", "complaint"),
        [
            pytest.param("gone.toml", None, "no such file", id="no-file"),
            pytest.param("a.toml", "version =", "Invalid value", id="toml"),
            pytest.param("a.json", "{", "line 1 column 2", id="json"),
            pytest.param("a.conf", "{", "line 1 column 2", id="json-by-contents"),
            pytest.param("a.conf", "version =", "Invalid value", id="toml-by-contents"),
            pytest.param("a.yaml", "a: [", "line 1", id="yaml"),
            pytest.param("a.ini", "[loggers]", "handlers|formatters|keys", id="ini"),
            pytest.param("a.json", "[1]", "of type list", id="no-document"),
            pytest.param("a.json", '{"version": 2}', "version: must be 1, not 2", id="version"),
            pytest.param("a.py", "", "name what to take: ", id="python-without-name"),
            pytest.param("a.py:X", "", "there is no 'X' in a", id="no-attribute"),
            pytest.param("a.py:X", "X = 3", "of type int", id="no-document-in-python"),
            pytest.param("a.py:X", "def X(a): pass", "needs arguments", id="arguments"),
            pytest.param("a.py:X", "def X(): pass", "neither configured", id="nothing"),
            pytest.param("a.py:X", "def X(): raise OSError('no disk')", "no disk", id="raises"),
            pytest.param("a.py:X", "import sys; sys.exit('bye')", "bye", id="exits"),
            pytest.param("b.py:X", None, "b.py: no such file", id="no-python-file"),
            pytest.param("nobody_has_this:X", None, "No module named", id="no-module"),
        ],
    )
    def test_what_is_wrong(
        self, tmp_path: Path, name: str, text: str | None, complaint: str
    ) -> None:
        """A file, a form, a module, a name, a function: the place first."""
        if text is not None:
            (tmp_path / name.partition(":")[0]).write_text(text)
        with pytest.raises(CannotLoadError, match=complaint) as caught:
            load_configuration(name)
        (problem,) = caught.value.problems
        assert problem.startswith(name.partition(":")[0])

    def test_without_pyyaml(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """It says what to install."""
        monkeypatch.setitem(sys.modules, "yaml", None)
        (tmp_path / "a.yaml").write_text("version: 1")
        with pytest.raises(CannotLoadError, match="pip install pyyaml"):
            load_configuration("a.yaml")

    def test_a_mask_without_its_key(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The filter, the option and the variable are named."""
        monkeypatch.delenv("CRMLOGGING_HMAC_KEY", raising=False)
        (tmp_path / "a.toml").write_text(
            'version = 1\n[filters.a]\n"()" = "crmlogging.AllowlistFilter"\nfields = ["@crm"]\n'
            'mask = { "user.id" = "hmac" }\n'
        )
        with pytest.raises(CannotLoadError, match=r"filters.a: .*mask: .*CRMLOGGING_HMAC_KEY"):
            load_configuration("a.toml")

    def test_a_name_within(self, tmp_path: Path) -> None:
        """NAME may have dots; the document is returned as it was written."""
        (tmp_path / "site_settings.py").write_text(
            "class Base:\n    LOGGING = {'version': 1, 'handlers': {'n': {'class':"
            " 'logging.NullHandler'}}}\n"
        )
        document = load_configuration("site_settings:Base.LOGGING")
        assert document == {"version": 1, "handlers": {"n": {"class": "logging.NullHandler"}}}


class TestApplication:
    @pytest.mark.parametrize("name", ["shop", "shop:main", "shop:application"])
    def test_import_and_call(self, tmp_path: Path, name: str) -> None:
        """Only what needs no arguments is called."""
        (tmp_path / "shop.py").write_text(
            "calls = []\ndef main(): calls.append(1)\n"
            "def application(environ, start): raise AssertionError\n"
        )
        load_application(name)
        assert sys.modules["shop"].calls == ([1] if name == "shop:main" else [])

    def test_what_is_wrong(self) -> None:
        """A module that is not there."""
        with pytest.raises(CannotLoadError, match="No module named 'not_a_shop'"):
            load_application("not_a_shop:main")
