"""The three places where Python hands over an exception that nobody caught."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, cast

from crmlogging.diagnostics import complain, tally
from crmlogging.uncaught.reporting import people_see, report, tell

__all__ = ["HOOKS"]


class Hook:
    """One of Python's hooks: ours, Python's own, and the one that stood there before.

    Args:
        module: where the hook is looked up.
        name: its name there.
        stock: Python's own.
        ours: what reports.
    """

    def __init__(
        self, module: Any, name: str, stock: Callable[..., Any], ours: Callable[..., None]
    ) -> None:
        self._module, self._name, self._stock, self._ours = module, name, stock, ours
        self._before: Callable[..., Any] | None = None
        self._installed = False

    def install(self) -> None:
        """Put ours in place, unless it is, or is called by the one in place."""
        current = getattr(self._module, self._name)
        if current == self._call:
            return
        if self._installed and current is not self._stock:
            return  # somebody came after us and, as is the custom, calls us
        self._before = None if current is self._stock else current
        self._installed = True
        setattr(self._module, self._name, self._call)

    def uninstall(self) -> None:
        """Put back what stood there before, if ours still stands there."""
        if getattr(self._module, self._name) == self._call:
            setattr(self._module, self._name, self._before or self._stock)
        self._before, self._installed = None, False

    def _call(self, *arguments: Any) -> None:
        """Report, then call the hook before ours. What leaves here Python prints in full."""
        if self._module is sys and self._name == "excepthook" and _is_interactive():
            (self._before or self._stock)(*arguments)
            return
        try:
            self._ours(*arguments)
        except BaseException:  # noqa: BLE001  # no stack left, Python half taken down, Ctrl-C
            _say_only_that()
        if self._before is not None:
            _call_unheard(self._before, arguments)


def _say_only_that() -> None:
    try:
        tally.add("uncaught.failed")
        sys.stderr.write("crmlogging: an uncaught exception, which could not be reported\n")
    except BaseException:  # noqa: BLE001  # as above, once more
        return


def _is_interactive() -> bool:
    return bool(sys.flags.interactive) or hasattr(sys, "ps1")


def _on_exception(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        tell("Interrupted", kind, traceback)
        return
    message = "Ended by an uncaught exception"
    if not report(logging.CRITICAL, message, error, traceback) or not people_see():
        tell(message, kind, traceback)


def _on_thread(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_type is SystemExit:  # as Python does: a thread may end itself
        return
    message, error = "Lost a thread to an uncaught exception", arguments.exc_value
    if not report(logging.ERROR, message, error, arguments.exc_traceback):
        tell(message, arguments.exc_type, arguments.exc_traceback)


def _on_unraisable(arguments: sys.UnraisableHookArgs) -> None:
    message, error = "Ignored an exception that nobody can catch", arguments.exc_value
    if not report(logging.ERROR, message, error, arguments.exc_traceback):
        tell(message, arguments.exc_type, arguments.exc_traceback)


HOOKS: Final = (
    Hook(sys, "excepthook", sys.__excepthook__, _on_exception),
    Hook(threading, "excepthook", threading.__excepthook__, _on_thread),
    Hook(sys, "unraisablehook", sys.__unraisablehook__, _on_unraisable),
)


class _Deaf:
    """A stderr that this thread cannot be heard on; others are."""

    def __init__(self, stream: Any) -> None:
        self._stream, self._muted = stream, threading.get_ident()

    def write(self, text: str) -> int:
        if threading.get_ident() == self._muted or self._stream is None:
            return len(text)
        return cast("int", self._stream.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Turn:
    """One thread at a time changes ``sys.stderr``; a forked child starts with a free turn."""

    def __init__(self) -> None:
        self.renew()
        if hasattr(os, "register_at_fork"):  # not on Windows
            os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        self.lock = threading.RLock()


_turn: Final = _Turn()


def _call_unheard(hook: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Call somebody's hook, which may call Python's own, without what it prints on stderr."""
    with _turn.lock:
        stream = sys.stderr
        sys.stderr = cast("Any", _Deaf(stream))
        try:
            hook(*arguments)
        except BaseException as error:  # noqa: BLE001  # Python would print both errors in full
            sys.stderr = stream
            complain("uncaught: another hook", error)
        finally:
            sys.stderr = stream
