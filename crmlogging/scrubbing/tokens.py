"""Tokens and keys that their own form gives away: a vendor's prefix, a JWT, chance itself."""

from __future__ import annotations

import re
from typing import Final

from crmlogging.scrubbing.glancing import TOKEN_RUN, may_hold_broken_run, may_hold_run
from crmlogging.scrubbing.vendors import LETTERED, SIGNED, lettered_pattern, signed_pattern

__all__ = ["has_token", "scrub_keys", "scrub_tokens"]


_SIGNED: Final = signed_pattern(SIGNED)
_LETTERED: Final = lettered_pattern(LETTERED)
# AGE-SECRET-KEY-1, pypi-AgE and ops_eyJ end in letters, and a few forms have their mark inside.
_INNER: Final = re.compile(
    r"AGE-SECRET-KEY-1[A-Z0-9]{20}[A-Z0-9]*|pypi-AgE[A-Za-z0-9_-]{6}[A-Za-z0-9_-]*"
    r"|ops_eyJ[A-Za-z0-9+/]{20}[A-Za-z0-9+/=]*"
    r"|(?<![A-Za-z0-9])[0-9]{8,12}:AA[A-Za-z0-9_-]{30}[A-Za-z0-9_-]*"  # Telegram
    r"|(?<![A-Za-z0-9])[0-9a-f]{32}-us[0-9]{1,2}(?![0-9])"  # Mailchimp
    r"|(?<![A-Za-z0-9_~.])[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{20}[A-Za-z0-9_~.-]*"  # Azure
    r"|(?<![A-Za-z0-9])[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{20}[A-Za-z0-9_=-]*"  # Terraform
    r"|(?<![A-Za-z0-9])[A-Za-z0-9]{40,90}AZDO[A-Za-z0-9]{4}"  # Azure DevOps
)
_INNER_MARK: Final = re.compile(r":AA|-us[0-9]|Q~|\.atlasv1|AZDO|AgE|_eyJ|KEY-1")
_UNSIGNED: Final = re.compile("[0-9a-f-]*+")
"""Hexadecimal with hyphens, as in ids of requests: of that no prefix or mark is made."""
_INNER_FEWEST: Final = 48  # characters of the shortest that is letters and digits only
_PRIVATE_KEY: Final = re.compile(
    r"-----? ?BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY[A-Z ]{0,16}-----?"
    r"(?:[^-]++|-(?!--[- ]{1,3}END))*+(?:-----? ?END [A-Z0-9 ]{0,48}-----?)?"
)
_PUTTY_KEY: Final = re.compile(r"Private-(?:Lines|MAC|Hash): ?.*", re.DOTALL)
_LONG: Final = re.compile(r"[A-Za-z0-9+/=]{32}")
_BASE64: Final = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40}[A-Za-z0-9+/]*+={0,2}")
_RANDOM: Final = re.compile(r"(?<![A-Za-z0-9+=])[A-Za-z0-9+=]{32}[A-Za-z0-9+=]*+")
_WORDY: Final = re.compile(r"[a-z]{11}")


def scrub_keys(text: str) -> str:
    """Return `text` without private keys, whole or cut off: PEM (RFC 7468), OpenPGP, PuTTY."""
    if "PRIVATE KEY" in text:
        text = _PRIVATE_KEY.sub("[KEY]", text)
    if "Private-" in text and "PuTTY" in text:
        text = _PUTTY_KEY.sub("[KEY]", text)
    return text


def scrub_tokens(text: str) -> str:
    """Return `text` without tokens."""
    text = _without_signed(text)
    if not (may_hold_run(text, TOKEN_RUN) or may_hold_broken_run(text)):
        return text
    text = _LETTERED.sub(_without_token, text)
    if _INNER_MARK.search(text):
        text = _INNER.sub(_without_token, text)
    if _LONG.search(text):
        text = _RANDOM.sub(_without_random, _BASE64.sub(_without_base64, text))
    return text


def has_token(value: str) -> bool:
    """Tell whether `value` holds a token that its own form gives away."""
    if len(value) < _INNER_FEWEST and value.isalnum() and value.isascii():
        return _LETTERED.match(value) is not None  # which only begins where a word does
    if _UNSIGNED.fullmatch(value):
        return False
    return bool(
        _SIGNED.search(value)
        or _LETTERED.search(value)
        or (_INNER_MARK.search(value) and _INNER.search(value))
    )


def _without_signed(text: str) -> str:
    kept, done = [], 0
    for token in _SIGNED.finditer(text):
        began = max(done, token.start(token.lastindex or 0))
        kept.append(f"{text[done:began]}[TOKEN]")
        done = token.start() + len(token[0].rstrip("."))
    return "".join((*kept, text[done:])) if kept else text


def _without_token(match: re.Match[str]) -> str:
    """Leave the full stop of the sentence."""
    return "[TOKEN]" + "." * (len(match[0]) - len(match[0].rstrip(".")))


def _without_random(match: re.Match[str]) -> str:
    """Withhold what no person would write."""
    return "[TOKEN]" if _is_mixed(match[0]) and _digits(match[0]) >= 3 else match[0]


def _without_base64(match: re.Match[str]) -> str:
    """Withhold base64; 40 characters with few digits may be an AWS secret."""
    value = match[0]
    fewest = 1 if len(value) == 40 else 3
    wordy = _WORDY.search(value) or value.count("/") > len(value) // 8
    return "[TOKEN]" if _is_mixed(value) and _digits(value) >= fewest and not wordy else value


def _is_mixed(value: str) -> bool:
    return value.lower() != value and value.upper() != value


def _digits(value: str) -> int:
    return sum(map(str.isdigit, value))
