"""From the tree of an error body to findings: codes, messages, fields, one finding a cause.

The walk knows roles of keys (`crmlogging.errors.roles`), not vendors. It never enters what is no
part of the error (properties of records, echoed payloads), and it is bounded in nodes and depth.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from crmlogging.errors.bodies import embedded_tree
from crmlogging.errors.delays import body_delay
from crmlogging.errors.fieldnames import clean_name, names_from, path_name
from crmlogging.errors.roles import Role, role_of
from crmlogging.errors.shapes import is_code, is_request_id

__all__ = ["Finding", "Reading", "RawField"]

_MAX_NODES: Final = 20_000
_MAX_DEPTH: Final = 10
_MAX_PARTS: Final = 1_000
_MESSAGE_CHARACTERS: Final = 2_000
_GOOD: Final = frozenset(
    "success ok succeeded successful completed complete accepted created updated done 0 200".split()
)
_BAD: Final = frozenset(
    "error failure failed fail errored rejected false invalid denied jobfailed".split()
)
# Words under code keys that say nothing but "error".
_NO_CODES: Final = _GOOD | _BAD | frozenset(
    (
        "errors error.list list object true null none unknown about:blank exception "
        "https://httpstatuses.com type string problem api authentication_ warning info fatal"
    ).split()
)
# Roles whose value is a code with providers that say so (``title`` with Mailchimp).
_SENTENCE_ROLES: Final = frozenset({Role.MESSAGE, Role.NAME, Role.NONE})
_STATUS_TEXT: Final = re.compile(r"([1-5]\d\d)(?:\s[A-Za-z -]{1,40})?", re.ASCII)
_LEADING_CODE: Final = re.compile(r"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b[:,\s]", re.ASCII)
_EMBEDDED_CODE: Final = re.compile(r"\b[A-Z][A-Z0-9]{1,20}(?:_[A-Z0-9]{1,20}){1,8}\b|\bAADSTS\d{4,7}\b")
_WORDS: Final = re.compile(r"\s")
_GENERIC_TYPE: Final = re.compile(
    r"httpstatus|tools\.ietf\.org|rfc-editor|w3\.org|datatracker|developer\.mozilla|/docs?/|googleapis\.com/google\.rpc"
)


class RawField:
    """A field as a body names it, with what stands beside it."""

    __slots__ = ("code", "expected", "name", "words")

    def __init__(self, name: str, code: str = "", words: str = "", expected: str = "") -> None:
        self.name = name
        self.code = code
        self.words = words
        self.expected = expected


class Finding:
    """One cause that a body tells.

    Attributes:
        codes: (rank, code as spelled), the most specific first after `settle`.
        details: codes of what stands below it, in order.
        messages: sentences.
        fields: fields at fault.
        hints: other words beside the code, e.g. a limit's name.
        status: status of this part, where the body tells one.
        index: position of the record in a bulk answer, or None.
        failed: the body says explicitly that it failed (True) or not (False).
    """

    __slots__ = ("codes", "details", "failed", "fields", "hints", "index", "messages", "status")

    def __init__(self, index: int | None = None) -> None:
        self.codes: list[tuple[int, str]] = []
        self.details: list[str] = []
        self.messages: list[str] = []
        self.fields: list[RawField] = []
        self.hints: list[str] = []
        self.status: int | None = None
        self.index = index
        self.failed: bool | None = None

    @property
    def empty(self) -> bool:
        """Nothing was found."""
        return not (self.codes or self.messages or self.details or self.fields)

    @property
    def words(self) -> str:
        """All sentences in lower case, bounded."""
        return " | ".join(self.messages).lower()[:_MESSAGE_CHARACTERS]


class Reading:
    """What a body tells: findings, the request's id, a delay.

    Args:
        ranks: key spelling -> rank, where a provider's order of codes is its own.
        id_keys: plain keys of the request's id that only this provider uses.
        good: the status says success, so that only explicit failures count.
        headers: of the answer (for the clock of a delay).
        status: HTTP status: a number equal to it is no code of its own.
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
        self._id_rank = 99
        self._ranks = ranks
        self._id_keys = id_keys
        self._good = good
        self._headers = headers or {}
        self._status = status
        self._nodes = _MAX_NODES

    def read(self, tree: Any) -> None:
        """Find the causes in a body's tree."""
        if isinstance(tree, list):
            self._parts(tree, None, 0, bulk=None)
            return
        top = Finding()
        later = self._object(tree, top, 0, 0)
        self._settle(top, later)
        if not self.findings or not top.empty or top.failed:
            if not (top.empty and self.findings):
                self.findings.insert(0, top)

    def read_text(self, text: str) -> None:
        """Take a text without structure as one cause."""
        finding = Finding()
        self._sentence(text, finding)
        self.findings.append(finding)

    # ------------------------------------------------------------------ one object

    def _object(
        self, node: Mapping[str, Any], into: Finding, depth: int, shift: int
    ) -> list[tuple[Role, str, Any]]:
        """Take what `node` says of itself; return what lies below it, for later."""
        later: list[tuple[Role, str, Any]] = []
        self._nodes -= 1
        if self._nodes < 0 or depth > _MAX_DEPTH:
            return later
        for key, value in node.items():
            role, rank, plain = role_of(key)
            if value is None or role is Role.SKIP:
                continue
            if role in _SENTENCE_ROLES and key in self._ranks and isinstance(value, str):
                self._code(key, rank, value, into, later)
            if role is Role.NONE:
                if type(value) is list and value and type(value[0]) is dict:
                    later.append((Role.PARTS, key, value))
                elif type(value) is dict and plain == "data":
                    later.append((Role.WRAPPER, plain, value))
            elif role is Role.MESSAGE:
                self._message(value, into, later)
            elif role is Role.CODE:
                self._code(key, rank + shift, value, into, later)
            elif role is Role.STATUS:
                self._state(key, rank + shift, value, into, node, later)
            elif role is Role.ERRORS:
                self._errors(key, value, into, later, node)
            elif role is Role.ID:
                self._id(plain, rank, value)
            elif role is Role.SUCCESS:
                self._success(value, into)
            elif role is Role.FAILURES:
                self._failures(value, into, later)
            elif role is Role.DELAY:
                self.delay = body_delay(plain, value, self._headers) or self.delay
            elif role is Role.HINT:
                into.hints.extend(map(str, value) if type(value) is list else (str(value),))
            elif role is Role.NAME:
                self._name(value, into, node, shift)
            elif role is Role.FIELD or role is Role.EXPECTED:
                if role is Role.FIELD and type(value) is dict or (
                    type(value) is list and value and type(value[0]) is dict
                ):
                    later.append((Role.FIELD_ERRORS, plain, value))
            elif isinstance(value, (dict, list)):
                later.append((role, plain, value))
            elif role is Role.CONTEXT or role is Role.WRAPPER:
                self._stringified(value, into, later, role)
            elif role is Role.PARTS and isinstance(value, str):
                self._outcome(value, into)
        self._own_fields(node, into)
        return later

    def _message(self, value: Any, into: Finding, later: list[tuple[Role, str, Any]]) -> None:
        if isinstance(value, str):
            self._sentence(value, into)
        elif isinstance(value, dict):
            inner = value.get("value") or value.get("text") or value.get("Text")
            if isinstance(inner, str):
                self._sentence(inner, into)
            elif isinstance(inner, dict) and isinstance(inner.get("message"), str):
                self._sentence(inner["message"], into)
            else:
                later.append((Role.FIELD_ERRORS, "message", value))
        elif isinstance(value, list):
            if all(isinstance(part, str) for part in value):
                for part in value[:50]:
                    self._sentence(part, into)
            else:
                later.append((Role.ERRORS, "message", value))

    def _sentence(self, text: str, into: Finding) -> None:
        """Keep a sentence, and take codes or JSON out of it."""
        if not text or len(into.messages) > 100:
            return
        text = text[: 4 * _MESSAGE_CHARACTERS]
        into.messages.append(text)
        if "_" in text:
            leading = _LEADING_CODE.match(text)
            if leading is not None and is_code(leading[1]):
                into.codes.append((8, leading[1]))
            into.details.extend(code for code in _EMBEDDED_CODE.findall(text)[:8] if is_code(code))
        elif "AADSTS" in text:
            into.hints.extend(_EMBEDDED_CODE.findall(text)[:8])
        if "[{" in text or '{"' in text or "{'" in text:
            inner = embedded_tree(text)
            if isinstance(inner, (dict, list)):
                into.messages[-1] = text[: min(i for i in (text.find("{"), text.find("[")) if i >= 0)]
                for element in inner if isinstance(inner, list) else [inner]:
                    if isinstance(element, dict):
                        self._detail(element, into, 1)

    def _code(
        self, key: str, rank: int, value: Any, into: Finding, later: list[tuple[Role, str, Any]]
    ) -> None:
        if isinstance(value, dict):  # SOAP 1.2: <Code><Value/><Subcode><Value/></Subcode></Code>
            inner = value.get("Subcode") or value.get("subcode") or value
            found = inner.get("Value") if isinstance(inner, dict) else None
            if isinstance(found, str):
                into.codes.append((rank, found))
            else:
                later.append((Role.ERRORS, "code", value))
            return
        if isinstance(value, list):
            for part in value[:8]:
                if isinstance(part, (str, int)):
                    self._code(key, rank, part, into, later)
            return
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            return
        text = str(value).strip()
        own_rank = self._ranks.get(key)
        lower = text.lower()
        if lower in _GOOD:
            if into.failed is None and rank <= 3 and lower != "200":
                into.failed = False
        elif "://" in text or lower.startswith("urn:"):
            self._type_uri(text, rank, into)
        elif _WORDS.search(text) is not None:
            if own_rank is not None and len(text) <= 60:
                into.codes.append((own_rank - 50, text))
            else:
                self._sentence(text, into)
        elif lower not in _NO_CODES:
            text = text.partition("#")[2] or text if text.count("#") == 1 else text
            if is_code(text):
                same = text == str(self._status or into.status)
                into.codes.append((own_rank - 50 if own_rank is not None else rank + 20 * same, text))
            elif len(text) > 1:
                into.messages.append(text)

    def _type_uri(self, uri: str, rank: int, into: Finding) -> None:
        """The last word of a problem type (RFC 9457 section 3.1.1), unless it names no problem."""
        if _GENERIC_TYPE.search(uri) is None:
            last = re.split(r"[/:#?]", uri.rstrip("/#"))[-1]
            if last and not last.isdigit() and is_code(last):
                into.codes.append((rank, last))

    def _state(
        self,
        key: str,
        rank: int,
        value: Any,
        into: Finding,
        node: Mapping[str, Any],
        later: list[tuple[Role, str, Any]],
    ) -> None:
        """``status`` is a number, "success" or "error", a code, or an object of its own."""
        if isinstance(value, bool):
            into.failed = not value
        elif isinstance(value, int):
            self._number(value, into)
        elif isinstance(value, str):
            match = _STATUS_TEXT.fullmatch(value)
            if match is not None:
                self._number(int(match[1]), into)
            elif value.lower() in _GOOD:
                into.failed = bool(into.failed)
            elif value.lower() in _BAD:
                # A record may have a status of its own: a failed payment that was found.
                if not self._good or not ({"id", "object", "Id"} & node.keys()) or (
                    {"error", "errors", "message", "errorMessage", "error_message"} & node.keys()
                ):
                    into.failed = True
            elif not self._good or into.failed:
                if key.lower() != "state":
                    self._code(key, rank, value, into, later)
        elif isinstance(value, dict):
            later.append((Role.ERRORS, "status", value))

    def _number(self, number: int, into: Finding) -> None:
        if 100 <= number < 600:
            into.status = number
            if number >= 400:
                into.failed = True
            elif into.failed is None and number >= 200:
                into.failed = False

    def _errors(
        self,
        key: str,
        value: Any,
        into: Finding,
        later: list[tuple[Role, str, Any]],
        node: Mapping[str, Any],
    ) -> None:
        if isinstance(value, bool):
            into.failed = value or into.failed
        elif isinstance(value, str):
            if value:
                into.failed = True
                described = any(k in node for k in ("error_description", "error_uri"))
                if described and len(value) <= 40 and all(w.isalpha() for w in value.split()):
                    into.codes.append((4, value))
                else:
                    self._stringified(value, into, later, Role.ERRORS, key)
        elif isinstance(value, (int, float)):
            if value:
                self._code(key, 4, int(value), into, later)
        elif value:
            into.failed = True
            later.append((Role.ERRORS, key, value))
        elif into.failed is None:
            into.failed = False

    def _stringified(
        self, value: Any, into: Finding, later: list[tuple[Role, str, Any]], role: Role, key: str = ""
    ) -> None:
        """A string where an object is due: JSON text, a code, or a sentence."""
        if not isinstance(value, str) or not value:
            return
        if value[0] in "{[":
            inner = embedded_tree(value)
            if inner is not None:
                later.append((role, key, inner))
                return
        if role is Role.ERRORS and _WORDS.search(value) is None:
            self._code(key, 4, value, into, later)
        else:
            self._sentence(value, into)

    def _id(self, plain: str, rank: int, value: Any) -> None:
        if plain in self._id_keys:
            rank = -1
        if rank >= self._id_rank or isinstance(value, (dict, list)):
            return
        text = str(value)
        if plain in ("instance", "uuid", "ticket") and rank >= 0:
            text = text.removeprefix("urn:uuid:")
            if len(text) < 8 or not any(map(str.isdigit, text)):
                return
        if is_request_id(text):
            self._id_rank, self.request_id = rank, text

    def _success(self, value: Any, into: Finding) -> None:
        if isinstance(value, str):
            self._outcome(value, into)
        elif isinstance(value, (bool, int)):
            into.failed = not value

    def _outcome(self, value: str, into: Finding) -> None:
        lower = value.lower()
        if lower in _BAD:
            into.failed = True
        elif lower in _GOOD or lower == "true":
            into.failed = bool(into.failed)

    def _failures(self, value: Any, into: Finding, later: list[tuple[Role, str, Any]]) -> None:
        if isinstance(value, list):
            if value:
                into.failed = True
                later.append((Role.ERRORS, "failed", value))
        elif value in (True, "true") or (isinstance(value, int) and value > 0):
            into.failed = True
        elif into.failed is None:
            into.failed = False

    def _name(self, value: Any, into: Finding, node: Mapping[str, Any], shift: int) -> None:
        """``name`` is a code (PayPal), or, beside a code, the field (HubSpot)."""
        if not isinstance(value, str):
            return
        beside = node.keys() & {"error", "reason", "isValid", "in", "code"}
        if beside and clean_name(value) not in (None, "[FIELD]"):
            into.fields.append(RawField(value, str(node.get("error") or node.get("code") or "")))
        elif not beside and is_code(value) and value.lower() not in _NO_CODES and not self._good:
            into.codes.append((4 + shift, value))

    def _own_fields(self, node: Mapping[str, Any], into: Finding) -> None:
        """Take the fields that `node` itself names."""
        raw: list[str] = []
        expected = ""
        for key, value in node.items():
            role, _, plain = role_of(key)
            if role is Role.EXPECTED and isinstance(value, (str, int)):
                expected = expected or f"{plain}={value}"
            elif role is Role.FIELD and value:
                if plain in ("path", "loc", "pointer", "instancepath", "datapath", "fieldpath", "field"):
                    if plain == "path" and not self._is_field_path(value, node):
                        continue
                    name = path_name(value)
                    raw.extend((name,) if name else names_from(value))
                elif plain == "jsonpath" and "api_name" in node:
                    continue
                elif plain == "target" and isinstance(value, str) and " " in value:
                    continue
                elif not (isinstance(value, list) and value and isinstance(value[0], dict)) and (
                    not isinstance(value, dict)
                ):
                    raw.extend(names_from(value))
        if raw:
            code = next((c for _, c in into.codes), "")
            words = into.messages[-1] if into.messages else ""
            into.fields.extend(RawField(name, code, words, expected) for name in raw)

    def _is_field_path(self, value: Any, node: Mapping[str, Any]) -> bool:
        """``path`` may be the URL's (Spring) or that of a GraphQL answer."""
        if isinstance(value, str) and value.startswith("/"):
            return not node.keys() & {"timestamp", "method", "status", "requestId"}
        return not node.keys() & {"locations", "extensions"}

    # ------------------------------------------------------------------ what lies below

    def _settle(self, into: Finding, later: list[tuple[Role, str, Any]], depth: int = 1) -> None:
        """Read what `_object` left for later, now that the object's own code is known."""
        for role, key, value in later:
            if depth > _MAX_DEPTH:
                return
            if role is Role.ERRORS:
                self._below(key, value, into, depth)
            elif self._good and not into.failed and role in (Role.FIELD_ERRORS, Role.CONTEXT):
                continue  # the fields of a record that is well
            elif role is Role.FIELD_ERRORS:
                self._field_map(value, into, depth)
            elif role is Role.CONTEXT:
                self._context(key, value, into, depth)
            elif role is Role.WRAPPER:
                self._wrapper(value, into, depth)
            elif role is Role.PARTS:
                if isinstance(value, list):
                    self._parts(value, into, depth, bulk=True)
                elif isinstance(value, dict):
                    self._wrapper(value, into, depth)

    def _below(self, key: str, value: Any, into: Finding, depth: int) -> None:
        if isinstance(value, dict):
            if _is_field_map(value):
                self._field_map(value, into, depth)
                return
            shift = 10 if into.codes else 0
            later = self._object(value, into, depth, shift)
            self._settle(into, later, depth + 1)
        elif isinstance(value, list):
            if into.codes and not self._bulk_like(value, into):
                for element in value[:_MAX_PARTS]:
                    if isinstance(element, dict):
                        self._detail(element, into, depth)
                    elif isinstance(element, str):
                        self._sentence(element, into)
            else:
                bulk = True if self._good and len(value) > 1 else None
                self._parts(value, into, depth, bulk=bulk, failed=True)

    def _bulk_like(self, value: list[Any], into: Finding) -> bool:
        """Errors of several records under an envelope that only says "some failed"."""
        first = value[0] if value else None
        return isinstance(first, dict) and bool(first.keys() & {"index", "row", "recordIndex"})

    def _detail(self, element: Mapping[str, Any], into: Finding, depth: int) -> None:
        """Read an object below a cause that has its own code."""
        part = Finding()
        later = self._object(element, part, depth + 1, 0)
        self._settle(part, later, depth + 2)
        part.codes.sort(key=_rank)
        into.details.extend(code for _, code in part.codes)
        into.details.extend(part.details)
        into.hints.extend(part.hints)
        into.fields.extend(part.fields)
        into.messages.extend(part.messages[:20])

    def _context(self, key: str, value: Any, into: Finding, depth: int) -> None:
        if isinstance(value, list):
            for element in value[:_MAX_PARTS]:
                if isinstance(element, dict):
                    self._detail(element, into, depth)
                elif isinstance(element, str):
                    self._sentence(element, into)
            return
        if key == "details" and _is_field_map(value) and not self._good:
            self._field_map(value, into, depth)
            return
        later = self._object(value, into, depth + 1, 10)
        self._settle(into, later, depth + 2)

    def _wrapper(self, value: Any, into: Finding, depth: int) -> None:
        if isinstance(value, dict):
            before = into.failed
            later = self._object(value, into, depth + 1, 0)
            if self._good and before is None and into.failed and not into.codes and not later:
                into.failed = before
            self._settle(into, later, depth + 1)
            for inner in value.values():  # GraphQL: data.customerCreate.userErrors
                if isinstance(inner, dict):
                    errors = inner.get("userErrors") or inner.get("errors")
                    if isinstance(errors, list) and errors:
                        into.failed = True
                        self._parts(errors, into, depth, bulk=None)
        elif isinstance(value, list):
            self._parts(value, into, depth, bulk=True)

    def _field_map(self, value: Any, into: Finding, depth: int, prefix: str = "") -> None:
        """Field name -> message, messages, or the same once more (Rails, Laravel, ASP.NET, Jira)."""
        if isinstance(value, list):
            self._below("errors", value, into, depth)
            return
        if not isinstance(value, dict) or depth > _MAX_DEPTH:
            return
        for name, said in list(value.items())[:200]:
            path = f"{prefix}.{name}" if prefix else str(name)
            if role_of(name)[0] in (Role.FIELD_ERRORS, Role.ERRORS) and isinstance(said, (dict, list)):
                self._field_map(said, into, depth + 1, prefix)
            elif isinstance(said, dict) and not ({"message", "code", "description", "error"} & said.keys()):
                self._field_map(said, into, depth + 1, path)
            elif said:
                part = Finding()
                for element in said if isinstance(said, list) else [said]:
                    if isinstance(element, dict):
                        self._detail(element, part, depth + 1)
                    elif isinstance(element, str):
                        self._sentence(element, part)
                code = part.details[0] if part.details else ""
                into.fields.append(RawField(path, code, " ".join(part.messages)))
                into.messages.extend(part.messages[:5])
                into.details.extend(part.details[:5])

    # ------------------------------------------------------------------ several records

    def _parts(
        self,
        value: Iterable[Any],
        parent: Finding | None,
        depth: int,
        *,
        bulk: bool | None,
        failed: bool | None = None,
    ) -> None:
        """Read each element as a cause of its own.

        Args:
            value: the elements.
            parent: what stands above them.
            depth: of the walk.
            bulk: they are records for certain (True), or only if they look so (None).
            failed: they are errors, since that is what their list is for.
        """
        found: list[Finding] = []
        marked = False
        for index, element in enumerate(value):
            if index >= _MAX_PARTS * 10 or self._nodes < 0:
                break
            part = Finding(index)
            part.failed = failed
            if isinstance(element, str):
                if bulk:
                    continue
                self._sentence(element, part)
                part.failed = True
            elif isinstance(element, dict):
                self._element(element, part, depth)
            elif isinstance(element, list):
                inner = Reading(ranks=self._ranks, good=self._good, headers=self._headers)
                inner._nodes = self._nodes // 2
                inner._parts(element, None, depth + 1, bulk=None)
                found.extend(inner.findings)
                continue
            marked = marked or part.failed is not None
            if part.failed is False or (bulk and part.failed is None):
                continue
            if part.failed or not part.empty:
                found.append(part)
        if parent is not None and found and bulk:
            parent.failed = True
        self._keep(found, parent, items=bool(bulk) or (bulk is None and marked and parent is None and _records(value)))

    def _keep(self, found: list[Finding], parent: Finding | None, *, items: bool) -> None:
        for part in found:
            if not items:
                part.index = None
            if parent is not None and parent.messages and len(part.messages) < 20:
                part.messages.extend(parent.messages[:2])
        self.items = self.items or (items and bool(found))
        self.findings.extend(found[: _MAX_PARTS * 10])

    def _element(self, element: Mapping[str, Any], part: Finding, depth: int) -> None:
        """Read one element; an answer within the answer brings its own body."""
        body = element.get("body")
        if isinstance(body, str) and body[:1] in ("{", "["):
            body = embedded_tree(body)
        result = element.get("result")
        inner = body if isinstance(body, (dict, list)) else result
        later = self._object(element, part, depth + 1, 0)
        later = [entry for entry in later if entry[2] is not inner]
        if isinstance(inner, dict):
            later += self._object(inner, part, depth + 2, 0)
        elif isinstance(inner, list):
            for cause in inner[:50]:
                if isinstance(cause, dict):
                    later += self._object(cause, part, depth + 2, 0)
        outer, self.findings = self.findings, []
        self._settle(part, later, depth + 2)
        below, self.findings = self.findings, outer
        for cause in below:
            if cause.failed is not False:
                _merge(cause, part)
        if part.failed is None and part.codes and part.messages and not self._good:
            part.failed = True


