"""Opening sealed values again, in the lines where they were written.

A line may have come a long way: it may lie inside another object (as log shippers wrap it), or
in a text of JSON within one (as container runtimes do), and its dotted names may have become
nested objects. A token counts as in place if the nearest object around it that has a
``record.id`` is the line it was written to, and its path from there is the same.
"""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from crmlogging.crypto.envelope import FIELD
from crmlogging.crypto.keys import PrivateKeys
from crmlogging.crypto.tokens import Unsealer
from crmlogging.exceptions import DecryptionError, UnknownKeyError
from crmlogging.redaction.sealing import NOT_KNOWN, bound_to, correlation_of, is_token, path_of

__all__ = ["LineUnsealer"]

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MILLISECOND: Final = datetime.timedelta(milliseconds=1)
_KEY_IDS_KEPT: Final = 100
_TEXTS_DEEP: Final = 4


class _Spot(NamedTuple):
    """A container on the way, its path in its line, and what that line's tokens are bound to."""

    container: Any
    path: str
    bound: tuple[bytes, ...]


class LineUnsealer:
    """Replaces tokens by what is sealed in them; one that does not open stays.

    Args:
        keys: private keys.

    Attributes:
        opened: tokens replaced.
        failed: tokens that stay.
        unknown: of these, how many need a key that is not there, by the key's id.
    """

    def __init__(self, keys: PrivateKeys) -> None:
        self._unsealer = Unsealer(keys, FIELD)
        self.opened = self.failed = 0
        self.unknown: Counter[str] = Counter()

    def unseal(self, fields: Any, *, _deep: int = 0) -> bool:
        """Open the tokens in parsed JSON, in place; tell whether anything changed."""
        changed = False
        spots = [_Spot(fields, "", ())]
        while spots:
            container, path, bound = spots.pop()
            if type(container) is dict:
                own = _bound(container)
                if own:
                    path, bound = "", own
                entries = [(key, f"{path}.{key}" if path else key) for key in container]
            else:
                entries = [(index, f"{path}[{index}]") for index in range(len(container))]
            for key, below in entries:
                value = container[key]
                if type(value) is dict or type(value) is list:
                    spots.append(_Spot(value, below, bound))
                elif type(value) is str and "seal:" in value:
                    changed |= self._replace(container, key, below, bound, _deep)
        return changed

    def _replace(
        self, container: Any, key: Any, path: str, bound: tuple[bytes, ...], deep: int
    ) -> bool:
        value = container[key]
        if is_token(value):
            return self._open(container, key, path, bound)
        if value.lstrip()[:1] != "{" or deep >= _TEXTS_DEEP:
            return False
        try:
            inner = json.loads(value)
        except (ValueError, RecursionError):
            return False
        if not self.unseal(inner, _deep=deep + 1):
            return False
        container[key] = json.dumps(inner, separators=(",", ":")) + value[len(value.rstrip()) :]
        return True

    def _open(self, container: Any, key: Any, path: str, bound: tuple[bytes, ...]) -> bool:
        place = path_of(path)
        try:
            for candidate in bound or (b"",):
                try:
                    plaintext = self._unsealer.unseal(container[key], candidate + place)
                    break
                except UnknownKeyError:
                    raise
                except DecryptionError:
                    continue
            else:
                raise DecryptionError
            container[key] = json.loads(plaintext)
        except (ValueError, RecursionError) as error:
            self.failed += 1
            if isinstance(error, UnknownKeyError):
                known = error.key_id in self.unknown or len(self.unknown) < _KEY_IDS_KEPT
                self.unknown[error.key_id if known else "others"] += 1
            return False
        self.opened += 1
        return True


def _bound(line: Mapping[str, Any]) -> tuple[bytes, ...]:
    """Return what tokens of `line` may be bound to; nothing if it is no line of a record.

    Who sealed may not have known the service: then nothing is bound in its place.
    """
    identity = _field(line, "record.id")
    if type(identity) is not str:
        return ()
    milliseconds = _milliseconds(_field(line, "timestamp"))
    if milliseconds is None:
        return ()
    correlation_id = correlation_of(_field(line, "correlation_id"))
    service = _field(line, "service")
    services = dict.fromkeys((service if type(service) is str else NOT_KNOWN, NOT_KNOWN))
    return tuple(bound_to(each, milliseconds, correlation_id, identity) for each in services)


def _field(line: Mapping[str, Any], name: str) -> object:
    """Return a field of `line` under its dotted name, or as nested objects."""
    if name in line:
        return line[name]
    found: object = line
    for part in name.split("."):
        found = found.get(part) if type(found) is dict else None
    return found


def _milliseconds(timestamp: object) -> int | None:
    if type(timestamp) is not str:
        return None
    try:
        moment = datetime.datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    return None if moment.tzinfo is None else (moment - _EPOCH) // _MILLISECOND
