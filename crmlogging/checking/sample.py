"""The test itself: made-up calls with secrets, through every handler, captured not written."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import logging.handlers
import secrets
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from crmlogging.checking.sandbox import Sandbox
from crmlogging.checking.traces import Search
from crmlogging.checking.tree import Tree
from crmlogging.handlers.async_handler import AsyncHandler
from crmlogging.handlers.durable_handler import DurableHandler
from crmlogging.records import copy_of

__all__ = ["CALLS", "SAMPLE_LOGGER", "Outcome", "before", "send"]

SAMPLE_LOGGER: Final = "crmlogging_sample"
CALLS: Final = '''\
def update(logger, level, email, name):
    """Log the way careless code does."""
    logger.log(level, f"Failed to update {email}", extra={"email": email, "crm": "hubspot"})
    try:
        raise LookupError(f"no contact {name} <{email}>")
    except LookupError:
        extra = {"lead": {"name": name}}
        logger.log(level, "Failed to enrich %s", name, exc_info=True, extra=extra)
'''
"""The sample, in a file of its own: the lines show templates only for code that has a source."""
_DRAIN_SECONDS: Final = 5.0
_LEVEL: Final = logging.ERROR
_LINES_SHOWN: Final = 4


class Secrets(NamedTuple):
    """What the sample logs, and nobody could allow by its shape."""

    email: str
    name: str


class Outcome(NamedTuple):
    """What one handler made of the sample.

    Attributes:
        lines: as it wrote, or would have handed on, them; None if the sample did not reach it.
        leaks: the secrets found, by name and form.
    """

    lines: list[str] | None
    leaks: list[str]


class _Capture:
    """What one handler writes, from now on."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.unseen: list[str] = []
        """Attributes that a handler of unknown make can send as well, though no line shows them."""

    def outcome(self, search: Search, names: tuple[str, ...]) -> Outcome:
        text = "\n".join((*self.texts, *self.unseen))
        leaks = [f"{names[each.position - 1]} ({each.form})" for each in search.traces(text)]
        lines = [line for each in self.texts for line in each.splitlines() if line]
        return Outcome(lines[:_LINES_SHOWN] if self.texts else None, leaks)


