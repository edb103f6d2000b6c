"""Tokens, passwords and keys in a text: by a vendor's prefix, by a name before them, by looks."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["PLACEHOLDER", "has_token", "scrub_tokens"]

PLACEHOLDER: Final = re.compile(
    r"%(?:\(\w{1,64}\))?[-#0 +]?[0-9.*]{0,8}[a-zA-Z]|\{|\[[A-Z]{3,9}\]|\*{3,}|<[a-z]"
)
"""What begins like this is a place in a template, or was withheld already."""

_WORD: Final = r"[A-Za-z0-9_-]{6,}"
_LONG: Final = r"[A-Za-z0-9_-]{20,}"
_DOTTED: Final = r"[A-Za-z0-9_.~+/=-]{16,}"
# Vendor's prefix -> what follows. A prefix that might end an ordinary word starts with "|".
_PREFIXES: Final = {
    **dict.fromkeys(
        ("sk_live_", "sk_test_", "rk_live_", "rk_test_", "pk_live_", "pk_test_"), _WORD
    ),
    **dict.fromkeys(("whsec_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"), _WORD),
    **dict.fromkeys(("glpat-", "gldt-", "glrt-", "glsa_", "npm_", "figd_", "sbp_", "ntn_"), _WORD),
    **dict.fromkeys(("xoxa-", "xoxb-", "xoxe-", "xoxp-", "xoxr-", "xoxs-", "xapp-"), _WORD),
    **dict.fromkeys(("shpat_", "shpca_", "shppa_", "shpss_", "dop_v1_", "doo_v1_"), _WORD),
    **dict.fromkeys(("sk-ant-", "sk-proj-", "lin_api_", "PMAK-", "NRAK-", "HRKU-"), _WORD),
    **dict.fromkeys(("sq0atp-", "sq0csp-", "rdme_", "pypi-AgE", "ATATT3", "dp.pt."), _WORD),
    **dict.fromkeys(("GOCSPX-", "sntrys_", "sntryu_", "hvs.", "hvb.", "tfp_", "vercel_"), _WORD),
    "|sk-": _LONG,
    "|AIza": r"[A-Za-z0-9_-]{30,}",
    "ya29.": _DOTTED,
    "|1//0": _LONG,
    "|pat-": r"[a-z]{2}[0-9]-[A-Za-z0-9-]{6,}",  # HubSpot private app
    "|SG.": r"[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}",
    **dict.fromkeys(("|AKIA", "|ASIA", "|AROA", "|AIDA", "|AGPA"), r"[A-Z0-9]{12,}"),
    **dict.fromkeys(("|AC", "|SK"), r"[0-9a-f]{32}(?![0-9a-f])"),  # Twilio
    "|key-": r"[0-9a-z]{32}",  # Mailgun
    "|secret_": r"[A-Za-z0-9]{32,}",  # Notion
    "|dapi": r"[0-9a-f]{32}",  # Databricks
    "|EAA": r"[A-Za-z0-9]{20,}",  # Meta
    "|00D": r"[A-Za-z0-9]{12,15}![A-Za-z0-9._]{10,}",  # Salesforce session
    "|5Aep": _DOTTED,  # Salesforce refresh token
    "|1000.": r"[0-9A-Za-z]{20,}(?:\.[0-9A-Za-z]{10,})?+",  # Zoho
    "|eyJ": r"[A-Za-z0-9_-]{5,512}\.[A-Za-z0-9_-]{2,}(?:\.[A-Za-z0-9_-]*){0,3}",  # JWT, JWE
    "hooks.slack.com/services/": r"[A-Za-z0-9/]{6,}",
    "/api/webhooks/": r"[A-Za-z0-9/_-]{6,}",  # Discord
}


def _any_prefix() -> re.Pattern[str]:
    """Return one expression for all prefixes, grouped by first letter: sre then skips the rest."""
    groups: dict[str, list[str]] = {}
    for marked, tail in _PREFIXES.items():
        prefix = marked.removeprefix("|")
        rest = re.escape(prefix[1:])
        alone = rf"(?<![A-Za-z0-9]{re.escape(prefix)})" if marked != prefix else ""
        groups.setdefault(re.escape(prefix[0]), []).append(f"{rest}{alone}{tail}")
    return re.compile("|".join(f"{first}(?:{'|'.join(g)})" for first, g in groups.items()))


_TOKEN: Final = _any_prefix()

_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY[A-Z ]{0,16}-----"
    r"(?:[^-]++|-(?!----END))*+(?:-----END [A-Z0-9 ]{0,48}-----)?"
)
_NAMED: Final = re.compile(
    r"((?:pass(?:word|wd|phrase|code)|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|signing[_-]?key|authorization|credential|cookie|sess(?:ion)?[_-]?id|signature)"
    r"[a-z0-9_-]{0,20}+[\"'\]]{0,2}+)(\s{0,2}+(?:=>|=|:|%3D)\s{0,2}+)"
    r"((?:(?:bearer|basic|digest|negotiate|token)\s{1,2}+)?+)"
    r"(\"[^\"\\\r\n]*(?:\\.[^\"\\\r\n]*)*+\"?|'[^'\\\r\n]*(?:\\.[^'\\\r\n]*)*+'?|[^\s\"',;&)}]+)",
    re.IGNORECASE,
)
_COOKIES: Final = re.compile(
    r"(cookie[\"']?\s{0,2}:\s{0,2})[^\s\"'=:;]{1,64}=[^\r\n\"']+", re.IGNORECASE
)
_SCHEME: Final = re.compile(
    r"(?<![a-z])(bearer|basic|negotiate|digest)(\s{1,4}+)([A-Za-z0-9._~+/=-]{6,})", re.IGNORECASE
)
_AWS_SECRET: Final = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])")
_RANDOM: Final = re.compile(r"(?<![A-Za-z0-9+=])[A-Za-z0-9+=]{32,}")
_WORDS: Final = frozenset(
    "authentication authorization authorisation credentials credential tokens scheme header "
    "headers missing invalid expired required realm method".split()
)


def scrub_tokens(text: str) -> str:
    """Return `text` without tokens, passwords and private keys."""
    if "-----BEGIN" in text:
        text = _PRIVATE_KEY.sub("[KEY]", text)
    text = _COOKIES.sub(r"\1[TOKEN]", text)
    text = _NAMED.sub(_without_named_value, text)
    text = _SCHEME.sub(_without_credentials, text)
    text = _TOKEN.sub("[TOKEN]", text)
    text = _AWS_SECRET.sub(_without_random, text)
    return _RANDOM.sub(_without_random, text)


def has_token(value: str) -> bool:
    """Tell whether `value` holds a token that its own form gives away."""
    return _TOKEN.search(value) is not None


def _without_named_value(match: re.Match[str]) -> str:
    name, sign, scheme, value = match.groups()
    bare = value.strip("\"'")
    if not bare or PLACEHOLDER.match(bare):
        return match[0]
    # "Invalid token: expired" is English; "token=expired" is not.
    if ":" in sign and bare == value and not scheme and _is_english(name.lower(), bare):
        return match[0]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{name}{sign}{quote}[TOKEN]{quote}"


def _is_english(name: str, value: str) -> bool:
    """Tell whether a colon and a bare word belong to a sentence or a count ("tokens: 5")."""
    if name.endswith("s") and value.isdigit() and len(value) < 4:
        return True
    return "authorization" not in name and not _looks_random(value)


def _without_credentials(match: re.Match[str]) -> str:
    scheme, space, value = match.groups()
    word = value.rstrip(".").lower()
    if word in _WORDS or (scheme.lower() != "bearer" and not _looks_random(value)):
        return match[0]
    return f"{scheme}{space}[TOKEN]"


def _looks_random(value: str) -> bool:
    """Tell whether `value` is no word of a sentence."""
    word = value.rstrip(".!?:")
    if len(word) >= 24 or any(c.isdigit() for c in word):
        return True
    return not (word.isalpha() and (word.islower() or word.isupper() or word[1:].islower()))


def _without_random(match: re.Match[str]) -> str:
    """Withhold what no person would write; 40 characters with few digits are an AWS secret."""
    value = match[0]
    digits = sum(c.isdigit() for c in value)
    mixed = value.lower() != value and value.upper() != value and value.count("/") < 5
    return "[TOKEN]" if mixed and digits >= (1 if len(value) == 40 else 3) else value
