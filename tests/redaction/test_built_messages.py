"""Promises of `redaction.built_messages`: a value has the name of its own expression, or none."""

from __future__ import annotations

import ast

import pytest

from crmlogging.redaction.built_messages import Built, built_from


def built(expression: str) -> Built | None:
    return built_from(ast.parse(expression, mode="eval").body)


def names(expression: str) -> tuple[str | None, ...] | None:
    found = built(expression)
    return None if found is None else found.names


class TestNames:
    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            pytest.param("'%s, %s, %s.' % (a, b, c)", ("a", "b", "c"), id="each its own"),
            pytest.param("'{}, {}, {}.'.format(a, b, c)", ("a", "b", "c"), id="format in order"),
            pytest.param("'{2}, {0}.'.format(a, b, c)", ("c", "a"), id="format by number"),
            pytest.param("'Got %d.' % a", ("a",), id="decimal"),
            pytest.param("'Got %(a)s.' % {'a': b}", ("b",), id="key of a display"),
            pytest.param("'Got %(a)s.' % {'a': b.c}", ("b.c",), id="key of an attribute"),
            pytest.param("'Got %(a)s.' % {x: b, 'a': c}", ("c",), id="beside a key that is none"),
            pytest.param("'Got %(a)s.' % {4: b, 'a': c}", ("c",), id="beside a number"),
            pytest.param("'Got %(a)s.' % b", ("a",), id="key of a mapping"),
            pytest.param("'Got {a}.'.format(a=b)", ("a",), id="keyword"),
            pytest.param("'%*d, %s.' % (5, a, b)", (None, "b"), id="behind a width"),
            pytest.param("'%-*.*f, %s.' % (5, 2, a, b)", (None, "b"), id="behind a precision"),
            pytest.param("'{:>{}}, {}.'.format(a, b, c)", (None, "c"), id="behind a nested number"),
            pytest.param("'{.x}, {}.'.format(a, b)", (None, "b"), id="behind an attribute"),
            pytest.param("'{[0]}, {}.'.format(a, b)", (None, "b"), id="behind an item"),
            pytest.param("'Got %(a)s.' % {'a': b, **c}", ("a",), id="key that may be replaced"),
            pytest.param("'Got %(a)s.' % {'a': b, x: c}", ("a",), id="key that another may equal"),
            pytest.param("'Got %(a)s.' % {**c, 'a': b}", ("b",), id="key that replaces"),
            pytest.param("'Got ' + str(a) + ', ' + b", ("a", "b"), id="added"),
        ],
    )
    def test_each_value_has_the_name_of_its_expression(
        self, expression: str, expected: tuple[str | None, ...]
    ) -> None:
        """Two names swapped would show one field's value under another's rule."""
        assert names(expression) == expected

    @pytest.mark.parametrize(
        "expression",
        [
            "'Got %r.' % a",
            "'Got %5s.' % a",
            "'Got %.2s.' % (a,)",
            "'Got %x.' % a",
            "'Got %(a)r.' % {'a': b}",
            "'Got %(a)5s.' % {'a': b}",
            "'Got %(a)-5s.' % b",
            "'Got %(a b)s.' % c",
            "'Got %(user.id)s.' % c",
            "'Got {!r}.'.format(a)",
            "'Got {:>9}.'.format(a)",
            "'Got {0!s:>9}.'.format(a)",
            "'Got {a!r}.'.format(a=b)",
            "'Got {a:>9}.'.format(a=b)",
            "'Got {a.b}.'.format(a=b)",
            "'Got {a}.'.format(**b)",
            "'Got {0.b}.'.format(a)",
            "f'Got {a!r}.'",
            "f'Got {a:>9}.'",
            "'Got ' + repr(a) + '.'",
        ],
    )
    def test_a_value_in_another_form_has_none(self, expression: str) -> None:
        """What stands in the text is not what the variable holds."""
        assert names(expression) == (None,)

    @pytest.mark.parametrize(
        "expression",
        [
            "'Got {0}.'.replace(a, b)",
            "'Got {}.'.join(a)",
            "x.format(a)",
            "'{} {}.'.format(*a, b)",
            "'%s %s.' % (a,)",
            "'%*s %s.' % (a, b)",
            "'%s %s %s.' % (*a, b, *c)",
            "'%(a(b))s %s.' % (a, b)",
            "'%s %s.' % a",
            "b'%s.' % a",
            "'Got {.' .format(a)",
            "'Got %s.' - a",
            "a + b",
            "a + str(b)",
            "4",
            "f'{a}'",
            "str(a)",
        ],
    )
    def test_what_is_no_such_message_is_none(self, expression: str) -> None:
        """Other methods, unpacked values, and texts of which the source says nothing."""
        assert built(expression) is None


class TestTemplate:
    def test_shows_no_constant_of_an_expression(self) -> None:
        """``{headers['x-api-key']}`` and ``{find('ada')}`` are left out, names are not."""
        found = built("f\"Got {headers['canary']}, {find('canary', 4)} and {user.email.upper()}.\"")
        assert found is not None
        assert found.template == "Got {}, {} and {user.email.upper()}."

    def test_a_long_expression_has_no_label(self) -> None:
        """A template stays a line that one can read."""
        found = built(f"f'Got {{{'f' * 20}({'a' * 20})}} and {{é()}}.'")
        assert found is not None
        assert found.template == "Got {} and {}."
