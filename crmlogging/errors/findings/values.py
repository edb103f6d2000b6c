"""What to make of the value under a key, by the key's role: one function a role.

Each takes the reading, key, spelling, value, the finding to fill, what to read later, the object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from crmlogging.errors.answers.bodies import embedded_tree
from crmlogging.errors.answers.delays import body_delay
from crmlogging.errors.findings.elements import tells
from crmlogging.errors.findings.field_maps import is_said
from crmlogging.errors.findings.finding import Finding, RawField
from crmlogging.errors.findings.ids import (
    UUID,
    has_plain_id,
    is_error_code,
    is_own_id_of_several,
    looks_like_an_id,
    names_an_error,
    names_an_error_by_id,
)
from crmlogging.errors.findings.named_fields import is_field_location, may_list_names, take_names
from crmlogging.errors.findings.outcomes import take_failures, take_state, take_success
from crmlogging.errors.findings.roles import FAULT_ENDS, WRAPPER_ENDS, Below, Key, Role
from crmlogging.errors.text.field_names import PLACEHOLDER, clean_name
from crmlogging.errors.text.shapes import Numeral, is_request_id

if TYPE_CHECKING:
    from crmlogging.errors.findings.reading import Reading

__all__ = ["HANDLERS", "take_sentence"]

_CODE_RANK: Final = 3
_ERROR_RANK: Final = 4
_STATUSES_END: Final = 600
_TITLE_RANK: Final = 8
_NAMED_CODE: Final = re.compile(r"[A-Z][A-Z0-9]{1,20}(?:_[A-Z0-9]{1,20}){1,8}", re.ASCII)
_ERROR_ID_RANK: Final = 6
_OWN_ID_RANK: Final = 8
_OPENING: Final = frozenset("[{")
_MAX_MEMBERS: Final = 50
# {"field": {"name": "postal_code"}}
_ONE_FIELD: Final = frozenset(("field", "target", "property", "attribute", "parameter", "column"))
_OF_A_FIELD: Final = ("field", "name", "fieldName", "path", "apiName", "api_name", "key")
_NAME_PARTNERS: Final = frozenset(("error", "reason", "isValid", "in", "code"))


def take_sentence(reading: Reading, text: str, into: Finding) -> None:
    """Keep a sentence; JSON within it (HubSpot) is read for its fields."""
    if "[{" in text or '{"' in text or "{'" in text or text[:1] in _OPENING:
        inner = embedded_tree(text)
        if inner is not None:
            into.say(text[: min(i for i in (text.find("{"), text.find("[")) if i >= 0)])
            for element in inner[:50] if isinstance(inner, list) else [inner]:
                if isinstance(element, dict):
                    reading.detail(element, into, 1)
            return
    into.say(text)


def _unknown(
    reading: Reading, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
) -> None:
    if type(value) is list:
        if value and type(value[0]) is dict:
            below.append((Role.PARTS, key.plain, value))
        elif not reading.good and may_list_names(spelled):
            if spelled == "location":
                into.fields.append(
                    RawField(".".join(each for each in value[:_MAX_MEMBERS] if type(each) is str))
                )
            else:
                take_names(value, into)
    elif type(value) is str:
        if spelled == "id" and names_an_error_by_id(value, node):
            into.note_code(value, _ERROR_ID_RANK, None, reading.status)
        elif (
            spelled == "id" and reading.id_rank > _OWN_ID_RANK and is_own_id_of_several(value, node)
        ):
            reading.id_rank, reading.request_id = _OWN_ID_RANK, value
            reading.id_place = node, spelled
        if key.plain == "location" and is_field_location(value, node):
            into.fields.append(RawField(value, "", into.messages[-1] if into.messages else ""))
    elif type(value) is dict:
        if key.plain.endswith(WRAPPER_ENDS):
            below.append((Role.WRAPPER, key.plain, value))
        elif key.plain.endswith(FAULT_ENDS):  # SOAP: <detail><ExceededLimitFault><code>
            below.append((Role.ERRORS, key.plain, value))
        elif key.plain == "location":
            below.append((Role.CONTEXT, key.plain, value))
        elif tells(value):
            below.append((Role.WRAPPER, key.plain, value))


def _message(
    reading: Reading, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
) -> None:
    if type(value) is str:
        if _NAMED_CODE.fullmatch(value) is not None:  # "title": "BAD_REQUEST"
            into.note_code(value, _TITLE_RANK, None, reading.status)
        take_sentence(reading, value, into)
    elif isinstance(value, dict):  # SAP: {"lang": "en", "value": "..."}
        inner = value.get("value") or value.get("text") or value.get("Text")
        if isinstance(inner, dict):
            inner = inner.get("message")
        if isinstance(inner, str):
            take_sentence(reading, inner, into)
        else:
            below.append((Role.FIELD_ERRORS, key.plain, value))
    elif isinstance(value, list):
        if all(isinstance(part, str) for part in value):
            for part in value[:50]:
                take_sentence(reading, part, into)
        else:
            below.append((Role.ERRORS, key.plain, value))


def _code(
    reading: Reading, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
) -> None:
    kind = type(value)
    if kind is str or kind is int:
        if spelled == "result_code" and kind is int:  # ActiveCampaign: 1 is success, 0 is not.
            into.failed = value == 0
            return
        if spelled == "kind" and "#" in str(value):
            return  # Google's word for what an answer is
        count = len(into.codes)
        text = Numeral(value) if kind is int and key.rank <= _CODE_RANK else str(value)
        into.note_code(text, key.rank, reading.ranks.get(spelled), reading.status)
        if reading.good and kind is int and key.plain == "code" and into.failed:
            into.note_status(value)  # {"error": {"code": 401}}
        if reading.good and into.failed is None and len(into.codes) > count:
            # {"code": 40301, "msg": "..."} under 200; a code that only an error has.
            bare = kind is int and key.plain == "code" and value >= 400 and not node.get("data")
            into.failed = True if key.rank == 1 or bare else None
            if bare and value < _STATUSES_END:
                into.note_status(value)
    elif kind is dict:  # SOAP 1.2: <Code><Value/><Subcode><Value/></Subcode></Code>
        inner = value.get("Subcode") or value
        found = inner.get("Value") if isinstance(inner, dict) else None
        if found is None and len(value) == 1:  # Google Ads: {"fieldError": "REQUIRED"}
            found = next(iter(value.values()))
        if isinstance(found, str):
            into.note_code(found, key.rank)
        else:
            below.append((Role.ERRORS, key.plain, value))
    elif kind is list:
        for part in value[:8]:
            if isinstance(part, (str, int)):
                _code(reading, key, spelled, part, into, below, node)


def _errors(
    reading: Reading, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
) -> None:
    kind = type(value)
    if key.rank and kind is not dict and kind is not list:
        return  # "ignoreErrors": true
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
            into.note_code(str(value), _ERROR_RANK, None, reading.status)
        elif kind is str:
            described = "error_description" in node or "error_uri" in node
            if described and len(value) <= 40 and value.replace(" ", "").isalpha():
                into.codes.append((_ERROR_RANK, value))  # RFC 6749 section 5.2; Zoho has blanks
            else:
                _stringified(reading, value, into, below, Role.ERRORS, spelled)


def _stringified(
    reading: Reading, value: str, into: Finding, below: Below, role: Role, spelled: str
) -> None:
    """A string where an object is due: JSON text, a code, or a sentence."""
    if value[0] in "{[":
        inner = embedded_tree(value)
        if inner is not None:
            below.append((role, spelled, inner))
            return
    if role is Role.ERRORS and " " not in value:
        into.note_code(value, _ERROR_RANK, reading.ranks.get(spelled), reading.status)
    else:
        take_sentence(reading, value, into)


def _below(
    reading: Reading, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
) -> None:
    """Keep an object or list for later; a string there is one after all."""
    if key.plain == "members" and type(value) is list and value and type(value[0]) is str:
        into.fields.extend(RawField(name) for name in value[:_MAX_MEMBERS] if type(name) is str)
    elif key.plain == "fieldpathelements" and type(value) is list:  # Google Ads: one path
        steps = [step.get("fieldName") for step in value[:_MAX_MEMBERS] if type(step) is dict]
        into.fields.append(RawField(".".join(step for step in steps if type(step) is str)))
    elif isinstance(value, (dict, list)):
        below.append((key.role, key.plain, value))
    elif type(value) is str and value:
        if key.role is Role.PARTS:
            into.note_outcome(value)
        elif spelled == "$source":  # Sage
            into.fields.append(RawField(value, "", into.messages[-1] if into.messages else ""))
        else:
            _stringified(reading, value, into, below, key.role, spelled)


def _field(
    reading: Reading, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
) -> None:
    """Names are taken with the object (`own_fields`); here is what holds more than a name."""
    if type(value) is dict and key.plain in _ONE_FIELD:
        named = next((value[name] for name in _OF_A_FIELD if type(value.get(name)) is str), " ")
        if " " not in named and not is_said(named):
            into.fields.append(RawField(named, "", into.messages[-1] if into.messages else ""))
            return
    if type(value) is dict or (type(value) is list and value and type(value[0]) is dict):
        below.append((Role.FIELD_ERRORS, key.plain, value))


def _id(
    reading: Reading, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
) -> None:
    rank = -1 if key.plain in reading.id_keys else key.rank
    if rank >= reading.id_rank or isinstance(value, (dict, list)):
        return
    text = str(value)
    if key.plain == "errorid" and is_error_code(text):
        into.note_code(text, _ERROR_ID_RANK, None, reading.status)
        return
    if rank >= 0 and has_plain_id(key):
        text = text.removeprefix(UUID)
        if not looks_like_an_id(text):
            return
    if is_request_id(text):
        reading.id_rank, reading.request_id = rank, text
        reading.id_place = node, spelled


def _delay(
    reading: Reading, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
) -> None:
    delay = body_delay(key.plain, value, reading.headers, reading.clock)
    reading.delay = reading.delay if delay is None else delay


def _hint(
    reading: Reading, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
) -> None:
    into.hints.extend(map(str, value[:16]) if type(value) is list else (str(value),))


def _name(
    reading: Reading, key: Key, spelled: str, value: Any, into: Finding, below: Below, node: Any
) -> None:
    """``name`` is a code (PayPal), or, beside a code, the field (HubSpot)."""
    if not isinstance(value, str) or spelled in reading.ranks:
        return
    partnered = not _NAME_PARTNERS.isdisjoint(node) and type(node.get("status")) is not int
    if reading.naming or (partnered and "id" not in node and not names_an_error(value, node)):
        if clean_name(value) not in (None, PLACEHOLDER):
            into.fields.append(RawField(value, str(node.get("error") or node.get("code") or "")))
    elif (not reading.good or into.failed) and " " not in value:
        into.note_code(value, key.rank, None, reading.status)


_Handler = Callable[["Reading", Key, str, Any, Finding, Below, Any], None]
_BY_ROLE: Final[Mapping[Role, _Handler]] = {
    Role.NONE: _unknown,
    Role.CODE: _code,
    Role.MESSAGE: _message,
    Role.ERRORS: _errors,
    Role.FIELD: _field,
    Role.FIELD_ERRORS: _below,
    Role.CONTEXT: _below,
    Role.STATUS: take_state,
    Role.SUCCESS: take_success,
    Role.FAILURES: take_failures,
    Role.ID: _id,
    Role.DELAY: _delay,
    Role.HINT: _hint,
    Role.PARTS: _below,
    Role.WRAPPER: _below,
    Role.NAME: _name,
}
HANDLERS: Final = tuple(_BY_ROLE.get(role) for role in Role)
"""Role -> function, by the role's number; None for what is not looked at."""
