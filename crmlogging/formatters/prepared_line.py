"""Lines of one logging call, of which all that such lines share is encoded once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, Final

import orjson

from crmlogging.formatters.encoding import one_line
from crmlogging.records import Moment, SafeRecord

__all__ = ["PreparedLine", "prepare", "timestamp"]

_dumps: Final = orjson.dumps
_NAMES_KEPT: Final = 1_024


class _Clock:
    """The last second rendered; replaced whole, so that threads cannot mix two."""

    rendered: tuple[float, float, bytes] = (0.0, 0.0, b"")
    """When it began, when it ends, and its text."""


_MILLISECONDS: Final = tuple(b'%03dZ"' % number for number in range(1_000))
_thread_names: dict[str | None, bytes] = {}


def timestamp(created: float, gmtime: Callable[[float], time.struct_time] = time.gmtime) -> bytes:
    """Return seconds since the epoch as RFC 3339 in UTC with milliseconds, in JSON."""
    began, end, text = _Clock.rendered
    if not began <= created < end:
        began = created // 1
        text = time.strftime('"%Y-%m-%dT%H:%M:%S.', gmtime(began)).encode()
        _Clock.rendered = (began, began + 1, text)
    return text + _MILLISECONDS[int((created - began) * 1000)]


class PreparedLine:
    """How the lines of one `Outline` are written: bytes, and places for what differs.

    Attributes:
        names: of all the fields that such a line has.
    """

    __slots__ = ("_message", "_order", "_tail", "_template", "names")

    def __init__(
        self,
        template: bytes,
        tail: int,
        order: list[int],
        names: frozenset[str],
        message: str | None,
    ) -> None:
        self._template = template
        self._tail = tail  # of which what is on top stands in front
        self._message = message  # None where each line has its own
        # In their own order nothing has to be sorted.
        self._order = itemgetter(*order) if order != list(range(len(order))) else None
        self.names = names

    def line(self, moment: tuple[Any, ...]) -> bytes | None:
        """Return the line of `moment`, without a newline; None if it goes the long way.

        Args:
            moment: a `Moment`, or a plain tuple of the same parts.
        """
        _, _, created, _, _, name, _, message, values, more, identity = moment
        template, order, end = self._template, self._order, b""
        try:
            if more:
                if not self.names.isdisjoint(more):
                    return None
                end = b",%b" % _dumps(more)[1:-1]
            parts = (
                timestamp(created),
                _thread_names.get(name) or _thread_name(name),
                identity.encode(),
                *values,
            )
            if message is not self._message and message != self._message:
                if self._message is not None:
                    return None
                parts = (*parts, _dumps(message))
        except TypeError:  # half a surrogate pair, a number beyond 64 bits
            return None
        if order is not None:
            parts = order(parts)
        line = template % parts
        if end:
            line = b"%b%b%b" % (line[: -self._tail], end, line[-self._tail :])
        return line if line.isascii() and 0x7F not in line else one_line(line)


def _thread_name(name: str | None) -> bytes:
    if len(_thread_names) >= _NAMES_KEPT:
        _thread_names.clear()
    _thread_names[name] = encoded = _dumps(name)
    return encoded


def prepare(
    moment: Moment, fields_of: Callable[[SafeRecord], Mapping[str, Any]]
) -> PreparedLine | None:
    """Return how lines like that of `moment` are written, or None if they cannot be prepared.

    Args:
        fields_of: gives the fields of a line in order, the last of them the schema's version.
    """
    lines = moment.outline.lines
    when, name, identity, *values, message = (object() for _ in range(len(lines) + 4))
    attributes = moment.attributes(dict(zip(lines, values, strict=True)))
    attributes["threadName"], attributes["record.id"] = name, identity
    if moment.outline.base["msg"] is None:
        attributes["msg"] = message
    fields = {**fields_of(SafeRecord(attributes)), "timestamp": when}
    places = {id(mark): at for at, mark in enumerate((when, name, identity, *values, message))}
    order, parts = [], []
    try:
        for field, value in fields.items():
            at = places.get(id(value))
            if at is None:
                shown = _dumps(value).replace(b"%", b"%%")
            else:
                order.append(at)
                shown = b'"%b"' if value is identity else b"%b"
            parts.append(b"%b:%b" % (_dumps(field).replace(b"%", b"%%"), shown))
    except TypeError:
        return None
    tail = b",%b}" % parts[-1]
    template = b"{%b%b" % (b",".join(parts[:-1]), tail)
    names = frozenset(fields)
    return PreparedLine(template, len(tail % ()), order, names, moment.outline.base["msg"])
