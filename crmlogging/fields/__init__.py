"""The field table: every name a line may carry, the shape of its value, and who writes it.

This is the one place that defines fields. The README's table, the ``@crm`` preset, the
allowlist's value shapes and the mapping to ECS and OpenTelemetry all derive from `FIELDS`.

A *shape* says what a value may look like. A value that does not fit is masked, wherever it
comes from: an e-mail address under ``user.id`` is no id, so it does not get out.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from crmlogging.fields.routes import template

__all__ = ["CRM_PRESET", "FIELDS", "MISFIT", "SHAPES", "Field", "conform", "field_named"]


class Field(NamedTuple):
    """One field of the line.

    Attributes:
        name: dotted name, flat in the line.
        shape: name of an entry of `SHAPES`.
        writer: stage that writes it: ``formatter``, ``correlation``, ``errors``, ``allowlist``,
            ``grouping``, ``levels``, ``handlers``, or ``caller`` for what comes from ``extra`` and
            `bind`.
        meaning: one line for the documentation.
        unit: unit of a number, or "".
        safe: part of the ``@crm`` preset.
        many: a list of such values.
        choices: the values an ``enum`` may take.
        ecs: Elastic Common Schema equivalent, or "".
        otel: OpenTelemetry semantic-convention equivalent, or "".
    """

    name: str
    shape: str
    writer: str
    meaning: str
    unit: str = ""
    safe: bool = True
    many: bool = False
    choices: tuple[str, ...] = ()
    ecs: str = ""
    otel: str = ""


_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")
_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_CATEGORIES: Final = (
    *("auth", "permissions", "plan", "validation", "transient", "unreachable", "unknown"),
)
_OWNERS: Final = ("operator", "admin", "billing_owner", "developer", "sales_ops", "none")
_OUTCOMES: Final = ("succeeded", "failed", "dead_lettered")

FIELDS: Final[tuple[Field, ...]] = (
    # always
    Field("timestamp", "timestamp", "formatter", "when the call was made, UTC", "RFC 3339, ms", ecs="@timestamp", otel="Timestamp"),
    Field("level", "enum", "formatter", "severity", choices=_LEVELS, ecs="log.level", otel="SeverityText"),
    Field("logger", "text", "formatter", "name of the logger", ecs="log.logger", otel="InstrumentationScope"),
    Field("message", "text", "formatter", "static template of the message", ecs="message", otel="Body"),
    Field("service", "id", "formatter", "the service that logs", ecs="service.name", otel="service.name"),
    Field("environment", "id", "formatter", "development, staging, production", ecs="service.environment", otel="deployment.environment.name"),
    Field("host", "id", "formatter", "host name", ecs="host.hostname", otel="host.name"),
    Field("process.id", "int", "formatter", "process id", ecs="process.pid", otel="process.pid"),
    Field("thread", "text", "formatter", "thread name as Python makes it", ecs="process.thread.name", otel="thread.name"),
    Field("source", "text", "formatter", "file:line of the call", ecs="log.origin.file.name", otel="code.file.path"),
    Field("correlation_id", "id", "correlation", "one id for one piece of work", ecs="trace.id", otel="correlation.id"),
    Field("record.id", "id", "allowlist", "process start id and counter; equal in every copy of the record", ecs="event.id", otel="log.record.uid"),
    Field("schema.version", "int", "formatter", "version of this table", ecs="event.module"),
    # request
    Field("request.id", "id", "errors", "the provider's id of the request", ecs="http.request.id"),
    Field("request.method", "enum", "caller", "HTTP method", choices=_METHODS, ecs="http.request.method", otel="http.request.method"),
    Field("request.path", "path", "caller", "route template", ecs="url.path", otel="url.template"),
    Field("request.attempt", "int", "caller", "attempt, from 1", otel="http.request.resend_count"),
    Field("request.delay_ms", "float", "caller", "wait before the next attempt", "ms"),
    Field("request.duration_ms", "float", "caller", "time from send to answer", "ms", ecs="event.duration", otel="http.client.request.duration"),
    Field("response.status", "int", "caller", "HTTP status", ecs="http.response.status_code", otel="http.response.status_code"),
    Field("ratelimit.limit", "int", "caller", "calls allowed per window"),
    Field("ratelimit.remaining", "int", "caller", "calls left in the window"),
    Field("ratelimit.reset", "float", "caller", "time until the window restarts", "s"),
    Field("crm", "slug", "caller", "provider, e.g. hubspot", otel="peer.service"),
    Field("tenant.code", "id", "caller", "customer account", ecs="organization.id"),
    Field("user.id", "id", "caller", "acting user", ecs="user.id", otel="user.id"),
    Field("client.ip", "id", "caller", "address of the client", safe=False, ecs="client.ip", otel="client.address"),
    Field("resource.type", "slug", "caller", "kind of CRM record, e.g. contact"),
    Field("resource.id", "id", "caller", "id of the CRM record"),
    # error
    Field("error.code", "code", "errors", "stable code DOMAIN_ACTION_REASON", ecs="error.code"),
    Field("error.category", "enum", "errors", "kind of failure", choices=_CATEGORIES, otel="error.type"),
    Field("error.provider_code", "id", "errors", "the provider's own code"),
    Field("error.summary", "text", "errors", "what happened and what to do"),
    Field("error.retryable", "bool", "errors", "the same request may succeed later"),
    Field("error.actionable", "bool", "errors", "somebody has to act"),
    Field("error.owner", "enum", "errors", "who acts", choices=_OWNERS),
    Field("error.tier", "int", "errors", "1 transient, 2 technical, 3 business process"),
    Field("error.fix_url", "text", "errors", "page where it is fixed", ecs="error.reference"),
    Field("error.instance", "id", "errors", "this occurrence (RFC 9457)", ecs="error.id"),
    Field("error.fingerprint", "id", "errors", "versioned grouping key"),
    Field("error.fields", "id", "errors", "fields of the payload at fault", many=True),
    Field("error.type", "text", "allowlist", "exception class", ecs="error.type", otel="exception.type"),
    Field("error.message", "text", "allowlist", "template of the exception's text", ecs="error.message", otel="exception.message"),
    Field("error.stack", "text", "allowlist", "frames as file:line in function", many=True, ecs="error.stack_trace", otel="exception.stacktrace"),
    Field("error.suppressed", "int", "grouping", "identical records held back"),
    Field("error.suppressed_ids", "id", "grouping", "resource ids of those", many=True),
    Field("error.suppressed_first", "timestamp", "grouping", "time of the first of those"),
    Field("error.suppressed_last", "timestamp", "grouping", "time of the last of those"),
    # crmlogging's own notices
    Field("level.logger", "id", "levels", "logger whose level changed"),
    Field("level.from", "id", "levels", "level before"),
    Field("level.to", "id", "levels", "level now"),
    Field("level.until", "timestamp", "levels", "end of the change"),
    Field("queue.handler", "id", "handlers", "handler whose counts these are, since its process began"),
    Field("queue.produced", "int", "handlers", "records it got: delivered, dropped and pending ones"),
    Field("queue.delivered", "int", "handlers", "records that all its targets had"),
    Field("queue.pending", "int", "handlers", "records on their way"),
    Field("queue.dropped", "int", "handlers", "records dropped; in a report, since the last one"),
    Field("queue.dropped_overflow", "int", "handlers", "of those: the queue was full"),
    Field("queue.dropped_too_large", "int", "handlers", "of those: larger than the queue"),
    Field("queue.dropped_failed", "int", "handlers", "of those: the target failed"),
    Field("queue.dropped_reentrant", "int", "handlers", "of those: logged while delivering such a line"),
    Field("queue.dropped_exit", "int", "handlers", "of those: the process ended before"),
    Field("queue.dropped_no_target", "int", "handlers", "of those: the targets were not there yet"),
    Field("start.version", "id", "handlers", "version of crmlogging"),
    Field("start.levels", "id", "handlers", "logger:LEVEL of each logger that has a level", many=True),
    Field("start.handlers", "id", "handlers", "name:Class of each handler", many=True),
    Field("start.allowlist", "id", "handlers", "hash of what the allowlists let out"),
    # lead
    Field("lead.form_id", "id", "caller", "form a lead came from"),
    Field("lead.submission_id", "id", "caller", "one submission of it"),
    Field("lead.idempotency_key", "id", "caller", "key that makes a retry harmless"),
    Field("lead.enrichment.status", "slug", "caller", "state of the enrichment"),
    Field("payload.ref", "id", "caller", "reference into the payload vault"),
    # run
    Field("sync.run_id", "id", "caller", "one run of a sync"),
    Field("sync.outcome", "enum", "caller", "what became of a record", choices=_OUTCOMES, ecs="event.outcome"),
    Field("resource.shape", "slug", "caller", "field name to JSON type", safe=False),
    Field("sync.succeeded", "int", "caller", "records that succeeded"),
    Field("sync.failed", "int", "caller", "records that failed"),
    Field("sync.success_rate", "float", "caller", "share that succeeded", "0 to 1"),
    Field("sync.retried", "int", "caller", "records that succeeded after a retry"),
    Field("sync.groups", "id", "caller", "failures by code with their number, CODE:N; CODE.retried:N is solved", many=True),
    Field("sync.last_success", "timestamp", "caller", "when a record last succeeded, in this run or an earlier one"),
    Field("sync.latency_ms", "float", "caller", "median time of a record", "ms"),
    Field("queue.depth", "int", "caller", "records that wait"),
)  # fmt: skip

_BY_NAME: Final[Mapping[str, Field]] = MappingProxyType({field.name: field for field in FIELDS})

CRM_PRESET: Final[Mapping[str, str]] = MappingProxyType(
    {field.name: field.shape for field in FIELDS if field.safe and field.writer != "formatter"}
)
"""What ``@crm`` stands for: names and shapes of all fields that are safe by default."""

SCHEMA_VERSION: Final = 1


def field_named(name: str) -> Field | None:
    """Return the table's row for `name`, or None."""
    return _BY_NAME.get(name)


