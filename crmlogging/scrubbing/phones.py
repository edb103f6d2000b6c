"""Telephone numbers: international (E.164), in the habits of some countries, or named so."""

from __future__ import annotations

import re
from typing import Final

from crmlogging.scrubbing.glancing import in_small_letters

__all__ = ["scrub_phones"]

# Each way looks back at the sign it begins with: so a scan only stops at such signs.
_PHONES: Final = re.compile(
    r"[+(0-9](?:"
    # +49 (0)151 234-5678, 0049 ...
    r"(?<=\+) ?[1-9](?:[ ().\-/]{0,3}[0-9]){6,18}+(?![A-Za-z])"
    # All others begin where no word or number goes on.
    r"|(?<![\w.+\-].)(?:"
    r"(?<=0)(?<![,:#]0)0 ?[1-9](?:[ ().\-/]{0,3}[0-9]){8,18}+(?![A-Za-z])"
    # 1-555-123-4567, (555) 123-4567, 555.123.4567
    r"|(?:(?<=1)[ .\-](?:\([2-9][0-9]{2}\)[ .\-]?|[2-9][0-9]{2}[ .\-])"
    r"|(?<=\()[2-9][0-9]{2}\)[ .\-]?"
    r"|(?<=[2-9])[0-9]{2}[ .\-])[0-9]{3}[ .\-][0-9]{4}(?![\w\-])"
    # (11) 91234-5678, 8 (495) 123-45-67
    r"|(?<=\()[1-9][0-9]\) ?9?[0-9]{4}[ \-][0-9]{4}(?![\w\-])"
    r"|(?<=[78])[ \-]?\([0-9]{3}\) ?[0-9]{3}[ \-][0-9]{2}[ \-]?[0-9]{2}(?![\w\-])"
    # 030/1234567, (0151) 23456789, 06 12 34 56 78
    r"|(?:(?<=\()(?<![,:/#]\()0|(?<=0)(?<![,:/(]0))"
    r"[1-9][0-9]{0,4}\)?(?:[ /.\-]{1,3}[0-9]{2,8}){1,5}(?!\w)"
    # 01512345678
    r"|(?<=0)(?<![,:/#]0)[1-9][0-9]{8,10}(?![\w\-])"
    r"))"
)
_DATE: Final = re.compile(r"[0-9]{1,2}([./-])[0-9]{1,2}\1[0-9]{2,4}(?![0-9.])")
_NAMED: Final = re.compile(
    r"(?<![A-Za-z])((?:[A-Za-z]{0,24}_)?(?:mobile_?)?"
    r"(?:phone|mobile|telephone|tel|fax|whatsapp|msisdn|cell|handy)(?:_?(?:no|number|phone))?"
    r"[a-z_]{0,12}+[^0-9\n]{0,8}?)\+?[0-9][0-9 ().\-/]{5,20}",
    re.IGNORECASE,
)
_DIGITS: Final = range(7, 20)


def scrub_phones(text: str) -> str:
    """Return `text` without telephone numbers."""
    if _has_name(in_small_letters(text)):
        text = _NAMED.sub(_without_named, text)
    return _PHONES.sub(_without_phone, text)


def _has_name(small: str) -> bool:
    return (
        "tel" in small
        or "phone" in small
        or "mobile" in small
        or "fax" in small
        or "whatsapp" in small
        or "msisdn" in small
        or "cell" in small
        or "handy" in small
    )


def _without_named(match: re.Match[str]) -> str:
    number = match[0][len(match[1]) :]
    if sum(map(str.isdigit, number)) not in _DIGITS:
        return match[0]
    return f"{match[1]}[PHONE]{' ' if number[-1] == ' ' else ''}"


def _without_phone(match: re.Match[str]) -> str:
    number = match[0]
    if number[0] in ("0", "(") and (sum(map(str.isdigit, number)) < 9 or _DATE.match(number)):
        return number
    return "[PHONE]"
