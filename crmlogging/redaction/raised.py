"""An exception's message as the raising line says it: ``raise ValueError(f"bad {x}")``.

By the rules for log messages (`templates`): what was raised is matched with the code that
raised it, found by the traceback's instruction. Messages of the interpreter itself are known by
heart where they hold no value, or only names that the failing code spells out.
"""

from __future__ import annotations

import errno
import os
import re
from collections import deque
from collections.abc import Iterator
from functools import cache
from opcode import opname
from types import FunctionType, TracebackType
from typing import TYPE_CHECKING, Any, Final

from crmlogging.redaction import call_site, sources
from crmlogging.redaction.places import source_file
from crmlogging.redaction.sites import assigned
from crmlogging.redaction.splitting import fits

if TYPE_CHECKING:
    from crmlogging.redaction.built_messages import Built

__all__ = ["arguments_of", "template_of", "traceback_of"]

_SITES_KEPT: Final = 4_096
_WRAPPERS: Final = 5
_ARGUMENTS: Final = 8
_TEXT_CHARACTERS: Final = 100_000
_FRAMES_WALKED: Final = 100_000
_RAISING: Final = frozenset(("RAISE_VARARGS", "RERAISE"))

_ARGS: Final = BaseException.__dict__["args"]
_TRACEBACK: Final = BaseException.__dict__["__traceback__"]
_ERRNO: Final = OSError.__dict__["errno"]
_NAMESPACE: Final = type.__dict__["__dict__"]
_MRO: Final = type.__dict__["__mro__"]

_BY_INTERPRETER: Final = frozenset(
    """\
dictionary changed size during iteration
dictionary keys changed during iteration
division by zero
float division by zero
integer division or modulo by zero
list index out of range
list.remove(x): x not in list
maximum recursion depth exceeded
maximum recursion depth exceeded in comparison
no running event loop
pop from an empty deque
pop from an empty set
pop from empty list
set changed size during iteration
string index out of range
timed out
tuple index out of range
'NoneType' object is not callable
'NoneType' object is not iterable
'NoneType' object is not subscriptable
'NoneType' object does not support item assignment""".splitlines()
)
_NAMING: Final = (
    r"name '(\w{1,100})' is not defined"
    r"|'(?:NoneType|bool|bytes|dict|float|int|list|set|str|tuple)' object"
    r" has no attribute '(\w{1,100})'"
    r"|cannot access local variable '(\w{1,100})' where it is not associated with a value"
)


class _RaiseSite:
    """An instruction that raised: its literals, and what its source builds."""

    __slots__ = ("_built", "code", "constants", "loaded", "offset", "raises", "source")

    def __init__(self, traceback: TracebackType) -> None:
        self.code = code = traceback.tb_frame.f_code
        self.offset = offset = traceback.tb_lasti
        self.raises = opname[code.co_code[offset]] in _RAISING
        self.loaded: tuple[str, ...] = ()
        self.constants: tuple[str, ...] = ()
        self._built: tuple[Built, ...] | None = None
        namespace = traceback.tb_frame.f_globals
        self.source = source_file(code, namespace) is not None or sources.is_source_of(
            code, namespace
        )
        if self.source:
            loaded, texts = call_site.literals_in_call(code, offset), call_site.texts_of(code)
            self.loaded = sources.spelled_out(code, namespace, loaded)
            self.constants = sources.spelled_out(code, namespace, texts)

    def built(self, namespace: dict[str, Any]) -> tuple[Built, ...]:
        """Return what the raise statement's arguments build; empty without source."""
        if self._built is None:
            place = sources.raise_at(self.code, self.offset, namespace) if self.raises else None
            self._built = () if place is None else tuple(_messages(place))
        return self._built


_sites: dict[tuple[int, int], _RaiseSite] = {}


def arguments_of(error: BaseException) -> tuple[object, ...]:
    """Return ``error.args`` past any property of its class."""
    arguments = _ARGS.__get__(error)
    return arguments if type(arguments) is tuple else ()


def traceback_of(error: BaseException) -> TracebackType | None:
    """Return ``error.__traceback__`` likewise."""
    traceback = _TRACEBACK.__get__(error)
    return traceback if type(traceback) is TracebackType else None


