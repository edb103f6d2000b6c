"""Keys of the envelope: X25519 pairs (RFC 7748), in PEM files and as one line of text.

The private key stands in a PEM file (PKCS #8, RFC 5958), by option under a passphrase. The
public one is PEM as well (RFC 8410), or one line for a configuration: ``x25519:KEY:ID``, where
the id, the start of the key's hash, catches a line that was copied badly.

A private key that others may read or write is refused, as ssh does it (`key_files`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from crmlogging.crypto.key_files import read_key_file, refuse_if_shared
from crmlogging.exceptions import ConfigurationError, UnknownKeyError, require

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

__all__ = ["KEY_ID_BYTES", "Passphrase", "PrivateKey", "PrivateKeys", "PublicKey"]

KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 8

_PREFIX: Final = "x25519:"
_LINE: Final = re.compile(r"x25519:([A-Za-z0-9_-]{43}):([0-9a-f]{16})", re.ASCII)
_PUBLIC: Final = re.compile(
    rb"-----BEGIN PUBLIC KEY-----[^-]{1,4096}-----END PUBLIC KEY-----", re.ASCII
)
_PRIVATE: Final = re.compile(
    rb"-----BEGIN (ENCRYPTED |)PRIVATE KEY-----[^-]{1,8192}-----END \1PRIVATE KEY-----", re.ASCII
)
_HOLDS_PRIVATE: Final = re.compile(rb"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----", re.ASCII)
_FILES_MAXIMUM: Final = 1_000

Passphrase = Callable[[str], "str | None"]
"""Gets the path of a key file that is encrypted; returns its passphrase, None to give up."""


def _x25519() -> Any:
    return require(
        "cryptography.hazmat.primitives.asymmetric.x25519", extra="crypto", purpose="encryption"
    )


def _serialization() -> Any:
    return require(
        "cryptography.hazmat.primitives.serialization", extra="crypto", purpose="encryption"
    )


class PublicKey:
    """Whom to encrypt to.

    Attributes:
        raw: the 32 bytes of RFC 7748.
        id: 16 hex digits that name the key.
    """

    __slots__ = ("id", "raw")

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_BYTES:
            raise ConfigurationError("is no X25519 key of 32 bytes")
        self.raw = raw
        self.id = hashlib.sha256(b"crmlogging x25519 key id:" + raw).hexdigest()[: 2 * KEY_ID_BYTES]

    @classmethod
    def read(cls, source: str | os.PathLike[str]) -> PublicKey:
        """Return the key that `source` is or names; of several the last, which is the newest.

        Args:
            source: the line ``x25519:KEY:ID``, PEM text, or the path of a file that holds such.

        Raises:
            ConfigurationError: says what is wrong, as the rest of a sentence about `source`.
        """
        if not isinstance(source, str | os.PathLike):
            raise ConfigurationError("must be a key, or the path of its file")
        text = os.fspath(source).strip()
        if text.startswith((_PREFIX, "-----BEGIN ")):
            return cls._parsed(text.encode("utf-8", "replace"))
        content, _ = read_key_file(text)
        return cls._parsed(content)

    @classmethod
    def _parsed(cls, content: bytes) -> PublicKey:
        if _HOLDS_PRIVATE.search(content):
            raise ConfigurationError("holds a private key; the service that logs needs the public")
        blocks = _PUBLIC.findall(content)
        if blocks:
            try:
                key = _serialization().load_pem_public_key(blocks[-1])
            except ValueError:
                raise ConfigurationError("holds damaged PEM") from None
            if not isinstance(key, _x25519().X25519PublicKey):
                raise ConfigurationError("holds a key of another kind; X25519 is needed")
            return cls(key.public_bytes_raw())
        lines = content.decode("ascii", "replace").split()
        match = _LINE.fullmatch(lines[-1]) if lines else None
        if match is None:
            raise ConfigurationError("is no public key: neither x25519:KEY:ID nor PEM nor a file")
        try:
            public = cls(base64.urlsafe_b64decode(match[1] + "="))
        except binascii.Error:
            raise ConfigurationError("is no public key") from None
        # 43 letters hold two bits more than a key; in another line they were copied badly.
        if public.line != lines[-1]:
            raise ConfigurationError("was copied badly: key and id do not belong together")
        return public

    @property
    def line(self) -> str:
        """The key as one line for a configuration."""
        return f"{_PREFIX}{base64.urlsafe_b64encode(self.raw).decode().rstrip('=')}:{self.id}"

    @property
    def pem(self) -> str:
        """The key as PEM, with a newline at the end."""
        native = _x25519().X25519PublicKey.from_public_bytes(self.raw)
        kinds = _serialization()
        pem: bytes = native.public_bytes(
            kinds.Encoding.PEM, kinds.PublicFormat.SubjectPublicKeyInfo
        )
        return pem.decode()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and other.raw == self.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        return f"PublicKey({self.line!r})"


class PrivateKey:
    """Opens what was encrypted to `public`. It shows itself by its id only."""

    __slots__ = ("_native", "public")

    def __init__(self, native: X25519PrivateKey) -> None:
        self._native = native
        self.public = PublicKey(native.public_key().public_bytes_raw())

    @classmethod
    def new(cls) -> PrivateKey:
        """Return a fresh key, out of the kernel's randomness: a fork cannot repeat it."""
        return cls(_x25519().X25519PrivateKey.from_private_bytes(os.urandom(KEY_BYTES)))

    def agree(self, raw: bytes) -> bytes:
        """Return the secret shared with the owner of the public key `raw` (RFC 7748 section 6.1).

        Raises:
            ValueError: `raw` is a point of low order: the secret would be known to everybody.
        """
        return self._native.exchange(_x25519().X25519PublicKey.from_public_bytes(raw))

    def pem(self, passphrase: str | None = None) -> str:
        """Return the key as PEM, encrypted if a passphrase is given."""
        kinds = _serialization()
        protection = kinds.NoEncryption()
        if passphrase:
            protection = kinds.BestAvailableEncryption(_secret(passphrase))
        return self._native.private_bytes(
            kinds.Encoding.PEM, kinds.PrivateFormat.PKCS8, protection
        ).decode()

    def __repr__(self) -> str:
        return f"PrivateKey(id={self.public.id!r})"


