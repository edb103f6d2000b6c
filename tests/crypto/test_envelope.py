"""Promises of `crmlogging.crypto.envelope`, checked against published vectors and by hand.

Vectors: NIST CAVP (GCM), RFC 7748 (X25519), RFC 5869 (HKDF), as ``cryptography_vectors`` ships
them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

import cryptography_vectors
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crmlogging.crypto import envelope
from crmlogging.crypto.envelope import FIELD, TOKEN, Header
from crmlogging.crypto.keys import PrivateKey, PrivateKeys, PublicKey
from crmlogging.exceptions import ConfigurationError, DecryptionError


def vectors(path: str) -> Iterator[dict[str, str]]:
    """Yield the vectors of a file of ``name = value`` lines, each of which starts with Count."""
    vector: dict[str, str] = {}
    with cryptography_vectors.open_vector_file(path, "r") as file:
        for line in file:
            name, _, value = line.strip().partition("=")
            name = name.strip().upper()
            if name == "COUNT" and vector:
                yield vector
                vector = {}
            if name and not name.startswith(("#", "[")):
                vector[name] = value.strip()
    yield vector


class TestDecrypted:
    def test_nist_vectors(self) -> None:
        """Of NIST's, those of our sizes open exactly where NIST says so; short tags never do."""
        opened = refused = short = 0
        for vector in vectors("ciphers/AES/GCM/gcmDecrypt256.rsp"):
            key, nonce, text, bound, tag = (
                bytes.fromhex(vector[name]) for name in ("KEY", "IV", "CT", "AAD", "TAG")
            )
            if len(nonce) != envelope.NONCE_BYTES:
                continue
            cipher, message = AESGCM(key), nonce + text + tag
            if len(tag) == envelope.TAG_BYTES and "FAIL" not in vector:
                assert envelope.decrypted(cipher, message, bound).hex() == vector["PT"]
                opened += 1
                continue
            with pytest.raises(DecryptionError):
                envelope.decrypted(cipher, message, bound)
            refused += len(tag) == envelope.TAG_BYTES
            short += len(tag) < envelope.TAG_BYTES
        assert (opened + refused, short) == (375, 2_250)
        assert min(opened, refused) > 100

    def test_nist_encryption_vectors(self) -> None:
        """What NIST's generator encrypted opens."""
        opened = 0
        for vector in vectors("ciphers/AES/GCM/gcmEncryptExtIV256.rsp"):
            key, nonce, text, bound, tag = (
                bytes.fromhex(vector[name]) for name in ("KEY", "IV", "CT", "AAD", "TAG")
            )
            if (len(nonce), len(tag)) == (envelope.NONCE_BYTES, envelope.TAG_BYTES):
                plain = envelope.decrypted(AESGCM(key), nonce + text + tag, bound)
                assert plain.hex() == vector["PT"]
                opened += 1
        assert opened == 375

    @pytest.mark.parametrize("length", [0, 1, 11, 12, 27])
    def test_too_short_is_refused(self, length: int) -> None:
        """What cannot even hold nonce and tag has the one error."""
        with pytest.raises(DecryptionError):
            envelope.decrypted(AESGCM(bytes(32)), bytes(length), b"")


class TestAgreement:
    def test_rfc_7748_vectors(self) -> None:
        """X25519 gives the RFC's outputs."""
        given = list(vectors("asymmetric/X25519/rfc7748.txt"))[:2]
        for vector in given:
            native = X25519PrivateKey.from_private_bytes(bytes.fromhex(vector["INPUT_SCALAR"]))
            shared = PrivateKey(native).agree(bytes.fromhex(vector["INPUT_U"]))
            assert shared.hex() == vector["OUTPUT_U"]
        assert len(given) == 2

    def test_rfc_5869_vectors(self) -> None:
        """The HKDF of this test, which judges ours below, gives the RFC's outputs."""
        given = list(vectors("KDF/rfc-5869-HKDF-SHA256.txt"))
        for vector in given:
            ikm, salt, info = (bytes.fromhex(vector.get(n, "")) for n in ("IKM", "SALT", "INFO"))
            assert hkdf(ikm, salt, info, int(vector["L"])).hex() == vector["OKM"]
        assert len(given) == 3

    def test_both_sides_derive_the_documented_key(self) -> None:
        """HKDF over the X25519 secret, with label, header, recipient and purpose as info."""
        recipient = PrivateKey.new()
        keys = PrivateKeys()
        keys.add(recipient)
        header, sent = envelope.agreed_by_sender(recipient.public, TOKEN, FIELD)
        info = b"crmlogging envelope 1" + header.raw + recipient.public.raw + b"field"
        by_hand = AESGCM(hkdf(recipient.agree(header.ephemeral), b"", info, 32))
        received = envelope.agreed_by_recipient(header, keys, FIELD)
        message = envelope.encrypted(sent, b"plain", b"bound")
        for cipher in (by_hand, received):
            assert envelope.decrypted(cipher, message, b"bound") == b"plain"

    def test_a_purpose_opens_nothing_of_another(self) -> None:
        """The same secret gives each purpose a key of its own."""
        recipient = PrivateKey.new()
        keys = PrivateKeys()
        keys.add(recipient)
        header, cipher = envelope.agreed_by_sender(recipient.public, TOKEN, FIELD)
        message = envelope.encrypted(cipher, b"plain", b"")
        for purpose in (envelope.ARCHIVE, envelope.VAULT):
            with pytest.raises(DecryptionError):
                envelope.decrypted(
                    envelope.agreed_by_recipient(header, keys, purpose), message, b""
                )

    @pytest.mark.parametrize(
        "point",
        [
            pytest.param(bytes(32), id="zero"),
            pytest.param(b"\1" + bytes(31), id="one"),
            pytest.param(
                bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
                id="order-eight",
            ),
        ],
    )
    def test_points_of_low_order_are_refused(self, point: bytes) -> None:
        """RFC 7748 section 6.1: a secret of zeros is none; neither side goes on with it."""
        with pytest.raises(ConfigurationError, match="low order"):
            envelope.agreed_by_sender(PublicKey(point), TOKEN, FIELD)
        recipient = PrivateKey.new()
        keys = PrivateKeys()
        keys.add(recipient)
        with pytest.raises(DecryptionError):
            envelope.agreed_by_recipient(Header(TOKEN, recipient.public.id, point), keys, FIELD)


class TestHeader:
    def test_reads_what_it_wrote(self) -> None:
        """Version, shape, key id and ephemeral key, in 42 bytes."""
        header = Header(TOKEN, "00112233445566ff", bytes(range(32)))
        assert len(header.raw) == envelope.HEADER_BYTES
        assert header.raw[:2] == b"\1\1"
        assert Header.read(header.raw + b"more", TOKEN) == header

    @pytest.mark.parametrize(
        "raw",
        [
            pytest.param(b"", id="empty"),
            pytest.param(b"\1\1" + bytes(39), id="short"),
            pytest.param(b"\2\1" + bytes(40), id="another version"),
            pytest.param(b"\1\2" + bytes(40), id="another shape"),
        ],
    )
    def test_others_are_refused(self, raw: bytes) -> None:
        """What is no header of this version and shape has the one error."""
        with pytest.raises(DecryptionError):
            Header.read(raw, TOKEN)


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 with SHA-256, out of `hmac` alone."""
    key = hmac.digest(salt or bytes(hashlib.sha256().digest_size), secret, "sha256")
    block, output = b"", b""
    for number in range(1, -(-length // 32) + 1):
        block = hmac.digest(key, block + info + bytes((number,)), "sha256")
        output += block
    return output[:length]
