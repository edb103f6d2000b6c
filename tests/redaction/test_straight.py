"""Promises of `redaction.straight`: whatever came before, a line is what its values make it."""

from __future__ import annotations

import gc
import threading
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmlogging.fields import SHAPES, Field
from crmlogging.redaction import straight
from crmlogging.redaction.fitting import Fitting, encode, fitting_by, fitting_for
from crmlogging.redaction.picking import Picking
from crmlogging.redaction.straight import Straight

SHAPED = [Field(shape, shape, "caller", "") for shape in SHAPES]
ID = SHAPED[6]
GIVEN = ((), 1.0, b'"MainThread"', "i-1")


class Listing:
    """Ends in the values and all that was given, a line each."""

    def finish(self, shown: Sequence[bytes], created: float, thread: bytes, identity: str) -> bytes:
        return b"\n".join([*shown, b"%r" % created, thread, identity.encode()])

    def written(
        self, parts: Sequence[str | bytes], names: dict[str, Any], *, printable: bool
    ) -> list[str]:
        texts = []
        for at, part in enumerate(parts):
            if isinstance(part, bytes):
                names[f"part{at}"] = part
            texts.append(part if isinstance(part, str) else f"part{at}")
        names["join"] = b"\n".join
        last = 'b"%r" % created, thread, identity.encode()'
        return [f" return join(({''.join(f'{text}, ' for text in texts)} {last}))"]


class Taking(Picking):
    """Of a message without arguments."""

    def values(self, mapping: dict[Any, Any], args: object = ()) -> Sequence[object] | None:
        return super().values(mapping)


def straight_of(fittings: Sequence[Fitting]) -> Straight:
    names = tuple(f"f{at}" for at in range(len(fittings)))
    return Straight(Taking(names, dict.fromkeys(names)), tuple(fittings), Listing())


def mapped(values: Sequence[object]) -> dict[str, object]:
    return {f"f{at}": value for at, value in enumerate(values)}


def line_of(found: Straight, mapping: dict[str, Any]) -> bytes | None:
    """Ask as a handler does."""
    try:
        line = found.quick(mapping, *GIVEN)
        return found.slowly(mapping, *GIVEN) if line == b"" else line
    except TypeError:
        return None


