"""A stream where the record is in the kernel before the logging call returns."""

from __future__ import annotations

import io
import logging
from typing import Any

from crmlogging.handlers.line_writer import LineWriter
from crmlogging.handlers.safe_handler import SafeHandler

__all__ = ["StreamHandler"]


class StreamHandler(SafeHandler, logging.StreamHandler[Any]):
    """A `logging.StreamHandler` that shares no lock with a forked child and buffers nothing.

    It writes to the stream's descriptor. A stream without one (a test's `io.StringIO`) is
    written to as usual.
    """

    def __init__(self, stream: Any = None) -> None:
        super().__init__(stream)
        self._writer = LineWriter()
        self.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Write the formatted record and a newline."""
        try:
            line = self.format(record) + self.terminator
            try:
                descriptor = self.stream.fileno()
            except (AttributeError, io.UnsupportedOperation):
                self.stream.write(line)
                self.flush()
                return
            _, error = self._writer.write(descriptor, [line.encode("utf-8", "replace")])
            if error is not None:
                raise error
        except Exception:  # noqa: BLE001  # logging never raises
            self.handleError(record)
