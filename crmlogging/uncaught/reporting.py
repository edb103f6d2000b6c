"""From an error that nobody caught to a safe record, or to one line on stderr."""

from __future__ import annotations

import logging
import os
import sys
import threading
from types import TracebackType
from typing import Final

from crmlogging.diagnostics import complain, tally
from crmlogging.records import SafeRecord, Stage, refine
from crmlogging.redaction import known_loggers
from crmlogging.redaction.class_names import class_name
from crmlogging.redaction.places import DYNAMIC_FILE, function_name, safe_path, source_file
from crmlogging.redaction.projection import Projection

__all__ = ["configure", "people_see", "report", "safe", "tell", "thread"]

_TRACEBACK_ENTRIES: Final = 100_000


class _State(threading.local):
    """Of each thread: whether it is reporting already; an error in there is only told."""

    reporting = False


thread: Final = _State()
_stages: tuple[Stage, ...] = ()
_console = True


def configure(stages: tuple[Stage, ...], *, console: bool) -> None:
    """Take over the filters that make a record safe, and whether people see what is logged."""
    global _stages, _console
    _stages, _console = stages, console


def people_see() -> bool:
    """Tell whether what is logged comes out on a console."""
    return _console


def report(
    level: int, message: str, error: BaseException | None, traceback: TracebackType | None
) -> bool:
    """Log the error as a safe record; False when no protected handler can have taken it."""
    tally.add("uncaught")
    logger = logging.getLogger(known_loggers.UNCAUGHT)
    if thread.reporting or sys.is_finalizing() or not _is_heard(logger, level):
        return False
    path, line, function = _origin(traceback)
    record = logger.makeRecord(
        *(logger.name, level, path, line, message, ()),
        (type(error), error, traceback) if error is not None else None,
        function,
    )
    thread.reporting = True
    try:
        logger.handle(safe(record))
    finally:
        thread.reporting = False
    return True


def _is_heard(logger: logging.Logger, level: int) -> bool:
    """Tell whether a record of this level reaches a handler that carries filters of ours."""
    if logger.disabled or not logger.isEnabledFor(level):
        return False
    at: logging.Logger | None = logger
    while at is not None:
        for handler in at.handlers:
            if level >= handler.level and any(isinstance(f, Stage) for f in handler.filters):
                return True
        at = at.parent if at.propagate else None
    return False


def safe(record: logging.LogRecord) -> SafeRecord:
    """Return what may be shown of `record`, by the configured filters; never raises."""
    try:
        outcome = refine(record, _stages)
    except Exception as error:  # noqa: BLE001  # a broken filter: fail closed
        complain("uncaught: filter", error)
        outcome = record
    return outcome if isinstance(outcome, SafeRecord) else Projection().project(record)


def _origin(traceback: TracebackType | None) -> tuple[str, int, str]:
    """Return file, line and function of the innermost frame; our own without one."""
    innermost = _innermost(traceback)
    if innermost is None:
        return __file__, 0, ""
    code = innermost.tb_frame.f_code
    return os.path.normcase(code.co_filename), innermost.tb_lineno or 0, code.co_name


def _innermost(traceback: TracebackType | None) -> TracebackType | None:
    for _ in range(_TRACEBACK_ENTRIES):
        if traceback is None or traceback.tb_next is None:
            break
        traceback = traceback.tb_next
    return traceback


def tell(message: str, kind: type[BaseException], traceback: TracebackType | None) -> None:
    """Write message, class and place to stderr, if there is one.

    Nothing is imported or compiled here: Python forgets that Ctrl-C ended it, and with it the
    exit code, as soon as any text is run as code (`run_eval_code_obj` in Python/pythonrun.c).
    """
    innermost = _innermost(traceback)
    place = ""
    if innermost is not None:
        frame = innermost.tb_frame
        file = safe_path(source_file(frame.f_code, frame.f_globals) or DYNAMIC_FILE)
        name = function_name(frame.f_code, frame.f_globals)
        place = f" at {file}:{innermost.tb_lineno or 0} in {name}"
    if sys.stderr is not None:
        sys.stderr.write(f"crmlogging: {message}: {class_name(kind)}{place}\n")