MISFIT: Final[Any] = type("Misfit", (), {"__repr__": lambda self: "MISFIT"})()
"""What `conform` answers for a value that does not have the shape."""

_SLUG: Final = re.compile(r"[a-z0-9_-]{1,32}", re.ASCII)
_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,128}", re.ASCII)
_CODE: Final = re.compile(r"[A-Z0-9_.-]{1,64}", re.ASCII)
_TIMESTAMP: Final = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)"
_PATH_CHARACTERS: Final = 512
TEXT_CHARACTERS: Final = 2_000
"""Longest text kept, in characters; what is cut is marked by an ellipsis."""


def _int(value: object) -> object:
    """Whole numbers of at most 64 bits: more is no count, and no JSON reader keeps it."""
    return value if type(value) is int and -(2**63) <= value < 2**64 else MISFIT


def _float(value: object) -> object:
    # NaN and the infinities are no JSON (RFC 8259 section 6).
    if type(value) is float:
        return value if value - value == 0.0 else MISFIT
    return _int(value)


def _bool(value: object) -> object:
    return value if type(value) is bool else MISFIT


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)  # Here: dear for an import, and many log no path.


def _timestamp(value: object) -> object:
    if type(value) is datetime.datetime and value.tzinfo is not None:
        try:
            value = value.astimezone(datetime.UTC)
        except (OverflowError, ValueError):
            return MISFIT
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value if type(value) is str and _compiled(_TIMESTAMP).fullmatch(value) else MISFIT


