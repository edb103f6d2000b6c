"""Records that wait: with the values they had when the logging call was made.

A target sees a queued record later, in another thread. By then a list may have grown and an
exception's frames may have moved on, so what could change is settled in the caller's thread.
A `SafeRecord` holds plain values only and needs none of this.
"""

from __future__ import annotations

import logging
import pickle
import sys
from typing import Any, Final

import orjson

from crmlogging.diagnostics import complain
from crmlogging.records import (
    STANDARD_ATTRIBUTES,
    DeferredRecord,
    Moment,
    SafeRecord,
    Written,
    copy_of,
)

__all__ = ["QueuedRecord", "byte_size", "moment_size", "portable", "rendered", "settled"]

_PLAIN: Final = frozenset((str, int, float, bool, type(None), bytes, complex))
_CONTAINERS: Final = frozenset((dict, list, tuple, set, frozenset))
_ITEMS_COPIED: Final = 10_000
_ARGUMENT_CHARACTERS: Final = 1_000
_RECORD_BYTES: Final = 2_500
"""What a record with its two dozen attributes takes, without the texts it carries."""
_MOMENT_BYTES: Final = 1_000
"""What a deferred record takes, likewise."""
_LINE_BYTES: Final = 500
"""What a written line takes, likewise."""
_VALUE_BYTES: Final = 56
"""What a value takes beyond its characters."""
_SHORT_BYTES: Final = 2_000
"""Flat values whose JSON is no longer are as long as that, near enough."""
_ITEMS_MEASURED: Final = 100_000
_tracebacks: Final = logging.Formatter()


class QueuedRecord(logging.LogRecord):
    """An ordinary record whose message was rendered at call time.

    ``msg`` keeps the template and ``args`` the plain arguments; ``exc_info`` became text in
    ``exc_text``, where every standard formatter looks for it.
    """

    # A slot: as an attribute, JSON formatters would take it for a field.
    __slots__ = ("text",)

    def __init__(self, attributes: dict[str, Any], text: str) -> None:
        self.__dict__ = attributes
        self.text = text

    def getMessage(self) -> str:  # noqa: N802  # the standard library's name
        """Return the message as it read when the logging call was made."""
        return self.text

    def __copy__(self) -> QueuedRecord:
        return type(self)(dict(self.__dict__), self.text)

    def __reduce__(self) -> tuple[type[QueuedRecord], tuple[dict[str, Any], str]]:
        return type(self), (self.__dict__, self.text)


def settled(record: logging.LogRecord) -> logging.LogRecord:
    """Return what may wait in place of `record`, which is not changed; never raises."""
    if isinstance(record, SafeRecord):
        return record
    attributes = dict(record.__dict__)
    text = _message(record)
    attributes["message"] = text
    attributes["args"] = _plain_arguments(record.args)
    attributes["exc_text"] = _traceback(record)
    attributes["exc_info"] = None
    if type(record.msg) is not str:
        attributes["msg"] = _snapshot(record.msg) if isinstance(record.msg, dict) else text
    for name, value in record.__dict__.items():
        if type(value) in _CONTAINERS and name not in STANDARD_ATTRIBUTES:
            attributes[name] = _snapshot(value)
    return QueuedRecord(attributes, text)


def rendered(record: logging.LogRecord, line: str) -> logging.LogRecord:
    """Return a copy of `record` whose whole message is `line`, made by the queue's formatter.

    Exception and stack are part of the line already: a target must not print them again.
    """
    attributes = dict(record.__dict__)
    attributes.update(msg=line, message=line, args=None)
    attributes.update(exc_info=None, exc_text=None, stack_info=None)
    if isinstance(record, SafeRecord):
        return SafeRecord(attributes)
    copy = copy_of(record)
    copy.__dict__.clear()
    copy.__dict__.update(attributes)
    return copy


def portable(record: logging.LogRecord) -> logging.LogRecord:
    """Turn into text what `record`, a copy, carries and cannot be pickled.

    For a queue that leads to another process, where such a record would vanish unseen.
    """
    for name, value in record.__dict__.items():
        if type(value) not in _PLAIN:
            try:
                pickle.dumps(value)
            except Exception:  # noqa: BLE001  # whatever it is: it cannot travel, its text can
                record.__dict__[name] = _text(value)
    return record


