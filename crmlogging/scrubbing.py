"""The second line of defence: a text is searched for what must not stand in a log.

Only texts that were let out already come here: source literals, and values of fields whose
declared shape is ``text``. Found are e-mail addresses ``[EMAIL]``, phone numbers ``[PHONE]``,
card numbers ``[CARD]``, IBANs ``[IBAN]``, private keys ``[KEY]``, tokens and passwords
``[TOKEN]``, user-info and query of a URL ``[REDACTED]``.

Linear in the length of any text: an expression starts only where a cheap mark stands, and its
repetitions are possessive or bounded. In doubt it withholds, for a placeholder too many costs
less than a secret; dates, versions, counts and UUIDs stay.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_secret", "scrub"]

_WITHHELD: Final = "[REDACTED]"
_CLEAN_KEPT: Final = 4_096
_CLEAN_CHARACTERS: Final = 256
_clean: set[str] = set()


def scrub(text: str) -> str:
    """Return `text` with a placeholder for each secret or personal detail found in it.

    Example:
        >>> scrub("mail ada@example.com or call +49 151 2345678")
        'mail [EMAIL] or call [PHONE]'
        >>> scrub("GET https://bot:pw@api.example/v1?key=1 took 50,000 ms on 2026-11-22")
        'GET https://[REDACTED]@api.example/v1?[REDACTED] took 50,000 ms on 2026-11-22'
    """
    if text in _clean:
        return text
    try:
        scrubbed = _scrubbed(text)
    except Exception:  # noqa: BLE001  # fails closed
        return _WITHHELD
    if scrubbed == text and len(text) <= _CLEAN_CHARACTERS:
        if len(_clean) >= _CLEAN_KEPT:
            _clean.clear()
        _clean.add(text)
    return scrubbed


def is_secret(value: str) -> bool:
    """Tell whether a single word is a token of a known vendor, a JWT, a card number or an IBAN.

    For values in the shape of an id, of which some are secrets all the same.
    """
    return len(value) >= _SECRET_MINIMUM and (
        _TOKEN.search(value) is not None or "[" in _cards(_ibans(value))
    )


def _scrubbed(text: str) -> str:
    if "-----BEGIN" in text:
        text = _PRIVATE_KEY.sub("[KEY]", text)
    if "://" in text:
        text = _URL.sub(_without_user_and_query, text)
    if "?" in text:
        text = _QUERY.sub(_without_values, text)
    text = _NAMED.sub(_without_named_value, text)
    text = _SCHEME.sub(_without_credentials, text)
    text = _TOKEN.sub("[TOKEN]", text)
    if "@" in text or "＠" in text or "﹫" in text:
        text = _EMAIL.sub(_without_address, text)
    if "%40" in text:
        text = _EMAIL_QUOTED.sub("[EMAIL]", text)
    if _DIGITS.search(text):
        text = _phones(_cards(_ibans(text)))
    return _RANDOM.sub(_without_random, text)


# --- tokens ------------------------------------------------------------------------------------

_WORD: Final = r"[A-Za-z0-9_-]{6,}+"
_LONG: Final = r"[A-Za-z0-9_-]{20,}+"
_DOTTED: Final = r"[A-Za-z0-9_.~+/=-]{16,}+"
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
    "|AIza": r"[A-Za-z0-9_-]{30,}+",
    "ya29.": _DOTTED,
    "|1//0": _LONG,
    "|pat-": r"[a-z]{2}[0-9]-[A-Za-z0-9-]{6,}+",  # HubSpot private app
    "|SG.": r"[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}+",
    **dict.fromkeys(("|AKIA", "|ASIA", "|AROA", "|AIDA", "|AGPA"), r"[A-Z0-9]{12,}+"),
    **dict.fromkeys(("|AC", "|SK"), r"[0-9a-f]{32}(?![0-9a-f])"),  # Twilio
    "|key-": r"[0-9a-z]{32}",  # Mailgun
    "|secret_": r"[A-Za-z0-9]{32,}+",  # Notion
    "|dapi": r"[0-9a-f]{32}",  # Databricks
    "|EAA": r"[A-Za-z0-9]{20,}+",  # Meta
    "|00D": r"[A-Za-z0-9]{12,15}![A-Za-z0-9._]{10,}+",  # Salesforce session
    "|5Aep": _DOTTED,  # Salesforce refresh token
    "|1000.": r"[0-9A-Za-z]{20,}(?:\.[0-9A-Za-z]{10,})?+",  # Zoho
    "|eyJ": r"[A-Za-z0-9_-]{5,}+\.[A-Za-z0-9_-]{2,}+(?:\.[A-Za-z0-9_-]*+){0,3}",  # JWT, JWE
    "hooks.slack.com/services/": r"[A-Za-z0-9/]{6,}+",
    "/api/webhooks/": r"[A-Za-z0-9/_-]{6,}+",  # Discord
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
_SECRET_MINIMUM: Final = 12

_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY[A-Z ]{0,16}-----"
    r"(?:[^-]++|-(?!----END))*+(?:-----END [A-Z0-9 ]{0,48}-----)?"
)
_PLACEHOLDER: Final = re.compile(
    r"%(?:\(\w{1,64}\))?[-#0 +]?[0-9.*]{0,8}[a-zA-Z]|\{|\[[A-Z]{3,9}\]|\*{3,}|<[a-z]"
)
_NAMED: Final = re.compile(
    r"((?:pass(?:word|wd|phrase|code)|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|signing[_-]?key|authorization|credential|cookie|sess(?:ion)?[_-]?id|signature)"
    r"[a-z0-9_-]{0,20}+[\"'\]]{0,2}+)(\s{0,2}+(?:=>|=|:|%3D)\s{0,2}+)"
    r"((?:(?:bearer|basic|digest|negotiate|token)\s{1,2}+)?+)"
    r"(\"(?:[^\"\\\r\n]|\\.){0,1024}+\"?|'(?:[^'\\\r\n]|\\.){0,1024}+'?|[^\s\"',;&)}]++)",
    re.IGNORECASE,
)
_WHOLE_LINE: Final = re.compile(r"(cookie[\"']?\s{0,2}:\s{0,2})[^\r\n\"']++", re.IGNORECASE)
_SCHEME: Final = re.compile(
    r"(?<![a-z])(bearer|basic|negotiate|digest)(\s{1,4}+)([A-Za-z0-9._~+/=-]{6,}+)", re.IGNORECASE
)
_RANDOM: Final = re.compile(r"(?<![A-Za-z0-9+=])[A-Za-z0-9+=]{32,}+")
_WORDS: Final = frozenset(
    "authentication authorization authorisation credentials credential tokens scheme header "
    "headers missing invalid expired required realm method".split()
)


def _without_named_value(match: re.Match[str]) -> str:
    name, sign, scheme, value = match.groups()
    bare = value.strip("\"'")
    if not bare or _PLACEHOLDER.match(bare):
        return match[0]
    # "Invalid token: expired" is English; "token=expired" is not.
    english = ":" in sign and bare == value and not scheme and not _looks_random(bare)
    if english and "authorization" not in name.lower() and "cookie" not in name.lower():
        return match[0]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{name}{sign}{quote}[TOKEN]{quote}"


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
    value = match[0]
    digits = sum(c.isdigit() for c in value)
    mixed = digits >= 3 and value.lower() != value and value.upper() != value
    return "[TOKEN]" if mixed else value


# --- addresses ---------------------------------------------------------------------------------

_URL: Final = re.compile(r"://([^\s\"'<>`]++)")
_QUERY: Final = re.compile(r"\?([^\s\"'<>`=?]{1,64}=[^\s\"'<>`]*+)")
_LOCAL: Final = r"\s<>()\[\],;:\"@＠﹫/?&{}\\"
_DOMAIN: Final = r"\s<>()\[\],;:\"'@＠﹫/?&{}\\|=!%#*"
_EMAIL: Final = re.compile(
    rf"(?:\"[^\"@\r\n]{{1,64}}+\"|(?<![^{_LOCAL}])[^{_LOCAL}]++)"
    rf"[@＠﹫]([^{_DOMAIN}]++|\[[^\]\s]{{1,64}}\])"
)
_EMAIL_QUOTED: Final = re.compile(
    rf"(?<![^{_LOCAL}%=])[^{_LOCAL}%=]++(?:%[0-9A-Fa-f]{{2}}[^{_LOCAL}%=]*+){{0,8}}?%40[^{_DOMAIN}]++"
)


def _without_user_and_query(match: re.Match[str]) -> str:
    path, mark, query = re.match(r"([^?#]*+)([?#]?)(.*)", match[1], re.DOTALL).groups()  # type: ignore[union-attr]  # fits any text
    # The last @, though a path may hold one too: a password may hold a slash.
    user, at, host = path.rpartition("@")
    user = user if not at or _PLACEHOLDER.match(user) else _WITHHELD
    query = query if _only_placeholders(query) else _WITHHELD
    return f"://{user}{at}{host}{mark}{query}"


def _without_values(match: re.Match[str]) -> str:
    return match[0] if _only_placeholders(match[1]) else f"?{_WITHHELD}"


def _only_placeholders(query: str) -> bool:
    """Tell whether `query` is a template: every value is yet to be filled in."""
    if query in ("", _WITHHELD):
        return True
    pairs = [pair.partition("=") for pair in query.split("&")]
    return all(sign and (not value or _PLACEHOLDER.match(value)) for _, sign, value in pairs)


def _without_address(match: re.Match[str]) -> str:
    domain = match[1]
    if any(c.isalpha() for c in domain) or domain.count(".") >= 3:
        return "[EMAIL]" + "." * (len(domain) - len(domain.rstrip(".")))
    return match[0]


# --- numbers -----------------------------------------------------------------------------------

_DIGITS: Final = re.compile(r"\d")
# Groups of digits with one separator between them, beginning and ending at a group.
_CARD: Final = re.compile(r"(?<!\d)\d{3,19}(?:[ .\-\u00a0]\d{3,7}){0,5}+")
_CARD_SIZES: Final = range(13, 20)
_GROUP: Final = re.compile(r"\d+")
_IBAN: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_IBAN_SIZES: Final = range(15, 35)
# ISO 13616 lengths; a word after the number would otherwise count as its end.
_IBAN_SIZE: Final = {
    country: int(size)
    for size, countries in (
        ("15", "NO"),
        ("16", "BE"),
        ("18", "DK FI FO GL NL"),
        ("19", "MK SI"),
        ("20", "AT BA EE KZ LT LU XK"),
        ("21", "CH HR LI LV"),
        ("22", "BG BH CR DE GB GE IE ME RS VA"),
        ("23", "AE GI IL IQ OM SO TL"),
        ("24", "AD CZ ES MD PK RO SA SE SK TN VG"),
        ("25", "LY PT ST"),
        ("26", "IS TR"),
        ("27", "BI DJ FR GR IT MC MR SM"),
        ("28", "AL AZ BY CY DO GT HU LB NI PL SV"),
        ("29", "BR EG PS QA UA"),
        ("30", "JO KW MU YE"),
        ("31", "MT SC"),
        ("32", "LC"),
        ("33", "RU"),
    )
    for country in countries.split()
}
_PHONES: Final = re.compile(
    # +49 (0)151 234-5678, 0049 ...
    r"(?:\+[ ]?|(?<![\w.,:+\-])00[ ]?)[1-9](?:[ ().\-/\u00a0]{0,3}\d){6,18}+"
    # 1-555-123-4567, (555) 123-4567, 555.123.4567
    r"|(?<![\w.+\-])(?:1[ .\-])?(?:\([2-9]\d{2}\)[ .\-]?|[2-9]\d{2}[ .\-])\d{3}[ .\-]\d{4}(?![\w\-])"
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
    places = [at for at in range(match.start(), match.end()) if match.string[at].isalnum()]
    letters = "".join(match.string[at] for at in places).upper()
    size = _IBAN_SIZE.get(letters[:2])
    for length in _IBAN_SIZES if size is None else (size,):
        if length <= len(letters) and _mod97(letters[4:length] + letters[:4]) == 1:
            return places[length - 1] + 1
    return None


def _mod97(letters: str) -> int:
    return int("".join(str(int(letter, 36)) for letter in letters)) % 97


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
