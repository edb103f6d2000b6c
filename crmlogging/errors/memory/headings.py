"""What of an answer's headers decides: everything but ids, times and counts."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from operator import itemgetter
from typing import Any, Final

from crmlogging.errors.answers.delays import LIMIT_HEADERS, RETRY_HEADERS
from crmlogging.errors.answers.headers import CODE_HEADERS, id_rank
from crmlogging.errors.catalog import Catalog
from crmlogging.errors.catalog.patterns import Pattern
from crmlogging.errors.text.shapes import is_request_id

__all__ = ["Heading", "first_id"]

# How a body is to be read, and whose page it is.
_OF_THE_BODY: Final = ("content-type", "server")
_COUNTED: Final = "remaining"
# A class of its own may have a say in what is equal, and in what a hash is.
_TEXTS: Final = frozenset((str,))
_value: Final = itemgetter(1)
_numbers: Final = count()


class Heading:
    """What to look at where headers have certain names.

    Args:
        catalog: whose rules ask for headers.
        names: as the answer spells them.

    Raises:
        TypeError: a name is no text.
    """

    __slots__ = ("_counts", "_limits", "_names", "_number", "_only", "_told")

    def __init__(self, catalog: Catalog, names: tuple[str, ...]) -> None:
        self._number = next(_numbers)
        self._names = names
        wanted = catalog.asked_headers
        always = {
            *_OF_THE_BODY,
            *CODE_HEADERS,
            *RETRY_HEADERS,
            *(n for n in wanted if not _is_count(n)),
        }
        told = [name for name in names if str.lower(name) in always]
        self._only = told[0] if len(told) == 1 else None
        self._told = itemgetter(*told) if len(told) > 1 else None
        self._limits = [name for name in names if name.lower() in LIMIT_HEADERS]
        # Of what is left of a limit, only whether a rule holds.
        self._counts: list[tuple[str, Pattern]] = [
            (name, pattern)
            for name in names
            if _is_count(name.lower())
            for pattern in wanted.get(name.lower(), ())
        ]

    def told(self, headers: Mapping[str, Any]) -> tuple[object, ...]:
        """Return what decides whatever the error is; raises TypeError if it is no text."""
        told: tuple[Any, ...] = ()
        if self._only is not None:
            told = (_text(headers[self._only]),)
        elif self._told is not None:
            told = self._told(headers)
            if not _TEXTS.issuperset(map(type, told)):
                raise TypeError
        if self._counts:
            told += tuple([p.found_in(_text(headers[n]).lower()) for n, p in self._counts])
        return self._number, told

    def told_in(self, store: Mapping[str, tuple[str, Any]]) -> tuple[object, ...]:
        """Return the same of headers as `crmlogging.errors.raised.glance` has them."""
        told: tuple[Any, ...] = ()
        if self._only is not None:
            value = store[self._only][1]
            if type(value) is not str:  # as `_text`
                raise TypeError
            told = (value,)
        elif self._told is not None:
            told = tuple(map(_value, self._told(store)))
            if not _TEXTS.issuperset(map(type, told)):
                raise TypeError
        if self._counts:
            told += tuple([p.found_in(_text(store[n][1]).lower()) for n, p in self._counts])
        return self._number, told

    def limits(self, headers: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what decides besides if the error is a limit; raises TypeError, too."""
        return tuple([_text(headers[name]) for name in self._limits])

    def limits_in(self, store: Mapping[str, tuple[str, Any]]) -> tuple[str, ...]:
        """Return the same of headers as `crmlogging.errors.raised.glance` has them."""
        return tuple([_text(store[name][1]) for name in self._limits])

    @property
    def has_limits(self) -> bool:
        """Whether there is anything to return for `limits`."""
        return bool(self._limits)

    def id_names(self, first: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names that may hold the request's id, the foremost first.

        Args:
            first: the provider's own, in lower case.
        """
        own = [name for name in self._names if name.lower() in first]
        ranks = {n: id_rank(n.lower()) for n in self._names if n.lower() not in first}
        rest = [(rank, name) for name, rank in ranks.items() if rank is not None]
        return (*own, *(name for _, name in sorted(rest, key=itemgetter(0))))


def _is_count(name: str) -> bool:
    return name.endswith(_COUNTED)


def _text(value: object) -> str:
    if type(value) is not str:
        raise TypeError
    return value


def first_id(headers: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    """Return the id of the request under the first of `names` that has one."""
    for name in names:
        value = headers[name]
        if is_request_id(value):
            return str(value)
    return None
