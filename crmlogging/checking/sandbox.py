"""The child process, kept from doing harm: it writes into a temporary directory only.

Handlers that write files get another place before they are built, whoever builds them: a
document, `configure`, an application. Limits: a handler of foreign make that opens a file or a
connection in a way of its own does so; it is told (`Sandbox.touched`). Once the sample is on its
way, no connection is made.
"""

from __future__ import annotations

import functools
import inspect
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from crmlogging.handlers import s3_options
from crmlogging.handlers.retention_file import RetentionFileHandler
from crmlogging.handlers.s3 import S3Handler

__all__ = ["Sandbox"]

_Arguments = dict[str, Any]
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
_HARMLESS: Final = ("/dev/", "/proc/")


class Sandbox:
    """Redirects what this process writes; for the life of the process.

    Args:
        directory: an empty directory that takes the files.

    Attributes:
        meant: for each redirected handler the place it was configured with.
        touched: what else was written or connected to while loading.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = str(directory)
        self.meant: dict[logging.Handler, str] = {}
        self.touched: list[str] = []
        self._quiet = False
        self._sealed = False

    def install(self) -> None:
        """Begin; call it before anything is configured."""
        sys.dont_write_bytecode = True
        _before_construction(logging.FileHandler, self._redirect_file)
        _before_construction(RetentionFileHandler, self._redirect_file)
        _before_construction(S3Handler, self._redirect_bucket)
        sys.addaudithook(self._audit)

    def seal(self) -> None:
        """Refuse all connections from now on, and note no files any more."""
        self._sealed = True

    def files_of(self, handler: logging.Handler) -> list[Path]:
        """Return the files that a redirected handler has written."""
        place = getattr(handler, "baseFilename", None)
        if handler not in self.meant or not isinstance(place, str):
            return []
        return sorted(each for each in Path(place).parent.rglob("*") if each.is_file())

    def _new_place(self) -> str:
        place = os.path.join(self._directory, f"{len(self.meant)}-{os.urandom(4).hex()}")
        os.mkdir(place, mode=0o700)
        return place

    def _redirect_file(self, handler: logging.Handler, arguments: _Arguments) -> None:
        try:
            path = os.fspath(arguments["filename"])
        except (KeyError, TypeError):
            return  # the constructor complains
        parts = str(path).replace(os.sep, "/").split("/")
        odd = isinstance(path, bytes) or ".." in parts or not str(path).isprintable()
        if odd and isinstance(handler, RetentionFileHandler):
            return  # likewise, before it writes anything
        path = os.path.abspath(os.fsdecode(path))
        if path.startswith(self._directory) or path == os.devnull:
            return
        self.meant[handler] = path
        arguments["filename"] = os.path.join(self._new_place(), os.path.basename(path))

    def _redirect_bucket(self, handler: logging.Handler, arguments: _Arguments) -> None:
        place = f"s3://{arguments.get('bucket')}/{str(arguments.get('prefix', '')).strip('/')}"
        self.meant[handler] = place.rstrip("/")
        if arguments.get("client") is None:
            s3_options.require_boto3()
            arguments["client"] = _no_client
        arguments["spool_dir"] = self._new_place()

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            if self._sealed:
                raise ConnectionRefusedError("no connections while a configuration is checked")
            self._note(f"connects to {arguments[1]!r}")
        elif event == "open" and not self._sealed and _writes(*arguments[:3]):
            path = os.path.abspath(os.fsdecode(arguments[0]))
            if not path.startswith((self._directory, *_HARMLESS)):
                self._note(f"opens {path} for writing")

    def _note(self, what: str) -> None:
        if what not in self.touched and len(self.touched) < 100:
            self.touched.append(what)


def _writes(path: object, mode: object, flags: object) -> bool:
    if not isinstance(path, str | bytes):
        return False
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & _WRITING)


def _no_client() -> Any:
    raise ConnectionRefusedError("no bucket while a configuration is checked")


def _before_construction(
    kind: type[logging.Handler], change: Callable[[logging.Handler, _Arguments], None]
) -> None:
    """Have `change` rewrite the constructor's arguments by name, also for subclasses."""
    original: Callable[..., None] = kind.__init__
    signature = inspect.signature(original)

    @functools.wraps(original)
    def construct(handler: logging.Handler, *args: Any, **options: Any) -> None:
        try:
            bound = signature.bind(handler, *args, **options)
        except TypeError:
            original(handler, *args, **options)  # raises the same, in its own words
            raise
        change(handler, bound.arguments)
        original(*bound.args, **bound.kwargs)

    setattr(kind, "__init__", construct)  # noqa: B010  # mypy forbids the plain assignment
