"""Messages built at run time, as their source says: literals, and names for what stands between.

f-strings, ``.format``, ``+`` and ``%`` all become one `Built`: ``f"Created contact {email}"``
and ``"Created contact %s" % email`` read ``Created contact {email}``.
"""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from crmlogging.redaction.mapped import TEXTS

__all__ = ["Built", "built_from", "dotted_name", "entry_of", "rendered_from"]

_LABEL_CHARACTERS: Final = 40
_PARTS_MAXIMUM: Final = 64
_PERCENT: Final = re.compile(
    r"%(?:(?:\((?P<key>[^()]*)\))?[-#0 +]*(?:\d+|\*)?(?:\.(?:\d+|\*)?)?[hlL]?"
    r"(?P<kind>[diouxXeEfFgGcrsa%]))?"
)


class Built(NamedTuple):
    """A message in parts.

    Attributes:
        template: the literals with ``{label}`` for each value.
        literals: what the source spells out; one more than there are values.
        names: field name of each value that stands in the text as it is, else None.
    """

    template: str
    literals: tuple[str, ...]
    names: tuple[str | None, ...]


class _Slot(NamedTuple):
    label: str
    name: str | None


_Parts = list["str | _Slot"]


def built_from(node: ast.expr) -> Built | None:
    """Return the message that the expression `node` builds, or None when it is another kind."""
    parts = _parts(node)
    if parts is None or len(parts) > _PARTS_MAXIMUM:
        return None
    literals = [""]
    slots: list[_Slot] = []
    for part in parts:
        if isinstance(part, str):
            literals[-1] += part
        else:
            slots.append(part)
            literals.append("")
    if not any(literals):  # str(x), f"{x}": nothing that the source says
        return None
    shown = [literals[0]]
    for slot, literal in zip(slots, literals[1:], strict=True):
        shown += ["{", slot.label, "}", literal]
    return Built("".join(shown), tuple(literals), tuple(slot.name for slot in slots))


def rendered_from(
    text: ast.Constant, arguments: list[ast.expr], keywords: list[ast.keyword]
) -> tuple[Built, ...]:
    """Return the messages that a function may build of a text and what it is called with.

    structlog's filtering loggers put arguments in by ``%``, loguru by ``format``. A message that
    says nothing but its values is none: any text is of that form.
    """
    percent = ast.BinOp(text, ast.Mod(), ast.Tuple(arguments, ast.Load()))
    formatted = ast.Call(ast.Attribute(text, "format", ast.Load()), arguments, keywords)
    found = (built_from(percent), built_from(formatted))
    return tuple(
        each
        for each in found
        if each is not None and each.names and re.search(r"[^\W\d_]{2}", "".join(each.literals))
    )


def entry_of(node: ast.expr) -> ast.expr:
    """Return the entry of a mapping's display that is the message (`mapped`); else `node`."""
    if not isinstance(node, ast.Dict):
        return node
    pairs = zip(node.keys, node.values, strict=True)
    entries = {key.value: value for key, value in pairs if isinstance(key, ast.Constant)}
    return next((entries[name] for name in TEXTS if name in entries), node)


