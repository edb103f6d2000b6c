"""What is known of one logging call of the program: decided once, then looked up.

A site is a call instruction of a code object: two calls on a line are two sites.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from types import FrameType
from typing import TYPE_CHECKING, Final, NamedTuple

from crmlogging.redaction import call_site, sources
from crmlogging.redaction.places import source_file

if TYPE_CHECKING:
    import ast

    from crmlogging.redaction.built_messages import Built

__all__ = ["Reading", "Site", "assigned", "site_of"]

_SITES_KEPT: Final = 8_192
# Position of the message among the arguments of logging's own methods.
_MESSAGE_AT: Final = {
    **dict.fromkeys(("debug", "info", "warning", "warn", "error", "critical", "fatal"), 0),
    "exception": 0,
    "log": 1,
}
_POSITIONS: Final = (0, 1, 2)


class Reading(NamedTuple):
    """One way to read the call.

    Attributes:
        messages: what the message argument may build; empty for an expression that says nothing.
        values_hold: the text is built there and nowhere else, so its values may be taken out.
        literal: the message argument, when it is a string literal.
        rendered: tells what a function that is called with that literal may make of it.
        known: the function's name says that this argument is the message.
        names: names of the arguments after it; None when their number is not fixed.
    """

    messages: tuple[Built, ...]
    values_hold: bool
    literal: str | None
    rendered: Callable[[], tuple[Built, ...]]
    known: bool
    names: tuple[str | None, ...] | None


class Site:
    """A call of the running program.

    Attributes:
        loaded: the string constants that it loads; compare by identity. None of code made from
            a text at run time (``exec``), whose constants may be anybody's data.
        constants: those of the whole code object that contain a space, likewise.
    """

    __slots__ = ("_placed", "_readings", "code", "constants", "loaded", "offset", "templates")

    def __init__(self, frame: FrameType) -> None:
        self.code = code = frame.f_code
        self.offset = frame.f_lasti
        self.loaded: tuple[str, ...] = ()
        self.constants: tuple[str, ...] = ()
        self.templates: dict[str, str] = {}
        self._readings: tuple[Reading, ...] | None = None
        self._placed = False
        if source_file(code, frame.f_globals) is not None or self.readings(frame):
            names = frame.f_globals
            loaded = call_site.literals_in_call(code, self.offset)
            self.loaded = sources.spelled_out(code, names, loaded)
            self.constants = sources.spelled_out(code, names, call_site.texts_of(code))

    def readings(self, frame: FrameType) -> tuple[Reading, ...]:
        """Return what the source says of the call; empty without source."""
        if self._readings is None:
            place = sources.call_at(self.code, self.offset, frame.f_globals)
            readings: tuple[Reading, ...] = ()
            if place is not None:
                self._placed = True
                readings = tuple(_read(place))
            self._readings = readings
        return self._readings

    def module_texts(self, frame: FrameType) -> frozenset[str]:
        """Return the literals with a space of the whole source file; empty without source."""
        self.readings(frame)
        return sources.texts_of_file(self.code, frame.f_globals) if self._placed else frozenset()


_sites: dict[tuple[int, int], Site] = {}


def site_of(frame: FrameType) -> Site:
    """Return the site of the call that `frame` is making."""
    code, offset = frame.f_code, frame.f_lasti
    site = _sites.get((id(code), offset))
    if site is None or site.code is not code:
        if len(_sites) >= _SITES_KEPT:
            _sites.clear()
        site = _sites[id(code), offset] = Site(frame)
    return site


def _read(place: sources.Place) -> Iterator[Reading]:
    import ast

    call = place.node
    if not isinstance(call, ast.Call):
        return
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    expected = _MESSAGE_AT.get(name)
    for keyword in call.keywords:
        if keyword.arg == "msg":
            yield _reading(place, keyword.value, [], known=True)
    for position in sorted(_POSITIONS, key=lambda position: position != expected):
        before = call.args[: position + 1]
        if len(before) == position + 1 and not any(isinstance(a, ast.Starred) for a in before):
            after = call.args[position + 1 :]
            yield _reading(place, before[-1], after, known=position == expected)


def _reading(
    place: sources.Place, message: ast.expr, arguments: list[ast.expr], *, known: bool
) -> Reading:
    import ast

    from crmlogging.redaction.built_messages import built_from, dotted_name, entry_of, rendered_from

    message = entry_of(message)
    names = None
    if not any(isinstance(argument, ast.Starred) for argument in arguments):
        names = tuple(dotted_name(argument) for argument in arguments)
    literal = None
    rendered: Callable[[], tuple[Built, ...]] = tuple
    if isinstance(message, ast.Constant) and type(message.value) is str:
        literal = message.value
        keywords = getattr(place.node, "keywords", [])
        rendered = cache(partial(rendered_from, message, arguments, keywords))
    alternatives, certain = _alternatives(place, message)
    # One that builds nothing the source says may be any text, and look like another's.
    built = [built_from(node) for node in alternatives]
    messages = dict.fromkeys(each for each in built if each is not None)
    holds = certain and None not in built
    return Reading(tuple(messages), holds, literal, rendered, known, names)


def _alternatives(place: sources.Place, message: ast.expr) -> tuple[list[ast.expr], bool]:
    """Return the expressions that `message` may be, and whether there is no other."""
    import ast

    if isinstance(message, ast.IfExp):
        return [message.body, message.orelse], True
    if isinstance(message, ast.NamedExpr):
        return [message.value], True
    if not isinstance(message, ast.Name):
        return [message], True
    values, certain = assigned(place.scope, message.id)
    values = [value for value in values if place.runs(value) and not _single_word(value)]
    return values, certain and len(values) == 1 and place.runs_whole()


def assigned(scope: ast.AST, name: str) -> tuple[list[ast.expr], bool]:
    """Return what the scope assigns to `name`, and whether nothing else can bind it."""
    import ast

    values: list[ast.expr] = []
    bindings = 0
    for node in ast.walk(scope):  # inner functions too: they may bind it by ``nonlocal``
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                values.append(value)
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value):
                if target == name:
                    values.append(value)
            case ast.Name(id=target, ctx=ast.Store()) if target == name:
                bindings += 1
            case ast.Global(names=names) | ast.Nonlocal(names=names) if name in names:
                bindings += 2
            case ast.arg(arg=target) if target == name:
                bindings += 2
            case (
                ast.MatchAs(name=target)
                | ast.MatchStar(name=target)
                | ast.MatchMapping(rest=target)
                | ast.ExceptHandler(name=target)
                | ast.FunctionDef(name=target)
                | ast.AsyncFunctionDef(name=target)
                | ast.ClassDef(name=target)
            ) if target == name:
                bindings += 2
            case ast.alias(name=module, asname=target):
                if (target or module.partition(".")[0]) == name:
                    bindings += 2
    local = isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef)
    return values, local and bindings == len(values) == 1


def _single_word(node: ast.expr) -> bool:
    """``API_KEY = "..."`` is a literal too; a message has more than one word."""
    import ast

    return isinstance(node, ast.Constant) and not (type(node.value) is str and " " in node.value)
