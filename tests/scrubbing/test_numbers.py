"""Promises of the numbers: an issuer's range, a length and a check digit make a card."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmlogging.scrubbing import is_secret, scrub
from crmlogging.scrubbing.numbers import has_number, scrub_numbers

# First and last beginning of an issuer's range, and the lengths of its numbers (ISO 7812).
ISSUED = [
    *(("4", "4", (13, 16)), ("50", "59", (16,)), ("60", "69", (16,))),
    *(("2200", "2204", (16,)), ("2221", "2720", (16,)), ("34", "34", (15,)), ("37", "37", (15,))),
    *(("3000", "3059", (14, 16)), ("3095", "3095", (14, 16)), ("36", "36", (14, 16))),
    *(("38", "39", (14, 16)), ("35", "35", (16,)), ("81", "82", (16,))),
    *(("62", "62", (17, 18, 19)), ("5018", "5018", (18, 19)), ("6304", "6304", (19,))),
    *(("6759", "6759", (18, 19)), ("6761", "6763", (19,)), ("0604", "0604", (19,))),
]
# Beginnings, and lengths at which nobody issues them.
FREE = [
    *(("2199", 16), ("2205", 16), ("2220", 16), ("2721", 16), ("33", 15), ("35", 15), ("36", 15)),
    *(("31", 16), ("32", 16), ("37", 16), ("40", 15), ("49", 15), ("70", 16), ("80", 16)),
    *(("83", 16), ("1", 16), ("9", 16), ("3060", 14), ("2999", 14), ("3094", 14), ("3096", 14)),
    *(("37", 14), ("40", 14), ("4", 14), ("4", 17), ("4", 19), ("57", 18), ("57", 19)),
    *(("12", 13), ("5", 13), ("61", 19), ("34", 16)),
]


def with_check_digit(start: str, size: int) -> str:
    """Return a number of `size` digits that begins with `start`, right by Luhn's rule."""
    body = (start + "0123450123456789012")[: size - 1]
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return f"{body}{-total % 10}"


class TestCards:
    @pytest.mark.parametrize(
        ("start", "size"),
        [
            (start, size)
            for first, last, sizes in ISSUED
            for start in {first, last}
            for size in sizes
        ],
    )
    def test_issued_numbers_are_found(self, start: str, size: int) -> None:
        """At both ends of each range, in each of its lengths."""
        number = with_check_digit(start, size)
        assert is_secret(number)
        assert scrub(f"paid by {number}.") == "paid by [CARD]."

    @pytest.mark.parametrize(("start", "size"), FREE)
    def test_others_are_ids(self, start: str, size: int) -> None:
        """Beside each range, and in other lengths, a right check digit is chance."""
        assert not is_secret(with_check_digit(start, size))

    @pytest.mark.parametrize("size", [13, 14, 15, 16, 17, 18, 19])
    @pytest.mark.parametrize("by", range(1, 10))
    def test_a_wrong_check_digit_is_no_card(self, size: int, by: int) -> None:
        """Nine of ten numbers of an issuer's form are no cards."""
        start = {13: "4", 14: "36", 15: "37", 16: "4", 17: "62", 18: "62", 19: "62"}[size]
        number = with_check_digit(start, size)
        assert not is_secret(number[:-1] + str((int(number[-1]) + by) % 10))

    def test_a_long_run_is_searched_at_every_group(self) -> None:
        """A card among other groups of digits is found wherever it begins."""
        card = "4111 1111 1111 1111"
        assert scrub(f"12345 {card} 67890") == "12345 [CARD] 67890"
        assert scrub(f"1234567 {card}") == "1234567 [CARD]"
        assert scrub(f"{card} {card}") == "[CARD] [CARD]"


CARD, ACCOUNT = "4111111111111111", "DE89370400440532013000"
digits = st.text(alphabet="0123456789", max_size=6)
parts = st.one_of(
    digits,
    st.text(alphabet="aZ0 .-_:", max_size=4),
    st.sampled_from([CARD, ACCOUNT, "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "de89"]),
)


class TestWords:
    @given(value=st.lists(parts, min_size=1, max_size=6).map("".join))
    @example(value=f"x{CARD}")
    @example(value=f"{CARD}x")
    @example(value=f"x{ACCOUNT}")
    @example(value=f"{ACCOUNT}x")
    @example(value=f"_{ACCOUNT}")
    @example(value="4111-1111.1111 1111")
    @settings(max_examples=300, deadline=None)
    def test_a_word_holds_a_number_if_a_text_of_it_does(self, value: str) -> None:
        """The quick looks at a word miss nothing that the search in a text finds.

        A whole word of digits is a card or none; in a text, groups of it may be one.
        """
        if value.isdecimal() and value.isascii():
            return
        in_text = scrub_numbers(value) != value
        assert has_number(value) >= in_text
