"""The mask ``seal``: a value encrypted to a public key, bound to the place where it stands.

A token (`crmlogging.crypto.tokens`) opens only in the line and at the path it was written to.
What is bound is in the line anyway: service, time in milliseconds, correlation id and
``record.id`` of the record, and the path of the value in the JSON. The correlation id is known
last, so a mask leaves an `Awaiting` in place of the value, which is ``[REDACTED]`` to everybody
else, and `FieldSealer.complete` puts the token there.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from crmlogging.diagnostics import tally
from crmlogging.exceptions import ConfigurationError, MissingDependencyError, Problems
from crmlogging.fields import MISFIT, SHAPES
from crmlogging.records import SafeRecord

if TYPE_CHECKING:
    from crmlogging.crypto.keys import PublicKey
    from crmlogging.crypto.tokens import Sealer

__all__ = [
    *("NOT_KNOWN", "Awaiting", "FieldSealer", "bound_to", "is_token", "path_of", "sealer_for"),
]

SEAL_KEY_VARIABLE: Final = "CRMLOGGING_SEAL_KEY"
NOT_KNOWN: Final = "-"

_REDACTED: Final = "[REDACTED]"
_VALUE_BYTES: Final = 65_536
_RECORD_CHARACTERS: Final = 262_144
_INTEGER_BITS: Final = 4_096


def is_token(text: str) -> bool:
    """Tell whether `text` has the form of a sealed value."""
    if not text.startswith("seal:"):
        return False
    # Here: who seals nothing never loads it.
    from crmlogging.crypto.tokens import TOKEN_PATTERN

    return re.fullmatch(TOKEN_PATTERN, text, re.ASCII) is not None


class Awaiting(str):
    """``[REDACTED]``, and for `FieldSealer` alone what is to be sealed in its place."""

    __slots__ = ("plaintext",)

    plaintext: bytes

    def __new__(cls, plaintext: bytes = b"") -> Awaiting:
        """Keep `plaintext`, which stays where it is: no copy or pickle takes it along."""
        awaiting = super().__new__(cls, _REDACTED)
        awaiting.plaintext = plaintext
        return awaiting

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (_REDACTED,)


def awaiting(value: object) -> str:
    """Return what stands for a plain scalar `value` until it is sealed.

    It is sealed as JSON, so that a number comes back as a number.
    """
    if type(value) is int and (value is MISFIT or value.bit_length() > _INTEGER_BITS):
        return _withheld()
    if type(value) is float and value - value != 0.0:
        value = repr(value)  # NaN and the infinities are no JSON (RFC 8259 section 6)
    if value is not None and type(value) not in (str, int, float, bool):
        return _withheld()
    if type(value) is str and len(value) > _VALUE_BYTES:
        return _withheld()
    plaintext = json.dumps(value).encode("ascii")
    return Awaiting(plaintext) if len(plaintext) <= _VALUE_BYTES else _withheld()


def _withheld() -> str:
    tally.add("redaction.seal_withheld")
    return _REDACTED


def bound_to(service: str, milliseconds: int, correlation_id: str, record_id: str) -> bytes:
    """Return what all tokens of one record are bound to; `path_of` adds the value's place."""
    parts = (service, str(milliseconds), correlation_id, record_id)
    return b"".join(_counted(part) for part in parts)


def path_of(path: str) -> bytes:
    """Return a value's path in the line, ``contact.emails[0]``, as a token is bound to it."""
    return _counted(path)


def _counted(text: str) -> bytes:
    # With its length before it, no two lists of parts read the same.
    encoded = text.encode("utf-8", "surrogatepass")
    return b"%d:%b" % (len(encoded), encoded)


def correlation_of(value: object) -> str:
    """Return a line's correlation id as it is bound; one that is sealed itself is not."""
    return value if type(value) is str and not is_token(value) else NOT_KNOWN


