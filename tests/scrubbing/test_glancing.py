"""Promises of `crmlogging.scrubbing.glancing`: a glance says "plain" only where a search would."""

from __future__ import annotations

import itertools
import random
import re
from re import _constants as sre  # type: ignore[attr-defined]  # CPython's own reader of patterns
from re import _parser  # type: ignore[attr-defined]  # the same
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmlogging import scrubbing
from crmlogging.scrubbing import scrub, tokens
from crmlogging.scrubbing.glancing import is_plain
from crmlogging.scrubbing.vendors import LETTERED, SIGNED
from tests.scrubbing.corpus import benign_texts, secret_texts, token_texts
from tests.scrubbing.whole_search import whole_search

_WORDS = """
    contacts synced authentication newsletter api.example.com and/or e.g. v1.2.3 2026-11-22 50,000
    password passwd pwd secret token api_key auth credential cookie session_id sig otp pin cvv ssn
    psk bearer Basic DIGEST negotiate bas\u0131c D\u0130GEST pa\u017f\u017fword to\u212aen -u --user
    phone mobile tel fax whatsapp cell handy mob\u0131le (at) [at] [ at ] at dot Private-MAC: PuTTY
    0 1 49 030 0151 +49 151 555 4567 1234567 (11) (555) (0151) 4111 1111 4111111111111111 DE89 3704
    DE89370400440532013000 GB82 WEST no9386011117947 550e8400-e29b-41d4-a716-446655440000
    0123456789abcdef0123456789abcdef dXNlcjphZGFAZXhhbXBsZS5jb20
    \u0664\u0662 \uff11\uff12 \xb2 \u03a9
    ada@example.com @ b@c https://a:b@h.example/x?y=z //h ?a=b &#64; \\u0040 %40 %3D %3d %s {x}
    [EMAIL] [TOKEN] [REDACTED] AgE AZDO Q~ :AA -us12 .atlasv1.
""".split()
_PREFIXES = [prefix.removeprefix("|") for prefix in (*SIGNED, *LETTERED)]
_BETWEEN = [*([" "] * 8), "", *".,:=-_/()[]'\"\n\t+~$!&?;{}%\\|#", "   ", "    ", "\xa0", "\u200b"]
_ALPHABETS = ("abcdefgXYZ", "0123456789", "abcdef0189", "aZ09_-", "aZ0._-", "a.", "A1_", "aZ9+/=")
_RUNS = st.sampled_from(_ALPHABETS).flatmap(lambda letters: st.text(letters, max_size=40))
PIECES = st.one_of(
    st.sampled_from(_WORDS),
    st.sampled_from(_PREFIXES),
    _RUNS,
    st.tuples(st.sampled_from(_PREFIXES), _RUNS).map("".join),
    st.sampled_from([token for _, _, token in token_texts(1)]),
)
MIXTURES = st.lists(st.tuples(PIECES, st.sampled_from(_BETWEEN)).map("".join), max_size=8).map(
    "".join
)


@pytest.fixture(autouse=True)
def _nothing_known() -> None:
    """Start each test without what others left in memory."""
    scrubbing._clean.clear()


def shortest(sequence: Any) -> str:
    """Return a short text that fits a parsed expression, of letters where it may be."""
    return "".join(itertools.starmap(_shortest_node, sequence))


def _shortest_node(kind: Any, value: Any) -> str:
    if kind is sre.LITERAL:
        return chr(value)
    if kind is sre.IN:
        fits = re.compile(f"[{''.join(_class(*item) for item in value)}]")
        return next(filter(fits.fullmatch, "aAxQ0-_.~"))
    if kind in (sre.MAX_REPEAT, sre.POSSESSIVE_REPEAT):
        return "".join([shortest(value[2])] * value[0])
    if kind is sre.SUBPATTERN:
        return shortest(value[3])
    if kind is sre.BRANCH:
        return min(map(shortest, value[1]), key=len)
    assert kind in (sre.ASSERT, sre.ASSERT_NOT), kind
    return ""


def _class(kind: Any, value: Any) -> str:
    if kind is sre.RANGE:
        return f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
    assert kind is sre.LITERAL, kind
    return re.escape(chr(value))


