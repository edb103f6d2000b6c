"""Promises of `crmlogging.redaction.values`: foreign kinds are read without running their code."""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import itertools
import pathlib
import types
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import attrs
import numpy
import pydantic
import pytest

from crmlogging.fields import MISFIT
from crmlogging.redaction.values import Lazy, Members, Pairs, scalar_of, unfold


class Touched(BaseException):
    """Foreign code ran; not an Exception, so that nothing swallows it."""


def forbidden(*_: object, **__: object) -> Any:
    raise Touched


HOSTILE = dict.fromkeys(
    (
        *("__repr__", "__str__", "__getattr__", "__getattribute__", "__iter__", "__len__"),
        *("__bool__", "__hash__", "__eq__", "__int__", "__float__", "__index__", "__format__"),
        *("__getitem__", "__contains__", "keys", "items", "values", "get", "decode", "__next__"),
        *("__json__", "__call__", "__copy__", "__reduce__", "isoformat", "tzinfo", "hex"),
    ),
    forbidden,
)
LYING = {**HOSTILE, "__class__": property(lambda self: str), "__dict__": property(forbidden)}


def hostile(base: type, *arguments: Any) -> Any:
    """An instance of a subclass of `base` whose every method fails the test."""
    return base.__new__(type("Hostile", (base,), dict(HOSTILE)), *arguments)


class Colour(enum.Enum):
    RED = "red"
    MIX = ("a", "b")


class Text(enum.StrEnum):
    ONE = "one"


class Number(enum.IntEnum):
    TWO = 2


class Point(NamedTuple):
    id: int
    email: str


@dataclasses.dataclass
class Contact:
    id: int
    email: str = "x"

    @property
    def name(self) -> str:
        return str(forbidden())


@dataclasses.dataclass(slots=True, frozen=True)
class Slotted:
    id: int
    email: str = "x"


@attrs.define
class Attrs:
    id: int
    email: str = "x"


@attrs.define(slots=False)
class AttrsDict:
    id: int
    email: str = "x"


class Model(pydantic.BaseModel):
    id: int
    email: str = "x"

    @pydantic.computed_field  # type: ignore[prop-decorator]  # as pydantic documents it
    @property
    def name(self) -> str:
        return str(forbidden())


class Headers(Mapping[str, str]):
    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getitem__(self, key: str) -> str:
        self.asked.append(key)
        return "value"

    def __iter__(self) -> Iterator[str]:
        return iter(["id", "email"])

    def __len__(self) -> int:
        return 2


class Row(Sequence[Any]):
    def __getitem__(self, at: Any) -> Any:
        if at < 3:
            return at
        raise IndexError

    def __len__(self) -> int:
        return 3


