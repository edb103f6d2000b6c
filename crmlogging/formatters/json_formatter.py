"""One JSON object a line, in the fields of the table (`crmlogging.fields`)."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, Final, cast

import orjson
from pythonjsonlogger.core import BaseJsonFormatter
from pythonjsonlogger.json import JsonEncoder
from pythonjsonlogger.json import JsonFormatter as StandardJsonFormatter

from crmlogging.exceptions import Problems
from crmlogging.fields import MISFIT, SCHEMA_VERSION, SHAPES
from crmlogging.formatters.encoding import encode, one_line
from crmlogging.formatters.known_line import NOT_KNOWN, KnownLines
from crmlogging.formatters.overriding import overrides
from crmlogging.formatters.prepared_line import PreparedLine, prepare, timestamp
from crmlogging.records import (
    STANDARD_ATTRIBUTES,
    DeferredRecord,
    Moment,
    SafeRecord,
    Written,
    deferred,
    record_id,
)

__all__ = ["JsonFormatter"]

_VERSION: Final = "schema.version"
_OUTLINES_RENDERED_BY: Final = 8
_SETTLED: Final = frozenset(("message", "correlation_id", "record.id"))
"""Fields that are a record's own attributes, so that nothing collides with them."""
_default: Final = JsonEncoder().default
_LEVEL_NAMES: Final = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}
_STANDARD_OPTIONS: Final = {
    *("fmt", "datefmt", "style", "validate", "prefix", "rename_fields", "static_fields"),
    *("rename_fields_keep_missing", "reserved_attrs", "timestamp", "defaults"),
    *("exc_info_as_array", "stack_info_as_array", "json_default", "json_encoder"),
    *("json_serializer", "json_indent", "json_ensure_ascii"),
}
_POSITIONAL: Final = ("fmt", "datefmt", "style", "validate")
_STEPS: Final = ("add_fields", "process_log_record", "jsonify_log_record", "serialize_log_record")
"""What python-json-logger offers to override between a record and its line."""
_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    **dict.fromkeys(("rename_fields", "static_fields", "defaults"), (Mapping,)),
    **dict.fromkeys(("datefmt", "prefix"), (str,)),
    "fmt": (str, list, tuple),
    "style": (str, type),
    "reserved_attrs": (Iterable,),
}
"""What anything else makes python-json-logger fail on, when it is built or at each record."""
_NONE: Final = type(None)


