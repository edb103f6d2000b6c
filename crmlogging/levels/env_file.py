"""The env file: lines ``NAME=value``, of which running services read one, and operators set it.

It is replaced as a whole, so that no service ever reads half of it; all other lines, the mode
and the owner stay. A link is followed, and what it leads to is replaced.
"""

from __future__ import annotations

import os
import stat
from typing import Final

from crmlogging.exceptions import ConfigurationError

__all__ = ["FILE_BYTES", "FILE_VARIABLE", "VARIABLE", "followers", "set_value", "value_in"]

VARIABLE: Final = "CRMLOGGING_LEVEL"
FILE_VARIABLE: Final = "CRMLOGGING_ENV_FILE"
FILE_BYTES: Final = 65_536
"""As much of the file is read."""
_CONFIG_MAP: Final = "..data"  # the link that Kubernetes swaps when it renews a volume


def value_in(text: str) -> str | None:
    """Return the value of our variable in an env file: ``NAME=value``, ``export``, quotes."""
    found = None
    for line in text.splitlines():
        if _is_ours(line):
            found = line.partition("=")[2].strip().strip("\"'") or None
    return found


def _is_ours(line: str) -> bool:
    name, equals, _ = line.strip().removeprefix("export ").partition("=")
    return bool(equals) and name.strip() == VARIABLE


def with_value(text: str, value: str | None) -> str:
    """Return `text` with our variable set, in its place or at the end, or without it.

    Example:
        >>> text = "A=1\\nexport CRMLOGGING_LEVEL=INFO\\nB=2\\n"
        >>> with_value(text, "DEBUG;until=2026-11-22T03:00Z")
        'A=1\\nexport CRMLOGGING_LEVEL="DEBUG;until=2026-11-22T03:00Z"\\nB=2\\n'
        >>> with_value("CRMLOGGING_LEVEL=INFO\\nA=1\\n", None)
        'A=1\\n'
    """
    lines = text.splitlines(keepends=True)
    ours = [index for index, line in enumerate(lines) if _is_ours(line)]
    if value is not None:
        # A semicolon ends a command where a shell reads the file.
        setting = f'{VARIABLE}="{value}"' if ";" in value else f"{VARIABLE}={value}"
        if ours:
            line = lines[ours[-1]]
            end = line[len(line.rstrip("\r\n")) :]
            export = "export " if line.lstrip().startswith("export ") else ""
            lines[ours.pop()] = f"{export}{setting}{end or chr(10)}"
        else:
            if lines and not lines[-1].endswith(("\n", "\r")):
                lines[-1] += "\n"
            lines.append(f"{setting}\n")
    return "".join(line for index, line in enumerate(lines) if index not in ours)


def set_value(path: str, value: str | None) -> str:
    """Set our variable in the file `path`, or remove it; return the file's own path.

    Raises:
        ConfigurationError: the file is none that may be replaced.
        OSError: it cannot be.
    """
    target = os.path.realpath(path)
    if _CONFIG_MAP in _steps(path):
        _refuse(path, "is mounted from a ConfigMap: change that, e.g. with kubectl edit configmap")
    try:
        status = os.lstat(target)
    except FileNotFoundError:
        status = None
    text = ""
    if status is not None:
        _check(path, status)
        with open(target, encoding="utf-8", errors="surrogateescape", newline="") as file:
            text = file.read()
    _replace(target, with_value(text, value).encode("utf-8", "surrogateescape"), status)
    return target


def _steps(path: str) -> set[str]:
    """Return the names that a chain of links goes through."""
    names: set[str] = set()
    for _ in range(40):  # as the kernel does
        names.update(path.split(os.sep))
        if not os.path.islink(path):
            break
        path = os.path.join(os.path.dirname(path), os.readlink(path))
    return names


def _check(path: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        _refuse(path, "is no regular file")
    if status.st_nlink > 1:
        _refuse(path, "has a second name (hard link), which would keep the old contents")
    if hasattr(os, "geteuid") and os.geteuid() not in (0, status.st_uid):
        _refuse(path, "belongs to another user: run this as that one")
    if status.st_size > FILE_BYTES - 1_024:
        _refuse(path, f"is larger than the {FILE_BYTES:,} bytes that services read of it")


def _refuse(path: str, reason: str) -> None:
    raise ConfigurationError(f"env file: {path!r} {reason}")


def _replace(target: str, data: bytes, status: os.stat_result | None) -> None:
    directory, name = os.path.split(target)
    temporary = os.path.join(directory, f".{name}.{os.getpid()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    fd = os.open(temporary, flags, 0o600)
    try:
        with open(fd, "wb") as file:
            file.write(data)
            file.flush()
            if status is None:
                os.chmod(temporary, 0o644)  # The services may run as other users.
            else:
                if hasattr(os, "fchown"):
                    os.fchown(fd, status.st_uid, status.st_gid)
                os.chmod(temporary, stat.S_IMODE(status.st_mode))
            os.fsync(fd)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def followers(target: str) -> list[tuple[int, str]]:
    """Return the running processes that look at the file `target`: id and name, where known.

    Asked after it was replaced: a container into which the file alone was mounted still sees the
    old one. Only processes this user may look at are found, and only on Linux.
    """
    found: list[tuple[int, str]] = []
    try:
        status = os.stat(target)
        processes = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    except OSError:
        return found
    for process in processes:
        try:
            path = _env_file_of(process)
            if path and os.path.samestat(os.stat(path), status):
                with open(f"/proc/{process}/comm", encoding="utf-8", errors="replace") as file:
                    found.append((process, file.read().strip()))
        except OSError:
            continue  # Ended, or somebody else's.
    return found


def _env_file_of(process: int) -> str | None:
    """Return the path of a process's env file as this process can open it."""
    with open(f"/proc/{process}/environ", "rb") as file:
        variables = file.read().split(b"\0")
    prefix = f"{FILE_VARIABLE}=".encode()
    value = next((v[len(prefix) :] for v in variables if v.startswith(prefix)), b"")
    if not value:
        return None
    begin = "root" if value.startswith(b"/") else "cwd"
    return os.path.join(f"/proc/{process}/{begin}", os.fsdecode(value).lstrip("/"))
