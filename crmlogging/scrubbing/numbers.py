"""Numbers that belong to somebody: cards (ISO 7812), IBANs (ISO 13616), telephones."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["has_number", "scrub_numbers"]

_MACHINE_ID: Final = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}"
    r"|(?=[0-9]{0,19}[a-f])(?=[0-9a-f]{24})[0-9a-f]{24,128}"
)
_DIGITS: Final = re.compile(r"\d")
# Groups of digits with one separator between them, beginning and ending at a group.
_CARD: Final = re.compile(r"(?<!\d)\d{3,19}(?:[ .\-\u00a0]\d{3,7}){0,5}+")
_CARD_SIZES: Final = range(13, 20)
_GROUP: Final = re.compile(r"\d+")
# ISO 13616 lengths; a word after the number would otherwise count as its end.
_IBAN_SIZE: Final = {
    country: int(size)
    for size, countries in (
        ("15", "NO"),
        ("16", "BE"),
        ("18", "DK FI FK FO GL NL SD"),
        ("19", "MK SI"),
        ("20", "AT BA EE KZ LT LU MN XK"),
        ("21", "CH HR LI LV"),
        ("22", "BG BH CR DE GB GE IE ME RS VA"),
        ("23", "AE GI IL IQ OM SO TL"),
        ("24", "AD CZ ES MD PK RO SA SE SK TN VG"),
        ("25", "LY PT ST"),
        ("26", "IS TR"),
        ("27", "BI DJ FR GR IT MC MR SM"),
        ("28", "AL AZ BY CY DO GT HN HU LB NI PL SV"),
        ("29", "BR EG PS QA UA"),
        ("30", "JO KW MU YE"),
        ("31", "MT SC"),
        ("32", "LC"),
        ("33", "RU"),
    )
    for country in countries.split()
}
_IBAN: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,29}")
_IBAN_DIGITS: Final = {ord(letter): str(int(letter, 36)) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_PHONES: Final = re.compile(
    # +49 (0)151 234-5678, 0049 ...
    r"(?:\+[ ]?|(?<![\w.,:+\-])00[ ]?)[1-9](?:[ ().\-/\u00a0]{0,3}\d){6,18}+"
    # 1-555-123-4567, (555) 123-4567, 555.123.4567
    r"|(?<![\w.+\-])(?:1[ .\-])?(?:\([2-9]\d{2}\)[ .\-]?|[2-9]\d{2}[ .\-])"
    r"\d{3}[ .\-]\d{4}(?![\w\-])"
    # 030/1234567, 0151 23456789, 06 12 34 56 78, 01512345678
    r"|(?<![\w.,:+/\-])\(?0[1-9]\d{0,4}\)?(?:[ /.\-]{1,3}\d{2,8}){1,5}(?!\w)"
    r"|(?<![\w.,:+/\-])0[1-9]\d{8,10}(?![\w\-])"
)
_DATE: Final = re.compile(r"\d{1,2}([./-])\d{1,2}\1\d{2,4}(?!\d)")
_PHONE_NAMED: Final = re.compile(
    r"((?:phone|mobile|telephone|tel|fax|whatsapp|msisdn)[a-z_]{0,12}+[^\d\n]{0,8}?)"
    r"\d[\d ().\-/]{5,20}",
    re.IGNORECASE,
)
_PHONE_DIGITS: Final = range(7, 20)


def scrub_numbers(text: str) -> str:
    """Return `text` without card numbers, IBANs and telephone numbers."""
    return _phones(_cards(_ibans(text))) if _DIGITS.search(text) else text


def has_number(value: str) -> bool:
    """Tell whether `value` holds a card number or an IBAN.

    In a UUID or a long hexadecimal id chance puts the right check digits in one of 2,000; nobody
    writes a card or an account like that.
    """
    return not _MACHINE_ID.fullmatch(value) and _cards(_ibans(value)) != value


def _ibans(text: str) -> str:
    kept, at = [], 0
    while (match := _IBAN.search(text, at)) is not None:
        end = _iban_end(match)
        stop = match.start() + 1 if end is None else end
        kept.append(text[at:stop] if end is None else f"{text[at : match.start()]}[IBAN]")
        at = stop
    return "".join((*kept, text[at:])) if kept else text


def _iban_end(match: re.Match[str]) -> int | None:
    """Return where the IBAN that begins here ends, by its check digits (ISO 7064 mod 97-10)."""
    run = match[0]
    letters = run.replace(" ", "").replace("-", "").upper()
    size = _IBAN_SIZE.get(letters[:2])
    if size is None or size > len(letters):
        return None
    turned = letters[4:size] + letters[:4]
    if int(turned.translate(_IBAN_DIGITS)) % 97 != 1:
        return None
    places = [at for at, letter in enumerate(run) if letter.isalnum()]
    return match.start() + places[size - 1] + 1


def _cards(text: str) -> str:
    return _CARD.sub(_without_card, text)


def _without_card(match: re.Match[str]) -> str:
    """Replace the card numbers in a run of digit groups; each begins and ends at a group."""
    run = match[0]
    groups = [found.span() for found in _GROUP.finditer(run)]
    kept, at, first = [], 0, 0
    while first < len(groups):
        end = _card_end(run, groups[first:])
        if end is None:
            first += 1
            continue
        kept.append(f"{run[at : groups[first][0]]}[CARD]")
        at = end
        first = next((n for n, (start, _) in enumerate(groups) if start >= end), len(groups))
    return "".join((*kept, run[at:])) if kept else run


def _card_end(run: str, groups: list[tuple[int, int]]) -> int | None:
    digits = ""
    for start, end in groups:
        digits += run[start:end]
        if len(digits) in _CARD_SIZES and _is_card(digits):
            return end
    return None


def _is_card(digits: str) -> bool:
    """Tell whether an issuer numbers cards like this, and the check digit fits (ISO 7812)."""
    size, two, four = len(digits), int(digits[:2]), int(digits[:4])
    issued = (
        (digits[0] == "4" and size in (13, 16, 19))
        or ((51 <= two <= 55 or 2221 <= four <= 2720) and size == 16)
        or (two in (34, 37) and size == 15)
        or ((two in (36, 38, 39) or 3000 <= four <= 3059) and size in (14, 16, 19))
        or (two in (35, 50, 60, 62, 64, 65) and size in (16, 17, 18, 19))
        or (56 <= two <= 69 and size in (13, 15, 16, 18, 19))
    )
    if not issued:
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0


def _phones(text: str) -> str:
    text = _PHONE_NAMED.sub(_without_named_phone, text)
    return _PHONES.sub(_without_phone, text)


def _without_named_phone(match: re.Match[str]) -> str:
    number = match[0][len(match[1]) :]
    if sum(c.isdigit() for c in number) not in _PHONE_DIGITS:
        return match[0]
    return f"{match[1]}[PHONE]{' ' if number[-1] == ' ' else ''}"


def _without_phone(match: re.Match[str]) -> str:
    number = match[0]
    local = number[0] in "0(" and not number.startswith("00")
    if local and (sum(c.isdigit() for c in number) < 9 or _DATE.match(number)):
        return number
    return "[PHONE]"
