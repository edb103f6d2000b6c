"""Plans: what one logging call decided once, so that its next record costs a few look-ups.

A plan belongs to a call instruction of the program, to one allowlist, and to one set of
attribute names. It holds what every such record shares: the facts, the names that may be
written, the placeholders of all that is withheld. What differs, the moment and the values of
allowed fields, is taken from each record and judged each time by the functions that the `walk`
uses as well. A record that departs from the plan in anything goes the long way, which decides
the same.
"""

from __future__ import annotations

import logging
from functools import partial
from operator import itemgetter
from threading import get_ident
from types import CodeType, FrameType
from typing import Any, Final, NamedTuple

from crmlogging.records import STANDARD_ATTRIBUTES, Outline
from crmlogging.redaction import facts, known_loggers, masks
from crmlogging.redaction.allowlist import Allowlist, is_clean_name
from crmlogging.redaction.fitting import REDACTED, Fit, Kept
from crmlogging.redaction.masks import HmacKey
from crmlogging.redaction.patterns import line_name
from crmlogging.redaction.walk import KEYS, SCALARS

__all__ = ["Plan", "Plans"]

_SITES_KEPT: Final = 4_096
_PLANS_A_SITE: Final = 8
_KEYS_MAXIMUM: Final = 128
_PASSED_OVER: Final = STANDARD_ATTRIBUTES | {"record.id"}
_CONSTANT: Final = itemgetter(
    *("name", "levelno", "levelname", "pathname", "lineno", "funcName", "processName", "process")
)


_Known = dict[tuple[int, int], "tuple[Plan, ...]"]


class _Undecided(Exception):  # noqa: N818  # control flow, seen by nobody
    """What is shown of an attribute depends on more than its own value."""


class Plan(Outline):
    """How the records of one call, with these attribute names, are projected.

    Attributes:
        code: what makes the call.
        keys: names of the record's attributes, in order.
        message: a message proved to be a literal of the call, whose template is in `base`;
            compare by identity. None where the message differs from record to record.
        arguments: where those of the message go, by position; None if it has none, or if not
            position alone decides.
        count: how many arguments there are.
    """

    __slots__ = ("_constant", "_fits", "_values", "arguments", "code", "count", "keys", "message")

    def __init__(
        self,
        code: CodeType,
        attributes: dict[str, Any],
        base: dict[str, Any],
        fits: dict[str, _Place],
    ) -> None:
        super().__init__(base, tuple(place.line for place in fits.values()))
        self.code = code
        self.keys = tuple(attributes)
        self.message: object = None
        self.arguments: tuple[_Argument, ...] | None = None
        self.count = 0
        self._constant = _CONSTANT(attributes)
        self._fits = tuple((place.fit, place.kept) for place in fits.values())
        # Of fewer than two names an itemgetter gives no tuple.
        self._values = itemgetter(*fits, "created", "created")

    def knows(self, attributes: dict[str, Any]) -> bool:
        """Tell whether a record with these `attributes` is one of this plan's."""
        return (
            tuple(attributes) == self.keys
            and _CONSTANT(attributes) == self._constant
            and type(attributes["created"]) is float
            and 0.0 <= attributes["created"] <= facts.LAST_SECOND
            and attributes["thread"] == get_ident()
        )

    def values(self, attributes: dict[str, Any]) -> list[Any] | None:
        """Return what is shown in the `lines` of a record that the plan knows.

        None if a value is no scalar, which goes the long way.
        """
        shown = []
        for (fit, kept), value in zip(self._fits, self._values(attributes), strict=False):
            kind = type(value)
            if kind is str:
                known = kept.get(value)
                shown.append(fit(value) if known is None else known)
            elif kind in SCALARS:
                shown.append(fit(value))
            else:
                return None
        return shown

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


class _Argument(NamedTuple):
    """Where an argument goes, and what judges it; None withholds it."""

    at: int
    line: str
    fit: Fit | None


class _Place(NamedTuple):
    """Where an attribute's value goes, and what judges it."""

    line: str
    fit: Fit
    kept: Kept


