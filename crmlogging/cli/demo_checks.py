"""The demo's own judgement: what the files say against what the server did.

Each check returns the sentences that complain; none means that the promise was kept.
"""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from crmlogging.cli.demo_server import Failure
from crmlogging.report.queries import FailureReport

__all__ = [
    "check_counts",
    "check_lines",
    "check_same_records",
    "check_secrets",
    "files_below",
    "lines_of",
]

_WINDOW: Final = 80
_SHOWN: Final = 5
_NEEDED: Final = ("error.category", "error.code", "correlation_id")


def lines_of(contents: bytes) -> list[bytes]:
    """Return the lines of a file or an object, decompressed where it is gzip."""
    return _plain(contents).splitlines()


def check_counts(report: FailureReport, answered: Mapping[Failure, int]) -> list[str]:
    """Compare the report, made from the log alone, with the server's own count."""
    reported: Counter[Failure] = Counter()
    for group in report.groups:
        reported[group.provider, group.category, group.provider_code] += group.count
    return [
        f"{' '.join(filter(None, failure))}: the server gave {answered.get(failure, 0)} "
        f"such answers, the report counts {reported[failure]}"
        for failure in sorted({*reported, *answered})
        if reported[failure] != answered.get(failure, 0)
    ]


def check_lines(where: str, lines: Iterable[bytes]) -> list[str]:
    """Every line is a JSON object, and that of a failed call says what, which and where."""
    broken = lacking = 0
    for raw in lines:
        line = _parsed(raw)
        if line is None:
            broken += 1
        elif _is_failed_call(line) and not all(_told(line, name) for name in _NEEDED):
            lacking += 1
    complaints = []
    if broken:
        complaints.append(f"{where}: {broken} lines are no JSON object")
    if lacking:
        complaints.append(f"{where}: {lacking} failed calls without {', '.join(_NEEDED)}")
    return complaints


def check_same_records(file: Iterable[bytes], bucket: Iterable[bytes]) -> list[str]:
    """The file and the bucket hold the same records, each once."""
    in_file, in_bucket = _record_ids(file), _record_ids(bucket)
    complaints = [
        f"{where} holds {sum(ids.values()) - len(ids)} records more than once"
        for where, ids in (("the file", in_file), ("the bucket", in_bucket))
        if sum(ids.values()) != len(ids)
    ]
    for where, missing in (
        ("the bucket", in_file.keys() - in_bucket.keys()),
        ("the file", in_bucket.keys() - in_file.keys()),
    ):
        if missing:
            complaints.append(f"{where} lacks {len(missing)} records")
    return complaints


def check_secrets(
    contents: Iterable[tuple[str, bytes]], secrets: Mapping[str, set[str]]
) -> list[str]:
    """No secret of `secrets` (see `secrets_of`) occurs in any file or object."""
    complaints = []
    for where, raw in contents:
        found = sum(1 for _ in _secrets_in(_plain(raw), secrets))
        if found:
            complaints.append(f"{where}: {found} e-mail addresses, phone numbers, names or tokens")
    return complaints[:_SHOWN]


def files_below(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield path and contents of every file below `folder`."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield str(path), path.read_bytes()


def _is_failed_call(line: Mapping[str, Any]) -> bool:
    return line.get("logger") == "crm.sync" and line.get("level") in ("WARNING", "ERROR")


def _told(line: Mapping[str, Any], name: str) -> bool:
    value = line.get(name)
    return isinstance(value, str) and value not in ("", "-") and not value.startswith("[")


def _record_ids(lines: Iterable[bytes]) -> Counter[object]:
    return Counter((_parsed(raw) or {}).get("record.id") for raw in lines)


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return line if type(line) is dict else None


def _secrets_in(contents: bytes, secrets: Mapping[str, set[str]]) -> Iterator[str]:
    text = contents.decode("utf-8", "replace").lower()
    for common, wanted in secrets.items():
        at = text.find(common)
        while at >= 0:
            around = text[max(0, at - _WINDOW) : at + _WINDOW]
            yield from (secret for secret in wanted if secret in around)
            at = text.find(common, at + 1)


def _plain(contents: bytes) -> bytes:
    if not contents.startswith(b"\x1f\x8b"):
        return contents
    try:
        return gzip.decompress(contents)
    except (EOFError, OSError, zlib.error):
        return contents
