"""The walk over an error body's tree: one finding a cause.

It knows the roles of keys (`crmlogging.errors.findings.roles`), not vendors. It never enters what
is no part of the error (properties of records, echoed payloads), and is bounded in nodes, parts and
depth.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from crmlogging.errors.answers.delays import Clock
from crmlogging.errors.findings.elements import MAX_PARTS, read_elements
from crmlogging.errors.findings.field_maps import MAPS_OF_FIELDS, field_map_like
from crmlogging.errors.findings.finding import Finding
from crmlogging.errors.findings.ids import is_own_id
from crmlogging.errors.findings.named_fields import (
    own_fields,
    read_map,
    read_maps,
    stray_fields,
    take_names,
)
from crmlogging.errors.findings.roles import Below, Role, role_of
from crmlogging.errors.findings.values import HANDLERS, take_sentence

__all__ = ["Reading"]

_MAX_DEPTH: Final = 10
_MAX_NODES: Final = 20_000
_BELOW_RANK: Final = 10
# A code with providers that say so (``title`` with Mailchimp).
_SENTENCE_ROLES: Final = frozenset({Role.MESSAGE, Role.NAME, Role.NONE})
_FIELD_ROLES: Final = frozenset({Role.FIELD, Role.EXPECTED})
# Errors that carry one of these are those of single records.
_RECORD_MARKS: Final = frozenset(("index", "row", "recordIndex", "rowNumber"))
_BESIDE_AN_ANSWER: Final = ("userErrors", "errors", "fieldErrors")
_PARAMS: Final = frozenset(("params", "parameters"))
_NO_STRINGS: Final[tuple[str, ...]] = ()


def _says_of_fields(plain: str, value: Any) -> bool:
    """Whether ``details`` is a map of fields; SOAP's ``detail`` holds faults below their names."""
    soap = plain == "detail" and isinstance(value, dict) and any(map(_is_object, value.values()))
    return not soap and field_map_like(value)


def _failed_meta(plain: str, value: Any) -> bool:
    """Whether the ``meta`` of a success says otherwise: ``{"code": 403, "errors": [...]}``."""
    if plain != "meta" or type(value) is not dict:
        return False
    code = value.get("code")
    return bool(value.get("errors")) or (type(code) is int and 400 <= code < 600)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


