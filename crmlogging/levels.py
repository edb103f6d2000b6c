"""Levels that follow ``CRMLOGGING_LEVEL`` in the running process.

The variable, or ``LOG_LEVEL`` where it is not set, holds a *spec*::

    INFO
    INFO,crm.sync=DEBUG,urllib3=WARNING
    DEBUG;until=2026-11-22T03:00Z

A bare level is the root logger's. Once a second the watcher looks at ``os.environ`` and at the
file that ``CRMLOGGING_ENV_FILE`` names (lines ``NAME=value``, as a ConfigMap mounts it); the
source that changed last decides. A logger that drops out of the spec, or whose time is over,
gets back the level it had. A spec that cannot be read changes nothing and is reported once.

Levels above CRITICAL count as CRITICAL: nothing can silence that.
"""

from __future__ import annotations

import datetime
import logging
import os
import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from crmlogging import ticking
from crmlogging.diagnostics import complain
from crmlogging.exceptions import ConfigurationError
from crmlogging.records import notice

__all__ = ["Spec", "Watcher", "parse_duration", "parse_level", "parse_spec", "set_level", "start"]

VARIABLE: Final = "CRMLOGGING_LEVEL"
FALLBACK_VARIABLE: Final = "LOG_LEVEL"
FILE_VARIABLE: Final = "CRMLOGGING_ENV_FILE"
_FILE_BYTES: Final = 65_536
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


def _utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class Watcher:
    """Applies the spec in force to the loggers, and keeps it there.

    Args:
        environ: where the variables stand.
        clock: the present, aware.
    """

    def __init__(
        self,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], datetime.datetime] = _utc_now,
    ) -> None:
        self._environ = environ
        self._clock = clock
        self._seen: dict[str, str | None] = {}
        self._stamp: tuple[int, ...] | None = None
        self._file_text: str | None = None
        self._spec: Spec | None = None
        self._applied: dict[str, int] = {}
        self._before: dict[str, int] = {}

    def tick(self) -> None:
        """Look at the sources, then make the loggers follow."""
        for source, look in (("environment", self._in_environment), ("file", self._in_file)):
            text = look()
            if self._seen.get(source) != text:
                self._seen[source] = text
                # A source that falls silent leaves the word to the other one.
                self._read(text if text is not None else self._other(source))
        self.apply()

    def _other(self, source: str) -> str | None:
        return next((text for name, text in self._seen.items() if name != source), None)

    def _in_environment(self) -> str | None:
        return self._environ.get(VARIABLE) or self._environ.get(FALLBACK_VARIABLE) or None

    def _in_file(self) -> str | None:
        """Return what the env file says; it is read again only when its stat changed."""
        path = self._environ.get(FILE_VARIABLE)
        if not path:
            return None
        try:
            # stat, not lstat: a ConfigMap is renewed by swapping a symlink on the way.
            status = os.stat(path)
            stamp = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
            if stamp != self._stamp:
                with open(path, encoding="utf-8", errors="replace") as file:
                    text = file.read(_FILE_BYTES)
                self._stamp, self._file_text = stamp, _variable_in(text)
        except FileNotFoundError:
            self._stamp = None
            return None
        except OSError:  # unreadable just now: keep the last word
            return self._seen.get("file")
        return self._file_text

    def _read(self, text: str | None) -> None:
        """Take `text` for the spec; one that cannot be read leaves the old one in force."""
        if text is None:
            self._spec = None
            return
        try:
            self._spec = parse_spec(text)
        except ConfigurationError:
            # Without the value: who knows what was pasted there.
            complain(
                "levels", f"{VARIABLE} cannot be read; levels stay as they are", hint="see docs"
            )

    def apply(self) -> None:
        """Set the loggers' levels; restore those that are no longer in the spec."""
        spec = self._spec
        if spec is not None and spec.until is not None and self._clock() >= spec.until:
            spec = None
        wanted = spec.levels if spec else {}
        until = spec.until if spec else None
        if all(_logger_named(name).level == level for name, level in wanted.items()) and (
            wanted.keys() == self._applied.keys()
        ):
            self._applied = dict(wanted)
            return
        # dictConfig holds this lock from its first handler to its last logger: waiting for it
        # means to apply last.
        with logging._lock:  # type: ignore[attr-defined]
            changes = [*self._restore(wanted), *self._set(wanted)]
            self._applied = dict(wanted)
        for name, old, new in changes:
            _announce(name, old, new, until)

    def _restore(self, wanted: Mapping[str, int]) -> list[tuple[str, int, int]]:
        changes = []
        for name in self._applied.keys() - wanted.keys():
            logger, level = _logger_named(name), self._before.pop(name)
            if logger.level == self._applied[name]:  # else somebody else decided meanwhile
                changes.append((name, logger.level, level))
                logger.setLevel(level)
        return changes

    def _set(self, wanted: Mapping[str, int]) -> list[tuple[str, int, int]]:
        changes = []
        for name, level in wanted.items():
            logger = _logger_named(name)
            if logger.level != self._applied.get(name):
                self._before[name] = logger.level
            if logger.level != level:
                changes.append((name, logger.level, level))
                logger.setLevel(level)  # clears the isEnabledFor caches; writing .level does not
        return changes


def _variable_in(text: str) -> str | None:
    """Return the value of our variable in an env file: ``NAME=value``, ``export``, quotes."""
    found = None
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and name.strip() == VARIABLE:
            found = value.strip().strip("\"'") or None
    return found


def _logger_named(name: str) -> logging.Logger:
    return logging.getLogger(name or None)


def _announce(name: str, old: int, new: int, until: datetime.datetime | None) -> None:
    """Log a change past all levels: who reads the log must know why it became quiet."""
    fields = {
        "level.logger": name or "root",
        "level.from": logging.getLevelName(old),
        "level.to": logging.getLevelName(new),
    }
    if until is not None:
        fields["level.until"] = until.isoformat().replace("+00:00", "Z")
    logger = logging.getLogger("crmlogging.levels")
    logger.callHandlers(
        notice(logger.name, logging.WARNING, "Changed a log level", fields, __file__)
    )


_watcher: Watcher | None = None


def start(*, now: bool = False) -> None:
    """Start this process's watcher, once.

    Args:
        now: apply the spec before returning, for who has configured all loggers already.
    """
    global _watcher
    if _watcher is None:
        _watcher = Watcher()
    if now:
        _watcher.tick()
    ticking.watch(_watcher)


def stop() -> None:
    """Forget this process's watcher; the loggers keep the levels they have."""
    global _watcher
    _watcher = None


def set_level(spec: str, for_: str | None = None) -> None:
    """Change levels now, in this process and in those it starts: writes ``CRMLOGGING_LEVEL``.

    Args:
        spec: ``"DEBUG"`` or ``"INFO,crm.sync=DEBUG"``.
        for_: how long, ``"15m"``; then the former levels return by themselves.

    Raises:
        ConfigurationError: `spec` or `for_` cannot be read; nothing changes.
    """
    parse_spec(spec)
    if for_ is not None:
        until = _utc_now() + parse_duration(for_)
        spec = f"{spec.partition(';')[0]};until={until.isoformat(timespec='seconds')}"
    os.environ[VARIABLE] = spec.replace("+00:00", "Z")
    start(now=True)
