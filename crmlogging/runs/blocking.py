"""What a failure means for the records still to come.

Some failures stop every record (an expired token, a used up API quota), some a kind of write
(no more contacts in this plan), some the records that carry a field, most only their own record.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from typing import Final

from crmlogging.errors.model import Category, CrmError
from crmlogging.errors.verdicts.operations import action_of

__all__ = ["Blocking"]

_RECORDS_KEPT: Final = 10_000
_FIELDS_KEPT: Final = 1_000
# Scopes, features, limits of a plan: whoever does the same to another record meets them again.
_KIND_OF_WRITE: Final = frozenset(("SCOPE_MISSING", "COMPLIANCE_BLOCK"))
_ANY_ACTION: Final = frozenset(("CALL", "REQUEST"))


class Blocking:
    """The failures of a run that concern records still to come."""

    def __init__(self) -> None:
        self.everything: CrmError | None = None
        """The failure that would hit every record, or None."""
        self._actions: set[str] = set()
        self._fields: set[str] = set()
        self._records: OrderedDict[Hashable, None] = OrderedDict()

    def failed(self, error: CrmError, resource_id: Hashable | None) -> None:
        """Take note of a failure for good."""
        if error.abort_run:
            if self.everything is None or not self.everything.actionable:
                self.everything = error
        elif error.category is Category.PLAN or error.reason in _KIND_OF_WRITE:
            self._actions.add(action_of(error.code))
        elif error.category is Category.PERMISSIONS and len(self._fields) < _FIELDS_KEPT:
            self._fields.update(field.field for field in error.fields)
        if resource_id is not None and not error.retryable:
            self._records[resource_id] = None
            if len(self._records) > _RECORDS_KEPT:
                self._records.popitem(last=False)

    def succeeded(self) -> None:
        """A record went through: a destination that could not be reached is back."""
        if self.everything is not None and not self.everything.actionable:
            self.everything = None

    def allows(
        self, resource_id: Hashable | None, action: str | None, fields: Iterable[str]
    ) -> bool:
        """Whether a record may still be sent."""
        if self.everything is not None or resource_id in self._records:
            return False
        if self._actions and (
            action is None or action.upper() in self._actions or self._actions & _ANY_ACTION
        ):
            return False
        return self._fields.isdisjoint(fields)
