"""A glance: what a text cannot hold, told by the kinds of its characters and a few words.

An expression takes a hundred instructions a character, a glance two or three. It asks for what
every find of a stage needs, never for what only most of them have: where it sees nothing, the
stage would leave the text as it is.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "TOKEN_RUN",
    "has_scheme",
    "has_secret_name",
    "has_spoken_name",
    "in_small_letters",
    "is_plain",
    "kinds_of",
    "may_be_spelled",
    "may_hold_address",
    "may_hold_broken_run",
    "may_hold_card",
    "may_hold_iban",
    "may_hold_named",
    "may_hold_phone",
    "may_hold_run",
    "may_hold_token",
]

_LETTERS: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS: Final = b"0123456789"
_OTHER: Final = bytes((*range(32), *b",;!?'\"{}]<>*|^`#", 127))
# Signs are beyond ASCII, so whether there is one is known of the whole: of tokens, of pairs, an
# opening bracket, an escape of URLs, and what else an address or an escape cannot do without.
_JOIN, _PAIR, _OPEN, _PERCENT, _SIGN = "\xac", "\xa6", "\xab", "\xb0", "\xa7"
_KINDS: Final = bytes.maketrans(
    _LETTERS + _DIGITS + b")" + _OTHER + b"-_/+$" + b":=" + b"([" + b"%" + b"@\\&~",
    b"a" * 52
    + b"0" * 10
    + b" "
    + b"," * len(_OTHER)
    + (_JOIN * 5 + _PAIR * 2 + _OPEN * 2 + _PERCENT + _SIGN * 4).encode("latin-1"),
)
_BETWEEN_DIGITS: Final = f" .{_OPEN}{_JOIN}".encode("latin-1")
_PHONE: Final = b"0" * 7
_CARD: Final = b"0" * 13
_ESCAPE: Final = f"{_PERCENT}0"
_OPEN_SPACE: Final = f"{_OPEN} "
_OPEN_OTHER: Final = f"{_OPEN},"
_TWICE: Final = _JOIN * 2
# Fifteen in a row may be a token. Of shorter runs signs tell: behind that of a prefix stand six
# characters at least, and of the tokens that have signs in their middle each has a mark.
TOKEN_RUN: Final = 15
_FIFTEEN: Final = "a" * TOKEN_RUN
_THIRTY_TWO: Final = "a" * 32
_ODD: Final = re.compile(r"[-_/.$][A-Za-z0-9_.-]{6}|~|eyJ")
_AT: Final = re.compile(r"[(\[]\s?at\s?[\])]", re.IGNORECASE)


def kinds_of(text: str) -> str:
    """Return the kind of each ASCII character of `text`.

    What is not ASCII is left out: no run is shorter for that, and no sign is lost.
    """
    return text.encode("ascii", "ignore").translate(_KINDS).decode("latin-1")


def in_small_letters(text: str) -> str:
    """Return `text` in small letters, also those that only an expression takes for the same."""
    small = text.lower()
    if text.isascii():
        return small
    return small.replace("i\u0307", "i").replace("\u0131", "i").replace("\u017f", "s")


def is_plain(text: str) -> bool:
    """Tell whether there is nothing to find in `text`, which is ASCII."""
    kinds = text.encode().translate(_KINDS).decode("latin-1")
    small = text.lower()
    if not kinds.isascii() and (
        may_hold_address(text, kinds, small) or may_hold_pair(text, kinds, small)
    ):
        return False
    if "0" in kinds and (may_hold_iban(kinds) or may_hold_phone(kinds) or has_spoken_name(small)):
        return False
    return not (" dot " in small or has_scheme(small) or may_hold_token(text, kinds))


def may_hold_address(text: str, kinds: str, small: str) -> bool:
    """Tell whether an e-mail address, a URL, a query, an escape or a private key is possible."""
    return (
        _SIGN in kinds
        or _TWICE in kinds
        or _ESCAPE in kinds
        or (_PAIR in kinds and ("?" in text or "Private-" in text))
        or may_be_spelled(text, kinds, small)
    )


def may_be_spelled(text: str, kinds: str, small: str) -> bool:
    """Tell whether an e-mail address is possible that is spelled out, ``(at)`` or ``dot``."""
    if " dot " in small:
        return True
    if _OPEN not in kinds or not ("(at" in small or "[at" in small or _opens_apart(kinds, text)):
        return False
    return _AT.search(text) is not None


def _opens_apart(kinds: str, text: str) -> bool:
    """Tell whether a space may stand behind an opening bracket."""
    return _OPEN_SPACE in kinds or _OPEN_OTHER in kinds or not text.isascii()


def may_hold_named(text: str, kinds: str, small: str) -> bool:
    """Tell whether a value is possible that a name, a scheme or an option gives away."""
    return (
        has_scheme(small)
        or (("0" in kinds or not text.isascii()) and has_spoken_name(small))
        or may_hold_pair(text, kinds, small)
    )


def may_hold_pair(text: str, kinds: str, small: str) -> bool:
    """Tell whether a value is possible that stands behind a sign."""
    return (_PAIR in kinds or _ESCAPE in kinds) and ("-u" in text or has_secret_name(small))


def has_scheme(small: str) -> bool:
    """Tell whether a scheme of credentials stands in a text, which is given in small letters."""
    return "bearer" in small or "basic" in small or "digest" in small or "negotiate" in small


def has_spoken_name(small: str) -> bool:
    """Tell whether a secret is called by its name, as in a sentence."""
    return (
        "pass" in small or "token" in small or "key" in small or "secret" in small or "pwd" in small
    )


def has_secret_name(small: str) -> bool:
    """Tell whether a secret is called by its name, as before a sign."""
    return (
        has_spoken_name(small)
        or "auth" in small
        or "credential" in small
        or "cookie" in small
        or "sess" in small
        or "sig" in small
        or "otp" in small
        or "pin" in small
        or "cvv" in small
        or "cvc" in small
        or "ssn" in small
        or "psk" in small
    )


def may_hold_token(text: str, kinds: str) -> bool:
    """Tell whether a token or a packed text is possible."""
    runs = kinds.replace("0", "a")
    if runs.isascii():
        return _FIFTEEN in runs or (
            "." in runs and (".a" in runs or "...." in runs) and _ODD.search(text) is not None
        )
    runs = runs.replace(_JOIN, "a")
    return (
        _FIFTEEN in runs
        or (_PAIR in runs and _THIRTY_TWO in runs.replace(_PAIR, "a"))
        or ((_JOIN in kinds or "." in kinds or _SIGN in kinds) and _ODD.search(text) is not None)
    )


def may_hold_run(text: str, size: int) -> bool:
    """Tell whether as many characters of tokens may stand in a row."""
    runs = kinds_of(text).replace("0", "a").replace(_JOIN, "a").replace(_PAIR, "a")
    return "a" * size in runs


def may_hold_broken_run(text: str) -> bool:
    """Tell whether a token is possible in which signs stand between short runs."""
    return "eyJ" in text or "~" in text or "AgE" in text or "5Aep" in text or "3MVG9" in text


def may_hold_iban(kinds: str) -> bool:
    """Tell whether an IBAN is possible."""
    return "aa00" in kinds


def may_hold_card(kinds: str) -> bool:
    """Tell whether a card number is possible."""
    return _has_digits(kinds, _CARD)


def may_hold_phone(kinds: str) -> bool:
    """Tell whether a telephone number is possible."""
    return _has_digits(kinds, _PHONE)


def _has_digits(kinds: str, fewest: bytes) -> bool:
    """Tell whether so many digits stand together, but for what people put between them."""
    if "0" not in kinds or kinds.count("0") < len(fewest):
        return False
    return kinds.encode("latin-1").translate(None, _BETWEEN_DIGITS).find(fewest) >= 0
