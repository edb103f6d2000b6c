"""Promises of `redaction.showing`: both ways show what the fields' judges let out, and no more."""

from __future__ import annotations

import datetime
import enum
import json
import threading
import uuid
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmlogging.fields import FIELDS, SHAPES, Field
from crmlogging.redaction import fitting, showing
from crmlogging.redaction.fitting import Fitting, encode, fitting_by, fitting_for
from crmlogging.redaction.showing import Showing

CHOSEN = next(field for field in FIELDS if field.name == "request.method")
SHAPED = [Field(shape, shape, "caller", "") for shape in SHAPES]
PLAIN: dict[str, Any] = {
    "int": 7,
    "float": 2.5,
    "bool": True,
    "timestamp": "2026-11-22T10:00:00Z",
    "enum": "A",
    "slug": "hubspot",
    "id": "c-17",
    "code": "A-1",
    "path": "/contacts",
    "text": "a word",
}
near = st.one_of(
    st.text(alphabet="aZ09_.:-", max_size=14),
    st.from_regex(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", fullmatch=True),
    st.sampled_from(
        [
            *("4111111111111111", "4111-1111-1111-1111", "ghp_12345678", "xoxb-1234567"),
            *("null", "nullable", "true", '"', ",", '","', "a,b", "\\", "é", "\ud800", "a\n"),
            *("[REDACTED]", "[TRUNCATED]", "PATCH", "GET|HEAD", "/contacts/4711", "DE89"),
            *("11111111-1111-1111-1111-111111111111", "FFFFFFFF-0000-0000-0000-000000000000"),
        ]
    ),
)
scalars = st.one_of(
    near,
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.sampled_from([10**11 - 1, 10**11, 4111111111111111, -1, -0.0, 1e16, 1e-7, 5e-324, 1.5e300]),
    st.floats(),
    st.text(max_size=6),
)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values are judged together from the third record on."""
    monkeypatch.setattr(showing, "_RECORDS_BEFORE", 2)


def judged(fittings: list[Fitting], values: tuple[Any, ...]) -> list[bytes] | None:
    """Return what the judges say, each for itself."""
    try:
        return [encode(each.fit(value)) for each, value in zip(fittings, values, strict=True)]
    except TypeError:
        return None


def warm(fittings: list[Fitting], values: tuple[Any, ...]) -> Showing:
    """Return what has shown these values, and judges together those that it can."""
    found = Showing(fittings)
    form = found._form(values)
    assert form is not None
    form.left = 1
    found.show(values)
    return found


def is_together(found: Showing) -> bool:
    """Tell whether most values of the last types are judged together."""
    return found._last.together is not None


def rest_of(found: Showing) -> int:
    """Return how many of them are left to their own judges."""
    assert found._last.together is not None
    return len(found._last.together.judges.kept)


class TestTogether:
    @pytest.mark.parametrize("field", [*SHAPED, CHOSEN], ids=lambda field: field.name)
    def test_whatever_stands_there_is_judged_as_its_field_says(self, field: Field) -> None:
        """Each shape, beside another of its kind, with any scalar in either place.

        Whatever stood there before: a value that is shown, or one that is withheld.
        """

        usual = PLAIN.get(field.name, "PATCH")
        before = st.one_of(st.just(usual), scalars)

        @given(first=scalars, second=scalars, before=st.tuples(before, before))
        @example(first=float("nan"), second="nullable", before=(2.5, "a"))
        @example(first=float("nan"), second=None, before=(2.5, None))
        @example(first=None, second=None, before=(None, None))
        @example(first="a,b", second='x","y', before=("not shown", "a"))
        @example(first="a", second="[TRUNCATED]", before=("not shown", "not shown"))
        @settings(max_examples=60, deadline=None)
        def holds(first: Any, second: Any, before: tuple[Any, Any]) -> None:
            fittings = [fitting_for(field), fitting_for(field), fitting_for(SHAPED[0])]
            found = warm(fittings, (*before, 1))
            for values in ((first, usual, 1), (usual, second, 1), (first, second, 1)):
                assert found.show(values) == judged(fittings, values)
            same = warm(fittings, (first, second, 1))
            assert same.show((first, second, 1)) == judged(fittings, (first, second, 1))

        holds()

    @given(values=st.lists(scalars, min_size=len(SHAPED), max_size=len(SHAPED)))
    @settings(max_examples=60, deadline=None)
    def test_fields_of_all_shapes_together(self, values: list[Any]) -> None:
        """Those that have no form of their own keep their places between the others."""
        fittings = [fitting_for(field) for field in SHAPED]
        found = warm(fittings, tuple(PLAIN[field.name] for field in SHAPED))
        assert is_together(found)
        assert rest_of(found) == 3  # timestamp, path and text
        assert found.show(tuple(values)) == judged(fittings, tuple(values))
        usual = tuple(PLAIN[field.name] for field in SHAPED)
        assert found.show(usual) == judged(fittings, usual)

    @pytest.mark.parametrize("at", [0, 1, 2])
    def test_a_number_that_is_none_is_no_null(self, at: int) -> None:
        """NaN is rendered as null, which a field may carry, and is withheld all the same."""
        fittings = [fitting_for(SHAPED[6]) for _ in range(3)]
        assert SHAPED[6].shape == "id"
        found = warm(fittings, ("a", "b", "c"))
        values: list[Any] = [None, None, None]
        values[at] = float("nan")
        assert found.show(tuple(values)) == judged(fittings, tuple(values))
        assert found.show((float("nan"), "null", "nullable")) == [
            b'"[REDACTED]"',
            b'"null"',
            b'"nullable"',
        ]

    def test_a_secret_between_plain_values_is_withheld(self) -> None:
        """However often plain values stood there before."""
        fittings = [fitting_for(Field(f"f{at}", "id", "caller", "")) for at in range(4)]
        found = warm(fittings, ("a", "b", "c", "d"))
        for secret in ("4111111111111111", "ada@example.com", 'x","y', "ghp_12345678"):
            shown = found.show(("a", secret, "c", "d"))
            assert shown == [b'"a"', b'"[REDACTED]"', b'"c"', b'"d"']

    def test_half_a_surrogate_pair_is_withheld(self) -> None:
        """It is no JSON, wherever it stands: beside plain values, or where others are refused."""
        fittings = [fitting_for(SHAPED[6]) for _ in range(3)]
        found = warm(fittings, ("a", "not for everybody", "c"))
        assert is_together(found)
        for values in (("a", "\ud800 or so", "c"), ("\ud800", "not for them", "\udfff")):
            assert found.show(values) == judged(fittings, values)
        text = fitting_for(SHAPED[9])
        found = warm([*fittings, text], ("a", "b", "c", "d e"))
        assert is_together(found)
        assert found.show(("a", "b", "c", "\ud800")) is None

    @pytest.mark.usefixtures("soon")
    def test_where_nothing_is_shown_as_it_is(self) -> None:
        """Refused values and a text: each stays in its place."""
        text, word = fitting_for(SHAPED[9]), fitting_for(SHAPED[6])
        for fittings in ([word, word, text], [text, word, word], [word, text, word]):
            values = tuple("a word" if each is text else "not for them" for each in fittings)
            found = Showing(fittings)
            for _ in range(5):
                assert found.show(values) == judged(fittings, values)
            assert rest_of(found) == 1

    def test_choices_of_any_characters(self) -> None:
        """A choice with a comma or a quotation mark takes no part."""
        odd = Field("odd", "enum", "caller", "", choices=("a,b", 'x"y', "c"))
        fittings = [fitting_for(SHAPED[6]), fitting_for(odd), fitting_for(SHAPED[6])]
        for choice in (*odd.choices, "d", "a"):
            found = warm(fittings, ("a", choice, "c"))
            for value in (*odd.choices, "d", "a"):
                values = ("a", value, "c")
                assert found.show(values) == judged(fittings, values)

    def test_masked_fields_take_no_part(self) -> None:
        """Nothing of theirs is plain."""
        masked = fitting_by(lambda value: "****")
        found = warm([fitting_for(SHAPED[6]), masked, fitting_for(SHAPED[6])], ("a", "b", "c"))
        assert is_together(found)
        assert rest_of(found) == 1
        assert found.show(("d", "e", "f")) == [b'"d"', b'"****"', b'"f"']


class TestHabit:
    @pytest.mark.usefixtures("soon")
    def test_a_call_that_is_made_often_gets_it(self) -> None:
        """And one whose values mostly fail loses it again."""
        found = Showing([fitting_for(SHAPED[6]) for _ in range(3)])
        assert not is_together(found)
        for _ in range(3):
            found.show(("a", "b", "c"))
        assert is_together(found)
        for _ in range(showing._FAILURES):
            assert is_together(found)
            found.show(("a", "not for everybody", "c"))
        assert not is_together(found)
        assert found._last.left == showing._RECORDS_BEFORE

    @pytest.mark.usefixtures("soon")
    def test_other_fields_are_chosen_the_next_time(self) -> None:
        """One that is withheld in each record is withheld with the others."""
        found = Showing([fitting_for(SHAPED[6]) for _ in range(3)])
        for _ in range(showing._FAILURES + 5):
            found.show(("a", "not for everybody", "c"))
        assert is_together(found)
        assert rest_of(found) == 0
        left = found._last.left
        assert found.show(("a", "nor for them", "c")) == [b'"a"', b'"[REDACTED]"', b'"c"']
        assert found._last.left == left
        assert found.show(("a", "b", "c")) == [b'"a"', b'"b"', b'"c"']
        assert found._last.left < left

    @pytest.mark.usefixtures("soon")
    @pytest.mark.parametrize("size", [0, 1, 2, 33])
    def test_few_fields_are_judged_one_by_one(self, size: int) -> None:
        """An expression for a single one saves nothing."""
        found = Showing([fitting_for(SHAPED[6]) for _ in range(size)])
        for _ in range(5):
            assert found.show(("a",) * size) == [b'"a"'] * size
        assert is_together(found) == (size > 1)
        left = found._last.left
        assert found.show(("b",) * size) == [b'"b"'] * size
        assert (found._last.left == left) == (size > 1)

    @pytest.mark.usefixtures("soon")
    @pytest.mark.parametrize("size", [32, 33])
    def test_many_fields_of_many_kinds_are_judged_one_by_one(self, size: int) -> None:
        """The expression for them takes too long to compile."""
        kinds = [fitting_for(SHAPED[6]), fitting_for(SHAPED[0])]
        found = Showing([kinds[at % 2] for at in range(size)])
        values: tuple[Any, ...] = tuple(("a", 7)[at % 2] for at in range(size))
        for _ in range(5):
            assert found.show(values) == judged([kinds[at % 2] for at in range(size)], values)
        assert is_together(found) == (size == 32)

    @pytest.mark.usefixtures("soon")
    def test_a_third_of_the_fields_is_enough(self) -> None:
        """Fewer are not worth the detour."""
        text, word = fitting_for(SHAPED[9]), fitting_for(SHAPED[6])
        for size in (6, 7):
            found = Showing([word, word, *[text] * (size - 2)])
            for _ in range(5):
                found.show(("a", "b", *["c d"] * (size - 2)))
            assert is_together(found) == (size == 6)
            left = found._last.left
            found.show(("e", "f", *["g h"] * (size - 2)))
            assert (found._last.left == left) == (size == 6)

    def test_large_records_get_it_sooner(self) -> None:
        """The more values a record has, the sooner the expression pays."""
        for size, before in ((2, 256), (8, 256), (64, 32), (4_096, 1)):
            found = Showing([fitting_for(SHAPED[6])] * size)
            for _ in range(before):
                assert not is_together(found)
                found.show(("a",) * size)
            assert is_together(found)


class Label(str):
    """A string with more to it."""

    __slots__ = ()


class Kind(enum.Enum):
    """What orjson would render by itself."""

    CONTACT = "contact"


class Meta(type):
    """A class of classes that says it equals any other."""

    def __eq__(cls, other: object) -> bool:
        raise AssertionError("foreign code ran")

    __hash__ = type.__hash__


class Foreign(metaclass=Meta):
    """Its class must not be compared."""


class TestTypes:
    @pytest.mark.parametrize(
        "value",
        [
            *(Label("a"), Kind.CONTACT, uuid.UUID(int=0), datetime.date(2026, 11, 22), b"a"),
            *([], ["a"], {}, {"a": 1}, (), Foreign()),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_only_scalars_are_shown(self, value: object) -> None:
        """Anything else goes the long way, even if it would be rendered as a plain text."""
        found = Showing([fitting_for(SHAPED[6]) for _ in range(3)])
        assert found.show(("a", value, "c")) is None
        found = warm([fitting_for(SHAPED[6]) for _ in range(3)], ("a", "b", "c"))
        assert found.show(("a", value, "c")) is None
        assert found.show(("a", "b", "c")) == [b'"a"', b'"b"', b'"c"']

    def test_equal_numbers_of_other_types(self) -> None:
        """One, 1.0 and True are three values."""
        found = Showing([fitting_for(SHAPED[6])])
        for value in (1, True, 1.0, True, 1, 1.0):
            assert found.show((value,)) == [encode(value)]

    def test_forms_are_bounded(self) -> None:
        """Types in ever new orders take no more memory."""
        found = Showing([fitting_for(SHAPED[6]) for _ in range(6)])
        for number in range(200):
            found.show(tuple("a" if number >> at & 1 else at for at in range(6)))
        assert len(found._forms) <= showing._FORMS_KEPT


class TestMemory:
    def test_it_is_bounded(self) -> None:
        """Ids without end are not remembered without end, nor are whole numbers."""
        one = fitting_for(SHAPED[6])
        found = Showing([one])
        for number in range(2_000):
            found.show((f"contact-of-{number}-there",))
            found.show((number,))
        assert len(one.kept[str]) <= fitting._KEPT
        assert len(one.kept[int]) <= fitting._FEW

    def test_nothing_withheld_is_remembered(self) -> None:
        """What does not get out does not stay in memory either."""
        one = fitting_for(SHAPED[6])
        found = Showing([one])
        for value in ("ada@example.com", "4111111111111111", "ghp_12345678"):
            for _ in range(3):
                assert found.show((value,)) == [b'"[REDACTED]"']
        assert not one.kept[str]

    @pytest.mark.parametrize("field", [*SHAPED, CHOSEN], ids=lambda field: field.name)
    def test_what_one_field_shows_another_may_withhold(self, field: Field) -> None:
        """A value remembered for one shape counts for no other."""
        for value in (7, 404, 2.5, True, "PATCH", "hubspot", "A-1", "/contacts"):
            fittings = [*map(fitting_for, SHAPED), fitting_for(field)]
            found = Showing(fittings)
            for _ in range(3):
                shown = found.show((value,) * len(fittings))
                assert shown == judged(fittings, (value,) * len(fittings))

    def test_threads(self) -> None:
        """Each gets its own values, whatever types and values the others have."""
        fittings = [fitting_for(SHAPED[6]) for _ in range(4)]
        found, wrong = warm(fittings, ("a",) * 4), []
        start = threading.Barrier(4)

        def work(seed: int) -> None:
            start.wait()
            for number in range(400):
                values: tuple[Any, ...] = (
                    *(f"{seed}-{number}", number if seed % 2 else None, "a b" * (number % 3)),
                    seed,
                )
                if found.show(values) != judged(fittings, values):
                    wrong.append(json.dumps(values))

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