def dotted_name(node: ast.expr) -> str | None:
    """Return ``user.email`` for that expression, None for one that is more than names."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join((node.id, *reversed(names)))


def _parts(node: ast.expr) -> _Parts | None:
    if isinstance(node, ast.Constant):
        return [node.value] if type(node.value) is str else None
    if isinstance(node, ast.JoinedStr):
        return list(_joined(node))
    if isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.Add):
            return _added(node)
        return _percent(node) if isinstance(node.op, ast.Mod) else None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _formatted(node, node.func)
    return None


def _slot(node: ast.expr, plain: bool = True) -> _Slot:
    """A value: named if it is a name, and standing in the text as it is if `plain`."""
    name = dotted_name(node)
    if name is not None:
        return _Slot(name, name if plain else None)
    return _Slot(_label(node), None)


def _label(node: ast.expr) -> str:
    """The expression itself where it is short and holds no constant of its own."""
    if any(isinstance(each, ast.Constant) for each in ast.walk(node)):
        return ""
    text = ast.unparse(node)
    return text if len(text) <= _LABEL_CHARACTERS and text.isascii() else ""


def _joined(node: ast.JoinedStr) -> Iterator[str | _Slot]:
    for value in node.values:
        if isinstance(value, ast.Constant):
            yield str(value.value)
        elif isinstance(value, ast.FormattedValue):
            yield _slot(value.value, value.conversion == -1 and value.format_spec is None)


def _added(node: ast.BinOp) -> _Parts | None:
    operands: list[ast.expr] = []
    left: ast.expr = node
    while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add):
        operands.append(left.right)
        left = left.left
    parts: _Parts = []
    literal = False
    for operand in (left, *reversed(operands)):
        inner = _parts(operand)
        literal = literal or inner is not None
        parts += [_slot(_unwrapped(operand))] if inner is None else inner
    return parts if literal else None


def _unwrapped(node: ast.expr) -> ast.expr:
    """``str(x)`` stands in the text as ``x`` does in an f-string."""
    match node:
        case ast.Call(func=ast.Name(id="str"), args=[value], keywords=[]):
            return value
    return node


def _percent(node: ast.BinOp) -> _Parts | None:
    if not (isinstance(node.left, ast.Constant) and type(node.left.value) is str):
        return None
    right = node.right
    values: Sequence[ast.expr] = right.elts if isinstance(right, ast.Tuple) else (right,)
    if any(isinstance(value, ast.Starred) for value in values):
        return None
    keys = _entries(right) if isinstance(right, ast.Dict) else {}
    parts: _Parts = []
    position = end = 0
    text = node.left.value
    for match in _PERCENT.finditer(text):
        parts.append(text[end : match.start()])
        end = match.end()
        position += match[0].count("*")  # a width or a precision takes a value, too
        if match["kind"] == "%":
            parts.append("%")
        elif match["key"] is not None:
            parts.append(_keyed(match["key"], keys, match[0].endswith(")s")))
        elif match["kind"] and position < len(values):
            parts.append(_slot(values[position], match[0] in ("%s", "%d")))
            position += 1
        else:
            return None
    parts.append(text[end:])
    return parts


def _entries(display: ast.Dict) -> dict[str, ast.expr]:
    """Return what a mapping's display surely holds under its literal keys."""
    entries: dict[str, ast.expr] = {}
    for key, value in zip(display.keys, display.values, strict=True):
        if not isinstance(key, ast.Constant):  # ``**more``, ``name: x``: any entry of those before
            entries.clear()
        elif type(key.value) is str:
            entries[key.value] = value
    return entries


def _keyed(key: str, values: dict[str, ast.expr], plain: bool) -> _Slot:
    shown = key if key.isidentifier() else ""
    value = values.get(key)
    name = None if value is None else dotted_name(value)
    return _Slot(shown, (name or shown or None) if plain else None)


def _formatted(node: ast.Call, function: ast.Attribute) -> _Parts | None:
    if function.attr != "format" or not isinstance(function.value, ast.Constant):
        return None
    text = function.value.value
    if type(text) is not str or any(isinstance(each, ast.Starred) for each in node.args):
        return None
    keywords = {each.arg: each.value for each in node.keywords}
    parts: _Parts = []
    position = 0
    parse = string.Formatter().parse
    try:
        fields = [(*each, [name for _, name, _, _ in parse(each[2] or "")]) for each in parse(text)]
    except ValueError:
        return None
    for literal, field, spec, conversion, inner in fields:
        parts.append(literal)
        if field is None:
            continue
        key = f"{position}{field}" if _is_counted(field) else field
        position += _is_counted(field) + sum(map(_is_counted, inner))
        value = node.args[int(key)] if key.isdecimal() and int(key) < len(node.args) else None
        plain = not spec and not conversion
        if value is not None:
            parts.append(_slot(value, plain))
        elif key in keywords:
            parts.append(_Slot(key, key if plain else None))
        else:
            parts.append(_Slot(key if key.isidentifier() else "", None))
    return parts


def _is_counted(field: str | None) -> bool:
    """Tell whether a field of a format has no number or name, and takes the next value."""
    return field is not None and field[:1] in ("", ".", "[")
