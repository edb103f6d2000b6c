"""The message itself: where it comes from (CL001 to CL003), its first word (CL302)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from crmlogging.linting.allowlists import Allowed
from crmlogging.linting.calls import LogCall
from crmlogging.linting.findings import Remark, excerpt
from crmlogging.linting.messages import Outcome, Verdict, verdict_on
from crmlogging.linting.scopes import Index
from crmlogging.linting.verbs import is_verb
from crmlogging.scrubbing import scrub

__all__ = ["judge_message", "judge_verb"]

_ARGUMENTS: Final = 'write the sentence as a literal, as in "Failed %s", name'
_EXCEPTION: Final = "say what failed, and pass the exception as exc_info=error"
_SPEC: Final = re.compile(r"[-0+ ]?\d*(?:\.\d+)?[dfeEgGxXs]")
_CONVERSIONS: Final = {-1: "%s", ord("s"): "%s", ord("r"): "%r", ord("a"): "%a"}
_EXPRESSION_CHARACTERS: Final = 40
_TEXT_CHARACTERS: Final = 200
_FIRST_WORD: Final = re.compile(r"[^\w{%]*([A-Za-z]+(?:['’-][A-Za-z]+)*)?")


def judge_message(call: LogCall, index: Index, allowed: Allowed) -> Iterator[Remark]:
    """Yield what is wrong with where the message comes from."""
    if call.message is None:
        if call.arguments:
            yield Remark(call.arguments[0], "CL003", "the message is handed in by the caller")
        return
    node = call.message
    verdict = verdict_on(node, call.scope, index)
    if verdict.outcome is Outcome.DYNAMIC:
        line = f"the message reads [DYNAMIC MESSAGE]: {excerpt(verdict.reason)}"
        yield Remark(node, "CL001", line, _ARGUMENTS)
    elif verdict.outcome is Outcome.CALLER:
        yield Remark(node, "CL003", "the message is handed in by the caller")
    elif verdict.outcome is Outcome.RAISED:
        line = "the message is an exception, shown as the template of its own text"
        yield Remark(node, "CL002", line, _EXCEPTION)
    elif verdict.outcome is Outcome.BUILT:
        yield _built(node, verdict, allowed)


def _built(node: ast.expr, verdict: Verdict, allowed: Allowed) -> Remark:
    if not allowed.built:
        line = 'the message reads [DYNAMIC MESSAGE]: messages="literal" shows none that is built'
        return Remark(node, "CL001", line, _ARGUMENTS)
    built = verdict.built
    assert built is not None
    line = f'the message is built at run time, shown as "{excerpt(built.template)}"'
    if "" in built.literals[1:-1]:
        line += ", without the values, which nothing tells apart"
    literal = _as_literal(node)
    if literal is None:
        return Remark(node, "CL002", line, _ARGUMENTS)
    return Remark(node, "CL002", line, f"write {literal}")


def _as_literal(node: ast.expr) -> str | None:
    """Return an f-string or ``"..." % x`` as message and arguments; None where that is unclear."""
    text: str | None
    match node:
        case ast.JoinedStr(values=values):
            text, given = _of_pieces(values)
        case ast.BinOp(left=ast.Constant(value=str() as text), op=ast.Mod(), right=right):
            if isinstance(right, ast.Dict | ast.Starred):
                return None
            # A lone name may hold a tuple or a mapping; as an argument it means the same.
            given = list(right.elts) if isinstance(right, ast.Tuple) else [right]
        case _:
            return None
    shown = [ast.unparse(each) for each in given]
    if (
        text is None
        or not shown
        or max(map(len, shown)) > _EXPRESSION_CHARACTERS
        or not text.isprintable()
    ):
        return None
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    literal = f'"{quoted}", {", ".join(shown)}'
    return literal if len(literal) <= _TEXT_CHARACTERS and scrub(literal) == literal else None


def _of_pieces(values: list[ast.expr]) -> tuple[str | None, list[ast.expr]]:
    """Return the pieces of an f-string as text with % places, None where that is not the same."""
    text = ""
    given: list[ast.expr] = []
    for value in values:
        if isinstance(value, ast.Constant):
            text += str(value.value).replace("%", "%%")
        elif isinstance(value, ast.FormattedValue):
            place = _CONVERSIONS.get(value.conversion, "%s")
            match value.format_spec:
                case None:
                    text += place
                case ast.JoinedStr(values=[ast.Constant(value=str() as spec)]):
                    if not _SPEC.fullmatch(spec):
                        return None, []
                    text += f"%{spec}"
                case _:
                    return None, []
            given.append(value.value)
    return text, given


def judge_verb(call: LogCall, index: Index) -> Iterator[Remark]:
    """Yield a remark if the message is known and starts with something else than a verb."""
    if call.message is None:
        return
    text = _beginning(call.message, call, index)
    if text is None:
        return
    found = _FIRST_WORD.match(text)
    word = (found[1] if found else None) or ""
    if not is_verb(word.lower()):
        first = f'"{excerpt(word)}"' if word else "no word"
        yield Remark(call.message, "CL302", f"the message starts with {first}, which is no verb")


def _beginning(node: ast.expr, call: LogCall, index: Index) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if type(node.value) is str else None
    built = verdict_on(node, call.scope, index).built
    return None if built is None else built.template
