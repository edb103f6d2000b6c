"""What is said where a logger has no handler."""

from __future__ import annotations

import logging
import sys

from crmlogging.diagnostics import complain
from crmlogging.formatters.console import ConsoleFormatter
from crmlogging.uncaught.reporting import safe

__all__ = ["LastResort"]


class LastResort(logging.Handler):
    """Writes to stderr what no handler took; Python's own writes it as it is."""

    def __init__(self, before: logging.Handler) -> None:
        super().__init__(logging.WARNING)
        self.before = before
        self.formatter = ConsoleFormatter()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if sys.stderr is not None:
                sys.stderr.write(f"{self.format(safe(record))}\n")
        except Exception:  # noqa: BLE001  # logging never raises
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        complain("lastResort", sys.exc_info()[1] or "a record could not be written")
