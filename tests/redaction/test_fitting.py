"""Promises of `redaction.fitting`: a value is shown as its field's shape has it, or not at all."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crmlogging.exceptions import Problems
from crmlogging.fields import FIELDS, MISFIT, SHAPES, Field, conform, field_named
from crmlogging.fields.route_words import words
from crmlogging.fields.routes import KEPT, known
from crmlogging.redaction import fitting
from crmlogging.redaction import fitting as fitting_module
from crmlogging.redaction.fitting import REDACTED, Fit, fitting_by, fitting_for
from crmlogging.redaction.patterns import compile_patterns
from crmlogging.redaction.projection import Projection

NUMBERS = [0, 1, 7, 204, 999, 1_000, 4_915_112_345, 10**11, -5, 0.0, 2.5, -1.5, 4.9e9, True, False]


def fit_of(fields: list[Any], name: str) -> Fit:
    """Return what judges the values of the field `name` of an allowlist."""
    problems = Problems("test")
    node = compile_patterns(fields, None, None, problems)
    problems.raise_if_any()
    for part in name.split("."):
        node = node.children[part]
    assert node.fit is not None
    return node.fit


class TestNumbers:
    @pytest.mark.parametrize("shape", sorted(SHAPES))
    def test_a_number_is_what_its_shape_says(self, shape: str) -> None:
        """A telephone number is no slug because it is an integer, and 2.5 is no count."""
        fit = fit_of([{"x": shape}], "x")
        for _ in range(2):
            for number in NUMBERS:
                shaped = SHAPES[shape](number)
                expected = REDACTED if shaped is MISFIT else shaped
                assert (type(fit(number)), fit(number)) == (type(expected), expected)

    @pytest.mark.parametrize("field", [each for each in FIELDS if each.choices])
    def test_no_number_is_a_choice(self, field: Any) -> None:
        """Of a field with fixed values those are shown and no other."""
        assert conform(field, 7) is MISFIT
        fit = fit_of([field.name], field.name) if field.writer != "formatter" else None
        if fit is not None:
            assert [fit(number) for number in NUMBERS] == [REDACTED] * len(NUMBERS)

    @pytest.mark.parametrize("shape", ["id", "int", "float"])
    @pytest.mark.parametrize(
        "number",
        [4111111111111111, -5500000000000004, 4111111111111111.0, -4111111111111111.5],
    )
    def test_a_card_is_no_number(self, number: float, shape: str) -> None:
        """What has the digits of a card is withheld as a number too, in each way to show it."""
        fitting = fitting_for(Field("x", shape, "caller", ""))
        assert fitting.fit(number) == REDACTED
        encoder = fitting.encoders.get(type(number))
        assert encoder is None or encoder(number) == b'"[REDACTED]"'
        assert fitting.plain
        forms = fitting.plain.values()
        assert not any(re.fullmatch(each, json.dumps(number)) for each in forms)

    @pytest.mark.parametrize("number", [-5.25, 1732284000000.5, 1e17, -1e300, 5e-324, 1.5e-7])
    def test_other_fractions_are_shown(self, number: float) -> None:
        """Durations, moments, masses of stars."""
        fitting = fitting_for(Field("x", "float", "caller", ""))
        assert fitting.fit(number) == number
        assert json.loads(fitting.encoders[float](number)) == number

    @pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf"), 10**400])
    def test_what_json_has_not_is_withheld_or_shaped(self, number: float) -> None:
        """Neither NaN nor infinity stands in a line."""
        field = field_named("request.duration_ms")
        assert field is not None
        shown = fit_of(["request.duration_ms"], "request.duration_ms")(number)
        assert shown == REDACTED or shown == conform(field, number)


class TestTexts:
    @pytest.mark.parametrize("secret", ["ghp_12345678", "xoxb-1234567", "ghp_" + "a1B2" * 9])
    def test_a_token_of_the_shape_is_withheld(self, secret: str) -> None:
        """A token has the shape of an id, the shortest one too."""
        fit = fit_of(["x"], "x")
        assert [fit(secret), fit(secret)] == [REDACTED, REDACTED]


class TestRemembering:
    def test_a_text_that_is_scrubbed_is_scrubbed_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It comes again in the next record of a storm; what was in it is not kept meanwhile."""
        asked: list[str] = []

        def scrubbed(text: str) -> str:
            asked.append(text)
            return text.replace("ada@example.com", "[EMAIL]")

        monkeypatch.setattr(fitting, "scrub", scrubbed)
        encoder = fitting_for(Field("x", "text", "caller", "")).encoders[str]
        for _ in range(3):
            assert encoder("by ada@example.com") == b'"by [EMAIL]"'
            assert encoder("by nobody") == b'"by nobody"'
        assert asked == ["by ada@example.com", "by nobody"]
        long = "by ada@example.com, " * 10
        assert encoder(long) == encoder(long)
        assert asked[2:] == [long, long]

        def contents(found: object) -> list[object]:
            return [cell.cell_contents for cell in getattr(found, "__closure__", None) or ()]

        (remembered,) = [each for each in contents(encoder) if isinstance(each, dict)]
        assert "ada" not in repr(remembered)

    def test_what_is_remembered_is_bounded(self) -> None:
        """However many values there are."""
        encoder = fitting_by(lambda value: f"{value}!", steadily=True).encoders[str]
        for number in range(2_000):
            assert encoder(f"v{number}") == b'"v%d!"' % number
        closure = encoder.__closure__ or ()
        (remembered,) = [c.cell_contents for c in closure if isinstance(c.cell_contents, dict)]
        assert len(remembered) <= fitting._KEPT

    def test_a_mask_with_a_key_is_asked_each_time(self) -> None:
        """Keys are changed while the program runs."""
        keys = [b"k" * 32]
        projection = Projection([], mask={"user": "hmac"}, hmac_key=lambda: keys[-1])
        show = projection.shows("user")
        shown = show("ada")
        keys.append(b"l" * 32)
        assert show("ada") != shown
        assert fitting_by(str).encoders == {}


