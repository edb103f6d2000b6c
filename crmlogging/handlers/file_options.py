"""The options of `RetentionFileHandler`: what is wrong with them, and what follows from them."""

from __future__ import annotations

import logging
import math
import os
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from crmlogging.exceptions import Problems
from crmlogging.handlers.durable_handler import DEBUG_TIER, STANDARD_TIER
from crmlogging.handlers.recipients import checked_recipient

if TYPE_CHECKING:
    from crmlogging.crypto.keys import PublicKey

__all__ = ["Options", "checked"]

_TIERS: Final[Mapping[str, int | None]] = {DEBUG_TIER: 7, STANDARD_TIER: 90}
_SYNCED_FROM: Final = {"never": math.inf, "error": logging.ERROR, "batch": -math.inf}
"""From which level on a call waits for the disk."""
_OPTIONS: Final = (
    *("filename", "max_bytes", "tiers", "compress", "encrypt_to", "fsync", "mode", "group"),
    *("total_bytes", "levels", "level"),
)
_INSTEAD: Final = {
    "maxBytes": "ours is max_bytes",
    "backupCount": "ours is tiers={'debug': 7, 'standard': 90}, days instead of files",
    "when": "a new file begins at midnight UTC anyway; max_bytes bounds its size",
    "interval": "a new file begins at midnight UTC anyway",
    "atTime": "a new file begins at midnight UTC anyway",
    "utc": "days are UTC",
    "delay": "the file is opened at once, to show mistakes early",
    "encoding": "lines are UTF-8",
    "errors": "lines are UTF-8; what cannot be encoded is escaped",
    "retention": "ours is tiers={'debug': 7, 'standard': 90}, in days",
    "rotation": "ours is max_bytes; a new file begins at midnight UTC anyway",
    "compression": "ours is compress='gzip'",
}


class Options(NamedTuple):
    """What was given to a handler and found good; see there.

    Attributes:
        path: absolute, of the active file.
        days: tier to days kept.
        synced_from: level from which on a call waits for the disk.
        gid: number of the files' group, or None.
    """

    path: str
    days: Mapping[str, int | None]
    max_bytes: int
    total_bytes: int | None
    compress: str | None
    encrypt_to: PublicKey | None
    synced_from: float
    mode: int
    gid: int | None
    clock: Callable[[], float] | None


def checked(owner: str, given: Mapping[str, Any]) -> Options:
    """Return the options of a handler, checked as a whole.

    Args:
        owner: the handler's class, for what is said of them.
        given: each option by its name, and as ``unknown`` those that there are not.

    Raises:
        ConfigurationError: all that is wrong with them.
    """
    problems = Problems(owner)
    problems.unknown(given["unknown"], known=_OPTIONS, instead=_INSTEAD)
    path = _checked_path(given["filename"], problems)
    days = _checked_tiers(given["tiers"], problems)
    max_bytes, total_bytes = given["max_bytes"], given["total_bytes"]
    _check_sizes(problems, max_bytes=max_bytes, total_bytes=total_bytes)
    compress, fsync = given["compress"], given["fsync"]
    if compress not in ("gzip", None):
        problems.add("compress", f"{compress!r} is not 'gzip' or None")
    recipient = checked_recipient(given["encrypt_to"], problems)
    if given["encrypt_to"] is not None and compress is None:
        problems.add("encrypt_to", "needs compress='gzip'")
    if not isinstance(fsync, str) or fsync not in _SYNCED_FROM:
        problems.add("fsync", f"{fsync!r} is none of {', '.join(map(repr, _SYNCED_FROM))}")
    problems.level(given["level"])
    problems.flags(levels=given["levels"])
    problems.functions(clock=given["clock"])
    gid = _checked_group(given["group"], problems)
    mode = _checked_mode(given["mode"], gid, problems)
    problems.raise_if_any()
    synced_from, clock = _SYNCED_FROM[fsync], given["clock"]
    return Options(
        *(path, days, max_bytes, total_bytes, compress, recipient),
        *(synced_from, mode, gid, clock),
    )


_ALL_PERMISSIONS: Final = 0o7777
_HIGHEST_GROUP: Final = 2**32 - 2
"""The number after it means "leave it" (chown(2))."""
_LONGEST_NAME: Final = 255 - len(".standard.2026-11-21.000017000.gz.tmp")
_ROTATED_LOOK: Final = (
    r".*\.(\d+|gz|enc|tmp|bz2|zst)|.*\.(debug|standard)\.\d{4}-\d\d-\d\d\.\d+(\..*)?"
)


def _checked_path(filename: object, problems: Problems) -> str:
    """Return `filename` as an absolute path, or note why it cannot be one."""
    if not isinstance(filename, str | os.PathLike) or not os.fspath(filename):
        problems.add("filename", f"{filename!r} is no path of a file")
        return ""
    path = os.fspath(filename)
    if not isinstance(path, str):
        problems.add("filename", "is bytes; give it as text")
        return ""
    base = os.path.basename(path)
    shown = repr(path if len(path) < 100 else path[:100] + "…")
    if any(ord(character) < 32 for character in path):
        problems.add("filename", f"{shown} contains a control character")
    elif ".." in path.replace(os.sep, "/").split("/"):
        problems.add("filename", f"{shown} contains '..'; give the path itself")
    elif not base or base == ".":
        problems.add("filename", f"{shown} is a directory")
    elif len(os.fsencode(base)) > _LONGEST_NAME:
        problems.add("filename", f"{shown} is too long: rotated files need room for a date")
    elif any(character in base for character in "*?["):
        problems.add("filename", f"{shown} contains a wildcard")
    elif re.fullmatch(_ROTATED_LOOK, base):
        problems.add("filename", f"{shown} looks like a rotated or compressed file")
    try:
        return os.path.abspath(path) if not problems.found else ""
    except OSError:
        problems.add("filename", f"{shown} is relative, and the working directory was removed")
        return ""


def _checked_tiers(tiers: object, problems: Problems) -> Mapping[str, int | None]:
    if tiers is None:
        return _TIERS
    if not isinstance(tiers, Mapping) or not tiers:
        problems.add("tiers", f"{tiers!r} is no mapping such as {dict(_TIERS)}")
        return _TIERS
    for tier, days in tiers.items():
        if tier not in _TIERS:
            problems.add("tiers", f"{tier!r} is none of {', '.join(map(repr, _TIERS))}")
        elif days is not None and not _is_count(days):
            problems.add("tiers", f"{tier}: {days!r} is no number of days (None: for ever)")
    return tiers


def _check_sizes(problems: Problems, *, max_bytes: object, total_bytes: object) -> None:
    if not _is_count(max_bytes):
        problems.add("max_bytes", f"{max_bytes!r} is no number of bytes")
    if total_bytes is not None and not _is_count(total_bytes):
        problems.add("total_bytes", f"{total_bytes!r} is no number of bytes (None: no bound)")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _checked_mode(mode: object, gid: int | None, problems: Problems) -> int:
    if mode is None:
        return 0o600 if gid is None else 0o640
    if isinstance(mode, int) and 0 <= mode <= _ALL_PERMISSIONS and mode & 0o600 == 0o600:
        return mode
    problems.add("mode", f"{mode!r} are no file permissions such as 0o600")
    return 0o600


def _checked_group(group: object, problems: Problems) -> int | None:
    """Return the number of `group`."""
    if group is None or (type(group) is int and 0 <= group <= _HIGHEST_GROUP):
        return group
    try:
        import grp

        return grp.getgrnam(str(group)).gr_gid
    except (ImportError, KeyError, ValueError):
        problems.add("group", f"{group!r} is no group of this system")
        return None
