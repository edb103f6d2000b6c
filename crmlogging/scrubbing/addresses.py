"""E-mail addresses, and what a URL holds beside its place: user-info, query, fragment."""

from __future__ import annotations

import re
from typing import Final

from crmlogging.scrubbing.tokens import PLACEHOLDER

__all__ = ["scrub_addresses"]

_WITHHELD: Final = "[REDACTED]"
_URL: Final = re.compile(r"://([^\s\"'<>`]+)")
_QUERY: Final = re.compile(r"\?([^\s\"'<>`=?]{1,64}=[^\s\"'<>`]*)")
_LOCAL: Final = r"\s<>()\[\],;:\"@＠﹫/?&{}\\"
_DOMAIN: Final = r"\s<>()\[\],;:\"'@＠﹫/?&{}\\|=!%#*"
_EMAIL: Final = re.compile(
    rf"(?:\"[^\"@\r\n]{{1,64}}\"|(?<![^{_LOCAL}])[^{_LOCAL}]+)"
    rf"[@＠﹫]([^{_DOMAIN}]+|\[[^\]\s]{{1,64}}\])"
)
_EMAIL_QUOTED: Final = re.compile(
    rf"(?<![^{_LOCAL}%=])[^{_LOCAL}%=]++(?:%[0-9A-Fa-f]{{2}}[^{_LOCAL}%=]*+){{0,8}}?%40[^{_DOMAIN}]++"
)


def scrub_addresses(text: str) -> str:
    """Return `text` without e-mail addresses and without what a URL carries."""
    if "://" in text:
        text = _URL.sub(_without_user_and_query, text)
    if "?" in text:
        text = _QUERY.sub(_without_values, text)
    if "@" in text or "＠" in text or "﹫" in text:
        text = _EMAIL.sub(_without_address, text)
    if "%40" in text:
        text = _EMAIL_QUOTED.sub("[EMAIL]", text)
    return text


def _without_user_and_query(match: re.Match[str]) -> str:
    path, mark, query = re.match(r"([^?#]*+)([?#]?)(.*)", match[1], re.DOTALL).groups()  # type: ignore[union-attr]  # fits any text
    # The last @, though a path may hold one too: a password may hold a slash.
    user, at, host = path.rpartition("@")
    user = user if not at or PLACEHOLDER.match(user) else _WITHHELD
    query = query if _only_placeholders(query) else _WITHHELD
    return f"://{user}{at}{host}{mark}{query}"


def _without_values(match: re.Match[str]) -> str:
    return match[0] if _only_placeholders(match[1]) else f"?{_WITHHELD}"


def _only_placeholders(query: str) -> bool:
    """Tell whether `query` is a template: every value is yet to be filled in."""
    if query in ("", _WITHHELD):
        return True
    pairs = [pair.partition("=") for pair in query.split("&")]
    return all(sign and (not value or PLACEHOLDER.match(value)) for _, sign, value in pairs)


def _without_address(match: re.Match[str]) -> str:
    domain = match[1]
    if any(c.isalpha() for c in domain) or domain.count(".") >= 3:
        return "[EMAIL]" + "." * (len(domain) - len(domain.rstrip(".")))
    return match[0]
