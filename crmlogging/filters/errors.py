"""Exceptions and responses on a record become ``error.*`` fields; call sites stay as they are.

The response is found in ``exc_info`` (through wrapped and chained exceptions), or in
``extra={"response": r}`` or ``extra={"error": exc}``. Everything is known by its attributes:
requests, httpx, urllib3, aiohttp, botocore, simple-salesforce, hubspot-api-client, stripe.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from crmlogging.diagnostics import complain
from crmlogging.exceptions import Problems
from crmlogging.records import SafeRecord, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from crmlogging.errors.model import CrmError

__all__ = ["ErrorFilter"]


class ErrorFilter(Stage):
    """Classify what went wrong and write it on the record; never drop a record.

    Put it on a handler, before `AllowlistFilter`: it reads the raw answer, in memory only. It
    takes no body that the client has not read already, and neither waits nor raises. A record
    without an exception or a response costs next to nothing.

    A response or exception passed in ``extra`` is taken off the record once its fields are
    there. Fields of the request (``request.method``, ``response.status``, ``crm`` ...) that the
    record has already are kept.

    Args:
        catalog: TOML file, or several, with rules of your own; asked before the built-in ones.

    Raises:
        ConfigurationError: an option is unknown, or rows of `catalog` are bad; all are named.
    """

    passes_all = True

    def __init__(
        self, *, catalog: str | Path | list[str | Path] | None = None, **unknown: object
    ) -> None:
        super().__init__()
        problems = Problems("ErrorFilter")
        problems.unknown(unknown, known=("catalog",))
        files = catalog if isinstance(catalog, list | tuple) else [catalog]
        for each in files:
            problems.paths(catalog=each)
        problems.raise_if_any()
        # Not with this module, which programs import that log no errors; nor with the first error,
        # since no call that logs is to wait for files.
        from crmlogging.errors.catalog import builtin
        from crmlogging.errors.record_fields import describe

        self._catalog = builtin() if catalog is None else builtin().extended(*files)
        self._describe = describe
        own = type(self)
        if (own.refine, own.filter) == (ErrorFilter.refine, Stage.filter):
            self.enrich = _is_plain

    def recaller(self) -> Callable[[BaseException, str | None], CrmError | None]:
        """Return what tells the error that an exception is to `refine`, if its like is known.

        It is given the exception and ``crm``. Only what belongs to the single answer, the id of
        its request and a delay, may be another's.
        """
        from crmlogging.errors.memory.exceptions import recall_of

        return recall_of(self._catalog).error_like

    def refine(self, record: logging.LogRecord) -> logging.LogRecord | bool:
        """Write ``error.*`` on `record`, which belongs to the caller."""
        attributes = record.__dict__
        if (
            not attributes.get("exc_info")
            and "response" not in attributes
            and "error" not in attributes
        ) or isinstance(record, SafeRecord):
            return record
        try:
            self._describe(attributes, self._catalog)
        except Exception as error:  # noqa: BLE001  # logging never raises; the line goes on without
            complain("classification", error)
        return record


def _is_plain(fields: dict[str, Any]) -> bool:
    """Tell whether a call with these fields, and no exception, says nothing of an error."""
    return "response" not in fields and "error" not in fields