class JsonFormatter(StandardJsonFormatter):
    """Renders a record as one line of JSON: the fields that are always there, then its own.

    It is a python-json-logger formatter in everything that one promises: all its options work.
    With a ``fmt`` the line holds the fields that one lists, as there; without one, those of the
    table. Of a `SafeRecord` only what is safe is there to render; any other record is rendered
    with its rendered message and all its ``extra``, as python-json-logger does.

    Args:
        service: name of the service that logs; shape `id`.
        environment: ``development``, ``staging``, ``production`` or another `id`.
        schema: ``"crm"``, the names of the table; None leaves all to python-json-logger.

    Raises:
        ConfigurationError: naming each option that is wrong.

    Example:
        >>> line = JsonFormatter(service="crm-sync").format(logging.makeLogRecord({"msg": "hi"}))
        >>> orjson.loads(line)["message"], orjson.loads(line)["service"]
        ('hi', 'crm-sync')
    """

    def __init__(
        self,
        *args: Any,
        service: str | None = None,
        environment: str | None = None,
        schema: str | None = "crm",
        **options: Any,
    ) -> None:
        problems = Problems("JsonFormatter")
        own = {"service", "environment", "schema"}
        unknown = set(options) - _STANDARD_OPTIONS
        problems.unknown(sorted(unknown), known=own | _STANDARD_OPTIONS)
        for name, value in (("service", service), ("environment", environment)):
            if value is not None and (type(value) is not str or SHAPES["id"](value) is MISFIT):
                problems.add(name, "must be 1 to 128 characters of A-Z a-z 0-9 _ . : -")
        given = {**dict(zip(_POSITIONAL, args, strict=False)), **options}
        odd = [name for name in _KINDS if not isinstance(given.get(name), (*_KINDS[name], _NONE))]
        for name in odd:
            problems.add(name, f"{given[name]!r} is of no kind that this option takes")
        if schema not in ("crm", None):
            problems.add("schema", f"{schema!r} is unknown; known: 'crm', None")
        # What only json.dumps can do needs json.dumps; else orjson encodes.
        only_json = {"json_encoder", "json_serializer", "json_ensure_ascii"} & set(options)
        self._by_orjson = not only_json and options.get("json_indent") in (None, 0, 2)
        try:
            if not odd:
                super().__init__(*args, **{k: v for k, v in options.items() if k not in unknown})
        except (TypeError, ValueError) as error:
            problems.add("style" if str(error).startswith("Style") else "fmt", str(error))
        problems.raise_if_any()
        self._tabular = schema == "crm" and given.get("fmt") is None
        self._plain_tabular = (
            self._tabular
            and not _touches_lines(options)
            and not overrides(self, JsonFormatter, _STEPS)
        )
        # Nobody overrides a step between record and line.
        self._direct = self._by_orjson and type(self) is JsonFormatter
        self._facts = _process_facts(service, environment)
        self._plain_lines = KnownLines(self._beginning, self._plain_names, default=_default)
        self._safe_lines = KnownLines(self._shared, _safe_names, last={_VERSION: SCHEMA_VERSION})

    def format(self, record: logging.LogRecord) -> str:
        """Return the line as text, without a newline."""
        if self._plain_tabular:
            if isinstance(record, SafeRecord):
                return self.format_bytes(record).decode()
            failed = record.exc_info or record.exc_text or record.stack_info
            if self._direct and type(record.msg) is str and not failed:
                record.message = record.getMessage()
                line = self._plain_lines.line(record, record.message)
                if line is not None:
                    return one_line(line).decode()
        return super().format(record)

    def _shared(self, record: logging.LogRecord) -> dict[str, Any]:
        return self._always(record, None)

    def _beginning(self, record: logging.LogRecord) -> dict[str, Any]:
        return {**self._always(record, None), _VERSION: SCHEMA_VERSION}

    def _plain_names(self, attributes: Mapping[str, Any], taken: Container[str]) -> dict[str, str]:
        """Return the fields that a plain record's attributes become, as in `add_fields`."""
        if not {str}.issuperset(map(type, attributes)):
            raise TypeError
        named: dict[str, str] = {}
        for name in attributes:
            if name in self._skip_fields or name[:1] == "_":
                continue
            if name not in taken and name not in named:
                named[name] = name
            elif name not in _SETTLED:
                named[f"extra.{name}"] = name
        return named

    def format_bytes(self, record: logging.LogRecord | Moment | Written) -> bytes:
        """Return the line in UTF-8, without a newline: one line also for ``splitlines()``."""
        moment = record.moment() if isinstance(record, DeferredRecord) else record
        if type(moment) is Written:
            if moment.formatter is self:
                return moment.line[:-1]
            moment = moment.moment()
        if type(moment) is Moment:
            prepared = moment.outline.renderings.get(self) or self._prepare(moment)
            line = None if prepared is None else prepared.line(moment)
            if line is not None:
                return line
            record = deferred(moment)
        if self._plain_tabular and isinstance(record, SafeRecord):
            line = self._safe_lines.line(record, record.msg) if type(record.msg) is str else None
            return encode(self._fields(record)) if line is None else one_line(line)
        return self.format(cast("logging.LogRecord", record)).encode("utf-8", "replace")

    def _fields(self, record: SafeRecord) -> dict[str, Any]:
        """Return the fields of the line."""
        fields = self._always(record, record.msg)
        for name, value in record.__dict__.items():
            if name not in STANDARD_ATTRIBUTES and name not in fields and name != _VERSION:
                fields[name] = value
        fields[_VERSION] = SCHEMA_VERSION
        return fields

    def _prepare(self, moment: Moment) -> PreparedLine | None:
        """Encode once what the lines of a call share; None where the lines take options."""
        if not self._plain_tabular:
            return None
        known = moment.outline.renderings
        if len(known) >= _OUTLINES_RENDERED_BY:
            known.clear()
        known[self] = prepared = prepare(moment, self._fields)
        return prepared

    def _always(self, record: logging.LogRecord, message: object) -> dict[str, Any]:
        """Return the fields that every line has, in the order of the table."""
        attributes = record.__dict__
        return {
            "timestamp": _timestamp(record.created),
            "level": _LEVEL_NAMES.get(record.levelno) or record.levelname,
            "logger": record.name,
            "message": message,
            **self._facts,
            "process.id": record.process,
            "thread": record.threadName,
            "source": f"{record.pathname}:{record.lineno}",
            "correlation_id": attributes.get("correlation_id", NOT_KNOWN),
            "record.id": attributes.get("record.id") or record_id(record),
        }

    def add_fields(
        self,
        log_data: dict[str, Any],
        record: logging.LogRecord,
        message_dict: dict[str, Any],
    ) -> None:
        """Add the table's fields to those of python-json-logger; on a collision ours win.

        A caller's field of the same name is kept under ``extra.<name>``.
        """
        BaseJsonFormatter.add_fields(self, log_data, record, message_dict)
        if not self._tabular:
            return
        ours = {**self._always(record, record.message), _VERSION: SCHEMA_VERSION}
        theirs = dict(log_data)
        log_data.clear()
        for name, value in ours.items():
            log_data[self.rename_fields.get(name, name)] = value
        settled = {self.rename_fields.get("message", "message"), "correlation_id", "record.id"}
        if self.timestamp:
            settled.discard("timestamp")
            log_data.pop("timestamp", None)
        for name, value in theirs.items():
            if name not in log_data:
                log_data[name] = value
            elif name not in settled:
                log_data[f"extra.{name}"] = value

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        """Encode; what the serializer in use refuses is made plain first."""
        default = self.json_default or _default
        indent = orjson.OPT_INDENT_2 if self.json_indent else 0
        if not self._by_orjson:
            try:
                text = super().jsonify_log_record(log_data)
                orjson.loads(text)  # json.dumps writes NaN and half surrogate pairs
                return one_line(text.encode()).decode()
            except Exception:  # noqa: BLE001  # cycles, depth, huge numbers, hostile objects
                return encode(log_data, default, indent).decode()
        if not all(type(name) is str for name in log_data):
            log_data = _with_text_keys(log_data)
        return encode(log_data, default, indent).decode()


