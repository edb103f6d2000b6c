"""What an exception shows at a glance: its links, its words, the answer that it carries.

The same as `crmlogging.errors.faults` and `crmlogging.errors.responses` find, for exceptions whose
classes allow it (`crmlogging.errors.kinds`), at a tenth of the cost; None for all others.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

from crmlogging.errors.kinds import KINDS, OTHER_NAMES

__all__ = [
    *("READ_FIRST", "SCALARS", "Glance", "answer_among", "glance_at", "links_of", "words_of"),
]

_MAX_LINKS: Final = 24
_MAX_ARGUMENTS: Final = 4
READ_FIRST: Final = OTHER_NAMES | {"reason", "os_error"}
SCALARS: Final = frozenset((str, int, float, bool, bytes, type(None)))
_MAX_ADDRESS: Final = 4_096
_ELSEWHERE: Final = frozenset(("method", "_method", "url", "_url"))
_ABSENT: Final = object()
_DICTIONARIES: Final = frozenset((dict, OrderedDict))

Glance = tuple[int, dict[str, tuple[str, str]], bytes, str, str]
"""An answer as its client holds it: status, lower-case names of the headers to these as they came
and their values, body, method and URL."""


def links_of(exception: BaseException) -> list[BaseException] | None:
    """Return an exception and what caused it, in the order in which they are read."""
    found = [exception]
    try:
        for link in found:
            if not KINDS[type(link)].links:
                return None
            attributes = link.__dict__
            if attributes and not READ_FIRST.isdisjoint(attributes):
                if not OTHER_NAMES.isdisjoint(attributes):
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
        or type(url) is not str
        or type(body) is not bytes
        or type(method) is not str
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
