"""Promises of `redaction.source_text`: source is what a file or a person at a prompt wrote."""

from __future__ import annotations

import linecache
import sys

import pytest

from crmlogging.redaction.source_text import text_of

TEXT = "log('canary')\n"


@pytest.fixture
def cached(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Put `TEXT` where tracebacks look for the source of that name, as attrs and doctest do."""
    name: str = request.param
    monkeypatch.setitem(linecache.cache, name, (len(TEXT), None, [TEXT], name))
    return name


class TestTextOf:
    @pytest.mark.parametrize(
        "cached",
        [
            *("<attrs generated init a.B>", "<__array_function__ internals>", "<canary>"),
            *("<a><string>", "/nowhere/generated.py", "<x>/ipykernel_12/3456.py"),
        ],
        indirect=True,
    )
    def test_generated_code_has_none(self, cached: str) -> None:
        """Generators register what they made like prompts do; it may hold anybody's data."""
        assert text_of(cached, {}) is None

    @pytest.mark.parametrize(
        "cached",
        ["<stdin>", "<ipython-input-3-0f1e>", "<doctest a.md[0]>", "/tmp/ipykernel_12/3456.py"],
        indirect=True,
    )
    def test_what_was_typed_in_has(self, cached: str) -> None:
        """A prompt, a notebook, a document's example."""
        assert text_of(cached, {}) == TEXT

    def test_the_program_of_the_command_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """``-c`` gives the source of ``<string>``, and of nothing else."""
        monkeypatch.setattr(sys, "orig_argv", ["python", "-I", "-c", TEXT, "argument"])
        assert text_of("<string>", {}) == TEXT
        assert text_of("/nowhere/job.py", {}) is None
        assert text_of("<stdin>", {}) is None

    @pytest.mark.parametrize("options", [["-m", "job"], ["job.py", "-c"], ["-c"], []])
    def test_no_program_on_the_command_line(
        self, options: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Anything else that runs as ``<string>`` was made from a text."""
        monkeypatch.setattr(sys, "orig_argv", ["python", *options])
        monkeypatch.setitem(linecache.cache, "<string>", (len(TEXT), None, [TEXT], "<string>"))
        assert text_of("<string>", {}) is None

    @pytest.mark.parametrize("cached", ["<string>"], indirect=True)
    def test_a_text_that_is_known_comes_first(
        self, cached: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Newer Pythons register the program themselves."""
        monkeypatch.setattr(sys, "orig_argv", ["python", "-c", "other()"])
        assert text_of(cached, {}) == TEXT
