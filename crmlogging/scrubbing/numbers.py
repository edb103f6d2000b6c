"""Numbers that open an account: cards (ISO 7812) and IBANs (ISO 13616), by their check digits."""

from __future__ import annotations

import re
from typing import Final

from crmlogging.scrubbing.glancing import kinds_of, may_hold_card, may_hold_iban

__all__ = ["has_number", "is_machine_id", "scrub_numbers"]

_MACHINE_ID: Final = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}"
    r"|(?=[0-9]{0,19}[a-f])(?=[0-9a-f]{24})[0-9a-f]{24,128}"
)
# In a text: runs in which chance puts the right check digits in one of some thousand.
_MACHINE_IDS: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}"
    r"|(?=[0-9]{0,19}[a-f])[0-9a-f]{24,128})(?![0-9A-Za-z])"
)
# Groups of digits with one separator between them, beginning and ending at a group.
_CARD: Final = re.compile(r"[0-9](?<![0-9][0-9])[0-9]{2,18}(?:[ .\-][0-9]{3,7}){0,5}+")
# Begun only where a chain of digits begins: from its middle on there would be fewer.
_THIRTEEN: Final = re.compile(r"[0-9](?<![0-9][0-9])(?<![0-9][ .\-][0-9])(?:[ .\-]?[0-9]){12}")
# At a glance, of what is left without separators.
_IN_A_ROW: Final = re.compile(rb"[0-9]{13}")
_SEPARATORS: Final = b" .-"
_GROUP: Final = re.compile(r"[0-9]+")
_CARD_SIZES: Final = frozenset(range(13, 20))
_CARD_LONGEST: Final = max(_CARD_SIZES)
_LONG_ISSUERS: Final = (
    *("62", "0604", "5018", "5020", "5038", "5893", "6304", "6390", "6759"),
    *("6761", "6762", "6763", "676770", "676774"),
)
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
_IBAN: Final = re.compile(
    r"[0-9](?<=([A-Za-z]{2})[0-9])(?<![A-Za-z0-9][A-Za-z]{2}[0-9])[0-9]"
    r"(?=([A-Za-z0-9 -]{11,48}))"
)
_IBAN_DIGITS: Final = {letter: str(int(chr(letter), 36)) for letter in range(65, 91)}
_IBAN_ENDS: Final = {country: country.translate(_IBAN_DIGITS) for country in _IBAN_SIZE}
_DOUBLED: Final = str.maketrans("0123456789", "0246813579")


def scrub_numbers(text: str) -> str:
    """Return `text` without card numbers and IBANs."""
    kinds = kinds_of(text)
    scrubbed = _ibans(text) if may_hold_iban(kinds) else text
    scrubbed = _cards(scrubbed) if may_hold_card(kinds) else scrubbed
    if scrubbed == text:
        return text
    ids = [found.span() for found in _MACHINE_IDS.finditer(text)]
    if not ids:
        return scrubbed
    kept: list[str] = []
    at = 0
    for start, end in ids:
        kept += (_cards(_ibans(text[at:start])), text[start:end])
        at = end
    return "".join((*kept, _cards(_ibans(text[at:]))))


def has_number(value: str) -> bool:
    """Tell whether `value` holds a card number or an IBAN."""
    if value.isdecimal() and value.isascii() and len(value) <= _CARD_LONGEST:
        return len(value) in _CARD_SIZES and _is_card(value)
    if value.isalnum() and value.isascii():  # an IBAN begins where a word does
        has_account = value[:2].isalpha() and value[2:4].isdecimal()
    else:
        has_account = _IBAN.search(value) is not None
    digits = value.encode("ascii", "replace").translate(None, _SEPARATORS)
    return bool(
        (_IN_A_ROW.search(digits) and _cards(value) != value)
        or (has_account and _ibans(value) != value)
    )


def is_machine_id(value: str) -> bool:
    """Tell whether `value` is a UUID (RFC 9562) or a long hexadecimal id.

    Chance puts the right check digits in one of 2,000; nobody writes a card or an account so.
    """
    return _MACHINE_ID.fullmatch(value) is not None


def _ibans(text: str) -> str:
    kept, done = [], 0
    for match in _IBAN.finditer(text):
        country = match[1].upper()
        began = match.start(1)
        if country not in _IBAN_SIZE or began < done:
            continue
        end = _iban_end(text[began : match.end(2)], country)
        if end is not None:
            kept.append(f"{text[done:began]}[IBAN]")
            done = began + end
    return "".join((*kept, text[done:])) if kept else text


def _iban_end(run: str, country: str) -> int | None:
    """Return where the IBAN at the start of `run` ends, by its check digits (ISO 7064 mod 97)."""
    size = _IBAN_SIZE[country]
    letters = run.replace(" ", "").replace("-", "")
    account = letters[4:size]
    if not account.isdigit():
        account = account.upper().translate(_IBAN_DIGITS)
    if len(letters) < size or int(f"{account}{_IBAN_ENDS[country]}{letters[2:4]}") % 97 != 1:
        return None
    places = [at for at, letter in enumerate(run) if letter.isalnum()]
    return places[size - 1] + 1


def _cards(text: str) -> str:
    return _CARD.sub(_without_card, text) if _THIRTEEN.search(text) else text


def _without_card(match: re.Match[str]) -> str:
    """Replace the card numbers in a run of digit groups; each begins and ends at a group."""
    run = match[0]
    if len(run) < 13:
        return run
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
        if len(digits) in _CARD_SIZES:
            if _is_card(digits):
                return end
        elif len(digits) > _CARD_LONGEST:
            break
    return None


def _is_card(digits: str) -> bool:
    """Tell whether an issuer numbers cards like this, and the check digit fits (ISO 7812)."""
    size, two, four = len(digits), int(digits[:2]), int(digits[:4])
    if size == 16:
        issued = digits[0] in "46" or 50 <= two <= 59 or 2200 <= four <= 2204
        issued = issued or 2221 <= four <= 2720 or two in (30, 35, 36, 38, 39, 81, 82)
    elif size == 15:
        issued = two in (34, 37)
    elif size == 14:
        issued = two in (36, 38, 39) or 3000 <= four <= 3059 or four == 3095
    else:
        # Ids of 18 and 19 digits abound (Zoho's), so only an issuer of such long cards counts.
        issued = (size == 13 and digits[0] == "4") or digits.startswith(_LONG_ISSUERS)
    if not issued:
        return False
    return sum(map(int, digits[-1::-2] + digits[-2::-2].translate(_DOUBLED))) % 10 == 0
