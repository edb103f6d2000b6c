"""What lint has to say about one place: a remark about a node, then a finding in a file."""

from __future__ import annotations

import ast
from typing import Final, NamedTuple

from crmlogging.linting.rules import RULES
from crmlogging.scrubbing import scrub

__all__ = ["Finding", "Remark", "excerpt"]

_EXCERPT_CHARACTERS: Final = 80
_BEFORE_CHARACTERS: Final = 30


class Remark(NamedTuple):
    """A finding that does not know its file yet.

    Attributes:
        node: the expression it is about.
        code: a key of `RULES`.
        message: one sentence without its full stop.
        suggestion: what to write instead, or "".
    """

    node: ast.expr
    code: str
    message: str
    suggestion: str = ""


class Finding(NamedTuple):
    """One place where a rule does not hold; sorts by place.

    Attributes:
        path: as the file was named.
        line: from 1.
        column: in characters, from 1.
        code: a key of `RULES`.
        message: one sentence without its full stop.
        suggestion: what to write instead, or "".
    """

    path: str
    line: int
    column: int
    code: str
    message: str
    suggestion: str = ""

    def as_json(self) -> dict[str, str | int]:
        """Return the finding as ``--json`` shows it; the names are stable."""
        return {
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "code": self.code,
            "severity": RULES[self.code].severity,
            "message": self.message,
            "suggestion": self.suggestion,
        }

    def __str__(self) -> str:
        tail = f"; {self.suggestion}" if self.suggestion else ""
        return f"{self.path}:{self.line}:{self.column}: {self.code} {self.message}{tail}"


def excerpt(text: str, at: int = 0) -> str:
    """Return a piece of the checked source as it may be shown: scrubbed, on one line, short.

    Args:
        at: a place in the text that is to be seen.
    """
    shown = scrub(text)
    start = max(0, at - _BEFORE_CHARACTERS)
    cut = " ".join(shown[start:].split())
    shown = f"…{cut}" if start else cut
    if len(shown) > _EXCERPT_CHARACTERS:
        shown = f"{shown[: _EXCERPT_CHARACTERS - 1]}…"
    return "".join(c if c.isprintable() else "�" for c in shown)
