"""A plan: how the records of one logging call are projected, decided once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from threading import get_ident
from types import CodeType, FrameType
from typing import Any, Final, NamedTuple, cast

from crmlogging.records import LAST_SECOND, NO_ARGUMENTS, Outline, is_given, is_of_call
from crmlogging.redaction.deciding import Place
from crmlogging.redaction.fitting import REDACTED, Fitting, encode
from crmlogging.redaction.picking import Picking
from crmlogging.redaction.showing import Showing
from crmlogging.redaction.splitting import Cut, fits
from crmlogging.redaction.straight import Ending, Straight
from crmlogging.redaction.walk import PASSED_OVER, SCALARS

__all__ = ["Argument", "Plan"]

_FACT_NAMES: Final = (
    *("name", "levelno", "levelname", "pathname", "lineno", "funcName", "processName", "process"),
)
_FACTS: Final = itemgetter(*_FACT_NAMES)
_TAKEN: Final = {name: f"fact{at}" for at, name in enumerate(_FACT_NAMES)}

_SPOKEN: Final = itemgetter("name", "levelno", "levelname", "process", "processName")


class Argument(NamedTuple):
    """Where an argument goes, and what judges it; None withholds it."""

    at: int
    line: str
    fitting: Fitting | None

    @property
    def constant(self) -> bytes | None:
        """What is shown of it, as JSON, if that is always the same."""
        return encode(REDACTED) if self.fitting is None else None


class _OfRecord:
    """Takes the values out of a record's attributes, if it has the facts of the call."""

    __slots__ = ("_facts", "_picking")

    def __init__(self, picking: Picking, attributes: dict[str, Any]) -> None:
        self._picking = picking
        self._facts = _FACTS(attributes)

    def values(self, attributes: dict[str, Any]) -> Sequence[object] | None:
        """Return the values; None where a fact or a name is another."""
        values = self._picking.values(attributes)
        if values is None:
            return None
        created = attributes["created"]
        if (
            _FACTS(attributes) != self._facts
            or type(created) is not float
            or not 0.0 <= created <= LAST_SECOND
            or attributes["thread"] != get_ident()
        ):
            return None
        return values

    def source(self) -> tuple[list[str], dict[str, Any]]:
        """Return the text of the same, as `Picking.source` does.

        But for the id of the thread, which no line shows.
        """
        lines, names = self._picking.source({**_TAKEN, "created": "created"})
        asked = f"({', '.join(_TAKEN.values())}) != facts or type(created) is not float"
        exact = [" if type(mapping) is not dict:", "  return None"]
        lines = [*exact, *lines, f" if {asked}:", "  return None"]
        return lines, names | {"facts": self._facts}


class _WithArguments:
    """Takes the values out of a call's fields, or a record's attributes, and its arguments."""

    __slots__ = ("_behind", "_count", "_shown", "_taking")

    def __init__(
        self, taking: Picking | _OfRecord, behind: int, count: int, arguments: Iterable[Argument]
    ) -> None:
        self._taking = taking
        self._behind = behind
        self._count = count
        self._shown = [each.at for each in arguments if each.fitting is not None]

    def values(self, mapping: dict[str, Any], args: Any) -> Sequence[object] | None:
        """Return the values, those of arguments last; None where a name is another."""
        values = self._taking.values(mapping)
        if values is None or len(args or ()) != self._count:
            return None
        # A mapping that stands alone is a message's arguments by name.
        if self._count == 1 and type(args[0]) not in SCALARS:
            return None
        return [*values, *(args[at] for at in self._shown)]

    def source(self) -> tuple[list[str], dict[str, Any]]:
        """Return the text of the same, as `Picking.source` does."""
        lines, names = self._taking.source()
        alone = " or type(args[0]) not in scalars" if self._count == 1 else ""
        lines += [
            f" if {f'len(args) != count{alone}' if self._count else 'args'}:",
            "  return None",
        ]
        behind = enumerate(self._shown, self._behind)
        lines += [f" value{place} = args[{at}]" for place, at in behind]
        return lines, names | {"count": self._count, "scalars": SCALARS}