_ROWS = [
    *((prefix.removeprefix("|"), tail) for prefix, tail in (*SIGNED.items(), *LETTERED.items())),
    *(("", form) for form in re.split(r"\|(?=AGE|pypi|ops|\(\?<!)", tokens._INNER.pattern)),
]


class TestTokens:
    @pytest.mark.parametrize(("prefix", "tail"), _ROWS)
    def test_the_shortest_of_each_row_is_seen(self, prefix: str, tail: str) -> None:
        """Of letters alone where the row allows it, wherever it stands."""
        token = prefix + shortest(_parser.parse(tail))
        for text in (token, f"use {token} now", f"use {token}. Next", f"({token}.", f"x, {token}"):
            assert whole_search(text) != text
            assert not is_plain(text)
            assert scrub(text) == whole_search(text)

    @pytest.mark.parametrize("prefix", _PREFIXES)
    def test_no_tail_of_any_length_hides_one(self, prefix: str) -> None:
        """Letters, dots and signs, from nothing to more than any row asks for."""
        for tail, size in itertools.product(("a", "0", ".", "_", "a.", "a-", "aaaaa."), range(42)):
            text = f"use {prefix}{(tail * size)[:size]} now"
            assert scrub(text) == whole_search(text)


class TestGlance:
    @settings(max_examples=1_000, deadline=None)
    @given(MIXTURES)
    @example("use hvs.abcdefghijk now")
    @example("use eyJabcde.ab now")
    @example("ada [ at ] example.com")
    @example("ada (\tat\t) example.com")
    @example("ada (\u2028at) example.com")
    @example("password is abcde\U00010a40")
    @example("cookie%3Dabcd")
    @example("of bnx4e25+en17eXphPmt4")
    @example("call +4915 (123) 456")
    @example("credential=abcd")
    @example("curl\n-u admin:pw1")
    @example("bas\u0131c dXNlcjpwYXNz1")
    @example("call (0151)   234567")
    @example("phone 0301    234567")
    @example("of " + "a1B=2c=D3=e4=F5=" * 2)
    @example("5Aep_____....................")
    def test_mixtures_are_scrubbed_as_by_the_whole_search(self, text: str) -> None:
        """No hint, glance or order of theirs lets out what an expression would find."""
        assert scrub(text) == whole_search(text)

    def test_texts_of_the_corpus_are_scrubbed_as_by_the_whole_search(self) -> None:
        """Secrets, tokens and ordinary texts."""
        texts = [secret.text for secret in secret_texts()] + [text for _, text, _ in token_texts(1)]
        for text in (*texts, *benign_texts(1)):
            assert scrub(text) == whole_search(text)

    def test_tokens_cut_short_are_scrubbed_as_by_the_whole_search(self) -> None:
        """However much of a token a line shows."""
        for _, _, token in token_texts(2):
            for size in range(6, min(len(token), 48)):
                text = f"cut {token[:size]} off"
                assert scrub(text) == whole_search(text)

    def test_short_texts_of_few_letters_are_scrubbed_as_by_the_whole_search(self) -> None:
        """Drawn from the characters that numbers, addresses and pairs are made of."""
        chance = random.Random(11)
        for letters in ("01 -", "0123456789 .-/()", "DE89 370", "at([ ])@.", "a:=/?@", "ab.-_ 1"):
            for _ in range(2_000):
                text = "".join(chance.choices(letters, k=chance.randrange(30)))
                assert scrub(text) == whole_search(text)

    @pytest.mark.parametrize(
        "text",
        [
            *("Contact sync finished", "Autumn newsletter 7 by the partner team", "Retrying..."),
            *("Failed to create contact {contact_id}: {error}", "%s of %d (%.1f s)", "R2: 5 = 5"),
            *("Is it done? 3 of 12, the rest later!", 'read/write "x" - y', "x[0] < [EMAIL]"),
        ],
    )
    def test_ordinary_texts_are_plain(self, text: str) -> None:
        """Words, short numbers, templates and signs need no search."""
        assert is_plain(text)

    def test_a_text_of_another_class_shows_its_characters(self) -> None:
        """Whatever its methods say."""

        class Lying(str):
            __slots__ = ()

            def encode(self, *_: object) -> bytes:
                return b""

            def __contains__(self, _: object) -> bool:
                return False

        assert scrub(Lying("mail ada@example.com or hvs.abcdefghijk")) == "mail [EMAIL] or [TOKEN]"