def judged(fittings: Sequence[Fitting], values: Sequence[object]) -> bytes | None:
    """Return the line that the judges make, each for itself."""
    try:
        shown = [encode(each.fit(value)) for each, value in zip(fittings, values, strict=True)]
    except TypeError:
        return None
    return Listing().finish(shown, *GIVEN[1:])


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions are written from the third record on, and anew after two misses."""
    monkeypatch.setattr(straight, "_RECORDS_BEFORE", 2)
    monkeypatch.setattr(straight, "_TOLERANCE", 2)


near = st.sampled_from(
    [
        *("c-17", "acme", "hubspot", "A-1", "/contacts", "/contacts/4711", "a word", "", "PATCH"),
        *("4111111111111111", "ghp_12345678", "not shown", "[REDACTED]", '"', ",", "a,b", "é"),
        *("\ud800", "11111111-1111-1111-1111-111111111111", "ada@example.com", "2026-11-22"),
        *(None, True, False, 0, 1, 7, 200, 10**11, -1, 10**20, 2.5, float("nan"), -0.0, 1e300),
    ]
)
scalars = near | st.text(max_size=4) | st.integers(-3, 1_100) | st.floats()


class TestLines:
    @given(
        records=st.lists(st.lists(near, min_size=3, max_size=3), min_size=3, max_size=5),
        order=st.lists(st.integers(0, 4), min_size=8, max_size=24),
        last=st.lists(scalars, min_size=3, max_size=3),
        at=st.lists(st.integers(0, len(SHAPED) - 1), min_size=3, max_size=3),
    )
    @example(
        records=[["acme", 1, 2.5], ["acme", 1, 3.5], ["acme", True, 2.5]],
        order=[0, 0, 0, 1, 2, 2, 2, 2, 1, 0, 2],
        last=["4111111111111111", 1, None],
        at=[6, 6, 6],
    )
    @settings(max_examples=120, deadline=None)
    def test_no_history_changes_a_line(
        self, records: list[list[Any]], order: list[int], last: list[Any], at: list[int]
    ) -> None:
        """Records come again in any order, the very same objects, and then one of its own."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(straight, "_RECORDS_BEFORE", 2)
            patch.setattr(straight, "_TOLERANCE", 2)
            fittings = [fitting_for(SHAPED[each]) for each in at]
            found = straight_of(fittings)
            for number in order:
                values = records[number % len(records)]
                assert line_of(found, mapped(values)) == judged(fittings, values)
            assert line_of(found, mapped(last)) == judged(fittings, last)

    @pytest.mark.usefixtures("soon")
    def test_what_was_always_the_same_object_is_no_other(self) -> None:
        """Neither an equal number of another type nor an equal string of another class."""

        class Text(str):
            pass

        fittings = [fitting_for(ID), fitting_for(ID)]
        found = straight_of(fittings)
        for _ in range(5):
            assert line_of(found, mapped((1, "acme"))) == judged(fittings, (1, "acme"))
        for values in ((True, "acme"), (1.0, "acme")):
            assert line_of(found, mapped(values)) == judged(fittings, values)
        assert line_of(found, mapped((1, Text("acme")))) is None

    @pytest.mark.usefixtures("soon")
    def test_other_names_are_not_known(self) -> None:
        """Another name, one more, one less, another order, and a key that only seems to be it."""

        class Key(str):
            def __eq__(self, other: object) -> bool:
                raise AssertionError("its code runs")

            __hash__ = str.__hash__

        found = straight_of([fitting_for(ID), fitting_for(ID)])
        for _ in range(5):
            line_of(found, {"f0": "a", "f1": "b"})
        others: list[dict[str, Any]] = [
            {"f0": "a", "f2": "b"},
            {"f0": "a"},
            {"f0": "a", "f1": "b", "f2": "c"},
            {"f1": "b", "f0": "a"},
            {Key("f0"): "a", "f1": "b"},
        ]
        for mapping in others:
            assert line_of(found, mapping) is None

    @pytest.mark.usefixtures("soon")
    def test_mappings_inside(self) -> None:
        """Their values are picked, and other keys in there are not known either."""
        inner = Picking(("x", "y"), {"y": None})
        picking = Taking(("a", "in", "b"), {"a": None, "in": inner, "b": None})
        fittings = tuple(fitting_for(ID) for _ in range(3))
        found = Straight(picking, fittings, Listing())
        for number in range(6):
            values = ("a", f"y{number}", "b")
            mapping: dict[str, Any] = {"a": "a", "in": {"x": "no", "y": f"y{number}"}, "b": "b"}
            assert line_of(found, mapping) == judged(fittings, values)
        assert line_of(found, {"a": "a", "in": {"y": "1", "x": "no"}, "b": "b"}) is None
        assert line_of(found, {"a": "a", "in": None, "b": "b"}) is None

    @pytest.mark.usefixtures("soon")
    @pytest.mark.parametrize("size", [0, 1, 40])
    def test_any_number_of_values(self, size: int) -> None:
        """None, one and many."""
        fittings = [fitting_for(ID) for _ in range(size)]
        found = straight_of(fittings)
        for number in range(9):
            values = [f"v{number}-{at}" if at % 3 else "same" for at in range(size)]
            assert line_of(found, mapped(values)) == judged(fittings, values)

    @given(
        values=st.lists(st.text('a," \\\\[]é', max_size=6), min_size=2, max_size=5),
        learned=st.sampled_from(["not shown", "a-17"]),
    )
    @example(values=['b c",', ",", ",", "]"], learned="not shown")
    @example(values=['a b"', ' "c d'], learned="not shown")
    @settings(max_examples=300, deadline=None)
    def test_a_quotation_mark_ends_no_value(self, values: list[str], learned: str) -> None:
        """What is withheld is read no further than need be, and never taken for two values."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(straight, "_RECORDS_BEFORE", 2)
            fittings = [fitting_for(ID) for _ in values]
            found = straight_of(fittings)
            for number in range(3):
                line_of(found, mapped([f"{learned} {number}" for _ in values[1:]] + ["a-1"]))
            assert line_of(found, mapped(values)) == judged(fittings, values)


NUMBERS = [
    *(0, 1, 999, 1_000, 10**11 - 1, 10**11, 4111111111111111, 10**20, -1, -(10**11), True),
    *(0.5, -0.0, -2.5, 1e-7, 1e10 + 0.5, 99999999999.5, 1e11, -1e11, 4111111111111111.0, 1e300),
    *(float("nan"), float("inf"), float("-inf")),
]


@pytest.mark.parametrize("field", SHAPED, ids=lambda field: str(field.shape))
@pytest.mark.parametrize("first", [b"7000", b"7.25"])
@pytest.mark.usefixtures("soon")
def test_every_number_is_judged_as_its_field_does(field: Field, first: bytes) -> None:
    """A card's number, or one that JSON has no word for, is no exception to what came before."""
    fittings = [fitting_for(field), fitting_for(ID)]
    found = straight_of(fittings)
    for _ in range(12):  # equal, and never the same object
        line_of(found, mapped([orjson.loads(first), "same"]))
    for number in NUMBERS:
        assert line_of(found, mapped([number, "same"])) == judged(fittings, [number, "same"])


