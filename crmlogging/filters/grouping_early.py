"""In a storm: tell that a record is one more of a group, before anything is made of it.

What a record comes to (its error, its projection, its group) is found out the long way a few
times. Then the same call with the same kind of failure, for the same customer, is recognised by
what it is made of, and counted. Whatever differs from what was learnt goes the long way, and so
does every record with which there is more to do than to count it: it passes, opens or ends a
window, or brings a summary.

Recognised is a failure by `crmlogging.errors.memory`; a record by the names of its attributes, the
place and the words of its call, its level, and the values that decide of the group. All of that is
known of a call before its record is made.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from operator import itemgetter
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, cast

from crmlogging import context
from crmlogging.filters.allowlist import AllowlistFilter
from crmlogging.filters.correlation import CorrelationFilter
from crmlogging.filters.errors import ErrorFilter
from crmlogging.filters.grouping_forms import Forms, form_of, is_at
from crmlogging.filters.grouping_key import Key, key_of
from crmlogging.records import STANDARD_ATTRIBUTES, SafeRecord, Stage, delivery_to, is_of_call

if TYPE_CHECKING:
    from crmlogging.errors.model import CrmError

__all__ = ["Early"]

Hold = Callable[[Key, object, object, Callable[[object], object]], bool]

RESOURCE: Final = "resource.id"
_KEYS_KEPT: Final = 1_024
_LAYOUTS_KEPT: Final = 256
_CRM: Final = "crm"
_TENANT: Final = "tenant.code"
# Attributes by which more decides than is looked at here, and what holds such in nested form.
_DECIDING: Final = frozenset(("audit", "error", "response", "resource", "tenant"))
_CALL: Final = ("levelno", "msg", "pathname", "lineno")
_READ: Final = frozenset((*_CALL, "exc_info", "created"))
_call: Final = itemgetter(*_CALL)
# Types of which equal values are the same: True is 1 to a dictionary, but no level.
_HASHED: Final = frozenset((str, int, type(None)))
_KINDS: Final[list[type[Stage]]] = [ErrorFilter, AllowlistFilter]
_UNBOUND: Final[Mapping[str, object]] = {}
_UNKNOWN: Final = 0
_NOTHING: Final = (_UNKNOWN, None, None)
_CLOSED: Final = -1
"""Number of names where more decides than is looked at here; no hash is that."""


class Early:
    """Recognises records, and calls without one, of one order of filters.

    Args:
        stages: such as `fits`.
        hold: counts a record of a group, given its key, time, ``resource.id`` and what tells how
            that may be shown; answers False where there is more to do.
    """

    def __init__(self, stages: tuple[Stage, ...], hold: Hold) -> None:
        self._hold = hold
        self._stamped = len(stages) > len(_KINDS)
        errors, allowlist = stages[-len(_KINDS) :]
        self._errors = cast("ErrorFilter", errors)
        self._shown = cast("AllowlistFilter", allowlist).shows(RESOURCE)
        self._error_like: Callable[[Any, Any], CrmError | None] | None = None
        # Names of a record's attributes, and of a call's fields, to the number of the latter.
        self._layouts: dict[tuple[object, ...], int] = {}
        self._extras: dict[tuple[object, ...], int] = {}
        # By a hash: no value of a record is kept.
        self._keys: dict[int, Key] = {}
        self._forms = Forms()

    @staticmethod
    def fits(stages: tuple[Stage, ...]) -> bool:
        """Tell whether records can be recognised before `stages`: all are known by what they do."""
        kinds = [type(each) for each in stages]
        # Who seals a value makes another of it each time: it is no `brief` one.
        return kinds in (_KINDS, [CorrelationFilter, *_KINDS]) and stages[-1].brief is not None

    def holds(self, record: logging.LogRecord) -> bool:
        """Count `record` as held back, if it is certain that nothing else is to be done."""
        if not self._keys or type(record) is not logging.LogRecord:
            return False
        attributes = record.__dict__
        number = self._layouts.get(tuple(attributes)) or self._number(attributes)
        if number == _CLOSED:
            return False
        exc_info = attributes["exc_info"]
        if type(exc_info) is not tuple or len(exc_info) != 3:
            return False
        call = _call(attributes)
        if self._forms:
            delivery = delivery_to(sys._getframe(1))
            call = self._forms.said(call, delivery, is_of_call)
        evidence, _, resource = self._evidence(number, call, attributes, exc_info[1])
        key, hold = self._keys.get(evidence), self._hold
        return key is not None and hold(key, attributes["created"], resource, self._shown)

    def holds_call(
        self,
        call: tuple[object, ...],
        frame: FrameType,
        extra: dict[str, Any],
        raised: BaseException,
        created: float,
    ) -> bool:
        """Do the same for a call of which no record was made.

        Args:
            call: level, message, path and line.
            frame: of the call.
            extra: its fields, or an empty dictionary.
            raised: the exception that is logged.
            created: seconds since the epoch.
        """
        if not self._keys:
            return False
        number = self._extras.get(tuple(extra)) or self._number_of_extra(extra)
        if number == _CLOSED:
            return False
        if self._forms:
            call = self._forms.said(call, frame, is_at)
        evidence, _, resource = self._evidence(number, call, extra, raised)
        key, hold = self._keys.get(evidence), self._hold
        return key is not None and hold(key, created, resource, self._shown)

    def learn(self, record: logging.LogRecord, safe: SafeRecord) -> None:
        """Remember of which group `record` is, which the stages made `safe` of."""
        attributes = record.__dict__
        exc_info = attributes.get("exc_info")
        if type(record) is not logging.LogRecord or type(exc_info) is not tuple:
            return
        number = self._number(attributes)
        if len(exc_info) != 3 or number == _CLOSED:
            return
        # Now, since processes without errors need none.
        self._error_like = self._error_like or self._errors.recaller()
        form, call = form_of(safe, attributes), _call(attributes)
        if form is not None:
            call = call[0], form.words, *call[2:]
        evidence, error, resource = self._evidence(number, call, attributes, exc_info[1])
        if evidence == _UNKNOWN or error is None:
            return
        key, told = key_of(safe), safe.__dict__
        if key is None or key[0] != error.fingerprint:
            return
        if form is None and told["msg"] != attributes["msg"]:
            return
        # What the message tells of these, another of its kind may not tell.
        telling = () if form is None else form.names
        bound = context.current().fields if self._stamped else _UNBOUND
        known: dict[str, object] = {_CRM: error.provider}
        for name in (_CRM, _TENANT):
            given = (attributes.get(name), bound.get(name), known.get(name))
            tells = name in telling or told.get(name) is not None
            if tells and given == (None, None, None):
                return
        if (RESOURCE in telling or RESOURCE in told) and resource is None:
            return
        if form is not None:
            self._forms.note(call[2:], form)
        if len(self._keys) >= _KEYS_KEPT:
            self._keys.clear()
        self._keys[evidence] = key

    def _evidence(
        self, number: int, call: tuple[object, ...], fields: Mapping[str, Any], raised: Any
    ) -> tuple[int, CrmError | None, object]:
        """Return a hash of what decides of a record's group, its error, and its ``resource.id``.

        The first is `_UNKNOWN` where more decides than is looked at here.
        """
        # In variables: an attribute that is called is looked for among methods first.
        error_like = self._error_like
        if error_like is None:
            return _NOTHING
        get = fields.get
        crm, tenant, resource = get(_CRM), get(_TENANT), get(RESOURCE)
        if self._stamped and (bound := context.current().fields):
            if not _may_be_bound(bound):
                return _NOTHING
            get = bound.get
            crm, tenant, resource = get(_CRM, crm), get(_TENANT, tenant), get(RESOURCE, resource)
        level, message, path, line = call
        if not (
            type(message) is type(path) is str
            and type(level) is type(line) is int
            and type(crm) in _HASHED
            and (tenant is None or type(tenant) in _HASHED)
        ):
            return _NOTHING
        error = error_like(raised, crm)
        if error is None:
            return _NOTHING
        fingerprint, provider = error.fingerprint, error.provider
        decided = fingerprint, provider, number, message, path, line, crm, tenant, level
        return hash(decided), error, resource

    def _number(self, attributes: Mapping[str, Any]) -> int:
        """Return the number of the fields that a record has besides the standard attributes."""
        names = tuple(attributes)
        if not _READ.issubset(names):
            return _CLOSED
        number = self._layouts.get(names)
        if number is None:
            if len(self._layouts) >= _LAYOUTS_KEPT:
                self._layouts.clear()
            number = _number_of(tuple([n for n in names if n not in STANDARD_ATTRIBUTES]))
            self._layouts[names] = number
        return number

    def _number_of_extra(self, extra: Mapping[str, Any]) -> int:
        """Return the number of the fields of a call: that of records with no others.

        One with a reserved name is none of a record, whose own field it is not.
        """
        names = tuple(extra)
        number = self._extras.get(names)
        if number is None:
            if len(self._extras) >= _LAYOUTS_KEPT:
                self._extras.clear()
            number = self._extras[names] = _number_of(names)
        return number


def _number_of(names: tuple[object, ...]) -> int:
    """Return what stands for `names`: they are the same wherever it is; or `_CLOSED`."""
    return _CLOSED if any(map(_decides, names)) else hash(names)


def _decides(name: object) -> bool:
    return type(name) is not str or name in _DECIDING


def _may_be_bound(fields: Mapping[str, object]) -> bool:
    """Tell whether fields of a scope decide of no more than is looked at here."""
    return STANDARD_ATTRIBUTES.isdisjoint(fields) and not any(map(_decides, fields))
