"""The watcher: looks at the sources of the spec, and makes the loggers follow."""

from __future__ import annotations

import datetime
import logging
import os
import stat
from collections.abc import Callable, Mapping
from typing import Final

from crmlogging.diagnostics import complain
from crmlogging.exceptions import ConfigurationError
from crmlogging.fields import field_named
from crmlogging.levels import scoping
from crmlogging.levels.env_file import FILE_BYTES, FILE_VARIABLE, VARIABLE, value_in
from crmlogging.levels.spec import Rule, Spec, parse_spec, utc_now
from crmlogging.records import notice

__all__ = ["Watcher"]

FALLBACK_VARIABLE: Final = "LOG_LEVEL"


class Watcher:
    """Applies the spec in force to the loggers, and keeps it there.

    Args:
        environ: where the variables stand.
        clock: the present, aware.
    """

    def __init__(
        self,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], datetime.datetime] = utc_now,
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
        text = self._environ.get(VARIABLE) or self._environ.get(FALLBACK_VARIABLE)
        # Some programs that read an env file leave its quotes in the value.
        return (text or "").strip().strip("\"'") or None

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
                if not stat.S_ISREG(status.st_mode):
                    return None  # A pipe would have the thread wait that looks after all handlers.
                with open(path, encoding="utf-8", errors="replace") as file:
                    text = file.read(FILE_BYTES)
                self._stamp, self._file_text = stamp, value_in(text)
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
                "levels",
                f"{VARIABLE} cannot be read; levels stay as they are",
                hint="write INFO, or INFO,crm.sync=DEBUG",
            )

    def apply(self) -> None:
        """Set the loggers' levels; restore those that are no longer in the spec."""
        spec = self._spec
        if spec is not None and spec.until is not None and self._clock() >= spec.until:
            spec = None
        wanted = spec.levels if spec else {}
        until = spec.until if spec else None
        self._put_rules(spec.rules if spec else (), until)
        if all(_logger_named(name).level == level for name, level in wanted.items()) and (
            wanted.keys() == self._applied.keys()
        ):
            self._applied = dict(wanted)
            return
        # dictConfig holds this lock from its first handler to its last logger: waiting for it
        # means to apply last.
        with logging._lock:  # type: ignore[attr-defined]  # private, no other way
            changes = [*self._restore(wanted), *self._set(wanted)]
            self._applied = dict(wanted)
        for name, old, new in changes:
            _announce(name, old, new, until)

    def _put_rules(self, rules: tuple[Rule, ...], until: datetime.datetime | None) -> None:
        before = scoping.rules
        if rules == before:
            return
        scoping.rules = rules
        for rule in before:
            if rule not in rules:
                level = _logger_named(rule.logger).getEffectiveLevel()
                _announce(rule.logger, rule.level, level, None, rule)
        for rule in rules:
            if rule not in before:
                level = _logger_named(rule.logger).getEffectiveLevel()
                _announce(rule.logger, level, rule.level, until, rule)

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


def _logger_named(name: str) -> logging.Logger:
    return logging.getLogger(name or None)


def _announce(
    name: str,
    old: int,
    new: int,
    until: datetime.datetime | None,
    rule: Rule | None = None,
) -> None:
    """Log a change past all levels: who reads the log must know why it became quiet."""
    fields: dict[str, object] = {
        "level.logger": name or "root",
        "level.from": logging.getLevelName(old),
        "level.to": logging.getLevelName(new),
    }
    if until is not None:
        fields["level.until"] = until.isoformat().replace("+00:00", "Z")
    message = "Changed a log level"
    if rule is not None:
        message = "Changed the log level of one piece of work"
        known = field_named(rule.field)
        if known is not None and known.safe:  # Of others nobody has said that they may be shown.
            fields[rule.field] = rule.value
    logger = logging.getLogger("crmlogging.levels")
    logger.callHandlers(notice(logger.name, logging.WARNING, message, fields, __file__))
