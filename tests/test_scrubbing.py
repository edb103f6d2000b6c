"""Promises of `crmlogging.scrubbing`: what it finds, what it leaves, and in what time."""

from __future__ import annotations

import time
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlogging.scrubbing import is_secret, scrub

FOUND = {
    "[EMAIL]": [
        *("ada@example.com", 'mail "ada lovelace"@example.com now', "o'brien@ex.com"),
        *("jürgen@müller.de", "ada＠example.com", "ada%40example.com", "ada\u200b@example.com"),
        *("ada@[10.0.0.1]", "ada@10.0.0.1", "bounce+ada=example.org@x.com", "<ada@example.com>"),
        *("mailto:ada@example.com", "to ada@localhost", "x" * 300 + "@example.com"),
    ],
    "[PHONE]": [
        *("+49 151 23456789", "+49 (0)151 234-5678", "+1-202-555-0143", "(555) 123-4567"),
        *("555-123-4567", "555.123.4567", "1 555 123 4567", "0049 151 2345678"),
        *("0151 23456789", "030/1234567", "06 12 34 56 78", "01512345678", "020 7946 0958"),
        *("phone: 5551234567", '"phone": "555 1234567"', "mobilePhone=5551234567"),
    ],
    "[CARD]": [
        *("4111 1111 1111 1111", "4111111111111111", "4111-1111-1111-1111 12/27"),
        *("378282246310005", "pay 5500 0000 0000 0004 now", "id 4111 1111 1111 1111 123 ok"),
        *("123 4111 1111 1111 1111", "6011000990139424", "x4111111111111111x"),
    ],
    "[IBAN]": [
        *("DE89 3704 0044 0532 0130 00", "DE89370400440532013000 was rejected"),
        *(
            "GB29NWBK60161331926819",
            "gb29nwbk60161331926819",
            "FR14 2004 1010 0505 0001 3M02 606 x",
        ),
    ],
    "[KEY]": [
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY----- tail",
        "-----BEGIN PRIVATE KEY-----\nMIIEabc",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOY\n-----END PGP PRIVATE KEY BLOCK-----",
    ],
    "[TOKEN]": [
        *("Bearer abc123def456", "bearer abcdefgh", "Authorization: Bearer sekrit-value"),
        *("authorization=Basic dXNlcjpwYXNz", "Basic dXNlcjpwYXNzd29yZA==", "password=hunter2"),
        *("password: hunter2", '"password": "correct horse"', "'api_key': 'abcdef'"),
        *("DB_PASSWORD=abc", "client_secret => xyzzy", "x-api-key: abcdef12"),
        *("Set-Cookie: sid=abcdef; Path=/", "Cookie: a=b; c=d", "password=" + "x" * 5_000),
        *("sk_live_abcdef123", "pat-na1-11111111-2222-3333", "xoxb-123456-abcdef"),
        *("ghp_abcdefghijklmnop", "AKIAIOSFODNN7EXAMPLE", "SG.abcdefgh.ijklmnopqr"),
        *(
            "shpat_0123456789abcdef",
            "eyJhbGciOi.eyJzdWIiOi.abc",
            "session-eyJhbGciOi.eyJzdWIiOi.ab",
        ),
        *("00D5g000004abcD!AQ0AQ_xyz.abcdefghijk", "AIzaSyA1234567890abcdefghijklmnopqrstuv"),
        "1000.abcdef0123456789abcdef0123456789.aaaa0123456789abcdef",
        "key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        *("hooks.slack.com/services/T000/B000/XXXX", "token ghs_abcdef1234"),
    ],
    "[REDACTED]": [
        *("https://user:pw@host/p", "https://host/p?x=1#f", "https://host/p#access_token=x"),
        *("postgres://u:p/w@db:5432/x", "GET /x?hapikey=123&a=b", "redis://:pw@cache"),
    ],
}
LEFT = (
    "Contact sync finished|HTTP 404|took 50,000 ms|2026-11-22T03:00Z|2026-11-22 03:00:00.123+00:00"
    "|v1.2.3-rc1|version 10.15.7.1234|550e8400-e29b-41d4-a716-446655440000"
    "|Retrying in %s seconds (attempt %d of %d)|Failed to create contact {contact_id}: {error}"
    "|Invalid token: expired|Basic authentication failed|Basic plan|password must not be empty"
    "|Password: must not be empty|token=%s|GET /contacts?id=%s&limit={limit}|tokens: 5"
    "|https://docs.crm.example/errors/auth|see https://api.example.com/v3/objects, then retry"
    "|192.168.0.1:8080|IPv6 fe80::1|0x7f3b2c|page 3 of 100|1,234,567.89 EUR|01.02.2026 10:30"
    "|01/02/2026 10 rows|22-11-2026|range 100-2000|3.11.7|python@3.11|@crm is a preset"
    "|{user}@{host}|%s@%s|user@%s|epoch 1700000000|1700000000.123|1700000000123"
    "|sha 3b18e512dba79e4c8300dd08aeb37f8e728b8dad|record 0123456789abcdef-42"
    "|crm/sync.py:123 in push_contact|40 % of 2,000 records|Content-Length: 1234567|key not found"
    "|session expired|cookie missing|Bearer token missing|bearer authentication"
    "|Authorization header missing|Set LOG_LEVEL=DEBUG|a=1 b=2|contacts?|Is it ok? yes=no|why?"
    "|00:00:00|+00:00|+0200|+1 day|#1234567|order 4711|ISBN 978-3-16-148410-0|RFC 9457"
    "|12 345 678 rows|DE 12345|MULE_SOFT_CONNECT_TIMEOUT_WHILE_SYNCING_2"
    "|HubspotContactSyncHandlerFactoryV2Impl|2026-11-22 to 2026-11-29|10.0.0.1 - - [22/Nov/2026]"
    "|100.000.000|500 000 000|pat-down|1000.5|4111 1111 1111 1112|-----BEGIN CERTIFICATE-----"
).split("|")
HOSTILE = (
    *("a", "0", "@", "a@", "a.", '"', '"a', "://", "?a=", "?", "%40", "a%41", "+1 ", "00 "),
    *("-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "password", "password=", "token='\\"),
    *('token="a', "bearer ", "cookie:", "cookie: a", "AA00 ", "DE89 3704 0044 0532 0130 01 "),
    *("4-", "444 ", "4111 ", "4111111111111112 ", "phone 1", "01 22 ", "sk_", "eyJa-"),
    *("eyJaaaaa.", "1000.", "00DaaaaaaaaaaaaA", "aA1", "(555) ", '{"a":', '\\"', "SG.aaaaaa"),
    *("tel_a_", "Aa1/", "\ud800", "\n"),
)


class TestScrub:
    @pytest.mark.parametrize(
        ("placeholder", "text"), [(kind, text) for kind, texts in FOUND.items() for text in texts]
    )
    def test_finds(self, placeholder: str, text: str) -> None:
        """Each kind of secret gives way to its placeholder, whatever stands around it."""
        assert placeholder in scrub(text)
        assert placeholder in scrub(f"before, {text}, after")

    @pytest.mark.parametrize(
        ("text", "secret"),
        [
            ("mail ada.lovelace@example.com", "lovelace"),
            ("https://bot:hunter2@host/x?key=abc#frag", "hunter2 abc frag"),
            ("https://host/x?a=1;b=geheim", "geheim"),
            ("-----BEGIN PRIVATE KEY-----\nMIIE-abc--def", "MIIE abc def"),
            ("Authorization: Token token=abcdef123", "abcdef123"),
            ("password='it\\'s mine' x", "mine"),
            ("Cookie: theme=dark; sid=31337abc", "31337abc"),
            ("4111 1111 1111 1111 and 5500-0000-0000-0004", "1111 0004"),
        ],
    )
    def test_nothing_of_it_is_left(self, text: str, secret: str) -> None:
        """No part of the secret stays behind beside its placeholder."""
        scrubbed = scrub(text)
        assert not [part for part in secret.split() if part in scrubbed]

    @pytest.mark.parametrize("text", LEFT)
    def test_leaves_ordinary_text(self, text: str) -> None:
        """Templates, dates, versions, counts, paths and UUIDs stay as they are."""
        assert scrub(text) == text

    @settings(max_examples=400, deadline=None)
    @given(st.text(st.sampled_from("ab1@.:/?=&%+-_ \"'[]{}0eyJ4\n"), max_size=60))
    def test_is_idempotent(self, text: str) -> None:
        """What was scrubbed stays as it is when it passes again."""
        assert scrub(scrub(text)) == scrub(text)

    def test_fails_closed(self) -> None:
        """What cannot be searched is withheld whole."""
        assert scrub(cast("str", 4111111111111111)) == "[REDACTED]"

    @pytest.mark.parametrize("unit", HOSTILE)
    def test_takes_linear_time(self, unit: str) -> None:
        """Doubling a hostile text at most doubles the time; a megabyte takes about a second."""

        def seconds(length: int) -> float:
            text = (unit * (length // len(unit) + 1))[:length] + "!"
            began = time.process_time()
            scrub(text)
            return time.process_time() - began

        small = min(seconds(15_000) for _ in range(3))
        large = min(seconds(60_000) for _ in range(3))
        assert large < 0.4
        assert large < 8 * small + 0.02

    def test_remembers_within_bounds(self) -> None:
        """The memory of clean texts does not grow with the number of texts."""
        from crmlogging import scrubbing

        for number in range(scrubbing._CLEAN_KEPT + 10):
            scrub(f"text {number:x}")
        assert len(scrubbing._clean) <= scrubbing._CLEAN_KEPT
        scrub("long " * 100)
        assert max(map(len, scrubbing._clean)) <= scrubbing._CLEAN_CHARACTERS


class TestIsSecret:
    @pytest.mark.parametrize(
        "value",
        [
            *("sk_live_4eC39HqLyjWD", "pat-na1-0a1b2c3d-0000", "xoxb-1234567890-abc"),
            *("ghp_abcdefghijklmnop", "AKIAIOSFODNN7EXAMPLE", "SG.abcdefgh.ijklmnopqr"),
            *("shpat_0123456789abcdef", "eyJhbGciOi.eyJzdWIiOi.abc", "4111111111111111"),
            *("DE89370400440532013000", "user:ghp_abcdefghijklmnop"),
        ],
    )
    def test_knows_credentials_in_the_shape_of_an_id(self, value: str) -> None:
        """A vendor's token, a JWT, a card number and an IBAN are told from ids."""
        assert is_secret(value)

    @pytest.mark.parametrize(
        "value",
        [
            *("550e8400-e29b-41d4-a716-446655440000", "0123456789abcdef0123456789abcdef"),
            *(
                "0035g00000XyZaBAAV",
                "run-2026.11.22",
                "1700000000123",
                "12345678901",
                "1234567812345670",
            ),
            *("2026-11-22T03:00:00Z", "KEY-is-not-one", "contact-skill", "EUR", "DE12345678901234"),
        ],
    )
    def test_leaves_ids(self, value: str) -> None:
        """UUIDs, Salesforce ids, run names and counters are no secrets."""
        assert not is_secret(value)


class TestMachineIds:
    @pytest.mark.parametrize(
        "value",
        [
            "ee26089342c0b4186513553a1e7ca91f",
            "a4578e078517d2517970701651578b5c",
            "05c417a3-ad51-4a45-841a-4db0fca28ff6",
            "ACE67182-9332-4183-9563-978DDD64564D",
        ],
    )
    def test_are_no_secrets_by_chance(self, value: str) -> None:
        """These hold the check digits of a card or an account, as one id of 2,000 does."""
        assert not is_secret(value)

    @pytest.mark.parametrize(
        "value", ["4111111111111111", "cust4111111111111111", "de89370400440532013000"]
    )
    def test_real_numbers_stay_secrets(self, value: str) -> None:
        """A card or an account is one also inside a word."""
        assert is_secret(value)
