"""Tokens: one short message, sealed to a public key, as text that fits in a line of JSON.

A token is ``seal:`` and the base64url (RFC 4648 section 5, without padding) of::

    header 42 | nonce 12 | encrypted (length 4 | plaintext | zeros) | tag 16

The zeros fill up to a size out of few (`padded_size`), so that a token's length tells no more
about what is in it. What is bound to it (where it stands) is authenticated and not in it.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import os
import re
import threading
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from crmlogging.crypto.envelope import (
    HEADER_BYTES,
    NONCE_BYTES,
    TAG_BYTES,
    TOKEN,
    Header,
    agreed_by_recipient,
    agreed_by_sender,
    decrypted,
    encrypted,
)
from crmlogging.crypto.keys import PrivateKeys, PublicKey
from crmlogging.exceptions import DecryptionError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["PLAINTEXT_BYTES_MAXIMUM", "TOKEN_PATTERN", "Sealer", "Unsealer", "padded_size"]

PLAINTEXT_BYTES_MAXIMUM: Final = 1_048_576
USES_MAXIMUM: Final = 2**20
KEY_SECONDS: Final = 3_600.0

_PREFIX: Final = "seal:"
_LENGTH_BYTES: Final = 4
_PADDED_MINIMUM: Final = 64
_PADDED_STEP: Final = 4_096
_AROUND_BYTES: Final = HEADER_BYTES + NONCE_BYTES + TAG_BYTES
_CHARACTERS_MINIMUM: Final = -(-(_AROUND_BYTES + _PADDED_MINIMUM) * 4 // 3)
_CHARACTERS_MAXIMUM: Final = (
    (_AROUND_BYTES + _LENGTH_BYTES + PLAINTEXT_BYTES_MAXIMUM + _PADDED_STEP) * 4 // 3
)
TOKEN_PATTERN: Final = rf"seal:[A-Za-z0-9_-]{{{_CHARACTERS_MINIMUM},{_CHARACTERS_MAXIMUM}}}"
_TOKEN: Final = re.compile(TOKEN_PATTERN, re.ASCII)
_AGREED_KEPT: Final = 1_024


def padded_size(size: int) -> int:
    """Return the bytes that `size` bytes of plaintext are padded to, their length included.

    A power of two from 64 up, above 4,096 a multiple of that.

    Example:
        >>> [padded_size(size) for size in (0, 60, 61, 124, 4_092, 4_093, 8_189)]
        [64, 64, 128, 128, 4096, 8192, 12288]
    """
    needed = size + _LENGTH_BYTES
    if needed > _PADDED_STEP:
        return -(-needed // _PADDED_STEP) * _PADDED_STEP
    return max(_PADDED_MINIMUM, 1 << (needed - 1).bit_length())


class _Agreement:
    """A key agreed with the recipient, for this process, for an hour, for 2^20 tokens."""

    __slots__ = ("cipher", "ends", "header", "process", "uses")

    def __init__(self, recipient: PublicKey, purpose: str, ends: float) -> None:
        header, self.cipher = agreed_by_sender(recipient, TOKEN, purpose)
        self.header = header.raw
        self.ends = ends
        self.process = os.getpid()
        self.uses = itertools.count(1)  # its next() cannot be interrupted by another thread


class Sealer:
    """Seals to one public key, from any thread; after a fork with another ephemeral key.

    Args:
        recipient: whose private key opens the tokens.
        purpose: of `crmlogging.crypto.envelope`.
        clock: seconds, monotonic.
        uses: tokens under one ephemeral key.

    Raises:
        ConfigurationError: the key cannot be used.
        MissingDependencyError: the package ``cryptography`` is not installed.
    """

    def __init__(
        self,
        recipient: PublicKey,
        purpose: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        uses: int = USES_MAXIMUM,
    ) -> None:
        self._recipient, self._purpose = recipient, purpose
        self._clock, self._uses = clock, uses
        self._lock = threading.RLock()
        self._agreement: _Agreement | None = self._agree()
        _sealers.add(self)

    def seal(self, plaintext: bytes, bound: bytes) -> str:
        """Return `plaintext` as a token that opens only together with `bound`.

        Raises:
            ValueError: it is longer than `PLAINTEXT_BYTES_MAXIMUM`.
        """
        size = len(plaintext)
        if size > PLAINTEXT_BYTES_MAXIMUM:
            raise ValueError("too long to be sealed in one token")
        padded = size.to_bytes(_LENGTH_BYTES, "big") + plaintext
        agreement = self._current()
        message = encrypted(agreement.cipher, padded.ljust(padded_size(size), b"\0"), bound)
        return _PREFIX + _text(agreement.header + message)

    def _current(self) -> _Agreement:
        # The bound stays far below 2^32 even if every thread counts once too often.
        agreement = self._agreement
        if agreement is not None and self._holds(agreement):
            return agreement
        with self._lock:
            agreement = self._agreement
            if agreement is None or not self._holds(agreement):
                agreement = self._agree()
                next(agreement.uses)
                self._agreement = agreement
            return agreement

    def _holds(self, agreement: _Agreement) -> bool:
        return (
            next(agreement.uses) <= self._uses
            and agreement.process == os.getpid()
            and self._clock() < agreement.ends
        )

    def _agree(self) -> _Agreement:
        return _Agreement(self._recipient, self._purpose, self._clock() + KEY_SECONDS)

    def after_fork(self) -> None:
        """Forget the parent's key, and a lock that one of its threads may have held."""
        self._lock = threading.RLock()
        self._agreement = None

    def __repr__(self) -> str:
        return f"Sealer({self._recipient.id}, {self._purpose!r})"


_sealers: Final[weakref.WeakSet[Sealer]] = weakref.WeakSet()


def _after_fork() -> None:
    for each in list(_sealers):
        each.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)


class Unsealer:
    """Opens tokens with private keys; remembers what it agreed for the last ephemeral keys."""

    def __init__(self, keys: PrivateKeys, purpose: str) -> None:
        self._keys, self._purpose = keys, purpose
        self._agreed: dict[Header, AESGCM] = {}

    def unseal(self, token: str, bound: bytes) -> bytes:
        """Return what was sealed in `token`.

        Raises:
            UnknownKeyError: it is sealed to another key.
            DecryptionError: it is no token, was changed, or is bound to something else.
        """
        if _TOKEN.fullmatch(token) is None:
            raise DecryptionError
        raw = _raw(token[len(_PREFIX) :])
        header = Header.read(raw, TOKEN)
        padded = decrypted(self._cipher(header), raw[HEADER_BYTES:], bound)
        end = _LENGTH_BYTES + int.from_bytes(padded[:_LENGTH_BYTES], "big")
        if len(padded) != padded_size(end - _LENGTH_BYTES) or any(padded[end:]):
            raise DecryptionError
        return padded[_LENGTH_BYTES:end]

    def _cipher(self, header: Header) -> AESGCM:
        cipher = self._agreed.get(header)
        if cipher is None:
            cipher = agreed_by_recipient(header, self._keys, self._purpose)
            if len(self._agreed) >= _AGREED_KEPT:
                self._agreed.clear()
            self._agreed[header] = cipher
        return cipher


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _raw(text: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise DecryptionError from None
    if _text(raw) != text:  # bits beyond the end: a second spelling of the same token
        raise DecryptionError
    return raw
