"""All that is wrong with a dictConfig document; `logging.config` stops at the first."""

from __future__ import annotations

import logging
import logging.config
from collections.abc import Iterator, Mapping
from typing import Any, Final

from crmlogging.exceptions import ConfigurationError

__all__ = ["copied", "of_document", "sentences"]

_PARTS: Final = ("filters", "formatters", "handlers")
_SECTIONS: Final = frozenset(
    (*_PARTS, "version", "loggers", "root", "disable_existing_loggers", "incremental")
)


def copied(value: Any) -> Any:
    """Return a copy of a document's mappings and lists; objects in it stay the same."""
    if isinstance(value, Mapping):
        return {key: copied(each) for key, each in value.items()}
    return [copied(each) for each in value] if type(value) is list else value


def sentences(error: BaseException) -> list[str]:
    """Return what `error` says: all problems of a `ConfigurationError`, else its first cause."""
    seen = [error]
    while (cause := seen[-1].__cause__) is not None and cause not in seen:
        seen.append(cause)
    for each in seen:
        if isinstance(each, ConfigurationError):
            return list(each.problems)
    last = seen[-1]
    text = str(last) or str(error)
    # ValueError and OSError explain themselves; "KeyError: 'x'" does not without its name.
    named = text if isinstance(last, ValueError | OSError) else f"{type(last).__name__}: {text}"
    return [" ".join(named.split())]


def of_document(document: Mapping[str, Any]) -> list[str]:
    """Return every problem of `document`, which cannot be loaded, each with its place first."""
    found = [
        f"{section}: unknown section (known: {', '.join(sorted(_SECTIONS))})"
        for section in document
        if section not in _SECTIONS
    ]
    if document.get("version") != 1:
        return [*found, f"version: must be 1, not {document.get('version')!r}"]
    for section in _PARTS:
        for name in _table(document, section, found):
            problems = _of_part(document, section, name)
            found += [f"{section}.{name}: {problem}" for problem in problems]
    for place, logger in _loggers(document, found):
        found += [f"{place}: {problem}" for problem in _of_logger(document, logger)]
    return found


def _table(document: Mapping[str, Any], section: str, found: list[str]) -> list[str]:
    table = document.get(section, {})
    if isinstance(table, Mapping):
        return list(table)
    found.append(f"{section}: is a {type(table).__name__}, not a table of names")
    return []


def _of_part(document: Mapping[str, Any], section: str, name: str) -> Iterator[str]:
    """Build one filter, formatter or handler by itself, and say what fails."""
    part = document[section][name]
    if not isinstance(part, Mapping):
        yield f"is a {type(part).__name__}, not a table of options"
        return
    missing = [
        (kind, other) for kind, other in _references(part) if not _has(document, kind, other)
    ]
    for kind, other in missing:
        yield f"{kind}: there is no {other!r} (known: {_known(document, kind)})"
    if all(kind != "handlers" for kind, _ in missing):
        yield from _of_building(document, section, name)


def _references(part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if isinstance(part.get("formatter"), str):
        yield "formatters", part["formatter"]
    for kind in ("filters", "handlers"):
        names = part.get(kind)
        for name in names if isinstance(names, list | tuple) else ():
            if isinstance(name, str) and not name.startswith(("cfg://", "ext://")):
                yield kind, name


def _of_building(document: Mapping[str, Any], section: str, name: str) -> list[str]:
    configurator = logging.config.DictConfigurator(copied(document))
    part: Any = configurator.config[section][name]
    build = {
        "filters": configurator.configure_filter,
        "formatters": configurator.configure_formatter,
        "handlers": configurator.configure_handler,
    }
    if section == "handlers":  # its parts are looked at by themselves
        part.pop("filters", None)
        part.pop("formatter", None)
        for _, target in _references(part):
            if target != name:
                dict.__setitem__(configurator.config["handlers"], target, logging.NullHandler())
    try:
        build[section](part)
    except Exception as error:  # noqa: BLE001  # any class with any arguments
        return sentences(error)
    return []


def _loggers(document: Mapping[str, Any], found: list[str]) -> Iterator[tuple[str, Any]]:
    for name in _table(document, "loggers", found):
        yield f"loggers.{name}", document["loggers"][name]
    if "root" in document:
        yield "root", document["root"]


def _of_logger(document: Mapping[str, Any], logger: Any) -> Iterator[str]:
    if not isinstance(logger, Mapping):
        yield f"is a {type(logger).__name__}, not a table of options"
        return
    for kind, name in _references(logger):
        if not _has(document, kind, name):
            yield f"{kind}: there is no {name!r} (known: {_known(document, kind)})"
    level = logger.get("level")
    try:
        if level is not None:
            logging.Handler().setLevel(level)
    except (TypeError, ValueError) as error:
        yield f"level: {error}"


def _has(document: Mapping[str, Any], kind: str, name: str) -> bool:
    table = document.get(kind)
    return isinstance(table, Mapping) and name in table


def _known(document: Mapping[str, Any], kind: str) -> str:
    table = document.get(kind)
    return ", ".join(sorted(map(str, table))) if table and isinstance(table, Mapping) else "none"
