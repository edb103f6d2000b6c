"""Promises of `crmlogging.crypto.keys`: what counts as a key, and which files are refused."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from crmlogging.crypto.key_files import write_new
from crmlogging.crypto.keys import PrivateKey, PrivateKeys, PublicKey
from crmlogging.exceptions import ConfigurationError, MissingDependencyError, UnknownKeyError

BAD_PEM = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"


@pytest.fixture
def key() -> PrivateKey:
    """Make a fresh key."""
    return PrivateKey.new()


def flipped(text: str, position: int) -> str:
    """Return `text` with another letter at `position`."""
    return text[:position] + ("A" if text[position] != "A" else "B") + text[position + 1 :]


class TestPublicKey:
    def test_one_line_and_pem_are_the_same_key(self, key: PrivateKey, tmp_path: Path) -> None:
        """A key is read back from its line, from PEM, and from a file with either."""
        public = key.public
        (tmp_path / "line").write_text(public.line + "\n")
        (tmp_path / "pem").write_text(public.pem)
        for text in (public.line, f" {public.line}\n", public.pem):
            assert PublicKey.read(text) == public
        for name in ("line", "pem"):
            assert PublicKey.read(tmp_path / name) == public

    def test_pem_is_what_openssl_reads(self, key: PrivateKey) -> None:
        """The PEM is SubjectPublicKeyInfo (RFC 8410), without anything of ours."""
        native = X25519PrivateKey.from_private_bytes(key._native.private_bytes_raw())
        pem = native.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        assert key.public.pem.encode() == pem

    def test_of_several_the_newest_counts(self, key: PrivateKey, tmp_path: Path) -> None:
        """A file keeps old keys above the one in force."""
        old = PrivateKey.new().public
        for name, text in (
            ("pem", old.pem + key.public.pem),
            ("line", f"{old.line}\n{key.public.line}"),
        ):
            (tmp_path / name).write_text(text)
            assert PublicKey.read(tmp_path / name) == key.public

    def test_a_badly_copied_line_is_noticed(self, key: PrivateKey) -> None:
        """Any letter changed, in the key or in its id, is refused."""
        line = key.public.line
        for position in range(len("x25519:"), len(line)):
            with pytest.raises(ConfigurationError):
                PublicKey.read(flipped(line, position))

    def test_bits_that_no_key_has_are_noticed(self, key: PrivateKey) -> None:
        """The last letter of a key stands for four bits of it and two that are always 0."""
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        line, end = key.public.line, len("x25519:") + 42
        other = alphabet[alphabet.index(line[end]) + 1]
        with pytest.raises(ConfigurationError, match="copied badly"):
            PublicKey.read(line[:end] + other + line[end + 1 :])

    def test_a_private_key_is_refused_unquoted(self, key: PrivateKey) -> None:
        """Who puts the private key into a service's configuration is told, without an echo."""
        with pytest.raises(ConfigurationError, match="holds a private key") as caught:
            PublicKey.read(key.pem())
        assert "MC4" not in str(caught.value)

    @pytest.mark.parametrize(
        ("source", "part"),
        [
            pytest.param("", "neither a key nor a file", id="empty"),
            pytest.param("no/such/file.pem", "neither a key nor a file", id="no file"),
            pytest.param("a\0b", "is no path", id="NUL"),
            pytest.param("x25519:", "is no public key", id="prefix only"),
            pytest.param("x25519:" + "A" * 43 + ":" + "0" * 16, "copied badly", id="another id"),
            pytest.param(
                "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
                "damaged",
                id="bad PEM",
            ),
            pytest.param("/dev/null", "no regular file", id="device"),
            pytest.param("/", "no regular file", id="folder"),
            pytest.param(5, "must be a key", id="number"),
        ],
    )
    def test_other_sources_are_told(self, source: str, part: str) -> None:
        """Each says what is wrong with it."""
        with pytest.raises(ConfigurationError, match=part):
            PublicKey.read(source)

    def test_a_key_of_another_kind_is_told(self) -> None:
        """Ed25519 signs and cannot agree."""
        public = Ed25519PrivateKey.generate().public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        with pytest.raises(ConfigurationError, match="another kind"):
            PublicKey.read(pem.decode())


