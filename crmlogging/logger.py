"""`crmlogging.Logger`: a standard logger that takes any name in ``extra``, and asks the scope."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Mapping
from types import FunctionType
from typing import Any, Final, cast

from crmlogging import context, records
from crmlogging.levels import scoping
from crmlogging.records import STANDARD_ATTRIBUTES, make_record
from crmlogging.straight_calls import is_taken, raised_in

__all__ = ["Logger", "adopt_loggers"]

_INTERNAL: Final = frozenset(
    (
        *(logging.Logger.info.__code__.co_filename, (lambda: None).__code__.co_filename),
        *("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>"),
    )
)
"""Files whose frames are nobody's call, nor a level of ``stacklevel``."""
_STEP_NAMES: Final = ("_log", "findCaller", "makeRecord", "handle", "filter", "callHandlers")
"""What stands between a call and its handlers."""
_FAILED: Final = frozenset(("exc_info", "extra"))
_NOTHING: Final[dict[str, Any]] = {}


class Logger(logging.Logger):
    """A `logging.Logger` that a running service may want more of.

    - ``extra`` may use reserved names: where the standard logger raises KeyError, the value is
      kept as the field ``extra.name``, which an allowlist may name.
    - DEBUG for one customer account or correlation id (``DEBUG@tenant.code=acme``, see
      `crmlogging.set_level`), whatever the level of the logger is.
    - No level silences an audit record (``extra={"audit": True}``); only `logging.disable` does.

    Set it with ``logging.setLoggerClass(crmlogging.Logger)``, or let `crmlogging.configure`.
    """

    _replaced = False
    """Somebody put a step of their own in place of one of this logger's."""

    def __init__(self, name: str, level: int | str = logging.NOTSET) -> None:
        super().__init__(name, level)
        # Asked at each call: an attribute of the object is read at a fraction of a class's cost.
        self._replaced = self._replaced

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name in _STEP_NAMES:
            self._replaced = True

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802  # the standard library's name
        """Tell whether a record of `level` would be made, here and now."""
        if self.disabled:
            return False
        try:
            enabled: bool = self._cache[level]  # type: ignore[attr-defined]  # as its base class
        except KeyError:
            enabled = super().isEnabledFor(level)
        return enabled or (scoping.rules != () and self._is_admitted(level))

    def _is_admitted(self, level: int) -> bool:
        if self.manager.disable >= level:
            return False
        scope = context.current()
        return scoping.admits(self.name, level, scope.id, scope.fields)

    def _is_audit(self, level: int, options: Mapping[str, Any]) -> bool:
        extra = options.get("extra")
        try:
            if type(extra) is not dict and not isinstance(extra, Mapping):
                return False
            return extra.get("audit") is True and self.manager.disable < level
        except Exception:  # noqa: BLE001  # a foreign mapping; a call below the level asks nothing
            return False

    # As in the standard library, but that the last word belongs to audit records. That one
    # hides the keywords from anything that could be overridden.

    def debug(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Log at DEBUG."""
        enabled = self.isEnabledFor(10) or (kwargs and self._is_audit(10, kwargs))
        if enabled and not self._straight(10, msg, args, kwargs):
            self._log(10, msg, args, **kwargs)

    def info(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Log at INFO."""
        enabled = self.isEnabledFor(20) or (kwargs and self._is_audit(20, kwargs))
        if enabled and not self._straight(20, msg, args, kwargs):
            self._log(20, msg, args, **kwargs)

    def warning(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Log at WARNING."""
        enabled = self.isEnabledFor(30) or (kwargs and self._is_audit(30, kwargs))
        if enabled and not self._straight(30, msg, args, kwargs):
            self._log(30, msg, args, **kwargs)

    def error(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Log at ERROR."""
        enabled = self.isEnabledFor(40) or (kwargs and self._is_audit(40, kwargs))
        if enabled and not self._straight(40, msg, args, kwargs):
            self._log(40, msg, args, **kwargs)

    def critical(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Log at CRITICAL."""
        enabled = self.isEnabledFor(50) or (kwargs and self._is_audit(50, kwargs))
        if enabled and not self._straight(50, msg, args, kwargs):
            self._log(50, msg, args, **kwargs)

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log at `level`."""
        if not isinstance(level, int):
            super().log(level, msg, *args, **kwargs)  # which refuses it
            return
        enabled = self.isEnabledFor(level) or (kwargs and self._is_audit(level, kwargs))
        if enabled and not self._straight(level, msg, args, kwargs):
            self._log(level, msg, args, **kwargs)

    def _straight(
        self, level: int, message: object, args: tuple[object, ...], options: dict[str, Any]
    ) -> bool:
        """Deliver a call without making a record of it; tell whether that could be done.

        It could where all that stands between call and handlers is the standard library's or
        ours, nothing was given but fields, and each handler's filters know the call from before;
        with an exception, where there is no more to do than to count it as held back.
        """
        extra, has_failed = _NOTHING, False
        if options:
            given = options.get("extra")
            if given is not None:
                extra = given
            if len(options) > 1 or "extra" not in options:
                if not _FAILED.issuperset(options):
                    return False
                has_failed = True
        if self.filters or self._replaced or type(extra) is not dict:
            return False
        try:
            if not _has_usual_steps(type(self)):
                return False
            frame = sys._getframe(2)
            code, speaker = frame.f_code, None
            while code.co_filename in _INTERNAL:  # an adapter's
                if frame.f_back is None:
                    return False
                speaker, frame = frame, frame.f_back
                code = frame.f_code
            spoken = records.spoken_now(self.name, level)
            if spoken is None:
                return False
            if has_failed:
                raised = raised_in(options["exc_info"])
                return raised is not None and records.is_held(
                    self, frame, level, message, extra, raised
                )
            handlers = records.handlers_of(self, level)
            first = handlers[0] if handlers else None
            # Of the class, as in `records.takes_calls`.
            take_known = getattr(type(first), "take_known", None)
        except Exception:  # noqa: BLE001  # whatever it is, the long way is made for it
            return False
        try:
            taken = take_known and take_known(
                first, spoken, message, code, frame.f_lasti, args, extra, handlers, speaker
            )
        except RecursionError:  # not even that can be called
            return False
        learns = taken is False
        return taken or is_taken(handlers, frame, spoken, message, args, extra, speaker, learns)

    def findCaller(  # noqa: N802  # the standard library's name
        self, stack_info: bool = False, stacklevel: int = 1
    ) -> tuple[str, int, str, str | None]:
        """Find the frame of the call, past those of `logging`, of imports and of this module."""
        frame = sys._getframe(1)
        while True:
            if frame.f_code.co_filename not in _INTERNAL:
                stacklevel -= 1
                if stacklevel <= 0:
                    break
            if frame.f_back is None:
                break
            frame = frame.f_back
        code = frame.f_code
        if not stack_info:
            return code.co_filename, frame.f_lineno, code.co_name, None
        import traceback  # Here: few calls ask for it.

        told = io.StringIO()
        told.write("Stack (most recent call last):\n")
        traceback.print_stack(frame, file=told)
        return code.co_filename, frame.f_lineno, code.co_name, told.getvalue().removesuffix("\n")

    def makeRecord(  # noqa: N802  # the standard library's name
        self,
        name: str,
        level: int,
        fn: str,
        lno: int,
        msg: object,
        args: Any,
        exc_info: Any,
        func: str | None = None,
        extra: Mapping[str, object] | None = None,
        sinfo: str | None = None,
    ) -> logging.LogRecord:
        """Make the record; reserved names of `extra` land under ``extra.<name>``."""
        if logging.Logger.makeRecord is not _STOCK:  # a tracing library stands there now
            record = super().makeRecord(
                name, level, fn, lno, msg, args, exc_info, func, None, sinfo
            )
        elif logging.getLogRecordFactory() is logging.LogRecord:
            record = make_record(name, level, fn, lno, msg, args, exc_info, func, sinfo)
            if extra is not None and STANDARD_ATTRIBUTES.isdisjoint(extra):
                record.__dict__.update(extra)
                return record
        else:
            record = logging.getLogRecordFactory()(
                name, level, fn, lno, msg, args, exc_info, func, sinfo
            )
        if extra is not None:
            attributes = record.__dict__
            for key in extra:
                reserved = key in STANDARD_ATTRIBUTES or key in attributes
                attributes[f"extra.{key}" if reserved else key] = extra[key]
        return record


def _is_foreign(step: object) -> bool:
    """Tell whether a step is neither the standard library's nor one of this module."""
    own = vars(logging), globals()
    return type(step) is not FunctionType or all(step.__globals__ is not each for each in own)


_STEPS: Final = [getattr(Logger, name) for name in _STEP_NAMES]
_LOG, _FIND_CALLER, _MAKE_RECORD, _HANDLE, _FILTER, _CALL_HANDLERS = _STEPS
# A tracing library may have been there before us.
_STOCK: Final = None if _is_foreign(logging.Logger.makeRecord) else logging.Logger.makeRecord
Logger._replaced = any(map(_is_foreign, _STEPS))
records.note_speaker(Logger, globals())


def _has_usual_steps(kind: type[Logger]) -> bool:
    """Tell whether a class has the steps that we know.

    Asked at each call, and by identity: what wraps a step may say that it is equal.
    """
    return (
        kind._log is _LOG
        and kind.findCaller is _FIND_CALLER
        and kind.makeRecord is _MAKE_RECORD
        and kind.handle is _HANDLE
        and kind.filter is _FILTER
        and kind.callHandlers is _CALL_HANDLERS
        and logging.Logger.makeRecord is _STOCK
    )


class RootLogger(Logger, logging.RootLogger):
    """The root logger, when it is ours."""


def adopt_loggers() -> None:
    """Make this the class of loggers to come, and of the plain ones that exist already.

    Modules make their loggers when they are imported, mostly before anything is configured.
    Loggers of another class keep it.
    """
    logging.setLoggerClass(Logger)
    if type(logging.root) is logging.RootLogger:
        logging.root.__class__ = RootLogger
    for logger in list(logging.root.manager.loggerDict.values()):
        if type(logger) is logging.Logger:
            logger.__class__ = Logger
            if not vars(logger).keys().isdisjoint(_STEP_NAMES):
                cast("Logger", logger)._replaced = True
