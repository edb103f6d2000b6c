"""Promises of `crmlogging.crypto.tokens`: what opens, what does not, and that nothing repeats."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlogging.crypto import tokens
from crmlogging.crypto.envelope import FIELD, VAULT
from crmlogging.crypto.keys import PrivateKey, PrivateKeys
from crmlogging.crypto.tokens import PLAINTEXT_BYTES_MAXIMUM, Sealer, Unsealer, padded_size
from crmlogging.exceptions import DecryptionError, UnknownKeyError

KEY = PrivateKey.new()
SEALER = Sealer(KEY.public, FIELD)
ERROR = "cannot be decrypted: another key, or changed, moved or cut data"


def ring(*keys: PrivateKey) -> PrivateKeys:
    keys_ = PrivateKeys()
    for key in keys:
        keys_.add(key)
    return keys_


def raw_of(token: str) -> bytes:
    text = token.removeprefix("seal:")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def token_of(raw: bytes) -> str:
    return "seal:" + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def header_of(token: str) -> bytes:
    return raw_of(token)[:42]


@pytest.fixture
def unsealer() -> Unsealer:
    """Open what `SEALER` seals."""
    return Unsealer(ring(KEY), FIELD)


class TestSeal:
    @settings(deadline=None)
    @given(plaintext=st.binary(max_size=300), bound=st.binary(max_size=60))
    def test_opens_again(self, plaintext: bytes, bound: bytes) -> None:
        """What was sealed comes back, whatever it was and is bound to."""
        assert Unsealer(ring(KEY), FIELD).unseal(SEALER.seal(plaintext, bound), bound) == plaintext

    def test_equal_values_look_different(self) -> None:
        """Nobody without the key sees that two values are equal."""
        made = {SEALER.seal(b"ada", b"") for _ in range(1_000)}
        assert len(made) == 1_000
        assert len({raw_of(token)[42:54] for token in made}) == 1_000

    def test_length_tells_a_bucket_only(self) -> None:
        """Values of 0 to 60 bytes give tokens of one length."""
        assert len({len(SEALER.seal(b"x" * size, b"")) for size in range(61)}) == 1
        assert len(SEALER.seal(b"x" * 61, b"")) > len(SEALER.seal(b"x" * 60, b""))

    @settings(deadline=None)
    @given(size=st.integers(0, 200_000))
    def test_padding_never_shrinks_nor_doubles_what_is_long(self, size: int) -> None:
        """A bucket holds its content, and few buckets exist."""
        padded = padded_size(size)
        assert padded >= size + 4
        assert padded <= max(64, 2 * (size + 4))
        assert padded & (padded - 1) == 0 or padded % 4_096 == 0

    def test_is_bounded(self) -> None:
        """A value too long for a line is refused rather than sealed."""
        limit = b"x" * PLAINTEXT_BYTES_MAXIMUM
        assert Unsealer(ring(KEY), FIELD).unseal(SEALER.seal(limit, b""), b"") == limit
        with pytest.raises(ValueError, match="too long"):
            SEALER.seal(limit + b"x", b"")

    def test_shows_no_key(self) -> None:
        """Neither its repr nor that of what it seals with."""
        assert repr(SEALER) == f"Sealer({KEY.public.id}, 'field')"


class TestUnseal:
    @pytest.mark.parametrize("where", ["header", "nonce", "text", "tag"])
    def test_any_bit_changed_is_noticed(self, where: str, unsealer: Unsealer) -> None:
        """Each bit of each part: one error text, of one kind, and nothing comes out."""
        raw = raw_of(SEALER.seal(b"plaintext", b"bound"))
        start, end = {"header": (0, 42), "nonce": (42, 54), "text": (54, 118), "tag": (118, 134)}[
            where
        ]
        assert len(raw) == 134
        for position in range(start, end):
            for bit in range(8):
                changed = bytearray(raw)
                changed[position] ^= 1 << bit
                with pytest.raises(DecryptionError) as caught:
                    unsealer.unseal(token_of(bytes(changed)), b"bound")
                if not 2 <= position < 10:
                    assert (type(caught.value), str(caught.value)) == (DecryptionError, ERROR)

    def test_another_key_id_is_named(self, unsealer: Unsealer) -> None:
        """A token for a key that is not there says which one, and nothing else."""
        other = PrivateKey.new()
        with pytest.raises(UnknownKeyError) as caught:
            unsealer.unseal(Sealer(other.public, FIELD).seal(b"plaintext", b""), b"")
        assert str(caught.value) == f"needs the private key {other.public.id}"

    @settings(deadline=None)
    @given(bound=st.binary(max_size=30))
    def test_bound_to_something_else_does_not_open(self, bound: bytes) -> None:
        """Only exactly what was bound opens the token."""
        token = SEALER.seal(b"plaintext", b"bound")
        if bound != b"bound":
            with pytest.raises(DecryptionError):
                Unsealer(ring(KEY), FIELD).unseal(token, bound)

    def test_another_purpose_does_not_open(self) -> None:
        """A field's token is no vault's."""
        with pytest.raises(DecryptionError):
            Unsealer(ring(KEY), VAULT).unseal(SEALER.seal(b"plaintext", b""), b"")

    def test_cut_anywhere_does_not_open(self, unsealer: Unsealer) -> None:
        """Every shorter token, from nothing on, has the one error."""
        token = SEALER.seal(b"plaintext", b"")
        for length in range(len(token)):
            with pytest.raises(DecryptionError, match=ERROR):
                unsealer.unseal(token[:length], b"")

    @pytest.mark.parametrize(
        "variant",
        [
            pytest.param(lambda t: t + "=", id="padding"),
            pytest.param(lambda t: t + "==", id="more padding"),
            pytest.param(lambda t: t + "A", id="a letter more"),
            pytest.param(lambda t: t + "AAAA", id="a group more"),
            pytest.param(lambda t: t + "\n", id="newline"),
            pytest.param(lambda t: " " + t, id="blank before"),
            pytest.param(lambda t: t[:80] + "\n" + t[80:], id="newline within"),
            pytest.param(lambda t: t.replace("-", "+").replace("_", "/") + "+", id="plain base64"),
            pytest.param(lambda t: t.upper(), id="upper case"),
            pytest.param(lambda t: t.replace("seal:", "SEAL:"), id="another prefix"),
            pytest.param(lambda t: t.removeprefix("seal:"), id="no prefix"),
            pytest.param(lambda t: "seal:" + t, id="prefix twice"),
            pytest.param(lambda t: t[:-1] + "\uff21", id="full-width letter"),
            pytest.param(lambda t: "seal:" + "A" * 10_000_000, id="10 MB of letters"),
            pytest.param(lambda t: "seal:" + "!" * 10_000_000, id="10 MB of others"),
        ],
    )
    def test_spelled_otherwise_does_not_open(self, variant: object, unsealer: Unsealer) -> None:
        """A token has one spelling."""
        assert callable(variant)
        with pytest.raises(DecryptionError, match=ERROR):
            unsealer.unseal(variant(SEALER.seal(b"plaintext", b"")), b"")

    def test_bits_beyond_the_end_do_not_open(self, unsealer: Unsealer) -> None:
        """Base64 whose unused bits are set is a second spelling, and refused."""
        token = SEALER.seal(b"plaintext", b"")
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        assert len(raw_of(token)) % 3 == 2  # so the last letter carries two unused bits
        last = letters.index(token[-1])
        twin = token[:-1] + letters[last + 1]
        assert raw_of(twin) == raw_of(token)
        with pytest.raises(DecryptionError):
            unsealer.unseal(twin, b"")

    @settings(deadline=None)
    @given(text=st.text(max_size=300))
    def test_garbage_has_the_one_error(self, text: str) -> None:
        """Whatever is given, it is no token."""
        for garbage in (text, "seal:" + text):
            with pytest.raises(DecryptionError):
                Unsealer(ring(KEY), FIELD).unseal(garbage, b"")

    def test_old_keys_open_old_tokens(self) -> None:
        """After a rotation the ring opens both, each with its own key."""
        old, new = PrivateKey.new(), PrivateKey.new()
        sealed = [Sealer(key.public, FIELD).seal(b"plaintext", b"") for key in (old, new)]
        unsealer = Unsealer(ring(old, new), FIELD)
        assert [unsealer.unseal(token, b"") for token in sealed] == [b"plaintext"] * 2

    def test_many_ephemeral_keys_take_no_memory(
        self, unsealer: Unsealer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What was agreed is remembered within bounds."""
        monkeypatch.setattr(tokens, "_AGREED_KEPT", 4)
        for _ in range(20):
            token = Sealer(KEY.public, FIELD).seal(b"plaintext", b"")
            assert unsealer.unseal(token, b"") == b"plaintext"
        assert len(unsealer._agreed) <= 4


