"""What a dictConfig document says about a queue handler, on Pythons that each pass it differently.

- ``"()"`` everywhere, and ``"class"`` on 3.11: all options, targets as names.
- ``"class"`` from 3.12 on: targets as handlers, inside a `QueueListener` that is assigned after
  construction. 3.12 calls the class without any other option.
"""

from __future__ import annotations

import logging
import logging.handlers
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any, Final, Protocol

from crmlogging.exceptions import Problems

__all__ = ["Listener", "TargetNames", "brings_targets", "effective_options"]

_LISTENERS: Final = frozenset(("queue", "listener", "handlers", "respect_handler_level"))
_FRAMES_SEARCHED: Final = 8


def _queue_frame() -> FrameType | None:
    """Return the frame in which dictConfig builds a queue handler by ``"class"``, if it does."""
    configuring = sys.modules.get("logging.config")
    configurator = getattr(configuring, "DictConfigurator", None)
    method = getattr(configurator, "_configure_queue_handler", None)
    frame: FrameType | None = sys._getframe(1)
    for _ in range(_FRAMES_SEARCHED):
        if method is None or frame is None:
            return None
        if frame.f_code is method.__code__:
            return frame
        frame = frame.f_back
    return None


def brings_targets() -> bool:
    """Whether dictConfig is at work by ``"class"``, and may assign the targets in a moment."""
    return _queue_frame() is not None


def effective_options(queue: Any, passed: dict[str, Any], problems: Problems) -> dict[str, Any]:
    """Return the options that are in force; for the constructor that got `queue` and `passed`.

    They are those that were passed, unless dictConfig is at work by ``"class"`` and keeps some
    to itself.
    """
    options = _effective(queue, passed, problems)
    problems.flags(**{name: options[name] for name in ("levels", "respect_handler_level")})
    return options


def _effective(queue: Any, passed: dict[str, Any], problems: Problems) -> dict[str, Any]:
    frame = _queue_frame()
    if frame is None or frame.f_back is None:
        return passed
    options = dict(passed)
    document = frame.f_back.f_locals.get("kwargs", {})
    if "respect_handler_level" in document:  # it went into the listener
        options["respect_handler_level"] = document["respect_handler_level"]
    made_for_us = frame.f_locals.get("q") is queue
    if made_for_us and not {"queue", "handlers"} & set(document):
        problems.add("handlers", "name at least one target")
    here = frame.f_locals.get("kwargs", {})
    # Where the other options are passed on (3.13), this one has been taken out before.
    if "handlers" in here:
        options.update((name, here[name]) for name in here if name not in _LISTENERS)
    return options


class TargetNames:
    """The ``handlers`` option: handler objects, names, or the list dictConfig passes.

    Under ``"()"`` (and on 3.11 under ``"class"``) dictConfig passes names, and configures the
    handlers in the alphabetic order of theirs: a target may not exist yet. So names are checked
    at once and resolved at first use. The configurator is kept until then; it also keeps the
    targets alive, since `logging` refers to handlers weakly.
    """

    def __init__(self, given: Sequence[logging.Handler | str], problems: Problems) -> None:
        self._given = given
        self._configurator: Any = getattr(given, "configurator", None)
        if isinstance(given, str) or not isinstance(given, list | tuple):
            problems.add("handlers", f"must be a list of handlers or of their names, not {given!r}")
            self._given = ()
        for index, item in enumerate(self._given):
            complaint = self._complaint(item)
            if item in self._given[:index]:
                complaint = f"{item!r} is named twice"
            if complaint:
                problems.add("handlers", complaint)

    def __len__(self) -> int:
        return len(self._given)

    def _complaint(self, item: object) -> str:
        if isinstance(item, logging.Handler):
            return ""
        if not isinstance(item, str):
            return f"{item!r} is neither a handler nor the name of one"
        if self._configurator is None:
            known: Any = logging._handlers  # type: ignore[attr-defined]  # 3.12: public
        elif item.startswith(("cfg://", "ext://")):
            return ""
        else:
            known = self._configurator.config.get("handlers", {})
            if getattr(self._given, "parent", None) is dict.get(known, item):
                return f"{item!r} is this handler itself"
        if item in known:
            return ""
        return f"no handler is named {item!r} (known: {', '.join(sorted(known)) or 'none'})"

    def resolve(self) -> list[logging.Handler] | None:
        """Return the handlers, or None as long as one of them is not configured yet."""
        found = []
        # By index: only so does dictConfig's list convert "cfg://" and "ext://".
        for index in range(len(self._given)):
            item: object = self._given[index]
            if isinstance(item, str):
                if self._configurator is None:
                    item = logging._handlers.get(item)  # type: ignore[attr-defined]  # 3.11: no getter
                else:
                    item = self._configurator.config["handlers"][item]
            if not isinstance(item, logging.Handler):
                return None
            found.append(item)
        self._given, self._configurator = found, None
        return found


class Delivering(Protocol):
    """The part of a queue handler that its listener speaks to."""

    def flush(self) -> None:
        """Deliver what waits."""


class Listener(logging.handlers.QueueListener):
    """What code written for the standard library finds as ``handler.listener``.

    The handler delivers by itself: starting is not needed, stopping waits for what is queued.
    """

    def __init__(
        self,
        queue: Any,
        *handlers: logging.Handler,
        respect_handler_level: bool,
        delivering: Delivering,
    ) -> None:
        super().__init__(queue, *handlers, respect_handler_level=respect_handler_level)
        self._delivering = delivering

    def start(self) -> None:
        """Do nothing: the first record starts what it needs."""

    def stop(self) -> None:
        """Wait until what is queued is delivered; later records are delivered as well."""
        self._delivering.flush()

    def enqueue_sentinel(self) -> None:
        """Do nothing: there is no listening thread to end."""
