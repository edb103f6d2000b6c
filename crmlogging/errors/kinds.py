"""Classes of exceptions and responses, looked at once: which can be read at a glance.

Attributes of such a class stand in the instance alone, and its text is made by the interpreter: to
read one costs a look-up, and nothing of a stranger's runs.
"""

from __future__ import annotations

import sys
from abc import ABCMeta
from itertools import count
from types import GetSetDescriptorType, ModuleType
from typing import Any, Final, NamedTuple

__all__ = ["KINDS", "OTHER_NAMES", "Kind"]

OTHER_NAMES: Final = frozenset(
    (
        *("resp", "status_code", "status", "http_status", "code", "last_attempt", "hdrs"),
        *("headers", "_content", "_body", "content", "body", "http_body", "json_body", "text"),
    )
)
"""Attributes of an exception by which it is more than a link, see `crmlogging.errors.faults`."""
_ANSWER_NAMES: Final = frozenset(("status_code", "headers", "url", "request", "_content"))

_LINK_NAMES: Final = OTHER_NAMES - {"text", "content", "body", "headers"} | {
    *("response", "reason", "os_error"),
    *("args", "__cause__", "__context__", "__suppress_context__", "__class__"),
}
_REQUEST_NAMES: Final = frozenset(("method", "_method", "_url", "__class__"))
_FOLDED_NAMES: Final = frozenset(("_store", "__class__", "__getattr__", "__getattribute__"))
_OF_HEAP: Final = 1 << 9
"""Flag of a class that no C code holds as a constant (Py_TPFLAGS_HEAPTYPE)."""
_OF_HTTPX: Final = frozenset(("Response", "Request", "Headers", "URL"))
_KINDS_KEPT: Final = 1_024
_numbers: Final = count()
_ROOTS: Final = (object, BaseException)


class Kind(NamedTuple):
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
