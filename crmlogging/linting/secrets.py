"""Secrets and personal details that the source itself holds, in a log call (CL101, CL102)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from crmlogging.linting.calls import LogCall
from crmlogging.linting.fields import entries_of
from crmlogging.linting.findings import Remark, excerpt
from crmlogging.redaction.built_messages import built_from
from crmlogging.scrubbing import scrub

__all__ = ["judge_literals"]

_SECRETS: Final = ("[TOKEN]", "[KEY]", "[CARD]", "[IBAN]", "[REDACTED]@")
_NAME: Final = re.compile(
    r"(?:.*[_.\-])?(?:pass(?:word|wd|phrase|code)|pwd|secret|token|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|secret[_-]?key|signing[_-]?key|client[_-]?secret|authorization|credentials?"
    r"|cookie|session[_-]?id)",
    re.IGNORECASE,
)
# What is said about a secret, rather than the secret.
_STATES: Final = frozenset(
    (
        "missing expired invalid valid present absent set unset none null unknown redacted hidden "
        "masked revoked refreshed rotated required empty true false yes no ok bearer basic oauth "
        "oauth2 jwt token password changed"
    ).split()
)
_PLACE: Final = re.compile(r"[%{<\[*$]")


def judge_literals(call: LogCall) -> Iterator[Remark]:
    """Yield the literals of a call that hold a secret, and those that will be scrubbed."""
    given = [*call.arguments, *call.keywords.values()]
    if call.message is not None:
        given.append(call.message)
    for entry in entries_of(call.keywords.get("extra"), call.scope):
        given.append(entry.value)
        yield from _named(entry.name, entry.value)
    seen: set[int] = set()
    for each in given:
        yield from _within(each, seen)


def _within(node: ast.expr, seen: set[int]) -> Iterator[Remark]:
    waiting: list[ast.AST] = [node]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        match each:
            case ast.Constant(value=str() as text):
                yield from _judged(each, text)
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and type(key.value) is str:
                        yield from _named(key.value, value)
                waiting += values
            case ast.JoinedStr() | ast.BinOp():
                built = built_from(each)
                if built is None:
                    waiting += ast.iter_child_nodes(each)
                    continue
                yield from _judged(each, built.template)
                waiting += _values(each)
            case ast.keyword(arg=str() as name, value=value):
                yield from _named(name, value)
                waiting.append(value)
            case _:
                waiting += ast.iter_child_nodes(each)


def _values(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what a built text is made of besides literals, which were judged as one text."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.JoinedStr | ast.BinOp):
            yield from _values(child)
        elif not isinstance(child, ast.Constant):
            yield child


def _judged(node: ast.expr, text: str) -> Iterator[Remark]:
    scrubbed = scrub(text)
    if scrubbed == text:
        return
    pairs = enumerate(zip(text, scrubbed, strict=False))
    changed = next((at for at, (one, other) in pairs if one != other), 0)
    shown = excerpt(scrubbed, changed)
    if any(scrubbed.count(mark) > text.count(mark) for mark in _SECRETS):
        line = f'the literal "{shown}" holds a secret'
        yield Remark(node, "CL101", line, "revoke it, and take it from the environment")
    else:
        yield Remark(node, "CL102", f'the literal is shown as "{shown}"')


def _named(name: str, value: ast.expr) -> Iterator[Remark]:
    """Yield CL101 for ``password="hunter2"``, whose value alone gives nothing away."""
    if not isinstance(value, ast.Constant) or type(value.value) is not str:
        return
    text = value.value.strip()
    told = scrub(text) != text  # by its own form, then
    if not text or told or _PLACE.match(text) or text.lower() in _STATES:
        return
    if _NAME.fullmatch(name) and " " not in text:
        line = f"{excerpt(name)} is given a literal"
        yield Remark(value, "CL101", line, "revoke it, and take it from the environment")
