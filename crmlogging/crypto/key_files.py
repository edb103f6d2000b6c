"""Key files: read with a look at who else can, written for their owner alone.

Links are followed, since mounted secrets are links: what counts is the file that was opened, not
its name (CWE-367).
"""

from __future__ import annotations

import os
import stat
from typing import Final

from crmlogging.exceptions import ConfigurationError

__all__ = ["read_key_file", "refuse_if_shared", "write_new"]

_FILE_BYTES: Final = 65_536
_SAFELY: Final = (
    getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)  # Opening a pipe must not wait for its other end.
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)


def read_key_file(path: str) -> tuple[bytes, os.stat_result]:
    """Return the content of a small regular file, and the status of what was really opened.

    Raises:
        ConfigurationError: says what is wrong, as the rest of a sentence about `path`.
    """
    try:
        fd = os.open(path, os.O_RDONLY | _SAFELY)
        try:
            status = os.fstat(fd)
            content = os.read(fd, _FILE_BYTES + 1) if stat.S_ISREG(status.st_mode) else b""
        finally:
            os.close(fd)
    except FileNotFoundError:
        raise ConfigurationError("is neither a key nor a file that exists") from None
    except OSError as error:
        raise ConfigurationError(f"cannot be read ({error.strerror})") from None
    except ValueError:
        raise ConfigurationError("is no path") from None
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError("is no regular file")
    if len(content) > _FILE_BYTES:
        raise ConfigurationError("is too large for a key file")
    return content, status


def refuse_if_shared(status: os.stat_result) -> None:
    """Raise ConfigurationError if anybody but its owner, us or root, may use the file."""
    if not hasattr(os, "geteuid"):  # Windows has other rights, which a mode does not show.
        return
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise ConfigurationError(f"may be used by others (mode {mode:04o}); chmod 600 it")
    if status.st_uid not in {0, os.geteuid()}:
        raise ConfigurationError("belongs to another user")


def write_new(path: str | os.PathLike[str], text: str, *, mode: int = 0o600) -> None:
    """Write `text` to a new file, to disk, before returning; nothing is ever overwritten.

    Args:
        mode: permissions, exactly, whatever the umask.

    Raises:
        FileExistsError: there is something of this name, be it a dangling link.
        OSError: it cannot be written; then nothing is left of it.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFELY, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(text.encode())
            file.flush()
            if hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
    except BaseException:
        os.unlink(path)
        raise
