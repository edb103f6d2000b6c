"""What makes a record identical to others: its failure, customer and level, never its values."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection
from typing import Any, Final

import orjson

from crmlogging.fields import MISFIT, SHAPES
from crmlogging.records import Moment, Outline, SafeRecord, deferred, record_id

__all__ = [
    *("Key", "LastVerdict", "created_of", "decides", "grouped", "grouped_line", "has_no_key"),
    *("identity_of", "is_power_of_ten", "key_of"),
]

Key = tuple[object, ...]
"""What records of one group have in common."""

_SITE_CHARACTERS: Final = 200
_KEYS_OF_A_CALL: Final = 64
_DECIDING: Final = frozenset(("audit", "crm", "error.fingerprint", "error.type", "tenant.code"))
_FAILURE: Final = frozenset(("error.fingerprint", "error.type"))
_RESOURCE: Final = "resource.id"
_PLAIN: Final = frozenset((str, int))
_LAST_SECOND: Final = 253_402_300_799.0  # of the year 9999, the last that RFC 3339 can write


def identity_of(record: logging.LogRecord) -> str:
    """Return the record's id: equal for the copies that several handlers filter."""
    known = record.__dict__.get("record.id")
    return known if type(known) is str else record_id(record)


def key_of(record: logging.LogRecord) -> Key | None:
    """Return what makes `record` identical to others, or None where it is not to be grouped."""
    attributes = record.__dict__
    if attributes.get("audit"):
        return None
    fingerprint, level = attributes.get("error.fingerprint"), attributes.get("levelno")
    if type(fingerprint) is str and type(level) is int:
        told = (fingerprint, attributes.get("crm"), attributes.get("tenant.code"), level)
        if _is_known(told):
            return told
    return _key_of(attributes, safe=issubclass(type(record), SafeRecord))


def has_no_key(outline: Outline, more: Collection[str] | None) -> bool:
    """Tell whether records of `outline` are surely not to be grouped (see `key_of`).

    They carry no exception but under ``error.type``, and are no audit records.

    Args:
        more: names of fields that come on top.
    """
    level, base = outline.base["levelno"], outline.base
    if type(level) is not int or level >= logging.ERROR:
        return False
    if "error.fingerprint" in base or "error.type" in base:
        return False
    return not more or _FAILURE.isdisjoint(more)


class LastVerdict(threading.local):
    """What was said last in this thread, and of which record: by its id."""

    identity: str | None = None
    passes = True


def decides(name: str) -> bool:
    """Tell whether a field of that name decides of a record's group, or stands in its summary."""
    return name in _DECIDING or name == _RESOURCE


class _Groups:
    """The groups of the records of one `Outline`.

    Attributes:
        deciding: the lines that decide of a group, each with its place.
        resource: place of the ``resource.id``, or None.
        keys: keys by message and values of those that decide, as JSON; bounded.
    """

    __slots__ = ("deciding", "keys", "resource")

    def __init__(self, lines: tuple[str, ...]) -> None:
        self.deciding = [(at, name) for at, name in enumerate(lines) if name in _DECIDING]
        self.resource = lines.index(_RESOURCE) if _RESOURCE in lines else None
        self.keys: dict[tuple[object, ...], Key] = {}


def _groups_of(outline: Outline) -> _Groups:
    groups: _Groups = outline.groups
    if groups is None:
        outline.groups = groups = _Groups(outline.lines)
    return groups


def grouped(moment: Moment) -> tuple[Key, bytes | None]:
    """Return the `key_of` the record of `moment`, and its ``resource.id`` as JSON.

    Args:
        moment: of which `has_no_key` is not said, with nothing on top.
    """
    outline, values = moment.outline, moment.values
    groups = _groups_of(outline)
    told = moment.message, *[values[at] for at, _ in groups.deciding]
    key = groups.keys.get(told)
    if key is None:
        # A resource that is the same in all of them would be none of the moment's.
        fixed = groups.resource is None and _RESOURCE in outline.base
        key = (not fixed and key_of(deferred(moment))) or ()
        if len(groups.keys) >= _KEYS_OF_A_CALL:
            groups.keys.clear()
        groups.keys[told] = key
    return key, None if groups.resource is None else values[groups.resource]


def grouped_line(outline: Outline, line: bytes) -> tuple[Key, object]:
    """Return the same of a record that is written already, with the ``resource.id`` itself.

    Args:
        line: it holds all that sets the record apart from others of `outline`.

    Returns:
        An empty key as long as no moment like it was `grouped`.
    """
    groups = _groups_of(outline)
    message = outline.base["msg"]
    if groups.resource is None and not groups.deciding:
        return groups.keys.get((message,), ()), None
    fields = orjson.loads(line)
    told = message, *[orjson.dumps(fields[name]) for _, name in groups.deciding]
    return groups.keys.get(told, ()), fields.get(_RESOURCE)


_KEYS_KEPT: Final = 1_024
_known: set[tuple[object, ...]] = set()


def _is_known(told: tuple[object, ...]) -> bool:
    """Whether these values were found to be in shape before: a storm asks the same each time."""
    try:
        return told in _known
    except TypeError:  # values that are lists
        return False


def _key_of(attributes: dict[str, Any], *, safe: bool) -> Key | None:
    fingerprint = _shaped(attributes, "error.fingerprint", "id")
    kind = _kind(attributes)
    level = attributes.get("levelno")
    if fingerprint is None and kind is None and type(level) is int and level < logging.ERROR:
        return None
    what: tuple[object, ...] = (fingerprint,)
    if fingerprint is None:
        # The template as well: a wrapper function makes one call site of many messages.
        template = attributes.get("msg")
        template = template[:_SITE_CHARACTERS] if type(template) is str else None
        what = (attributes.get("pathname"), attributes.get("lineno"), template, kind)
        if not safe:  # before an allowlist the words hold values, and keys are written to files
            what = (hash(tuple(each if type(each) in _PLAIN else None for each in what)),)
    key = (
        *what,
        _shaped(attributes, "crm", "slug"),
        _shaped(attributes, "tenant.code", "id"),
        level if type(level) is int else logging.ERROR,
    )
    if fingerprint is not None:
        if len(_known) >= _KEYS_KEPT:
            _known.clear()
        _known.add(key)
    return key


def _kind(attributes: dict[str, Any]) -> str | None:
    """Return the class of the record's exception, or None where it has none."""
    kind, exc_info = attributes.get("error.type"), attributes.get("exc_info")
    if type(kind) is str:
        return kind
    raised = exc_info[0] if type(exc_info) is tuple and exc_info else None
    return raised.__qualname__ if isinstance(raised, type) else None


def _shaped(attributes: dict[str, Any], name: str, shape: str) -> object:
    value = attributes.get(name)
    return None if value is None or SHAPES[shape](value) is MISFIT else value


def created_of(record: logging.LogRecord) -> float:
    created = record.__dict__.get("created")
    return created if type(created) is float and 0.0 <= created <= _LAST_SECOND else time.time()


def is_power_of_ten(number: int) -> bool:
    return str(number).strip("0") == "1"
