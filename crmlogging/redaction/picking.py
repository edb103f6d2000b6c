"""Picking: the values that are shown, taken out of a record or a call, and of mappings in it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count, repeat
from operator import is_, itemgetter
from typing import Any, Final

__all__ = ["Picking"]

_size_of: Final = dict.__sizeof__

Pick = Callable[[dict[Any, Any]], tuple[object, ...]]


class Picking:
    """Takes values out of mappings that have the same keys, in the order of the keys.

    Args:
        names: the keys, in order.
        picked: those whose values are taken; a value that is a mapping has a picking of its own.

    Attributes:
        count: how many values are taken.
    """

    __slots__ = ("_inner", "_names", "_pick", "_picked", "_sizes", "_smallest", "count")

    def __init__(self, names: tuple[str, ...], picked: Mapping[str, Picking | None]) -> None:
        self._names = list(names)
        self._picked = picked = {name: picked[name] for name in names if name in picked}
        self._smallest, self._sizes = _sizes(len(names))
        self._pick: Pick = itemgetter(*picked) if len(picked) > 1 else _picker(*picked)
        positions = enumerate(picked.values())
        self._inner = tuple((at, inner) for at, inner in positions if inner is not None)
        self.count: int = sum(1 if each is None else each.count for each in picked.values())

    def values(self, mapping: dict[Any, Any]) -> Sequence[object] | None:
        """Return the values, or None where `mapping` or one in it has other keys.

        No code of a key or a value runs.
        """
        size = _size_of(mapping)
        if size >= self._smallest and size not in self._sizes and not _has_strings(mapping):
            return None
        if [*mapping] != self._names:  # a list is made in half the time of a tuple
            return None
        try:
            values = self._pick(mapping)
        except KeyError:  # another thread has taken it out meanwhile
            return None
        if not self._inner:
            return values
        found: list[object] = []
        done = 0
        for at, inner in self._inner:
            value = values[at]
            more = inner.values(value) if type(value) is dict else None
            if more is None:
                return None
            found += values[done:at]
            found += more
            done = at + 1
        found += values[done:]
        return found

    def source(self, others: Mapping[str, str] | None = None) -> tuple[list[str], dict[str, Any]]:
        """Return the lines of a function's body that do what `values` does, and what they need.

        The mapping, a plain dictionary, stands in ``mapping``; at the end the values stand in
        ``value0``, ``value1`` ... Other keys may leave marks for values, that equal nothing.

        Args:
            others: more keys whose values are taken, with the names in which they stand.
        """
        names: dict[str, Any] = {"size_of": _size_of, "has_strings": _has_strings, "iter": iter}
        names |= {"type": type, "dict": dict}
        return list(self._lines("mapping", others or {}, count(), names)), names

    def _lines(
        self, mapping: str, others: Mapping[str, str], places: Iterator[int], names: dict[str, Any]
    ) -> Iterator[str]:
        if not self._names:
            yield from (f" if {mapping}:", "  return None")
            return
        number = len(names)
        names[f"names{number}"] = self._names
        names[f"smallest{number}"], names[f"sizes{number}"] = self._smallest, self._sizes
        yield f" size = size_of({mapping})"
        yield f" if size >= smallest{number} and size not in sizes{number}:"
        yield f"  if not has_strings({mapping}):"
        yield "   return None"
        if not self._picked and not others:
            yield from (f" if [*{mapping}] != names{number}:", "  return None")
            return
        targets, behind = [], []
        for at, name in enumerate(self._names):
            target, inner = others.get(name, "_"), self._picked.get(name)
            if inner is not None:
                target = f"inner{number}_{at}"
                behind += [f" if type({target}) is not dict:", "  return None"]
                behind += inner._lines(target, {}, places, names)
            elif name in self._picked:
                target = f"value{next(places)}"
            targets.append(target)
        # By position, which takes half as long as by name. Between keys and values nothing else
        # can run, neither another thread nor a finalizer: that takes a call or a new object,
        # and a line of its own if somebody traces. Until there, a change of size is an error.
        names[f"marks{number}"] = (_Mark(),) * len(targets)
        yield f" given = iter({mapping}.values())"
        keys = f"[*{mapping}] == names{number}"
        yield f" [{', '.join(targets)}] = given if {keys} else marks{number}"
        yield from behind


class _Mark:
    """Stands for a value that is none of the plan's; of a type that no value has."""

    __slots__ = ()


def _has_strings(mapping: dict[Any, Any]) -> bool:
    """Tell whether each key is a string, and of no subclass, whose code a comparison would run."""
    return all(map(is_, map(type, mapping), repeat(str)))


@functools.lru_cache(maxsize=1_024)
def _sizes(keys: int) -> tuple[int, frozenset[int]]:
    """Return how large a dictionary of that many keys is if these are not all plain strings.

    CPython keeps plain strings in a table of a narrower form, which a single other key, even one
    of a subclass, widens. So the size tells at a glance what else takes a look at each key.

    Returns:
        The smallest size in the wide form, and larger ones that only the narrow form has.
    """
    narrow = frozenset(
        _size_of(dict.fromkeys(map(str, range(room)))) for room in (2 * keys, 4 * keys)
    )
    wide = {_size_of(dict.fromkeys(range(room))) for room in (keys, 2 * keys, 4 * keys)}
    return min(wide), narrow - wide


def _picker(*names: str) -> Pick:
    """Return what takes at most one value; of fewer than two names an itemgetter has no tuple."""
    return lambda mapping: tuple([mapping[name] for name in names])
