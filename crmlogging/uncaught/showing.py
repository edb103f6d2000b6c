"""Python's warnings as safe records: template, category and place."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from types import FrameType
from typing import IO, Final

from crmlogging.diagnostics import complain, tally
from crmlogging.redaction import known_loggers
from crmlogging.redaction.class_names import class_name
from crmlogging.redaction.raised import arguments_of
from crmlogging.redaction.safe_exceptions import DYNAMIC_MESSAGE
from crmlogging.uncaught.reporting import safe, thread

__all__ = ["show_warning"]

_FRAMES: Final = 64


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: IO[str] | None = None,
    line: str | None = None,
) -> None:
    """Log a warning: its template where the source tells it, its category, its place."""
    if file is not None:  # somebody wants it written there
        file.write(warnings.formatwarning(message, category, filename, lineno, line))
        return
    logger = logging.getLogger("py.warnings")
    if thread.reporting or not logger.isEnabledFor(logging.WARNING):
        tally.add("warnings.unheard")  # one while another is logged would never end
        return
    thread.reporting = True
    try:
        text = _text_of(message)
        frame = _running(filename, lineno)
        function = frame.f_code.co_name if frame is not None else ""
        record = logger.makeRecord(
            *(logger.name, logging.WARNING, os.path.normcase(filename), lineno, text, (), None),
            function,
        )
        shown = safe(record)
        attributes = shown.__dict__
        if attributes["msg"] == DYNAMIC_MESSAGE and type(text) is str:
            attributes["msg"] = known_loggers.template_of(logger.name, text) or DYNAMIC_MESSAGE
        attributes["error.type"] = class_name(category)
        logger.handle(shown)
    except Exception as error:  # noqa: BLE001  # warnings.warn() is called by anybody
        complain("warnings", error)
    finally:
        thread.reporting = False


def _text_of(message: Warning | str) -> object:
    """Return the text itself, which tells by identity where it comes from; runs no foreign code."""
    if isinstance(message, str):
        return message
    arguments = arguments_of(message)
    return arguments[0] if len(arguments) == 1 and type(arguments[0]) is str else message


def _running(filename: str, line: int) -> FrameType | None:
    """Return the frame that stands on this line, if one does."""
    frame: FrameType | None = sys._getframe(2)
    for _ in range(_FRAMES):
        if frame is None or (frame.f_lineno == line and frame.f_code.co_filename == filename):
            return frame
        frame = frame.f_back
    return None