class FieldSealer:
    """Seals what the mask ``seal`` left in a record.

    Args:
        recipient: the public key.
        service: as the line names it; `NOT_KNOWN` binds no service.
    """

    def __init__(self, recipient: PublicKey, service: str) -> None:
        from crmlogging.crypto.envelope import FIELD
        from crmlogging.crypto.tokens import Sealer

        self._sealer = Sealer(recipient, FIELD)
        self._service = service

    def complete(self, record: SafeRecord) -> SafeRecord:
        """Return `record`, which is the caller's alone, with tokens in it; never raises."""
        sealing: _Sealing | None = None
        attributes = record.__dict__
        for name, value in attributes.items():
            if type(value) is Awaiting or type(value) is list:
                sealing = sealing or _Sealing(self._sealer, self._service, attributes)
                attributes[name] = sealing.sealed(name, value)
        return record


class _Sealing:
    """One record's values on their way into tokens."""

    def __init__(self, sealer: Sealer, service: str, attributes: dict[str, Any]) -> None:
        self._sealer, self._service, self._attributes = sealer, service, attributes
        self._bound: bytes | None = None
        self._left = _RECORD_CHARACTERS

    def sealed(self, path: str, value: Any) -> Any:
        """Return `value`, a plain JSON value at `path`, with tokens where values await sealing."""
        kind = type(value)
        if kind is Awaiting:
            return self._token(path, value)
        if kind is list:
            return [self.sealed(f"{path}[{index}]", each) for index, each in enumerate(value)]
        if kind is dict:
            return {key: self.sealed(f"{path}.{key}", each) for key, each in value.items()}
        return value

    def _token(self, path: str, value: Awaiting) -> str:
        if self._left < 0:
            return _withheld()
        try:
            if self._bound is None:
                self._bound = self._of_record()
            token = self._sealer.seal(value.plaintext, self._bound + path_of(path))
        except Exception:  # noqa: BLE001  # whatever the cipher says: fail closed, counted
            tally.add("redaction.seal_failed")
            return _REDACTED
        self._left -= len(token)
        return token

    def _of_record(self) -> bytes:
        created = self._attributes["created"]
        second = int(created // 1)
        # As the formatter cuts it: the line shows milliseconds, and they are all there is later.
        milliseconds = second * 1_000 + int((created - second) * 1_000)
        correlation_id = self._attributes.get("correlation_id", NOT_KNOWN)
        identity = self._attributes["record.id"]
        return bound_to(self._service, milliseconds, correlation_of(correlation_id), identity)


def sealer_for(
    patterns: Iterable[object],
    seal_to: str | os.PathLike[str] | None,
    service: str | None,
    problems: Problems,
) -> FieldSealer | None:
    """Return the sealer of an allowlist, or None if it needs none; notes what is wrong.

    Args:
        patterns: those masked by ``seal``.
        seal_to: the public key, or its file; None takes ``CRMLOGGING_SEAL_KEY``.
        service: name of the service, or None.
    """
    if service is not None and (type(service) is not str or SHAPES["id"](service) is MISFIT):
        problems.add("service", "must be 1 to 128 characters of A-Z a-z 0-9 _ . : -")
        service = None
    named = next((f"mask: {pattern!r}: 'seal'" for pattern in patterns), None)
    if named is None:
        return None
    source = seal_to or os.environ.get(SEAL_KEY_VARIABLE)
    if not source:
        problems.add(
            named,
            "needs a public key, from the option seal_to or the environment variable "
            f"{SEAL_KEY_VARIABLE}; `crmlogging keygen` makes one",
        )
        return None
    from crmlogging.crypto.keys import PublicKey

    try:
        return FieldSealer(PublicKey.read(source), service or NOT_KNOWN)
    except MissingDependencyError as error:
        problems.add(named, str(error))
    except ConfigurationError as error:
        problems.add("seal_to" if seal_to else SEAL_KEY_VARIABLE, str(error))
    return None
