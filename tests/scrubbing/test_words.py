"""Promises of `is_secret`: what decides at once decides as the whole search would."""

from __future__ import annotations

import binascii

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmlogging.scrubbing import is_secret, numbers, packed, tokens
from crmlogging.scrubbing.vendors import LETTERED, SIGNED

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
PIECES = st.one_of(
    st.text(_LETTERS, min_size=1, max_size=24),
    st.text("0123456789", min_size=1, max_size=20),
    st.text("0123456789abcdef", min_size=4, max_size=40),
    st.sampled_from([prefix.removeprefix("|") for prefix in (*SIGNED, *LETTERED)]),
    st.sampled_from(["4111111111111111", "4111-1111-1111-1111", "378282246310005", "AZDO", ":AA"]),
    st.sampled_from(["DE89370400440532013000", "no9386011117947", "dXNlcjphZGFAZXhhbXBsZS5jb20"]),
    st.sampled_from([b"ada@example.com, +1".hex(), "6304000000000000000", "٤٢"]),
)
WORDS = st.lists(st.one_of(PIECES, st.sampled_from("-_.: ")), min_size=1, max_size=6).map("".join)


def searched(value: str) -> bool:
    """Tell the same by every expression there is, without a short cut."""
    if len(value) < 12:
        return False
    runs = [run[0][: packed._LONGEST].rstrip("=") for run in packed._RUN.finditer(value)]
    has_packed = any(_unpacks(run) for run in runs)
    if numbers._MACHINE_ID.fullmatch(value):
        return "-" not in value and has_packed
    expressions = (tokens._SIGNED, tokens._LETTERED, tokens._INNER)
    return (
        any(expression.search(value) for expression in expressions)
        or numbers._CARD.sub(numbers._without_card, value) != value
        or numbers._ibans(value) != value
        or has_packed
    )


def _unpacks(run: str) -> bool:
    if len(run) % 2 == 0 and packed._HEX.fullmatch(run) and not run.isdecimal():
        return packed._is_text(bytes.fromhex(run), packed._HEX_BYTES)
    whole = run[: len(run) // 4 * 4].translate(packed._URL_SAFE)
    return packed._is_text(binascii.a2b_base64(whole), packed._FEWEST_BYTES)


class TestShortCuts:
    @given(value=WORDS)
    @example(value="4876876000000623001")
    @example(value="003Ab00000XyZaBAAV")
    @example(value="12-4111111111111111")
    @example(value="1 4111-1111-1111-1111")
    @example(value="x4111111111111111")
    @example(value="AKIA" + "A" * 16)
    @example(value="M" + "a" * 24 + "." + "b" * 6 + "." + "c" * 27)
    @example(value="a" * 40 + "AZDO" + "abcd")
    @settings(max_examples=250, deadline=None)
    def test_they_decide_as_the_whole_search(self, value: str) -> None:
        """Words of one kind of characters, chains of digits, packed runs, and any mixture."""
        assert is_secret(value) is searched(value)

    @pytest.mark.parametrize("prefix", [each for each in LETTERED if each.isalnum()])
    def test_a_token_of_letters_alone(self, prefix: str) -> None:
        """Found at the start of a word, as behind a sign."""
        for tail in ("A" * 40, "a" * 40, "1a" * 20, "a1B2" * 10):
            for value in (prefix + tail, f"x-{prefix}{tail}", (prefix + tail)[:47]):
                assert is_secret(value) is searched(value)
