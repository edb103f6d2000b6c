"""What an exception shows at a glance: its links, its words, the answer that it carries.

The same as `crmlogging.errors.raised.faults` and `crmlogging.errors.raised.responses` find, at a
tenth of the cost, for objects whose classes allow it; None for all others. A class is looked at
once: attributes must stand in the instance alone, and the text be made by the interpreter, so that
to read one costs a look-up, and nothing of a stranger's runs.
"""

from __future__ import annotations

import sys
from abc import ABCMeta
from collections import OrderedDict
from dataclasses import dataclass
from itertools import count
from types import GetSetDescriptorType, ModuleType
from typing import Any, Final

__all__ = [
    *("KINDS", "READ_FIRST", "SCALARS", "Glance", "Kind"),
    *("answer_among", "glance_at", "links_of", "words_of"),
]

_MAX_LINKS: Final = 24
_MAX_ARGUMENTS: Final = 4
_MAX_ADDRESS: Final = 4_096
_KINDS_KEPT: Final = 1_024
_OF_HEAP: Final = 1 << 9
"""Flag of a class that no C code holds as a constant (Py_TPFLAGS_HEAPTYPE)."""
_ROOTS: Final = (object, BaseException)
_DICTIONARIES: Final = frozenset((dict, OrderedDict))
_ABSENT: Final = object()
_numbers: Final = count()

SCALARS: Final = frozenset((str, int, float, bool, bytes, type(None)))
"""Kinds of arguments that stand for themselves."""
_OTHER_NAMES: Final = frozenset(
    (
        *("resp", "status_code", "status", "http_status", "code", "last_attempt", "hdrs"),
        *("headers", "_content", "_body", "content", "body", "http_body", "json_body", "text"),
    )
)
"""Attributes of an exception by which it is more than a link, see `crmlogging.errors.raised`."""
READ_FIRST: Final = _OTHER_NAMES | {"reason", "os_error"}
"""Attributes of an exception that are looked at before its answer."""
# What may stand in a class's own namespace instead of in its instances.
_LINK_NAMES: Final = _OTHER_NAMES - {"text", "content", "body", "headers"} | {
    *("response", "reason", "os_error"),
    *("args", "__cause__", "__context__", "__suppress_context__", "__class__"),
}
_ANSWER_NAMES: Final = frozenset(("status_code", "headers", "url", "request", "_content"))
_REQUEST_NAMES: Final = frozenset(("method", "_method", "_url", "__class__"))
_FOLDED_NAMES: Final = frozenset(("_store", "__class__", "__getattr__", "__getattribute__"))
_ELSEWHERE: Final = frozenset(("method", "_method", "url", "_url"))
_OF_HTTPX: Final = frozenset(("Response", "Request", "Headers", "URL"))

Glance = tuple[int, dict[str, tuple[str, str]], bytes, str, str]
"""An answer as its client holds it: status, lower-case names of the headers to these as they came
and their values, body, method and URL."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is known of a class.

    Attributes:
        number: its own, never given again; a class's address may be.
        links: an exception whose links stand where the interpreter puts them.
        speaks: an exception whose text the interpreter makes.
        answers: a response, or request, whose attributes stand in the instance.
        folded: the mapping of requests, which keeps lower-case names in ``_store``.
        httpx: the name of a class of httpx that is that very one, of which only httpx's code runs.
    """

    number: int
    links: bool
    speaks: bool
    answers: bool
    folded: bool
    httpx: str


class _Kinds(dict[type, Kind]):
    """What is known of classes; looked up as in any dictionary, found out where it is missing."""

    def __missing__(self, kind: type) -> Kind:
        known = _looked_at(kind)
        if len(self) >= _KINDS_KEPT:
            self.clear()
        self[kind] = known
        return known


KINDS: Final = _Kinds()


def _looked_at(kind: type) -> Kind:
    if type(kind) is not type:  # a metaclass may have the last word
        folded = type(kind) is ABCMeta and vars(kind).get("__module__") == "requests.structures"
        folded = folded and not any(map(_has(_FOLDED_NAMES), kind.__mro__[:-1]))
        return Kind(next(_numbers), False, False, False, folded, _name_in_httpx(kind))
    own = [base for base in kind.__mro__ if base not in _ROOTS]
    plain = not any("__getattribute__" in vars(b) or "__getattr__" in vars(b) for b in own)
    speaks = links = answers = False
    if issubclass(kind, BaseException):
        links = plain and not (
            issubclass(kind, BaseExceptionGroup) or any(map(_has(_LINK_NAMES), own))
        )
        speaks = links and all(not _heap(base) for base in own if "__str__" in vars(base))
    else:
        answers = plain and not any(map(_has(_ANSWER_NAMES | _REQUEST_NAMES), own))
    return Kind(next(_numbers), links, speaks, answers, False, _name_in_httpx(kind))


