"""In a storm: tell that a record is one more of a group, before anything is made of it.

What a record comes to (its error, its projection, its group) is found out the long way a few
times. Then the same call with the same kind of failure, for the same customer, is recognised by
what it is made of, and counted. Whatever differs from what was learnt goes the long way, and so
does every record with which there is more to do than to count it: it passes, opens or ends a
window, or brings a summary.

Recognised is a failure by `crmlogging.errors.recall`; a record by the names of its attributes,
the place and the words of its call, its level, and the values that decide of the group.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from itertools import count
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, cast

from crmlogging import context
from crmlogging.filters.allowlist import AllowlistFilter
from crmlogging.filters.correlation import CorrelationFilter
from crmlogging.filters.errors import ErrorFilter
from crmlogging.filters.grouping_key import key_of
from crmlogging.records import STANDARD_ATTRIBUTES, SafeRecord, Stage

if TYPE_CHECKING:
    from crmlogging.errors.model import CrmError

__all__ = ["Early"]

Key = tuple[object, ...]
Hold = Callable[[Key, object, object, Callable[[object], object]], bool]

RESOURCE: Final = "resource.id"
_KEYS_KEPT: Final = 1_024
_LAYOUTS_KEPT: Final = 256
_TENANT: Final = "tenant.code"
# Attributes by which more decides than is looked at here, and what holds such in nested form.
_DECIDING: Final = frozenset(("audit", "error", "response", "resource", "tenant"))
_CALL: Final = ("levelno", "msg", "pathname", "lineno")
_VALUES: Final = frozenset(("crm", _TENANT))
_READ: Final = frozenset((*_CALL, "exc_info", "created"))
# Types of which equal values are the same: True is 1 to a dictionary, but no level.
_HASHED: Final = frozenset((str, int, type(None)))
_KINDS: Final[list[type[Stage]]] = [ErrorFilter, AllowlistFilter]
_UNBOUND: Final[Mapping[str, object]] = {}
_UNKNOWN: Final = 0
_NOTHING: Final = (_UNKNOWN, None, None)
_numbers: Final = count(1)

Layout = tuple[int, Callable[[dict[str, Any]], tuple[object, ...]]]
"""Number of a set of names, and what takes out the values under them that decide."""
_UNSEEN: Final[Any] = object()


class Early:
    """Recognises records of one order of filters.

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
        self._error_like: Callable[[BaseException, str | None], CrmError | None] | None = None
        self._layouts: dict[tuple[object, ...], Layout | None] = {}
        # By a hash: no value of a record is kept.
        self._keys: dict[int, Key] = {}

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
        exc_info = attributes.get("exc_info")
        if type(exc_info) is not tuple or len(exc_info) != 3:
            return False
        evidence, _, resource = self._evidence(attributes, exc_info[1])
        key = self._keys.get(evidence)
        return key is not None and self._hold(key, attributes["created"], resource, self._shown)

    def learn(self, record: logging.LogRecord, safe: SafeRecord) -> None:
        """Remember of which group `record` is, which the stages made `safe` of."""
        attributes = record.__dict__
        exc_info = attributes.get("exc_info")
        if type(record) is not logging.LogRecord or type(exc_info) is not tuple:
            return
        if len(exc_info) != 3:
            return
        # Now, since by now errors have been described: processes without any never load that.
        self._error_like = self._error_like or self._errors.recaller()
        evidence, error, resource = self._evidence(attributes, exc_info[1])
        if evidence == _UNKNOWN or error is None:
            return
        key, told = key_of(safe), safe.__dict__
        if key is None or key[0] != error.fingerprint or told["msg"] != attributes["msg"]:
            return
        # What the message told of these, another of its kind may not tell.
        bound = context.current().fields if self._stamped else _UNBOUND
        if _TENANT in told and _TENANT not in attributes and _TENANT not in bound:
            return
        if RESOURCE in told and resource is None:
            return
        if len(self._keys) >= _KEYS_KEPT:
            self._keys.clear()
        self._keys[evidence] = key

    def _evidence(
        self, attributes: dict[str, Any], raised: Any
    ) -> tuple[int, CrmError | None, object]:
        """Return a hash of what decides of a record's group, its error, and its ``resource.id``.

        The first is `_UNKNOWN` where more decides than is looked at here.
        """
        names = tuple(attributes)
        layout = self._layouts.get(names, _UNSEEN)
        if layout is _UNSEEN:
            layout = self._looked_at(names)
        if layout is None or self._error_like is None:
            return _NOTHING
        number, pick = layout
        values, get = pick(attributes), attributes.get
        crm, resource = get("crm"), get(RESOURCE)
        if self._stamped and (fields := context.current().fields):
            if not _may_be_bound(fields):
                return _NOTHING
            crm, resource = fields.get("crm", crm), fields.get(RESOURCE, resource)
            values += crm, fields.get(_TENANT, get(_TENANT))
        if not _HASHED.issuperset(map(type, values)):
            return _NOTHING
        error = self._error_like(raised, crm)
        if error is None:
            return _NOTHING
        return hash((error.fingerprint, error.provider, number, values)), error, resource

    def _looked_at(self, names: tuple[object, ...]) -> Layout | None:
        """Find out whether a record with attributes of these names is recognised by its values."""
        layout: Layout | None = None
        if _READ.issubset(names) and not any(map(_decides, names)):
            layout = next(_numbers), itemgetter(*_CALL, *_VALUES.intersection(names))
        if len(self._layouts) >= _LAYOUTS_KEPT:
            self._layouts.clear()
        self._layouts[names] = layout
        return layout


def _decides(name: object) -> bool:
    return type(name) is not str or name in _DECIDING


def _may_be_bound(fields: Mapping[str, object]) -> bool:
    """Tell whether fields of a scope decide of no more than is looked at here."""
    return STANDARD_ATTRIBUTES.isdisjoint(fields) and not any(map(_decides, fields))