class TestEphemeralKey:
    def test_serves_an_hour(self) -> None:
        """The same key for an hour of the process's clock, then another."""
        now = [100.0]
        sealer = Sealer(KEY.public, FIELD, clock=lambda: now[0])
        first = header_of(sealer.seal(b"", b""))
        now[0] += 3_599.9
        assert header_of(sealer.seal(b"", b"")) == first
        now[0] += 0.2
        assert header_of(sealer.seal(b"", b"")) != first

    def test_serves_a_number_of_tokens(self) -> None:
        """Each key makes as many tokens as it may, and no more."""
        sealer = Sealer(KEY.public, FIELD, uses=10)
        headers = [header_of(sealer.seal(b"", b"")) for _ in range(30)]
        assert max(headers.count(header) for header in headers) <= 10
        assert len(set(headers)) == 3
        assert tokens.USES_MAXIMUM == 2**20

    def test_nothing_repeats_over_forks_and_threads(self, tmp_path: Path) -> None:
        """8 forked processes of 4 threads make 10^5 tokens: keys differ, no nonce comes twice."""
        program = """
            import os, sys, threading
            from crmlogging.crypto.keys import PrivateKey
            from crmlogging.crypto.tokens import Sealer
            import base64
            sealer = Sealer(PrivateKey.new().public, "field")
            def work(process, number):
                with open(f"{sys.argv[1]}/{process}-{number}", "wb") as file:
                    for _ in range(3125):
                        text = sealer.seal(b"", b"")[5:]
                        file.write(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))[10:54])
            sealer.seal(b"", b"")
            children = []
            for process in range(8):
                child = os.fork()
                if not child:
                    threads = [threading.Thread(target=work, args=(process, n)) for n in range(4)]
                    [t.start() for t in threads]
                    [t.join() for t in threads]
                    os._exit(0)
                children.append(child)
            work("parent", 0)
            sys.exit(sum(os.waitpid(child, 0)[1] for child in children))
        """
        command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program), str(tmp_path)]
        subprocess.run(command, check=True, timeout=60)
        keys: dict[str, set[bytes]] = {}
        pairs = []
        for file in tmp_path.iterdir():
            content = file.read_bytes()
            made = [content[at : at + 44] for at in range(0, len(content), 44)]
            keys.setdefault(file.name.partition("-")[0], set()).update(pair[:32] for pair in made)
            pairs += [pair[32:] for pair in made]
        assert len(pairs) == len(set(pairs)) == 8 * 4 * 3_125 + 3_125
        assert [len(each) for each in keys.values()] == [1] * 9
        assert len(set.union(*keys.values())) == 9

    def test_a_fork_that_ran_no_hooks_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another process id alone is reason enough for another key."""
        sealer = Sealer(KEY.public, FIELD)
        first = header_of(sealer.seal(b"", b""))
        here, own = threading.get_ident(), os.getpid()
        monkeypatch.setattr(os, "getpid", lambda: -1 if threading.get_ident() == here else own)
        assert header_of(sealer.seal(b"", b"")) != first

    def test_a_fork_s_hook_alone_renews(self) -> None:
        """In a child that got its parent's process id again, the hook is reason enough."""
        sealer = Sealer(KEY.public, FIELD)
        first = header_of(sealer.seal(b"", b""))
        holder = threading.Thread(target=sealer._lock.acquire)  # and nobody will release it
        holder.start()
        holder.join()
        tokens._after_fork()
        made: list[str] = []
        worker = threading.Thread(target=lambda: made.append(sealer.seal(b"", b"")), daemon=True)
        worker.start()
        worker.join(timeout=60)
        assert [header_of(token) == first for token in made] == [False]