class TestPrivateKeys:
    def test_files_folders_and_rings(self, tmp_path: Path) -> None:
        """Keys come from a file of one, a file of several, and a folder, each by its id."""
        keys = [PrivateKey.new() for _ in range(5)]
        write_new(tmp_path / "one.pem", keys[0].pem())
        write_new(tmp_path / "two.pem", keys[1].pem() + keys[2].pem("secret"))
        folder = tmp_path / "ring"
        folder.mkdir()
        write_new(folder / "a.pem", keys[3].pem())
        write_new(folder / "b.pem", keys[4].pem())
        write_new(folder / "public.pem", keys[4].public.pem, mode=0o644)
        write_new(folder / "notes.txt", "not looked at", mode=0o644)
        asked: list[str] = []

        def passphrase(path: str) -> str:
            asked.append(os.path.basename(path))
            return "secret"

        ring = PrivateKeys(
            [tmp_path / "one.pem", tmp_path / "two.pem", folder], passphrase=passphrase
        )
        assert len(ring) == 5
        assert all(ring[key.public.id].public == key.public for key in keys)
        assert asked == ["two.pem"]

    def test_an_unknown_key_is_named_by_its_id(self, key: PrivateKey) -> None:
        """What is missing is said, and it is no secret."""
        with pytest.raises(UnknownKeyError, match=key.public.id):
            PrivateKeys()[key.public.id]

    @pytest.mark.parametrize("mode", [0o604, 0o640, 0o620, 0o602, 0o644, 0o660])
    def test_a_file_others_may_use_is_refused(
        self, mode: int, key: PrivateKey, tmp_path: Path
    ) -> None:
        """Readable or writable by group or others: refused, with the remedy."""
        write_new(tmp_path / "k.pem", key.pem(), mode=mode)
        with pytest.raises(ConfigurationError, match=rf"mode {mode:04o}\); chmod 600"):
            PrivateKeys([tmp_path / "k.pem"])

    def test_a_link_is_followed_and_its_target_judged(
        self, key: PrivateKey, tmp_path: Path
    ) -> None:
        """Mounted secrets are links; what they lead to has to be private."""
        write_new(tmp_path / "data", key.pem())
        (tmp_path / "k.pem").symlink_to("data")
        assert len(PrivateKeys([tmp_path / "k.pem"])) == 1
        (tmp_path / "data").chmod(0o644)
        with pytest.raises(ConfigurationError, match="may be used by others"):
            PrivateKeys([tmp_path / "k.pem"])

    def test_every_bad_file_is_listed(self, key: PrivateKey, tmp_path: Path) -> None:
        """One error names each file with its own reason, and shows no contents."""
        other = Ed25519PrivateKey.generate()
        ed25519 = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        files = {
            "empty.pem": "",
            "public.pem": key.public.pem,
            "cut.pem": key.pem()[:60],
            "bits.pem": key.pem().replace("MC4", "MC5"),
            "encrypted.pem": key.pem("secret"),
            "ed25519.pem": ed25519,
            "huge.pem": "x" * 70_000,
        }
        for name, text in files.items():
            write_new(tmp_path / name, text)
        os.mkfifo(tmp_path / "pipe.pem")
        names = [*files, "pipe.pem", "absent.pem"]
        with pytest.raises(ConfigurationError) as caught:
            PrivateKeys([tmp_path / name for name in names])
        reasons = dict(zip(names, caught.value.problems, strict=True))
        assert "no private key" in reasons["empty.pem"]
        assert "no private key" in reasons["public.pem"]
        assert "damaged" in reasons["cut.pem"]
        assert "damaged" in reasons["bits.pem"]
        assert "needs its passphrase" in reasons["encrypted.pem"]
        assert "another kind" in reasons["ed25519.pem"]
        assert "too large" in reasons["huge.pem"]
        assert "no regular file" in reasons["pipe.pem"]
        assert "file that exists" in reasons["absent.pem"]
        assert key.pem().splitlines()[1] not in str(caught.value)

    def test_a_bad_file_in_a_folder_is_named(self, key: PrivateKey, tmp_path: Path) -> None:
        """A folder that holds one refused file is refused, naming it."""
        write_new(tmp_path / "a.pem", key.pem())
        write_new(tmp_path / "b.pem", key.pem(), mode=0o644)
        with pytest.raises(ConfigurationError, match=r"b\.pem may be used by others"):
            PrivateKeys([tmp_path])

    def test_a_wrong_passphrase_is_told_and_not_quoted(
        self, key: PrivateKey, tmp_path: Path
    ) -> None:
        """The key stays closed, and the passphrase out of the message."""
        write_new(tmp_path / "k.pem", key.pem("right"))
        with pytest.raises(ConfigurationError, match="does not open") as caught:
            PrivateKeys([tmp_path / "k.pem"], passphrase=lambda _: "wrong-one")
        assert "wrong-one" not in str(caught.value)


class TestSecrecy:
    def test_no_repr_shows_a_key(self, key: PrivateKey) -> None:
        """A key that lands in a log by mistake shows its id."""
        ring = PrivateKeys()
        ring.add(key)
        raw = key._native.private_bytes_raw()
        for shown in (repr(key), str(key), repr(ring), f"{ring}"):
            assert key.public.id in shown
            assert raw.hex() not in shown
            assert repr(raw)[2:10] not in shown

    def test_without_the_package_the_extra_is_named(self) -> None:
        """A missing `cryptography` says what to install."""
        program = (
            "import sys\nsys.modules['cryptography'] = None\n"
            "from crmlogging.crypto.keys import PrivateKey\nPrivateKey.new()"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
        )
        assert MissingDependencyError.__name__ in done.stderr
        assert 'pip install "crmlogging[crypto]"' in done.stderr


class TestWriteNew:
    @pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
    def test_mode_is_exact(self, umask: int, tmp_path: Path) -> None:
        """0600 whatever the umask, from the first moment on."""
        before = os.umask(umask)
        try:
            write_new(tmp_path / "k", "text")
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "k").stat().st_mode) == 0o600
        assert (tmp_path / "k").read_text() == "text"

    def test_nothing_is_overwritten(self, tmp_path: Path) -> None:
        """Neither a file nor what a link leads to."""
        (tmp_path / "file").write_text("kept")
        (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
        for name in ("file", "link"):
            with pytest.raises(FileExistsError):
                write_new(tmp_path / name, "text")
        assert (tmp_path / "file").read_text() == "kept"
        assert not (tmp_path / "elsewhere").exists()

    def test_nothing_half_written_stays(self, tmp_path: Path) -> None:
        """A text that cannot be written leaves no empty key file behind."""
        with pytest.raises(UnicodeEncodeError):
            write_new(tmp_path / "k", "\ud800")
        assert list(tmp_path.iterdir()) == []
