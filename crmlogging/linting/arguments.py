"""The arguments of a message: whether they fit it, and what will be seen of them (CL004, CL2xx)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from crmlogging.linting.allowlists import Allowed
from crmlogging.linting.calls import LogCall
from crmlogging.linting.findings import Remark, excerpt
from crmlogging.linting.messages import is_exception
from crmlogging.redaction.built_messages import dotted_name

__all__ = ["judge_arguments", "judge_places"]

_PLACE: Final = re.compile(
    r"%(?:\((?P<key>[^()]*)\))?[-#0 +]*(?P<width>\*|\d*)(?:\.(?P<precision>\*|\d*))?"
    r"[hlL]?(?P<kind>.)?",
    re.DOTALL,
)
_KINDS: Final = frozenset("diouxXeEfFgGcrsa")
# Without arguments logging leaves the text alone; "100%" and "%20" are then no places.
_PLAIN_PLACE: Final = re.compile(r"%[srd](?![A-Za-z0-9])")
_BRACES: Final = re.compile(r"\{(?:\d+|[A-Za-z_][A-Za-z0-9_.]*)?(?:![rsa])?(?::[^{}]*)?\}")
_DISPLAYS: Final = (
    *(ast.Dict, ast.List, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)
# What these give is a whole object as text, or a mapping.
_WHOLE: Final = frozenset(
    (
        *("str", "repr", "vars", "dict", "locals", "globals", "dumps", "pformat", "asdict"),
        *("format_exc", "format_exception", "json", "model_dump", "to_dict", "as_dict", "read"),
    )
)
_BODIES: Final = frozenset(("text", "content", "body", "headers", "payload", "__dict__", "args"))
_FIELDS: Final = "hand over the parts that matter as fields in extra"
_ERROR: Final = "pass the exception as exc_info=error"


class _Places(NamedTuple):
    """What a message asks for.

    Attributes:
        positional: number of arguments.
        keys: names of ``%(name)s`` places.
        broken: a place that is none, as the ``% s`` of "100% sure" would be, or None.
    """

    positional: int
    keys: tuple[str, ...]
    broken: str | None


def judge_places(call: LogCall) -> Iterator[Remark]:
    """Yield CL004 if a literal message and its arguments do not fit each other."""
    message = call.message
    if not isinstance(message, ast.Constant) or type(message.value) is not str:
        return
    if any(isinstance(argument, ast.Starred) for argument in call.arguments):
        return
    complaint = _misfit(message.value, call.arguments)
    if complaint is not None:
        yield Remark(message, "CL004", complaint)


def _misfit(text: str, arguments: tuple[ast.expr, ...]) -> str | None:
    given = len(arguments)
    if not given:
        left = len(_PLAIN_PLACE.findall(text.replace("%%", "")))
        return f"the message asks for {_counted(left)}, none is given" if left else None
    places = _places(text)
    if places.broken is not None:
        return f"{excerpt(places.broken)!r} in the message is no % place; a percent sign is %%"
    if places.keys:
        return _missing_keys(places, arguments)
    if places.positional == given:
        return None
    if not places.positional and _BRACES.search(text):
        return "logging fills in %s, never {}"
    if given == 1 and not places.positional and isinstance(arguments[0], ast.Dict):
        return None  # a mapping of which the text uses nothing raises nothing
    return f"the message asks for {_counted(places.positional)}, {given} given"


def _places(text: str) -> _Places:
    count, keys, broken = 0, [], None
    for match in _PLACE.finditer(text):
        kind = match["kind"]
        if kind == "%":
            continue
        if kind is None or kind not in _KINDS:
            broken = broken or match[0]
        elif match["key"] is not None:
            keys.append(match["key"])
        else:
            count += 1 + (match["width"] == "*") + (match["precision"] == "*")
    return _Places(count, tuple(keys), broken)


def _missing_keys(places: _Places, arguments: tuple[ast.expr, ...]) -> str | None:
    if places.positional:
        return "the message mixes %(name)s and %s"
    if len(arguments) != 1:
        return f"%(name)s places ask for one mapping, {len(arguments)} arguments are given"
    mapping = arguments[0]
    if not isinstance(mapping, ast.Dict):
        return None
    keys = {key.value for key in mapping.keys if isinstance(key, ast.Constant)}
    missing = [key for key in places.keys if key not in keys]
    if len(keys) < len(mapping.keys) or not missing:  # **more, or a computed key
        return None
    return f"the mapping has no key {excerpt(missing[0])!r}"


def _counted(number: int) -> str:
    return "1 argument" if number == 1 else f"{number} arguments"


def judge_arguments(call: LogCall, allowed: Allowed, *, quiet: bool) -> Iterator[Remark]:
    """Yield what will not be seen of the arguments.

    Args:
        quiet: the missing exception is told by another rule.
    """
    for name, argument in _named(call):
        if isinstance(argument, ast.Starred | ast.Constant):
            continue
        if name is not None and allowed.shows(name):
            continue
        if is_exception(argument, call.scope) or _is_its_text(argument, call):
            if not quiet:
                line = "the exception among the arguments is never shown"
                yield Remark(argument, "CL204", line, _ERROR)
        elif _is_whole(argument):
            shown = excerpt(dotted_name(argument) or ast.unparse(argument)[:60])
            yield Remark(argument, "CL204", f"{shown} is never shown", _FIELDS)
        elif name is None:
            line = "the argument has no name to allow it by"
            yield Remark(argument, "CL205", line, _FIELDS)
        else:
            line = f"{excerpt(name)} is masked by the allowlist"
            yield Remark(argument, "CL205", line, "allow it, or mask it")


def _named(call: LogCall) -> Iterator[tuple[str | None, ast.expr]]:
    """Yield each argument with the name of the field that it becomes."""
    arguments, message = call.arguments, call.message
    text = message.value if isinstance(message, ast.Constant) else None
    keyed = isinstance(text, str) and "%(" in text
    if keyed and len(arguments) == 1 and isinstance(arguments[0], ast.Dict):
        mapping = arguments[0]
        for key, value in zip(mapping.keys, mapping.values, strict=True):
            if isinstance(key, ast.Constant) and type(key.value) is str:
                yield key.value, value
        return
    for argument in arguments:
        yield dotted_name(argument), argument


def _is_its_text(node: ast.expr, call: LogCall) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="str" | "repr"), args=[value], keywords=[]):
            return is_exception(value, call.scope)
    return False


def _is_whole(node: ast.expr) -> bool:
    """Tell whether an argument is an object, a body, or the text of one."""
    match node:
        case ast.Await(value=value):
            return _is_whole(value)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in _WHOLE or name in _BODIES
        case ast.Attribute(attr=name):
            return name in _BODIES
    return isinstance(node, _DISPLAYS)
