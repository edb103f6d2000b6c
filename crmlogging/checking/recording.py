"""All that this process writes meanwhile: lines of all handlers, files, streams, warnings.

Handlers are watched where they make their lines, so it does not matter where those go. A handler
that makes none (it sends attributes) counts with all that reaches it. Test runners' own
handlers, which show a person what was logged, do not count.
"""

from __future__ import annotations

import functools
import gzip
import logging
import logging.handlers
import os
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from crmlogging.checking.streams import Streams
from crmlogging.checking.tree import Tree, class_name
from crmlogging.handlers.async_handler import AsyncHandler
from crmlogging.handlers.durable_handler import DurableHandler
from crmlogging.handlers.safe_handler import SafeHandler

__all__ = ["Recording", "Written"]

_RUNNERS: Final = ("_pytest.", "unittest.")
_DRAIN_SECONDS: Final = 5.0
_HOLDING: Final = (
    *(logging.handlers.QueueHandler, logging.handlers.BufferingHandler, logging.NullHandler),
)
_MAKING_LINES: Final = (logging.StreamHandler, SafeHandler, *_HOLDING)
"""Handlers that write nothing but what `format` returned, or nothing at all."""


class Written(NamedTuple):
    """One text that came out.

    Attributes:
        where: the handler, stream or file.
        source: logger and place of the call, where known.
        text: what was written.
    """

    where: str
    source: str
    text: str


class Recording:
    """Records from `start` to `stop`. Recordings may be nested."""

    def __init__(self) -> None:
        self._active = False
        self._lines: dict[Written, None] = {}
        self._shown: list[str] = []
        """What a test runner shows of it."""
        self._made_by: dict[int, int] = {}
        self._warned: list[Written] = []
        self._handlers: dict[logging.Handler, None] = {}
        self._watched: set[type] = set()
        self._undo: list[Callable[[], None]] = []

    def start(self) -> None:
        """Begin to record."""
        self._active = True
        self._handlers = dict.fromkeys(_living())
        self._sizes = {_identity(path): path.stat().st_size for path in self._files()}
        self._wrap(logging.Handler, "__init__", self._on_construction)
        self._wrap(DurableHandler, "_line", self._on_line)
        self._watch(logging.Handler)
        self._watch_warnings()
        self._streams = Streams()

    def stop(self) -> list[Written]:
        """End; return what came out, nothing twice."""
        for handler in self._handlers:
            if isinstance(handler, AsyncHandler):
                handler.drain(_DRAIN_SECONDS)
        streams = self._streams.finish()
        self._active = False
        for undo in reversed(self._undo):
            undo()
        told = [each.text for each in self._lines] + self._shown
        rest = [Written(name, "", text) for name, text in streams.items()]
        rest += self._written_files()
        return [
            *self._lines,
            *self._warned,
            *(each._replace(text=_without(told, each.text)) for each in rest),
        ]

    def _wrap(self, owner: type, name: str, watch: Callable[..., Any]) -> None:
        """Have `watch(original, *arguments)` take the place of a method, until `stop`."""
        original = vars(owner)[name]

        @functools.wraps(original)
        def method(*arguments: Any, **options: Any) -> Any:
            if not self._active:  # somebody keeps it beyond the end
                return original(*arguments, **options)
            return watch(original, *arguments, **options)

        def undo() -> None:
            if vars(owner).get(name) is method:
                setattr(owner, name, original)

        setattr(owner, name, method)
        self._undo.append(undo)

    def _watch(self, kind: type[logging.Handler]) -> None:
        """Watch a class of handlers and all that are derived from it."""
        if kind not in self._watched:
            self._watched.add(kind)
            if "format" in vars(kind):
                self._wrap(kind, "format", self._on_line)
            lines = issubclass(kind, _MAKING_LINES) or _is_runner(kind)
            if "emit" in vars(kind) and not lines and kind is not logging.Handler:
                self._wrap(kind, "emit", self._on_emit)
        for each in kind.__subclasses__():
            self._watch(each)

    def _on_construction(
        self, original: Any, handler: logging.Handler, *args: Any, **opts: Any
    ) -> None:
        original(handler, *args, **opts)
        self._handlers[handler] = None
        # Its class may have been imported a moment ago.
        for kind in reversed(type(handler).__mro__):
            if issubclass(kind, logging.Handler):
                self._watch(kind)

    def _made(self) -> int:
        """Return how many lines this thread has made."""
        return self._made_by.get(threading.get_ident(), 0)

    def _on_line(self, original: Any, handler: logging.Handler, record: logging.LogRecord) -> Any:
        line = original(handler, record)
        self._made_by[threading.get_ident()] = self._made() + 1
        text = line.decode("utf-8", "replace") if isinstance(line, bytes) else str(line)
        if _is_runner(type(handler)):
            self._shown.append(text)
        elif not isinstance(handler, _HOLDING) or isinstance(handler, SafeHandler):
            self._lines[Written(_name(handler), _source(record), text)] = None
        return line

    def _on_emit(self, original: Any, handler: logging.Handler, record: logging.LogRecord) -> Any:
        before = self._made()
        try:
            return original(handler, record)
        finally:
            if self._made() == before:
                text = "\n".join(_attributes(record))
                self._lines[Written(_name(handler), _source(record), text)] = None

    def _watch_warnings(self) -> None:
        """Warnings that nobody catches and that do not go to logging end on stderr."""
        original = warnings.showwarning

        def show(message: Any, category: Any, filename: str, lineno: int, *rest: Any) -> None:
            if self._active and original is not logging._showwarning:  # type: ignore[attr-defined]  # private, no other way
                text = warnings.formatwarning(message, category, filename, lineno)
                source = f"{os.path.basename(filename)}:{lineno}"
                self._warned.append(Written("a warning", source, text))
            original(message, category, filename, lineno, *rest)

        def undo() -> None:
            if warnings.showwarning is show:
                warnings.showwarning = original
            elif logging._warnings_showwarning is show:  # type: ignore[attr-defined]  # private, no other way
                logging._warnings_showwarning = original  # type: ignore[attr-defined]  # private, no other way

        warnings.showwarning = show  # type: ignore[assignment]  # the rest is handed on as it is
        self._undo.append(undo)

    def _files(self) -> Iterator[Path]:
        """Yield the files of all handlers known, rotated ones and spools too."""
        folders: set[tuple[Path, str]] = set()
        for handler in self._handlers:
            place = getattr(handler, "baseFilename", None)
            if isinstance(place, str):
                path = Path(place)
                folders.add((path.parent, f"{path.stem}*"))
            spool = getattr(getattr(handler, "_spool", None), "directory", None)
            if isinstance(spool, str | Path):
                folders.add((Path(spool), "**/*"))
        for folder, pattern in sorted(folders):
            yield from (each for each in sorted(folder.glob(pattern)) if each.is_file())

    def _written_files(self) -> Iterator[Written]:
        for path in self._files():
            try:
                known = self._sizes.get(_identity(path), 0)
                content = path.read_bytes()
                text = _plain(content[known if known <= len(content) else 0 :])
            except (OSError, EOFError):  # moved on meanwhile; damaged
                continue
            if text:
                yield Written(f"the file {path.name}", "", f"{path.name}\n{text}")


