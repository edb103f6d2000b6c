"""The logging calls that are measured, written out as in a service.

Names of fields are constants of the calling code, and the call is where they are: what may be
shown depends on it. Peers with a call of their own get the same fields from `fields_of`.
"""

from __future__ import annotations

import ast
import inspect
import logging
import textwrap
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, Final

from benchmarks.registry import Place
from benchmarks.workloads import LOGGER, LOGGER_URLLIB3, Contact

__all__ = ["Call", "at_level", "fields_of", "lends_logger", "of", "through"]

Call = Callable[[Contact], None]


def lends_logger(name: str = LOGGER, level: int = logging.INFO) -> logging.Logger:
    """Return the logger of the calls, cut off from root."""
    logger = logging.getLogger(name)
    logger.setLevel(level)
    logger.propagate = False
    return logger


def through(place: Place, handler: logging.Handler) -> Call:
    """Return the call of a scenario, through a standard logger with this handler."""
    if place.scenario == "S2t":
        import_module("urllib3")  # whose logger it is: a name nobody answers for is not shown
        logger = lends_logger(LOGGER_URLLIB3, logging.DEBUG)
    else:
        logger = lends_logger()
    logger.addHandler(handler)
    return of(place, logger)


def _ten_fields(logger: Any) -> Call:
    def call(values: Contact) -> None:
        logger.error(
            "Updated contact",
            extra={
                "crm": "hubspot",
                "tenant.code": "acme",
                "resource.type": "contact",
                "resource.id": values[0],
                "request.id": values[1],
                "request.method": "PATCH",
                "request.attempt": 1,
                "request.duration_ms": values[2],
                "response.status": 200,
                "ratelimit.remaining": 87,
            },
        )

    return call


def _masked_fields(logger: Any) -> Call:
    def call(values: Contact) -> None:
        logger.error(
            "Updated contact",
            extra={
                "crm": "hubspot",
                "tenant.code": "acme",
                "resource.type": "contact",
                "resource.id": values[0],
                "request.id": values[1],
                "request.method": "PATCH",
                "request.attempt": 1,
                "request.duration_ms": values[2],
                "email": values[3],
                "phone": values[4],
                "api_key": "made-up-key-of-the-benchmark",
                "lastname": "Lovelace",
            },
        )

    return call


def at_level(logger: logging.Logger, level: int) -> Call:
    """Return the call of S2d, at this level.

    Written out once more: what may be shown depends on the constants of the code that calls.
    """

    def call(values: Contact) -> None:
        logger.log(
            level,
            "Updated contact",
            extra={
                "crm": "hubspot",
                "tenant.code": "acme",
                "resource.type": "contact",
                "resource.id": values[0],
                "request.id": values[1],
                "request.method": "PATCH",
                "request.attempt": 1,
                "request.duration_ms": values[2],
                "email": values[3],
                "phone": values[4],
                "api_key": "made-up-key-of-the-benchmark",
                "lastname": "Lovelace",
            },
        )

    return call


def _scrubbed_fields(logger: Any) -> Call:
    def call(values: Contact) -> None:
        logger.error(
            "Updated contact",
            extra={
                "crm": "hubspot",
                "tenant.code": "acme",
                "campaign.name": values[5],
                "resource.id": values[0],
                "request.id": values[1],
                "request.method": "PATCH",
                "request.attempt": 1,
                "request.duration_ms": values[2],
                "email": values[3],
                "phone": values[4],
                "api_key": "made-up-key-of-the-benchmark",
                "lastname": "Lovelace",
            },
        )

    return call


def _third_party(logger: Any) -> Call:
    # As urllib3's connection pool writes it for each request.
    def call(values: Contact) -> None:
        logger.debug(
            '%s://%s:%s "%s %s %s" %s %s',
            "https",
            "api.hubapi.com",
            443,
            "PATCH",
            f"/crm/v3/objects/contacts/{values[0]}?email={values[3]}",
            "HTTP/1.1",
            200,
            512,
        )

    return call


def _built(logger: Any) -> Call:
    # As most programs write it.
    def call(values: Contact) -> None:
        contact_id, email = values[0], values[3]
        logger.error(f"Updated contact {contact_id} of {email}", extra={"crm": "hubspot"})

    return call


def _failure(logger: Any) -> Call:
    def call(values: Contact) -> None:
        logger.error(
            "Updated contact",
            exc_info=values[6],
            extra={"crm": "hubspot", "resource.id": values[0]},
        )

    return call


def _disabled(logger: Any) -> Call:
    def call(values: Contact) -> None:
        logger.debug("Found contact %s in the cache", values[0])

    return call


_CALLS: Final[dict[str, Callable[[Any], Call]]] = {
    "S1": _ten_fields,
    "S2a": _masked_fields,
    "S2b": _scrubbed_fields,
    "S2t": _third_party,
    "S2f": _built,
    "S5": _disabled,
    "S9": _failure,
}


def of(place: Place, logger: Any) -> Call:
    """Return the call of a scenario through a logger of the standard interface."""
    return _CALLS.get(place.scenario, _ten_fields)(logger)


@cache
def fields_of(scenario: str) -> Callable[[Contact], dict[str, Any]]:
    """Return the function that makes the fields of a scenario's call, for those of another form.

    It is the expression that the call has for ``extra``, compiled by itself: as fast as written
    out once more.
    """
    written = ast.parse(textwrap.dedent(inspect.getsource(_CALLS.get(scenario, _ten_fields))))
    keywords = [node for node in ast.walk(written) if isinstance(node, ast.keyword)]
    fields = [ast.unparse(keyword.value) for keyword in keywords if keyword.arg == "extra"]
    if not fields:
        return fields_of("S1")
    made: Callable[[Contact], dict[str, Any]] = eval(f"lambda values: {fields[0]}")
    return made
