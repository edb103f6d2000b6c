"""The envelope: how sender and recipient agree on a key, and the header that says so.

Whatever is encrypted begins with the same 42 bytes::

    version 1 | shape 1 | key id 8 | ephemeral public key 32

The sender makes an ephemeral X25519 key, and forgets its private half once the secret is agreed.
HKDF-SHA-256 (RFC 5869) turns the secret into one AES-256 key. Its info holds the whole header,
the recipient's key and the purpose, so a header with any bit changed leads to another key, and
what was made for one purpose never opens as another.

Each message under that key is AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits.
Nonces come from the kernel, never from a counter: a fork cannot repeat one. A key serves fewer
than 2^32 messages, the bound of SP 800-38D section 8.3.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from crmlogging.crypto.keys import KEY_ID_BYTES, PrivateKey, PrivateKeys, PublicKey
from crmlogging.exceptions import ConfigurationError, DecryptionError, require

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = [
    *("ARCHIVE", "FIELD", "HEADER_BYTES", "NONCE_BYTES", "STREAM", "TAG_BYTES", "TOKEN", "VAULT"),
    "VERSION",
    *("Header", "agreed_by_recipient", "agreed_by_sender", "decrypted", "derived", "encrypted"),
]

FIELD: Final = "field"
ARCHIVE: Final = "archive"
VAULT: Final = "vault"
"""Purposes; a key agreed for one opens nothing of another."""

TOKEN: Final = 1
STREAM: Final = 2
"""Shapes: one message, or numbered chunks."""

HEADER_BYTES: Final = 42
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
VERSION: Final = 1
_LABEL: Final = b"crmlogging envelope 1"


class Header(NamedTuple):
    """What stands in clear before anything encrypted."""

    shape: int
    key_id: str
    ephemeral: bytes

    @property
    def raw(self) -> bytes:
        """Its 42 bytes."""
        return bytes((VERSION, self.shape)) + bytes.fromhex(self.key_id) + self.ephemeral

    @classmethod
    def read(cls, raw: bytes, shape: int) -> Header:
        """Return the header that the first bytes of `raw` are.

        Raises:
            DecryptionError: they are none of this version and `shape`.
        """
        if len(raw) < HEADER_BYTES or raw[0] != VERSION or raw[1] != shape:
            raise DecryptionError
        end = 2 + KEY_ID_BYTES
        return cls(shape, raw[2:end].hex(), raw[end:HEADER_BYTES])


def agreed_by_sender(recipient: PublicKey, shape: int, purpose: str) -> tuple[Header, AESGCM]:
    """Return a fresh header, and the key that only `recipient` can derive from it.

    Raises:
        ConfigurationError: the recipient's key is a point that makes every secret known.
    """
    ephemeral = PrivateKey.new()
    header = Header(shape, recipient.id, ephemeral.public.raw)
    try:
        secret = ephemeral.agree(recipient.raw)
    except ValueError:
        raise ConfigurationError("is no usable key: a point of low order") from None
    return header, derived(secret, header, recipient, purpose)


def agreed_by_recipient(header: Header, keys: PrivateKeys, purpose: str) -> AESGCM:
    """Return the key that a `header` leads to.

    Raises:
        UnknownKeyError: it is for none of `keys`.
        DecryptionError: it leads to none.
    """
    own = keys[header.key_id]
    try:
        secret = own.agree(header.ephemeral)
    except ValueError:
        raise DecryptionError from None
    return derived(secret, header, own.public, purpose)


def derived(secret: bytes, header: Header, recipient: PublicKey, purpose: str) -> AESGCM:
    """Return the cipher of an agreed `secret`."""
    hashes = require("cryptography.hazmat.primitives.hashes", extra="crypto", purpose="encryption")
    hkdf = require("cryptography.hazmat.primitives.kdf.hkdf", extra="crypto", purpose="encryption")
    aead = require(
        "cryptography.hazmat.primitives.ciphers.aead", extra="crypto", purpose="encryption"
    )
    # Label, header and recipient have fixed lengths: no two contexts read the same.
    info = _LABEL + header.raw + recipient.raw + purpose.encode()
    key = hkdf.HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(secret)
    cipher: AESGCM = aead.AESGCM(key)
    return cipher


def encrypted(cipher: AESGCM, plaintext: bytes, bound: bytes) -> bytes:
    """Return nonce, ciphertext and tag; `bound` is authenticated with them and not in it."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plaintext, bound)


def decrypted(cipher: AESGCM, message: bytes, bound: bytes) -> bytes:
    """Return the plaintext of what `encrypted` made.

    Raises:
        DecryptionError: anything about it is not as it was; no plaintext came out.
    """
    exceptions = require("cryptography.exceptions", extra="crypto", purpose="encryption")
    if len(message) < NONCE_BYTES + TAG_BYTES:
        raise DecryptionError
    try:
        return cipher.decrypt(message[:NONCE_BYTES], message[NONCE_BYTES:], bound)
    except exceptions.InvalidTag:
        raise DecryptionError from None
