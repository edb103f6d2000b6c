"""Disguises: one text in other characters, as a browser, a JSON encoder or a joker writes it."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["decoded", "folded"]

_ESCAPE: Final = re.compile(
    r"%([2-7][0-9A-Fa-f])|\\u00([2-7][0-9A-Fa-f])|\\x([2-7][0-9A-Fa-f])"
    r"|&#[xX]0{0,4}([2-7][0-9A-Fa-f]);|&#0{0,4}([0-9]{2,3});|\\{1,4}([\"'/])"
)
_ASCII: Final = frozenset(map(chr, range(128)))
_DECIMAL: Final = 5
_LITERAL: Final = 6
_LAYERS: Final = 3
# What is shown as nothing, though Unicode does not call it a format character.
_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
_FOLDS_KEPT: Final = 4_096


class _Folds(dict[int, str]):
    """Code point to what it stands for: nothing, a digit, a dash, or its plain form (NFKC)."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _FOLDS_KEPT:
            self.clear()
        letter = chr(code)
        category = unicodedata.category(letter)
        if category == "Cf" or letter in _INVISIBLE or 0xFE00 <= code <= 0xFE0F:
            plain = ""
        elif category == "Nd":
            plain = str(unicodedata.decimal(letter))
        elif category == "Pd":
            plain = "-"
        else:
            plain = unicodedata.normalize("NFKC", letter)
        self[code] = plain
        return plain


_folds: Final = _Folds()


def folded(text: str) -> str:
    """Return `text` with full-width, look-alike and foreign digits plain, without the invisible.

    Example:
        >>> folded("ａｄａ\u200b＠example.com ٤٢")
        'ada@example.com 42'
    """
    foreign = "".join(set(text) - _ASCII)  # ASCII stands for itself
    return text if foreign.translate(_folds) == foreign else text.translate(_folds)


def decoded(text: str) -> str:
    r"""Return `text` without the escapes of URLs, JSON and HTML, also where one hides another.

    Only those for printable ASCII: in others nothing is hidden that the scrubber knows.

    Example:
        >>> decoded("ada%2540example.com " + r"ada\u0040example.com &#64;")
        'ada@example.com ada@example.com @'
    """
    for _ in range(_LAYERS):
        if "%" not in text and "\\" not in text and "&#" not in text:
            break
        before, text = text, _ESCAPE.sub(_plain, text)
        if text == before:
            break
    return text


def _plain(match: re.Match[str]) -> str:
    kind = match.lastindex or 0
    if kind == _LITERAL:
        return match[kind]
    code = int(match[kind], 10 if kind == _DECIMAL else 16)
    return chr(code) if 0x20 <= code < 0x7F else match[0]