@pytest.mark.usefixtures("soon")
class TestWriting:
    def test_a_call_made_often_has_a_function(self) -> None:
        """It answers by itself from then on."""
        found = straight_of([fitting_for(ID), fitting_for(ID)])
        for number in range(2):
            assert found.quick(mapped(("acme", f"c-{number}")), *GIVEN) == b""
            found.slowly(mapped(("acme", f"c-{number}")), *GIVEN)
        assert found.quick(mapped(("acme", "c-9")), *GIVEN)

    def test_it_is_written_anew_when_values_change_for_good(self) -> None:
        """What was constant is looked up, and what had one form is judged by itself."""
        fittings = [fitting_for(ID) for _ in range(3)]
        found = straight_of(fittings)
        for number in range(3):
            line_of(found, mapped(("acme", f"c-{number}", f"d-{number}")))
        functions = set()
        for number in range(60):
            line_of(found, mapped((f"tenant-{number}", f"no id, {number}", f"d-{number}")))
            functions.add(found.quick)
        assert 2 <= len(functions) <= 4
        values = ("tenant-x", "no id", "d-x")
        assert found.quick(mapped(values), *GIVEN) == judged(fittings, values)

    def test_one_odd_record_changes_nothing(self) -> None:
        """The function stays what it is for the others."""
        found = straight_of([fitting_for(ID), fitting_for(ID)])
        for number in range(4):
            line_of(found, mapped(("acme", f"c-{number}")))
        function = found.quick
        line_of(found, mapped(("zoho", "c-5")))
        assert found.quick is function

    def test_types_that_take_turns_keep_their_functions(self) -> None:
        """As durations do that are now 3, now 2.5."""
        fittings = [fitting_for(ID), fitting_for(ID)]
        found = straight_of(fittings)
        for number in range(12):
            values = ("acme", number if number % 2 else number + 0.5)
            assert line_of(found, mapped(values)) == judged(fittings, values)
        whole = found.quick
        line_of(found, mapped(("acme", 2.5)))
        fraction = found.quick
        line_of(found, mapped(("acme", 7)))
        assert (found.quick is whole, fraction is whole) == (True, False)

    def test_no_value_that_is_withheld_is_kept(self) -> None:
        """Neither refused nor masked, nor a long one, however often it came."""
        masked = fitting_by(lambda value: value)
        fittings = [fitting_for(ID), masked, fitting_for(SHAPED[9])]
        values = ("ada lovelace", "secret-17", "long " * 40)
        found = straight_of(fittings)
        for _ in range(6):
            assert line_of(found, mapped(values)) == judged(fittings, values)
        assert found.quick(mapped(values), *GIVEN)
        assert not {id(value) for value in found.quick.__globals__.values()} & set(map(id, values))

    def test_forms_are_bounded(self) -> None:
        """Values of ever other types are not remembered for ever."""
        found = straight_of([fitting_for(ID) for _ in range(5)])
        kinds = [1, "a", 2.5, None, True]
        for number in range(200):
            values = [kinds[number // 5**at % 5] for at in range(5)]
            line_of(found, mapped(values))
        assert len(found._forms) <= straight._FORMS_KEPT

    def test_threads_that_write_at_once(self) -> None:
        """Each gets the line of its own values."""
        fittings = [fitting_for(ID) for _ in range(3)]
        found = straight_of(fittings)
        wrong: list[Sequence[object]] = []

        def work(thread: int) -> None:
            for number in range(300):
                values = (f"t-{thread}", number if number % 7 else None, "same")
                if line_of(found, mapped(values)) != judged(fittings, values):
                    wrong.append(values)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert wrong == []


@pytest.mark.usefixtures("soon")
def test_where_threads_take_no_turns_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """There a mapping may change at any time: values are taken by their names."""
    monkeypatch.setattr(straight, "_runs_one_thread", lambda: False)
    fittings = [fitting_for(ID), fitting_for(ID)]
    found = straight_of(fittings)
    for number in range(12):
        assert line_of(found, mapped([f"v{number}", "same"])) == judged(
            fittings, [f"v{number}", "same"]
        )
    assert found.quick is straight._unknown


@pytest.mark.usefixtures("soon")
class TestBound:
    @pytest.fixture(autouse=True)
    def few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Something is known of two hundred values at most."""
        monkeypatch.setattr(straight, "_VALUES_KEPT", 200)
        monkeypatch.setattr(straight, "_bound", straight._Bound())

    def test_what_all_calls_know_is_bounded(self) -> None:
        """Lines are the same while it is forgotten; calls that take turns are written in turn."""
        fittings = [fitting_for(ID) for _ in range(9)]
        calls = [straight_of(fittings) for _ in range(30)]
        written = set()
        for number in range(60):
            for call in calls:
                values = [number % 3 or "a", *(f"v{number}-{at}" for at in range(8))]
                assert line_of(call, mapped(values)) == judged(fittings, values)
                assert sum(each.held for each in calls) <= 200
            assert all(len(each._forms) * 10 == each.held for each in calls)
            written |= {id(each) for each in calls if each.quick is not straight._unknown}
        assert len(written) > 10

    def test_one_call_of_many_types_is_no_burden_on_others(self) -> None:
        """What it forgets by itself counts no more."""
        fittings = [fitting_for(ID) for _ in range(9)]
        other, restless = straight_of(fittings), straight_of(fittings)
        for number in range(9):
            line_of(other, mapped([f"v{number}-{at}" for at in range(9)]))
        quick = other.quick
        kinds = [1, "a", 2.5, None, True]
        for number in range(300):
            line_of(restless, mapped([kinds[number // 5**at % 5] for at in range(9)]))
        assert other.quick is quick is not straight._unknown

    def test_calls_that_are_gone_count_no_more(self) -> None:
        """As those of handlers that were closed."""
        fittings = [fitting_for(ID) for _ in range(9)]
        first = straight_of(fittings)
        for number in range(9):
            line_of(first, mapped([f"v{number}-{at}" for at in range(9)]))
        quick = first.quick
        for _ in range(100):
            line_of(straight_of(fittings), mapped(["a"] * 9))
        gc.collect()
        assert first.quick is quick is not straight._unknown