def _calling(directory: Path) -> Callable[..., None]:
    """Return the sample's function, from a file: as the calls of any application."""
    path = directory / "sample.py"
    path.write_text(CALLS, "utf-8")
    spec = importlib.util.spec_from_file_location(SAMPLE_LOGGER, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Places are shown relative to sys.path.
    sys.path.append(str(directory))
    sys.modules[SAMPLE_LOGGER] = module
    spec.loader.exec_module(module)
    update: Callable[..., None] = module.update
    return update


def _made_up() -> Secrets:
    return Secrets(f"ada.{secrets.token_hex(4)}@example.com", f"Ada-{secrets.token_hex(4)}")


def before(directory: Path) -> list[str]:
    """Return what the standard library's formatter makes of the sample."""
    stream = io.StringIO()
    logger = logging.Logger(SAMPLE_LOGGER)  # noqa: LOG001  # not of the tree that is checked
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    logger.addHandler(handler)
    _calling(directory)(logger, _LEVEL, *_made_up())
    return stream.getvalue().splitlines()


def send(tree: Tree, sandbox: Sandbox, directory: Path) -> Mapping[logging.Handler, Outcome]:
    """Log the sample below each logger that has handlers; return what each handler made of it."""
    update, made_up = _calling(directory), _made_up()
    captures = {handler: _Capture() for handler in tree.handlers}
    written = {path: path.stat().st_size for h in captures for path in sandbox.files_of(h)}
    for handler, capture in captures.items():
        _tap(handler, capture, tree, sandbox)
    disabled, logging.root.manager.disable = logging.root.manager.disable, 0
    for logger in tree.loggers:
        alone = not tree.way_of(logger)
        if alone or logger is logging.root or not all(map(_is_silent, logger.handlers)):
            prefix = "" if logger is logging.root else f"{logger.name}."
            below = logging.getLogger(prefix + SAMPLE_LOGGER)
            levels = (handler.level for handler in tree.handlers)
            update(below, max(_LEVEL, below.getEffectiveLevel(), *levels), *made_up)
    logging.root.manager.disable = disabled
    _deliver(captures)
    for handler, capture in captures.items():
        for path in sandbox.files_of(handler):
            text = path.read_bytes()[written.get(path, 0) :].decode("utf-8", "replace")
            capture.texts += [text] if text else []
    search = Search(made_up)
    return {h: capture.outcome(search, made_up._fields) for h, capture in captures.items()}


def _is_silent(handler: logging.Handler) -> bool:
    """Libraries give their loggers one that does nothing."""
    return isinstance(handler, logging.NullHandler)


def _deliver(captures: Mapping[logging.Handler, _Capture]) -> None:
    for handler in captures:
        with contextlib.suppress(Exception):  # foreign code; its sample is then incomplete
            if isinstance(handler, AsyncHandler):
                handler.drain(_DRAIN_SECONDS)
            elif isinstance(handler, logging.handlers.MemoryHandler) and handler.target:
                handler.flush()


def _tap(handler: Any, capture: _Capture, tree: Tree, sandbox: Sandbox) -> None:
    """Have `handler` write into `capture`."""
    if isinstance(handler, logging.NullHandler):
        return
    if isinstance(handler, DurableHandler):
        _replace(handler, "_store", _stored_into(capture))
    elif isinstance(handler, logging.handlers.QueueHandler):
        # With targets of its own it delivers to them; only what it hands on is of interest.
        if not isinstance(handler, AsyncHandler) or not tree.targets(handler):
            _replace(handler, "enqueue", _passed_to(tree.targets(handler), capture))
    elif isinstance(handler, logging.handlers.MemoryHandler) and handler.target:
        return
    elif isinstance(handler, logging.FileHandler) and handler in sandbox.meant:
        return  # it writes its file, which is in the sandbox
    elif not isinstance(handler, logging.StreamHandler) or not _takes_stream(handler, capture):
        _replace(handler, "emit", _emitted_into(handler, capture))


def _replace(handler: logging.Handler, method: str, function: Callable[..., None]) -> None:
    with contextlib.suppress(AttributeError, TypeError):  # slots: then nothing is captured
        setattr(handler, method, function)


class _Stream(io.StringIO):
    def __init__(self, capture: _Capture) -> None:
        super().__init__()
        self._capture = capture

    def write(self, text: str) -> int:
        self._capture.texts.append(text)
        return len(text)


def _takes_stream(handler: Any, capture: _Capture) -> bool:
    try:
        handler.stream = _Stream(capture)
    except AttributeError:  # a property: logging.lastResort
        return False
    return True


def _stored_into(capture: _Capture) -> Callable[..., None]:
    def store(tier: str, lines: bytes, count: int, level: int, when: float) -> None:
        capture.texts.append(lines.decode("utf-8", "replace"))

    return store


def _emitted_into(handler: logging.Handler, capture: _Capture) -> Callable[..., None]:
    def emit(record: logging.LogRecord) -> None:
        capture.unseen.append(" ".join(_attributes(record)))
        capture.texts.append(handler.format(copy_of(record)))

    return emit


def _passed_to(targets: tuple[logging.Handler, ...], capture: _Capture) -> Callable[..., None]:
    def enqueue(record: logging.LogRecord) -> None:
        if not targets:
            capture.unseen.append(" ".join(_attributes(record)))
            capture.texts.append(record.getMessage())
        for target in targets:  # in a thread, as a listener does: without context and call site
            worker = threading.Thread(target=target.handle, args=(copy_of(record),))
            worker.start()
            worker.join()

    return enqueue


def _attributes(record: logging.LogRecord) -> Iterator[str]:
    for name, value in vars(record).items():
        with contextlib.suppress(Exception):  # any object of the caller's
            yield f"{name}={value!r}"
    exception = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    if exception is not None:
        yield repr(exception)


def is_json(lines: list[str] | None) -> bool:
    """Tell whether each line is a JSON object; True where there is none."""
    import json

    try:
        return all(isinstance(json.loads(line), dict) for line in lines or ())
    except ValueError:
        return False