def _living() -> Iterable[logging.Handler]:
    references = logging._handlerList  # type: ignore[attr-defined]  # private, no other way
    listed = (reference() for reference in list(references))
    return [*Tree().handlers, *(each for each in listed if each is not None)]


def _is_runner(kind: type) -> bool:
    return kind.__module__.startswith(_RUNNERS)


def _name(handler: logging.Handler) -> str:
    kind = class_name(handler)
    return f"handler {handler.name!r} ({kind})" if handler.name else f"a {kind}"


def _source(record: logging.LogRecord) -> str:
    return f"{record.name} at {os.path.basename(record.pathname)}:{record.lineno}"


def _attributes(record: logging.LogRecord) -> Iterator[str]:
    """Yield all that a handler may take from a record; code of the caller's objects may fail."""
    for name, value in {**vars(record), "message": None}.items():
        try:
            yield f"{name}={record.getMessage() if name == 'message' else value!r}"
        except Exception:  # noqa: BLE001  # any object of the caller's
            yield f"{name}=?"
    if isinstance(record.exc_info, tuple):
        yield repr(record.exc_info[1])


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _plain(content: bytes) -> str:
    if content.startswith(b"\x1f\x8b"):  # RFC 1952 section 2.3.1
        content = gzip.decompress(content)
    return content.decode("utf-8", "replace")


def _without(told: Iterable[str], text: str) -> str:
    """Return `text` without the lines that are told already, under their handler's name."""
    known = {line for each in told for line in each.splitlines()}
    return "\n".join(line for line in text.splitlines() if line not in known)