class TestRoutes:
    @pytest.mark.parametrize(
        ("path", "route"),
        [
            ("/contacts/4711", "/contacts/{id}"),
            ("/contacts/4711/notes", "/contacts/{id}/notes"),
            ("/crm/v3/objects/deals/0f1b-31", "/crm/v3/objects/deals/{id}"),
            ("/v12.34/deals", "/v12.34/deals"),
            ("/v123/deals", "/{id}/deals"),
            ("/a1/maria", "/{id}/{id}"),
            ("/contacts/maria", "/contacts/{id}"),
            ("/contacts/4111111111111111?x=1#y", "/contacts/{id}"),
        ],
    )
    def test_a_path_is_shown_as_its_route(self, path: str, route: str) -> None:
        """A part with a digit is an id, and so is every word that no route is known to have."""
        fit = fit_of([{"x": "path"}], "x")
        assert [fit(path), fit(path), fit(route)] == [route] * 3

    def test_routes_are_bounded(self) -> None:
        """Ever new words of routes are not remembered without end."""
        fit = fit_of([{"x": "path"}], "x")
        some = sorted(words())[:50]
        for first in some:
            for second in some:
                fit(f"/{first}/{second}")
        assert 0 < len(known) <= KEPT


FORMED = [
    *(Field(shape, shape, "caller", "") for shape in SHAPES),
    Field("choice", "enum", "caller", "", choices=("PATCH", "a.b")),
    Field("odd", "enum", "caller", "", choices=("PÄTCH", "a\x7fb")),
]


class TestForms:
    @given(
        value=st.text(max_size=40)
        | st.text("aB1_.:-\x7f é", max_size=20)
        | st.sampled_from(["PÄTCH", "a\x7fb", "ghp_12345678", "[REDACTED]", "٣٤", "1" * 16])
        | st.integers()
        | st.floats()
        | st.sampled_from([True, False, None, 10**11, 4111111111111111])
    )
    @example(value="é")
    @example(value="\x7f")
    def test_what_has_a_form_is_shown_in_printable_ascii(self, value: Any) -> None:
        """A line of such values is never searched for what has to be escaped."""
        for field in FORMED:
            fitting = fitting_for(field)
            if not fitting.plain.get(type(value)):
                continue
            judge = fitting.encoders.get(type(value))
            try:
                shown = judge(value) if judge else fitting_module.encode(fitting.fit(value))
            except TypeError:
                continue
            assert shown.decode("ascii").isprintable()
