"""Lines of one logging call, of which all that such lines share is encoded once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, TypeVar

import orjson

from crmlogging.formatters.encoding import one_line
from crmlogging.records import LAST_SECOND, Moment, SafeRecord, ids, new_id

__all__ = ["PreparedLine", "StraightEnding", "prepare", "thread_json", "timestamp"]

_dumps: Final = orjson.dumps
_NAMES_KEPT: Final = 1_024
_Other = TypeVar("_Other")


class _Clock:
    """What was rendered last; each is replaced whole, so that threads cannot mix two.

    Attributes:
        second: when it began, when it ends, and its text.
        millisecond: the same of what is rendered as one, which many records share.
    """

    __slots__ = ("millisecond", "second")

    def __init__(self) -> None:
        self.second = self.millisecond = (0.0, 0.0, b"")


_clock: Final = _Clock()
_MILLISECONDS: Final = tuple(b'%03dZ"' % number for number in range(1_000))
_thread_names: dict[str | None, bytes] = {}


def timestamp(created: float, gmtime: Callable[[float], time.struct_time] = time.gmtime) -> bytes:
    """Return seconds since the epoch as RFC 3339 in UTC with milliseconds, in JSON."""
    began, end, text = _clock.millisecond
    if began <= created < end:
        return text
    began, end, text = _clock.second
    if not began <= created < end:
        began = created // 1
        text = time.strftime('"%Y-%m-%dT%H:%M:%S.', gmtime(began)).encode()
        _clock.second = (began, began + 1, text)
    number = int((created - began) * 1000)
    rendered = text + _MILLISECONDS[number]
    _clock.millisecond = (created, began + (number + 1) / 1000, rendered)
    return rendered


class PreparedLine:
    """How the lines of one `Outline` are written: bytes, and places for what differs.

    Attributes:
        names: of all the fields that such a line has.
        pieces: of the line: what all such lines share, and the positions of what differs: time,
            thread, id, the values of the outline's `lines`, and the message if it differs.
        tail: how long the end is before which fields stand that come on top.
        straights: what writes such lines straight, by the name of what it writes them of.
        values: how many of the outline's `lines` there are.
        is_whole: none of them is left out.
    """

    __slots__ = (
        *("_message", "_order", "_template", "is_whole", "names", "pieces", "straights", "tail"),
        "values",
    )

    def __init__(
        self,
        pieces: list[bytes | int],
        tail: int,
        names: frozenset[str],
        message: str | None,
        values: int,
    ) -> None:
        self._template = b"".join(
            each.replace(b"%", b"%%") if isinstance(each, bytes) else b"%b" for each in pieces
        )
        self.tail = tail
        self._message = message  # None where each line has its own
        order = [each for each in pieces if isinstance(each, int)]
        # In their own order nothing has to be sorted.
        self._order = itemgetter(*order) if order != list(range(len(order))) else None
        self.names = names
        self.pieces = pieces
        self.straights: dict[str, Any] = {}
        self.values = values
        self.is_whole = {*range(3 + values)}.issubset(order)

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
                _thread_names.get(name) or thread_json(name),
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
            line = b"%b%b%b" % (line[: -self.tail], end, line[-self.tail :])
        return line if line.isascii() and 0x7F not in line else one_line(line)


class StraightEnding:
    """Puts values into the lines of one call, with a newline behind (see `redaction.straight`).

    Args:
        prepared: how such lines are written.
        values: how many of the call's values it has places for, or leaves out.
        more: names of fields that come on top, each with its JSON where that is always the same;
            the values of the others stand behind those of `prepared`.

    Raises:
        ValueError: `prepared` is for another number of values, or for a message that differs; so do
            the methods, for another number of values shown.
    """

    def __init__(
        self, prepared: PreparedLine, values: int, more: Iterable[tuple[str, bytes | None]]
    ) -> None:
        *pieces, last = prepared.pieces
        at = 3 + values  # behind time, thread and id
        # Of another outline, or with messages that differ: values would stand in others' places.
        strange = [each for each in pieces if isinstance(each, int) and not 0 <= each < at]
        if prepared.values != values or strange or not isinstance(last, bytes):
            raise ValueError(f"prepared for {prepared.values} values, not for {values}")
        pieces.append(last[: -prepared.tail])
        for name, constant in more:
            pieces += [b",%b:" % _dumps(name), at if constant is None else constant]
            at += constant is None
        self._count = at - 3
        self._pieces = [*pieces, last[-prepared.tail :], b"\n"]

    def finish(self, shown: Sequence[bytes], created: float, thread: bytes, identity: str) -> bytes:
        """Return the line of these values."""
        self._check(shown)
        parts = (timestamp(created), thread, (identity or new_id()).encode(), *shown)
        pieces = self._pieces
        line = b"".join([parts[each] if isinstance(each, int) else each for each in pieces])
        return one_line(line)

    def written(
        self, parts: Sequence[str | bytes], names: dict[str, Any], *, printable: bool
    ) -> list[str]:
        """Return the text that does the same, given expressions, or what is always there.

        Args:
            names: to which is added what the text needs.
            printable: whatever the expressions say is printable ASCII, as are a thread's name,
                an id and a time.
        """
        self._check(parts)
        own = ("stamp", "thread", "(identity or next(ids.left)).encode()")
        found = _merged(
            each if isinstance(each, bytes) else (*own, *parts)[each] for each in self._pieces
        )
        names |= {"join": b"".join, "ids": ids, "next": next, "one_line": one_line}
        names |= {"clock": _clock, "timestamp": timestamp, "last_second": LAST_SECOND}
        lines, texts = [], []
        for each in found:
            text = f"piece{len(names)}"
            if isinstance(each, bytes):
                names[text] = one_line(each)
            elif each.isidentifier() or each in own:
                text = each
            else:  # In front: what judges a value may raise, and then no id is spent on it.
                names[text] = None
                lines.append(f" {text} = {each}")
            texts.append(text)
        line = f"join(({', '.join(texts)}))"
        ending = [f" return {line}"]
        if not printable:
            checked = "line.isascii() and 127 not in line"
            ending = [f" line = {line}", f" return line if {checked} else one_line(line)"]
        return [
            *lines,
            " began, end, stamp = clock.millisecond",
            " if not began <= created < end:",
            "  if not 0.0 <= created <= last_second:",
            "   return b''",
            "  stamp = timestamp(created)",
            *ending,
        ]

    def _check(self, shown: Sequence[object]) -> None:
        if len(shown) != self._count:
            raise ValueError(f"{len(shown)} values, but {self._count} places")


def thread_json(name: str | None) -> bytes:
    """Return the name of a thread as JSON."""
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
    # Not the moment's, which may depart from what all others say.
    said = moment.outline.base["msg"]
    attributes["msg"] = message if said is None else said
    fields = {**fields_of(SafeRecord(attributes)), "timestamp": when}
    places = {id(mark): at for at, mark in enumerate((when, name, identity, *values, message))}
    pieces: list[bytes | int] = [b"{"]
    try:
        for field, value in fields.items():
            pieces.append(b"%b%b:" % (b"," if len(pieces) > 1 else b"", _dumps(field)))
            at = places.get(id(value))
            if at is None:
                pieces.append(_dumps(value))
            else:
                pieces += [b'"', at, b'"'] if value is identity else [at]
    except TypeError:
        return None
    tail = b",%b:%b}" % (_dumps(field), _dumps(value))
    names = frozenset(fields)
    return PreparedLine(_merged([*pieces, b"}"]), len(tail), names, said, len(lines))


def _merged(pieces: Iterable[bytes | _Other]) -> list[bytes | _Other]:
    """Return the same, with bytes that stand together in one piece."""
    merged: list[bytes | _Other] = []
    for piece in pieces:
        last = merged[-1] if merged else None
        if isinstance(piece, bytes) and isinstance(last, bytes):
            merged[-1] = last + piece
        else:
            merged.append(piece)
    return merged
