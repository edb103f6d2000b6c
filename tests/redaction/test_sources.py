"""Promises of `redaction.sources`: a source is believed only of the code that it gives."""

from __future__ import annotations

import ast
import importlib
import py_compile
import sys
from pathlib import Path
from types import CodeType

import pytest

from crmlogging.redaction import sources
from crmlogging.redaction.call_site import Span
from crmlogging.redaction.parsed import same


def inner_of(source: str) -> CodeType:
    """Return the code of the function ``g`` in the function ``f``."""
    code = compile(source, "sync.py", "exec")
    for _ in range(2):
        code = next(each for each in code.co_consts if isinstance(each, CodeType))
    return code


class TestSame:
    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [
            pytest.param("log('a')", "log('b')", id="literal"),
            pytest.param("log(1.0)", "log(0x1)", id="type of a literal"),
            pytest.param("log(a)", "log(b)", id="global"),
            pytest.param("log(a)", "out(a)", id="function"),
            pytest.param("log(a.x)", "log(a.y)", id="attribute"),
            pytest.param("a.log(x)", "a.out(x)", id="method"),
            pytest.param("log(k=p)", "log(j=p)", id="keyword"),
            pytest.param("log(p)", "log(q)", id="local"),
            pytest.param("log(v)", "log(w)", id="outer"),
            pytest.param("log(p % q)", "log(p + q)", id="operator"),
            pytest.param("log(f'a {p}')", "log(f'a {q}')", id="local in a text"),
        ],
    )
    def test_what_differs_is_told(self, ours: str, theirs: str) -> None:
        """A call on the same place of a swapped file, with another name, is another call."""
        form = "def f(v, w):\n def g(p, q):\n  {}\n  return v, w"
        span = Span(3, 2, 3, 2 + len(ours))
        assert len(ours) == len(theirs)
        one, other = inner_of(form.format(ours)), inner_of(form.format(theirs))
        assert same(one, inner_of(form.format(ours)), span)
        assert not same(one, other, span)

    @pytest.mark.parametrize(
        "source",
        [
            pytest.param("def f():\n def g({}):\n  log({})", id="local"),
            pytest.param("def f({}):\n def g():\n  log({})", id="outer"),
            pytest.param("def f():\n def g({}):\n  log([{} for _ in x])", id="local of a loop"),
        ],
    )
    def test_names_count_and_not_their_numbers(self, source: str) -> None:
        """The first variable of one function is not the first of another."""
        one, other = (
            inner_of(source.format("user_id", "user_id")),
            inner_of(source.format("api_key", "api_key")),
        )
        span = Span(3, 0, 3, 99)
        assert same(one, one, span)
        assert not same(one, other, span)

    @pytest.mark.parametrize("others", ["0", "a", "a, b", "a, b, a.c"])
    def test_other_names_around_it_do_not_count(self, others: str) -> None:
        """A tool that adds names to a function (pytest to its asserts) changes their numbers."""
        form = "def f():\n def g():\n  {}\n  x.log(y.z)\n  y.z = x"
        one, other = inner_of(form.format("0")), inner_of(form.format(others))
        assert same(one, other, Span(4, 0, 5, 99))

    @pytest.mark.parametrize("mode", ["exec", "single"])
    def test_what_becomes_of_the_result_does_not_count(self, mode: str) -> None:
        """A notebook compiles each statement of a cell by itself, the last one as a prompt does."""
        cell = ast.parse("log(f'a {p}')\nlog('b')")
        first = cell.body[:1]
        alone = ast.Module(first, []) if mode == "exec" else ast.Interactive(first)
        typed = compile(alone, "a.py", mode)
        span = Span(1, 0, 1, 13)
        assert same(compile(cell, "a.py", "exec"), typed, span)
        assert not same(compile("log(f'a {q}')\nlog('b')", "a.py", "exec"), typed, span)

    def test_nothing_there_is_not_the_same(self) -> None:
        """Where neither holds an instruction, nothing is proved."""
        code = inner_of("def f():\n def g(): pass")
        assert not same(code, code, Span(9, 0, 9, 1))


class TestSpelledOut:
    def test_only_what_the_file_says(self) -> None:
        """Code made from a text may name any file as its own."""
        made = "_".join(reversed(["word", "made"]))
        code = compile("1", __file__, "exec")
        assert sources.spelled_out(code, {}, ("canary", made)) == ("canary",)

    def test_what_the_compiler_joins(self) -> None:
        """Literals in parts and with escapes are the file's as well."""
        code = compile("1", __file__, "exec")
        line = "-" * 9
        parts = "parts"
        assert sources.spelled_out(code, {}, (parts, line, "c\x61nary")) == (parts, "canary", line)

    def test_what_a_file_says_by_now(self, tmp_path: Path) -> None:
        """A module may be edited and loaded again; what it said before is no longer there."""
        file = tmp_path / "edited.py"
        for word in ("early", "canary"):
            file.write_text(f"def f(): return {word!r}")
            code = compile(file.read_text(), str(file), "exec")
            assert sources.spelled_out(code, {}, (word,)) == (word,)
        assert sources.spelled_out(code, {}, ("early",)) == ()

    @pytest.mark.parametrize("content", [b"", b"\xff\xfe\0"])
    def test_a_file_that_nobody_can_read_says_nothing(self, content: bytes, tmp_path: Path) -> None:
        """An empty file, a template in another encoding: any code may bear its name."""
        (tmp_path / "page.html").write_bytes(content)
        code = compile("1", str(tmp_path / "page.html"), "exec")
        assert sources.spelled_out(code, {}, ("canary",)) == ()

    def test_without_a_text_the_loader_tells(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A program shipped as ``.pyc`` only: its own code counts, no other code does."""
        (tmp_path / "shipped.py").write_text("def f(): return 'canary'")
        py_compile.compile(str(tmp_path / "shipped.py"), str(tmp_path / "shipped.pyc"))
        (tmp_path / "shipped.py").unlink()
        monkeypatch.syspath_prepend(tmp_path)
        module = importlib.import_module("shipped")
        monkeypatch.delitem(sys.modules, "shipped")
        assert sources.spelled_out(module.f.__code__, vars(module), ("canary",)) == ()
        monkeypatch.setitem(sys.modules, "shipped", module)
        assert sources.spelled_out(module.f.__code__, vars(module), ("canary",)) == ("canary",)
        made = compile("'canary'", module.f.__code__.co_filename, "exec")
        assert sources.spelled_out(made, vars(module), ("canary",)) == ()

    def test_of_a_text_nothing(self) -> None:
        """A generator's name in brackets is no file."""
        assert not sources.is_source_of(compile("1", "<canary>", "exec"), {})
