"""The fields at fault, from what a body names and what its sentences say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from crmlogging.errors.catalog import Catalog
from crmlogging.errors.catalog.rules import Reason, normal_code
from crmlogging.errors.findings.finding import Finding, RawField
from crmlogging.errors.model import Category, FieldError
from crmlogging.errors.sentences.named import guarded_in, named_in
from crmlogging.errors.text.field_names import OF_THE_WHOLE, clean_name
from crmlogging.errors.text.late import late

__all__ = ["fields_of"]

_MAX_FIELDS: Final = 50
_FIELD_CATEGORIES: Final = frozenset({Category.VALIDATION, Category.PERMISSIONS})
# What a body cannot be read for may be a field, though the reason is about the body; as may be
# what a request for a token lacks.
_SAYING: Final = frozenset({"MALFORMED", "REFRESH_TOKEN_INVALID"})
# Said of a request; of a field it says no more than that it is not accepted.
_PARAMETERS: Final = frozenset("request model body dto command input payload value".split())
_OF_REQUESTS: Final = frozenset({"REJECTED", "MALFORMED"})
_BETWEEN_CLAUSES: Final = late(r", (?=[A-Z\"'`]|data\b|body\b)|; |\. (?=\S)|\n(?! )")
# A number by itself: neither the head of a long one, nor a part of a phone number or a date.
_COUNT: Final = r"(?<![-+.,\d])(\d{1,3}(?:,\d{3}){1,2}|\d{1,7})(?![-./, ]?\d)"
_MAX_LENGTH: Final = late(
    r"(?:max(?:imum)?|at most|longer than|more than|exceed\w*)\D{0,60}?" + _COUNT
)
_MIN_LENGTH: Final = late(r"(?:min(?:imum)?|at least|shorter than|fewer than)\D{0,60}?" + _COUNT)
_KINDS: Final = {
    "email": "email", "e-mail": "email", "phone": "phone", "e.164": "phone", "url": "url",
    "website": "url", "integer": "integer", "int": "integer", "long": "integer",
    "bigint": "integer", "number": "number", "double": "number", "float": "number",
    "decimal": "number", "currency": "number", "numeric": "number", "boolean": "boolean",
    "bool": "boolean", "string": "string", "text": "string", "date": "date",
    "datetime": "datetime", "timestamp": "datetime", "array": "array", "list": "array",
    "jsonarray": "array", "object": "object", "jsonobject": "object", "dict": "object",
    "uuid": "uuid", "picklist": "option", "enum": "option",
}  # fmt: skip
_LACKING: Final = late(
    r"['\"]([A-Za-z_]\w{0,63})['\"] is a required property"
    r"|have required property ['\"]([A-Za-z_]\w{0,63})['\"]"
)
_KIND_WORD: Final = late(r"[a-z][a-z.-]{2,11}\d{0,3}")


def fields_of(catalog: Catalog, causes: Iterable[tuple[Finding, Reason]]) -> tuple[FieldError, ...]:
    """Return the fields that findings name, each once, in order; with what each finding means."""
    fields: dict[str, FieldError] = {}
    causes = list(causes)
    # What a heading says as well is no second field.
    told = {said for finding, _ in causes if finding.fields for said in finding.messages[:20]}
    for finding, reason in causes:
        if not _add_named(catalog, finding, reason, fields) and finding.messages:
            _add_said(catalog, finding, reason, told, fields)
    return tuple(fields.values())


def _add_named(
    catalog: Catalog, finding: Finding, reason: Reason, fields: dict[str, FieldError]
) -> bool:
    """Add the fields that the body names as such; tell whether there are any."""
    named, alone = False, len(finding.fields) == 1
    bound = any(raw.name[:1] == "$" for raw in finding.fields)
    for raw in finding.fields:
        if bound and raw.name in _PARAMETERS:
            continue  # ASP.NET misses its parameter, too, when the body cannot be bound
        name = clean_name(_with_what_it_lacks(raw))
        named = named or name is not None
        if name is None:
            if raw.name in OF_THE_WHOLE and raw.words and reason.about_fields:
                for said in named_in(raw.words):  # "The fields a, b must make a unique set."
                    problem = _problem(catalog, raw, reason, alone=False)
                    fields.setdefault(said, FieldError(said, *problem))
        elif name not in fields and len(fields) < _MAX_FIELDS:
            raw.words = raw.words if alone else _clause_about(name, raw.words)
            fields[name] = FieldError(name, *_problem(catalog, raw, reason, alone=alone))
    return named


def _add_said(
    catalog: Catalog,
    finding: Finding,
    reason: Reason,
    told: set[str],
    fields: dict[str, FieldError],
) -> None:
    """Add the fields that sentences name, but for those `told` of fields named elsewhere."""
    about = reason.about_fields or reason.name in _SAYING
    if not about and reason.category not in _FIELD_CATEGORIES:
        return
    only = len(finding.messages) == 1
    for message in finding.messages[:20]:
        if message in told and not finding.fields:
            continue
        names = named_in(message) if about else guarded_in(message)
        for name in names:
            if name not in fields and len(fields) < _MAX_FIELDS:
                raw = RawField(name, words=_clause_about(name, message))
                problem = _problem(catalog, raw, reason, alone=only and len(names) == 1)
                fields[name] = FieldError(name, *problem)


def _with_what_it_lacks(raw: RawField) -> str:
    """Return the path of a property that JSON Schema misses below the place it names."""
    lacking = _LACKING.search(raw.words) if "required property" in raw.words else None
    if lacking is None:
        return raw.name
    below = lacking[1] or lacking[2]
    return raw.name if raw.name.endswith(below) else f"{raw.name}.{below}"


def _clause_about(name: str, message: str) -> str:
    """Return what a sentence says of one field: "Email is taken, Phone is too short" has two."""
    at = max(message.find(name), message.find(name.replace(".", "/")))
    if at < 0:
        return message
    ends = [match.start() for match in _BETWEEN_CLAUSES.finditer(message)]
    return message[
        max((end for end in ends if end <= at), default=0) : min(
            (end for end in ends if end > at), default=len(message)
        )
    ]


def _problem(catalog: Catalog, raw: RawField, reason: Reason, *, alone: bool) -> tuple[str, str]:
    """Return what is wrong with a field, and what would be right, in our words.

    Args:
        catalog: of the rules.
        raw: the field.
        reason: of the whole error: not that of a field of several of which something else is said.
        alone: it is the only field.
    """
    found = catalog.field_reason(normal_code(raw.code) if raw.code else "", raw.words.lower()[:500])
    if found is None or found.category is not Category.VALIDATION:
        told = alone or not raw.words or reason.category is not Category.VALIDATION
        found = reason if told and reason.category in _FIELD_CATEGORIES else None
    name = found.name if found is not None and found.name not in _OF_REQUESTS else "INVALID"
    return name, _expected(raw, name)


def _expected(raw: RawField, problem: str) -> str:
    if raw.expected:
        key, _, value = raw.expected.partition("=")
        kind = _KINDS.get(value.lower(), "")
        if kind:
            return kind
        if value.isdigit() and len(value) <= 9:
            label = "max" if "max" in key else "min"
            return f"{label}_length={value}" if "length" in key else f"{label}imum={value}"
    words = raw.words.lower()[:300]
    if problem == "TOO_LONG":
        match = _MAX_LENGTH.search(words)
        return f"max_length={match[1].replace(',', '')}" if match else ""
    if problem == "TOO_SHORT":
        match = _MIN_LENGTH.search(words)
        return f"min_length={match[1].replace(',', '')}" if match else ""
    if problem in ("INVALID_FORMAT", "INVALID_TYPE"):
        for word in _KIND_WORD.findall(words):
            if word in _KINDS:
                return _KINDS[word]
    return ""