def _matching(pattern: re.Pattern[str]) -> Callable[[object], object]:
    fullmatch = pattern.fullmatch

    def shape(value: object) -> object:
        return value if type(value) is str and fullmatch(value) else MISFIT

    return shape


def _id(value: object, _fullmatch: Callable[[str], object] = _ID.fullmatch) -> object:
    if type(value) is str:
        return value if _fullmatch(value) else MISFIT
    if type(value) is bool or value is None:
        return value
    return _float(value)


def _path(value: object) -> object:
    """Reduce a URL path to its route: what is no word of a known one becomes ``{id}``."""
    if type(value) is not str or not value.startswith("/") or len(value) > _PATH_CHARACTERS:
        return MISFIT
    return template(value)


def _text(value: object) -> object:
    """Any string; who conforms a text scrubs it as well (`crmlogging.scrubbing`)."""
    if type(value) is not str:
        return MISFIT
    return value if len(value) <= TEXT_CHARACTERS else value[:TEXT_CHARACTERS] + "…"


SHAPES: Final[Mapping[str, Callable[[object], object]]] = MappingProxyType(
    {
        "int": _int,
        "float": _float,
        "bool": _bool,
        "timestamp": _timestamp,
        "enum": _matching(_CODE),
        "slug": _matching(_SLUG),
        "id": _id,
        "code": _matching(_CODE),
        "path": _path,
        "text": _text,
    }
)
"""Shape name to a function that returns the value as it may stand in the line, or `MISFIT`.

They look only at values of exactly the built-in types, so no foreign code ever runs.
"""


def conform(field: Field, value: object) -> object:
    """Return `value` as `field` may carry it, or `MISFIT`.

    Example:
        >>> conform(field_named("request.path"), "/contacts/4711/notes?email=a@b.example")
        '/contacts/{id}/notes'
        >>> conform(field_named("user.id"), "ada@example.com") is MISFIT
        True
    """
    if field.choices:
        return value if type(value) is str and value in field.choices else MISFIT
    return SHAPES[field.shape](value)