class Reading:
    """What a body tells: findings, the request's id, a delay.

    Args:
        ranks: key spelling to rank, where a provider's order of codes is its own.
        id_keys: plain keys of the request's id that only this provider uses.
        good: the status says success, so that only explicit failures count.
        headers: of the answer (for the time of a delay).
        clock: the time, where they do not tell it.
        status: of the answer.

    Attributes:
        findings: the causes.
        items: they are records of a bulk answer.
        request_id: the provider's id of the request, or None.
        id_place: the object that holds it, and the key there.
        delay: in seconds, or None.
        nodes_left: objects that may still be read.
        answering: it is an answer of GraphQL.
        naming: what is read is a list of fields, where a ``name`` is one's.
    """

    def __init__(
        self,
        *,
        ranks: Mapping[str, int],
        id_keys: tuple[str, ...] = _NO_STRINGS,
        good: bool = False,
        headers: Mapping[str, str],
        clock: Clock = time.time,
        status: int | None = None,
    ) -> None:
        self.findings: list[Finding] = []
        self.items = False
        self.request_id: str | None = None
        self.id_rank = 99
        self.id_place: tuple[Any, str] | None = None
        self.delay: float | None = None
        self.nodes_left = _MAX_NODES
        self.ranks = ranks
        self.id_keys = id_keys
        self.good = good
        self.headers = headers
        self.clock = clock
        self.status = status
        self.answering = False
        self.naming = False

    def read(self, tree: Any) -> None:
        """Find the causes in a body's tree."""
        if isinstance(tree, list):
            if self.good or not read_maps(self, tree, 0):
                self.elements(tree, None, 0, bulk=None)
            return
        self.answering = self.good and "data" in tree and "errors" in tree
        top = Finding()
        below = self.take(tree, top, 0)
        if self.request_id is None and not self.good and is_own_id(tree.get("id"), tree):
            self.request_id, self.id_place = tree["id"], (tree, "id")
        if below:
            self.settle(top, below, 1)
        if top.empty and not self.findings and not self.good and field_map_like(tree):
            read_map(self, tree, top, 1)
        if not self.good and top.failed is False:
            top.failed = None  # "errors": [] beside other words, under a status that says error
        # What stands above parts that tell more is only their heading.
        told = top.details or top.fields or any(rank < _BELOW_RANK for rank, _ in top.codes)
        if told or not self.findings:
            self.findings.insert(0, top)

    def read_text(self, text: str) -> None:
        """Take a text without structure as one cause."""
        finding = Finding(failed=True)
        finding.say(text)
        self.findings.append(finding)

    def take(self, node: Mapping[str, Any], into: Finding, depth: int) -> Below:
        """Take what `node` says of itself; return what lies below it."""
        below: Below = []
        self.nodes_left -= 1
        if self.nodes_left < 0 or depth > _MAX_DEPTH:
            return below
        ranks = self.ranks
        named = False
        for spelled, value in node.items():
            if value is None:
                continue
            key = role_of(spelled)
            role = key.role
            if spelled in ranks and role in _SENTENCE_ROLES and isinstance(value, str):
                into.note_code(value, key.rank, ranks[spelled], self.status)
            if role in _FIELD_ROLES:
                named = True
            handler = HANDLERS[role]
            if handler is not None:
                handler(self, key, spelled, value, into, below, node)
        if named:
            own_fields(node, into, answering=self.answering)
        return below

    def settle(self, into: Finding, below: Below, depth: int) -> None:
        """Read what `take` left for later, now that the object's own code is known."""
        for role, plain, value in below:
            if depth > _MAX_DEPTH or self.nodes_left < 0:
                return
            if role is Role.ERRORS:
                self.causes(value, into, depth)
            elif role is Role.PARTS and isinstance(value, list):
                self.elements(value, into, depth, bulk=True)
            elif role is Role.PARTS or role is Role.WRAPPER:
                self._wrapper(value, into, depth)
            elif self.good and not into.failed and not _failed_meta(plain, value):
                continue  # the fields of a record that is well
            elif role is Role.FIELD_ERRORS:
                read_map(self, value, into, depth)
            else:
                self._context(plain, value, into, depth)

    def elements(
        self,
        value: list[Any],
        parent: Finding | None,
        depth: int,
        *,
        bulk: bool | None,
        failed: bool | None = None,
    ) -> None:
        """Read each element as a cause of its own (`crmlogging.errors.findings.elements`)."""
        if depth <= _MAX_DEPTH:
            read_elements(self, value, parent, depth, bulk=bulk, failed=failed)

    def causes(self, value: Any, into: Finding, depth: int) -> None:
        """Read ``errors`` and the like: an object, a map of fields, or a list."""
        if isinstance(value, dict):
            if field_map_like(value):
                read_map(self, value, into, depth)
            else:
                self._nested(value, into, depth, _BELOW_RANK if into.codes else 0)
                stray_fields(value, into)
        elif isinstance(value, list) and not read_maps(self, value, depth):
            first = value[0] if value else None
            per_record = isinstance(first, dict) and not _RECORD_MARKS.isdisjoint(first)
            if into.codes and not per_record:
                self.details(value, into, depth)
            else:
                bulk = True if per_record or (self.good and len(value) > 1) else None
                self.elements(value, into, depth, bulk=bulk, failed=True)

    def detail(self, element: Mapping[str, Any], into: Finding, depth: int) -> None:
        """Read an object below a cause that has its own code."""
        part = Finding(failed=True)
        self._nested(element, part, depth + 1, 0)
        into.add_detail(part)

    def _nested(self, value: Mapping[str, Any], into: Finding, depth: int, shift: int) -> None:
        before, into.shift = into.shift, into.shift + shift
        below = self.take(value, into, depth)
        if below:
            self.settle(into, below, depth + 1)
        into.shift = before

    def details(self, value: list[Any], into: Finding, depth: int) -> None:
        for element in value[:MAX_PARTS]:
            if isinstance(element, dict):
                self.detail(element, into, depth)
            elif isinstance(element, str):
                take_sentence(self, element, into)

    def _context(self, plain: str, value: Any, into: Finding, depth: int) -> None:
        if isinstance(value, list):
            if plain not in _PARAMS or not take_names(value, into):
                self.details(value, into, depth)
        elif plain in MAPS_OF_FIELDS and _says_of_fields(plain, value):
            read_map(self, value, into, depth)
        elif isinstance(value, dict):
            if self.good and _failed_meta(plain, value):
                into.failed = True
            self._nested(value, into, depth + 1, _BELOW_RANK)

    def _wrapper(self, value: Any, into: Finding, depth: int) -> None:
        """Read an envelope; with GraphQL the errors stand one level deeper."""
        if isinstance(value, list):
            self.elements(value, into, depth, bulk=True)
        if not isinstance(value, dict):
            return
        if (into.failed or not self.good) and field_map_like(value):
            read_map(self, value, into, depth)  # JSend: {"status": "fail", "data": {field: ...}}
            return
        before = into.failed
        below = self.take(value, into, depth + 1)
        if self.good and before is None and into.failed and not (into.codes or below):
            into.failed = "result_code" in value or None  # ActiveCampaign
        self.settle(into, below, depth + 1)
        for inner in filter(_is_object, list(value.values())[:MAX_PARTS]):
            errors = next(filter(None, map(inner.get, _BESIDE_AN_ANSWER)), None)
            if isinstance(errors, list):
                into.failed = True
                self.elements(errors, into, depth, bulk=None, failed=True)
