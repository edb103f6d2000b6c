"""Foreign kinds of values, unfolded without running their code.

What an allowlist lets out has to be read first. A subclass of a built-in type is read by the
built-in type's own methods; an object with declared fields (dataclass, attrs, pydantic, named
tuple) by what its instance holds, never through properties. Only a `Mapping` or `Sequence` of
another library has to be asked itself; that happens only below an allowed name.

Kinds are told by ``type(value)``: ``__class__`` may lie.
"""

from __future__ import annotations

import collections
import datetime
import enum
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from itertools import islice
from typing import Any, Final, NamedTuple

from crmlogging.fields import MISFIT

__all__ = ["Lazy", "Members", "Pairs", "scalar_of", "unfold"]

BYTES_MAXIMUM: Final = 8_192
_DIGITS_MAXIMUM: Final = 20


_Read = Callable[[Any, type, int], object]


class Pairs(NamedTuple):
    """The first entries of a mapping, and how many more there are."""

    entries: list[tuple[object, object]]
    more: int = 0


class Members(NamedTuple):
    """The first items of a sequence or a set, and whether there are more."""

    items: list[object]
    more: bool = False


class Lazy(NamedTuple):
    """A value of a foreign mapping that is fetched only if its key is allowed."""

    mapping: Any
    key: Any

    def fetch(self) -> object:
        """Ask the mapping; anything may be raised."""
        return self.mapping[self.key]


def unfold(value: object, limit: int) -> object:
    """Return a built-in scalar, `Pairs`, `Members`, or `MISFIT` for what cannot be shown.

    Args:
        value: of any type; never changed.
        limit: entries to return at most.

    Raises:
        Exception: whatever a foreign `Mapping` or `Sequence` raises when asked.
    """
    kind = type(value)
    read = _reader(kind)
    if read is not None:
        return read(value, kind, limit)
    names = _declared_names(kind)
    if names is not None:
        return _declared(value, kind, names, limit)
    return _abstract(value, kind, limit)


def scalar_of(value: object) -> object:
    """Return `value` as a built-in scalar, or `MISFIT`; a container's entries are not looked at."""
    kind = type(value)
    read = _reader(kind)
    content = MISFIT if read is None else read(value, kind, 0)
    return content if type(content) in (str, int, float, bool) else MISFIT


def _reader(kind: type) -> _Read | None:
    for base, read in _BUILT_IN:
        if issubclass(kind, base):
            return read
    for module, name, read in _LIBRARY:
        loaded = _loaded(module, name)
        if loaded is not None and issubclass(kind, loaded):
            return read
    return None


def _loaded(module: str, name: str) -> type | None:
    """Return a class of `module` if that is imported; a value of it exists only then."""
    found = getattr(sys.modules.get(module), name, None)
    return found if isinstance(found, type) else None


def _enum(value: Any, kind: type, limit: int) -> object:
    content = _instance(value, kind).get("_value_", MISFIT)
    return content if type(content) in (str, int, float, bool) else MISFIT


def _bytes(value: Any, kind: type, limit: int) -> object:
    base: Any = bytes if issubclass(kind, bytes) else bytearray
    if base.__len__(value) > BYTES_MAXIMUM:
        return MISFIT
    try:
        text: str = base.decode(value)
    except UnicodeDecodeError:
        return MISFIT
    return text


def _dict(value: Any, kind: type, limit: int) -> Pairs:
    size = dict.__len__(value)
    if size <= limit:
        return Pairs(list(dict.items(value)))
    return Pairs(list(islice(dict.items(value), limit)), size - limit)


def _tuple(value: Any, kind: type, limit: int) -> object:
    if kind is not tuple:
        names = _attribute(kind, "_fields")
        if type(names) is tuple and all(type(name) is str for name in names):
            return _limited_pairs(zip(names, tuple.__iter__(value), strict=False), limit)
    return _limited(tuple.__iter__(value), limit)


def _members(base: Any) -> _Read:
    def read(value: Any, kind: type, limit: int) -> Members:
        return _limited(base.__iter__(value), limit)

    return read


def _limited(items: Iterator[object], limit: int) -> Members:
    found = list(islice(items, limit + 1))
    return Members(found[:limit], len(found) > limit)


def _limited_pairs(pairs: Iterable[tuple[object, object]], limit: int) -> Pairs:
    found = list(islice(pairs, limit + 1))
    return Pairs(found[:limit], 1 if len(found) > limit else 0)


def _datetime(value: Any, kind: type, limit: int) -> object:
    if value.tzinfo is None:
        return datetime.datetime.isoformat(value)
    try:
        utc = datetime.datetime.astimezone(value, datetime.UTC)
    except (OverflowError, ValueError):
        return MISFIT
    return datetime.datetime.isoformat(utc, timespec="milliseconds").replace("+00:00", "Z")


