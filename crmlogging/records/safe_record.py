"""The kind of record that may leave the process, written out or deferred."""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

import orjson

from crmlogging.records.making import since_start

__all__ = [
    *("MOMENTS", "STANDARD_ATTRIBUTES", "DeferredRecord", "Moment", "Outline", "SafeRecord"),
    *("Written", "copy_of", "deferred"),
]

# Asked of a live record, not spelled out: the set differs between Pythons (3.12 added taskName).
# Not of the record factory: a tracing library's adds attributes of its own.
# The last two come into being while formatting.
STANDARD_ATTRIBUTES: Final = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {
    *("message", "asctime", "taskName"),
}
"""Names that the standard library gives a record on any supported Python."""

# Past the property of the same name below.
_get_dict: Final[Any] = logging.LogRecord.__dict__["__dict__"].__get__
_set_dict: Final[Any] = logging.LogRecord.__dict__["__dict__"].__set__
_MOMENT: Final = "[MOMENT]"
_new: Final = object.__new__


class SafeRecord(logging.LogRecord):
    """A record of which every attribute may leave the process.

    ``msg`` is the static template, ``args``, ``exc_info``, ``exc_text`` and ``stack_info`` are
    None; every other attribute is a standard fact or an allowed field under its dotted name
    (``vars(record)["request.method"]``). It holds no reference to a live object.

    Any third-party handler can take it for an ordinary record.
    """

    def __init__(self, attributes: dict[str, Any]) -> None:
        # Not LogRecord.__init__: that one asks clock and thread again.
        self.__dict__ = attributes

    def getMessage(self) -> str:  # noqa: N802  # logging's name
        """Return the template; arguments that somebody put on the record later stay out."""
        return str(self.msg)

    def __copy__(self) -> SafeRecord:
        return SafeRecord(dict(self.__dict__))

    def __reduce__(self) -> tuple[type[SafeRecord], tuple[dict[str, Any]]]:
        return SafeRecord, (self.__dict__,)


class Outline:
    """What the safe records of one logging call share.

    Attributes:
        base: the attributes of such a record, in order; those that differ hold anything.
        lines: names of the fields that differ from record to record.
        renderings: what a formatter prepared for such records, by formatter.
        groups: what a filter knows of the groups that such records belong to.
        arguments: what is shown of the message's arguments, each under the name `line`, after all
            other fields; None if it has none, or if not their position alone decides.
    """

    __slots__ = ("arguments", "base", "groups", "lines", "renderings")

    def __init__(self, base: dict[str, Any], lines: tuple[str, ...]) -> None:
        self.base = base
        self.lines = lines
        self.renderings: dict[object, Any] = {}
        self.groups: Any = None
        self.arguments: tuple[Any, ...] | None = None


class Moment(NamedTuple):
    """What sets one record of an `Outline` apart; it stands for that `SafeRecord`.

    Attributes:
        levelno: as the record's; here, as others that handlers ask of every record.
        relative: ``relativeCreated`` as somebody gave it; milliseconds.
        message: its template.
        values: of the fields that differ, in the order of `Outline.lines`, as JSON.
        more: fields that came on top, after all others.
    """

    outline: Outline
    levelno: int
    created: float
    relative: object
    thread: int | None
    thread_name: str | None
    task_name: str | None
    message: str
    values: list[bytes]
    more: Mapping[str, Any] | None
    identity: str

    def attributes(self, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the attributes of the record, `more` among them."""
        attributes = self.outline.base.copy()
        attributes["created"] = self.created
        attributes["msecs"] = self.created % 1 * 1_000
        relative = self.relative
        plausible = type(relative) is float and -1e12 < relative < 1e12
        attributes["relativeCreated"] = relative if plausible else 0.0
        attributes["thread"] = self.thread
        attributes["threadName"] = self.thread_name
        attributes["taskName"] = self.task_name
        attributes["msg"] = self.message
        attributes.update(zip(self.outline.lines, map(orjson.loads, self.values), strict=True))
        if more:
            attributes.update(more)
        attributes["record.id"] = self.identity
        return attributes


class Written(NamedTuple):
    """A record of an `Outline` whose line is written already; it stands for that `SafeRecord`.

    Attributes:
        relative: as in a `Moment`; None where nobody gave it.
        task_name: as it is shown.
        line: with a newline behind; it holds all that sets the record apart under its own name.
        formatter: whose line it is.
    """

    outline: Outline
    levelno: int
    created: float
    relative: object
    thread: int | None
    task_name: str | None
    line: bytes
    formatter: object

    def moment(self) -> Moment:
        """Return the same as a `Moment`, for whoever needs more than the line."""
        outline, told = self.outline, orjson.loads(self.line)
        relative = since_start(self.created) if self.relative is None else self.relative
        return Moment(
            *(outline, self.levelno, self.created, relative, self.thread),
            *(told["thread"], self.task_name, outline.base["msg"]),
            values=[orjson.dumps(told[name]) for name in outline.lines],
            more={each.line: told[each.line] for each in outline.arguments or ()} or None,
            identity=told["record.id"],
        )


MOMENTS: Final = frozenset((Moment, Written))
"""What stands for a record that nobody has looked at yet."""


class DeferredRecord(SafeRecord):
    """A `SafeRecord` that is written out when somebody first looks at its attributes.

    Most are looked at by nobody but `crmlogging.JsonFormatter`, which knows the `Outline` that
    the record shares with the others of its call and needs no more than the `Moment`. To anybody
    else it is a `SafeRecord`, in class too from the first look on.
    """

    def moment(self) -> Moment | Written | None:
        """Return what sets this record apart, or None if it is written out by now."""
        moment: Moment | Written | None = _get_dict(self).get(_MOMENT)
        return moment

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]  # written out when asked for
        self._write_out()
        attributes: dict[str, Any] = _get_dict(self)
        return attributes

    def __getattr__(self, name: str) -> Any:
        self._write_out()
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        self._write_out()
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        self._write_out()
        object.__delattr__(self, name)

    def __copy__(self) -> SafeRecord:
        attributes = _get_dict(self).copy()
        # Another thread may have written it out by now.
        duplicate = _new(DeferredRecord if _MOMENT in attributes else SafeRecord)
        _set_dict(duplicate, attributes)
        return duplicate

    def _write_out(self) -> None:
        moment = self.moment()
        if moment is None:  # another thread was faster
            return
        if isinstance(moment, Written):
            moment = moment.moment()
        _set_dict(self, moment.attributes(moment.more))
        object.__setattr__(self, "__class__", SafeRecord)


def deferred(moment: Moment | Written) -> DeferredRecord:
    """Return the record that `moment` stands for."""
    record = _new(DeferredRecord)
    # What durable handlers ask of every record stands there without writing it out.
    _set_dict(
        record,
        {
            _MOMENT: moment,
            "levelno": moment.levelno,
            "created": moment.created,
            "thread": moment.thread,
        },
    )
    return record


def copy_of(record: logging.LogRecord) -> logging.LogRecord:
    """Return a shallow copy; the class stays, since some override ``getMessage``."""
    kind = type(record)
    duplicate: logging.LogRecord
    if kind is logging.LogRecord:  # By hand: a sixth of the cost of copy.copy.
        duplicate = kind.__new__(kind)
        duplicate.__dict__ = record.__dict__.copy()
        return duplicate
    if kind is DeferredRecord:
        return cast("DeferredRecord", record).__copy__()
    try:
        duplicate = copy.copy(record)
    except Exception:  # noqa: BLE001  # a record class whose copying fails is copied plain
        duplicate = logging.makeLogRecord(record.__dict__)
    return duplicate
