"""Where a filter stands, and how it says something there by itself.

A filter is not told by whom it is asked. One that holds records back has to find its handlers
to say so: those that are not ours never ask.
"""

from __future__ import annotations

import logging

from crmlogging.diagnostics import complain

__all__ = ["carriers_of", "tell"]


def carriers_of(wanted: logging.Filter) -> list[logging.Handler | logging.Logger]:
    """Return the handlers and loggers on which the filter stands."""
    # logging keeps handlers by weak reference; a later dictConfig empties that list, though
    # some of its handlers may still stand on loggers.
    references = list(logging._handlerList)  # type: ignore[attr-defined]  # private, no other way
    handlers = {id(h): h for h in (ref() for ref in references) if h is not None}
    loggers = [logging.root, *logging.root.manager.loggerDict.copy().values()]
    carriers: list[logging.Handler | logging.Logger] = []
    for logger in loggers:
        if isinstance(logger, logging.Logger):
            handlers.update((id(h), h) for h in logger.handlers)
            if _carries(logger, wanted):
                carriers.append(logger)
    carriers.extend(handler for handler in handlers.values() if _carries(handler, wanted))
    return carriers


def _carries(filterer: logging.Filterer, wanted: logging.Filter) -> bool:
    return any(each is wanted for each in filterer.filters)


def tell(
    carriers: list[logging.Handler | logging.Logger], summaries: list[logging.LogRecord]
) -> None:
    """Emit `summaries` on every carrier, past its filters: they are safe and must not be held."""
    for carrier in carriers:
        for summary in summaries:
            if summary.levelno >= carrier.level:
                try:
                    _say(carrier, summary)
                except Exception as error:  # noqa: BLE001  # logging never raises
                    complain("summary", error)


def _say(carrier: logging.Handler | logging.Logger, summary: logging.LogRecord) -> None:
    if isinstance(carrier, logging.Logger):
        carrier.callHandlers(summary)
        return
    carrier.acquire()
    try:
        carrier.emit(summary)
    finally:
        carrier.release()
