"""The source behind a running frame, and the expression at an instruction of it.

Source counts only when compiling it gives the running code: a deploy may have swapped the file
under a long-lived process, and a template read from another version would be a wrong one. Where
a tool rewrote the function (pytest its asserts), the instructions of the very expression must
be the same instead.
"""

from __future__ import annotations
import __future__

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from types import CodeType
from typing import TYPE_CHECKING, Any, Final

from crmlogging.redaction.call_site import Span, span_at
from crmlogging.redaction.parsed import Parsed, nested, span_of
from crmlogging.redaction.pieces import beginning_of, pieces_from
from crmlogging.redaction.source_text import NotNow, is_outdated, loaded_code, text_of

if TYPE_CHECKING:
    import ast

__all__ = ["Place", "call_at", "is_source_of", "raise_at", "spelled_out", "texts_of_file"]

_FILES_KEPT: Final = 32
_WHOLE: Final = -1
_ATTEMPTS: Final = 3


class Place:
    """An expression of the running program, found in its source.

    Attributes:
        node: the call, or the raise statement.
        scope: the function, lambda, class body or module around it.
        parsed: the file, or the piece of one, that it stands in.
    """

    def __init__(self, node: ast.AST, scope: ast.AST, parsed: Parsed, code: CodeType) -> None:
        self.node = node
        self.scope = scope
        self.parsed = parsed
        self._code = code

    def runs(self, node: ast.expr) -> bool:
        """Tell whether `node`, of the same scope, is what the running code holds there."""
        return self.parsed.compiled(self._code, span_of(node))

    def runs_whole(self) -> bool:
        """Tell whether all of the running code is what stands there, between such nodes too."""
        return self.parsed.gives(self._code)


_lock = threading.RLock()
_files: dict[tuple[str, int], Parsed | None] = {}
"""By name of the file and, of a piece, the number of lines before it."""
_annotations: Final = __future__.annotations.compiler_flag
_reading: set[str] = set()
_exhausted: dict[str, int] = {}


def call_at(code: CodeType, offset: int, namespace: dict[str, Any]) -> Place | None:
    """Return the call that the instruction at byte `offset` makes, or None.

    Args:
        code: the running code.
        offset: ``f_lasti`` of its frame.
        namespace: ``f_globals``, whose loader may hold the source (zip files).
    """
    import ast

    return _node_at(code, offset, namespace, ast.Call)


def is_source_of(code: CodeType, namespace: dict[str, Any]) -> bool:
    """Tell whether there is source that compiles to `code`."""
    file = _file(code.co_filename, namespace)
    return file is not None and file.gives(code)


def texts_of_file(code: CodeType, namespace: dict[str, Any]) -> frozenset[str]:
    """Return the literals with a space of the whole file of `code`; empty without source."""
    file = _file(code.co_filename, namespace)
    return frozenset() if file is None else file.texts


def spelled_out(code: CodeType, namespace: dict[str, Any], texts: Iterable[str]) -> tuple[str, ...]:
    """Return those of `texts`, constants of `code`, that its file spells out.

    Code made from a text may name any file as its own (a template's, its generator's), and hold
    anybody's data. Without a text (``.pyc`` only) the module's loader has to give this very code.
    """
    texts = tuple(texts)
    found = _spelled(code, namespace, texts)
    if len(found) < len(texts) and _is_changed(code.co_filename):
        return _spelled(code, namespace, texts)
    return found


def _spelled(code: CodeType, namespace: dict[str, Any], texts: tuple[str, ...]) -> tuple[str, ...]:
    source = text_of(code.co_filename, namespace)
    if source is None:
        loaded = loaded_code(namespace)
        given = loaded is not None and any(each == code for each in nested(loaded))
        return texts if given else ()
    found: list[str] = []
    others: list[str] = []
    for text in texts:
        (found if text in source else others).append(text)
    if others:  # written with escapes, or in parts
        file = _file(code.co_filename, namespace)
        constants = frozenset() if file is None else file.constants
        found += [text for text in others if text in constants]
    return tuple(found)


