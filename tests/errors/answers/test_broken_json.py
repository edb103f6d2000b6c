"""Promises for bodies that are nearly JSON: what they told before the cut is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlogging.errors.answers.broken_json import completed, python_literal
from crmlogging.errors.classify import classify

WHOLE = '{"errors": [{"field": "email", "message": "is not valid", "n": 12}], "code": "BAD_DATA"}'
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


class TestCompleted:
    @pytest.mark.parametrize(
        ("cut", "tree"),
        [
            ('{"errors": [{"field": "email", "message": "is not va', {"message": "is not va"}),
            ('{"errors": [{"field": "email", "mess', {}),
            ('{"errors": [{"field": "email", "code": "BAD_DA', {}),
            ('{"errors": [{"field": "email", ', {}),
        ],
    )
    def test_what_was_told_is_kept(self, cut: str, tree: dict[str, str]) -> None:
        """A piece of a sentence is kept, a piece of a code or key is dropped."""
        assert completed(cut) == {"errors": [{"field": "email", **tree}]}

    @pytest.mark.parametrize("text", ["", "plain", "]", "{]", "[" * 100, WHOLE, "{" + " " * 70_000])
    def test_nothing_is_made_up(self, text: str) -> None:
        """What is no beginning of JSON, or all of it, or too much, stays unread."""
        assert completed(text) is None

    @given(VALUES, st.integers(1, 200))
    def test_any_cut(self, value: Any, length: int) -> None:
        """Any beginning of any JSON gives a tree or nothing, never an exception."""
        assert isinstance(completed(json.dumps([value])[:length]), (list, dict, type(None)))

    def test_an_error_keeps_its_field(self) -> None:
        """A cut-off answer still names the field; under a success it is still cut off."""
        failed = classify(status=400, body=WHOLE[:60])
        assert failed is not None
        assert [each.field for each in failed.fields] == ["email"]
        good = classify(status=200, body='{"data": [{"id": 1}, {"i')
        assert good is not None
        assert good.reason == "TRUNCATED"


class TestPythonLiteral:
    def test_details_of_django_rest_framework(self) -> None:
        """``repr`` of a serializer's errors is read like the errors."""
        text = "{'zip': [ErrorDetail(string=\"can't be blank\", code='blank')], 'n': None}"
        assert python_literal(text) == {"zip": ["can't be blank"], "n": None}

    @pytest.mark.parametrize("text", ["{'a': f()}", "'" * 9, "{'a'", "ErrorDetail(None"])
    def test_code_is_not_run(self, text: str) -> None:
        """Anything but a literal mapping or list is nothing."""
        assert python_literal(text) is None
