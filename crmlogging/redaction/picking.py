"""Picking: the values that are shown, taken out of a record or a call, and of mappings in it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
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
    """

    __slots__ = ("_inner", "_names", "_pick", "_sizes", "_smallest")

    def __init__(self, names: tuple[str, ...], picked: Mapping[str, Picking | None]) -> None:
        self._names = list(names)
        self._smallest, self._sizes = _sizes(len(names))
        self._pick: Pick = itemgetter(*picked) if len(picked) > 1 else _picker(*picked)
        positions = enumerate(picked.values())
        self._inner = tuple((at, inner) for at, inner in positions if inner is not None)

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

    def source(self) -> tuple[list[str], dict[str, Any]]:
        """Return the lines of a function's body that do what `values` does, and what they need.

        The mapping stands in ``mapping``, and the values in ``values`` at the end.
        """
        if self._inner:
            lines = [" values = pick(mapping)", " if values is None:", "  return None"]
            return lines, {"pick": self.values}
        if not self._names:
            return [" if mapping:", "  return None", " values = ()"], {}
        names = {
            "size_of": _size_of,
            "smallest": self._smallest,
            "sizes": self._sizes,
            "has_strings": _has_strings,
            "names": self._names,
            "pick": self._pick,
        }
        return [
            " size = size_of(mapping)",
            " if size >= smallest and size not in sizes and not has_strings(mapping):",
            "  return None",
            " if [*mapping] != names:",
            "  return None",
            " values = pick(mapping)",
        ], names


def _has_strings(mapping: dict[Any, Any]) -> bool:
    """Tell whether each key is a string, and of no subclass, whose code a comparison would run."""
    return all(map(is_, map(type, mapping), repeat(str)))


@functools.lru_cache(maxsize=1_024)
def _sizes(count: int) -> tuple[int, frozenset[int]]:
    """Return how large a dictionary of that many keys is if these are not all plain strings.

    CPython keeps plain strings in a table of a narrower form, which a single other key, even one
    of a subclass, widens. So the size tells at a glance what else takes a look at each key.

    Returns:
        The smallest size in the wide form, and larger ones that only the narrow form has.
    """
    narrow = frozenset(
        _size_of(dict.fromkeys(map(str, range(room)))) for room in (2 * count, 4 * count)
    )
    wide = {_size_of(dict.fromkeys(range(room))) for room in (count, 2 * count, 4 * count)}
    return min(wide), narrow - wide


def _picker(*names: str) -> Pick:
    """Return what takes at most one value; of fewer than two names an itemgetter has no tuple."""
    return lambda mapping: tuple([mapping[name] for name in names])