def template_of(error: BaseException) -> str | None:
    """Return the message of `error` with its values left out, unscrubbed; None if not known."""
    system = _of_system(error)
    if system is not None:
        return system
    innermost = _innermost(traceback_of(error))
    texts = [text for text in arguments_of(error)[:_ARGUMENTS] if type(text) is str]
    for text in texts:
        if not 0 < len(text) <= _TEXT_CHARACTERS:
            continue
        found = _template(text, innermost) or _of_class(text, type(error))
        if found is None and innermost:
            found = _of_interpreter(text, innermost[-1])
        if found is not None:
            return found
    return None


def _innermost(traceback: TracebackType | None) -> list[TracebackType]:
    """Return the last frames of a traceback, the raising one at the end."""
    last: deque[TracebackType] = deque(maxlen=1 + _WRAPPERS)
    for _ in range(_FRAMES_WALKED):
        if traceback is None:
            return list(last)
        last.append(traceback)
        traceback = traceback.tb_next
    return []


def _template(text: str, innermost: list[TracebackType]) -> str | None:
    words = " " in text
    for depth, traceback in enumerate(reversed(innermost)):
        site = _site(traceback)
        # A word that an outer call passes on may be anything, a message has more than one.
        if (words or not depth) and any(each is text for each in site.loaded):
            return text
        if depth:
            continue
        if words and any(each is text for each in site.constants):
            return text
        built = [
            each for each in site.built(traceback.tb_frame.f_globals) if fits(text, each.literals)
        ]
        if len(built) == 1:
            return built[0].template
    return None


def _site(traceback: TracebackType) -> _RaiseSite:
    code, offset = traceback.tb_frame.f_code, traceback.tb_lasti
    site = _sites.get((id(code), offset))
    if site is None or site.code is not code:
        if len(_sites) >= _SITES_KEPT:
            _sites.clear()
        site = _sites[id(code), offset] = _RaiseSite(traceback)
    return site


def _messages(place: sources.Place) -> Iterator[Built]:
    import ast

    from crmlogging.redaction.built_messages import built_from

    raised = getattr(place.node, "exc", None)
    calls: list[ast.expr] = []
    if isinstance(raised, ast.Name):
        values, _ = assigned(place.scope, raised.id)
        calls = [value for value in values if place.runs(value)]
    elif raised is not None:
        calls = [raised]
    for call in calls:
        if isinstance(call, ast.Call):
            for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
                built = built_from(argument)
                # A literal is told by identity: a word may equal one by chance.
                if built is not None and (built.names or " " in built.literals[0]):
                    yield built


def _of_class(text: str, kind: type) -> str | None:
    """``def __init__(self): super().__init__("Contact not found")``."""
    if " " not in text:
        return None
    for each in _MRO.__get__(kind):
        function = _NAMESPACE.__get__(each).get("__init__")
        if type(function) is FunctionType:
            code, namespace = function.__code__, function.__globals__
            if any(each is text for each in call_site.texts_of(code)) and (
                call_site.is_source(code, namespace)
                and sources.spelled_out(code, namespace, (text,))
            ):
                return text
    return None


def _of_system(error: BaseException) -> str | None:
    """The operating system's text for an error number."""
    if not issubclass(type(error), OSError):
        return None
    number = _ERRNO.__get__(error)
    if type(number) is not int or number not in errno.errorcode:
        return None
    return f"[Errno {number}] {os.strerror(number)}"


@cache
def _naming() -> re.Pattern[str]:
    return re.compile(_NAMING, re.ASCII)


def _of_interpreter(text: str, innermost: TracebackType) -> str | None:
    if text in _BY_INTERPRETER:
        return text
    match = _naming().fullmatch(text)
    if match is None:
        return None
    name = next(group for group in match.groups() if group is not None)
    code = innermost.tb_frame.f_code
    if name not in code.co_names and name not in code.co_varnames:
        return None
    spelled = sources.spelled_out(code, innermost.tb_frame.f_globals, (name,))
    return text if spelled and _site(innermost).source else None
