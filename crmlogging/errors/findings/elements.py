"""Answers with several parts: records of a bulk call, sub-requests, rows, lists of errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from crmlogging.errors.answers.bodies import embedded_tree
from crmlogging.errors.findings.finding import Finding, RawField
from crmlogging.errors.findings.roles import Below, Role, role_of

if TYPE_CHECKING:
    from crmlogging.errors.findings.reading import Reading

__all__ = ["MAX_PARTS", "read_elements", "tells"]

MAX_PARTS: Final = 1_000
"""Parts of an answer that are looked at, for each list of causes."""

_NESTED: Final = (dict, list)
_LISTS: Final = frozenset((Role.ERRORS, Role.FIELD_ERRORS))
_MAX_ROWS: Final = 10 * MAX_PARTS
_MAX_CAUSES: Final = 2 * MAX_PARTS
# What says that an element is the answer for one record.
_RECORD_KEYS: Final = frozenset(
    ("success", "id", "statusCode", "httpStatusCode", "referenceId", "body", "ok")
)


def tells(value: Mapping[str, Any]) -> bool:
    """Whether an object under any key holds errors or outcomes: ``{"job": {"results": [...]}}``."""
    results = value.get("results")
    return bool(
        value.get("success") is False
        or (type(results) is list and results and type(results[0]) is dict)
        or any(
            below and type(below) in _NESTED and role_of(name).role in _LISTS
            for name, below in value.items()
        )
    )


def read_elements(
    reading: Reading,
    value: list[Any],
    parent: Finding | None,
    depth: int,
    *,
    bulk: bool | None,
    failed: bool | None,
) -> None:
    """Read each element of `value` as a cause of its own.

    Args:
        reading: takes the findings.
        value: the elements.
        parent: what stands above them, or None at the top.
        depth: of the walk.
        bulk: they are records for certain (True), or only if they look so (None).
        failed: they are errors, since that is what their list is for.
    """
    found: list[Finding] = []
    marked = False
    for index, element in enumerate(value[:_MAX_ROWS]):
        if reading.nodes_left < 0 or len(found) >= _MAX_CAUSES:
            break
        if isinstance(element, list) and not _is_pair(element):
            reading.elements(element, parent, depth + 1, bulk=None, failed=failed)
            continue
        part = Finding(index, failed=failed)
        _read_element(reading, element, part, depth, speaks=bool(failed or not bulk))
        marked = marked or part.failed is not None
        if part.failed or (part.failed is None and not bulk and not part.empty):
            found.append(part)
    records = bool(bulk) or (marked and parent is None and _are_records(value))
    if parent is not None and found and bulk:
        parent.failed = True
    for part in found:
        if not records:
            part.index = None
        if parent is not None and parent.messages:
            part.messages.extend(parent.messages[:2])
    reading.items = reading.items or (records and bool(found))
    reading.findings.extend(found)


def _read_element(
    reading: Reading, element: Any, part: Finding, depth: int, *, speaks: bool
) -> None:
    """Read one element; a text is an error only if it `speaks` rather than stands for a record."""
    if isinstance(element, dict):
        _read_object(reading, element, part, depth)
    elif isinstance(element, list):  # a field and what is wrong with it
        name, said = element
        part.fields.append(RawField(name, "", said))
        part.messages.append(said)
        part.failed = True
    elif isinstance(element, str) and speaks:
        part.say(element)
        part.failed = True


def _read_object(reading: Reading, element: Mapping[str, Any], part: Finding, depth: int) -> None:
    """Read an object; an answer within the answer brings its own body."""
    element = _unwrapped(element)
    inner = element.get("body", element.get("result"))
    if isinstance(inner, str) and inner[:1] in ("{", "["):
        inner = embedded_tree(inner)
    below = reading.take(element, part, depth + 1)
    if isinstance(inner, (dict, list)):
        below = [entry for entry in below if entry[1] not in ("body", "result")]
        for cause in inner[:50] if isinstance(inner, list) else [inner]:
            if isinstance(cause, dict):
                below += reading.take(cause, part, depth + 2)
    if below:
        for cause in _settled(reading, part, below, depth + 2):
            if cause.failed is not False:
                part.merge(cause)
    if part.failed is None and part.codes and part.messages and not reading.good:
        part.failed = True


def _settled(reading: Reading, part: Finding, below: Below, depth: int) -> list[Finding]:
    """Read what lies below a part; return the causes found there, for the part to take."""
    outer, items = reading.findings, reading.items
    reading.findings = []
    reading.settle(part, below, depth)
    causes, reading.findings, reading.items = reading.findings, outer, items
    return causes


def _is_pair(element: list[Any]) -> bool:
    """Whether a list is a field and what is wrong with it: ``["seats", "must be positive"]``."""
    texts = len(element) == 2 and all(type(each) is str for each in element)
    return texts and str.isidentifier(element[0]) and " " in element[1]


def _unwrapped(element: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the name of an operation stands for: ``{"index": {"status": 429, ...}}``."""
    if len(element) == 1:
        name, only = next(iter(element.items()))
        if isinstance(only, dict) and "status" in only and role_of(name).role is Role.NONE:
            return only
    return element


def _are_records(value: list[Any]) -> bool:
    """Whether a list holds answers for records: they say success or not, or carry an id."""
    return any(isinstance(e, dict) and not _RECORD_KEYS.isdisjoint(e) for e in value)
