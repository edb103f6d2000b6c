"""A plan: how the records of one logging call are projected, decided once."""

from __future__ import annotations

from operator import itemgetter
from threading import get_ident
from types import CodeType
from typing import Any, Final, NamedTuple

from crmlogging.records import Outline
from crmlogging.redaction import facts
from crmlogging.redaction.deciding import PASSED_OVER, Place
from crmlogging.redaction.fitting import REDACTED, Fit
from crmlogging.redaction.picking import Picking
from crmlogging.redaction.showing import Showing
from crmlogging.redaction.walk import SCALARS

__all__ = ["Argument", "Plan"]

_CONSTANT: Final = itemgetter(
    *("name", "levelno", "levelname", "pathname", "lineno", "funcName", "processName", "process")
)

_SPOKEN: Final = itemgetter("name", "levelno", "levelname", "processName", "process")


class Argument(NamedTuple):
    """Where an argument goes, and what judges it; None withholds it."""

    at: int
    line: str
    fit: Fit | None


class Plan(Outline):
    """How the records of one call, with these attribute names, are projected.

    Attributes:
        code: what makes the call.
        level: of its records.
        message: a message proved to be a literal of the call, whose template is in `base`;
            compare by identity. None where the message differs from record to record.
        arguments: where those of the message go, by position; None if it has none, or if not
            position alone decides.
        count: how many arguments there are.
        fields: how many fields the call has.
        pick: takes what is shown in the `lines` from the fields of a call, None if those are
            none of this plan's.
        show: returns what was picked as it is shown, as JSON; None if it goes the long way.
        spoken: as `crmlogging.records.Call` has it.
    """

    __slots__ = (
        *("_constant", "_of_record", "arguments", "code", "count", "fields", "level", "message"),
        *("pick", "show", "spoken"),
    )

    def __init__(
        self,
        code: CodeType,
        attributes: dict[str, Any],
        base: dict[str, Any],
        picked: dict[str, Picking | None],
        places: list[Place],
    ) -> None:
        super().__init__(base, tuple(place.line for place in places))
        self.code = code
        self.message: object = None
        self.arguments: tuple[Argument, ...] | None = None
        self.count = 0
        self.level: int = base["levelno"]
        self.spoken = _SPOKEN(attributes)
        self._constant = _CONSTANT(attributes)
        self._of_record = Picking(tuple(attributes), picked)
        fields = tuple(key for key in attributes if key not in PASSED_OVER)
        self.pick = Picking(fields, picked).values
        self.fields = len(fields)
        self.show = Showing(place.fitting for place in places).show

    def values(self, attributes: dict[str, Any]) -> list[bytes] | None:
        """Return what is shown in the `lines` of a record with these `attributes`, as JSON.

        None if it goes the long way: it is none of this plan's, or has a value that is no scalar,
        or none of JSON's.
        """
        values = self._of_record.values(attributes)
        if values is None:
            return None
        created = attributes["created"]
        if (
            _CONSTANT(attributes) != self._constant
            or type(created) is not float
            or not 0.0 <= created <= facts.LAST_SECOND
            or attributes["thread"] != get_ident()
        ):
            return None
        return self.show(values)

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