def _decimal(value: Any, kind: type, limit: int) -> object:
    base: Any = _loaded("decimal", "Decimal")
    if not base.is_finite(value):
        return MISFIT
    # An exponent of a billion fits in a few bytes; its integer does not.
    whole = base.as_tuple(value).exponent >= 0 and base.adjusted(value) < _DIGITS_MAXIMUM
    return base.__int__(value) if whole else base.__float__(value)


def _numpy(value: Any, kind: type, limit: int) -> object:
    base: Any = _loaded("numpy", "generic")
    content = base.item(value)
    if type(content) in (str, int, float, bool):
        return content
    if isinstance(content, bytes | datetime.date):
        return unfold(content, limit)
    return MISFIT


def _by(method: Callable[[Any], object]) -> _Read:
    return lambda value, kind, limit: method(value)


def _text_by(module: str, name: str) -> _Read:
    """Read a value by the ``__str__`` of its library's class, whatever a subclass says."""

    def read(value: Any, kind: type, limit: int) -> object:
        base: Any = _loaded(module, name)
        return base.__str__(value)

    return read


_BUILT_IN: Final[tuple[tuple[type, _Read], ...]] = (
    (enum.Enum, _enum),
    (str, _by(str.__str__)),
    (bool, _by(bool)),
    (int, _by(int.__int__)),
    (float, _by(float.__float__)),
    (bytes, _bytes),
    (bytearray, _bytes),
    (dict, _dict),
    (list, _members(list)),
    (tuple, _tuple),
    (set, _members(set)),
    (frozenset, _members(frozenset)),
    (collections.deque, _members(collections.deque)),
    (datetime.datetime, _datetime),
    (datetime.date, _by(datetime.date.isoformat)),
    (datetime.time, _by(datetime.time.isoformat)),
    (datetime.timedelta, _by(datetime.timedelta.total_seconds)),
)
_LIBRARY: Final[tuple[tuple[str, str, _Read], ...]] = (
    ("decimal", "Decimal", _decimal),
    ("uuid", "UUID", _text_by("uuid", "UUID")),
    ("pathlib", "PurePath", _text_by("pathlib", "PurePath")),
    ("numpy", "generic", _numpy),
)


def _abstract(value: Any, kind: type, limit: int) -> object:
    """Ask a foreign `Mapping`, `Sequence` or `Set`; whatever it raises goes to the caller."""
    if issubclass(kind, collections.UserString | memoryview):
        return MISFIT  # their items are a text's pieces
    if issubclass(kind, Mapping):
        found = list(islice(iter(value), limit + 1))
        return Pairs([(key, Lazy(value, key)) for key in found[:limit]], len(found) > limit)
    if issubclass(kind, Sequence | Set) and _attribute(kind, "__module__") != "array":
        return _limited(iter(value), limit)
    return MISFIT


def _namespace(kind: type) -> Mapping[str, Any]:
    """Return what the body of `kind` defined, past any metaclass."""
    namespace: Mapping[str, Any] = type.__dict__["__dict__"].__get__(kind)
    return namespace


def _ancestors(kind: type) -> tuple[type, ...]:
    ancestors: tuple[type, ...] = type.__dict__["__mro__"].__get__(kind)
    return ancestors


def _attribute(kind: type, name: str) -> object:
    """Return an attribute of the class as it was defined; no descriptor runs."""
    for ancestor in _ancestors(kind):
        namespace = _namespace(ancestor)
        if name in namespace:
            return namespace[name]
    return MISFIT


def _declared_names(kind: type) -> list[str] | None:
    """Return the fields that `kind` declares, or None if it is no such class."""
    for attribute in ("__dataclass_fields__", "__pydantic_fields__", "model_fields", "__fields__"):
        found = _attribute(kind, attribute)
        if type(found) is dict:
            return [name for name in found if type(name) is str]
    found = _attribute(kind, "__attrs_attrs__")
    if isinstance(found, tuple):
        names = [_held(each, type(each), "name") for each in tuple.__iter__(found)]
        return [name for name in names if type(name) is str]
    return None


def _declared(value: object, kind: type, names: list[str], limit: int) -> Pairs:
    pairs = ((name, _held(value, kind, name)) for name in names)
    return _limited_pairs((pair for pair in pairs if pair[1] is not MISFIT), limit)


def _held(value: object, kind: type, name: str) -> object:
    """Return what the instance itself holds under `name`, in its dict or a slot."""
    instance = _instance(value, kind)
    if name in instance:
        return instance[name]
    slot = _attribute(kind, name)
    if type(slot) is types.MemberDescriptorType:
        try:
            return slot.__get__(value)
        except AttributeError:
            return MISFIT
    return MISFIT


def _instance(value: object, kind: type) -> dict[str, Any]:
    """Return the instance's own dict, past any ``__getattribute__`` of the class."""
    for ancestor in _ancestors(kind):
        descriptor = _namespace(ancestor).get("__dict__")
        if type(descriptor) is types.GetSetDescriptorType:
            found = descriptor.__get__(value)
            return found if type(found) is dict else {}
    return {}
