"""One call that gives a service good logging: `configure`.

A file or a bucket is the archive: it stands directly on the root logger and keeps every line, so
that nothing accepted is lost, also to SIGTERM and ``kill -9``. Beside an archive the console
waits behind a queue and shows repeated errors grouped. Where the console is all there is, it is
the archive.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import logging.config
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from crmlogging import levels, uncaught
from crmlogging.exceptions import ConfigurationError, Problems
from crmlogging.filters.allowlist import AllowlistFilter
from crmlogging.formatters.json_formatter import JsonFormatter
from crmlogging.handlers import start_line
from crmlogging.levels.spec import parse_level
from crmlogging.logger import adopt_loggers
from crmlogging.records import Stage

__all__ = ["ENVIRONMENTS", "configure"]

ENVIRONMENTS: Final = {"development": "DEBUG", "staging": "INFO", "production": "INFO"}
"""Environment to its default level."""

_Fields = Iterable[str | Mapping[str, str]]
_SAFE: Final = ["correlation", "errors", "allowlist"]
_STREAM: Final = "crmlogging.handlers.stream.StreamHandler"
_announced: dict[str, Any] | None = None


def configure(
    service: str,
    environment: str | None = None,
    *,
    output: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = "stdout",
    fields: _Fields = ("@crm",),
    mask: Mapping[str, str] | None = None,
    level: str | int | None = None,
    spool_dir: str | os.PathLike[str] | None = None,
) -> dict[str, Any]:
    """Configure logging for the whole process; call it once, early. Twice is harmless.

    Loggers become `crmlogging.Logger`. What nobody caught, what Python warns of and what no
    handler takes is logged as safely as the rest; see `crmlogging.uncaught`. An INFO line tells
    under which rules the lines after it were written; a second call repeats it only if something
    changed.

    Args:
        service: name of the service, in every line.
        environment: ``development`` (readable console, DEBUG), ``staging`` or ``production``
            (JSON, INFO); None takes ``CRMLOGGING_ENVIRONMENT``, else ``production``.
        output: ``"stdout"``, ``"stderr"``, a file's path, ``"s3://bucket/prefix"``, or several.
        fields: what may be shown, as for `crmlogging.AllowlistFilter`.
        mask: what is shown masked, as there.
        level: of the root logger; ``CRMLOGGING_LEVEL`` wins.
        spool_dir: where lines wait for S3; see `crmlogging.S3Handler`.

    Returns:
        The ``logging.config.dictConfig`` document that was applied.

    Raises:
        ConfigurationError: with everything that is wrong; logging is left as it was.
    """
    problems = Problems("configure")
    environment = _checked_environment(environment, problems)
    problems.paths(spool_dir=spool_dir)
    if service is None:
        problems.add("service", "is the name of the service, in every line")
    with _noting(problems):
        JsonFormatter(service=service, environment=environment)
    with _noting(problems):
        AllowlistFilter(fields, mask=mask)
    number = logging.NOTSET
    with _noting(problems):
        number = parse_level(level if level is not None else ENVIRONMENTS[environment])
    handlers = _handlers(_places(output, problems), environment, spool_dir, problems)
    problems.raise_if_any()
    document = _document(service, environment, handlers, fields, mask, number)
    _apply(document)
    return document


def _checked_environment(given: str | None, problems: Problems) -> str:
    chosen = given
    if chosen is None or chosen == "":
        chosen = os.environ.get("CRMLOGGING_ENVIRONMENT") or "production"
    if isinstance(chosen, str) and chosen in ENVIRONMENTS:
        return chosen
    problems.add("environment", f"{chosen!r} is unknown; known: {', '.join(ENVIRONMENTS)}")
    return "production"


def _places(output: Any, problems: Problems) -> list[str]:
    """Return where lines go, as text."""
    one = isinstance(output, str | bytes | os.PathLike) or not isinstance(output, Iterable)
    given = [output] if one else list(output)
    if not given:
        problems.add("output", "is empty; nothing would be written")
    found = [os.fspath(each) for each in given if isinstance(each, str | os.PathLike)]
    places = [each for each in found if isinstance(each, str)]
    if len(places) < len(given):
        problems.add("output", f"{output!r} is no path, and no list of paths")
    return places


@contextlib.contextmanager
def _noting(problems: Problems) -> Any:
    try:
        yield
    except ConfigurationError as error:
        problems.include(error)


def _handlers(
    places: Sequence[str],
    environment: str,
    spool_dir: str | os.PathLike[str] | None,
    problems: Problems,
) -> dict[str, dict[str, Any]]:
    """Return the sinks by name: archives first, then the consoles."""
    archives: dict[str, dict[str, Any]] = {}
    consoles: dict[str, dict[str, Any]] = {}
    for place in places:
        if place in ("stdout", "stderr"):
            style = "console" if environment == "development" else "json"
            consoles[place] = {"stream": f"ext://sys.{place}", "formatter": style}
        elif place.startswith("s3://"):
            name = f"s3_{len(archives)}" if "s3" in archives else "s3"
            archives[name] = _bucket(place, spool_dir, problems)
        elif "://" in place:  # not quoted: such addresses hold passwords
            problems.add("output", "is an address; known are stdout, stderr, a path, s3://BUCKET")
        else:
            name = f"file_{len(archives)}" if "file" in archives else "file"
            archives[name] = _file(place, problems)
    for name, options in consoles.items():
        if archives:
            archives[f"{name}_stream"] = {"class": "logging.StreamHandler", **options}
            archives[name] = {
                "()": "crmlogging.AsyncHandler",
                "handlers": [f"{name}_stream"],
                "filters": [*_SAFE, "grouping"],
            }
        else:
            options = {**options, "filters": _SAFE}
            consoles[name] = {"()": _STREAM, **options}
    return archives or consoles


def _bucket(
    place: str, spool_dir: str | os.PathLike[str] | None, problems: Problems
) -> dict[str, Any]:
    from crmlogging.handlers.s3 import S3Handler

    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    options: dict[str, Any] = {"bucket": bucket, "prefix": prefix.strip("/")}
    if spool_dir is not None:
        options["spool_dir"] = os.fspath(spool_dir)
    _try_out(S3Handler, options, problems)
    return {
        "class": "crmlogging.S3Handler",
        **options,
        "formatter": "json",
        "filters": _SAFE,
    }


def _file(place: str, problems: Problems) -> dict[str, Any]:
    from crmlogging.handlers.retention_file import RetentionFileHandler

    options = {"filename": place}
    _try_out(RetentionFileHandler, options, problems)
    return {
        "class": "crmlogging.RetentionFileHandler",
        **options,
        "formatter": "json",
        "filters": _SAFE,
    }


def _try_out(kind: Callable[..., logging.Handler], options: Any, problems: Problems) -> None:
    """Build a handler for its complaints, so that all are told before anything changes."""
    try:
        kind(**options).close()
    except ConfigurationError as error:
        for each in error.problems:
            problems.add("output", each)


def _document(
    service: str,
    environment: str,
    handlers: dict[str, dict[str, Any]],
    fields: _Fields,
    mask: Mapping[str, str] | None,
    level: int,
) -> dict[str, Any]:
    allowlist: dict[str, Any] = {"()": "crmlogging.AllowlistFilter", "fields": list(fields)}
    if mask:
        allowlist["mask"] = dict(mask)
        if "seal" in mask.values():
            allowlist["service"] = service
    level_name = logging.getLevelName(level)
    behind = {name for each in handlers.values() for name in each.get("handlers", ())}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "correlation": {"()": "crmlogging.CorrelationFilter"},
            "errors": {"()": "crmlogging.ErrorFilter"},
            "allowlist": allowlist,
            "grouping": {"()": "crmlogging.GroupingFilter"},
        },
        "formatters": {
            "json": {
                "()": "crmlogging.JsonFormatter",
                "service": service,
                "environment": environment,
            },
            "console": {"()": "crmlogging.ConsoleFormatter", "colour": _has_colours()},
        },
        "handlers": handlers,
        "root": {
            "level": level if level_name.startswith("Level ") else level_name,
            "handlers": [name for name in handlers if name not in behind],
        },
    }


def _has_colours() -> bool:
    """Colours for a terminal, unless the person said no (https://no-color.org)."""
    return "NO_COLOR" not in os.environ and bool(sys.stdout) and sys.stdout.isatty()


def _apply(document: dict[str, Any]) -> None:
    adopt_loggers()
    logging.config.dictConfig(document)
    stages = (each for each in logging.root.handlers[0].filters if isinstance(each, Stage))
    console = any("stream" in handler for handler in document["handlers"].values())
    uncaught.install(tuple(stages)[: len(_SAFE)], console=console)
    levels.start(now=True)
    _announce(document)


def _announce(document: dict[str, Any]) -> None:
    """Log the start line, unless it would say what this process has said already."""
    global _announced
    if document != _announced:
        _announced = copy.deepcopy(document)
        start_line.announce(document)
