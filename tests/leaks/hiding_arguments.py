"""Places in the arguments of a logging call: values of every kind, and names of fields."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from typing import Final

from tests.leaks.hiding_values import VALUES
from tests.leaks.places import Extra, add, place, shaped

_WORDS: Final = ("hexadecimal", "numbers-of-a-text")
"""Values that make an id or numbers of any secret: where ids are allowed, they fit."""


def _each_value(name: str, make: Callable[[str], object]) -> None:
    """Every kind of value, in every argument of a logging call."""

    def in_extra(log: logging.Logger, secret: str, extra: Extra) -> None:
        log.error("Contact failed", extra={**extra, "note": make(secret)})

    def beside_allowed(log: logging.Logger, secret: str, extra: Extra) -> None:
        log.error("Contact failed", extra={**extra, "details": {"step": 1, "x": make(secret)}})

    def under_allowed(log: logging.Logger, secret: str, extra: Extra) -> None:
        log.error("Contact failed", extra={**extra, "campaign.id": make(secret)})

    def under_allowed_text(log: logging.Logger, secret: str, extra: Extra) -> None:
        log.error("Contact failed", extra={**extra, "campaign.name": make(secret)})

    def in_argument(log: logging.Logger, secret: str, extra: Extra) -> None:
        contact = make(secret)
        log.error("Contact %s of %d failed", contact, 2, extra=extra)

    def in_message(log: logging.Logger, secret: str, extra: Extra) -> None:
        log.error(make(secret), extra=extra)

    def in_exception(log: logging.Logger, secret: str, extra: Extra) -> None:
        try:
            raise ValueError(make(secret))
        except ValueError:
            log.exception("Contact failed", extra=extra)

    add(f"in-extra: {name}", in_extra)
    add(f"beside-allowed: {name}", beside_allowed)
    if name not in _WORDS:
        add(f"under-allowed: {name}", under_allowed, without=("word",))
        add(f"under-allowed-text: {name}", under_allowed_text, without=("word", "phrase"))
    add(f"in-argument: {name}", in_argument)
    add(f"in-message: {name}", in_message)
    add(f"in-exception: {name}", in_exception)


for _name, _make in VALUES.items():
    _each_value(_name, _make)


@place
def key_of_extra(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error("Contact failed", extra={**extra, secret: 1})


@place
def key_below_an_allowed_wildcard(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error("Contact failed", extra={**extra, "details": {secret: 1}})


@place
def dotted_key_of_extra(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error("Contact failed", extra={**extra, f"user.{secret}": 1, f"details.{secret}": 1})


@place
def look_alike_keys(log: logging.Logger, secret: str, extra: Extra) -> None:
    keys = ("Campaign.id", "campaign.ID", "campaign.id ", "ｃampaign.id", "сampaign.id")
    log.error("Contact failed", extra={**extra, **dict.fromkeys(keys, secret)})


@place
def reserved_names(log: logging.Logger, secret: str, extra: Extra) -> None:
    names = (
        "timestamp",
        "level",
        "logger",
        "service",
        "environment",
        "host",
        "source",
        "process.id",
    )
    log.error("Contact failed", extra={**extra, **dict.fromkeys(names, secret)})


@shaped
def fields_of_our_own_stages(log: logging.Logger, secret: str, extra: Extra) -> None:
    names = ("record.id", "schema.version", "error.message", "error.stack", "error.type", "[KEYS]")
    log.error("Contact failed", extra={**extra, **dict.fromkeys(names, secret)})


@place
def allowed_field_that_is_a_token(log: logging.Logger, secret: str, extra: Extra) -> list[str]:
    parts = ('{"alg":"HS256"}', f'{{"sub":"{secret}"}}', "signature-of-it-all")
    jwt = ".".join(base64.urlsafe_b64encode(p.encode()).decode().rstrip("=") for p in parts)
    log.error("Contact failed", extra={**extra, "campaign.id": jwt})
    return [jwt]


@place
def allowed_field_that_is_a_card(log: logging.Logger, secret: str, extra: Extra) -> list[str]:
    card = 4111111111111111  # a column of a table with gaps holds it as a fraction
    for number in (card, -card, float(card), -card - 0.5, str(card)):
        log.error("Contact failed", extra={**extra, "campaign.id": number})
    return [str(card)]


@place
def audit_flag(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error("Contact failed", extra={**extra, "audit": secret})
