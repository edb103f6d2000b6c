"""Writes the current scope on records: correlation id and bound fields."""

from __future__ import annotations

import logging
from typing import Any, Final

from crmlogging import context
from crmlogging.exceptions import Problems
from crmlogging.records import SafeRecord, Stage

__all__ = ["CorrelationFilter"]

NO_ID: Final = "-"


class CorrelationFilter(Stage):
    """Stamp each record with the correlation id and the bound fields of its scope.

    It reads context variables, so it belongs on the near side of any queue, in the thread of
    the logging call. It never drops a record.

    Outside any scope the id is ``-``, unless the call passed one in ``extra``. Inside, the
    scope's id and fields win over ``extra``.
    """

    passes_all = True

    def __init__(self, **unknown: object) -> None:
        problems = Problems("CorrelationFilter")
        problems.unknown(unknown, known=("no options",))
        problems.raise_if_any()
        super().__init__()
        own = type(self)
        if (own.refine, own.filter) == (CorrelationFilter.refine, Stage.filter):
            self.enrich = _enrich

    def refine(self, record: logging.LogRecord) -> logging.LogRecord | bool:
        """Write the scope on `record`, which belongs to the caller."""
        if isinstance(record, SafeRecord):  # stamped where it was made
            return record
        _enrich(record.__dict__)
        return record


def _enrich(attributes: dict[str, Any]) -> bool:
    state = context.current()
    if state.fields:
        attributes.update(state.fields)
    if state.id is not None:
        attributes["correlation_id"] = state.id
    else:
        attributes.setdefault("correlation_id", NO_ID)
    return True
