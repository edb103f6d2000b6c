"""Promises of `crmlogging.scrubbing`: what it finds, what it leaves, and at what cost."""

from __future__ import annotations

import random
import re
import string
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlogging import scrubbing
from crmlogging.scrubbing import disguises, is_secret, scrub, searching
from crmlogging.scrubbing.glancing import is_plain
from tests.scrubbing.corpus import KNOWN_MISSES, benign_texts, secret_texts, token_texts

SEEDS = (1, 2, 3)
MARKS = ("[EMAIL]", "[PHONE]", "[CARD]", "[IBAN]", "[KEY]", "[TOKEN]", "[REDACTED]")
EXACT = (Path(__file__).parent / "exact.tsv").read_text(encoding="utf-8")
HOSTILE = st.lists(
    st.sampled_from(
        [
            *("eyJ", "ghp_", "00", "password", "token: ", "Bearer ", "//", "\\u0040", "%40"),
            *("-----BEGIN PRIVATE KEY-----", "4111 1111 1111 1111", "Cookie: a=b"),
            *("DE89370400440532013000", "ada@example.com", "+49 151 234567", *MARKS),
            *"ab01@.:/?=&%+-_ \"'[]{}()\\\n\u200b＠é",
        ]
    ),
    max_size=30,
).map("".join)


@pytest.fixture(autouse=True)
def _nothing_known() -> None:
    """Start each test without what others left in memory."""
    scrubbing._clean.clear()
    disguises._folds.clear()


def left_over(text: str, hidden: tuple[str, ...]) -> list[str]:
    """Return the parts of secrets that `text` still shows, down to words of four letters."""
    return [
        part for each in hidden for part in (each, *re.findall(r"\w{4,}", each)) if part in text
    ]


