"""E-mail addresses (RFC 5321), and what a URL (RFC 3986) holds beside its place."""

from __future__ import annotations

import re
from typing import Final

from crmlogging.scrubbing.glancing import kinds_of, may_be_spelled
from crmlogging.scrubbing.placeholders import PLACEHOLDER, WITHHELD

__all__ = ["scrub_addresses"]

_URL: Final = re.compile(r"/\\{0,4}/([^\s\"'<>`]+)")
_PARTS: Final = re.compile(r"([^?#;]*+)([?#;]?)(.*)", re.DOTALL)
_QUERY: Final = re.compile(r"\?([^\s\"'<>`=?]{1,64}=[^\s\"'<>`]*)")
_LOCAL: Final = r"\s<>()\[\],;:\"@/?&{}\\"
_DOMAIN: Final = r"\s<>()\[\],;:\"'@/?&{}\\|=!%#*"
_HOST: Final = re.compile(
    rf"@(?:\[[A-Za-z0-9:.]{{2,64}}\]|[^{_DOMAIN}]++)(?:@(?:\[[A-Za-z0-9:.]{{2,64}}\]|[^{_DOMAIN}]++))*+"
)
# Read backwards, from the sign: a comment, then a word or something in quotes.
_NAME: Final = re.compile(rf"(?:\)[^()@]{{0,64}}\()?(?:\"[^\"@\r\n]{{1,64}}\"|[^{_LOCAL}]+)")
_SPELLED: Final = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}+(?:\s?[\[(]\s?at\s?[\])]\s?|\sat\s)"
    r"(?!the\s)[\w-]{1,63}+(?:(?:\s?[\[(]\s?dot\s?[\])]\s?|\sdot\s|\.)[\w-]{1,63}+){1,4}",
    re.IGNORECASE,
)
_DIGESTS: Final = frozenset(("sha256", "sha512", "sha384", "md5"))


def scrub_addresses(text: str) -> str:
    """Return `text` without e-mail addresses and without what a URL carries."""
    if "//" in text or "/\\" in text:
        text = _URL.sub(_without_user_and_query, text)
    if "?" in text:
        text = _QUERY.sub(_without_values, text)
    if "@" in text:
        text = _without_addresses(text)
    if may_be_spelled(text, kinds_of(text), text.lower()):
        text = _SPELLED.sub(_without_spelled, text)
    return text


def _without_user_and_query(match: re.Match[str]) -> str:
    path, mark, query = _PARTS.match(match[1]).groups()  # type: ignore[union-attr]  # fits any text
    # The last @, though a path may hold one too: a password may hold a slash.
    user, at, host = path.rpartition("@")
    user = user if not at or PLACEHOLDER.match(user) else WITHHELD
    query = query if _only_placeholders(query) else WITHHELD
    return f"{match[0][: match.start(1) - match.start()]}{user}{at}{host}{mark}{query}"


def _without_values(match: re.Match[str]) -> str:
    return match[0] if _only_placeholders(match[1]) else f"?{WITHHELD}"


def _only_placeholders(query: str) -> bool:
    """Tell whether `query` is a template: every value is yet to be filled in."""
    if query in ("", WITHHELD):
        return True
    pairs = [pair.partition("=") for pair in query.split("&")]
    return all(sign and (not value or PLACEHOLDER.match(value)) for _, sign, value in pairs)


def _without_addresses(text: str) -> str:
    backwards = text[::-1]
    kept, done = [], 0
    for host in _HOST.finditer(text):
        name = _NAME.match(backwards, len(text) - host.start())
        if name is None or not _is_host(host[0][1:]):
            continue
        began = len(text) - name.end()
        ended = host.start() + len(host[0].rstrip("."))
        kept.append(f"{text[done : max(done, began)]}[EMAIL]")
        done = ended
    return "".join((*kept, text[done:])) if kept else text


def _is_host(domain: str) -> bool:
    """Tell a host from a version (``python@3.11``) and a digest (``image@sha256:...``)."""
    if domain in _DIGESTS:
        return False
    return domain[0] == "[" or any(map(str.isalpha, domain)) or domain.count(".") >= 3


def _without_spelled(match: re.Match[str]) -> str:
    lowered = match[0].lower()
    bracketed = "(" in lowered or "[" in lowered
    return "[EMAIL]" if bracketed or " dot " in lowered else match[0]