def byte_size(record: logging.LogRecord | Moment | Written) -> int:
    """Return about how much memory `record` takes, in bytes, rather more than less."""
    if isinstance(record, Moment | Written):
        return moment_size(record)
    if type(record) is DeferredRecord:
        moment = record.moment()
        if moment is not None:
            return moment_size(moment)
    total = _RECORD_BYTES
    if not isinstance(record, SafeRecord):
        message = record.__dict__.get("message")
        if type(message) is str and message is record.msg:
            total -= sys.getsizeof(message)  # one text under two names
        return total + _measured(list(record.__dict__.values()))
    return total + _held(list(record.__dict__.values()))


def moment_size(moment: Moment | Written) -> int:
    """Return the same of what stands for a record."""
    if isinstance(moment, Written):
        return _LINE_BYTES + len(moment.line)
    values, more = moment.values, moment.more
    total = _MOMENT_BYTES + _VALUE_BYTES * len(values) + len(b"".join(values)) + len(moment.message)
    return total + _held([dict(more)]) if more else total


def _held(values: list[Any]) -> int:
    """Return how much memory the members of `values` take, theirs included."""
    try:
        # The one way to look at a dozen values that costs less than looking at each.
        text = orjson.dumps(values)
    except TypeError:
        return _measured(values)
    # A container begins after a comma, or at the beginning; in a text that seldom looks so.
    if len(text) > _SHORT_BYTES or b",{" in text or b",[" in text or text[1:2] in (b"{", b"["):
        return _measured(values)
    return len(text)


def _measured(values: list[Any]) -> int:
    total, unseen = 0, values.copy()
    for _ in range(_ITEMS_MEASURED):
        if not unseen:
            break
        value = unseen.pop()
        kind = type(value)
        if kind in _PLAIN:
            total += sys.getsizeof(value)
        elif kind in _CONTAINERS:
            total += sys.getsizeof(value)
            unseen += value
            if kind is dict:
                unseen += value.values()
        else:
            total += _VALUE_BYTES
    return total + _VALUE_BYTES * len(unseen)


def _message(record: logging.LogRecord) -> str:
    """Return the rendered message; the template where arguments do not fit it."""
    try:
        return str(record.getMessage())
    except Exception as error:  # noqa: BLE001  # arguments run foreign code
        complain("AsyncHandler: message", error)
        return _text(record.msg)


def _traceback(record: logging.LogRecord) -> str | None:
    if record.exc_text or not record.exc_info or not any(record.exc_info):
        return record.exc_text
    try:
        return _tracebacks.formatException(record.exc_info)
    except Exception as error:  # noqa: BLE001  # an exception's __str__ is foreign code
        complain("AsyncHandler: exception", error)
        return f"{getattr(record.exc_info[0], '__name__', 'an exception')} [text unavailable]"


def _plain_arguments(args: Any) -> Any:
    """Return `args` with text in place of what may change or hold on to memory."""
    if type(args) is tuple:
        return tuple(arg if type(arg) in _PLAIN else _text(arg) for arg in args)
    if isinstance(args, dict):
        return {str(k): v if type(v) in _PLAIN else _text(v) for k, v in args.items()}
    return None if args is None else _text(args)


def _text(value: object) -> str:
    try:
        return str(value)[:_ARGUMENT_CHARACTERS]
    except Exception:  # noqa: BLE001  # __str__ is foreign code
        return f"<{type(value).__name__}>"


class _TooLarge(Exception):  # noqa: N818  # never leaves this module
    pass


def _snapshot(value: Any) -> Any:
    """Copy nested containers; other objects stay. What is too large or deep stays as it is."""
    try:
        return _copied(value, {}, [_ITEMS_COPIED])
    except (_TooLarge, RecursionError, RuntimeError, TypeError):
        return value


def _copied(value: Any, seen: dict[int, Any], left: list[int]) -> Any:
    kind = type(value)
    if kind not in _CONTAINERS:
        return value
    if id(value) in seen:
        return seen[id(value)]
    left[0] -= len(value)
    if left[0] < 0:
        raise _TooLarge
    copied: Any
    if kind is dict:
        copied = seen[id(value)] = {}
        for key, member in list(value.items()):
            copied[key] = _copied(member, seen, left)
    elif kind is list:
        copied = seen[id(value)] = []
        copied.extend([_copied(member, seen, left) for member in list(value)])
    else:
        copied = kind(_copied(member, seen, left) for member in list(value))
    return copied