class TestScalars:
    @pytest.mark.parametrize(
        ("value", "plain"),
        [
            (Colour.RED, "red"),
            (Colour.MIX, MISFIT),
            (Text.ONE, "one"),
            (Number.TWO, 2),
            (decimal.Decimal("12"), 12),
            (decimal.Decimal("12.5"), 12.5),
            (decimal.Decimal("1e999999999"), float("inf")),
            (decimal.Decimal("NaN"), MISFIT),
            (decimal.Decimal("sNaN"), MISFIT),
            (decimal.Decimal("Infinity"), MISFIT),
            (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
            (pathlib.PurePosixPath("/contacts/1"), "/contacts/1"),
            (datetime.datetime(2026, 11, 22, 3, tzinfo=datetime.UTC), "2026-11-22T03:00:00.000Z"),
            (datetime.datetime(2026, 11, 22, 3), "2026-11-22T03:00:00"),  # noqa: DTZ001  # naive
            (datetime.date(2026, 11, 22), "2026-11-22"),
            (datetime.time(3, 4), "03:04:00"),
            (datetime.timedelta(minutes=1), 60.0),
            (b"c-1", "c-1"),
            (bytearray(b"c-1"), "c-1"),
            (b"\xff", MISFIT),
            (b"x" * 10_000, MISFIT),
            (numpy.int64(5), 5),
            (numpy.float32(0.5), 0.5),
            (numpy.bool_(True), True),
            (numpy.str_("c-1"), "c-1"),
            (numpy.datetime64("2026-11-22"), "2026-11-22"),
            (numpy.complex128(1), MISFIT),
            (1j, MISFIT),
            (object(), MISFIT),
            (lambda: None, MISFIT),
            (len, MISFIT),
            (type, MISFIT),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_known_kinds(self, value: object, plain: object) -> None:
        """Each known kind becomes one built-in scalar, exactly of that type."""
        found = scalar_of(value)
        assert found == plain or found is plain
        assert type(found) is type(plain)

    @pytest.mark.parametrize(
        ("value", "plain"),
        [
            (hostile(str, "ab"), "ab"),
            (hostile(int, 5), 5),
            (hostile(float, 0.5), 0.5),
            (hostile(bytes, b"ab"), "ab"),
            (hostile(datetime.date, 2026, 11, 22), "2026-11-22"),
            (hostile(decimal.Decimal, "5"), 5),
        ],
        ids=lambda value: type(value).__mro__[1].__name__,
    )
    def test_subclasses_are_read_by_their_base(self, value: object, plain: object) -> None:
        """No method of the subclass runs."""
        found = scalar_of(value)
        assert (found, type(found)) == (plain, type(plain))

    def test_containers_are_no_scalars(self) -> None:
        """A container is not entered, a foreign one not even asked."""
        assert scalar_of({"a": 1}) is MISFIT
        assert scalar_of([1]) is MISFIT
        assert scalar_of(hostile(Headers)) is MISFIT


class TestContainers:
    @pytest.mark.parametrize(
        "value",
        [
            {"id": 1, "email": "x"},
            collections.OrderedDict(id=1, email="x"),
            Point(1, "x"),
            Contact(1),
            Slotted(1),
            Attrs(1),
            AttrsDict(1),
            Model(id=1),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_fields_become_pairs(self, value: object) -> None:
        """Mappings and classes with declared fields give their names and values."""
        assert unfold(value, 10) == Pairs([("id", 1), ("email", "x")])

    @pytest.mark.parametrize(
        "value",
        [[0, 1, 2], (0, 1, 2), {0, 1, 2}, frozenset({0, 1, 2}), collections.deque([0, 1, 2]),
         range(3), collections.UserList([0, 1, 2]), Row(), {0: 1, 1: 1, 2: 1}.keys()],
        ids=lambda value: type(value).__name__,
    )  # fmt: skip
    def test_sequences_and_sets_become_members(self, value: object) -> None:
        """Lists, sets and foreign sequences give their items."""
        assert unfold(value, 10) == Members([0, 1, 2])

    @pytest.mark.parametrize(
        "value",
        [collections.UserString("secret"), memoryview(b"secret"), array.array("b", b"secret"),
         iter([1]), (each for each in [1]), numpy.array([1]), types.SimpleNamespace(id=1)],
        ids=lambda value: type(value).__name__,
    )  # fmt: skip
    def test_others_stay_closed(self, value: object) -> None:
        """A text's letters, raw memory, iterators and plain objects give nothing."""
        assert unfold(value, 10) is MISFIT

    def test_a_foreign_mapping_is_asked_only_for_what_is_fetched(self) -> None:
        """Its keys are listed; a value is read when its key proves to be allowed."""
        headers = Headers()
        pairs = unfold(headers, 10)
        assert isinstance(pairs, Pairs)
        assert headers.asked == []
        value = pairs.entries[1][1]
        assert isinstance(value, Lazy)
        assert (value.fetch(), headers.asked) == ("value", ["email"])

    def test_proxies_and_chains_are_mappings(self) -> None:
        """A read-only view and a chain of mappings are read like the mapping."""
        for value in (types.MappingProxyType({"id": 1}), collections.ChainMap({"id": 1})):
            pairs = unfold(value, 10)
            assert isinstance(pairs, Pairs)
            assert [key for key, _ in pairs.entries] == ["id"]

    def test_subclasses_are_read_by_their_base(self) -> None:
        """A dict or list that overrides everything is read as the dict or list it is."""
        mapping, items = hostile(dict), hostile(list)
        dict.update(mapping, id=1)
        list.append(items, 1)
        assert unfold(mapping, 10) == Pairs([("id", 1)])
        assert unfold(items, 10) == Members([1])

    def test_declared_fields_are_read_from_the_instance(self) -> None:
        """A class that lies about attributes, dict and class is read past its lies."""
        declared = {"__dataclass_fields__": {"id": None, "missing": None}}
        liar: Any = type("Liar", (), {**HOSTILE, **declared})
        value = object.__new__(liar)
        object.__setattr__(value, "id", 7)
        found = unfold(value, 10)
        assert found == Pairs([("id", 7)])

    def test_a_property_in_place_of_a_field_is_not_asked(self) -> None:
        """A declared name that the class answers by code gives nothing."""
        namespace = {"__dataclass_fields__": {"id": None}, "id": property(forbidden)}
        found = unfold(object.__new__(type("Computed", (), namespace)), 10)
        assert found == Pairs([])

    def test_an_instance_that_hides_its_dict_gives_nothing(self) -> None:
        """A property in place of ``__dict__`` or ``__class__`` is not asked."""
        declared = {"__dataclass_fields__": {"id": None, "missing": None}}
        liar: Any = type("Liar", (), {**LYING, **declared})
        value = object.__new__(liar)
        found = unfold(value, 10)
        assert found == Pairs([])

    def test_only_so_many_are_taken(self) -> None:
        """What is beyond the limit is left where it is, and said."""
        assert unfold(dict.fromkeys(map(str, range(5))), 2) == Pairs([("0", None), ("1", None)], 3)
        assert unfold(list(range(5)), 2) == Members([0, 1], more=True)
        endless = range(10**18)
        assert unfold(endless, 2) == Members([0, 1], more=True)


class TestEndless:
    def test_a_mapping_without_end(self) -> None:
        """Of a foreign mapping a few keys are asked for, and no value before its key is allowed."""

        class Endless(Mapping[int, int]):
            def __getitem__(self, key: int) -> int:
                raise AssertionError("asked for a value")

            def __iter__(self) -> Iterator[int]:
                return itertools.count()

            def __len__(self) -> int:
                return 2**40

        pairs = unfold(Endless(), 3)
        assert isinstance(pairs, Pairs)
        assert [key for key, _ in pairs.entries] == [0, 1, 2]
        assert pairs.more

    def test_a_sequence_without_end(self) -> None:
        """Of a foreign sequence likewise."""

        class Endless(Sequence[int]):
            def __getitem__(self, index: Any) -> Any:
                return index

            def __len__(self) -> int:
                return 2**40

        assert unfold(Endless(), 3) == Members([0, 1, 2], True)