class Plans:
    """The plans of one allowlist."""

    def __init__(self, allowlist: Allowlist, loggers: frozenset[str]) -> None:
        self._allowlist = allowlist
        self._loggers = loggers
        self._by_message: _Known = {}
        self._by_call: _Known = {}
        self._last_keys: dict[tuple[int, int], int] = {}

    def find(self, attributes: dict[str, Any]) -> Plan | None:
        """Return the plan for a record whose message is a known literal, without arguments.

        It needs no look at a frame: a message that *is* the literal of a call, with the facts
        and the names of that call, gives nothing away wherever it comes from.
        """
        message, line = attributes["msg"], attributes["lineno"]
        if type(line) is not int:
            return None
        for plan in self._by_message.get((id(message), line), ()):
            if plan.message is message and plan.knows(attributes):
                return None if attributes["args"] else plan
        return None

    def find_at(self, frame: FrameType, attributes: dict[str, Any]) -> Plan | None:
        """Return the plan for a record with these `attributes` that `frame` is making."""
        code = frame.f_code
        for plan in self._by_call.get((id(code), frame.f_lasti), ()):
            if plan.code is code and plan.knows(attributes):
                return plan
        return None

    def make(
        self,
        frame: FrameType,
        record: logging.LogRecord,
        constants: frozenset[str],
        template: str | None,
        names: tuple[str | None, ...] | None,
    ) -> None:
        """Make the plan for records like `record`, if a plan can decide on them.

        Args:
            frame: that makes the call.
            record: which has just gone the long way.
            constants: strings that the calling code holds; such keys may be named.
            template: of the record's message, if that is a literal of the call.
            names: of the message's arguments, by position.
        """
        attributes = record.__dict__
        if len(attributes) > _KEYS_MAXIMUM or any(type(key) is not str for key in attributes):
            return
        if not facts.are_settled(attributes, self._loggers):
            return
        if not self._seen_before((id(frame.f_code), frame.f_lasti), tuple(attributes)):
            return
        base = facts.safe_facts(record, loggers=self._loggers)
        base["msg"] = template
        try:
            fits = self._decide(attributes, base, constants)
        except _Undecided:
            return
        plan = Plan(frame.f_code, attributes, base, fits)
        if template is not None:
            plan.message = record.msg
        if names is not None:
            plan.count, plan.arguments = len(names), self._arguments(record.name, names, base)
        if template is not None and names is None:
            _add(self._by_message, (id(record.msg), record.lineno), plan)
        else:
            _add(self._by_call, (id(plan.code), frame.f_lasti), plan)

    def _seen_before(self, site: tuple[int, int], keys: tuple[str, ...]) -> bool:
        """Tell whether the last record of the call had the same names.

        A call that is made once, or with other names each time, is not worth a plan.
        """
        if len(self._last_keys) >= _SITES_KEPT:
            self._last_keys.clear()
        last, self._last_keys[site] = self._last_keys.get(site), hash(keys)
        return last == hash(keys)

    def _decide(
        self, attributes: dict[str, Any], base: dict[str, Any], constants: frozenset[str]
    ) -> dict[str, _Place]:
        """Write to `base` what is withheld, and return how each other attribute is shown."""
        fits: dict[str, _Place] = {}
        unnamed, drop = 0, self._allowlist.drop
        for key in attributes:
            if key == "audit":
                raise _Undecided
            if key in _PASSED_OVER:
                continue
            line, place = self._place(key)
            if not line:
                bare = key.removeprefix("extra.")
                if bare not in constants or not is_clean_name(bare):
                    unnamed += 1
                    continue
                line = line_name(key)
            if line in base:
                raise _Undecided
            if place is not None:
                fits[key] = place
                base[line] = None
            elif not drop:
                base[line] = REDACTED
        if unnamed and not drop:
            base[KEYS] = unnamed
        return fits

    def _arguments(
        self, logger: str, names: tuple[str | None, ...], taken: dict[str, Any]
    ) -> tuple[_Argument, ...] | None:
        """Decide on a message's arguments; fields of the same name win, and the first of two."""
        found: dict[str, _Argument] = {}
        for at, name in enumerate(names):
            if name is None or (line := line_name(name)) in taken or line in found:
                continue
            try:
                _, place = self._place(name)
            except _Undecided:
                return None
            if place is not None:
                fit = place.fit
                if known_loggers.is_known(logger):
                    fit = partial(_converted, name, fit)
                found[line] = _Argument(at, line, fit)
            elif not self._allowlist.drop:
                found[line] = _Argument(at, line, None)
        return tuple(found.values())

    def _place(self, key: str) -> tuple[str, _Place | None]:
        """Return the line's name for `key` and what judges its value; no name where unknown."""
        place = self._allowlist.at(key)
        if place is None:
            return "", None
        line, node = place.line, place.node
        if node.mask is not None:
            fit = partial(_masked, node.mask, line, self._allowlist.hmac_key)
            return line, _Place(line, fit, {})
        if node.fit is not None:
            if place.wild and node.field is not None and node.field.shape == "text":
                raise _Undecided  # a record's bound on characters may cut it
            return line, _Place(line, node.fit, node.kept)
        if node.live:
            raise _Undecided  # a container of allowed fields
        return ("" if place.wild else line), None


def _converted(name: str, fit: Fit, value: object) -> object:
    return fit(known_loggers.value_of(name, value))


def _add(known: _Known, key: tuple[int, int], plan: Plan) -> None:
    """Keep `plan`, within bounds."""
    if len(known) >= _SITES_KEPT:
        known.clear()
    known[key] = (plan, *known.get(key, ())[: _PLANS_A_SITE - 1])


def _masked(mask: str, name: str, key: HmacKey | None, value: object) -> object:
    return masks.masked(mask, name, value, key)
