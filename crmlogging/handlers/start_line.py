"""The line at the start of a process: which version logs, how much, where to, and what it lets out.

Who reads an archive can tell from it under which rules its lines were written.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

from crmlogging.fields import MISFIT, conform, field_named
from crmlogging.records import notice
from crmlogging.redaction.facts import logger_name
from crmlogging.version import __version__

__all__ = ["allowlist_hash", "announce"]

_ALLOWLIST: Final = "AllowlistFilter"
_REDACTED: Final = "[REDACTED]"
_LEVELS_SHOWN: Final = 50


def announce(document: Mapping[str, Any]) -> None:
    """Log the start line: an ordinary INFO record of the logger ``crmlogging``.

    Args:
        document: that ``logging.config.dictConfig`` has just applied.

    Example:
        `crmlogging.configure` does it; whoever writes documents does after applying one::

            logging.config.dictConfig(LOGGING)
            start_line.announce(LOGGING)
    """
    logger = logging.getLogger("crmlogging")
    if not logger.isEnabledFor(logging.INFO):
        return
    fields = {
        "start.version": __version__,
        "start.levels": _levels(),
        "start.handlers": _handlers(document),
        "start.allowlist": allowlist_hash(document),
    }
    logger.handle(notice(logger.name, logging.INFO, "Logging begins", fields, __file__))


def allowlist_hash(document: Mapping[str, Any]) -> str:
    """Return 16 hex digits that change with what the allowlists of `document` let out.

    The order of entries does not matter, nor do names of filters and keys.

    Example:
        >>> one = {"filters": {"a": {"()": "crmlogging.AllowlistFilter", "fields": ["b", "c"]}}}
        >>> two = {"filters": {"x": {"fields": ("c", "b"), "()": "crmlogging.AllowlistFilter"}}}
        >>> allowlist_hash(one) == allowlist_hash(two)
        True
    """
    allowlists = [
        _settled({name: value for name, value in options.items() if name != "()"})
        for options in document.get("filters", {}).values()
        if _class_name(options) == _ALLOWLIST
    ]
    return hashlib.sha256(json.dumps(sorted(allowlists)).encode()).hexdigest()[:16]


def _settled(value: Any) -> str:
    """Return a text that is the same for equal settings, whatever their order.

    Of an object only its class counts: a text of it could hold a key, or an address.
    """
    if isinstance(value, Mapping):
        return json.dumps(sorted((str(name), _settled(each)) for name, each in value.items()))
    if isinstance(value, list | tuple | set | frozenset):
        return json.dumps(sorted(map(_settled, value)))
    if value is None or isinstance(value, str | int | float):
        return json.dumps(value)
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _class_name(options: Mapping[str, Any]) -> str:
    factory = options.get("()", options.get("class", ""))
    name = factory if isinstance(factory, str) else getattr(factory, "__qualname__", "")
    return name.rpartition(".")[2]


def _levels() -> list[str]:
    loggers: Iterable[tuple[str, object]] = sorted(logging.root.manager.loggerDict.items())
    levels = [f"root:{logging.getLevelName(logging.root.level)}"]
    for name, logger in loggers:
        if isinstance(logger, logging.Logger) and logger.level and len(levels) < _LEVELS_SHOWN:
            levels.append(f"{logger_name(name)}:{logging.getLevelName(logger.level)}")
    return list(map(_shown, levels))


def _handlers(document: Mapping[str, Any]) -> list[str]:
    handlers = document.get("handlers", {})
    return [_shown(f"{name}:{_class_name(options)}") for name, options in handlers.items()]


def _shown(text: str) -> str:
    field = field_named("start.handlers")
    return _REDACTED if field is None or conform(field, text) is MISFIT else text
