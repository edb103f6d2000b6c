"""The walk over an error body's tree: one finding a cause.

It knows the roles of keys (`crmlogging.errors.roles`), not vendors. It never enters what is no part
of the error (properties of records, echoed payloads), and is bounded in nodes, parts and depth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from crmlogging.errors.bodies import embedded_tree
from crmlogging.errors.delays import body_delay
from crmlogging.errors.fieldnames import clean_name
from crmlogging.errors.fieldpaths import field_map_like, own_fields
from crmlogging.errors.findings import Finding, RawField
from crmlogging.errors.roles import Key, Role, role_of
from crmlogging.errors.shapes import is_request_id

__all__ = ["MAX_DEPTH", "MAX_PARTS", "Below", "Reading"]

MAX_DEPTH: Final = 10
MAX_PARTS: Final = 1_000
"""Parts of an answer that are looked at, per list."""

_MAX_NODES: Final = 20_000
_BELOW_RANK: Final = 10
# Roles whose value is a code with providers that say so (``title`` with Mailchimp).
_SENTENCE_ROLES: Final = frozenset({Role.MESSAGE, Role.NAME, Role.NONE})
_WRAPPER_ENDS: Final = ("response", "result", "results", "envelope", "return")
_PLAIN_IDS: Final = frozenset(("instance", "uuid", "ticket"))

Below = list[tuple[Role, str, Any]]
"""What an object holds for later: role, plain key, value."""


class Reading:
    """What a body tells: findings, the request's id, a delay.

    Args:
        ranks: key spelling to rank, where a provider's order of codes is its own.
        id_keys: plain keys of the request's id that only this provider uses.
        good: the status says success, so that only explicit failures count.
        headers: of the answer (for the clock of a delay).
        status: of the answer.

    Attributes:
        findings: the causes.
        items: they are records of a bulk answer.
        request_id: the provider's id of the request, or None.
        delay: in seconds, or None.
    """

    def __init__(
        self,
        *,
        ranks: Mapping[str, int],
        id_keys: tuple[str, ...] = (),
        good: bool = False,
        headers: Mapping[str, str] | None = None,
        status: int | None = None,
    ) -> None:
        self.findings: list[Finding] = []
        self.items = False
        self.request_id: str | None = None
        self.delay: float | None = None
        self.good = good
        self.nodes_left = _MAX_NODES
        self._id_rank = 99
        self._ranks = ranks
        self._id_keys = id_keys
        self._headers = headers or {}
        self._status = status

    def read(self, tree: Any) -> None:
        """Find the causes in a body's tree."""
        if isinstance(tree, list):
            self.elements(tree, None, 0, bulk=None)
            return
        top = Finding()
        below = self.take(tree, top, 0)
        if below:
            self.settle(top, below, 1)
        if top.empty and not self.findings and not self.good and field_map_like(tree):
            self._field_map(tree, top, 1)
        if not self.good and top.failed is False:
            top.failed = None  # "errors": [] beside other words, under a status that says error
        # What stands above parts that tell more is only their heading.
        if top.codes or top.details or top.fields or not self.findings:
            self.findings.insert(0, top)

    def read_text(self, text: str) -> None:
        """Take a text without structure as one cause."""
        finding = Finding(failed=True)
        finding.say(text)
        self.findings.append(finding)

    # ------------------------------------------------------------------ one object

    def take(self, node: Mapping[str, Any], into: Finding, depth: int) -> Below:
        """Take what `node` says of itself; return what lies below it."""
        below: Below = []
        self.nodes_left -= 1
        if self.nodes_left < 0 or depth > MAX_DEPTH:
            return below
        named = False
        for spelled, value in node.items():
            if value is None:
                continue
            key = role_of(spelled)
            role = key.role
            if self._ranks and role in _SENTENCE_ROLES and spelled in self._ranks:
                self._code(key, spelled, value, into, below, node)
            if role is Role.FIELD or role is Role.EXPECTED:
                named = True
            handler = _HANDLERS[role]
            if handler is not None:
                handler(self, key, spelled, value, into, below, node)
        if named:
            own_fields(node, into)
        return below

    def _unknown(
        self, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
    ) -> None:
        if type(value) is list:
            if value and type(value[0]) is dict:
                below.append((Role.PARTS, key.plain, value))
        elif type(value) is dict and key.plain.endswith(_WRAPPER_ENDS):
            below.append((Role.WRAPPER, key.plain, value))

    def _message(
        self, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
    ) -> None:
        if type(value) is str:
            self._sentence(value, into)
        elif isinstance(value, dict):
            inner = value.get("value") or value.get("text") or value.get("Text")
            if isinstance(inner, dict):
                inner = inner.get("message")
            if isinstance(inner, str):
                self._sentence(inner, into)
            else:
                below.append((Role.FIELD_ERRORS, key.plain, value))
        elif isinstance(value, list):
            if all(isinstance(part, str) for part in value):
                for part in value[:50]:
                    self._sentence(part, into)
            else:
                below.append((Role.ERRORS, key.plain, value))

    def _sentence(self, text: str, into: Finding) -> None:
        """Keep a sentence; JSON within it (HubSpot) is read for its fields."""
        if "[{" in text or '{"' in text or "{'" in text:
            inner = embedded_tree(text)
            if inner is not None:
                into.say(text[: min(i for i in (text.find("{"), text.find("[")) if i >= 0)])
                for element in inner if isinstance(inner, list) else [inner]:
                    if isinstance(element, dict):
                        self._detail(element, into, 1)
                return
        into.say(text)

    def _code(
        self, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
    ) -> None:
        kind = type(value)
        if kind is str or kind is int:
            if spelled == "result_code" and kind is int:  # ActiveCampaign: 1 is success, 0 is not.
                into.failed = value == 0
                return
            count = len(into.codes)
            into.note_code(str(value), key.rank, self._ranks.get(spelled), self._status)
            if self.good and len(into.codes) > count and into.failed is None:
                bare = kind is int and key.plain == "code" and value >= 400 and not node.get("data")
                into.failed = True if key.rank == 1 or bare else None
        elif kind is dict:  # SOAP 1.2: <Code><Value/><Subcode><Value/></Subcode></Code>
            inner = value.get("Subcode") or value
            found = inner.get("Value") if isinstance(inner, dict) else None
            if isinstance(found, str):
                into.note_code(found, key.rank)
            else:
                below.append((Role.ERRORS, key.plain, value))
        elif kind is list:
            for part in value[:8]:
                if isinstance(part, (str, int)):
                    self._code(key, spelled, part, into, below, node)

    def _state(
        self, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
    ) -> None:
        """``status`` is a number, "success" or "error", a code, or an object of its own."""
        kind = type(value)
        if kind is int:
            into.note_status(value)
        elif kind is bool:
            into.failed = not value
        elif kind is dict:
            below.append((Role.ERRORS, key.plain, value))
        elif kind is str:
            before = into.failed
            if into.note_outcome(value):
                if self.good and into.failed and into.is_a_record(node):
                    into.failed = before  # a failed payment that was found
            elif key.plain != "state" and (not self.good or into.failed):
                into.note_code(value, key.rank, self._ranks.get(spelled), self._status)

    def _errors(
        self, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
    ) -> None:
        kind = type(value)
        if kind is bool:
            into.failed = value or into.failed
        elif not value:
            if into.failed is None:
                into.failed = False
        else:
            into.failed = True
            if kind is dict or kind is list:
                below.append((Role.ERRORS, key.plain, value))
            elif kind is int:
                into.note_code(str(value), 4, None, self._status)
            elif kind is str:
                described = "error_description" in node or "error_uri" in node
                if described and len(value) <= 40 and value.replace(" ", "").isalpha():
                    into.codes.append((4, value))  # RFC 6749 section 5.2, blanks as Zoho has them
                else:
                    self._stringified(value, into, below, Role.ERRORS, spelled)

    def _stringified(
        self, value: str, into: Finding, below: Below, role: Role, spelled: str
    ) -> None:
        """A string where an object is due: JSON text, a code, or a sentence."""
        if value[0] in "{[":
            inner = embedded_tree(value)
            if inner is not None:
                below.append((role, spelled, inner))
                return
        if role is Role.ERRORS and " " not in value:
            into.note_code(value, 4, self._ranks.get(spelled), self._status)
        else:
            self._sentence(value, into)

    def _below(
        self, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
    ) -> None:
        """Keep an object or list for later; a string there is one after all."""
        if isinstance(value, (dict, list)):
            below.append((key.role, key.plain, value))
        elif type(value) is str and value:
            if key.role is Role.PARTS:
                into.note_outcome(value)
            else:
                self._stringified(value, into, below, key.role, spelled)

    def _field(
        self, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
    ) -> None:
        """Names are taken with the object (`own_fields`); here is what holds more than a name."""
        if type(value) is dict or (type(value) is list and value and type(value[0]) is dict):
            below.append((Role.FIELD_ERRORS, key.plain, value))

    def _id(
        self, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
    ) -> None:
        rank = -1 if key.plain in self._id_keys else key.rank
        if rank >= self._id_rank or isinstance(value, (dict, list)):
            return
        text = str(value)
        if key.plain in _PLAIN_IDS and rank >= 0:
            text = text.removeprefix("urn:uuid:")
            if len(text) < 8 or not any(map(str.isdigit, text)):
                return
        if is_request_id(text):
            self._id_rank, self.request_id = rank, text

    def _success(
        self, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
    ) -> None:
        if isinstance(value, str):
            into.note_outcome(value)
        elif isinstance(value, (bool, int)):
            into.failed = not value

    def _failures(
        self, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
    ) -> None:
        if isinstance(value, list):
            if value:
                into.failed = True
                below.append((Role.ERRORS, key.plain, value))
        elif value in (True, "true") or (isinstance(value, int) and value > 0):
            into.failed = True
        elif into.failed is None:
            into.failed = False

    def _delay(
        self, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
    ) -> None:
        delay = body_delay(key.plain, value, self._headers)
        self.delay = self.delay if delay is None else delay

    def _hint(
        self, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
    ) -> None:
        into.hints.extend(map(str, value[:16]) if type(value) is list else (str(value),))

    def _name(
        self, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
    ) -> None:
        """``name`` is a code (PayPal), or, beside a code, the field (HubSpot)."""
        if not isinstance(value, str):
            return
        if not node.keys().isdisjoint(("error", "reason", "isValid", "in", "code")):
            if clean_name(value) not in (None, "[FIELD]"):
                into.fields.append(
                    RawField(value, str(node.get("error") or node.get("code") or ""))
                )
        elif not self.good and " " not in value:
            into.note_code(value, key.rank, None, self._status)

    # ------------------------------------------------------------------ what lies below

    def settle(self, into: Finding, below: Below, depth: int) -> None:
        """Read what `take` left for later, now that the object's own code is known."""
        for role, plain, value in below:
            if depth > MAX_DEPTH or self.nodes_left < 0:
                return
            if role is Role.ERRORS:
                self._causes(value, into, depth)
            elif role is Role.PARTS and isinstance(value, list):
                self.elements(value, into, depth, bulk=True)
            elif role is Role.PARTS or role is Role.WRAPPER:
                self._wrapper(value, into, depth)
            elif self.good and not into.failed:
                continue  # the fields of a record that is well
            elif role is Role.FIELD_ERRORS:
                self._field_map(value, into, depth)
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
        """Read each element as a cause of its own (see `crmlogging.errors.parts`)."""
        from crmlogging.errors.parts import read_elements

        read_elements(self, value, parent, depth, bulk=bulk, failed=failed)

    def _causes(self, value: Any, into: Finding, depth: int) -> None:
        """Read ``errors`` and the like: an object, a map of fields, or a list."""
        if isinstance(value, dict):
            if field_map_like(value):
                self._field_map(value, into, depth)
                return
            self._nested(value, into, depth, _BELOW_RANK if into.codes else 0)
        elif isinstance(value, list):
            first = value[0] if value else None
            per_record = isinstance(first, dict) and not first.keys().isdisjoint(_RECORD_MARKS)
            if into.codes and not per_record:
                self._details(value, into, depth)
            else:
                bulk = True if per_record or (self.good and len(value) > 1) else None
                self.elements(value, into, depth, bulk=bulk, failed=True)

    def _nested(self, value: Mapping[str, Any], into: Finding, depth: int, shift: int) -> None:
        before, into.shift = into.shift, into.shift + shift
        below = self.take(value, into, depth)
        if below:
            self.settle(into, below, depth + 1)
        into.shift = before

    def _details(self, value: list[Any], into: Finding, depth: int) -> None:
        for element in value[:MAX_PARTS]:
            if isinstance(element, dict):
                self._detail(element, into, depth)
            elif isinstance(element, str):
                self._sentence(element, into)

    def _detail(self, element: Mapping[str, Any], into: Finding, depth: int) -> None:
        """Read an object below a cause that has its own code."""
        part = Finding(failed=True)
        self._nested(element, part, depth + 1, 0)
        into.add_detail(part)

    def _context(self, plain: str, value: Any, into: Finding, depth: int) -> None:
        if isinstance(value, list):
            self._details(value, into, depth)
        elif plain == "details" and field_map_like(value):
            self._field_map(value, into, depth)
        elif isinstance(value, dict):
            self._nested(value, into, depth + 1, _BELOW_RANK)

    def _wrapper(self, value: Any, into: Finding, depth: int) -> None:
        """Read an envelope; with GraphQL the errors stand one level deeper."""
        if isinstance(value, list):
            self.elements(value, into, depth, bulk=True)
        if not isinstance(value, dict):
            return
        if (into.failed or not self.good) and field_map_like(value):
            self._field_map(value, into, depth)  # JSend: {"status": "fail", "data": {field: ...}}
            return
        before = into.failed
        below = self.take(value, into, depth + 1)
        if self.good and before is None and into.failed and not into.codes and not below:
            into.failed = before
        self.settle(into, below, depth + 1)
        for inner in list(value.values())[:MAX_PARTS]:
            if isinstance(inner, dict):
                errors = inner.get("userErrors") or inner.get("errors")
                if isinstance(errors, list) and errors:
                    into.failed = True
                    self.elements(errors, into, depth, bulk=None, failed=True)

    def _field_map(self, value: Any, into: Finding, depth: int, prefix: str = "") -> None:
        """Field name -> message, messages, or the same again (Rails, Laravel, ASP.NET, Jira)."""
        if isinstance(value, list):
            self._causes(value, into, depth)
            return
        if not isinstance(value, dict) or depth > MAX_DEPTH:
            return
        for name, said in list(value.items())[:200]:
            role = role_of(name).role
            above = prefix and (role is Role.FIELD_ERRORS or role is Role.ERRORS)
            path = prefix if above else f"{prefix}.{name}" if prefix else str(name)
            if isinstance(said, dict) and said.keys().isdisjoint(_SAID_KEYS):
                if not prefix and (role is Role.FIELD_ERRORS or role is Role.ERRORS):
                    path = ""
                self._field_map(said, into, depth + 1, path)
            elif said:
                part = Finding(failed=True)
                self._details(said if isinstance(said, list) else [said], part, depth + 1)
                code = part.details[0] if part.details else ""
                into.fields.append(RawField(path, code, " ".join(part.messages)))
                into.messages.extend(part.messages[:5])
                into.details.extend(part.details[:5])


_RECORD_MARKS: Final = frozenset(("index", "row", "recordIndex", "rowNumber"))
_SAID_KEYS: Final = frozenset(("message", "code", "description", "error"))
_Handler = Callable[[Reading, Key, str, Any, Finding, Below, Any], None]
_BY_ROLE: Final[dict[Role, _Handler]] = {
    Role.NONE: Reading._unknown,
    Role.CODE: Reading._code,
    Role.MESSAGE: Reading._message,
    Role.ERRORS: Reading._errors,
    Role.FIELD: Reading._field,
    Role.FIELD_ERRORS: Reading._below,
    Role.CONTEXT: Reading._below,
    Role.STATUS: Reading._state,
    Role.SUCCESS: Reading._success,
    Role.FAILURES: Reading._failures,
    Role.ID: Reading._id,
    Role.DELAY: Reading._delay,
    Role.HINT: Reading._hint,
    Role.PARTS: Reading._below,
    Role.WRAPPER: Reading._below,
    Role.NAME: Reading._name,
}
_HANDLERS: Final = tuple(_BY_ROLE.get(role) for role in Role)
