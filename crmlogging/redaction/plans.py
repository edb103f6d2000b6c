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
from types import FrameType
from typing import Any, Final

from crmlogging.records import STANDARD_ATTRIBUTES
from crmlogging.redaction import facts, known_loggers, masks
from crmlogging.redaction.allowlist import Allowlist, is_clean_name
from crmlogging.redaction.fitting import REDACTED, Fit, fitting_by
from crmlogging.redaction.masks import HmacKey
from crmlogging.redaction.patterns import line_name
from crmlogging.redaction.plan import PASSED_OVER, Argument, Place, Plan
from crmlogging.redaction.walk import KEYS

__all__ = ["Plans"]

_SITES_KEPT: Final = 4_096
_PLANS_A_SITE: Final = 8
_KEYS_MAXIMUM: Final = 128
_NO_ARGUMENTS: Final = ()  # the one empty tuple there is
_READ: Final = STANDARD_ATTRIBUTES - {"message", "asctime", "taskName"}
_Known = dict[tuple[int, int], "tuple[Plan, ...]"]


class _Undecided(Exception):  # noqa: N818  # control flow, seen by nobody
    """What is shown of an attribute depends on more than its own value."""


class Plans:
    """The plans of one allowlist."""

    def __init__(self, allowlist: Allowlist, loggers: frozenset[str]) -> None:
        self._allowlist = allowlist
        self._loggers = loggers
        self._by_message: _Known = {}
        self._by_call: _Known = {}
        self._by_site: _Known = {}
        self._last_keys: dict[tuple[int, int], int] = {}

    def find(self, attributes: dict[str, Any]) -> tuple[Plan, list[bytes]] | None:
        """Return the plan for a record whose message is a known literal, without arguments.

        It needs no look at a frame: a message that *is* the literal of a call, with the facts
        and the names of that call, gives nothing away wherever it comes from.

        Returns:
            The plan, and what it shows of the record (`Plan.values`).
        """
        get = attributes.get
        message, line, arguments = get("msg"), get("lineno"), get("args")
        if type(line) is not int or not (arguments is None or arguments is _NO_ARGUMENTS):
            return None
        for plan in self._by_message.get((id(message), line), ()):
            if plan.message is message:
                values = plan.values(attributes)
                if values is not None:
                    return plan, values
        return None

    def find_at(
        self, frame: FrameType, attributes: dict[str, Any]
    ) -> tuple[Plan, list[bytes]] | None:
        """Return the same for any record that `frame` is making."""
        code = frame.f_code
        for plan in self._by_call.get((id(code), frame.f_lasti), ()):
            if plan.code is code:
                values = plan.values(attributes)
                if values is not None:
                    return plan, values
        return None

    def at(self, site: tuple[int, int]) -> tuple[Plan, ...]:
        """Return the plans for literals that a call logs itself, where no wrapper stands between.

        Args:
            site: as `crmlogging.records.Call` has it.
        """
        return self._by_site.get(site, ())

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
        if not attributes.keys() >= _READ:  # somebody took a fact off the record
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
        code = frame.f_code
        if plan.message is not None and (record.pathname, record.lineno, record.funcName) == (
            *(code.co_filename, frame.f_lineno, code.co_name),
        ):
            _add(self._by_site, (id(code), frame.f_lasti), plan)

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
    ) -> dict[str, Place]:
        """Write to `base` what is withheld, and return how each other attribute is shown."""
        fits: dict[str, Place] = {}
        unnamed, drop = 0, self._allowlist.drop
        for key in attributes:
            if key == "audit":
                raise _Undecided
            if key in PASSED_OVER:
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
    ) -> tuple[Argument, ...] | None:
        """Decide on a message's arguments; fields of the same name win, and the first of two."""
        found: dict[str, Argument] = {}
        for at, name in enumerate(names):
            if name is None or (line := line_name(name)) in taken or line in found:
                continue
            try:
                _, place = self._place(name)
            except _Undecided:
                return None
            if place is not None:
                fit = place.fitting.fit
                if known_loggers.is_known(logger):
                    fit = partial(_converted, name, fit)
                found[line] = Argument(at, line, fit)
            elif not self._allowlist.drop:
                found[line] = Argument(at, line, None)
        return tuple(found.values())

    def _place(self, key: str) -> tuple[str, Place | None]:
        """Return the line's name for `key` and what judges its value; no name where unknown."""
        place = self._allowlist.at(key)
        if place is None:
            return "", None
        line, node = place.line, place.node
        if node.mask == "seal":
            raise _Undecided  # what awaits sealing is no JSON yet
        if node.mask is not None:
            fit = partial(_masked, node.mask, line, self._allowlist.hmac_key)
            return line, Place(line, fitting_by(fit))
        if node.fitting is not None:
            if place.wild and node.field is not None and node.field.shape == "text":
                raise _Undecided  # a record's bound on characters may cut it
            return line, Place(line, node.fitting)
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
