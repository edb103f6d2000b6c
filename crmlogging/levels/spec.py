"""A level spec: its grammar, and what is wrong with one that breaks it."""

from __future__ import annotations

import datetime
import logging
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from crmlogging.exceptions import ConfigurationError

__all__ = ["Spec", "parse_duration", "parse_level", "parse_spec"]

_NAMES: Final = {
    "CRITICAL": 50,
    "FATAL": 50,
    "ERROR": 40,
    "WARNING": 30,
    "WARN": 30,
    "INFO": 20,
    "DEBUG": 10,
    "NOTSET": 0,
}


class Spec(NamedTuple):
    """A spec, read.

    Attributes:
        levels: logger name to level; ``""`` is the root logger.
        until: end of its validity, aware, UTC; None is for good.
    """

    levels: Mapping[str, int]
    until: datetime.datetime | None = None


def parse_level(text: str | int) -> int:
    """Return a level's number from its name, in any case, or number; at most CRITICAL.

    Raises:
        ConfigurationError: it is neither.
    """
    if isinstance(text, int):
        number: object = text
    else:
        name = text.strip().upper()
        known = _NAMES.get(name, logging.getLevelName(name))
        number = int(name) if re.fullmatch(r"[0-9]{1,3}", name) else known
    if type(number) is not int or number < 0:
        names = ", ".join(name for name in _NAMES if name not in ("FATAL", "WARN"))
        raise ConfigurationError(f"level: {text!r} is no level; known: {names}, or a number")
    return min(number, logging.CRITICAL)


def parse_spec(text: str) -> Spec:
    """Read a spec.

    Raises:
        ConfigurationError: with every part that cannot be read.

    Example:
        >>> parse_spec("info,crm.sync=DEBUG;until=2026-11-22T03:00Z").levels
        {'': 20, 'crm.sync': 10}
    """
    problems: list[str] = []
    levels: dict[str, int] = {}
    listed, _, option = text.partition(";")
    for part in filter(None, (part.strip() for part in listed.split(","))):
        name, equals, level = part.rpartition("=")
        try:
            levels["" if name.strip() == "root" else name.strip()] = parse_level(level)
        except ConfigurationError as error:
            problems.extend(error.problems)
        if equals and not name.strip():
            problems.append(f"level: {part!r} names no logger")
    if not levels and not problems:
        problems.append("level: the spec is empty")
    until = None
    if option.strip():
        try:
            until = _parse_until(option)
        except ValueError:
            problems.append(f"level: {option.strip()!r} is not until=TIME with an RFC 3339 time")
    if problems:
        raise ConfigurationError(*problems)
    return Spec(levels, until)


def _parse_until(option: str) -> datetime.datetime:
    key, _, value = option.partition("=")
    time = datetime.datetime.fromisoformat(value.strip())
    if key.strip() != "until" or time.tzinfo is None:
        raise ValueError(option)
    return time.astimezone(datetime.UTC)


def parse_duration(text: str) -> datetime.timedelta:
    """Read ``90s``, ``15m``, ``2h`` or ``1d``.

    Raises:
        ConfigurationError: it is none of these.
    """
    match = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", text.strip())
    if match is None:
        raise ConfigurationError(f"for: {text!r} is no duration such as 90s, 15m, 2h, 1d")
    seconds = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}[match[2]]
    return datetime.timedelta(seconds=int(match[1]) * seconds)
