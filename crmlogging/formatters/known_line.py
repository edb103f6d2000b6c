"""Lines of records with much in common: what they share is encoded once.

Records of one call site differ in time, message, correlation and id, and in the values of their
fields. Their line is a template for the site, and the fields of their own as one mapping, whose
names are worked out once for all records with the same attributes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Mapping
from operator import itemgetter
from typing import Any, Final

import orjson

from crmlogging.formatters.prepared_line import timestamp
from crmlogging.records import record_id

__all__ = ["NOT_KNOWN", "KnownLines"]

NOT_KNOWN: Final = "-"
"""Value of a field that is always there while nobody said what it is."""

_SITES_KEPT: Final = 1_024
_SHAPES_KEPT: Final = 256
_LONGEST_SHAPE: Final = 500
_DIFFERING: Final = ("timestamp", "message", "correlation_id", "record.id")
_dumps: Final = orjson.dumps
_site_of: Final = itemgetter(
    *("levelno", "levelname", "name", "pathname", "lineno", "process", "threadName")
)

_Attributes = Mapping[str, Any]
_Shape = tuple[tuple[str, ...], Callable[[_Attributes], tuple[Any, ...]]]


class KnownLines:
    """Writes lines of records, a site and a set of attributes at a time.

    Args:
        always: gives the fields of a record that every line begins with; their values, but for
            those that differ from record to record, follow from its site.
        named: gives the names of a record's own fields, each with that of its attribute, from
            all attributes and the names that every line begins with; raises TypeError where a name
            is no text.
        last: fields at the end of every line.
        default: as for `orjson.dumps`.
    """

    def __init__(
        self,
        always: Callable[[logging.LogRecord], Mapping[str, Any]],
        named: Callable[[_Attributes, Container[str]], Mapping[str, str]],
        *,
        last: Mapping[str, Any] | None = None,
        default: Callable[[Any], Any] | None = None,
    ) -> None:
        self._always = always
        self._named = named
        self._last = b"}" if not last else b",%b" % _dumps(last)[1:]
        self._default = default
        self._sites: dict[tuple[Any, ...], bytes] = {}
        self._shapes: dict[tuple[str, ...], _Shape] = {}

    def line(self, record: logging.LogRecord, message: str) -> bytes | None:
        """Return the line of `record`, or None where `orjson` does not take it as it is.

        What `bytes.splitlines` or a terminal would trip over is still in it.
        """
        attributes = record.__dict__
        try:
            template = self._sites.get(_site_of(attributes)) or self._add_site(record)
            names, values = self._shapes.get(tuple(attributes)) or self._add_shape(record)
            own = b""
            if names:
                fields = dict(zip(names, values(attributes), strict=False))
                own = b",%b" % _dumps(fields, self._default)[1:-1]
            return template % (
                timestamp(record.created),
                _dumps(message),
                _dumps(attributes.get("correlation_id", NOT_KNOWN), self._default),
                _dumps(attributes.get("record.id") or record_id(record), self._default),
                own,
            )
        except Exception:  # noqa: BLE001  # half surrogate pairs, cycles, keys that are no text
            return None

    def _add_site(self, record: logging.LogRecord) -> bytes:
        parts = []
        for name, value in self._always(record).items():
            same = name not in _DIFFERING
            shown = _dumps(value, self._default).replace(b"%", b"%%") if same else b"%b"
            parts.append(b"%b:%b" % (_dumps(name), shown))
        template = b"{%b%%b%b" % (b",".join(parts), self._last.replace(b"%", b"%%"))
        if len(self._sites) >= _SITES_KEPT:
            self._sites.clear()
        self._sites[_site_of(record.__dict__)] = template
        return template

    def _add_shape(self, record: logging.LogRecord) -> _Shape:
        attributes = record.__dict__
        named = self._named(attributes, self._always(record))
        names, sources = tuple(named), tuple(named.values())
        # Of a single name it would give no tuple; what is twice there has but one name below.
        values = itemgetter(*sources, *sources[:1]) if sources else tuple
        if len(attributes) <= _LONGEST_SHAPE:
            if len(self._shapes) >= _SHAPES_KEPT:
                self._shapes.clear()
            self._shapes[tuple(attributes)] = names, values
        return names, values
