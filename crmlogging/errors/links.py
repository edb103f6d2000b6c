"""What an exception shows at a glance: its links, its words, the answer that it carries.

The same as `crmlogging.errors.faults` and `crmlogging.errors.responses` find, for exceptions whose
classes allow it (`crmlogging.errors.kinds`), at a tenth of the cost; None for all others.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any, Final

from crmlogging.errors.kinds import KINDS, OTHER_NAMES

__all__ = ["Glance", "answer_among", "glance_at", "links_of", "words_of"]

_MAX_LINKS: Final = 24
_MAX_ARGUMENTS: Final = 4
_TOLD: Final = OTHER_NAMES | {"reason", "os_error"}
_ELSEWHERE: Final = frozenset(("method", "_method"))
_SCALARS: Final = frozenset((str, int, float, bool, bytes, type(None)))
_TYPES: Final = (int, str, bytes, str)
_answer: Final = itemgetter("status_code", "headers", "url", "request", "_content")

Glance = tuple[int, tuple[str, ...], Any, bytes, str, str]
"""An answer as its client holds it: status, lower-case names of the headers, headers by name in
any case, body, method and URL."""


def links_of(exception: BaseException) -> list[BaseException] | None:
    """Return an exception and what caused it, in the order in which they are read."""
    found = [exception]
    try:
        for link in found:
            if not KINDS[type(link)].links:
                return None
            attributes = link.__dict__
            if attributes and not _TOLD.isdisjoint(attributes):
                if not OTHER_NAMES.isdisjoint(attributes):
                    return None
                _add(attributes.get("reason"), found)
                _add(attributes.get("os_error"), found)
            if not _SCALARS.issuperset(map(type, link.args)):
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


def _add(link: object, found: list[BaseException]) -> None:
    if isinstance(link, BaseException) and not any(link is each for each in found):
        found.append(link)


def words_of(links: list[BaseException]) -> tuple[object, str] | None:
    """Return what sets the links' classes apart from others, and what all of them say."""
    numbers: list[int] = []
    for link in links:
        kind = KINDS[type(link)]
        if not kind.speaks:
            return None
        if not _SCALARS.issuperset(map(type, link.args)):
            for each in link.args:
                if type(each) not in _SCALARS and not isinstance(each, BaseException):
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
    if not KINDS[type(response)].answers:
        return None
    try:
        attributes = response.__dict__
        status, headers, url, request, body = _answer(attributes)
        if not (KINDS[type(headers)].folded and KINDS[type(request)].answers):
            return None
        method, names = request.__dict__["method"], tuple(headers.__dict__["_store"])
    except (AttributeError, KeyError):
        return None
    # What is of another type is read otherwise; so is what tells no method, address or header.
    if (type(status), type(url), type(body), type(method)) != _TYPES:
        return None
    if not (names and url and method and _ELSEWHERE.isdisjoint(attributes)):
        return None
    return status, names, headers, body, method, url
