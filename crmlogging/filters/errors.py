"""Exceptions and responses on a record become ``error.*`` fields; call sites stay as they are.

The response is found in ``exc_info`` (through wrapped and chained exceptions), or in
``extra={"response": r}`` or ``extra={"error": exc}``. Everything is known by its attributes:
requests, httpx, urllib3, aiohttp, botocore, simple-salesforce, hubspot-api-client, stripe.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from crmlogging.diagnostics import complain
from crmlogging.exceptions import Problems
from crmlogging.fields import MISFIT, SHAPES
from crmlogging.records import SafeRecord, Stage

if TYPE_CHECKING:
    from crmlogging.errors.catalog import Catalog
    from crmlogging.errors.model import CrmError
    from crmlogging.errors.responses import Exchange

__all__ = ["ErrorFilter"]

_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"))


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

    def __init__(
        self, *, catalog: str | Path | list[str | Path] | None = None, **unknown: object
    ) -> None:
        super().__init__()
        problems = Problems("ErrorFilter")
        problems.unknown(unknown, known=("catalog",))
        problems.raise_if_any()
        self._catalog: Catalog | None = None
        if catalog is not None:
            from crmlogging.errors.catalog import builtin

            files = [catalog] if isinstance(catalog, (str, Path)) else catalog
            self._catalog = builtin().extended(*files)

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
            self._describe(attributes)
        except Exception as error:  # noqa: BLE001  # logging never raises; the line goes on without
            complain("classification", error)
        return record

    def _describe(self, attributes: dict[str, Any]) -> None:
        """Find exception and response on the record, and write what they mean."""
        # Here, so that processes that never see an error never load the catalog.
        from crmlogging.errors.faults import read_fault
        from crmlogging.errors.model import CrmError
        from crmlogging.errors.responses import Exchange, exchange_of
        from crmlogging.errors.written import judge_exchange

        error, response = attributes.get("error"), attributes.get("response")
        if isinstance(error, CrmError):
            del attributes["error"]
            _write_error(error, attributes)
            return
        fault = read_fault(error) if isinstance(error, BaseException) else None
        exc_info = attributes.get("exc_info")
        if fault is not None:
            del attributes["error"]
        elif isinstance(exc_info, tuple) and len(exc_info) == 3:
            fault = read_fault(exc_info[1])
        exchange = exchange_of(response)
        if exchange is not None:
            del attributes["response"]
        elif fault is not None:
            exchange = fault.exchange
        if fault is None and exchange is None:
            return
        exchange = exchange or Exchange()
        outcome = judge_exchange(
            exchange, fault, provider=attributes.get("crm"), catalog=self._catalog
        )
        if outcome is not None:
            _write_error(outcome, attributes)
        _write_exchange(exchange, attributes)


def _write_error(error: CrmError, attributes: dict[str, Any]) -> None:
    from crmlogging.errors.written import error_fields, request_fields

    attributes.update(error_fields(error))
    for name, value in request_fields(error).items():
        attributes.setdefault(name, value)
    instance = _instance(error, attributes)
    if instance:
        attributes["error.instance"] = instance


def _instance(error: CrmError, attributes: dict[str, Any]) -> str:
    """Name this occurrence (RFC 9457 section 3.1.5): by the record, else by the provider's id."""
    identity = attributes.get("record.id")
    if isinstance(identity, str):
        return f"urn:crmlogging:record:{identity}"
    return f"urn:crmlogging:request:{error.request_id}" if error.request_id else ""


def _write_exchange(exchange: Exchange, attributes: dict[str, Any]) -> None:
    from crmlogging.errors.headers import lower_headers
    from crmlogging.errors.limits import limits_of
    from crmlogging.errors.naming import split_url

    if exchange.status is not None:
        attributes.setdefault("response.status", exchange.status)
    method = exchange.method.upper() if exchange.method else ""
    if method in _METHODS:
        attributes.setdefault("request.method", method)
    if exchange.url:
        path = SHAPES["path"](split_url(exchange.url)[1] or "/")
        if path is not MISFIT:
            attributes.setdefault("request.path", path)
    if exchange.headers:
        limits = limits_of(lower_headers(exchange.headers))
        for name, value in (
            ("ratelimit.limit", limits.limit),
            ("ratelimit.remaining", limits.remaining),
            ("ratelimit.reset", limits.reset_seconds),
        ):
            if value is not None:
                attributes.setdefault(name, value)
