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
from collections.abc import Callable, Mapping
from functools import partial
from operator import itemgetter
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from crmlogging.records import NO_ARGUMENTS, STANDARD_ATTRIBUTES
from crmlogging.redaction import facts, known_loggers
from crmlogging.redaction.allowlist import Allowlist
from crmlogging.redaction.deciding import NAMES_MAXIMUM, Decision, UndecidedError, place_of
from crmlogging.redaction.fitting import Fitting
from crmlogging.redaction.patterns import line_name
from crmlogging.redaction.plan import Argument, Plan
from crmlogging.redaction.splitting import cut_at
from crmlogging.redaction.templates import MESSAGE_CHARACTERS

if TYPE_CHECKING:
    from crmlogging.redaction.built_messages import Built

__all__ = ["Plans"]

_SITES_KEPT: Final = 4_096
_PLANS_A_SITE: Final = 8
_TRIES_A_SITE: Final = 64
_said: Final = itemgetter("msg", "lineno", "args")
_READ: Final = STANDARD_ATTRIBUTES - {"message", "asctime", "taskName"}
_Kind = TypeVar("_Kind")
_Known = dict[tuple[int, int, int], "tuple[Plan, ...]"]
"""By what a record shows at a glance: two numbers, and how many names it has."""


class Plans:
    """The plans of one allowlist.

    Attributes:
        by_site: those for literals that a call logs itself, where no wrapper stands between; by
            id of its code, offset of the instruction, and how many fields it has.
    """

    def __init__(self, allowlist: Allowlist, loggers: frozenset[str]) -> None:
        self._allowlist = allowlist
        self._loggers = loggers
        self._by_message: _Known = {}
        self._by_call: _Known = {}
        self.by_site: _Known = {}
        self._last_names: dict[tuple[int, int], tuple[int | None, int]] = {}

    def find(self, attributes: dict[str, Any]) -> tuple[Plan, list[bytes]] | None:
        """Return the plan for a record whose message is a known literal, without arguments.

        It needs no look at a frame: a message that *is* the literal of a call, with the facts
        and the names of that call, gives nothing away wherever it comes from.

        Returns:
            The plan, and what it shows of the record (`Plan.values`).
        """
        try:
            message, line, arguments = _said(attributes)
        except KeyError:
            return None
        if type(line) is not int or not (arguments is None or arguments is NO_ARGUMENTS):
            return None
        for plan in self._by_message.get((id(message), line, len(attributes)), ()):
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
        for plan in self._by_call.get((id(code), frame.f_lasti, len(attributes)), ()):
            if plan.code is code:
                values = plan.values(attributes)
                if values is not None:
                    return plan, values
        return None

    def make(
        self,
        frame: FrameType,
        record: logging.LogRecord,
        constants: frozenset[str],
        template: str | None,
        names: tuple[str | None, ...] | None,
        built: Built | None = None,
    ) -> None:
        """Make the plan for records like `record`, if a plan can decide on them.

        Args:
            frame: that makes the call.
            record: which has just gone the long way.
            constants: strings that the calling code holds; such keys may be named.
            template: of the record's message, if that is a literal of the call, or built there.
            names: of the message's arguments, by position.
            built: what the call's messages are built of.
        """
        attributes = record.__dict__
        if len(attributes) > NAMES_MAXIMUM or any(type(key) is not str for key in attributes):
            return
        if not attributes.keys() >= _READ:  # somebody took a fact off the record
            return
        if not facts.are_settled(attributes, self._loggers):
            return
        if not self._is_habit((id(frame.f_code), frame.f_lasti), attributes):
            return
        base = facts.safe_facts(record, loggers=self._loggers)
        base["msg"] = template
        decision = Decision(self._allowlist, constants, base)
        try:
            picked = decision.attributes(attributes)
        except UndecidedError:
            return
        plan = Plan(frame.f_code, attributes, base, picked, decision.places)
        if built is not None:
            plan.message = object()  # which is no message
            plan.literals, plan.cut = built.literals, cut_at(built.literals, MESSAGE_CHARACTERS)
            plan.count = len(built.names)
            plan.arguments = self._arguments(built.names, base, self._of_text)
        elif template is not None:
            plan.message = record.msg
        if names is not None:
            plan.count = len(names)
            judge = partial(self._of_argument, logger=record.name)
            plan.arguments = self._arguments(names, base, judge)
        if template is not None and names is None and built is None:
            _add(self._by_message, (id(record.msg), record.lineno, len(attributes)), plan)
        else:
            _add(self._by_call, (id(plan.code), frame.f_lasti, len(attributes)), plan)
        code = frame.f_code
        if plan.message is not None and (record.pathname, record.lineno, record.funcName) == (
            *(code.co_filename, frame.f_lineno, code.co_name),
        ):
            plan.offset = frame.f_lasti
            _add(self.by_site, (id(code), frame.f_lasti, plan.fields), plan)

    def _is_habit(self, site: tuple[int, int], attributes: dict[str, Any]) -> bool:
        """Tell whether the last record of the call had the same names.

        A call that is made once, or with other names each time, is not worth a plan.
        """
        if len(self._last_names) >= _SITES_KEPT:
            self._last_names.clear()
        names = self._names_of(attributes)
        last, tries = self._last_names.get(site, (None, 0))
        if names is None or tries > _TRIES_A_SITE:
            return False
        self._last_names[site] = names, tries + (last == names)
        return last == names

    def _names_of(self, attributes: dict[str, Any]) -> int | None:
        """Return a hash of a record's names, and of those of mappings that may be looked into."""
        names: list[object] = []
        mappings = []
        for key, value in attributes.items():
            names.append(key)
            if type(value) is dict:
                place = self._allowlist.at(key)
                if place is not None and place.node.live:
                    mappings.append(value)
        for mapping in mappings:
            entries = list(mapping.items())
            names.append(len(entries))
            if len(names) + len(entries) > NAMES_MAXIMUM:
                return None
            for key, value in entries:
                if type(key) is not str:
                    return None
                names.append(key)
                if type(value) is dict:
                    mappings.append(value)
        return hash(tuple(names))

    def _arguments(
        self,
        names: tuple[str | None, ...],
        taken: dict[str, Any],
        judge: Callable[[str], Fitting | None],
    ) -> tuple[Argument, ...] | None:
        """Decide on a message's arguments; fields of the same name win, and the first of two.

        Args:
            judge: returns what judges the argument of that name; None withholds it.
        """
        found: dict[str, Argument] = {}
        for at, name in enumerate(names):
            if name is None or (line := line_name(name)) in taken or line in found:
                continue
            try:
                fitting = judge(name)
            except UndecidedError:
                return None
            if fitting is not None or not self._allowlist.drop:
                found[line] = Argument(at, line, fitting)
        return tuple(found.values())

    def _of_argument(self, name: str, logger: str) -> Fitting | None:
        """Return what judges an argument, which is given as it is."""
        _, place = place_of(self._allowlist, name)
        if place is None:
            return None
        if known_loggers.is_known(logger) and known_loggers.converts(name):
            return _converting(place.fitting, partial(known_loggers.value_of, name))
        return place.fitting

    def _of_text(self, name: str) -> Fitting | None:
        """Return what judges a value that was taken back out of a text."""
        place = self._allowlist.at(name)
        if place is None or not place.node.is_strict:
            return None
        _, decided = place_of(self._allowlist, name)
        return None if decided is None else decided.fitting


def _converting(fitting: Fitting, convert: Callable[[object], object]) -> Fitting:
    """Return what judges strings after `convert`, which changes no other scalar."""
    return Fitting(
        lambda value: fitting.fit(convert(value)),
        _but_strings(fitting.kept),
        _but_strings(fitting.encoders),
        _but_strings(fitting.plain),
        _but_strings(fitting.refused),
    )


def _but_strings(known: Mapping[type, _Kind]) -> dict[type, _Kind]:
    return {kind: each for kind, each in known.items() if kind is not str}


def _add(known: _Known, key: tuple[int, int, int], plan: Plan) -> None:
    """Keep `plan`, within bounds."""
    if len(known) >= _SITES_KEPT:
        known.clear()
    known[key] = (plan, *known.get(key, ())[: _PLANS_A_SITE - 1])
