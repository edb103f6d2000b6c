"""Promises about packed text: unpacked it would be read, so it is withheld."""

from __future__ import annotations

import base64
import secrets
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlogging.scrubbing import is_secret, scrub

ADDRESSES = st.from_regex(r"[a-z]{3,12}(\.[a-z]{2,12})?@[a-z]{3,12}\.(com|example)", fullmatch=True)


class TestPacked:
    @given(address=ADDRESSES, before=st.sampled_from(["", "user:", '{"email":"', "a "]))
    def test_base64_of_an_address(self, address: str, before: str) -> None:
        """Both alphabets, with padding and without, in a text and as an id."""
        packed = f"{before}{address}".encode()
        if len(packed) < 18:
            return
        for form in (base64.b64encode(packed), base64.urlsafe_b64encode(packed)):
            text = form.decode()
            assert text.rstrip("=") not in scrub(f"sent {text} to nobody")
            assert is_secret(text.rstrip("="))

    @given(address=ADDRESSES)
    def test_hexadecimal_of_an_address(self, address: str) -> None:
        """In both cases of letters."""
        text = address.encode().hex()
        for form in (text, text.upper()):
            if len(address) >= 10:
                assert form not in scrub(f"sent {form} to nobody")
                assert is_secret(form)

    @pytest.mark.parametrize("after", ["", "=", "==", "=1"])
    def test_the_shortest_is_found(self, after: str) -> None:
        """Fifteen characters in base64 and ten in hexadecimal, also before a sign of equality."""
        texts = (b"ada@example.com", b"ADA@EXAMPLE.NEW")  # the second one ends in an X
        for packed in (*(base64.b64encode(text).decode() for text in texts), b"ada@ex.org".hex()):
            assert packed not in scrub(f"sent {packed}{after} to nobody")
            assert is_secret(packed + after)

    def test_lines_and_columns(self) -> None:
        """A text of several lines, or of a table, is one too."""
        text = b"Ada\tLovelace\r\nada@example.com\n"
        for packed in (base64.b64encode(text).decode(), text.hex()):
            assert is_secret(packed.rstrip("="))
            assert scrub(f"sent {packed} to nobody") == "sent [TOKEN] to nobody"

    @pytest.mark.parametrize("make", [uuid.uuid4, lambda: secrets.token_hex(16)])
    def test_random_ids_stay(self, make: object) -> None:
        """A UUID or a digest is no text, whatever it unpacks to."""
        for _ in range(2_000):
            identity = str(make())  # type: ignore[operator]  # one of the two above
            assert not is_secret(identity)

    @pytest.mark.parametrize(
        "word",
        [
            "crm-sync-nightly-contact-update",
            "crm.objects.contacts.read",
            "contactpropertiesassociations",
            "CONTACT_UPDATE_TOKEN_EXPIRED_FOR_GOOD",
            "0035g00000ABCDEAA2-0035g00000ABCDEAA3",
            "com.salesforce.api.ContactUpdateRequestHandler",
            "20261122030000131-20261122030000131",
        ],
    )
    def test_names_stay(self, word: str) -> None:
        """Long words, codes and ids of records."""
        assert not is_secret(word)
        assert scrub(f"Asked {word} again") == f"Asked {word} again"