class PrivateKeys:
    """Private keys, by id: after a rotation the old ones still open what is old.

    Args:
        paths: PEM files, each with one key or several; of folders, their ``*.pem`` files.
        passphrase: asked once for each file that holds an encrypted key.

    Raises:
        ConfigurationError: lists every file that cannot be used, and why.
    """

    def __init__(
        self,
        paths: Iterable[str | os.PathLike[str]] = (),
        *,
        passphrase: Passphrase = lambda _path: None,
    ) -> None:
        self._keys: dict[str, PrivateKey] = {}
        problems = []
        for path in [os.fspath(path) for path in paths]:
            try:
                for key in _read_private(path, passphrase):
                    self.add(key)
            except ConfigurationError as error:
                problems.append(f"{path} {error}")
        if problems:
            raise ConfigurationError(*problems)

    def add(self, key: PrivateKey) -> None:
        """Open what was encrypted to `key` as well."""
        self._keys[key.public.id] = key

    def __getitem__(self, key_id: str) -> PrivateKey:
        try:
            return self._keys[key_id]
        except KeyError:
            raise UnknownKeyError(key_id) from None

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"PrivateKeys({', '.join(sorted(self._keys))})"


def _secret(passphrase: str) -> bytes:
    # What is no UTF-8 in the environment stands in os.environ as surrogates.
    return passphrase.encode("utf-8", "surrogateescape")


def _read_private(path: str, passphrase: Passphrase) -> list[PrivateKey]:
    if not os.path.isdir(path):
        keys = _keys_in(path, passphrase)
    else:
        names = sorted(name for name in os.listdir(path) if name.endswith(".pem"))
        if len(names) > _FILES_MAXIMUM:
            raise ConfigurationError(f"holds more than {_FILES_MAXIMUM} key files")
        keys = []
        for name in names:
            try:
                keys += _keys_in(os.path.join(path, name), passphrase)
            except ConfigurationError as error:
                raise ConfigurationError(f"cannot be used: {name} {error}") from None
    if not keys:
        raise ConfigurationError("holds no private key")
    return keys


def _keys_in(path: str, passphrase: Passphrase) -> list[PrivateKey]:
    content, status = read_key_file(path)
    if not _HOLDS_PRIVATE.search(content):
        return []
    refuse_if_shared(status)
    keys, secret = [], None
    for match in _PRIVATE.finditer(content):
        if match[1] and secret is None:
            secret = passphrase(path)
            if not secret:
                raise ConfigurationError("is encrypted; it needs its passphrase")
        keys.append(_loaded(match[0], secret if match[1] else None))
    if not keys:
        raise ConfigurationError("holds damaged PEM")
    return keys


def _loaded(pem: bytes, passphrase: str | None) -> PrivateKey:
    secret = None if passphrase is None else _secret(passphrase)
    try:
        native = _serialization().load_pem_private_key(pem, secret)
    except (ValueError, TypeError):
        reason = "holds damaged PEM" if secret is None else "does not open with this passphrase"
        raise ConfigurationError(reason) from None
    if not isinstance(native, _x25519().X25519PrivateKey):
        raise ConfigurationError("holds a key of another kind; X25519 is needed")
    return PrivateKey(native)
