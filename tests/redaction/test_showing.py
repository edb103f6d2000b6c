"""Promises of `redaction.showing`: both ways show what the judges let out, and no more."""

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
    "int": 7_000,  # small ones may be known already
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
    form = found._forms.of(values)
    assert form is not None
    form.show = form.write
    found.show(values)
    return found


def is_written(found: Showing) -> bool:
    """Tell whether values of the last types are shown by a function of their own."""
    return found._last._together is not None


def is_together(found: Showing) -> bool:
    """Tell whether it judges some values together."""
    return any(found._last._together or ())


def rest_of(found: Showing) -> int:
    """Return how many of them are left to their own judges."""
    assert found._last._together is not None
    return len(found._last._types) - sum(map(len, found._last._together))


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
        found = warm([*fittings, text], ("d", "e", "f", "g h"))
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
    def test_a_call_that_is_made_often_gets_a_function(self) -> None:
        """And one whose values mostly fail gets another, for twice as long."""
        found = Showing([fitting_for(SHAPED[6]) for _ in range(3)])
        for _ in range(3):
            assert not is_written(found)
            found.show(("a", "b", "c"))
        assert is_together(found)
        assert found._last.left == 2 * 2 - 1
        found.show(("a", "not for everybody", "c"))
        found.show(("a", "not for everybody", "c"))
        assert is_written(found)
        assert not is_together(found)

    def test_few_failures_are_borne(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A value in ten that is refused is judged by itself, and so are those beside it."""
        monkeypatch.setattr(showing, "_RECORDS_BEFORE", 100)
        found = Showing([fitting_for(SHAPED[6]) for _ in range(3)])
        for number in range(400):
            values = ("a", "b" if number % 10 != 5 else "not for everybody", "c")
            shown = found.show(values)
            assert shown == judged([fitting_for(SHAPED[6])] * 3, values)
        assert is_together(found)

    @pytest.mark.usefixtures("soon")
    def test_other_fields_are_chosen_the_next_time(self) -> None:
        """One that is withheld in each record is withheld with the others."""
        found = Showing([fitting_for(SHAPED[6]) for _ in range(3)])
        for _ in range(3):
            found.show(("a", "b", "c"))
        for _ in range(100):
            found.show(("a", "not for everybody", "c"))
        assert is_together(found)
        assert rest_of(found) == 0
        assert found._last._failures == 0
        assert found.show(("a", "nor for them", "c")) == [b'"a"', b'"[REDACTED]"', b'"c"']
        assert found._last._failures == 0
        assert found.show(("a", "b", "c")) == [b'"a"', b'"b"', b'"c"']
        assert found._last._failures == 1

    @pytest.mark.usefixtures("soon")
    def test_values_that_change_all_the_time_are_not_tried_for_ever(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """To compile costs more than it saves."""
        written = 0
        real = showing._written

        def counted(*given: Any) -> Any:
            nonlocal written
            written += 1
            return real(*given)

        monkeypatch.setattr(showing, "_written", counted)
        found = Showing([fitting_for(SHAPED[6]) for _ in range(3)])
        for number in range(5_000):
            found.show(("a", ("b", "not for everybody")[number // 7 % 2], "c"))
        assert 2 <= written <= 20

    @pytest.mark.usefixtures("soon")
    @pytest.mark.parametrize("size", [0, 1, 2, 33])
    def test_a_single_field_is_judged_by_itself(self, size: int) -> None:
        """An expression for one saves nothing."""
        found = Showing([fitting_for(SHAPED[6]) for _ in range(size)])
        for _ in range(5):
            assert found.show(("a",) * size) == [b'"a"'] * size
        assert is_written(found)
        assert is_together(found) == (size > 1)

    @pytest.mark.usefixtures("soon")
    @pytest.mark.parametrize("size", [32, 33])
    def test_many_fields_of_many_kinds_are_judged_one_by_one(self, size: int) -> None:
        """The expression for them takes too long to compile."""
        kinds = [fitting_for(SHAPED[6]), fitting_for(SHAPED[0])]
        fittings = [kinds[at % 2] for at in range(size)]
        found = Showing(fittings)
        for number in range(5):
            values = tuple((f"a{number}", 7_000 + number)[at % 2] for at in range(size))
            assert found.show(values) == [encode(value) for value in values]
        assert is_together(found) == (size == 32)

    @pytest.mark.usefixtures("soon")
    def test_what_is_known_is_looked_up(self) -> None:
        """Only the others are judged together."""
        fittings = [fitting_for(SHAPED[6]) for _ in range(4)]
        fittings[0].fit("hubspot")
        found = Showing(fittings)
        for number in range(5):
            values = ("hubspot", f"a{number}", f"b{number}", f"c{number}")
            assert found.show(values) == [encode(value) for value in values]
        assert rest_of(found) == 1
        for value in ("zoho", "not for everybody", "4111111111111111"):
            values = (value, "a", "b", "c")
            assert found.show(values) == judged(fittings, values)

    def test_large_records_get_it_sooner(self) -> None:
        """The more values a record has, the sooner it pays."""
        for size, before in ((2, 256), (8, 256), (64, 32), (800, 2)):
            found = Showing([fitting_for(SHAPED[6])] * size)
            for _ in range(before):
                assert not is_written(found)
                found.show(("a",) * size)
            found.show(("a",) * size)
            assert is_written(found)


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

    @pytest.mark.parametrize("together", [True, False])
    def test_each_place_is_looked_at(self, together: bool) -> None:
        """Whatever stands in the others, and however often they were shown."""
        fittings = [fitting_for(SHAPED[6]) for _ in range(3)]
        for each, word in zip(fittings, "abc", strict=True):
            if not together:
                each.fit(word)
        found = warm(fittings, ("a", "b", "c"))
        assert is_together(found) == together
        odd: list[object] = [Kind.CONTACT, {}, Foreign()]
        for at in range(3):
            values: list[Any] = ["a", "b", "c"]
            for value in (Label(values[at]), *odd):
                assert found.show(("a", "b", "c")) == [b'"a"', b'"b"', b'"c"']
                values[at] = value
                assert found.show(tuple(values)) is None
            assert found.show(("a", "b", "c")) == [b'"a"', b'"b"', b'"c"']
            values[at] = 4111111111111111
            assert found.show(tuple(values)) == judged(fittings, tuple(values))

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