def _name_in_httpx(kind: type) -> str:
    name, httpx = type.__dict__["__name__"].__get__(kind), sys.modules.get("httpx")
    known = type(httpx) is ModuleType and name in _OF_HTTPX and vars(httpx).get(name) is kind
    return str(name) if known else ""


def _has(names: frozenset[str]) -> Any:
    def has(base: type) -> bool:
        own = vars(base)
        # Every first class written in Python describes its own __dict__.
        described = own.get("__dict__")
        usual = described is None or type(described) is GetSetDescriptorType
        return not usual or not names.isdisjoint(own)

    return has


def _heap(base: type) -> bool:
    return bool(base.__flags__ & _OF_HEAP)


def links_of(exception: BaseException) -> list[BaseException] | None:
    """Return an exception and what caused it, in the order in which they are read."""
    found = [exception]
    try:
        for link in found:
            if not KINDS[type(link)].links:
                return None
            attributes = link.__dict__
            if attributes and not READ_FIRST.isdisjoint(attributes):
                if not _OTHER_NAMES.isdisjoint(attributes):
                    return None
                _add(attributes.get("reason"), found)
                _add(attributes.get("os_error"), found)
            if not SCALARS.issuperset(map(type, link.args)):
                if len(link.args) > _MAX_ARGUMENTS:
                    return None
                for each in link.args:
                    _add(each, found)
            before = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
            if before is not None:
                _add(before, found)
                if len(found) > _MAX_LINKS:
                    return None
    except Exception:  # noqa: BLE001  # a stranger's object among them may do anything
        return None
    return found


def _add(link: Any, found: list[BaseException]) -> None:
    # By type: a proxy (Django's, werkzeug's) asked for its class looks up what it stands for.
    if issubclass(type(link), BaseException) and not any(link is each for each in found):
        found.append(link)


def words_of(links: list[BaseException]) -> tuple[object, str] | None:
    """Return what sets the links' classes apart from others, and what all of them say."""
    numbers: list[int] = []
    for link in links:
        kind = KINDS[type(link)]
        if not kind.speaks:
            return None
        if not SCALARS.issuperset(map(type, link.args)):
            for each in link.args:
                if type(each) not in SCALARS and not issubclass(type(each), BaseException):
                    return None
        numbers.append(kind.number)
    try:
        if len(numbers) == 1:
            return numbers[0], str(link)
        return tuple(numbers), "\n".join(map(str, links))
    except Exception:  # noqa: BLE001  # such as the name of a file that is no text
        return None


def answer_among(links: list[BaseException]) -> Any:
    """Return what the first of `links` holds for an answer, or None."""
    for link in links:
        response = link.__dict__.get("response")
        if response is not None:
            return response
    return None


def glance_at(response: Any) -> Glance | None:
    """Return what a response tells."""
    kind = KINDS[type(response)]
    if not kind.answers:
        return _glance_at_httpx(response) if kind.httpx == "Response" else None
    # By name, for these classes have nothing under it: to ask for an object's dictionary makes one.
    try:
        headers, request = response.headers, response.request
        if not (KINDS[type(headers)].folded and KINDS[type(request)].answers):
            return None
        status, url, body = response.status_code, response.url, response._content
        method, store = request.method, headers._store
    except AttributeError:
        return None
    # What is of another type is read otherwise; so is what tells no method, address or header.
    if (
        type(status) is not int
        or not type(url) is type(method) is str
        or type(body) is not bytes
        or type(store) not in _DICTIONARIES
        or not (store and url and method)
        or getattr(response, "method", _ABSENT) is not _ABSENT
        or getattr(response, "_method", _ABSENT) is not _ABSENT
    ):
        return None
    return status, store, body, method, url


def _glance_at_httpx(response: Any) -> Glance | None:
    """Return the same of a response of httpx, whose headers are pairs of bytes."""
    store: dict[str, tuple[str, str]] = {}
    try:
        attributes = response.__dict__
        status, body = attributes["status_code"], attributes["_content"]
        headers, request = attributes["headers"], attributes["_request"]
        if (KINDS[type(headers)].httpx, KINDS[type(request)].httpx) != ("Headers", "Request"):
            return None
        method, url = request.__dict__["method"], request.__dict__["url"]
        if KINDS[type(url)].httpx != "URL":
            return None
        address = str(url)
        for _, name, value in headers.__dict__["_list"]:
            lower, text = name.decode("ascii"), value.decode("ascii")
            known = store.get(lower)
            store[lower] = (lower, text if known is None else f"{known[1]}, {text}")
    except Exception:  # noqa: BLE001  # such as a stream that nobody has read
        return None
    if type(status) is not int or type(body) is not bytes or type(method) is not str:
        return None
    if not (store and address and method) or len(address) > _MAX_ADDRESS:
        return None
    if not _ELSEWHERE.isdisjoint(attributes):
        return None
    return status, store, body, method, address