def _safe_names(attributes: Mapping[str, Any], taken: Container[str]) -> dict[str, str]:
    """Return the fields that a safe record's attributes become, as in `JsonFormatter._fields`."""
    if not {str}.issuperset(map(type, attributes)):
        raise TypeError
    others = {*STANDARD_ATTRIBUTES, _VERSION}
    return {name: name for name in attributes if name not in others and name not in taken}


def _touches_lines(options: Mapping[str, Any]) -> bool:
    """Tell whether python-json-logger's own options change what a line holds."""
    return bool(_STANDARD_OPTIONS & {name for name, value in options.items() if value})


def _with_text_keys(log_data: Mapping[Any, Any]) -> dict[str, Any]:
    """Make every key text, so that ``5`` and ``"5"`` cannot stand in one line twice."""
    texts: dict[str, Any] = {}
    for key, value in log_data.items():
        name = key if isinstance(key, str) else f"{key}"
        texts[name if name not in texts else f"extra.{name}"] = value
    return texts


def _process_facts(service: str | None, environment: str | None) -> dict[str, str]:
    return {
        "service": service or NOT_KNOWN,
        "environment": environment or NOT_KNOWN,
        "host": host_name(),
    }


def host_name() -> str:
    """Return the host's name in the shape `id`; what does not fit becomes ``_``."""
    if hasattr(os, "uname"):
        name = os.uname().nodename
    else:
        import platform

        name = platform.node()
    return re.sub(r"[^A-Za-z0-9_.:-]", "_", name)[:128] or NOT_KNOWN


def _timestamp(created: float, gmtime: Callable[[float], time.struct_time] = time.gmtime) -> str:
    """Return seconds since the epoch as RFC 3339 in UTC with milliseconds."""
    return timestamp(created, gmtime)[1:-1].decode()
