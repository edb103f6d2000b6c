"""Waiting for delivery: every handler of ours that holds records back, asked at once."""

from __future__ import annotations

import time
import weakref
from typing import Final, Protocol

from crmlogging.exceptions import ConfigurationError

__all__ = ["Draining", "drain", "register"]


class Draining(Protocol):
    """A handler that accepts records now and delivers them later."""

    def drain(self, timeout: float) -> bool:
        """Deliver what was accepted; False when `timeout` seconds were not enough."""


# By its id: unlike a WeakSet it can be read in one step, whoever adds to it meanwhile.
_draining: Final[weakref.WeakValueDictionary[int, Draining]] = weakref.WeakValueDictionary()


def register(handler: Draining) -> None:
    """Have `drain` wait for `handler` as well, as long as somebody else holds it."""
    _draining[id(handler)] = handler


def drain(timeout: float = 10.0) -> bool:
    """Wait until everything logged so far is delivered: queues emptied, objects uploaded.

    For the end of a job, a request hook, a test. Nothing has to call it: what is accepted is
    delivered at exit, or by the next process.

    Args:
        timeout: seconds, for all handlers together.

    Returns:
        False when something still waits; it is not lost.

    Raises:
        ConfigurationError: `timeout` is no number.
    """
    if not isinstance(timeout, int | float) or isinstance(timeout, bool) or timeout != timeout:
        raise ConfigurationError(f"drain: timeout: {timeout!r} is no number of seconds")
    end = time.monotonic() + timeout
    # Queues first: what they deliver may go into a spool.
    living = [each for reference in _draining.valuerefs() if (each := reference()) is not None]
    handlers = sorted(living, key=lambda handler: not hasattr(handler, "queue"))
    # Each one gets its turn, also after one that did not finish.
    left = [handler for handler in handlers if not handler.drain(max(0.0, end - time.monotonic()))]
    return not left
