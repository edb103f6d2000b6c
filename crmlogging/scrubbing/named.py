"""Values that their name gives away: ``password=...``, ``Authorization: Bearer ...``."""

from __future__ import annotations

import re
from typing import Final

from crmlogging.scrubbing.glancing import (
    has_scheme,
    has_secret_name,
    has_spoken_name,
    in_small_letters,
)
from crmlogging.scrubbing.placeholders import PLACEHOLDER

__all__ = ["scrub_named"]

# A name, its sign, and a scheme of RFC 9110 section 11.
_PAIR: Final = re.compile(
    r"(?<![\w.-])([\w.-]++)(?:\[[\w.-]{0,64}\])?[\\\"'\])]{0,6}+\s{0,2}+(=>|[=:]|%3D)\s{0,2}+",
    re.IGNORECASE,
)
_SECRET_NAME: Final = re.compile(
    r"pass(?:word|wd|phrase|code)|pwd|secret|token|api[_.-]?key|(?:access|account|private|signing"
    r"|shared|encryption|master|license|secure)[_.-]?(?:access[_.-]?)?key|authorization|credential"
    r"|cookie|sess(?:ion)?[_.-]?id|signature"
    r"|(?:^|[_.-])(?:otp|totp|pin|cvv2?|cvc2?|ssn|sig|psk|_auth)$",
    re.IGNORECASE,
)
_SCHEMES: Final = (
    r"bearer|basic|digest|negotiate|ntlm|token|oauth|apikey|api-key|zoho-oauthtoken|hawk"
    r"|aws4-hmac-sha256|splunk|sso-key|genie-?key"
)
_SCHEME_VALUE: Final = re.compile(rf"(?:{_SCHEMES})\s{{1,4}}", re.IGNORECASE)
_LISTING: Final = re.compile(r"(?:digest|hawk|oauth|aws4-hmac-sha256)\s", re.IGNORECASE)
_VALUE: Final = re.compile(
    r"(\\{0,4})(?:\"([^\"\\\r\n]*+(?:\\.[^\"\\\r\n]*+)*+)|'([^'\\\r\n]*+(?:\\.[^'\\\r\n]*+)*+)"
    r"|([^\s\"',;&)}\\]++))"
)
_BARE: Final = 4
_LINE: Final = re.compile(r"[^\r\n]*+")
_SCHEME: Final = re.compile(
    r"(?<![A-Za-z])(bearer|basic|negotiate|digest)(\s{1,4}+)([A-Za-z0-9._~+/=-]{6,})", re.IGNORECASE
)
_SPOKEN: Final = re.compile(
    r"(?<![A-Za-z])((?:password|passphrase|passwd|pwd|secret|token|api[ _-]?key)(?: is| was)?\s)"
    r"(['\"]?)([^\s/\\:.{}%\[\](),;'\"]{6,64}+)",
    re.IGNORECASE,
)
_USER_OPTION: Final = re.compile(r"(\s(?:-u|--user)[ =]['\"]?)([^\s:'\"]{1,128}:[^\s'\"]+)")
_WORDS: Final = frozenset(
    "authentication authorization authorisation credentials credential tokens scheme header "
    "headers missing invalid expired required realm method".split()
)
_NOTHING: Final = frozenset("none null nil true false undefined empty - ...".split())


def scrub_named(text: str) -> str:
    """Return `text` without the values that stand behind a name or a scheme of credentials."""
    small = in_small_letters(text)
    if has_secret_name(small):
        text = _without_named_values(text)
    if has_scheme(small):
        text = _SCHEME.sub(_without_credentials, text)
    if has_spoken_name(small):
        text = _SPOKEN.sub(_without_spoken, text)
    if "-u" in text:
        text = _USER_OPTION.sub(_without_user, text)
    return text


def _without_named_values(text: str) -> str:
    kept, done = [], 0
    for pair in _PAIR.finditer(text):
        if pair.start() < done or not _SECRET_NAME.search(pair[1]):
            continue
        span = _secret_span(text, pair[1].lower(), pair[2], pair.end())
        if span is not None:
            kept.append(f"{text[done : span[0]]}[TOKEN]")
            done = span[1]
    return "".join((*kept, text[done:])) if kept else text


def _secret_span(text: str, name: str, sign: str, at: int) -> tuple[int, int] | None:
    """Return where the value that begins at `at` stands, None if it is no secret."""
    value = _VALUE.match(text, at)
    if value is None:
        return None
    kind = value.lastindex or _BARE
    bare = value[kind]
    if not bare or bare.lower().rstrip(".!") in _NOTHING:
        return None
    if PLACEHOLDER.match(text, value.start(kind)):
        return None
    if kind != _BARE:
        return value.span(kind)
    scheme = _SCHEME_VALUE.match(text, at)
    if ("authorization" in name and _LISTING.match(text, at)) or name.endswith("cookie"):
        line = _LINE.match(text, at)
        return line and line.span()  # A header that lists pairs.
    if scheme is not None:
        credential = _VALUE.match(text, scheme.end())
        if credential is None:
            return None
        kind = credential.lastindex or _BARE
        if PLACEHOLDER.match(text, credential.start(kind)) or credential[kind].lower() in _WORDS:
            return None
        return at, credential.end()
    if _is_count(name, bare) or bare.lower().rstrip(".") in _WORDS:
        return None
    # "Invalid token: expired" is English; "token=expired" and "X-Auth-Token: expired" are not.
    if sign == ":" and name.isalpha() and _is_english(name, bare):
        return None
    return value.span(kind)


def _is_count(name: str, value: str) -> bool:
    return name.endswith("s") and value.isdigit() and len(value) < 8


def _is_english(name: str, value: str) -> bool:
    """Tell whether a colon and a bare word belong to a sentence."""
    return "authorization" not in name and not _looks_random(value)


def _without_credentials(match: re.Match[str]) -> str:
    scheme, space, value = match.groups()
    word = value.rstrip(".").lower()
    if word in _WORDS or (scheme.lower() != "bearer" and not _looks_random(value)):
        return match[0]
    return f"{scheme}{space}[TOKEN]"


def _without_spoken(match: re.Match[str]) -> str:
    value = match[3]
    if not (any(map(str.isdigit, value)) and any(map(str.isalpha, value))):
        return match[0]
    return f"{match[1]}{match[2]}[TOKEN]"


def _without_user(match: re.Match[str]) -> str:
    return match[0] if PLACEHOLDER.match(match[2]) else f"{match[1]}[TOKEN]"


def _looks_random(value: str) -> bool:
    """Tell whether `value` is no word of a sentence."""
    word = value.rstrip(".!?:")
    if len(word) >= 24 or any(map(str.isdigit, word)):
        return True
    return not (word.isalpha() and (word.islower() or word.isupper() or word[1:].islower()))
