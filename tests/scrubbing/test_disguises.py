"""Promises of the disguises: one text, however it is written; and nothing else changes."""

from __future__ import annotations

import pytest

from crmlogging.scrubbing import disguises
from crmlogging.scrubbing.disguises import decoded, folded


@pytest.fixture(autouse=True)
def _nothing_known() -> None:
    """Start each test without what others left in memory."""
    disguises._folds.clear()


class TestFolded:
    @pytest.mark.parametrize(
        ("text", "plain"),
        [
            pytest.param("ａＢ１＠．", "aB1@.", id="full-width"),
            pytest.param("٤٩ ४९ ౪", "49 49 4", id="digits"),
            pytest.param("①½ﬁ", "11⁄2fi", id="compatible"),
            pytest.param("a\u00a0b\u2003c", "a b c", id="spaces"),
            pytest.param("1\u20112\u20133\u20144", "1-2-3-4", id="dashes"),
            pytest.param("a\u200b\u200d\u2060\ufeff\u00adb", "ab", id="formats"),
            pytest.param("a\u034f\u115f\u1160\u17b4\u3164\uffa0b", "ab", id="fillers"),
            pytest.param("a\ufe00\ufe0fb", "ab", id="variants"),
            pytest.param("\ufdffa\ufe10", "\ufdffa,", id="beside-variants"),
            pytest.param("grüße почта 用户 é", "grüße почта 用户 é", id="words"),
            pytest.param("a\nb\tc\x00", "a\nb\tc\x00", id="controls"),
            pytest.param("\ud800", "\ud800", id="half-a-pair"),
        ],
    )
    def test_is_what_it_stands_for(self, text: str, plain: str) -> None:
        """Digits, letters and signs are plain, what is not seen is gone, words stay."""
        assert folded(text) == plain
        assert folded(text) == plain

    def test_memory_is_bounded(self) -> None:
        """The table of characters does not grow to the size of Unicode."""
        folded("".join(map(chr, range(0x4E00, 0x4E00 + 3 * disguises._FOLDS_KEPT))))
        assert len(disguises._folds) <= disguises._FOLDS_KEPT
        folded("\u00e9")
        assert 0xE9 in disguises._folds


class TestDecoded:
    @pytest.mark.parametrize(
        ("text", "plain"),
        [
            ("%40", "@"),
            ("%7e%7E", "~~"),
            ("%2540", "@"),
            ("%252540", "@"),
            ("%25252540", "%40"),
            (r"\u0040\u007e", "@~"),
            (r"\\u0040", r"\@"),
            (r"\x40", "@"),
            ("&#64;&#064;&#x40;&#X0040;", "@@@@"),
            ("&#32;&#126;", " ~"),
            (r"\"\'\/", "\"'/"),
            (r"\\\"", '"'),
        ],
    )
    def test_reads_escapes(self, text: str, plain: str) -> None:
        """Of URLs, JSON, Python and HTML, three deep."""
        assert decoded(text) == plain

    @pytest.mark.parametrize(
        "text",
        [
            *("%7F", "%7f", "%1b", "%0A", "%80", "%C3%A9", "%s", "%4", "% 40", "100%"),
            *(r"\u001b", r"\u00e9", r"\u0140", r"\n", r"\x7f", r"\x1b", "\\"),
            *("&#10;", "&#31;", "&#127;", "&#200;", "&#6;", "&#64", "&amp;", "plain"),
        ],
    )
    def test_leaves_others(self, text: str) -> None:
        """Controls and what is not ASCII stay escaped, as does what is no escape."""
        assert decoded(text) == text