class Plan(Outline):
    """How the records of one call, with these attribute names, are projected.

    Attributes:
        code: what makes the call.
        level: of its records.
        message: a message proved to be a literal of the call, whose template is in `base`;
            compare by identity. None where the message differs from record to record.
        cut: takes the arguments back out of a message that the call builds, whose template is in
            `base`; None where it builds none, or nothing that is known.
        literals: of which it builds them.
        arguments: where those of the message go, by position.
        count: how many arguments there are.
        fields: how many fields the call has.
        offset: of the instruction that makes the call, if a look at the call is enough to know
            that it is of this plan.
        pick: takes what is shown in the `lines` from the fields of a call, None if those are
            none of this plan's.
        show: returns what was picked as it is shown, as JSON; None if it goes the long way.
        spoken: as `crmlogging.records.Call` has it.
    """

    __slots__ = (
        *("_fittings", "_of_call", "_of_record", "code", "count", "cut"),
        *("fields", "level", "literals", "message", "offset", "pick", "show", "spoken"),
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
        self.arguments: tuple[Argument, ...] | None
        self.count = 0
        self.cut: Cut | None = None
        self.literals: tuple[str, ...] = ()
        self.offset: int | None = None
        self.level: int = base["levelno"]
        self.spoken = _SPOKEN(attributes)
        self._of_record = _OfRecord(Picking(tuple(attributes), picked), attributes)
        fields = tuple(key for key in attributes if key not in PASSED_OVER)
        self._of_call = Picking(fields, picked)
        self.pick = self._of_call.values
        self.fields = len(fields)
        self._fittings = tuple(place.fitting for place in places)
        self.show = Showing(self._fittings).show

    def of_call(self, ending: Ending) -> Straight:
        """Return what makes the line of a call from its fields and arguments."""
        return self._straight(self._of_call, ending)

    def of_record(self, ending: Ending) -> Straight:
        """Return what makes the line of a record from its attributes and arguments."""
        return self._straight(self._of_record, ending)

    def _straight(self, taking: Picking | _OfRecord, ending: Ending) -> Straight:
        arguments = self.arguments or ()
        both = _WithArguments(taking, len(self._fittings), self.count, arguments)
        judges = (each.fitting for each in arguments if each.fitting is not None)
        return Straight(both, (*self._fittings, *judges), ending)

    def values(self, attributes: dict[str, Any]) -> list[bytes] | None:
        """Return what is shown in the `lines` of a record with these `attributes`, as JSON.

        None if it goes the long way: it is none of this plan's, or has a value that is no scalar,
        or none of JSON's.
        """
        values = self._of_record.values(attributes)
        return None if values is None else self.show(values)

    def is_built(self, message: object) -> bool:
        """Tell whether the call may have built this message, in whatever way it can be cut."""
        is_text = self.cut is not None and type(message) is str
        return is_text and fits(cast("str", message), self.literals)

    def taken_back(
        self, message: object, args: object, speaker: FrameType | None
    ) -> tuple[str, ...] | None:
        """Return the arguments that a built message holds; None if it is none of this plan's.

        Args:
            speaker: as in `records.is_given`.
        """
        if (
            self.cut is None
            or type(message) is not str
            or not (args is None or args is NO_ARGUMENTS)
        ):
            return None
        return self.cut(message) if is_given(speaker, message) else None

    def arguments_of(
        self, message: object, args: object, frame: FrameType
    ) -> tuple[object, ...] | None:
        """Return the arguments of a record, or of its message; None if it is none of this call's.

        Args:
            frame: from which the record was given to a handler.
        """
        if message is self.message:
            if type(args) is tuple and is_of_call(frame, self.code, self.offset):
                return args
            return None
        taken = self.taken_back(message, args, None)
        if taken is None or not is_of_call(frame, self.code, self.offset, cast("str", message)):
            return None
        return taken

    def argument_fields(self, given: object) -> dict[str, Any] | None:
        """Return the message's arguments as fields; None if they go the long way."""
        if self.arguments is None or type(given) is not tuple or len(given) != self.count:
            return None
        fields: dict[str, Any] = {}
        for at, line, fitting in self.arguments:
            if fitting is None:
                fields[line] = REDACTED
            elif type(given[at]) in SCALARS:
                fields[line] = fitting.fit(given[at])
            else:
                return None
        return fields
