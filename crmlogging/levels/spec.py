"""A level spec: its grammar, and what is wrong with one that breaks it."""

from __future__ import annotations

import datetime
import logging
import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from crmlogging.exceptions import ConfigurationError

__all__ = ["Rule", "Spec", "parse_duration", "parse_level", "parse_spec", "utc_now", "with_end"]

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


_FIELD: Final = r"[a-z][a-z0-9_.]{0,63}"
_VALUE: Final = r"[A-Za-z0-9._:-]{1,128}"


class Rule(NamedTuple):
    """A level for one piece of work: ``crm.sync=DEBUG@tenant.code=acme``.

    Attributes:
        logger: it and those below it; ``""`` is the root logger.
        level: from which on they log, within that piece of work.
        field: name of a bound field, or ``correlation_id``.
        value: what it has to be, as text.
    """

    logger: str
    level: int
    field: str
    value: str


class Spec(NamedTuple):
    """A spec, read.

    Attributes:
        levels: logger name to level; ``""`` is the root logger.
        until: end of its validity, aware, UTC; None is for good.
        rules: levels for one piece of work each.
    """

    levels: Mapping[str, int]
    until: datetime.datetime | None = None
    rules: tuple[Rule, ...] = ()


def parse_level(text: str | int) -> int:
    """Return a level's number from its name, in any case, or number; at most CRITICAL.

    Raises:
        ConfigurationError: it is neither.
    """
    number: object = None
    if isinstance(text, int) and not isinstance(text, bool):
        number = text
    elif isinstance(text, str):
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
    if not isinstance(text, str):
        raise ConfigurationError(f"level: {text!r} is no text such as 'INFO,crm.sync=DEBUG'")
    problems: list[str] = []
    levels: dict[str, int] = {}
    rules: list[Rule] = []
    listed, _, option = text.partition(";")
    for part in filter(None, (part.strip() for part in listed.split(","))):
        try:
            given, at, scope = part.partition("@")
            logger, level = _parse_part(given)
            if at:
                rules.append(Rule(logger, level, *_parse_scope(scope)))
            else:
                levels[logger] = level
        except ConfigurationError as error:
            problems.extend(error.problems)
    if not levels and not rules and not problems:
        problems.append("level: the spec is empty")
    until = None
    if option.strip():
        try:
            until = _parse_until(option)
        except ValueError:
            problems.append(f"level: {option.strip()!r} is not until=TIME with an RFC 3339 time")
    if problems:
        raise ConfigurationError(*problems)
    return Spec(levels, until, tuple(rules))


def _parse_part(part: str) -> tuple[str, int]:
    name, equals, level = part.rpartition("=")
    name = name.strip()
    if equals and not (name and name.isprintable()):
        raise ConfigurationError(f"level: {part!r} names no logger")
    return "" if name == "root" else name, parse_level(level)


def _parse_scope(scope: str) -> tuple[str, str]:
    field, _, value = (part.strip() for part in scope.partition("="))
    if not re.fullmatch(_FIELD, field) or not re.fullmatch(_VALUE, value):
        raise ConfigurationError(
            f"level: '@{scope}' is not @FIELD=VALUE, as @tenant.code=acme or @correlation_id=ID"
        )
    return field, value


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
    match = None
    if isinstance(text, str):
        match = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", text.strip())
    if match is None:
        raise ConfigurationError(f"for: {text!r} is no duration such as 90s, 15m, 2h, 1d")
    seconds = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}[match[2]]
    return datetime.timedelta(seconds=int(match[1]) * seconds)


def utc_now() -> datetime.datetime:
    """Return the present, aware."""
    return datetime.datetime.now(datetime.UTC)


def with_end(
    spec: str, for_: str | None, *, clock: Callable[[], datetime.datetime] = utc_now
) -> str:
    """Return `spec`, checked, as it stands in a variable.

    Args:
        for_: how long from now, ``"15m"``; it becomes the time of its end.
        clock: the present, aware.

    Raises:
        ConfigurationError: one of the two cannot be read.
    """
    parse_spec(spec)
    if for_ is None:
        return spec
    until = clock() + parse_duration(for_)
    end = until.isoformat(timespec="seconds").replace("+00:00", "Z")
    return f"{spec.partition(';')[0]};until={end}"
