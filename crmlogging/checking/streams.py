"""What goes to stdout and stderr meanwhile, by whatever way: ``print``, a child process, C code."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
from typing import Any, Final

__all__ = ["Streams"]

_NAMES: Final = ("stdout", "stderr")


class _Tee:
    """A stream that also remembers what is written to it; all else is the stream's own."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.written: list[str] | None = []

    def write(self, text: str) -> Any:
        if self.written is not None:
            self.written.append(text)
        return self._stream.write(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Descriptor:
    """What comes to a descriptor, by whoever holds it, child processes included."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._kept: int | None = None
        self._start = 0
        self._file: Any = None
        if os.isatty(number):  # a person at a debugger's prompt wants to see it
            return
        if _is_readable_file(number):  # as of a test runner that captures output
            self._start = os.fstat(number).st_size
            return
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # until `finish`
        self._kept = os.dup(number)
        os.dup2(self._file.fileno(), number)

    def finish(self) -> bytes:
        """Return what came, and pass on what was held back."""
        if self._kept is None:
            return self._read_file() if not os.isatty(self.number) else b""
        os.dup2(self._kept, self.number)
        os.close(self._kept)
        with self._file:
            self._file.seek(0)
            written: bytes = self._file.read()
        rest = memoryview(written)
        with contextlib.suppress(OSError):  # nobody reads that pipe any more
            while rest:
                rest = rest[os.write(self.number, rest) :]
        return written

    def _read_file(self) -> bytes:
        if not _is_readable_file(self.number):  # the runner took it back
            return b""
        size = os.fstat(self.number).st_size
        start = self._start if size >= self._start else 0  # emptied by who reads it
        return os.pread(self.number, size - start, start)


def _is_readable_file(number: int) -> bool:
    try:
        os.pread(number, 1, 0)
        return stat.S_ISREG(os.fstat(number).st_mode)
    except (OSError, AttributeError):  # opened for writing only; Windows has no pread
        return False


class Streams:
    """Watches stdout and stderr, from construction to `finish`."""

    def __init__(self) -> None:
        self._tees: dict[str, _Tee] = {}
        self._descriptors: list[tuple[str, _Descriptor]] = []
        seen: set[tuple[int, int]] = set()
        for name in _NAMES:
            stream = getattr(sys, name)
            if stream is None:
                continue
            for number in _numbers(stream, _NAMES.index(name) + 1):
                status = os.fstat(number)
                if (status.st_dev, status.st_ino) not in seen:
                    seen.add((status.st_dev, status.st_ino))
                    self._descriptors.append((name, _Descriptor(number)))
            self._tees[name] = tee = _Tee(stream)
            setattr(sys, name, tee)

    def finish(self) -> dict[str, str]:
        """Put the streams back; return what was written to each."""
        texts: dict[str, list[str]] = {name: [] for name in _NAMES}
        for name, tee in self._tees.items():
            texts[name].append("".join(tee.written or ()))
            tee.written = None
            if getattr(sys, name) is tee:  # else somebody has replaced it since
                setattr(sys, name, tee._stream)
            _flush(tee._stream)
        for name, descriptor in reversed(self._descriptors):
            texts[name].append(descriptor.finish().decode("utf-8", "replace"))
        return {name: "\n".join(parts) for name, parts in texts.items() if any(parts)}


def _numbers(stream: Any, usual: int) -> list[int]:
    """Return the open descriptors behind `stream`, and the `usual` one of its name."""
    _flush(stream)
    found = []
    for ask in (stream.fileno, lambda: usual):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # a stream in memory
            number = ask()
            os.fstat(number)
            found.append(number)
    return found


def _flush(stream: Any) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or no stream at all
        stream.flush()
