"""Promises of `redaction.sites`: what a function's source says about one of its names."""

from __future__ import annotations

import ast

import pytest

from crmlogging.redaction.sites import assigned

ONCE = "def sync(a, b):\n text = f'a {b}'\n"
TWICE_MORE = " for text in a: pass\n with b as text: pass\n"


def is_certain(source: str) -> bool:
    """Tell whether nothing but the one assignment can bind ``text`` in the function `source`."""
    values, certain = assigned(ast.parse(source).body[0], "text")
    assert [ast.unparse(value) for value in values] == ["f'a {b}'"]
    return certain


class TestAssigned:
    @pytest.mark.parametrize(
        "source",
        [
            ONCE,
            ONCE.replace("text", "text: str"),
            ONCE + " import texts, more.text, text_more as texts\n",
            ONCE + " from text import more\n",
        ],
    )
    def test_one_assignment_alone_is_certain(self, source: str) -> None:
        """Also one with a type, and beside imports of other names."""
        assert is_certain(source)

    @pytest.mark.parametrize("others", ["", " for text in a: pass\n", TWICE_MORE])
    @pytest.mark.parametrize(
        "binder",
        [
            *("import text", "import text.more.still", "import more as text", "global text"),
            *("from more import text", "from more import other as text", "nonlocal text"),
            *("def text(): pass", "async def text(): pass", "class text: pass"),
            *("def inner(text): pass", "c = lambda text: a", "def inner(*text): pass"),
            "try: pass\n except ValueError as text: pass",
            "match a:\n  case text: pass",
            "match a:\n  case [*text]: pass",
            "match a:\n  case {**text}: pass",
        ],
    )
    def test_whatever_else_binds_the_name_is_counted(self, binder: str, others: str) -> None:
        """Then a text under that name may be another, however often it is bound besides."""
        assert not is_certain(f"{ONCE}{others} {binder}\n")

    def test_a_parameter_of_the_name(self) -> None:
        """What the caller gave may stand where the assignment did not run."""
        assert not is_certain(ONCE.replace("(a", "(text, a"))
        assert not is_certain(ONCE.replace("(a", "(text, a") + TWICE_MORE)

    def test_a_module_s_name_is_anybody_s(self) -> None:
        """Any other module may assign to it."""
        _, certain = assigned(ast.parse("text = f'a {b}'"), "text")
        assert not certain
