"""A plan: how the records of one logging call are projected, decided once."""

from __future__ import annotations

from operator import itemgetter
from threading import get_ident
from types import CodeType
from typing import Any, Final, NamedTuple

import orjson

from crmlogging.records import Outline
from crmlogging.redaction import facts
from crmlogging.redaction.fitting import REDACTED, Fit, Fitting
from crmlogging.redaction.walk import SCALARS

__all__ = ["Argument", "Place", "Plan"]

_KINDS_KEPT: Final = 16
_SCALAR_IDS: Final = frozenset(map(id, SCALARS))
_dumps: Final = orjson.dumps
_get: Final = dict.get
_CONSTANT: Final = itemgetter(
    *("name", "levelno", "levelname", "pathname", "lineno", "funcName", "processName", "process")
)

_Kept = dict[Any, bytes]


class Argument(NamedTuple):
    """Where an argument goes, and what judges it; None withholds it."""

    at: int
    line: str
    fit: Fit | None


class Place(NamedTuple):
    """Where an attribute's value goes, and what judges it."""

    line: str
    fitting: Fitting


class Plan(Outline):
    """How the records of one call, with these attribute names, are projected.

    Attributes:
        code: what makes the call.
        level: of its records.
        keys: names of the record's attributes, in order.
        message: a message proved to be a literal of the call, whose template is in `base`;
            compare by identity. None where the message differs from record to record.
        arguments: where those of the message go, by position; None if it has none, or if not
            position alone decides.
        count: how many arguments there are.
    """

    __slots__ = (
        *("_constant", "_fittings", "_kept", "_values", "arguments", "code", "count", "keys"),
        *("level", "message"),
    )

    def __init__(
        self,
        code: CodeType,
        attributes: dict[str, Any],
        base: dict[str, Any],
        fits: dict[str, Place],
    ) -> None:
        super().__init__(base, tuple(place.line for place in fits.values()))
        self.code = code
        self.keys = tuple(attributes)
        self.message: object = None
        self.arguments: tuple[Argument, ...] | None = None
        self.count = 0
        self.level: int = base["levelno"]
        self._constant = _CONSTANT(attributes)
        self._fittings = tuple(place.fitting for place in fits.values())
        # Ids of the values' types -> what is known of such values, field by field.
        self._kept: dict[tuple[int, ...], tuple[_Kept, ...]] = {}
        # Of fewer than two names an itemgetter gives no tuple.
        self._values = itemgetter(*fits, "created", "created")

    def values(self, attributes: dict[str, Any]) -> list[bytes] | None:
        """Return what is shown in the `lines` of a record with these `attributes`, as JSON.

        None if it goes the long way: it is none of this plan's, or has a value that is no scalar,
        or none of JSON's.
        """
        if tuple(attributes) != self.keys:
            return None
        created = attributes["created"]
        if (
            _CONSTANT(attributes) != self._constant
            or type(created) is not float
            or not 0.0 <= created <= facts.LAST_SECOND
            or attributes["thread"] != get_ident()
        ):
            return None
        values = self._values(attributes)
        # By number: to compare types could run the code of a metaclass.
        kinds = tuple(map(id, map(type, values)))
        kept = self._kept.get(kinds)
        if kept is None:
            if not _SCALAR_IDS.issuperset(kinds):
                return None
            kept = self._keep(kinds, values)
        shown: list[bytes] = list(map(_get, kept, values))  # type: ignore[arg-type]  # no None below
        if None in shown:
            try:
                for at, known in enumerate(shown):
                    if known is None:
                        # A copy: what orjson returns holds a kilobyte and more while it waits.
                        shown[at] = b"%b" % _dumps(self._fittings[at].fit(values[at]))
            except TypeError:  # half a surrogate pair, a number beyond 64 bits
                return None
        return shown

    def _keep(self, kinds: tuple[int, ...], values: tuple[object, ...]) -> tuple[_Kept, ...]:
        """Find what is known of values of these types, which are scalars."""
        if len(self._kept) >= _KINDS_KEPT:
            self._kept.clear()
        self._kept[kinds] = kept = tuple(
            fitting.kept.setdefault(type(value), {})
            for fitting, value in zip(self._fittings, values, strict=False)
        )
        return kept

    def argument_fields(self, given: object) -> dict[str, Any] | None:
        """Return the message's arguments as fields; None if they go the long way."""
        if self.arguments is None or type(given) is not tuple or len(given) != self.count:
            return None
        fields: dict[str, Any] = {}
        for at, line, fit in self.arguments:
            if fit is None:
                fields[line] = REDACTED
            elif type(given[at]) in SCALARS:
                fields[line] = fit(given[at])
            else:
                return None
        return fields