class TestScrub:
    def test_finds_every_secret_of_the_corpus(self) -> None:
        """Nothing between the marks is left, and the right placeholder stands for it."""
        missed = []
        for secret in secret_texts():
            scrubbed = scrub(secret.text)
            if left_over(scrubbed, secret.hidden) or secret.placeholder not in scrubbed:
                missed.append((secret.text, scrubbed))
        assert [each for each in missed if not any(miss in each[0] for miss in KNOWN_MISSES)] == []

    @pytest.mark.parametrize("seed", SEEDS)
    def test_finds_every_vendor_s_tokens(self, seed: int) -> None:
        """Whatever the random part and the text around: neither token nor its end is left."""
        missed = [
            (name, text, scrub(text))
            for name, text, token in token_texts(seed)
            if token in scrub(text) or token.rstrip("=/")[-8:] in scrub(text)
        ]
        assert missed == []

    @pytest.mark.parametrize("seed", SEEDS)
    def test_leaves_every_ordinary_text(self, seed: int) -> None:
        """Templates, numbers, dates, versions, paths and ids stay as they are."""
        assert [(text, scrub(text)) for text in benign_texts(seed) if scrub(text) != text] == []

    @pytest.mark.parametrize("mark", MARKS)
    def test_placeholders_stay_whole(self, mark: str) -> None:
        """What was withheld once is not taken for something to withhold."""
        for around in (
            "%s",
            "a %s b",
            "password=%s",
            'token: "%s"',
            "//%s@h/?a=%s",
            "+%s",
            "%s@%s",
        ):
            text = around.replace("%s", mark)
            assert scrub(text) == text

    @settings(max_examples=500, deadline=None)
    @given(HOSTILE)
    def test_is_idempotent(self, text: str) -> None:
        """What was scrubbed stays as it is when it passes again."""
        assert scrub(scrub(text)) == scrub(text)

    @settings(max_examples=300, deadline=None)
    @given(HOSTILE)
    def test_length_is_bounded(self, text: str) -> None:
        """A placeholder stands for three characters or more of what was there."""
        assert len(scrub(text)) <= 18 * len(text) + 16

    @settings(max_examples=200, deadline=None)
    @given(st.sampled_from(list(secret_texts())), st.sampled_from(list(benign_texts(0))))
    def test_a_neighbour_hides_nothing(
        self, secret: tuple[str, str, tuple[str, ...]], text: str
    ) -> None:
        """On a line of its own, a secret is found whatever the lines around it hold."""
        if any(miss in secret[1] for miss in KNOWN_MISSES):
            return
        for joined in (f"{text}\n{secret[1]}", f"{secret[1]}\n{text}"):
            shown = scrub(joined).replace(scrub(text), "")
            assert not [each for each in left_over(shown, secret[2]) if each not in text]

    def test_fails_closed(self) -> None:
        """What cannot be searched is withheld whole."""
        assert scrub(cast("str", 4111111111111111)) == "[REDACTED]"

    def test_what_never_settles_is_withheld(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A text that changes at each search is not shown in some state between."""
        monkeypatch.setattr(searching, "_searched", lambda text: text + "!")
        assert scrub("two sides @ every story") == "[REDACTED]"

    def test_remembers_within_bounds(self) -> None:
        """The memory of clean texts grows neither with their number nor with their size."""
        for number in range(scrubbing._CLEAN_KEPT + 10):
            scrub(f"text {number:x}")
        assert len(scrubbing._clean) <= scrubbing._CLEAN_KEPT
        scrub("long " * 100)
        assert max(map(len, scrubbing._clean)) <= scrubbing._CLEAN_CHARACTERS

    def test_disguises_stay_where_nothing_is_found(self) -> None:
        """A text without a secret keeps its characters, its escapes and its zero-widths."""
        for text in ("Ａ１ 👩\u200d💻 n\u00adb", "100%25 of \\u0041", "&#64; is a sign"):
            assert scrub(text) == text

    def test_the_quick_look_agrees_with_the_search(self) -> None:
        """A text that is let out at once is one that the whole search leaves alone."""
        chance = random.Random(7)
        letters = string.ascii_letters + " ,.;!'{}\n" + " " * 20
        for _ in range(2_000):
            text = "".join(chance.choices(letters, k=chance.randrange(80)))
            if is_plain(text):
                assert searching.seen_through(text) == text


class TestExactly:
    @pytest.mark.parametrize(
        ("text", "scrubbed"), [line.split("\t") for line in EXACT.splitlines() if line]
    )
    def test_no_more_and_no_less(self, text: str, scrubbed: str) -> None:
        """The placeholder begins and ends where the secret does; sentences keep their full stop."""
        assert scrub(text) == scrubbed
        assert scrub(f"é {text}") == f"é {scrubbed}"
        assert scrub(scrubbed) == scrubbed


class TestIsSecret:
    @pytest.mark.parametrize("seed", SEEDS)
    def test_knows_tokens_of_the_shape_of_an_id(self, seed: int) -> None:
        """A vendor's token, or a JWT, is told from an id by what it begins with."""
        shaped = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
        by_name_only = {"AWS secret key"}
        missed = [
            (name, token)
            for name, _, token in token_texts(seed)
            if shaped.fullmatch(token) and name not in by_name_only and not is_secret(token)
        ]
        assert missed == []

    @pytest.mark.parametrize(
        "value",
        [
            *("4111111111111111", "DE89370400440532013000", "user:ghp_abcdefghijklmnop"),
            *("cust4111111111111111", "de89370400440532013000", "378282246310005"),
            *("ghp_abcdefgh", "4222222222222"),
        ],
    )
    def test_knows_accounts_and_what_stands_inside(self, value: str) -> None:
        """A card number and an IBAN are secrets, alone and inside a word."""
        assert is_secret(value)

    @pytest.mark.parametrize(
        "value",
        [
            *("550e8400-e29b-41d4-a716-446655440000", "0123456789abcdef0123456789abcdef"),
            *("0035g00000XyZaBAAV", "run-2026.11.22", "1700000000123", "12345678901"),
            *("1234567812345670", "2026-11-22T03:00:00Z", "KEY-is-not-one", "contact-skill"),
            *("EUR", "DE12345678901234", "5725767000000330159", "api_version_2026_11"),
            *("mc-us12-contacts", "ghp_abcdefg"),
        ],
    )
    def test_leaves_ids(self, value: str) -> None:
        """UUIDs, ids of Salesforce and Zoho, run names and counters are no secrets."""
        assert not is_secret(value)

    @pytest.mark.parametrize(
        "value",
        [
            *("ee26089342c0b4186513553a1e7ca91f", "a4578e078517d2517970701651578b5c"),
            "05c417a3-ad51-4a45-841a-4db0fca28ff6",
            "ACE67182-9332-4183-9563-978DDD64564D",
        ],
    )
    def test_machine_ids_are_no_secrets_by_chance(self, value: str) -> None:
        """These hold the check digits of a card or an account, as one id of 2,000 does."""
        assert not is_secret(value)
        assert scrub(f"record {value} updated") == f"record {value} updated"