def raise_at(code: CodeType, offset: int, namespace: dict[str, Any]) -> Place | None:
    """Return the raise statement at byte `offset` of `code`, or None."""
    import ast

    return _node_at(code, offset, namespace, ast.Raise)


def _node_at(
    code: CodeType, offset: int, namespace: dict[str, Any], kind: type[ast.expr | ast.stmt]
) -> Place | None:
    span = span_at(code, offset)
    if span is None:
        return None
    found = _found(code, namespace, span, kind)
    if found is None and _is_changed(code.co_filename):
        return _found(code, namespace, span, kind)
    return found


def _found(
    code: CodeType, namespace: dict[str, Any], span: Span, kind: type[ast.expr | ast.stmt]
) -> Place | None:
    for parsed in _around(code, namespace, span):
        try:
            found = parsed.find(span, kind) if parsed.compiled(code, span) else None
        except (RecursionError, MemoryError, LookupError, ValueError):  # nested too deeply to walk
            continue
        # The scope of what stands in no function is the file, not a piece of it.
        if found is not None and (parsed.whole or found[1] is not parsed.tree):
            return Place(*found, parsed, code)
    return None


def _around(code: CodeType, namespace: dict[str, Any], span: Span) -> Iterator[Parsed]:
    """Yield where the source of `code` may be found: the definition around it, the file."""
    file, text = code.co_filename, text_of(code.co_filename, namespace)
    if text is None:
        return
    lines = text.split("\n")
    start = beginning_of(lines, code.co_qualname.partition(".")[0], span.line)
    if start is not None:
        flags = code.co_flags & _annotations
        piece = _kept(
            file, start, lambda: _parsed(pieces_from(lines, start, span.line), file, flags)
        )
        if piece is not None:
            yield piece
    whole = _file(file, namespace)
    if whole is not None:
        yield whole


def _file(filename: str, namespace: dict[str, Any]) -> Parsed | None:
    """Return a whole file; None for one that cannot be read or is too large."""

    def read() -> Parsed | None:
        text = text_of(filename, namespace)
        return None if text is None else _parsed((text,), filename)

    return _kept(filename, _WHOLE, read)


def _kept(filename: str, start: int, read: Callable[[], Parsed | None]) -> Parsed | None:
    key = (filename, start)
    with _lock:
        if filename in _reading:  # compiling may warn, a signal may come: both may log
            raise NotNow
        if key not in _files:
            if len(_files) >= _FILES_KEPT:
                _files.pop(next(iter(_files)))
            _reading.add(filename)
            try:
                parsed = read()
            except (RecursionError, MemoryError):
                # The end of the stack, or a source nested beyond what the parser can walk.
                _exhausted[filename] = _exhausted.get(filename, 0) + 1
                if _exhausted[filename] < _ATTEMPTS:
                    raise NotNow from None
                parsed = None
            finally:
                _reading.discard(filename)
            _files[key] = parsed
        return _files[key]


def _is_changed(filename: str) -> bool:
    """Forget what was read of a file that is another one now; tell whether it is.

    A module may be loaded again. Only for code that the old text does not give: what a deploy
    has put under a running process gives none of it.
    """
    if not is_outdated(filename):
        return False
    with _lock:
        for key in [key for key in _files if key[0] == filename]:
            del _files[key]
    return True


def _after_fork() -> None:
    """Renew the lock that another thread may have held at the fork."""
    global _lock
    _lock = threading.RLock()
    _reading.clear()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)


def _parsed(texts: Iterable[str], filename: str, flags: int | None = None) -> Parsed | None:
    """Parse and compile the first text that can be.

    Args:
        texts: a file, or what may be a piece of it.
        filename: of the file.
        flags: of the compiler, from beyond a piece; None for a whole file.
    """
    import ast

    for text in texts:
        try:
            tree = ast.parse(text)
            code = compile(text, filename, "exec", flags or 0, dont_inherit=True)
        except (RecursionError, MemoryError):
            raise
        except Exception:  # noqa: BLE001  # no Python, or what no version of it can compile
            continue
        return Parsed(tree, code, whole=flags is None)
    return None
