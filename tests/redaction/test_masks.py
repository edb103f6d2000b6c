"""Promises of `crmlogging.redaction.masks`: what a mask shows, and what it needs."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import os
import pickle

import orjson
import pytest

from crmlogging.diagnostics import tally
from crmlogging.fields import MISFIT
from crmlogging.redaction.masks import REDACTED, complaint_about, is_masked, masked

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _key_in_environment() -> None:
    os.environ["CRMLOGGING_HMAC_KEY"] = KEY


class TestLast4:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            pytest.param("0123456789abcdef", "****cdef", id="sixteen"),
            pytest.param("0123456789abcde", REDACTED, id="fifteen"),
            pytest.param("x" * 10_000 + "tail", "****tail", id="long"),
            pytest.param(4111111111111111, "****1111", id="number"),
            pytest.param("0123456789abc\n\u202eX", REDACTED, id="control characters at the end"),
            pytest.param("", REDACTED, id="empty"),
            pytest.param(None, REDACTED, id="none"),
            pytest.param(True, REDACTED, id="bool"),
            pytest.param(MISFIT, REDACTED, id="no scalar"),
        ],
    )
    def test_shows_the_end_of_long_values(self, value: object, shown: str) -> None:
        """From 16 characters up four are shown, and never how many there were."""
        assert masked("last4", "api_key", value, None) == shown


class TestHmac:
    def test_is_hmac_sha_256_over_name_and_value(self) -> None:
        """128 bits of RFC 2104, over the name with its length before it."""
        expected = hmac.new(KEY.encode(), b"10:user.emailada@example.com", hashlib.sha256)
        shown = masked("hmac", "user.email", "ada@example.com", None)
        assert shown.split(":")[2] == expected.hexdigest()[:32]
        assert "ada" not in shown

    def test_equal_values_stay_equal_within_a_field(self) -> None:
        """Lines can be joined by the digest; two fields cannot be compared."""
        one = masked("hmac", "user.email", "ada@example.com", None)
        assert one == masked("hmac", "user.email", "ada@example.com", None)
        assert one != masked("hmac", "user.email", "bob@example.com", None)
        assert one != masked("hmac", "lead.email", "ada@example.com", None)
        assert masked("hmac", "id", 42, None) == masked("hmac", "id", "42", None)

    def test_name_and_value_cannot_run_together(self) -> None:
        """``ab`` + ``c`` and ``a`` + ``bc`` give different digests."""
        assert masked("hmac", "ab", "c", None) != masked("hmac", "a", "bc", None)

    def test_the_key_rotates_while_running(self) -> None:
        """A new key is used at once, and the output names the key without showing it."""
        old = masked("hmac", "f", "v", None)
        os.environ["CRMLOGGING_HMAC_KEY"] = "f" * 32
        new = masked("hmac", "f", "v", None)
        assert old.split(":")[1] != new.split(":")[1]
        assert "ffff" not in new

    def test_a_callable_wins_over_the_environment(self) -> None:
        """The key may come from a secret store, as text or bytes."""
        stored = masked("hmac", "f", "v", lambda: KEY[::-1].encode())
        assert stored == masked("hmac", "f", "v", lambda: KEY[::-1])
        assert stored != masked("hmac", "f", "v", None)

    @pytest.mark.parametrize("key", [None, "", "short", b"x" * 15])
    def test_without_a_key_nothing_is_shown(self, key: str | bytes | None) -> None:
        """A key that got lost masks the value whole, and is counted."""
        before = tally["redaction.hmac_key_missing"]
        assert masked("hmac", "f", "v", lambda: key) == REDACTED
        assert tally["redaction.hmac_key_missing"] == before + 1

    def test_a_callable_that_fails_shows_nothing(self) -> None:
        """The secret store being down neither raises nor opens the value."""

        def down() -> str:
            raise OSError("vault")

        assert masked("hmac", "f", "v", down) == REDACTED

    @pytest.mark.parametrize("value", [None, True, MISFIT, 2**70, "x" * 2_000_000])
    def test_other_values_are_masked_whole(self, value: object) -> None:
        """What has too few values to hide, or is too much to digest, is not digested."""
        assert masked("hmac", "f", value, None) == REDACTED

    def test_a_key_of_any_bytes_works(self) -> None:
        """A key in the environment that is no UTF-8 is used as its bytes."""
        key = bytes(range(240, 256))
        os.environb[b"CRMLOGGING_HMAC_KEY"] = key
        assert masked("hmac", "f", "v", None) == masked("hmac", "f", "v", lambda: key)
        assert complaint_about("hmac", None) is None


class TestSeal:
    @pytest.mark.parametrize("value", ["ada@example.com", 5, 2.5, True, None, "", float("nan")])
    def test_shows_nothing_until_it_is_sealed(self, value: object) -> None:
        """Whoever writes the outcome of the mask before it is a token writes the placeholder."""
        shown = masked("seal", "f", value, None)
        assert shown == f"{shown}" == str(shown) == REDACTED
        assert repr(shown) == repr(REDACTED)
        assert (json.dumps(shown), orjson.dumps(shown)) == (
            f'"{REDACTED}"',
            f'"{REDACTED}"'.encode(),
        )
        for copied in (copy.copy(shown), copy.deepcopy(shown), pickle.loads(pickle.dumps(shown))):
            assert type(copied) is str
            assert copied == REDACTED

    @pytest.mark.parametrize(
        "value",
        [
            pytest.param(MISFIT, id="no scalar"),
            pytest.param(object(), id="object"),
            pytest.param(2**5_000, id="huge integer"),
            pytest.param("x" * 70_000, id="long text"),
            pytest.param("\U0001f600" * 6_000, id="text that grows in JSON"),
        ],
    )
    def test_what_cannot_be_sealed_is_masked_whole(self, value: object) -> None:
        """It stays masked for good, and is counted."""
        before = tally["redaction.seal_withheld"]
        shown = masked("seal", "f", value, None)
        assert (type(shown), shown) == (str, REDACTED)
        assert tally["redaction.seal_withheld"] == before + 1


class TestComplaintAbout:
    @pytest.mark.parametrize("mask", ["last4", "hmac", "seal"])
    def test_known_masks_pass(self, mask: str) -> None:
        """All work with a key in the environment; that of seal is the filter's to check."""
        assert complaint_about(mask, None) is None

    @pytest.mark.parametrize(
        ("mask", "part"),
        [("first4", "not a mask"), (4, "not a mask"), (["last4"], "not a mask")],
    )
    def test_others_are_named(self, mask: object, part: str) -> None:
        """A typo and a wrong type."""
        assert part in (complaint_about(mask, None) or "")

    def test_a_missing_key_names_the_variable(self) -> None:
        """Who asks for hmac is told where to put the key, and the key is never quoted."""
        os.environ["CRMLOGGING_HMAC_KEY"] = "tiny-secret"
        complaint = complaint_about("hmac", None) or ""
        assert "CRMLOGGING_HMAC_KEY" in complaint
        assert "tiny-secret" not in complaint

    def test_a_failing_callable_is_told_by_its_kind(self) -> None:
        """The text of its exception is not shown."""

        def down() -> str:
            raise OSError("vault password 1234")

        complaint = complaint_about("hmac", down) or ""
        assert "OSError" in complaint
        assert "1234" not in complaint


class TestIsMasked:
    def test_knows_the_outcomes(self) -> None:
        """A masked value that passes a second time is recognised; nothing else is."""
        assert is_masked(masked("hmac", "f", "v", None))
        assert is_masked("****cdef")
        assert is_masked("seal:" + "A" * 179)
        assert is_masked(["****cdef", REDACTED, "[TRUNCATED]"])
        assert not is_masked(["****cdef", "ada@example.com"])
        assert not is_masked("seal:" + "A" * 20)
        assert not is_masked("seal:" + "!" * 179)
        assert not is_masked("ada@example.com")
        assert not is_masked("****cdefg")
        assert not is_masked(4)
