"""The files to check: which of the paths given, and what stands in one."""

from __future__ import annotations

import ast
import io
import os
import re
import tokenize
import warnings
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from crmlogging.storage.given import read_given

__all__ = ["Source", "SourceError", "files_under", "read"]

_SUFFIXES: Final = (".py", ".pyw")
_NOTEBOOK: Final = ".ipynb"
_LEFT_OUT: Final = frozenset(
    (
        *(".git", ".hg", ".svn", ".venv", "venv", ".nox", ".tox", ".eggs", "__pycache__"),
        *(".mypy_cache", ".ruff_cache", ".pytest_cache", "node_modules", "build", "dist"),
        *("site-packages", "__pypackages__"),
    )
)
# Such a file is a table somebody generated; parsing it takes seconds.
_LARGE_BYTES: Final = 1_000_000
_LARGEST_BYTES: Final = 32_000_000
"""Nobody writes more in one file; a device has no end."""
_MAY_LOG: Final = re.compile(
    rb"\b(?:debug|info|warn|warning|error|critical|fatal|exception|log|LoggerAdapter)\s*\("
    rb"|\blogging\b"
)
_MARK: Final = re.compile(r"#\s*crmlogging:\s*ignore(?:\[(?P<codes>[A-Za-z0-9_,\s]*)\])?(?=\s|#|$)")


class SourceError(Exception):
    """A file that cannot be checked; its text says why."""


class Source(NamedTuple):
    """A file that was read.

    Attributes:
        tree: None where nothing in the file can be a log call.
        lines: as they stand in the file.
        ignored: line to the codes that a comment on it silences; an empty set is all of them.
    """

    tree: ast.Module | None
    lines: list[str]
    ignored: dict[int, frozenset[str]]

    def column(self, node: ast.expr) -> int:
        """Return where `node` begins in its line, in characters from 1; `ast` counts bytes."""
        line = self.lines[node.lineno - 1] if node.lineno <= len(self.lines) else ""
        before = line.encode("utf-8", "surrogatepass")[: node.col_offset]
        return len(before.decode("utf-8", "replace")) + 1


def files_under(paths: Iterable[str], problems: list[str]) -> Iterator[str]:
    """Yield each file to check once, sorted within each path given.

    A file that is named is read whatever its suffix, but for notebooks; of a folder all Python
    files are, except in folders that hold other people's code or what tools made. Links to
    folders are not followed.

    Args:
        problems: gets a sentence for each folder that cannot be listed.
    """
    seen: set[str] = set()
    for path in paths:
        found = _below(path, problems) if os.path.isdir(path) else iter([path])
        for file in found:
            real = os.path.realpath(file)
            if real not in seen and not file.endswith(_NOTEBOOK):
                seen.add(real)
                yield file


def _below(folder: str, problems: list[str]) -> Iterator[str]:
    def note(error: OSError) -> None:
        problems.append(f"{error.filename}: cannot be listed ({error.strerror})")

    for place, folders, names in os.walk(folder, onerror=note):
        folders[:] = sorted(name for name in folders if not _is_left_out(place, name))
        for name in sorted(names):
            file = os.path.normpath(os.path.join(place, name))
            if name.endswith(_SUFFIXES) and os.path.isfile(file):
                yield file


def _is_left_out(place: str, name: str) -> bool:
    """A virtual environment may have any name."""
    if name in _LEFT_OUT or name.endswith(".egg-info"):
        return True
    return os.path.isfile(os.path.join(place, name, "pyvenv.cfg"))


def read(path: str) -> Source:
    """Read and parse one file.

    Raises:
        SourceError: it cannot be read, or is not Python.
    """
    try:
        content = read_given(path, _LARGEST_BYTES)
    except OSError as error:
        raise SourceError(f"cannot be read ({error.strerror})") from error
    may_log = _MAY_LOG.search(content) is not None
    if not may_log and len(content) > _LARGE_BYTES:
        return Source(None, [], {})
    tree = _parsed(content)
    if not may_log:
        return Source(None, [], {})
    lines, text = _decoded(content)
    return Source(tree, lines, _ignored(text) if "crmlogging:" in text else {})


def _parsed(content: bytes) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the checked code's escapes and comparisons
            return ast.parse(content)
    except SyntaxError as error:
        where = f"line {error.lineno}: " if error.lineno else ""
        raise SourceError(f"{where}is not Python ({error.msg})") from error
    except ValueError as error:
        raise SourceError(f"is not Python ({error})") from error
    except (RecursionError, MemoryError) as error:
        raise SourceError("is nested too deeply") from error


def _decoded(content: bytes) -> tuple[list[str], str]:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    text = content.decode(encoding, "replace")
    # As the parser counts lines: form feeds and U+2028 end none.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines, "\n".join(lines)


def _ignored(text: str) -> dict[int, frozenset[str]]:
    """Find the comments that silence; the same words in a string do not."""
    found: dict[int, frozenset[str]] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and (match := _MARK.search(token.string)):
                codes = (match["codes"] or "").upper().replace(",", " ").split()
                if match["codes"] is None or codes:
                    found[token.start[0]] = frozenset(codes)
    except (tokenize.TokenError, SyntaxError):
        pass  # the parser is content, so what was found so far stands
    return found