def _records(value: Iterable[Any]) -> bool:
    """Whether a list holds answers for records: they say success or not, or carry an id."""
    return any(
        isinstance(e, dict) and e.keys() & {"success", "id", "statusCode", "httpStatusCode", "referenceId", "body", "ok"}
        for e in value
    )


def _merge(cause: Finding, into: Finding) -> None:
    """Take what an errors list below a record says as the record's own."""
    into.failed = True
    if into.codes:
        into.details.extend(code for _, code in cause.codes)
    else:
        into.codes.extend(cause.codes)
    into.details.extend(cause.details)
    into.messages.extend(cause.messages[:20])
    into.fields.extend(cause.fields)
    into.hints.extend(cause.hints)
    into.status = into.status or cause.status


def _rank(code: tuple[int, str]) -> int:
    return code[0]


def _is_field_map(value: Mapping[str, Any]) -> bool:
    """Whether keys are names of fields and values what is wrong with them."""
    if not value:
        return False
    for key, said in value.items():
        role = role_of(key)[0]
        if role in (Role.CODE, Role.MESSAGE, Role.ERRORS, Role.STATUS, Role.ID, Role.FIELD, Role.CONTEXT) and (
            not isinstance(said, (list, dict)) or role is Role.ERRORS or role is Role.CONTEXT
        ):
            return False
        if not isinstance(said, (str, list, dict)) or role is Role.EXPECTED:
            return False
    return any(map(_is_said, value.values()))


def _is_said(value: Any) -> bool:
    """A sentence, or a list or object that holds some."""
    if isinstance(value, str):
        return " " in value.strip()
    if isinstance(value, list):
        return any(isinstance(part, dict) or (isinstance(part, str) and " " in part) for part in value)
    return isinstance(value, dict)
